"""What the monitor knows of a board: fed with what came over the line, read by the panels. Pure: no port, no clock.

Times: `t_us` is the board's own, from its ticks, 0 at the first line heard; `at_s` is the host's clock, as given.
"""

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from inletctl.house import use_firmware
from inletctl.journal import words
from inletctl.monitor.wave import Wave
from inletctl.record import Names, mask_rows, name_of

if TYPE_CHECKING:
    from inletctl.link.codec import Telemetry

use_firmware()

from connector import C_PP, CONNECTORS  # noqa: E402
from drivers.virtual_layout import COMMANDS  # noqa: E402
from pilot import proximity  # noqa: E402
from setting_rows import TABLE  # noqa: E402
from thermal import convert  # noqa: E402
from thermal.params import PT1000, UNUSED, ChannelParams  # noqa: E402
from ticks import ticks_diff  # noqa: E402
from vehicle.protocol import FLAGS, READINGS  # noqa: E402

CHANNELS = 4
CHANNEL_NAMES = ("AC L", "AC N", "DC +", "DC -")
CONNECTING, LIVE, LOST = "connecting", "live", "lost"
# Without a word for longer than two heartbeats the board is silent.
SILENT_S = 2.5
_TREND_US = 10_000_000  # one step of a trend
_TREND_STEPS = 120
_EVENTS_MAX = 200
# Lines a second are counted over at least so long, and one heartbeat of the board: a slow board's lines wait for the
# wire, so a few of them tell nothing of its speed.
_RATE_S = 2.0
_RATE_US = 1_000_000
# Four lines of commands wait at most, each with one of readings between, 20 passes a line (vehicle/console.py).
_OVERTAKEN_MS = 3000
_OFFER_NEWS_MA = 500  # an offer that moves less is jitter

INFO, GOOD, WARN, BAD = "info", "good", "warn", "bad"


class Event(NamedTuple):
    """One line of the event list."""

    t_us: int
    text: str
    level: str


class Channel(NamedTuple):
    """One temperature channel now. `decic` (0.1 C) is None where there is none, and `words` say why."""

    name: str
    decic: "int | None"
    mv: int
    words: str
    trend: tuple[int, ...]  # 0.1 C, hottest of each 10 s, oldest first
    per_minute_decic: "int | None"


class Plug(NamedTuple):
    """What PP says. `ohm` is None where it cannot be known; `words` is what the inlet's table calls it."""

    mv: int
    ohm: "float | None"
    words: str


def has_restarted(line: "Telemetry", newest_ms: int) -> bool:
    """Tell whether `line` comes from a board that began anew; `newest_ms` is the newest tick heard before.

    Readings overtake lines of commands that wait, so ticks and numbers step back a little at times.
    """
    return line.number == 0 or ticks_diff(line.t_ms, newest_ms) < -_OVERTAKEN_MS


