"""Random changes of an input that know nothing of its format but its words. Repeats with its seed."""

import random
from collections.abc import Sequence

_NUMBERS = (
    b"0", b"-1", b"255", b"256", b"65535", b"65536", b"1073741823", b"1073741824", b"2147483648", b"4294967296",
    b"1e999", b"nan", b"0x10", b"\xc2\xb2", b"9" * 30,
)  # fmt: skip
_BYTES = (0x00, 0x01, 0x7F, 0x80, 0xFF, 0x0A, 0x20, 0x22)


class Mutator:
    """`make` a changed copy of one of the inputs. `words` are pieces of the format."""

    def __init__(self, rng: random.Random, words: Sequence[bytes], size_max: int):
        self._rng = rng
        self._words = (*words, *_NUMBERS)
        self._size_max = size_max

    def make(self, inputs: Sequence[bytes]) -> bytes:
        """Return one of the inputs, changed in one place or in a few."""
        rng = self._rng
        data = bytearray(rng.choice(inputs))
        for _ in range(1 << rng.randrange(4)):
            rng.choice(_CHANGES)(self, data, inputs)
        return bytes(data[: self._size_max])

    def _span(self, data: bytearray) -> "tuple[int, int]":
        at = self._rng.randrange(len(data) + 1)
        return at, min(len(data), at + self._rng.randrange(1, 1 << self._rng.randrange(1, 8)))

    def _flip(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        if data:
            data[self._rng.randrange(len(data))] ^= 1 << self._rng.randrange(8)

    def _set(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        if data:
            at = self._rng.randrange(len(data))
            data[at] = self._rng.choice((*_BYTES, self._rng.randrange(256)))

    def _cut(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        at, end = self._span(data)
        del data[at:end]

    def _end(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        del data[self._rng.randrange(len(data) + 1) :]

    def _repeat(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        at, end = self._span(data)
        data[at:at] = data[at:end] * self._rng.randrange(1, 4)

    def _insert(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        at = self._rng.randrange(len(data) + 1)
        data[at:at] = self._rng.choice(self._words)

    def _replace(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        at, end = self._span(data)
        data[at:end] = self._rng.choice(self._words)

    def _noise(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        at = self._rng.randrange(len(data) + 1)
        data[at:at] = self._rng.randbytes(self._rng.randrange(1, 9))

    def _splice(self, data: bytearray, inputs: Sequence[bytes]) -> None:
        other = self._rng.choice(inputs)
        at, end = self._span(data)
        start = self._rng.randrange(len(other) + 1)
        data[at:end] = other[start : start + self._rng.randrange(1, 200)]

    def _number(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        """Replace a number that is written out, wherever one is."""
        rng = self._rng
        start = rng.randrange(len(data) + 1)
        at = next((n for n in range(start, len(data)) if 48 <= data[n] <= 57), -1)
        if at < 0:
            return
        end = at
        while end < len(data) and 48 <= data[end] <= 57:
            end += 1
        data[at:end] = rng.choice(
            (rng.choice(_NUMBERS), b"%d" % rng.randrange(1 << rng.randrange(1, 33)))
        )


_CHANGES = (
    Mutator._flip, Mutator._set, Mutator._cut, Mutator._end, Mutator._repeat, Mutator._insert, Mutator._replace,
    Mutator._noise, Mutator._splice, Mutator._number,
)  # fmt: skip


def smaller(data: bytes, is_same: "object", tries: int) -> bytes:
    """Return a small input for which is_same(data) still holds: pieces left out, then bytes made plain, `tries` at most."""
    assert callable(is_same)
    size = max(1, len(data) // 2)
    while tries > 0:
        at = 0
        was = len(data)
        while at < len(data) and tries > 0:
            tries -= 1
            shorter = data[:at] + data[at + size :]
            if is_same(shorter):
                data = shorter
            else:
                at += size
        if size == 1 and len(data) == was:
            break
        size = max(1, size // 2)
    for at in range(len(data)):
        for plain in b"0 ":
            if tries <= 0 or data[at] in b"0 ":
                break
            tries -= 1
            simpler = data[:at] + bytes([plain]) + data[at + 1 :]
            if is_same(simpler):
                data = simpler
                break
    return data
