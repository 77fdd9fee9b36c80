"""What each connector family is: its pilot table, its PP coding, who owns the latch, and which sections it has. Data only.

Rows in settings.INLETS order; docs/connectors.md is printed from them. FACTS = the project's facts, with their sections.
"""

from micropython import const

# Duty tables of pilot.duty and codings of pilot.proximity, as plain values: this file is read by rooms that know neither.
_IEC = const(0)
_J1772 = const(1)
_GBT = const(2)
_PP_TYPE1 = const(0)
_PP_TYPE2 = const(1)
_PP_GBT = const(2)
_PP_NACS = const(3)
_PP_CHADEMO = const(4)

# Who holds the plug.
LATCH_PLUG = const(0)  # a latch in the plug with a button (S3); the inlet's bolt only blocks it
LATCH_INLET = const(1)  # the inlet's bolt alone
LATCH_VEHICLE = const(2)  # the car's latch engages the plug; the handle's button only asks for it
LATCH_STATION = const(3)  # a latch in the plug that the station locks
LATCH_NAMES = (
    "plug, blocked by the inlet's lock",
    "inlet's lock",
    "vehicle's latch",
    "plug, locked by the station",
)

# (name, duty table, PP rows, latch, AC, DC, AC and DC share their pins, has a control pilot, what is special, source)
# fmt: off
CONNECTORS = (
    ("Type 1 (J1772)",     _J1772, _PP_TYPE1,   LATCH_PLUG,    True,  False, False, True,  "PP names no cable rating; its button stops charging", "FACTS 3.1"),
    ("Type 2",             _IEC,   _PP_TYPE2,   LATCH_INLET,   True,  False, False, True,  "PP names the cable's rating", "FACTS 3.2"),
    ("GB/T AC",            _GBT,   _PP_GBT,     LATCH_PLUG,    True,  False, False, True,  "CC names the cable's rating, only within 5 %; no state D", "FACTS 3.3"),
    ("NACS (J3400)",       _J1772, _PP_NACS,    LATCH_VEHICLE, True,  True,  True,  True,  "AC and DC on the same pins: AC only with the DC contactors proven open where DC is fitted", "FACTS 3.4"),
    ("CCS1 (Combo 1)",     _J1772, _PP_TYPE1,   LATCH_PLUG,    True,  True,  False, True,  "as Type 1; DC only locked and confirmed", "FACTS 3.1, 5"),
    ("CCS2 (Combo 2)",     _IEC,   _PP_TYPE2,   LATCH_INLET,   True,  True,  False, True,  "as Type 2; a DC plug is coded 1500 ohm", "FACTS 3.2, 5"),
    ("CHAdeMO",            _J1772, _PP_CHADEMO, LATCH_STATION, False, True,  False, False, "CS says that it is plugged; there is no control pilot, and its sequence is not built in", "FACTS 3.5, 4"),
)
# fmt: on
C_NAME = const(0)
C_DUTY = const(1)
C_PP = const(2)
C_LATCH = const(3)
C_AC = const(4)
C_DC = const(5)
C_SHARED = const(6)
C_PILOT = const(7)
C_WHAT = const(8)
C_SOURCE = const(9)
