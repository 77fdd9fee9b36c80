"""A run: verbs at their own time, every form of expectation at its edges, and sentences a person can act on."""

import copy
import pickle

import pytest
from scenario_fakes import LANGUAGE, NAMES, make_view, parse, run_passes

from inletctl.scenario.expect import Test, parse_tests, show_raw
from inletctl.scenario.run import NEVER_US, ScenarioRun, reactions

MS = 1000


def s2_closed_between(*spans):
    """Return at_pass that closes S2 in the passes from..to (both included, in ms) of each span."""

    def at_pass(t_us, view):
        view.commands.s2_close = any(low * MS <= t_us <= high * MS for low, high in spans)

    return at_pass


def only(run):
    assert run.is_over
    assert len(run.outcomes) == 1
    return run.outcomes[0]


# Verbs.


def test_verbs_are_done_at_their_own_microsecond_and_in_order():
    run = ScenarioRun(
        parse("at 3ms plug\nplug 20\nat 12.345ms unplug\nat 30ms wear ac_l 3\nend 1s\n")
    )
    world = make_view().world
    assert run.next_due_us == 3000
    assert run.run_due(world, 2999) == 0
    assert world.done == []
    assert run.run_due(world, 12_345) == 0
    assert world.done == [
        (3000, "plug", {}),
        (3000, "plug", {"cable_a": 20}),
        (12_345, "unplug", {}),
    ]
    assert run.next_due_us == 30_000
    world.t_us = 35_000  # a world that is ahead is not turned back
    run.run_due(world, 40_000)
    assert world.done[-1] == (35_000, "wear", {"contact": "ac_l", "milliohm": 3})
    assert run.next_due_us == NEVER_US


def test_reset_is_handed_to_the_target_with_its_dark_time():
    run = ScenarioRun(parse("at 1s reset\nat 2s reset off_ms=3s\nend 9s\n"))
    world = make_view().world
    assert run.run_due(world, 999_999) == 0
    assert run.run_due(world, 1_000_000) == 200
    assert run.run_due(world, 1_500_000) == 0
    assert run.run_due(world, 2_500_000) == 3000
    assert world.done == []


def test_events_tell_verbs_answers_and_failures():
    events = []
    run = ScenarioRun(
        parse("at 0s plug\nat 10ms unplug\nexpect plugged=no\nend 20ms\n"),
        lambda t, text: events.append((t, text)),
    )
    view = make_view()
    run.run_due(view.world, 0)
    view.world.answer = "the lock holds it"
    run.run_due(view.world, 10_000)
    view.world.plugged = True
    run.check(10_000, view)
    assert events == [
        (0, "plug"),
        (10_000, "unplug: the lock holds it"),
        (10_000, "FAILED x.txt:5: expected plugged=no at 10ms; saw plugged=yes at 10ms"),
    ]


# expect.


@pytest.mark.parametrize(("at", "passed"), [("19ms", True), ("20ms", True), ("20.001ms", False)])
def test_expect_is_judged_on_the_first_pass_not_before_its_time(at, passed):
    outcome = only(
        run_passes(f"at {at} expect s2=closed\nend 100ms\n", s2_closed_between((20, 20)))
    )
    assert outcome.passed is passed
    assert outcome.t_us == (20_000 if passed else 30_000)
    assert outcome.reaction_us is None


def test_failed_expect_says_only_what_was_wrong():
    run = run_passes(
        "at 20ms expect s2=closed session=unplugged permitted_a=16\nend 30ms\n", lambda t, v: None
    )
    assert run.failures == [
        "x.txt:3: expected s2=closed session=unplugged permitted_a=16 at 20ms; saw s2=open permitted_a=0 at 20ms"
    ]
    assert not run.passed


