"""Compose the board and the logic, and run the loop. Nobody imports this file.

Fixed order, every 10 ms: sample -> validate -> decide -> actuate -> report; the board waits for the period, the
step validates and decides. The watchdog is fed in one place, at the end of a whole pass (and, at rest, before each step of
a write that takes several erases); garbage is collected in the slack after it, and only while nothing is energised.
"""

import gc
import sys

if sys.platform == "rp2":
    # A built-in module that a file could replace is looked for in the file system at every import, 10 ms a time. By its
    # name with a "u" it is found at once; what sys.modules has is not looked for again. boot.py says where all else lies.
    for _name in ("array", "binascii", "errno", "json", "machine", "os", "select", "time"):
        sys.modules[_name] = __import__("u" + _name)

from micropython import heap_lock, heap_unlock

from drivers.opening import BoardError
from faults import H_CAR_STARTING, H_OUT_OF_SERVICE
from modules import forget_making, unload
from settings import Settings
from signals import Commands, Readings
from step import InletStep
from vehicle.console import Report

VERSION_FILE = "version.txt"
# The car's side, then the desk, are loaded so many passes after the boot, which has no time for them: PP and the lock are
# judged by then. A step of the car's side every so many passes, as every room wants to be asked in between.
DESK_AFTER = 50
CAR_EVERY = 3
# What only the opening of a board needs.
_FOR_STORES = ("drivers.store", "drivers.board_files")
_FOR_OPENING = (
    "drivers.opening",
    "drivers.board_checked",
    "drivers.pending",
    "drivers.pio_programs",
)


def open_board():
    """Return the drivers of the machine this runs on. Raises BoardError where it cannot be used."""
    from drivers.opening import opened

    board = opened()
    for name in _FOR_OPENING:
        unload(name)
    return board


def _version() -> str:
    """Return the firmware's name as it was flashed."""
    try:
        with open(VERSION_FILE) as file:
            return file.read().split()[1]
    except (OSError, ValueError, IndexError):
        return "unknown"


def stored_settings(board):
    """Return what the board has stored; anything unreadable is handed on as such, for Settings to refuse."""
    try:
        return board.settings()
    except (ValueError, OSError, ImportError, MemoryError) as error:
        board.note("stored settings cannot be read: %s" % error)
        return "unreadable"


class Ports:
    """What is stored of port records, as the boot finds it."""

    def __init__(self, board, readings):
        """Write what the records ask for into `readings`; where they cannot be read, that nothing is charged."""
        # A board without the method stores none.
        port_store = getattr(board, "port_store", None)
        self.store = port_store() if port_store else None
        self.payload = None
        self.is_damaged = False
        if self.store is None:
            return
        # Until they have been read.
        readings.port_holds = readings.port_dc_holds = H_OUT_OF_SERVICE
        try:
            self.payload = self.store.read()
            if self.payload is None:
                readings.port_holds = readings.port_dc_holds = 0
            else:
                from ports.head import fill

                fill(self.payload, readings)
        except (ValueError, OSError, ImportError, MemoryError) as error:
            self.is_damaged = True
            board.note("port records cannot be read: %s; the port is out of service" % error)


