"""The shape of the board file: keys, words and whole numbers, each refused with one sentence. No pins, no volts."""

import json

from micropython import const

SCHEMA = const(1)
# adc_mv * multiplier must stay a small int: 3300 * 300000 < 2**30.
MULTIPLIER_MAX = const(300000)

_DEPTH_MAX = const(4)  # file, section, entry and one to spare


class BoardFileError(ValueError):
    """The board file cannot be right; the sentence names the entry and what to do."""


def check_schema(data: dict) -> None:
    if "schema" not in data:
        raise BoardFileError("schema is missing: add it, it is %d" % SCHEMA)
    if not is_int(data["schema"]) or data["schema"] != SCHEMA:
        raise BoardFileError(
            "schema is %s, this firmware reads %d: use the board file that came with the firmware"
            % (shown(data["schema"]), SCHEMA)
        )


def check_name(name) -> None:
    if not isinstance(name, str) or not 1 <= len(name) <= 32 or not _is_plain(name):
        raise BoardFileError("name is %s: write 1 to 32 of a..z, 0..9 and -" % shown(name))


def _is_plain(name: str) -> bool:
    for letter in name:
        if letter not in "abcdefghijklmnopqrstuvwxyz0123456789-":
            return False
    return True


def check_keys(where: str, data: dict, needed: tuple, optional: tuple = ()) -> None:
    """Raise where a key is missing, or unknown. `where` is empty for the whole file."""
    for key in needed:
        if key not in data:
            raise BoardFileError("%s is missing: add it" % path(where, key))
    for key in sorted(data):
        if key not in needed and key not in optional:
            raise BoardFileError(
                "%s is unknown: correct its spelling or delete it" % path(where, key)
            )


def section(data: dict, name: str, needed: tuple, optional: tuple = ()) -> None:
    if not isinstance(data[name], dict):
        raise BoardFileError("%s is %s, not an object: write {...}" % (name, shown(data[name])))
    check_keys(name, data[name], needed, optional)


def check_doubles(text: str, data: dict) -> None:
    """Raise where a key is given twice: json takes the last one without a word.

    Every string of `data` must be in `text` as often as it was parsed. An escaped letter breaks that, and is refused.
    """
    if text.count('"') == 2 * _strings(data, 0) and "\\" not in text:
        return
    # Something is there twice. Finding out what takes long, and the board will not start anyway.
    counts = {}
    _count_strings(data, counts, 0)
    worst = None
    strings = 0
    for text_part, count in sorted(counts.items()):
        strings += count
        # The rarest says most: "s2" twice is "gpio" once more, too.
        is_off = text.count('"%s"' % text_part) != count
        if is_off and (worst is None or count < counts[worst]):
            worst = text_part
    if worst is not None:
        raise BoardFileError(
            "%s is given twice, or written with a backslash: keep one, in plain letters" % worst
        )
    if text.count('"') != 2 * strings:
        raise BoardFileError("an entry is given twice: keep one of them")


def _strings(value, depth: int) -> int:
    """Return how many strings, keys included, `value` holds."""
    if isinstance(value, str):
        return 1
    count = 0
    if isinstance(value, dict):
        _check_depth(depth + 1)
        count = len(value)
        for key in value:
            item = value[key]
            if not isinstance(item, int):
                count += _strings(item, depth + 1)
    elif isinstance(value, list):
        _check_depth(depth + 1)
        for item in value:
            count += _strings(item, depth + 1)
    return count


def _check_depth(depth: int) -> None:
    if depth > _DEPTH_MAX:
        raise BoardFileError(
            "brackets are nested too deeply: compare with a board file that came along"
        )


def _count_strings(value, counts: dict, depth: int) -> None:
    """Count every key and every string value in `value` into `counts`."""
    _check_depth(depth)
    if isinstance(value, str):
        counts[value] = counts.get(value, 0) + 1
    elif isinstance(value, dict):
        for key, item in value.items():
            counts[key] = counts.get(key, 0) + 1
            _count_strings(item, counts, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _count_strings(item, counts, depth + 1)


def is_int(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def number(data: dict, key: str, low: int, high: int, where: str = "") -> int:
    """Return a whole number of `data` within low..high."""
    value = data[key]
    if not is_int(value):
        raise BoardFileError(
            "%s is %s, not a whole number: write %d..%d"
            % (path(where, key), shown(value), low, high)
        )
    if not low <= value <= high:
        raise BoardFileError("%s is %d: allowed are %d..%d" % (path(where, key), value, low, high))
    return value


def ohm_pair(name: str, divider):
    """Return (top_ohm, bottom_ohm) of a divider: both 0, or neither."""
    if (
        not isinstance(divider, list)
        or len(divider) != 2
        or not is_int(divider[0])
        or not is_int(divider[1])
    ):
        raise BoardFileError(
            "dividers: %s is %s: write [top ohm, bottom ohm], or [0, 0] for none"
            % (name, shown(divider))
        )
    if divider[0] or divider[1]:
        for ohm in divider:
            if not 100 <= ohm <= 1000000:
                raise BoardFileError(
                    "dividers: %s has %d ohm: allowed are 100..1000000, or [0, 0] for none"
                    % (name, ohm)
                )
    return divider[0], divider[1]


def word(where: str, entry: dict, key: str, words: tuple) -> str:
    """Return a word of `entry`; the first of `words` where it is left out."""
    value = entry.get(key, words[0])
    if value not in words:
        raise BoardFileError(
            "%s: %s is %s: write one of %s" % (where, key, shown(value), ", ".join(words))
        )
    return value


def path(where: str, key: str) -> str:
    if not where:
        return key
    return where + (" " if where.startswith("pins: ") else ": ") + key


def listed(numbers: tuple) -> str:
    return ", ".join([str(number) for number in numbers])


def shown(value) -> str:
    """Return `value` for a sentence, cut short: a person typed it."""
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


def fraction(numerator: int, denominator: int):
    """Return the fraction reduced, its numerator at most MULTIPLIER_MAX.

    Where that takes a rounding the error is below 1 in 10000: the board file's _USE_LEAST keeps the denominator above
    5000.
    """
    a, b = numerator, denominator
    while b:
        a, b = b, a % b
    numerator //= a
    denominator //= a
    if numerator > MULTIPLIER_MAX:
        denominator = (2 * denominator * MULTIPLIER_MAX + numerator) // (2 * numerator)
        numerator = MULTIPLIER_MAX
    return numerator, denominator
