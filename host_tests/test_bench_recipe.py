"""Recipes: read whole or refused whole, with one sentence that says where."""

import pytest

from inletctl.bench.channels import channel_of, needs_of
from inletctl.bench.model import Stimulus
from inletctl.bench.recipe import SHIPPED, blocks, find_recipe, read_recipe, requirements
from inletctl.errors import UserError
from inletctl.plant.verbs import VERBS

HEAD = '[recipe]\nname = "x"\n'
SWEEP = HEAD + '[[sweep]]\nid = "d"\nkind = "duty"\nrequirements = ["OI-DUTY-2"]\n'
CASE = HEAD + '[[case]]\nid = "c"\nrequirements = ["OI-S2-1"]\n'
TEXT = 'text = """\ntitle t\ninlet type2\nat 1s plug 32A\nwithin 5s expect s2=closed\nat 10s stop\nend 20s\n"""\n'


@pytest.fixture
def read(tmp_path):
    def made(text, seed=None):
        path = tmp_path / "r.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_recipe(path, seed)

    return made


def refusal(read, text):
    with pytest.raises(UserError) as caught:
        read(text)
    sentence = str(caught.value)
    assert "\n" not in sentence and "r.toml" in sentence
    return sentence


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_recipes_can_be_read_and_every_step_has_a_requirement(path):
    made = blocks(read_recipe(path))
    known = requirements()
    ids = [step.id for block in made for step in block.steps]
    assert len(ids) == len(set(ids)) > 10
    assert all(
        step.requirements and set(step.requirements) <= set(known)
        for block in made
        for step in block.steps
    )


def test_the_conformance_recipe_asks_for_every_requirement():
    made = blocks(read_recipe(find_recipe("conformance")))
    asked = {one for block in made for step in block.steps for one in step.requirements}
    assert asked | {"OI-RIG-1"} == set(requirements())


def test_values_are_exact_and_dense_where_asked(read):
    recipe = read(SWEEP + "from = 0\nto = 10\nstep = 5\ndense = [8]\nwidth = 0.2\nfine = 0.1\n")
    assert recipe.sweeps[0].values == (0, 5, 7.8, 7.9, 8, 8.1, 8.2, 10)


def test_a_dense_point_at_the_end_of_the_range_stays_within_it(read):
    assert read(SWEEP + "dense = [100]\n").sweeps[0].values == (99.7, 99.8, 99.9, 100)


def test_order_is_up_down_or_random_by_the_seed(read):
    def order(word, seed=None):
        block = blocks(read(SWEEP + 'from = 10\nto = 60\nstep = 10\norder = "%s"\n' % word, seed))[
            0
        ]
        return [step.set_value for step in block.steps if step.what == "duty"]

    assert order("up") == sorted(order("up")) == order("down")[::-1]
    assert order("random", 3) == order("random", 3) != order("random", 4)


def test_every_value_has_its_own_time_and_the_block_ends_with_the_last(read):
    block = blocks(read(SWEEP + "values = [10, 20]\n"))[0]
    ends = sorted({(step.t_us, step.until_us) for step in block.steps})
    assert ends[0][1] == ends[1][0] and ends[1][1] == block.end_us


def test_steady_and_f_are_left_before_the_next_duty(read):
    block = blocks(read(SWEEP + "values = [0, 50, 100]\n"))[0]
    assert [one.verb for one in block.stimuli][-4:] == [
        "evse_error",
        "evse_recover",
        "evse_duty",
        "evse_pause",
    ]


def test_a_case_has_a_step_for_each_expectation_and_two_for_each_stop(read):
    text = CASE + TEXT + '[[case.stop]]\nafter = "stop"\nreason = "person_stop"\n'
    block = blocks(read(text))[0]
    assert [step.what for step in block.steps] == ["expect", "latency", "latency"]
    assert [step.tolerance for step in block.steps[1:]] == [20, 3040]
    assert block.steps[1].t_us == 10_000_000
    assert block.needs == ("person",)


def test_a_seed_replaces_the_recipes_own_and_reaches_the_cases(read):
    recipe = read(CASE + TEXT, 77)
    assert recipe.seed == 77 and blocks(recipe)[0].scenario.seed == 77


def test_the_hash_covers_the_scenario_files(tmp_path):
    path, scenario = tmp_path / "r.toml", tmp_path / "s.txt"
    path.write_text(CASE + 'file = "s.txt"\n')
    scenario.write_text("title t\ninlet type2\nat 1s plug 32A\nend 2s\n")
    first = read_recipe(path)
    scenario.write_text("title t\ninlet type2\nat 1s plug 20A\nend 2s\n")
    assert read_recipe(path).sha256 != first.sha256


