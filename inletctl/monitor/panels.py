"""The parts of the monitor's screen, each a few lines of text made from the model. Pure: nothing here knows Textual."""

from collections.abc import Iterable
from importlib import import_module

from rich.text import Text

from inletctl.house import use_firmware
from inletctl.monitor.model import (
    CHANNEL_NAMES,
    CONNECTING,
    INFO,
    LOST,
    SILENT_S,
    Channel,
    Monitor,
)
from inletctl.monitor.wave import draw
from inletctl.printable import printable
from inletctl.report.palette import COLORS, LEVEL, color_of

_BLOCKS = "▁▂▃▄▅▆▇█"
_LABEL = 10
_LINE = COLORS["idle"][1]
_READABLE = {"idle": "soft", "pale": "blue", "navy": "blue"}
_VALUE = 7
# A trend that moves less than this is drawn flat: noise is no trend.
_TREND_SPAN_DECIC = 50
_SPEED_NEAR = 0.1


def style(key: str, extra: str = "") -> str:
    """Return the Rich style of a palette colour, for words: those made for grounds are replaced by readable ones."""
    return ("%s %s" % (extra, COLORS[_READABLE.get(key, key)][1])).strip()


def rule(title: str, width: int, note: str = "") -> Text:
    """Return the line above a panel, with its title and a note at the right."""
    line = Text.assemble(("── ", _LINE), (title, style("soft", "bold")), (" ", ""))
    rest = width - line.cell_len - (len(note) + 4 if note else 0)
    line.append("─" * max(0, rest), _LINE)
    if note and rest >= 0:
        line.append(" %s " % note, style("soft")).append("──", _LINE)
    return line


def title(model: Monitor, width: int, at_s: float) -> Text:
    """Return the first line: who is watched, and whether it can be heard."""
    words, colour = _link(model, at_s)
    right = Text(" %s " % words, style(colour, "bold reverse"))
    left = Text.assemble(("OpenInlet ", "bold"), (model.target, style("soft")))
    if model.identity:
        left.append("  %s" % plain(model.identity), style("ink"))
    left.truncate(max(10, width - right.cell_len - 1), overflow="ellipsis")
    left.pad_right(max(1, width - left.cell_len - right.cell_len))
    return left.append_text(right)


def _link(model: Monitor, at_s: float) -> tuple[str, str]:
    if model.link == LOST:
        return "PORT LOST, trying again", "red"
    silence_s = model.silence_s(at_s)
    if model.link == CONNECTING or silence_s is None:
        return "connecting", "amber"
    if _is_silent(model, silence_s):
        return "SILENT for %.0f s" % silence_s, "red"
    if model.speed is not None and abs(model.speed - 1) > _SPEED_NEAR:
        return "live, %.3g x real time" % model.speed, "amber"
    return "live", "green"


def _is_silent(model: Monitor, silence_s: "float | None") -> bool:
    """Tell whether nothing has come for longer than two heartbeats. A board slower than life has longer ones."""
    return silence_s is None or silence_s > SILENT_S / min(1.0, model.speed or 1.0)


def state(model: Monitor, width: int) -> Text:
    """Return the line of the session: state, pilot, S2, light, permission to drive."""
    if not model.commands:
        return Text(model.link_words or "waiting for the board's first line", style("soft"))
    session, pilot, light = model.word("session"), model.word("pilot_state"), model.word("light")
    s2 = "S2 closed" if model.commands["s2_close"] else "S2 open"
    badge = (" %s " % session.upper(), style(color_of("session", session), "bold reverse"))
    if _has_reason(model, "service_mode"):
        badge = (" SERVICE MODE ", style("amber", "bold reverse"))
    drive = "drive: yes" if model.commands["drive_allowed"] else "drive: no"
    return Text.assemble(
        badge,
        "  pilot ",
        (pilot, style(color_of("pilot_state", pilot), "bold")),
        "  ",
        _lamp(bool(model.commands["s2_close"]), s2),
        "  light ",
        ("● ", style(color_of("light", light))),
        light,
        "  ",
        (drive, style("teal" if model.commands["drive_allowed"] else "soft")),
    )


