"""Loads the car's side, as much of it as the settings ask for. A board does so after its first passes: at boot there is no time."""

import gc

from modules import forget_making
from settings import CAN_RATES, INLETS

# Of the car's side what needs no CAN; the rest by what the settings ask for. Loaded one a pass, then composed.
CAR_PARTS = ("vehicle.clock", "vehicle.schedule", "vehicle.sleep", "vehicle.wires")
# By settings.CAN_DIALECTS.
DIALECT_PARTS = (
    (),
    ("vehicle.can_native", "vehicle.can_native_raw", "vehicle.bus_native"),
    ("vehicle.can_cpc", "vehicle.bus_cpc"),
    ("vehicle.can_i3lim", "vehicle.bus_i3lim"),
)


def _needs_car(settings) -> bool:
    """Tell whether charging depends on the car's side: nothing is charged before it is there."""
    return bool(
        settings.can
        or settings.modem
        or settings.lines_used
        or (settings.dc_max_a and INLETS[settings.inlet] == "nacs")
        or settings.window_1_days
        or settings.window_2_days
        or settings.target_soc_pct < 100
        or settings.person_limit_ma < settings.max_current_ma
    )


def _car_parts(settings) -> list:
    """Return the modules of the car's side that these settings ask for; none where they ask for nothing of it."""
    parts = []
    if settings.modem:
        parts += ["vehicle.bus_parts", "vehicle.can_modem", "vehicle.modem"]
    if settings.can:
        parts += ["vehicle.bus_parts", "vehicle.bus"]
        parts += DIALECT_PARTS[settings.can]
    if settings.heater:
        parts.append("vehicle.heater")
    if settings.door:
        parts.append("vehicle.door")
    wants_sleep = settings.sleep_after_s and "sleep_after_s" in settings.given
    if parts or _needs_car(settings) or wants_sleep:
        parts = list(CAR_PARTS) + parts + ["vehicle.car"]
    return parts


class CarLoader:
    """Loads the car's side a step at a time, at rest: all of it in one pass would be a fifth of a second."""

    def __init__(self, board, settings):
        self._board = board
        self._settings = settings
        self._parts = _car_parts(settings)
        self._at = -1  # next part; before the first the memory is put in order
        self.is_urgent = _needs_car(settings)
        self.is_done = not self._parts
        self.car = None

    def step(self) -> None:
        """Take the next step; the caller has seen to it that nothing is energised. Raises what loading raises."""
        at = self._at
        self._at = at + 1
        if at < 0:
            forget_making()
        # Before each, so that what it keeps fills the gaps that were left before it.
        gc.collect()
        if at < 0:
            return
        if at < len(self._parts):
            __import__(self._parts[at])
        else:
            self.car = self._compose()
            self.is_done = True

    def _compose(self):
        from vehicle.car import Car

        settings = self._settings
        board = self._board
        can = None
        lines = None
        # A board without the method has none.
        if settings.can or settings.modem:
            open_can = getattr(board, "open_can", None)
            can = open_can(int(CAN_RATES[settings.can_rate][:-1])) if open_can else None
        if settings.lines_used or settings.heater or settings.door:
            open_lines = getattr(board, "open_lines", None)
            lines = open_lines() if open_lines else None
        car = Car(settings, can, lines, board)
        if settings.can:
            # Where CAN is chosen a demand line is not the vehicle's word: reading it would only take time.
            close_demand = getattr(board, "close_demand", None)
            if close_demand:
                close_demand()
        return car
