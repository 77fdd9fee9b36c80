"""A recorded session through the logic on this computer: where would it now decide otherwise?

The board's readings are held from line to line and fed in passes of 10 ms; what comes out is compared with what the
board said. Both follow the same rules, so what differs for longer than the readings are apart is a changed decision:
another firmware, other settings, or a fault of the recording.

What the readings do not hold is guessed: all periods of a pass are like the newest, and a temperature is converted when
its reading changes, or every 200 ms.
The sparser the readings, the coarser the replay; 20 ms is what the board can tell, 50 ms is good. What hangs on less than
that (a bolt that stalls, a sensor that fails for just its limit) may be decided otherwise without any change.
"""

from dataclasses import dataclass, field
from typing import Any

from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.link.codec import COMMAND_FIELDS, READINGS_KIND, Telemetry
from inletctl.link.log import Asked, Log
from inletctl.link.timeline import Moment, timeline
from inletctl.record import Names, mask_rows, name_of

use_firmware()

from settings import Settings  # noqa: E402
from signals import PILOT_PERIODS, TEMP_CHANNELS, Commands, Readings  # noqa: E402
from step import InletStep  # noqa: E402
from vehicle.protocol import FLAGS, READINGS  # noqa: E402

_PASS_MS = 10
_TICKS_MASK = 0x3FFFFFFF
_CONVERTED_MS = 200
_MORE_MS = 50  # tolerance beyond the readings' own spacing
_GAPS = 5  # newest spacings of readings, of which the longest counts
# A recording may begin in the middle of a session: until both agree for the first time, for so long at most, host and
# board are not compared.
_SETTLE_MS = 10_000
# One that begins while charging is led in to: the plug in, the pilot in state B, nothing drawn, until S2 closes.
_LEAD_IN_MS = 10_000
_STATE_B_MV = 9000
# Values that tremble are told a second late, and by the newest period alone where the board has several.
_NEAR = {
    "charger_ma": 400,
    "offered_ma": 400,
    "permitted_ma": 400,
    "duty_pct_x100": 50,
    "hottest_decic": 10,
}
_SLOW_MS = 1000
_FLAG_FIELDS = {
    "cp_ok": 0, "pp_ok": 1, "lock_feedback_ok": 6, "vehicle_permits": 7, "charger_ok": 8, "ac_ok": 9,
    "ac_present": 10, "stop_request": 11, "unlock_request": 12, "output_lost": 13,
}  # fmt: skip
_TEMP_OK_BIT = FLAGS.index("temp_ok_0")
_PLAIN = (
    "pilot_quiet_ms", "cp_high_mv", "cp_low_mv", "pp_mv", "pp_rail_mv", "temp_rail_mv", "lock_feedback_mv",
    "lock_motor_ma", "vehicle_age_ms", "vehicle_limit_ma", "charger_ma",
)  # fmt: skip
_AT = {name: n for n, name in enumerate(READINGS)}


@dataclass
class Difference:
    """From `t_us` on the board said `board` and the host says `host`, for `length_us`."""

    t_us: int
    field: str  # of drivers.virtual_layout.COMMANDS
    board: str
    host: str
    length_us: int = 0


@dataclass
class Replay:
    """What came of it."""

    differences: list[Difference] = field(default_factory=list)
    compared_us: int = 0
    not_compared_us: int = 0  # before host and board agreed for the first time
    boots: int = 0
    longest_spacing_us: int = 0  # between two lines of readings


def replay(log: Log) -> Replay:
    """Run the log through the logic. Raises UserError where it holds no readings."""
    moments = timeline(log)
    result = Replay()
    names = Names.from_firmware()
    for boot in range(moments[-1].boot + 1 if moments else 0):
        mine = [moment for moment in moments if moment.boot == boot]
        if any(_is_readings(moment) for moment in mine):
            _Boot(log, mine, names, result).run()
            result.boots += 1
    if not result.boots:
        raise UserError(
            "%s: holds no readings to replay: record with `inletctl monitor --rate 50 --log FILE`."
            % log.path
        )
    result.differences.sort(key=lambda one: one.t_us)
    return result


def _is_readings(moment: Moment) -> bool:
    return isinstance(moment.entry, Telemetry) and moment.entry.kind == READINGS_KIND


