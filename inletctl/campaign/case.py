"""One session of the campaign: a plug-in with faults in it, then the plug out, and a plug-in without any.

Everything is drawn from seed and number. A person acts on what is seen: waits for the charge, stops it where a fault is to
meet a stop, takes the cable once the faults are over, and plugs in again. What was done, and when, is kept, so that a
session is a scenario that `inletctl sim` plays again.
"""

import random
from dataclasses import dataclass, field, replace
from typing import Any

from inletctl.campaign.kinds import KINDS, RESET_VERB, Fault, Kind
from inletctl.house import use_firmware
from inletctl.prove.truth import faults, interlock
from inletctl.scenario.arguments import spell
from inletctl.scenario.language import load_language
from inletctl.scenario.model import Action, Scenario
from inletctl.session import PASS_US, TICKS_MASK, Session
from inletctl.targets import cpython
from inletctl.targets.cpython import HostBoard

use_firmware()

from drivers.flash_log import FlashLog  # noqa: E402
from settings import INLETS  # noqa: E402

# When a fault begins: before the plug, with the plug, while the bolt moves, just after S2 has closed, under way, in a
# stop, in the rest after it, with the cable released.
PHASES = ("idle", "plugging", "locking", "closing", "charging", "stopping", "resting", "released")
_PHASE_WEIGHTS = (1, 2, 2, 2, 5, 2, 2, 1)
# The person's patience, simulated.
_START_S = 7.0  # for the charge to begin, after which a fault that has not come yet comes
_BACK_S = 6.0  # for it to come back by itself, once the faults are over
_LET_GO_S = 12.0  # for the cable, asked for; twice
_TOLD_S = 8.0  # to be told unplugged and free to drive: 3 s where AC is not measured, and a few drives of the bolt
_ANSWER_S = 9.0  # for the next charge
_COOL_S = 60.0  # for that, where a contact was hot: what is believed of one falls by 1.6 K/s (thermal/channel.py)
_MENDED_S = 12.0  # with the plug out, where a sensor has jumped: ten seconds are looked back on (thermal/channel.py)
_SERVED_S = 1.5  # of the next charge, looked at
_LONGEST_S = 90
_NO_PLUG_S2_MS = 150  # S2 told to close without a plug: PP's debounce and a pass


@dataclass
class Stop:
    """Charging was left. `reasons`: names; `live`: kinds that were there, or had just gone; `read_ma`: current as read."""

    t_ms: int
    reasons: tuple[str, ...]
    live: tuple[str, ...]
    read_ma: int
    by_person: bool
    is_second: bool  # in the plug-in without faults
    open_ms: int = 0  # when S2 opened
    is_at_once: bool = False  # for a reason whose order is that, or the bounded wait was over


@dataclass
class Seen:
    """What came of one session."""

    number: int
    kinds: tuple[str, ...]
    phases: tuple[str, ...]
    inlet: str
    stops: list[Stop] = field(default_factory=list)
    was_charging: bool = False  # when the first fault came
    ever_charged: bool = False  # in the first plug-in
    came_back: bool = False  # charged after the faults were over, before the plug was pulled
    is_serviced: bool = False  # only a new start helped, as the tables say
    stuck: str = ""  # in words
    unsafe: list[str] = field(default_factory=list)
    told: tuple[str, ...] = ()  # faults, by name
    dark_ms: list[int] = field(default_factory=list)  # when the board was reset
    end_ms: int = 0


