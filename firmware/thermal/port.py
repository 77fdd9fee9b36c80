"""The port's temperatures as a whole: hottest contact, current limit, faults. The room's facade.

It takes Readings and gives numbers; it switches nothing. Besides what each channel finds about
itself it knows what only the whole can know: over temperature and its latch, contacts that
disagree, a sensor that does not move although current flows.

Default deny: until every fitted channel is valid, and while any fault but F_TEMP_DISAGREE stands,
the limit is 0.

Timing. A channel is converted every T, which the drivers keep to 250 ms at most; one channel is
visited per pass of 10 ms, so each every V = 10 ms times the fitted channels. Over temperature is
seen within 2 T + V (<= 540 ms); open, short and stale within 1000 ms + V of the last good
conversion (<= 1040 ms); the first value is valid after 3 conversions.
"""

from array import array

from micropython import const

from faults import (
    F_OVER_TEMPERATURE,
    F_TEMP_DISAGREE,
    F_TEMP_LATCHED,
    F_TEMP_RISE,
    F_TEMP_STUCK,
)
from thermal.channel import WATCH_S, Channel
from thermal.convert import Probe
from thermal.derate import Derating
from thermal.params import UNUSED, ThermalLimits
from ticks import ticks_add, ticks_diff

_CHANNELS = const(4)  # of Readings
_SECOND_MS = const(1000)
_LATE_MS = const(3000)  # further behind than this, seconds are dropped and not caught up

_DISAGREE_S = const(10)
# A difference between two contacts goes with the square of the current: 35 K at full current are 9
# K at half. The fault must not clear from its own halving, or the current would swing for ever.
_AGREE_DECIC = const(50)

# "Does not move": 0.2 K in 1/1024 of 0.1 K. At 10 A the terminals of an inlet warm by about 1 K (6
# mm2: 20..25 K at 32 A, and it goes with the square), half of that within 10 min, half of that at
# a sensor some way off.
_MOVED_SUB = const(2 << 10)
# Without current for that long, contacts are cool enough for the next current to show.
_COOLED_S = const(1200)
# With the current unknown, a contact that moved by 5 K says that it flows (or that it did).
_PEER_SUB = const(50 << 10)
# Valid during nine tenths of the test; a sensor that was won back in its middle is left alone.
_WATCHED_S = const(540)

# Current through the contacts.
_REST = const(0)  # below half of flow_ma, or unplugged
_SOME = const(1)
_MUCH = const(2)  # flow_ma or more
_UNKNOWN = const(3)  # and nothing speaks for it

_NONE_DECIC = const(-30000)  # below any temperature; stays inside this module


