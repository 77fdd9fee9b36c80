"""What the board tells a computer on its console: one JSON line at every change of the commands, and answers.

The lines are those of vehicle/protocol.py; `c` holds signals.Commands in its own order, which is also
drivers.virtual_layout.COMMANDS. Plain values in, bytes out: this module does not know the wire, and decides nothing. A
line goes out a few bytes a pass, so it is also made a few bytes a pass: whole it would cost more than the rest of the
pass. What the board is told is vehicle/desk.py, which is loaded once the loop runs: this file counts into the boot.
"""

from array import array

from micropython import const

from ticks import ticks_diff

# A line at least this often, so that a listener can tell "nothing changed" from "nobody there".
_PERIOD_MS = const(1000)
_LINES = const(4)
_TURNS = const(3)
# Numbers of a line of commands: tick, line number, 16 commands, late passes.
_NUMBERS = const(19)
_FIRST_COMMAND = const(2)
_LATE = const(18)
# The newest changes, which `log` reads, then a slot for each line that waits and is no change.
LOG_LINES = const(16)
# Numbers of the longest line of another kind.
_OTHER_NUMBERS = const(43)
# Bytes made ahead: what the board sends in one pass.
_AHEAD = const(8)
# Room for what is made and not yet taken: below _AHEAD plus the longest piece (22). A power of two.
_ROOM = const(32)
_ROOM_MASK = const(31)
_WORDS_PIECE = const(16)
_SMALL_INT = const(0x3FFFFFFF)
# 0.1 % of duty is 60 mA at most below 85 %, 250 mA above; the next line a second later has the exact figures.
_NEAR_PCT_X100 = const(10)
_NEAR_MA = const(100)
# What stands before each number.
_BEFORE = (b'{"v":1,"t":', b',"n":', b',"c":[') + (b",",) * 15 + (b'],"late":',)
_BEFORE_CRC = b',"x":"'
_AFTER_CRC = b'"}\n'
_HEX = b"0123456789abcdef"


def _is_near(value: int, seen: int, within: int) -> bool:
    """Return whether `value` is what was seen, give or take `within`; 0 is only ever 0."""
    return -within <= value - seen <= within and (value != 0) == (seen != 0)


def _is_same(c, seen) -> bool:
    """Return whether nothing has changed that is worth a line before its time.

    The hottest temperature moves all the time, a measured duty by 0.03 %, and the currents that follow it. A line
    takes ten passes on the wire: told at every tremble, they would leave no room for what matters.
    """
    return (
        c.s2_close == seen[0]
        and (c.charger_ma == seen[1] or _is_near(c.charger_ma, seen[1], _NEAR_MA))
        and c.lock_drive == seen[2]
        and c.drive_allowed == seen[3]
        and c.light == seen[4]
        and c.session == seen[5]
        and c.pilot_state == seen[6]
        and c.lock_state == seen[7]
        and (c.duty_pct_x100 == seen[8] or _is_near(c.duty_pct_x100, seen[8], _NEAR_PCT_X100))
        and (c.offered_ma == seen[9] or _is_near(c.offered_ma, seen[9], _NEAR_MA))
        and (c.permitted_ma == seen[10] or _is_near(c.permitted_ma, seen[10], _NEAR_MA))
        and c.limiter == seen[11]
        and c.reasons == seen[12]
        and c.faults == seen[13]
        and c.hottest_ok == seen[15]
    )


def _keep(c, values, at: int) -> None:
    """Write the 16 commands to values[at:at+16]."""
    values[at] = c.s2_close
    values[at + 1] = c.charger_ma
    values[at + 2] = c.lock_drive
    values[at + 3] = c.drive_allowed
    values[at + 4] = c.light
    values[at + 5] = c.session
    values[at + 6] = c.pilot_state
    values[at + 7] = c.lock_state
    values[at + 8] = c.duty_pct_x100
    values[at + 9] = c.offered_ma
    values[at + 10] = c.permitted_ma
    values[at + 11] = c.limiter
    values[at + 12] = c.reasons
    values[at + 13] = c.faults
    values[at + 14] = c.hottest_decic
    values[at + 15] = c.hottest_ok


