"""What an object of the firmware holds before its first pass."""

from array import array


def begins_with(thing):
    """Return what a new object holds that is neither 0 nor False, tables and parts of it apart."""
    for part in vars(thing).values():
        assert not isinstance(part, array) or set(part) == {0}
    return {name: value for name, value in vars(thing).items() if isinstance(value, int) and value}
