"""A CAN bus at bit-time level: arbitration by id, the length of each frame with its stuff bits, errors, and nodes.

Nothing runs by itself: `advance(now_ns)` plays what has happened since the last call, in order. Times in ns.
Frame lengths and error rules: ISO 11898-1 (as in the MCP2515's datasheet, DS20001801, 2 and 6).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, Protocol

# Behind the stuffed part: CRC delimiter, acknowledge and its delimiter, end of frame, intermission.
INTERMISSION_BITS = 3
_TAIL_BITS = 1 + 2 + 7 + INTERMISSION_BITS
# A frame that fails: error flag and delimiter behind what was sent.
_ERROR_BITS = 6 + 8
_BIT_ERROR_AT = 2  # bits sent before a shorted bus shows
# What lets a node in, or back in after bus-off.
QUIET_BITS = 11
FAR_NS = 1 << 62


class Frame(NamedTuple):
    """A frame. `data` may be shorter than a remote frame's length."""

    id: int
    data: bytes = b""
    is_extended: bool = False
    is_remote: bool = False

    @property
    def rank(self) -> int:
        """Arbitration: the lowest wins. A standard frame wins over an extended one with the same first bits."""
        if self.is_extended:
            return self.id >> 18 << 21 | 3 << 19 | (self.id & 0x3FFFF) << 1 | self.is_remote
        return self.id << 21 | self.is_remote << 20


class Node(Protocol):
    """Something on the bus."""

    @property
    def rate_kbps(self) -> int:
        """Return the bit rate it is set to; 0: not on the bus."""
        ...

    def offer(self, t_ns: int) -> "Frame | None":
        """Return what it wants to send at `t_ns`, the most urgent one."""

    def due_ns(self, t_ns: int) -> int:
        """Return when it will next want to send, FAR_NS where only something new could make it."""
        ...

    def began(self, frame: Frame) -> None:
        """The frame it offered has won the bus and is under way."""

    def sent(self, frame: Frame, t_ns: int) -> None:
        """The frame it offered is over, acknowledged."""

    def failed(self, frame: Frame, t_ns: int, is_unheard: bool) -> None:
        """The frame it offered failed: nobody acknowledged it, or its bits were not on the bus."""

    def heard(self, frame: Frame, t_ns: int) -> None:
        """Another's frame is over."""

    def disturbed(self, t_ns: int) -> None:
        """Another's frame failed."""

    def acknowledges(self) -> bool:
        """Tell whether it would acknowledge a frame now."""
        ...


@lru_cache(maxsize=4096)
def frame_bits(frame: Frame) -> int:
    """Return the frame's length in bits with stuff bits and the intermission behind it."""
    length = len(frame.data)
    if frame.is_extended:
        head = "0%s11%s%d00" % (
            format(frame.id >> 18, "011b"), format(frame.id & 0x3FFFF, "018b"), frame.is_remote,
        )  # fmt: skip
    else:
        head = "0%s%d00" % (format(frame.id, "011b"), frame.is_remote)
    body = "" if frame.is_remote else "".join(format(byte, "08b") for byte in frame.data)
    bits = head + format(length, "04b") + body
    crc = 0
    for bit in bits:
        out = (crc >> 14 & 1) ^ (bit == "1")
        crc = crc << 1 & 0x7FFF
        if out:
            crc ^= 0x4599
    bits += format(crc, "015b")
    stuffed, run, last = 0, 0, ""
    for bit in bits:
        run = run + 1 if bit == last else 1
        last = bit
        if run == 5:
            stuffed += 1
            # The stuff bit is the first of the next run.
            last, run = "1" if bit == "0" else "0", 1
    return len(bits) + stuffed + _TAIL_BITS


