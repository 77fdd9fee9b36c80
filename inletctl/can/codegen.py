"""firmware/vehicle/can_*.py: straight-line integer code that allocates nothing, printed from the messages.

The inlet decodes what it receives and encodes what it sends; the other directions are the host's (inletctl/can/codec.py).
"""

from collections.abc import Iterator

from inletctl.can.source import Dialect, Message, Signal

_HEAD = '''"""Codecs of CAN messages: %s. Printed by `inletctl docs` from inletctl/can/dialects/%s.toml: do not edit.

`encode_*` write a frame's bytes from a value object: what is out of range is brought into it, fractions are rounded down (up
where it says so); counter and checksum of a protected message stay 0 for vehicle/e2e.py. `decode_*` read one and return
True, or return False and change nothing: a signal is out of its range. Whole numbers only, no signal over 30 bits;
nothing is allocated.
"""

# fmt: off
from micropython import const
'''


def _class_name(message: Message) -> str:
    return "".join(part.capitalize() for part in message.name.split("_"))


def _is_flag(s: Signal) -> bool:
    return s.bits == 1 and not s.words and not s.bit_names


def _own(signals: tuple[Signal, ...]) -> list[Signal]:
    """Return the signals that the codec handles: counter and checksum are the protection's."""
    return [s for s in signals if not s.is_e2e]


def _hint(s: Signal) -> str:
    if s.words and not s.words_from:
        return ", ".join("%d %s" % pair for pair in enumerate(s.words))
    if s.words_from:
        return s.words_from
    if _is_flag(s):
        return s.comment
    unit = " " + s.unit if s.unit else ""
    return "%d..%d%s: %s" % (s.minimum, s.maximum, unit, s.comment)


def _consts(message: Message) -> Iterator[str]:
    up = message.name.upper()
    yield "%s_ID = const(0x%03X)" % (up, message.id)
    yield "%s_LENGTH = const(%d)" % (up, message.length)
    yield "%s_CYCLE_MS = const(%d)" % (up, message.cycle_ms)
    if message.sender == "inlet":
        yield "%s_PHASE_MS = const(%d)" % (up, message.phase_ms)
    for s in message.signals:
        if s.makes_consts:
            for value, word in enumerate(s.words):
                yield "%s_%s_%s = const(%d)" % (up, s.name.upper(), word.upper(), value)
    if message.pages:
        yield "%s_PAGES = const(%d)" % (up, len(message.pages))


def _value_class(message: Message) -> Iterator[str]:
    yield "class %s:" % _class_name(message)
    yield '    """%s"""' % message.comment.replace('"', "'")
    yield ""
    yield "    def __init__(self):"
    for s in _own(message.signals):
        default = "False" if _is_flag(s) else str(min(max(0, s.minimum), s.maximum))
        yield "        self.%s = %s  # %s" % (s.name, default, _hint(s))


def _to_raw(s: Signal) -> Iterator[str]:
    if _is_flag(s):
        yield "    %s = 1 if s.%s else 0" % (s.name, s.name)
        return
    if s.bit_names:
        yield "    %s = s.%s & %d" % (s.name, s.name, s.raw_max)
        return
    yield "    v = s.%s" % s.name
    held = "%d if v < %d else %d if v > %d else v" % (
        s.minimum, s.minimum, s.maximum, s.maximum,
    )  # fmt: skip
    shift = s.offset - (s.scale - 1 if s.rounds_up else 0)
    if shift:
        held = "(%s) %s %d" % (held, "-" if shift > 0 else "+", abs(shift))
    if s.scale != 1:
        held = "(%s) // %d" % (held, s.scale)
    yield "    %s = %s" % (s.name, held)


def _put(s: Signal) -> Iterator[tuple[int, str]]:
    """Yield (byte, expression that is or-ed into it) of a signal whose raw value is a local of its name."""
    for byte, shift, many, done in s.places():
        text = s.name
        if done:
            text = "%s >> %d" % (text, done)
        # A value in its bounds has no bit above its own, but a negative one has.
        if s.is_signed or done + many < s.bits:
            text = "%s & %d" % (text, (1 << many) - 1)
        if shift:
            text = "(%s) << %d" % (text, shift) if " " in text else "%s << %d" % (text, shift)
        yield byte, text


def _or(texts: list[str]) -> str:
    """Return what or-s these together; none of them is 0."""
    if len(texts) > 1:
        texts = ["(%s)" % text if "&" in text and "<<" not in text else text for text in texts]
    return " | ".join(texts) or "0"


def _encode_body(message: Message, signals: tuple[Signal, ...], page: int | None) -> Iterator[str]:
    parts: dict[int, list[str]] = {n: [] for n in range(message.length)}
    for s in _own(signals):
        if s.is_mux:
            ((byte, shift, _, _),) = s.places()
            assert page is not None
            if page << shift:
                parts[byte].append(str(page << shift))
            continue
        yield from _to_raw(s)
        for byte, text in _put(s):
            parts[byte].append(text)
    for byte, texts in parts.items():
        yield "    d[%d] = %s" % (byte, _or(texts))


