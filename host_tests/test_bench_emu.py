"""Blocks on the emulated board, with a chip that says what it is given to say: no emulator runs here."""

from types import SimpleNamespace

import pytest

from inletctl.bench.emu import EmuBlock
from inletctl.bench.executor import CutShortError
from inletctl.bench.judge import judge
from inletctl.bench.model import FAIL, PASS
from inletctl.bench.recipe import blocks, read_recipe
from inletctl.house import use_firmware
from inletctl.link.codec import seal

use_firmware()

from drivers.virtual_layout import COMMANDS  # noqa: E402

RECIPE = """
[recipe]
name = "small"
[[case]]
id = "c"
requirements = ["OI-S2-1"]
text = '''
title t
inlet type2
at 1s expect s2=open
at 2s evse_frequency 960
within 100ms expect s2=closed
at 3s reset off_ms=500
within 50ms expect s2=open
end 5s
'''
"""


class Chip:
    """A chip whose board says a line a second; `says(t_ms)` gives the commands."""

    def __init__(self, says, boot_ms=100):
        self.now_ns = self.boot_ns = 0
        self.is_held = False
        self.on_reset = []
        self.says = says
        self.feed = None
        self.sent = []
        self._boot_ms = boot_ms
        self._number = 0
        self._next_ns = boot_ms * 1_000_000
        self._until_ns = 0

    def run_until(self, t_ns):
        while self._next_ns <= t_ns:
            self.now_ns = self._next_ns
            self._next_ns += 10_000_000
            self.pass_()
        self.now_ns = t_ns

    def pass_(self):
        if self.is_held:
            if self.now_ns >= self._until_ns:
                self.is_held = False
                self.boot_ns = self.now_ns
                self._number = 0
                for call in self.on_reset:
                    call("boot")
            self.on_pass()
            return
        self.on_pass()
        if self.is_held:
            return
        values = self.says((self.now_ns - 100_000_000) // 1_000_000, self.boot_ns > 0)
        if values is not None:
            t_ms = (self.now_ns - self.boot_ns) // 1_000_000
            given = [values.get(name, 0) for name in COMMANDS]
            self.feed(seal({"t": t_ms, "n": self._number, "c": given, "late": 0}))
            self._number += 1

    def on_pass(self):
        self.wiring.tick()

    def hold(self, off_ns):
        self.is_held = True
        self._until_ns = self.now_ns + off_ns
        for call in self.on_reset:
            call("held")


class Wires:
    zero_ns = 100_000_000
    outputs = SimpleNamespace(s2_close=False, lock_drive=0, drive_allowed=False)

    def __init__(self, chip, world, on_time, _due):
        self.chip, self.world, self._on_time = chip, world, on_time
        self.on_output = None
        chip.wiring = self

    @property
    def t_us(self):
        return (self.chip.now_ns - self.zero_ns) // 1000

    def tick(self):
        self.world.advance(max(self.t_us, self.world.t_us))
        self._on_time(self.t_us)

    def read_outputs(self):
        pass


def console_of(chip, feed):
    chip.feed = feed
    return SimpleNamespace(send=chip.sent.append)


def block_of(tmp_path, text):
    path = tmp_path / "small.toml"
    path.write_text(text)
    return blocks(read_recipe(path))[0]


@pytest.fixture
def block(tmp_path):
    return block_of(tmp_path, RECIPE)


def healthy(t_ms, has_reset):
    if t_ms % 500 and t_ms != 2050:
        return None
    return {"s2_close": int(2050 <= t_ms < 3000 and not has_reset)}


def run(block, says, watch=lambda _t_us: None):
    made = EmuBlock(block, 1, Chip(says), Wires, console_of)
    return made.run_to_end(watch)


def test_lines_are_judged_by_the_worlds_time_and_a_reset_is_dark(block):
    record = run(block, healthy)
    assert [row.words for row in judge(block, record) if row.verdict != PASS] == []
    assert record.is_complete and not record.lost_lines
    assert record.dark and record.dark[0][0] == 3_000_000
    assert [words for _t, words in record.done] == ["evse_frequency hz=960", "reset off_ms=500"]


def test_a_board_that_does_otherwise_fails(block):
    record = run(block, lambda t_ms, _has_reset: None if t_ms % 500 else {"s2_close": 0})
    assert FAIL in {row.verdict for row in judge(block, record)}


def test_a_firmware_that_never_comes_to_its_loop_fails(tmp_path):
    block = block_of(tmp_path, RECIPE.replace("at 3s reset off_ms=500", "at 3s evse_pause"))
    record = run(block, lambda _t_ms, _has_reset: None)
    assert "does not come to its loop" in record.failure
    assert judge(block, record)[-1].verdict == FAIL


def test_readings_are_asked_for(block):
    from dataclasses import replace

    chip = Chip(healthy)
    EmuBlock(replace(block, rate_ms=200), 1, chip, Wires, console_of).run_to_end(lambda _t: None)
    assert len(chip.sent) == 2 and b'"do":"rate","a":[200]' in chip.sent[0]


def test_ctrl_c_keeps_what_was_measured(block):
    def stop(t_us):
        if t_us > 2_500_000:
            raise KeyboardInterrupt

    with pytest.raises(CutShortError) as caught:
        run(block, healthy, stop)
    record = caught.value.record
    assert record.samples and record.until_us > 2_500_000 and not record.is_complete
