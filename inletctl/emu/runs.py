"""One emulated run from a scenario file to a finished Result, as inletctl.runs does for the other targets."""

import json
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from inletctl import runs
from inletctl.emu import agree
from inletctl.emu.chip import Chip
from inletctl.emu.flash_image import board_files, board_text, make_flash
from inletctl.emu.image import Image, find_image
from inletctl.emu.session import EmuSession
from inletctl.record import Recorder
from inletctl.report import meta as report_meta
from inletctl.scenario.language import RESET, RESET_OFF_MS
from inletctl.scenario.load import read_scenario
from inletctl.scenario.model import Action, Scenario
from inletctl.session import Session
from inletctl.targets import cpython
from settings import Settings
from vehicle.loader import CarLoader

SCENARIOS = Path(__file__).resolve().parent / "scenarios"
BOARD = "rp2040-reference"
TARGET_WORDS = "MicroPython on the emulated RP2040"


@dataclass
class EmuResult:
    """One finished run; `disagreements` with the host's trace as sentences."""

    session: EmuSession
    recorder: Recorder
    meta: report_meta.SessionMeta
    wall_s: float
    is_complete: bool
    disagreements: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Tell whether the run came to its end, every expectation held and the host agrees."""
        return self.is_complete and self.session.run.passed and not self.disagreements


def find_scenario(name: str) -> Path:
    """Return the file of a scenario given as a path, or as the name of one shipped for the emulator or for all."""
    own = SCENARIOS / (name + ".txt")
    return own if own.exists() and not Path(name).exists() else runs.find_scenario(name)


def run_scenario(
    path: Path,
    uf2: "Path | None",
    board: str = BOARD,
    begin: "Callable[[report_meta.SessionMeta, Recorder], None] | None" = None,
    watch: "Callable[[], None] | None" = None,
) -> EmuResult:
    """Run the scenario on the emulated board. Raises UserError for bad input, no image, or firmware that ends."""
    scenario = read_scenario(path)
    image = find_image(uf2)
    chip = new_chip(image, board, scenario)
    recorder = Recorder()
    session = EmuSession(
        scenario,
        chip,
        json.loads(board_text(board)),
        recorder,
        runs.teller(recorder),
        watch,
        lambda t_us, text: recorder.event(t_us, text, "world"),
    )
    meta = _meta(session, path, image, board)
    if begin is not None:
        begin(meta, recorder)
    began_s = time.perf_counter()
    judged = None
    try:
        session.run_to_end()
    except KeyboardInterrupt:
        judged = len(session.run.outcomes)
        session.end_early("stopped by hand")
        judged = _judged_before(session, judged)
    wall_s = time.perf_counter() - began_s
    recorder.finish()
    meta.expectations = _expectations(session, judged)
    result = EmuResult(session, recorder, meta, wall_s, judged is None)
    if judged is None:
        result.disagreements = compare(scenario, session)
    else:
        meta.title += " (incomplete: stopped by hand after %.1f s)" % (session.t_us / 1e6)
    return result


def new_chip(image: Image, board: str, scenario: Scenario) -> Chip:
    """Return a chip with the firmware, the board file and the scenario's settings in its flash."""
    return Chip(image, make_flash(board_files(board, scenario.settings), image.layout))


def compare(scenario: Scenario, session: EmuSession) -> list[str]:
    """Return where the board disagrees with the same firmware on the host, a sentence each."""
    host = Session(with_boot(scenario, max(0, session.ready_ns) // 1_000_000))
    cpython.run(host)
    end_ms = scenario.end_us // 1000
    rows, marks = agree.rows_of_trace(host.trace.lines)
    mine = [(row.t_ms, row.since_ms, row.commands) for row in session.rows if row.t_ms <= end_ms]
    board = agree.states(mine, [t_ms for t_ms, _words in session.marks], end_ms)
    wanted = agree.states(rows, marks, end_ms)
    needs_car = CarLoader(None, Settings(dict(scenario.settings))).is_urgent
    told = agree.disagreements(wanted, board, needs_car)
    return told + agree.pin_disagreements(wanted, session.pin_changes, end_ms, needs_car)


def with_boot(scenario: Scenario, boot_ms: int) -> Scenario:
    """Return the scenario with every reset longer by the board's boot: the host itself needs no time to boot."""
    timeline = []
    for item in scenario.timeline:
        if isinstance(item, Action) and item.verb == RESET:
            values = dict(item.values)
            values["off_ms"] = values.get("off_ms", RESET_OFF_MS) + boot_ms
            item = replace(item, values=tuple(values.items()))  # noqa: PLW2901
        timeline.append(item)
    return replace(scenario, timeline=tuple(timeline))


def write_reports(result: EmuResult, folder: Path) -> None:
    """Write what `inletctl sim --out` writes, and the board's trace and words besides."""
    shared = runs.Result(result.session, result.recorder, result.meta, result.wall_s)  # type: ignore[arg-type]
    runs.write_reports(shared, folder)
    trace = folder / "trace.txt"
    trace.write_text(result.session.trace.text, encoding="utf-8")
    result.files = [*shared.files, trace]


def _meta(session: EmuSession, path: Path, image: Image, board: str) -> report_meta.SessionMeta:
    meta = runs.session_meta(session, path, "cpython", 0)  # type: ignore[arg-type]
    version = " (%s)" % image.version if image.version else ""
    meta.target = TARGET_WORDS + version
    meta.command = "inletctl emu %s --board %s" % (shlex.quote(str(path)), board)
    return meta


def _judged_before(session: EmuSession, before: int) -> int:
    """Return how many outcomes were really judged: giving up calls every open one failed."""
    outcomes = session.run.outcomes
    count = before
    while count < len(outcomes) and not outcomes[count].sentence.partition("; ")[2].startswith(
        session.failure
    ):
        count += 1
    return count


def _expectations(session: EmuSession, judged: "int | None") -> list[report_meta.Expectation]:
    outcomes = session.run.outcomes
    known = outcomes if judged is None else outcomes[:judged]
    told = [runs.expectation_of(outcome) for outcome in known]
    told += [
        report_meta.Expectation(
            text=outcome.expectation.text,
            outcome=report_meta.NOT_RUN,
            measured="stopped by hand before",
            line=outcome.expectation.line,
        )
        for outcome in outcomes[len(known) :]
    ]
    return sorted(told, key=lambda one: one.line or 0)
