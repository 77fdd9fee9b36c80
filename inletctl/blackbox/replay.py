"""A black box through the logic on this computer: where would it now decide otherwise?

The box becomes a recording as a computer at the wire would have made it, a line of commands and one of readings for each frame,
and inletctl/link/replay.py judges every pass of it: same, different, or not judged and why. What a box cannot know, and what
therefore is not judged: what came before its first frame (how often charging had stopped in the plug-in, which lengthens rests
and latches), what lies in a block that is missing, and all of it where the board had refused a setting.
"""

from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inletctl.blackbox.payload import Box, Frame
from inletctl.house import firmware_hash, use_firmware
from inletctl.link.codec import COMMAND_FIELDS, COMMANDS_KIND, READINGS_KIND, Telemetry
from inletctl.link.log import Asked, Header, Log
from inletctl.link.replay import UNSETTLED, Difference, NotJudged, Replay, replay
from inletctl.link.replay_fill import PASS_MS, BootRecord, Sample, Switch
from inletctl.link.timeline import Moment, timeline
from inletctl.record import Names, mask_rows

use_firmware()

from faults import (  # noqa: E402
    F_TEMP_DISAGREE,
    F_TEMP_LATCHED,
    F_TEMP_STUCK,
    FAULT_CLEARS,
    FAULT_REASON,
    FAULTS,
    REST,
    RETRIES,
    ROW_NAME,
    SELF,
    SHUTDOWN,
    TEMP_SENSOR,
    first_bit,
)
from journal.blackbox import NEAR_DECIC  # noqa: E402
from signals import TEMP_CHANNELS  # noqa: E402
from vehicle.protocol import READINGS  # noqa: E402

# Why something is not judged, beside the reasons of inletctl.link.replay.
BEFORE = "before the record"

# Number of the first line of commands of a recording that does not begin with the boot: any but 0.
_NOT_FIRST = 1000
_NAMES = {
    "charger_ma": "c_charger_ma",
    "duty_pct_x100": "c_duty_pct_x100",
    "offered_ma": "c_offered_ma",
    "permitted_ma": "c_permitted_ma",
    "hottest_decic": "c_hottest_decic",
    "reasons": "c_reasons",
    "faults": "c_faults",
}
_LATCHED = sum(1 << n for n, row in enumerate(FAULTS) if row[FAULT_CLEARS] != SELF)
_NAMES_OF = Names.from_firmware()
# What is judged by minutes of temperatures (firmware/thermal): known only where the plug came within the record.
_SLOW = {word for word, _ in mask_rows(_NAMES_OF.faults, F_TEMP_DISAGREE | F_TEMP_STUCK)} | {
    word for word, _ in mask_rows(_NAMES_OF.reasons, TEMP_SENSOR)
}
_HOTTEST = COMMAND_FIELDS.index("hottest_decic")
_TEMP_MV, _TEMP_AGE = READINGS.index("temp_mv_0"), READINGS.index("temp_age_ms_0")
# Frames further apart than this were taken while nothing went on (journal/blackbox.py).
_CLOSE_MS = 150
# What makes a frame at once then.
_WATCHED = tuple(READINGS.index(name) for name in ("cp_high_mv", "pp_mv", "lock_feedback_mv"))
# What was heard or converted so recently comes again and again; how often at least.
_FRESH_MS = 400
_OFTEN_MS = 40
# A contact at 2 K/s moves an NTC's divider by 80 mV in the longest time between two frames.
_JUMP_MV = 100


@dataclass
class BoxReplay:
    """What came of a box."""

    box: Box
    result: "Replay | None" = None  # None: nothing of it could be judged
    notes: "list[str]" = field(default_factory=list)  # sentences

    @property
    def is_different(self) -> bool:
        """Return whether the logic decides otherwise."""
        return self.result is not None and bool(self.result.differences)


def commands_of(frame: Frame) -> "tuple[int, ...]":
    """Return the commands of a frame as a line of the console tells them (drivers.virtual_layout.COMMANDS)."""
    return tuple(frame.value(_NAMES.get(name, name)) for name in COMMAND_FIELDS)


