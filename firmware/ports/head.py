"""What a boot takes from the stored port records: their first bytes, made by ports.records.encode; nothing is parsed.

version, number of records, flags (ports.records.AC_OUT and so on, DC four bits higher), 0, then the AC and the DC current
limit in mA, 4 bytes each, low one first.
"""

from micropython import const

from faults import H_DECOMMISSIONED, H_OUT_OF_SERVICE

_VERSION = const(1)
_HEAD_BYTES = const(12)
_OUT = const(1)
_GONE = const(2)
_LIMITED = const(4)


def _holds(flags: int) -> int:
    holds = 0
    if flags & _OUT:
        holds |= H_OUT_OF_SERVICE
    if flags & _GONE:
        holds |= H_DECOMMISSIONED
    return holds


def fill(payload: bytes, r) -> None:
    """Write what the stored records ask for into signals.Readings. ValueError where they are of no known version."""
    if len(payload) < _HEAD_BYTES or payload[0] != _VERSION:
        raise ValueError("port records are of another version: flash the firmware that wrote them")
    flags = payload[2]
    r.port_holds = _holds(flags)
    r.port_dc_holds = _holds(flags >> 4)
    # Whoever has stored more than any inlet carries has stored no limit.
    if flags & _LIMITED:
        r.port_ma = min(int.from_bytes(payload[4:8], "little"), r.port_ma)
    if flags >> 4 & _LIMITED:
        r.port_dc_ma = min(int.from_bytes(payload[8:12], "little"), r.port_dc_ma)
