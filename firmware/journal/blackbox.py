"""The black box: what was read and commanded before and after a stop or trouble, in a ring in RAM. Decides nothing.

Frames. One is taken in the pass in which the decision changes (session, S2, pilot, lock, who limits, a reason, a fault, a
current), then every 10 passes for two seconds; else every 128 passes, fewer than one in a hundred, which the p99 of all passes
does not see, and at once where the pilot's level, proximity, the lock's feedback or the hottest contact moves. It is copied whole in its pass, so
that all of it is of one pass, and packed a few numbers a pass in those that follow. Changes come in rows (an edge, what is decided by it,
what the lock says to that): the frames behind it wait.

Ring. Blocks of equal size that are each readable alone: the first frame of one holds every number, those behind it what has
changed. The oldest block gives way. From a trigger on so many blocks or so many seconds are still recorded, then the box is
FULL and frozen until `rearm`; triggers meanwhile are counted in `missed`. journal/box_writer.py makes it into records at rest.

Layout of a block, which inletctl/blackbox/payload.py reads. A frame: ms since the one before it (the tick, in the first of a block);
a byte whose bits 0..6 say which groups of eight numbers follow, bit 7 that this frame is the trigger's; of each group a byte
that says which numbers follow, then by how much each has grown. A number is 7 bits a byte, lowest first, bit 7 set where more
follow; in the first byte of a growth bit 6 is its sign. FIELDS and STATES of journal/box_frame.py
name them.
"""

from array import array

from micropython import const

from faults import (
    F_SETTINGS,
    F_SETTINGS_REFUSED,
    FAULTS,
    INTERNAL,
    ROW_COUNTED,
    SHUTDOWN,
)
from journal.box_frame import copy, states_of
from ticks import ticks_diff

# What the box is doing.
RECORDING = const(0)
AFTER = const(1)  # triggered; what follows is recorded
FULL = const(2)  # frozen: to be written, then rearmed

BLOCK_BYTES = const(512)
BLOCKS = const(6)
# Of these so many are for what follows the trigger: two, beside what is left of the one it is in.
_AFTER_BLOCKS = const(2)
_AFTER_MS = const(10000)

# Passes between two frames: soon after a change, for so many passes, and else. Fewer than one in a hundred.
_SOON = const(10)
_STIRRED = const(200)
_SELDOM = const(128)

# Less than this is no change: the console's own bounds for currents and duty (vehicle/console.py).
_NEAR_MA = const(100)
_NEAR_PCT_X100 = const(10)
# The sum of pilot level, proximity, lock feedback and hottest contact (10 mV for 0.1 degree: 3 degrees are as much as 300 mV) may
# tremble by this; the states of each are further apart. One sum costs half of what four comparisons do.
_NEAR_MV = const(300)
_DECIC_MV = const(10)
NEAR_DECIC = _NEAR_MV // _DECIC_MV

# Flash wear. A box of BLOCKS is two records, 3 KB; eight a day, every day, are a third of the appends that docs/journal.md counts
# years for ("bad session"). Two a session are the first trouble and one that is not its consequence.
SESSION_MAX = const(2)
BOX_COSTS_MIN = const(180)
CREDIT_MAX_MIN = const(1440)
_MINUTE_MS = const(60000)
_COUNT_MAX = const(60000)

# Sessions, as in interlock.SESSION_NAMES.
_UNPLUGGED = const(0)

# Faults that begin are trouble, but for those that stand from the boot on and say all by themselves.
_TROUBLES = ((1 << len(FAULTS)) - 1) & ~(F_SETTINGS | F_SETTINGS_REFUSED)


def _malfunctions() -> int:
    mask = INTERNAL
    for n in range(len(SHUTDOWN)):
        if SHUTDOWN[n][ROW_COUNTED]:
            mask |= 1 << n
    return mask


# Reasons that are a malfunction where they begin with S2 closed.
_STOPS = _malfunctions()

# The numbers of a frame, eight a group (journal/box_frame.py).
_GROUPS = const(7)
_GROUP = const(8)
# The frame that is packed, and so many that may wait: four passes in a row is what a session has.
_FRAMES = const(4)
# Bytes that a frame's head and a group may take.
_HEAD_BYTES = const(6)
_GROUP_BYTES = const(41)
_TRIGGER = const(128)


