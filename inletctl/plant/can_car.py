"""The car and its communication controller on the CAN bus: what they send, how it goes wrong, and what they hear.

Every message goes out at its own cycle from a phase of its own, with counter and checksum where its description asks for
them. What the car hears of the inlet is judged as a car would: a status with a wrong checksum is not heard.
"""

from random import Random
from typing import TYPE_CHECKING, Any

from inletctl.can.source import Message
from inletctl.plant.can_codec import COUNTERS, beyond, checksum, decode, encode, messages
from inletctl.plant.clock import Booking, cancel

if TYPE_CHECKING:
    from inletctl.plant.world import World

# The message of each dialect that tells what the inlet does; of several the first on the bus.
_STATUS = ("status", "port", "lim", "inlet")
_PHASE_MS = 7  # between the first frames of two messages
_STALE_MS = 500
_SKIPS = 5
_STRANGER_IDS = (0x600, 0x7EF)
# Longest from the plug in to the next status that says so.
_TOLD_MS = 150
_MAINS_MV = 230_000


class _Stranger:
    """Somebody else on the bus, who hears nothing."""

    def hear(self, can_id: int, data: bytes) -> None:
        """Not interested."""

    def was_sent(self, can_id: int) -> None:
        """Not interested."""

    def not_sent(self) -> None:
        """Not interested."""

    def gave_up(self) -> None:
        """Not interested."""


