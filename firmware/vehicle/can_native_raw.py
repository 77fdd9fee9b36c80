"""Codecs of CAN messages: Native. Printed by `inletctl docs` from inletctl/can/dialects/native.toml: do not edit.

`encode_*` write a frame's bytes from a value object: what is out of range is brought into it, fractions are rounded down (up
where it says so); counter and checksum of a protected message stay 0 for vehicle/e2e.py. `decode_*` read one and return
True, or return False and change nothing: a signal is out of its range. Whole numbers only, no signal over 30 bits;
nothing is allocated.
"""

# fmt: off
from micropython import const

RAW_ID = const(0x0D5)
RAW_LENGTH = const(8)
RAW_CYCLE_MS = const(100)
RAW_PHASE_MS = const(80)
RAW_PAGES = const(7)


class Raw:
    """What was measured, one page a frame in turn, so that each comes every 700 ms."""

    def __init__(self):
        self.page = 0  # 0..15: which of the pages this frame is
        self.pilot_high_us_x10 = 0  # 0..65535 0.1 us: newest high time
        self.pilot_period_us_x10 = 0  # 0..65535 0.1 us: newest period
        self.pilot_quiet_ms = 0  # 0..1000 ms: since the last edge
        self.pilot_count = 0  # 0..5: complete periods in this pass
        self.cp_ok = False  # the levels were measured
        self.cp_high_mv = 0  # -15000..15000 mV: pilot while high
        self.cp_low_mv = 0  # -15000..15000 mV: pilot while low
        self.pp_ok = False  # proximity was measured
        self.pp_mv = 0  # 0..20000 mV: at the proximity pin
        self.pp_rail_mv = 0  # 0..20000 mV: rail of its pull-up
        self.temp_mv_0 = 0  # 0..6000 mV: divider of channel 0
        self.temp_mv_1 = 0  # 0..6000 mV: divider of channel 1
        self.temp_mv_2 = 0  # 0..6000 mV: divider of channel 2
        self.temp_mv_3 = 0  # 0..6000 mV: divider of channel 3
        self.lock_ok = False  # lock_feedback_mv was measured
        self.lock_feedback_mv = 0  # 0..6000 mV: feedback of the lock
        self.lock_motor_ma = 0  # 0..16383 mA: current of the lock's bridge
        self.temp_rail_mv = 0  # 0..6000 mV: rail of the temperature dividers
        self.can_lost = 0  # 0..60000: frames lost in the controller
        self.can_dropped = 0  # 0..60000: frames there was no room to send
        self.can_tx_errors = 0  # 0..60000: errors while sending
        self.can_rx_errors = 0  # 0..60000: errors while receiving
        self.can_offs = 0  # 0..60000: times off the bus
        self.can_refused = 0  # 0..60000: frames refused: checksum, counter, length, range


def _encode_raw_0(d: bytearray, s: Raw) -> None:
    v = s.pilot_high_us_x10
    pilot_high_us_x10 = 0 if v < 0 else 65535 if v > 65535 else v
    v = s.pilot_period_us_x10
    pilot_period_us_x10 = 0 if v < 0 else 65535 if v > 65535 else v
    v = s.pilot_quiet_ms
    pilot_quiet_ms = 0 if v < 0 else 1000 if v > 1000 else v
    v = s.pilot_count
    pilot_count = 0 if v < 0 else 5 if v > 5 else v
    d[0] = 0
    d[1] = pilot_high_us_x10 & 255
    d[2] = pilot_high_us_x10 >> 8
    d[3] = pilot_period_us_x10 & 255
    d[4] = pilot_period_us_x10 >> 8
    d[5] = pilot_quiet_ms & 255
    d[6] = pilot_quiet_ms >> 8 | pilot_count << 2
    d[7] = 0


def _encode_raw_1(d: bytearray, s: Raw) -> None:
    cp_ok = 1 if s.cp_ok else 0
    v = s.cp_high_mv
    cp_high_mv = -15000 if v < -15000 else 15000 if v > 15000 else v
    v = s.cp_low_mv
    cp_low_mv = -15000 if v < -15000 else 15000 if v > 15000 else v
    d[0] = 1 | cp_ok << 4
    d[1] = cp_high_mv & 255
    d[2] = cp_high_mv >> 8 & 255
    d[3] = cp_low_mv & 255
    d[4] = cp_low_mv >> 8 & 255
    d[5] = 0
    d[6] = 0
    d[7] = 0


