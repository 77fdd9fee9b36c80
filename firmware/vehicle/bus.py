"""The vehicle's CAN bus: hear what the chosen dialect says, tell what the inlet does. Decides nothing.

Every frame is judged first: an identifier that nobody listens to is dropped; a wrong length, checksum, counter or range is
refused, counted and told as the hold can_data, and renews no age. docs/can.md has every answer. What has not been heard
within five cycles counts as not said; without a fresh word of the vehicle nothing is permitted.
"""

from micropython import const

from faults import H_CAN_BUS
from vehicle.bus_parts import FRAMES_MAX, UNKNOWN, USED, Frame, Refusals

# States of the controller (drivers/mcp2515.py) in which nothing can be heard or said; asleep nothing has to be.
_CAN_MISSING = const(0)
_CAN_STARTING = const(1)
_CAN_OFF = const(5)

# settings.CAN_DIALECTS
_NATIVE = const(1)
_CPC = const(2)


class CarBus:
    """
    `fill` before the step, `tick` after its commands were obeyed; neither allocates. can.tick is the caller's, before fill.

    settings    `can` names the dialect and is not 0
    can         the CAN port
    modem       vehicle.modem.ModemLink on the same bus, or None: this class hands it its frames
    """

    def __init__(self, settings, can, modem=None):
        self._can = can
        self._modem = modem
        self._frame = Frame()
        self.refusals = Refusals()
        self.heard = False  # a frame was used in this pass
        self.soc_ok = False  # soc_pct is fresh
        self.soc_pct = 0  # state of charge, 0..100
        self.target_ok = False  # target_pct is fresh and set
        self.target_pct = 100  # the vehicle's own target, 0..100
        self.clock_ok = False  # clock_min is fresh and set
        self.clock_min = 0  # local minute of the week, 0 = Monday 0:00
        self._dialect = _open(settings, self.refusals)
        ids = [box.id for box in self._dialect.boxes]
        if modem is not None:
            ids.append(modem.box.id)
        can.listen(tuple(ids))

    def fill(self, now_ms: int, r) -> None:
        """Write the vehicle's word into signals.Readings, and add to its holds."""
        can = self._can
        frame = self._frame
        self.heard = False
        for _ in range(FRAMES_MAX):
            if not can.receive(frame):
                break
            outcome = self._hear(now_ms, frame)
            self.refusals.add(now_ms, outcome)
            if outcome == USED:
                self.heard = True
        dialect = self._dialect
        for box in dialect.boxes:
            box.tick(now_ms)
        holds = dialect.fill(r) | self.refusals.hold(now_ms)
        state = can.state
        if state == _CAN_MISSING or state == _CAN_STARTING or state == _CAN_OFF:
            holds |= H_CAN_BUS
        r.holds |= holds
        self.soc_ok = dialect.soc_ok
        self.soc_pct = dialect.soc_pct
        self.target_ok = dialect.target_ok
        self.target_pct = dialect.target_pct
        self.clock_ok = dialect.clock_ok
        self.clock_min = dialect.clock_min

    def _hear(self, now_ms: int, frame) -> int:
        for box in self._dialect.boxes:
            if box.id == frame.id:
                return box.hear(now_ms, frame)
        modem = self._modem
        if modem is not None and modem.box.id == frame.id:
            return modem.box.hear(now_ms, frame)
        return UNKNOWN

    def tick(self, now_ms: int, r, c) -> None:
        """Send what is due of `r` (signals.Readings) and `c` (signals.Commands)."""
        self._dialect.tick(now_ms, r, c, self._can)


def _open(settings, refusals):
    """Return the dialect these settings choose; only its files are loaded."""
    if settings.can == _NATIVE:
        from vehicle.bus_native import NativeBus

        return NativeBus(settings, refusals)
    if settings.can == _CPC:
        from vehicle.bus_cpc import CpcBus

        return CpcBus(settings)
    from vehicle.bus_i3lim import I3LimBus

    return I3LimBus(settings)
