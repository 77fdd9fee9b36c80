"""docs/scenarios.md, printed from the vocabulary itself: what is documented is what is accepted."""

from inletctl.scenario.expect import allowed
from inletctl.scenario.field import REQUIRED, Field
from inletctl.scenario.keys import CHOICE, SET
from inletctl.scenario.language import Language, load_language
from inletctl.scenario.model import PASS_US
from inletctl.scenario.units import UNITS, show_time

EXAMPLE = """\
title  A worn contact heats up and the current is reduced
about  Derating begins at 60 C and stays until the contact has cooled.
inlet  type2
seed   7
set    derate_start_decic=60C max_current_ma=32A
world  ambient_c=35 evse_max_a=32

always expect violations=0
always within 5s expect charger_a<=permitted_a
never for 50ms expect drive_allowed=yes plugged=yes

at 1s     plug cable_a=32
within 8s expect session=charging s2=closed
at +10s   expect limiter=pilot|cable|setting permitted_a=31..32
          wear all 5milliohm
within 10min expect limiter=temperature permitted_a<32
at +10min evse_pause
within 50ms expect command_a=0 reasons has pilot_steady
within 3s   expect s2=open
at +3s for 20s expect s2=open faults=none
at +30s   unlock
within 5s expect locked=no
at +6s    unplug
end +2s
end expect plugged=no reasons has no_plug
"""

_INTRO = """\
# Scenario files

A scenario says what happens to the inlet, when, and what must come out. It is a UTF-8 text, one statement a
line; `#` at the begin of a word starts a comment. `inletctl sim FILE` runs it. This page is generated from the
program (`make docs`): what stands here is what is accepted.

## An example

```
%s```

## Lines

| line | meaning |
|---|---|
%s

`A`, `B` below are conditions. `within`, `for`, `expect`, a verb without `at` and `+` all count from the time of the last `at`
line, so several `within` lines under one event each measure from that event. Times go forward only.

* The board decides once in %s, a *pass*. An expectation is judged on the passes inside its time, both ends included;
  `expect` alone on the first pass at or after its time; but where a verb of the same time stands below it, on the last
  pass before. A verb at the very time of a pass acts before it.
* `within`: it may become true and false again; what counts is that it is true in the last pass inside the time. The
  reaction kept for the report runs to the pass since which it has been true without a break. If it was true
  already in the pass before, it passes but measures nothing.
* `always A B`: each of A and B in every pass. `never A B`: no pass in which A and B are both true.
* A line whose expectation reaches past the end is refused: it would pass by not being looked at.

## Values

A value without a unit is in the unit its table names; with a unit it is converted (`32A`, `32000mA`), and a unit of
another kind is refused. Times after `at`, `within`, `for` and `end` always carry a unit: `12.5s`, `250ms`, `1min30s`; at
most 24h.
A time of the day is written `22:00`; a mask by the names of its bits, `hvil,crash` or `none`, days as `mon-fri,sun`, too.
Arguments of a verb may be given without their name in the order of the table: `wear ac_l 6` is `wear contact=ac_l milliohm=6`.

| kind | units |
|---|---|
%s
"""

_LINES = (
    ("title TEXT", "what the scenario shows; required"),
    ("about TEXT", "more words, any number of lines"),
    ("inlet NAME", "connector family: %s; required"),
    ("seed N", "seed of everything random in the plant; 1 if left out"),
    ("set KEY=VALUE ...", "firmware settings"),
    ("world KEY=VALUE ...", "what the plant is made of"),
    ("at TIME VERB ...", "something happens at that time after the start"),
    ("at +TIME ...", "the same, counted from the last `at` line"),
    ("at TIME", "only moves the time on, for the lines below"),
    ("VERB ...", "at the time of the last `at` line"),
    ("expect A B ...", "A and B are true at that time; may follow `at TIME`"),
    (
        "within TIME expect A B ...",
        "A and B become true no later than that and are true at the deadline; may follow `at TIME`",
    ),
    (
        "for TIME expect A B ...",
        "A and B are true in every pass of that time; may follow `at TIME`",
    ),
    ("always expect A B ...", "A and B are each true in every pass of the run"),
    ("never expect A B ...", "A and B are never true together"),
    (
        "always within TIME expect A B ...",
        "where they are not, they are all true again no later than that",
    ),
    (
        "never for TIME expect A B ...",
        "they may be true together, but not that long without a break",
    ),
    ("end expect A B ...", "A and B are true in the last pass"),
    ("end TIME / end +TIME", "the run is over; required"),
)