def _encode_raw_2(d: bytearray, s: Raw) -> None:
    pp_ok = 1 if s.pp_ok else 0
    v = s.pp_mv
    pp_mv = 0 if v < 0 else 20000 if v > 20000 else v
    v = s.pp_rail_mv
    pp_rail_mv = 0 if v < 0 else 20000 if v > 20000 else v
    d[0] = 2 | pp_ok << 4
    d[1] = pp_mv & 255
    d[2] = pp_mv >> 8
    d[3] = pp_rail_mv & 255
    d[4] = pp_rail_mv >> 8
    d[5] = 0
    d[6] = 0
    d[7] = 0


def _encode_raw_3(d: bytearray, s: Raw) -> None:
    v = s.temp_mv_0
    temp_mv_0 = 0 if v < 0 else 6000 if v > 6000 else v
    v = s.temp_mv_1
    temp_mv_1 = 0 if v < 0 else 6000 if v > 6000 else v
    v = s.temp_mv_2
    temp_mv_2 = 0 if v < 0 else 6000 if v > 6000 else v
    v = s.temp_mv_3
    temp_mv_3 = 0 if v < 0 else 6000 if v > 6000 else v
    d[0] = 3
    d[1] = temp_mv_0 & 255
    d[2] = temp_mv_0 >> 8 | (temp_mv_1 & 3) << 6
    d[3] = temp_mv_1 >> 2 & 255
    d[4] = temp_mv_1 >> 10 | (temp_mv_2 & 15) << 4
    d[5] = temp_mv_2 >> 4 & 255
    d[6] = temp_mv_2 >> 12 | (temp_mv_3 & 63) << 2
    d[7] = temp_mv_3 >> 6


def _encode_raw_4(d: bytearray, s: Raw) -> None:
    lock_ok = 1 if s.lock_ok else 0
    v = s.lock_feedback_mv
    lock_feedback_mv = 0 if v < 0 else 6000 if v > 6000 else v
    v = s.lock_motor_ma
    lock_motor_ma = 0 if v < 0 else 16383 if v > 16383 else v
    v = s.temp_rail_mv
    temp_rail_mv = 0 if v < 0 else 6000 if v > 6000 else v
    d[0] = 4 | lock_ok << 4
    d[1] = lock_feedback_mv & 255
    d[2] = lock_feedback_mv >> 8 | (lock_motor_ma & 3) << 6
    d[3] = lock_motor_ma >> 2 & 255
    d[4] = lock_motor_ma >> 10 | (temp_rail_mv & 15) << 4
    d[5] = temp_rail_mv >> 4 & 255
    d[6] = temp_rail_mv >> 12
    d[7] = 0


def _encode_raw_5(d: bytearray, s: Raw) -> None:
    v = s.can_lost
    can_lost = 0 if v < 0 else 60000 if v > 60000 else v
    v = s.can_dropped
    can_dropped = 0 if v < 0 else 60000 if v > 60000 else v
    v = s.can_tx_errors
    can_tx_errors = 0 if v < 0 else 60000 if v > 60000 else v
    d[0] = 5
    d[1] = can_lost & 255
    d[2] = can_lost >> 8
    d[3] = can_dropped & 255
    d[4] = can_dropped >> 8
    d[5] = can_tx_errors & 255
    d[6] = can_tx_errors >> 8
    d[7] = 0


def _encode_raw_6(d: bytearray, s: Raw) -> None:
    v = s.can_rx_errors
    can_rx_errors = 0 if v < 0 else 60000 if v > 60000 else v
    v = s.can_offs
    can_offs = 0 if v < 0 else 60000 if v > 60000 else v
    v = s.can_refused
    can_refused = 0 if v < 0 else 60000 if v > 60000 else v
    d[0] = 6
    d[1] = can_rx_errors & 255
    d[2] = can_rx_errors >> 8
    d[3] = can_offs & 255
    d[4] = can_offs >> 8
    d[5] = can_refused & 255
    d[6] = can_refused >> 8
    d[7] = 0


def encode_raw(d: bytearray, s: Raw) -> None:
    """Write d[0..7]: the page s.page, 0..6."""
    page = s.page
    if page == 0:
        _encode_raw_0(d, s)
    elif page == 1:
        _encode_raw_1(d, s)
    elif page == 2:
        _encode_raw_2(d, s)
    elif page == 3:
        _encode_raw_3(d, s)
    elif page == 4:
        _encode_raw_4(d, s)
    elif page == 5:
        _encode_raw_5(d, s)
    elif page == 6:
        _encode_raw_6(d, s)
