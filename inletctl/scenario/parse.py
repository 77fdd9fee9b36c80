"""Scenario text to `Scenario`, or one sentence that says where and why not.

One statement a line, its first word says what it is. Nothing is carried out while reading: a file is taken whole
or refused whole.
"""

from dataclasses import replace
from typing import NoReturn

from inletctl.errors import UserError
from inletctl.scenario.arguments import parse_arguments, spell
from inletctl.scenario.expect import parse_tests
from inletctl.scenario.field import Field, nearest, or_list, shown, unknown
from inletctl.scenario.language import Language, load_language
from inletctl.scenario.model import (
    ALWAYS,
    AT,
    END,
    FOR,
    NEVER,
    PASS_US,
    TOLERANCE,
    WITHIN,
    Action,
    Expectation,
    Scenario,
)
from inletctl.scenario.units import MAX_TIME_US, BadValueError, parse_time, show_time

MAX_SEED = 2**32 - 1
_HEAD = ("title", "about", "inlet", "seed", "set", "world")
_TIMED = ("at", "expect", "within", "for", "always", "never", "end")
FIRST_WORDS = _HEAD + _TIMED


def parse_scenario(
    text: str, path: str = "scenario", language: "Language | None" = None
) -> Scenario:
    """Return the scenario written in `text`; `path` is the name that errors and sentences give."""
    return _Parser(path, language or load_language()).parse(text)


