"""Puts the firmware and its `micropython` shim on the path, as `inletctl` does."""

import gc

from inletctl.house import use_firmware

use_firmware()


def pytest_collection_finish():
    """Let no collection look through the tests themselves, of which there are thousands."""
    gc.collect()
    gc.freeze()
