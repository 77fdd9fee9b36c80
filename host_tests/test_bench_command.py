"""`inletctl bench`: words, exit statuses, and one sentence for what is wrong."""

import pytest
from click.testing import CliRunner

from inletctl.bench.command import bench
from inletctl.errors import UserError


def call(*arguments):
    return CliRunner().invoke(bench, arguments)


def refused(*arguments):
    result = call(*arguments)
    assert isinstance(result.exception, UserError)
    assert result.exception.exit_status == 2
    return str(result.exception)


def test_the_smoke_recipe_passes_and_its_report_is_written(tmp_path):
    result = call("smoke", "--out", str(tmp_path), "--operator", "me")
    assert result.exit_code == 0, result.output
    assert "PASS: " in result.output and "0 fail" in result.output
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"report.html", "junit.xml", "steps.csv", "bench.vcd", "bench.json"}


def test_options_may_stand_before_the_recipe(tmp_path):
    result = call("--only", "cables", "smoke", "--out", str(tmp_path))
    assert result.exit_code == 0 and "5 pass" in result.output


def test_a_recipe_that_fails_ends_with_1_and_names_what_failed(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text(
        '[recipe]\nname = "r"\n[[case]]\nid = "c"\nrequirements = ["OI-S2-1"]\n'
        'text = "title t\\ninlet type2\\nat 1s expect s2=closed\\nend 2s"\n'
    )
    result = call(str(path), "--out", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert (
        "fail: c/1: expect s2=closed" in result.output and "FAIL: 0 pass, 1 fail" in result.output
    )


def test_the_list_names_recipes_blocks_and_broken_firmwares():
    result = call("list")
    assert result.exit_code == 0
    for words in ("conformance: ", "smoke: ", "duty-random", "truncating-duty"):
        assert words in result.output


def test_help_is_told():
    assert "RECIPE" in call("--help").output
    assert "--generator" in call("run", "--help").output


def test_bad_input_is_one_sentence(tmp_path):
    out = str(tmp_path)
    assert "cannot be read" in refused("nowhere", "--out", out)
    assert "no block 'x'" in refused("smoke", "--only", "x", "--out", out)
    assert "needs --port" in refused("smoke", "--target", "board", "--generator", "manual")
    assert "needs --generator" in refused("smoke", "--target", "board", "--port", "x")
    assert "--port belongs to --target board" in refused("smoke", "--port", "x")
    assert "drives a board" in refused("smoke", "--generator", "manual")


@pytest.mark.parametrize(
    "arguments",
    [("smoke", "--seed", "-1"), ("smoke", "--target", "moon"), ("smoke", "--gain", "0")],
)
def test_bad_options_end_with_2(arguments):
    assert call(*arguments).exit_code == 2