def pilot(model: Monitor, width: int) -> list[Text]:
    """Return the pilot: its drawing, then the numbers."""
    wave = model.wave()
    word = model.word("pilot_state")
    colour = style(color_of("pilot_state", word))
    lines = [rule("pilot", width, "2 ms" if wave and wave.period_us else "")]
    for row in draw(wave, width):
        line = Text(row[:6], style("soft"))
        lines.append(line.append(row[6:], colour))
    if wave is None:
        words = "no readings: press r" if not model.readings else "level not measured"
        lines.append(Text(words, style("amber")))
    elif wave.period_us:
        lines.append(
            Text.assemble(
                ("%.2f %%" % wave.duty_pct, "bold"),
                "  %.1f Hz  " % wave.frequency_hz,
                "%+.2f / %+.2f V" % (wave.high_mv / 1000, wave.low_mv / 1000),
            )
        )
    else:
        lines.append(Text("steady at %+.2f V, no PWM" % (wave.high_mv / 1000)))
    return lines


def current(model: Monitor, width: int) -> list[Text]:
    """Return the currents per phase, and who limits them."""
    lines = [rule("current per phase", width)]
    c, r = model.commands, model.readings
    if not c:
        return lines
    scale = max(1, model.settings["max_current_ma"], c["offered_ma"])
    limiter = model.word("limiter")
    drawn = r["charger_ma"] if "charger_ok" in model.flags else None
    asks = r["vehicle_limit_ma"] if "vehicle_permits" in model.flags else None
    for name, ma, colour in (
        ("offered", c["offered_ma"], "soft"),
        ("permitted", c["permitted_ma"], "blue"),
        ("commanded", c["charger_ma"], "blue"),
        ("drawn", drawn, "green"),
        ("car takes", asks, "teal"),
    ):
        line = _named(name, "-" if ma is None else "%.1f A" % (ma / 1000))
        if ma is not None:
            line.append_text(bar(ma / scale, width - _LABEL - _VALUE - 2, colour))
        lines.append(line)
    line = _named("limited by", "")
    words = "no current permitted" if limiter == "none" else limiter
    if model.reasons() and c["permitted_ma"]:
        words += ", once charging"
    lines.append(line.append(" " + words, style(color_of("limiter", limiter), "bold")))
    accepted = (
        "%.2f %% accepted" % (c["duty_pct_x100"] / 100) if c["duty_pct_x100"] else "none accepted"
    )
    lines.append(_named("duty", "").append(" " + accepted))
    return lines


def temperatures(model: Monitor, width: int) -> list[Text]:
    """Return the contacts' temperatures with their trends, and what the board itself makes of them."""
    s = model.settings
    note = "" if model.are_settings_known else "default sensors assumed"
    lines = [rule("temperature", width, note)]
    for channel in model.channels():
        lines.append(_temperature(channel, width, s))
    if not model.readings:
        lines += [_named(name, "-") for n, name in enumerate(CHANNEL_NAMES) if s["sensor_%d" % n]]
    if model.commands:
        hottest = model.commands["hottest_decic"] / 10
        line = _named("board says", "%.1f C" % hottest if model.commands["hottest_ok"] else "-")
        limits = "derates %g, stops %g" % (s["derate_start_decic"] / 10, s["stop_decic"] / 10)
        if model.commands["hottest_ok"]:
            lines.append(line.append("  " + limits, style("soft")))
        else:
            lines.append(line.append(" no sensor is believed", style("red")))
    return lines