class _Boot:
    """One boot of the board, replayed."""

    def __init__(self, log: Log, moments: list[Moment], names: Names, result: Replay):
        self._moments = moments
        self._names = names
        self._result = result
        self._inlet = InletStep(Settings(log.header.settings))
        self._readings: Any = Readings()
        self._commands: Any = Commands()
        self._said: tuple[int, ...] = ()  # by the board, newest
        self._converted_ms = [0] * TEMP_CHANNELS
        self._gaps_ms: list[int] = []
        self._readings_ms = -1
        self._since_ms: dict[str, int] = {}  # field: since when both differ
        self._open: dict[str, Difference] = {}
        self._is_settled = False

    def run(self) -> None:
        """Compare to the end of the boot."""
        first = next(n for n, moment in enumerate(self._moments) if _is_readings(moment))
        at = 0
        begin_ms = self._moments[first].t_us // 1000
        end_ms = self._moments[-1].t_us // 1000
        settle_until_ms = begin_ms + _SETTLE_MS
        if self._begins_charging(begin_ms):
            self._lead_in(self._moments[first], begin_ms)
        for now_ms in range(begin_ms, end_ms + 1, _PASS_MS):
            self._readings.test_lock = 0
            self._readings.service_end = False
            while at < len(self._moments) and self._moments[at].t_us // 1000 <= now_ms:
                self._take(self._moments[at])
                at += 1
            self._age(now_ms)
            self._inlet.step(now_ms & _TICKS_MASK, self._readings, self._commands)
            if not self._said:
                continue
            if not self._is_settled:
                self._is_settled = now_ms >= settle_until_ms or not self._differing()
                self._result.not_compared_us += _PASS_MS * 1000
            if self._is_settled:
                self._result.compared_us += _PASS_MS * 1000
                self._compare(now_ms)
        if not self._is_settled:
            # Never compared is not the same as nothing different.
            length_us = (end_ms - begin_ms) * 1000
            for name, said, decided in self._differing() if self._said else ():
                words = (self._show(name, said), self._show(name, decided))
                self._result.differences.append(
                    Difference(begin_ms * 1000, name, *words, length_us)
                )

    def _begins_charging(self, begin_ms: int) -> bool:
        """Return whether the board says, when the readings begin or first after that, that S2 is closed."""
        is_closed = False
        for moment in self._moments:
            entry = moment.entry
            if isinstance(entry, Telemetry) and entry.kind != READINGS_KIND:
                is_closed = entry.values[COMMAND_FIELDS.index("s2_close")] != 0
                if moment.t_us // 1000 >= begin_ms:
                    break
        return is_closed

    def _lead_in(self, first: Moment, begin_ms: int) -> None:
        """Bring the logic to where it charges, as the board was before the recording began."""
        assert isinstance(first.entry, Telemetry)
        r = self._readings
        for now_ms in range(begin_ms - _LEAD_IN_MS, begin_ms, _PASS_MS):
            self._fill(first.entry.values, now_ms)
            r.cp_high_mv = _STATE_B_MV
            r.charger_ma = 0
            r.ac_present = False
            self._age(now_ms)
            self._inlet.step(now_ms & _TICKS_MASK, r, self._commands)
            if self._commands.s2_close:
                # The board's clock goes on from here.
                break

    def _take(self, moment: Moment) -> None:
        entry = moment.entry
        r = self._readings
        if isinstance(entry, Asked):
            if entry.word == "stop":
                r.console_stop = True
            elif entry.word in ("lock", "unlock"):
                r.test_lock = 1 if entry.word == "lock" else -1
            elif entry.word == "service_end":
                r.service_end = True
        elif isinstance(entry, Telemetry):
            if entry.kind == READINGS_KIND:
                self._fill(entry.values, moment.t_us // 1000)
                self._note_spacing(moment.t_us // 1000)
            else:
                self._said = entry.values
                if not entry.values[COMMAND_FIELDS.index("session")]:
                    r.console_stop = False

    def _age(self, now_ms: int) -> None:
        """Say when each temperature was converted."""
        for n in range(TEMP_CHANNELS):
            if now_ms - self._converted_ms[n] >= _CONVERTED_MS:
                self._converted_ms[n] = now_ms
            self._readings.temp_age_ms[n] = now_ms - self._converted_ms[n]

    def _fill(self, values: tuple[int, ...], now_ms: int) -> None:
        r = self._readings
        r.pilot_count = values[_AT["pilot_count"]]
        for n in range(PILOT_PERIODS):
            r.pilot_high_us_x10[n] = values[_AT["pilot_high_us_x10"]]
            r.pilot_period_us_x10[n] = values[_AT["pilot_period_us_x10"]]
        for name in _PLAIN:
            setattr(r, name, values[_AT[name]])
        flags = values[_AT["flags"]]
        for name, bit in _FLAG_FIELDS.items():
            setattr(r, name, bool(flags >> bit & 1))
        for n in range(TEMP_CHANNELS):
            mv = values[_AT["temp_mv_0"] + n]
            if mv != r.temp_mv[n]:
                self._converted_ms[n] = now_ms
            r.temp_mv[n] = mv
            r.temp_ok[n] = flags >> _TEMP_OK_BIT + n & 1

    def _note_spacing(self, now_ms: int) -> None:
        if self._readings_ms >= 0:
            gap_ms = now_ms - self._readings_ms
            self._gaps_ms = [*self._gaps_ms[1 - _GAPS :], gap_ms]
            self._result.longest_spacing_us = max(self._result.longest_spacing_us, gap_ms * 1000)
        self._readings_ms = now_ms

    def _differing(self) -> list[tuple[str, int, int]]:
        """Return (field, board, host) wherever the two differ now."""
        found = []
        for name, said in zip(COMMAND_FIELDS, self._said, strict=True):
            decided = int(getattr(self._commands, name))
            if said != decided and not (
                abs(said - decided) <= _NEAR.get(name, 0) and bool(said) == bool(decided)
            ):
                found.append((name, said, decided))
        return found

    def _compare(self, now_ms: int) -> None:
        tolerance_ms = max([*self._gaps_ms, now_ms - self._readings_ms]) + _MORE_MS
        differing = {name: (said, decided) for name, said, decided in self._differing()}
        for name in [name for name in self._since_ms if name not in differing]:
            del self._since_ms[name]
            self._open.pop(name, None)
        for name, (said, decided) in differing.items():
            since_ms = self._since_ms.setdefault(name, now_ms)
            if name in self._open:
                self._open[name].length_us = (now_ms - since_ms) * 1000
            elif now_ms - since_ms > tolerance_ms + (_SLOW_MS if name in _NEAR else 0):
                words = (self._show(name, said), self._show(name, decided))
                self._open[name] = Difference(since_ms * 1000, name, *words)
                self._result.differences.append(self._open[name])

    def _show(self, name: str, value: int) -> str:
        if name in ("light", "session", "pilot_state", "lock_state", "limiter"):
            return name_of(self._names.of(name), value)
        if name in ("reasons", "faults"):
            return " ".join(word for word, _ in mask_rows(self._names.of(name), value)) or "none"
        return str(value)
