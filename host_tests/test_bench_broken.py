"""The bench itself is tested: the conformance recipe fails every broken firmware and passes the real one."""

import json

import pytest

from inletctl.bench.firmwares import HEALTHY, Broken, Edit, patch, patched, read_broken, run_broken
from inletctl.bench.model import PASS
from inletctl.bench.recipe import blocks, find_recipe, read_recipe
from inletctl.bench.runner import run_recipe
from inletctl.bench.sim import SimExecutor
from inletctl.errors import UserError

BROKEN = read_broken()


def test_there_are_enough_of_them():
    assert len(BROKEN) >= 14


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_each_edit_still_finds_its_text_once(broken):
    with patched(broken) as folder:
        for edit in broken.edits:
            assert edit.put in (folder / edit.file).read_text(encoding="utf-8")
    assert not folder.exists()


def test_each_is_caught_by_a_block_of_the_recipe():
    known = {block.id for block in blocks(read_recipe(find_recipe("conformance")))}
    assert {broken.caught_by for broken in BROKEN} <= known


def test_an_edit_whose_text_has_gone_is_said(tmp_path):
    (tmp_path / "step.py").write_text("nothing of it")
    broken = Broken("x", "", "", (Edit("step.py", "something", "else"),))
    with pytest.raises(UserError, match=r"stands 0 times in firmware/step\.py"):
        patch(broken, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_the_conformance_recipe_fails_it(broken, tmp_path):
    done = run_broken(broken, tmp_path, (broken.caught_by,))
    assert done.returncode == 1, done.stderr + done.stdout
    report = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "fail", done.stderr


def test_the_real_firmware_passes_what_the_broken_ones_fail():
    recipe = read_recipe(find_recipe("conformance"))
    only = tuple(sorted({broken.caught_by for broken in BROKEN}))
    run = run_recipe(recipe, SimExecutor(recipe.seed), "x", only=only)
    assert [row.words for row in run.rows if row.verdict != PASS] == []
    assert run.verdict == PASS


def test_a_broken_firmware_in_a_process_of_its_own_fails(tmp_path):
    broken = next(one for one in BROKEN if one.name == "drives-while-plugged")
    done = run_broken(broken, tmp_path, (broken.caught_by,))
    assert done.returncode == 1
    assert "fail: unplug/1" in done.stderr
    assert HEALTHY.exists()