@pytest.mark.parametrize(("at", "seen"), [("100ms", 90), ("101ms", 100), ("109ms", 100)])
def test_expect_above_a_verb_is_judged_before_it(at, seen):
    text = f"at {at} expect s2=closed\nplug\nend 200ms\n"
    assert run_passes(text, s2_closed_between((seen, seen))).passed
    run = run_passes(text, s2_closed_between((seen + 10, 999)))
    assert run.failures == [f"x.txt:3: expected s2=closed before {at}; saw s2=open at {seen}ms"]
    below = f"at {at} plug\nexpect s2=closed\nend 200ms\n"
    after = -(-int(at[:-2]) // 10) * 10
    assert run_passes(below, s2_closed_between((after, after))).passed


# within.


@pytest.mark.parametrize(
    ("spans", "passed", "reaction_ms", "before"),
    [
        ([(100, 999)], True, 0, False),  # at once
        ([(130, 999)], True, 30, False),
        ([(150, 999)], True, 50, False),  # at the very deadline
        ([(150, 150)], True, 50, False),  # what comes after the deadline is no matter
        ([(160, 999)], False, None, False),
        ([(110, 140)], False, None, False),  # true, but no more at the deadline
        ([(110, 120), (140, 999)], True, 40, False),  # the last rise counts
        ([(90, 999)], True, None, True),  # was so already: measures nothing
        ([(90, 120), (140, 999)], True, 40, False),
        ([(80, 80), (120, 999)], True, 20, False),
    ],
)
def test_within_wants_it_true_at_the_deadline_and_measures(spans, passed, reaction_ms, before):
    run = run_passes(
        "at 100ms within 50ms expect s2=closed\nend 500ms\n", s2_closed_between(*spans)
    )
    outcome = only(run)
    assert outcome.passed is passed
    assert outcome.reaction_us == (None if reaction_ms is None else reaction_ms * MS)
    assert outcome.was_so_before is before
    assert reactions(run.outcomes) == (
        [] if reaction_ms is None else [(3, reaction_ms * MS, 50_000)]
    )


def test_within_between_two_passes_counts_from_its_own_time():
    outcome = only(
        run_passes(
            "at 103ms within 50ms expect s2=closed\nend 500ms\n", s2_closed_between((130, 999))
        )
    )
    assert (outcome.passed, outcome.reaction_us) == (True, 27_000)
    late = only(
        run_passes(
            "at 103ms within 50ms expect s2=closed\nend 500ms\n", s2_closed_between((160, 999))
        )
    )
    assert not late.passed
    assert (
        late.sentence == "x.txt:3: expected s2=closed within 50ms from 103ms; saw s2=open at 150ms"
    )


def test_within_from_the_start_measures_only_what_was_not_so_at_once():
    text = "at 0s within 50ms expect s2=closed\nend 500ms\n"
    assert only(run_passes(text, s2_closed_between((0, 999)))).was_so_before
    assert only(run_passes(text, s2_closed_between((20, 999)))).reaction_us == 20_000


def test_within_lost_again_says_when():
    run = run_passes(
        "at 100ms within 50ms expect s2=closed session=unplugged\nend 500ms\n",
        s2_closed_between((110, 130)),
    )
    assert run.failures == [
        "x.txt:3: expected s2=closed session=unplugged within 50ms from 100ms; saw s2=open at 150ms, after it had been true until 140ms"
    ]


def test_within_without_a_pass_cannot_be_told():
    run = run_passes(
        "at 110ms within 20ms expect s2=open\nend 500ms\n", lambda t, v: None, step_us=100_000
    )
    assert run.failures == [
        "x.txt:3: expected s2=open within 20ms from 110ms; no pass fell into that time"
    ]


def test_several_within_lines_count_from_the_same_event():
    run = run_passes(
        "at 100ms plug\nwithin 20ms expect s2=closed\nwithin 300ms expect s2=open\nend 1s\n",
        s2_closed_between((110, 200)),
    )
    assert run.passed
    assert reactions(run.outcomes) == [(4, 10_000, 20_000), (5, 110_000, 300_000)]


# for.


@pytest.mark.parametrize(
    ("spans", "failed_ms"),
    [
        ([(100, 150)], None),
        ([(0, 999)], None),
        ([(110, 150)], 100),
        ([(100, 140)], 150),
        ([(100, 120), (140, 999)], 130),
    ],
)
def test_for_wants_it_true_in_every_pass_of_the_time(spans, failed_ms):
    outcome = only(
        run_passes("at 100ms for 50ms expect s2=closed\nend 500ms\n", s2_closed_between(*spans))
    )
    assert outcome.passed is (failed_ms is None)
    if failed_ms is not None:
        assert (
            outcome.sentence
            == f"x.txt:3: expected s2=closed for 50ms from 100ms; saw s2=open at {failed_ms}ms"
        )


def test_for_that_ends_between_two_passes_is_over_at_its_time():
    outcome = only(
        run_passes(
            "at 100ms for 55ms expect s2=closed\nend 500ms\n", s2_closed_between((100, 150))
        )
    )
    assert (outcome.passed, outcome.t_us) == (True, 160_000)


# always, never, end.


def test_always_fails_once_with_the_condition_that_broke():
    run = run_passes(
        "always expect session=unplugged s2=open\nend 500ms\n",
        s2_closed_between((50, 60), (90, 100)),
    )
    assert run.failures == [
        "x.txt:3: expected always session=unplugged s2=open; saw s2=closed at 50ms"
    ]
    assert len(run.outcomes) == 1


def test_never_fails_only_where_all_is_true_together():
    text = "never expect s2=closed permitted_a<6\nend 100ms\n"

    def safe(t_us, view):
        view.commands.s2_close = t_us > 50_000
        view.commands.permitted_ma = 6000 if t_us > 50_000 else 0

    assert run_passes(text, safe).passed
    run = run_passes(text, s2_closed_between((70, 80)))
    assert run.failures == [
        "x.txt:3: expected never s2=closed permitted_a<6; saw s2=closed permitted_a=0 at 70ms"
    ]


def test_a_broken_guard_leaves_the_others_watching():
    text = "always expect s2=open\nnever expect s2=closed permitted_a=6\nalways within 100ms expect s2=open\nend 200ms\n"
    run = run_passes(text, s2_closed_between((50, 80)))
    assert [(o.expectation.line, o.passed, o.reaction_us) for o in run.outcomes] == [
        (3, False, None),
        (4, True, None),
        (5, True, 40_000),
    ]


TOLERANT = [
    "always within 50ms expect s2=open session=unplugged",
    "never for 50ms expect s2=closed session=unplugged",
]


@pytest.mark.parametrize("line", TOLERANT)
@pytest.mark.parametrize(
    ("spans", "failed_ms", "worst_ms"),
    [
        ([], None, None),
        ([(100, 100)], None, 10),
        ([(100, 140)], None, 50),  # true again at the very deadline
        ([(100, 150)], 150, None),
        ([(100, 120), (140, 180), (300, 300)], None, 50),  # a break begins anew
        ([(100, 120), (140, 190)], 190, None),
        ([(490, 500)], None, None),  # the end comes first
    ],
)
def test_tolerant_guard_breaks_after_its_time_without_a_break(line, spans, failed_ms, worst_ms):
    run = run_passes(f"{line}\nend 500ms\n", s2_closed_between(*spans))
    outcome = only(run)
    if failed_ms is None:
        assert outcome.passed
        assert reactions(run.outcomes) == (
            [] if worst_ms is None else [(3, worst_ms * MS, 50_000)]
        )
    else:
        promise, wanted = line.split(" expect ")
        seen = "s2=closed" if "always" in line else "s2=closed session=unplugged"
        assert run.failures == [
            f"x.txt:3: expected {promise} {wanted}; saw {seen} at {failed_ms}ms since {failed_ms - 50}ms"
        ]


@pytest.mark.parametrize("end", ["100ms", "95ms"])
def test_end_is_judged_on_the_first_pass_not_before_the_end(end):
    text = f"end expect s2=closed\nend {end}\n"
    assert run_passes(text, s2_closed_between((100, 100))).passed
    run = run_passes(text, s2_closed_between((90, 90)))
    assert run.failures == [
        f"x.txt:3: expected s2=closed at the end at {end}; saw s2=open at 100ms"
    ]


def test_every_expectation_has_one_outcome_at_the_end():
    text = (
        "always expect s2=open\nnever expect s2=closed\nat 100ms expect s2=open\nwithin 10ms expect s2=open\n"
        "for 10ms expect s2=open\nend 110ms\nend expect s2=open\n"
    )
    run = run_passes(text, lambda t, v: None)
    assert run.passed
    assert len(run.outcomes) == len(parse(text).expectations) == 6
    run.give_up(999_999, "too late")
    run.check(999_999, make_view())
    assert len(run.outcomes) == 6


def test_a_run_given_up_fails_what_is_open():
    run = ScenarioRun(
        parse(
            "always expect s2=open\nat 0s within 1s expect s2=open\nat 2s expect s2=open\nend 3s\n"
        )
    )
    run.check(0, make_view())
    run.give_up(500_000, "the firmware stopped answering")
    assert run.is_over
    assert not run.passed
    assert run.failures == [
        "x.txt:4: expected s2=open within 1s from 0s; the firmware stopped answering at 500ms",
        "x.txt:5: expected s2=open at 2s; the firmware stopped answering at 500ms",
    ]


def test_a_run_can_be_snapshot_and_goes_on_alike():
    scenario = parse(
        "never expect charger_a>permitted_a\nat 100ms within 50ms expect s2=closed hottest_c=unknown\nend 500ms\n"
    )
    run = ScenarioRun(scenario)
    view = make_view()
    for t_us in range(0, 120_000, 10_000):
        run.check(t_us, view)
    copies = [run, pickle.loads(pickle.dumps(run)), copy.deepcopy(run)]
    view.commands.s2_close = True
    for each in copies:
        for t_us in range(120_000, 510_000, 10_000):
            each.check(t_us, view)
    assert [reactions(each.outcomes) for each in copies] == [[(4, 20_000, 50_000)]] * 3
    assert copies[1].scenario == scenario


# Conditions.


def holds(text, **values):
    view = make_view()
    for name, value in values.items():
        setattr(view.world if hasattr(view.world, name) else view.commands, name, value)
    return all(test.holds(view) for test in parse_tests(text, LANGUAGE.keys))


@pytest.mark.parametrize(
    ("text", "values", "result"),
    [
        ("session=charging", {"session": 2}, True),
        ("session=charging", {"session": 3}, False),
        ("session!=charging|stopping|charging", {"session": 3}, False),
        ("session!=charging|stopping", {"session": 1}, True),
        ("state=c", {"pilot_state": 4}, True),
        ("state=C", {"pilot_state": 5}, False),
        ("state=?", {"pilot_state": 7}, True),
        ("s2=closed", {"s2_close": True}, True),
        ("s2=closed", {"s2_close": False}, False),
        ("evse=B1", {"evse_state": "B1"}, True),
        ("evse=B", {"evse_state": "A"}, False),
        ("permitted_a=16", {"permitted_ma": 16000}, True),
        ("permitted_a=16", {"permitted_ma": 15999}, False),
        ("permitted_a=16000mA", {"permitted_ma": 16000}, True),
        ("permitted_a!=16", {"permitted_ma": 16001}, True),
        ("permitted_a<16", {"permitted_ma": 15999}, True),
        ("permitted_a<16", {"permitted_ma": 16000}, False),
        ("permitted_a<=16", {"permitted_ma": 16000}, True),
        ("permitted_a>16", {"permitted_ma": 16000}, False),
        ("permitted_a>=16", {"permitted_ma": 16000}, True),
        ("permitted_a=6..16", {"permitted_ma": 5999}, False),
        ("permitted_a=6..16", {"permitted_ma": 6000}, True),
        ("permitted_a=6..16", {"permitted_ma": 16000}, True),
        ("permitted_a=6..16", {"permitted_ma": 16001}, False),
        ("permitted_a!=6..16", {"permitted_ma": 16001}, True),
        ("permitted_a!=6..16", {"permitted_ma": 16000}, False),
        ("hottest_c=60.5", {"hottest_decic": 605, "hottest_ok": True}, True),
        ("hottest_c=unknown", {"hottest_decic": 605, "hottest_ok": False}, True),
        ("hottest_c!=unknown", {"hottest_decic": 605, "hottest_ok": False}, False),
        ("hottest_c<100", {"hottest_decic": 605, "hottest_ok": False}, False),
        ("hottest_c!=60", {"hottest_decic": 605, "hottest_ok": False}, False),
        ("hottest_c!=1..2", {"hottest_decic": 605, "hottest_ok": False}, False),
        ("hottest_c<=contact_c", {"hottest_decic": 605, "hottest_ok": False}, False),
        ("hottest_c<=contact_c", {"hottest_decic": 210, "hottest_ok": True}, True),
        ("hottest_c<=contact_c", {"hottest_decic": 211, "hottest_ok": True}, False),
        ("contact_c=21", {}, True),
        ("locked=no refused_unplugs=0 violations<1", {}, True),
        ("refused_unplugs>0", {"refused_unplugs": 1}, True),
        ("cp_v=-12..-11.5", {"cp_mv": -11_700}, True),
        (
            "evse_duty_pct>lock_travel_pct",
            {"evse_duty_pct_x100": 5001, "lock_travel_pct": 50},
            True,
        ),
        (
            "evse_duty_pct>lock_travel_pct",
            {"evse_duty_pct_x100": 5000, "lock_travel_pct": 50},
            False,
        ),
        ("reasons=none", {"reasons": 0}, True),
        ("reasons=none", {"reasons": 1}, False),
        ("reasons!=none", {"reasons": 1}, True),
        ("reasons=pilot_e", {"reasons": 2}, True),
        ("reasons=pilot_e", {"reasons": 3}, False),
        ("reasons has pilot_e", {"reasons": 3}, True),
        ("reasons has pilot_e,no_plug", {"reasons": 2}, False),
        ("reasons has PILOT_E, no_plug", {"reasons": 7}, True),
        ("reasons lacks pilot_e", {"reasons": 5}, True),
        ("reasons lacks pilot_e,no_plug", {"reasons": 5}, False),
        (
            "session = charging and reasons has pilot_e s2 != closed",
            {"session": 2, "reasons": 2},
            True,
        ),
    ],
)
def test_condition_compares_as_written(text, values, result):
    assert holds(text, **values) is result


def test_tests_are_equal_by_what_they_say():
    one, other, third = (
        parse_tests(t, LANGUAGE.keys)[0] for t in ("s2=open", "s2 = OPEN", "s2=closed")
    )
    assert one == other
    assert hash(one) == hash(other)
    assert one != third
    assert one != "s2=open"
    assert repr(one) == "Test(s2=open)"
    with pytest.raises(NotImplementedError):
        Test(one.key, "s2=open").holds(None)


def test_raw_values_are_shown_as_written():
    keys = LANGUAGE.keys
    assert show_raw(keys["reasons"], 0) == "none"
    assert show_raw(keys["reasons"], 5 | 1 << 20) == "no_plug,pilot_f,#20".replace(
        "pilot_f", NAMES["reasons"][2]
    )
    assert show_raw(keys["session"], 99) == "#99"
    assert show_raw(keys["evse"], "B1") == "B1"
    assert show_raw(keys["hottest_c"], None) == "unknown"
    assert show_raw(keys["permitted_a"], 31_980) == "31.98"
    assert show_raw(keys["lock_travel_pct"], 39.99999999) == "40"


def test_key_comparison_shows_both_sides():
    run = run_passes("at 0s expect charger_a>permitted_a\nend 10ms\n", lambda t, v: None)
    assert run.failures == [
        "x.txt:3: expected charger_a>permitted_a at 0s; saw charger_a=0 permitted_a=0 at 0s"
    ]
