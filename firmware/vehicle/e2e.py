"""Counter and checksum of a protected CAN message, in the style of AUTOSAR E2E profile 1. Judges frames, knows no signal.

Byte 0 is the checksum: CRC-8 with SAE J1850's polynomial 0x1D, start 0, over the message's data id (low byte, high byte),
then bytes 1 to the end. The low half of byte 1 is a counter, 0..14 and then 0 again; 15 is never sent. The data id is the
CAN identifier, so that a frame in another's place is found out.

What the receiver makes of a frame is ANSWERS; only a frame whose answer is "used" may be decoded. Frames lost in a row are
borne up to SKIPS_MAX: what they would have said is as old as the age of the last one used tells. After a wrong checksum or
an order that is lost, GOOD_NEEDED good frames in a row are needed, the last of which is used.
"""

from micropython import const

COUNTER_MAX = const(14)
SKIPS_MAX = const(2)  # lost in a row
GOOD_NEEDED = const(2)

# Answers. Consecutive, and rows of ANSWERS.
OK = const(0)
SKIPPED = const(1)
REPEATED = const(2)
WRONG_CHECKSUM = const(3)
WRONG_COUNTER = const(4)
LOST_ORDER = const(5)
FIRST = const(6)
NOT_YET = const(7)

# (name, used, told as data refused); what each is and what follows, in words: docs/can.md.
ANSWERS = (
    ("ok", True, False),
    ("skipped", True, False),
    ("repeated", False, True),
    ("wrong_checksum", False, True),
    ("wrong_counter", False, True),
    ("lost_order", False, True),
    ("first", False, False),
    ("not_yet", False, False),
)
ROW_NAME = const(0)
ROW_USED = const(1)
ROW_TOLD = const(2)

# CRC of each byte: eight steps of the polynomial in one lookup. A test makes it anew.
_TABLE = (
    b"\x00\x1d\x3a\x27\x74\x69\x4e\x53\xe8\xf5\xd2\xcf\x9c\x81\xa6\xbb"
    b"\xcd\xd0\xf7\xea\xb9\xa4\x83\x9e\x25\x38\x1f\x02\x51\x4c\x6b\x76"
    b"\x87\x9a\xbd\xa0\xf3\xee\xc9\xd4\x6f\x72\x55\x48\x1b\x06\x21\x3c"
    b"\x4a\x57\x70\x6d\x3e\x23\x04\x19\xa2\xbf\x98\x85\xd6\xcb\xec\xf1"
    b"\x13\x0e\x29\x34\x67\x7a\x5d\x40\xfb\xe6\xc1\xdc\x8f\x92\xb5\xa8"
    b"\xde\xc3\xe4\xf9\xaa\xb7\x90\x8d\x36\x2b\x0c\x11\x42\x5f\x78\x65"
    b"\x94\x89\xae\xb3\xe0\xfd\xda\xc7\x7c\x61\x46\x5b\x08\x15\x32\x2f"
    b"\x59\x44\x63\x7e\x2d\x30\x17\x0a\xb1\xac\x8b\x96\xc5\xd8\xff\xe2"
    b"\x26\x3b\x1c\x01\x52\x4f\x68\x75\xce\xd3\xf4\xe9\xba\xa7\x80\x9d"
    b"\xeb\xf6\xd1\xcc\x9f\x82\xa5\xb8\x03\x1e\x39\x24\x77\x6a\x4d\x50"
    b"\xa1\xbc\x9b\x86\xd5\xc8\xef\xf2\x49\x54\x73\x6e\x3d\x20\x07\x1a"
    b"\x6c\x71\x56\x4b\x18\x05\x22\x3f\x84\x99\xbe\xa3\xf0\xed\xca\xd7"
    b"\x35\x28\x0f\x12\x41\x5c\x7b\x66\xdd\xc0\xe7\xfa\xa9\xb4\x93\x8e"
    b"\xf8\xe5\xc2\xdf\x8c\x91\xb6\xab\x10\x0d\x2a\x37\x64\x79\x5e\x43"
    b"\xb2\xaf\x88\x95\xc6\xdb\xfc\xe1\x5a\x47\x60\x7d\x2e\x33\x14\x09"
    b"\x7f\x62\x45\x58\x0b\x16\x31\x2c\x97\x8a\xad\xb0\xe3\xfe\xd9\xc4"
)


def checksum(d, length: int, data_id: int) -> int:
    """Return what byte 0 of the frame d[0:length] has to be, 0..255."""
    table = _TABLE
    crc = table[table[data_id & 0xFF] ^ data_id >> 8]
    for n in range(1, length):
        crc = table[crc ^ d[n]]
    return crc


class E2ESender:
    """Protects one message. Allocates nothing."""

    def __init__(self, data_id: int):
        self._data_id = data_id
        self._counter = 0  # of the next frame

    def protect(self, d, length: int) -> None:
        """Write counter and checksum into the encoded frame d[0:length], whose bits for them are 0."""
        counter = self._counter
        d[1] = d[1] & 0xF0 | counter
        d[0] = checksum(d, length, self._data_id)
        self._counter = counter + 1 if counter < COUNTER_MAX else 0


class E2EReceiver:
    """Judges the frames of one message. Allocates nothing."""

    def __init__(self, data_id: int):
        self._data_id = data_id
        self._has_last = False
        self._last = 0  # counter of the newest frame with a right checksum
        self._needed = (
            GOOD_NEEDED  # good frames still needed until one is used; 0 or 1: the next one is
        )

    def forget(self) -> None:
        """Start anew: the message was stale, and a counter from before proves nothing."""
        self._has_last = False

    def check(self, d, length: int) -> int:  # noqa: PLR0911 - one return an answer
        """Return the answer to the frame d[0:length], at least 2 bytes: a row of ANSWERS."""
        if checksum(d, length, self._data_id) != d[0]:
            self._needed = GOOD_NEEDED
            return WRONG_CHECKSUM
        counter = d[1] & 0x0F
        if counter > COUNTER_MAX:
            self._needed = GOOD_NEEDED
            return WRONG_COUNTER
        if not self._has_last:
            self._has_last = True
            self._last = counter
            self._needed = GOOD_NEEDED - 1
            return FIRST
        steps = counter - self._last
        if steps < 0:
            steps += COUNTER_MAX + 1
        if steps == 0:
            return REPEATED
        self._last = counter
        if steps > SKIPS_MAX + 1:
            self._needed = GOOD_NEEDED - 1
            return LOST_ORDER
        if self._needed > 1:
            self._needed -= 1
            return NOT_YET
        self._needed = 0
        return OK if steps == 1 else SKIPPED
