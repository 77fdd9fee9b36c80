"""Lines that mean nothing, for a board's console: random, cut short, with one bit wrong, too long, binary, with Ctrl-C.

What is made is judged here by the page of the protocol (docs/protocol.md), not by the board's own code: none of it, alone or
behind what came before without a line end, is a command.
"""

import random
import re
from collections.abc import Callable

from inletctl.house import use_firmware
from inletctl.link.codec import command_line, crc16

use_firmware()

from setting_rows import ROW_MAX, ROW_MIN, ROW_NUMBER, TABLE  # noqa: E402
from vehicle.protocol import COMMANDS, LOG_LINES, RATE_MAX_MS, RATE_MIN_MS  # noqa: E402

# Ids of the commands that are mangled; a test's own questions have lower ones.
FIRST_ID = 10_000
_LAST_ID = 999_999  # short: on the emulator a byte takes a twentieth of a second
_CTRL_C = 3
_LETTERS = b'abcdefghijklmnopqrstuvwxyz{}[]":,_ 0123456789-'
_COMMAND = re.compile(
    rb'(\{"v":1,"id":\d+,"do":"[a-z_]*","a":\[(?:-?\d+(?:,-?\d+)*)?\]),"x":"([0-9a-f]{4})"\}'
)


def is_command(line: bytes) -> bool:
    """Tell whether `line`, without its line feed, is a whole command: carriage returns do not count, anywhere."""
    found = _COMMAND.fullmatch(line.replace(b"\r", b""))
    return found is not None and crc16(found[1]) == int(found[2], 16)


def garbage(count: int, seed: "int | str") -> list[tuple[str, bytes]]:
    """Return `count` lines as (kind, bytes), the same for the same seed; not each of them has an end.

    The first byte of all is a line feed: a Ctrl-C must not be the first thing behind a pause, which would stop the board.
    """
    dice = random.Random("garbage %s" % seed)
    names = [name for name, _weight, _make in _KINDS]
    weights = [weight for _name, weight, _make in _KINDS]
    makers = {name: make for name, _weight, make in _KINDS}
    made: list[tuple[str, bytes]] = []
    part = b""  # of a line that has no end yet
    while len(made) < count:
        (name,) = dice.choices(names, weights)
        piece = makers[name](dice)
        if not made:
            piece = b"\n" + piece
        *lines, rest = (part + piece).split(b"\n")
        if any(is_command(line) for line in (*lines, rest)):
            continue
        part = rest
        made.append((name, piece))
    return made


def a_command(dice: random.Random) -> bytes:
    """Return a command as a tool would send it, with its line feed: any word, arguments that the board would take."""
    word, least, most, _when = dice.choice(COMMANDS)
    row = dice.choice(TABLE)
    numbers: tuple[int, ...] = ()
    if word == "rate":
        numbers = (dice.choice((0, dice.randint(RATE_MIN_MS, RATE_MAX_MS))),)
    elif word == "log":
        numbers = (dice.randrange(LOG_LINES),)
    elif word == "get":
        numbers = (row[ROW_NUMBER],)
    elif word == "set":
        numbers = (row[ROW_NUMBER], dice.randint(row[ROW_MIN], row[ROW_MAX]))
    elif most:
        numbers = tuple(dice.randint(-9, 99) for _ in range(dice.randint(least, most)))
    return command_line(dice.randint(FIRST_ID, _LAST_ID), word, numbers)


def _random(dice: random.Random) -> bytes:
    return dice.randbytes(dice.randint(1, 16)) + b"\n"


def _binary(dice: random.Random) -> bytes:
    return bytes(dice.choice((0, 255, dice.randrange(128, 256))) for _ in range(dice.randint(1, 16))) + b"\n"  # fmt: skip


def _truncated(dice: random.Random) -> bytes:
    """Cut a command's end off, or its beginning; now and then the line's end is missing as well."""
    line = a_command(dice)[:-1]
    at = dice.randrange(1, len(line))
    kept = line[:at] if dice.random() < 0.8 else line[at:]
    return kept + (b"\n" if dice.random() < 0.8 else b"")


def _one_bit(dice: random.Random) -> bytes:
    line = bytearray(a_command(dice))
    line[dice.randrange(len(line))] ^= 1 << dice.randrange(8)
    return bytes(line)


def _overlong(dice: random.Random) -> bytes:
    """Make one part of a command far longer than any: the word, a number, the arguments, or the line itself."""
    length = dice.randint(40, 200)
    kind = dice.randrange(4)
    if kind == 0:
        return bytes(dice.choice(_LETTERS) for _ in range(length)) + b"\n"
    if kind == 1:
        return b'{"v":1,"id":' + b"9" * length + b',"do":"stop","a":[]}\n'
    if kind == 2:
        return b'{"v":1,"id":7,"do":"' + b"stop" * (length // 4) + b'","a":[]}\n'
    return b'{"v":1,"id":7,"do":"set","a":[' + b"1," * (length // 2) + b"1]}\n"


def _with_ctrl_c(dice: random.Random) -> bytes:
    text = bytearray(dice.choice(_LETTERS) for _ in range(dice.randint(4, 14)))
    for _ in range(dice.randint(1, 3)):
        text.insert(dice.randint(1, len(text)), _CTRL_C)
    return bytes(text) + b"\n"


# The share of each in 100 lines; the long ones are few.
_KINDS: tuple[tuple[str, int, Callable[[random.Random], bytes]], ...] = (
    ("random bytes", 24, _random),
    ("binary", 16, _binary),
    ("cut short", 24, _truncated),
    ("one bit wrong", 12, _one_bit),
    ("too long", 3, _overlong),
    ("Ctrl-C in text", 21, _with_ctrl_c),
)
KIND_NAMES = tuple(name for name, _weight, _make in _KINDS)
