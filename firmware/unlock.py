"""Who asks for the cable, and for how long: the button, the vehicle, a crash, a hand that insists.

Plain values in; composed by the step. That somebody asks stops charging; whether the cable may be let go of is decided in
release.py, from signs of life, whoever asks.
"""

from micropython import const

from ticks import ticks_diff

# Presses shorter than this are noise of the button; the driver of the line debounces nothing.
_PRESS_MS = const(30)
# A wish by presses stands so long: time to stop, and to prove the cable dead.
_WISH_MS = const(10000)
# The button held for so long says: let go, even where nobody can prove that the cable is dead.
INSIST_MS = const(30000)
INSIST_END_MS = const(90000)


class UnlockRequest:
    """Call `tick` once a pass. Allocates nothing."""

    def __init__(self, settings):
        self._presses = settings.unlock_presses
        self._window_ms = settings.unlock_window_ms
        self._crash_unlock = settings.crash_unlock != 0
        self.is_wanted = False  # somebody wants the cable
        self.is_insisted = False  # by the button, held for INSIST_MS
        self._is_down = True  # let go first: a button that hangs since the start is no hand
        self._is_hanging = True
        self._down_ms = 0  # since when; begun anew while anything is live
        self._is_press = False  # long enough to count
        self._count = 0  # presses within the window
        self._first_ms = 0  # of them
        self._has_wish = False
        self._wish_ms = 0

    def tick(self, now_ms: int, r, is_crashed: bool, is_unplugged: bool, is_alive: bool) -> None:
        """Take one pass's signals.Readings. `is_crashed`: latched, until service; `is_alive`: a sign of life at the plug."""
        self._follow_button(now_ms, r.unlock_request, is_alive)
        if self._has_wish and (is_unplugged or ticks_diff(now_ms, self._wish_ms) >= _WISH_MS):
            self._has_wish = False
        if self._presses == 1:
            by_button = r.unlock_request
        else:
            by_button = self._has_wish or self.is_insisted
        self.is_wanted = by_button or r.car_unlock or (self._crash_unlock and is_crashed)

    def _follow_button(self, now_ms: int, is_down: bool, is_alive: bool) -> None:
        if not is_down:
            self._is_down = False
            self._is_hanging = False
            self._is_press = False
            self.is_insisted = False
        elif not self._is_down:
            self._is_down = True
            self._down_ms = now_ms
        elif not self._is_hanging:
            held_ms = ticks_diff(now_ms, self._down_ms)
            if held_ms >= INSIST_END_MS:
                # A line that is low for ever is no hand.
                self._is_hanging = True
                self.is_insisted = False
            elif self._is_press and is_alive:
                self.is_insisted = False
                self._down_ms = now_ms
            elif held_ms >= INSIST_MS:
                self.is_insisted = True
            if not self._is_press and held_ms >= _PRESS_MS:
                self._is_press = True
                self._count_press(now_ms)
        if self._count and ticks_diff(now_ms, self._first_ms) >= self._window_ms:
            self._count = 0

    def _count_press(self, now_ms: int) -> None:
        if not self._count:
            self._first_ms = now_ms
        self._count += 1
        if self._count >= self._presses:
            self._count = 0
            self._has_wish = True
            self._wish_ms = now_ms
