"""Cars, stations and people that do anything at any time: what must never be seen is never seen.

Each seed makes a scenario of random verbs; it is printed with what was seen, and repeats by its seed alone.
"""

from random import Random

import pytest

from inletctl.plant.can_faults import CAN_FAULTS, CAN_FLOODS, CAN_MESSAGES
from inletctl.plant.lines import INPUTS
from inletctl.scenario.parse import parse_scenario
from inletctl.session import START_BEFORE_WRAP_MS, Session
from inletctl.targets import cpython, micropython
from inletctl.targets.tape import record

pytestmark = pytest.mark.no_cover

# Codes of violations that no random car excuses. A contactor that opens under load is the price of an emergency stop.
NEVER = ("drive_plugged", "s2_interlock", "lock_dc", "lock lock_live", "lock lock_overrun")
SEEDS = 8  # `make campaign` has thousands of them
LENGTH_S = 90

INLETS = {
    "type2": "plug 32A",
    "type1": "plug",
    "nacs": "plug",
    "ccs1": "plug",
    "ccs2": "plug 13A",
}


def verbs(dice, inlet):
    """Return one thing that happens."""
    hold = "hold=%dms" % dice.choice((50, 300, 1000, 3000, 8000))
    return dice.choice(
        (
            INLETS[inlet],
            "unplug",
            "unplug patience=5s",
            "unlock " + hold,
            "unlock_presses %d" % dice.randint(1, 4),
            "stop " + hold,
            "vehicle_unlock " + hold,
            "vehicle_stop " + hold,
            "vehicle_silent " + hold,
            "vehicle_refuse",
            "vehicle_permit",
            "vehicle_limit %dA" % dice.randint(0, 40),
            "gear %s" % dice.choice(("park", "park", "drive", "reverse")),
            "hvil open " + hold,
            "insulation fault " + hold,
            "line %s break %s" % (dice.choice(INPUTS), hold),
            "line_chip dead " + hold,
            "can_fault %s message=%s count=%d %s"
            % (
                dice.choice(CAN_FAULTS),
                dice.choice(("all", *CAN_MESSAGES)),
                dice.randint(0, 9),
                hold,
            ),
            "can_flood %s %d %s" % (dice.choice(CAN_FLOODS), dice.randint(10, 3000), hold),
            "can_bus %s %s" % (dice.choice(("break", "short")), hold),
            "can_load %d%% priority=%s %s"
            % (dice.randint(0, 100), dice.choice(("low", "high")), hold),
            "can_controller missing " + hold,
            "modem_start",
            "modem_start",
            "modem_stop",
            "modem_silent " + hold,
            "modem_toggle %d" % dice.randint(1, 3),
            "dc_report %s" % dice.choice(("ok", "ok", "closed")),
            "evse_digital",
            "evse_offer %dA" % dice.randint(6, 32),
            "evse_pause",
            "evse_resume",
            "evse_error f " + hold,
            "power_cut " + hold,
            "cp_wire break " + hold,
            "pp_wire %s %s" % (dice.choice(("break", "short")), hold),
            "manual_release",
            "lock_slip",
            "heat ac_l %dC" % dice.randint(20, 100),
            "reset %dms" % dice.choice((50, 400)),
        )
    )


def scenario_of(seed):
    """Return the text of a random scenario."""
    dice = Random("car %d" % seed)
    inlet = dice.choice(list(INLETS))
    can = dice.choice(("native", "native", "native", "cpc", "i3lim", "none"))
    has_dc = inlet in ("nacs", "ccs1", "ccs2") and can == "native"
    lines = dice.choice(("none", "hvil,insulation,crash,parked", "permit,hvil"))
    sets = ["can=" + can, "lines_used=" + lines, "unlock_presses=%d" % dice.choice((1, 2, 3))]
    # A crash is told by wire alone, and an open loop, too: without the wire nobody can obey it.
    if has_dc:
        sets += ["modem=yes", "dc_max_a=200"]
    text = ["title random %d" % seed, "inlet " + inlet, "seed %d" % seed, "set " + " ".join(sets)]
    if has_dc and dice.random() < 0.6:
        text.append("world evse_digital=yes")
    t_ms = 1000
    text.append("at 1s %s" % INLETS[inlet])
    while t_ms < LENGTH_S * 1000 - 7000:
        t_ms += dice.choice((10, 70, 500, 2000, 6000))
        verb = verbs(dice, inlet)
        if (verb.startswith("hvil") and "hvil" not in lines) or (
            verb.startswith("line hvil") and "hvil" not in lines
        ):
            continue
        text.append("at %dms %s" % (t_ms, verb))
    text.append("end %ds" % LENGTH_S)
    return "\n".join(text) + "\n"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nothing_a_car_does_makes_the_inlet_do_what_must_never_be(seed):
    text = scenario_of(seed)
    session = Session(parse_scenario(text, "random-%d" % seed))
    cpython.run(session)
    seen = [one for one in session.world.violations if one.startswith(NEVER)]
    print(text)
    assert seen == []
    assert session.run.passed


@pytest.mark.parametrize("seed", range(2))
def test_32_bit_micropython_commands_the_same_in_each_pass(seed):
    tape = record(Session(parse_scenario(scenario_of(seed), "random-%d" % seed)))
    with micropython.Node() as node:
        node.play(tape, START_BEFORE_WRAP_MS)
