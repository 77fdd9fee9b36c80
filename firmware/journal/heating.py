"""How much each contact warms for the current it carries: one estimate a session, or the reason why there is none.

A contact's temperature is  ambient + k * L(I^2):  L is a first-order lag (its time constant: heat capacity, cable, sensor),
k the *heating coefficient*, in the steady state, here in uK/A^2. 15 K at 32 A are 14648 uK/A^2; at 6 A 416667, at 500 A
60. Ambient is not known. It is taken out by a high-pass: the slow mean of the temperature is subtracted from the
temperature and, by the very same filter, that of L(I^2) from L(I^2). The line  T' = k * x'  goes through the origin then,
whatever the ambient was, and current steps (solar, derating, pauses, the cooling afterwards) are all evidence.
Least squares over the session give k for six lags at once; the lag that leaves the least rest is the session's, and the one
learned over the sessions is what k is read at, so that a session's own misjudged lag does not move it.

What ambient drift gets through the high-pass is the same for each steady slope, a line that levels off; it is fitted along
and taken out (z). A session must tell the two apart by their shapes, or its uncertainty says that it cannot.

Scales (everything within 2**30): x = (I / rated)^2, 4096 at rated, at most 8192; x' 512 at rated; T in 1/8 of 0.1 K,
T' in 25 mK. Work is spread: a tick samples, each eighth second closes a step of 8 s, the ticks in between filter one lag
each; a session is judged one lag of one contact a tick. What is summed of each contact, and what the sums say, is
journal.contact's; here is time, current and what a session is. Nothing allocates after construction.
"""

from array import array

from micropython import const

from journal.contact import KNOWN, LAGS, NO_CURRENT, NO_START, NO_UPSET, SLOW_SHARE, WORK, Contact
from ticks import ticks_diff

# Eight seconds as a share of the way, in 1/4096: time constants of 133, 201, 305, 458, 693 and 1053 s, LAGS of them. The
# plant's contact has 300 s and a sensor 15 s behind it; own choice for what inlets may have.
_SHARE = bytes((240, 160, 106, 71, 47, 31))

_SECOND_MS = const(1000)
_STEP_MS = const(8000)
_GAP_MS = const(12_000)  # without a tick for longer, the past is not known
_COOL_MS = const(1_800_000)
_REST_STEPS = const(225)  # 30 min: more than five time constants of 300 s
_X_MOST = const(8192)
_Q_MOST = const(1448)  # its root times 16, current in 1/1024 of rated
_FLOW_X = const(64)  # an eighth of rated: 4 A of 32
_UNKNOWN_STEPS = const(3)  # the last current is kept for so long


class Moment:
    """What Heating and ContactHealth are told: one object, filled anew before each tick.

    ma: current through the contacts now, as measured and never as permitted; 0 where S2 is open. decic, valid: arrays of
    all channels, 0.1 C. reference_decic: of the sensor that carries no current. is_upset: something else warms the
    contacts (port heater). station: 1..255 for one that the caller tells from others, 0 where it cannot.
    """

    def __init__(self, decic, valid):
        self.ma = 0
        self.is_measured = False
        self.decic = decic
        self.valid = valid
        self.reference_decic = 0
        self.reference_ok = False
        self.is_plugged = False
        self.is_upset = False
        self.station = 0