def log_of(box: Box, frames: "list[Frame]", is_boot: bool) -> Log:
    """Return frames of a box as the recording that a computer would have made."""
    head = box.head
    header = Header(
        board="",
        board_id="",
        chip="",
        firmware=head.version if head else "",
        began="",
        settings=head.settings if head else None,
    )
    log = Log(Path(box.name), header)
    first = 0 if is_boot else _NOT_FIRST
    before: "Frame | None" = None
    for n, frame in enumerate(frames):
        for word in _asked(before, frame):
            # Just before the pass: it is the one that obeys.
            log.entries.append(Asked((frame.t_ms - 1) & 0x3FFFFFFF, word, ()))
        log.entries.append(Telemetry(frame.t_ms, first + n, COMMANDS_KIND, commands_of(frame), 0))
        log.entries.append(Telemetry(frame.t_ms, first + n + 1, READINGS_KIND, frame.readings, 0))
        before = frame
    return log


def _asked(before: "Frame | None", frame: Frame) -> "list[str]":
    """Return what a computer has asked for between two frames."""
    asked = []
    if frame.flag("console_stop") and not (before and before.flag("console_stop")):
        asked.append("stop")
    if frame.flag("test_lock_lock"):
        asked.append("lock")
    if frame.flag("test_lock_unlock"):
        asked.append("unlock")
    if frame.flag("service_end"):
        asked.append("service_end")
    return asked


def replay_box(box: Box) -> BoxReplay:
    """Run the box through the logic. Never raises for what is missing: that is said in the notes."""
    made = BoxReplay(box, notes=list(box.problems))
    head = box.head
    if head is None:
        made.notes.append("%s: not judged: its settings are lost." % box.name)
        return made
    if head.settings is not None and head.settings_refused:
        made.notes.append(
            "%s: not judged: the board had refused a stored setting, and the box does not hold which."
            % box.name
        )
        return made
    here = firmware_hash()
    if here not in head.version:
        made.notes.append(
            "%s: recorded by firmware %s, replayed with %s here: what differs may be meant."
            % (box.name, head.version or "without a name", here)
        )
    edges = [0, *box.breaks, len(box.frames)]
    for n in range(len(edges) - 1):
        frames = box.frames[edges[n] : edges[n + 1]]
        if frames:
            # A box with a hole before its first frame begins nowhere that is known.
            is_boot = head.from_boot and n == 0 and not box.is_headless
            _judge(made, frames, is_boot)
    if not box.frames:
        made.notes.append("%s: not judged: none of its frames is left." % box.name)
    return made


def _is_broken(before: Sample, after: Sample, n: int) -> bool:
    """Return whether a channel's voltage is none that a contact could have gone to in the time between two frames."""
    return abs(before.values[_TEMP_MV + n] - after.values[_TEMP_MV + n]) > _JUMP_MV


class _BoxSample(Sample):
    """The readings of a frame."""

    def __init__(self, sample: Sample):
        self.__dict__.update(vars(sample))

    def differs(self, other: Sample) -> bool:
        """Return whether something has changed by more than it trembles; a sensor that broke or was mended, too."""
        return super().differs(other) or any(_is_broken(self, other, n) for n in range(TEMP_CHANNELS))  # fmt: skip

    def trembles(self, other: Sample) -> bool:
        """Return whether something has changed at all; temperatures count, as far apart as frames may be."""
        return super().trembles(other) or any(
            self.values[_TEMP_MV + n] != other.values[_TEMP_MV + n] for n in range(TEMP_CHANNELS)
        )


