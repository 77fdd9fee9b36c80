"""Conditions: `session=charging`, `permitted_a<=16`, `reasons has pilot_e`. Parsed once, tested once a pass.

Each test is a small picklable object with `holds(view)`; a run with its open expectations can be snapshot.
"""

import operator
import re
from fractions import Fraction
from typing import Any

from inletctl.scenario.field import LISTED, Field, nearest, or_list, shown, unknown
from inletctl.scenario.keys import CHOICE, NUMBER, SET, Key
from inletctl.scenario.units import BadValueError, show

_ORDER = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
OPERATORS = (*_ORDER, "has", "lacks")
_BY_KIND = {
    CHOICE: ("=", "!="),
    NUMBER: tuple(_ORDER),
    SET: ("=", "!=", "has", "lacks"),
}
_SIGNS = re.compile(r"\s*([<>=!]+)\s*")
_JOINTS = re.compile(r"\s*([,|]|\.\.)\s*")


class Test:
    """One comparison. `text` is its canonical spelling; equal tests have equal texts."""

    __slots__ = ("key", "text")
    __test__ = False  # pytest collects what is called Test

    def __init__(self, key: Key, text: str):
        self.key = key
        self.text = text

    def __eq__(self, other):
        return isinstance(other, Test) and self.text == other.text

    def __hash__(self):
        return hash(self.text)

    def __repr__(self):
        return "Test(%s)" % self.text

    def holds(self, view) -> bool:
        """Tell whether it is true in this pass."""
        raise NotImplementedError

    def raw(self, view) -> Any:
        """Return what the test looks at, to be put into words later by `seen`."""
        return self.key.read(view)

    def seen(self, raw) -> str:
        """Return 'key=value' for a value kept by `raw`."""
        return "%s=%s" % (self.key.name, show_raw(self.key, raw))


class ChoiceTest(Test):
    """Raw value among (or not among) some."""

    __slots__ = ("read", "values", "wanted")

    def __init__(self, key, text, values, wanted):
        super().__init__(key, text)
        self.read = key.read
        self.values = values  # tuple of raw values
        self.wanted = wanted  # True for =, False for !=

    def holds(self, view):
        """Tell whether it is true in this pass."""
        return (self.read(view) in self.values) is self.wanted


class SetTest(Test):
    """Bits of a mask: the masked value equal (or not equal) to another."""

    __slots__ = ("bits", "read", "value", "wanted")

    def __init__(self, key, text, bits, value, wanted):
        super().__init__(key, text)
        self.read = key.read
        self.bits = bits
        self.value = value
        self.wanted = wanted

    def holds(self, view):
        """Tell whether it is true in this pass."""
        return (self.read(view) & self.bits == self.value) is self.wanted


class NumberTest(Test):
    """A number against a bound, in raw units."""

    __slots__ = ("bound", "compare", "read")

    def __init__(self, key, text, sign, bound):
        super().__init__(key, text)
        self.read = key.read
        self.compare = _ORDER[sign]
        self.bound = bound

    def holds(self, view):
        """Tell whether it is true in this pass."""
        value = self.read(view)
        return value is not None and self.compare(value, self.bound)


class RangeTest(Test):
    """A number within (or outside) lowest..highest, both included."""

    __slots__ = ("highest", "lowest", "read", "wanted")

    def __init__(self, key, text, lowest, highest, wanted):
        super().__init__(key, text)
        self.read = key.read
        self.lowest = lowest
        self.highest = highest
        self.wanted = wanted

    def holds(self, view):
        """Tell whether it is true in this pass."""
        value = self.read(view)
        return value is not None and (self.lowest <= value <= self.highest) is self.wanted


class UnknownTest(Test):
    """Whether a number is known at all."""

    __slots__ = ("read", "wanted")

    def __init__(self, key, text, wanted):
        super().__init__(key, text)
        self.read = key.read
        self.wanted = wanted

    def holds(self, view):
        """Tell whether it is true in this pass."""
        return (self.read(view) is None) is self.wanted


class KeyTest(Test):
    """A number against another key of the same unit: charger_a<=permitted_a."""

    __slots__ = ("compare", "other")

    def __init__(self, key, text, sign, other):
        super().__init__(key, text)
        self.compare = _ORDER[sign]
        self.other = other

    def holds(self, view):
        """Tell whether it is true in this pass."""
        left, right = self.raw(view)
        return (
            left is not None
            and right is not None
            and self.compare(left * self.other.scale, right * self.key.scale)
        )

    def raw(self, view):
        """Return both values."""
        return self.key.read(view), self.other.read(view)

    def seen(self, raw):
        """Return both values in words."""
        names = (
            self.key.name,
            show_raw(self.key, raw[0]),
            self.other.name,
            show_raw(self.other, raw[1]),
        )
        return "%s=%s %s=%s" % names


def show_raw(key: Key, raw: Any) -> str:
    """Return a raw value as a line would write it."""
    if raw is None:
        return "unknown"
    if key.kind == SET:
        names = [_name(key.names, n) for n in range(raw.bit_length()) if raw >> n & 1]
        return ",".join(names) or "none"
    if key.kind == CHOICE:
        return str(raw) if key.raw else _name(key.names, int(raw))
    if isinstance(raw, float):  # a plant's truth; nobody reads more than thousandths
        return show(round(raw / key.scale, 3))
    return show(Fraction(raw, key.scale))


