"""Puts the firmware and its `micropython` shim on the path, as `inletctl` does."""

from inletctl.house import use_firmware

use_firmware()
