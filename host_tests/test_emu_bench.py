"""The bench on the emulated board, without an image: every block of a run gets the firmware that the run began with."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from built_image import built

from inletctl.bench import emu
from inletctl.bench.recipe import blocks, find_recipe, read_recipe
from inletctl.emu import flash_image
from inletctl.emu.flash_image import SETTINGS_FILE, board_files, read_flash
from inletctl.emu.image import PICO_LAYOUT


@pytest.fixture
def executor(monkeypatch):
    """An executor whose chips only keep the flash they were given."""
    monkeypatch.setattr(flash_image, "build", built)
    monkeypatch.setattr(
        emu, "find_image", lambda _given: SimpleNamespace(layout=PICO_LAYOUT, version="")
    )
    monkeypatch.setattr(emu, "Chip", lambda _image, flash: read_flash(flash, PICO_LAYOUT))
    return emu.EmuExecutor(1)


@pytest.fixture
def block():
    return blocks(read_recipe(find_recipe("emulated"), None))[0]


def test_firmware_that_changes_during_a_run_changes_nothing_of_it(executor, block, monkeypatch):
    before = executor._chip(block)
    told = executor.identity().firmware_hash

    def changed(*_arguments):
        raise AssertionError("the firmware was read again")

    monkeypatch.setattr(emu, "board_files", changed)
    monkeypatch.setattr(emu, "firmware_hash", lambda: "another")
    assert executor._chip(block) == before
    assert executor.identity().firmware_hash == told


def test_each_block_has_its_own_settings_stored(executor, block):
    plain = executor._chip(block)
    other = executor._chip(replace(block, settings={**block.settings, "max_current_ma": 10_000}))
    assert plain[SETTINGS_FILE] != other[SETTINGS_FILE]
    del plain[SETTINGS_FILE], other[SETTINGS_FILE]
    assert plain == other == board_files(emu.BOARD, None)