def _name(names: tuple, index: int) -> str:
    return names[index] if 0 <= index < len(names) else "#%d" % index


def parse_tests(text: str, keys: dict[str, Key]) -> tuple[Test, ...]:
    """Read `session=charging s2=closed reasons has pilot_e`; every one of them must hold."""
    spaced = _SIGNS.sub(r" \1 ", _JOINTS.sub(r"\1", text))
    words = [word for word in spaced.split() if word != "and"]
    if not words:
        raise BadValueError("expects nothing; write something like session=charging")
    tests = []
    for n in range(0, len(words), 3):
        name = words[n]
        if name not in keys:
            raise BadValueError(unknown("key", name, keys))
        if n + 1 >= len(words) or words[n + 1] not in OPERATORS:
            found = shown(words[n + 1]) if n + 1 < len(words) else "nothing"
            raise BadValueError(
                "%s is followed by %s, not by %s"
                % (name, or_list(_BY_KIND[keys[name].kind]), found)
            )
        if n + 2 >= len(words):
            raise BadValueError(
                "%s %s: the value is missing; %s" % (name, words[n + 1], allowed(keys[name]))
            )
        tests.append(parse_test(keys[name], words[n + 1], words[n + 2], keys))
    return tuple(tests)


def allowed(key: Key) -> str:
    """Return what may be written as the value of a key."""
    if key.kind == CHOICE:
        return "it is one of " + ", ".join(key.names)
    if key.kind == SET:
        return "it is `none` or any of " + ", ".join(key.names)
    return "it is a number, " + _field(key).range_text()


def parse_test(key: Key, sign: str, value: str, keys: dict[str, Key]) -> Test:
    """Return the test for one comparison, or raise BadValueError."""
    if sign not in _BY_KIND[key.kind]:
        raise BadValueError(
            "%s is compared with %s, not with %s" % (key.name, or_list(_BY_KIND[key.kind]), sign)
        )
    if key.kind == CHOICE:
        return _choice_test(key, sign, value)
    if key.kind == SET:
        return _set_test(key, sign, value)
    return _number_test(key, sign, value, keys)


def _choice_test(key, sign, value):
    chosen = []
    for word in value.split("|"):
        for index in _indices(key, word):
            if index not in chosen:
                chosen.append(index)
    chosen.sort()
    values = tuple(key.raw[n] if key.raw else n for n in chosen)
    text = key.name + sign + "|".join(key.names[n] for n in chosen)
    return ChoiceTest(key, text, values, sign == "=")


def _indices(key, word):
    """Return the indices of the names that `word` stands for; `C` stands for C1 and C2."""
    folded = [name.casefold() for name in key.names]
    if word.casefold() in folded:
        return [folded.index(word.casefold())]
    family = [
        n for n, name in enumerate(folded) if name[:-1] == word.casefold() and name[-1:].isdigit()
    ]
    if word and family:
        return family
    raise BadValueError(_no_such_value(key, word))


def _no_such_value(key, word):
    near = nearest(word, key.names)
    text = "%s is never %s" % (key.name, shown(word))
    if near:
        text += " (did you mean %s?)" % or_list(near)
    return text if near and len(key.names) > LISTED else "%s; %s" % (text, allowed(key))


def _set_test(key, sign, value):
    mask = 0
    folded = [name.casefold() for name in key.names]
    exact = sign in ("=", "!=")
    if value.casefold() != "none" or not exact:
        for word in value.split(","):
            if word.casefold() not in folded:
                raise BadValueError(_no_such_value(key, word))
            mask |= 1 << folded.index(word.casefold())
    text = show_raw(key, mask)
    if exact:
        return SetTest(key, key.name + sign + text, -1, mask, sign == "=")
    return SetTest(
        key, "%s %s %s" % (key.name, sign, text), mask, mask if sign == "has" else 0, True
    )


def _number_test(key, sign, value, keys):
    equal = sign in ("=", "!=")
    if value in keys:
        other = keys[value]
        if other.kind != NUMBER or other.unit != key.unit:
            raise BadValueError(
                "%s cannot be compared with %s: they have no unit in common" % (key.name, value)
            )
        return KeyTest(key, key.name + sign + value, sign, other)
    if value == "unknown" and equal and key.unknown:
        return UnknownTest(key, key.name + sign + value, sign == "=")
    if ".." in value:
        if not equal:
            raise BadValueError(
                "%s: a range like 6..16 is compared with = or !=, not with %s" % (key.name, sign)
            )
        low, high = (_bound(key, part) for part in value.split("..", 1))
        if low > high:
            raise BadValueError("%s: the range %s runs backwards" % (key.name, shown(value)))
        text = "%s%s%s..%s" % (key.name, sign, show_raw(key, low), show_raw(key, high))
        return RangeTest(key, text, low, high, sign == "=")
    bound = _bound(key, value)
    return NumberTest(key, key.name + sign + show_raw(key, bound), sign, bound)


def _field(key):
    return Field(key.name, key.unit, key.minimum, key.maximum)


def _bound(key, text):
    try:
        value = _field(key).take(text)
    except BadValueError as error:
        raise BadValueError("%s %s" % (key.name, error)) from None
    raw = Fraction(show(value)) * key.scale
    if raw.denominator != 1:
        raise BadValueError(
            "%s is read in steps of %s %s, so not %s"
            % (key.name, show(Fraction(1, key.scale)), key.unit, text)
        )
    return raw.numerator
