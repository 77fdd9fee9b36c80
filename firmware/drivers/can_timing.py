"""The bit timing of the MCP2515. DS = Microchip DS20001801, the MCP2515's datasheet."""

from micropython import const

_WAKFIL = const(
    0x40
)  # CNF3: the bus that ends a sleep is filtered, so that a spike does not (DS 5.4, register 5-3)
_BTLMODE = const(0x80)  # CNF2: the second phase's length is in CNF3 (register 5-2)

# Time quanta a bit -> (SJW, propagation, phase 1, phase 2); one more is the synchronisation (DS 5.1). The sample is at
# 13 of 16 (81 %) and 6 of 8 (75 %); phase 2 is longer than the jump, and no longer than the two before it (DS 5.3).
_SEGMENTS = {16: (2, 8, 4, 3), 8: (1, 3, 2, 2)}
CRYSTALS_HZ = (8000000, 16000000)
RATES_KBPS = (125, 250, 500, 1000)


def bit_timing(crystal_hz: int, rate_kbps: int):
    """Return (CNF1, CNF2, CNF3) with a quantum of 2 * (BRP + 1) crystal periods (DS 5.1.1). Raises ValueError."""
    quanta = crystal_hz // (2000 * rate_kbps) if rate_kbps in RATES_KBPS else 0
    if crystal_hz not in CRYSTALS_HZ or quanta < 8:
        raise ValueError(
            "can: a crystal of %d Hz cannot make %d kbit/s: fit 16000000 Hz or choose a rate it can"
            % (crystal_hz, rate_kbps)
        )
    per_bit = 8 if quanta == 8 else 16
    jump, propagation, phase_1, phase_2 = _SEGMENTS[per_bit]
    return (
        (jump - 1) << 6 | (quanta // per_bit - 1),
        _BTLMODE | (phase_1 - 1) << 3 | (propagation - 1),
        _WAKFIL | (phase_2 - 1),
    )
