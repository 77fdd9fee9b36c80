"""Judges a soak on the emulated chip: what each session must be, and what must not grow over them."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

from inletctl.emu.heap import BLOCK_BYTES
from inletctl.soak.run import LEAK_MAX_BYTES, PIECE_MIN_BYTES

# The first of them load what is loaded once, and lists reach their size: a round of eight.
WARM_SESSIONS = 8
# From so many sessions behind them on a trend is judged: each of the round is there three times, so that one odd value is outvoted.
TREND_SESSIONS = 24
# What a session may lose by the trend, in bytes. A run of minutes is too short for what may be lost in 10,000 sessions to show, so the rate is
# judged as well: the smallest that can be lost is one block, and one in every round of eight, 20 KB in 10,000 sessions, is a leak.
LEAK_A_SESSION = BLOCK_BYTES / WARM_SESSIONS


@dataclass(frozen=True)
class Session:
    """What a session of a round must be, as the same firmware plays it on the host: see Row."""

    words: str
    verdict: int
    moves: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One session. `kind`: its place in the round.

    Bytes: `used` and `piece`, the largest free one, right after a garbage collection; `used_end` and `piece_end` at the session's end.
    `late`, `resets`, `lines_lost`: so many in it; `words`: what the board told a person meanwhile. `plug_ins`, `failures`: as the
    journal counts them, and `verdict`: the code of the rule that it judged this session by, 0 for none; None where it did not
    answer. `moves`: what S2 and the lock did, at the pins, in order. `late_at_s`: when it was heard of passes that came late, each
    time that there were more, in s from the session's begin: up to a second after the pass.
    """

    number: int
    kind: int
    is_charged: bool
    peak_ma: int
    used: int
    piece: int
    used_end: int
    piece_end: int
    late: int
    resets: int
    words: tuple[str, ...]
    lines_lost: int
    plug_ins: "int | None"
    failures: "int | None"
    verdict: "int | None"
    moves: tuple[str, ...]
    late_at_s: tuple[float, ...]
    wall_s: float


@dataclass
class EmuRun:
    """What a soak on the emulated chip has seen. `death`: why it ended before its time, empty where it did not."""

    image: str
    wanted: int
    rows: list[Row] = field(default_factory=list)
    heap_bytes: int = 0
    boot_words: list[str] = field(default_factory=list)  # told before the first session
    boot_late: int = 0
    simulated_s: float = 0.0
    wall_s: float = 0.0
    death: str = ""
    is_stopped: bool = False


def trend(values: Sequence[int], period: int = WARM_SESSIONS) -> float:
    """Return what `values` gain each by the median over every two that are whole periods apart; 0 where there are none such."""
    found = [
        (values[late] - values[early]) / (late - early)
        for early in range(len(values))
        for late in range(early + period, len(values), period)
    ]
    return float(median(found)) if found else 0.0


def _nothing(_row: Row) -> str:
    return ""


def _when_late(row: Row) -> str:
    """Return how many were late, and when that was heard of."""
    told = ", ".join(["%g" % at_s for at_s in row.late_at_s])
    return ": %d%s" % (row.late, ", heard of %s s into it" % told if told else "")


# Of each session: (whether it is wrong, in words, what more is told of the first)
_CHECKS: tuple[tuple[Callable[[Row], object], str, Callable[[Row], str]], ...] = (
    (lambda row: row.resets, "the board was reset", _nothing),
    (lambda row: row.late, "passes came late", _when_late),
    (lambda row: not row.is_charged, "it was not charged", _nothing),
    (
        lambda row: row.words,
        "the board told a person something",
        lambda row: ": %s" % row.words[-1],
    ),
    (lambda row: row.failures, "the journal could not write a record", _nothing),
    (lambda row: row.plug_ins is None, "the journal did not answer", _nothing),
)


def shortfalls(run: EmuRun, wanted: Sequence[Session]) -> list[str]:
    """Return what does not hold, a sentence each. `wanted`: the sessions of a round."""
    rows = run.rows
    wrong = []
    if run.death:
        wrong.append("the board does not run on after %d sessions: %s" % (len(rows), run.death))
    if not rows:
        return wrong or ["no session came to its end: run it for longer"]
    for is_so, words, detail in _CHECKS:
        odd = [row for row in rows if is_so(row)]
        if odd:
            wrong.append(
                "%s, first in %s%s; so in %d of %d"
                % (words, _named(odd[0], wanted), detail(odd[0]), len(odd), len(rows))
            )
    wrong += _miscounted(rows, wanted)
    wrong += _other_than_host(rows, wanted)
    piece = min(row.piece for row in rows)
    if piece < PIECE_MIN_BYTES:
        wrong.append(
            "the largest free piece fell to %d bytes: %d are needed" % (piece, PIECE_MIN_BYTES)
        )
    if is_long(run):
        wrong += _trends(rows[WARM_SESSIONS:])
    return wrong


