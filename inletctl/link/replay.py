"""A recorded session through the logic on this computer: where would it now decide otherwise?

The board's readings are fed in passes of 10 ms; what comes out is compared, pass by pass, with what the board said. Every
pass of the recording ends as one of three: the same; different; or not judged, with the reason: nothing was read then,
lines are missing, both have not agreed yet, or what the board decided hangs on what changed between two readings.

Between two readings nobody knows when a reading changed. Where one did, the logic goes on in several ways, with the
change early and late and when the board itself changed (replay_fill.py); a way that the board's own words contradict is
given up. Passes in which the ways disagree are not judged, nor are those in which none agrees with the board: for up to two
spacings of the readings around such a change, for half a spacing anywhere, and around noise on the pilot until both agree
again, 10 s at most. A record with a reading of every pass leaves nothing open: there, any pass that is not the same is
different.
"""

import pickle
from array import array
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Any

from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.link.codec import COMMAND_FIELDS
from inletctl.link.log import Log
from inletctl.link.replay_fill import BootRecord, Sample, Switch, boot_records
from inletctl.record import Names, mask_rows, name_of

use_firmware()

from settings import Settings  # noqa: E402
from signals import Commands  # noqa: E402
from step import InletStep  # noqa: E402

PASS_MS = 10
_TICKS_MASK = 0x3FFFFFFF
# A recording may begin in the middle of a session: until both agree for the first time, for so long at most, host and
# board are not compared.
_SETTLE_MS = 10_000
# One that begins while charging is led in to: the plug in, the pilot in state B, nothing drawn, until S2 closes.
_LEAD_IN_MS = 10_000
_STATE_B_MV = 9000
# Ways that are followed at once; and once nothing has changed for so long.
_WAYS = 8
_WAYS_AT_REST = 4
_REST_MS = 1500
# For so long no way may agree while the ways do not decide alike, either.
_UNLIKE_MS = 500
# Newest spacings of readings, of which the widest counts.
_SPACINGS = 4
# A plug is told so long after it came at least.
_PROOF_MS = 30
# What noise does between two readings nobody can follow; so long after it both must agree again.
_NOISE_MS = 10_000
# Readings further apart than this leave a hole.
_HOLE_MS = 1500
# Values that the board tells by the way once they have moved a little (vehicle/console.py), and mean values of a pass
# whose newest period alone is told.
_NEAR = {
    "charger_ma": 400,
    "offered_ma": 400,
    "permitted_ma": 400,
    "duty_pct_x100": 50,
}
# Told with the next line only, so judged only in its pass.
_WITH_LINE = {"hottest_decic": 10}

BETWEEN, UNSETTLED, NO_READINGS, LINES_LOST = (
    "changed between readings",
    "before both first agreed",
    "no readings",
    "lines lost",
)


@dataclass
class Difference:
    """From `t_us` on the board said `board` and the host says `host`, for `length_us`."""

    t_us: int
    field: str  # of drivers.virtual_layout.COMMANDS
    board: str
    host: str
    length_us: int = 0


@dataclass
class NotJudged:
    """From `t_us` on, for `length_us`, the record does not let anybody judge."""

    t_us: int
    why: str  # BETWEEN, UNSETTLED, NO_READINGS or LINES_LOST
    fields: str  # what would have had to be judged, in words; "" where that is everything
    length_us: int = 0


@dataclass
class Replay:
    """What came of it. The three times add up to the recorded time."""

    differences: list[Difference] = field(default_factory=list)
    not_judged: list[NotJudged] = field(default_factory=list)
    same_us: int = 0
    different_us: int = 0
    boots: int = 0
    longest_spacing_us: int = 0  # between two lines of readings

    @property
    def not_judged_us(self) -> int:
        """Return how long nobody could judge."""
        return sum(one.length_us for one in self.not_judged)

    def not_judged_why_us(self, why: str) -> int:
        """Return how long nobody could judge for the reason `why`."""
        return sum(one.length_us for one in self.not_judged if one.why == why)