class _BoxRecord(BootRecord):
    """A box as one boot. Where frames are far apart more is known than of a recording: what would have made a frame did not happen."""

    def __init__(self, moments: "list[Moment]"):
        super().__init__(moments)
        self.samples: list[Sample] = [_BoxSample(one) for one in self.samples]

    def switches(self, before: Sample, after: Sample, passes: "list[int]") -> "list[Switch]":
        """Return the ways that the passes may have gone: what the board watches has changed in the last pass, if at all."""
        if after.t_ms - before.t_ms > _CLOSE_MS and not before.differs(_as_watched(before, after)):
            return [Switch(passes[-1])]
        return super().switches(before, after, passes)

    def readings(self, before: Sample, after: Sample, now_ms: int, switch: Switch) -> Any:
        """Return signals.Readings of the pass. What came again and again came in between, too: its silence is a decision."""
        r = super().readings(before, after, now_ms, switch)
        if after.t_ms - before.t_ms > _CLOSE_MS:
            is_jump = self._is_jump(before, after)
            for n in range(TEMP_CHANNELS):
                age_ms = _bridged_ms(before, after, _TEMP_AGE + n, now_ms)
                if age_ms is not None:
                    r.temp_age_ms[n] = age_ms
                    taken_ms = now_ms - age_ms
                    if not is_jump and _is_broken(before, after, n):
                        source = after if taken_ms >= switch.t_ms else before
                        r.temp_mv[n] = source.values[_TEMP_MV + n]
                    else:
                        r.temp_mv[n] = _temp_mv(before, after, n, taken_ms, is_jump)
            for name in ("vehicle_age_ms", "modem_age_ms"):
                age_ms = _bridged_ms(before, after, READINGS.index(name), now_ms)
                if age_ms is not None:
                    setattr(r, name, age_ms)
        return r

    def _is_jump(self, before: Sample, after: Sample) -> bool:
        """Return whether the hottest temperature moved at once: that made the frame, in the pass in which it was believed."""
        was, then = self.said(before.t_ms), self.said(after.t_ms)
        if was is None or then is None:
            return False
        return abs(then[_HOTTEST] - was[_HOTTEST]) > NEAR_DECIC


def _as_watched(before: Sample, after: Sample) -> Sample:
    """Return `after` with what the board watches in every pass as it was before."""
    values = list(after.values)
    for at in _WATCHED:
        values[at] = before.values[at]
    made = copy(after)
    made.values = tuple(values)
    return made


def _bridged_ms(before: Sample, after: Sample, at: int, now_ms: int) -> "int | None":
    """Return the age at `now_ms` of what came again and again between two frames, None where that is not so."""
    came_ms = after.t_ms - after.values[at]
    if before.values[at] > _FRESH_MS or now_ms >= came_ms:
        return None
    return (now_ms - came_ms) % _period_ms(before, after, at)


def _period_ms(before: Sample, after: Sample, at: int) -> int:
    """Return how often it comes: at the ends it was not older than this."""
    longest_ms = max(before.values[at], _OFTEN_MS)
    if after.values[at] <= _FRESH_MS:
        longest_ms = max(longest_ms, after.values[at])
    return longest_ms + PASS_MS


def _temp_mv(before: Sample, after: Sample, n: int, now_ms: int, is_jump: bool) -> int:
    """Return a channel's voltage at a conversion between two frames: on its way, or as it was up to the jump."""
    at = _TEMP_MV + n
    if is_jump:
        # A sample counts once a second one is like it (thermal/channel.py): these two are the last.
        came_ms = after.t_ms - after.values[_TEMP_AGE + n]
        is_new = now_ms >= came_ms - _period_ms(before, after, _TEMP_AGE + n)
        return (after if is_new else before).values[at]
    gone_ms = min(max(now_ms - before.t_ms, 0), after.t_ms - before.t_ms)
    grown = after.values[at] - before.values[at]
    return before.values[at] + grown * gone_ms // (after.t_ms - before.t_ms)


def _judge(made: BoxReplay, frames: "list[Frame]", is_boot: bool) -> None:
    """Replay what hangs together of a box, and add it to what came of the rest."""
    log = log_of(made.box, frames, is_boot)
    result = replay(log, [_BoxRecord(timeline(log))])
    if not is_boot and frames[0].value("session"):
        _leave_out_what_came_before(result, frames)
    offset_us = (frames[0].t_ms - made.box.frames[0].t_ms & 0x3FFFFFFF) * 1000
    for one in (*result.differences, *result.not_judged):
        one.t_us += offset_us
    if made.result is None:
        made.result = result
        return
    whole = made.result
    for name in ("differences", "not_judged"):
        setattr(whole, name, getattr(whole, name) + getattr(result, name))
    whole.same_us += result.same_us
    whole.different_us += result.different_us
    whole.longest_spacing_us = max(whole.longest_spacing_us, result.longest_spacing_us)