def is_long(run: EmuRun) -> bool:
    """Tell whether there is enough for a trend."""
    return len(run.rows) >= WARM_SESSIONS + TREND_SESSIONS


def _named(row: Row, wanted: Sequence[Session]) -> str:
    """Return which session it is."""
    return "session %d (%s)" % (row.number + 1, wanted[row.kind].words)


def _miscounted(rows: Sequence[Row], wanted: Sequence[Session]) -> list[str]:
    """Return where the journal's count of plug-ins is not that of the sessions; one whose journal is silent is passed over."""
    told = [(row, row.plug_ins) for row in rows if row.plug_ins is not None]
    for (before, count_before), (row, count) in pairwise(told):
        if count - count_before != row.number - before.number:
            return [
                "the journal counts %d plug-ins where there were %d, first in %s"
                % (count - count_before, row.number - before.number, _named(row, wanted))
            ]
    return []


def _other_than_host(rows: Sequence[Row], wanted: Sequence[Session]) -> list[str]:
    wrong = []
    for row in rows:
        session = wanted[row.kind]
        if row.moves != session.moves:
            wrong.append(
                "S2 and lock do otherwise than on the host in %s: %s; there: %s"
                % (_named(row, wanted), ", ".join(row.moves), ", ".join(session.moves))
            )
            break
    for row in rows:
        if row.verdict is not None and row.verdict != wanted[row.kind].verdict:
            wrong.append(
                "the verdict is another than on the host in %s: rule %d, there %d"
                % (_named(row, wanted), row.verdict, wanted[row.kind].verdict)
            )
            break
    return wrong


def _trends(kept: Sequence[Row]) -> list[str]:
    """Return what grows or shrinks over `kept`."""
    wrong = []
    gain = trend([row.used for row in kept])
    if gain >= LEAK_A_SESSION or gain * len(kept) > LEAK_MAX_BYTES:
        wrong.append(
            "memory leaks: %.1f bytes a session by the trend, %d over %d sessions; less than %g a session and at most %d in all may be"
            % (gain, round(gain * len(kept)), len(kept), LEAK_A_SESSION, LEAK_MAX_BYTES)
        )
    loss = -trend([row.piece for row in kept])
    if loss >= LEAK_A_SESSION or loss * len(kept) > LEAK_MAX_BYTES:
        wrong.append(
            "the largest free piece shrinks: %.1f bytes a session by the trend, %d over %d sessions; less than %g a session and at most %d in all may be"
            % (loss, round(loss * len(kept)), len(kept), LEAK_A_SESSION, LEAK_MAX_BYTES)
        )
    return wrong


def figures(run: EmuRun, wanted: Sequence[Session], firmware: str) -> dict[str, Any]:
    """Return the figures, JSON-ready."""
    kept = run.rows[WARM_SESSIONS:]
    is_judged = is_long(run)
    return {
        "target": "emu", "firmware": firmware, "image": run.image, "sessions": len(run.rows), "wanted": run.wanted,
        "charged": sum(row.is_charged for row in run.rows), "simulated_s": run.simulated_s, "wall_s": run.wall_s,
        "is_stopped": run.is_stopped, "heap_bytes": run.heap_bytes, "late": sum(row.late for row in run.rows), "boot_late": run.boot_late,
        "resets": sum(row.resets for row in run.rows), "boot_words": run.boot_words, "is_trend_judged": is_judged,
        "gain_a_session": round(trend([row.used for row in kept]), 2) if is_judged else None,
        "piece_gain_a_session": round(trend([row.piece for row in kept]), 2) if is_judged else None,
        "rows": [asdict(row) for row in run.rows], "shortfalls": shortfalls(run, wanted),
    }  # fmt: skip


def summary(found: dict[str, Any]) -> str:
    """Return the figures in a few lines."""
    rows = found["rows"]
    lines = [
        "sessions: %d of %d, charged %d; %.1f s simulated in %d s; %d passes late, %d resets"
        % (
            found["sessions"], found["wanted"], found["charged"], found["simulated_s"], found["wall_s"], found["late"],
            found["resets"],
        )
    ]  # fmt: skip
    if rows:
        lines.append(
            "heap of %d bytes: after a collection in the first session %d used, in the last %d; the largest free piece %d, then %d, at least %d"
            % (
                found["heap_bytes"], rows[0]["used"], rows[-1]["used"], rows[0]["piece"], rows[-1]["piece"],
                min(row["piece"] for row in rows),
            )
        )  # fmt: skip
    if found["is_trend_judged"]:
        lines.append(
            "by the trend a session adds %.2f bytes to what is used, and %.2f to the largest free piece"
            % (found["gain_a_session"], found["piece_gain_a_session"])
        )
    else:
        lines.append(
            "too short for a trend: %d sessions are needed, %d warm up and %d compare"
            % (WARM_SESSIONS + TREND_SESSIONS, WARM_SESSIONS, TREND_SESSIONS)
        )
    if found["is_stopped"]:
        lines.append("stopped by hand before its end")
    return "\n".join(lines)
