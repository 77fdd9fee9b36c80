"""CPython's stand-in for the part of MicroPython's `rp2` that assembles PIO programs, and nothing else.

Written from the RP2040 datasheet, section 3.4 (instruction set), and MicroPython's documentation of `rp2.asm_pio`.
A program assembles to a `Program` whose opcodes an emulator can run; what would not assemble on the board, or would
not do what it says, raises PIOASMError with the reason. State machines and DMA are the board's own: there are none.
"""

import types
from collections.abc import Callable

MAX_INSTRUCTIONS = 32


class PIOASMError(Exception):
    """The program is not one that a PIO machine can run; the message says why."""


class PIO:
    """The constants that `asm_pio` takes."""

    IN_LOW, IN_HIGH, OUT_LOW, OUT_HIGH = range(4)
    SHIFT_LEFT, SHIFT_RIGHT = range(2)
    JOIN_NONE, JOIN_TX, JOIN_RX = range(3)


class Program:
    """An assembled program: `opcodes` for address 0, and the settings that go with them."""

    def __init__(self, name: str, opcodes: tuple[int, ...], wrap_target: int, wrap: int):
        self.name = name
        self.opcodes = opcodes
        self.wrap_target = wrap_target
        self.wrap = wrap  # the last address before the jump back to wrap_target
        self.labels: dict[str, int] = {}
        self.sideset_count = 0
        self.sideset_optional = False
        self.options: dict = {}

    def __len__(self) -> int:
        return len(self.opcodes)


class _Word:
    """A bare name of the language: what it may be used as, and its code there."""

    def __init__(self, name: str, **codes: int):
        self.name = name
        self.codes = codes

    def __repr__(self) -> str:
        return self.name


# Codes by use: jmp condition, source of in_ and mov, destination of out, mov and set, flag of push, pull and irq.
# DS 3.4.2 .. 3.4.10.
_WORDS = (
    _Word("gpio", wait=0),
    _Word("pins", in_=0, out=0, mov_to=0, mov_from=0, set=0),
    _Word("x", in_=1, out=1, mov_to=1, mov_from=1, set=1),
    _Word("y", in_=2, out=2, mov_to=2, mov_from=2, set=2),
    _Word("null", in_=3, out=3, mov_from=3),
    _Word("pindirs", out=4, set=4),
    _Word("pc", out=5, mov_to=5),
    _Word("status", mov_from=5),
    _Word("isr", in_=6, out=6, mov_to=6, mov_from=6),
    _Word("osr", in_=7, mov_to=7, mov_from=7),
    _Word("exec", out=7, mov_to=4),
    _Word("not_x", jmp=1),
    _Word("x_dec", jmp=2),
    _Word("not_y", jmp=3),
    _Word("y_dec", jmp=4),
    _Word("x_not_y", jmp=5),
    _Word("pin", jmp=6, wait=1),
    _Word("not_osre", jmp=7),
    _Word("block", flag=0x20),
    _Word("noblock", flag=0),
    _Word("iffull", push=0x40),
    _Word("ifempty", pull=0x40),
)


def _code(word, use: str, where: str) -> int:
    if isinstance(word, _Word) and use in word.codes:
        return word.codes[use]
    raise PIOASMError("%s cannot be used in %s" % (word, where))


def _number(value, low: int, high: int, what: str) -> int:
    if not isinstance(value, int) or not low <= value <= high:
        raise PIOASMError("%s must be %d..%d, not %s" % (what, low, high, value))
    return value


class _Instruction:
    """One instruction as written; `[n]` or `.delay(n)` and `.side(n)` complete it."""

    def __init__(self, opcode: int, target: str | None = None):
        self.opcode = opcode
        self.target = target
        self.cycles_more = 0
        self.side_value: int | None = None

    def delay(self, cycles: int) -> "_Instruction":
        self.cycles_more = cycles
        return self

    __getitem__ = delay

    def side(self, value: int) -> "_Instruction":
        self.side_value = value
        return self