def replay(log: Log, records: "list[BootRecord] | None" = None) -> Replay:
    """Run the log through the logic. Raises UserError where it holds no readings.

    `records` are the log's boots where somebody knows more of them than boot_records(log) does.
    """
    result = Replay()
    names = Names.from_firmware()
    for boot in boot_records(log) if records is None else records:
        if boot.samples:
            _Boot(log, boot, names, result).run()
            result.boots += 1
        else:
            _not_judged(result, boot.begin_ms, boot.end_ms - boot.begin_ms, NO_READINGS)
    if not result.boots:
        raise UserError(
            "%s: holds no readings to replay: record with `inletctl monitor --rate 50 --log FILE`."
            % log.path
        )
    result.differences.sort(key=lambda one: one.t_us)
    return result


def _unplug(r: Any, settings: Any) -> None:
    """Make the readings those of an inlet without a plug."""
    pullup_ohm, pulldown_ohm = settings.pp_pullup_ohm, settings.pp_pulldown_ohm
    r.pp_mv = r.pp_rail_mv
    if pulldown_ohm:
        r.pp_mv = r.pp_rail_mv * pulldown_ohm // (pullup_ohm + pulldown_ohm)
    r.pilot_count = 0
    r.pilot_quiet_ms = 1000
    r.cp_high_mv = r.cp_low_mv = 0
    r.charger_ma = 0
    r.ac_present = False


def _not_judged(result: Replay, t_ms: int, length_ms: int, why: str, fields: str = "") -> None:
    if length_ms <= 0:
        return
    last = result.not_judged[-1] if result.not_judged else None
    if last and (last.why, last.fields, last.t_us + last.length_us) == (why, fields, t_ms * 1000):
        last.length_us += length_ms * 1000
    else:
        result.not_judged.append(NotJudged(t_ms * 1000, why, fields, length_ms * 1000))


# What a way decided in the fields in which the board said otherwise: (field, number) each.
_Odd = tuple[tuple[str, int], ...]


class _Way:
    """One way that what was not read may have gone."""

    def __init__(self, inlet: InletStep, commands: Any):
        self.inlet = inlet
        self.commands = commands
        self.odd_ms = 0  # for how long it has said otherwise than the board, without a break
        self.misses = 0  # passes in which it has since the last rest
        self.odds: list[_Odd] = []  # where, in each pass since the newest reading

    def fork(self) -> "_Way":
        """Return a copy that goes its own way."""
        copies: dict[int, Any] = {}
        made = _Way(_copy(self.inlet, copies), _copy(self.commands, copies))
        made.odd_ms, made.misses = self.odd_ms, self.misses
        return made


# What cannot change, or is the same for all ways.
_PLAIN = frozenset((int, bool, float, str, bytes, type(None), Settings))
_decided_of = attrgetter(*COMMAND_FIELDS)


