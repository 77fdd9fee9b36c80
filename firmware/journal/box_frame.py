"""One frame of the black box: what its numbers are, and how they are copied from a pass. Plain values; decides nothing.

A frame is seven arrays of eight ints, made beforehand. FIELDS names them in order, STATES the bits of `c_states`. Numbers are as
the signals have them, all below 2**30.
"""

from faults import SERVICE_MODE

# The numbers of a frame, eight a group: the readings in the order of vehicle.protocol.READINGS, whose last, `flags`, has further
# bits from 25 on: console_stop, test_lock 1, test_lock -1, service_end; then the commands.
FIELDS = (
    "pilot_count", "pilot_high_us_x10", "pilot_period_us_x10", "pilot_high_more_us_x10_1", "pilot_high_more_us_x10_2",
    "pilot_high_more_us_x10_3", "pilot_high_more_us_x10_4", "pilot_period_more_us_x10_1",
    "pilot_period_more_us_x10_2", "pilot_period_more_us_x10_3", "pilot_period_more_us_x10_4", "pilot_quiet_ms",
    "cp_high_mv", "cp_low_mv", "pp_mv", "pp_rail_mv",
    "temp_mv_0", "temp_mv_1", "temp_mv_2", "temp_mv_3", "temp_age_ms_0", "temp_age_ms_1", "temp_age_ms_2", "temp_age_ms_3",
    "temp_rail_mv", "lock_feedback_mv", "lock_motor_ma", "vehicle_age_ms", "vehicle_limit_ma", "charger_ma", "holds",
    "person_limit_ma",
    "dc_mv", "modem_age_ms", "modem_toggles", "port_holds", "port_dc_holds", "port_ma", "port_dc_ma", "flags",
    "c_states", "c_charger_ma", "c_duty_pct_x100", "c_offered_ma", "c_permitted_ma", "c_hottest_decic", "c_dc_permitted_ma",
    "c_openings",  # how often S2 opened in this plug-in before
    "c_reasons", "c_faults", "c_holds", "spare_1", "spare_2", "spare_3", "spare_4", "spare_5",
)  # fmt: skip
# What the bits of `c_states` are: (name, lowest bit, bits). lock_drive is 1 more than it is.
STATES = (
    ("session", 0, 3), ("pilot_state", 3, 4), ("lock_state", 7, 5), ("limiter", 12, 4), ("s2_close", 16, 1),
    ("drive_allowed", 17, 1), ("lock_drive", 18, 2), ("hottest_ok", 20, 1), ("plug_present", 21, 1),
    ("wants_heat", 22, 1), ("dc_session", 23, 1), ("light", 24, 5),
)  # fmt: skip


def states_of(c) -> int:
    """Return the first states of STATES, which a change of the decision shows in."""
    return (
        c.session
        | c.pilot_state << 3
        | c.lock_state << 7
        | c.limiter << 12
        | c.s2_close << 16
        | c.drive_allowed << 17
    )


def copy(now, r, c, states: int, openings: int) -> None:
    """Write the frame of a pass into `now`: `states` as states_of(c), `openings` of S2 in this plug-in before. Allocates nothing."""
    _copy_pilot(r, now[0], now[1])
    _copy_rest(now, r)
    now[4][7] = _flags_of(r, c)
    _copy_commands(now, c, states, openings)


def _copy_pilot(r, a, b) -> None:
    count = r.pilot_count
    if count < 0 or count > 5:
        count = 0
    high = 0
    period = 0
    if count:
        high = r.pilot_high_us_x10[count - 1]
        period = r.pilot_period_us_x10[count - 1]
    a[0] = r.pilot_count
    a[1] = high
    a[2] = period
    for n in range(4):
        older = count - 2 - n
        more = 0
        if older >= 0:
            more = r.pilot_period_us_x10[older] - period
            a[3 + n] = r.pilot_high_us_x10[older] - high
        else:
            a[3 + n] = 0
        if n:
            b[n - 1] = more
        else:
            a[7] = more
    b[3] = r.pilot_quiet_ms
    b[4] = r.cp_high_mv
    b[5] = r.cp_low_mv
    b[6] = r.pp_mv
    b[7] = r.pp_rail_mv


def _copy_rest(now, r) -> None:
    a = now[2]
    for n in range(4):
        a[n] = r.temp_mv[n]
        a[4 + n] = r.temp_age_ms[n]
    a = now[3]
    a[0] = r.temp_rail_mv
    a[1] = r.lock_feedback_mv
    a[2] = r.lock_motor_ma
    a[3] = r.vehicle_age_ms
    a[4] = r.vehicle_limit_ma
    a[5] = r.charger_ma
    a[6] = r.holds
    a[7] = r.person_limit_ma
    a = now[4]
    a[0] = r.dc_mv
    a[1] = r.modem_age_ms
    a[2] = r.modem_toggles
    a[3] = r.port_holds
    a[4] = r.port_dc_holds
    a[5] = r.port_ma
    a[6] = r.port_dc_ma


def _flags_of(r, c) -> int:
    """Return what is yes or no, bit by bit as in vehicle.protocol.FLAGS."""
    flags = r.cp_ok | r.pp_ok << 1
    for n in range(4):
        if r.temp_ok[n]:
            flags |= 4 << n
    flags |= r.lock_feedback_ok << 6 | r.vehicle_permits << 7 | r.charger_ok << 8
    flags |= r.ac_ok << 9 | r.ac_present << 10
    flags |= r.stop_request << 11 | r.unlock_request << 12 | r.output_lost << 13
    if c.reasons & SERVICE_MODE:
        flags |= 1 << 14
    flags |= r.dc_ok << 15 | r.contactors_ok << 16 | r.contactors_open << 17
    flags |= r.car_unlock << 18 | r.car_stop << 19 | r.is_asleep << 20
    flags |= r.modem_wants_c << 21 | r.modem_permits_unlock << 22 | r.is_nearly_full << 23
    flags |= r.car_ac_live << 24 | r.console_stop << 25
    if r.test_lock:
        flags |= 1 << 26 if r.test_lock > 0 else 1 << 27
    return flags | r.service_end << 28


def _copy_commands(now, c, states: int, openings: int) -> None:
    a = now[5]
    # The highest bit is 28: a small int everywhere.
    a[0] = (
        states
        | (c.lock_drive + 1) << 18
        | c.hottest_ok << 20
        | c.plug_present << 21
        | c.wants_heat << 22
        | c.dc_session << 23
        | c.light << 24
    )
    a[1] = c.charger_ma
    a[2] = c.duty_pct_x100
    a[3] = c.offered_ma
    a[4] = c.permitted_ma
    a[5] = c.hottest_decic
    a[6] = c.dc_permitted_ma
    a[7] = openings
    a = now[6]
    a[0] = c.reasons
    a[1] = c.faults
    a[2] = c.holds
