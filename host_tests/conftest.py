"""Puts the firmware and its `micropython` shim on the path, as `inletctl` does."""

import gc

from inletctl.house import use_firmware

use_firmware()


def pytest_collection_finish():
    """Let no collection look through the tests themselves: the firmware collects at each step of its loading, and with
    thousands of tests in memory that took longer than most of what they simulate."""
    gc.collect()
    gc.freeze()
