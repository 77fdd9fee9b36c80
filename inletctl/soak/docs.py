"""docs/soak.md: what is run for hours, what is judged by which limit, and what was measured."""

import json
from collections.abc import Callable
from typing import Any

from inletctl.house import ROOT
from inletctl.markdown import table
from inletctl.soak import emu_judge, run
from inletctl.soak.tape import ROUND, SESSION_S

FIGURES = ROOT / "docs" / "figures"
_HEAD = "<!-- Printed by `inletctl docs` from inletctl/soak and docs/figures. Do not edit: change the data and print again. -->\n"


def soak_page() -> str:
    """Return docs/soak.md."""
    limits = [
        ("leak", "memory used, garbage collected, after each round: what the trend adds over all of them, and the most that two in a row hold", "%d bytes" % run.LEAK_MAX_BYTES,
         "a board keeps 10 KB for what it does at rest; a tenth of that in the 10,000 sessions of 15 years is what nobody notices"),
        ("trend", "bytes that a round allocates at rest: the mean of the last fifth of the rounds over that of the first", "%g" % run.ALLOCATED_GROWTH,
         "a pass may allocate nothing at all (the heap is locked); at rest the journal writes now more, now less in a round; judged from 50 rounds on"),
        ("trend", "the largest free piece", "at least %d bytes" % run.PIECE_MIN_BYTES, "what is loaded at rest needs one piece"),
        ("drift", "passes whose commands are not those of the tape", "0", "every time, limit and state of every session is in them, to the pass"),
        ("drift", "lines of report that a round makes", "the same each time", "a counter that misses or doubles shows"),
        ("drift", "plug-ins that the journal counts, and records that it could not write", "one a session, none", "the same"),
    ]  # fmt: skip
    path = FIGURES / "soak.json"
    measured = (
        _figures(json.loads(path.read_text(encoding="utf-8")))
        if path.exists()
        else "\nNo figures are stored.\n"
    )
    return (
        "# The soak\n"
        + _HEAD
        + """
Sessions back to back on one 32-bit MicroPython that is never restarted: `make soak` (10,000 of them), `inletctl soak --sessions 400`.

A round is %d sessions of %d s each; it is played by the simulated inlet on CPython once, what the board reads and what it commands
kept pass by pass, and then read to the interpreter again and again. It runs main.py's own loop with the heap locked in each pass. Between
two rounds the car is parked for up to %d h, so that the clock wraps many times. This interpreter collects garbage only between two
scripts, so each round is one. What the first round commands differs in its first passes: the board boots. The journal is loaded, and writes
into the interpreter's own file system; the car's side on CAN is not. The emulated RP2040 runs the same round, for minutes (see the end).

"""
        % (len(ROUND), SESSION_S, run.PARK_MS // 3_600_000)
        + table(("session of a round", "what happens in it"), [(n + 1, words) for n, (words, _h) in enumerate(ROUND)])
        + "\n## What is judged\n\nThe first %d rounds only warm up.\n\n" % run.WARM_ROUNDS
        + table(("what", "measured", "limit", "why"), limits)
        + measured
        + _emulated()
    )  # fmt: skip


def _emulated() -> str:
    """Return what is said of the soak on the emulated chip."""
    rate = "%g bytes a session, and at most %d in all" % (
        emu_judge.LEAK_A_SESSION,
        run.LEAK_MAX_BYTES,
    )
    limits = [
        ("leak", "memory used right after a garbage collection, by the trend", "less than " + rate, "one block is the least that can be lost; one in each round is 20 KB in 10,000 sessions"),
        ("trend", "the largest free piece, then too", "at least %d bytes; shrinks by less than %s" % (run.PIECE_MIN_BYTES, rate), "what is loaded at rest needs one piece"),
        ("drift", "what S2 and the lock do, at the pins, and the rule that the journal judges the session by", "as on the host, in each session", "the same round again: every one must end as before"),
        ("drift", "plug-ins that the journal counts, and records that it could not write", "one a session, none", "a counter that misses or doubles shows"),
        ("loop", "passes late; resets; words to a person", "none", "the loop keeps its time whatever happens in a session, and nothing of this round is worth a word"),
        ("loop", "sessions charged: the board says so, and the current flows", "all", "one that is refused shows little"),
    ]  # fmt: skip
    path = FIGURES / "soak-emu.json"
    return (
        """
## On the emulated RP2040

`make soak TARGET=emu MINUTES=30`, `inletctl soak --target emu --minutes 30`: MicroPython's own image for the Pico, the firmware as `make flash`
puts it there, the simulated inlet live on its pins, never restarted. After each session the collector's table is read out of the emulated
RAM, which the board does not notice, and the journal is asked over the console. A simulated second takes 20 to 35 s where nothing else
runs, so that 30 minutes take 10 to 17 hours: this one is run by hand. Ctrl-C ends it with what was measured so far. The emulator's time
for a bytecode is about a Pico's (`inletctl perf --only speed`): a pass that is late there may be late on a board.

"""
        + table(("what", "measured", "limit", "why"), limits)
        + "\nA trend is judged from %d sessions on: %d warm up, and each of the round is there three times. It is the median over every two\n"
        "sessions of the same kind.\n" % (emu_judge.WARM_SESSIONS + emu_judge.TREND_SESSIONS, emu_judge.WARM_SESSIONS)
        + (_emu_figures(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else "\nNo figures are stored.\n")
    )  # fmt: skip


def _emu_figures(found: dict[str, Any]) -> str:
    rows = [
        (
            row["number"] + 1, row["kind"] + 1, "yes" if row["is_charged"] else "NO", row["used"], row["used_end"], row["piece"],
            row["late"], row["resets"], "-" if row["plug_ins"] is None else row["plug_ins"], "-" if row["verdict"] is None else row["verdict"],
        )
        for row in found["rows"]
    ]  # fmt: skip
    return (
        "\n### Measured, firmware %s, %s\n\n```\n%s\n%s\n```\n\n"
        % (
            found["firmware"], found["image"] or "MicroPython of no told version", emu_judge.summary(found),
            "\n".join(found["shortfalls"]) or "All that was judged holds.",
        )
        + table(
            ("session", "of the round", "charged", "bytes used after a collection", "at its end", "largest piece", "late", "resets", "plug-ins", "rule"),
            rows,
        )
    )  # fmt: skip


def _figures(found: dict[str, Any]) -> str:
    rows = [
        (row["sessions"], row["used_max"], row["allocated_max"], row["piece_min"], row["differing"], row["us_a_pass"], row["wraps"])
        for row in found["blocks"]
    ]  # fmt: skip
    return (
        "\n## Measured, firmware %s\n\n```\n%s\n%s\n```\n\n"
        % (found["firmware"], run.summary(found), "\n".join(found["shortfalls"]) or "All of it holds.")
        + table(
            ("sessions", "bytes used, most", "allocated by a round, most", "largest piece, least", "passes that differ", "us a pass", "wraps"),
            rows,
        )
        + "\nThe time of a pass is the measuring computer's, and says how busy that was.\n"
    )  # fmt: skip


PAGES: dict[str, Callable[[], str]] = {"docs/soak.md": soak_page}
