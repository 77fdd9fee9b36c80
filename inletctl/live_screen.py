"""The one screen of the live view: lines of text that fit 80 x 24 and use more where there is more."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, Group, OverflowMethod, RenderableType
from rich.text import Text

from inletctl.printable import printable
from inletctl.record import Event, Recorder, mask_rows, name_of
from inletctl.report.meta import SessionMeta, clock
from inletctl.report.palette import LEVEL, color_of

_STYLES = {
    "ink": "", "soft": "dim", "idle": "bright_black", "pale": "cyan", "blue": "bright_blue",
    "navy": "blue", "teal": "cyan", "green": "green", "amber": "yellow", "orange": "dark_orange",
    "red": "red", "violet": "magenta", "white": "white",
}  # fmt: skip
_LABEL = 14  # width of the names at the left
_VALUE = 7  # width of a number with its unit
_EVENTS_MAX = 12
_ROOMY_LINES = 30  # a terminal this high has room for headings
_TEMPERATURE_TOP_DECIC = 1000  # right end of a temperature's bar


class Screen:
    """Draws what a Recorder saw last."""

    def __init__(self, recorder: Recorder, meta: SessionMeta):
        self._recorder = recorder
        self._meta = meta
        self._width = 80
        self._ascii = False
        self._overflow: OverflowMethod = "ellipsis"

    def picture(self, console: Console, wall_s: float) -> RenderableType:
        """Return the screen; `wall_s` is the wall time since the session began."""
        self._width = console.width
        self._ascii = console.options.ascii_only
        self._overflow = "crop" if self._ascii else "ellipsis"
        lines = [self._title(), self._progress(wall_s)]
        if self._recorder.commands is None:
            lines.append(Text("waiting for the first pass", style="dim"))
        else:
            lines += self._body(console.height >= _ROOMY_LINES)
        # The last line stays free: the cursor waits there, and a full screen would scroll.
        room = console.height - len(lines) - 2
        count = min(_EVENTS_MAX, max(0, room))
        if count:
            lines.append(self._rule("events"))
            lines += self._events(self._recorder.events[-count:])
        for line in lines:
            line.no_wrap = True
            line.overflow = self._overflow
            line.truncate(self._width, overflow=self._overflow)
        return Group(*lines[: max(1, console.height - 1)])

    def _body(self, is_roomy: bool) -> list[Text]:
        readings, commands = self._recorder.readings, self._recorder.commands
        world = self._recorder.world
        parts = (
            ("session", [self._state(commands, world)]),
            ("current per phase", self._currents(commands, world)),
            ("temperature", self._temperatures(commands, world)),
            (
                "connector and switches",
                [self._lock(commands, world), self._switches(readings, commands, world)],
            ),
            ("permission", [self._reasons(commands), self._faults(commands)]),
        )
        lines = []
        for heading, part in parts:
            if is_roomy:
                lines.append(self._rule(heading))
            lines += part
        return lines

    # Lines.

    def _title(self) -> Text:
        meta = self._meta
        right = ", ".join(word for word in (meta.inlet, meta.target) if word)
        left = Text.assemble(("OpenInlet  ", "bold"), _plain(meta.title))
        left.truncate(max(10, self._width - len(right) - 2), overflow=self._overflow)
        left.pad_right(max(1, self._width - left.cell_len - len(right)))
        return left.append(right, style="dim")

    def _progress(self, wall_s: float) -> Text:
        t_us = self._recorder.t_us
        total_us = self._meta.length_us
        speed = t_us / 1e6 / wall_s if wall_s > 0.05 else 0
        words = clock(t_us, 1) + (f" of {clock(total_us, 1)}" if total_us else "")
        words += (
            f"  {speed:4.0f} x" if speed >= 10 else f"  {speed:4.1f} x" if speed else "       "
        )
        if not total_us:
            return Text(words)
        width = max(10, self._width - len(words) - 2)
        line = self._bar(t_us / total_us, width, "blue", False)
        return line.append(f"  {words}")

    def _state(self, commands: Any, world: Any) -> Text:
        names = self._recorder.names
        session = name_of(names.session, commands.session)
        pilot = name_of(names.pilot, commands.pilot_state)
        light = name_of(names.light, commands.light)
        line = Text.assemble(
            (f" {session.upper()} ", f"bold reverse {_style(color_of('session', session))}"),
            "   pilot ",
            (pilot, f"bold {_style(color_of('pilot_state', pilot))}"),
            (f" (EVSE {_plain(world.evse_state)})", "dim"),
            "   light ",
            (self._dot(), _style(color_of("light", light))),
            f" {light}",
        )
        if commands.drive_allowed:
            line.append("   car may drive", style="cyan")
        return line

    def _currents(self, commands: Any, world: Any) -> Iterable[Text]:
        scale = max(1, self._meta.rated_ma, commands.offered_ma)
        limiter = name_of(self._recorder.names.limiter, commands.limiter)
        by = f"limited by {limiter}" if limiter != "none" else "no current permitted"
        if commands.reasons and commands.permitted_ma:
            by = f"would be limited by {limiter}"
        for name, ma, color, note in (
            ("offered", commands.offered_ma, "soft", ""),
            ("permitted", commands.permitted_ma, "blue", by),
            ("commanded", commands.charger_ma, "blue", ""),
            ("drawn", world.charger_ma, "green", ""),
        ):
            line = self._named(name, f"{ma / 1000:.1f} A")
            style = "bold " + _style(color_of("limiter", limiter))
            yield line.append(self._bar(ma / scale, self._bar_width(), color)).append(
                f"  {note}", style=style
            )

    def _temperatures(self, commands: Any, world: Any) -> Iterable[Text]:
        meta = self._meta
        shown = [(name, world.contact_decic[n]) for n, name in meta.shown_contacts()]
        shown.append(("seen", commands.hottest_decic if commands.hottest_ok else None))
        for n, (name, decic) in enumerate(shown):
            if decic is None:
                yield self._named(name, "-").append("no sensor can be believed", style="red")
                continue
            color = "green"
            if meta.derate_start_decic is not None and decic >= meta.derate_start_decic:
                color = "amber"
            if meta.stop_decic is not None and decic >= meta.stop_decic:
                color = "red"
            line = self._named(name, f"{decic / 10:.1f} C")
            line.append(self._bar(decic / _TEMPERATURE_TOP_DECIC, self._bar_width(), color))
            self._mark(line, meta.derate_start_decic, "yellow")
            self._mark(line, meta.stop_decic, "red")
            if n == 0:
                line.append(f"  {self._marks_note()}", style="dim")
            yield line

    def _lock(self, commands: Any, world: Any) -> Text:
        name = name_of(self._recorder.names.lock, commands.lock_state)
        drive = {1: "driving: lock", -1: "driving: unlock"}.get(commands.lock_drive, "")
        line = self._named("lock", f"{world.lock_travel_pct} %")
        line.append(self._bar(world.lock_travel_pct / 100, self._bar_width(), "navy"))
        line.append(f"  {name}", style="bold " + _style(color_of("lock_state", name)))
        return line.append(f"  {drive}", style="yellow")

    def _switches(self, readings: Any, commands: Any, world: Any) -> Text:
        line = Text(" " * _LABEL)
        ac = "AC ?" if not readings.ac_ok else "AC present" if readings.ac_present else "no AC"
        for text, is_on in (
            ("plugged" if world.plugged else "unplugged", world.plugged),
            ("S2 closed" if commands.s2_close else "S2 open", commands.s2_close),
            (
                f"contactor {'closed' if world.contactor_closed else 'open'}",
                world.contactor_closed,
            ),
            (ac, readings.ac_ok and readings.ac_present),
        ):
            line.append(
                self._dot() if is_on else self._ring(), "green" if is_on else "bright_black"
            )
            line.append(f" {text}   ", "" if is_on else "dim")
        return line

    def _reasons(self, commands: Any) -> Text:
        rows = mask_rows(self._recorder.names.reasons, commands.reasons)
        if not rows:
            return self._named("S2 may close", "").append("no reason against it", style="green")
        # The first in order is the one to tell; what the others are called fits beside it.
        text = rows[0][1]
        if len(rows) > 1:
            text += f" (+ {', '.join(name for name, _ in rows[1:])})"
        return self._named("S2 stays open", "", "yellow").append(text)

    def _faults(self, commands: Any) -> Text:
        rows = mask_rows(self._recorder.names.faults, commands.faults)
        if not rows:
            return self._named("faults", "").append("none", style="dim")
        text = "; ".join(f"{name}: {what}" for name, what in rows)
        return self._named("faults", "", "bold red").append(text, style="red")

    def _events(self, events: list[Event]) -> Iterable[Text]:
        for event in events:
            line = Text.assemble((f"{event.t_us / 1e6:9.2f} s  ", "dim"))
            style = "bold" if event.kind == "scenario" else ""
            if event.level != "info":
                style = _style(LEVEL[event.level])
            yield line.append(_plain(event.text), style=style)

    # Parts.

    def _rule(self, text: str) -> Text:
        dash = "-" if self._ascii else "\u2500"
        line = f"{dash * 2} {text} {dash * (self._width - len(text) - 4)}"
        return Text(line, style="bright_black")

    def _named(self, name: str, value: str, style: str = "") -> Text:
        line = Text(f"{name[: _LABEL - 1]:<{_LABEL}}", style=style)
        return line.append(f"{value:>{_VALUE}} ", style="bold") if value else line

    def _bar_width(self) -> int:
        return max(8, min(60, self._width - _LABEL - _VALUE - 30))

    def _bar(self, share: float, width: int, color: str, framed: bool = True) -> Text:
        share = max(0.0, min(1.0, share))
        full, half, empty = ("#", "", ".") if self._ascii else _BAR
        halves = round(share * width * 2)
        body = full * (halves // 2) + (half if halves % 2 else "")
        line = Text(" " if framed else "")
        line.append(body, style=_style(color))
        return line.append(empty * (width - len(body)), style="bright_black")

    def _mark(self, line: Text, decic: int | None, style: str) -> None:
        """Colour the cell of a bar where a limit lies."""
        if decic is None or not 0 <= decic < _TEMPERATURE_TOP_DECIC:
            return
        begin = _LABEL + _VALUE + 2
        cell = begin + decic * self._bar_width() // _TEMPERATURE_TOP_DECIC
        mark = "|" if self._ascii else "\u2503"
        tail = line[cell + 1 :]
        line.right_crop(len(line) - cell)
        line.append(mark, style=f"bold {style}").append(tail)

    def _marks_note(self) -> str:
        start, stop = self._meta.derate_start_decic, self._meta.stop_decic
        words = []
        if start is not None:
            words.append(f"derates {start / 10:g}")
        if stop is not None:
            words.append(f"stops {stop / 10:g}")
        return ", ".join(words)

    def _dot(self) -> str:
        return "*" if self._ascii else "\u25cf"

    def _ring(self) -> str:
        return "o" if self._ascii else "\u25cb"


_BAR = ("\u2501", "\u2578", "\u2500")  # heavy line, its left half, light line


def _style(color: str) -> str:
    return _STYLES.get(color, "")


def _plain(text: str) -> str:
    """Return text without what a terminal could take for a command."""
    return printable(text, " ")
