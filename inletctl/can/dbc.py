"""docs/openinlet-*.dbc, printed from the messages. A mask of the firmware is one signal a bit there, with the bit's name."""

from collections.abc import Iterator

from inletctl.can.source import SENDERS, Dialect, Message, Signal

_NEW_SYMBOLS = ("CM_", "BA_DEF_", "BA_", "VAL_", "BA_DEF_DEF_")


def _node(sender: str) -> str:
    return sender.capitalize()


def message_name(dialect: Dialect, message: Message) -> str:
    """Return the name a message has in the DBC file."""
    return "%s_%s" % (dialect.name, message.name)


def expanded(s: Signal) -> Iterator[tuple[str, int, int, Signal]]:
    """Yield (name, start, bits, signal) as the DBC file has them."""
    if s.bit_names:
        for n, name in enumerate(s.bit_names):
            yield name, s.start + n, 1, s
    else:
        yield s.name, s.start, s.bits, s


def _signal_line(name: str, start: int, bits: int, s: Signal, receivers: str) -> str:
    mux = " M" if s.is_mux else " m%d" % s.page if s.page is not None else ""
    low, high = (0, 1) if s.bit_names else (s.minimum, s.maximum)
    return ' SG_ %s%s : %d|%d@%d%s (%d,%d) [%d|%d] "%s" %s' % (
        name, mux, start, bits, 0 if s.is_big_endian else 1, "-" if s.is_signed else "+",
        s.scale, s.offset, low, high, s.unit, receivers,
    )  # fmt: skip


def _quoted(text: str) -> str:
    return '"%s"' % text.replace('"', "'")


def _nodes(dialect: Dialect) -> list[str]:
    senders = {m.sender for m in dialect.messages}
    return [s for s in SENDERS if s in senders]


def _messages(dialect: Dialect) -> Iterator[str]:
    nodes = _nodes(dialect)
    for message in dialect.messages:
        receivers = ",".join(_node(n) for n in nodes if n != message.sender) or "Vector__XXX"
        yield "BO_ %d %s: %d %s" % (
            message.id, message_name(dialect, message), message.length, _node(message.sender),
        )  # fmt: skip
        for s in message.signals:
            for one in expanded(s):
                yield _signal_line(*one, receivers)
        yield ""


def _comments(dialect: Dialect) -> Iterator[str]:
    yield "CM_ %s;" % _quoted(
        "%s messages of OpenInlet. Printed by inletctl docs from inletctl/can/dialects/%s.toml: do not edit."
        % (dialect.title, dialect.name)
    )
    for message in dialect.messages:
        yield "CM_ BO_ %d %s;" % (message.id, _quoted(message.comment))
        for s in message.signals:
            if s.comment and not s.bit_names:
                yield "CM_ SG_ %d %s %s;" % (message.id, s.name, _quoted(s.comment))


def _attributes(dialect: Dialect) -> Iterator[str]:
    yield 'BA_DEF_ BO_ "GenMsgCycleTime" INT 0 60000;'
    yield 'BA_DEF_ BO_ "E2EDataId" INT 0 65535;'
    yield 'BA_DEF_DEF_ "GenMsgCycleTime" 0;'
    yield 'BA_DEF_DEF_ "E2EDataId" 0;'
    for message in dialect.messages:
        yield 'BA_ "GenMsgCycleTime" BO_ %d %d;' % (message.id, message.cycle_ms)
        if message.is_protected:
            yield 'BA_ "E2EDataId" BO_ %d %d;' % (message.id, message.id)


def _words(dialect: Dialect) -> Iterator[str]:
    for message in dialect.messages:
        for s in message.signals:
            if s.words:
                words = " ".join("%d %s" % (n, _quoted(w)) for n, w in enumerate(s.words))
                yield "VAL_ %d %s %s ;" % (message.id, s.name, words)


def dbc_file(dialect: Dialect) -> str:
    """Return the text of docs/openinlet-<dialect>.dbc."""
    lines = ['VERSION ""', "", "NS_ :", *("    %s" % symbol for symbol in _NEW_SYMBOLS)]
    lines += ["", "BS_:", "", "BU_: %s" % " ".join(_node(n) for n in _nodes(dialect)), ""]
    lines += [*_messages(dialect), *_comments(dialect), *_attributes(dialect), *_words(dialect)]
    return "\n".join(lines) + "\n"
