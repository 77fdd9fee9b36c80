"""The world as a whole: verbs as data, determinism, snapshots, and what it costs while nothing changes."""

import pickle
from random import Random

import pytest
from plant_bench import Bench

from inletctl.errors import UserError
from inletctl.plant import bench as speed
from inletctl.plant.clock import FAR_US, Clock, cancel
from inletctl.plant.config import KEYS, PlantConfig
from inletctl.plant.spec import REQUIRED, UNITS
from inletctl.plant.verbs import VERBS

# Coverage is measured by the tests of each room; here it would only cost time.
pytestmark = pytest.mark.no_cover


def _some_args(verb, random):
    """Return random arguments inside the ranges of a verb."""
    args = {}
    for name, spec in VERBS[verb][1].items():
        if spec.default is not REQUIRED and random.random() < 0.3:
            continue
        if spec.choices:
            args[name] = random.choice(spec.choices)
        else:
            # Times stay short, so that much happens in little time.
            top = min(spec.maximum, 300) if spec.unit == "ms" else spec.maximum
            value = random.uniform(max(spec.minimum, -1e9), top)
            args[name] = round(value) if spec.whole else value
    if verb == "plug":
        args.pop("cable_a", None)
    return args


def _storm(seed, passes=400):
    """Throw every verb at a world at random microseconds; return the bench and all readings as text."""
    random = Random(seed)
    bench = Bench(seed=seed, inlet=random.choice(("type1", "nacs", "gbt")))
    world, r = bench.world, bench.readings
    lines = []
    for _n in range(passes):
        end_us = world.t_us + 10_000
        for at_us in sorted(
            random.randrange(world.t_us, end_us) for _m in range(random.randrange(3))
        ):
            world.advance(at_us)
            verb = random.choice(list(VERBS))
            world.do(verb, **_some_args(verb, random))
        world.advance(end_us)
        world.sample(r)
        assert 0 <= r.pilot_count <= 5
        for high, period in bench.periods():
            assert 0 < high < period <= 2_000_000
        assert -15_000 <= r.cp_low_mv <= 15_000 and -15_000 <= r.cp_high_mv <= 15_000
        assert 0 <= r.pilot_quiet_ms <= 1000
        assert 0 <= world.lock_travel_pct <= 100
        assert world.contactor_closed or not world.charger_ma
        assert all(isinstance(v, int) for v in vars(r).values() if not hasattr(v, "typecode"))
        lines.append(repr(sorted(vars(r).items())))
        if random.random() < 0.1:
            bench.commands.s2_close = not bench.commands.s2_close
            bench.commands.charger_ma = random.choice((0, 6000, 16_000, 32_000))
            bench.commands.lock_drive = random.choice((-1, 0, 1))
        world.apply(bench.commands)
    return bench, lines


def test_storm_of_verbs_keeps_every_reading_in_its_range():
    done = set()
    for seed in range(40):
        bench, _lines = _storm(seed)
        done |= {text for _t, text in bench.world.events}
    assert len(done) > 100


def test_same_seed_is_the_same_run_and_another_is_not():
    first, again, other = _storm(1), _storm(1), _storm(2)
    assert first[1] == again[1]
    assert first[0].world.events == again[0].world.events
    assert first[1] != other[1]


def test_snapshot_goes_on_exactly_as_the_original():
    bench = Bench(seed=4).charging()
    bench.world.do("noise_burst", samples=20, window=2000)
    bench.world.do("evse_offer", a=16)
    bench.world.do("vehicle_silent", hold=300)
    bench.world.do("pp_wire", state="break", hold=77)
    bench.world.advance(bench.world.t_us + 1_234)
    world, readings, commands = pickle.loads(
        pickle.dumps((bench.world, bench.readings, bench.commands))
    )
    copy = Bench()
    copy.world, copy.readings, copy.commands = world, readings, commands
    for _n in range(300):
        bench.one()
        copy.one()
        assert vars(bench.readings) == vars(copy.readings)
    assert bench.world.events == copy.world.events
    assert bench.world.evse.violations is not copy.world.evse.violations


