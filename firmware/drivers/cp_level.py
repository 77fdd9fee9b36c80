"""The pilot's two levels on an RP2040: the ADC runs freely into a ring by DMA, and the windows are searched later.

The ADC is shared with the multiplexer. `start` gives it to the pilot, `finish` takes it back and leaves it as
machine.ADC.read_u16 needs it. Between the two no CPU is used. A window is longer than the longest accepted period, so
its largest sample is of the high phase and its smallest of the low phase, whatever the phase between pilot and ADC.

Source: RP2040 datasheet 4.9.6 (ADC registers), 2.5.7 (DMA).
"""

from array import array

from micropython import const

# ADC registers, as offsets; their base is given.
ADC_BASE = 0x4004C000
_CS = const(0x00)
_FCS = const(0x08)
_FIFO = const(0x0C)
_DIV = const(0x10)
_CS_EN = const(1 << 0)
_CS_START_MANY = const(1 << 3)
_CS_READY = const(1 << 8)
_CS_INPUT_SHIFT = const(12)
_FCS_EN = const(1 << 0)
_FCS_DREQ_EN = const(1 << 3)
_FCS_EMPTY = const(1 << 8)
_FCS_UNDER = const(1 << 10)  # write 1 to clear
_FCS_OVER = const(1 << 11)  # write 1 to clear
_FCS_THRESHOLD_1 = const(1 << 24)
DREQ_ADC = const(36)

# 48 MHz / 905 = 53.0 kS/s, a sample every 18.85 us. The shortest phase, 3 % of 1050 Hz, lasts 28.6 us: it is sampled
# at least 9.7 us after its edge, three times the worst 3.1 us of 1 kohm and 3100 pF (J1772). No multiple of 1 kHz, so
# that successive windows see the pilot at different points. The register holds cycles less one, in 1/256.
_DIVIDER = const(904 << 8)
# 64 samples a block, of which the newest 56 are searched: 55 * 18.85 us = 1.037 ms from the first to the last. The
# longest gap without the shortest phase is 97 % of 1.0526 ms (950 Hz) = 1.021 ms.
_BLOCK_SHIFT = const(6)
_BLOCK = const(64)
_UNUSED = const(8)
_SEARCHED = const(56)
_BLOCKS = const(4)
RING = const(256)  # samples of 16 bits
RING_BYTES_LOG2 = const(9)
_WINDOWS = const(3)

# Largest small int: six hours of samples before the channel has to be armed anew.
_DMA_COUNT = const(0x3FFFFFFF)
_DMA_LOW = const(0x10000000)
# A conversion takes 2 us, less than one look at the register.
_READY_LOOKS = const(20)
# What a search returns: the highest, then 12 bits of the lowest.
_HIGH_SHIFT = const(12)
_LOW_MASK = const(0xFFF)
# Two windows that agree within this (12 bits: 0.1 V at the pilot) need no third.
_AGREE_RAW = const(12)
# A swing below this (0.5 V at the pilot) is no PWM: noise on a steady level.
_STEADY_MV = const(500)


def ring_memory():
    """Return an array twice as long as the ring: somewhere in it there is a start that fits the DMA's wrap."""
    return array("H", [0] * (RING * 2))


def ring_first(address: int) -> int:
    """Return the index of the first sample whose address is a multiple of the ring's size; `address` of item 0."""
    size = RING * 2
    return (-address % size) // 2