def _temperature(channel: Channel, width: int, settings: dict[str, int]) -> Text:
    if channel.decic is None:
        line = _named(channel.name, "-")
        return line.append(" %s (%d mV)" % (channel.words, channel.mv), style("red"))
    colour = "green"
    if channel.decic >= settings["derate_start_decic"]:
        colour = "amber"
    if channel.decic >= settings["stop_decic"]:
        colour = "red"
    line = _named(channel.name, "%.1f C" % (channel.decic / 10))
    slope = channel.per_minute_decic
    told = "" if slope is None else "%+.1f K/min" % (slope / 10)
    room = max(0, width - line.cell_len - 13)
    trend = spark(channel.trend, room)
    line.append(" %-*s" % (room, trend), style(colour))
    return line.append(" %11s" % told, style("soft"))


def inlet(model: Monitor, width: int) -> list[Text]:
    """Return the connector: proximity, lock, AC, the car's word, buttons."""
    lines = [rule("inlet", width)]
    plug, r, flags = model.plug(), model.readings, model.flags
    line = _named("PP", "" if plug is None else "%.2f V" % (plug.mv / 1000))
    if plug is not None:
        ohm = "" if plug.ohm is None else "%s, " % _ohm(plug.ohm)
        is_odd = plug.words not in ("plugged", "unplugged") and "cable" not in plug.words
        line.append(" " + ohm + plug.words, style("amber") if is_odd else "")
    lines.append(line)
    lines.append(_lock(model))
    if not r:
        return lines
    ac = "not sensed"
    if "ac_ok" in flags:
        ac = "present" if "ac_present" in flags else "none"
    lines.append(_named("AC", "").append_text(Text.assemble(" ", _lamp(ac == "present", ac))))
    is_silent = r["vehicle_age_ms"] > model.settings["vehicle_timeout_ms"]
    car = "permits charging" if "vehicle_permits" in flags else "does not permit charging"
    if is_silent:
        car = "silent for %.1f s" % (r["vehicle_age_ms"] / 1000)
    lines.append(_named("car", "").append(" " + car, style("amber") if is_silent else ""))
    pressed = [word for word in ("stop", "unlock") if word + "_request" in flags]
    lines.append(
        _named("buttons", "").append(
            " " + (", ".join(pressed) or "none"), "" if pressed else style("soft")
        )
    )
    return lines


def _lock(model: Monitor) -> Text:
    if not model.commands:
        return _named("lock", "")
    word = model.word("lock_state").replace("_", " ")
    line = _named("lock", "")
    line.append(" " + word, style(color_of("lock_state", model.word("lock_state")), "bold"))
    drive = {1: ", driven to lock", -1: ", driven to unlock"}.get(model.commands["lock_drive"], "")
    line.append(drive, style("amber"))
    if model.readings:
        if "lock_feedback_ok" in model.flags:
            line.append("  %.2f V" % (model.readings["lock_feedback_mv"] / 1000), style("soft"))
        if model.readings["lock_motor_ma"]:
            line.append("  %.1f A" % (model.readings["lock_motor_ma"] / 1000), style("amber"))
    return line


def why(model: Monitor, width: int, height: int) -> list[Text]:
    """Return why S2 may not close, and what is broken; `height` lines at most, the rule included."""
    if not model.commands:
        return [rule("why not charge", width)]
    reasons, faults = model.reasons(), model.faults()
    # The reason to blame first, then what is broken, then the other reasons: what does not fit is at least named.
    rows = [(name, what + _way_out(name), "amber") for name, what in reasons]
    rows[1:1] = [(name, what, "red") for name, what in faults]
    room = height - 1
    more = ""
    if len(rows) > room:
        more = ", ".join(name for name, _, _ in rows[max(0, room - 1) :])
        rows = rows[: max(0, room - 1)]
    lines = [
        Text.assemble(
            ("%-16s " % name, style(colour, "bold")),
            (what, "" if colour == "amber" else style(colour)),
        )
        for name, what, colour in rows
    ]
    if more:
        lines.append(Text("and " + more, style("amber")))
    if not reasons:
        lines.insert(0, Text("S2 may close: no reason against it", style("green")))
    if model.verdict is not None and len(lines) < room:
        lines.append(
            Text.assemble(
                ("%-16s " % "whose fault", style("soft", "bold")), (plain(model.verdict.line), "")
            )
        )
    note = "%s, %s" % (_count(len(reasons), "reason"), _count(len(faults), "fault"))
    return [rule("why not charge", width, note), *lines]


