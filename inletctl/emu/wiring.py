"""The virtual inlet soldered to the pins of the emulated chip, by the names of the board file.

World time is simulated time since the board's first ADC conversion: that is when a real inlet would first be looked
at, and where the host's simulation has its time 0. Until then the world stands still.

What the plant says of a measurement as such has no pin of its own. The nearest thing that can be soldered stands
for it:

- `cp_sense dead`: the level's ADC pin lies on ground (-16.5 V: no pilot has that).
- `pp_sense dead`: PP and its rail read 0 V. `lock_feedback dead`: its wire is off, the pull-up shows.
- a `dead` sensor of a contact: its wire is off, the pull-up shows. `stale` and `stuck`: its voltage stays.
- `charger_report silent`: 0 V from the current converter, below its live zero. `ac_sense dead`: no light at the opto.
- noise of samples (`noise_burst`, `noise_steps`) is not on any wire: such a scenario is refused.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from inletctl.emu.car import CarSide
from inletctl.emu.chip import Alarm, Chip
from inletctl.emu.circuit import SUPPLY_MV, Circuit
from inletctl.emu.edges import (
    DEMAND_PERIOD_X10,
    charger_limit_ma,
    demand_pct_x100,
    next_pilot_edge,
    pilot_bit,
)
from inletctl.house import use_firmware
from inletctl.plant.clock import FAR_US
from inletctl.plant.world import World

use_firmware()

from signals import Commands  # noqa: E402

_US_NS = 1000
_X10_NS = 100
_TICK_US = 1000
# The bridge is driven by a carrier of 20 kHz; off for two of its periods is off.
_BRIDGE_OFF_NS = 100_000
# adc channel 0..2 of the chip are GPIO 26..28
_ADC_GPIO = 26
_LOCK_PULLUP_MV = 3300


class Wiring:
    """World and chip joined. `outputs` is what the pins command now; `on_time(t_us)` is called every ms and on dues."""

    def __init__(
        self,
        chip: Chip,
        world: World,
        board: Mapping[str, Any],
        on_time: Callable[[int], None],
        next_due_us: Callable[[], int] = lambda: FAR_US,
    ):
        self.chip = chip
        self.world = world
        self.circuit = Circuit(board)
        self.outputs = Commands()
        self.zero_ns = -1  # when the world's time began; -1 = not yet
        self.conversions = 0
        self.on_output: Callable[[int], None] | None = (
            None  # called as on_output(t_us) after a change
        )
        self._on_time = on_time
        self._next_due_us = next_due_us
        self._pins: Mapping[str, Mapping[str, Any]] = board["pins"]
        self._select = [self._gpio("mux_%d" % n) for n in range(4)]
        self._adc_names = {
            self._gpio(name) - _ADC_GPIO: name for name in ("adc_cp", "adc_mux", "adc_motor")
        }
        # CAN controller and discrete lines, where the board has them.
        self.car = CarSide(chip, world, board) if "spi" in board else None
        self._tick_us = 0
        self._enabled_ns = -_BRIDGE_OFF_NS  # when the bridge's carrier was last seen high
        self._enable_level = False
        self._demand_high = False
        self._random = Random("wiring %d" % world.seed)
        self._time_alarm = Alarm(chip, self._time)
        self._pilot_alarm = Alarm(chip, self._pilot)
        self._demand_alarm = Alarm(chip, self._demand)
        self._bridge_alarm = Alarm(chip, self._bridge)
        chip.answer_adc(self._convert)
        chip.listen(self._gpio("s2"), self._s2)
        chip.listen(self._gpio("bridge_enable"), self._bridge_enable)
        chip.listen(self._gpio("bridge_wake"), lambda _level: self._bridge())
        chip.listen(self._gpio("bridge_direction"), lambda _level: self._bridge())
        chip.drive(self._gpio("demand"), False)
        self._set_pilot()
        self._set_lines()

    # Time -------------------------------------------------------------------

    @property
    def t_us(self) -> int:
        """World time now, whole us."""
        return 0 if self.zero_ns < 0 else int(self.chip.clock.nanos - self.zero_ns + 0.5) // _US_NS

    def _start(self) -> None:
        self.zero_ns = self.chip.now_ns
        self._time_alarm.at(self.zero_ns)
        self._pilot_alarm.at(self.zero_ns)
        self._demand_alarm.at(self.zero_ns)

    def _sync(self) -> int:
        """Move the world up to now; return its time."""
        t_us = self.t_us
        if t_us > self.world.t_us:
            self.world.advance(t_us)
        return t_us

    def _time(self) -> None:
        t_us = self._sync()
        if t_us >= self._tick_us:
            self._tick_us = t_us - t_us % _TICK_US + _TICK_US
            self._read_slow()
            if self.car is not None:
                self.car.tick()
            self.world.apply(self.outputs)
            if self.on_output is not None:
                self.on_output(t_us)
        self._on_time(t_us)
        self.rewire()
        due_us = min(self._tick_us, self.world.clock.due_us, self._next_due_us())
        self._time_alarm.at(self.zero_ns + max(due_us, t_us + 1) * _US_NS)

    def rewire(self) -> None:
        """Bring every line up to what the world is now."""
        self._set_pilot()
        self._set_lines()

    def read_outputs(self) -> None:
        """Read every pin anew, as after a reset that let go of all of them."""
        if self.zero_ns >= 0:
            self._enable_level = self.chip.is_high(self._gpio("bridge_enable"))
            self._sync()
            self._read_slow()
            self.outputs.s2_close = self._is_active_output("s2")
            self.outputs.lock_drive = self._drive()
            self._obey()

    def _read_slow(self) -> None:
        """Read the lines that nobody waits for: once a ms is enough."""
        gpio = self._gpio("charger_limit")
        self.outputs.charger_ma = charger_limit_ma(self.chip.pwm_share_x10000(gpio))
        self.outputs.drive_allowed = self._is_active_output("drive_allowed")

    def _obey(self) -> None:
        """Let the world feel what the pins command now."""
        self.world.apply(self.outputs)
        if self.on_output is not None:
            self.on_output(self.world.t_us)
        self.rewire()

    # Edges in ---------------------------------------------------------------

    def _now_x10(self) -> int:
        if self.zero_ns < 0:
            return 0
        # Half a step of slack: an alarm set for a whole 0.1 us must not fall short of it.
        return int((self.chip.clock.nanos - self.zero_ns + _X10_NS // 2) // _X10_NS)

    def _set_pilot(self) -> None:
        """Put the level on the pilot pin that it has now, and wait for its next edge."""
        now = self._now_x10()
        capture = self.world.pilot.capture
        self.chip.drive(self._gpio("pilot"), bool(pilot_bit(capture, now)))
        following = next_pilot_edge(capture, now)
        if following is not None and self.zero_ns >= 0:
            jitter_x10 = self.world.pilot._jitter_x10
            if jitter_x10:
                following += self._random.randint(0, jitter_x10)
            self._pilot_alarm.at(self.zero_ns + max(following, now + 1) * _X10_NS)

    def _pilot(self) -> None:
        self._set_pilot()

    def _demand(self) -> None:
        """An edge of the car's demand line: rising every 10 ms, none while the car is silent."""
        now = self._now_x10()
        vehicle = self.world.vehicle
        phase = now % DEMAND_PERIOD_X10
        start = now - phase
        if self._demand_high or vehicle._silent:
            self._demand_high = False
            following = start + DEMAND_PERIOD_X10
        else:
            self._demand_high = True
            share = demand_pct_x100(vehicle._said_permits, vehicle._said_limit_ma)
            following = start + DEMAND_PERIOD_X10 * share // 10_000
        self.chip.drive(self._gpio("demand"), self._demand_high)
        self._demand_alarm.at(self.zero_ns + following * _X10_NS)

    def _set_lines(self) -> None:
        """Put the two buttons and the mains' opto on their pins."""
        world = self.world
        person, charger = world.person, world.charger
        is_live = charger.ac_state == "stuck_on" or (
            charger.ac_state == "ok" and charger.has_mains
        )
        for name, is_active in (
            ("ac_sense", is_live),
            ("stop_button", person.wants_stop),
            ("unlock_button", person.wants_unlock),
        ):
            self.chip.drive(self._gpio(name), is_active != self._is_inverted(name))

    # Levels in --------------------------------------------------------------

    def _convert(self, channel: int) -> int:
        if self.zero_ns < 0:
            self._start()
        self.conversions += 1
        name = self._adc_names.get(channel)
        if name == "adc_cp":
            return self.circuit.code(self._cp_pin_mv())
        if name == "adc_mux":
            number = 0
            for n in range(4):
                number |= self.chip.is_high(self._select[n]) << n
            return self.circuit.code(self.mux_mv(self.circuit.by_channel.get(number, "ground")))
        if name == "adc_motor":
            return self.circuit.code(self.circuit.motor_mv(self.world.lock.motor_ma))
        return 0

    def _cp_pin_mv(self) -> float:
        pilot = self.world.pilot
        if pilot._sense == "dead":
            return 0.0
        now = self._now_x10()
        mv = float(pilot._pin_mv[pilot.capture.segment_at(now).sign_at(now) + 1])
        if pilot._noise_mv:
            mv += self._random.randint(-pilot._noise_mv, pilot._noise_mv)
        return self.circuit.cp_pin_mv(mv)

    def mux_mv(self, name: str) -> float:
        """Return the voltage behind the multiplexer while it stands at `name`."""
        return self.circuit.divided_mv(name, self._source_mv(name))

    def _source_mv(self, name: str) -> float:
        world = self.world
        proximity, lock, charger = world.proximity, world.lock, world.charger
        if name.startswith("temp_") and name != "temp_rail":
            return self._temperature_mv(int(name[-1]))
        sources = {
            "pp": proximity.mv if proximity.is_measured else 0,
            "pp_rail": proximity.rail_mv if proximity.is_measured else 0,
            "temp_rail": world._temp_rail_mv,
            "lock_feedback": lock.feedback_mv if lock.has_feedback else _LOCK_PULLUP_MV,
            "ac_current": self.circuit.ac_current_mv(charger.ma) if charger.reports else 0,
            "supply": SUPPLY_MV,
            "reference": self.circuit.reference_mv,
        }
        return float(sources.get(name, 0))

    def _temperature_mv(self, n: int) -> float:
        contacts = self.world.contacts
        if n not in contacts.used:
            return 0.0
        return float(contacts.mv[n] if contacts.ok[n] else self.world._temp_rail_mv)

    # Out --------------------------------------------------------------------

    def _s2(self, _level: bool) -> None:
        closes = self._is_active_output("s2")
        if closes != self.outputs.s2_close and self.zero_ns >= 0:
            self._sync()
            self.outputs.s2_close = closes
            self._obey()

    def _bridge_enable(self, level: bool) -> None:
        if level or self._enable_level:
            self._enabled_ns = self.chip.now_ns
        self._enable_level = level
        self._bridge_alarm.at(self.chip.clock.nanos + _BRIDGE_OFF_NS)
        self._bridge()

    def _bridge(self) -> None:
        """Tell the world if the motor is driven another way now."""
        drive = self._drive()
        if drive != self.outputs.lock_drive and self.zero_ns >= 0:
            self._sync()
            self.outputs.lock_drive = drive
            self._obey()

    def _drive(self) -> int:
        """Return which way the bridge drives the motor: 1 towards locked, -1 towards unlocked, 0 off."""
        is_carried = self._enable_level or self.chip.now_ns - self._enabled_ns < _BRIDGE_OFF_NS - 1
        if not is_carried or not self._is_active_output("bridge_wake"):
            return 0
        return 1 if self._is_active_output("bridge_direction") else -1

    # Board file -------------------------------------------------------------

    def _gpio(self, name: str) -> int:
        return int(self._pins[name]["gpio"])

    def _is_inverted(self, name: str) -> bool:
        return self._pins[name].get("active", "high") == "low"

    def _is_active_output(self, name: str) -> bool:
        # A pin the chip does not drive is inactive whatever its polarity: the board's pulls see to that.
        pin = self.chip.mcu.gpio[self._gpio(name)]
        return bool(pin.output_enable) and self.chip.is_high(
            self._gpio(name)
        ) != self._is_inverted(name)
