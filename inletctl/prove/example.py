"""A counter-example as a scenario file: every reading, when it changes, as the search has seen it.

Run with `inletctl sim FILE` on the firmware that was searched, it breaks the same rule again.
"""

from pathlib import Path
from typing import Any

from inletctl.errors import UserError
from inletctl.prove import truth as t
from inletctl.prove.firmware import Firmware
from inletctl.prove.rig import Rig, Script
from inletctl.prove.search import Found
from inletctl.scenario.arguments import spell
from inletctl.scenario.forced import NAMES
from inletctl.scenario.language import READING, load_language
from inletctl.scenario.model import Action, Scenario
from inletctl.scenario.write import format_scenario

# Seen for so long after the rule was broken.
_AFTER_MS = 500
# What the rig writes.
_WRITTEN = (
    "pilot_count", "pilot_quiet_ms", "cp_ok", "cp_high_mv", "cp_low_mv", "pilot_high_us_x10", "pilot_period_us_x10",
    "pp_ok", "pp_mv", "pp_rail_mv", "temp_ok", "temp_mv", "temp_age_ms", "lock_feedback_ok", "lock_feedback_mv",
    "lock_motor_ma", "vehicle_age_ms", "vehicle_permits", "vehicle_limit_ma", "charger_ok", "charger_ma", "ac_ok",
    "ac_present", "stop_request", "unlock_request", "holds", "person_limit_ma", "port_ma", "output_lost",
)  # fmt: skip


def _value(r: Any, name: str) -> int:
    """Return a reading; of an array its first element, since the rig writes the same into each."""
    attribute, index = NAMES[name]
    value = getattr(r, attribute)
    return int(value if index is None else value[0])


def write_example(found: Found, firmware: Firmware, path: Path) -> None:
    """Write the scenario file of what was found in `firmware`. UserError where the car's side would overwrite its readings."""
    if found.wanted.get("modem"):
        raise UserError(
            "%s needs a communication controller, whose words no scenario can force: no file is written"
            % found.config
        )
    rig = Rig(firmware, dict(found.wanted))
    actions: list[Action] = []
    last: dict[str, int] = {}
    t_us = -t.PASS_MS * 1000
    verb = load_language().verbs[READING]

    def one_pass() -> bool:
        nonlocal t_us
        t_us += t.PASS_MS * 1000
        broken = rig.one_pass()
        for name in _WRITTEN:
            value = _value(rig.r, name)
            if last.get(name) != value:
                last[name] = value
                values = (("name", name), ("value", value))
                actions.append(Action(t_us, READING, values, spell(verb, values)))
        return broken is not None

    def run() -> None:
        for item in found.script:
            if isinstance(item, tuple):
                rig.put(*item)
                continue
            for _ in range(item):
                if one_pass():
                    return

    run()
    language = load_language()
    inlet = language.inlets[found.wanted.get("inlet", 1)]
    scenario = Scenario(
        str(path),
        "Counter-example: %s" % found.broken.rule.id,
        (
            found.broken.rule.text + ":",
            "%s at %.2f s." % (found.broken.seen, t_us / 1e6),
            "What happens: %s, then %s." % (found.root, words(found.moves) or "nothing"),
        ),
        inlet,
        1,
        dict(found.wanted),
        {"inlet": inlet},
        tuple(actions),
        t_us + _AFTER_MS * 1000,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(format_scenario(scenario, language), encoding="utf-8", newline="\n")


def words(moves: Script) -> str:
    """Return moves in words: `pp=out, 70 ms, person=stop`."""
    return ", ".join(
        "%s=%s" % move if isinstance(move, tuple) else "%d ms" % (move * t.PASS_MS)
        for move in moves
    )
