"""Running a scenario on a target and keeping what came out: the part of the command line that is not words."""

import platform
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inletctl.house import SCENARIOS, firmware_hash, use_firmware
from inletctl.journal.recount import Recount
from inletctl.record import Recorder
from inletctl.report import meta as report_meta
from inletctl.report.write import write_session
from inletctl.scenario.load import read_scenario
from inletctl.scenario.model import ALWAYS, END, NEVER, WITHIN
from inletctl.scenario.run import Outcome
from inletctl.session import Session
from inletctl.targets import cpython, micropython

use_firmware()

from setting_rows import ROW_DEFAULT, ROW_KEY, TABLE  # noqa: E402
from settings import Settings  # noqa: E402

TARGETS = ("cpython", "micropython")
TARGET_WORDS = {
    "cpython": "CPython %s" % platform.python_version(),
    "micropython": "MicroPython 1.29, 32-bit WebAssembly",
}


@dataclass
class Result:
    """One finished run."""

    session: Session
    recorder: Recorder | None
    meta: report_meta.SessionMeta
    wall_s: float
    recount: "Recount | None" = (
        None  # None where the passes are not seen on this side: on the emulated chip
    )
    files: list[Path] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Tell whether the run came to its end and every expectation held."""
        return self.session.run.passed and not self.session.failure


def find_scenario(name: str) -> Path:
    """Return the file of a scenario given as a path or as the name of a shipped one."""
    path = Path(name)
    shipped = SCENARIOS / (name + ".txt")
    if not path.exists() and shipped.exists():
        return shipped
    return path


def run_scenario(
    path: Path,
    target: str,
    start_ms: int = 0,
    recorder: Recorder | None = None,
    watch: Callable[..., None] | None = None,
    begin: Callable[[report_meta.SessionMeta], None] | None = None,
) -> Result:
    """Run the scenario file on `target`. Raises UserError for bad input or a missing tool."""
    scenario = read_scenario(path)
    tell = None if recorder is None else teller(recorder)
    note = None if recorder is None else _noter(recorder)
    blame = None if recorder is None else _blamer(recorder)
    recount = Recount(Settings(scenario.settings), blame)
    session = Session(scenario, start_ms, recorder, tell, _both(recount.row, watch), note)
    meta = session_meta(session, path, target, start_ms)
    if begin is not None:
        begin(meta)
    began = time.perf_counter()
    if target == "micropython":
        micropython.run(session)
    else:
        cpython.run(session)
    wall_s = time.perf_counter() - began
    if recorder is not None:
        recorder.finish()
    meta.expectations = [expectation_of(outcome) for outcome in _in_file_order(session)]
    meta.expectations += [
        report_meta.Expectation("no invariant is broken", report_meta.FAIL, t_us, sentence)
        for t_us, sentence in session.run.breaches
    ]
    return Result(session, recorder, meta, wall_s, recount)


def write_reports(result: Result, folder: Path) -> None:
    """Write report.html, session.csv, session.vcd and session.json into `folder`."""
    recorder = result.recorder
    if recorder is None:
        raise ValueError("nothing was recorded")
    result.files = write_session(folder, recorder, result.meta)


def teller(recorder: Recorder) -> Callable[[int, str], None]:
    def tell(t_us: int, text: str) -> None:
        failed = text.startswith("FAILED ")
        recorder.event(t_us, text, "check" if failed else "scenario", "bad" if failed else "info")

    return tell


def _noter(recorder: Recorder) -> Callable[[int, str], None]:
    return lambda t_us, text: recorder.event(t_us, text, "world")


def _blamer(recorder: Recorder) -> Callable[[int, str], None]:
    return lambda t_us, text: recorder.event(t_us, text, "blame", "warn")


def _both(first: Callable[..., None], second: "Callable[..., None] | None") -> Callable[..., None]:
    if second is None:
        return first

    def both(*values: Any) -> None:
        first(*values)
        second(*values)

    return both


def session_meta(
    session: Session, path: Path, target: str, start_ms: int
) -> report_meta.SessionMeta:
    scenario = session.scenario
    values: dict[str, Any] = {row[ROW_KEY]: row[ROW_DEFAULT] for row in TABLE}
    values.update(scenario.settings)
    sensors = [values["sensor_%d" % n] for n in range(4)]
    names = ("AC L", "AC N", "DC +", "DC -")
    command = "inletctl sim %s --target %s" % (shlex.quote(str(path)), target)
    if start_ms:
        command += " --clock-start %d" % start_ms
    return report_meta.SessionMeta(
        title=scenario.title,
        scenario=path.name,
        target=TARGET_WORDS[target],
        inlet=scenario.inlet,
        firmware_hash=firmware_hash(),
        seed=scenario.seed,
        clock_start_ms=start_ms,
        command=command,
        length_us=scenario.end_us,
        rated_ma=values["max_current_ma"],
        derate_start_decic=values["derate_start_decic"],
        derate_end_decic=values["derate_end_decic"],
        stop_decic=values["stop_decic"],
        contacts=tuple(name if sensors[n] else None for n, name in enumerate(names)),
    )


def _in_file_order(session: Session) -> list[Outcome]:
    return sorted(session.run.outcomes, key=lambda outcome: outcome.expectation.line)


def expectation_of(outcome: Outcome) -> report_meta.Expectation:
    promise = outcome.expectation
    measured = outcome.sentence if not outcome.passed else ""
    if outcome.was_so_before:
        measured = "was so before already"
    is_guard = promise.form in (ALWAYS, NEVER, END)
    return report_meta.Expectation(
        text=promise.text,
        outcome=report_meta.PASS if outcome.passed else report_meta.FAIL,
        t_us=None if is_guard and outcome.passed else outcome.t_us,
        measured=measured,
        line=promise.line,
        measured_ms=None if outcome.reaction_us is None else outcome.reaction_us / 1000,
        limit_ms=promise.span_us / 1000 if promise.form == WITHIN else None,
    )
