"""What the virtual inlet is made of. One row a key; the parser, the docs and the errors read the same rows.

Defaults are a healthy Type 2 inlet on a healthy 32 A EVSE. Where a figure has a source it stands in the help.
"""

from typing import Any

from inletctl.errors import UserError
from inletctl.plant.spec import Spec, count, number, time_of_day, word

YES_NO = ("yes", "no")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
INLETS = ("type1", "type2", "gbt", "nacs", "ccs1", "ccs2", "chademo")
CONTACTS = ("ac_l", "ac_n", "dc_p", "dc_n")  # index = channel of Readings.temp_*

# fmt: off
KEYS: dict[str, Spec] = {
    # The place.
    "inlet": word(*INLETS, default="type2", text="inlet and plug: decides the PP coding"),
    "ambient_c": number("C", -40, 85, 20, "ambient temperature"),
    "start_plugged": word(*YES_NO, default="no", text="a plug is in from the start, coded cable_a"),
    # EVSE: what it offers and how its state machine is timed.
    "evse_max_a": number("A", 0, 80, 32, "current it offers per phase; sent as duty (IEC 61851-1 Tab A.7)"),
    "evse_digital": word(*YES_NO, default="no", text="sends 5 % duty instead of the current"),
    "evse_auto": word(*YES_NO, default="yes", text="energy available at once; no: stays steady (x1) until `evse_resume`"),
    "evse_pwm_start_ms": number("ms", 0, 60_000, 1000, "from state B seen to PWM"),
    "evse_debounce_ms": number("ms", 1, 200, 20, "how long a level must last before it acts on it"),
    "evse_close_ms": number("ms", 0, 3000, 500, "from state C2 seen to contactor closed (Tab A.6 seq 4: <= 3 s)"),
    "evse_open_ms": number("ms", 0, 3000, 30, "from S2 seen open to contactor open (seq 8: <= 100 ms with the debounce; J1772 3 s)"),
    "evse_x1_open_ms": number("ms", 3000, 60_000, 6000, "contactor opens so long after PWM stopped, load or not (seq 10.2: >= 6 s)"),
    "evse_x1_hold_ms": number("ms", 0, 60_000, 3000, "steady at least so long before PWM again (seq 9.2: >= 3 s)"),
    "evse_ef_open_ms": number("ms", 0, 3000, 100, "from own state E or F to contactor open (seq 12: <= 3 s, GB/T 100 ms)"),
    "evse_boot_ms": number("ms", 0, 60_000, 2000, "from mains back to a pilot; the pilot is 0 V meanwhile"),
    "evse_needs_b": word(*YES_NO, default="yes", text="after a reset or fault refuses state C until it has seen B (esp32-evse #71)"),
    "evse_retry_ms": number("ms", 1000, 900_000, 10_000, "stays so long in F after a fault it found itself"),
    "evse_retries": count(0, 100, 20, "faults of its own after which it stays in F"),
    "evse_ventilation": word(*YES_NO, default="no", text="serves state D; no: refuses it"),
    "evse_trips": word(*YES_NO, default="no", text="goes to F when over its offer (+1.3 A or 11 %, J1772) for 5 s"),
    # EVSE: its pilot source.
    "evse_high_v": number("V", 9, 15, 12, "generator, high (11.4..12.6, Tab A.2)"),
    "evse_low_v": number("V", -15, -9, -12, "generator, low (-12.6..-11.4)"),
    "evse_source_ohm": number("ohm", 500, 2000, 1000, "source resistor (970..1030)"),
    "evse_hz": number("Hz", 100, 5000, 1000, "PWM frequency (980..1020)"),
    "evse_duty_error_pct": number("%", -5, 5, 0, "added to every duty sent (+-0.5)"),
    "evse_jitter_us": number("us", 0, 50, 0, "uniform +- jitter of each period and high time measured"),
    # Pilot, vehicle side.
    "ev_ohm": number("ohm", 2000, 4000, 2740, "permanent resistor (2658..2822, Tab A.3)"),
    "ev_s2_ohm": number("ohm", 200, 3000, 1300, "resistor in series with S2 (1261..1339)"),
    "ev_diode_mv": number("mV", 300, 1000, 700, "forward drop of the diode (550..850)"),
    "ground_offset_mv": number("mV", -2100, 2100, 0, "controller ground above PE: lowers what it measures (J1772: <= 700)"),
    "cp_noise_mv": number("mV", 0, 1000, 0, "uniform +- noise of each level measured"),
    "slicer_mv": number("mV", -5000, 8000, 1500, "edge threshold at the pin; must serve 9, 6 and 3 V tops"),
    # Proximity.
    "pp_rail_mv": number("mV", 3000, 5500, 5000, "rail of the pull-up, as measured"),
    "pp_pullup_ohm": number("ohm", 100, 10_000, 330, "pull-up in the car (297..363, J1772 5.3)"),
    "pp_pulldown_ohm": number("ohm", 0, 100_000, 2700, "PP to PE in the inlet (2430..2970); 0 = none"),
    "cable_a": number("A", 0, 80, 32, "coding of the plug where `plug` does not say (type2 13/20/32/63, gbt 10/16/32/63)"),
    # Contacts and their sensors.
    "contact_milliohm": number("milliohm", 0, 100, 0.5, "transition resistance of each contact, new"),
    "contact_k_per_w": number("K/W", 1, 200, 30, "contact to ambient"),
    "contact_j_per_k": number("J/K", 0.5, 1000, 10, "heat capacity of a contact; 10 J/K and 30 K/W make 300 s"),
    "sensor_lag_ms": number("ms", 0, 600_000, 15_000, "time constant from contact to sensor"),
    "sensor_ac_l": word("ntc", "pt1000", "none", default="ntc", text="sensor at AC L"),
    "sensor_ac_n": word("ntc", "pt1000", "none", default="ntc", text="sensor at AC N"),
    "sensor_dc_p": word("ntc", "pt1000", "none", default="none", text="sensor at DC+"),
    "sensor_dc_n": word("ntc", "pt1000", "none", default="none", text="sensor at DC-"),
    "ntc_r25_ohm": number("ohm", 1000, 200_000, 10_000, "NTC at 25 C"),
    "ntc_beta": number("K", 2000, 6000, 3435, "NTC B value"),
    "ntc_pullup_ohm": number("ohm", 100, 200_000, 10_000, "divider of an NTC, to temp_rail_mv"),
    "pt_pullup_ohm": number("ohm", 100, 20_000, 1000, "divider of a PT1000, to temp_rail_mv"),
    "temp_rail_mv": number("mV", 2500, 5500, 3300, "rail of the temperature dividers"),
    # Lock.
    "lock_kind": word("motor", "solenoid", default="motor", text="solenoid: bistable, two pulses, no stall current"),
    "lock_feedback": word("analog", "switch", "none", default="analog", text="how its position is told"),
    "lock_travel_ms": number("ms", 10, 5000, 300, "drive time from end to end"),
    "lock_start_pct": number("%", 0, 100, 0, "position at the start; 100 = locked"),
    "lock_unlocked_mv": number("mV", 0, 5000, None, "feedback when unlocked; analog 580 (Vector: 480..680), switch 3300 if left out"),
    "lock_locked_mv": number("mV", 0, 5000, None, "feedback when locked; analog 2860 (Vector: 2510..3210), switch 20 if left out"),
    "lock_run_ma": number("mA", 0, 5000, 250, "motor running free (Harting: <= 250)"),
    "lock_stall_ma": number("mA", 0, 10_000, 2400, "motor against a stop (Harting: <= 2400)"),
    "lock_blocks_button": word(*YES_NO, default="no", text="a locked latch cannot be pressed (J1772: S3 blocked while locked)"),
    # On-board charger.
    "charger_max_a": number("A", 0, 80, 32, "what the charger can draw per phase; also vehicle_limit_ma at first"),
    "charger_min_a": number("A", 0, 16, 6, "below this it draws nothing"),
    "charger_delay_ms": number("ms", 0, 10_000, 100, "from command to obeying"),
    "charger_start_ms": number("ms", 0, 10_000, 500, "from mains to first current"),
    "charger_up_a_s": number("A/s", 0.1, 10_000, 10, "ramp up"),
    "charger_down_a_s": number("A/s", 0.1, 10_000, 100, "ramp down"),
    "charger_idle_ma": number("mA", 0, 2000, 0, "drawn while mains is there and nothing is permitted"),
    # Car.
    "vehicle_cycle_ms": number("ms", 10, 5000, 100, "its message period; a change is told at once"),
    "vehicle_permits": word(*YES_NO, default="yes", text="permits charging at the start"),
    "soc_pct": number("%", 0, 100, 50, "state of charge at the start"),
    "target_pct": number("%", 1, 100, 100, "state of charge at which the car wants charging to end, told by native CAN; 100 = none told"),
    "battery_kwh": number("", 0.01, 200, 60, "what the battery holds, kWh"),
    "phases": count(1, 3, 1, "phases that the charger draws from, 230 V each"),
    "clock_day": word("none", *DAYS, default="none", text="day at the start as the car's clock has it; none: it does not know the time"),
    "clock_time": time_of_day(0, "its local time at the start"),
    # Car: how it is joined to the inlet.
    "can": word("none", "native", "cpc", "i3lim", default="none", text="how it talks to the inlet on CAN; as `set can` where left out. With none its demand line is wired"),
    "can_rate": word("125k", "250k", "500k", "1000k", default="500k", text="bit rate of the bus; as `set can_rate` where left out"),
    "modem": word(*YES_NO, default="no", text="a communication controller for CCS is on the bus; as `set modem` where left out"),
    "current_sense": word("auto", *YES_NO, default="auto", text="the board measures the charger's current; auto: where native CAN does not tell it"),
    # Port.
    "door": word(*YES_NO, default="no", text="a door with a motor; as `set door` where left out"),
    "door_ms": number("ms", 100, 60_000, 2000, "its drive from end to end"),
    "heater_k": number("K", 0, 100, 25, "how much warmer than ambient the port's heater makes it in the end"),
    "heater_tau_ms": number("ms", 1000, 3_600_000, 60_000, "time constant of that"),
}
# Keys that are as the board is set where a scenario does not say otherwise.
AS_SET = ("can", "can_rate", "modem", "door")
# fmt: on


class PlantConfig:
    """Every key as an attribute: numbers in the unit of the key, words as text, yes/no as bool."""

    def __init__(self, **values: Any):
        for key in values:
            if key not in KEYS:
                raise UserError(f"unknown plant key {key!r}.")
        for key, spec in KEYS.items():
            value = values.get(key, spec.default)
            if isinstance(value, bool) and spec.choices == YES_NO:
                value = YES_NO[not value]
            problem = spec.problem(value)
            if problem and not (value is None and spec.default is None):
                raise UserError(f"{key}={value!r}: {key} {problem}.")
            setattr(self, key, value == "yes" if spec.choices == YES_NO else value)

    def __getattr__(self, key: str) -> Any:
        # Only reached for what __init__ did not set; tells the type checker that keys are attributes.
        raise AttributeError(key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PlantConfig) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(tuple(sorted(vars(self).items())))
