"""Contacts that heat up, and the sensors that tell of it.

Each contact is one heat capacity on one thermal resistance to ambient, heated by I2R in its transition
resistance; its sensor follows it with a lag. A step of 100 ms is solved exactly (exponentials, not Euler), with
the mean of the squared current over the step. One used channel is converted every 100 ms, in turn.
"""

from array import array
from math import exp
from random import Random
from typing import TYPE_CHECKING

from inletctl.plant.config import CONTACTS
from inletctl.plant.network import OPEN_OHM, divider_mv

if TYPE_CHECKING:
    from inletctl.plant.world import World

STEP_MS = 100
_KELVIN = 273.15
# IEC 60751, Callendar-Van Dusen
_PT_A, _PT_B, _PT_C = 3.9083e-3, -5.775e-7, -4.183e-12


def ntc_ohm(c: float, r25_ohm: float, beta: float) -> float:
    """Return the resistance of an NTC at `c`."""
    return r25_ohm * exp(beta * (1 / (c + _KELVIN) - 1 / (25 + _KELVIN)))


def pt1000_ohm(c: float) -> float:
    """Return the resistance of a PT1000 at `c`, -200..850 C."""
    below = _PT_C * (c - 100) * c**3 if c < 0 else 0.0
    return 1000 * (1 + _PT_A * c + _PT_B * c * c + below)


def warm(
    c: float, sensor_c: float, end_c: float, gain: float, lag_gain: float
) -> tuple[float, float]:
    """Return contact and sensor one step later. end_c: where the contact would settle; gains: shares of the way."""
    next_c = c + (end_c - c) * gain
    return next_c, sensor_c + ((c + next_c) / 2 - sensor_c) * lag_gain


class Contacts:
    """Four contacts in the order of CONTACTS = the channels of Readings; verbs are in verbs.VERBS."""

    def __init__(self, world: "World", seed: int):
        self._world = world
        config = world.config
        self.kinds = tuple(getattr(config, f"sensor_{name}") for name in CONTACTS)
        self.used = tuple(n for n, kind in enumerate(self.kinds) if kind != "none")
        self.c = [float(config.ambient_c)] * len(CONTACTS)  # contact, true
        self.decic = [round(config.ambient_c * 10)] * len(CONTACTS)  # the same for the recorder
        self.sensor_c = list(self.c)  # what the sensor's own body has
        self.milliohm = [float(config.contact_milliohm)] * len(CONTACTS)
        self.ok = array("b", [0] * len(CONTACTS))
        self.mv = array("i", [0] * len(CONTACTS))
        self.converted_us = [0] * len(CONTACTS)
        self._ambient_c = float(config.ambient_c)
        self._states = ["ok"] * len(CONTACTS)
        self._rate_k_s = [0.0] * len(CONTACTS)
        self._by_k = [0.0] * len(CONTACTS)
        self._since_us = [0] * len(CONTACTS)
        self._spikes: list[list[float]] = [[] for _name in CONTACTS]
        self._next = 0
        self._random = Random(f"contacts {seed}")
        tau_ms = config.contact_k_per_w * config.contact_j_per_k * 1000
        self._gain = 1 - exp(-STEP_MS / tau_ms)
        lag_ms = config.sensor_lag_ms
        self._lag_gain = 1 - exp(-STEP_MS / lag_ms) if lag_ms else 1.0
        for channel in self.used:
            self._convert(channel)
        world.clock.after_ms(STEP_MS, self._step)

    def _step(self) -> None:
        world = self._world
        world.clock.after_ms(STEP_MS, self._step)
        mean_a2 = world.charger.take_mean_a2()
        k_per_w = world.config.contact_k_per_w
        around_c = self._ambient_c
        if world.port.is_used:
            around_c += world.port.rise_k
        dc_a2 = (world.dc.ma * 0.001) ** 2
        for n in range(len(CONTACTS)):
            # The charger's current runs through AC L and AC N only, the station's DC through the others.
            end_c = around_c + (mean_a2 if n < 2 else dc_a2) * self.milliohm[n] * 0.001 * k_per_w
            self.c[n], self.sensor_c[n] = warm(
                self.c[n], self.sensor_c[n], end_c, self._gain, self._lag_gain
            )
            self.decic[n] = round(self.c[n] * 10)
        if self.used:
            self._next = (self._next + 1) % len(self.used)
            self._convert(self.used[self._next])

    def _convert(self, n: int) -> None:
        state = self._states[n]
        if state == "stale":
            return
        self.converted_us[n] = self._world.t_us
        self.ok[n] = state != "dead"
        if state not in ("stuck", "dead"):
            self.mv[n] = round(self._divider_mv(n, state))

    def _divider_mv(self, n: int, state: str) -> float:
        config = self._world.config
        pullup_ohm = config.ntc_pullup_ohm if self.kinds[n] == "ntc" else config.pt_pullup_ohm
        c = self.sensor_c[n]
        if self._spikes[n]:
            c = self._spikes[n].pop()
        elif state == "open":
            return divider_mv(config.temp_rail_mv, pullup_ohm, OPEN_OHM)
        elif state == "short":
            return 0.0
        elif state == "drift":
            c += self._rate_k_s[n] * (self._world.t_us - self._since_us[n]) / 1e6
        elif state == "offset":
            c += self._by_k[n]
        elif state == "noise":
            c += self._random.uniform(-self._by_k[n], self._by_k[n])
        c = max(-100.0, min(400.0, c))
        if self.kinds[n] == "ntc":
            return divider_mv(
                config.temp_rail_mv, pullup_ohm, ntc_ohm(c, config.ntc_r25_ohm, config.ntc_beta)
            )
        return divider_mv(config.temp_rail_mv, pullup_ohm, pt1000_ohm(c))

    # Verbs ------------------------------------------------------------------

    def wear(self, contact: str, milliohm: float) -> None:
        """Another transition resistance."""
        for n in _channels(contact):
            self.milliohm[n] = milliohm
        self._world.event(f"contact {contact} now has {milliohm:g} milliohm")

    def set_ambient(self, c: float) -> None:
        """Another ambient temperature."""
        self._ambient_c = c

    def heat(self, contact: str, c: float) -> None:
        """Contact and sensor are at `c` now."""
        for n in _channels(contact):
            self.c[n] = self.sensor_c[n] = c
            self.decic[n] = round(c * 10)

    def sensor(self, contact: str, state: str, rate: float, by: float) -> None:
        """Sensor ok, or broken in one of the ways of the verb."""
        for n in _channels(contact):
            self._states[n] = state
            self._rate_k_s[n] = rate
            self._by_k[n] = by
            self._since_us[n] = self._world.t_us
        self._world.event(f"sensor {contact}: {state}")

    def spike(self, contact: str, c: float, count: int) -> None:
        """The next `count` conversions read `c`."""
        for n in _channels(contact):
            self._spikes[n] = [c] * int(count)

    # Measurement ------------------------------------------------------------

    def sample(self, readings) -> None:
        """Fill the temperatures' part of the readings."""
        now_us = self._world.t_us
        readings.temp_ok[:] = self.ok
        readings.temp_mv[:] = self.mv
        ages = readings.temp_age_ms
        for n in self.used:
            age_ms = (now_us - self.converted_us[n]) // 1000
            ages[n] = age_ms if age_ms < 60_000 else 60_000


def _channels(contact: str) -> tuple[int, ...]:
    return tuple(range(len(CONTACTS))) if contact == "all" else (CONTACTS.index(contact),)
