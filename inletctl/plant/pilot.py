"""The control pilot from the EVSE's generator to what the car's controller measures of it.

Levels come from the resistor network at the moment they are asked for; edges from wave.Capture.
"""

from random import Random
from typing import TYPE_CHECKING

from inletctl.plant import network
from inletctl.plant.clock import Booking, cancel
from inletctl.plant.noise import Noise
from inletctl.plant.wave import Capture, Segment

if TYPE_CHECKING:
    from inletctl.plant.world import World


class Pilot:
    """Generator output, cable, the car's resistors, S2, and the measurement."""

    def __init__(self, world: "World", seed: int):
        config = world.config
        self._world = world
        self.high_mv = config.evse_high_v * 1000.0  # of the generator
        self.low_mv = config.evse_low_v * 1000.0
        self.hz = config.evse_hz
        self.sent_pct_x100 = 0  # duty of the PWM sent or booked, 0.01 %; meaningful while has_pwm
        self._duty_pct = 0.0  # as asked for
        self.has_pwm = False
        self.touches = False  # the plug's CP contact meets the inlet's
        self.s2_told = False
        self.s2_fault_state = "ok"
        self.evse_high_mv = self.high_mv  # at the EVSE's own terminal, generator high
        self.evse_low_mv = self.low_mv
        self.noise = Noise(seed)
        self.capture = Capture()
        self._wire = "ok"
        self._pe = "ok"
        self._diode = "ok"
        self._leak_ohm = network.OPEN_OHM
        self._sense = "ok"
        self._offset_mv = -config.ground_offset_mv
        self._sense_offset_mv = 0.0
        self._jitter_x10 = round(config.evse_jitter_us * 10)
        self._noise_mv = round(config.cp_noise_mv)
        self._random = Random(f"pilot {seed}")
        self._pin_mv = [0, 0, 0]  # as measured, with the generator low, dead, high
        self._wire_booking: Booking | None = None
        self._solve()

    # Generator, moved by the EVSE -------------------------------------------

    def generate_steady(self, sign: int) -> None:
        """Send +12 V (1), nothing (0) or -12 V (-1), from this microsecond on."""
        self.has_pwm = False
        self.capture.send(Segment(self._now_x10(), sign))

    def generate_pwm(self, duty_pct: float) -> None:
        """Send PWM: from now on if there was none, else the new duty with the next period, as a timer does."""
        self.has_pwm = True
        self._duty_pct = duty_pct
        now = self._now_x10()
        period = round(1e7 / self.hz)
        # Cut to the timer's 0.1 us: an EVSE never offers more than it has.
        high = int(period * duty_pct / 100 + 1e-6)
        self.sent_pct_x100 = high * 10_000 // period
        start = self.capture.next_boundary_x10(now)
        if 0 < high < period:
            self.capture.send(Segment(start, 1, period, high))
        else:
            self.capture.send(Segment(start, 1 if high else -1))

    def set_hz(self, hz: float) -> None:
        """Another frequency, from the next period on."""
        self.hz = hz
        if self.has_pwm:
            self.generate_pwm(self._duty_pct)

    def set_source(self, high_mv: float, low_mv: float) -> None:
        """Other generator voltages."""
        self.high_mv = high_mv
        self.low_mv = low_mv
        self._relink()

    def lost_cycles(self, count: int, level: str) -> None:
        """The generator leaves the next `count` periods out; its phase goes on."""
        capture = self.capture
        start = capture.next_boundary_x10(self._now_x10())
        now = capture.segment_at(start)
        if not now.period_x10:
            self._world.event("no PWM, so no cycle is lost")
            return
        capture.send(Segment(start, 1 if level == "high" else -1))
        capture.send(Segment(start + count * now.period_x10, 1, now.period_x10, now.high_x10))

    # Car and wiring ---------------------------------------------------------

    def touch(self, touches: bool) -> None:
        """The plug's CP contact makes or parts."""
        self.touches = touches
        self._relink()

    def set_s2(self, told: bool) -> None:
        """The controller closes or opens S2."""
        self.s2_told = told
        self._relink()

    @property
    def s2_closed(self) -> bool:
        """Whether S2 really is closed."""
        return self.s2_fault_state == "stuck_closed" or (
            self.s2_told and self.s2_fault_state == "ok"
        )

    @property
    def is_whole(self) -> bool:
        """Whether the EVSE sees the car's resistors: plug in, wire and earth whole."""
        return self.touches and self._wire == "ok" and self._pe == "ok"

    def cp_wire(self, state: str, hold: float = 0) -> None:
        """Break, short to PE or mend the wire; `hold` ms later it is whole again."""
        self._wire = state
        cancel(self._wire_booking)
        if hold:
            self._wire_booking = self._world.clock.after_ms(hold, self.cp_wire, "ok")
        self._relink()

    def pe_wire(self, state: str) -> None:
        """Without PE the pilot has no way back: 0 V at the car, an open end at the EVSE."""
        self._pe = state
        self._relink()

    def cp_leak(self, ohm: float) -> None:
        """Leak from CP to PE; 0 = none."""
        self._leak_ohm = ohm or network.OPEN_OHM
        self._relink()

    def diode(self, state: str) -> None:
        """Diode ok, open or short."""
        self._diode = state
        self._relink()

    def s2_fault(self, state: str) -> None:
        """S2 ok, stuck_open or stuck_closed."""
        self.s2_fault_state = state
        self._relink()

    def cp_sense(self, state: str, offset: float) -> None:
        """The measurement: ok, dead (no levels) or no_edges; `offset` mV is added to both levels."""
        self._sense = state
        self._sense_offset_mv = offset
        self._relink()

    def set_jitter(self, us: float) -> None:
        """Uniform +- jitter of what the capture measures."""
        self._jitter_x10 = round(us * 10)

    def noise_burst(self, samples: int, window: float, kind: str) -> None:
        """So many of the samples taken in the next `window` ms are bad."""
        self.noise.burst(self._world.t_us, samples, round(window * 1000), kind)

    def noise_steps(self, passes: int, kind: str) -> None:
        """Every sample of the next passes is bad."""
        self.noise.steps(passes, kind)

    # Measurement ------------------------------------------------------------

    @property
    def cp_mv(self) -> int:
        """Return the level at the pin while the generator is high, or its steady level."""
        return self._pin_mv[self.capture.segment_at(self._now_x10()).sign + 1]

    def sample(self, readings) -> None:
        """Fill the pilot's part of the readings from the window since the last sample."""
        now_x10 = self._world.t_us * 10
        capture = self.capture
        capture.collect(now_x10)
        segment = (
            capture.segments[0] if len(capture.segments) == 1 else capture.segment_at(now_x10)
        )
        pins = self._pin_mv
        high_mv = low_mv = pins[segment.sign + 1]
        if segment.period_x10 and now_x10 >= segment.start_x10 + segment.high_x10:
            low_mv = pins[0]
        readings.cp_ok = self._sense != "dead"
        if self._world.t_us >= self.noise.next_us or self._jitter_x10 or self._noise_mv:
            self._sample_spoilt(readings, high_mv, low_mv)
            return
        count = capture.periods
        if count:
            readings.pilot_high_us_x10[:] = capture.highs_x10
            readings.pilot_period_us_x10[:] = capture.periods_x10
        readings.pilot_count = count
        readings.pilot_quiet_ms = capture.quiet_ms
        readings.cp_high_mv = high_mv
        readings.cp_low_mv = low_mv

    def _sample_spoilt(self, readings, high_mv: int, low_mv: int) -> None:
        """Sample with noise: of this pass, or the little there always is."""
        capture = self.capture
        count = capture.periods
        highs, periods = list(capture.highs_x10[:count]), list(capture.periods_x10[:count])
        levels = [high_mv, low_mv]
        quiet_ms = capture.quiet_ms
        if self._jitter_x10:
            for n in range(count):
                periods[n] += self._random.randint(-self._jitter_x10, self._jitter_x10)
                high = highs[n] + self._random.randint(-self._jitter_x10, self._jitter_x10)
                highs[n] = max(1, min(high, periods[n] - 1))
        if self._noise_mv:
            for n in (0, 1):
                levels[n] += self._random.randint(-self._noise_mv, self._noise_mv)
        if self._world.t_us >= self.noise.next_us and self.noise.spoil(
            self._world.t_us, highs, periods, levels
        ):
            quiet_ms = 0
            capture.last_edge_x10 = self._now_x10()
        for n in range(len(periods)):
            readings.pilot_high_us_x10[n] = highs[n]
            readings.pilot_period_us_x10[n] = periods[n]
        readings.pilot_count = len(periods)
        readings.pilot_quiet_ms = quiet_ms
        readings.cp_high_mv, readings.cp_low_mv = levels

    # Inside -----------------------------------------------------------------

    def _now_x10(self) -> int:
        return self._world.t_us * 10

    def _relink(self) -> None:
        self._solve()
        self._world.evse.level_changed()

    def _solve(self) -> None:
        """Solve the network anew: what the pin, the slicer and the EVSE see of each generator level."""
        config = self._world.config
        source_ohm = config.evse_source_ohm
        pins = [0.0, 0.0, 0.0]
        self.evse_high_mv, self.evse_low_mv = self.high_mv, self.low_mv
        if self.touches and self._wire == "short":
            self.evse_high_mv = self.evse_low_mv = 0.0
        elif self.is_whole:
            ev_ohm = config.ev_ohm
            if self.s2_closed:
                ev_ohm = network.parallel_ohm(ev_ohm, config.ev_s2_ohm)
            for n, source_mv in enumerate((self.low_mv, 0.0, self.high_mv)):
                pins[n] = network.pilot_mv(
                    source_mv, source_ohm, self._leak_ohm, ev_ohm, config.ev_diode_mv, self._diode
                )
            self.evse_low_mv, self.evse_high_mv = pins[0], pins[2]
            pins = [mv + self._offset_mv for mv in pins]
        bits = tuple(int(mv > config.slicer_mv) for mv in pins)
        if self._sense == "no_edges":
            bits = (0, 0, 0)
        self._pin_mv = [
            max(-15_000, min(15_000, round(mv + self._sense_offset_mv))) for mv in pins
        ]
        self.capture.link(self._now_x10(), (bits[0], bits[1], bits[2]))
