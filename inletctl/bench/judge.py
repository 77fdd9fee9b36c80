"""From a block and what the board said to rows with a verdict. Pure.

What is expected comes from the step, which has it from limits.py; nothing is taken from the firmware under test but the
names of its lines. Missing or damaged data is inconclusive, never a pass; and where the rig's own error could turn a
verdict round, there is none.
"""

from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from inletctl.bench import limits
from inletctl.bench.model import (
    FAIL,
    INCONCLUSIVE,
    NOT_RUN,
    PASS,
    Block,
    Record,
    Row,
    Sample,
    Step,
)
from inletctl.house import use_firmware
from inletctl.scenario.keys import plant_keys
from inletctl.scenario.model import ALWAYS, NEVER, WITHIN

use_firmware()

from drivers.virtual_layout import COMMANDS  # noqa: E402
from vehicle.protocol import READINGS  # noqa: E402

# The board says at least one line of commands a second; one older than this is no news.
FRESH_US = 1_300_000
# A lower offer counts within 20 ms (architecture, section 6); what is said later must not be above the table.
LOWERED_US = 20_000
_STATES = ("A", "B", "B", "C", "C", "D", "D", "E", "F", "?")
_AT = {name: n for n, name in enumerate(COMMANDS)}
_READ_AT = {name: n for n, name in enumerate(READINGS)}
_PP_REASONS = ("no_plug", "pp_invalid", "pp_button")
PLANT_KEYS = frozenset(key.name for key in plant_keys())


class Said:
    """The record of a block, arranged for looking up."""

    def __init__(self, block: Block, record: Record):
        self.block = block
        self.record = record
        self.commands = sorted(
            (sample for sample in record.samples if sample.kind == "commands"),
            key=lambda sample: sample.t_us,
        )
        self.readings = sorted(
            (sample for sample in record.samples if sample.kind == "readings"),
            key=lambda sample: sample.t_us,
        )
        self._times = {
            id(samples): [sample.t_us for sample in samples]
            for samples in (self.commands, self.readings)
        }

    def between(self, samples: list[Sample], from_us: int, until_us: int) -> list[Sample]:
        """Return the samples from `from_us` up to but not at `until_us`."""
        times = self._times[id(samples)]
        return samples[bisect_left(times, from_us) : bisect_left(times, until_us)]

    def before(self, t_us: int) -> "Sample | None":
        """Return the newest line of commands before `t_us`."""
        at = bisect_left(self._times[id(self.commands)], t_us)
        return self.commands[at - 1] if at else None

    def has_gap(self, from_us: int, until_us: int) -> bool:
        """Tell whether lines were lost in that time."""
        return any(a < until_us and b > from_us for a, b in self.record.gaps)


class Finding:
    """What was found of one step, before doubt is taken into account."""

    def __init__(
        self,
        verdict: str,
        words: str,
        measured: "float | None" = None,
        error: "float | None" = None,
        limit: "float | None" = None,
        unit: str = "",
    ):
        self.verdict = verdict
        self.words = words
        self.measured = measured
        self.error = error
        self.limit = limit
        self.unit = unit


def judge(block: Block, record: Record) -> list[Row]:
    """Return a row for each step of `block`, in its order, and one more where the firmware ended by itself."""
    said = Said(block, record)
    rows = [_row(block, step, _find(step, said)) for step in block.steps]
    if record.failure:
        step = Step(
            block.id + "/firmware", "check", None, "", record.until_us, record.until_us,
            words="the firmware runs to the end", requirements=("OI-RIG-1",),
        )  # fmt: skip
        rows.append(_row(block, step, Finding(FAIL, record.failure)))
    return rows


def _row(block: Block, step: Step, found: Finding) -> Row:
    words = "%s; %s" % (step.words, found.words) if found.words else step.words
    return Row(
        id=step.id,
        block_id=block.id,
        what=step.what,
        set_value=step.set_value,
        unit=step.unit,
        measured=found.measured,
        measured_unit=found.unit,
        error=found.error,
        limit=found.limit,
        verdict=found.verdict,
        words=words,
        t_us=step.t_us,
        duration_us=step.until_us - step.t_us,
        requirements=step.requirements,
        expected=step.expected,
        cause=step.extra.get("cause", ""),
    )