class Report:
    """Lines of commands, four deep, and one line of another kind beside them. Allocates nothing.

    `tick` once a pass; then `pending` and `take` as the wire has room. Where the wire is slower than the changes, the
    newest line is dropped: a gap in `n` tells. The state it would have told is told as soon as there is room, so the
    last line is never an old one for longer than that.
    """

    def __init__(self):
        self._kept = array("i", bytes(4 * (LOG_LINES + _LINES) * _NUMBERS))
        self._queue = array("b", bytes(_LINES))  # slots of _kept: lines being sent, in turn
        self._first = 0  # line being sent, 0..3
        self._lines = 0  # lines in the queue, 0..4, the one being sent included
        self._changes = 0  # slot of the next change, 0..15
        self.logged = 0  # changes kept, 0..LOG_LINES
        self._beats = LOG_LINES  # slot of the next line that is no change
        self._seen = array("i", [0] * 16)  # commands of the last line, sent or dropped
        self._line_ms = 0  # tick of that line
        self.number = 0  # of the next line of commands, 0..2**30-1
        self._is_owed = True  # nothing told yet, or the last line was dropped
        self._is_due = True  # a line at once: nothing was ever told
        # The line of another kind: free while `is_other` is False.
        self.is_other = False
        self.other = array("i", [0] * _OTHER_NUMBERS)
        self._other_before = _BEFORE  # what stands before each of its numbers
        self._other_end = b""  # before its check sum
        self._other_words = b""  # instead of further numbers
        # The line being sent.
        self._is_begun = False
        self._is_sending_other = False
        self._turns = 1  # lines of commands since the last one of another kind, 0.._TURNS
        self._source = self._kept
        self._at = 0  # of its first number
        self._before = _BEFORE
        self._end = b""
        self._words = b""
        self._piece = 0  # next piece: first the numbers, then the words, then its end
        self._words_at = 0
        self._crc = 0xFFFF
        self._out = bytearray(_ROOM)
        self._out_at = 0  # next byte to take
        self._out_count = 0  # bytes made and not taken
        self._digits = bytearray(10)  # one number, last digit first

    def tick(self, now_ms: int, commands, late: int) -> None:
        """Queue a line where the commands changed or the last line is a second old.

        `now_ms` is this pass's tick, `late` the passes that began late so far, 0..2**30-1.
        """
        is_change = self._is_due or not _is_same(commands, self._seen)
        is_room = self._lines < _LINES
        if (
            not is_change
            and ticks_diff(now_ms, self._line_ms) < _PERIOD_MS
            and not (self._is_owed and is_room)
        ):
            return
        self._is_due = False
        self._line_ms = now_ms
        _keep(commands, self._seen, 0)
        if is_change:
            slot = self._changes
            self._changes = (slot + 1) % LOG_LINES
            if self.logged < LOG_LINES:
                self.logged += 1
        else:
            slot = self._beats
            self._beats = slot + 1 if slot < LOG_LINES + _LINES - 1 else LOG_LINES
        if is_change or is_room:
            kept = self._kept
            at = slot * _NUMBERS
            kept[at] = now_ms
            kept[at + 1] = self.number
            _keep(commands, kept, at + _FIRST_COMMAND)
            kept[at + _LATE] = late
        if is_room:
            self._queue[(self._first + self._lines) % _LINES] = slot
            self._lines += 1
        self._is_owed = not is_room
        # 2**30 would be a big int, and the heap is locked.
        self.number = 0 if self.number == _SMALL_INT else self.number + 1

    def past(self, lines_ago: int, into, at: int) -> None:
        """Write the 19 numbers of a change to into[at:]; 0 is the newest, `logged` - 1 the oldest."""
        kept = self._kept
        first = (self._changes - 1 - lines_ago) % LOG_LINES * _NUMBERS
        for n in range(_NUMBERS):
            into[at + n] = kept[first + n]

    def send_other(self, before, words, end) -> None:
        """Send `other` next: each number after its piece of `before`, then `words` as they are, then `end`.

        Bytes all; a piece of `before` at most 11 long. Only while `is_other` is False, which it is again when the last
        byte has been made.
        """
        self._other_before = before
        self._other_words = words
        self._other_end = end
        self.is_other = True

    def pending(self, wanted: int = _AHEAD) -> int:
        """Return how many bytes can be taken now: 0 only where no line waits, never more than 29.

        `wanted`: 1..8, so many are made where as many wait; ask again after those.
        """
        while self._out_count < wanted:
            if not self._is_begun and not self._begin():
                break
            if self._piece < len(self._before):
                self._make_number()
                self._piece += 1
            elif self._words_at < len(self._words):
                self._make_words()
            else:
                self._make_end()
        return self._out_count

    def take(self) -> int:
        """Return the next byte, 0..255. Call it only as often as `pending` said."""
        at = self._out_at
        self._out_at = (at + 1) & _ROOM_MASK
        self._out_count -= 1
        return self._out[at]

    def _begin(self) -> bool:
        """Choose the next line: in turn where both kinds wait, so that readings at any rate hold no change back.

        Where changes queue up they have the wire for most of the time: what was decided comes before what was read.
        """
        if self.is_other and (
            not self._lines or self._turns >= (_TURNS if self._lines > 1 else 1)
        ):
            self._turns = 0
            self._is_sending_other = True
            self._source = self.other
            self._at = 0
            self._before = self._other_before
            self._words = self._other_words
            self._end = self._other_end
        elif self._lines:
            if self._turns < _TURNS:
                self._turns += 1
            self._source = self._kept
            self._at = self._queue[self._first] * _NUMBERS
            self._before = _BEFORE
            self._words = b""
            self._end = b""
        else:
            return False
        self._is_begun = True
        return True

    def _make_number(self) -> None:
        """Append the next number and what stands before it, and take both into the check sum."""
        piece = self._piece
        out = self._out
        start = self._out_at + self._out_count
        at = start
        for byte in self._before[piece]:
            out[at & _ROOM_MASK] = byte
            at += 1
        value = self._source[self._at + piece]
        if value < 0:
            out[at & _ROOM_MASK] = 45  # "-"
            at += 1
            value = -value
        digits = self._digits
        count = 0
        while value or not count:
            digits[count] = 48 + value % 10
            count += 1
            value //= 10
        while count:
            count -= 1
            out[at & _ROOM_MASK] = digits[count]
            at += 1
        self._out_count += at - start
        self._sum(start, at)

    def _make_words(self) -> None:
        """Append the next of the words."""
        out = self._out
        start = self._out_at + self._out_count
        at = start
        words = self._words
        n = self._words_at
        while n < len(words) and at - start < _WORDS_PIECE:
            out[at & _ROOM_MASK] = words[n]
            at += 1
            n += 1
        self._words_at = n
        self._out_count += at - start
        self._sum(start, at)

    def _sum(self, start: int, at: int) -> None:
        """Take the bytes made from `start` up to `at` into the check sum."""
        out = self._out
        crc = self._crc
        while start < at:
            # A byte at a time without a table: the polynomial's three terms, shifted by what the byte carries out.
            fold = crc >> 8 ^ out[start & _ROOM_MASK]
            fold ^= fold >> 4
            crc = (crc << 8 ^ fold << 12 ^ fold << 5 ^ fold) & 0xFFFF
            start += 1
        self._crc = crc

    def _make_end(self) -> None:
        """Append the check sum and the line's end; the next line is then the one to send."""
        out = self._out
        start = self._out_at + self._out_count
        at = start
        for byte in self._end:
            out[at & _ROOM_MASK] = byte
            at += 1
        self._sum(start, at)
        for byte in _BEFORE_CRC:
            out[at & _ROOM_MASK] = byte
            at += 1
        shift = 12
        while shift >= 0:
            out[at & _ROOM_MASK] = _HEX[self._crc >> shift & 15]
            at += 1
            shift -= 4
        for byte in _AFTER_CRC:
            out[at & _ROOM_MASK] = byte
            at += 1
        self._out_count = at - self._out_at
        self._crc = 0xFFFF
        self._piece = 0
        self._words_at = 0
        self._is_begun = False
        if self._is_sending_other:
            self._is_sending_other = False
            self.is_other = False
        else:
            self._first = (self._first + 1) % _LINES
            self._lines -= 1
