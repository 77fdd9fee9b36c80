"""The freeze frame: twenty whole numbers, what the inlet read and commanded in the pass in which a trouble appeared.

Written into an array that is there already; FRAME and FRAME_STATES say what each number is. A number whose reading was not
valid is what the driver left there: its `_ok` bit in the first number says so.
"""

from micropython import const

FRAME_INTS = const(20)

# One row a number: (name, unit, what)
FRAME = (
    ("states", "bits", "states and validity, see below"),
    ("reasons", "bits", "why S2 may not close (docs/shutdown.md)"),
    ("faults", "bits", "what is broken (docs/shutdown.md)"),
    ("holds", "bits", "what is asked or noticed (docs/shutdown.md)"),
    ("duty_pct_x100", "0.01 %", "duty last accepted"),
    ("pilot_period_us_x10", "0.1 us", "newest pilot period, 0 where none came in this pass"),
    ("cp_high_mv", "mV", "pilot level while high, or steady"),
    ("cp_low_mv", "mV", "pilot level while low, or steady"),
    ("pp_mv", "mV", "proximity"),
    ("lock_feedback_mv", "mV", "connector lock's feedback"),
    ("lock_motor_ma", "mA", "connector lock's motor"),
    ("charger_ma", "mA", "AC current really drawn, per phase"),
    ("permitted_ma", "mA", "the lowest of all limits"),
    ("temp_0_mv", "mV", "temperature channel 0, first AC contact"),
    ("temp_1_mv", "mV", "temperature channel 1, second AC contact"),
    ("temp_2_mv", "mV", "temperature channel 2"),
    ("temp_3_mv", "mV", "temperature channel 3"),
    ("hottest_decic", "0.1 C", "hottest valid channel"),
    ("dc_mv", "mV", "DC at the inlet"),
    ("vehicle_age_ms", "ms", "since the vehicle's last fresh word"),
)

# What the bits of `states` are: (name, lowest bit, bits)
FRAME_STATES = (
    ("session", 0, 3),
    ("pilot_state", 3, 4),
    ("lock_state", 7, 5),
    ("limiter", 12, 4),
    ("s2_close", 16, 1),
    ("plug_present", 17, 1),
    ("cp_ok", 18, 1),
    ("pp_ok", 19, 1),
    ("lock_feedback_ok", 20, 1),
    ("charger_ok", 21, 1),
    ("ac_ok", 22, 1),
    ("ac_present", 23, 1),
    ("dc_ok", 24, 1),
    ("hottest_ok", 25, 1),
    ("temp_0_ok", 26, 1),
    ("temp_1_ok", 27, 1),
    ("temp_2_ok", 28, 1),
    ("temp_3_ok", 29, 1),
)


def fill(into, at: int, r, c) -> None:  # noqa: C901 - one line a value
    """Write the frame of `r` (signals.Readings) and `c` (signals.Commands) into `into` from index `at` on. Allocates nothing."""
    # The highest bit is 29: below 2**30, a small int everywhere.
    states = c.session | c.pilot_state << 3 | c.lock_state << 7 | c.limiter << 12
    if c.s2_close:
        states |= 1 << 16
    if c.plug_present:
        states |= 1 << 17
    if r.cp_ok:
        states |= 1 << 18
    if r.pp_ok:
        states |= 1 << 19
    if r.lock_feedback_ok:
        states |= 1 << 20
    if r.charger_ok:
        states |= 1 << 21
    if r.ac_ok:
        states |= 1 << 22
    if r.ac_present:
        states |= 1 << 23
    if r.dc_ok:
        states |= 1 << 24
    if c.hottest_ok:
        states |= 1 << 25
    for n in range(4):
        if r.temp_ok[n]:
            states |= 1 << 26 + n
        into[at + 13 + n] = r.temp_mv[n]
    into[at] = states
    into[at + 1] = c.reasons
    into[at + 2] = c.faults
    into[at + 3] = c.holds
    into[at + 4] = c.duty_pct_x100
    into[at + 5] = r.pilot_period_us_x10[r.pilot_count - 1] if r.pilot_count > 0 else 0
    into[at + 6] = r.cp_high_mv
    into[at + 7] = r.cp_low_mv
    into[at + 8] = r.pp_mv
    into[at + 9] = r.lock_feedback_mv
    into[at + 10] = r.lock_motor_ma
    into[at + 11] = r.charger_ma
    into[at + 12] = c.permitted_ma
    into[at + 17] = c.hottest_decic
    into[at + 18] = r.dc_mv
    into[at + 19] = r.vehicle_age_ms
