"""The car soldered to the emulated board: its CAN bus through a modelled MCP2515, its discrete wires through an MCP23S17.

The plant's own bus decides nothing here. What its nodes send goes onto a bus at bit-time level (can_bus.py), and what
that bus carries is what they hear.
"""

from collections.abc import Mapping
from typing import Any

from inletctl.emu.can_bus import CanBus, Frame, Talker
from inletctl.emu.chip import Chip
from inletctl.emu.mcp23s17 import Mcp23s17
from inletctl.emu.mcp2515 import Mcp2515
from inletctl.emu.spi import Device, EmuSpi
from inletctl.plant.world import World


class _Seat(Talker):
    """One of the plant's nodes on the bus."""

    def __init__(self, node: Any, rate_kbps: int):
        super().__init__(rate_kbps)
        self._node = node

    def sent(self, frame: Frame, t_ns: int) -> None:
        """See Node."""
        super().sent(frame, t_ns)
        self._node.was_sent(frame.id)

    def heard(self, frame: Frame, t_ns: int) -> None:
        """See Node."""
        if not self.is_deaf:
            self._node.hear(frame.id, frame.data)

    def send(self, frame: Frame) -> None:
        """Send once; what waits with the same id is replaced."""
        self._posted = [other for other in self._posted if other.id != frame.id]
        self._posted.append(frame)


class CarSide:
    """Chips, bus and wires of a board file (its JSON) that has them; `tick` every ms and after a reset."""

    def __init__(self, chip: Chip, world: World, board: Mapping[str, Any]):
        self._chip = chip
        self._world = world
        rate_kbps = int(world.config.can_rate[:-1])
        self.bus = CanBus(rate_kbps)
        self.controller: "Mcp2515 | None" = None
        self.expander: "Mcp23s17 | None" = None
        devices: dict[int, Device] = {}
        if "can" in board:
            self.controller = Mcp2515(self.bus, board["can"]["crystal_hz"])
            devices[board["can"]["cs"]] = self.controller
        if "lines" in board:
            self.expander = Mcp23s17()
            devices[board["lines"]["cs"]] = self.expander
        self.spi = EmuSpi(chip, board["spi"]["sck"] >> 3 & 1, devices)
        self.car = self._seat(world.can_car)
        self.others = Talker(rate_kbps)  # whoever else is on the bus
        self.bus.attach(self.others)
        self._seats = {id(world.can_car): self.car}
        world.bus.offer = self._offer  # type: ignore[method-assign]

    def _seat(self, node: Any) -> _Seat:
        seat = _Seat(node, self.bus.rate_kbps)
        self.bus.attach(seat)
        return seat

    def _offer(self, sender: Any, can_id: int, data: bytes) -> None:
        self.bus.advance(self._chip.now_ns)
        seat = self._seats.get(id(sender))
        if seat is None:
            seat = self._seats[id(sender)] = self._seat(sender)
        seat.send(Frame(can_id, data))

    def tick(self) -> None:
        """Bring bus and wires up to now, and let the world have what the expander drives."""
        now_ns = self._chip.now_ns
        self.bus.advance(now_ns)
        world = self._world
        if self.expander is not None:
            self.expander.is_dead = not world.lines.ok
            self.expander.levels = world.lines.inputs
            world.lines.obey(self.expander.outputs(now_ns))
        if self.controller is not None:
            self.controller.is_dead = world.inlet_can.hardware != "ok"
        self.bus.fault = "short" if world.bus.state == "short" else ""
        is_cut = world.bus.state == "break"
        for seat in (*self._seats.values(), self.others):
            seat.is_deaf = is_cut
            seat.is_silent = is_cut
