"""What pilot and proximity begin with."""

from first_values import begins_with

from faults import NO_PLUG, PILOT_DUTY, PILOT_LOST
from pilot.capture import QUIET, PilotCapture
from pilot.control import STATE_UNKNOWN, ControlPilot
from pilot.duty import IEC, DutyBand
from pilot.level import LEVEL_NONE
from pilot.proximity import SENSE, TYPE1, Proximity


def test_a_new_pilot_begins_with_nothing():
    """The same at each boot: what is not named here is 0 or False, also what nobody is told."""
    assert begins_with(PilotCapture()) == {"kind": QUIET}
    assert begins_with(DutyBand(IEC)) == {"index": -1}
    assert begins_with(ControlPilot(IEC)) == {
        "state": STATE_UNKNOWN, "level": LEVEL_NONE, "_new_level": LEVEL_NONE, "reasons": PILOT_LOST, "_refusal": PILOT_DUTY,
    }  # fmt: skip
    assert begins_with(Proximity(TYPE1, 330, 2700, 500)) == {
        "_pullup_ohm": 330, "_pulldown_ohm": 2700, "_debounce_ms": 500, "kind": SENSE, "reasons": NO_PLUG, "_index": -1,
        "_same_mv": -1,
    }  # fmt: skip