class Host:
    """Who is told and asked beside the board: the car's side, the computer at the console, the desk it asks at, the journal."""

    def __init__(self, board, settings, ports=None, inlet=None):
        from vehicle.loader import CarLoader

        self._board = board
        self._settings = settings
        self._inlet = inlet
        self._ports = ports
        self._report = Report()
        self._loader = CarLoader(board, settings)
        self._is_urgent = self._loader.is_urgent
        if self._loader.is_done:
            self._loader = None
            unload("vehicle.loader")
        self._car = None
        self._desk = None
        self._opener = None
        self._book = None
        self._book_error = None
        # A board without the method keeps no journal.
        self._wants_book = hasattr(board, "journal_log")
        self._passes = 0
        self._waited = 0  # passes since the last step of the car's side

    def fill(self, now_ms: int, readings) -> None:
        """Add what the car and the computer want to the readings."""
        if self._car is not None:
            self._car.fill(now_ms, readings)
        elif self._is_urgent:
            readings.holds = H_CAR_STARTING
        if self._desk is not None:
            self._desk.fill(readings)

    def serve(self, now_ms: int, readings, commands) -> None:
        """Tell what has changed, and hear."""
        try:
            self._serve(now_ms, readings, commands)
        except Exception as error:
            self._leave_out(error)

    def _leave_out(self, error) -> None:
        """Leave the journal out where it was its mistake, whoever asked it; else it is everybody's. Told at rest: the heap is locked."""
        if self._book is None or not self._book.is_busy:
            raise error
        self._set_book(None, None)
        self._book_error = error

    def _serve(self, now_ms: int, readings, commands) -> None:
        board = self._board
        desk = self._desk
        if self._car is not None:
            self._car.tick(now_ms, readings, commands)
        self._report.tick(now_ms, commands, board.late)
        if self._book is not None:
            self._book.tick(now_ms, readings, commands, self._report.number)
        if desk is not None:
            desk.tick(now_ms, readings, commands, board.late)
        board.talk(self._report)
        if desk is not None:
            board.hear(desk)

    def rest(self, now_ms: int, is_at_rest: bool) -> None:
        """Do what takes long or allocates, `is_at_rest`: nothing is energised, so that a long pass does no harm."""
        if self._passes < DESK_AFTER:
            self._passes += 1
            return
        # The door's motor would run on past its end.
        if not is_at_rest or (self._car is not None and self._car.is_moving()):
            return
        board = self._board
        loader = self._loader
        if self._desk is not None and self._desk.has_work:
            self._work_desk(now_ms, self._desk)
        elif loader is not None:
            self._waited += 1
            if self._waited >= CAR_EVERY:
                self._waited = 0
                self._load_car(loader)
        elif self._desk is None and board.words:
            self._load_desk()
        elif self._wants_book:
            self._load_book()
        elif self._book is not None:
            self._keep_book(now_ms, self._book)
        elif self._book_error is not None:
            self._lose_book(self._book_error)
            self._book_error = None

    def _work_desk(self, now_ms: int, desk) -> None:
        board = self._board
        board.begin_long()
        try:
            desk.work(now_ms)
        except Exception as error:
            self._leave_out(error)
        board.end_long()

    def _load_car(self, loader) -> None:
        """Take the next step of loading the car's side."""
        board = self._board
        board.begin_long()
        try:
            loader.step()
            is_done = loader.is_done
            self._car = loader.car
        except Exception as error:
            # Whatever it is: the inlet goes on without. Where charging depends on it, it is held for good.
            is_done = True
            gc.collect()
            board.note(
                "the car's side cannot be loaded: %r; %s"
                % (
                    error,
                    "charging is refused" if self._is_urgent else "the inlet charges without",
                )
            )
        if is_done:
            self._loader = None
            unload("vehicle.loader")
            # Half a second to hear the car in: what is loaded next would deafen the inlet for two.
            self._passes = 0
        board.end_long()

    def _load_desk(self) -> None:
        """Take the next step of loading the desk: all of it in one pass would be a tenth of a second."""
        self._passes += 1
        self._board.begin_long()
        try:
            self._load_step()
        except (MemoryError, ImportError, OSError, ValueError) as error:
            # The inlet does not need it.
            self._board.words = ""
            self._board.note("nobody can ask this board anything: %s" % error)
        self._board.end_long()

    def _load_step(self) -> None:
        is_first = self._passes == DESK_AFTER + 1
        if is_first:
            forget_making()
        gc.collect()
        if is_first:
            return
        if self._passes == DESK_AFTER + 2:
            import vehicle.line_in  # noqa: F401 - what the desk imports first
        else:
            from vehicle.desk import Desk

            words = self._board.words + " " + _version()
            self._desk = Desk(
                self._board, self._settings, self._report, words, self._car, self._keeper()
            )

    def _load_book(self) -> None:
        """Take the next step of loading the journal; what there is no room for it tells itself and does without."""
        board = self._board
        board.begin_long()
        try:
            if self._opener is None:
                forget_making()
                gc.collect()
                from journal.opener import Opener

                clock = None if self._car is None else self._car.clock
                self._opener = Opener(board, self._settings, self._inlet, clock, _version())
            elif not self._opener.is_done:
                self._opener.step()
            else:
                self._wants_book = False
                self._set_book(self._opener.book, self._opener.pages)
        except Exception as error:
            self._lose_book(error)
        if not self._wants_book:
            self._opener = None
            unload("journal.opener")
        board.end_long()

    def _keep_book(self, now_ms: int, book) -> None:
        """Write what is to be written of the journal, a record at a time."""
        board = self._board
        try:
            if book.is_due(now_ms):
                board.begin_long()
                try:
                    book.work(now_ms)
                finally:
                    board.end_long()
        except Exception as error:
            self._lose_book(error)

    def _set_book(self, book, pages) -> None:
        """Let everybody know the journal, None for none."""
        self._book = book
        if self._desk is not None:
            self._desk.set_book(book, pages)
        if self._car is not None:
            self._car.set_book(book)

    def _lose_book(self, error) -> None:
        """The journal decides nothing: whatever goes wrong in it, the inlet goes on without."""
        self._wants_book = False
        self._opener = None
        self._set_book(None, None)
        gc.collect()
        try:
            why = repr(error)
        except MemoryError:
            why = "no memory"
        self._board.note("the journal has failed and is left out until the next start: " + why)

    def _keeper(self):
        """Return what reads and changes the port records, None where the board stores none."""
        ports = self._ports
        if ports is None or ports.store is None:
            return None
        from ports.keeper import Keeper

        return Keeper(ports.store, ports.payload, ports.is_damaged)


