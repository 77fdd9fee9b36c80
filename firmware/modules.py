"""Modules that are needed now and then: a board has little room for those that are not."""

import sys

# Of these, objects are made as long as the board runs. rp2: a person at the prompt may want it.
MADE_AGAIN = (
    "drivers.finder",
    "drivers.flash_log",
    "drivers.log_reader",
    "drivers.store",
    "journal.box_writer",
    "rp2",
)


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


def forget_making() -> None:
    """Forget how the objects there are were made: nobody makes another one. CPython keeps it: there, many boards are made.

    What is loaded later knows how it is made until the next call. At rest only: it takes longer than a pass.
    """
    if sys.implementation.name == "cpython":
        return
    try:
        _forget_inits(sys.modules)
    except MemoryError:
        # The rest is forgotten the next time.
        return


def _forget_inits(modules: dict) -> None:
    """Take `__init__` from every class of `modules`, name -> module, but for those that are in MADE_AGAIN."""
    for name, module in modules.items():
        # There may be others than Python's.
        if name not in MADE_AGAIN and isinstance(module, type(sys)):
            for thing in module.__dict__.values():
                if isinstance(thing, type) and "__init__" in thing.__dict__:
                    # Not deleted: the place of what is deleted would hold on to it. A call of None is refused, too.
                    thing.__init__ = None  # type: ignore[method-assign]
