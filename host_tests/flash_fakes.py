"""A board for the flash tool: its file system, its Python, and a cut of its power before any operation.

The tool's own pieces of code run here as they would on the board, on this file system instead of the computer's.
"""

import binascii
import builtins
import contextlib
import errno
import hashlib
import io
import json
import types

from inletctl.errors import UserError
from inletctl.flash.transport import BoardSaid, LinkLost
from inletctl.house import FIRMWARE

BLOCK = 4096
PENDING = (FIRMWARE / "drivers" / "pending.py").read_text(encoding="utf-8")


class PowerCut(BaseException):
    """The board is dead in the middle of an operation; its code cannot catch that."""


class FakeBoard:
    """Files by path without the leading "/". `cut_at` is the operation before which the power goes.

    With `is_torn`, a file being written loses its old content at once and keeps what was written until the cut, as
    on FAT; without it a file changes when it is closed, as on littlefs.
    """

    def __init__(self, files=(), blocks=352, is_torn=False):
        self.files = dict(files)
        self.folders = {
            path[:at] for path in self.files for at in range(len(path)) if path[at] == "/"
        }
        self.blocks = blocks
        self.is_torn = is_torn
        self.operations = 0
        self.cut_at = None
        self.is_dead = False
        self.corrupt = {}  # path -> how often a file written there is damaged
        self.full_after = None  # ENOSPC at the write with this number
        self.writes = 0
        self.renames = 0
        self.implementation = ("micropython", (1, 29, 0, ""))
        self.mpy = 4870
        self.platform = "rp2"
        self.machine = "Raspberry Pi Pico with RP2040"
        self.resets = 0
        self.says = b""  # on the console before Ctrl-C
        self.says_after = b""  # after a reset
        self.restart()

    def restart(self):
        """Forget what the interpreter knew."""
        self.space = {"__name__": "__main__", "__builtins__": self._builtins()}

    def operation(self):
        self.operations += 1
        if self.cut_at is not None and self.operations > self.cut_at:
            self.is_dead = True
            raise PowerCut

    def power_on(self):
        """Power is back, for good."""
        self.cut_at = None
        self.is_dead = False
        return self.boot()

    def execute(self, code):
        """Run `code` as the raw REPL does; return what it printed."""
        self.printed = io.StringIO()
        exec(compile(code, "<board>", "exec"), self.space)
        return self.printed.getvalue()

    def boot(self):
        """Do what boot.py does for a flash: nothing on a board that has none of it."""
        self.restart()
        if "boot.py" in self.files and "drivers/pending.mpy" in self.files:
            self.execute(PENDING)
            return self.execute("print(finish())").strip()
        return ""

    # -------------------------------------------------------------------------- its Python

    def _builtins(self):
        space = vars(builtins).copy()
        system = types.SimpleNamespace(platform=self.platform)
        system.implementation = _Implementation(self.implementation)
        system.implementation._mpy = self.mpy
        system.implementation._machine = self.machine
        modules = {
            "os": FakeOS(self),
            "sys": system,
            "machine": types.SimpleNamespace(reset=self.operation),
            "binascii": binascii,
            "hashlib": hashlib,
            "json": json,
            "errno": errno,
        }
        space["__import__"] = lambda name, *_: modules[name]
        space["open"] = self.open
        space["print"] = lambda *words: print(*words, file=self.printed)
        return space

    def open(self, path, mode="r"):
        self.operation()
        path = path.lstrip("/")
        if "w" in mode:
            folder = path.rpartition("/")[0]
            if folder and folder not in self.folders:
                raise OSError(errno.ENOENT, "ENOENT")
            return Writer(self, path, "b" not in mode)
        if path not in self.files:
            raise OSError(errno.ENOENT, "ENOENT")
        data = self.files[path]
        return io.BytesIO(data) if "b" in mode else io.StringIO(data.decode())

    @property
    def used(self):
        return sum((len(data) + BLOCK - 1) // BLOCK for data in self.files.values()) + 2 * (
            len(self.folders) + 1
        )


class _Implementation(tuple):
    _mpy = 0
    _machine = ""


