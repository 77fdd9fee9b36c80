"""Every output to its safe level, before anything else can go wrong; then finish a flash that was cut short.

Runs before main.py. No pin is driven after this: the hardware's pull-downs open S2, stop the lock's bridge and
inhibit driving.
"""

import sys

if sys.platform in ("rp2", "esp32"):
    from drivers.safe_pins import release_all

    release_all()

    # After the pins. If this fails the firmware may be half old and half new: main.py looks, and does not run then.
    try:
        from drivers.pending import finish

        said = finish()
        # What is known here is known for good: it would keep the whole module.
        del finish
        if said:
            print("boot: " + said)  # noqa: T201 - no console yet
    except (ImportError, OSError, ValueError) as error:
        print("boot: the interrupted flash is not finished: %s" % error)  # noqa: T201

    # Behind that: what is packed is whole now.
    try:
        from drivers.finder import install

        install()
    except (ImportError, OSError, ValueError) as error:
        print("boot: the modules cannot be found: %s" % error)  # noqa: T201
