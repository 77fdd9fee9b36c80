"""docs/journal.md: the trouble memory's rules, the log's format and the flash's wear, with the firmware's own numbers."""

from inletctl.house import use_firmware
from inletctl.journal.flash_wear import (
    CYCLES,
    ERASES_AN_APPEND,
    SESSIONS_A_DAY,
    UNEVEN,
    wear,
)
from inletctl.markdown import table

use_firmware()

from drivers.log_reader import (  # noqa: E402
    PAYLOAD_MAX,
    RECORD_MIN,
    SEGMENT_BYTES,
    SEGMENT_HEAD,
    SEGMENTS,
    VERSION,
)
from journal import memory  # noqa: E402
from journal.book import (  # noqa: E402
    BUDGET,
    BUDGET_AT_START,
    EARN_MS,
    K_BOX,
    K_SESSION,
    KIND_NAMES,
    SETTLE_MS,
)
from journal.frame import FRAME_INTS  # noqa: E402
from journal.opener import PARTS  # noqa: E402

# (appends a session, bytes a session, free blocks of the file system, what that is)
_CASES = (
    (4, 1000, 250, "a quiet session on a Pico (352 blocks) with the firmware on it"),
    (8, 2000, 250, "a session with a few troubles"),
    (8, 2000, 50, "the same on a file system that is nearly full"),
    (20, 8000, 250, "a bad session, black box and all"),
    (20, 8000, 60, "the same on a file system that is nearly full"),
)
_LAYOUT = (
    ("segment", "0", "3", "`OIJ`"),
    ("", "3", "1", "version, %d" % VERSION),
    ("", "4", "4", "number of its first record"),
    ("", "8", "4", "CRC-32 over these 8 bytes"),
    ("record", "0", "1", "`J`"),
    ("", "1", "1", "kind, 1..255"),
    ("", "2", "2", "length of the payload, 0..%d" % PAYLOAD_MAX),
    ("", "4", "4", "number, rising; never 0"),
    ("", "8", "length", "payload"),
    ("", "8 + length", "4", "CRC-32 over all of the record before it"),
)


