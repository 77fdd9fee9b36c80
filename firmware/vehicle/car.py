"""The car's side of the inlet, composed: CAN, discrete lines, schedule, heater, door, sleep.

`fill` before the step says what the car, a person or a part of the car's side asks for, as holds and readings; `tick` after
it shows the car what was decided. It holds back and tells, and never loosens what a board's own drivers have measured; only
the vehicle's word is CAN's alone where CAN is chosen. The slow rooms take turns, one a pass.
"""

from micropython import const

from faults import H_CAR_STARTING, SERVICE_MODE
from modules import unload
from vehicle.clock import Clock
from vehicle.schedule import Schedule
from vehicle.sleep import Activity, Sleep
from vehicle.wires import DOOR_CLOSED, DOOR_OPEN, OUTPUTS_AT_START, Wires

_VEHICLE_SILENT_MS = const(60000)
# A frame is read in the pass after it came, and what follows goes out a pass later: silence counts from the wire.
_LATENCY_MS = const(20)
# Heard within so long: it talks.
_TALKS_MS = const(2000)
# Slow rooms, and so the passes until each has been asked again.
_TURNS = const(4)
_NEARLY_FULL_PCT = const(90)  # the light breathes slower from here on


class Car:
    """
    `fill` before the step, `tick` after the commands were obeyed; neither allocates.

    can     the CAN port, None where the board has none or no setting asks for it
    lines   the discrete lines, None where the board has none or no setting asks for them
    board   note(sentence): told once what does not fit together
    """

    def __init__(self, settings, can, lines, board):
        self._can = can
        self._lines = lines
        self._turn = 0
        self._is_mute = settings.can != 0  # the vehicle's word is CAN's alone
        self.clock = Clock()
        self.schedule = Schedule(settings, settings.can != 0)
        # Of the slow rooms; until each has been asked, what one of them may hold back for counts.
        self._room_holds = H_CAR_STARTING if self.schedule.is_used or settings.can else 0
        self._sleep = Sleep(settings.sleep_after_s)
        self._activity = Activity(settings.can == 0)
        self._wires = Wires(settings.lines_used if lines is not None else 0)
        self._seen_inputs = 0
        self._is_stirred = False
        self._now_ms = 0
        self.bus = None
        self.modem = None
        self.heater = None
        self.door = None
        # Asked for once: a board forgets it afterwards.
        from vehicle.fitting import fit

        self._fixed_holds = fit(self, settings, can, lines, board)
        unload("vehicle.fitting")
        if lines is not None:
            lines.outputs = OUTPUTS_AT_START

    # ------------------------------------------------------------------------------------ each pass

    def fill(self, now_ms: int, r) -> None:
        """Write what the car's side asks for into signals.Readings."""
        self._now_ms = now_ms
        holds = self._fixed_holds | self._room_holds
        lines = self._lines
        if lines is not None:
            lines.tick(now_ms)
            holds |= self._wires.fill(lines.ok, lines.inputs)
        r.holds = holds
        r.person_limit_ma = self.schedule.person_limit_ma
        r.is_asleep = self._sleep.is_asleep
        if self._can is not None:
            self._can.tick(now_ms)
        if self.bus is not None:
            self.bus.fill(now_ms, r)
            # What is decided on it takes two passes more to happen.
            age_ms = r.vehicle_age_ms + _LATENCY_MS
            r.vehicle_age_ms = age_ms if age_ms < _VEHICLE_SILENT_MS else _VEHICLE_SILENT_MS
        elif self._is_mute:
            # A demand line is not the vehicle's word where CAN is chosen.
            r.vehicle_age_ms = _VEHICLE_SILENT_MS
            r.vehicle_permits = False
            r.vehicle_limit_ma = 0
        if self.modem is not None:
            self.modem.fill(now_ms, r)

    def tick(self, now_ms: int, r, c) -> None:
        """Show the car what the step has decided: `c` is signals.Commands, obeyed already."""
        self._take_turn(now_ms, r, c)
        if not self._sleep.is_asleep:
            if self.bus is not None:
                self.bus.tick(now_ms, r, c)
            if self.modem is not None:
                self.modem.tick(now_ms, r, c)
        if self._lines is not None:
            self._lines.outputs = self._wires.outputs(
                c,
                self.heater is not None and self.heater.is_on,
                self.door.drive if self.door is not None else 0,
            )

    def _take_turn(self, now_ms: int, r, c) -> None:
        """Ask one of the slow rooms."""
        turn = self._turn
        self._turn = turn + 1 if turn < _TURNS - 1 else 0
        if turn == 0:
            self._keep_schedule(now_ms, r, c)
        elif turn == 1:
            if self.heater is not None:
                self.heater.tick(
                    now_ms, c.wants_heat, c.s2_close, c.hottest_ok, c.hottest_decic, c.faults
                )
        elif turn == 2:
            if self.door is not None:
                self._move_door(now_ms, self.door, r, c)
        else:
            self._rest(now_ms, r, c)
            self._collect_holds()

    def _keep_schedule(self, now_ms: int, r, c) -> None:
        clock = self.clock
        bus = self.bus
        soc_ok = False
        soc_pct = 0
        target_pct = 100
        clock.tick(now_ms)
        if bus is not None:
            word = bus.word
            if word.clock_ok:
                clock.hear(now_ms, word.clock_min)
            soc_ok = word.soc_ok
            soc_pct = word.soc_pct
            if word.target_ok:
                target_pct = word.target_pct
        r.is_nearly_full = soc_ok and soc_pct >= _NEARLY_FULL_PCT
        self.schedule.tick(
            now_ms,
            clock.is_set,
            clock.minute,
            soc_ok,
            soc_pct,
            target_pct,
            c.plug_present,
            r.stop_request,
            c.s2_close,
        )

    def _move_door(self, now_ms: int, door, r, c) -> None:
        wires = self._wires
        inputs = wires.inputs
        door.tick(
            now_ms,
            wires.is_read,
            inputs & DOOR_OPEN != 0,
            inputs & DOOR_CLOSED != 0,
            r.unlock_request or r.car_unlock,
            c.plug_present,
        )

    def _rest(self, now_ms: int, r, c) -> None:
        """Find out whether anything goes on, and sleep or wake."""
        sleep = self._sleep
        is_busy = self._activity.is_busy(r, c, c.reasons & SERVICE_MODE != 0)
        inputs = self._wires.inputs
        if inputs != self._seen_inputs:
            self._seen_inputs = inputs
            is_busy = True
        if self._is_stirred:
            self._is_stirred = False
            is_busy = True
        can = self._can
        was_asleep = sleep.is_asleep
        if can is not None:
            is_busy = (
                is_busy
                or (self.bus is not None and r.vehicle_age_ms < _TALKS_MS)
                or (self.modem is not None and r.modem_age_ms < _TALKS_MS)
                or (was_asleep and can.has_woken)
            )
        if self.heater is not None and self.heater.is_on:
            is_busy = True
        if self.door is not None and self.door.drive:
            is_busy = True
        sleep.tick(now_ms, is_busy)
        if can is not None and sleep.is_asleep != was_asleep:
            if sleep.is_asleep:
                can.sleep()
            else:
                can.wake()

    def _collect_holds(self) -> None:
        holds = self.schedule.holds
        if self.heater is not None:
            holds |= self.heater.holds
        if self.door is not None:
            holds |= self.door.holds
        self._room_holds = holds

    def set_book(self, book) -> None:
        """Let the bus tell of the journal: journal.book.Book, or None."""
        if self.bus is not None:
            self.bus.set_book(book)

    def is_moving(self) -> bool:
        """Tell whether the door's motor runs: a pass that is late would let it run on."""
        return self.door is not None and self.door.drive != 0

    # ------------------------------------------------------------------------------- the console's

    def stir(self) -> None:
        """Say that somebody is at the console: wake."""
        self._is_stirred = True

    def set_time(self, minute: int) -> bool:
        """Take a person's local minute of the week; return whether it was taken: not where the car tells the time."""
        return self.clock.set_by_person(self._now_ms, minute)

    def charge_now(self) -> bool:
        """Charge outside the windows until the plug is out; return whether one was waited for."""
        return self.schedule.charge_now()