def _find(step: Step, said: Said) -> Finding:
    record = said.record
    if step.what == "expect":
        return _expect(step, said)
    if not record.is_complete and step.until_us > record.until_us:
        return Finding(NOT_RUN, record.why_not or "not reached")
    skipped = _skipped(step, record)
    if skipped:
        return Finding(NOT_RUN, skipped)
    found = _JUDGES[step.what](step, said)
    if found.verdict == PASS and said.has_gap(step.t_us, step.until_us):
        found.verdict = INCONCLUSIVE
        found.words += "; lines of the board were lost meanwhile"
    return found


def _skipped(step: Step, record: Record) -> str:
    """Return why what the step looks at was never set; an empty text if it was."""
    for from_us, until_us, why in record.skipped:
        if from_us < step.until_us and until_us > step.t_us:
            return why
    return ""


def _last(step: Step, said: Said, samples: list[Sample]) -> "Sample | None":
    """Return the last line of the step's time, if it is fresh enough to speak for its end."""
    # A sample so near the end may be the next step's already: nobody knows its time better than that.
    until_us = step.until_us - said.record.timing_error_us
    found = said.between(samples, max(step.t_us, step.until_us - FRESH_US), until_us)
    return found[-1] if found else None


_SILENT = "the board said nothing at its end"


def _within(off: float, limit: float, doubt: float) -> str:
    """Return the verdict of `off`, good to +- `doubt`, against `limit`."""
    if off + doubt <= limit + 1e-9:
        return PASS
    return FAIL if off - doubt > limit + 1e-9 else INCONCLUSIVE


def _reasons(sample: Sample) -> list[str]:
    return limits.reason_names(sample.values[_AT["reasons"]])


# ------------------------------------------------------------------------------------------- quantities


def _duty(step: Step, said: Said) -> Finding:
    sample = _last(step, said, said.commands)
    if sample is None:
        return Finding(INCONCLUSIVE, _SILENT)
    measured = sample.values[_AT["duty_pct_x100"]]
    error = measured - step.extra["pct_x100"]
    verdict = _within(abs(error), limits.DUTY_ERROR_PCT_X100, said.record.source_error_pct_x100)
    return Finding(
        verdict, "%.2f %%" % (measured / 100), measured / 100, error / 100, step.tolerance, "%"
    )


def _current(step: Step, said: Said) -> Finding:
    sample = _last(step, said, said.commands)
    if sample is None:
        return Finding(INCONCLUSIVE, _SILENT)
    extra = step.extra
    allowed = limits.offer_around(
        extra["family"], extra["pct_x100"], said.record.source_error_pct_x100
    )
    most, least = min(allowed.most_ma, extra["cap_ma"]), min(allowed.least_ma, extra["cap_ma"])
    ma = sample.values[_AT[extra["field"]]]
    error = ma / 1000 - (step.expected or 0.0)
    told = _reasons(sample)
    pilot = [name for name in told if name.startswith("pilot_")]
    words = "%.3f A" % (ma / 1000) + (" (%s)" % ", ".join(pilot) if pilot else "")
    verdict = PASS if least <= ma <= most else FAIL
    if ma == 0 and least == 0 and not set(pilot) & set(allowed.reasons):
        verdict = FAIL
        words += ", reason %s expected" % " or ".join(allowed.reasons)
    late = _late_excess(step, said, most)
    if late and verdict == PASS:
        verdict = FAIL
        words += late
    return Finding(verdict, words, ma / 1000, round(error, 6), step.tolerance, "A")


