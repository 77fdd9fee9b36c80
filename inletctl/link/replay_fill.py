"""What a recording knows of each pass of a boot: what the board said, what it read, and what may have been between.

A reading is exact in its own pass. Of the passes between two readings some is known exactly all the same: the ages say
when a temperature was converted, when the vehicle was last heard and when the pilot had its last edge. The rest is as in
the reading before up to a pass that nobody knows, and as in the one behind from then on: the switch.
"""

from bisect import bisect_left, bisect_right
from typing import Any, NamedTuple

from inletctl.house import use_firmware
from inletctl.link.codec import COMMAND_FIELDS, READINGS_KIND, Telemetry, tick_diff
from inletctl.link.log import Asked, Log
from inletctl.link.timeline import Moment, timeline

use_firmware()

from release import LIVE_DC_MV, NO_CURRENT_MA  # noqa: E402
from signals import PILOT_PERIODS, TEMP_CHANNELS, Readings  # noqa: E402
from vehicle.protocol import FLAGS, READINGS  # noqa: E402

PASS_MS = 10
_AGE_MAX_MS = 60_000
_QUIET_MAX_MS = 1000
# The state that needs no plug: console_stop is forgotten there.
_SESSION = COMMAND_FIELDS.index("session")
_S2 = COMMAND_FIELDS.index("s2_close")
_AT = {name: n for n, name in enumerate(READINGS)}
_BIT = {name: n for n, name in enumerate(FLAGS)}
# The first of four in a row; of the older periods the one before, since those count from 1.
_TEMP_MV, _TEMP_AGE = _AT["temp_mv_0"], _AT["temp_age_ms_0"]
_HIGH_MORE, _PERIOD_MORE = (
    _AT["pilot_high_more_us_x10_1"] - 1,
    _AT["pilot_period_more_us_x10_1"] - 1,
)
# As in signals.Readings, taken over as they are.
_PLAIN = (
    "cp_high_mv", "cp_low_mv", "pp_mv", "pp_rail_mv", "temp_rail_mv", "lock_feedback_mv",
    "lock_motor_ma", "vehicle_limit_ma", "charger_ma", "holds", "person_limit_ma",
    "dc_mv", "modem_toggles", "port_holds", "port_dc_holds", "port_ma", "port_dc_ma",
)  # fmt: skip
_FLAG_FIELDS = (
    "cp_ok", "pp_ok", "lock_feedback_ok", "vehicle_permits", "charger_ok", "ac_ok", "ac_present", "stop_request",
    "unlock_request", "output_lost", "dc_ok", "contactors_ok", "contactors_open", "car_unlock", "car_stop", "is_asleep",
    "modem_wants_c", "modem_permits_unlock", "is_nearly_full", "car_ac_live",
)  # fmt: skip
# Less than this is no change, but what a measurement trembles by.
_TREMBLE = {
    "pilot_count": 1,
    "pilot_high_us_x10": 20,
    "pilot_period_us_x10": 20,
    "cp_high_mv": 200,
    "cp_low_mv": 200,
    "pp_mv": 20,
    "pp_rail_mv": 50,
    "temp_rail_mv": 50,
    "lock_feedback_mv": 50,
    "lock_motor_ma": 50,
    "vehicle_limit_ma": 0,
    "holds": 0,
    "person_limit_ma": 0,
    "port_holds": 0,
    "port_dc_holds": 0,
    "port_ma": 0,
    "port_dc_ma": 0,
    "modem_toggles": 0,
}
_TREMBLES = tuple((_AT[name], most) for name, most in _TREMBLE.items())
# What comes and goes slowly, and below which limit it means "nothing" (release.py).
_RAMPS = ((_AT["charger_ma"], 300), (_AT["dc_mv"], 2000))
_LIMITS = ((_AT["charger_ma"], NO_CURRENT_MA), (_AT["dc_mv"], LIVE_DC_MV))
_READ_FLAGS = sum(1 << _BIT[name] for name in FLAGS if name != "service")
_SWITCHES = 6
UNSAID, LOST = "before both first agreed", "lines lost"


