"""An RP2040 board: makes the pins, converters and state machines a board file names, and hands them to the drivers.

The board contract of main.run, and nothing else: no policy. sample, actuate, feed_watchdog, next_pass and talk allocate
nothing. Sources: RP2040 datasheet 2.3.1.7 (SIO registers), 4.7.6 (watchdog registers).
"""

import rp2
import uctypes
from machine import ADC, WDT, WDT_RESET, Pin, mem32, reset_cause
from micropython import const

from drivers.analog import Analog
from drivers.bridge_out import BridgeOut
from drivers.charger_lines import DemandIn
from drivers.chip_board import ChipBoard
from drivers.cp_level import (
    DREQ_ADC,
    RING_BYTES_LOG2,
    CPLevel,
    ring_first,
    ring_memory,
)
from drivers.dead_man import DEAD_MAN_MS, make_dead_man
from drivers.edge_capture import make_capture
from drivers.rp2040_fast import extremes
from ticks import ticks_diff

TYPE_CHECKING = const(False)

if TYPE_CHECKING:  # plain ints, as in ticks.py

    def ticks_ms() -> int: ...
    def ticks_us() -> int: ...

else:
    from time import ticks_ms

_QUIET_MS = const(1000)  # no edge for ever (signals.Readings)
_REARM_PASSES = const(100)  # the captures' DMA counts last for days

# State machines: both captures share one program in the first block, where a strip's fits beside it; the dead-men have
# the second to themselves.
_SM_PILOT = const(0)
_SM_DEMAND = const(1)
_SM_STRIP = const(2)
_SM_S2 = const(4)
_SM_BRIDGE = const(5)
_SM_DRIVE = const(6)
# 80 ns a count, 2.5 ms without an edge; 800 ns a count, 25 ms.
_PILOT_HZ = const(25000000)
_DEMAND_HZ = const(2500000)
_CAPTURE_LIMIT = const(31250)

_ADC_GPIO = const(26)  # ADC input 0
_GPIO_OUT_SET = 0xD0000014
_GPIO_OUT_CLR = 0xD0000018
_WATCHDOG_CTRL_CLR = 0x4005B000  # CTRL's alias that clears the bits written
_WATCHDOG_ENABLE = 1 << 30
# A watchdog scratch register that nobody else uses and a reset keeps: a mark while the loop runs, and how often it was
# still there after a reset.
_SCRATCH_2 = 0x40058014
_RUNNING = const(0x0C4A5000)
_CRASHES_MASK = const(0xFF)
_HEALTHY_PASSES = const(6000)  # a minute: crashes before it are forgiven


