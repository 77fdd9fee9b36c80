"""Readings that a scenario writes itself, whatever the world would measure: how a counter-example of the search is told.

What the car's side of the firmware fills is its own again where it is loaded.
"""

from typing import Any

from inletctl.house import use_firmware

use_firmware()

from drivers.virtual_layout import ARRAYS, FIELDS  # noqa: E402

# signals.Readings that no frame of the virtual board carries, since the car's side fills them.
_OF_CAR = (
    "holds", "person_limit_ma", "dc_ok", "dc_mv", "car_ac_live", "contactors_ok", "contactors_open", "car_unlock",
    "car_stop", "modem_age_ms", "modem_wants_c", "modem_toggles", "modem_permits_unlock",
)  # fmt: skip
# Name -> (attribute, index in it; -1: every one, None: it is no array).
NAMES: dict[str, tuple[str, "int | None"]] = {name: (name, None) for name in FIELDS + _OF_CAR}
for _name, _size in ARRAYS:
    NAMES[_name] = (_name, -1)
    for _n in range(_size):
        NAMES["%s_%d" % (_name, _n)] = (_name, _n)


def force(readings: Any, values: dict[str, int]) -> None:
    """Write `values`, by their names, into a signals.Readings."""
    for name, value in values.items():
        attribute, index = NAMES[name]
        if index is None:
            setattr(readings, attribute, value)
            continue
        array = getattr(readings, attribute)
        for n in range(len(array)) if index < 0 else (index,):
            array[n] = value
