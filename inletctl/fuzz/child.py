"""One reader under atheris, in a process of its own: `python -m inletctl.fuzz.child TARGET FOLDER [libFuzzer's options]`.

Coverage guides what is fed; a crash of the reader is written to the folder and the run goes on, so that one mistake hides
no other, with its words beside it. What ends the process itself (memory, a hang outside of Python) leaves libFuzzer's own file there.
"""

import importlib
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

# Packages of the firmware and of the host tool whose branches guide.
_INCLUDE = (
    "inletctl", "settings", "setting_rows", "drivers", "ports", "journal", "vehicle", "step", "faults", "interlock", "lock", "pilot",
    "thermal", "tomllib", "tomli",
)  # fmt: skip


def main() -> None:
    """Feed until libFuzzer's options end it."""
    name, folder, *options = sys.argv[1:]
    # Not there on every machine, and its types are not those of its code.
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=list(_INCLUDE)):
        from inletctl.fuzz.harness import MEASURED_EVERY, Crash, check
        from inletctl.fuzz.targets import target

        harness = target(name)
        # What a reader loads when it is first needed would else be loaded later, and guide nobody.
        for data in harness.seeds:
            with suppress(Crash):
                check(harness, data)
    crashes = Path(folder)
    seen: dict[str, int] = {}
    runs = 0

    def feed(data: bytes) -> Any:
        nonlocal runs
        runs += 1
        try:
            check(harness, data, with_memory=runs % MEASURED_EVERY == 0)
        except Crash as crash:
            size = seen.get(crash.signature)
            if size is None or len(data) < size:
                seen[crash.signature] = len(data)
                # One file a mistake: a later, smaller one takes its place.
                number = list(seen).index(crash.signature)
                (crashes / ("words-%d" % number)).write_text(crash.signature, "utf-8")
                (crashes / ("found-%d" % number)).write_bytes(data)
        return 0

    atheris.Setup([sys.argv[0], *options], feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