class Writer:
    def __init__(self, board, path, is_text):
        self.board = board
        self.path = path
        self.is_text = is_text
        self.data = b""
        if board.is_torn:
            board.files[path] = b""

    def write(self, data):
        self.board.operation()
        self.board.writes += 1
        if self.is_text:
            data = data.encode()
        if self.board.full_after is not None and self.board.writes > self.board.full_after:
            raise OSError(errno.ENOSPC, "ENOSPC")
        self.data += data
        if self.board.is_torn:
            self.board.files[self.path] = self.data

    def close(self):
        self.board.operation()
        data = self.data
        if self.board.corrupt.get(self.path, 0) > 0:
            self.board.corrupt[self.path] -= 1
            data = data[:-1] + bytes([data[-1] ^ 1])
        self.board.files[self.path] = data
        if self.board.used > self.board.blocks:
            del self.board.files[self.path]
            raise OSError(errno.ENOSPC, "ENOSPC")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not PowerCut:
            self.close()


class FakeOS:
    def __init__(self, board):
        self.board = board

    def _path(self, path):
        self.board.operation()
        return path.strip("/")

    def stat(self, path):
        path = self._path(path)
        if path in self.board.files:
            return (0x8000,)
        if path in self.board.folders or not path:
            return (0x4000,)
        raise OSError(errno.ENOENT, "ENOENT")

    def ilistdir(self, path):
        path = self._path(path)
        for kind, names in ((0x8000, self.board.files), (0x4000, self.board.folders)):
            for name in sorted(names):
                folder, _, base = name.rpartition("/")
                if folder == path:
                    yield (base, kind, 0, 0)

    def listdir(self, path):
        return [entry[0] for entry in self.ilistdir(path)]

    def statvfs(self, _path):
        free = self.board.blocks - self.board.used
        return (BLOCK, BLOCK, self.board.blocks, free, free)

    def mkdir(self, path):
        path = self._path(path)
        assert path not in self.board.folders
        self.board.folders.add(path)

    def rmdir(self, path):
        path = self._path(path)
        if any(name.startswith(path + "/") for name in (*self.board.files, *self.board.folders)):
            raise OSError(errno.EACCES, "EACCES")
        self.board.folders.remove(path)

    def remove(self, path):
        path = self._path(path)
        if path not in self.board.files:
            raise OSError(errno.ENOENT, "ENOENT")
        del self.board.files[path]

    def rename(self, old, new):
        old, new = self._path(old), new.strip("/")
        assert new not in self.board.folders
        assert new.rpartition("/")[0] in {"", *self.board.folders}
        self.board.files[new] = self.board.files.pop(old)
        self.board.renames += 1

    def sync(self):
        self.board.operation()


class FakeClock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s

    def sleep(self, seconds):
        self.now_s += seconds


class FakeLink:
    """A connection to a FakeBoard; dead once its power is cut."""

    def __init__(self, board, clock):
        self.board = board
        self.clock = clock
        self.is_closed = False
        self.is_raw = False
        if board.is_dead:
            raise UserError("There is no port fake.")

    def read(self, timeout_s):
        self._live()
        self.clock.sleep(timeout_s)
        data, self.board.says = self.board.says, b""
        return data

    def stop_firmware(self):
        self._live()
        if self.board.implementation is None:
            raise UserError("No MicroPython answers on fake.")
        self.is_raw = True

    def run(self, code):
        self._live()
        assert self.is_raw
        try:
            self.board.operation()
            return self.board.execute(code)
        except PowerCut:
            raise LinkLost("cut") from None
        except OSError as error:
            raise BoardSaid("Traceback\nOSError: [Errno %d] %s" % error.args) from None
        except (ValueError, AttributeError) as error:
            raise BoardSaid("Traceback\n%s: %s" % (type(error).__name__, error)) from None

    def reset(self):
        self._live()
        self.board.resets += 1
        self.board.says = self.board.says_after
        self.is_closed = True
        with contextlib.suppress(PowerCut):
            self.board.boot()

    def close(self):
        self.is_raw = False

    def _live(self):
        if self.is_closed or self.board.is_dead:
            raise LinkLost("gone")
