"""The bench itself is tested: the conformance recipe fails every broken firmware. That the real one passes those blocks is in test_bench_sim.py."""

import json

import pytest

from inletctl.bench.firmwares import HEALTHY, Broken, Edit, patch, patched, read_broken, run_broken
from inletctl.bench.recipe import blocks, find_recipe, read_recipe
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
    assert "fail: %s/" % broken.caught_by in done.stderr
    assert HEALTHY.exists()
