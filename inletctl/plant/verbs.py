"""Everything that can happen in a scenario. One row a verb; parser, docs and errors read the same rows.

A row is (method, arguments, help). `method` is "part.method" of the World that carries it out. Values reach the
method in the canonical unit of their Spec (see spec.UNITS); an optional one that is not given arrives as None.
Names lean on EVerest's EvManager where it has one.
"""

from inletctl.plant.can_faults import CAN_FAULTS, CAN_FLOODS, CAN_MESSAGES
from inletctl.plant.config import CONTACTS, DAYS
from inletctl.plant.lines import INPUTS
from inletctl.plant.port_records import SECTIONS, STATUSES
from inletctl.plant.safety import GEARS
from inletctl.plant.spec import REQUIRED, Spec, count, number, time_of_day, word

__all__ = ["NOISE_KINDS", "REQUIRED", "VERBS", "ArgSpec", "Verb"]

ArgSpec = Spec
Verb = tuple[str, dict[str, Spec], str]

# What a bad sample looks like: a lost edge merges two periods, a glitch reads as ~0 % or ~100 %, a period of any
# length, a glitch that splits one period in two, a level that is nonsense. mixed: any of them, at random.
NOISE_KINDS = ("missing", "zero", "full", "random", "split", "level")

_HOLD = number("ms", 0, 3_600_000, 0, "how long; 0 = until told otherwise")
_CONTACT = word(*CONTACTS, "all", text="which contact")
_NOISE = word("mixed", *NOISE_KINDS, default="mixed", text="what a bad sample looks like")