def _leave_out_what_came_before(result: Replay, frames: "list[Frame]") -> None:
    """Take back, as not judged, what may be different only for what the plug-in had seen before the first frame.

    That is what host and board never agreed on since then, and what begins with a rest, the last try, or a fault that stays
    until the plug is out. What follows from it is not judged either.
    """
    words = _words_of_before(frames[0])
    left = sorted(result.differences, key=lambda one: one.t_us)
    taken: list[Difference] = []
    unsettled_us = sum(one.length_us for one in result.not_judged if one.why == UNSETTLED)
    if unsettled_us or not result.same_us:
        end_us = unsettled_us
        while left and left[0].t_us <= end_us + PASS_MS * 1000:
            end_us = max(end_us, left[0].t_us + left[0].length_us)
            taken.append(left.pop(0))
        slow = frames[0].value("c_faults") & (F_TEMP_DISAGREE | F_TEMP_STUCK)
        if not result.same_us and words == _SLOW and not slow:
            # Nothing explains why they never agree.
            return
    began_us = min((one.t_us for one in left if _is_of_before(one, words)), default=None)
    last_us = _last_try_us(frames)
    if last_us is not None and (
        began_us is None or last_us - result.longest_spacing_us < began_us
    ):
        # It may have been decided up to a spacing earlier or later.
        began_us = last_us - result.longest_spacing_us
    if left and began_us is not None and left[0].t_us >= began_us - PASS_MS * 1000:
        taken += left
        left = []
    result.differences = left
    result.different_us = sum(length for _, length in _united(left))
    result.not_judged += [NotJudged(t_us, BEFORE, "", length) for t_us, length in _united(taken)]
    result.not_judged.sort(key=lambda one: one.t_us)


def _words_of_before(first: Frame) -> "set[str]":
    """Return names of reasons and faults that may stand or come for what was before this frame."""
    latched = first.value("c_faults") & _LATCHED
    words = _SLOW | {word for word, _ in mask_rows(_NAMES_OF.faults, latched)}
    for n, row in enumerate(FAULTS):
        if latched >> n & 1 and row[FAULT_REASON]:
            words |= {word for word, _ in mask_rows(_NAMES_OF.reasons, int(row[FAULT_REASON]))}
    if first.value("c_openings"):
        words |= {SHUTDOWN[first_bit(bit)][ROW_NAME] for bit in (REST, RETRIES)}
        words |= {word for word, _ in mask_rows(_NAMES_OF.faults, F_TEMP_LATCHED)}
    return words


def _last_try_us(frames: "list[Frame]") -> "int | None":
    """Return when a stop became the last one of a plug-in that had stopped before the first frame; None where none did."""
    if not frames[0].value("c_openings"):
        return None
    for frame in frames:
        if frame.value("c_faults") & F_TEMP_LATCHED or frame.value("c_reasons") & RETRIES:
            return (frame.t_ms - frames[0].t_ms & 0x3FFFFFFF) * 1000
    return None


def _is_of_before(one: Difference, words: "set[str]") -> bool:
    return one.field in ("reasons", "faults") and set(one.board.split()) ^ set(
        one.host.split()
    ) <= words | {"none"}


def _united(some: "list[Difference]") -> "list[tuple[int, int]]":
    """Return (begin, length) of the times that differences cover."""
    made: list[tuple[int, int]] = []
    for one in sorted(some, key=lambda one: one.t_us):
        end_us = one.t_us + one.length_us
        if made and one.t_us <= made[-1][0] + made[-1][1]:
            begin_us = made[-1][0]
            made[-1] = (begin_us, max(end_us - begin_us, made[-1][1]))
        else:
            made.append((one.t_us, one.length_us))
    return made
