"""Keeps what happened in a session: rows of values, and events in words.

`Recorder.row` is called once a pass and must cost next to nothing while nothing changes. A row is kept when
something that is decided or switched changes, and every 100 ms besides for what drifts (levels, temperatures,
travel, real current). Events follow from the changes; a scenario adds its own. Writers (inletctl/report) and the
live view (inletctl/live.py) read the result; nothing here decides or draws.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

ROW_EVERY_US = 100_000  # between two rows while nothing is switched
_TELL_OFFER_MA = 500  # an offer that moves less than this is jitter, not news


class Column(NamedTuple):
    """One value of a row. `kind` is time, number, flag, enum, mask or text."""

    name: str
    unit: str  # empty where there is none
    kind: str
    help: str


# fmt: off
COLUMNS = (
    Column("t_us", "us", "time", "simulated time since the start"),
    Column("cp_high_mv", "mV", "number", "control pilot while high, as read at the inlet; empty where not measured"),
    Column("cp_low_mv", "mV", "number", "control pilot while low, as read at the inlet; empty where not measured"),
    Column("pp_mv", "mV", "number", "proximity voltage as read at the inlet; empty where not measured"),
    Column("evse_state", "", "text", "state the EVSE itself is in (truth of the model)"),
    Column("evse_duty_pct_x100", "0.01 %", "number", "duty the EVSE sends (truth of the model)"),
    Column("pilot_state", "", "enum", "pilot state the inlet sees; 1 = no PWM, 2 = PWM"),
    Column("duty_pct_x100", "0.01 %", "number", "duty the inlet accepted last; empty without PWM"),
    Column("session", "", "enum", "where the charging session stands"),
    Column("offered_ma", "mA", "number", "current the EVSE offers by its pilot, per phase"),
    Column("permitted_ma", "mA", "number", "minimum of every limit, per phase"),
    Column("limiter", "", "enum", "limit that sets permitted_ma"),
    Column("charger_command_ma", "mA", "number", "current the charger may draw now, per phase"),
    Column("charger_ma", "mA", "number", "current the charger really draws, per phase (truth of the model)"),
    Column("contact_0_decic", "0.1 C", "number", "true temperature of contact 0 (AC L)"),
    Column("contact_1_decic", "0.1 C", "number", "true temperature of contact 1 (AC N)"),
    Column("contact_2_decic", "0.1 C", "number", "true temperature of contact 2 (DC +)"),
    Column("contact_3_decic", "0.1 C", "number", "true temperature of contact 3 (DC -)"),
    Column("hottest_decic", "0.1 C", "number", "hottest temperature the inlet believes; empty where it has none"),
    Column("lock_state", "", "enum", "state of the lock's state machine"),
    Column("lock_drive", "", "number", "lock bridge: 1 towards locked, -1 towards unlocked, 0 off"),
    Column("lock_travel_pct", "%", "number", "true position of the lock: 0 unlocked, 100 locked"),
    Column("s2_close", "", "flag", "S2 commanded closed: shows state C to the EVSE"),
    Column("contactor_closed", "", "flag", "contactor of the EVSE closed (truth of the model)"),
    Column("ac_present", "", "flag", "mains seen at the inlet; empty where not sensed"),
    Column("plugged", "", "flag", "connector inserted (truth of the model)"),
    Column("drive_allowed", "", "flag", "positive permission to move the car"),
    Column("vehicle_permits", "", "flag", "the vehicle permits charging"),
    Column("stop_request", "", "flag", "a person wants charging to stop"),
    Column("unlock_request", "", "flag", "a person wants the cable released"),
    Column("light", "", "enum", "pattern of the inlet's light"),
    Column("reasons", "", "mask", "why S2 may not close"),
    Column("faults", "", "mask", "what is broken"),
    Column("holds", "", "mask", "what the car, a person or a record asks for, and what was noticed of them"),
    Column("dc_mv", "mV", "number", "voltage at the DC pins (truth of the model)"),
    Column("dc_ma", "mA", "number", "current through the DC pins (truth of the model)"),
    Column("heater_on", "", "flag", "the port's heater heats (truth of the model)"),
    Column("soc_pct", "%", "number", "state of charge (truth of the model)"),
)
# fmt: on
COLUMN_INDEX = {column.name: n for n, column in enumerate(COLUMNS)}


class Event(NamedTuple):
    """Something worth telling. `level` is info, good, warn or bad; `kind` is a key of EVENT_KINDS."""

    t_us: int
    kind: str
    text: str
    level: str


EVENT_KINDS = {
    "scenario": "what the scenario does",
    "world": "what the virtual inlet does of itself",
    "check": "an expectation judged",
    "blame": "whose fault a stop or a refusal was, as the firmware's journal says",
    "start": "where the recording begins",
    "pilot": "pilot state",
    "session": "session state",
    "offer": "current the EVSE offers",
    "limit": "who limits the current",
    "s2": "S2",
    "contactor": "contactor of the EVSE",
    "lock": "connector lock",
    "light": "light at the inlet",
    "drive": "permission to move the car",
    "reason": "reasons not to charge",
    "fault": "faults",
    "hold": "what is asked for and noticed",
}
LEVELS = ("info", "good", "warn", "bad")


@dataclass(frozen=True)
class Names:
    """Words for the numbers in a row. Tuples are indexed by the number or, for masks, by the bit."""

    pilot: tuple[str, ...]
    session: tuple[str, ...]
    limiter: tuple[str, ...]
    lock: tuple[str, ...]
    light: tuple[str, ...]
    reasons: tuple[tuple[str, str], ...]  # (name, what it means), bit order
    faults: tuple[tuple[str, str], ...]
    holds: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_firmware(cls) -> "Names":
        """Read every name from the firmware, its only home."""
        from inletctl.house import use_firmware

        use_firmware()
        faults = import_module("faults")
        interlock = import_module("interlock")
        limits = import_module("limits")
        return cls(
            pilot=tuple(import_module("pilot.control").PILOT_STATE_NAMES),
            session=tuple(interlock.SESSION_NAMES),
            limiter=tuple(limits.LIMITER_NAMES),
            lock=tuple(import_module("lock.actuator").LOCK_STATE_NAMES),
            light=tuple(import_module("vehicle.looks").LIGHT_NAMES),
            reasons=tuple((row[0], row[faults.ROW_WHAT]) for row in faults.SHUTDOWN),
            faults=tuple((row[0], row[faults.FAULT_WHAT]) for row in faults.FAULTS),
            holds=tuple((row[0], row[faults.HOLD_WHAT]) for row in faults.HOLDS),
        )

    def of(self, column: str) -> tuple[Any, ...]:
        """Return the names behind an enum or mask column of COLUMNS."""
        return {
            "pilot_state": self.pilot,
            "session": self.session,
            "limiter": self.limiter,
            "lock_state": self.lock,
            "light": self.light,
            "reasons": self.reasons,
            "faults": self.faults,
            "holds": self.holds,
        }[column]


def name_of(names: tuple[str, ...], number: int) -> str:
    """Return the name of `number`, or `?number` where the firmware has none."""
    return names[number] if 0 <= number < len(names) else f"?{number}"


def mask_rows(table: tuple[tuple[str, str], ...], mask: int) -> list[tuple[str, str]]:
    """Return (name, meaning) of every bit set in `mask`, lowest first; an unknown bit is `?bit`."""
    return [
        table[n] if n < len(table) else (f"?{n}", "unknown")
        for n in range(mask.bit_length())
        if mask >> n & 1
    ]


class Recorder:
    """Rows and events of one session.

    `rows` holds tuples in COLUMNS order, `events` holds Event; both sorted by time. What the last call of
    `row` was given stays reachable (`t_us`, `readings`, `commands`, `world`) for a live view.
    """

    def __init__(self, names: Names | None = None):
        self.names = names or Names.from_firmware()
        self.rows: list[tuple[Any, ...]] = []
        self.events: list[Event] = []
        self.t_us = 0
        self.readings: Any = None
        self.commands: Any = None
        self.world: Any = None
        self._key: tuple[Any, ...] = ()
        self._due_us = 0
        self._kept_us = -1  # time of the newest row kept
        self._told_offer_ma = 0
        self._has_pwm = tuple(name.endswith("2") for name in self.names.pilot)

    def row(self, t_us: int, readings: Any, commands: Any, world: Any) -> None:
        """Look at one pass: `t_us` since the start, never less than before; objects as the step left them."""
        self.t_us = t_us
        self.readings = readings
        self.commands = commands
        self.world = world
        # What is decided or switched. Order as _TELL.
        key = (
            commands.pilot_state,
            commands.session,
            commands.offered_ma,
            commands.limiter,
            commands.s2_close,
            world.contactor_closed,
            commands.lock_state,
            commands.light,
            commands.drive_allowed,
            commands.reasons,
            commands.faults,
            commands.holds,
            commands.permitted_ma,
            commands.charger_ma,
            commands.lock_drive,
            world.evse_state,
            world.evse_duty_pct_x100,
            world.plugged,
            readings.ac_present,
            readings.vehicle_permits,
            readings.stop_request,
            readings.unlock_request,
            world.heater_on,
        )
        if key == self._key:
            if t_us < self._due_us:
                return
        else:
            self._tell(t_us, key)
            self._key = key
        self._keep(t_us)

    def event(self, t_us: int, text: str, kind: str = "scenario", level: str = "info") -> None:
        """Add an event in words; `kind` is a key of EVENT_KINDS, `level` one of LEVELS."""
        if kind not in EVENT_KINDS:
            raise ValueError(f"unknown kind of event: {kind}")
        if level not in LEVELS:
            raise ValueError(f"unknown level of event: {level}")
        event = Event(t_us, kind, text, level)
        at = len(self.events)
        while (
            at and self.events[at - 1].t_us > t_us
        ):  # a verb may be told late; order stays by time
            at -= 1
        self.events.insert(at, event)

    def finish(self) -> None:
        """Keep the last pass too, so that curves reach the end of the session."""
        if self.commands is not None and self._kept_us != self.t_us:
            self._keep(self.t_us)

    def _keep(self, t_us: int) -> None:
        readings = self.readings
        commands = self.commands
        world = self.world
        contact_decic = world.contact_decic
        state = commands.pilot_state
        has_pwm = 0 <= state < len(self._has_pwm) and self._has_pwm[state]
        self._due_us = t_us + ROW_EVERY_US
        self._kept_us = t_us
        self.rows.append(
            (
                t_us,
                readings.cp_high_mv if readings.cp_ok else None,
                readings.cp_low_mv if readings.cp_ok else None,
                readings.pp_mv if readings.pp_ok else None,
                world.evse_state,
                world.evse_duty_pct_x100,
                state,
                commands.duty_pct_x100 if has_pwm else None,
                commands.session,
                commands.offered_ma,
                commands.permitted_ma,
                commands.limiter,
                commands.charger_ma,
                world.charger_ma,
                contact_decic[0],
                contact_decic[1],
                contact_decic[2],
                contact_decic[3],
                commands.hottest_decic if commands.hottest_ok else None,
                commands.lock_state,
                commands.lock_drive,
                round(world.lock_travel_pct),
                commands.s2_close,
                world.contactor_closed,
                readings.ac_present if readings.ac_ok else None,
                world.plugged,
                commands.drive_allowed,
                readings.vehicle_permits,
                readings.stop_request,
                readings.unlock_request,
                commands.light,
                commands.reasons,
                commands.faults,
                commands.holds,
                world.dc_mv,
                world.dc_ma,
                world.heater_on,
                int(world.soc_pct),
            )
        )

    # Events out of changes.

    def _tell(self, t_us: int, key: tuple[Any, ...]) -> None:
        if not self._key:
            names = self.names
            self._told_offer_ma = self.commands.offered_ma
            self.event(
                t_us,
                f"session {name_of(names.session, self.commands.session)}, "
                f"pilot {name_of(names.pilot, self.commands.pilot_state)}, "
                f"lock {name_of(names.lock, self.commands.lock_state)}",
                "start",
            )
            return
        for tell, was, now in zip(_TELL, self._key, key, strict=False):
            if was != now:
                tell(self, t_us, was, now)

    def _tell_pilot(self, t_us: int, was: int, now: int) -> None:
        text = f"pilot {name_of(self.names.pilot, was)} -> {name_of(self.names.pilot, now)}"
        self.event(t_us, text, "pilot")

    def _tell_session(self, t_us: int, was: int, now: int) -> None:
        text = f"session {name_of(self.names.session, was)} -> {name_of(self.names.session, now)}"
        self.event(t_us, text, "session")

    def _tell_offer(self, t_us: int, _was: int, now: int) -> None:
        if abs(now - self._told_offer_ma) < _TELL_OFFER_MA and now != 0:
            return
        if now != self._told_offer_ma:
            text = f"offer {self._told_offer_ma / 1000:.1f} A -> {now / 1000:.1f} A"
            self.event(t_us, text, "offer")
        self._told_offer_ma = now

    def _tell_limiter(self, t_us: int, was: int, now: int) -> None:
        text = f"limited by {name_of(self.names.limiter, now)}"
        self.event(t_us, f"{text} (was {name_of(self.names.limiter, was)})", "limit")

    def _tell_s2(self, t_us: int, _was: bool, now: bool) -> None:
        self.event(t_us, "S2 closed" if now else "S2 opened", "s2", "good" if now else "info")

    def _tell_contactor(self, t_us: int, _was: bool, now: bool) -> None:
        text = "EVSE contactor closed" if now else "EVSE contactor opened"
        self.event(t_us, text, "contactor")

    def _tell_lock(self, t_us: int, was: int, now: int) -> None:
        text = f"lock {name_of(self.names.lock, was)} -> {name_of(self.names.lock, now)}"
        self.event(t_us, text, "lock")

    def _tell_light(self, t_us: int, was: int, now: int) -> None:
        text = f"light: {name_of(self.names.light, was)} -> {name_of(self.names.light, now)}"
        self.event(t_us, text, "light")

    def _tell_drive(self, t_us: int, _was: bool, now: bool) -> None:
        self.event(t_us, "driving allowed" if now else "driving forbidden", "drive")

    def _tell_reasons(self, t_us: int, was: int, now: int) -> None:
        gone = mask_rows(self.names.reasons, was & ~now)
        come = mask_rows(self.names.reasons, now & ~was)
        if gone:
            self.event(t_us, f"reason gone: {', '.join(name for name, _ in gone)}", "reason")
        if come:
            # One that ends charging is worth a second look; one before charging is the way of things.
            level = "info" if was else "warn"
            text = "; ".join(f"{name} ({what})" for name, what in come)
            self.event(t_us, f"reason not to charge: {text}", "reason", level)

    def _tell_faults(self, t_us: int, was: int, now: int) -> None:
        for name, what in mask_rows(self.names.faults, now & ~was):
            self.event(t_us, f"fault {name}: {what}", "fault", "bad")
        for name, _ in mask_rows(self.names.faults, was & ~now):
            self.event(t_us, f"fault {name} cleared", "fault", "good")

    def _tell_holds(self, t_us: int, was: int, now: int) -> None:
        for name, what in mask_rows(self.names.holds, now & ~was):
            self.event(t_us, f"hold {name}: {what}", "hold")
        for name, _ in mask_rows(self.names.holds, was & ~now):
            self.event(t_us, f"hold {name} gone", "hold")


# One function a position of the key in Recorder.row. Positions beyond its end change in silence: what moves
# with them is told by another, or by the scenario that caused it.
_TELL = (
    Recorder._tell_pilot,
    Recorder._tell_session,
    Recorder._tell_offer,
    Recorder._tell_limiter,
    Recorder._tell_s2,
    Recorder._tell_contactor,
    Recorder._tell_lock,
    Recorder._tell_light,
    Recorder._tell_drive,
    Recorder._tell_reasons,
    Recorder._tell_faults,
    Recorder._tell_holds,
)