def run(board) -> None:
    """Run the loop on `board` until its power ends. Leaves every output safe, whatever happens."""
    try:
        settings = Settings(stored_settings(board))
        inlet = InletStep(settings)
        # Not before: where settings contradict each other the step asks for the defaults.
        unload("setting_rows")
        if board.crashes:
            board.note("the loop has crashed %d times in a row" % board.crashes)
            inlet.distrust(board.crashes)
        for sentence in settings.rejected:
            board.note(sentence)
        readings = Readings()
        commands = Commands()
        host = Host(board, settings, Ports(board, readings), inlet)
        # The stores' code, as drivers.stores does after a write: here it is needed twice.
        for name in _FOR_STORES:
            unload(name)
        # No collection here: the loop makes no garbage, and it is ready so much sooner.
        while board.next_pass():
            # Nothing in a pass allocates: that would end it here. It is faster, too: MicroPython takes the locals of a
            # larger function from the heap, and looks through all of it for room, unless the heap is locked.
            heap_lock()
            try:
                board.sample(readings)
                now_ms = board.now_ms()
                host.fill(now_ms, readings)
                inlet.step(now_ms, readings, commands)
                board.actuate(commands)
                board.feed_watchdog()
                host.serve(now_ms, readings, commands)
            finally:
                heap_unlock()
            is_at_rest = not commands.s2_close and not commands.lock_drive
            host.rest(now_ms, is_at_rest)
            board.slack(is_at_rest)
    except KeyboardInterrupt:
        # A person at the console: the board must not be reset under their hands.
        board.safe()
        board.stop_watchdog()
        board.note("stopped from the console: every output is released, reset the board to go on")
        raise
    except Exception as error:
        # Safe first, then tell; nobody feeds the watchdog any more, so it resets the board.
        board.safe()
        board.failed(error)
    finally:
        board.safe()


def refuse(sentence: str) -> None:
    """Tell a person, again and again, why this board does nothing; its outputs are as boot.py left them."""
    import time

    from micropython import kbd_intr

    # Nothing is driven: a person may come in at any time.
    kbd_intr(3)
    while True:
        print(sentence)  # noqa: T201 - nothing else can be heard yet
        time.sleep(2)


def start() -> None:
    """Open the board and run it; a board that cannot be used says so until somebody listens."""
    try:
        board = open_board()
    except BoardError as error:
        if sys.platform == "webassembly":
            raise
        refuse(str(error))
    else:
        run(board)


if __name__ == "__main__":
    start()