class _NoFlash:
    """A file system that refuses everything."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*_values: Any) -> Any:
            raise OSError(5, "flash: " + name)

        return refuse


class _SettingsBoard(HostBoard):
    """A board whose stored settings cannot be read."""

    def settings(self) -> dict[str, int]:
        """Fail, as flash does."""
        raise OSError(5, "flash")


class _PortsBoard(HostBoard):
    """A board whose stored port records are damaged."""

    def port_store(self) -> "_PortsBoard":
        """Return what keeps them."""
        return self

    def read(self) -> bytes:
        """Return what is left of them."""
        return b"\x00damaged"


class _JournalBoard(HostBoard):
    """A board that can neither read nor write its journal."""

    def journal_log(self, kept: "tuple[int, ...]") -> FlashLog:
        """Return the log."""
        return FlashLog(kept=kept, files=_NoFlash(), note=self.note)


_BOARDS = {
    "": HostBoard, "settings": _SettingsBoard, "ports": _PortsBoard, "journal": _JournalBoard,
}  # fmt: skip


class Case:
    """One drawing. `kinds`: these, instead of those that seed and number draw."""

    def __init__(self, seed: int, number: int, kinds: "tuple[Kind, ...]" = ()):
        self.seed = seed
        self.number = number
        self.dice = dice = random.Random("campaign %d %d" % (seed, number))
        self.kinds = kinds or self._draw_kinds()
        self.inlet = dice.choice(
            [
                name
                for name in ("type2", "type2", "type2", "type1", "gbt")
                if all(name in kind.inlets for kind in self.kinds)
            ]
        )
        self.faults = [kind.make(dice) for kind in self.kinds]
        self.phases = tuple(
            "boot" if kind.from_start else dice.choices(PHASES, _PHASE_WEIGHTS)[0]
            for kind in self.kinds
        )
        self.flash = next((fault.flash for fault in self.faults if fault.flash), "")
        self.scenario = self._scenario()
        # The board's clock wraps somewhere in one session of three.
        within_ms = dice.randrange(25_000)
        self.start_ms = (
            TICKS_MASK + 1 - within_ms if dice.random() < 0.33 else dice.randrange(1 << 29)
        )

    def _draw_kinds(self) -> "tuple[Kind, ...]":
        """Every second session has two faults; single ones take turns."""
        if self.number % 2 == 0:
            return (KINDS[self.number // 2 % len(KINDS)],)
        # Dice of its own: the same session comes of the same kinds named.
        dice = random.Random("campaign kinds %d %d" % (self.seed, self.number))
        while True:
            one, two = dice.sample(KINDS, 2)
            if set(one.inlets) & set(two.inlets):
                return one, two

    def _scenario(self) -> Scenario:
        dice = self.dice
        settings = {
            "inlet": INLETS.index(self.inlet),
            "ac_sense": int(dice.random() < 0.7),
            "lock_policy": dice.choice((0, 0, 0, 1, 2)),
        }
        world: dict[str, Any] = {
            "inlet": self.inlet,
            "ambient_c": dice.randint(-10, 35),
            "evse_max_a": dice.choice((8, 16, 32)),
            "cable_a": 32,
            "evse_pwm_start_ms": dice.randint(50, 800),
            "evse_close_ms": dice.randint(50, 500),
            "evse_boot_ms": 500,
            "evse_retry_ms": 1000,
            "evse_x1_hold_ms": 500,
            "evse_jitter_us": dice.choice((0,) * 7 + (0.4,)),
            "cp_noise_mv": dice.choice((0,) * 7 + (60,)),
            "charger_up_a_s": dice.choice((20, 50, 100)),
            "charger_start_ms": dice.randint(100, 500),
            "charger_max_a": dice.choice((16, 32)),
            "lock_travel_ms": dice.randint(150, 400),
        }
        for fault in self.faults:
            settings.update(fault.settings)
            world.update(fault.world)
        blind = Action(0, "ac_sense", (("state", "dead"),), "ac_sense state=dead")
        return Scenario(
            "campaign", " and ".join(kind.name for kind in self.kinds), (), self.inlet,
            dice.randrange(1 << 30), settings, world, () if settings["ac_sense"] else (blind,),
            _LONGEST_S * 1_000_000,
        )  # fmt: skip

    def run(self) -> Seen:
        """Run it."""
        return self.play()[0]

    def play(self) -> tuple[Seen, Session]:
        """Run it; return what was seen, and the session with all that happened in it."""
        person = _Person(self)
        session = Session(self.scenario, self.start_ms, watch=person.watch)
        person.session = session
        cpython.run(session, _BOARDS[self.flash])
        return person.finish(), session


class _Person:
    """Acts on what each pass shows; the faults' director as well."""

    def __init__(self, case: Case):
        self.session: Session = None  # type: ignore[assignment]
        self._case = case
        self._dice = case.dice
        self._seen = Seen(case.number, tuple(k.name for k in case.kinds), case.phases, case.inlet)
        self._language = load_language().verbs
        dice = case.dice
        self._plug_us = dice.randrange(600_000, 1_000_000)
        self._delays_us = [self._delay_us(phase) for phase in case.phases]
        self._lasts_us = [round(dice.uniform(*kind.lasts_s) * 1e6) for kind in case.kinds]
        self._begun: list[int | None] = [None] * len(case.kinds)
        self._ends_us = [0] * len(case.kinds)  # once begun
        self._is_over = [False] * len(case.kinds)
        self._wish_us = dice.randrange(800_000, 2_500_000)  # after charging began
        self._marks: dict[str, int] = {}  # phase -> when it began
        self._step = self._first
        self._since_us = 0
        self._asked = 0
        self._is_again = False  # the plug-in without faults is the second of its kind
        self._wish = ""
        self._was_session = interlock.UNPLUGGED
        self._told = 0
        self._names = 0
        self._stop: Stop | None = None  # until S2 has opened
        self._stop_reasons = 0
        self._stop_tick_ms = 0
        self._bare_us = -1  # S2 told to close without a plug since then
        self._over_us = -1  # every fault is over since then
        self._must_be_told_us = -1

    def _delay_us(self, phase: str) -> int:
        longest_s = {
            "boot": 0.0, "idle": 0.3, "plugging": 0.6, "locking": 0.4, "closing": 1.2, "charging": 3.0, "stopping": 0.15,
            "resting": 2.0, "released": 1.0,
        }[phase]  # fmt: skip
        return round(self._dice.uniform(0, longest_s) * 1e6) + (
            1_200_000 if phase == "charging" else 0
        )

    # ---------------------------------------------------------------------------------------- each pass

    def watch(self, t_us: int, r: Any, c: Any, world: Any) -> None:
        """Look at a pass, and act."""
        if c.session != self._was_session:
            self._changed(t_us, r, c)
        if self._stop is not None:
            self._follow_stop(t_us, c)
        if c.faults & ~self._names:
            self._names |= c.faults
        self._look(t_us, c, world)
        self._mark(t_us, c)
        if not all(self._is_over):
            self._direct(t_us)
        self._step(t_us, c, world)

    def _changed(self, t_us: int, r: Any, c: Any) -> None:
        was = self._was_session
        self._was_session = c.session
        if c.session == interlock.CHARGING:
            if self._step == self._first:
                self._seen.ever_charged = True
                self._seen.came_back |= self._over_us >= 0
        if was == interlock.CHARGING and c is not self.session.safe_commands:
            self._stop = Stop(
                t_us // 1000,
                tuple(faults.names(faults.SHUTDOWN, c.reasons)),
                self._live(t_us),
                r.charger_ma,
                bool(self._wish),
                self._step == self._second,
            )
            self._stop_reasons = 0
            self._stop_tick_ms = self.session.now_ms
            self._seen.stops.append(self._stop)

    def _follow_stop(self, t_us: int, c: Any) -> None:
        """Tell when S2 opens, and whether it had to whatever flows."""
        stop = self._stop
        assert stop is not None
        self._stop_reasons |= c.reasons
        stop.open_ms = t_us // 1000
        if not c.s2_close:
            waited_ms = (self.session.now_ms - self._stop_tick_ms) & TICKS_MASK
            stop.is_at_once = bool(self._stop_reasons & _NOW) or waited_ms >= min(
                (ms for n, ms in enumerate(_WAIT_MS) if self._stop_reasons >> n & 1), default=0
            )
            self._stop = None

    def _live(self, t_us: int) -> tuple[str, ...]:
        live = []
        for n, kind in enumerate(self._case.kinds):
            begun_us = self._begun[n]
            if begun_us is not None and (
                t_us < self._ends_us[n] + kind.lingers_s * 1e6 or not self._case.faults[n].end
            ):
                live.append(kind.name)
        return tuple(live)

    def _look(self, t_us: int, c: Any, world: Any) -> None:
        """Hold the truth against what must never be."""
        if c.s2_close and not world.plugged and not world.person.half_plugged:
            if self._bare_us < 0:
                self._bare_us = t_us
            elif t_us - self._bare_us == _NO_PLUG_S2_MS * 1000:
                self._seen.unsafe.append(
                    "S2 told to close %d ms after the plug was out" % _NO_PLUG_S2_MS
                )
        else:
            self._bare_us = -1

    def _mark(self, t_us: int, c: Any) -> None:
        marks = self._marks
        if "plugging" not in marks and t_us >= self._plug_us:
            marks["plugging"] = t_us
        if c.lock_drive and "locking" not in marks and "plugging" in marks:
            marks["locking"] = t_us
        session = c.session
        if session == interlock.CHARGING and "closing" not in marks:
            marks["closing"] = marks["charging"] = t_us
        elif session == interlock.STOPPING and "stopping" not in marks:
            marks["stopping"] = t_us
        elif session == interlock.RESTING and "resting" not in marks:
            marks["resting"] = t_us
        elif session == interlock.RELEASED and "released" not in marks:
            marks["released"] = t_us

    def _direct(self, t_us: int) -> None:
        """Begin and end the faults."""
        for n, fault in enumerate(self._case.faults):
            begun_us = self._begun[n]
            if begun_us is None:
                at_us = self._due_us(n)
                if at_us < t_us + PASS_US:
                    self._begin(n, fault, max(at_us, t_us + 1))
            elif not self._is_over[n] and self._ends_us[n] < t_us + PASS_US:
                self._is_over[n] = True
                for verb, values in fault.end:
                    self._do(max(self._ends_us[n], t_us + 1), verb, values)
                if all(self._is_over):
                    self._over_us = t_us

    def _due_us(self, n: int) -> int:
        """Return when fault `n` is to begin, far away where its phase has not come yet."""
        phase = self._case.phases[n]
        if phase in ("boot", "idle"):
            return self._delays_us[n] + (450_000 if phase == "idle" else 0)
        mark_us = self._marks.get(phase)
        if mark_us is None:
            # Where the other one keeps the phase from coming, it comes a little after that.
            first_us = min((us for us in self._begun if us is not None), default=None)
            mark_us = (
                self._plug_us + round(_START_S * 1e6) if first_us is None else first_us + 2_500_000
            )
        return mark_us + self._delays_us[n]

    def _begin(self, n: int, fault: Fault, at_us: int) -> None:
        if all(us is None for us in self._begun):
            self._seen.was_charging = self._was_session == interlock.CHARGING
        self._begun[n] = at_us
        self._ends_us[n] = at_us + self._lasts_us[n]
        for verb, values in fault.begin:
            self._do(at_us, verb, values)
            if verb == RESET_VERB:
                self._seen.dark_ms.append(at_us // 1000)
                at_us += values["off_ms"] * 1000 + self._dice.randrange(10_000, 300_000)
        self._ends_us[n] = max(self._ends_us[n], at_us)

    def _do(self, t_us: int, verb: str, values: dict[str, Any]) -> None:
        words = spell(self._language[verb], tuple(values.items()))
        self.session.run.add(Action(t_us, verb, tuple(values.items()), words))

    def _act(self, t_us: int, verb: str, **values: Any) -> None:
        self._do(t_us + self._dice.randrange(1, PASS_US), verb, values)

    # ------------------------------------------------------------------------------------- the person

    def _first(self, t_us: int, c: Any, world: Any) -> None:
        """The plug-in with the faults."""
        if not self._asked:
            if t_us + PASS_US > self._plug_us:
                self._asked = 1
                self._act(t_us, "plug")
            return
        if not self._wish:
            self._wish = self._next_wish(t_us)
            if self._wish == "stop":
                self._act(t_us, "stop")
            elif self._wish == "unlock":
                self._act(t_us, "unlock", hold=1500)
        if self._over_us < 0:
            return
        waited_us = t_us - self._over_us
        if not self._seen.came_back and c.session == interlock.CHARGING and waited_us > 300_000:
            self._seen.came_back = True
        if waited_us > 500_000 and (
            self._seen.came_back or waited_us > _BACK_S * 1e6 or self._wish or self._is_latched(c)
        ):
            self._go(t_us, self._leave)

    def _next_wish(self, t_us: int) -> str:
        """A stop, or the cable, where a fault is to meet that."""
        charging_us = self._marks.get("charging")
        if charging_us is None or t_us < charging_us + self._wish_us:
            return ""
        waiting = [
            phase for phase, begun_us in zip(self._case.phases, self._begun) if begun_us is None
        ]
        if "released" in waiting:
            return "unlock"
        return "stop" if "stopping" in waiting or "resting" in waiting else ""

    @staticmethod
    def _is_latched(c: Any) -> bool:
        """Tell whether nothing but an unplug, or a new start, helps."""
        return bool(_latching(c))

    def _go(self, t_us: int, step: Any) -> None:
        self._step = step
        self._since_us = t_us
        self._asked = 0

    def _leave(self, t_us: int, c: Any, world: Any) -> None:
        """Ask for the cable, and pull."""
        waited_us = t_us - self._since_us
        if not world.plugged:
            self._go(t_us, self._pulled)
            return
        if self._asked == 0:
            self._asked = 1
            self._wish = "unlock"
            self._act(t_us, "unlock", hold=1500)
        elif self._asked in (1, 3) and waited_us > (
            1_000_000 if self._asked == 1 else _LET_GO_S * 1e6 + 1_000_000
        ):
            self._asked += 1
            self._act(t_us, "unplug", patience=int(_LET_GO_S * 1000))
        elif self._asked == 2 and waited_us > _LET_GO_S * 1e6:
            # A hand that asks again.
            self._asked = 3
            self._act(t_us, "unlock", hold=1500)
        elif self._asked == 4 and waited_us > 2 * _LET_GO_S * 1e6:
            self._end(t_us, "the cable is not let go of: " + self._state(c))

    def _pulled(self, t_us: int, c: Any, world: Any) -> None:
        """Wait to be told unplugged, and free to drive."""
        waited_us = t_us - self._since_us
        is_free = c.session == interlock.UNPLUGGED and c.drive_allowed
        if _serviced(c) and waited_us > 500_000 and not self._asked:
            self._asked = 1
            self._seen.is_serviced = True
            self._act(t_us, RESET_VERB, off_ms=100)
            self._since_us = t_us
        elif is_free and not _serviced(c):
            if waited_us > (_MENDED_S * 1e6 if self._names & faults.F_TEMP_RISE else 200_000):
                self._go(t_us, self._second)
        elif waited_us > _TOLD_S * 1e6:
            if self._case.flash and self._is_documented(c):
                self._seen.is_serviced = True
                self._end(t_us, "")
            else:
                self._end(t_us, "the plug is out, and that is not told: " + self._state(c))

    def _second(self, t_us: int, c: Any, world: Any) -> None:
        """A plug-in without faults."""
        waited_us = t_us - self._since_us
        if not self._asked:
            self._asked = 1
            self._wish = ""
            self._act(t_us, "plug")
            return
        if c.session == interlock.CHARGING and self._asked == 1:
            self._asked = 2
            self._must_be_told_us = t_us
        if self._asked == 2 and t_us - self._must_be_told_us > _SERVED_S * 1e6:
            self._end(t_us, "")
        elif self._asked == 1 and waited_us > self._patience_s(c) * 1e6:
            if not self._is_again and self._names & faults.F_TEMP_RISE and self._is_latched(c):
                # A sensor that healed just before the unplug is told of just behind the plug: that plug-in is the one that pays.
                self._is_again = True
                self._go(t_us, self._leave)
            elif self._case.flash and self._is_documented(c):
                self._seen.is_serviced = True
                self._end(t_us, "")
            else:
                self._end(t_us, "the next plug-in is not answered: " + self._state(c))

    @staticmethod
    def _patience_s(c: Any) -> float:
        return _COOL_S if c.reasons & faults.TEMP_HIGH else _ANSWER_S

    def _is_documented(self, c: Any) -> bool:
        """Tell whether a flash that stays broken is the reason told: it rests until somebody mends it."""
        said = set(faults.names(faults.SHUTDOWN, c.reasons))
        return bool(said & {name for kind in self._case.kinds for name in kind.reasons})

    def _state(self, c: Any) -> str:
        return "session %s, reasons %s, faults %s, holds %s, lock %s" % (
            interlock.SESSION_NAMES[c.session],
            " ".join(faults.names(faults.SHUTDOWN, c.reasons)) or "none",
            " ".join(faults.names(faults.FAULTS, c.faults)) or "none",
            " ".join(faults.names(faults.HOLDS, c.holds)) or "none",
            c.lock_state,
        )

    def _end(self, t_us: int, stuck: str) -> None:
        self._seen.stuck = stuck
        self.session.run.give_up(t_us, "")

    def finish(self) -> Seen:
        """Return what was seen."""
        seen, session = self._seen, self.session
        seen.end_ms = session.t_us // 1000
        seen.told = tuple(faults.names(faults.FAULTS, self._names))
        if session.t_us >= session.scenario.end_us and not seen.stuck:
            seen.stuck = "the session has no end"
        seen.unsafe += [sentence for _t_us, sentence in session.run.breaches]
        seen.unsafe += session.world.violations
        return seen


def _latching(c: Any) -> int:
    """Return the reasons and faults that do not clear by themselves."""
    return (c.reasons & _UNPLUG_REASONS) | (c.faults & _UNPLUG_FAULTS) | (1 if _serviced(c) else 0)


def _serviced(c: Any) -> bool:
    """Tell whether something stands that only a new start ends, and that keeps from charging."""
    return bool(c.faults & _SERVICE_FAULTS or c.holds & _SERVICE_HOLDS)


def _mask(table: Any, column: int, value: int, forces: "int | None" = None) -> int:
    return sum(
        1 << n
        for n, row in enumerate(table)
        if row[column] == value and (forces is None or row[forces])
    )


_NOW = _mask(faults.SHUTDOWN, faults.ROW_ORDER, faults.NOW)
_WAIT_MS = tuple(int(row[faults.ROW_WAIT_MS]) for row in faults.SHUTDOWN)
_UNPLUG_REASONS = _mask(faults.SHUTDOWN, faults.ROW_CLEARS, faults.UNPLUG)
_UNPLUG_FAULTS = _mask(faults.FAULTS, faults.FAULT_CLEARS, faults.UNPLUG)
_SERVICE_FAULTS = _mask(faults.FAULTS, faults.FAULT_CLEARS, faults.SERVICE, faults.FAULT_REASON)
_SERVICE_HOLDS = _mask(faults.HOLDS, faults.HOLD_CLEARS, faults.SERVICE, faults.HOLD_REASON)


def scenario_of(session: Session, title: str, about: tuple[str, ...]) -> Scenario:
    """Return all that happened in a session as a scenario."""
    scenario = session.scenario
    return replace(
        scenario, path=title, title=title, about=about, timeline=session.run.actions,
        end_us=max(session.t_us, PASS_US),
    )  # fmt: skip