class CPLevel:
    """
    Two levels a pass. `start` when nobody else needs the ADC, `finish` before somebody does. Allocates nothing.

    memory      registers by address, as machine.mem32
    dma         rp2.DMA, idle, with `control` = pack_ctrl(size=1, inc_read=False, inc_write=True, ring_sel=True,
                ring_size=RING_BYTES_LOG2, treq_sel=DREQ_ADC)
    ring        ring_memory(), `first` = ring_first(its address), `address` = that of ring[first]
    channel     ADC input 0..3, its pin already an analogue input
    scale       (multiplier, divisor, offset) from mV at the ADC to mV at the pilot
    extremes    extremes(samples, count) -> highest << 12 | lowest
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a burst is made of
        self,
        memory,
        dma,
        control: int,
        ring,
        first: int,
        address: int,
        channel: int,
        scale,
        ref_mv: int,
        extremes,
    ):
        self._memory = memory
        self._dma = dma
        # Beyond the small integers: made once.
        self._cs = ADC_BASE + _CS
        self._fcs = ADC_BASE + _FCS
        self._fifo = ADC_BASE + _FIFO
        self._div = ADC_BASE + _DIV
        self._address = address
        self._control = control
        self._idle = _CS_EN | channel << _CS_INPUT_SHIFT
        self._multiplier, self._divisor, self._offset_mv = scale
        self._ref_mv = ref_mv
        self._extremes = extremes
        view = memoryview(ring)
        windows = []
        for n in range(_BLOCKS):
            begin = first + n * _BLOCK
            windows.append(view[begin + _UNUSED : begin + _BLOCK])
        self._windows = tuple(windows)
        self._is_running = False
        self._from = 0  # samples the ring had seen when this burst began
        self.lost = 0  # bursts that gave no three windows, 0..60000 (stays there)
        self._arm()

    def _arm(self) -> None:
        """Point the DMA at the ring's start, with the longest count there is."""
        self._dma.active(0)
        self._dma.config(
            read=self._fifo,
            write=self._address,
            count=_DMA_COUNT,
            ctrl=self._control,
            trigger=True,
        )

    def start(self) -> None:
        """Begin a burst; it goes on until `finish`, and the newest 3.6 ms of it count."""
        dma = self._dma
        if dma.count < _DMA_LOW:
            self._arm()
        memory = self._memory
        memory[self._div] = _DIVIDER
        memory[self._fcs] = _FCS_EN | _FCS_DREQ_EN | _FCS_UNDER | _FCS_OVER | _FCS_THRESHOLD_1
        self._from = _DMA_COUNT - dma.count
        memory[self._cs] = self._idle | _CS_START_MANY
        self._is_running = True

    def stop(self) -> bool:
        """Take the ADC back for machine.ADC; return True if no sample was lost and the ADC is ready."""
        memory = self._memory
        memory[self._cs] = self._idle
        looks = 0
        while not memory[self._cs] & _CS_READY and looks < _READY_LOOKS:
            looks += 1
        status = memory[self._fcs]
        memory[self._fcs] = 0
        # The DMA has taken the last sample long since; where it has not, the FIFO must not keep it for the next burst.
        drained = 0
        while not memory[self._fcs] & _FCS_EMPTY and drained < _READY_LOOKS:
            drained = drained + 1 + (memory[self._fifo] & 0)
        self._is_running = False
        return looks < _READY_LOOKS and not status & _FCS_OVER

    def finish(self, r) -> None:
        """End the burst and fill cp_ok, cp_high_mv, cp_low_mv (mV at the pilot)."""
        r.cp_ok = False
        if not self._is_running:
            return
        is_whole = self.stop()
        newest = (_DMA_COUNT - self._dma.count) >> _BLOCK_SHIFT
        oldest = (self._from + _BLOCK - 1) >> _BLOCK_SHIFT
        if not is_whole or newest - oldest < _WINDOWS:
            if self.lost < 60000:
                self.lost += 1
            return
        windows = self._windows
        a = windows[(newest - 1) & (_BLOCKS - 1)]
        b = windows[(newest - 2) & (_BLOCKS - 1)]
        c = windows[(newest - 3) & (_BLOCKS - 1)]
        # Two that agree are the median of three, near enough, whatever the third is: searching costs most here.
        extremes = self._extremes
        a = extremes(a, _SEARCHED)
        b = extremes(b, _SEARCHED)
        x = a >> _HIGH_SHIFT
        y = b >> _HIGH_SHIFT
        if -_AGREE_RAW <= x - y <= _AGREE_RAW:
            high = (x + y) >> 1
        else:
            high = _middle(x, y, extremes(c, _SEARCHED) >> _HIGH_SHIFT)
        x = a & _LOW_MASK
        y = b & _LOW_MASK
        if -_AGREE_RAW <= x - y <= _AGREE_RAW:
            low = (x + y) >> 1
        else:
            low = _middle(x, y, extremes(c, _SEARCHED) & _LOW_MASK)
        # 4095 * 3300 * multiplier stays small in two steps: first mV at the ADC, as for every other input.
        high_mv = (high * self._ref_mv >> 12) * self._multiplier // self._divisor + self._offset_mv
        low_mv = (low * self._ref_mv >> 12) * self._multiplier // self._divisor + self._offset_mv
        if high_mv - low_mv < _STEADY_MV:
            high_mv = low_mv = (high_mv + low_mv) >> 1
        r.cp_high_mv = high_mv
        r.cp_low_mv = low_mv
        r.cp_ok = True

    def release(self) -> None:
        """Stop the ADC and the DMA for good."""
        self.stop()
        self._dma.active(0)


def _middle(x: int, y: int, z: int) -> int:
    """Return the median of three."""
    if x > y:
        x, y = y, x
    if z <= x:
        return x
    return z if z < y else y
