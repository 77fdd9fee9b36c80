"""What a computer may tell the board, and the readings it may ask for: the lines of vehicle/protocol.py, the board's side.

A line is read by vehicle/line_in.py. A command is carried out only once its check sum is right, one a pass at most, and nothing is allocated but by
those that need an idle board. Nothing here energises anything: the wishes go into signals.Readings, where the step
judges them like any other.
"""

from array import array

from micropython import const

from faults import PP_INVALID, SERVICE_MODE, SETTINGS
from modules import unload
from ticks import ticks_add, ticks_diff
from vehicle.line_in import WORDS, LineIn
from vehicle.protocol import (
    ANY,
    BAD_RECORD,
    COMMANDS,
    EMPTY,
    FOR_GOOD,
    IN_SERVICE,
    INCOMPLETE,
    NO_CAR_SIDE,
    NO_SUCH_ENTRY,
    NO_SUCH_WORD,
    NOT_IDLE,
    NOT_IN_SERVICE,
    NOT_NEEDED,
    OUT_OF_BOUNDS,
    RATE_MAX_MS,
    RATE_MIN_MS,
    READ_FAILED,
    STILL_PRESENT,
    WRITE_FAILED,
    WRONG_ARGUMENTS,
)
from vehicle.reading import READING, READING_NUMBERS, keep

_STUCK_PASSES = const(100)
# The answer to `restart` needs so long to get out.
_RESTART_MS = const(500)
_WEEK_MIN = const(10080)
_UNPLUGGED = const(0)  # interlock.UNPLUGGED, as a plain value

# A PP that nobody can read, or settings that cannot be trusted: what is set wrong must not keep it from being set right.
_NO_CHARGE_POSSIBLE = PP_INVALID | SETTINGS
# Without these a board would guess how it is built and wired.
_NEEDED = ("inlet", "max_current_ma")

_STOP = WORDS.index(b"stop")
# By what ports.change says of a change; the first is none.
_PORT_REFUSALS = (0, NO_SUCH_ENTRY, BAD_RECORD, FOR_GOOD, WRITE_FAILED)
# By what journal.memory says of clearing a code.
_CLEAR_REFUSALS = (0, NO_SUCH_ENTRY, STILL_PRESENT, NOT_IDLE, NOT_IN_SERVICE)
_PORT_NUMBERS = const(9)  # of the answer to `port_read`, behind the length

# What stands before each number of a line (console.Report.send_other).
_RE = b'{"v":1,"re":'
_BARE = (_RE,)
_NO = (_RE, b',"no":')
_OK_3 = (_RE, b',"ok":[', b",", b",")
_OK_10 = (_RE, b',"ok":[') + (b",",) * 9
_OK_29 = (_RE, b',"ok":[') + (b",",) * 28
_OK_19 = (_RE, b',"ok":[') + (b",",) * 18