class Switch(NamedTuple):
    """One way that the readings of the passes between two lines may have gone."""

    t_ms: int  # as in the line behind from then on
    is_noisy: bool = False  # until that line no two periods of the pilot were alike


class Sample:
    """One line of readings, at `t_ms` of the time line."""

    def __init__(self, t_ms: int, line: Telemetry):
        self.t_ms = t_ms
        self.values = line.values
        self.number = line.number
        self.flags = line.values[_AT["flags"]]

    def at(self, name: str) -> int:
        """Return the reading `name` of vehicle.protocol.READINGS."""
        return self.values[_AT[name]]

    @property
    def is_noisy(self) -> bool:
        """Return whether the pilot's periods of the pass are not alike."""
        return any(
            abs(more) > _TREMBLE["pilot_period_us_x10"]
            for more in self.values[_HIGH_MORE + 1 : _HIGH_MORE + 2 * PILOT_PERIODS - 1]
        )

    def differs(self, other: "Sample") -> bool:
        """Return whether something has changed by more than it trembles, or a ramp has crossed its limit."""
        if (self.flags ^ other.flags) & _READ_FLAGS:
            return True
        mine, others = self.values, other.values
        for at, limit in _LIMITS:
            if (mine[at] < limit) != (others[at] < limit):
                return True
        for at, most in _TREMBLES:
            if abs(mine[at] - others[at]) > most:
                return True
        return False

    def trembles(self, other: "Sample") -> bool:
        """Return whether something has changed at all."""
        mine, others = self.values, other.values
        return any(mine[at] != others[at] for at, _ in (*_TREMBLES, *_LIMITS))

    def ramps(self, other: "Sample") -> bool:
        """Return whether what comes and goes slowly has changed by more than it trembles."""
        return any(abs(self.values[at] - other.values[at]) > most for at, most in _RAMPS)

    def readings(self, now_ms: int) -> Any:
        """Return signals.Readings as if they had been the same at `now_ms`."""
        r = Readings()
        fill(r, self, self, now_ms, Switch(now_ms))
        for n in range(TEMP_CHANNELS):
            r.temp_age_ms[n] = self.values[_TEMP_AGE + n]
        r.vehicle_age_ms = self.at("vehicle_age_ms")
        r.modem_age_ms = self.at("modem_age_ms")
        r.pilot_quiet_ms = self.at("pilot_quiet_ms")
        return r


def fill(r: Any, before: Sample, after: Sample, now_ms: int, switch: Switch) -> None:
    """Write to `r` what was read at `now_ms`, later than `before` and not later than `after`.

    What nobody knows is as in `after` from `switch` on.
    """
    source = after if now_ms >= switch.t_ms or now_ms >= after.t_ms else before
    for name in _PLAIN:
        setattr(r, name, source.at(name))
    for name in _FLAG_FIELDS:
        setattr(r, name, bool(source.flags >> _BIT[name] & 1))
    for n in range(TEMP_CHANNELS):
        r.temp_ok[n] = source.flags >> _BIT["temp_ok_0"] + n & 1
        age_ms = _age_ms(before, after, _TEMP_AGE + n, now_ms)
        r.temp_age_ms[n] = max(age_ms, -1 - age_ms)
        r.temp_mv[n] = (after if age_ms >= 0 else before).values[_TEMP_MV + n]
    for name in ("vehicle_age_ms", "modem_age_ms"):
        age_ms = _age_ms(before, after, _AT[name], now_ms)
        setattr(r, name, max(age_ms, -1 - age_ms))
    _fill_pilot(r, before, after, source, now_ms)
    if switch.is_noisy and now_ms < after.t_ms:
        r.pilot_quiet_ms = 0
        r.pilot_count = PILOT_PERIODS
        for n in range(PILOT_PERIODS):
            r.pilot_period_us_x10[n] = n + 1


