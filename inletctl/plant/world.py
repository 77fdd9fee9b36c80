"""The virtual inlet as one object: what happens, what is measured, what obeys, and the truth for the recorder."""

from typing import Any

from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.plant.battery import Battery, Calendar
from inletctl.plant.bus import Bus, InletCan
from inletctl.plant.can_car import CanCar
from inletctl.plant.charger import Charger
from inletctl.plant.clock import Clock
from inletctl.plant.config import PlantConfig
from inletctl.plant.contacts import Contacts
from inletctl.plant.dc import Dc
from inletctl.plant.evse import Evse
from inletctl.plant.lines import Lines
from inletctl.plant.lock import Lock
from inletctl.plant.modem import Modem
from inletctl.plant.person import Person
from inletctl.plant.pilot import Pilot
from inletctl.plant.port import Door, Port
from inletctl.plant.port_records import PortRecords
from inletctl.plant.proximity import Proximity
from inletctl.plant.safety import Safety
from inletctl.plant.spec import REQUIRED
from inletctl.plant.vehicle import Vehicle
from inletctl.plant.verbs import VERBS

use_firmware()

from drivers.virtual_layout import CAR_IN, CAR_OUT  # noqa: E402

_LINES_OUT = CAR_OUT.index("lines_outputs")
_LINES_IN = CAR_IN.index("lines_ok")


