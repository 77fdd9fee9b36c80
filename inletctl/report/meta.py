"""What a report says about its session besides the recorded values."""

from dataclasses import dataclass, field

LIMITS_TEXT = (
    "Simulated: the inlet's firmware ran against a model of EVSE, cable, contacts, lock and car. "
    "OpenInlet is for low-voltage bench use; it is not certified, and a pass here is not a "
    "statement of conformity with any standard."
)
PASS = "pass"
FAIL = "fail"
NOT_RUN = "not run"  # the session ended before the expectation came up
INCONCLUSIVE = "inconclusive"  # it came up, but what it needs was not recorded or did not happen
OUTCOMES = (PASS, FAIL, NOT_RUN, INCONCLUSIVE)


@dataclass(frozen=True)
class Expectation:
    """One expectation of the scenario and what came out. Times count from the start of the session."""

    text: str  # as written in the scenario
    outcome: str  # one of OUTCOMES
    t_us: int | None = None  # when it was judged; None if it never was
    measured: str = ""  # what was found, in words
    line: int | None = None  # of the scenario file
    measured_ms: float | None = None  # reaction time, where the expectation has one
    limit_ms: float | None = None  # the longest it may be

    def __post_init__(self):
        if self.outcome not in OUTCOMES:
            raise ValueError(f"unknown outcome: {self.outcome}")


@dataclass
class SessionMeta:
    """Who, what and under which limits. Everything is shown as text, whatever is in it."""

    title: str
    scenario: str = ""  # path of the scenario file as the person gave it
    target: str = ""  # what ran the firmware, e.g. "CPython 3.11" or "MicroPython 1.29, 32-bit"
    inlet: str = ""  # type1, type2, gbt, nacs
    firmware_hash: str = ""
    seed: int | None = None
    clock_start_ms: int | None = None  # tick the firmware's clock started at
    command: str = ""  # command line that repeats the session
    length_us: int = 0  # planned length; 0 = not known
    rated_ma: int = 32000
    derate_start_decic: int | None = 600
    derate_end_decic: int | None = 850
    stop_decic: int | None = 900
    # Names of the true contact temperatures; None hides one that the inlet does not have.
    contacts: tuple[str | None, ...] = ("AC L", "AC N", "DC +", "DC -")
    expectations: list[Expectation] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """Return the verdict: fail beats inconclusive beats not run; without expectations "not run"."""
        outcomes = {expectation.outcome for expectation in self.expectations}
        for outcome in (FAIL, INCONCLUSIVE, NOT_RUN):
            if outcome in outcomes:
                return outcome
        return PASS if outcomes else NOT_RUN

    @property
    def verdict(self) -> str:
        """Return the verdict as one short line."""
        count = len(self.expectations)
        if not count:
            return "nothing was expected"
        passed = sum(expectation.outcome == PASS for expectation in self.expectations)
        return f"{passed} of {count} expectation{'s' if count != 1 else ''} met"

    def shown_contacts(self) -> list[tuple[int, str]]:
        """Return (number, name) of the contacts to show."""
        return [(n, name) for n, name in enumerate(self.contacts[:4]) if name]


def clock(t_us: int, digits: int = 3) -> str:
    """Return a time as m:ss.sss, or h:mm:ss.sss from one hour on."""
    scale = 10**digits
    ticks = (t_us * scale + 500_000) // 1_000_000
    seconds, fraction = divmod(ticks, scale)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    tail = f".{fraction:0{digits}d}" if digits else ""
    return f"{head}:{seconds:02d}{tail}"