def _age_ms(before: Sample, after: Sample, at: int, now_ms: int) -> int:
    """Return the age at `now_ms`: 0 or more where it is of what `after` tells, -1 - age of what `before` tells."""
    came_ms = after.t_ms - after.values[at]
    if after.values[at] < _AGE_MAX_MS and now_ms >= came_ms:
        return now_ms - came_ms
    return -1 - min(before.values[at] + now_ms - before.t_ms, _AGE_MAX_MS)


def _fill_pilot(r: Any, before: Sample, after: Sample, source: Sample, now_ms: int) -> None:
    quiet_ms = after.at("pilot_quiet_ms")
    edge_ms = after.t_ms - quiet_ms
    if quiet_ms >= PASS_MS and now_ms < after.t_ms:
        # No edge since then: that pass had the last ones.
        source = after if now_ms >= edge_ms + PASS_MS or quiet_ms >= _QUIET_MAX_MS else before
        quiet_ms = max(0, now_ms - edge_ms)
    elif source is before:
        quiet_ms = before.at("pilot_quiet_ms")
    if source is before and before.at("pilot_quiet_ms") >= PASS_MS:
        quiet_ms = min(before.at("pilot_quiet_ms") + now_ms - before.t_ms, _QUIET_MAX_MS)
    r.pilot_quiet_ms = min(quiet_ms, _QUIET_MAX_MS)
    r.pilot_count = source.at("pilot_count")
    # The newest stands last.
    newest = max(0, r.pilot_count - 1)
    high, period = source.at("pilot_high_us_x10"), source.at("pilot_period_us_x10")
    for n in range(PILOT_PERIODS):
        r.pilot_high_us_x10[n] = high
        r.pilot_period_us_x10[n] = period
    for n in range(newest):
        r.pilot_high_us_x10[n] += source.values[_HIGH_MORE + newest - n]
        r.pilot_period_us_x10[n] += source.values[_PERIOD_MORE + newest - n]