def _late_excess(step: Step, said: Said, most_ma: int) -> str:
    """Return what the board still permitted above the table once it had to have seen the new duty."""
    field = "charger_ma" if step.extra["field"] == "charger_ma" else "permitted_ma"
    from_us = step.t_us + LOWERED_US + said.record.timing_error_us
    for sample in said.between(said.commands, from_us, step.until_us):
        if sample.values[_AT[field]] > most_ma:
            text = "; %.3f A still after %d ms"
            return text % (sample.values[_AT[field]] / 1000, (sample.t_us - step.t_us) // 1000)
    return ""


def _frequency(step: Step, said: Said) -> Finding:
    sample = _last(step, said, said.commands)
    reading = _last(step, said, said.readings)
    if sample is None or reading is None:
        return Finding(INCONCLUSIVE, _SILENT)
    period_x10 = reading.values[_READ_AT["pilot_period_us_x10"]]
    if not period_x10:
        return Finding(FAIL, "no period was captured")
    hz = 1e7 / period_x10
    error = hz - (step.set_value or 0.0)
    is_told = "pilot_frequency" in _reasons(sample)
    is_used = sample.values[_AT["offered_ma"]] > 0
    legal = step.extra["legal"]
    words = "%.1f Hz, %s" % (hz, "refused" if is_told else "used" if is_used else "not used")
    right = is_told != is_used if legal is None else (is_used, is_told) == (legal, not legal)
    # A period is captured to 0.1 us: at 2 kHz that is 0.4 Hz.
    verdict = PASS if right and abs(error) <= limits.FREQUENCY_ERROR_HZ else FAIL
    return Finding(verdict, words, round(hz, 2), round(error, 2), step.tolerance, "Hz")


def _level(step: Step, said: Said) -> Finding:
    sample = _last(step, said, said.commands)
    reading = _last(step, said, said.readings)
    if sample is None or reading is None:
        return Finding(INCONCLUSIVE, _SILENT)
    volts = reading.values[_READ_AT["cp_high_mv"]] / 1000
    error = volts - (step.expected or 0.0)
    letter = _letter(sample)
    words = "%.2f V, state %s" % (volts, letter)
    right = letter in step.extra["letters"] and abs(error) <= (step.tolerance or 0.0)
    return Finding(PASS if right else FAIL, words, volts, round(error, 3), step.tolerance, "V")


def _letter(sample: Sample) -> str:
    state = sample.values[_AT["pilot_state"]]
    return _STATES[state] if 0 <= state < len(_STATES) else "?"


def _pp(step: Step, said: Said) -> Finding:
    sample = _last(step, said, said.commands)
    if sample is None:
        return Finding(INCONCLUSIVE, _SILENT)
    allowed = step.extra["allowed"]
    told = [name for name in _reasons(sample) if name in _PP_REASONS]
    if told:
        right = limits.REFUSED in allowed
        return Finding(
            PASS if right else FAIL, "refused (%s)" % ", ".join(told), 0.0, None, None, "A"
        )
    ma = sample.values[_AT["permitted_ma"]]
    offered = sample.values[_AT["offered_ma"]]
    rated = {a * 1000 for a in allowed if a > 0}
    right = ma in rated or (limits.UNRATED in allowed and ma == offered)
    expected = step.expected
    error = None if expected is None else ma / 1000 - expected
    return Finding(PASS if right else FAIL, "%.1f A" % (ma / 1000), ma / 1000, error, 0.0, "A")


def _temperature(step: Step, said: Said) -> Finding:
    sample = _last(step, said, said.commands)
    if sample is None:
        return Finding(INCONCLUSIVE, _SILENT)
    if not sample.values[_AT["hottest_ok"]]:
        return Finding(FAIL, "no sensor is believed")
    c = sample.values[_AT["hottest_decic"]] / 10
    error = round(c - (step.set_value or 0.0), 3)
    verdict = PASS if abs(error) <= (step.tolerance or 0.0) + 1e-9 else FAIL
    return Finding(verdict, "%.1f C" % c, c, error, step.tolerance, "C")


def _derating(step: Step, said: Said) -> Finding:
    sample = _last(step, said, said.commands)
    if sample is None:
        return Finding(INCONCLUSIVE, _SILENT)
    ma = sample.values[_AT["permitted_ma"]]
    right = step.extra["least_ma"] - 1 <= ma <= step.extra["most_ma"] + 1
    error = round(ma / 1000 - (step.expected or 0.0), 3)
    return Finding(
        PASS if right else FAIL, "%.2f A" % (ma / 1000), ma / 1000, error, step.tolerance, "A"
    )


# ------------------------------------------------------------------------------------------------ time


def _latency(step: Step, said: Said) -> Finding:
    """Time from the cause to command 0, or to S2 open, and whether the cause was told by its name."""
    before = said.before(step.t_us)
    limit_ms = step.tolerance or 0.0
    if before is None or not (before.values[_AT["s2_close"]] and before.values[_AT["charger_ma"]]):
        return Finding(INCONCLUSIVE, "it was not charging before", unit="ms", limit=limit_ms)
    heard = said.between(said.commands, step.t_us, step.until_us)
    opened = next((s for s in heard if not s.values[_AT["s2_close"]]), None)
    if step.extra["part"] == "s2":
        ended_us = None if opened is None else opened.t_us
    else:
        ended_us = _current_ended(heard, opened)
    if ended_us is None:
        missing = "S2 never opened" if step.extra["part"] == "s2" else "the command never became 0"
        silent_us = step.until_us - (heard[-1].t_us if heard else before.t_us)
        verdict = INCONCLUSIVE if silent_us > FRESH_US else FAIL
        return Finding(verdict, missing, unit="ms", limit=limit_ms)
    ms = (ended_us - step.t_us) / 1000
    verdict = _within(ms, limit_ms, _doubt_ms(step, said))
    words = "%.0f ms" % ms
    told = 0
    for sample in heard:
        told |= sample.values[_AT["reasons"]]
    if not told & limits.stops()[step.extra["cause"]].bit:
        verdict = FAIL
        words += ", but told as %s" % (", ".join(limits.reason_names(told)) or "nothing")
    return Finding(verdict, words, ms, ms, limit_ms, "ms")


def _doubt_ms(step: Step, said: Said) -> float:
    """Return how far a time counted from the step's stimulus may be off."""
    record = said.record
    return max(record.timing_error_us, record.unsure.get(step.t_us, 0)) / 1000


def _current_ended(heard: list[Sample], opened: "Sample | None") -> "int | None":
    """Return from when on the command was 0 until S2 opened."""
    ended_us = None
    for sample in heard:
        if sample.values[_AT["charger_ma"]]:
            ended_us = None
        elif ended_us is None:
            ended_us = sample.t_us
        if sample is opened:
            break
    return ended_us


def _expect(step: Step, said: Said) -> Finding:
    record = said.record
    expectation = said.block.scenario.expectations[step.extra["expectation"]]
    outcome: Any = next((o for o in record.outcomes if o.expectation is expectation), None)
    # What was skipped before its end may have changed it.
    skipped = next((why for from_us, _, why in record.skipped if from_us <= step.until_us), "")
    if outcome is None or skipped:
        return Finding(NOT_RUN, skipped or _why_no_outcome(record))
    limit_ms = expectation.span_us / 1000 if expectation.form == WITHIN else None
    measured = None if outcome.reaction_us is None else outcome.reaction_us / 1000
    unit = "" if measured is None and limit_ms is None else "ms"
    verdict = PASS if outcome.passed else FAIL
    words = outcome.sentence
    if outcome.passed:
        words = "" if measured is None else "after %.0f ms" % measured
        if outcome.was_so_before:
            words = "was so before already"
        if any(test.key.name not in PLANT_KEYS for test in expectation.tests):
            verdict = _doubted(step, said, measured, limit_ms)
            if verdict == INCONCLUSIVE:
                words += "; lines of the board were lost, or the rig's own error is too large"
    return Finding(verdict, words, measured, None, limit_ms, unit)


def _why_no_outcome(record: Record) -> str:
    if record.is_complete:
        return "nobody knows the truth about it on this target"
    return record.why_not or "not reached"


def _doubted(step: Step, said: Said, measured: "float | None", limit_ms: "float | None") -> str:
    """Return the verdict of what seems to have come out, as far as the board's lines can be believed."""
    expectation = said.block.scenario.expectations[step.extra["expectation"]]
    is_whole = expectation.form in (ALWAYS, NEVER)
    if said.has_gap(step.t_us, said.block.end_us if is_whole else step.until_us + 1):
        return INCONCLUSIVE
    if limit_ms is None or measured is None:
        return PASS
    # It did come out in time; whether it would have without the rig's error nobody can say.
    verdict = _within(measured, limit_ms, _doubt_ms(step, said))
    return INCONCLUSIVE if verdict == FAIL else verdict


_JUDGES: dict[str, Callable[[Step, Said], Finding]] = {
    "duty": _duty,
    "current": _current,
    "frequency": _frequency,
    "level": _level,
    "pp": _pp,
    "temperature": _temperature,
    "derating": _derating,
    "latency": _latency,
}
