"""Modules that are needed now and then: a board has little room for those that are not."""

import sys


def unload(name: str) -> bool:
    """Forget a module that has done its work; return whether it is forgotten: a computer keeps it for the next run."""
    if sys.platform not in ("rp2", "esp32"):
        return False
    sys.modules.pop(name, None)
    package, _, module = name.partition(".")
    owner = sys.modules.get(package)
    if hasattr(owner, module):
        delattr(owner, module)
    return True