def _encode(message: Message) -> Iterator[str]:
    name, cls = message.name, _class_name(message)
    if not message.pages:
        yield "def encode_%s(d: bytearray, s: %s) -> None:" % (name, cls)
        yield '    """Write d[0..%d]."""' % (message.length - 1)
        yield from _encode_body(message, message.signals, None)
        return
    for page in message.pages:
        yield "def _encode_%s_%d(d: bytearray, s: %s) -> None:" % (name, page, cls)
        yield from _encode_body(message, message.on(page), page)
        yield ""
        yield ""
    mux = message.mux
    assert mux is not None
    yield "def encode_%s(d: bytearray, s: %s) -> None:" % (name, cls)
    yield '    """Write d[0..%d]: the page s.%s, 0..%d."""' % (
        message.length - 1, mux.name, message.pages[-1],
    )  # fmt: skip
    yield "    page = s.%s" % mux.name
    for page in message.pages:
        word = "if" if page == message.pages[0] else "elif"
        yield "    %s page == %d:" % (word, page)
        yield "        _encode_%s_%d(d, s)" % (name, page)


def _get(s: Signal) -> str:
    texts = []
    for byte, shift, many, done in s.places():
        text = "d[%d]" % byte
        if shift:
            text = "%s >> %d" % (text, shift)
        if shift + many < 8:
            text = "%s & %d" % (text, (1 << many) - 1)
        if done:
            text = "(%s) << %d" % (text, done) if " " in text else "%s << %d" % (text, done)
        texts.append(text)
    return _or(texts)


def _out_of_range(s: Signal) -> list[str]:
    low, high = (
        (-(1 << (s.bits - 1)), (1 << (s.bits - 1)) - 1) if s.is_signed else (0, (1 << s.bits) - 1)
    )
    tests = []
    if s.raw_min > low:
        tests.append("%s < %d" % (s.name, s.raw_min))
    if s.raw_max < high:
        tests.append("%s > %d" % (s.name, s.raw_max))
    return tests


def _decode(message: Message) -> Iterator[str]:
    assert not message.pages, "nothing multiplexed is received"
    yield "def decode_%s(d: bytearray, s: %s) -> bool:" % (message.name, _class_name(message))
    yield '    """Read d[0..%d] into `s`; return whether every signal is in its range."""' % (
        message.length - 1
    )
    tests = []
    for s in _own(message.signals):
        if _is_flag(s):
            continue
        yield "    %s = %s" % (s.name, _get(s))
        if s.is_signed:
            yield "    if %s & %d:" % (s.name, 1 << (s.bits - 1))
            yield "        %s -= %d" % (s.name, 1 << s.bits)
        tests += _out_of_range(s)
    for test in tests:
        yield "    if %s:" % test
        yield "        return False"
    for s in _own(message.signals):
        if _is_flag(s):
            byte, shift, _, _ = next(s.places())
            yield "    s.%s = d[%d] & %d != 0" % (s.name, byte, 1 << shift)
            continue
        text = s.name
        if s.scale != 1:
            text = "%s * %d" % (text, s.scale)
        if s.offset:
            text = "%s %s %d" % (text, "+" if s.offset > 0 else "-", abs(s.offset))
        yield "    s.%s = %s" % (s.name, text)
    yield "    return True"


def modules(dialect: Dialect) -> dict[str, str]:
    """Return the text of each module by its name: can_<dialect>, and one for each message that is kept apart."""
    apart = [m for m in dialect.messages if m.is_apart]
    together = [m for m in dialect.messages if not m.is_apart]
    made = {"can_" + dialect.name: _module(dialect, together)}
    for message in apart:
        made["can_%s_%s" % (dialect.name, message.name)] = _module(dialect, [message])
    return made


def _module(dialect: Dialect, messages: list[Message]) -> str:
    lines = [_HEAD % (dialect.title, dialect.name)]
    for message in messages:
        lines += [*_consts(message), ""]
    received = [m for m in messages if m in dialect.received]
    if received:
        lines.append("# What the inlet listens to.")
        lines.append("IDS = (%s,)" % ", ".join("%s_ID" % m.name.upper() for m in received))
        for one in dialect.maps:
            lines += ["", "# %s to %s" % (one.source, one.to)]
            lines.append("%s = (%s)" % (one.name, ", ".join(str(v) for v in one.values)))
    else:
        lines.pop(-1)
    for message in messages:
        code = _decode(message) if message in dialect.received else _encode(message)
        lines += ["", "", *_value_class(message), "", "", *code]
    return "\n".join(lines) + "\n"
