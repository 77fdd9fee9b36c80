"""The words after a verb: `wear ac_l milliohm=3 hold=1min`."""

from typing import Any

from inletctl.scenario.field import REQUIRED, or_list, shown, unknown
from inletctl.scenario.language import Verb
from inletctl.scenario.units import BadValueError

Values = tuple[tuple[str, Any], ...]


def parse_arguments(verb: Verb, words: list[str]) -> Values:
    """Return what was written, in the order of the verb's arguments.

    Values without a name fill the arguments in their order and come before those with one. The text of a
    BadValueError continues a sentence that begins with the verb.
    """
    arguments = verb.arguments
    given = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            name, value = _next(list(arguments), given, word), word
        elif name not in arguments:
            raise BadValueError(": " + unknown("argument", name, arguments))
        elif name in given:
            raise BadValueError(": %s is given twice" % name)
        if not value:
            raise BadValueError(
                ": %s is missing its value, %s" % (name, arguments[name].range_text())
            )
        try:
            given[name] = arguments[name].take(value)
        except BadValueError as error:
            raise BadValueError(": %s %s" % (name, error)) from None
    for name, field in arguments.items():
        if name not in given and field.default is REQUIRED:
            raise BadValueError(": %s is missing, %s" % (name, field.range_text()))
    return tuple((name, given[name]) for name in arguments if name in given)


def spell(verb: Verb, values: Values) -> str:
    """Return the canonical text of a verb and its values."""
    return " ".join(
        [
            verb.name,
            *("%s=%s" % (name, verb.arguments[name].show(value)) for name, value in values),
        ]
    )


def _next(order: list[str], given: dict, word: str) -> str:
    position = len(given)
    if not order:
        raise BadValueError(" takes no argument, so not %s" % shown(word))
    if position >= len(order):
        raise BadValueError(" takes %s, so %s is too much" % (or_list(order), shown(word)))
    if list(given) != order[:position]:
        text = ": write %s with its name, like %s=...; values without a name come first"
        raise BadValueError(
            text % (shown(word), next(name for name in order if name not in given))
        )
    return order[position]
