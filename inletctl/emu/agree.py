"""Does the board do what the logic alone does? Compares the trace of an emulated run with the host's.

Both traces are cut into states: everything decided and switched, as one tuple. A state that lasts at least
SETTLED_MS (while the board still loads, LOADING_SETTLED_MS) in one trace must be found in the other, in the same order;
shorter ones are the passage from one to the next, and their order depends on the phase of the loop. Times and numbers may differ by the bounds below.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import Any

from inletctl.house import use_firmware

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402

SETTLED_MS = 100
# What may make the board earlier or later than the host, in ms. On the host a pass sees everything in the very
# microsecond it happens, and its commands take effect at once.
LATENESS_MS = (
    ("phase of the loop against the event: one period", 10),
    ("a pass takes up to a period from sample to pins", 10),
    ("temperatures: every channel within 250 ms on the board, 100 ms on the host", 150),
    ("the car's word: last good period of its line instead of a message every 100 ms", 100),
    ("three equal passes to debounce a button or the mains, none on the host", 30),
    ("the level of the pilot is the median of a burst of the pass before", 20),
)
# A stop has one cause, and the slowest of the above is the temperature's; the others come on top.
TIME_MS = 250
# After the start every input becomes valid in its own time, and so in any order: temperatures last, after 400 ms on the
# host. What is over by then need not be found again; what the pins do is compared all the same.
START_MS = 500
# Until then the board loads what it has no time for at its boot, a step of a tenth of a second each: what comes to pass
# meanwhile may be over in one order here and in another there.
LOADED_MS = 4000
LOADING_SETTLED_MS = 250
# Where charging waits for the car's side, by so much the board may be later than the host, which loads it at once.
CAR_MS = 1500
# After a reset: the host is dark for as long as the board was at its first boot, and no two boots are quite alike.
BOOT_MS = 100
# A board that is reset takes the reports with it that are still under way: a queue of four lines.
FLIGHT_MS = 600
# Numbers: 0.01 % (capture 0.03 %, and it is rounded), mA (0.6 A a percent), 0.1 degree C (12 bit, and the time above).
TOLERANCE = {"duty_pct_x100": 10, "offered_ma": 100, "permitted_ma": 100, "charger_ma": 100}
EXACT = (
    "s2_close", "lock_drive", "drive_allowed", "light", "session", "pilot_state", "reasons", "faults",
)  # fmt: skip
_AT = {name: n for n, name in enumerate(layout.COMMANDS)}


@dataclass(frozen=True)
class State:
    """One stretch of time in which nothing decided or switched changes."""

    key: tuple[int, ...]  # values of EXACT
    start_ms: int
    end_ms: int
    since_ms: int  # it began no earlier than this; start_ms unless reports were lost
    last: tuple[int, ...]  # every command at its end
    boots: int  # resets before it
    is_in_flight: bool = False  # a reset follows so soon that its report may never have come

    @property
    def lasts_ms(self) -> int:
        """How long it lasts."""
        return self.end_ms - self.start_ms


def rows_of_trace(
    lines: Sequence[str],
) -> tuple[list[tuple[int, int, tuple[int, ...]]], list[int]]:
    """Return the rows (t_ms, t_ms, commands) of a trace's text lines, and the times of the resets in it."""
    rows, marks = [], []
    for line in lines[1:]:
        words = line.split()
        if len(words) == 1 + len(layout.COMMANDS):
            values = tuple(int(word) for word in words)
            rows.append((values[0], values[0], values[1:]))
        else:
            marks.append(int(words[0]))
    return rows, marks


