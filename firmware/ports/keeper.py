"""The stored port records as the desk reads and changes them; `read` allocates nothing, all else is for a board at rest.

What changes them is ports/change.py, loaded only where somebody does: a board has little room.
"""

from micropython import const

from faults import H_OUT_OF_SERVICE

_DONE = const(0)  # of ports.change
_BAD_RECORD = const(2)
_NOT_WRITTEN = const(4)
_BYTES = const(3)  # in a number
_RECORD_BYTES_MAX = const(210)  # ports.records.RECORD_BYTES_MAX


class Keeper:
    """
    store       drivers.store.PortStore, or what does as it
    payload     what it holds, None where nothing is stored
    is_damaged  what it holds cannot be read
    """

    def __init__(self, store, payload, is_damaged: bool):
        self.store = store
        self.payload = b"" if payload is None else payload
        self.is_damaged = is_damaged
        self.written = None  # bytes of the record to come

    def read(self, at: int, out, first: int, count: int) -> None:
        """Write how many bytes are stored to out[first], then those from `at` on, three a number, to the `count` behind."""
        payload = self.payload
        length = len(payload)
        out[first] = length
        if not 0 <= at < length:
            # Nothing of it; counted on from there a number could outgrow a small int, while the heap is locked.
            at = length
        for n in range(count):
            number = 0
            for byte in range(_BYTES):
                if at < length:
                    number |= payload[at] << 8 * byte
                at += 1
            out[first + 1 + n] = number

    def write(self, at: int, numbers, first: int, count: int) -> int:
        """Take bytes `at` and following of a record to come: three a number of numbers[first:first+count]."""
        if at < 0 or at + _BYTES * count > _RECORD_BYTES_MAX + _BYTES:
            return _BAD_RECORD
        if self.written is None:
            try:
                self.written = bytearray(_RECORD_BYTES_MAX + _BYTES)
            except MemoryError:
                return _NOT_WRITTEN
        for n in range(count):
            for byte in range(_BYTES):
                self.written[at + _BYTES * n + byte] = numbers[first + n] >> 8 * byte & 0xFF
        return _DONE

    def put(self, length: int, is_service: bool) -> int:
        """Store the record that was written, `length` bytes, in place of the one with its number; return what came of it."""
        try:
            from ports.change import put

            return put(self, length, is_service)
        except (ImportError, MemoryError, OSError, ValueError):
            # No room for it beside all that runs: what was stored still is.
            return _NOT_WRITTEN

    def delete(self, number: int, is_service: bool) -> int:
        """Remove the record with this number, 0: all of them; return what came of it."""
        try:
            from ports.change import delete

            return delete(self, number, is_service)
        except (ImportError, MemoryError, OSError, ValueError):
            return _NOT_WRITTEN

    def tighten(self, r) -> None:
        """Let what is stored by now hold back at once, where it is stricter than signals.Readings say; never looser."""
        if not self.payload:
            return
        holds = r.port_holds
        dc_holds = r.port_dc_holds
        try:
            from ports.head import fill

            fill(self.payload, r)
        except (ImportError, MemoryError, ValueError):
            # What cannot be applied is refused instead, until the restart that was asked for.
            r.port_holds = r.port_dc_holds = H_OUT_OF_SERVICE
        r.port_holds |= holds
        r.port_dc_holds |= dc_holds
