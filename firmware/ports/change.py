"""Changes of the stored port records: `keeper` is ports.keeper.Keeper. At rest only: they allocate and write flash.

What is changed is stored at once, whole or not at all, and in force after the next restart. Decommissioned is for good:
such a record, and records that cannot be read, are replaced in service mode only.
"""

from micropython import const

from ports.records import DECOMMISSIONED, RECORD_BYTES_MAX, decode, encode, from_bytes

# What a change comes to.
DONE = const(0)
NO_RECORD = const(1)
BAD_RECORD = const(2)
FOR_GOOD = const(3)
NOT_WRITTEN = const(4)


def put(keeper, length: int, is_service: bool) -> int:
    """Store the record that was written, `length` bytes, in place of the one with its number."""
    written = keeper.written
    keeper.written = None
    if written is None or not 0 < length <= RECORD_BYTES_MAX:
        return BAD_RECORD
    try:
        record = from_bytes(bytes(written[:length]))
    except ValueError:
        return BAD_RECORD
    return _change(keeper, record["id"], record, is_service)


def delete(keeper, number: int, is_service: bool) -> int:
    """Remove the record with this number; 0: all of them, those that cannot be read too."""
    if number:
        return _change(keeper, number, None, is_service)
    if not is_service and (keeper.is_damaged or _is_any_for_good(keeper)):
        return FOR_GOOD
    try:
        keeper.store.forget(True)
    except (ValueError, OSError, MemoryError):
        return NOT_WRITTEN
    keeper.payload = b""
    keeper.is_damaged = False
    return DONE


def _records(keeper) -> list:
    return decode(keeper.payload) if keeper.payload else []


def _is_any_for_good(keeper) -> bool:
    try:
        for record in _records(keeper):
            if record["status"] == DECOMMISSIONED:
                return True
    except ValueError:
        return True
    return False


def _change(keeper, number: int, record, is_service: bool) -> int:
    if keeper.is_damaged:
        return FOR_GOOD
    try:
        kept = []
        is_there = False
        for old in _records(keeper):
            if old["id"] != number:
                kept.append(old)
            elif old["status"] == DECOMMISSIONED and not is_service:
                return FOR_GOOD
            else:
                is_there = True
        if record is None and not is_there:
            return NO_RECORD
        if record is not None:
            kept.append(record)
            kept.sort(key=_by_number)
        payload = encode(kept) if kept else b""
        if kept:
            keeper.store.write(payload, True)
        else:
            keeper.store.forget(True)
        keeper.payload = payload
    except (ValueError, OSError, MemoryError):
        return NOT_WRITTEN
    return DONE


def _by_number(record) -> int:
    return record["id"]