def states(
    rows: Iterable[tuple[int, int, tuple[int, ...]]], marks: Sequence[int], end_ms: int
) -> list[State]:
    """Return the states of a run that ends at `end_ms`; `rows` as from rows_of_trace, `marks` its resets."""
    found: list[State] = []
    for t_ms, since_ms, commands in rows:
        key = tuple(commands[_AT[name]] for name in EXACT)
        boots = sum(mark <= t_ms for mark in marks)
        if found and found[-1].key == key and found[-1].boots == boots:
            found[-1] = _with(found[-1], end_ms=t_ms, last=commands)
            continue
        if found:
            between = [mark for mark in marks if found[-1].start_ms < mark <= t_ms]
            found[-1] = _with(found[-1], end_ms=min([t_ms, *between]))
        found.append(State(key, t_ms, t_ms, since_ms, commands, boots))
    if found:
        found[-1] = _with(found[-1], end_ms=max(end_ms, found[-1].start_ms))
    return [
        _with(state, is_in_flight=any(0 <= mark - state.start_ms <= FLIGHT_MS for mark in marks))
        for state in found
    ]


def _with(state: State, **changes: Any) -> State:
    return State(**{**vars(state), **changes})


def disagreements(
    host: Sequence[State], board: Sequence[State], needs_car: bool = False
) -> list[str]:
    """Return what differs beyond the bounds, a sentence each; none where the two agree.

    `needs_car`: charging waits for the car's side.
    """
    told: list[str] = []
    h = b = 0
    while h < len(host) or b < len(board):
        if h < len(host) and b < len(board) and host[h].key == board[b].key:
            told += _compare(host[h], board[b], needs_car)
            h, b = h + 1, b + 1
            continue
        step = _skip(host, h, board, b)
        following = board[step[1]] if step[1] < len(board) else None
        for state in host[h : step[0]]:
            if _must(state) and not _may_be_lost(state, following):
                told.append(
                    "host only: %s from %d ms for %d ms"
                    % (words(state), state.start_ms, state.lasts_ms)
                )
        for state in board[b : step[1]]:
            if _must(state):
                told.append(
                    "board only: %s from %d ms for %d ms"
                    % (words(state), state.start_ms, state.lasts_ms)
                )
        h, b = step
    return told


def _must(state: State) -> bool:
    """Tell whether a state is long enough, and late enough, to have its like in the other trace."""
    is_start = state.boots == 0 and state.end_ms <= START_MS
    settled_ms = LOADING_SETTLED_MS if state.start_ms < LOADED_MS else SETTLED_MS
    return state.lasts_ms >= settled_ms and not state.is_in_flight and not is_start


def _may_be_lost(state: State, following: "State | None") -> bool:
    """Tell whether the board may have been in `state` while its reports were lost, just before `following`."""
    lost_ms = following.start_ms - following.since_ms if following is not None else 0
    return lost_ms > 0 and state.lasts_ms <= lost_ms + SETTLED_MS


def _skip(host: Sequence[State], h: int, board: Sequence[State], b: int) -> tuple[int, int]:
    """Return where the two go on alike, passing over as few settled states as can be, then as few as can be."""
    best: tuple[int, int, int, int] | None = None
    for i in range(h, min(len(host), h + 24)):
        for j in range(b, min(len(board), b + 24)):
            if host[i].key != board[j].key:
                continue
            cost = sum(map(_must, host[h:i])) + sum(map(_must, board[b:j]))
            rank = (cost, i - h + j - b, i, j)
            if best is None or rank < best:
                best = rank
    return (len(host), len(board)) if best is None else (best[2], best[3])


def _late_ms(host_ms: int, needs_car: bool) -> int:
    """Return by how much the board may be late besides, of what the host does at `host_ms`."""
    return CAR_MS if needs_car and host_ms < LOADED_MS else 0


def _waits_for_car(board: State, needs_car: bool) -> bool:
    """Tell whether the board may not know yet what the car permits, and S2 is open all the same."""
    return needs_car and board.start_ms < CAR_MS and not board.key[EXACT.index("s2_close")]


def _compare(host: State, board: State, needs_car: bool) -> list[str]:
    told = []
    bound_ms = TIME_MS + (BOOT_MS if host.boots else 0)
    if _must(host) or _must(board):
        early_ms = host.start_ms - board.start_ms
        late_ms = board.since_ms - host.start_ms
        if early_ms > bound_ms or late_ms > bound_ms + _late_ms(host.start_ms, needs_car):
            told.append(
                "%s begins at %d ms on the board, at %d ms on the host: more than %d ms apart"
                % (words(host), board.start_ms, host.start_ms, bound_ms)
            )
    if _must(host) and _must(board):
        for name, most in TOLERANCE.items():
            at = _AT[name]
            if name == "permitted_ma" and _waits_for_car(board, needs_car):
                continue
            if abs(host.last[at] - board.last[at]) > most:
                told.append(
                    "%s: %s is %d on the board, %d on the host: more than %d apart"
                    % (words(host), name, board.last[at], host.last[at], most)
                )
    return told


