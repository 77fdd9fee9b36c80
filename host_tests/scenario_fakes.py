"""A small vocabulary, world and clock for the tests of the scenario language: nothing of firmware or plant."""

from types import SimpleNamespace

from inletctl.scenario.field import Field
from inletctl.scenario.keys import View, firmware_keys, plant_keys
from inletctl.scenario.language import Language, Verb, runner_verbs
from inletctl.scenario.model import PASS_US
from inletctl.scenario.parse import parse_scenario
from inletctl.scenario.run import ScenarioRun

NAMES = {
    "session": ("unplugged", "waiting", "charging", "stopping", "resting", "released"),
    "limiter": ("none", "pilot", "cable", "temperature"),
    "state": ("A", "B1", "B2", "C1", "C2", "E", "F", "?"),
    "lock": ("unknown", "unlocked", "locking", "locked"),
    "light": ("off", "waiting", "charging"),
    "reasons": ("no_plug", "pilot_e", "pp_button", "not_locked"),
    "faults": ("PilotFault", "TempOpen", "TempShort"),
}
VERBS = {
    "plug": Verb("plug", {"cable_a": Field("cable_a", "A", 10, 70, None)}, "push the plug in"),
    "unplug": Verb("unplug", {}, "pull it"),
    "wear": Verb(
        "wear",
        {
            "contact": Field("contact", choices=("ac_l", "ac_n")),
            "milliohm": Field("milliohm", "milliohm", 0, 100, help="transition resistance"),
            "hold": Field("hold", "ms", 0, 3_600_000, 0),
        },
        "a contact wears",
    ),
    "noise": Verb(
        "noise", {"samples": Field("samples", "", 1, 1000, 6, whole=True)}, "bad samples"
    ),
}
LANGUAGE = Language(
    verbs=VERBS | runner_verbs(),
    world={
        "inlet": Field("inlet", choices=("type1", "type2"), default="type2"),
        "ambient_c": Field("ambient_c", "C", -40, 85, 20),
        "evse_digital": Field("evse_digital", choices=("yes", "no"), default="no"),
        "contact_milliohm": Field("contact_milliohm", "milliohm", 0, 100, 0.5),
    },
    settings={
        "inlet": Field("inlet", "choice", 0, 1, 1, ("type1", "type2"), whole=True, indexed=True),
        "max_current_ma": Field(
            "max_current_ma", "mA", 6000, 80000, 32000, whole=True, indexed=True
        ),
        "derate_start_decic": Field(
            "derate_start_decic", "0.1C", 300, 800, 600, whole=True, indexed=True
        ),
        "derate_end_decic": Field(
            "derate_end_decic", "0.1C", 350, 890, 850, whole=True, indexed=True
        ),
        "stop_decic": Field("stop_decic", "0.1C", 400, 900, 900, whole=True, indexed=True),
        "lock_kind": Field(
            "lock_kind", "choice", 0, 1, 0, ("motor", "solenoid"), whole=True, indexed=True
        ),
        "ac_sense": Field("ac_sense", "flag", 0, 1, 1, whole=True, indexed=True),
    },
    inlets=("type1", "type2"),
    keys={key.name: key for key in firmware_keys(NAMES) + plant_keys()},
    ordered=(
        ("derate_start_decic", "derate_end_decic", 50),
        ("derate_end_decic", "stop_decic", 0),
    ),
)
HEAD = "title A test\ninlet type2\n"


def parse(text):
    """Return the scenario written below a valid head."""
    return parse_scenario(HEAD + text, "x.txt", LANGUAGE)


class World:
    """Remembers what was done to it, and when."""

    def __init__(self):
        self.t_us = 0
        self.done = []
        self.answer = None
        self.evse_state = "A"
        self.contactor_closed = False
        self.plugged = False
        self.charger_ma = 0
        self.evse_duty_pct_x100 = 0
        self.cp_mv = 0
        self.contact_decic = [200, 210, 200, 200]
        self.lock_travel_pct = 0.0
        self.lock = SimpleNamespace(holds=False)
        self.refused_unplugs = 0

    def advance(self, t_us):
        self.t_us = t_us

    def do(self, verb, **values):
        self.done.append((self.t_us, verb, values))
        return self.answer


def make_view():
    """Return a view of a resting inlet."""
    commands = SimpleNamespace(
        session=0,
        pilot_state=0,
        s2_close=False,
        lock_state=0,
        light=0,
        limiter=0,
        drive_allowed=False,
        offered_ma=0,
        permitted_ma=0,
        charger_ma=0,
        duty_pct_x100=0,
        hottest_decic=0,
        hottest_ok=False,
        reasons=0,
        faults=0,
    )
    return View(None, commands, World())


def run_passes(text, at_pass, path_event=None, step_us=PASS_US):
    """Run a scenario to its end; at_pass(t_us, view) sets what the view shows in each pass."""
    run = ScenarioRun(parse(text), path_event)
    view = make_view()
    t_us = 0
    while not run.is_over:
        run.run_due(view.world, t_us)
        view.world.advance(t_us)
        at_pass(t_us, view)
        run.check(t_us, view)
        t_us += step_us
    return run