class Monitor:
    """Everything that is to be shown. `hear` a line, `settings_are`, `link_is`; the rest is read."""

    def __init__(self, names: "Names | None" = None):
        self.names = names or Names.from_firmware()
        self.target = ""  # what is being watched, for the title
        self.identity = ""  # board, id and firmware, once known
        self.link = CONNECTING
        self.link_words = ""
        self.commands: dict[str, int] = {}  # empty until the first such line
        self.readings: dict[str, int] = {}
        self.flags: frozenset[str] = frozenset()
        self.settings: dict[str, int] = {row[1]: row[5] for row in TABLE}
        self.are_settings_known = False
        self.t_us = 0
        self.t_ms = 0  # the board's own tick of the newest line
        self.late = 0
        self.damaged = 0
        self.lost = 0
        self.restarts = 0
        self.lines = 0
        self.lines_per_s = 0.0
        self.speed: float | None = None  # board time over host time; None until it is known
        self.events: deque[Event] = deque(maxlen=_EVENTS_MAX)
        self.verdict: words.Verdict | None = None  # whose fault the last stop was
        self.due: list[str] = []  # what wears, sentences
        self._heard_s: float | None = None
        self._has_heard = False
        self._told_offer_ma = 0
        self._trends: list[deque[tuple[int, int]]] = [
            deque(maxlen=_TREND_STEPS) for _ in range(CHANNELS)
        ]
        self._probes: list[convert.Probe | None] = [None] * CHANNELS
        self._window: tuple[float, int, int] | None = None  # (at_s, lines, t_us) where it began
        self._build()

    # What comes in ----------------------------------------------------------

    def hear(self, line: "Telemetry", at_s: float) -> None:
        """Take one line of the board."""
        if self._has_heard and has_restarted(line, self.t_ms):
            self.restarts += 1
            self.commands, self.readings, self.flags = {}, {}, frozenset()
            self.verdict = None
            self._has_heard = False
            self.tell("the board has restarted", WARN)
        ahead_ms = ticks_diff(line.t_ms, self.t_ms)
        if not self._has_heard:
            self.t_ms = line.t_ms
        elif ahead_ms > 0:
            self.t_us += ahead_ms * 1000
            self.t_ms = line.t_ms
        self._has_heard = True
        self.late = line.late
        self.lines += 1
        self._heard_s = at_s
        self._count(at_s)
        if line.kind == "commands":
            self._take_commands(dict(zip(COMMANDS, line.values)))
        else:
            self._take_readings(dict(zip(READINGS, line.values)))

    def settings_are(self, values: dict[str, int]) -> None:
        """Take the settings in force on the board; until then its defaults are assumed, and that is said."""
        self.are_settings_known = True
        if not values.items() <= self.settings.items():
            self.settings.update(values)
            self._build()

    def journal_is(self, now: dict[str, int]) -> None:
        """Take the page `now` of the board's journal."""
        said = words.verdict(now)
        if said is not None and (self.verdict is None or said.serial != self.verdict.serial):
            self.tell("whose fault: " + said.line, WARN)
        self.verdict = said
        due = words.warnings(now["warnings"]) + words.worst_contact(now["health"])
        for sentence in due:
            if sentence not in self.due:
                self.tell(sentence, WARN)
        self.due = due

    def identity_is(self, words: str) -> None:
        """Take who the board says it is."""
        self.identity = words

    def counts_are(self, damaged: int, lost: int) -> None:
        """Take how many lines came damaged, and how many never came, since the beginning."""
        self.damaged, self.lost = damaged, lost

    def link_is(self, state: str, words: str = "") -> None:
        """Take what became of the connection: CONNECTING, LIVE or LOST, and a sentence."""
        if state == LOST and self.link != LOST:
            self.tell(words, BAD)
        elif state == LIVE and self.link == LOST:
            self.tell("connected again", GOOD)
        if state != LIVE:
            self._window, self.speed, self.lines_per_s = None, None, 0.0
        self.link, self.link_words = state, words

    def tell(self, text: str, level: str = INFO) -> None:
        """Add an event."""
        self.events.append(Event(self.t_us, " ".join(text.split()), level))

    # What is to be shown ----------------------------------------------------

    def silence_s(self, at_s: float) -> "float | None":
        """Return how long ago the last good line came, in s; None before the first."""
        return None if self._heard_s is None else max(0.0, at_s - self._heard_s)

    def word(self, column: str) -> str:
        """Return the name of what an enum of the commands says now, `?` before the first line."""
        if column not in self.commands:
            return "?"
        return name_of(self.names.of(column), self.commands[column])

    def reasons(self) -> list[tuple[str, str]]:
        """Return (name, sentence) of every reason not to charge, the one to blame first."""
        return mask_rows(self.names.reasons, self.commands.get("reasons", 0))

    def faults(self) -> list[tuple[str, str]]:
        """Return (name, sentence) of every fault."""
        return mask_rows(self.names.faults, self.commands.get("faults", 0))

    def wave(self) -> "Wave | None":
        """Return the pilot as last measured, None where no level was."""
        r = self.readings
        if "cp_ok" not in self.flags:
            return None
        if r["pilot_count"] and r["pilot_period_us_x10"] > 0:
            high_us, period_us = r["pilot_high_us_x10"] / 10, r["pilot_period_us_x10"] / 10
            return Wave(high_us, period_us, r["cp_high_mv"], r["cp_low_mv"])
        return Wave(0.0, 0.0, r["cp_high_mv"], r["cp_low_mv"])

    def plug(self) -> "Plug | None":
        """Return what PP says, None without readings."""
        if not self.readings:
            return None
        pp_mv, rail_mv = self.readings["pp_mv"], self.readings["pp_rail_mv"]
        if "pp_ok" not in self.flags:
            return Plug(pp_mv, None, "not measured")
        if not proximity.RAIL_MIN_MV <= rail_mv <= proximity.RAIL_MAX_MV:
            return Plug(pp_mv, None, "its rail of %.2f V cannot be" % (rail_mv / 1000))
        pull = self.settings["pp_pullup_ohm"], self.settings["pp_pulldown_ohm"]
        if proximity.is_pulldown_missing(pp_mv, rail_mv, *pull):
            return Plug(pp_mv, None, "the inlet's pull-down is missing")
        ohm_x10 = proximity.cable_ohm_x10(pp_mv, rail_mv, *pull)
        family = CONNECTORS[self.settings["inlet"]][C_PP]
        row = proximity.ROWS[family][proximity.row_index(family, ohm_x10)]
        words = "%d A cable" % (row[2] // 1000) if row[2] else proximity.PP_NAMES[row[1]]
        return Plug(pp_mv, None if ohm_x10 >= proximity.OPEN_OHM_X10 else ohm_x10 / 10, words)

    def channels(self) -> list[Channel]:
        """Return every fitted temperature channel, empty without readings."""
        return [self._channel(n) for n in range(CHANNELS) if self._probes[n] and self.readings]

    # Inside -----------------------------------------------------------------

    def _build(self) -> None:
        """Make the probes anew from the settings, as the board does (step.py)."""
        s = self.settings
        for n in range(CHANNELS):
            kind = s["sensor_%d" % n]
            pullup_ohm = s["pt_pullup_ohm" if kind == PT1000 else "temp_pullup_ohm"]
            self._probes[n] = None
            self._trends[n].clear()
            if kind == UNUSED:
                continue
            try:
                params = ChannelParams(
                    kind, r25_ohm=s["ntc_r25_ohm"], beta=s["ntc_beta"], pullup_ohm=pullup_ohm
                )
                self._probes[n] = convert.Probe(params)
            except ValueError as error:
                self.tell("%s: %s; no temperature is shown" % (CHANNEL_NAMES[n], error), BAD)

    def _decic(self, n: int) -> "tuple[int | None, str]":
        probe = self._probes[n]
        if probe is None or "temp_ok_%d" % n not in self.flags:
            return None, "not measured"
        rail_mv = self.readings["temp_rail_mv"]
        sample = probe.read(self.readings["temp_mv_%d" % n], max(1, rail_mv))
        if sample != convert.GOOD:
            return None, "sensor " + convert.SAMPLE_NAMES[sample]
        return probe.decic, ""

    def _channel(self, n: int) -> Channel:
        decic, words = self._decic(n)
        trend = self._trends[n]
        slope = None
        if decic is not None and len(trend) > 1:
            # Against the step nearest to a minute ago.
            then_us, then = trend[max(0, len(trend) - 7)]
            now_us = self.t_us - self.t_us % _TREND_US
            if now_us > then_us:
                slope = round((decic - then) * 60_000_000 / (now_us - then_us))
        values = tuple(value for _, value in trend)
        return Channel(
            CHANNEL_NAMES[n], decic, self.readings["temp_mv_%d" % n], words, values, slope
        )

    def _take_readings(self, values: dict[str, int]) -> None:
        self.readings = values
        mask = values["flags"]
        self.flags = frozenset(name for n, name in enumerate(FLAGS) if mask >> n & 1)
        step_us = self.t_us - self.t_us % _TREND_US
        for n in range(CHANNELS):
            decic, _ = self._decic(n)
            if decic is None:
                continue
            trend = self._trends[n]
            if trend and trend[-1][0] == step_us:
                trend[-1] = (step_us, max(decic, trend[-1][1]))
            else:
                trend.append((step_us, decic))

    def _take_commands(self, now: dict[str, int]) -> None:
        was, self.commands = self.commands, now
        if not was:
            self._told_offer_ma = now["offered_ma"]
            self.tell("session %s, pilot %s" % (self.word("session"), self.word("pilot_state")))
            return
        for column, text in (
            ("session", "session"),
            ("pilot_state", "pilot"),
            ("lock_state", "lock"),
        ):
            if was[column] != now[column]:
                before = name_of(self.names.of(column), was[column])
                self.tell("%s %s -> %s" % (text, before, self.word(column)))
        if was["s2_close"] != now["s2_close"]:
            self.tell(
                "S2 closed" if now["s2_close"] else "S2 opened", GOOD if now["s2_close"] else INFO
            )
        if was["limiter"] != now["limiter"]:
            self.tell("limited by %s" % self.word("limiter"))
        self._tell_offer(now["offered_ma"])
        self._tell_masks(was, now)

    def _tell_offer(self, ma: int) -> None:
        if abs(ma - self._told_offer_ma) >= _OFFER_NEWS_MA or (ma == 0) != (
            self._told_offer_ma == 0
        ):
            self.tell("offer %.1f A -> %.1f A" % (self._told_offer_ma / 1000, ma / 1000))
            self._told_offer_ma = ma

    def _tell_masks(self, was: dict[str, int], now: dict[str, int]) -> None:
        for name, what in mask_rows(self.names.faults, now["faults"] & ~was["faults"]):
            self.tell("fault %s: %s" % (name, what), BAD)
        for name, _ in mask_rows(self.names.faults, was["faults"] & ~now["faults"]):
            self.tell("fault %s cleared" % name, GOOD)
        come = mask_rows(self.names.reasons, now["reasons"] & ~was["reasons"])
        if come:
            self.tell("reason not to charge: %s" % ", ".join(name for name, _ in come), WARN)

    def _count(self, at_s: float) -> None:
        if self._window is None:
            self._window = (at_s, self.lines, self.t_us)
            return
        since_s, lines, t_us = self._window
        span_s = at_s - since_s
        if span_s >= _RATE_S and self.t_us - t_us >= _RATE_US:
            self.lines_per_s = (self.lines - lines) / span_s
            self.speed = (self.t_us - t_us) / 1e6 / span_s
            self._window = (at_s, self.lines, self.t_us)
