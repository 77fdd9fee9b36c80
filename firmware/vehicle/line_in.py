"""One command of the line protocol, read a byte at a time in exactly the order that vehicle/protocol.py shows.

Anything else is dropped up to its line feed, and counted. Allocates nothing.
"""

from array import array

from micropython import const

from vehicle.protocol import COMMANDS

_WORD_MAX = const(12)
_NUMBER_MAX = const(0x3FFFFFFF)  # a small int of a 32-bit board
_DIGITS_MAX = const(10)
_ARGUMENTS_MAX = const(8)

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

WORDS = tuple([row[0].encode() for row in COMMANDS])


class LineIn:
    """`hear` a byte at a time. After a whole command its parts stand until the next byte is heard."""

    def __init__(self):
        self.index = -1  # of the command in COMMANDS, -1 = none of them
        self.id = 0  # 0..2**30-1
        self.arguments = array("i", [0] * _ARGUMENTS_MAX)
        self.count = 0  # of the arguments
        self.damaged = 0  # lines dropped, 0..2**30-1
        self._state = _HEAD
        self._at = 0  # next byte of the literal, or how many digits
        self._crc = 0xFFFF
        self._word = bytearray(_WORD_MAX)
        self._word_length = 0
        self._number = 0
        self._is_negative = False
        self._told_crc = 0

    def _find_word(self) -> int:
        for n in range(len(WORDS)):
            word = WORDS[n]
            if len(word) == self._word_length:
                is_it = True
                for at in range(len(word)):
                    if word[at] != self._word[at]:
                        is_it = False
                        break
                if is_it:
                    return n
        return -1

    def hear(self, byte: int) -> bool:
        """Take the next byte, 0..255; return whether it ends a whole command."""
        state = self._state
        if byte == 10:
            return self._end(state)
        if state != _SKIP and byte != 13:
            if state <= _ARGUMENTS:
                crc = self._crc
                fold = crc >> 8 ^ byte
                fold ^= fold >> 4
                self._crc = (crc << 8 ^ fold << 12 ^ fold << 5 ^ fold) & 0xFFFF
            self._hear_piece(state, byte)
        return False

    def _end(self, state: int) -> bool:
        is_whole = state == _END and self._told_crc == self._crc
        if is_whole:
            self.index = self._find_word()
        elif (state != _HEAD or self._at) and self.damaged < _NUMBER_MAX:
            self.damaged += 1
        self._state = _HEAD
        self._at = 0
        self._crc = 0xFFFF
        return is_whole

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
            self.count = 0
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
            self.id = self._number
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
            if self._at and self.count < _ARGUMENTS_MAX:
                self.arguments[self.count] = -self._number if self._is_negative else self._number
                self.count += 1
                self._number = 0
                self._at = 0
                self._is_negative = False
            elif self._at or byte == 44 or self.count or self._is_negative:
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
