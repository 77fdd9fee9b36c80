"""The permitted current: the lowest of every limit, and who set it. Plain values in; asked by the interlock."""

from micropython import const

LIMIT_NONE = const(0)
LIMIT_PILOT = const(1)
LIMIT_CABLE = const(2)
LIMIT_TEMPERATURE = const(3)
LIMIT_SETTING = const(4)
LIMIT_VEHICLE = const(5)
LIMIT_LOCK = const(6)
LIMIT_PERSON = const(7)
LIMIT_PORT = const(8)
LIMITER_NAMES = (
    "none",
    "pilot",
    "cable",
    "temperature",
    "setting",
    "vehicle",
    "lock",
    "person",
    "port",
)


class Limits:
    """Call `tick` once a pass. Allocates nothing."""

    def __init__(self, settings, lock_is_optional: bool):
        self._max_ma = settings.max_current_ma
        self._lock_fail_ma = settings.lock_fail_ma
        self._lock_is_optional = lock_is_optional  # charging at a lower current without it
        self.permitted_ma = 0
        self.limiter = LIMIT_NONE

    def tick(self, i) -> None:
        """Find the lowest limit of `i` (interlock.Inputs) and who set it; of equals the first one asked here.

        The setting is asked before the temperature: undisturbed, that limit is the setting itself.
        """
        ma = i.offered_ma
        limiter = LIMIT_PILOT
        if i.has_rating and i.rated_ma < ma:
            ma = i.rated_ma
            limiter = LIMIT_CABLE
        if self._max_ma < ma:
            ma = self._max_ma
            limiter = LIMIT_SETTING
        if i.thermal_ma < ma:
            ma = i.thermal_ma
            limiter = LIMIT_TEMPERATURE
        if i.vehicle_limit_ma < ma:
            ma = i.vehicle_limit_ma
            limiter = LIMIT_VEHICLE
        if i.person_ma < ma:
            ma = i.person_ma
            limiter = LIMIT_PERSON
        if i.port_ma < ma:
            ma = i.port_ma
            limiter = LIMIT_PORT
        if self._lock_is_optional and not i.is_locked and self._lock_fail_ma < ma:
            ma = self._lock_fail_ma
            limiter = LIMIT_LOCK
        self.permitted_ma = ma if ma > 0 else 0
        self.limiter = limiter