class BlackBox:
    """Call `tick` at the end of each pass. Allocates nothing after construction.

    blocks   of BLOCK_BYTES each: 4 at least
    """

    def __init__(self, blocks: int = BLOCKS):
        self.ring = bytearray(blocks * BLOCK_BYTES)
        self.used = array("i", [0] * blocks)  # bytes of each that hold whole frames
        self.block = 0  # that is written; the one behind it is the oldest
        self.state = RECORDING
        # The trigger; stands from AFTER on.
        self.trigger_ms = 0
        self.trigger_reasons = 0  # that began
        self.trigger_faults = 0
        self.trigger_cause = 0  # what the caller gave, 0 where it was none of its
        self.missed = (
            0  # triggers since the last box that found this one frozen, or no box allowed
        )
        self.is_from_boot = True  # the oldest frame is that of the first pass
        self.credit_min = CREDIT_MAX_MIN  # a box costs BOX_COSTS_MIN, a minute earns 1
        self._boxes = 0  # since the plug went in last
        self._is_out = True  # nothing is plugged in
        self._asked = 0  # trigger_now's cause, until the next pass
        self._after_blocks = 0
        self._credit_ms = 0  # towards the next minute
        self._openings = 0
        # The pass of the newest frame: what was decided, and between what it may tremble.
        self._number = -1
        self._states = -1
        self._reasons = 0
        self._faults = 0
        self._charger_low = self._charger_high = 0
        self._offered_low = self._offered_high = 0
        self._permitted_low = self._permitted_high = 0
        self._duty_low = self._duty_high = 0
        self._level_low = self._level_high = 0
        self._had_s2 = False
        # The frame that is packed and those that wait, in turn; their ticks; the one before it as far as it is packed over.
        self._frames = tuple([_frame() for _ in range(_FRAMES)])
        self._ticks = array("i", [0] * _FRAMES)
        self._first = 0  # the one that is packed
        self._waiting = 0  # those behind it
        self._was = _frame()
        self._packed_ms = 0  # tick of the frame before it in this block
        self._mask_at = 0
        self._at = 0
        self._end = BLOCK_BYTES
        self._mask = 0
        self._group = _GROUPS  # that is packed next
        self._wait = 0  # passes to the next frame
        self._stirred = 0  # passes for which frames are close

    # ------------------------------------------------------------------------------------ each pass

    def tick(self, now_ms: int, r, c, number: int) -> None:
        """Look at one pass: `r` as sampled, `c` as decided.

        number   grows with every change of the commands that the console tells, and now and then (vehicle.console.Report)
        """
        if (number != self._number and self._is_changed(number, c)) or (
            # Not while frames are close anyway: noise would fill the ring.
            self._stirred <= 0
            and not self._level_low
            <= r.cp_high_mv + r.pp_mv + r.lock_feedback_mv + c.hottest_decic * _DECIC_MV
            <= self._level_high
        ):
            self._change(now_ms, r, c)
            return
        self._wait -= 1
        if self._group < _GROUPS:
            self._pack()
        elif self._waiting:
            self._start_next()
        elif self._wait <= 0:
            self._rest(now_ms, r, c)

    def trigger_now(self, cause: int) -> None:
        """Let the next pass be a trigger, for a reason of the caller's: 1..65535, which the box tells."""
        self._asked = cause
        # Nothing is like this: the next pass has changed.
        self._states = self._number = -1

    def _is_changed(self, number: int, c) -> bool:
        """Return whether more than a tremble has changed since the newest frame, or a trigger is asked for."""
        self._number = number
        return (
            states_of(c) != self._states
            or c.reasons != self._reasons
            or c.faults != self._faults
            or not self._charger_low <= c.charger_ma <= self._charger_high
            or not self._offered_low <= c.offered_ma <= self._offered_high
            or not self._permitted_low <= c.permitted_ma <= self._permitted_high
            or not self._duty_low <= c.duty_pct_x100 <= self._duty_high
        )

    def _rest(self, now_ms: int, r, c) -> None:
        """Take the frame that is due though nothing has changed."""
        self._earn(now_ms)
        self._stirred -= _SOON
        self._wait = _SOON if self._stirred > 0 else _SELDOM
        if self.state == FULL:
            return
        if self.state == AFTER and ticks_diff(now_ms, self.trigger_ms) >= _AFTER_MS:
            self.state = FULL
            return
        self._take(now_ms, r, c)

    def _change(self, now_ms: int, r, c) -> None:
        """Take a frame of a pass in which something has changed, and see whether that is trouble."""
        self._earn(now_ms)
        has_s2 = c.s2_close
        begun = c.reasons & ~self._reasons & _STOPS if self._had_s2 else 0
        broken = c.faults & ~self._faults & _TROUBLES
        if c.session == _UNPLUGGED:
            self._openings = 0
            self._is_out = True
        else:
            if self._is_out:
                self._is_out = False
                self._boxes = 0
            if self._had_s2 and not has_s2 and self._openings < _COUNT_MAX:
                self._openings += 1
        self._had_s2 = has_s2
        if begun or broken or self._asked:
            self._trigger(now_ms, begun, broken)
            self._asked = 0
        self._wait = _SOON
        self._stirred = _STIRRED
        if self.state == FULL:
            self._remember(r, c)
        else:
            self._take(now_ms, r, c)

    def _trigger(self, now_ms: int, reasons: int, faults: int) -> None:
        """Begin to record what follows, unless that goes on already or is not allowed."""
        if self.state == AFTER:
            return
        if self.state == FULL or self.credit_min < BOX_COSTS_MIN or self._boxes >= SESSION_MAX:
            if self.missed < _COUNT_MAX:
                self.missed += 1
            return
        self.state = AFTER
        self._boxes += 1
        self.credit_min -= BOX_COSTS_MIN
        self.trigger_ms = now_ms
        self.trigger_reasons = reasons
        self.trigger_faults = faults
        self.trigger_cause = self._asked
        self._after_blocks = _AFTER_BLOCKS

    def _earn(self, now_ms: int) -> None:
        """Count the minutes that earn a box. Called every few seconds at least."""
        gone_ms = ticks_diff(now_ms, self._credit_ms)
        if gone_ms >= _MINUTE_MS or gone_ms < 0:
            # At most one a call: what a loop that stood still has missed is not made up for.
            self._credit_ms = now_ms
            if gone_ms > 0 and self.credit_min < CREDIT_MAX_MIN:
                self.credit_min += 1

    def _remember(self, r, c) -> None:
        """Keep what the next passes are compared with."""
        self._states = states_of(c)
        self._reasons = c.reasons
        self._faults = c.faults
        ma = c.charger_ma
        # 0 is only ever 0.
        self._charger_low = ma - _NEAR_MA if ma > _NEAR_MA else (1 if ma else 0)
        self._charger_high = ma + _NEAR_MA if ma else 0
        ma = c.offered_ma
        self._offered_low = ma - _NEAR_MA if ma > _NEAR_MA else (1 if ma else 0)
        self._offered_high = ma + _NEAR_MA if ma else 0
        ma = c.permitted_ma
        self._permitted_low = ma - _NEAR_MA if ma > _NEAR_MA else (1 if ma else 0)
        self._permitted_high = ma + _NEAR_MA if ma else 0
        duty = c.duty_pct_x100
        self._duty_low = duty - _NEAR_PCT_X100 if duty > _NEAR_PCT_X100 else (1 if duty else 0)
        self._duty_high = duty + _NEAR_PCT_X100 if duty else 0
        mv = r.cp_high_mv + r.pp_mv + r.lock_feedback_mv + c.hottest_decic * _DECIC_MV
        self._level_low = mv - _NEAR_MV
        self._level_high = mv + _NEAR_MV

    # ------------------------------------------------------------------------------------ a frame

    def _take(self, now_ms: int, r, c) -> None:
        """Copy a frame, which waits while one is packed; where no room is left for that, the first is packed to its end."""
        if self._waiting == _FRAMES - 1:
            while self._group < _GROUPS:
                self._pack()
            if self._waiting:
                self._start_next()
            if self.state == FULL:
                return
        self._remember(r, c)
        is_idle = self._group == _GROUPS and not self._waiting
        if not is_idle:
            self._waiting += 1
        at = (self._first + self._waiting) % _FRAMES
        copy(self._frames[at], r, c, self._states, self._openings)
        self._ticks[at] = now_ms
        if is_idle:
            self._start()

    def _start_next(self) -> None:
        self._first = (self._first + 1) % _FRAMES
        self._waiting -= 1
        self._start()

    def _start(self) -> None:
        """Begin to pack the first of the frames."""
        frame_ms = self._ticks[self._first]
        self._mask = _TRIGGER if self.state == AFTER and frame_ms == self.trigger_ms else 0
        if self._at == 0 or self._at + _HEAD_BYTES > self._end:
            self._next_block()
        else:
            self._begin(ticks_diff(frame_ms, self._packed_ms) & 0x3FFFFFFF)

    def _begin(self, ms: int) -> None:
        """Write the head of the frame: `ms` is its tick, or the time since the one before it."""
        at = self._at
        ring = self.ring
        while ms > 127:
            ring[at] = ms & 127 | 128
            ms >>= 7
            at += 1
        ring[at] = ms
        self._mask_at = at + 1
        self._at = at + 2
        self._group = 0

    def _next_block(self) -> None:
        """Begin the frame, whole, in the next block, which gives up what it holds; or freeze, where what follows has its share."""
        if self._at:
            if self.state == AFTER:
                if self._after_blocks == 0:
                    # This frame is given up, it is whole nowhere, and what waits behind it.
                    self.state = FULL
                    self._group = _GROUPS
                    self._waiting = 0
                    return
                self._after_blocks -= 1
            self.block = (self.block + 1) % len(self.used)
            if self.used[self.block]:
                self.is_from_boot = False
        self.used[self.block] = 0
        self._at = self.block * BLOCK_BYTES
        self._end = self._at + BLOCK_BYTES
        for n in range(_GROUPS):
            was = self._was[n]
            for m in range(_GROUP):
                was[m] = 0
        self._mask &= _TRIGGER
        self._begin(self._ticks[self._first])

    def _pack(self) -> None:
        """Pack the next group that has changed; behind the last one the frame counts."""
        group = self._group
        now = self._frames[self._first]
        while group < _GROUPS and now[group] == self._was[group]:
            group += 1
        if group < _GROUPS:
            if self._at + _GROUP_BYTES > self._end:
                # Anew in the next block; there it has room.
                self._next_block()
                return
            self._mask |= 1 << group
            self._pack_group(now[group], self._was[group])
            group += 1
        self._group = group
        if group == _GROUPS:
            self.ring[self._mask_at] = self._mask
            self._packed_ms = self._ticks[self._first]
            self.used[self.block] = self._at - self.block * BLOCK_BYTES

    def _pack_group(self, now, was) -> None:
        ring = self.ring
        mask_at = self._at
        at = mask_at + 1
        mask = 0
        for n in range(_GROUP):
            # Both below 2**30 and never of opposite signs where large: a small int.
            more = now[n] - was[n]
            if more:
                was[n] = now[n]
                mask |= 1 << n
                sign = 0
                if more < 0:
                    more = -more
                    sign = 64
                if more < 64:
                    ring[at] = more | sign
                else:
                    ring[at] = more & 63 | sign | 128
                    more >>= 6
                    at += 1
                    while more > 127:
                        ring[at] = more & 127 | 128
                        more >>= 7
                        at += 1
                    ring[at] = more
                at += 1
        ring[mask_at] = mask
        self._at = at

    # ------------------------------------------------------------------------------------ at rest

    def rearm(self) -> None:
        """The box is written, or is not wanted: record anew. What it held is gone."""
        for n in range(len(self.used)):
            self.used[n] = 0
        self.block = 0
        self._at = 0
        self._group = _GROUPS
        self._waiting = 0
        self.is_from_boot = False
        self.state = RECORDING
        self.missed = 0
        self.trigger_reasons = self.trigger_faults = self.trigger_cause = 0
        # The next pass is the first frame.
        self._states = self._number = -1
        self._wait = 0

    def restore(self, credit_min: int) -> None:
        """Take back `credit_min` as it was stored: a board that restarts again and again earns nothing by it."""
        self.credit_min = credit_min if 0 <= credit_min <= CREDIT_MAX_MIN else 0


def _frame() -> tuple:
    """Return room for the numbers of a frame."""
    zeros = bytes(4 * _GROUP)
    return tuple([array("i", zeros) for _ in range(_GROUPS)])
