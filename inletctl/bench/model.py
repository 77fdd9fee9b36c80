"""What a bench run is: plain data that runner, judge and report share.

A recipe is read into Blocks. An executor carries a block out and keeps what the board said as a Record. The judge turns
a block and its record into Rows. A report shows rows and records. Nothing here runs anything.
"""

from dataclasses import dataclass, field
from typing import Any

PASS, FAIL, NOT_RUN, INCONCLUSIVE = "pass", "fail", "not run", "inconclusive"
VERDICTS = (PASS, FAIL, NOT_RUN, INCONCLUSIVE)
# The worst of several: a failure is a failure, and missing data never passes.
_WORST_FIRST = (FAIL, INCONCLUSIVE, NOT_RUN, PASS)


# What a step looks at, and its row measures:
# duty         %  set, % read back
# current      %  set, A offered (of a sweep while charging: A the charger is told)
# frequency    Hz set, Hz read back; accepted or refused
# level        V  set at the generator, V read at the pin; the state it names
# pp           ohm set, A the cable counts for; 0 = refused
# temperature  C  set, C read back
# derating     C  set, A permitted
# latency      ms from the stimulus (`set_value` is None), with the cause's name in extra["cause"]
# expect       an expectation of a case
# check        a line of the rig's self-check
WHATS = (
    "duty", "current", "frequency", "level", "pp", "temperature", "derating", "latency", "expect", "check",
)  # fmt: skip


def worst(verdicts: "list[str]") -> str:
    """Return the verdict of several together; NOT_RUN for none."""
    return next((verdict for verdict in _WORST_FIRST if verdict in verdicts), NOT_RUN)


@dataclass(frozen=True)
class Stimulus:
    """At `t_us` of its block, do `verb` of the scenario language (inletctl/plant/verbs.py), values in canonical units."""

    t_us: int
    verb: str
    values: dict[str, Any]
    words: str = ""


@dataclass(frozen=True)
class Step:
    """One thing set and looked at. Its row is judged on what the board said from `t_us` to `until_us`."""

    id: str  # "duty-up/10.00"; unique in the run
    what: str  # one of WHATS
    set_value: "float | None"  # in `unit`; None where a number says nothing
    unit: str
    t_us: int  # the stimulus is applied
    until_us: int
    expected: "float | None" = None  # what should be read, in `unit` of the measurement
    tolerance: "float | None" = None
    words: str = ""  # what is expected, for people
    requirements: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)  # what only the judge of `what` knows


@dataclass(frozen=True)
class Block:
    """A part of a recipe that begins with a board newly powered up: a sweep, or a case written as a scenario."""

    id: str
    title: str
    inlet: str
    settings: dict[str, int]
    world: dict[str, Any]
    stimuli: tuple[Stimulus, ...]
    steps: tuple[Step, ...]
    end_us: int
    scenario: Any = None  # inletctl.scenario.model.Scenario of a case, None for a sweep
    needs: tuple[str, ...] = ()  # channels of what happens: channels.CHANNELS
    rate_ms: int = 0  # readings so often; 0 = none


@dataclass(frozen=True)
class Sample:
    """One line of the board. `t_us`: of the block, by the board's own tick."""

    t_us: int
    kind: str  # "commands" (drivers.virtual_layout.COMMANDS) or "readings" (vehicle.protocol.READINGS)
    values: tuple[int, ...]
    late: int = 0


@dataclass
class Record:
    """What came of carrying a block out."""

    block_id: str
    samples: list[Sample] = field(default_factory=list)
    done: list[tuple[int, str]] = field(default_factory=list)  # stimuli as applied: (t_us, words)
    outcomes: list[Any] = field(default_factory=list)  # inletctl.scenario.run.Outcome of a case
    # (t_us, signal, value), for the VCD
    edges: list[tuple[int, str, int]] = field(default_factory=list)
    # (from_us, to_us) where lines were lost, and where the board was off.
    gaps: list[tuple[int, int]] = field(default_factory=list)
    dark: list[tuple[int, int]] = field(default_factory=list)
    # t_us of a stimulus: how much sooner or later it may really have been, where a person did it
    unsure: dict[int, int] = field(default_factory=dict)
    # (from_us, until_us, why): a person did not set what a step looks at
    skipped: list[tuple[int, int, str]] = field(default_factory=list)
    until_us: int = 0  # carried out up to here
    failure: str = ""  # the firmware ended by itself: one sentence
    is_complete: bool = False
    why_not: str = ""  # why it was not run, or not to its end: one sentence
    damaged_lines: int = 0
    lost_lines: int = 0
    timing_error_us: int = 0  # how far t_us of stimuli and samples may be apart
    source_error_pct_x100: int = 0  # of the duty the source really sends, 0.01 %


@dataclass(frozen=True)
class Row:
    """One judged step: one line of the CSV, one test case of the JUnit file."""

    id: str
    block_id: str
    what: str  # one of WHATS
    set_value: "float | None"
    unit: str
    measured: "float | None"
    measured_unit: str
    error: "float | None"  # measured - expected
    limit: "float | None"  # largest |error|, or the longest time
    verdict: str
    words: str  # what was expected, and what was seen
    t_us: int = 0
    duration_us: int = 0
    requirements: tuple[str, ...] = ()
    expected: "float | None" = None
    cause: str = ""  # of a reaction time: what it counts from, e.g. a reason's name; the report groups by it

    def __post_init__(self):
        if self.verdict not in VERDICTS:
            raise ValueError("unknown verdict: %s" % self.verdict)


@dataclass
class Run:
    """Everything a report says."""

    recipe: str
    recipe_sha256: str
    seed: int
    command: str
    began: str  # local time with zone, ISO 8601
    target: str  # "simulation (CPython)", "emulated RP2040", "board on /dev/ttyACM0"
    firmware_hash: str
    board: str = ""
    board_id: str = ""
    settings: dict[str, int] = field(default_factory=dict)
    instruments: list[str] = field(default_factory=list)  # *IDN? and what a person is told to set
    calibration: list[str] = field(default_factory=list)
    operator: str = ""
    timing_error_us: int = 0  # of the tool itself, worst of the records
    self_check: list[Row] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)  # by block id
    requirements: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # id: (sentence, clause)
    is_complete: bool = False
    why_not: str = ""

    @property
    def verdict(self) -> str:
        """Return the verdict of the whole run; one cut short is at best inconclusive.

        Where no step was carried out it is not run, whatever the rig's self-check found: that is no word about the
        board. So is a block that nobody judged.
        """
        if all(row.verdict == NOT_RUN for row in self.rows):
            return NOT_RUN
        seen = {row.block_id for row in self.rows}
        unjudged = [NOT_RUN for block in self.blocks if block.id not in seen]
        found = worst([row.verdict for row in (*self.self_check, *self.rows)] + unjudged)
        return INCONCLUSIVE if found != FAIL and not self.is_complete else found

    def count(self, verdict: str) -> int:
        """Return how many rows have this verdict."""
        return sum(row.verdict == verdict for row in self.rows)
