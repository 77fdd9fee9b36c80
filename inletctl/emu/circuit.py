"""The reference circuit between the inlet and the ADC pins, in numbers of the board file. Pure functions, mV and codes.

The firmware turns the same numbers round (drivers/analog.py). Written apart on purpose: a mistake in either shows.
"""

from collections.abc import Mapping
from typing import Any

ADC_CODES = 4096
SUPPLY_MV = 13_800  # the car's battery while it charges


class Circuit:
    """Dividers, multiplexer and converters of one board file (its JSON as a dict)."""

    def __init__(self, board: Mapping[str, Any]):
        self.adc_ref_mv = board["adc_ref_mv"]
        self.dividers: Mapping[str, list[int]] = board.get("dividers", {})
        self.by_channel = {number: name for name, number in board["mux"].items()}
        self.reference_mv = board["reference_mv"]
        self.ac_zero_mv = board["ac_current"]["zero_mv"]
        self.ac_ma_per_mv = board["ac_current"]["ma_per_mv"]
        self.motor_ma_per_mv = board["motor"]["ma_per_mv"]
        cp = board["cp"]
        siemens = [1 / cp[key] for key in ("series_ohm", "pullup_ohm", "pulldown_ohm")]
        self._cp_gain = siemens[0] / sum(siemens)
        self._cp_offset_mv = cp.get("rail_mv", self.adc_ref_mv) * siemens[1] / sum(siemens)

    def code(self, mv: float) -> int:
        """Return what the 12-bit ADC makes of `mv` at its pin."""
        return min(ADC_CODES - 1, max(0, int(mv * ADC_CODES / self.adc_ref_mv)))

    def cp_pin_mv(self, cp_mv: float) -> float:
        """Return the ADC pin's voltage for `cp_mv` at the inlet."""
        return self._cp_gain * cp_mv + self._cp_offset_mv

    def divided_mv(self, name: str, mv: float) -> float:
        """Return what is left of `mv` behind the divider of `name`."""
        top_ohm, bottom_ohm = self.dividers.get(name, (0, 0))
        return mv * bottom_ohm / (top_ohm + bottom_ohm) if bottom_ohm else mv

    def ac_current_mv(self, ma: float) -> float:
        """Return the AC current converter's output."""
        return self.ac_zero_mv + ma / self.ac_ma_per_mv

    def motor_mv(self, ma: float) -> float:
        """Return the bridge's current mirror."""
        return ma / self.motor_ma_per_mv