class World:
    """
    Everything outside the controller, deterministic for a config and a seed, picklable at any moment.

    Each pass: `advance` to its time (verbs in between with `do` at their own microsecond), `sample`, the step,
    `apply`. Calls are a few ms apart; every change keeps its own microsecond whatever the pass does.
    """

    def __init__(self, config: PlantConfig, seed: int = 0):
        self.config = config
        self.seed = seed
        self.t_us = 0
        self.events: list[tuple[int, str]] = []  # (t_us, what happened)
        # Everything that must never be seen of the inlet; codes in evse_watch.py, lock.py and safety.py.
        self.violations: list[str] = []
        # The truth for the recorder, kept by those who know it.
        self.evse_state = "A"  # evse.EVSE_STATE_NAMES
        self.evse_duty_pct_x100 = 10_000  # sent, 0.01 %; 10000 steady high, 0 none
        self.contactor_closed = False
        self.plugged = False  # fully
        self.plugged_us = 0  # since when, while plugged
        self.clock = Clock()
        self._temp_rail_mv = round(config.temp_rail_mv)
        self.person = Person(self, seed)
        self.vehicle = Vehicle(self)
        self.safety = Safety(self)
        self.dc = Dc(self)
        self.port = Port(self)
        self.door = Door(self)
        self.lines = Lines(self)
        self.modem = Modem(self)
        self.port_records = PortRecords(self)
        self.calendar = Calendar(self)
        self.charger = Charger(self)
        self.proximity = Proximity(self, seed)
        self.pilot = Pilot(self, seed)
        self.evse = Evse(self)
        self.lock = Lock(self)
        self.contacts = Contacts(self, seed)
        self.battery = Battery(self)
        self.bus = Bus(self, seed)
        self.inlet_can = InletCan(self)
        self.can_car = CanCar(self, seed)
        if config.start_plugged:
            self.person.start_plugged()

    # Time and verbs ---------------------------------------------------------

    def advance(self, t_us: int) -> None:
        """Run the physics up to `t_us`, not before now."""
        clock = self.clock
        while clock.due_us <= t_us:
            self._move(clock.due_us)
            clock.run_next()
        self._move(t_us)

    def _move(self, t_us: int) -> None:
        self.t_us = self.clock.now_us = t_us
        if self.charger.is_ramping:
            self.charger.run(t_us)
        if self.lock.drive_told:
            self.lock.run(t_us)

    def do(self, verb: str, **args: Any) -> str | None:
        """
        Let `verb` happen now; return why it failed, if it did, such as an unplug that the lock holds.

        Arguments as VERBS names them, in canonical units; wrong ones raise UserError.
        """
        if verb not in VERBS:
            raise UserError(f"unknown verb {verb!r}.")
        method, specs, _help = VERBS[verb]
        for name in args:
            if name not in specs:
                raise UserError(f"{verb} has no argument {name!r}.")
        values = {}
        for name, spec in specs.items():
            value = args.get(name, spec.default)
            if value is REQUIRED:
                raise UserError(f"{verb} needs {name}: {spec.allowed()}.")
            problem = "" if value is None and spec.default is None else spec.problem(value)
            if problem:
                raise UserError(f"{verb} {name}={value}: {name} {problem}.")
            values[name] = value
        part, _, action = method.partition(".")
        return getattr(getattr(self, part), action)(**values)

    def event(self, text: str) -> None:
        """Note that something happened now."""
        self.events.append((self.t_us, text))

    def violation(self, text: str) -> None:
        """Note that something happened now that must never happen."""
        self.violations.append(f"{text} at {self.t_us / 1e6:.3f} s")
        self.event(f"violation: {text}")

    # Controller -------------------------------------------------------------

    def sample(self, readings: Any) -> None:
        """Fill a signals.Readings with what the board would measure now."""
        self.pilot.sample(readings)
        proximity = self.proximity
        readings.pp_ok = proximity.is_measured
        readings.pp_mv = proximity.mv
        readings.pp_rail_mv = proximity.rail_mv
        self.contacts.sample(readings)
        readings.temp_rail_mv = self._temp_rail_mv
        lock = self.lock
        readings.lock_feedback_ok = lock.has_feedback
        readings.lock_feedback_mv = lock.feedback_mv
        readings.lock_motor_ma = lock.motor_ma
        self.vehicle.sample(readings)
        self.charger.sample(readings)
        person = self.person
        readings.stop_request = person.wants_stop
        readings.unlock_request = person.wants_unlock
        self.port_records.sample(readings)

    def apply(self, commands: Any) -> None:
        """Let a signals.Commands take effect now."""
        if commands.s2_close != self.pilot.s2_told:
            self.pilot.set_s2(commands.s2_close)
            if not commands.s2_close and self.charger.load_ma() > 1000:
                self.event(f"S2 opens at {self.charger.ma / 1000:.1f} A")
            self.safety.told_s2(commands.s2_close)
        if commands.charger_ma != self.charger.told_ma:
            self.charger.command(commands.charger_ma)
        if commands.lock_drive != self.lock.drive_told:
            self.lock.drive(commands.lock_drive)
        if commands.drive_allowed != self.safety.drive_allowed:
            self.safety.told_drive(commands.drive_allowed)

    def hear_board(self, out: Any, at: int) -> list[tuple[int, bytes]]:
        """Let what the board wrote to CAN and lines (layout CAR_OUT) take effect; return the frames it sends now."""
        self.lines.obey(out[at + _LINES_OUT])
        return self.inlet_can.take(out, at)

    def board_dark(self) -> None:
        """The board is off or boots: its lines are not driven, its CAN controller is set up anew."""
        self.lines.obey(0)
        self.inlet_can.boot()

    def tell_board(self, rx: Any, at: int) -> None:
        """Fill what the board reads of CAN and lines (layout CAR_IN)."""
        self.inlet_can.tell(rx, at)
        self.lines.tell(rx, at + _LINES_IN)

    # Truth ------------------------------------------------------------------

    @property
    def charger_ma(self) -> int:
        """Current really drawn per phase, mA."""
        return int(self.charger.ma)

    @property
    def contact_decic(self) -> list[int]:
        """True temperature of each contact, 0.1 C. The list is the plant's own: copy it to keep it."""
        return self.contacts.decic

    @property
    def lock_travel_pct(self) -> float:
        """0 unlocked .. 100 locked."""
        return self.lock.travel_pct

    @property
    def cp_mv(self) -> int:
        """Level at the CP pin, generator high."""
        return self.pilot.cp_mv

    @property
    def refused_unplugs(self) -> int:
        """How often the lock held against a pull."""
        return self.person.refused_unplugs

    @property
    def plugged_ms(self) -> float:
        """Since the plug went in, meaningful while plugged."""
        return (self.t_us - self.plugged_us) / 1000

    @property
    def told_drive(self) -> str:
        """What the inlet told the car about driving: unknown, allowed, inhibited."""
        return self.can_car.told_drive

    @property
    def told_ma(self) -> int | None:
        """What the inlet told the car's charger on native CAN; None where nothing fresh."""
        return self.can_car.told("status", "charger_ma")

    @property
    def can_state(self) -> int:
        """State of the inlet's CAN controller, one of virtual_car.CAN_STATE_NAMES."""
        return self.inlet_can.state

    @property
    def can_offs(self) -> int:
        """How often it went off the bus."""
        return self.inlet_can.offs

    @property
    def status_age_ms(self) -> int | None:
        """Since the car last heard the inlet's status on CAN; None where it never did."""
        return self.can_car.status_age_ms

    @property
    def line_outputs(self) -> int:
        """What the board drives on its discrete lines, mask in the order of lines.OUTPUTS."""
        return self.lines.outputs

    @property
    def heater_on(self) -> bool:
        """Whether the port's heater really heats."""
        return self.port.is_heating

    @property
    def door_place(self) -> str:
        """closed, between or open."""
        return self.door.place

    @property
    def dc_mv(self) -> int:
        """Voltage at the DC pins."""
        return self.dc.mv

    @property
    def dc_ma(self) -> int:
        """Current through the DC pins."""
        return self.dc.ma

    @property
    def dc_contactors_closed(self) -> bool:
        """Whether the car's DC contactors are closed."""
        return self.dc.contactors_closed

    @property
    def modem_stage(self) -> str:
        """Where the communication controller's session stands."""
        return self.modem.stage

    @property
    def soc_pct(self) -> float:
        """State of charge."""
        return self.battery.soc_pct
