"""docs/protocol.md: the board's line protocol, printed from the data that the board itself runs on."""

from inletctl.house import use_firmware
from inletctl.link.refusal_words import WORDS

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402
from journal import pages  # noqa: E402
from vehicle import protocol  # noqa: E402

_WHEN = {
    protocol.ANY: "any time",
    protocol.EMPTY: "no plug in",
    protocol.IN_SERVICE: "service mode",
    protocol.AT_REST: "S2 open, lock at rest",
}
# What a command does, and what comes back beside an empty "ok".
_WHAT = {
    "hello": ("who is there", '`"is"`: chip, board, board id, firmware'),
    "rate": ("readings every so many ms: 0 = never, else %d..%d" % (protocol.RATE_MIN_MS, protocol.RATE_MAX_MS), ""),
    "stop": ("stop charging, as a person would; stays wanted until the plug is out", ""),
    "get": ("the setting of this number (docs/settings.md)", "number, value in force, 1 if stored"),
    "log": ("the change so many changes ago, 0..%d" % (protocol.LOG_LINES - 1), "tick, line, the 16 commands, late"),
    "set": ("setting of this number, its value: kept aside until `store`", ""),
    "clear": ("nothing is to be stored: kept aside until `store`", ""),
    "store": ("write what was kept aside; in force after the next restart", ""),
    "restart": ("start anew, half a second later", ""),
    "service_end": ("leave service mode", ""),
    "lock": ("drive the lock towards locked", ""),
    "unlock": ("drive the lock towards unlocked", ""),
    "time": ("it is this minute of the week, local: 0 = Monday 0:00 .. 10079; forgotten with the power, and a week later", ""),
    "now": ("charge outside the charge windows until the plug is out, as a short press of the stop button does", ""),
    "port_read": ("the stored port records (firmware/ports/records.py) from this byte on", "how many bytes, then 9 numbers of three bytes each, the first lowest"),
    "port_write": ("a byte's place, then up to 7 numbers: the bytes from there on of a record to come", ""),
    "port_set": ("store the record so written, this many bytes long; in force after the next restart", ""),
    "port_delete": ("remove the port record of this number, 0 = all; in force after the next restart", ""),
    "journal": ("page (%s), and which %s" % (
        ", ".join("%d %s" % (n, row[0]) for n, row in enumerate(pages.PAGE_NAMES)),
        "slot or contact of it",
    ), "%d numbers (firmware/journal/pages.py), 0 where there are fewer" % pages.NUMBERS),
    "journal_file": ("file of the journal's log (docs/journal.md), from this byte on", "its length, then %d numbers of three bytes each, the first lowest" % (pages.NUMBERS - 1)),
    "code_clear": ("forget the trouble code of this number, as far as its class allows", ""),
    "inspected": ("the inlet was inspected: count to the next inspection from here", ""),
}  # fmt: skip


def _rows(head: str, rows: "list[tuple[str, ...]]") -> str:
    bar = "|%s|" % "|".join(["---"] * (head.count("|") - 1))
    return "\n".join([head, bar, *("| %s |" % " | ".join(row) for row in rows)]) + "\n"


def protocol_page() -> str:
    """Return docs/protocol.md."""
    doc = (protocol.__doc__ or "").split("\n\n", 1)[1].rstrip()
    commands = []
    for word, least, most, when in protocol.COMMANDS:
        what, back = _WHAT[word]
        many = str(least) if least == most else "%d..%d" % (least, most)
        commands.append(("`%s`" % word, many, _WHEN[when], what, back))
    return (
        "# The line protocol of the console\n\n"
        "Printed by `inletctl docs` from firmware/vehicle/protocol.py, version %d. Do not edit.\n\n"
        "A board speaks it on its USB serial port (ESP32: its UART) as soon as its loop runs. Telemetry is made in the time\n"
        "that a pass has left over, a few bytes at a time; commands are read the same way and obeyed one a pass at most.\n"
        "A line that is not whole, in this order of keys and with a right check sum, is dropped without a word. Ctrl-C ends\n"
        "the loop only where it comes alone behind a pause of 100 ms.\n\n```\n%s\n```\n\n"
        "## Commands\n\n%s\n"
        "Service mode: with no plug in, a person holds both buttons of the board for 5 s; its light flashes white. It ends\n"
        "after 10 minutes, with a plug, or with `service_end`. While it is on nothing is charged and the car may not be driven.\n\n"
        '## Refusals\n\n%s\n## "c": commands of the logic\n\n%s\n\n## "r": readings\n\n%s\n\n'
        "Of the pilot's periods the newest, then what the four before it, newest first, are longer by; `flags` has a bit for each\n"
        "of these, in this order:\n\n%s\n"
        % (
            protocol.VERSION,
            doc,
            _rows("| do | a | when | what | answer |", commands),
            _rows(
                "| no | name | in words |",
                [(str(n), "`%s`" % name, WORDS[name]) for n, name in enumerate(protocol.REFUSALS)],
            ),
            ", ".join("`%s`" % name for name in layout.COMMANDS),
            ", ".join("`%s`" % name for name in protocol.READINGS),
            ", ".join("`%s`" % name for name in protocol.FLAGS),
        )
    )
