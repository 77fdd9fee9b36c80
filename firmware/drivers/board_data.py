"""What a checked board file says."""

# What MicroPython calls the chips.
CHIP_OF_PLATFORM = {"rp2": "rp2040", "esp32": "esp32"}


class PinEntry:
    """One pin: `gpio` number, `is_inverted` (active low), `pull` "none", "up" or "down"."""

    def __init__(self, gpio: int, is_inverted: bool, pull: str):
        self.gpio = gpio
        self.is_inverted = is_inverted
        self.pull = pull


class BoardData:
    """
    A board, checked. Made by board_file.load or by board_checked.checked; immutable but for `trim`.

    name, chip          str; chip is "rp2040" or "esp32"
    adc_ref_mv          full scale of the ADC, mV
    pins                dict of name to PinEntry: every name of board_file.PIN_NAMES (the three lights may be left out
                        where there is a strip)
    mux                 dict of input to channel, 0..15
    mux_grounds         channels tied to ground, the one that is read first
    reference_mv        what the channel "reference" reads
    ac_zero_mv, ac_ma_per_mv    charger current: mV at 0 A, mA a mV above it
    motor_ma_per_mv     bridge current a mV
    motor_pwm_32nds     share of the supply the lock's motor gets, 2..31
    watchdog_ms         500..2000
    spi                 GPIO of sck, mosi and miso; None where the board has no such bus
    can                 cs and crystal_hz of the CAN controller on it, or None
    lines               cs of the port expander on it, or None
    strip               gpio, count and brightness_pct of a strip of WS2812 LEDs, or None
    """

    def __init__(self, data: dict, pins: dict, scales: dict, mux_grounds: tuple):
        self.name = data["name"]
        self.chip = data["chip"]
        self.adc_ref_mv = data["adc_ref_mv"]
        self.pins = pins
        self.mux = data["mux"]
        self.mux_grounds = mux_grounds
        self.reference_mv = data["reference_mv"]
        self.ac_zero_mv = data["ac_current"]["zero_mv"]
        self.ac_ma_per_mv = data["ac_current"]["ma_per_mv"]
        self.motor_ma_per_mv = data["motor"]["ma_per_mv"]
        self.motor_pwm_32nds = data["motor"]["pwm_32nds"]
        self.watchdog_ms = data["watchdog_ms"]
        self.spi = data.get("spi")
        self.can = data.get("can")
        self.lines = data.get("lines")
        self.strip = data.get("light_ws2812")
        self.scales = scales

    def scale(self, name: str):
        """Return (multiplier, divisor, offset_mv): input_mv = adc_mv * multiplier // divisor + offset_mv.

        `name` is "cp" or an input of the multiplexer. For adc_mv 0..adc_ref_mv no intermediate leaves the small
        integers.
        """
        if name not in self.scales:
            raise ValueError("mux: this board has no input %s" % name)
        return self.scales[name]

    def trim(self) -> None:
        """Forget what only the making of drivers asks for, but those on the SPI bus: a board has little room."""
        self.pins = {name: self.pins[name] for name in self.pins if name.startswith("mux_")}
        self.mux = {}
        self.mux_grounds = ()
        self.scales = {}