def test_readings_do_not_depend_on_how_time_is_cut():
    coarse, fine = Bench(seed=6), Bench(seed=6)
    for bench in (coarse, fine):
        bench.charging()
        bench.world.do("evse_offer", a=16)
        bench.commands.charger_ma = 16_000
        bench.one()
    coarse.run(500)
    while fine.world.t_us < coarse.world.t_us - 10_000:
        fine.world.advance(fine.world.t_us + 1_000)
        if not fine.world.t_us % 10_000:
            fine.world.sample(fine.readings)
    fine.one()
    assert vars(fine.readings) == vars(coarse.readings)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_reaches_a_method_and_explains_itself(verb):
    method, specs, text = VERBS[verb]
    part, action = method.split(".")
    function = getattr(getattr(Bench().world, part), action)
    taken = function.__code__.co_varnames[1 : function.__code__.co_argcount]
    assert set(taken) == set(specs)
    assert text
    for spec in specs.values():
        assert spec.unit in UNITS
        assert spec.choices or spec.minimum < spec.maximum
        assert spec.default in (None, REQUIRED) or not spec.problem(spec.default)


@pytest.mark.parametrize(
    "verb, args, text",
    [
        ("fly", {}, "unknown verb 'fly'"),
        ("wear", {"contact": "ac_l"}, "wear needs milliohm: 0..100 milliohm"),
        (
            "wear",
            {"contact": "ac_x", "milliohm": 1},
            "contact must be one of ac_l, ac_n, dc_p, dc_n, all",
        ),
        ("wear", {"contact": "ac_l", "milliohm": 101}, "milliohm must be 0..100 milliohm"),
        ("wear", {"contact": "ac_l", "milliohm": "3"}, "must be a number"),
        ("noise_burst", {"samples": 2.5}, "must be a whole number, 1..1000"),
        ("unplug", {"hard": 1}, "unplug has no argument 'hard'"),
        ("evse_offer", {"a": None}, "must be a number"),
    ],
)
def test_wrong_verbs_are_refused_in_words(verb, args, text):
    with pytest.raises(UserError, match=text):
        Bench().world.do(verb, **args)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_has_a_default_inside_its_range(key):
    spec = KEYS[key]
    assert spec.unit in UNITS and spec.help
    assert spec.default is None or not spec.problem(spec.default)
    if not spec.choices:
        for value, is_good in (
            (spec.minimum, True),
            (spec.maximum, True),
            (spec.maximum + 1, False),
        ):
            assert (not spec.problem(value)) == is_good


def test_wrong_config_is_refused_in_words():
    for values, text in (
        ({"evse_max_amps": 3}, "unknown plant key 'evse_max_amps'"),
        ({"evse_max_a": 81}, "evse_max_a must be 0..80 A"),
        ({"inlet": "type3"}, "must be one of type1, type2, gbt, nacs"),
        ({"evse_max_a": None}, "must be a number"),
    ):
        with pytest.raises(UserError, match=text):
            PlantConfig(**values)


def test_config_takes_yes_and_no_as_words_or_bools_and_compares():
    assert PlantConfig(evse_auto="no") == PlantConfig(evse_auto=False) != PlantConfig()
    assert len({PlantConfig(), PlantConfig(ambient_c=20), PlantConfig(ambient_c=21)}) == 2
    with pytest.raises(AttributeError):
        _ = PlantConfig().nonsense


def test_clock_keeps_the_order_of_booking_and_forgets_what_is_cancelled():
    clock, seen = Clock(), []
    clock.at(50, seen.append, "b")
    clock.after_ms(0.02, seen.append, "a")
    cancelled = clock.at(50, seen.append, "x")
    clock.at(50, seen.append, "c")
    cancel(cancelled)
    cancel(None)
    while clock.due_us < FAR_US:
        clock.now_us = clock.due_us
        clock.run_next()
    assert seen == ["a", "b", "c"]
    clock.at(1, seen.append, "late")
    assert clock.due_us == 50


def test_charging_pass_replays_no_edges():
    bench = Bench().charging()
    bench.world.pilot.capture._replay = None  # would fail if called
    bench.run(1000)
    assert bench.periods() == [(5333, 10_000)] * 5


def test_speed_is_measured():
    assert 0 < speed.us_per_pass(200, 1) < 10_000