class _Parser:
    def __init__(self, path: str, language: Language):
        self.path = path
        self.language = language
        self.line = 0
        self.first: dict[str, int] = {}  # what may stand once -> the line where it stood
        self.title = ""
        self.about: list[str] = []
        self.inlet = ""
        self.seed = 1
        self.settings: dict[str, int] = {}
        self.world: dict = {}
        self.timeline: list = []
        self.now_us = -1  # time of the last `at`; -1 before the first
        self.now_line = 0
        self.end_us = -1

    def fail(self, sentence: str, line: int = 0) -> NoReturn:
        raise UserError("%s:%d: %s" % (self.path, line or self.line, sentence))

    def parse(self, text: str) -> Scenario:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for number, line in enumerate(lines, 1):
            self.line = number
            words = _words(line)
            if words:
                # Titles go to terminals and reports as they are, so no escape sequences.
                if not all(word.isprintable() for word in words):
                    self.fail("there is a control character or other invisible sign in it")
                self.statement(words)
        self.line = len(lines) if lines[-1] else max(1, len(lines) - 1)
        return self.finish(bool(self.first or self.timeline or self.now_us >= 0))

    def statement(self, words: list[str]) -> None:
        first = words[0]
        if first in _HEAD:
            if self.now_us >= 0:
                self.fail(
                    "'%s' comes before the first `at` line (line %d)" % (first, self.now_line)
                )
            getattr(self, "do_" + first)(words[1:])
        elif first in _TIMED:
            getattr(self, "do_" + first)(words[1:])
        elif first in self.language.verbs:
            self.action(words)
        elif (
            first in self.language.keys
            or first in self.language.settings
            or first in self.language.world
        ):
            self.fail(
                "%s is not a statement; a line begins with %s or a verb"
                % (first, or_list(FIRST_WORDS))
            )
        else:
            self.fail(self.no_such_word(first))

    def no_such_word(self, word: str) -> str:
        name = word.partition("=")[0]
        begins = [("set", self.language.settings), ("world", self.language.world)]
        written = [
            "`%s %s`" % (begin, word) for begin, fields in begins if name in fields and "=" in word
        ]
        if written:
            return "%s is written %s" % (shown(word), or_list(written))
        near = nearest(word, (*FIRST_WORDS, *self.language.verbs))
        hint = " (did you mean %s?)" % or_list(near) if near else ""
        verbs = "a verb" if near else "a verb: " + ", ".join(self.language.verbs)
        return "unknown word %s%s; a line begins with %s or %s" % (
            shown(word),
            hint,
            ", ".join(FIRST_WORDS),
            verbs,
        )

    def once(self, what: str) -> None:
        if what in self.first:
            self.fail("'%s' was already given in line %d" % (what, self.first[what]))
        self.first[what] = self.line

    # The head.

    def do_title(self, words):
        self.once("title")
        if not words:
            self.fail("title: say in a few words what the scenario shows")
        self.title = " ".join(words)

    def do_about(self, words):
        if not words:
            self.fail("about: a sentence is missing")
        self.about.append(" ".join(words))

    def do_inlet(self, words):
        self.once("inlet")
        if len(words) != 1:
            self.fail("inlet: name one of " + ", ".join(self.language.inlets))
        if words[0] not in self.language.inlets:
            self.fail(unknown("inlet", words[0], self.language.inlets))
        self.inlet = words[0]

    def do_seed(self, words):
        self.once("seed")
        field = Field("seed", "", 0, MAX_SEED, whole=True)
        if len(words) != 1:
            self.fail("seed: give one whole number, %s" % field.range_text())
        self.seed = self.take(field, words[0])

    def do_set(self, words):
        self.pairs("setting", "set", words, self.language.settings, self.settings)

    def do_world(self, words):
        self.pairs("world key", "world", words, self.language.world, self.world)

    def pairs(self, what, begin, words, fields, values) -> None:
        if not words:
            self.fail("%s: name what to set, like %s key=value" % (begin, begin))
        for word in words:
            name, equals, value = word.partition("=")
            if name == "inlet":
                self.fail(
                    "the inlet is set by its own line: inlet %s" % or_list(self.language.inlets)
                )
            if name not in fields:
                self.fail(unknown(what, name, fields))
            if not equals or not value:
                self.fail(
                    "%s %s: the value is missing; write %s=..., %s"
                    % (begin, name, name, fields[name].range_text())
                )
            self.once("%s %s" % (begin, name))
            values[name] = self.take(fields[name], value)

    def take(self, field: Field, text: str):
        try:
            return field.take(text)
        except BadValueError as error:
            self.fail("%s %s" % (field.name, error))

    # The time line.

    def time(self, text: str) -> int:
        try:
            return parse_time(text)
        except BadValueError as error:
            self.fail(str(error))

    def do_at(self, words):
        if not words:
            self.fail("at: the time is missing, like `at 12.5s` or `at +5s`")
        self.not_ended()
        if words[0].startswith("+"):
            t_us = max(self.now_us, 0) + self.time(words[0][1:])
        else:
            t_us = self.time(words[0])
        if t_us < self.now_us:
            self.fail(
                "%s lies before %s of line %d; time only goes forward"
                % (show_time(t_us), show_time(self.now_us), self.now_line)
            )
        if t_us > MAX_TIME_US:
            self.fail("%s is outside 0s..24h" % show_time(t_us))
        self.now_us = t_us
        self.now_line = self.line
        rest = words[1:]
        if not rest:
            return
        if rest[0] in ("expect", "within", "for"):
            getattr(self, "do_" + rest[0])(rest[1:])
        elif rest[0] in self.language.verbs:
            self.action(rest)
        elif rest[0] in FIRST_WORDS:
            self.fail("'%s' cannot follow a time; write it in a line of its own" % rest[0])
        else:
            self.fail(unknown("verb", rest[0], (*self.language.verbs, "expect", "within", "for")))

    def not_ended(self) -> None:
        if self.end_us >= 0:
            self.fail("the scenario has ended in line %d" % self.first["end"])

    def timed(self, word: str) -> None:
        """Make sure that there is a time to count from."""
        self.not_ended()
        if self.now_us < 0:
            self.fail("'%s' needs a time before it, like `at 0s %s ...`" % (word, word))

    def tests(self, words):
        try:
            return parse_tests(" ".join(words), self.language.keys)
        except BadValueError as error:
            self.fail(str(error))

    def expect(self, form, words, span_us=0):
        self.timeline.append(
            Expectation(form, self.tests(words), max(self.now_us, 0), span_us, line=self.line)
        )

    def do_expect(self, words):
        self.timed("expect")
        self.expect(AT, words)

    def do_within(self, words):
        self.spanned(WITHIN, words)

    def do_for(self, words):
        self.spanned(FOR, words)

    def spanned(self, form, words):
        self.timed(form)
        if len(words) < 2 or words[1] != "expect":
            self.fail("%s: write `%s 50ms expect key=value`" % (form, form))
        self.expect(form, words[2:], self.span(form, words[0]))

    def span(self, word, text) -> int:
        span_us = self.time(text)
        if span_us < PASS_US:
            least = show_time(PASS_US)
            self.fail(
                "%s %s is shorter than one pass of %s; nothing could be seen" % (word, text, least)
            )
        return span_us

    def do_always(self, words):
        self.timeless(ALWAYS, words)

    def do_never(self, words):
        self.timeless(NEVER, words)

    def timeless(self, form, words):
        span_us = 0
        tolerance = TOLERANCE.get(form)
        if tolerance and words[:1] == [tolerance] and len(words) > 1:
            span_us = self.span(tolerance, words[1])
            words = words[2:]
        if words[:1] != ["expect"]:
            longer = " or `%s %s 50ms expect key=value`" % (form, tolerance) if tolerance else ""
            self.fail("%s: write `%s expect key=value`%s" % (form, form, longer))
        self.timeline.append(
            Expectation(form, self.tests(words[1:]), span_us=span_us, line=self.line)
        )

    def do_end(self, words):
        if not words:
            self.fail(
                "end: write the time like `end 300s` or `end +10s`, or what must be true then: `end expect key=value`"
            )
        if words[0] == "expect":
            self.timeless(END, words)
            return
        self.once("end")
        if len(words) > 1:
            self.fail("end: nothing may follow its time; `end expect ...` is a line of its own")
        relative = words[0].startswith("+")
        self.end_us = self.time(words[0][relative:]) + (max(self.now_us, 0) if relative else 0)
        if not PASS_US <= self.end_us <= MAX_TIME_US:
            self.fail(
                "the end at %s is outside %s..24h" % (show_time(self.end_us), show_time(PASS_US))
            )

    def action(self, words):
        verb = self.language.verbs[words[0]]
        self.timed(verb.name)
        try:
            values = parse_arguments(verb, words[1:])
        except BadValueError as error:
            self.fail("%s%s" % (verb.name, error))
        self.timeline.append(
            Action(self.now_us, verb.name, values, spell(verb, values), self.line)
        )

    # The whole.

    def finish(self, has_anything: bool) -> Scenario:
        if not has_anything:
            self.fail("there is no scenario in it", line=1)
        if not self.title:
            self.fail("there is no `title` line")
        if not self.inlet:
            self.fail("there is no `inlet` line; it is one of " + ", ".join(self.language.inlets))
        if self.end_us < 0:
            self.fail("there is no `end` line; write when it is over, like `end 300s`")
        self.put_before()
        self.within_end()
        self.in_order()
        self.mirror()
        settings = {"inlet": self.language.inlets.index(self.inlet)} | self.settings
        return Scenario(
            self.path,
            self.title,
            tuple(self.about),
            self.inlet,
            self.seed,
            settings,
            {"inlet": self.inlet} | self.world,
            tuple(self.timeline),
            self.end_us,
        )

    def mirror(self) -> None:
        """Let the world be as the board is set, where nothing else is said of it."""
        for key in self.language.as_set:
            if key in self.settings and key not in self.world:
                self.world[key] = self.language.settings[key].show(self.settings[key])

    def put_before(self) -> None:
        """Judge an `expect` before the verbs that stand below it at the same time, as it reads."""
        verb_us = -1  # time of the nearest verb below
        above = {}  # time -> line of the first verb at that time
        for item in self.timeline:
            if isinstance(item, Action):
                above.setdefault(item.t_us, item.line)
        for n in range(len(self.timeline) - 1, -1, -1):
            item = self.timeline[n]
            if isinstance(item, Action):
                verb_us = item.t_us
            elif item.form == AT and item.t_us == verb_us:
                if above[verb_us] < item.line:
                    text = (
                        "nothing can be seen between two verbs at %s (line %d); move the time on"
                    )
                    self.fail(text % (show_time(verb_us), above[verb_us]), item.line)
                if verb_us < PASS_US:
                    self.fail(
                        "nothing can be seen before the verbs at %s" % show_time(verb_us),
                        item.line,
                    )
                self.timeline[n] = replace(item, is_before=True)

    def within_end(self) -> None:
        """Refuse what the run would never reach: it would pass by not being looked at."""
        end = show_time(self.end_us)
        if self.now_us > self.end_us:
            self.fail(
                "the end at %s lies before %s of line %d"
                % (end, show_time(self.now_us), self.now_line),
                self.first["end"],
            )
        for item in self.timeline:
            if isinstance(item, Expectation) and item.t_us + item.span_us > self.end_us:
                late = show_time(item.t_us + item.span_us)
                text = "it is watched until %s, after the end at %s"
                if item.form in TOLERANCE:
                    text = "it may be broken for %s, longer than the whole run of %s"
                self.fail(text % (late, end), item.line)

    def in_order(self) -> None:
        """Refuse settings that contradict each other, as the board would."""
        fields = self.language.settings
        for low, high, apart in self.language.ordered:
            values = {}
            for key in (low, high):
                values[key] = self.settings[key] if key in self.settings else fields[key].default
            if values[low] > values[high] - apart:
                line = max(self.first.get("set " + key, 0) for key in (low, high))
                far = "more than" if not apart else "less than %d below" % apart
                self.fail(
                    "%s=%d is %s %s=%d; set both" % (low, values[low], far, high, values[high]),
                    line,
                )


def _words(line: str) -> list[str]:
    """Return the words of a line without its comment: # at the begin or after a blank."""
    words = line.split()
    for n, word in enumerate(words):
        if word.startswith("#"):
            return words[:n]
    return words