class Desk:
    """
    One board's desk. `fill` before the step, then `tick`, then `hear` a byte at a time while `is_full` is False; none of
    these allocates. Where `has_work`, `work` at rest: it writes flash, or restarts.

    board       store(values), forget(), restart(), settings(): called only by `work`
    settings    settings.Settings in force
    report      console.Report: what is answered goes out there
    words       who the board is: `<chip> <board> <board id> <firmware>`
    car         vehicle.car.Car, None where it is not loaded
    ports       ports.keeper.Keeper, None where the board cannot store port records
    """

    def __init__(  # noqa: PLR0913, PLR0917 - who it speaks for
        self, board, settings, report, words: str, car=None, ports=None
    ):
        self._board = board
        self._car = car
        self._book = None
        self._pages = None
        self._ports = ports
        self._readings = None  # signals.Readings of the loop
        self._is_service = False
        self._is_unplugged = False
        self._has_heard = False  # anything since the last pass
        self._settings = settings
        self._report = report
        self._is = (',"is":"%s' % words.replace("\\", "/").replace('"', "'")).encode()
        self._do = tuple([getattr(self, "_do_" + row[0]) for row in COMMANDS])
        self.is_full = (
            False  # a command waits, or is being carried out: its id and arguments are in use
        )
        self.has_work = False  # one waits for `work`
        self.is_at_rest = False  # S2 open and bridge off in the last pass
        self._stuck_passes = 0  # a command waits for the answer of the one before to get out
        self.line = LineIn()
        # Wishes, for `fill`.
        self._wants_stop = False
        self._test_lock = 0
        self._wants_service_end = False
        # Readings at a rate, and those of a change, which wait for room; settings kept aside; a restart under way.
        self._rate_ms = 0
        self._reading_ms = 0
        self._reading = array("i", [0] * READING_NUMBERS)
        self._is_reading_kept = False
        self._number = 0  # of the next line of commands, in the pass before
        self._aside = None
        self._rows = None  # the module setting_rows, from the first `set` to `store` or `clear`
        self._restart_ms = 0
        self._is_restarting = False

    def set_book(self, book, pages) -> None:
        """Tell of the journal from now on: journal.book.Book or None, and the module journal.pages."""
        self._book = book
        self._pages = pages

    # ------------------------------------------------------------------------------------ each pass

    def fill(self, r) -> None:
        """Write what the computer wants into signals.Readings."""
        self._readings = r
        r.console_stop = self._wants_stop
        r.test_lock = self._test_lock
        r.service_end = self._wants_service_end
        self._test_lock = 0
        self._wants_service_end = False

    def tick(self, now_ms: int, r, c, late: int) -> None:
        """Carry a waiting command out, or tell readings that are due."""
        self.is_at_rest = not c.s2_close and not c.lock_drive
        self._is_service = c.reasons & SERVICE_MODE != 0
        self._is_unplugged = c.session == _UNPLUGGED
        if c.session == _UNPLUGGED:
            self._wants_stop = False
        if self._is_restarting and not self._is_empty(c):
            # Something began meanwhile: not under its feet.
            self._is_restarting = self.has_work = False
        self._pass_on()
        self._notice_line(now_ms, r, c, late)
        if self._report.is_other:
            if self.is_full and not self.has_work:
                # A host that reads nothing must not keep the board from hearing a `stop`.
                self._stuck_passes += 1
                if self._stuck_passes >= _STUCK_PASSES:
                    self._stuck_passes = 0
                    self.is_full = False
            return
        self._stuck_passes = 0
        if self.is_full:
            if not self.has_work:
                self._obey(now_ms, c)
        elif self._is_reading_kept:
            self._tell_readings()
        elif self._rate_ms and ticks_diff(now_ms, self._reading_ms) >= self._rate_ms:
            self._reading_ms = now_ms
            self._keep(now_ms, r, c, late)
            self._tell_readings()

    def _notice_line(self, now_ms: int, r, c, late: int) -> None:
        """Keep what was read where the commands are told in this pass: later nobody could say why they changed."""
        if self._number != self._report.number:
            self._number = self._report.number
            if self._rate_ms and not self._is_reading_kept:
                self._keep(now_ms, r, c, late)

    def _pass_on(self) -> None:
        """Wake what sleeps where somebody has spoken."""
        if self._has_heard:
            self._has_heard = False
            if self._car is not None:
                self._car.stir()

    def work(self, now_ms: int) -> None:
        """Carry out the command that needs an idle board; the caller has seen to that."""
        if self._is_restarting:
            if ticks_diff(now_ms, self._restart_ms) >= 0:
                self._is_restarting = self.has_work = False
                self._board.restart()
            return
        self.has_work = False
        self._do[self.line.index](now_ms)
        self.is_full = False

    def stop(self) -> None:
        """Want charging to stop until the plug is out."""
        self._wants_stop = True

    def _is_empty(self, c) -> bool:
        """Tell whether no cable is in that the inlet could charge through: nothing is energised, and nothing can be."""
        return (
            not c.s2_close
            and not c.lock_drive
            and (c.session == _UNPLUGGED or c.reasons & _NO_CHARGE_POSSIBLE != 0)
        )

    def _keep(self, now_ms: int, r, c, late: int) -> None:
        self._is_reading_kept = True
        keep(self._reading, now_ms, self._report.number, r, c, late)

    def _tell_readings(self) -> None:
        self._is_reading_kept = False
        out = self._report.other
        kept = self._reading
        for n in range(READING_NUMBERS):
            out[n] = kept[n]
        self._report.send_other(READING, b"", b"")

    # ------------------------------------------------------------------------------------- commands

    def _obey(self, now_ms: int, c) -> None:
        """Carry out the command that was read, or leave it to `work`."""
        index = self.line.index
        why = -1
        if index < 0:
            why = NO_SUCH_WORD
        else:
            _, least, most, when = COMMANDS[index]
            if not least <= self.line.count <= most:
                why = WRONG_ARGUMENTS
            elif when == EMPTY and not self._is_empty(c):
                why = NOT_IDLE
            elif when == IN_SERVICE and not c.reasons & SERVICE_MODE:
                why = NOT_IN_SERVICE
            elif when == ANY:
                self._do[index](now_ms)
            elif c.s2_close or c.lock_drive:
                why = NOT_IDLE
            else:
                self.has_work = True
                return
        if why >= 0:
            self._refuse(why)
        self.is_full = False

    def _answer(self) -> None:
        self._report.other[0] = self.line.id
        self._report.send_other(_BARE, b"", b',"ok":[]')

    def _refuse(self, why: int) -> None:
        self._report.other[0] = self.line.id
        self._report.other[1] = why
        self._report.send_other(_NO, b"", b"")

    def _do_hello(self, now_ms: int) -> None:
        self._report.other[0] = self.line.id
        self._report.send_other(_BARE, self._is, b'"')

    def _do_rate(self, now_ms: int) -> None:
        rate_ms = self.line.arguments[0]
        if rate_ms and not RATE_MIN_MS <= rate_ms <= RATE_MAX_MS:
            self._refuse(OUT_OF_BOUNDS)
            return
        self._rate_ms = rate_ms
        self._reading_ms = now_ms
        self._is_reading_kept = False
        self._answer()

    def _do_stop(self, now_ms: int) -> None:
        # Wanted since it was heard.
        self._answer()

    def _do_get(self, now_ms: int) -> None:
        number = self.line.arguments[0]
        key = self._settings.keys.get(number)
        if key is None:
            self._refuse(NO_SUCH_ENTRY)
            return
        out = self._report.other
        out[0] = self.line.id
        out[1] = number
        out[2] = getattr(self._settings, key)
        out[3] = key in self._settings.given
        self._report.send_other(_OK_3, b"", b"]")

    def _do_log(self, now_ms: int) -> None:
        lines_ago = self.line.arguments[0]
        if not 0 <= lines_ago < self._report.logged:
            self._refuse(NO_SUCH_ENTRY)
            return
        self._report.other[0] = self.line.id
        self._report.past(lines_ago, self._report.other, 1)
        self._report.send_other(_OK_19, b"", b"]")

    def _do_set(self, now_ms: int) -> None:
        key = self._settings.keys.get(self.line.arguments[0])
        value = self.line.arguments[1]
        if key is None:
            self._refuse(NO_SUCH_ENTRY)
            return
        try:
            if not self._may_be(key, value):
                self._refuse(OUT_OF_BOUNDS)
                return
            if self._aside is None:
                self._aside = self._board.settings() or {}
        except (ValueError, OSError, MemoryError, ImportError):
            # What is stored cannot be read, so it cannot be changed: `clear` first, and set all of it.
            self._refuse(WRITE_FAILED)
            return
        self._aside[key] = value
        self._answer()

    def _may_be(self, key: str, value: int) -> bool:
        """Tell whether the setting `key` may be `value`. The table is loaded for it, once: each time is a late pass."""
        if self._rows is None:
            import setting_rows

            self._rows = setting_rows
        row = self._rows.find(key)
        return row is not None and self._rows.is_within(row, value)

    def _forget_rows(self) -> None:
        if self._rows is not None:
            self._rows = None
            unload("setting_rows")

    def _do_clear(self, now_ms: int) -> None:
        self._forget_rows()
        self._aside = {}
        self._answer()

    def _do_store(self, now_ms: int) -> None:
        self._forget_rows()
        aside = self._aside
        if aside:
            for key in _NEEDED:
                if key not in aside:
                    self._refuse(INCOMPLETE)
                    return
        try:
            if aside:
                self._board.store(aside)
            elif aside is not None:
                self._board.forget()
        except (ValueError, OSError, MemoryError, ImportError):
            self._refuse(WRITE_FAILED)
            return
        self._aside = None
        self._answer()

    def _do_restart(self, now_ms: int) -> None:
        # Once the answer is out.
        self._restart_ms = ticks_add(now_ms, _RESTART_MS)
        self._is_restarting = self.has_work = True
        self._answer()

    def _do_service_end(self, now_ms: int) -> None:
        self._wants_service_end = True
        self._answer()

    def _do_lock(self, now_ms: int) -> None:
        self._test_lock = 1
        self._answer()

    def _do_unlock(self, now_ms: int) -> None:
        self._test_lock = -1
        self._answer()

    def _do_time(self, now_ms: int) -> None:
        minute = self.line.arguments[0]
        if self._car is None:
            self._refuse(NO_CAR_SIDE)
        elif not 0 <= minute < _WEEK_MIN:
            self._refuse(OUT_OF_BOUNDS)
        elif self._car.set_time(minute):
            self._answer()
        else:
            self._refuse(NOT_NEEDED)

    def _do_now(self, now_ms: int) -> None:
        if self._car is None:
            self._refuse(NO_CAR_SIDE)
        elif self._car.charge_now():
            self._answer()
        else:
            self._refuse(NOT_NEEDED)

    def _do_port_read(self, now_ms: int) -> None:
        if self._ports is None:
            self._refuse(NO_SUCH_ENTRY)
            return
        out = self._report.other
        out[0] = self.line.id
        self._ports.read(self.line.arguments[0], out, 1, _PORT_NUMBERS)
        self._report.send_other(_OK_10, b"", b"]")

    def _do_port_write(self, now_ms: int) -> None:
        line = self.line
        if self._ports is None:
            self._refuse(NO_SUCH_ENTRY)
        else:
            self._answer_change(
                self._ports.write(line.arguments[0], line.arguments, 1, line.count - 1)
            )

    def _do_port_set(self, now_ms: int) -> None:
        if self._ports is None:
            self._refuse(NO_SUCH_ENTRY)
        else:
            self._answer_change(self._ports.put(self.line.arguments[0], self._is_service))

    def _do_port_delete(self, now_ms: int) -> None:
        if self._ports is None:
            self._refuse(NO_SUCH_ENTRY)
        else:
            self._answer_change(self._ports.delete(self.line.arguments[0], self._is_service))

    def _answer_change(self, outcome: int) -> None:
        if outcome:
            self._refuse(_PORT_REFUSALS[outcome])
            return
        if self._ports is not None and self._readings is not None:
            # A stop must not wait for the restart, which a plug puts off.
            self._ports.tighten(self._readings)
        self._answer()

    def _do_journal(self, now_ms: int) -> None:
        line, book, pages = self.line, self._book, self._pages
        out = self._report.other
        if book is None or pages is None:
            self._refuse(NO_SUCH_ENTRY)
        elif pages.fill(book, line.arguments[0], line.arguments[1], out, 1):
            self._answer_page()
        else:
            self._refuse(NO_SUCH_ENTRY)

    def _answer_page(self) -> None:
        self._report.other[0] = self.line.id
        self._report.send_other(_OK_29, b"", b"]")

    def _do_journal_file(self, now_ms: int) -> None:
        line, book, pages = self.line, self._book, self._pages
        out = self._report.other
        is_there = False
        try:
            if book is not None and pages is not None:
                is_there = pages.read_file(book, line.arguments[0], line.arguments[1], out, 1)
        except (OSError, MemoryError, ImportError):
            self._refuse(READ_FAILED)
            return
        if is_there:
            self._answer_page()
        else:
            self._refuse(NO_SUCH_ENTRY)

    def _do_code_clear(self, now_ms: int) -> None:
        book = self._book
        if book is None or book.memory is None:
            self._refuse(NO_SUCH_ENTRY)
            return
        number = self.line.arguments[0]
        book.is_busy = True
        outcome = book.memory.clear(number, self._is_unplugged, self._is_service)
        book.is_busy = False
        if outcome:
            self._refuse(_CLEAR_REFUSALS[outcome])
        else:
            self._answer()

    def _do_inspected(self, now_ms: int) -> None:
        book = self._book
        if book is None or book.wear is None:
            self._refuse(NO_SUCH_ENTRY)
        else:
            book.is_busy = True
            book.wear.inspect()
            book.is_busy = False
            self._answer()

    # ------------------------------------------------------------------------------------ a line in

    def hear(self, byte: int) -> None:
        """Take the next byte, 0..255. Not while `is_full`."""
        self._has_heard = True
        if self.line.hear(byte):
            if self.line.index == _STOP and not self.line.count:
                # Now, whatever else waits for the wire.
                self._wants_stop = True
            self.is_full = True
