"""The vocabulary of this very version, and the reference page printed from it."""

import re

import pytest
from scenario_fakes import LANGUAGE

from inletctl.errors import UserError
from inletctl.scenario import markdown
from inletctl.scenario.field import REQUIRED
from inletctl.scenario.language import RESET, RESET_OFF_MS, load_language
from inletctl.scenario.markdown import language_markdown
from inletctl.scenario.parse import FIRST_WORDS, parse_scenario
from inletctl.scenario.units import is_known_unit
from inletctl.scenario.write import format_scenario

NO_UNIT = ("", "count", "choice", "flag", "h:min")


@pytest.fixture(scope="module")
def language():
    return load_language()


def all_fields(language):
    """Return every field of the vocabulary."""
    fields = [*language.world.values(), *language.settings.values()]
    for verb in language.verbs.values():
        fields += verb.arguments.values()
    return fields


def test_every_unit_is_one_the_parser_knows(language):
    assert [
        f.name for f in all_fields(language) if f.unit not in NO_UNIT and not is_known_unit(f.unit)
    ] == []
    assert [k.name for k in language.keys.values() if k.unit and not is_known_unit(k.unit)] == []


def test_every_default_is_a_value_the_field_takes(language):
    for field in all_fields(language):
        if field.default is not REQUIRED and field.default is not None:
            assert field.take(field.show(field.default)) == field.default, field.name


def test_every_bound_is_taken_and_one_beyond_is_not(language):
    for field in all_fields(language):
        if field.choices or field.unit == "flag":
            continue
        assert field.take(field.show(field.minimum)) == field.minimum
        assert field.take(field.show(field.maximum)) == field.maximum


def test_no_verb_is_a_word_of_the_language_and_reset_is_the_runners(language):
    assert not set(language.verbs) & set(FIRST_WORDS)
    assert language.verbs[RESET].arguments["off_ms"].default == RESET_OFF_MS


def test_keys_have_distinct_choices(language):
    for key in language.keys.values():
        folded = [name.casefold() for name in key.names]
        assert len(set(folded)) == len(folded), key.name


def test_documented_example_is_a_scenario_of_this_version(language):
    scenario = parse_scenario(markdown.EXAMPLE, "example.txt", language)
    assert parse_scenario(format_scenario(scenario, language), "again.txt", language) == scenario


def test_reference_names_everything(language):
    page = language_markdown()
    for name in (*language.verbs, *language.keys, *language.settings, *language.world):
        assert name == "inlet" or "`%s`" % name in page
    for key in language.keys.values():
        for name in key.names:
            assert name in page
            assert not set(name) & set(" ,|")
    assert page.endswith("\n")
    assert "None" not in page
    assert not re.search(r"[ \t]+$", page, re.MULTILINE)


@pytest.mark.parametrize("vocabulary", [LANGUAGE, None])
def test_reference_tables_have_as_many_cells_as_their_head(vocabulary):
    width = 0
    for line in language_markdown(vocabulary).splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", line)) - 1
        width = width or cells
        assert cells == width, line


def test_misspelt_name_out_of_many_is_answered_with_the_nearest_only(language):
    text = "title A\ninlet type2\nat 1s expect reasons has pilot_ee\nend 9s\n"
    with pytest.raises(
        UserError, match=r"never 'pilot_ee' \(did you mean pilot_e, [a-z_]+ or [a-z_]+\?\)$"
    ):
        parse_scenario(text, "x.txt", language)
