"""Every trouble code: what raises it, how it may be cleared, and what a person does about it. Data only.

A trouble is what somebody has to repair or to know of. A wait is none: a car that does not permit, a schedule, a station
that pauses, a person's own act (WAITS names those holds). A code's number never changes and is never used again; its first
two digits are the room. The firmware (journal/memory.py), docs/codes/ and `inletctl codes` read this one table.

MREC is the number in the ChargeX consortium's minimum required error codes (revision 5, as CharIN and EVerest use them),
only where its description fits what the inlet has seen. Names are EVerest's nouns where it has one.
"""

from micropython import const

from faults import (
    H_CAR_STARTING,
    H_DECOMMISSIONED,
    H_DRIVE_REFUSED,
    H_NO_SECTION,
    H_NOT_PARKED,
    H_OUT_OF_SERVICE,
    H_PERSON_LIMIT,
    H_RELOCKED,
    H_TARGET,
    H_VEHICLE_WIRE,
    H_WINDOW,
    SELF,
    SERVICE,
    UNPLUG,
)

# What raises a code: a bit of which mask of signals.Commands.
FAULT = const(0)
HOLD = const(1)
REASON = const(2)
KIND_NAMES = ("fault", "hold", "reason")

# When a hold counts: a car that is off may well open its interlock loop, as long as nothing is plugged in.
ALWAYS = const(0)
PLUGGED = const(1)
WHEN_NAMES = ("always", "with a plug in")

ROOMS = (
    (11, "Pilot and S2"),
    (12, "Proximity"),
    (13, "Temperature"),
    (14, "Connector lock"),
    (15, "Charger, station and contactors"),
    (16, "The car's side"),
    (17, "The car's safety chain"),
    (18, "Port"),
    (19, "Board and settings"),
)

# Holds that are no troubles: somebody's wish or act, or what passes by itself.
WAITS = (
    H_CAR_STARTING
    | H_VEHICLE_WIRE
    | H_NOT_PARKED
    | H_WINDOW
    | H_TARGET
    | H_PERSON_LIMIT
    | H_NO_SECTION
    | H_OUT_OF_SERVICE
    | H_DECOMMISSIONED
    | H_RELOCKED
    | H_DRIVE_REFUSED
)

