"""An ESP32 board: makes the pins, converters and timers a board file names, and hands them to the drivers.

The board contract of main.run, and nothing else: no policy. sample, actuate, feed_watchdog, next_pass and talk allocate
nothing. What an ESP32 does not have, beside an RP2040: docs/silicon.md. None of this has run on silicon.
"""

from machine import (
    ADC,
    RTC,
    WDT,
    WDT_RESET,
    Pin,
    Timer,
    reset_cause,
    time_pulse_us,
)
from micropython import const

from drivers.analog import Analog
from drivers.bridge_out import BridgeOut
from drivers.charger_lines import DemandIn
from drivers.chip_board import ChipBoard
from drivers.esp32_dead_man import DEAD_MAN_MS, PWM_HZ, LoopWatch, PinHold, PWMHold
from drivers.esp32_edges import BlockMark, Esp32Edges
from drivers.esp32_level import Esp32Level
from drivers.esp32_pilot import Esp32Pilot
from ticks import ticks_diff

TYPE_CHECKING = const(False)

if TYPE_CHECKING:  # plain ints, as in ticks.py

    def ticks_ms() -> int: ...
    def ticks_us() -> int: ...

else:
    from time import ticks_ms, ticks_us

_TIMER = const(0)  # hardware timer of the dead-man
# The port cannot stop its watchdog, but stretches it when asked for another.
_HOUR_MS = const(3600000)
# Below this the ADC tells nothing: ESP-IDF gives 150..2450 mV at 11 dB, and a grounded pin reads more than 100 mV once
# calibrated (its issue 1739). It counts as 0: a bridge that is off has no current, and the self-check finds its ground.
_FLOOR_MV = const(150)
# What the RTC's memory holds across a reset: these three bytes while the loop runs, then the crashes before it.
_RUNNING = b"OI\x01"
_CRASHES_MAX = const(255)
_HEALTHY_PASSES = const(6000)  # one minute
_MUX_PINS = ("mux_0", "mux_1", "mux_2", "mux_3")


