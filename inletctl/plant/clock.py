"""What is due and when: the plant's only scheduler. Microseconds since the start of the run."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

FAR_US = 1 << 62  # later than any run

# [due us, order of booking, callback or None once cancelled, arguments]; callbacks are bound methods, so that a
# pickled world keeps its bookings.
Booking = list[Any]


class Clock:
    """Bookings in order of time, and of booking where the time is the same: the same run every time."""

    def __init__(self) -> None:
        self.now_us = 0
        self.due_us = FAR_US  # of the first booking
        self._heap: list[Booking] = []
        self._order = 0

    def at(self, due_us: int, callback: Callable[..., None], *args: Any) -> Booking:
        """Book a call for `due_us`, or for now if that has passed."""
        self._order += 1
        booking: Booking = [max(due_us, self.now_us), self._order, callback, args]
        heappush(self._heap, booking)
        self.due_us = self._heap[0][0]
        return booking

    def after_ms(self, delay_ms: float, callback: Callable[..., None], *args: Any) -> Booking:
        """Book a call `delay_ms` from now."""
        return self.at(self.now_us + round(delay_ms * 1000), callback, *args)

    def run_next(self) -> None:
        """Carry the first booking out. The caller has moved now_us to due_us."""
        booking = heappop(self._heap)
        self.due_us = self._heap[0][0] if self._heap else FAR_US
        callback = booking[2]
        if callback is not None:
            booking[2] = None
            callback(*booking[3])


def cancel(booking: Booking | None) -> None:
    """Cancel a booking; nothing happens if it is None, done or cancelled already."""
    if booking is not None:
        booking[2] = None