class BootRecord:
    """One boot of the board, as far as it is recorded. Times are those of the log's time line, in ms."""

    def __init__(self, moments: list[Moment]):
        self.begin_ms = moments[0].t_us // 1000
        self.end_ms = moments[-1].t_us // 1000 + PASS_MS
        self.samples: list[Sample] = []
        self.asked: list[tuple[int, str]] = []
        self._line_ms: list[int] = []
        self._lines: list[Telemetry] = []
        for moment in moments:
            t_ms = moment.t_us // 1000
            entry = moment.entry
            if isinstance(entry, Asked):
                self.asked.append((t_ms, entry.word))
            elif isinstance(entry, Telemetry) and entry.kind == READINGS_KIND:
                if self.samples and self.samples[-1].t_ms == t_ms:
                    self.samples.pop()
                self.samples.append(Sample(t_ms, entry))
            elif isinstance(entry, Telemetry):
                self._line_ms.append(t_ms)
                self._lines.append(entry)
        self._is_lost = [False] * len(
            self._lines
        )  # something was said between this line and the next
        for n in range(1, len(self._lines)):
            self._is_lost[n - 1] = tick_diff(self._lines[n].number, self._lines[n - 1].number) > 1
        if self._lines and self.samples:
            told = tick_diff(self.samples[-1].number, self._lines[-1].number)
            self._is_lost[-1] = told > 1
        self._is_stopped = False
        self._r: Any = Readings()

    @property
    def is_whole(self) -> bool:
        """Return whether the first line of the boot is in it, so that nothing was before."""
        return bool(self._lines) and self._lines[0].number == 0

    @property
    def begins_charging(self) -> bool:
        """Return whether the board says, when the readings begin or first after that, that S2 is closed."""
        if not self._lines:
            return False
        at = max(bisect_right(self._line_ms, self.samples[0].t_ms) - 1, 0)
        return self._lines[at].values[_S2] != 0

    def said(self, now_ms: int) -> "tuple[int, ...] | None":
        """Return the commands of the pass, None where the record does not tell."""
        at = bisect_right(self._line_ms, now_ms) - 1
        if at < 0 or (self._is_lost[at] and self._line_ms[at] != now_ms):
            return None
        return self._lines[at].values

    def why_unsaid(self, now_ms: int) -> str:
        """Return why `said` is None."""
        return LOST if bisect_right(self._line_ms, now_ms) else UNSAID

    def line_times(self) -> list[int]:
        """Return the ticks of which lines of commands tell, in order."""
        return self._line_ms

    def is_line(self, now_ms: int) -> bool:
        """Return whether a line of commands was told of this very pass."""
        at = bisect_left(self._line_ms, now_ms)
        return at < len(self._line_ms) and self._line_ms[at] == now_ms

    def passes(self, before: Sample, after: Sample) -> list[int]:
        """Return the ticks of the passes behind `before` up to `after`: every 10 ms, and where a line tells of one."""
        if before is after:
            return [after.t_ms]
        passes = []
        now_ms = before.t_ms
        at = bisect_right(self._line_ms, now_ms)
        while now_ms < after.t_ms:
            now_ms += PASS_MS
            while at < len(self._line_ms) and self._line_ms[at] < now_ms - PASS_MS // 2:
                at += 1
            if at < len(self._line_ms) and self._line_ms[at] < now_ms + PASS_MS // 2:
                now_ms = self._line_ms[at]
            if now_ms > after.t_ms - PASS_MS // 2:
                now_ms = after.t_ms
            passes.append(now_ms)
        return passes

    def switches(self, before: Sample, after: Sample, passes: list[int]) -> list[Switch]:
        """Return the ways that the passes may have gone, the earliest change first; one where nothing has changed."""
        is_asked = any(before.t_ms - PASS_MS <= t_ms <= after.t_ms for t_ms, _ in self.asked)
        if len(passes) == 1:
            return [Switch(passes[-1])]
        if not (is_asked or before.differs(after)):
            # What is on its way has no edge to be missed: early or late is all there is.
            ends = {passes[0], passes[-1]} if before.ramps(after) else {passes[-1]}
            return [Switch(now_ms) for now_ms in sorted(ends)]
        found = passes
        if len(passes) > _SWITCHES:
            some = {n * (len(passes) - 1) // (_SWITCHES - 1) for n in range(_SWITCHES)}
            for n, now_ms in enumerate(passes):
                if self.is_line(now_ms):
                    # The cause of what was decided then, or what came of it.
                    some.update((n, min(n + 1, len(passes) - 1)))
            found = [passes[n] for n in sorted(some)]
        switches = [Switch(now_ms) for now_ms in found]
        if before.is_noisy or after.is_noisy:
            switches.append(Switch(passes[-1], True))
        return switches

    def readings(self, before: Sample, after: Sample, now_ms: int, switch: Switch) -> Any:
        """Return signals.Readings of the pass; what a computer asked for takes effect with the switch."""
        r = self._r
        fill(r, before, after, now_ms, switch)
        r.test_lock = 0
        r.service_end = False
        r.console_stop = self._wants_stop(before, now_ms, switch.t_ms)
        for t_ms, word in self.asked:
            # In one pass: the first behind the asking, or the switch.
            if before.t_ms - PASS_MS <= t_ms < after.t_ms and now_ms == max(
                switch.t_ms, t_ms + PASS_MS
            ):
                if word in ("lock", "unlock"):
                    r.test_lock = 1 if word == "lock" else -1
                elif word == "service_end":
                    r.service_end = True
        return r

    def _wants_stop(self, before: Sample, now_ms: int, switch_ms: int) -> bool:
        wants = False
        for t_ms, word in self.asked:
            if word == "stop" and now_ms > t_ms and (now_ms >= switch_ms or t_ms < before.t_ms):
                wants = True
                for at in range(bisect_right(self._line_ms, t_ms), len(self._lines)):
                    if self._line_ms[at] >= now_ms:
                        break
                    if not self._lines[at].values[_SESSION]:
                        wants = False
                        break
        return wants


def boot_records(log: Log) -> list[BootRecord]:
    """Return the boots of the log, in order of time."""
    moments = timeline(log)
    return [
        BootRecord([moment for moment in moments if moment.boot == boot])
        for boot in range(moments[-1].boot + 1 if moments else 0)
    ]