def journal_page() -> str:
    """Return docs/journal.md."""
    worn = []
    for appends, size, free, what in _CASES:
        cost = wear(appends, size, free)
        worn.append(
            (what, appends, size, free, "%.1f" % cost.erases, "%.2f" % cost.worst, "%d" % cost.years)
        )  # fmt: skip
    slot = 4 * memory.SLOT_INTS
    dump = 4 * memory.DUMP_INTS
    return """# The journal: what the inlet remembers
<!-- Printed by `inletctl docs` from inletctl/journal/docs.py and the firmware's own numbers. Do not edit: change the source and print again. -->

Trouble codes and their meaning: [codes](codes/README.md). Nothing here decides about charging.

## In the loop

`firmware/journal/book.py` composes it: trouble codes, [whose fault](whose-fault.md) a stop was, wear, [contact health](contact-health.md), and the log.

* **Loaded last**, at rest, a step a pass, behind the car's side and the console (`firmware/journal/opener.py`); in this order: %(parts)s. What
  a board has no memory for is named on its console, and the others go on. Whatever fails in it later is told too, and left out until the
  next start: charging does not depend on it.
* **The log's code is loaded while it is written or read** (`firmware/journal/shelf.py`), and forgotten ten seconds later: it takes 8 KB, and what
  is kept is read before the parts are loaded. Room for the files of a write is kept in one piece. A part stays only where 10 KB are left beside
  it, that room and the loader, which takes 3 KB and goes.
* **What fits on a Pico** (emulated RP2040, all of its heap read ten times a second from outside): without CAN all of it, and with native CAN
  and lines too: 20 KB are left, and 10 KB less while the log is open; a record was written. With a communication controller, heater
  and door besides, less. How an object is made (its `__init__`) a board forgets once it is made (`firmware/modules.py`). A heap that is nearly full is in pieces, too: where the log's code finds no room the board says so,
  keeps what it knows until it is switched off, and tries again each hour.
* **Each pass** it hears what was read and decided, after the commands were obeyed; it allocates nothing.
* **Written at rest**, one record a pass, %(settle)d s after a change: trouble codes and black boxes with the plug in too, the rest once it is
  out. Records are counted: at most %(budget)d at once, one more every %(earn)d min (%(records)d a day), and %(start)d after a restart. A record that the flash does
  not take waits an hour, and it says why, once; the others need not wait for it. The permission to drive is held over the time of a write
  (RP2040: at most half a second, of which an erase takes 45 ms typically).
* **Kinds of records**: %(kinds)s.
* **Read by wire**: `inletctl journal show`, `inletctl codes read|clear`; commands `journal`, `journal_file`, `code_clear`, `inspected`
  ([protocol](protocol.md)). On CAN: message `diagnosis` of the native dialect, once a second ([CAN](can.md)).

## Trouble memory

`firmware/journal/memory.py`: %(slots)d slots, one a code. A slot holds how often the code appeared, the session and, where the clock was
set, the local minute of the week of its first and its last appearance, how many sessions charged without it since, and the freeze frame:
%(frame)d numbers of what was read and commanded.

* A code *appears* when its fault, hold or reason comes up; a hold only with a plug in or once it has lasted, where its page says so. It is
  *present* as long as that stands, *stored* afterwards. After a restart nothing is present before it was seen again; what is still there
  then counts as another appearance.
* The frame is from the first appearance in the last session that had one: what comes later in a session is often its consequence.
* Ageing: a session that charged and in which a stored code did not appear is a clean one for it. A self-clearing code is
  forgotten after %(aged)d of them (ten days at four sessions a day). The others stay.
* A person may clear what is not present: self-clearing codes at any time, those that need an unplug with the plug out, latched ones in service
  mode. The answer says why not.
* A full table: the lowest class gives way first (self-clearing, then needs unplug), of these what is not present, of these the one that
  appeared longest ago. What is present gives way only to a higher class. A latched code never does: there are fewer of them than slots, so
  each finds room. An appearance that finds none is counted.
* In a pass in which nothing comes or goes it compares three masks. It allocates nothing.
* Stored as one record: %(head)d bytes and %(slot)d for each slot taken, %(dump)d at most.

## Log on flash

`firmware/drivers/flash_log.py` writes, `log_reader.py` opens, `log_cursor.py` reads one record at a time: none has more than one record (%(payload)d
bytes at most) in memory. %(segments)d files of %(segment)d bytes in `/journal`, `0.log` to `%(last)d.log`, filled one after the other and then in turn; `make flash`
leaves them alone. Low byte first.

%(layout)s
* **Acknowledged is there.** An append goes behind the last record, is read back and only then answers "done". A new segment, and one whose
  end is torn, is written as `new.tmp`, read back and renamed over its place; littlefs renames at once or not at all. A cut leaves the
  record whole or not at all, and every one before it.
* **States outlive their turn.** Each segment begins with the newest record of every kept kind (the trouble memory is one), under new
  numbers. Reading one segment at boot finds them; opening takes one file a step.
* **Damage is left out.** A record whose CRC is wrong is passed over and the next one found by its mark, CRC and number; the next append
  writes the segment anew without it. A file that is no segment, or a later version's, is renamed (`0.log.bad`) and told on the console; the
  inlet goes on. A reader counts what it left out.
* **Answers, not exceptions.** "busy" (not at rest), "full", "broken" (not kept as written, or the flash does not answer), "too long", each with
  a sentence; what was stored before still is, and the next append looks at the flash anew.
* **At rest only.** A flash erase stops the CPU, for 45 ms typically and 400 ms at most (W25Q16JV, sector erase): longer than the dead-man on S2
  waits. The caller says whether nothing is energised and no motor runs; an append costs one or two erases. The watchdog is fed before each
  step of it, so that two erases lie between two feeds at most (`host_tests/test_journal_wear.py`, on a real littlefs): 800 ms at their worst.

`inletctl powercut --what journal` cuts the emulated board's power at random instants of a row of appends and looks at what is there afterwards.
The emulated flash programs at once: cuts in the middle of a program or an erase are made in the tests, on a real littlefs.

## Wear

littlefs writes the last block of a file anew with each append, and its folder's metadata now and then: at most %(cost)s erases an append (measured: 1.08 to
1.13 with a Pico's geometry, `host_tests/test_journal_wear.py`). It spreads them over its free blocks, but not evenly: the block that wears
most is taken as %(uneven)d times the mean (measured: 4 to 8). A block of a Pico's flash stands %(cycles)s cycles (W25Q16JV, by its maker). At %(a_day)d sessions a day:

%(wear)s
`inletctl/journal/flash_wear.py` is the arithmetic. 20 appends in every session on a file system with less than 60 free blocks (240 KB) would wear
it out before 15 years: a caller puts what belongs together into one record, and writes a state only when it has changed.
""" % {
        "parts": ", ".join(PARTS),
        "kinds": ", ".join(
            ["%d %s" % (n, name) for n, name in enumerate(KIND_NAMES) if name]
            + ["%d a part of a black box, %d a plug-in ([both](blackbox.md))" % (K_BOX, K_SESSION)]
        ),
        "settle": SETTLE_MS // 1000,
        "budget": BUDGET,
        "earn": EARN_MS // 60000,
        "records": 24 * 60 * 60000 // EARN_MS,
        "start": BUDGET_AT_START,
        "slots": memory.SLOTS,
        "frame": FRAME_INTS,
        "aged": memory.AGED_SESSIONS,
        "head": 4 * memory.DUMP_HEAD,
        "slot": slot,
        "dump": dump,
        "payload": PAYLOAD_MAX,
        "segments": SEGMENTS,
        "last": SEGMENTS - 1,
        "segment": SEGMENT_BYTES,
        "layout": table(("part", "byte", "bytes", "what"), list(_LAYOUT))
        + "\nA segment's head takes %d bytes, a record %d and its payload.\n"
        % (SEGMENT_HEAD, RECORD_MIN),
        "cost": ERASES_AN_APPEND,
        "uneven": UNEVEN,
        "cycles": f"{CYCLES:,}",
        "a_day": SESSIONS_A_DAY,
        "wear": table(
            (
                "case",
                "appends a session",
                "bytes a session",
                "free blocks",
                "erases a session",
                "of the worst block",
                "years",
            ),
            list(worn),
        ),
    }  # fmt: skip
