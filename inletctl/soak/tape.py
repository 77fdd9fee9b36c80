"""A few sessions on tape: what the board reads in each pass, and what it must command.

Made with the simulated inlet on CPython; the second round is kept, in which nothing of the boot is left. Contacts make no heat
and the time of a round is a whole number of every cycle, so that one round is like the next, pass by pass.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from inletctl.house import use_firmware
from inletctl.scenario.model import Action, Scenario
from inletctl.session import PASS_US, START_BEFORE_WRAP_MS, Session
from inletctl.targets.tape import record as record_whole

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402
import interlock  # noqa: E402
from settings import INLETS  # noqa: E402

# One session: plugged in 0.3 s after its begin, asked for 4.6 s after it, out at 5.5 s or as soon as the lock lets
# go: what a stop leaves behind is over before the next one.
SESSION_S = 8
_PLUG_S, _WISH_S, _PULL_S = 0.3, 4.6, 5.5

# What happens in each session of a round, by seconds from its begin; each kind of stop, and some that are none.
ROUND: tuple[tuple[str, tuple[tuple[float, str, dict[str, Any]], ...]], ...] = (
    ("undisturbed", ()),
    ("a person stops it", ((4.0, "stop", {"hold": 300}),)),
    ("state F", ((3.5, "evse_error", {"state": "f", "hold": 200}),)),
    ("the station pauses", ((3.5, "evse_pause", {}), (4.0, "evse_resume", {}))),
    ("PP breaks", ((3.5, "pp_wire", {"state": "break", "hold": 300}),)),
    ("the vehicle falls silent", ((3.5, "vehicle_silent", {"hold": 700}),)),
    ("the bolt slips", ((3.5, "lock_slip", {"to": 40}),)),
    ("a smaller offer", ((3.5, "evse_offer", {"a": 8}), (4.5, "evse_offer", {"a": 16}))),
)
SETTINGS = {"inlet": INLETS.index("type2")}
_WORLD = {
    "inlet": "type2", "contact_milliohm": 0, "evse_pwm_start_ms": 300, "evse_close_ms": 200, "charger_start_ms": 200,
    "charger_up_a_s": 50, "evse_max_a": 16, "evse_x1_hold_ms": 100, "lock_travel_ms": 250, "ambient_c": 20,
}  # fmt: skip
# A contact that never moves while current flows is a stuck sensor, sooner or later: all of them are warmer in one half of a
# round. (session of the round, degrees C)
_WARMTH = ((0, 23.0), (4, 20.0))


@dataclass(frozen=True)
class Tape:
    """`passes` times RX_INTS ints read, and as many times TX_INTS ints commanded; `charged`: sessions that were charged."""

    passes: int
    readings: bytes
    commands: bytes
    sessions: int
    charged: int


def scenario(sessions: int, lead_s: float = 0) -> Scenario:
    """Return so many sessions, round after round; before the first of them nothing happens for `lead_s`."""
    actions = []
    for n in range(sessions):
        at_s = lead_s + n * SESSION_S
        happenings = [
            (_PLUG_S, "plug", {}), *ROUND[n % len(ROUND)][1], (_WISH_S, "unlock", {"hold": 500}),
            (_PULL_S, "unplug", {"patience": 1500}),
        ]  # fmt: skip
        for session, celsius in _WARMTH:
            if n % len(ROUND) == session:
                happenings.append((0.1, "heat", {"contact": "all", "c": celsius}))
        for after_s, verb, values in happenings:
            actions.append(
                Action(round((at_s + after_s) * 1e6), verb, tuple(values.items()), verb)
            )
    end_us = round((lead_s + sessions * SESSION_S) * 1e6) - PASS_US
    actions.sort(key=lambda action: action.t_us)
    return Scenario("soak", "soak", (), "type2", 1, SETTINGS, dict(_WORLD), tuple(actions), end_us)


@cache
def record() -> Tape:
    """Return the tape. Raises RuntimeError where a round ends with the plug in."""
    seen: list[int] = []

    def watch(_t_us: int, _r: Any, c: Any, _world: Any) -> None:
        seen.append(c.session)

    session = Session(scenario(2 * len(ROUND)), START_BEFORE_WRAP_MS, watch=watch)
    whole = record_whole(session)
    passes = len(ROUND) * SESSION_S * 1_000_000 // PASS_US
    readings = whole.readings[passes * layout.RX_INTS : 2 * passes * layout.RX_INTS]
    # Commands are the answer to the frame before.
    commands = whole.commands[(passes + 1) * layout.TX_INTS : (2 * passes + 1) * layout.TX_INTS]
    seen = seen[passes : 2 * passes]
    if len(seen) != passes or seen[-1] != interlock.UNPLUGGED or session.run.breaches:
        raise RuntimeError("the tape of the soak is not whole: %s" % session.run.breaches[:1])
    a_session = passes // len(ROUND)
    charged = sum(
        interlock.CHARGING in seen[n * a_session : (n + 1) * a_session] for n in range(len(ROUND))
    )
    return Tape(passes, readings.tobytes(), commands.tobytes(), len(ROUND), charged)
