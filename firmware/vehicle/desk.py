"""What a computer may tell the board, and the readings it may ask for: the lines of vehicle/protocol.py, the board's side.

A line is read a byte at a time, in exactly the order that protocol.py shows; anything else is dropped up to its line
feed. A command is carried out only once its check sum is right, one a pass at most, and nothing is allocated but by
those that need an idle board. Nothing here energises anything: the wishes go into signals.Readings, where the step
judges them like any other.
"""

from array import array

from micropython import const

from faults import PP_INVALID, SERVICE_MODE, SETTINGS
from settings import ROW_KEY, ROW_MAX, ROW_MIN, ROW_NUMBER, TABLE
from ticks import ticks_add, ticks_diff
from vehicle.protocol import (
    ANY,
    COMMANDS,
    EMPTY,
    IN_SERVICE,
    INCOMPLETE,
    NO_SUCH_ENTRY,
    NO_SUCH_WORD,
    NOT_IDLE,
    NOT_IN_SERVICE,
    OUT_OF_BOUNDS,
    RATE_MAX_MS,
    RATE_MIN_MS,
    READINGS,
    WRITE_FAILED,
    WRONG_ARGUMENTS,
)

_WORD_MAX = const(12)
_NUMBER_MAX = const(0x3FFFFFFF)  # a small int of a 32-bit board
_DIGITS_MAX = const(10)
_ARGUMENTS_MAX = const(2)
_STUCK_PASSES = const(100)
# The answer to `restart` needs so long to get out.
_RESTART_MS = const(500)
_UNPLUGGED = const(0)  # interlock.UNPLUGGED, as a plain value

# What is being read of a line. The literal of each LITERAL state is in _LITERALS.
_HEAD = const(0)
_ID = const(1)
_DO = const(2)
_WORD = const(3)
_ARGUMENTS_HEAD = const(4)
_ARGUMENTS = const(5)
_CRC_HEAD = const(6)
_CRC = const(7)
_TAIL = const(8)
_END = const(9)
_SKIP = const(10)  # not a line of ours: wait for its end
_LITERALS = {
    _HEAD: b'{"v":1,"id":',
    _DO: b'"do":"',
    _ARGUMENTS_HEAD: b',"a":[',
    _CRC_HEAD: b',"x":"',
    _TAIL: b'"}',
}
_AFTER = {_HEAD: _ID, _DO: _WORD, _ARGUMENTS_HEAD: _ARGUMENTS, _CRC_HEAD: _CRC, _TAIL: _END}

# A PP that nobody can read, or settings that cannot be trusted: what is set wrong must not keep it from being set right.
_NO_CHARGE_POSSIBLE = PP_INVALID | SETTINGS
# Without these a board would guess how it is built and wired.
_NEEDED = ("inlet", "max_current_ma")
_WORDS = tuple([row[0].encode() for row in COMMANDS])
_ROWS = {}
for _row in TABLE:
    _ROWS[_row[ROW_NUMBER]] = _row

_STOP = _WORDS.index(b"stop")

# What stands before each number of a line (console.Report.send_other).
_RE = b'{"v":1,"re":'
_BARE = (_RE,)
_NO = (_RE, b',"no":')
_OK_3 = (_RE, b',"ok":[', b",", b",")
_OK_19 = (_RE, b',"ok":[') + (b",",) * 18
_READING = (b'{"v":1,"t":', b',"n":', b',"r":[') + (b",",) * (len(READINGS) - 1) + (b'],"late":',)