# fmt: off
VERBS: dict[str, Verb] = {
    # Person.
    "plug": ("person.plug", {
        "cable_a": number("A", 0, 80, None, "coding of the cable; the config key cable_a if left out"),
        "ohm": number("ohm", 0, 1_000_000, None, "resistor in the plug instead of a coding"),
        "bounce": number("ms", 0, 1000, 0, "CP and PP bounce for so long"),
        "touching": word("all", "pp", "cp", default="all", text="half inserted: only this contact touches"),
    }, "push the plug in"),
    "unplug": ("person.unplug", {
        "patience": number("ms", 0, 3_600_000, 0, "keep pulling for so long while the lock holds"),
        "bounce": number("ms", 0, 1000, 0, "CP and PP bounce for so long before they part"),
    }, "pull the plug; fails, and says so, while the lock holds"),
    "press_button": ("person.press_button", {"hold": _HOLD}, "press the latch button (opens S3)"),
    "release_button": ("person.release_button", {}, "let the latch button go"),
    "stop": ("person.stop", {"hold": _HOLD}, "want charging to stop, until `start`, unplugging or the end of hold"),
    "start": ("person.start", {}, "take the wish to stop back"),
    "unlock": ("person.unlock", {"hold": _HOLD}, "want the cable released, until `keep`, unplugging or the end of hold"),
    "keep": ("person.keep", {}, "take the wish to unlock back"),
    "unlock_presses": ("person.press_unlock", {
        "times": count(1, 10, 2),
        "press": number("ms", 10, 10_000, 200, "how long each press lasts"),
        "gap": number("ms", 10, 10_000, 300, "between two"),
    }, "press the unlock button so many times"),
    "move_door": ("door.by_hand", {"to": word("open", "closed")}, "open or close the port's door by hand"),
    "port_record": ("port_records.put", {
        "section": word(*SECTIONS),
        "status": word(*STATUSES, default="operational"),
        "kw": number("", 0.001, 1000, None, "max power, kW; none of this section's if left out"),
        "volts": number("V", 50, 1500, None, "the highest there may be if left out"),
        "phases": count(1, 3, None),
    }, "the stored port record of a section is this now (docs/ports.md); on a board, from its next start on"),
    # EVSE: offer.
    "evse_offer": ("evse.offer", {"a": number("A", 0, 80, text="current per phase; 0 sends steady high")}, "offer another current as duty"),
    "evse_duty": ("evse.duty", {"pct": number("%", 0, 100, text="0 = steady -12 V, 100 = steady +12 V")}, "send this duty, whatever it means"),
    "evse_digital": ("evse.digital", {}, "send 5 %: digital communication"),
    "evse_pause": ("evse.pause", {}, "stop PWM: steady pilot (x1)"),
    "evse_resume": ("evse.resume", {}, "PWM again (x2), not before evse_x1_hold_ms is over"),
    "evse_error": ("evse.error", {"state": word("e", "f"), "hold": _HOLD}, "state E (0 V) or F (-12 V), until `evse_recover` or the end of hold"),
    "evse_recover": ("evse.recover", {}, "leave state E or F"),
    "wake_pulse": ("evse.wake_pulse", {
        "state": word("e", "f", default="e"),
        "time": number("ms", 1, 60_000, None, "4 s for E, 300 ms for F if left out (IEC 61851-1)"),
    }, "legacy wake: state E or F for a while, then as before"),
    "power_cut": ("evse.power_cut", {"hold": _HOLD}, "the EVSE loses mains: pilot 0 V, contactor drops"),
    "power_back": ("evse.power_back", {}, "the EVSE has mains again and boots"),
    "evse_trip": ("evse.trip", {}, "the EVSE opens its contactor under load and goes to F (residual current, say)"),
    "contactor": ("evse.contactor_fault", {"state": word("ok", "stuck_open", "stuck_closed")}, "contactor of the EVSE"),
    # EVSE: pilot source.
    "evse_frequency": ("evse.frequency", {"hz": number("Hz", 100, 5000)}, "another PWM frequency"),
    "evse_amplitude": ("evse.amplitude", {"high": number("V", 0, 15, 12), "low": number("V", -15, 0, -12)}, "generator voltages"),
    "evse_duty_error": ("evse.duty_error", {"pct": number("%", -5, 5)}, "added to every duty sent"),
    "evse_jitter": ("pilot.set_jitter", {"us": number("us", 0, 50)}, "uniform +- jitter of what is measured"),
    "lost_cycles": ("pilot.lost_cycles", {
        "count": count(1, 1000),
        "level": word("high", "low", default="low", text="level of the generator meanwhile"),
    }, "the generator leaves periods out"),
    "noise_burst": ("pilot.noise_burst", {
        "samples": count(1, 1000, 6),
        "window": number("ms", 1, 60_000, 250),
        "kind": _NOISE,
    }, "so many of the samples taken in the window are bad"),
    "noise_steps": ("pilot.noise_steps", {
        "passes": count(1, 1000, 1), "kind": _NOISE,
    }, "every pilot sample of so many passes is bad, from the next pass on"),
    # Pilot and PE wiring, vehicle side.
    "cp_wire": ("pilot.cp_wire", {"state": word("ok", "break", "short"), "hold": _HOLD}, "control pilot wire; short: to PE"),
    "pe_wire": ("pilot.pe_wire", {"state": word("ok", "break")}, "protective earth in the cable"),
    "cp_leak": ("pilot.cp_leak", {"ohm": number("ohm", 0, 1_000_000, 0, "0 = none")}, "leak from CP to PE"),
    "diode": ("pilot.diode", {"state": word("ok", "open", "short")}, "diode of the car"),
    "s2": ("pilot.s2_fault", {"state": word("ok", "stuck_open", "stuck_closed")}, "switch S2 of the car"),
    "cp_sense": ("pilot.cp_sense", {
        "state": word("ok", "dead", "no_edges", default="ok", text="dead: levels not measured; no_edges: capture sees nothing"),
        "offset": number("mV", -15_000, 15_000, 0, "added to both levels"),
    }, "measurement of the pilot"),
    # Proximity.
    "pp_wire": ("proximity.wire", {"state": word("ok", "break", "short"), "hold": _HOLD}, "proximity wire between inlet and controller"),
    "pp_plug": ("proximity.set_plug_ohm", {"ohm": number("ohm", 0, 1_000_000)}, "another resistance in the plug (corrosion, a bad part)"),
    "pp_bounce": ("proximity.bounce", {"time": number("ms", 1, 60_000)}, "the PP contact bounces for so long"),
    "pp_sense": ("proximity.sense", {"state": word("ok", "dead")}, "measurement of PP"),
    "pp_rail": ("proximity.set_rail", {"mv": number("mV", 0, 5500)}, "rail of the PP pull-up"),
    # Contacts and temperature.
    "wear": ("contacts.wear", {"contact": _CONTACT, "milliohm": number("milliohm", 0, 100)}, "transition resistance of a contact from now on"),
    "ambient": ("contacts.set_ambient", {"c": number("C", -40, 85)}, "another ambient temperature"),
    "heat": ("contacts.heat", {"contact": _CONTACT, "c": number("C", -40, 200)}, "contact and sensor are at this temperature now (hot gun, sun, ice)"),
    "sensor": ("contacts.sensor", {
        "contact": _CONTACT,
        "state": word("ok", "open", "short", "stuck", "stale", "dead", "drift", "offset", "noise", text="stale: no longer converted; dead: not measured"),
        "rate": number("K/s", -50, 50, 0.1, "of drift"),
        "by": number("K", -200, 200, 5, "of offset, or +- of noise"),
    }, "temperature sensor of a contact"),
    "sensor_spike": ("contacts.spike", {"contact": _CONTACT, "c": number("C", -60, 250, 150), "count": count(1, 100, 1)}, "single conversions read this"),
    # Lock.
    "lock_motor": ("lock.motor", {
        "state": word("ok", "jam", "ice", "frozen", "slow", "reversed", "dead"),
        "at": number("%", 0, 100, 40, "of jam: how far it goes towards locked"),
        "breaks_after": count(1, 100, 2, "of ice: this drive against it breaks it"),
        "factor": number("", 1, 100, 4, "of slow: how many times slower"),
        "thaws_at": number("C", -40, 60, 10, "of frozen: it moves once contact ac_l is as warm"),
    }, "drive of the connector lock"),
    "lock_feedback": ("lock.feedback", {"state": word("ok", "dead", "open", "short", "stuck")}, "feedback of the connector lock; dead: not measured"),
    "lock_slip": ("lock.slip", {"to": number("%", 0, 100, 40)}, "the lock moves without being driven"),
    "manual_release": ("lock.manual_release", {}, "someone pulls the emergency release"),
    # Charger.
    "charger": ("charger.fault", {
        "state": word("ok", "ignores_limit", "stuck", "dead", text="ignores_limit: draws its maximum unless told 0; stuck: keeps drawing what it draws"),
    }, "on-board charger"),
    "charger_delay": ("charger.set_delay", {"time": number("ms", 0, 60_000)}, "from command to obeying, from now on"),
    "charger_max": ("charger.set_max", {"a": number("A", 0, 80)}, "most it can draw"),
    "charger_report": ("charger.report", {"state": word("ok", "silent")}, "its word on what it draws"),
    "ac_sense": ("charger.ac_sense", {"state": word("ok", "dead", "stuck_on", "stuck_off")}, "measurement of mains at the inlet"),
    # Car.
    "vehicle_permit": ("vehicle.permit", {}, "the car permits charging"),
    "vehicle_refuse": ("vehicle.refuse", {}, "the car does not permit charging"),
    "vehicle_limit": ("vehicle.set_limit", {"a": number("A", 0, 80)}, "the car's own limit per phase"),
    "vehicle_silent": ("vehicle.go_silent", {"hold": _HOLD}, "the car says nothing any more"),
    "vehicle_back": ("vehicle.back", {}, "the car talks again"),
    "vehicle_unlock": ("vehicle.unlock", {"hold": _HOLD}, "the car asks on CAN for the cable, until `vehicle_keep` or the end of hold"),
    "vehicle_keep": ("vehicle.keep", {}, "the car takes that back"),
    "vehicle_stop": ("vehicle.stop", {"hold": _HOLD}, "the car asks on CAN for charging to stop, until `vehicle_start` or the end of hold"),
    "vehicle_start": ("vehicle.start", {}, "the car takes that back"),
    "gear": ("safety.shift", {"gear": word(*GEARS)}, "the driver chooses a gear"),
    "hvil": ("safety.hvil", {"state": word("closed", "open"), "hold": _HOLD}, "the high-voltage interlock loop"),
    "insulation": ("safety.insulation", {"state": word("ok", "fault"), "hold": _HOLD}, "what the insulation monitor finds"),
    "crash": ("safety.crash", {}, "the car crashes; its sensor says so until `crash_reset`"),
    "crash_reset": ("safety.crash_reset", {}, "the crash sensor says that all is well"),
    "soc": ("battery.set_soc", {"pct": number("%", 0, 100)}, "the state of charge is this now"),
    "clock": ("calendar.set", {"day": word(*DAYS), "time": time_of_day()}, "the car's clock is set"),
    "clock_lost": ("calendar.lose", {}, "the car does not know the time any more"),
    # Discrete lines.
    "line": ("lines.wire", {
        "name": word(*INPUTS),
        "state": word("ok", "break", "stuck", text="stuck: shorted to what reads as good"),
        "hold": _HOLD,
    }, "wire of a discrete line"),
    "line_chip": ("lines.chip", {"state": word("ok", "dead"), "hold": _HOLD}, "the chip that reads the discrete lines"),
    # CAN.
    "can_fault": ("can_car.fault", {
        "kind": word(*CAN_FAULTS, text="what is wrong with what the car sends; value: a signal outside its range"),
        "message": word("all", *CAN_MESSAGES, default="all"),
        "count": count(0, 100_000, 0, "of so many messages; 0 = until told otherwise"),
        "hold": _HOLD,
    }, "the car's messages on CAN are wrong in one way"),
    "can_flood": ("can_car.flood", {
        "kind": word(*CAN_FLOODS, text="unknown: ids that nobody knows; others: false copies of the car's status"),
        "rate": count(1, 4000, 1000, "frames a second"),
        "hold": _HOLD,
    }, "somebody else sends on the bus"),
    "can_bus": ("bus.fault", {"state": word("ok", "break", "short", text="break: the inlet is cut off; short: every sender goes off the bus"), "hold": _HOLD}, "wires of the CAN bus"),
    "can_load": ("bus.set_load", {
        "pct": number("%", 0, 100, 100),
        "priority": word("low", "high", default="low", text="of the others' frames against ours"),
        "hold": _HOLD,
    }, "others use so much of the bus"),
    "can_controller": ("inlet_can.controller", {"state": word("ok", "missing"), "hold": _HOLD}, "the inlet's CAN controller"),
    # DC.
    "modem_wants": ("modem.want", {"state": word("b", "c")}, "the communication controller wants that state of the pilot"),
    "modem_toggle": ("modem.toggle", {"times": count(1, 3, 1)}, "it wants B-C-B toggles to wake the station"),
    "modem_start": ("modem.start", {
        "v": number("V", 0, 1500, 400), "a": number("A", 0, 1000, 50),
    }, "a whole DC session begins: state C, voltage, contactors, current"),
    "modem_stop": ("modem.stop", {}, "it ends: current, state B, contactors, voltage, then it permits to unlock"),
    "modem_silent": ("modem.go_silent", {"hold": _HOLD}, "it says nothing any more"),
    "modem_back": ("modem.back", {}, "it talks again"),
    "dc_voltage": ("dc.voltage", {
        "v": number("V", 0, 1500), "tau": number("ms", 0, 60_000, 0, "time constant; 0 = at once"),
    }, "voltage at the DC pins"),
    "dc_current": ("dc.current", {"a": number("A", 0, 1000)}, "current through the DC pins"),
    "dc_contactors": ("dc.contactors", {"state": word("open", "closed")}, "the car's DC contactors"),
    "dc_report": ("dc.report", {"state": word("ok", "open", "closed", text="the truth, or always this")}, "what the contactors' own switches say"),
    # Port.
    "heater": ("port.fault", {"state": word("ok", "dead", "stuck_on")}, "the port's heater"),
    "door_motor": ("door.motor", {"state": word("ok", "jam", "dead")}, "motor of the port's door; jam: it stays where it is"),
}
# fmt: on