class CanCar(_Stranger):
    """Verbs are in verbs.VERBS."""

    def __init__(self, world: "World", seed: int):
        self._world = world
        config = world.config
        self._messages = messages(config.can, config.modem)
        self._counters: dict[int, int] = {}
        self._newest: dict[int, bytes] = {}  # sent last, by id
        self._told: dict[str, tuple[Message, bytes]] = {}  # heard last of the inlet, by message
        self._values: dict[str, dict[str, int]] = {}  # the same decoded, as far as asked for
        self._status_us = -1
        self._status_counter = -1
        self._kind = "none"
        self._which = "all"
        self._left = 0  # of a counted fault
        self._fault_end: Booking | None = None
        self._flood_kind = "none"
        self._flood_us = 0
        self._flood_end: Booking | None = None
        self._flood_next: Booking | None = None
        self._random = Random(f"can {seed}")
        self._stranger = _Stranger()
        world.bus.join(self)
        world.bus.join(self._stranger)
        sent = [m for m in self._messages.values() if m.sender != "inlet"]
        for n, message in enumerate(sent):
            world.clock.after_ms(1 + n * _PHASE_MS, self._cycle, message.id)
        inlet = [m.name for m in self._messages.values() if m.sender == "inlet"]
        self._status = next((name for name in _STATUS if name in inlet), "")

    # Sending ----------------------------------------------------------------

    def _cycle(self, can_id: int) -> None:
        """Send one message and book the next."""
        message = self._messages[can_id]
        self._world.clock.after_ms(message.cycle_ms, self._cycle, can_id)
        world = self._world
        is_silent = world.modem.is_silent if message.sender == "modem" else world.vehicle.is_silent
        kind = self._fault_of(message)
        if is_silent or kind == "missing":
            return
        counter = self._counters.get(can_id, -1)
        counter += 0 if kind == "counter_repeat" else _SKIPS if kind == "counter_skip" else 1
        self._counters[can_id] = counter = counter % COUNTERS
        raw = getattr(self, "_say_" + message.name)()
        name = beyond(message) if kind == "value" else ""
        if name:
            raw[name] = -1  # every bit set
        data = encode(message, raw, counter)
        if kind == "checksum" and message.is_protected:
            data = bytes([data[0] ^ 0x55]) + data[1:]
        elif kind == "length":
            data = data[:-1]
        self._newest[can_id] = data
        world.bus.offer(self, can_id, data)

    def _fault_of(self, message: Message) -> str:
        if self._kind == "none" or self._which not in ("all", message.name):
            return "none"
        kind = self._kind
        if self._left:
            self._left -= 1
            if not self._left:
                self._kind = "none"
        return kind

    def _say_control(self) -> dict[str, int]:
        vehicle, gear = self._world.vehicle, self._world.safety.gear
        return {
            "permission": int(vehicle.permits),
            "unlock_request": int(vehicle.wants_unlock),
            "stop_request": int(vehicle.wants_stop),
            "limit_ma": vehicle.limit_ma // 100,
            "gear": 1 if gear == "park" else 2,
            "drive_request": int(gear in ("drive", "reverse")),
        }

    def _say_charger(self) -> dict[str, int]:
        charger = self._world.charger
        return {
            "current_ok": int(charger.tells),
            "volts_ok": 1,
            "current_ma": -int(-charger.load_ma() // 100) if charger.tells else 0,
            "ac_mv": _MAINS_MV // 1000 if charger.has_mains else 0,
        }

    def _say_dc(self) -> dict[str, int]:
        dc = self._world.dc
        state = 1 if dc.told_open else 2
        return {
            "dc_ok": 1,
            "dc_mv": -(-dc.mv // 100),
            "contactor_plus": state,
            "contactor_minus": state,
        }

    def _say_battery(self) -> dict[str, int]:
        world = self._world
        if world.config.can == "i3lim":
            return {
                "battery_ma": 8192,
                "battery_mv": 3600,
                "soc_pct_x10": int(world.battery.soc_pct * 10),
            }
        calendar = world.calendar
        target_pct = world.config.target_pct
        return {
            "soc_ok": 1,
            "target_ok": int(target_pct < 100),
            "clock_ok": int(calendar.is_known),
            "soc_pct": int(world.battery.soc_pct),
            "target_pct": int(target_pct),
            "clock_min": calendar.minute if calendar.is_known else 0,
        }

    def _say_vehicle(self) -> dict[str, int]:
        vehicle = self._world.vehicle
        return {
            "allow": int(vehicle.permits),
            "stop": int(vehicle.wants_stop),
            "soc_pct": int(self._world.battery.soc_pct),
        }

    def _say_charge(self) -> dict[str, int]:
        wants = self._world.vehicle.permits and not self._world.vehicle.wants_stop
        return {"request": int(wants), "charge_state": 2 if wants else 0, "ready": int(wants)}

    def _say_modem(self) -> dict[str, int]:
        modem = self._world.modem
        return {
            "s2_wanted": int(modem.wants_c),
            "toggles": modem.toggles,
            "unlock_permit": int(modem.permits_unlock),
            "stage": _MODEM_STAGES[modem.stage],
            "contactors": 2 if self._world.dc.contactors_closed else 1,
        }

    # Hearing ----------------------------------------------------------------

    def hear(self, can_id: int, data: bytes) -> None:
        """A frame of the inlet, or of a stranger."""
        message = self._messages.get(can_id)
        if message is None or message.sender != "inlet" or len(data) != message.length:
            return
        if message.is_protected and data[0] != checksum(can_id, data):
            self._world.event(f"car refuses {message.name} of the inlet: checksum")
            return
        self._told[message.name] = (message, data)
        self._values.pop(message.name, None)
        if message.name != self._status:
            return
        world = self._world
        if message.is_protected:
            counter = data[1] & 0x0F
            if counter == self._status_counter:
                world.event("car refuses status of the inlet: counter")
                return
            self._status_counter = counter
        self._status_us = world.clock.now_us
        if self.told_drive == "allowed" and world.plugged and world.plugged_ms > _TOLD_MS:
            world.violation("drive_plugged: told on CAN that the car may drive with the plug in")

    @property
    def status_age_ms(self) -> int | None:
        """Since the inlet's status was heard last; None where it never was."""
        return None if self._status_us < 0 else (self._world.t_us - self._status_us) // 1000

    def told(self, name: str, signal: str) -> int | None:
        """Return what the inlet told last, in the unit of the signal; None where it is not fresh."""
        age_ms = self.status_age_ms
        if name not in self._told or age_ms is None or age_ms > _STALE_MS:
            return None
        if name not in self._values:
            message, data = self._told[name]
            raw = decode(message, data)
            self._values[name] = {
                s.name: raw[s.name] * s.scale + s.offset for s in message.signals
            }
        return self._values[name][signal]

    @property
    def told_drive(self) -> str:
        """Return unknown, allowed or inhibited; unknown, too, where nothing fresh was told."""
        drive = self.told("status", "drive") if self._status == "status" else None
        return _DRIVES[drive or 0]

    # Verbs ------------------------------------------------------------------

    def fault(self, kind: str, message: str, count: int, hold: float) -> None:
        """What is sent is wrong in one way."""
        self._kind, self._which, self._left = kind, message, int(count)
        self._world.event(f"car's CAN messages: {kind}")
        cancel(self._fault_end)
        if hold:
            self._fault_end = self._world.clock.after_ms(hold, self.fault, "none", "all", 0, 0)

    def flood(self, kind: str, rate: int, hold: float) -> None:
        """Somebody else sends `rate` frames a second."""
        self._flood_kind = kind
        self._flood_us = round(1e6 / rate)
        self._world.event(f"strange CAN frames: {kind}")
        cancel(self._flood_end)
        cancel(self._flood_next)
        if kind != "none":
            self._book_flood()
            if hold:
                self._flood_end = self._world.clock.after_ms(hold, self.flood, "none", 1, 0)

    def _book_flood(self) -> None:
        clock = self._world.clock
        self._flood_next = clock.at(clock.now_us + self._flood_us, self._send_strange)

    def _send_strange(self) -> None:
        self._book_flood()
        frame = self._strange()
        if frame is not None:
            self._world.bus.offer(self._stranger, *frame)

    def _strange(self) -> tuple[int, bytes] | None:
        if self._flood_kind == "unknown":
            return self._random.randint(*_STRANGER_IDS), self._random.randbytes(8)
        if not self._newest:
            return None
        can_id, data = next(iter(self._newest.items()))
        if self._flood_kind == "checksum":
            data = bytes([data[0] ^ self._random.randint(1, 255)]) + data[1:]
        return can_id, data


_DRIVES = ("unknown", "allowed", "inhibited")
_MODEM_STAGES: dict[str, Any] = {
    "idle": 0,
    "waiting": 2,
    "cable_check": 3,
    "pre_charge": 4,
    "charging": 5,
    "stopping": 6,
    "ended": 7,
}
