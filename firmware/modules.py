"""Modules that are needed now and then: a board has little room for those that are not."""

import sys


def unload(name: str) -> None:
    """Forget a module that has done its work. A computer keeps it for the next run."""
    if sys.platform in ("rp2", "esp32"):
        sys.modules.pop(name, None)
        package, _, module = name.partition(".")
        owner = sys.modules.get(package)
        if hasattr(owner, module):
            delattr(owner, module)
