"""Makes a full black box (journal/blackbox.py) into records for the flash log. At rest only, and loaded only then: it allocates.

A box is a few records of KIND_BOX, "parts", each at most as long as the caller's buffer. All begin with layout, number of the
part, how many there are (a byte each) and the box's tag (two bytes), so that parts of two boxes are told apart. The first goes on
with HEAD, numbers of 7 bits a byte (lowest first, bit 7 set where more follow); then come blocks of the ring, the oldest first,
each behind its length (two bytes). Low byte first everywhere.
"""

from micropython import const

from journal.blackbox import BLOCK_BYTES

KIND_BOX = const(16)
LAYOUT = const(1)
PART_HEAD = const(5)
# The first part's head: (name, what). Behind it the firmware's name (length, bytes) and the settings that are stored
# (how many, then number and value of each).
HEAD = (
    ("flags", "see below"),
    ("trigger_ms", "tick of the frame that is the trigger's"),
    ("trigger_reasons", "reasons that began with it"),
    ("trigger_faults", "faults that began with it"),
    ("trigger_cause", "what the caller of trigger_now gave, else 0"),
    ("missed", "triggers that came while the box was frozen, or was not allowed"),
    ("session", "number of the plug-in"),
    ("minute", "local minute of the week when it was made into records; only with clock_set"),
)
FLAGS = ("from_boot", "clock_set", "settings_stored", "settings_refused", "settings_trusted")
_VERSION_MAX = const(40)
_LENGTH = const(2)


class BoxWriter:
    """
    Parts of a full box; the box must stay frozen until the last one is written.

    box         BlackBox, with state FULL
    settings    settings.Settings in force
    version     the firmware's name, as on the console
    session     number of the plug-in, 0..2**30-1
    minute      local minute of the week, or None where no clock is set
    part_bytes  length of the buffer that `part` fills, log_reader.PAYLOAD_MAX at most; ValueError where no block fits
    """

    def __init__(self, box, settings, version: str, session: int, minute, part_bytes: int):  # noqa: PLR0913, PLR0917 - what one record tells
        self._box = box
        self._bytes = part_bytes
        self._head = _head(box, settings, version, session, minute)
        self._firsts = [0]  # place of each part's first block, in order of age
        self._blocks = _blocks(box)
        at = PART_HEAD + len(self._head)
        if part_bytes < at or part_bytes < PART_HEAD + _LENGTH + BLOCK_BYTES:
            raise ValueError("a part of %d bytes is too short for a black box" % part_bytes)
        for n in range(len(self._blocks)):
            size = _LENGTH + box.used[self._blocks[n]]
            if at + size > part_bytes:
                self._firsts.append(n)
                at = PART_HEAD
            at += size
        self.parts = len(self._firsts)

    def part(self, n: int, into) -> int:
        """Write part `n`, 0..parts-1, to the beginning of `into`, a bytearray; return its length."""
        box = self._box
        tag = box.trigger_ms >> 4
        into[0] = LAYOUT
        into[1] = n
        into[2] = self.parts
        into[3] = tag & 255
        into[4] = tag >> 8 & 255
        at = PART_HEAD
        if n == 0:
            for byte in self._head:
                into[at] = byte
                at += 1
        end = self._firsts[n + 1] if n + 1 < self.parts else len(self._blocks)
        for m in range(self._firsts[n], end):
            first = self._blocks[m] * BLOCK_BYTES
            used = box.used[self._blocks[m]]
            into[at] = used & 255
            into[at + 1] = used >> 8
            at += _LENGTH
            for k in range(used):
                into[at + k] = box.ring[first + k]
            at += used
        return at


def _blocks(box) -> list:
    """Return the places of the blocks that hold something, the oldest first."""
    count = len(box.used)
    places = []
    for n in range(1, count + 1):
        place = (box.block + n) % count
        if box.used[place]:
            places.append(place)
    return places


def _head(box, settings, version: str, session: int, minute) -> bytearray:
    flags = 1 if box.is_from_boot else 0
    if minute is not None:
        flags |= 2
    # Without any the settings say so in `rejected`, too.
    if settings.given:
        flags |= 4
    if settings.rejected:
        flags |= 8
    if settings.is_trusted:
        flags |= 16
    head = bytearray()
    for number in (
        flags,
        box.trigger_ms,
        box.trigger_reasons,
        box.trigger_faults,
        box.trigger_cause,
        box.missed,
        session,
        0 if minute is None else minute,
    ):
        _append(head, number)
    name = version.encode()[:_VERSION_MAX]
    _append(head, len(name))
    head.extend(name)
    _append(head, len(settings.given))
    for number, key in settings.keys.items():
        if key in settings.given:
            _append(head, number)
            _append(head, getattr(settings, key))
    return head


def _append(out: bytearray, number: int) -> None:
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
