"""docs/blackbox.md: what a black box and the session log hold, with the firmware's own tables and numbers."""

from inletctl.house import use_firmware
from inletctl.markdown import table

use_firmware()

from journal import blackbox, box_frame, box_writer, sessions  # noqa: E402


def _groups() -> "list[tuple[object, ...]]":
    names = ["`%s`" % name if not name.startswith("spare") else "0" for name in box_frame.FIELDS]
    return [(n // 8, ", ".join(names[n : n + 8])) for n in range(0, len(names), 8)]


def blackbox_page() -> str:
    """Return docs/blackbox.md."""
    return """# The black box and the session log
<!-- Printed by `inletctl docs` from inletctl/blackbox/docs.py and the firmware's own tables. Do not edit: change the source and print again. -->

What the inlet read and decided before and after a stop, and one line a plug-in. Neither decides anything about charging. Both go
into the log on flash ([journal](journal.md)) at rest, never in a pass, never while a motor runs.

    inletctl blackbox list FILE                     what is in a journal that was downloaded
    inletctl blackbox decode FILE [--csv] [--vcd]   tables and waveforms, into build/blackbox
    inletctl blackbox replay FILE                   would the logic on this computer decide alike?

## When the box records

`firmware/journal/blackbox.py` keeps a ring of %(blocks)d blocks of %(block)d bytes in RAM (a board with less room may have fewer, 4 at least).
A frame is all readings and commands of one pass. One is taken

* in the pass in which the decision changes: session, S2, permission to drive, pilot state, lock state, limiter, a reason, a fault; a current by
  more than %(ma)d mA or to or from 0, the duty by more than 0.1 %% (the console's line says that something has);
* every %(soon)d passes for two seconds after that;
* else every %(seldom)d passes, fewer than one in a hundred, and at once where the sum of the pilot's level, proximity and the lock's feedback moves by
  more than %(level)d mV, or the hottest contact by 3 degrees.

What else was read between two frames is not known.

**Trigger**: a reason that is a malfunction (its stops are counted, docs/shutdown.md) or `internal` that begins with S2 closed; any fault that
begins, but those of the settings; what the journal asks for. Two blocks beside the rest of its own, or %(after)d s, whichever comes first, are
recorded after it; then the box is frozen until it is written. A trouble within that time is in the record. One that comes while the box
is frozen, or that no box is allowed for, is counted and told in the next box (`missed`).

**Wear**: at most %(session)d boxes a plug-in, and a credit: a box costs %(cost)d minutes of run time, %(credit)d at most are kept, which is %(day)d boxes a
day. The credit is stored with the journal's states, so that a board that restarts again and again earns nothing by it. A box of %(blocks)d blocks is
two records, about 3 KB: %(day)d boxes and a session log of four plug-ins are 20 appends and 25 KB a day, less than a third of the appends of the
"bad session" in [journal](journal.md), four times a day. A box is written once: `rearm` forgets it.

## What a replay can judge

The box holds the settings that are stored, and the firmware's name. `replay` makes it into a recording as a computer at the wire would have made
it, and runs it through the logic as `inletctl replay` does. Every pass ends as same, different, or not judged:

* *changed between readings*: frames are apart, and what was between nobody knows; what was heard again and again at both ends (the vehicle,
  a sensor's conversions) is taken as heard between them, since its silence would have been a decision, and so a frame;
* *before both first agreed*: the box begins in the middle of a plug-in;
* *before the record*: a rest, the last try, a latched fault or a slow judgement of temperatures hangs on what the plug-in had seen before
  the first frame. What follows from it is not judged either, so of a plug-in's second box less is known than of its first;
* *no readings*: a part of the box is missing. Both sides of the hole are judged.

Not judged at all: a box whose first part, with the settings, is missing; one of a board that had refused a stored setting. Of the commands, those
that the console tells are compared. Another firmware's box is judged, and the difference of the names told. Exit status 1 where something
is different, 2 where nothing could be judged.

Every scenario of the simulation: `python -m inletctl.blackbox.sim_box`.

## Records

Low byte first. *Number*: 7 bits a byte, lowest first, bit 7 set where more follow. *Growth*: the same, but the first byte has 6 bits, and bit 6 says
that it is negative.

**Black box**, kind %(box_kind)d. A box is a few records, its parts: layout %(layout)d, number of the part, how many there are (a byte each), the tag of the box (two
bytes, of the trigger's tick). The first part goes on with numbers:

%(head)s
`flags`, from bit 0: %(flags)s. Then the firmware's name (length, bytes) and the settings stored (how many, then number and value of each). Behind
that, and in the other parts at once, come blocks of the ring, the oldest first, each behind its length (two bytes). A block is
readable alone. It is frames: ms since the frame before (in the first one the tick), a byte whose bits 0..6 say which groups follow and bit 7 that
this is the trigger's; of each group a byte that says which of its numbers follow, then by how much each has grown, in the first frame from 0.

%(groups)s
Names as in [protocol](protocol.md); `c_` are commands. `flags` has further bits from 25: console_stop, test_lock 1, test_lock -1, service_end.
`c_openings` is how often S2 opened in this plug-in before. `c_states`:

%(states)s
**Session**, kind %(session_kind)d, %(record_bytes)d bytes. Energy is not in it: without a meter nobody knows it. Without a clock the minutes are not told; `clock_differs`: it
was set or jumped on the way, and the time plugged in is by the board's own ticks.

%(record)s
`flags`, from bit 0: %(session_flags)s.

## The file

Text, one JSON object a line (`inletctl/blackbox/file.py`): `{"openinlet_journal":1,"board":"..."}`, then
`{"kind":16,"number":812,"payload":"hex","crc":"hhhhhhhh"}` for each record of the log, of any kind. `crc` is CRC-32 over kind (a byte), number (four) and
payload. A line that is damaged or was changed by hand is left out and told; the rest is read, and the exit status is 1.
""" % {
        "blocks": blackbox.BLOCKS,
        "block": blackbox.BLOCK_BYTES,
        "ma": blackbox._NEAR_MA,
        "soon": blackbox._SOON,
        "seldom": blackbox._SELDOM,
        "level": blackbox._NEAR_MV,
        "after": blackbox._AFTER_MS // 1000,
        "session": blackbox.SESSION_MAX,
        "cost": blackbox.BOX_COSTS_MIN,
        "credit": blackbox.CREDIT_MAX_MIN,
        "day": blackbox.CREDIT_MAX_MIN // blackbox.BOX_COSTS_MIN,
        "box_kind": box_writer.KIND_BOX,
        "layout": box_writer.LAYOUT,
        "head": table(("number", "what"), [("`%s`" % name, what) for name, what in box_writer.HEAD]),
        "flags": ", ".join(box_writer.FLAGS),
        "groups": table(("group", "numbers"), _groups()),
        "states": table(
            ("state", "lowest bit", "bits"),
            [("`%s`" % name, low, bits) for name, low, bits in box_frame.STATES],
        ),
        "session_kind": sessions.KIND_SESSION,
        "record_bytes": sessions.RECORD_BYTES,
        "record": table(
            ("what", "bytes", "meaning"),
            [("`%s`" % name, size, what) for name, size, what in sessions.RECORD],
        ),
        "session_flags": ", ".join(sessions.FLAGS),
    }  # fmt: skip
