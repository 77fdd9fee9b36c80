"""The charging station: a state machine on the level at its own CP terminal, timed as IEC 61851-1 Tab A.6.

It knows nothing of the car but that level. What it must never see is kept by evse_watch.Watch.
"""

from typing import TYPE_CHECKING

from inletctl.plant.clock import Booking, cancel
from inletctl.plant.evse_watch import LOAD_MA, Watch
from inletctl.plant.offer import offer_duty_pct

if TYPE_CHECKING:
    from inletctl.plant.world import World

EVSE_STATE_NAMES = ("A", "B1", "B2", "C1", "C2", "D1", "D2", "E", "F", "OFF")
_DIODE_MV = -10_000  # half-way between -12 V and what a car without a diode shows
_LEVELS = ((10_500, "A"), (7_500, "B"), (4_500, "C"), (1_500, "D"))
_DARK = ("e", "f", "off")  # modes in which it cannot see the car


class Evse:
    """See the module. Times come from the plant's config; verbs are the public methods in verbs.VERBS."""

    def __init__(self, world: "World"):
        self._world = world
        config = world.config
        self._mode = "steady"  # steady, pwm, e, f, off
        self._seen = "A"  # debounced: A, B, C, D, E (shorted)
        self.contactor_closed = False
        self._watch = Watch(world)
        self.violations = self._watch.violations
        self.load_openings = 0  # contactor openings above 1 A, whoever is to blame
        self._raw = "A"
        offer_a = config.evse_max_a
        self._energy = config.evse_auto and (offer_a >= 6 or config.evse_digital)
        self._starved = (
            not self._energy and config.evse_auto
        )  # paused only because the offer fell below 6 A
        self._saw_b = False
        self._refused = False
        self._weld = "ok"
        self.offer_pct = 5.0 if config.evse_digital else offer_duty_pct(max(offer_a, 6))
        self._duty_error_pct = config.evse_duty_error_pct
        self._hold_until_us = 0  # steady at least until then
        self._own_faults = 0
        self._debounce: Booking | None = None
        self._start: Booking | None = None
        self._close: Booking | None = None
        self._open: Booking | None = None
        self._grace: Booking | None = None  # contactor opens so long after PWM stopped
        self._end: Booking | None = None  # of an error or a power cut
        world.pilot.generate_steady(1)
        self._show()

    @property
    def mode(self) -> str:
        """Return what the generator does: steady, pwm, e, f or off."""
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        self._mode = mode
        self._show()

    @property
    def seen(self) -> str:
        """Return the level it believes: A, B, C, D or E (shorted)."""
        return self._seen

    @seen.setter
    def seen(self, letter: str) -> None:
        self._seen = letter
        self._show()

    def _show(self) -> None:
        """Keep the recorder's copies: it looks every pass."""
        self._world.evse_state = self.state
        self._world.evse_duty_pct_x100 = self.duty_pct_x100

    @property
    def state(self) -> str:
        """Return A, B1, B2, C1, C2, D1, D2, E, F or OFF."""
        if self.mode in _DARK:
            return self.mode.upper()
        if self.seen in "AE":
            return self.seen
        return self.seen + ("2" if self.mode == "pwm" else "1")

    @property
    def duty_pct_x100(self) -> int:
        """Return the duty really sent, 0.01 %; steady high is 10000."""
        if self.mode == "pwm":
            return self._world.pilot.sent_pct_x100
        return 10_000 if self.mode == "steady" else 0

    # What it sees -----------------------------------------------------------

    def level_changed(self) -> None:
        """The level at its terminal may be another one. Called by the pilot."""
        if self.mode in _DARK:
            return
        high_mv = self._world.pilot.evse_high_mv
        raw = next((name for limit, name in _LEVELS if high_mv >= limit), "E")
        if raw != self._raw:
            self._raw = raw
            cancel(self._debounce)
            if raw != self.seen:
                self._debounce = self._after(
                    self._world.config.evse_debounce_ms, self._believe, raw
                )
        if raw == self.seen:
            self._check_diode()

    def _believe(self, letter: str) -> None:
        self._watch.end_s2()
        if letter == "A":
            self._saw_b = self._refused = False
            self._own_faults = 0
            self._watch.start_s2()
        elif letter == "B":
            self._saw_b = True
            self._refused = False
        self.seen = letter
        self._event(f"sees state {letter}")
        if letter == "D" and not self._world.config.evse_ventilation:
            self._watch.note("state_d: ventilation asked for")
        self._decide()

    def _check_diode(self) -> None:
        if self.mode == "pwm" and self.seen in "CD" and self._world.pilot.evse_low_mv > _DIODE_MV:
            self._own_fault("no diode in the negative half")

    # What it decides --------------------------------------------------------

    def _decide(self) -> None:
        """Bring generator and contactor to what the level, the offer and the mains allow."""
        config = self._world.config
        letter = self.seen
        if self.mode in _DARK:
            return
        if letter in "CD" and config.evse_needs_b and not self._saw_b and not self._refused:
            self._refused = True
            self._watch.note("direct_c: state C before B was seen")
        wants_pwm = self._energy and letter in "BCD" and not self._refused
        if wants_pwm and self.mode == "steady":
            self._book_pwm()
        elif not wants_pwm:
            cancel(self._start)
            self._start = None
            if self.mode == "pwm":
                self._steady()
        self._decide_contactor(letter)

    def _decide_contactor(self, letter: str) -> None:
        config = self._world.config
        served = letter == "C" or (letter == "D" and config.evse_ventilation)
        served = served and not self._refused
        if served and self.mode == "pwm" and self.offer_pct >= 8:
            self._end_grace()
            cancel(self._open)
            self._open = None
            self._check_diode()
            if not self.contactor_closed and self._close is None and self.mode == "pwm":
                self._close = self._after(config.evse_close_ms, self._close_now)
            return
        cancel(self._close)
        self._close = None
        if not self.contactor_closed:
            return
        if served:
            if self._grace is None:
                self._watch.start_x1()
                self._grace = self._after(config.evse_x1_open_ms, self._open_now, "load_x1")
        elif self._open is None:
            code = "load_s2" if letter == "B" else ""
            self._open = self._after(config.evse_open_ms, self._open_now, code)

    def _book_pwm(self) -> None:
        if self._start is None:
            due = self._world.t_us + round(self._world.config.evse_pwm_start_ms * 1000)
            self._start = self._world.clock.at(max(due, self._hold_until_us), self._start_pwm)

    def _start_pwm(self) -> None:
        self._start = None
        self._send()
        self._event(f"starts PWM at {self.offer_pct:.2f} %")
        self._decide()

    def _send(self) -> None:
        duty_pct = max(0.0, min(100.0, self.offer_pct + self._duty_error_pct))
        self._world.pilot.generate_pwm(duty_pct)
        self.mode = "pwm"

    def _steady(self) -> None:
        self.mode = "steady"
        self._world.pilot.generate_steady(1)

    # Contactor --------------------------------------------------------------

    def _close_now(self) -> None:
        self._close = None
        if self._weld != "stuck_open":
            self._set_contactor(True, "")

    def _open_now(self, code: str = "") -> None:
        self._open = None
        self._end_grace()
        cancel(self._close)
        self._close = None
        if self.contactor_closed and self._weld != "stuck_closed":
            self._set_contactor(False, code)

    def _set_contactor(self, closed: bool, code: str) -> None:
        self.contactor_closed = self._world.contactor_closed = closed
        if closed:
            self._watch.start_current()
        load_ma = self._world.charger.load_ma()
        text = f"contactor {'closes' if closed else 'opens'}"
        if not closed and load_ma > LOAD_MA:
            self.load_openings += 1
            text += f" under {load_ma / 1000:.1f} A"
            if code:
                self._watch.note(f"{code}: {text}")
        self._event(text)
        self._world.charger.mains_changed()

    def _end_grace(self) -> None:
        self._watch.end_x1()
        cancel(self._grace)
        self._grace = None

    # Verbs: offer -----------------------------------------------------------

    def offer(self, a: float) -> None:
        """Offer `a` per phase; below 6 A that is a pause, until the next offer."""
        if a < 6:
            starved = self._energy or self._starved
            self.pause()
            self._starved = starved
            return
        if self._starved:
            self._starved = False
            self._energy = True
        self.duty(offer_duty_pct(a))

    def duty(self, pct: float) -> None:
        """Send `pct`: 0 is steady -12 V, 100 a pause, anything between is PWM, whatever it means."""
        if not pct:
            self.error("f")
            return
        if pct >= 100:
            self.pause()
            return
        self.offer_pct = pct
        self._watch.forgive()
        self._event(f"offers {pct:.2f} %")
        if self.mode == "pwm":
            self._send()
        self._decide()

    def digital(self) -> None:
        """Send 5 %."""
        self.duty(5.0)

    def pause(self) -> None:
        """No energy now: steady pilot."""
        self._energy = self._starved = False
        self._hold_until_us = self._world.t_us + round(self._world.config.evse_x1_hold_ms * 1000)
        self._event("pauses")
        self._decide()

    def resume(self) -> None:
        """Energy again."""
        self._energy = True
        self._starved = False
        self._event("resumes")
        self._decide()

    # Verbs: errors ----------------------------------------------------------

    def error(self, state: str, hold: float = 0) -> None:
        """State E or F now; `hold` ms later as before."""
        if self.mode == "off":
            self._event("has no mains")
            return
        self._halt()
        self.mode = state
        self._event(f"goes to state {state.upper()}")
        self._world.pilot.generate_steady(0 if state == "e" else -1)
        self._watch.start_s2()
        if self.contactor_closed:
            self._open = self._after(self._world.config.evse_ef_open_ms, self._open_now)
        if hold:
            self._end = self._after(hold, self.recover)

    def recover(self) -> None:
        """Leave state E or F: steady, and from there by the level."""
        if self.mode not in ("e", "f"):
            return
        self._halt()
        self._open_now()
        self._event("recovers")
        self._restart()

    def wake_pulse(self, state: str, time: float | None = None) -> None:
        """State E for 4 s or F for 300 ms, or `time` ms, to wake a sleeping car."""
        self.error(state, time or (4000 if state == "e" else 300))

    def power_cut(self, hold: float = 0) -> None:
        """Mains gone: contactor drops at once, pilot 0 V; back after `hold` ms."""
        self._halt()
        self._event("loses mains")
        self.mode = "off"
        self._world.pilot.generate_steady(0)
        self._watch.start_s2()
        self._open_now()
        if hold:
            self._end = self._after(hold, self.power_back)

    def power_back(self) -> None:
        """Mains back: boots, then a pilot."""
        if self.mode == "off":
            cancel(self._end)
            self._end = self._after(self._world.config.evse_boot_ms, self._booted)

    def _booted(self) -> None:
        self._event("has booted")
        self._own_faults = 0
        self._restart()

    def _restart(self) -> None:
        self.seen = "A"
        self._raw = "A"
        self._saw_b = self._refused = False
        self._steady()
        self.level_changed()

    def _halt(self) -> None:
        """Drop every plan."""
        for booking in (self._debounce, self._start, self._close, self._open, self._end):
            cancel(booking)
        self._watch.end_s2()
        self._debounce = self._start = self._close = self._open = self._end = None
        self._end_grace()

    def trip(self) -> None:
        """A fault of its own: contactor open at once, load or not, then F."""
        self._own_fault("trips")

    def _own_fault(self, text: str) -> None:
        if self.mode == "off":
            return
        self._event(text)
        self._own_faults += 1
        self._open_now()
        config = self._world.config
        self.error("f", config.evse_retry_ms if self._own_faults <= config.evse_retries else 0)

    def contactor_fault(self, state: str) -> None:
        """Contactor ok, stuck_open or stuck_closed."""
        self._weld = state
        if state == "stuck_closed" and not self.contactor_closed:
            self._set_contactor(True, "")
        elif state == "stuck_open" and self.contactor_closed:
            self._set_contactor(False, "")
        elif state == "ok" and self.contactor_closed and self.state not in ("C2", "D2"):
            self._set_contactor(False, "")

    # Verbs: pilot source ----------------------------------------------------

    def frequency(self, hz: float) -> None:
        """Another PWM frequency, from the next period on."""
        self._world.pilot.set_hz(hz)

    def amplitude(self, high: float, low: float) -> None:
        """Other generator voltages, V."""
        self._world.pilot.set_source(high * 1000, low * 1000)

    def duty_error(self, pct: float) -> None:
        """Add `pct` to every duty sent."""
        self._duty_error_pct = pct
        if self.mode == "pwm":
            self._send()

    # Inside -----------------------------------------------------------------

    def plug_pulled(self) -> None:
        """The power contacts part. Called by the person."""
        self._watch.plug_pulled()

    def _after(self, delay_ms: float, callback, *args) -> Booking:
        return self._world.clock.after_ms(delay_ms, callback, *args)

    def _event(self, text: str) -> None:
        self._world.event(f"EVSE {text}")
