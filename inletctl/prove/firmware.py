"""A firmware's modules of their own, apart from those that this process runs: the healthy one, or one with edits.

The healthy firmware is the source of every number that is judged by, whatever INLETCTL_FIRMWARE names: a broken table
must not excuse itself.
"""

import importlib
import sys
from collections.abc import Iterable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from inletctl.edits import Edit, edited
from inletctl.house import FIRMWARE, HEALTHY, use_firmware

# What the step is made of, as the loader asks for it.
LOGIC = (
    "ticks", "faults", "settings", "signals", "connector", "inputs", "limits", "latches", "charger", "handoff", "release",
    "unlock", "service", "interlock", "pilot.capture", "pilot.control", "pilot.duty", "pilot.level", "pilot.proximity",
    "lock.actuator", "lock.bridge", "lock.feedback", "lock.params", "lock.thaw", "thermal.channel", "thermal.convert",
    "thermal.derate", "thermal.params", "thermal.port", "vehicle.light", "vehicle.looks", "step",
)  # fmt: skip
_codes: dict[tuple[str, str], CodeType] = {}


class Firmware:
    """Modules by their dotted name: `firmware["lock.actuator"].LOCKED`."""

    def __init__(self, modules: dict[str, Any]):
        self._modules = modules

    def __getitem__(self, name: str) -> Any:
        return self._modules[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the modules."""
        return tuple(self._modules)


class _Source(MetaPathFinder, Loader):
    """Finds a firmware's modules in a folder, edited; nothing else."""

    def __init__(self, folder: Path, edits: Iterable[Edit]):
        self._folder = folder
        self._edits: dict[Path, list[Edit]] = {}
        for edit in edits:
            self._edits.setdefault(folder / edit.file, []).append(edit)

    def find_spec(
        self, fullname: str, path: Any = None, target: Any = None
    ) -> "ModuleSpec | None":
        at = self._folder.joinpath(*fullname.split("."))
        for source, is_package in ((at / "__init__.py", True), (at.with_suffix(".py"), False)):
            if source.exists():
                spec = ModuleSpec(fullname, self, origin=str(source), is_package=is_package)
                spec.has_location = True
                return spec
        return None

    def create_module(self, spec: ModuleSpec) -> "ModuleType | None":
        return None

    def exec_module(self, module: ModuleType) -> None:
        path = Path(str(module.__file__))
        text = path.read_text(encoding="utf-8")
        for edit in self._edits.get(path, ()):
            text = edited(text, edit)
        key = (str(path), text)
        if key not in _codes:
            _codes[key] = compile(text, str(path), "exec")
        exec(_codes[key], module.__dict__)


def load(folder: Path = HEALTHY, edits: Iterable[Edit] = ()) -> Firmware:
    """Return the modules of the firmware in `folder`, with `edits`; what this process runs is not touched."""
    use_firmware()
    tops = {path.stem for path in folder.iterdir() if path.suffix in ("", ".py")}
    kept = {
        name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] in tops
    }
    source = _Source(folder, edits)
    sys.meta_path.insert(0, source)
    try:
        return Firmware({name: importlib.import_module(name) for name in LOGIC})
    finally:
        sys.meta_path.remove(source)
        for name in [name for name in sys.modules if name.split(".")[0] in tops]:
            del sys.modules[name]
        sys.modules.update(kept)


def healthy() -> Firmware:
    """Return the healthy firmware: this process's own modules where it runs that one."""
    if FIRMWARE.resolve() != HEALTHY.resolve():
        return load()
    use_firmware()
    return Firmware({name: importlib.import_module(name) for name in LOGIC})
