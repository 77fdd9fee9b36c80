"""What the console may ask of the journal: pages of numbers, and the log's files as they are. Docs: docs/protocol.md.

`fill` allocates nothing; `read_file` is for a board at rest. What a board has not loaded reads as zeros.
"""

from micropython import const

from journal.memory import SLOT_INTS, SLOTS

# Numbers of a page, and what a page is.
NUMBERS = const(29)
P_NOW = const(0)
P_CODE = const(1)
P_WEAR = const(2)
P_CONTACT = const(3)
PAGES = const(4)
# (name, what selects one of them)
PAGE_NAMES = (("now", ""), ("code", "slot"), ("wear", ""), ("contact", "contact"))

# Of page `now`, in order.
NOW = (
    "loaded",  # bits: 1 trouble codes, 2 whose fault it was, 4 session log, 8 wear, 16 black box, 32 contact health, 64 the log
    "session",  # plug-ins so far
    "codes_lost",  # appearances that found no room
    "verdict_serial",  # grows with every verdict
    "verdict",
    "sure",
    "rule",
    "rule_code",
    "facts",
    "reasons",
    "faults",
    "holds",
    "warnings",  # of wear
    "health",  # worst verdict about a contact
    "log_last",  # number of the newest record on flash
    "log_lost",  # records that were found damaged
    "failures",  # records that the flash did not take
    "unsaved",  # bits by kind of record
    "box",  # what the black box is doing: journal.blackbox
    "box_missed",  # triggers that it could not record
    "sessions_lost",  # plug-ins that ended while the one before was not written
)

_CONTACTS = const(2)
_BYTES = const(3)  # in a number of a file
FILE_BYTES = const((NUMBERS - 1) * _BYTES)


def fill(book, page: int, which: int, out, at: int) -> bool:
    """Write a page's NUMBERS to out[at:]; return False where there is none such."""
    for n in range(NUMBERS):
        out[at + n] = 0
    book.is_busy = True
    is_there = True
    if page == P_NOW:
        _fill_now(book, out, at)
    elif page == P_CODE and 0 <= which < SLOTS:
        _fill_code(book.memory, which, out, at)
    elif page == P_WEAR:
        _fill_wear(book.wear, out, at)
    elif page == P_CONTACT and 0 <= which < _CONTACTS:
        _fill_contact(book.health, which, out, at)
    else:
        is_there = False
    book.is_busy = False
    return is_there


def _fill_code(memory, slot: int, out, at: int) -> None:
    if memory is not None:
        for n in range(SLOT_INTS):
            out[at + n] = memory.slots[slot * SLOT_INTS + n]


def _fill_wear(wear, out, at: int) -> None:
    if wear is not None:
        count = len(wear.values)
        for n in range(count):
            out[at + n] = wear.values[n]
        for n in range(len(wear.inspected)):
            out[at + count + n] = wear.inspected[n]


def _fill_now(book, out, at: int) -> None:
    verdict = book.verdict
    shelf = book.shelf
    loaded = 0
    if book.memory is not None:
        loaded |= 1
        out[at + 2] = book.memory.lost
    if verdict is not None:
        loaded |= 2
        out[at + 3] = verdict.serial
        out[at + 4] = verdict.verdict
        out[at + 5] = verdict.sure
        out[at + 6] = verdict.rule
        out[at + 7] = verdict.code
        out[at + 8] = verdict.facts
        out[at + 9] = verdict.reasons
        out[at + 10] = verdict.faults
        out[at + 11] = verdict.holds
    if book.sessions is not None:
        loaded |= 4
        out[at + 20] = book.sessions.lost
    if book.wear is not None:
        loaded |= 8
        out[at + 12] = book.wear.warnings
    if book.health is not None:
        loaded |= 32
        out[at + 13] = book.worst_contact()
    if shelf is not None:
        loaded |= 64
        out[at + 14] = shelf.last
        out[at + 15] = shelf.lost
    if book.box is not None:
        loaded |= 16
        out[at + 18] = book.box.state
        out[at + 19] = book.box.missed
    out[at] = loaded
    out[at + 1] = book.session
    out[at + 16] = book.failures
    out[at + 17] = book.unsaved()


def _fill_contact(health, c: int, out, at: int) -> None:
    if health is None:
        return
    fields = health.trends[c].fields
    count = len(fields)
    for n in range(count):
        out[at + n] = fields[n]
    out[at + count] = health.predicted_decic(c)
    contact = health.heating.contacts[c]
    out[at + count + 1] = contact.reason
    out[at + count + 2] = contact.coefficient
    out[at + count + 3] = contact.spread


def read_file(book, place: int, start: int, out, at: int) -> bool:
    """Write the length of log file `place` to out[at], then FILE_BYTES from byte `start` on, three a number, the first lowest.

    A file that is not there has no length. Returns False where there is no such place or no log. Raises OSError, MemoryError, ImportError.
    """
    shelf = book.shelf
    if shelf is None or start < 0:
        return False
    while not shelf.step():
        pass
    log = shelf.log
    if not log.is_place(place):
        return False
    for n in range(NUMBERS):
        out[at + n] = 0
    some = log.raw(place, start, FILE_BYTES)
    out[at] = log.raw_size
    for n in range(len(some)):
        out[at + 1 + n // _BYTES] |= some[n] << 8 * (n % _BYTES)
    return True