class Heating:
    """Contacts that carry the same current. `tick` once a second; results stand from its True to the next True.

    channels: index of each contact in the arrays of a Moment. rated_ma: 6000..500000. has_reference: a sensor that
    carries no current (housing, or the DC contacts in an AC charge) is given to each tick and taken off first.
    """

    def __init__(self, channels, rated_ma: int, has_reference: bool = False):
        if not 6000 <= rated_ma <= 500_000:
            raise ValueError(f"rated_ma: {rated_ma} is outside 6000..500000")
        self.rated_tenths = rated_ma // 100  # of an ampere
        work = array("i", [0] * WORK)
        self.contacts = tuple([Contact(channel, self.rated_tenths, work) for channel in channels])
        self.is_same_plug = False  # the session judged last had the plug-in of the one before
        self._rated_ma = rated_ma
        self._has_reference = has_reference
        self._has_started = False
        self._tick_ms = 0
        # The step that is open, and the last one closed.
        self._step_ms = 0
        self._x_sum = 0  # x times ms
        self._unknown_ms = 0
        self._unknown_steps = 0  # running
        self._x = 0
        self._lag = LAGS  # next lag to filter; LAGS: all done
        self._fast = array("i", [0] * LAGS)  # L(x), 1/256
        self._mean = array("i", [0] * LAGS)  # its slow mean
        self._z = 0  # what a steady drift looks like behind the high-pass: 0..128, in 1/1024
        self._rest = 0  # steps without current, 0.._REST_STEPS
        # The session.
        self._is_open = False  # it is being summed
        self._had_session = False  # in this plug-in
        self._why = KNOWN
        self._flow = 0  # steps with current in it
        self._peak = 0  # greatest x in it
        self._judging = -1  # contact * (LAGS + 1) + lag to judge next; -1: none

    def begin(self, now_ms: int, is_cool: bool) -> None:
        """Start at tick `now_ms`, after boot or a sleep. is_cool: no current for the last 30 min, as the caller knows."""
        self._has_started = True
        self._tick_ms = now_ms
        if self._is_open:
            self._is_open = False
            self._judging = 0
        self._step_ms = self._x_sum = self._unknown_ms = 0
        for contact in self.contacts:
            contact.clear_step()
        self._lag = LAGS
        self._x = 0
        self._rest = _REST_STEPS if is_cool else 0

    def tick(self, now_ms: int, moment: Moment) -> bool:
        """Take one moment; return True when a session has been judged, at its end or 30 min after its last current.

        Call it every second or two, at most 12 s apart, in rest too.
        """
        if not self._has_started:
            self.begin(now_ms, False)
            return False
        since_ms = ticks_diff(now_ms, self._tick_ms)
        if since_ms < 0 or since_ms > _GAP_MS:
            # Asleep, so S2 was open. Half a wrap and more reads as negative: six days are cool.
            self.begin(now_ms, since_ms < 0 or since_ms >= _COOL_MS)
            return False
        if since_ms < _SECOND_MS:
            return False
        self._tick_ms = now_ms
        self._sample(since_ms, moment)
        if self._step_ms >= _STEP_MS:
            while self._lag < LAGS:
                self._filter()
            self._close(moment)
        elif self._lag < LAGS:
            self._filter()
        return self._judging >= 0 and self._judge()

    def _sample(self, since_ms: int, moment: Moment) -> None:
        self._step_ms += since_ms
        if moment.is_measured:
            # At most 1.5 times 500000 mA times 1024, or 7.7e8; x * ms: 8192 * 20000 = 1.7e8.
            q = min(moment.ma, self._rated_ma + (self._rated_ma >> 1)) * 1024 // self._rated_ma
            q = max(0, min(q, _Q_MOST))
            self._x_sum += (q * q >> 8) * since_ms
        else:
            self._unknown_ms += since_ms
        if moment.reference_ok or not self._has_reference:
            for contact in self.contacts:
                contact.sample(moment, self._has_reference)

    def _close(self, moment: Moment) -> None:
        """Close a step of 8 s."""
        is_plugged = moment.is_plugged
        self._take_current(is_plugged)
        for contact in self.contacts:
            contact.close_step()
        self._step_ms = self._x_sum = self._unknown_ms = 0
        if moment.is_upset:
            self._doubt(NO_UPSET)
        is_flowing = self._x >= _FLOW_X
        if is_flowing and not self._is_open and self._judging < 0:
            self._open(is_plugged)
        if not is_flowing:
            self._rest = min(_REST_STEPS, self._rest + 1)
        elif self._is_open:
            self._rest = 0  # else the session before is still being judged: some seconds of warming are let go
        if not is_plugged:
            self._had_session = False
        if self._is_open:
            self._go_on(moment, is_flowing)

    def _go_on(self, moment: Moment, is_flowing: bool) -> None:
        """Bring the step into the session, or end it."""
        if not moment.is_plugged or self._rest == _REST_STEPS:
            self._is_open = False
            self._judging = 0
            return
        self._flow += is_flowing
        self._peak = max(self._peak, self._x)
        self._z += ((128 << 10) - self._z) * SLOW_SHARE >> 12
        for contact in self.contacts:
            contact.add(moment, self._z >> 10, is_flowing)
        self._lag = 0

    def _take_current(self, is_plugged: bool) -> None:
        known_ms = self._step_ms - self._unknown_ms
        if known_ms * 2 >= self._step_ms:
            self._unknown_steps = 0
            self._x = min(_X_MOST, self._x_sum // known_ms)
        elif not is_plugged:
            self._x = 0  # nothing is in that could draw any
        elif self._unknown_steps < _UNKNOWN_STEPS:
            self._unknown_steps += 1
        else:
            self._doubt(NO_CURRENT)

    def _doubt(self, why: int) -> None:
        """The past is not known: only half an hour of rest makes it so again."""
        if self._is_open and not self._why:
            self._why = why
        self._rest = 0

    def _open(self, is_plugged: bool) -> None:
        """Begin to sum, the slow mean anew from the contact's own temperature before the current.

        A contact still warm from another current has no such temperature, so that session is not known.
        """
        self.is_same_plug = self._had_session and is_plugged
        self._had_session = True
        self._is_open = True
        self._why = KNOWN if self._rest >= _REST_STEPS else NO_START
        self._flow = self._peak = self._z = 0
        for lag in range(LAGS):
            self._fast[lag] = self._mean[lag] = 0
        for contact in self.contacts:
            contact.begin()

    def _filter(self) -> None:
        """Carry one lag over the step that was closed last."""
        lag = self._lag
        self._lag = lag + 1
        # 8192 * 256 * 240 = 5.0e8.
        fast = self._fast[lag]
        fast += ((self._x << 8) - fast) * _SHARE[lag] >> 12
        self._fast[lag] = fast
        mean = self._mean[lag]
        mean += (fast - mean) * SLOW_SHARE >> 12
        self._mean[lag] = mean
        x = (fast - mean + 1024) >> 11
        for contact in self.contacts:
            contact.carry(lag, x, self._z >> 10)

    def _judge(self) -> bool:
        """Judge one lag of one contact, or conclude about a contact; return True after the last."""
        c = self._judging // (LAGS + 1)
        lag = self._judging - c * (LAGS + 1)
        self._judging += 1
        contact = self.contacts[c]
        if lag < LAGS:
            contact.fit(lag)
            return False
        contact.conclude(self._why, self._peak, self._flow)
        if c + 1 < len(self.contacts):
            return False
        self._judging = -1
        return True
