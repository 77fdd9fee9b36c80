"""Follows a session in the terminal while it runs.

`poll` may be called every pass: it looks at the wall clock and does nothing more until the next picture is due, so
its cost does not grow with the speed of the simulation. On a terminal it draws one screen in place; elsewhere (a
pipe, CI) it prints one plain line an event.
"""

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.live import Live

from inletctl.live_screen import Screen
from inletctl.record import Event, Recorder
from inletctl.report.meta import SessionMeta

SCREEN = "screen"
LINES = "lines"
NOTHING = "nothing"
_PICTURES_PER_S = 12


class LiveView:
    """Context manager; `mode` is SCREEN, LINES or NOTHING, by default what the output can show."""

    def __init__(
        self,
        recorder: Recorder,
        meta: SessionMeta,
        mode: str | None = None,
        console: Console | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ):
        if mode not in (None, SCREEN, LINES, NOTHING):
            raise ValueError(f"unknown mode of the live view: {mode}")
        self._console = console or Console()
        if mode is None:
            mode = (
                SCREEN
                if self._console.is_terminal and not self._console.is_dumb_terminal
                else LINES
            )
        self.mode = mode
        self._recorder = recorder
        self._now_s = now_s
        self._screen = Screen(recorder, meta)
        self._due_s = 0.0
        self._began_s = 0.0
        self._told = 0  # events printed so far, in LINES
        self._live: Live | None = None

    def __enter__(self) -> "LiveView":
        self._began_s = self._due_s = self._now_s()
        if self.mode == SCREEN:
            # No thread of its own: pictures come from poll, and a test needs no clock.
            self._live = Live(console=self._console, auto_refresh=False, redirect_stderr=False)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._show()
        if self._live is not None:
            self._live.stop()

    def poll(self) -> None:
        """Show the session as it is now, if a new picture is due."""
        if self._now_s() >= self._due_s:
            self._show()
            self._due_s = self._now_s() + 1 / _PICTURES_PER_S

    def _show(self) -> None:
        if self.mode == SCREEN and self._live is not None:
            wall_s = self._now_s() - self._began_s
            self._live.update(self._screen.picture(self._console, wall_s), refresh=True)
        elif self.mode == LINES:
            events = self._recorder.events
            while self._told < len(events):
                line = event_line(events[self._told])
                self._console.print(line, markup=False, highlight=False, soft_wrap=True)
                self._told += 1


def event_line(event: Event) -> str:
    """Return an event as one plain line: time in s, kind, text."""
    return f"{event.t_us / 1e6:10.3f} s  {event.kind:<9}  {' '.join(event.text.split())}"