def test_every_verb_has_a_channel():
    assert {channel_of(verb) for verb in (*VERBS, "reset")} >= {
        "pilot",
        "pp",
        "person",
        "power",
        "noise",
        "wiring",
    }
    assert needs_of((Stimulus(0, "reset", {}), Stimulus(0, "evse_duty", {}))) == ("pilot", "power")


BAD = {
    "not toml": (b"[recipe\n", "is not TOML"),
    "not utf-8": (b'[recipe]\nname = "\xff"\n', "r.toml:2: is not UTF-8"),
    "no head": ("[[sweep]]\n", "there is no [recipe] table"),
    "nothing in it": (HEAD, "nothing would be proven"),
    "unknown table": (HEAD + "[sweeps]\n", "unknown table 'sweeps' (did you mean sweep?)"),
    "unknown key": (SWEEP + "form = 1\n", "unknown key 'form' (did you mean from?)"),
    "wrong type": (SWEEP + 'from = "a"\n', "from is a number, not 'a'"),
    "no requirement": (
        SWEEP.replace('["OI-DUTY-2"]', "[]") + "values = [1]\n",
        "name at least one id",
    ),
    "unknown requirement": (
        SWEEP.replace("OI-DUTY-2", "OI-X") + "values = [1]\n",
        "unknown requirement 'OI-X'",
    ),
    "unknown kind": (SWEEP.replace('"duty"', '"dutty"'), "did you mean duty?"),
    "no value": (SWEEP, "it has no value to set"),
    "half a range": (SWEEP + "from = 1\n", "to is missing"),
    "step zero": (SWEEP + "from = 1\nto = 2\nstep = 0\n", "step above 0"),
    "backwards": (SWEEP + "from = 3\nto = 2\nstep = 1\n", "from is to be below to"),
    "too many": (SWEEP + "from = 0\nto = 100\nstep = 0.001\n", "more than 5000"),
    "not a number": (SWEEP + "values = [nan]\n", "not nan"),
    "infinite": (SWEEP + "from = 0\nto = inf\nstep = 1\n", "not inf"),
    "outside": (SWEEP + "values = [101]\n", "101 is outside 0..100 %"),
    "order": (SWEEP + 'values = [1]\norder = "left"\n', "order is one of up, down, random"),
    "settle": (SWEEP + "values = [1]\nsettle_s = 0\n", "settle_s is 0.05..600"),
    "charging at 5 %": (
        SWEEP + "values = [5]\ncharging = true\n",
        "charging goes with a duty of 8..97",
    ),
    "inlet": (SWEEP + 'values = [1]\ninlet = "type3"\n', "unknown inlet 'type3'"),
    "setting": (
        SWEEP + "values = [1]\nsettings = { max_current = 1 }\n",
        "unknown setting 'max_current'",
    ),
    "setting's value": (
        SWEEP + "values = [1]\nsettings = { max_current_ma = 1 }\n",
        "outside 6000..80000",
    ),
    "two alike": (
        SWEEP + "values = [1]\n" + SWEEP.replace(HEAD, "") + "values = [1]\n",
        "the id stands for two",
    ),
    "bad id": (SWEEP.replace('"d"', '"D d"') + "values = [1]\n", "an id is made of"),
    "seed": (
        SWEEP.replace('name = "x"', 'name = "x"\nseed = -1') + "values = [1]\n",
        "seed -1 is outside",
    ),
    "temperature jumps": (
        SWEEP.replace("duty", "temperature") + "values = [20, 40]\n",
        "steps of 3 K",
    ),
    "neither text nor file": (CASE, "either its text or its file"),
    "no such file": (CASE + 'file = "nope"\n', "no scenario file 'nope'"),
    "scenario error": (
        CASE + 'text = """\ntitle t\ninlet type2\nat 1s plugg\nend 2s\n"""\n',
        "case 'c':3:",
    ),
    "unknown reason": (
        CASE + TEXT + '[[case.stop]]\nafter = "stop"\nreason = "x"\n',
        "unknown reason 'x'",
    ),
    "no such verb": (
        CASE + TEXT + '[[case.stop]]\nafter = "reset"\nreason = "rest"\n',
        "stands 0 times",
    ),
    "not a list of tables": ("sweep = 3\n" + HEAD, "is written [[sweep]]"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_in_one_sentence(read, name):
    text, words = BAD[name]
    assert words in refusal(read, text)


def test_a_missing_file_is_said():
    with pytest.raises(UserError, match="cannot be read: No such file"):
        read_recipe("nowhere.toml")
