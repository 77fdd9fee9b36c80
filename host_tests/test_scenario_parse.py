"""Scenario text: what it means, and one clear sentence with file and line for everything that means nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario_fakes import HEAD, LANGUAGE, NAMES, VERBS, parse

from inletctl.errors import UserError
from inletctl.scenario.load import read_scenario
from inletctl.scenario.model import ALWAYS, AT, END, FOR, NEVER, WITHIN
from inletctl.scenario.parse import FIRST_WORDS, parse_scenario
from inletctl.scenario.write import format_scenario

FULL = """\
# a comment
title  A worn contact   # and why
about  First line.
about  Second line.
inlet  type1
seed   7
set    max_current_ma=16A derate_start_decic=55.5C lock_kind=solenoid ac_sense=no
world  ambient_c=-5 evse_digital=yes
world  contact_milliohm=0.25

always expect drive_allowed=no lock=locked
never  expect charger_a>permitted_a and s2=open
always within 5s expect charger_a<=permitted_a
never for 50ms expect drive_allowed=yes plugged=yes
at 0s      plug 32A
  within 5s expect session = charging
at +2.5s   expect permitted_a=6..16 reasons lacks pilot_e, pp_button
wear ac_l 3 hold=1min
at 10s
at +10s for 2s expect faults=none state=c
at 30s     within 50ms expect s2=open
at +0s     reset off_ms=1s
end +1min
end expect plugged!=yes faults has TempOpen hottest_c=unknown
"""


def parse_full(text):
    return parse_scenario(text, "x.txt", LANGUAGE)


def test_full_file_is_read_as_written():
    scenario = parse_full(FULL)
    assert scenario.title == "A worn contact"
    assert scenario.about == ("First line.", "Second line.")
    assert (scenario.inlet, scenario.seed, scenario.path) == ("type1", 7, "x.txt")
    assert scenario.settings == {
        "inlet": 0,
        "max_current_ma": 16000,
        "derate_start_decic": 555,
        "lock_kind": 1,
        "ac_sense": 0,
    }
    assert scenario.world == {
        "inlet": "type1",
        "ambient_c": -5,
        "evse_digital": "yes",
        "contact_milliohm": 0.25,
    }
    assert scenario.end_us == 90_000_000
    assert [(e.form, e.t_us, e.span_us, e.text) for e in scenario.expectations] == [
        (ALWAYS, 0, 0, "always expect drive_allowed=no lock=locked"),
        (NEVER, 0, 0, "never expect charger_a>permitted_a s2=open"),
        (ALWAYS, 0, 5_000_000, "always within 5s expect charger_a<=permitted_a"),
        (NEVER, 0, 50_000, "never for 50ms expect drive_allowed=yes plugged=yes"),
        (WITHIN, 0, 5_000_000, "within 5s expect session=charging"),
        (AT, 2_500_000, 0, "expect permitted_a=6..16 reasons lacks pilot_e,pp_button"),
        (FOR, 20_000_000, 2_000_000, "for 2s expect faults=none state=C1|C2"),
        (WITHIN, 30_000_000, 50_000, "within 50ms expect s2=open"),
        (END, 0, 0, "end expect plugged!=yes faults has TempOpen hottest_c=unknown"),
    ]


def test_actions_carry_time_values_and_line():
    actions = parse_full(FULL).actions
    assert [(a.t_us, a.verb, a.values, a.words, a.line) for a in actions] == [
        (0, "plug", (("cable_a", 32),), "plug cable_a=32", 15),
        (
            2_500_000,
            "wear",
            (("contact", "ac_l"), ("milliohm", 3), ("hold", 60_000)),
            "wear contact=ac_l milliohm=3 hold=60000",
            18,
        ),
        (30_000_000, "reset", (("off_ms", 1000),), "reset off_ms=1000", 22),
    ]


def test_canonical_text_reads_back_as_the_same_scenario():
    scenario = parse_full(FULL)
    text = format_scenario(scenario, LANGUAGE)
    assert parse_full(text) == scenario
    assert format_scenario(parse_full(text), LANGUAGE) == text
    assert "at 2.5s expect permitted_a" in text
    assert "\nwear contact=ac_l" in text


def test_line_ends_and_byte_order_marks_do_not_matter(tmp_path):
    for n, data in enumerate(
        (
            FULL.encode(),
            FULL.replace("\n", "\r\n").encode("utf-8-sig"),
            FULL.replace("\n", "\r").encode(),
        )
    ):
        path = tmp_path / ("%d.txt" % n)
        path.write_bytes(data)
        assert read_scenario(path, LANGUAGE) == parse_full(FULL)


BAD_BODIES = [
    # (body below title and inlet, line, what the sentence must say)
    ("", 2, "there is no `end` line"),
    ("at 0s plug\n", 3, "there is no `end` line"),
    (
        "plg\nend 1s",
        3,
        "unknown word 'plg' (did you mean plug or unplug?); a line begins with title,",
    ),
    ("qqqq\nend 1s", 3, "or a verb: plug, unplug, wear, noise, reset, clock_jump, reading"),
    ("session=charging\nend 1s", 3, "unknown word 'session=charging'"),
    ("session\nend 1s", 3, "session is not a statement"),
    ("max_current_ma=16A\nend 1s", 3, "is written `set max_current_ma=16A`"),
    ("ambient_c=3\nend 1s", 3, "is written `world ambient_c=3`"),
    ("title Again\nend 1s", 3, "'title' was already given in line 1"),
    ("inlet type1\nend 1s", 3, "'inlet' was already given in line 2"),
    ("about\nend 1s", 3, "about: a sentence is missing"),
    ("seed\nend 1s", 3, "seed: give one whole number, 0..4294967295"),
    ("seed 1 2\nend 1s", 3, "seed: give one whole number"),
    ("seed 1.5\nend 1s", 3, "seed is a whole number of steps, not 1.5"),
    ("seed 4294967296\nend 1s", 3, "seed is 4294967296, outside 0..4294967295"),
    ("seed -1\nend 1s", 3, "outside 0..4294967295"),
    ("seed 1\nseed 2\nend 1s", 4, "'seed' was already given in line 3"),
    ("set\nend 1s", 3, "set: name what to set"),
    (
        "set max_curent_ma=16A\nend 1s",
        3,
        "unknown setting 'max_curent_ma' (did you mean max_current_ma?)",
    ),
    (
        "set max_current_ma\nend 1s",
        3,
        "the value is missing; write max_current_ma=..., 6000..80000 mA",
    ),
    ("set max_current_ma=\nend 1s", 3, "the value is missing"),
    ("set max_current_ma=5A\nend 1s", 3, "max_current_ma is 5000, outside 6000..80000 mA"),
    (
        "set max_current_ma=16V\nend 1s",
        3,
        "max_current_ma is a current (use mA or A), not a voltage in V",
    ),
    ("set max_current_ma=7000.5\nend 1s", 3, "is a whole number of mA, not 7000.5"),
    ("set max_current_ma=16A max_current_ma=20A\nend 1s", 3, "already given in line 3"),
    ("set inlet=type1\nend 1s", 3, "the inlet is set by its own line: inlet type1 or type2"),
    (
        "set derate_start_decic=80C derate_end_decic=84.9C\nend 1s",
        3,
        "derate_start_decic=800 is less than 50 below derate_end_decic=849",
    ),
    (
        "set derate_end_decic=50C\nend 1s",
        3,
        "derate_start_decic=600 is less than 50 below derate_end_decic=500",
    ),
    (
        "set derate_end_decic=85C stop_decic=849\nend 1s",
        3,
        "derate_end_decic=850 is more than stop_decic=849",
    ),
    ("world ambient=3\nend 1s", 3, "unknown world key 'ambient' (did you mean ambient_c?)"),
    ("world inlet=type1\nend 1s", 3, "own line"),
    ("world evse_digital=maybe\nend 1s", 3, "evse_digital is one of yes, no, not 'maybe'"),
    (
        "at 1s\nset max_current_ma=16A\nend 2s",
        4,
        "'set' comes before the first `at` line (line 3)",
    ),
    ("at\nend 1s", 3, "at: the time is missing"),
    ("at 5 plug\nend 9s", 3, "'5' needs its unit: 5s or 5ms"),
    ("at +5 plug\nend 9s", 3, "'5' needs its unit"),
    ("at soon plug\nend 9s", 3, "'soon' is not a time"),
    ("at 5A plug\nend 9s", 3, "not a time"),
    ("at 25h plug\nend 9s", 3, "outside 0s..24h"),
    ("at 23h\nat +2h\nend 9s", 4, "90000s is outside 0s..24h"),
    ("at 0.1us\nend 9s", 3, "finer than 1 us"),
    ("at 5s plug\nat 4s unplug\nend 9s", 4, "4s lies before 5s of line 3; time only goes forward"),
    ("at 5s plgu\nend 9s", 3, "unknown verb 'plgu' (did you mean plug or unplug?)"),
    ("at 5s always expect s2=open\nend 9s", 3, "'always' cannot follow a time"),
    ("plug\nend 9s", 3, "'plug' needs a time before it, like `at 0s plug ...`"),
    ("expect s2=open\nend 9s", 3, "'expect' needs a time before it"),
    ("within 1s expect s2=open\nend 9s", 3, "'within' needs a time before it"),
    ("at 0s within expect s2=open\nend 9s", 3, "within: write `within 50ms expect key=value`"),
    ("at 0s within 1s s2=open\nend 9s", 3, "within: write"),
    ("at 0s for 1 expect s2=open\nend 9s", 3, "'1' needs its unit"),
    ("at 0s for 9ms expect s2=open\nend 9s", 3, "for 9ms is shorter than one pass of 10ms"),
    ("always s2=open\nend 9s", 3, "always: write `always expect key=value`"),
    ("never\nend 9s", 3, "never: write"),
    (
        "never for\nend 9s",
        3,
        "never: write `never expect key=value` or `never for 50ms expect key=value`",
    ),
    ("never within 1s expect s2=open\nend 9s", 3, "never: write"),
    ("always within 1s s2=open\nend 9s", 3, "or `always within 50ms expect key=value`"),
    ("always within 9ms expect s2=open\nend 9s", 3, "within 9ms is shorter than one pass"),
    (
        "at 1s plug\nexpect s2=open\nunplug\nend 9s",
        4,
        "nothing can be seen between two verbs at 1s (line 3); move",
    ),
    ("at 9ms expect s2=open\nplug\nend 9s", 3, "nothing can be seen before the verbs at 9ms"),
    (
        "never for 2s expect s2=open\nend 1s",
        3,
        "it may be broken for 2s, longer than the whole run of 1s",
    ),
    ("end\n", 3, "end: write the time"),
    ("end 5s now\n", 3, "end: nothing may follow its time"),
    ("end 5\n", 3, "'5' needs its unit"),
    ("end 9ms\n", 3, "the end at 9ms is outside 10ms..24h"),
    ("at 24h\nend +1s", 4, "the end at 86401s is outside"),
    ("end 5s\nend 6s\n", 4, "'end' was already given in line 3"),
    ("end 5s\nat 6s plug\n", 4, "the scenario has ended in line 3"),
    ("at 1s plug\nend 5s\nunplug\n", 5, "the scenario has ended in line 4"),
    ("at 9s plug\nend 5s\n", 4, "the end at 5s lies before 9s of line 3"),
    (
        "at 4s\nwithin 1.1s expect s2=open\nend 5s\n",
        4,
        "it is watched until 5.1s, after the end at 5s",
    ),
    ("at 0s plug 32 33\nend 1s", 3, "plug takes cable_a, so '33' is too much"),
    ("at 0s unplug 3\nend 1s", 3, "unplug takes no argument, so not '3'"),
    ("at 0s plug cable=3\nend 1s", 3, "plug: unknown argument 'cable' (did you mean cable_a?)"),
    ("at 0s unplug x=3\nend 1s", 3, "unplug: unknown argument 'x'; there is none"),
    ("at 0s plug cable_a=32 cable_a=20\nend 1s", 3, "plug: cable_a is given twice"),
    ("at 0s plug cable_a=\nend 1s", 3, "plug: cable_a is missing its value, 10..70 A"),
    ("at 0s plug 9A\nend 1s", 3, "plug: cable_a is 9, outside 10..70 A"),
    ("at 0s wear ac_l\nend 1s", 3, "wear: milliohm is missing, 0..100 milliohm"),
    ("at 0s wear milliohm=3\nend 1s", 3, "wear: contact is missing, ac_l or ac_n"),
    ("at 0s wear milliohm=3 ac_l\nend 1s", 3, "values without a name come first"),
    ("at 0s noise 1.5\nend 1s", 3, "noise: samples is a whole number of steps, not 1.5"),
    ("at 0s expect\nend 1s", 3, "expects nothing; write something like session=charging"),
    (
        "at 0s expect sesion=charging\nend 1s",
        3,
        "unknown key 'sesion' (did you mean session, dc_session or reasons?)",
    ),
    ("at 0s expect session\nend 1s", 3, "session is followed by = or !=, not by nothing"),
    (
        "at 0s expect session charging\nend 1s",
        3,
        "session is followed by = or !=, not by 'charging'",
    ),
    ("at 0s expect permitted_a==3\nend 1s", 3, "not by '=='"),
    (
        "at 0s expect session=\nend 1s",
        3,
        "session =: the value is missing; it is one of unplugged, waiting",
    ),
    (
        "at 0s expect reasons has\nend 1s",
        3,
        "reasons has: the value is missing; it is `none` or any of no_plug",
    ),
    ("at 0s expect permitted_a=\nend 1s", 3, "it is a number, 0..100 A"),
    ("at 0s expect session<charging\nend 1s", 3, "session is compared with = or !=, not with <"),
    ("at 0s expect session has charging\nend 1s", 3, "session is compared with"),
    (
        "at 0s expect permitted_a has 3\nend 1s",
        3,
        "permitted_a is compared with =, !=, <, <=, > or >=, not with has",
    ),
    (
        "at 0s expect session=chargin\nend 1s",
        3,
        "session is never 'chargin' (did you mean charging?); it is one of unplugged",
    ),
    ("at 0s expect session=a|\nend 1s", 3, "session is never 'a'; it is one of"),
    ("at 0s expect session=charging|\nend 1s", 3, "session is never ''"),
    ("at 0s expect faults=TempOpn\nend 1s", 3, "faults is never 'TempOpn' (did you mean TempOpen"),
    ("at 0s expect faults has none\nend 1s", 3, "faults is never 'none'"),
    ("at 0s expect permitted_a=101\nend 1s", 3, "permitted_a is 101, outside 0..100 A"),
    (
        "at 0s expect permitted_a=1.0001\nend 1s",
        3,
        "permitted_a is read in steps of 0.001 A, so not 1.0001",
    ),
    ("at 0s expect permitted_a=5V\nend 1s", 3, "permitted_a is a current"),
    ("at 0s expect permitted_a=16..6\nend 1s", 3, "the range '16..6' runs backwards"),
    ("at 0s expect permitted_a<6..16\nend 1s", 3, "a range like 6..16 is compared with = or !="),
    ("at 0s expect permitted_a<hottest_c\nend 1s", 3, "they have no unit in common"),
    ("at 0s expect permitted_a<session\nend 1s", 3, "they have no unit in common"),
    ("at 0s expect permitted_a=unknown\nend 1s", 3, "permitted_a is a number"),
    ("at 0s expect hottest_c<unknown\nend 1s", 3, "hottest_c is a number"),
    ("title\x1b[2J\nend 1s", 3, "there is a control character"),
]


@pytest.mark.parametrize(("body", "line", "sentence"), BAD_BODIES)
def test_bad_line_gives_one_sentence_with_file_and_line(body, line, sentence):
    with pytest.raises(UserError) as caught:
        parse(body)
    message = str(caught.value)
    assert message.startswith("x.txt:%d: " % line)
    assert sentence in message
    assert "\n" not in message
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("", 1, "there is no scenario in it"),
        ("\n\n# only words\n", 1, "there is no scenario in it"),
        ("title\n", 1, "title: say in a few words"),
        ("inlet type2\nend 1s\n", 2, "there is no `title` line"),
        ("title A\nend 1s\n", 2, "there is no `inlet` line; it is one of type1, type2"),
        ("title A\ninlet\n", 2, "inlet: name one of type1, type2"),
        ("title A\ninlet typ2\n", 2, "unknown inlet 'typ2' (did you mean type2 or type1?)"),
    ],
)
def test_missing_head_is_named(text, line, sentence):
    with pytest.raises(UserError) as caught:
        parse_full(text)
    assert str(caught.value).startswith("x.txt:%d: " % line)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", ":1: there is no scenario in it"),
        (b"title A\nabout \xff\n", ":2: is not UTF-8 text"),
        (b"#" * 1_000_001, ": is larger than 1 MB"),
        (b"title \x00\n", ":1: there is a control character"),
    ],
)
def test_unreadable_content_is_refused(tmp_path, data, sentence):
    path = tmp_path / "bad.txt"
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_scenario(path, LANGUAGE)
    assert str(caught.value).startswith(str(path) + sentence)


def test_file_that_cannot_be_opened_is_refused(tmp_path):
    for path in (tmp_path / "missing.txt", tmp_path, "a\0b"):
        with pytest.raises(UserError, match="cannot be read: "):
            read_scenario(path, LANGUAGE)


def test_comment_sign_inside_a_word_is_text():
    assert parse_full("title Issue#71 # shown\ninlet type2\nend 1s\n").title == "Issue#71"


# Words that are likely to go far into the parser.
WORDS = st.sampled_from(
    [
        *FIRST_WORDS,
        *LANGUAGE.verbs,
        *LANGUAGE.keys,
        *LANGUAGE.settings,
        *LANGUAGE.world,
        *NAMES["session"],
        *NAMES["faults"],
        *(
            "+1s",
            "0s",
            "5s",
            "24h",
            "1min30s",
            "+",
            "=",
            "==",
            "<",
            ">=",
            "!=",
            "has",
            "lacks",
            "none",
            "unknown",
        ),
        *(
            "plug cable_a=32A",
            "wear ac_l 3",
            "s2=open",
            "permitted_a<=16",
            "6..16",
            "..",
            "|",
            ",",
            "#",
            "charging|waiting",
        ),
        *(
            "type2",
            "1",
            "-1",
            "1e9",
            "9" * 30,
            "32A",
            "60C",
            "cable_a=",
            "max_current_ma=16A",
            "and",
        ),
    ]
)
LINES = st.one_of(
    st.lists(WORDS, max_size=7).map(" ".join),
    st.text(max_size=40),
    st.sampled_from(["title A", "inlet type2", "at +1s plug", "end +1s", "at 0s expect s2=open"]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(LINES, max_size=12).map("\n".join), st.booleans())
def test_any_text_is_read_or_refused_with_one_sentence(text, with_head):
    try:
        scenario = parse_full(HEAD + text + "\nend +10s\n" if with_head else text)
    except UserError as error:
        message = str(error)
        assert message.startswith("x.txt:")
        assert message.isprintable()
        return
    assert parse_full(format_scenario(scenario, LANGUAGE)) == scenario


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_one_sentence(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("bytes") / "x.txt"
    path.write_bytes(data)
    with pytest.raises(UserError):
        read_scenario(path, LANGUAGE)


TIMES = st.integers(0, 3_600_000_000)
TESTS = st.lists(
    st.sampled_from(
        [
            "session=charging|waiting",
            "state!=C",
            "permitted_a<=12.345",
            "permitted_a!=6..16",
            "charger_a<=command_a",
            "hottest_c=unknown",
            "hottest_c>-12.5",
            "reasons has pilot_e,no_plug",
            "faults lacks TempOpen",
            "faults!=none",
            "reasons=none",
            "evse=B1",
            "cp_v=-12..-11.5",
        ]
    ),
    min_size=1,
    max_size=4,
).map(" ".join)
STATEMENTS = st.one_of(
    TESTS.map("expect {}".format),
    st.tuples(st.sampled_from(["within", "for"]), st.integers(10_000, 10**9), TESTS).map(
        lambda t: "%s %dus expect %s" % t
    ),
    st.floats(10, 70).map(lambda a: "plug " + format(a, ".6f")),
    st.sampled_from(["ac_l", "ac_n"]).map(lambda c: "wear %s 0.1 hold=2.5s" % c),
    st.sampled_from([*VERBS][:2]),
    st.just("reset"),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(TIMES, STATEMENTS), max_size=8), st.lists(TESTS, max_size=2))
def test_valid_scenario_survives_being_printed(lines, guards):
    # Each at a time of its own: between two verbs of the same time nothing can be seen.
    body = [
        "at %dus %s" % (t_us + n * 10_000 + 10_000, text)
        for n, (t_us, text) in enumerate(sorted(lines))
    ]
    body += ["always expect " + test for test in guards] + [
        "never for 1min expect " + test for test in guards
    ]
    scenario = parse("\n".join([*body, "end 2h", ""]))
    assert len(scenario.timeline) == len(body)
    text = format_scenario(scenario, LANGUAGE)
    assert parse_full(text) == scenario