class Esp32Board(ChipBoard):
    """
    Made once from a checked board file; `store` has read() -> dict or None.

    Raises ValueError or OSError where the board file asks for what the chip cannot do; everything already made is
    safe again then.
    """

    def __init__(self, board_file, store):
        super().__init__(board_file, store)
        self.was_lost = False  # S2 or the bridge went off uncommanded; sample hands it over, once
        self._is_held = False  # they stay off until the step has commanded both off
        is_made = False
        try:
            self._remember = RTC().memory
            self._life = bytearray(_RUNNING + b"\x00")
            # Watchdog resets in a row that ended a running loop, 0..255 (stays there); 0 after a minute of passes.
            self.crashes = _crashes(self._remember())
            self._healthy_passes = 0
            self._make()
            self._start_clock()
            board_file.trim()
            is_made = True
        finally:
            if not is_made:
                self.safe()

    # ------------------------------------------------------------------------------------- building

    def _make(self) -> None:
        file = self._file
        if file.chip != "esp32":
            raise ValueError("chip: %s is for an %s, this is an esp32" % (file.name, file.chip))
        for name in ("s2", "bridge_enable", "drive_allowed"):
            if file.pins[name].is_inverted:
                raise ValueError("pins: %s cannot be active low: a reset must release it" % name)
        self._s2 = self._part(PinHold(self._pin("s2")))
        self._enable = self._part(
            PWMHold(
                self._pwm("bridge_enable", PWM_HZ),
                self._pin_as_is("bridge_enable"),
                file.motor_pwm_32nds,
            )
        )
        self._bridge = self._part(
            BridgeOut(self._output("bridge_direction"), self._output("bridge_wake"), self._enable)
        )
        self._drive_allowed = self._part(PinHold(self._pin("drive_allowed")))
        self._mark = BlockMark()
        self._make_lines()
        self._make_analog()
        pilot = self._pin("pilot")
        self._cp_uv = ADC(self._pin("adc_cp"), atten=ADC.ATTN_11DB).read_uv
        level = Esp32Level(pilot, self._cp_mv, file.scale("cp"), file.adc_ref_mv)
        self._pilot = Esp32Pilot(pilot, level, self._mark, time_pulse_us, ticks_us)
        self._edges = self._part(Esp32Edges(self._pin("demand"), self._mark, ticks_us))
        self._demand = DemandIn(self._edges)
        holds = (self._s2, self._enable, self._drive_allowed)
        self._watch = self._part(LoopWatch(Timer(_TIMER), holds, ticks_ms))
        self._watch.start()

    def _make_strip(self, strip: dict):
        from machine import bitstream

        from drivers.ws2812 import BitstreamStrip

        pin = Pin(strip["gpio"], Pin.IN)
        return BitstreamStrip(
            bitstream, pin, strip["count"], strip["brightness_pct"], self._mark, ticks_us
        )

    def _pin_as_is(self, name: str):
        """Return the pin's object without touching the pin: a PWM has it."""
        return Pin(self._file.pins[name].gpio)

    def _make_analog(self) -> None:
        file = self._file
        self._mux_uv = ADC(self._pin("adc_mux"), atten=ADC.ATTN_11DB).read_uv
        self._motor_uv = ADC(self._pin("adc_motor"), atten=ADC.ATTN_11DB).read_uv
        pins = []
        for name in _MUX_PINS:
            pin = self._pin(name)
            pin.init(pin.OUT, value=0)
            pins.append(pin)
        self._mux = tuple(pins)
        self._mux_levels = _select_levels(file)
        self._analog = Analog(self._mux_mv, self._motor_mv, self._select, file)

    # ------------------------------------------------------------------- what the drivers are handed

    # read_uv is calibrated by what the factory burnt into the chip; at most 3.1 million, a small int.

    def _cp_mv(self) -> int:
        return self._cp_uv() // 1000

    def _mux_mv(self) -> int:
        mv = self._mux_uv() // 1000
        return mv if mv >= _FLOOR_MV else 0

    def _motor_mv(self) -> int:
        mv = self._motor_uv() // 1000
        return mv if mv >= _FLOOR_MV else 0

    def _select(self, channel: int) -> None:
        """Switch the multiplexer; the way back to the caller is longer than it needs to settle."""
        levels = self._mux_levels[channel]
        for n in range(4):
            self._mux[n](levels[n])

    # ----------------------------------------------------------------------------------- the contract

    def _begin(self) -> None:
        """Mark that the loop runs, then start the watchdog: somebody has to come by every watchdog_ms from here on."""
        self._life[3] = self.crashes
        self._remember(self._life)
        self._watchdog = WDT(timeout=self._file.watchdog_ms)

    def sample(self, r) -> None:
        """Fill `r` with this pass's readings; what cannot be read is marked so. The pilot takes most of the time."""
        now_ms = self._now_ms
        self._check_lost()
        r.output_lost = self.was_lost
        self.was_lost = False
        self._pilot.sample(r)
        self._analog.scan(r, ticks_diff(now_ms, self._sampled_ms))
        self._sampled_ms = now_ms
        if self._has_demand:
            self._demand.read(r, now_ms)
        self._read_lines(r)

    def actuate(self, c) -> None:
        """Obey `c` until the next pass. Getting here is the proof of life that keeps S2 and the bridge powered.

        A decision that is as old as the dead-man's time switches nothing on, and neither does one that never heard of a
        loss: S2 and the bridge stay off, and the charger at 0, until the step has commanded both off.
        """
        now_ms = self._now_ms
        self._watch.fed()
        self._check_lost()
        is_wanted = c.s2_close or c.lock_drive != 0
        is_old = ticks_diff(ticks_ms(), now_ms) >= DEAD_MAN_MS
        if not is_wanted:
            self._is_held = False
        elif is_old:
            self._is_held = True
            self.was_lost = True
        is_held = self._is_held
        self._s2.feed(c.s2_close and not is_held)
        self._bridge.drive(0 if is_held else c.lock_drive, now_ms)
        self._limit.set(0 if is_held else c.charger_ma)
        self._drive_allowed.feed(c.drive_allowed and not is_old)
        self._light.show(c.look, now_ms)

    def _check_lost(self) -> None:
        """Hold S2 and the bridge off where the dead-man has dropped one that was on."""
        if self._s2.is_lost or self._enable.is_lost:
            self._s2.is_lost = False
            self._enable.is_lost = False
            self._is_held = True
            self.was_lost = True

    def slack(self, may_collect: bool) -> None:
        """Collect garbage where a late pass does no harm; after a minute of passes, forget the crashes before it."""
        if self._healthy_passes < _HEALTHY_PASSES:
            self._healthy_passes += 1
            if self._healthy_passes == _HEALTHY_PASSES and self.crashes:
                self.crashes = 0
                self._life[3] = 0
                self._remember(self._life)
        self._collect(may_collect)

    def begin_long(self) -> None:
        """Mark that edges are stamped late meanwhile, and let a car that may drive go on."""
        super().begin_long()
        self._mark.begin(ticks_us())
        # The whole pass is done; without this, the permission to drive would blink because the board writes its flash.
        self._watch.fed_long(self._drive_allowed)

    def end_long(self) -> None:
        """Edges are stamped in time again."""
        self._mark.end()
        super().end_long()

    def stop_watchdog(self) -> None:
        """Stretch the watchdog to an hour, after Ctrl-C: the port cannot stop it. Outputs are safe by then."""
        if self._watchdog is None:
            return
        try:
            self._remember(b"")  # a reset from now on is no crash
            self._watchdog = WDT(timeout=_HOUR_MS)
        except (OSError, ValueError) as error:
            self.error = error


def _crashes(kept) -> int:
    """Return how often in a row the watchdog has ended a running loop, from what the RTC kept."""
    if reset_cause() != WDT_RESET or len(kept) != 4 or kept[:3] != _RUNNING:
        return 0
    return min(kept[3] + 1, _CRASHES_MAX)


def _select_levels(board_file):
    """Return the levels of the four select pins, by multiplexer channel."""
    rows = []
    for channel in range(16):
        levels = []
        for n in range(4):
            is_inverted = board_file.pins[_MUX_PINS[n]].is_inverted
            levels.append(1 if (channel >> n & 1) != is_inverted else 0)
        rows.append(tuple(levels))
    return tuple(rows)
