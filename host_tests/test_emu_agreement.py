"""The shipped short scenarios on the emulated RP2040: every expectation holds, and the trace agrees with the host's.

By hand, with an image: one takes minutes. `make unit ARGS="-m emulator -k agreement"` runs them.
"""

import os
from pathlib import Path

import pytest

from inletctl.emu import runs

UF2 = os.environ.get("MICROPYTHON_UF2")

pytestmark = [
    pytest.mark.emulator,
    pytest.mark.slow,
    pytest.mark.skipif(
        not UF2,
        reason="no MicroPython image: set MICROPYTHON_UF2 to a UF2 for the Pico, then make unit ARGS='-m emulator'",
    ),
]


@pytest.mark.parametrize("path", sorted(runs.SCENARIOS.glob("*.txt")), ids=lambda path: path.stem)
def test_the_emulated_board_does_what_the_host_does(path):
    result = runs.run_scenario(path, Path(UF2 or ""))
    assert result.is_complete
    assert result.session.run.failures == []
    assert result.disagreements == []
