"""The virtual inlet as one object: what happens, what is measured, what obeys, and the truth for the recorder."""

from typing import Any

from inletctl.errors import UserError
from inletctl.plant.charger import Charger
from inletctl.plant.clock import Clock
from inletctl.plant.config import PlantConfig
from inletctl.plant.contacts import Contacts
from inletctl.plant.evse import Evse
from inletctl.plant.lock import Lock
from inletctl.plant.person import Person
from inletctl.plant.pilot import Pilot
from inletctl.plant.proximity import Proximity
from inletctl.plant.spec import REQUIRED
from inletctl.plant.vehicle import Vehicle
from inletctl.plant.verbs import VERBS


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
        # Everything the EVSE or the lock must never see; codes in evse_watch.py and lock.py.
        self.violations: list[str] = []
        # The truth for the recorder, kept by those who know it.
        self.evse_state = "A"  # evse.EVSE_STATE_NAMES
        self.evse_duty_pct_x100 = 10_000  # sent, 0.01 %; 10000 steady high, 0 none
        self.contactor_closed = False
        self.plugged = False  # fully
        self.clock = Clock()
        self._temp_rail_mv = round(config.temp_rail_mv)
        self.person = Person(self, seed)
        self.vehicle = Vehicle(self)
        self.charger = Charger(self)
        self.proximity = Proximity(self, seed)
        self.pilot = Pilot(self, seed)
        self.evse = Evse(self)
        self.lock = Lock(self)
        self.contacts = Contacts(self, seed)
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

    def apply(self, commands: Any) -> None:
        """Let a signals.Commands take effect now."""
        if commands.s2_close != self.pilot.s2_told:
            self.pilot.set_s2(commands.s2_close)
            if not commands.s2_close and self.charger.load_ma() > 1000:
                self.event(f"S2 opens at {self.charger.ma / 1000:.1f} A")
        if commands.charger_ma != self.charger.told_ma:
            self.charger.command(commands.charger_ma)
        if commands.lock_drive != self.lock.drive_told:
            self.lock.drive(commands.lock_drive)

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
