"""The monitor's screen in Textual: places the panels, keeps them up to date, turns keys into questions to the board."""

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Footer, Input

from inletctl.house import use_firmware
from inletctl.monitor import panels
from inletctl.monitor.feed import Change
from inletctl.monitor.model import WARN, Monitor
from inletctl.report.palette import COLORS

use_firmware()

from vehicle.protocol import RATE_MAX_MS, RATE_MIN_MS  # noqa: E402

_PICTURES_PER_S = 10
_PAPER, _INK, _SOFT, _IDLE = (COLORS[key][1] for key in ("paper", "ink", "soft", "idle"))
_MARK, _RATE = "mark", "rate"
_PROMPTS = {
    _MARK: "What happens now? Enter keeps it as a mark, Esc drops it",
    _RATE: "Readings every how many ms: %d..%d, 0 = none" % (RATE_MIN_MS, RATE_MAX_MS),
}


class Feed(Protocol):
    """What the screen needs of whoever talks to the board (feed.py), from its own thread."""

    def ask(self, word: str, *numbers: int) -> None:
        """Have the board asked; the answer comes as a change."""
        ...

    def mark(self, text: str) -> None:
        """Keep a mark in the log, if there is one."""
        ...


class Lines(Widget):
    """Lines of text; paints only those that are not what they were."""

    DEFAULT_CSS = "Lines { height: 1fr; }"

    def __init__(self, name: str):
        super().__init__(id=name)
        self._lines: list[Text] = []

    def show(self, lines: list[Text]) -> None:
        """Show `lines` from the top on, cut to the widget's size."""
        lines = panels.fitted(lines[: self.size.height], self.size.width)
        was, self._lines = self._lines, lines
        for y in range(max(len(was), len(lines))):
            if was[y : y + 1] != lines[y : y + 1]:
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """Return line `y` as Textual wants it."""
        style = self.rich_style
        if y >= len(self._lines):
            return Strip.blank(self.size.width, style)
        line = self._lines[y]
        # Rich leaves the style of a whole text to whoever prints it.
        style += self.app.console.get_style(line.style)
        strip = Strip(line.render(self.app.console, ""), line.cell_len).apply_style(style)
        return strip.adjust_cell_length(self.size.width, style)

    @property
    def text(self) -> str:
        """What stands there now."""
        return "\n".join(line.plain for line in self._lines)