def pulses(
    changes: Iterable[tuple[int, int]], end_ms: int, settled_ms: int = SETTLED_MS
) -> list[tuple[int, int]]:
    """Return the settled values (t_ms, value) of one output that begins at 0; `changes` in order of time."""
    rows = [(0, 0), *changes, (end_ms, 0)]
    found = [(0, 0)]
    for (t_ms, value), (next_ms, _next) in pairwise(rows):
        if next_ms - t_ms >= settled_ms and value != found[-1][1]:
            found.append((t_ms, value))
    return found[1:]


def pin_disagreements(
    host: Sequence[State],
    pins: Iterable[tuple[int, str, int]],
    end_ms: int,
    needs_car: bool = False,
) -> list[str]:
    """Return where an output of the board itself differs from the host's command, a sentence each.

    `pins` holds (t_us, output, value) of every change at the pins; `needs_car`: charging waits for the car's side.
    """
    told = []
    changes = [(t_us // 1000, name, value) for t_us, name, value in pins]
    bound_ms = TIME_MS + (BOOT_MS if any(state.boots for state in host) else 0)
    for name in ("s2_close", "lock_drive", "drive_allowed"):
        at = EXACT.index(name)
        wanted = [(s.start_ms, s.key[at]) for s in host]
        got = [(t, v) for t, n, v in changes if n == name and t <= end_ms]
        # A pulse of about SETTLED_MS counts on one side and not on the other: looked at again with half of it.
        if not any(
            _agree(pulses(wanted, end_ms, ms), pulses(got, end_ms, ms), bound_ms, needs_car)
            for ms in (SETTLED_MS, SETTLED_MS // 2)
        ):
            told.append(
                "pin %s: %s on the board, %s on the host"
                % (name, _times(pulses(got, end_ms)), _times(pulses(wanted, end_ms)))
            )
    return told


def _agree(
    wanted: Sequence[tuple[int, int]],
    got: Sequence[tuple[int, int]],
    bound_ms: int,
    needs_car: bool,
) -> bool:
    return [value for _t, value in wanted] == [value for _t, value in got] and all(
        -bound_ms <= b - a <= bound_ms + _late_ms(a, needs_car)
        for (a, _), (b, _) in zip(wanted, got)
    )


def _times(changes: Sequence[tuple[int, int]]) -> str:
    return ", ".join("%d at %d ms" % (value, t_ms) for t_ms, value in changes) or "never moved"


def words(state: State) -> str:
    """Return a state in words: session, pilot state, what is switched, reasons and faults."""
    values: dict[str, int] = dict(zip(EXACT, state.key))
    faults = import_module("faults")
    parts = [
        "%s/%s" % (
            _name(import_module("interlock").SESSION_NAMES, values["session"]),
            _name(import_module("pilot.control").PILOT_STATE_NAMES, values["pilot_state"]),
        ),
        "S2 %s" % ("closed" if values["s2_close"] else "open"),
    ]  # fmt: skip
    if values["lock_drive"]:
        parts.append("lock drive %d" % values["lock_drive"])
    if values["drive_allowed"]:
        parts.append("may drive")
    parts.append("light %s" % _name(import_module("vehicle.looks").LIGHT_NAMES, values["light"]))
    for name, table in (("reasons", faults.SHUTDOWN), ("faults", faults.FAULTS)):
        if values[name]:
            parts.append("%s %s" % (name, "+".join(faults.names(table, values[name]))))
    return " ".join(parts)


def _name(names: Sequence[str], number: int) -> str:
    return names[number] if 0 <= number < len(names) else "?%d" % number