class Rp2040Board(ChipBoard):
    """
    Made once from a checked board file; `store` has read() -> dict or None.

    Raises ValueError or OSError where the chip cannot do what is asked (no DMA channel, no PIO room); everything already
    made is safe again then.
    """

    def __init__(self, board_file, store):
        super().__init__(board_file, store)
        self.crashes = 0  # in a row before this boot: resets by the watchdog while the loop ran
        self._is_lost = (
            False  # hardware let go of an output, and the logic has not let go of it since
        )
        self._is_loss_new = False
        self._fed_ms = 0  # tick of the last feed
        self._is_fed = False  # something was on at the last feed
        self._healthy_passes = 0
        is_made = False
        try:
            self._make()
            self._start_clock()
            self._rearm_passes = 0
            self._count_crashes()
            board_file.trim()
            is_made = True
        finally:
            if not is_made:
                self.safe()

    # ------------------------------------------------------------------------------------- building

    def _count_crashes(self) -> None:
        """Tell a reset of a running loop from every other one."""
        kept = mem32[_SCRATCH_2]
        if kept & ~_CRASHES_MASK == _RUNNING and reset_cause() == WDT_RESET:
            self.crashes = min((kept & _CRASHES_MASK) + 1, _CRASHES_MASK)

    def _make(self) -> None:
        file = self._file
        self._s2 = self._part(make_dead_man(_SM_S2, self._pin("s2")))
        enable = self._part(
            make_dead_man(_SM_BRIDGE, self._pin("bridge_enable"), file.motor_pwm_32nds)
        )
        self._bridge = self._part(
            BridgeOut(self._output("bridge_direction"), self._output("bridge_wake"), enable)
        )
        # A positive permission: a loop that is dead no longer gives it.
        self._may_drive = False  # as last fed
        self._drive_allowed = self._part(make_dead_man(_SM_DRIVE, self._pin("drive_allowed")))
        self._make_lines()
        self._make_analog()
        self._pilot = make_capture(_SM_PILOT, self._pin("pilot"), _PILOT_HZ, _CAPTURE_LIMIT)
        self._demand_capture = make_capture(
            _SM_DEMAND, self._pin("demand"), _DEMAND_HZ, _CAPTURE_LIMIT
        )
        self._demand = DemandIn(self._demand_capture)

    def _make_analog(self) -> None:
        file = self._file
        self._ref_mv = file.adc_ref_mv
        self._mux_u16 = ADC(self._pin("adc_mux")).read_u16
        self._motor_u16 = ADC(self._pin("adc_motor")).read_u16
        # Not read this way, but it makes the pin an analogue input.
        ADC(self._pin("adc_cp"))
        self._gpio_set = _GPIO_OUT_SET
        self._gpio_clear = _GPIO_OUT_CLR
        self._select_set, self._select_clear = _select_masks(file)
        for name in ("mux_0", "mux_1", "mux_2", "mux_3"):
            self._pin(name).init(Pin.OUT, value=0)
        self._analog = Analog(self._mux_mv, self._motor_mv, self._select, file)
        ring = ring_memory()
        address = uctypes.addressof(ring)
        first = ring_first(address)
        dma = rp2.DMA()
        control = dma.pack_ctrl(
            size=1,  # 16 bits
            inc_read=False,
            inc_write=True,
            ring_sel=True,
            ring_size=RING_BYTES_LOG2,
            treq_sel=DREQ_ADC,
        )
        self._cp = self._part(
            CPLevel(
                mem32,
                dma,
                control,
                ring,
                first,
                address + first * 2,
                file.pins["adc_cp"].gpio - _ADC_GPIO,
                file.scale("cp"),
                file.adc_ref_mv,
                extremes,
            )
        )

    def _make_strip(self, strip: dict):
        from drivers.rp2040_strip import make_pio_strip

        pin = Pin(strip["gpio"])
        return make_pio_strip(_SM_STRIP, pin, strip["count"], strip["brightness_pct"])

    # ------------------------------------------------------------------- what the drivers are handed

    def _mux_mv(self) -> int:
        return self._mux_u16() * self._ref_mv >> 16

    def _motor_mv(self) -> int:
        return self._motor_u16() * self._ref_mv >> 16

    def _select(self, channel: int) -> None:
        """Switch the multiplexer. Both writes together take less than the call returns in: settled by then."""
        mem32[self._gpio_clear] = self._select_clear[channel]
        mem32[self._gpio_set] = self._select_set[channel]

    # ----------------------------------------------------------------------------------- the contract

    def _begin(self) -> None:
        """Mark that the loop runs, then start the watchdog: somebody has to come by every watchdog_ms from here on."""
        mem32[_SCRATCH_2] = _RUNNING + self.crashes
        self._watchdog = WDT(timeout=self._file.watchdog_ms)

    def sample(self, r) -> None:
        """Fill `r` with this pass's readings; what cannot be read is marked so."""
        now_ms = self._now_ms
        try:
            r.pilot_count = self._pilot.read(r.pilot_high_us_x10, r.pilot_period_us_x10, now_ms)
            r.pilot_quiet_ms = self._pilot.quiet_ms
        except OSError:
            r.pilot_count = 0
            r.pilot_quiet_ms = _QUIET_MS
        self._cp.finish(r)
        self._analog.scan(r, ticks_diff(now_ms, self._sampled_ms))
        # From here on nobody else needs the ADC: the level of the next pass is as fresh as can be.
        self._cp.start()
        self._sampled_ms = now_ms
        if self._has_demand:
            self._demand.read(r, now_ms)
        self._read_lines(r)
        r.output_lost = self._is_loss_new
        self._is_loss_new = False

    def actuate(self, c) -> None:
        """Obey `c` until the next pass. Getting here is the proof of life that keeps S2 and the bridge powered."""
        now_ms = self._now_ms
        self._watch_age(c.s2_close or c.lock_drive != 0)
        if self._is_lost:
            self._s2.feed(False)
            self._bridge.drive(0, now_ms)
            self._limit.set(0)
        else:
            self._s2.feed(c.s2_close)
            self._bridge.drive(c.lock_drive, now_ms)
            self._limit.set(c.charger_ma)
        self._may_drive = c.drive_allowed and ticks_diff(self._fed_ms, now_ms) < DEAD_MAN_MS
        self._drive_allowed.feed(self._may_drive)
        self._light.show(c.look, now_ms)

    def _watch_age(self, is_on: bool) -> None:
        """Find a dead-man that has let go, or a pass that decided on readings too old for one.

        Fed again, S2 would close under what was decided before: it stays off until the logic itself has let go, and the
        next readings say so.
        """
        fed_ms = ticks_ms()
        if (self._is_fed and ticks_diff(fed_ms, self._fed_ms) >= DEAD_MAN_MS) or (
            is_on and ticks_diff(fed_ms, self._now_ms) >= DEAD_MAN_MS
        ):
            if not self._is_lost:
                self._is_lost = True
                self._is_loss_new = True
        elif not is_on:
            self._is_lost = False
        self._fed_ms = fed_ms
        self._is_fed = is_on

    def begin_long(self) -> None:
        """Let a car that may drive go on: its permission must not blink because the board writes or reads its flash."""
        if self._may_drive:
            self._drive_allowed.feed_long()

    def slack(self, may_collect: bool) -> None:
        """Do what has time: arm the captures anew, and collect garbage where a late pass does no harm."""
        if self.crashes and self._healthy_passes < _HEALTHY_PASSES:
            self._healthy_passes += 1
            if self._healthy_passes == _HEALTHY_PASSES:
                mem32[_SCRATCH_2] = _RUNNING
        self._rearm_passes += 1
        if self._rearm_passes >= _REARM_PASSES:
            self._rearm_passes = 0
            self._pilot.rearm()
            self._demand_capture.rearm()
        self._collect(may_collect)

    def stop_watchdog(self) -> None:
        """Stop the watchdog, after Ctrl-C: a person at the prompt must not be reset. Outputs are safe by then."""
        mem32[_WATCHDOG_CTRL_CLR] = _WATCHDOG_ENABLE
        # Ended on purpose: the next reset is no crash.
        mem32[_SCRATCH_2] = 0


def _select_masks(board_file):
    """Return two tuples by multiplexer channel: the GPIO bits to set, and those to clear."""
    bits = []
    for name in ("mux_0", "mux_1", "mux_2", "mux_3"):
        entry = board_file.pins[name]
        bits.append((1 << entry.gpio, entry.is_inverted))
    all_bits = 0
    for bit, _ in bits:
        all_bits |= bit
    sets = []
    for channel in range(16):
        mask = 0
        for n in range(4):
            bit, is_inverted = bits[n]
            if (channel >> n & 1) != is_inverted:
                mask |= bit
        sets.append(mask)
    return tuple(sets), tuple([all_bits & ~mask for mask in sets])