def _copy(value: Any, copies: dict[int, Any]) -> Any:
    """Return a deep copy of an object of the firmware; what cannot change is shared. A small part of copy.deepcopy's time."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is array or kind is bytearray:
        return value[:]
    if kind is tuple:
        # Tables of plain values stay, rooms side by side do not.
        return (
            tuple([_copy(one, copies) for one in value]) if value and _is_room(value[0]) else value
        )
    if kind in (list, dict, set):
        parts = chain(value, value.values()) if kind is dict else value
        return value.copy() if _PLAIN.issuperset(map(type, parts)) else deepcopy(value)
    if not _is_room(value):
        return value
    made = copies.get(id(value))
    if made is None:
        made = copies[id(value)] = object.__new__(kind)
        made.__dict__.update(
            {
                # Most of what a room has is plain: a call for each would be half the time.
                name: one if type(one) in _PLAIN else _copy(one, copies)
                for name, one in value.__dict__.items()
            }
        )
    return made


def _is_room(value: Any) -> bool:
    return hasattr(value, "__dict__") and not callable(value)


@dataclass
class _Pass:
    """A pass that is not yet decided upon."""

    t_ms: int
    length_ms: int
    words: dict[str, tuple[str, str]]  # field: what the board said, what all ways decide


class _Boot:
    """One boot of the board, replayed."""

    def __init__(self, log: Log, record: BootRecord, names: Names, result: Replay):
        self._record = record
        self._names = names
        self._result = result
        self._settings: Any = Settings(log.header.settings)
        self._ways = [_Way(InletStep(self._settings), Commands())]
        self._is_settled = False
        self._settle_until_ms = 0
        self._open: dict[str, Difference] = {}
        self._pending: list[_Pass] = []  # no way has agreed since the first of these
        self._excuse_ms = 0  # for how long that may be for what changed between readings
        self._excuse_until_ms = 0  # if it began by then
        self._noisy_until_ms = -1  # until then it may be for noise on the pilot
        self._spacings_ms: list[int] = []  # the newest of the readings
        self._changed_ms = 0  # when something last changed between two readings
        self._is_apart = False  # host and board differ, and nothing excuses it

    def run(self) -> None:
        """Compare to the end of the boot."""
        record, samples = self._record, self._record.samples
        first = samples[0]
        self._settle_until_ms = first.t_ms + _SETTLE_MS
        _not_judged(self._result, record.begin_ms, first.t_ms - record.begin_ms, NO_READINGS)
        if record.is_whole:
            self._begin(first)
        elif record.begins_charging:
            self._lead_in(first)
        before = first
        for n, sample in enumerate(samples):
            self._segment(before, sample, samples[n + 1].t_ms if n + 1 < len(samples) else None)
            before = sample
        self._end_pending()
        last_ms = samples[-1].t_ms + PASS_MS
        _not_judged(self._result, last_ms, record.end_ms - last_ms, NO_READINGS)
        if not self._is_settled:
            # Never compared is not the same as nothing different.
            way = self._ways[0]
            length_ms = last_ms - first.t_ms
            said = record.said(samples[-1].t_ms) or ()
            for name, decided in way.odds[-1]:
                words = self._words(name, said, decided)
                self._result.differences.append(
                    Difference(first.t_ms * 1000, name, *words, length_ms * 1000)
                )

    def _begin(self, first: Sample) -> None:
        """Go from the boot to the first reading: a plug in it came with a line, or just now, or was in all the time."""
        settings = self._settings
        begin_ms = self._record.begin_ms
        starts = {begin_ms, *range(first.t_ms - _PROOF_MS, first.t_ms + 1, PASS_MS)}
        starts |= {ms for ms in self._record.line_times() if begin_ms < ms < first.t_ms}
        starts = [begin_ms, *sorted(starts - {begin_ms})[1 - _WAYS :]]
        ways = [self._ways[0], *(self._ways[0].fork() for _ in starts[1:])]
        for way, start_ms in zip(ways, starts, strict=True):
            for now_ms in range(begin_ms, first.t_ms, PASS_MS):
                r = first.readings(now_ms)
                if now_ms < start_ms:
                    _unplug(r, settings)
                self._step(way, now_ms, r)
        self._ways = ways

    def _lead_in(self, first: Sample) -> None:
        """Bring the logic to where it charges, as the board was before the recording began."""
        way = self._ways[0]
        for now_ms in range(first.t_ms - _LEAD_IN_MS, first.t_ms, PASS_MS):
            r = first.readings(now_ms)
            r.cp_high_mv = _STATE_B_MV
            r.charger_ma = 0
            r.ac_present = False
            self._step(way, now_ms, r)
            if way.commands.s2_close:
                # The board's clock goes on from here.
                break

    def _step(self, way: _Way, now_ms: int, readings: Any) -> None:
        way.inlet.step(now_ms & _TICKS_MASK, readings, way.commands)

    def _segment(self, before: Sample, sample: Sample, next_ms: "int | None") -> None:
        """Go on from the pass after `before` to that of `sample`."""
        spacing_ms = sample.t_ms - before.t_ms
        self._result.longest_spacing_us = max(self._result.longest_spacing_us, spacing_ms * 1000)
        passes = self._record.passes(before, sample)
        switches = self._record.switches(before, sample, passes)
        # The readings of a change come in between: it is the rate that counts.
        self._spacings_ms = [*self._spacings_ms[1 - _SPACINGS :], spacing_ms]
        wide_ms = max(self._spacings_ms)
        if len(switches) > 1:
            self._excuse_ms = 2 * wide_ms
            self._excuse_until_ms = max(self._excuse_until_ms, sample.t_ms + self._excuse_ms)
            self._changed_ms = sample.t_ms
            if any(switch.is_noisy for switch in switches):
                self._noisy_until_ms = sample.t_ms + _NOISE_MS
        elif len(passes) > 1 and before.trembles(sample) and before.t_ms > self._excuse_until_ms:
            # It may have passed a limit at any time between.
            self._excuse_ms = wide_ms
            self._excuse_until_ms = sample.t_ms
        ways = self._follow(before, sample, switches, passes)
        end_ms = sample.t_ms + PASS_MS
        ends = [*passes[1:], min(next_ms or end_ms, end_ms)]
        all_odds = zip(*(way.odds for way in ways), strict=True)
        for now_ms, then_ms, odds in zip(passes, ends, all_odds, strict=True):
            if spacing_ms > _HOLE_MS and now_ms != sample.t_ms:
                self._end_pending()
                _not_judged(self._result, now_ms, then_ms - now_ms, NO_READINGS)
            else:
                self._judge(now_ms, then_ms - now_ms, odds)
        if len(ways) > 1:
            self._ways = self._keep(ways, sample.t_ms)

    def _follow(
        self, before: Sample, sample: Sample, switches: list[Switch], passes: list[int]
    ) -> list[_Way]:
        """Take every way through the passes, as often as the readings may have changed at another time."""
        if len(switches) == 1:
            self._go(self._ways, before, sample, switches[0], passes)
            return self._ways
        forks = [[way.fork() for way in self._ways] for _ in switches]
        for switch, ways in zip(switches, forks, strict=True):
            self._go(ways, before, sample, switch, passes)
        # In the order of their changes: of the earlier one first.
        return [way for ways in zip(*forks, strict=True) for way in ways]

    def _go(
        self, ways: list[_Way], before: Sample, sample: Sample, switch: Switch, passes: list[int]
    ) -> None:
        for way in ways:
            way.odds = []
        for now_ms in passes:
            r = self._record.readings(before, sample, now_ms, switch)
            for way in ways:
                self._step(way, now_ms, r)
                self._note(way, now_ms)

    def _note(self, way: _Way, now_ms: int) -> None:
        """Compare the way's pass with what the board said in it."""
        odd = self._odd(way.commands, now_ms)
        way.odd_ms = way.odd_ms + PASS_MS if odd else 0
        way.misses += bool(odd)
        way.odds.append(odd)

    def _odd(self, commands: Any, now_ms: int) -> _Odd:
        """Return where host and board differ."""
        said = self._record.said(now_ms)
        if said is None:
            return ()
        if _decided_of(commands) == said:
            return ()
        is_line = self._record.is_line(now_ms)
        found: list[tuple[str, int]] = []
        for name, value in zip(COMMAND_FIELDS, said, strict=True):
            decided = int(getattr(commands, name))
            if value == decided:
                continue
            if name in _WITH_LINE:
                if is_line and abs(value - decided) > _WITH_LINE[name] and commands.hottest_ok:
                    found.append((name, decided))
            elif abs(value - decided) > _NEAR.get(name, 0) or bool(value) != bool(decided):
                found.append((name, decided))
        return tuple(found)

    def _judge(self, now_ms: int, length_ms: int, odds: tuple[_Odd, ...]) -> None:
        """Decide upon a pass: `odds` says where each way differs from the board."""
        said = self._record.said(now_ms)
        if said is None:
            self._end_pending()
            _not_judged(self._result, now_ms, length_ms, self._record.why_unsaid(now_ms))
            return
        if not self._is_settled:
            self._is_settled = not all(odds) or now_ms >= self._settle_until_ms
            if all(odds):
                _not_judged(self._result, now_ms, length_ms, UNSETTLED)
                return
        if not any(odds):
            self._agree()
            self._result.same_us += length_ms * 1000
        elif not all(odds):
            self._agree()
            fields = sorted({name for odd in odds for name, _ in odd})
            _not_judged(self._result, now_ms, length_ms, BETWEEN, " ".join(fields))
        else:
            self._doubt(said, odds, now_ms, length_ms)

    def _doubt(
        self, said: tuple[int, ...], odds: tuple[_Odd, ...], now_ms: int, length_ms: int
    ) -> None:
        """Take a pass in which no way agrees with the board."""
        # Where the ways decide alike it does not matter what was between the readings.
        alike = set(odds[0]).intersection(*odds[1:])
        odd = sorted(alike or odds[0])
        words = {name: self._words(name, said, decided) for name, decided in odd}
        self._pending.append(_Pass(now_ms, length_ms, words))
        begin_ms = self._pending[0].t_ms
        lasts_ms = now_ms + length_ms - begin_ms
        # A time is known no better than half the spacing of the readings, whatever it counts from.
        is_excused = 2 * lasts_ms <= max(self._spacings_ms) or (
            begin_ms <= self._excuse_until_ms
            and (lasts_ms <= self._excuse_ms or now_ms <= self._noisy_until_ms)
        )
        if self._is_apart or not (is_excused or (not alike and lasts_ms <= _UNLIKE_MS)):
            self._differ()

    def _agree(self) -> None:
        """Some way agrees: what went before was the record's, not the logic's, unless it lasted too long."""
        if self._pending:
            last = self._pending[-1]
            again_ms = last.t_ms + last.length_ms
            if again_ms - self._pending[0].t_ms > max(self._excuse_ms, _UNLIKE_MS):
                # Only noise excuses as much. What every way did meanwhile the board did not: its rests end otherwise.
                self._noisy_until_ms = self._excuse_until_ms = again_ms + _NOISE_MS
        self._end_pending()
        self._is_apart = False
        self._open.clear()

    def _end_pending(self) -> None:
        for one in self._pending:
            _not_judged(self._result, one.t_ms, one.length_ms, BETWEEN, " ".join(one.words))
        self._pending.clear()

    def _differ(self) -> None:
        self._is_apart = True
        for one in self._pending:
            self._result.different_us += one.length_ms * 1000
            for name in [name for name in self._open if name not in one.words]:
                del self._open[name]
            for name in one.words:
                if name not in self._open:
                    self._open[name] = Difference(one.t_ms * 1000, name, *one.words[name])
                    self._result.differences.append(self._open[name])
                self._open[name].length_us = (one.t_ms + one.length_ms) * 1000 - self._open[
                    name
                ].t_us
        self._pending.clear()

    def _keep(self, ways: list[_Way], now_ms: int) -> list[_Way]:
        """Give up the ways that the board contradicts, and of those that are alike all but one."""
        if any(not way.odd_ms for way in ways):
            ways = [way for way in ways if way.odd_ms <= self._excuse_ms]
        most = _WAYS
        if now_ms - self._changed_ms > _REST_MS:
            most = _WAYS_AT_REST
        elif len(ways) <= most:
            return ways
        kept = {pickle.dumps((way.inlet, way.commands), 5): way for way in ways}
        ways = list(kept.values())
        agreeing = [way for way in ways if not way.odd_ms]
        if len(agreeing) >= most:
            # The earliest, the latest, and those that have agreed best.
            best = [agreeing[0], agreeing[-1]]
            best += sorted(agreeing[1:-1], key=lambda way: way.misses)[: most - 2]
            kept_ways = [way for way in agreeing if way in best]
            if most == _WAYS_AT_REST:
                for way in kept_ways:
                    way.misses = 0
            return kept_ways
        best = sorted(ways, key=lambda way: way.odd_ms)[:most]
        return [way for way in ways if way in best]

    def _words(self, name: str, said: tuple[int, ...], decided: int) -> tuple[str, str]:
        value = said[COMMAND_FIELDS.index(name)]
        return (self._show(name, value), self._show(name, decided))

    def _show(self, name: str, value: int) -> str:
        if name in ("light", "session", "pilot_state", "lock_state", "limiter"):
            return name_of(self._names.of(name), value)
        if name in ("reasons", "faults"):
            return " ".join(word for word, _ in mask_rows(self._names.of(name), value)) or "none"
        return str(value)