class PortThermal:
    """The thermal room: `tick` once a pass, then read the attributes. `tick` allocates nothing.

    channels: up to four ChannelParams in the order of Readings.temp_mv. Raises ValueError for
    more. limits: ThermalLimits.
    """

    def __init__(self, channels, limits: ThermalLimits):
        if len(channels) > _CHANNELS:
            raise ValueError(f"channels: {len(channels)} given, at most {_CHANNELS}")
        self.faults = 0  # F_TEMP_* and F_OVER_TEMPERATURE bits
        self.limit_ma = 0  # 0..rated_ma
        self.hottest_decic = 0  # hottest valid channel with its margin, 0.1 C
        self.hottest_ok = False  # at least one channel is valid, so hottest_decic means something
        self.decic = array("i", [0] * _CHANNELS)  # last valid temperature of each sensor, 0.1 C
        self.valid = array("b", [0] * _CHANNELS)  # 1: it is valid now
        self.channel_faults = array("i", [0] * _CHANNELS)  # which sensor: its own F_TEMP_* bits
        self._limits = limits
        self._derating = Derating(limits)
        self._channels = self._make(channels)
        self._turn = 0  # channel to visit in this pass
        self._trend_turn = len(self._channels)  # channel whose trend is due; past the end: none
        self._has_started = False
        self._second_ms = 0  # tick of the second before
        self._is_over = False
        self._trips = 0  # over-temperature trips since the connector was last pulled
        self._is_latched = False
        self._is_unplugged = False
        self._was_pulled = False  # unplugged since the last time trips were forgotten
        self._is_hot = False  # a valid contact is at the stop temperature
        self._is_whole = False  # every channel is valid
        self._is_disagreeing = False
        self._disagree_s = 0  # seconds running that speak for a change of _is_disagreeing
        self._is_testing = False  # current flows or flowed from cool: the contacts have to move
        self._flow_s = 0  # of it, 0..WATCH_S
        self._pause_s = _COOLED_S  # 0.._COOLED_S; after boot the first current begins a test
        if not self._channels:
            self.limit_ma = limits.rated_ma * limits.blind_pct // 100

    def _make(self, channels):
        """Return a Channel for each that is fitted; those with the same sensor share its table."""
        made = []
        probes = {}
        for index in range(len(channels)):
            params = channels[index]
            if params.kind == UNUSED:
                continue
            sensor = (params.kind, params.r25_ohm, params.beta)
            probe = Probe(params, probes.get(sensor))
            probes[sensor] = probe
            made.append(Channel(index, params, probe, self._limits.jump_decic))
        return made

    def tick(self, now_ms: int, readings, is_unplugged: bool) -> None:
        """Judge one pass. `is_unplugged`, debounced, clears what lasts until unplugged."""
        channels = self._channels
        count = len(channels)
        if not count:
            return
        if not self._has_started:
            self._start(now_ms)
        is_new = channels[self._turn].visit(now_ms, readings)
        self._turn += 1
        if self._turn == count:
            self._turn = 0
        if is_unplugged != self._is_unplugged:
            self._is_unplugged = is_unplugged
            is_new = True
        if self._trend_turn < count:
            if channels[self._trend_turn].trend():
                is_new = True
            self._trend_turn += 1
        elif ticks_diff(now_ms, self._second_ms) >= _SECOND_MS:
            self._second(now_ms, readings)
            is_new = True
        if is_new:
            self._judge()

    def _start(self, now_ms: int) -> None:
        self._has_started = True
        self._second_ms = now_ms
        for channel in self._channels:
            channel.start(now_ms)

    def _second(self, now_ms: int, readings) -> None:
        """Do what is due once a second; the trends follow, one channel a pass."""
        if ticks_diff(now_ms, self._second_ms) > _LATE_MS:
            self._second_ms = now_ms
        else:
            self._second_ms = ticks_add(self._second_ms, _SECOND_MS)
        self._trend_turn = 0
        self._disagree()
        self._test(self._flow(readings))

    def _disagree(self) -> None:
        """Compare the contacts with each other."""
        contacts = 0
        low = high = 0
        for channel in self._channels:
            if channel.is_contact and channel.is_valid:
                decic = channel.decic
                if not contacts:
                    low = high = decic
                low = min(low, decic)
                high = max(high, decic)
                contacts += 1
        if self._is_disagreeing:
            is_against = contacts > 1 and high - low < _AGREE_DECIC
        else:
            is_against = high - low > self._limits.disagree_decic
        self._disagree_s = self._disagree_s + 1 if is_against else 0
        if self._disagree_s == _DISAGREE_S:
            self._disagree_s = 0
            self._is_disagreeing = not self._is_disagreeing

    def _flow(self, readings) -> int:
        """Return _REST, _SOME, _MUCH or _UNKNOWN: the current through the contacts."""
        if self._is_unplugged:
            return _REST
        if readings.charger_ok:
            if readings.charger_ma >= self._limits.flow_ma:
                return _MUCH
            return _SOME if readings.charger_ma >= self._limits.flow_ma >> 1 else _REST
        # Unknown current counts as flowing where mains is seen or a contact moves. It must not
        # count always: in a car asleep in its garage no sensor moves.
        if readings.ac_ok and readings.ac_present:
            return _MUCH
        for channel in self._channels:
            if channel.is_contact and channel.is_valid and channel.high - channel.low >= _PEER_SUB:
                return _MUCH
        return _UNKNOWN

    def _test(self, flow: int) -> None:
        """Ask each contact, once a warm-up from cool, to move within WATCH_S of much current.

        Once only: a contact that has settled at its temperature does not move either, and neither
        does the good contact next to one that wears out.
        """
        is_due = self._pause_s == _COOLED_S and not self._is_testing
        if flow in (_REST, _UNKNOWN):
            if self._pause_s < _COOLED_S:
                self._pause_s += 1
            if is_due and flow == _REST:
                for channel in self._channels:
                    channel.watch()  # from the first current on
            return
        self._pause_s = 0
        if is_due:
            self._is_testing = True
            self._flow_s = 0
        if flow == _SOME or not self._is_testing:
            return
        self._flow_s += 1
        if self._flow_s < WATCH_S:
            return
        self._is_testing = False
        for channel in self._channels:
            is_judged = channel.is_contact and channel.is_valid and channel.watched_s >= _WATCHED_S
            if is_judged and channel.high - channel.low < _MOVED_SUB:
                channel.is_stuck = True

    def _judge(self) -> None:
        """Draw the conclusions."""
        if self._is_unplugged:
            self._was_pulled = True
            self._clear()
        faults = self._gather()
        self._over()
        if self._is_disagreeing:
            faults |= F_TEMP_DISAGREE
        if self._is_over:
            faults |= F_OVER_TEMPERATURE
        if self._is_latched:
            faults |= F_TEMP_LATCHED
        self.faults = faults
        limit_ma = 0
        if self.hottest_ok:
            limit_ma = self._derating.limit_ma(self.hottest_decic)
        if not self._is_whole or faults & ~F_TEMP_DISAGREE:
            limit_ma = 0
        elif faults:
            limit_ma >>= 1
        self.limit_ma = limit_ma

    def _clear(self) -> None:
        """Forgive what lasts until unplugged; a stuck sensor has to prove itself again."""
        for channel in self._channels:
            if channel.is_stuck:
                self._pause_s = _COOLED_S
                self._is_testing = False
            channel.pulled()

    def _gather(self) -> int:
        """Bring the channels together; return their own faults."""
        all_faults = 0
        hottest_decic = _NONE_DECIC
        self._is_hot = False
        self._is_whole = True
        for channel in self._channels:
            faults = channel.fault
            if channel.has_jumped:
                faults |= F_TEMP_RISE
            if channel.is_stuck:
                faults |= F_TEMP_STUCK
            all_faults |= faults
            self.channel_faults[channel.index] = faults
            self.valid[channel.index] = channel.is_valid
            if channel.is_valid:
                self.decic[channel.index] = channel.decic
                hottest_decic = max(hottest_decic, channel.decic + channel.margin_decic)
                if channel.median_decic + channel.margin_decic >= self._limits.stop_decic:
                    self._is_hot = True
            else:
                self._is_whole = False
        self.hottest_ok = hottest_decic != _NONE_DECIC
        if self.hottest_ok:
            self.hottest_decic = hottest_decic
        return all_faults

    def _over(self) -> None:
        """End over temperature when cool and all valid; its latch when pulled as well."""
        if self._is_hot:
            if not self._is_over:
                self._is_over = True
                self._trips += 1
                if self._trips >= self._limits.trips_to_latch:
                    self._is_latched = True
        elif self._is_whole and self.hottest_decic < self._limits.resume_decic:
            self._is_over = False
        if self._was_pulled and not self._is_over:
            self._was_pulled = False
            self._trips = 0
            self._is_latched = False