def _count(number: int, word: str) -> str:
    return "%d %s" % (number, word) if number == 1 else "%s %ss" % (number or "no", word)


def _way_out(reason: str) -> str:
    use_firmware()
    faults = import_module("faults")
    for row in faults.SHUTDOWN:
        if row[faults.ROW_NAME] == reason:
            return {faults.UNPLUG: " (pull the plug)", faults.SERVICE: " (restart the board)"}.get(
                row[faults.ROW_CLEARS], ""
            )
    return ""


def health(model: Monitor, width: int, at_s: float) -> Text:
    """Return the line of the loop and of the connection."""
    silence_s = model.silence_s(at_s)
    is_silent = _is_silent(model, silence_s)
    per_s = 0.0 if is_silent else model.lines_per_s
    age = "never heard" if silence_s is None else "last word %s ago" % _age(silence_s)
    line = Text()
    for words, is_bad in (
        ("%d passes late" % model.late, model.late > 0),
        ("%.*f lines/s" % (0 if per_s >= 1 or not per_s else 2, per_s), False),
        ("%d lost" % model.lost, model.lost > 0),
        ("%d damaged" % model.damaged, model.damaged > 0),
        ("%d restarts" % model.restarts, model.restarts > 0),
        (age, is_silent),
    ):
        line.append(words, style("amber", "bold") if is_bad else "").append("  ")
    return line


def events(model: Monitor, width: int, height: int) -> list[Text]:
    """Return the newest events that fit into `height` lines, the rule included."""
    lines = [rule("events", width)]
    room = max(0, height - 1)
    newest = list(model.events)[-room:] if room else []
    for event in newest:
        colour = "" if event.level == INFO else style(LEVEL[event.level])
        stamp = "%9.2f s  " % (event.t_us / 1e6)
        lines.append(Text.assemble((stamp, style("soft")), (plain(event.text), colour)))
    return lines


# Parts --------------------------------------------------------------------


def bar(share: float, width: int, colour: str) -> Text:
    """Return a bar of `width` cells, `share` 0..1 of it filled."""
    width = max(1, width)
    halves = round(max(0.0, min(1.0, share)) * width * 2)
    body = "━" * (halves // 2) + ("╸" if halves % 2 else "")
    line = Text(" ").append(body, style(colour))
    return line.append("─" * (width - len(body)), _LINE)


def spark(values: "tuple[int, ...]", width: int) -> str:
    """Return the newest `width` values as blocks, from the least to the greatest of them."""
    shown = values[-width:] if width else ()
    if not shown:
        return ""
    low = min(shown)
    span = max(max(shown) - low, _TREND_SPAN_DECIC)
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[(value - low) * top // span] for value in shown)


def plain(text: str) -> str:
    """Return text without what a terminal could take for a command."""
    return printable(text, " ")


def _named(name: str, value: str) -> Text:
    line = Text("%-*s" % (_LABEL, name))
    return line.append("%*s" % (_VALUE, value), "bold") if value else line


def _lamp(is_on: bool, words: str) -> Text:
    lamp = Text("● " if is_on else "○ ", style("green" if is_on else "soft"))
    return lamp.append(words, "" if is_on else style("soft"))


def _ohm(ohm: float) -> str:
    return "%.0f ohm" % ohm if ohm < 10000 else "%.1f kohm" % (ohm / 1000)


def _age(seconds: float) -> str:
    # In steps: an age that changes with every picture would be painted with every picture.
    return "< 1 s" if seconds < 1 else "%.0f s" % seconds


def _has_reason(model: Monitor, name: str) -> bool:
    return any(reason == name for reason, _ in model.reasons())


def fitted(lines: "Iterable[Text]", width: int) -> list[Text]:
    """Return the lines cut to `width` cells."""
    cut = []
    for line in lines:
        line.truncate(width, overflow="ellipsis")
        cut.append(line)
    return cut