class MonitorApp(App[None]):
    """The screen. `feed` talks to the board and appends to `changes`, `model` keeps them; ends after `seconds`."""

    TITLE = "OpenInlet monitor"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None  # the prompt is hidden until it is asked for
    CSS = f"""
    Screen {{ background: {_PAPER}; color: {_INK}; }}
    #title, #state, #health {{ height: 1; }}
    #upper {{ height: 8; }}
    #lower {{ height: 6; }}
    #upper > Lines, #lower > Lines {{ width: 1fr; height: 100%; }}
    #pilot, #temperature {{ margin-right: 2; }}
    #why {{ height: 2; }}
    #events {{ height: 1fr; }}
    Input {{ display: none; height: 1; border: none; padding: 0 1; background: {_IDLE}; }}
    Input:focus {{ border: none; }}
    Input.asking {{ display: block; }}
    Footer {{ background: {_PAPER}; }}
    FooterKey {{ background: {_PAPER}; color: {_SOFT}; }}
    FooterKey .footer-key--key {{ background: {_PAPER}; color: {_INK}; text-style: bold; }}
    """
    BINDINGS = [
        Binding("l", "lock('lock')", "test lock"),
        Binding("u", "lock('unlock')", "test unlock"),
        Binding("s", "stop", "stop charging"),
        Binding("m", "prompt('mark')", "mark"),
        Binding("r", "prompt('rate')", "rate"),
        Binding("q", "quit", "quit"),
        Binding("escape", "drop", "drop", show=False),
    ]

    def __init__(
        self,
        feed: Feed,
        changes: "deque[Change]",
        model: Monitor,
        seconds: "float | None" = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        self.model = model
        self._feed = feed
        self._changes = changes
        self._seconds = seconds
        self._clock = clock
        self._asking = ""
        self._shown_s = -1
        self._is_new = True

    def compose(self) -> ComposeResult:
        """Yield the panels from top to bottom."""
        yield Lines("title")
        yield Lines("state")
        with Horizontal(id="upper"):
            yield Lines("pilot")
            yield Lines("current")
        with Horizontal(id="lower"):
            yield Lines("temperature")
            yield Lines("inlet")
        yield Lines("why")
        yield Lines("events")
        yield Lines("health")
        yield Input()
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look at the feed."""
        self._panels = {panel.id: panel for panel in self.query(Lines)}
        self.set_interval(1 / _PICTURES_PER_S, self.look)
        if self._seconds is not None:
            self.set_timer(self._seconds, self.exit)

    def on_resize(self) -> None:
        """Paint anew at the new size, once the panels have theirs."""
        self._is_new = True

    def look(self) -> None:
        """Take what came in; paint if anything did, and once a second for what ages."""
        changes = self._changes
        is_new = self._is_new or bool(changes)
        while changes:
            changes.popleft()(self.model)
        second = int(self._clock())
        if is_new or second != self._shown_s:
            self._shown_s = second
            self._is_new = False
            self._paint()

    def _paint(self) -> None:
        model, at_s = self.model, self._clock()
        self._share_out()
        for name, make in (
            ("title", lambda width, height: [panels.title(model, width, at_s)]),
            ("state", lambda width, height: [panels.state(model, width)]),
            ("pilot", lambda width, height: panels.pilot(model, width)),
            ("current", lambda width, height: panels.current(model, width)),
            ("temperature", lambda width, height: panels.temperatures(model, width)),
            ("inlet", lambda width, height: panels.inlet(model, width)),
            ("why", lambda width, height: panels.why(model, width, height)),
            ("events", lambda width, height: panels.events(model, width, height)),
            ("health", lambda width, height: [panels.health(model, width, at_s)]),
        ):
            panel = self._panels[name]
            width, height = panel.size
            if width and height:
                panel.show(make(width, height))

    def _share_out(self) -> None:
        """Give the reasons the room they need, at most two thirds of what they share with the events."""
        why, room = self._panels["why"], self._panels["why"].size.height
        room += self._panels["events"].size.height
        needed = 1 + max(1, len(self.model.reasons()) + len(self.model.faults()))
        height = max(2, min(needed, room * 2 // 3))
        if height != why.size.height:
            why.styles.height = height
            self._is_new = True  # at the next look, when the panels have their new sizes

    # Keys -------------------------------------------------------------------

    def action_lock(self, word: str) -> None:
        """Ask for a test drive of the lock."""
        self._feed.ask(word)

    def action_stop(self) -> None:
        """Ask to stop charging, as a person at the inlet would."""
        self._feed.ask("stop")

    def action_prompt(self, what: str) -> None:
        """Ask the person for a line of text."""
        self._asking = what
        box = self.query_one(Input)
        box.value = ""
        box.placeholder = _PROMPTS[what]
        box.add_class("asking")
        box.focus()

    def action_drop(self) -> None:
        """Close the prompt without doing anything."""
        self._asking = ""
        self.query_one(Input).remove_class("asking")
        self.set_focus(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do what the prompt was for."""
        asking, text = self._asking, event.value.strip()
        self.action_drop()
        if asking == _MARK and text:
            self.model.tell("mark: " + text)
            self._feed.mark(text)
        elif asking == _RATE and text:
            self._ask_rate(text)
        self._is_new = True

    def _ask_rate(self, text: str) -> None:
        if (
            text.isascii()
            and text.isdigit()
            and (text == "0" or RATE_MIN_MS <= int(text) <= RATE_MAX_MS)
        ):
            self._feed.ask("rate", int(text))
        else:
            self.model.tell(
                "no rate: %s is not %s" % (text, _PROMPTS[_RATE].partition(": ")[2]), WARN
            )
