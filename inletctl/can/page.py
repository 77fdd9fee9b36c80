"""docs/can.md, printed from the messages and from the tables that the firmware judges frames by."""

from inletctl.can import source
from inletctl.can.answers import FRAMES, PROTECTION, WISHES
from inletctl.can.source import Dialect, Message, Signal
from inletctl.house import use_firmware
from inletctl.markdown import table

use_firmware()

from vehicle import e2e  # noqa: E402

_HEAD = "<!-- Printed by `inletctl docs` from inletctl/can/ and firmware/vehicle/e2e.py. Do not edit: change the data and print again. -->\n"


def _range(s: Signal) -> str:
    if s.bit_names:
        return "%d bits: `%s`" % (len(s.bit_names), s.words_from)
    if s.words_from:
        return "`%s`" % s.words_from
    if s.words:
        return ", ".join("%d %s" % pair for pair in enumerate(s.words))
    return "%d..%d" % (s.minimum, s.maximum) if s.bits > 1 else "0, 1"


def _signals(message: Message) -> str:
    rows = []
    for s in message.signals:
        step = "%d %s" % (s.scale, s.unit) if s.unit else ""
        if s.offset:
            step += ", from %d" % s.offset
        where = "%d.%d" % (s.start // 8, s.start % 8)
        kind = ("-" if s.is_signed else "") + ("be" if s.is_big_endian else "")
        page = "" if s.page is None else str(s.page)
        rows.append(
            ("`%s`" % s.name, page, where, "%d %s" % (s.bits, kind), step, _range(s), s.comment)
        )
    head = ["signal", "page", "byte.bit", "bits", "a bit is", "range", "what"]
    if not message.pages:
        head.remove("page")
        rows = [(row[0], *row[2:]) for row in rows]
    return table(head, rows)


def _dialect(dialect: Dialect) -> str:
    parts = ["\n## %s (`%s`)\n\n%s\n\n" % (dialect.title, dialect.name, dialect.note)]
    parts.append(
        "`openinlet-%s.dbc` has these messages for every CAN tool. Bit 0 is a byte's lowest; values are little-endian.\n\n"
        % dialect.name
    )
    parts.append(
        table(
            ("id", "message", "from", "bytes", "every", "protected", "what"),
            (
                (
                    "0x%03X" % m.id, "`%s`" % m.name, m.sender, m.length, "%d ms" % m.cycle_ms,
                    "yes" if m.is_protected else "", m.comment,
                )
                for m in dialect.messages
            ),
        )
    )  # fmt: skip
    for message in dialect.messages:
        parts.append("\n### 0x%03X `%s`\n\n" % (message.id, message.name))
        parts.append(_signals(message))
    for one in dialect.maps:
        parts.append(
            "\n`%s` of each of `%s`: %s.\n" % (one.to, one.source, _map_words(dialect, one))
        )
    return "".join(parts)


def _map_words(dialect: Dialect, one: source.Map) -> str:
    message, _, name = one.to.partition(".")
    words = next(s.words for s in dialect.message(message).signals if s.name == name)
    return ", ".join(
        "%s %s" % (state, words[value])
        for state, value in zip(source.names_in(one.source), one.values)
    )


def can_page() -> str:
    """Return docs/can.md."""
    answers = [
        (
            "`%s`" % row[e2e.ROW_NAME],
            *PROTECTION[row[e2e.ROW_NAME]],
            "yes" if row[e2e.ROW_TOLD] else "",
        )
        for row in e2e.ANSWERS
    ]
    return (
        "# CAN messages\n"
        + _HEAD
        + """
The setting `can` chooses the dialect spoken with the vehicle, `modem` adds the hand-off to a communication controller;
`can_rate` is the bit rate. Identifiers have 11 bits. At most %d messages are listened to, so that the controller's filters
keep the rest of the traffic out. `inletctl can list`, `decode`, `watch` and `vehicle` read and play them.

Values are whole numbers in the unit that is named; a message of the inlet rounds down, where it does not say otherwise. What
the inlet sends at once, beside its cycle, it sends 10 ms apart at least. A message not heard for five cycles is stale; of the
vehicle's word that is found in the same pass, of its other messages, which take turns, 20 ms later at most.

## Protected messages

Byte 0 is a checksum, the low half of byte 1 a counter, in the style of AUTOSAR E2E profile 1. The checksum is CRC-8 with
the polynomial 0x1D of SAE J1850, start value 0, no final exclusive or, over the data id (its low byte, then its high byte; the
data id is the CAN identifier) and then bytes 1 to the end. The counter goes 0, 1, .. %d, 0; a frame of a message has one more
than the frame before. Example: the data id 0x0C8 with the bytes 01 02 03 behind byte 0 has the checksum 0x%02X.

%s
## Bad input

None of these answers permits more than before, or for longer.

%s
## Contradictory wishes

%s"""
        % (
            source.IDS_MAX,
            e2e.COUNTER_MAX,
            e2e.checksum(b"\0\1\2\3", 4, 0xC8),
            table(("answer", "what it is", "what follows", "told as `can_data`"), answers),
            table(("what comes", "what the inlet makes of it"), [row[:2] for row in FRAMES]),
            table(("what is wished", "what follows"), [row[:2] for row in WISHES]),
        )
        + "".join(_dialect(source.load(name)) for name in source.DIALECTS)
    )
