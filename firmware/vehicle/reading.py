"""One line of readings (vehicle/protocol.py), kept until the wire has room for it."""

from micropython import const

from faults import SERVICE_MODE
from vehicle.protocol import READINGS

# Of the line: tick, line number, READINGS, late passes.
READING_NUMBERS = const(43)
# What stands before each (console.Report.send_other).
READING = (b'{"v":1,"t":', b',"n":', b',"r":[') + (b",",) * (len(READINGS) - 1) + (b'],"late":',)


def keep(  # noqa: PLR0913, PLR0915, PLR0917 - one assignment a value
    out, now_ms: int, number: int, r, c, late: int
) -> None:
    """Write READING_NUMBERS numbers into array `out`; `number`: of the line of commands that comes next."""
    out[0] = now_ms
    out[1] = number
    count = r.pilot_count
    out[2] = count
    high = 0
    period = 0
    if count:
        high = r.pilot_high_us_x10[count - 1]
        period = r.pilot_period_us_x10[count - 1]
    out[3] = high
    out[4] = period
    for n in range(4):
        older = count - 2 - n
        out[5 + n] = r.pilot_high_us_x10[older] - high if older >= 0 else 0
        out[9 + n] = r.pilot_period_us_x10[older] - period if older >= 0 else 0
    out[13] = r.pilot_quiet_ms
    out[14] = r.cp_high_mv
    out[15] = r.cp_low_mv
    out[16] = r.pp_mv
    out[17] = r.pp_rail_mv
    flags = r.cp_ok | r.pp_ok << 1
    for n in range(4):
        out[18 + n] = r.temp_mv[n]
        out[22 + n] = r.temp_age_ms[n]
        if r.temp_ok[n]:
            flags |= 4 << n
    out[26] = r.temp_rail_mv
    out[27] = r.lock_feedback_mv
    out[28] = r.lock_motor_ma
    out[29] = r.vehicle_age_ms
    out[30] = r.vehicle_limit_ma
    out[31] = r.charger_ma
    flags |= r.lock_feedback_ok << 6 | r.vehicle_permits << 7 | r.charger_ok << 8
    flags |= r.ac_ok << 9 | r.ac_present << 10
    flags |= r.stop_request << 11 | r.unlock_request << 12 | r.output_lost << 13
    if c.reasons & SERVICE_MODE:
        flags |= 1 << 14
    out[32] = r.holds
    out[33] = r.person_limit_ma
    out[34] = r.dc_mv
    out[35] = r.modem_age_ms
    out[36] = r.modem_toggles
    flags |= r.dc_ok << 15 | r.contactors_ok << 16 | r.contactors_open << 17
    flags |= r.car_unlock << 18 | r.car_stop << 19 | r.is_asleep << 20
    flags |= r.modem_wants_c << 21 | r.modem_permits_unlock << 22 | r.is_nearly_full << 23
    flags |= r.car_ac_live << 24
    out[37] = r.port_holds
    out[38] = r.port_dc_holds
    out[39] = r.port_ma
    out[40] = r.port_dc_ma
    out[41] = flags
    out[42] = late
