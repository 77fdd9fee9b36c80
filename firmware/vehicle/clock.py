"""The local time of the week, for the charge windows: told by the car or by a person, kept by ticks in between.

A clock that cannot be believed is none: charging then goes on as if there were no windows, and says so. What is told
has to be a minute of the week. A small difference is taken over without ever stepping back, so that no window opens
twice; a large one is a jump, and believed only once the car has stood by it for a minute. A board has no battery for a
clock: after a reset it has none until it is told again. Plain values in; nothing here decides anything.
"""

from micropython import const

from ticks import ticks_add, ticks_diff

NO_SOURCE = const(0)
FROM_CAR = const(1)
FROM_PERSON = const(2)
SOURCE_NAMES = ("none", "car", "person")

WEEK_MIN = const(10080)
_MINUTE_MS = const(60000)
# Kept by ticks alone for at most a week: a crystal of 50 ppm is then 30 s off, but a change to summer time is missed.
_KEPT_MIN = const(10080)
# The car's minute and this one begin at different moments.
_NEAR_MIN = const(2)
# A jump counts once it has lasted so long.
_JUMP_MS = const(60000)
# The car's word outranks a person's for so long.
_CAR_MIN = const(10)
_COUNT_MAX = const(60000)


class Clock:
    """`tick` at least every few days, then `hear` where the car tells a time. Allocates nothing."""

    def __init__(self):
        self.is_set = False
        self.minute = 0  # of the week, local: 0 = Monday 0:00; only while `is_set`
        self.source = NO_SOURCE
        self.age_min = 0  # since a source was heard last, 0..10080
        self.refused = 0  # times that were nonsense, or jumped; 0..60000
        self._minute_ms = 0  # tick at which `minute` began
        self._is_jumping = False
        self._jump_since_ms = 0
        self._jump_min = 0  # what the car said when it began to differ
        self._was_refused = False

    def tick(self, now_ms: int) -> None:
        """Move on to tick `now_ms`."""
        if not self.is_set:
            return
        gone_ms = ticks_diff(now_ms, self._minute_ms)
        if gone_ms < 0:
            # Time does not run backwards: the step tells of it. Here it only must not stop the clock for days.
            self._minute_ms = now_ms
        elif gone_ms >= _MINUTE_MS:
            minutes = gone_ms // _MINUTE_MS
            self._minute_ms = ticks_add(self._minute_ms, minutes * _MINUTE_MS)
            self.minute = (self.minute + minutes) % WEEK_MIN
            self.age_min += minutes
            if self.age_min >= _KEPT_MIN:
                self.age_min = _KEPT_MIN
                self.is_set = False
                self.source = NO_SOURCE

    def hear(self, now_ms: int, minute: int) -> None:
        """Take the car's local `minute` of the week, as often as it is fresh. Call after `tick`."""
        if not 0 <= minute < WEEK_MIN:
            self._refuse()
            return
        if self.source != FROM_CAR:
            # The first word of the car, or one against a person's: a car's clock needs no proof.
            self._take(now_ms, minute, FROM_CAR)
            return
        # How far the car's clock is ahead, -5040..5039 minutes.
        ahead = (minute - self.minute + WEEK_MIN // 2) % WEEK_MIN - WEEK_MIN // 2
        if 0 <= ahead <= _NEAR_MIN:
            if ahead:
                self._minute_ms = now_ms
                self.minute = minute
            self._agree()
        elif -_NEAR_MIN <= ahead < 0:
            # This clock is the faster one: it waits, and no minute comes twice.
            self._minute_ms = now_ms
            self._agree()
        else:
            self._judge_jump(now_ms, minute)

    def set_by_person(self, now_ms: int, minute: int) -> bool:
        """Take a person's local `minute` of the week; return whether it was taken: not where the car tells the time."""
        if not 0 <= minute < WEEK_MIN:
            self._refuse()
            return False
        if self.source == FROM_CAR and self.age_min < _CAR_MIN:
            return False
        self._take(now_ms, minute, FROM_PERSON)
        return True

    def _take(self, now_ms: int, minute: int, source: int) -> None:
        self.is_set = True
        self.minute = minute
        self._minute_ms = now_ms
        self.source = source
        self._agree()

    def _agree(self) -> None:
        self.age_min = 0
        self._is_jumping = False
        self._was_refused = False

    def _judge_jump(self, now_ms: int, minute: int) -> None:
        """Refuse what differs by much, until the car has gone on from there for a minute."""
        held_ms = ticks_diff(now_ms, self._jump_since_ms)
        if self._is_jumping and held_ms >= 0:
            strays = (minute - self._jump_min - held_ms // _MINUTE_MS + _NEAR_MIN) % WEEK_MIN
            if strays <= 2 * _NEAR_MIN:
                if held_ms >= _JUMP_MS:
                    self._take(now_ms, minute, FROM_CAR)
                return
        self._is_jumping = True
        self._jump_since_ms = now_ms
        self._jump_min = minute
        self._was_refused = False
        self._refuse()

    def _refuse(self) -> None:
        """Count what is refused, once as long as it lasts."""
        if not self._was_refused and self.refused < _COUNT_MAX:
            self.refused += 1
        self._was_refused = True
