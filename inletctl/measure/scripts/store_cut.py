"""Runs in place of main.py: reads the settings, says what they are, and writes others; the host cuts the power.

read <generation>|nothing|corrupt <sentence>      then the pin goes high, the write begins; low when it is over
"""

import machine
from drivers.store import SettingsStore

MARK_GPIO = 22

store = SettingsStore()
try:
    values = store.read()
    print("read", "nothing" if values is None else values["max_current_ma"])
except ValueError as error:
    values = None
    print("read corrupt", error)
mark = machine.Pin(MARK_GPIO, machine.Pin.OUT, value=0)
wanted = {"max_current_ma": 6000 + (0 if values is None else values["max_current_ma"] - 5999)}
mark(1)
store.write(wanted, True)
mark(0)
print("wrote", wanted["max_current_ma"])