class _Assembler:
    """Collects what a program's function calls; `finish` makes opcodes of it."""

    def __init__(self, side_pins: int):
        self.side_pins = side_pins
        self.instructions: list[_Instruction] = []
        self.labels: dict[str, int] = {}
        self.wrap_target_at = 0
        self.wrap_at: int | None = None

    def names(self) -> dict:
        """Return all that a program's function may name."""
        known: dict = {word.name: word for word in _WORDS}
        for name in ("label", "wrap_target", "wrap", "nop", "jmp", "wait", "in_", "out", "push"):
            known[name] = getattr(self, name)
        for name in ("pull", "mov", "set", "word"):
            known[name] = getattr(self, name)
        known["invert"] = lambda source: (source, 1)
        known["reverse"] = lambda source: (source, 2)
        return known

    def word(self, opcode: int, label: str | None = None) -> _Instruction:
        instruction = _Instruction(_number(opcode, 0, 0xFFFF, "an opcode"), label)
        self.instructions.append(instruction)
        return instruction

    def label(self, name: str) -> None:
        if name in self.labels:
            raise PIOASMError("label %r is there twice" % name)
        self.labels[name] = len(self.instructions)

    def wrap_target(self) -> None:
        self.wrap_target_at = len(self.instructions)

    def wrap(self) -> None:
        if not self.instructions:
            raise PIOASMError("wrap() needs an instruction before it")
        self.wrap_at = len(self.instructions) - 1

    def nop(self) -> _Instruction:
        return self.word(0xA042)  # mov(y, y)

    def jmp(self, condition, label=None) -> _Instruction:
        if label is None:
            return self.word(0x0000, condition)
        return self.word(_code(condition, "jmp", "jmp") << 5, label)

    def wait(self, polarity: int, source, index: int) -> _Instruction:
        level = _number(polarity, 0, 1, "wait's polarity")
        number = _number(index, 0, 31, "wait's index")
        return self.word(0x2000 | level << 7 | _code(source, "wait", "wait") << 5 | number)

    def in_(self, source, bits: int) -> _Instruction:
        count = _number(bits, 1, 32, "in_'s bit count") & 31
        return self.word(0x4000 | _code(source, "in_", "in_") << 5 | count)

    def out(self, destination, bits: int) -> _Instruction:
        count = _number(bits, 1, 32, "out's bit count") & 31
        return self.word(0x6000 | _code(destination, "out", "out") << 5 | count)

    def push(self, *flags) -> _Instruction:
        return self.word(0x8000 | self._flags(flags, "push"))

    def pull(self, *flags) -> _Instruction:
        return self.word(0x8080 | self._flags(flags, "pull"))

    @staticmethod
    def _flags(flags, use: str) -> int:
        bits = 0x20  # waits unless told not to
        for flag in flags:
            if isinstance(flag, _Word) and "flag" in flag.codes:
                bits = bits & ~0x20 | flag.codes["flag"]
            else:
                bits |= _code(flag, use, use)
        return bits

    def mov(self, destination, source) -> _Instruction:
        source, operation = source if isinstance(source, tuple) else (source, 0)
        to = _code(destination, "mov_to", "mov's destination")
        return self.word(
            0xA000 | to << 5 | operation << 3 | _code(source, "mov_from", "mov's source")
        )

    def set(self, destination, value: int) -> _Instruction:
        number = _number(value, 0, 31, "set's value")
        return self.word(0xE000 | _code(destination, "set", "set") << 5 | number)

    def finish(self, name: str) -> Program:
        count = len(self.instructions)
        if not 0 < count <= MAX_INSTRUCTIONS:
            raise PIOASMError("%s has %d instructions; 1..32 fit" % (name, count))
        sided = sum(step.side_value is not None for step in self.instructions)
        optional = 0 < sided < count
        # DS 3.5.1: side-set and its enable bit come off the top of the five delay bits.
        side_bits = (self.side_pins + optional) if sided else 0
        if sided and not self.side_pins:
            raise PIOASMError("%s uses side() without sideset_init" % name)
        if self.side_pins and not sided:
            raise PIOASMError("%s has sideset_init but no side()" % name)
        if side_bits > 5:
            raise PIOASMError("%s: five pins of side-set leave no bit to make it optional" % name)
        opcodes = []
        for at, step in enumerate(self.instructions):
            where = "%s, instruction %d: " % (name, at)
            opcode = step.opcode
            if step.target is not None:
                if step.target not in self.labels:
                    raise PIOASMError(where + "there is no label %r" % (step.target,))
                opcode |= _number(self.labels[step.target], 0, count - 1, where + "jump target")
            opcode |= _number(step.cycles_more, 0, 31 >> side_bits, where + "delay") << 8
            if step.side_value is not None:
                top = (1 << self.side_pins) - 1
                opcode |= _number(step.side_value, 0, top, where + "side-set") << (13 - side_bits)
                opcode |= optional << 12
            opcodes.append(opcode)
        wrap = count - 1 if self.wrap_at is None else self.wrap_at
        if self.wrap_target_at >= count:
            raise PIOASMError("%s: wrap_target() has no instruction after it" % name)
        program = Program(name, tuple(opcodes), self.wrap_target_at, wrap)
        program.labels = dict(self.labels)
        program.sideset_count = side_bits
        program.sideset_optional = optional
        return program


def _pins(init) -> int:
    return 0 if init is None else 1 if isinstance(init, int) else len(init)


_OPTIONS = {
    "out_init", "set_init", "sideset_init", "side_pindir", "in_shiftdir", "out_shiftdir", "autopush",
    "autopull", "push_thresh", "pull_thresh", "fifo_join",
}  # fmt: skip


def asm_pio(**options) -> Callable[[Callable[[], None]], Program]:
    """Return the decorator that turns a function of PIO instructions into a Program."""
    unknown = sorted(options.keys() - _OPTIONS)
    if unknown:
        raise PIOASMError("asm_pio does not know %s" % ", ".join(unknown))

    def assemble(function) -> Program:
        assembler = _Assembler(_pins(options.get("sideset_init")))
        # As on the board, a program sees the language and its own enclosing functions, not its module.
        body = types.FunctionType(
            function.__code__, assembler.names(), function.__name__, None, function.__closure__
        )
        try:
            body()
        except NameError as error:
            raise PIOASMError(
                "%s: %s; inside a PIO program the board hides the module's own names"
                % (function.__name__, error)
            ) from None
        program = assembler.finish(function.__name__)
        program.options = dict(options)
        return program

    return assemble