# One row a code, by number:
# (number, kind, bit, class as in faults.CLEAR_NAMES, when, counts once it has lasted so many ms,
#  name, MREC or "", what it means, what to measure, what usually causes it)
# fmt: off
CODES = (
    (1101, FAULT, 0, SELF, ALWAYS, 0,
     "PilotFault", "14", "While charging was under way the pilot went to 0 V (state E), to steady -12 V (state F), or away altogether. The inlet opened S2 at once.",
     "In the freeze frame look at `pilot_state`, `cp_high_mv` and `cp_low_mv`. With the plug in, measure CP against PE at the inlet: 9 V on top and -12 V below in state B. Move the cable at the plug meanwhile.",
     "E: the station lost its supply, or CP touches PE. F: the station itself reports a fault; read its display. Lost: a broken CP wire or a worn CP contact."),
    (1102, FAULT, 1, SELF, ALWAYS, 0,
     "PilotNoise", "14", "Too many pilot samples in a row made no sense, for longer than contactors disturb it.",
     "CP against PE with an oscilloscope while current flows: edges of at most 2 us, no ringing through 0 V, no bursts. PE from the inlet to the station: below 1 ohm.",
     "A high-resistance PE, CP laid beside the motor cables, a missing shield, a charger that disturbs its own supply."),
    (1103, FAULT, 2, SELF, ALWAYS, 0,
     "PilotFrequency", "14", "The pilot's frequency is outside 950..1050 Hz.",
     "The frequency of CP against PE: 980..1020 Hz is what a station owes. `pilot_period_us_x10` in the freeze frame is one period in 0.1 us. Try a second station.",
     "A station that is out of order, or a home-made one."),
    (1104, FAULT, 3, SELF, ALWAYS, 0,
     "PilotSense", "14", "The pilot's level could not be measured, or lies between the windows of two states.",
     "`cp_ok` tells whether it was measured at all. CP against PE: 11..13, 8..10, 5..7 V on top. Then the board's own divider: its output against its input as in hardware/.",
     "Another load on CP (a second controller, a worn diode), an offset between PE and the board's ground, a broken divider."),
    (1105, FAULT, 4, UNPLUG, ALWAYS, 0,
     "S2StuckOpen", "", "S2 was told to close, and the pilot did not fall to state C.",
     "On the bench (docs/bench.md) bridge S2: CP must fall from 9 V to 6 V. In the car, the voltage at the gate of S2 while the board closes it.",
     "A broken S2, its resistor or its wire; a diode that is open; a dead-man that does not let S2 close."),
    (1106, FAULT, 5, UNPLUG, ALWAYS, 0,
     "S2StuckClosed", "", "S2 was told to open, and the pilot stays in state C.",
     "CP to PE at the unplugged inlet behind the diode: 2.74 kohm with S2 open, 882 ohm with S2 closed. The voltage at the gate of S2 at rest: 0 V.",
     "A welded relay or a shorted transistor at S2, moisture across it, a second device that shows state C."),
    (1107, REASON, 25, UNPLUG, ALWAYS, 0,
     "RetriesExhausted", "", "Charging was stopped by malfunctions so often in one plug-in that the inlet gave up until the plug is out.",
     "Nothing here: look at the codes that came before it in the same session.",
     "Whatever the codes before it name; often a contact that opens as it warms up."),
    (1201, FAULT, 6, SELF, ALWAYS, 0,
     "ProximityShort", "23", "The resistance between PP and PE is below every coding.",
     "PP to PE at the inlet, unplugged: 2.7 kohm on Type 1, open on Type 2. Then at the plug: 150 ohm, 480 ohm with the button pressed (Type 1); 100..1500 ohm (Type 2).",
     "Water or metal dust in the inlet, a chafed PP wire, a wrong plug."),
    (1202, FAULT, 7, SELF, ALWAYS, 0,
     "ProximityGap", "23", "The resistance between PP and PE lies in a gap that no cable may have.",
     "PP to PE at the plug, then at the inlet with the plug in: a difference of more than a few ohm is the contact. Check `pp_pullup_ohm` against the board.",
     "A worn or dirty PP contact, a cable with a wrong resistor, a wrong pull-up in the settings."),
    (1203, FAULT, 8, SELF, ALWAYS, 0,
     "ProximitySense", "", "The voltage on PP, or the rail of its pull-up, could not be measured or cannot be.",
     "The 5 V rail at the board: 4.75..5.25 V. PP at the board's input with nothing plugged in.",
     "The 5 V rail is missing or overloaded, the input is torn off, the analogue multiplexer failed its self-check."),
    (1204, HOLD, 17, SELF, ALWAYS, 0,
     "PartialInsertion", "20", "The plug looks half inserted, or the station behind it has no power.",
     "Push the plug home and watch whether it clears. If not: CP and PP to PE at the inlet with the plug in.",
     "A plug not pushed in, a latch that does not fall, dirt in the inlet, a station without power."),
    (1301, FAULT, 9, SELF, ALWAYS, 0,
     "TempOpen", "", "A temperature sensor reads as open.",
     "`temp_0_mv`..`temp_3_mv` tell the channel: near the rail is open. Its resistance at the connector: 10 kohm (NTC) or about 1.1 kohm (PT1000) at 25 C.",
     "A broken wire or connector, a sensor that is not fitted but set in `sensor_0`..`sensor_3`."),
    (1302, FAULT, 10, SELF, ALWAYS, 0,
     "TempShort", "", "A temperature sensor reads as shorted.",
     "`temp_0_mv`..`temp_3_mv` tell the channel: near 0 V is a short. Its resistance with the connector pulled from the board.",
     "A chafed wire, water in a connector, a kind of sensor that the settings do not name."),
    (1303, FAULT, 11, SELF, ALWAYS, 0,
     "TempStale", "", "A temperature was not converted for too long.",
     "`temp_0_ok`..`temp_3_ok` tell the channel. Then the select lines of the analogue multiplexer.",
     "The multiplexer or the converter has failed, or the loop was held up."),
    (1304, FAULT, 12, UNPLUG, ALWAYS, 0,
     "TempStuck", "", "A temperature does not move at all while current flows.",
     "Warm the sensor by hand or with warm air and watch the reading: it must follow within a minute.",
     "A sensor that has come off its contact, a fixed resistor in its place, an input shorted to another."),
    (1305, FAULT, 13, UNPLUG, ALWAYS, 0,
     "TempRise", "", "A temperature changed faster than any contact can.",
     "Watch the reading while you move the sensor's wires. Then the contact itself for signs of heat.",
     "A loose sensor wire; seldom a contact that arcs."),
    (1306, FAULT, 14, SELF, ALWAYS, 0,
     "TempDisagree", "", "Two contacts differ by more than the current explains: the current is halved.",
     "Compare `temp_0_mv` and `temp_1_mv` cold: they must agree. Then the drop across each mated contact at a known current; they should be alike.",
     "One contact is worn, burnt or dirty, or its crimp is loose; else one sensor is the wrong kind."),
    (1307, FAULT, 15, SELF, ALWAYS, 0,
     "OverTemperature", "19", "A contact reached the stop temperature. Charging goes on by itself once it has cooled down.",
     "The drop across each mated contact at a known current, with this plug and with another. Look for burnt or loose pins.",
     "A worn contact in the inlet or in the plug, a plug that is not home, heat from outside."),
    (1308, FAULT, 16, UNPLUG, ALWAYS, 0,
     "TempLatched", "19", "Over-temperature stopped the same plug-in several times: only an unplug helps.",
     "As for OI-1307. Do not go on with this plug before it was looked at.",
     "As for OI-1307: the contact does not carry the current that is asked of it."),
    (1401, FAULT, 17, UNPLUG, ALWAYS, 0,
     "FailedLock", "1", "The connector lock did not reach locked.",
     "`lock_feedback_mv` and `lock_motor_ma` of the freeze frame. Try the lock in service mode without a plug, then with one. The supply at the motor while it runs.",
     "A plug that is not home, ice or dirt, a motor that is worn or without supply, a feedback out of its window."),
    (1402, FAULT, 18, SELF, ALWAYS, 0,
     "FailedUnlock", "1", "The connector lock did not reach unlocked.",
     "Pull or push at the plug to take load off the bolt and try again. Then as for OI-1401. The manual release must free it.",
     "A plug under tension, ice, a worn motor."),
    (1403, FAULT, 19, UNPLUG, ALWAYS, 0,
     "UnexpectedOpen", "", "The lock left locked without being driven.",
     "Was the manual release pulled? Else watch `lock_feedback_mv` while the bolt is moved by hand and the wires are shaken.",
     "The manual release, a bolt that slips, a loose feedback wire."),
    (1404, FAULT, 20, SELF, ALWAYS, 0,
     "UnexpectedClose", "", "The lock went to locked without being driven.",
     "The voltage across the motor at rest: 0 V. Whether the bolt moves by itself when the car shakes.",
     "A bolt without a detent, a bridge with a leaking transistor, a second controller at the motor."),
    (1405, FAULT, 21, SELF, ALWAYS, 0,
     "LockSense", "", "The lock's feedback could not be measured, or lies outside its windows.",
     "The feedback's resistance in both end positions: 1 kohm and 11 kohm on most inlets. The windows in the settings (`lock_locked_min_mv` and the others).",
     "A broken feedback wire, windows of another make, a bolt that stands half way."),
    (1406, FAULT, 22, SERVICE, ALWAYS, 0,
     "LockReversed", "", "The lock's motor turns the other way round than the settings say. The inlet has corrected it until it is restarted.",
     "Swap the two motor wires, or set `lock_inverted`.",
     "The motor was wired the other way round."),
    (1407, HOLD, 21, SELF, ALWAYS, 0,
     "ForcedUnlock", "", "A hand that insisted got the cable without proof that it is dead.",
     "Whether the car tells DC volts and contactors on CAN, fresh (docs/can.md). What `dc_ok` said.",
     "A car or a communication controller that has fallen silent."),
    (1501, FAULT, 24, UNPLUG, ALWAYS, 0,
     "ChargerOverCurrent", "4", "The charger draws more than it is permitted, for longer than allowed.",
     "`charger_ma` against `permitted_ma` in the freeze frame; a clamp meter on one phase against what the charger tells.",
     "A charger that does not follow its limit, a wrong scale on CAN, one message lost for long."),
    (1502, FAULT, 28, SELF, ALWAYS, 0,
     "AcLive", "17", "AC stays at the inlet although S2 is open. The cable stays locked.",
     "Do not touch the contacts. AC between the phases and PE at the inlet with S2 open; it must be gone 3 s after S2 opened. If there is none, the sense lies.",
     "A welded contactor in the station; else the inlet's AC sense is stuck."),
    (1503, HOLD, 8, SELF, PLUGGED, 10000,
     "ContactorFault", "16", "AC and DC are not proven apart: the car has not said that its DC contactors are open, or there are volts where there may be none.",
     "DC+ to DC- behind the contactors with the car at rest: below 60 V. What the car tells of them on CAN.",
     "A welded contactor, a car that does not tell its contactors, a stale message."),
    (1601, FAULT, 23, SELF, ALWAYS, 0,
     "VehicleSilent", "", "The vehicle fell silent while a session was under way.",
     "CAN-H to CAN-L with the bus off: 60 ohm. `inletctl can watch` for the vehicle's messages; `vehicle_age_ms` is how old its last word was.",
     "A vehicle controller that restarted or fell asleep, a loose connector, a bus with one terminator."),
    (1602, HOLD, 1, SELF, ALWAYS, 5000,
     "CanBus", "", "The CAN controller is missing, does not start, or is off the bus.",
     "CAN-H to CAN-L: 60 ohm. Each against ground at rest: about 2.5 V. The controller's supply and its oscillator.",
     "A wrong bit rate (`can_rate`), a short on the bus, nobody else on it, a controller that is not fitted."),
    (1603, HOLD, 20, SELF, ALWAYS, 0,
     "CanData", "", "Frames were refused: check sum, counter, length or range.",
     "`inletctl can watch` says which message and why. Compare the DBC file with what the vehicle sends.",
     "A vehicle of another version, two senders of one id, a bus with errors."),
    (1604, HOLD, 7, SELF, PLUGGED, 2000,
     "DiscreteLines", "", "The discrete lines to the car cannot be read.",
     "The supply of the input expander, its chip select, its clock.",
     "An expander that is not fitted, a broken SPI wire."),
    (1605, HOLD, 12, SELF, PLUGGED, 10000,
     "ModemMissing", "", "The station asks for digital communication, and no communication controller answers.",
     "The communication controller's supply, its CAN wires, `modem` in the settings.",
     "None is fitted, it sleeps, or it needs longer to start than the station waits."),
    (1606, HOLD, 16, SELF, ALWAYS, 60000,
     "ClockMissing", "", "There is no clock: charge windows are not kept, charging goes on at any time.",
     "Whether the car tells the time on CAN; else `inletctl clock set`.",
     "A board without a clock of its own that nobody has told the time since it started."),
    (1701, HOLD, 4, SELF, PLUGGED, 0,
     "HvilOpen", "", "The high-voltage interlock loop opened with a plug in.",
     "The loop's resistance end to end with the car's service disconnect in: a few ohm. Then connector by connector.",
     "A high-voltage connector that is not home, a cover that is off, a broken loop wire."),
    (1702, HOLD, 5, SELF, PLUGGED, 0,
     "InsulationFault", "22", "The car's insulation monitor reports a fault with a plug in.",
     "Insulation of DC+ and of DC- against the body, by somebody trained for it and against the car maker's figure.",
     "Water in a connector, a worn cable, a heater or a compressor with a leak."),
    (1703, HOLD, 6, SERVICE, ALWAYS, 0,
     "CrashReported", "", "The vehicle reports a crash.",
     "Nothing, before the high-voltage system was released by somebody trained for it.",
     "A crash; a line that hangs."),
    (1801, HOLD, 18, SELF, ALWAYS, 0,
     "HeaterFault", "", "The port heater does not heat, or the port stays hot with the heater off.",
     "The heater's resistance and its supply while it is on; its switch while it is off: 0 V.",
     "A broken heater or fuse, a switch that is stuck, a temperature sensor far from it."),
    (1802, HOLD, 19, SELF, ALWAYS, 0,
     "DoorFault", "", "The port door did not do as told.",
     "The door by hand: does it move freely? The supply at its motor while it is driven; the feedback's line in both positions.",
     "Ice or a bent hinge, a broken motor or feedback wire."),
    (1901, FAULT, 25, SERVICE, ALWAYS, 0,
     "Settings", "", "A setting was refused: unknown, of the wrong kind or out of bounds. Its default, or the stricter bound, is used.",
     "`inletctl settings get` tells which key and why.",
     "A key of another version, a number typed wrongly."),
    (1902, FAULT, 27, SERVICE, ALWAYS, 0,
     "SettingsRefused", "", "The settings are missing, unreadable or contradict each other. Charging is refused.",
     "`inletctl settings get`; then write them again.",
     "A board that was never set up, a damaged file, settings that exclude each other."),
    (1903, HOLD, 24, SELF, ALWAYS, 0,
     "SettingsContradict", "", "Settings of the car's side contradict each other or the board. Charging is refused.",
     "The board's note at its start tells which.",
     "A dialect or a line that this board has no part for."),
    (1904, FAULT, 26, SERVICE, ALWAYS, 0,
     "Internal", "", "An exception, an impossible state, a loop that is late for long, or a dead-man that let go: the inlet does not trust itself any more.",
     "The board's notes on its console, and the journal. Then the supply under load: no dips below the board's minimum.",
     "A supply that dips, a board that is defective, a mistake in the firmware."),
)
# fmt: on
C_NUMBER = const(0)
C_KIND = const(1)
C_BIT = const(2)
C_CLASS = const(3)
C_WHEN = const(4)
C_SETTLE_MS = const(5)
C_NAME = const(6)
C_MREC = const(7)
C_MEANS = const(8)
C_MEASURE = const(9)
C_CAUSES = const(10)


def code_of(number: int) -> str:
    """Return how a code is written for people: OI-1203."""
    return "OI-%d" % number
