"""Every output to its safe level, before anything else can go wrong.

Runs before main.py. No pin is driven after this: the hardware's pull-downs open S2, stop the lock's bridge and
inhibit driving. Board files and their named pins come with the chip drivers.
"""

import sys

if sys.platform in ("rp2", "esp32"):
    from drivers.safe_pins import release_all

    release_all()
