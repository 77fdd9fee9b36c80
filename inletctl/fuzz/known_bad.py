"""Readers that are wrong on purpose: what must be found, so that nothing passes because nothing looks."""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count

from inletctl.fuzz.harness import Harness, Refusal

_MAGIC = b"OIJ!"


def magic() -> Harness:
    """A reader that falls over at four signs in a row: no change at random finds them, a guide does one by one."""

    def run(data: bytes) -> None:
        at = 0
        # Branch by branch, as a parser's.
        if at < len(data) and data[at] == _MAGIC[0]:
            if len(data) > 1 and data[1] == _MAGIC[1]:
                if len(data) > 2 and data[2] == _MAGIC[2]:
                    if len(data) > 3 and data[3] == _MAGIC[3]:
                        raise KeyError("known bad")
        raise Refusal("no magic in it")

    return Harness("known-bad-magic", run, (b"....",), (), 16)


def divides() -> Harness:
    """A reader that divides by what it reads."""

    def run(data: bytes) -> None:
        if len(data) > 1:
            raise Refusal("it has %d of them" % (data[0] // data[1]))

    return Harness("known-bad-divides", run, (b"\x08\x02",))


def loops() -> Harness:
    """A reader that goes on as long as it is told to, whatever that is, and lets nothing stop it."""

    def run(data: bytes) -> None:
        left = int.from_bytes(data[:4], "big")
        while left:
            try:
                left -= 1
            except Exception:
                left += 1

    return Harness("known-bad-loops", run, (b"\x00\x00\x00\x09",), (), 64, 0.05)


def hoards() -> Harness:
    """A reader that makes room for as much as it is told to."""

    def run(data: bytes) -> None:
        # Not touched, so that it takes no time.
        bytes(int.from_bytes(data[:4], "little") & 0x0FFFFFFF)

    return Harness("known-bad-hoards", run, (b"\x10\x00\x00\x00",), (), 64)


def babbles() -> Harness:
    """A reader that says the input itself, escape sequences and all."""

    def run(data: bytes) -> None:
        raise Refusal("%s is refused" % data.decode("latin-1"))

    return Harness("known-bad-babbles", run, (b"abc",))


def is_dumb() -> Harness:
    """A reader that refuses without a word."""

    def run(data: bytes) -> None:
        raise Refusal("" if data[:1] == b"\x00" else "no")

    return Harness("known-bad-dumb", run, (b"abc",))


def rambles() -> Harness:
    """A reader that says one thing well, and then the input itself."""

    def run(data: bytes) -> None:
        raise Refusal("it is refused", "for %s" % data.decode("latin-1"))

    return Harness("known-bad-rambles", run, (b"abc",))


def quits() -> Harness:
    """A reader that ends the program where it does not like what it reads."""

    def run(data: bytes) -> None:
        if len(data) > 3:
            sys.exit("too long")

    return Harness("known-bad-quits", run, (b"abc",))


def _thirtieth() -> Callable[[], bool]:
    """Return what tells whether it is called for the thirtieth time."""
    calls = count(1)
    return lambda: next(calls) == 30


def remembers() -> Harness:
    """A reader that falls over at its thirtieth input, whatever that is."""
    is_thirtieth = _thirtieth()

    def run(data: bytes) -> None:
        if is_thirtieth():
            raise KeyError("known bad")

    return Harness("known-bad-remembers", run, (b"abc",))


def killed() -> Harness:
    """A reader at whose thirtieth input the process is gone, as where a computer has no memory left."""
    is_thirtieth = _thirtieth()

    def run(data: bytes) -> None:
        if is_thirtieth():
            os.kill(os.getpid(), signal.SIGKILL)

    return Harness("known-bad-killed", run, (b"abc",))


class _EndError(BaseException):
    """Nothing that a reader or its check would stop."""


def ends() -> Harness:
    """A reader that ends the process where it is fed the same again: the seeds, as they come with the corpus."""
    fed = []

    def run(data: bytes) -> None:
        if data and data in fed:
            raise _EndError
        fed.append(data)

    return Harness("known-bad-ends", run, (b"abc",))


def interrupted() -> Harness:
    """A reader that divides by what it reads, and at whose thirtieth input a person has had enough."""
    is_thirtieth = _thirtieth()

    def run(data: bytes) -> None:
        if is_thirtieth():
            raise KeyboardInterrupt
        if data:
            raise Refusal("%d" % (1 // (len(data) & 1)))

    return Harness("known-bad-interrupted", run, (b"abc",))