class Desk:
    """
    One board's desk. `fill` before the step, then `tick`, then `hear` a byte at a time while `is_full` is False; none of
    these allocates. Where `has_work`, `work` at rest: it writes flash, or restarts.

    board       store(values), forget(), restart(), settings(): called only by `work`
    settings    settings.Settings in force
    report      console.Report: what is answered goes out there
    words       who the board is: `<chip> <board> <board id> <firmware>`
    """

    def __init__(self, board, settings, report, words: str):
        self._board = board
        self._settings = settings
        self._report = report
        self._is = (',"is":"%s' % words.replace("\\", "/").replace('"', "'")).encode()
        self._do = tuple([getattr(self, "_do_" + row[0]) for row in COMMANDS])
        self.is_full = (
            False  # a command waits, or is being carried out: its id and arguments are in use
        )
        self.has_work = False  # one waits for `work`
        self.is_at_rest = False  # S2 open and bridge off in the last pass
        self._index = -1  # of the command in COMMANDS, -1 = none of them
        self._stuck_passes = 0  # a command waits for the answer of the one before to get out
        self.damaged = 0  # lines dropped, 0..2**30-1
        # Wishes, for `fill`.
        self._wants_stop = False
        self._test_lock = 0
        self._wants_service_end = False
        # Readings at a rate; settings kept aside; a restart under way.
        self._rate_ms = 0
        self._reading_ms = 0
        self._aside = None
        self._restart_ms = 0
        self._is_restarting = False
        # The line being read.
        self._state = _HEAD
        self._at = 0  # next byte of the literal, or how many digits
        self._crc = 0xFFFF
        self._id = 0
        self._word = bytearray(_WORD_MAX)
        self._word_length = 0
        self._arguments = array("i", [0] * _ARGUMENTS_MAX)
        self._count = 0
        self._number = 0
        self._is_negative = False
        self._told_crc = 0

    # ------------------------------------------------------------------------------------ each pass

    def fill(self, r) -> None:
        """Write what the computer wants into signals.Readings."""
        r.console_stop = self._wants_stop
        r.test_lock = self._test_lock
        r.service_end = self._wants_service_end
        self._test_lock = 0
        self._wants_service_end = False

    def tick(self, now_ms: int, r, c, late: int) -> None:
        """Carry a waiting command out, or tell readings that are due."""
        self.is_at_rest = not c.s2_close and not c.lock_drive
        if c.session == _UNPLUGGED:
            self._wants_stop = False
        if self._is_restarting and not self._is_empty(c):
            # Something began meanwhile: not under its feet.
            self._is_restarting = self.has_work = False
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
        elif self._rate_ms and ticks_diff(now_ms, self._reading_ms) >= self._rate_ms:
            self._reading_ms = now_ms
            self._tell_readings(now_ms, r, c, late)

    def work(self, now_ms: int) -> None:
        """Carry out the command that needs an idle board; the caller has seen to that."""
        if self._is_restarting:
            if ticks_diff(now_ms, self._restart_ms) >= 0:
                self._is_restarting = self.has_work = False
                self._board.restart()
            return
        self.has_work = False
        self._do[self._index](now_ms)
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

    def _tell_readings(self, now_ms: int, r, c, late: int) -> None:
        out = self._report.other
        out[0] = now_ms
        out[1] = self._report.number
        out[2] = r.pilot_count
        newest = r.pilot_count - 1
        out[3] = r.pilot_high_us_x10[newest] if newest >= 0 else 0
        out[4] = r.pilot_period_us_x10[newest] if newest >= 0 else 0
        out[5] = r.pilot_quiet_ms
        out[6] = r.cp_high_mv
        out[7] = r.cp_low_mv
        out[8] = r.pp_mv
        out[9] = r.pp_rail_mv
        flags = r.cp_ok | r.pp_ok << 1
        for n in range(4):
            out[10 + n] = r.temp_mv[n]
            if r.temp_ok[n]:
                flags |= 4 << n
        out[14] = r.temp_rail_mv
        out[15] = r.lock_feedback_mv
        out[16] = r.lock_motor_ma
        out[17] = r.vehicle_age_ms
        out[18] = r.vehicle_limit_ma
        out[19] = r.charger_ma
        flags |= r.lock_feedback_ok << 6 | r.vehicle_permits << 7 | r.charger_ok << 8
        flags |= r.ac_ok << 9 | r.ac_present << 10
        flags |= r.stop_request << 11 | r.unlock_request << 12 | r.output_lost << 13
        if c.reasons & SERVICE_MODE:
            flags |= 1 << 14
        out[20] = flags
        out[21] = late
        self._report.send_other(_READING, b"", b"")

    # ------------------------------------------------------------------------------------- commands

    def _obey(self, now_ms: int, c) -> None:
        """Carry out the command that was read, or leave it to `work`."""
        index = self._index
        why = -1
        if index < 0:
            why = NO_SUCH_WORD
        else:
            _, least, most, when = COMMANDS[index]
            if not least <= self._count <= most:
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

    def _find_word(self) -> int:
        for n in range(len(_WORDS)):
            word = _WORDS[n]
            if len(word) == self._word_length:
                is_it = True
                for at in range(len(word)):
                    if word[at] != self._word[at]:
                        is_it = False
                        break
                if is_it:
                    return n
        return -1

    def _answer(self) -> None:
        self._report.other[0] = self._id
        self._report.send_other(_BARE, b"", b',"ok":[]')

    def _refuse(self, why: int) -> None:
        self._report.other[0] = self._id
        self._report.other[1] = why
        self._report.send_other(_NO, b"", b"")

    def _do_hello(self, now_ms: int) -> None:
        self._report.other[0] = self._id
        self._report.send_other(_BARE, self._is, b'"')

    def _do_rate(self, now_ms: int) -> None:
        rate_ms = self._arguments[0]
        if rate_ms and not RATE_MIN_MS <= rate_ms <= RATE_MAX_MS:
            self._refuse(OUT_OF_BOUNDS)
            return
        self._rate_ms = rate_ms
        self._reading_ms = now_ms
        self._answer()

    def _do_stop(self, now_ms: int) -> None:
        # Wanted since it was heard.
        self._answer()

    def _do_get(self, now_ms: int) -> None:
        row = _ROWS.get(self._arguments[0])
        if row is None:
            self._refuse(NO_SUCH_ENTRY)
            return
        out = self._report.other
        out[0] = self._id
        out[1] = row[ROW_NUMBER]
        out[2] = getattr(self._settings, row[ROW_KEY])
        out[3] = row[ROW_KEY] in self._settings.given
        self._report.send_other(_OK_3, b"", b"]")

    def _do_log(self, now_ms: int) -> None:
        lines_ago = self._arguments[0]
        if not 0 <= lines_ago < self._report.logged:
            self._refuse(NO_SUCH_ENTRY)
            return
        self._report.other[0] = self._id
        self._report.past(lines_ago, self._report.other, 1)
        self._report.send_other(_OK_19, b"", b"]")

    def _do_set(self, now_ms: int) -> None:
        row = _ROWS.get(self._arguments[0])
        if row is None:
            self._refuse(NO_SUCH_ENTRY)
            return
        if not row[ROW_MIN] <= self._arguments[1] <= row[ROW_MAX]:
            self._refuse(OUT_OF_BOUNDS)
            return
        try:
            if self._aside is None:
                self._aside = self._board.settings() or {}
        except (ValueError, OSError, MemoryError):
            # What is stored cannot be read, so it cannot be changed: `clear` first, and set all of it.
            self._refuse(WRITE_FAILED)
            return
        self._aside[row[ROW_KEY]] = self._arguments[1]
        self._answer()

    def _do_clear(self, now_ms: int) -> None:
        self._aside = {}
        self._answer()

    def _do_store(self, now_ms: int) -> None:
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
        except (ValueError, OSError, MemoryError):
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

    # ------------------------------------------------------------------------------------ a line in

    def hear(self, byte: int) -> None:
        """Take the next byte, 0..255. Not while `is_full`."""
        state = self._state
        if byte == 10:
            self._end_line(state)
        elif state != _SKIP and byte != 13:
            if state <= _ARGUMENTS:
                crc = self._crc
                fold = crc >> 8 ^ byte
                fold ^= fold >> 4
                self._crc = (crc << 8 ^ fold << 12 ^ fold << 5 ^ fold) & 0xFFFF
            self._hear_piece(state, byte)

    def _end_line(self, state: int) -> None:
        if state == _END and self._told_crc == self._crc:
            self._index = self._find_word()
            if self._index == _STOP and not self._count:
                # Now, whatever else waits for the wire.
                self._wants_stop = True
            self.is_full = True
        elif (state != _HEAD or self._at) and self.damaged < _NUMBER_MAX:
            self.damaged += 1
        self._state = _HEAD
        self._at = 0
        self._crc = 0xFFFF

    def _hear_piece(self, state: int, byte: int) -> None:
        if state in _LITERALS:
            self._hear_literal(state, byte)
        elif state == _ID:
            self._hear_id(byte)
        elif state == _WORD:
            self._hear_word(byte)
        elif state == _ARGUMENTS:
            self._hear_argument(byte)
        elif state == _CRC:
            self._hear_crc(byte)
        else:
            self._state = _SKIP

    def _hear_literal(self, state: int, byte: int) -> None:
        literal = _LITERALS[state]
        if byte != literal[self._at]:
            self._state = _SKIP
            return
        self._at += 1
        if self._at < len(literal):
            return
        self._at = 0
        self._state = _AFTER[state]
        if state == _HEAD or state == _ARGUMENTS_HEAD:
            self._number = 0
            self._count = 0
            self._is_negative = False
        elif state == _DO:
            self._word_length = 0
        elif state == _CRC_HEAD:
            self._told_crc = 0

    def _hear_digit(self, byte: int) -> bool:
        """Take a digit of the number; return whether it was one that fits."""
        digit = byte - 48
        if (
            not 0 <= digit <= 9
            or self._at >= _DIGITS_MAX
            or self._number > (_NUMBER_MAX - digit) // 10
        ):
            return False
        self._number = self._number * 10 + digit
        self._at += 1
        return True

    def _hear_id(self, byte: int) -> None:
        if byte == 44 and self._at:  # ","
            self._id = self._number
            self._at = 0
            self._state = _DO
        elif not self._hear_digit(byte):
            self._state = _SKIP

    def _hear_word(self, byte: int) -> None:
        if byte == 34:  # '"'
            self._state = _ARGUMENTS_HEAD
            self._at = 0
        elif self._word_length < _WORD_MAX and (97 <= byte <= 122 or byte == 95):
            self._word[self._word_length] = byte
            self._word_length += 1
        else:
            self._state = _SKIP

    def _hear_argument(self, byte: int) -> None:
        if byte == 45 and not self._at and not self._is_negative:  # "-"
            self._is_negative = True
        elif byte == 44 or byte == 93:  # "," or "]"
            if self._at and self._count < _ARGUMENTS_MAX:
                self._arguments[self._count] = -self._number if self._is_negative else self._number
                self._count += 1
                self._number = 0
                self._at = 0
                self._is_negative = False
            elif self._at or byte == 44 or self._count or self._is_negative:
                self._state = _SKIP
                return
            if byte == 93:
                self._state = _CRC_HEAD
        elif not self._hear_digit(byte):
            self._state = _SKIP

    def _hear_crc(self, byte: int) -> None:
        if 48 <= byte <= 57:
            digit = byte - 48
        elif 97 <= byte <= 102:
            digit = byte - 87
        else:
            self._state = _SKIP
            return
        self._told_crc = self._told_crc << 4 | digit
        self._at += 1
        if self._at == 4:
            self._at = 0
            self._state = _TAIL