class CanBus:
    """The wire and its nodes. `fault`: "" sound, "short" (every bit recessive), "dominant" (held), set by its owner."""

    def __init__(self, rate_kbps: int = 500):
        self.rate_kbps = rate_kbps
        self.bit_ns = 1_000_000 // rate_kbps
        self.fault = ""
        self.nodes: list[Node] = []
        self.on_frame: "Callable[[int, Frame, Node], None] | None" = (
            None  # (end ns, frame, sender)
        )
        self.busy_ns = 0  # time taken by frames, good or bad
        self.frames = 0
        self._t_ns = 0  # played up to here; idle from here on, unless a frame is under way
        self._frame: "tuple[Node, Frame, int, int, str] | None" = (
            None  # with start, end, how it ends
        )

    def attach(self, node: Node) -> None:
        """Join a node."""
        self.nodes.append(node)

    @property
    def idle_ns(self) -> int:
        """When the bus is or was last free for a new frame."""
        return self._frame[3] if self._frame is not None else self._t_ns

    def advance(self, now_ns: int) -> None:
        """Play up to `now_ns`: every frame that has ended by then is told."""
        while True:
            if self._frame is not None:
                if self._frame[3] > now_ns:
                    return
                self._end()
            if self._t_ns >= now_ns or not self._begin(now_ns):
                return

    def _begin(self, now_ns: int) -> bool:
        """Let the next frame begin before `now_ns`; False: none does."""
        t_ns = self._t_ns
        if self.fault == "dominant":
            self._t_ns = now_ns
            return False
        offers = []
        for node in self.nodes:
            if node.rate_kbps:
                frame = node.offer(t_ns)
                if frame is not None:
                    offers.append((frame.rank, len(offers), node, frame))
        if not offers:
            due_ns = min([FAR_NS, *(node.due_ns(t_ns) for node in self.nodes if node.rate_kbps)])
            self._t_ns = min(max(due_ns, t_ns + 1), now_ns)
            return self._t_ns < now_ns
        _rank, _n, node, frame = min(offers)
        bits, end = frame_bits(frame) - INTERMISSION_BITS, ""
        if self.fault == "short" or node.rate_kbps != self.rate_kbps:
            bits, end = _BIT_ERROR_AT + _ERROR_BITS, "bits"
        elif not any(
            other is not node and other.rate_kbps == self.rate_kbps and other.acknowledges()
            for other in self.nodes
        ):
            # Up to the acknowledge.
            bits, end = bits - 8 + _ERROR_BITS, "unheard"
        self._frame = (node, frame, t_ns, t_ns + bits * self.bit_ns, end)
        node.began(frame)
        return True

    def _end(self) -> None:
        assert self._frame is not None
        node, frame, start_ns, end_ns, how = self._frame
        self._frame = None
        self._t_ns = end_ns + INTERMISSION_BITS * self.bit_ns
        self.busy_ns += self._t_ns - start_ns
        if how:
            node.failed(frame, end_ns, how == "unheard")
        else:
            self.frames += 1
            node.sent(frame, end_ns)
        for other in list(self.nodes):
            if other is not node and other.rate_kbps:
                if how or other.rate_kbps != self.rate_kbps:
                    other.disturbed(end_ns)
                else:
                    other.heard(frame, end_ns)
        if self.on_frame is not None and not how:
            self.on_frame(end_ns, frame, node)


class Talker:
    """A node of the host's: sends each frame of `cycles` every so many ns, and `post`ed ones; keeps what it hears.

    `flood`: what it sends whenever the bus is free, in turn. `answer(frame, t_ns)` may return a frame to send at once.
    """

    def __init__(self, rate_kbps: int = 500):
        self.rate_kbps = rate_kbps
        self.flood: list[Frame] = []
        self.heard_frames: list[tuple[int, Frame]] = []
        self.sent_frames: list[tuple[int, Frame]] = []
        self.answer: "Callable[[Frame, int], Frame | None] | None" = None
        self.is_silent = False  # sends nothing
        self.is_deaf = False  # hears and acknowledges nothing
        self.failures = 0
        self._cycles: list[list] = []  # next time, period, a frame or what makes one
        self._posted: list[Frame] = []
        self._next_of_flood = 0
        self._offered: "list | None" = None

    def every(
        self, period_ns: int, make: "Frame | Callable[[int], Frame]", first_ns: int = 0
    ) -> None:
        """Send `make`, a frame or what makes one at its time, from `first_ns` on."""
        self._cycles.append([first_ns, period_ns, make])

    def post(self, frame: Frame) -> None:
        """Send once, as soon as may be."""
        self._posted.append(frame)

    def offer(self, t_ns: int) -> "Frame | None":
        """See Node."""
        self._offered = None
        if self.is_silent:
            for cycle in self._cycles:
                while cycle[0] <= t_ns:
                    cycle[0] += cycle[1]
            return None
        best: "Frame | None" = min(self._posted, default=None, key=lambda frame: frame.rank)
        for cycle in self._cycles:
            if cycle[0] <= t_ns:
                made = cycle[2] if isinstance(cycle[2], Frame) else cycle[2](t_ns)
                if best is None or made.rank < best.rank:
                    best, self._offered = made, cycle
        if best is None and self.flood:
            best = self.flood[self._next_of_flood % len(self.flood)]
        return best

    def due_ns(self, t_ns: int) -> int:
        """See Node."""
        if not self.is_silent and (self._posted or self.flood):
            return t_ns
        return min([FAR_NS, *(cycle[0] for cycle in self._cycles)])

    def began(self, frame: Frame) -> None:
        """See Node."""

    def sent(self, frame: Frame, t_ns: int) -> None:
        """See Node."""
        self.sent_frames.append((t_ns, frame))
        if self._offered is not None:
            self._offered[0] += self._offered[1]
        elif frame in self._posted:
            self._posted.remove(frame)
        else:
            self._next_of_flood += 1

    def failed(self, frame: Frame, t_ns: int, is_unheard: bool) -> None:
        """See Node."""
        self.failures += 1

    def heard(self, frame: Frame, t_ns: int) -> None:
        """See Node."""
        if self.is_deaf:
            return
        self.heard_frames.append((t_ns, frame))
        if self.answer is not None:
            made = self.answer(frame, t_ns)
            if made is not None:
                self._posted.append(made)

    def disturbed(self, t_ns: int) -> None:
        """See Node."""

    def acknowledges(self) -> bool:
        """See Node."""
        return not self.is_deaf
