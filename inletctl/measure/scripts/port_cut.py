"""Runs in place of main.py: reads the port records, says which they are, and writes others; the host cuts the power.

read <generation>|nothing|corrupt <sentence>      then the pin goes high, the write begins; low when it is over

As scripts/store_cut.py, whose generations begin at 6000 too; here the bytes are as many as eight full records have.
"""

import machine
from drivers.store import PortStore

MARK_GPIO = 22
FIRST = 6000
BYTES = 8 * 210


def payload_of(generation):
    return generation.to_bytes(2, "little") + bytes(
        [(generation + n) & 0xFF for n in range(BYTES - 2)]
    )


store = PortStore()
generation = 0
try:
    payload = store.read()
    if payload is None:
        print("read nothing")
    else:
        generation = int.from_bytes(payload[:2], "little")
        if payload == payload_of(generation):
            print("read", generation)
        else:
            print("read corrupt: other bytes than were written")
except ValueError as error:
    print("read corrupt", error)
mark = machine.Pin(MARK_GPIO, machine.Pin.OUT, value=0)
wanted = payload_of(generation + 1 if generation else FIRST)
mark(1)
store.write(wanted, True)
mark(0)
print("wrote")
