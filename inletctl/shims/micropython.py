"""CPython's stand-in for the one name of MicroPython's `micropython` that the logic uses."""


def const(value):
    """Return `value`: on the board the compiler folds it, here it is an ordinary name."""
    return value