_CONDITIONS = """\
## Conditions

`key=value`, blanks around the sign allowed. Conditions of one line must all hold; `and` between them may be written.

| kind | comparisons |
|---|---|
| choice | `=` `!=`; several with a bar: `session=stopping\\|resting`; `state=C` is `state=C1\\|C2` |
| number | `=` `!=` `<` `<=` `>` `>=`; a range `6..16` with `=` and `!=`; another key of the same unit: `charger_a<=permitted_a` |
| set | `has a,b` all of them, `lacks a,b` none of them, `=a,b` exactly these, `=none` empty |

| key | kind | values | what |
|---|---|---|---|
%s
"""

_WORLD = """\
`world KEY=VALUE`: what is really there. `set` is what the board has been told: a PT1000 takes both `world sensor_ac_l=pt1000` and
`set sensor_0=pt1000`, and they differ only where a scenario shows a board that was set up wrongly. %s are as `set` says where nothing else is written."""
_SETTINGS = "`set KEY=VALUE`: the firmware's settings, whole numbers."


def language_markdown(language: "Language | None" = None) -> str:
    """Return the reference of the scenario language as Markdown."""
    language = language or load_language()
    lines = [
        (left, right % ", ".join(language.inlets) if "%s" in right else right)
        for left, right in _LINES
    ]
    kinds: dict[str, list[str]] = {}
    for dimension, symbol, _size, _spellings in UNITS:
        kinds.setdefault(dimension, []).append("`%s`" % symbol)
    parts = [
        _INTRO
        % (
            EXAMPLE,
            _rows(("`%s`" % left, right) for left, right in lines),
            show_time(PASS_US),
            _rows((dimension, ", ".join(symbols)) for dimension, symbols in kinds.items()),
        ),
        _CONDITIONS % _rows(_key_row(key) for key in language.keys.values()),
        "## Verbs\n\nAn argument in *italics* must be given.\n\n| verb | arguments | what happens |\n|---|---|---|\n"
        + _rows(_verb_row(verb) for verb in language.verbs.values()),
        _fields("World keys", _WORLD % _listed(language.as_set), language.world),
        _fields("Settings", _SETTINGS, language.settings),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _listed(names) -> str:
    return ", ".join("`%s`" % name for name in names) or "None"


def _rows(rows) -> str:
    return "\n".join("| %s |" % " | ".join(row) for row in rows)


def _key_row(key):
    values = allowed(key).removeprefix("it is ")
    if key.kind == CHOICE:
        values = values.removeprefix("one of ")
    elif key.kind == SET:
        values = "`none`, " + ", ".join(key.names)
    return "`%s`" % key.name, key.kind, values.removeprefix("a number, "), key.help


def _verb_row(verb):
    arguments = "<br>".join(_argument(field) for field in verb.arguments.values())
    return "`%s`" % verb.name, arguments, verb.help


def _argument(field: Field) -> str:
    name = "*%s*" % field.name if field.default is REQUIRED else "%s" % field.name
    text = "%s: %s" % (name, field.range_text())
    if field.default is not REQUIRED and field.default is not None:
        text += " (%s)" % field.show(field.default)
    return text + (", " + field.help if field.help else "")


def _fields(title, intro, fields) -> str:
    rows = []
    for name, field in fields.items():
        if name == "inlet":
            continue  # has its own line
        has_default = field.default is not REQUIRED and field.default is not None
        rows.append(
            (
                "`%s`" % name,
                field.range_text(),
                field.show(field.default) if has_default else "",
                field.help,
            )
        )
    return "## %s\n\n%s\n\n| key | values | default | what |\n|---|---|---|---|\n%s" % (
        title,
        intro,
        _rows(rows),
    )
