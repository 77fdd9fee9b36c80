"""Before the first step: can the rig be believed?

A block like any other, carried out by the same executor: the board must hear the source (50 % duty, then steady), its
line must be whole, and ten changes of the duty, timed from the stimulus to the tick at which the board saw it, give the
error of every time that the rig measures.
"""

from inletctl.bench import limits
from inletctl.bench.channels import needs_of
from inletctl.bench.judge import Said
from inletctl.bench.model import (
    FAIL,
    INCONCLUSIVE,
    NOT_RUN,
    PASS,
    Block,
    Record,
    Row,
    Sample,
    Stimulus,
)
from inletctl.house import use_firmware

use_firmware()

from drivers.virtual_layout import COMMANDS  # noqa: E402
from vehicle.protocol import READINGS  # noqa: E402

ID = "self-check"
RATE_MS = 50
_S = 1_000_000
_PLUG_US = _S // 2
_SEEN_US, _STEADY_US, _RESUME_US, _TIMED_US = 2 * _S, 3 * _S, 4 * _S, 5 * _S
_EVERY_US = 300_000
TIMES = 10
_DUTIES = (60.0, 40.0)
# A change is decided in one pass of 10 ms or the next, and told with the tick of that pass.
_USUAL_US = 10_000
_AT = {name: n for n, name in enumerate(READINGS)}
_DUTY_AT = COMMANDS.index("duty_pct_x100")
_REQUIREMENTS = ("OI-RIG-1",)


def block(inlet: str) -> Block:
    """Return the self-check as a block."""
    made: list[tuple[int, str, dict]] = [
        (0, "vehicle_refuse", {}),
        (_PLUG_US, "plug", {}),
        (_PLUG_US, "evse_duty", {"pct": 50.0}),
        (_STEADY_US, "evse_pause", {}),
        (_RESUME_US, "evse_resume", {}),
        (_RESUME_US, "evse_duty", {"pct": _DUTIES[1]}),
    ]
    # 3 ms apart from the board's passes by chance, so that the sum of both is looked at.
    made += [
        (_TIMED_US + n * (_EVERY_US + 3_000), "evse_duty", {"pct": _DUTIES[n % 2]})
        for n in range(TIMES)
    ]
    stimuli = tuple(
        Stimulus(t_us, verb, values, " ".join([verb, *("%s=%g" % one for one in values.items())]))
        for t_us, verb, values in made
    )
    return Block(
        id=ID,
        title="The rig itself",
        inlet=inlet,
        settings={"inlet": list(limits.FAMILY_OF_INLET).index(inlet)},
        world={"inlet": inlet, "evse_pwm_start_ms": 0, "evse_x1_hold_ms": 0},
        stimuli=stimuli,
        steps=(),
        end_us=_TIMED_US + TIMES * (_EVERY_US + 3_000),
        needs=needs_of(stimuli),
        rate_ms=RATE_MS,
    )


def judge(checked: Block, record: Record) -> tuple[list[Row], int, int]:
    """Return the rows of the self-check, the rig's timing error, and its shortest reaction, in us.

    Both times are 0 where they could not be measured: then the rig is not believed.
    """
    said = Said(checked, record)
    why = record.failure or record.why_not
    if not record.is_complete or record.failure:
        return [_row("line", NOT_RUN, "the self-check runs to its end; " + why)], 0, 0
    rows = [_line(said), _duty(said), _steady(said)]
    reactions_us = [_reaction_us(said, n) for n in range(TIMES)]
    seen = [us for us in reactions_us if us is not None]
    if len(seen) < TIMES:
        words = "ten changes of the duty are seen; %d were" % len(seen)
        return [*rows, _row("timing", INCONCLUSIVE, words)], 0, 0
    # What all ten have in common is the way through the rig; what is left over and above the usual is its error.
    error_us = max(0, max(seen) - min(seen) - _USUAL_US) + record.timing_error_us
    words = "ten changes of the duty are seen; %.1f to %.1f ms after the source" % (
        min(seen) / 1000, max(seen) / 1000,
    )  # fmt: skip
    rows.append(_row("timing", PASS, words, error_us / 1000, "ms"))
    return rows, error_us, min(seen)


def is_believed(rows: list[Row]) -> bool:
    """Tell whether the rig may be used."""
    return all(row.verdict == PASS for row in rows)


def _line(said: Said) -> Row:
    record = said.record
    count = len(record.samples)
    words = "the board's line is whole; %d lines, %d damaged, %d lost" % (
        count, record.damaged_lines, record.lost_lines,
    )  # fmt: skip
    is_whole = count > 0 and not record.damaged_lines and not record.lost_lines
    return _row("line", PASS if is_whole else INCONCLUSIVE, words)


def _duty(said: Said) -> Row:
    found = [
        pct
        for sample in said.between(said.readings, _SEEN_US, _STEADY_US)
        if (pct := _pct(sample)) is not None
    ]
    if not found:
        return _row("source", INCONCLUSIVE, "the board hears the source at 50 %; it hears no PWM")
    worst = max(found, key=lambda pct: abs(pct - 50))
    allowed = (limits.DUTY_ERROR_PCT_X100 + said.record.source_error_pct_x100) / 100
    # Half a percent off is another signal, not a bad measurement: that is what the recipe looks at.
    verdict = PASS if abs(worst - 50) <= max(0.5, allowed) else FAIL
    return _row(
        "source", verdict, "the board hears the source at 50 %%; %.2f %%" % worst, worst, "%"
    )


def _steady(said: Said) -> Row:
    heard = said.between(said.readings, _STEADY_US + _S // 2, _RESUME_US)
    words = "the board hears the source fall silent"
    if not heard:
        return _row("silence", INCONCLUSIVE, words + "; no readings came")
    is_silent = all(_pct(sample) is None for sample in heard)
    return _row("silence", PASS if is_silent else INCONCLUSIVE, words)


def _reaction_us(said: Said, n: int) -> "int | None":
    start_us = _TIMED_US + n * (_EVERY_US + 3_000)
    wanted = _DUTIES[n % 2]
    for sample in said.between(said.commands, start_us, start_us + _EVERY_US):
        if abs(sample.values[_DUTY_AT] / 100 - wanted) < 1:
            return sample.t_us - start_us
    return None


def _pct(sample: Sample) -> "float | None":
    """Return the duty of a line of readings; None without PWM."""
    period = sample.values[_AT["pilot_period_us_x10"]]
    if not sample.values[_AT["pilot_count"]] or not period:
        return None
    return 100 * sample.values[_AT["pilot_high_us_x10"]] / period


def _row(
    name: str, verdict: str, words: str, measured: "float | None" = None, unit: str = ""
) -> Row:
    return Row(
        id="%s/%s" % (ID, name),
        block_id=ID,
        what="check",
        set_value=None,
        unit="",
        measured=measured,
        measured_unit=unit,
        error=None,
        limit=None,
        verdict=verdict,
        words=words,
        requirements=_REQUIREMENTS,
    )
