"""CPython's stand-in for what the firmware uses of MicroPython's `micropython`."""


def const(value):
    """Return `value`: on the board the compiler folds it, here it is an ordinary name."""
    return value


def kbd_intr(char):
    """Do nothing: CPython's Ctrl-C is its own."""


def heap_lock():
    """Do nothing: CPython allocates as it likes."""


def heap_unlock():
    """Do nothing."""


def alloc_emergency_exception_buf(size):
    """Do nothing: CPython always has room for its exceptions."""


# The firmware's machine code is ordinary Python here, and what it points at anything with an index.
ptr16 = memoryview


def viper(function):
    """Return `function` as it is."""
    return function
