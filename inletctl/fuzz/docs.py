"""docs/fuzz.md: everything that is fed with bytes nobody meant, and what must hold."""

from collections.abc import Callable

from inletctl.fuzz.harness import CPU_LIMIT_S, MEASURED_EVERY, MEMORY_LIMIT_BYTES
from inletctl.fuzz.targets import TARGETS

_HEAD = "<!-- Printed by `inletctl docs` from inletctl/fuzz. Do not edit: change the data and print again. -->\n"
_ABOUT = """
Whatever reads bytes is fed with bytes that nobody meant. They are taken, or refused with the project's own error in one sentence that
a terminal can show. Anything else is a crash: another exception, an end of the program, more than %g s of CPU or %d MB of memory for one
input, a state that has changed although the input was refused, and whatever the table says besides. Measuring the memory takes three
times as long: it is done for one input in %d, and for each that is kept.

    make fuzz                                                   # ten minutes, all of them: MINUTES=60, ARGS="console log"
    .venv/bin/inletctl fuzz --list
    .venv/bin/inletctl fuzz can-native --minutes 30 --seed 7
    .venv/bin/inletctl fuzz console --file host_tests/fuzz_crashes/console/x.bin     # one input, and what comes of it

It begins with what the repository has (scenarios, recipes, settings, the journal of a simulated stop) and keeps what takes a branch
that nothing took before, in `build/fuzz`, where the next run goes on. [atheris](https://pypi.org/project/atheris/) guides it by coverage,
in a process of its own; where there is no wheel of it (it is for Linux on x86-64) inputs are changed at random. Its seed is told.
`make test` feeds a few thousand inputs without a guide, from a fixed seed.

An input that breaks a reader is made small and kept in `host_tests/fuzz_crashes/TARGET/`: a test feeds it from then on. One that did so
only after others is kept and told as `does-not-repeat`. A process of atheris that ends and leaves no input is told too, with exit status 3.
Ctrl-C keeps what was found until then. Readers that are wrong on purpose (`host_tests/test_fuzz.py`) show that each rule bites.

Where a check sum would stop every input at the door, the input may ask for the right one: a line that begins with a tab, a frame, a
record or a file with a bit set (the docstrings of `inletctl/fuzz` say which).
"""


def fuzz_page() -> str:
    """Return docs/fuzz.md."""
    rows = "".join(
        "| `%s` | %s | %s |\n" % (name, one.what, one.rules) for name, one in TARGETS.items()
    )
    return (
        "# Bytes nobody meant\n"
        + _HEAD
        + _ABOUT % (CPU_LIMIT_S, MEMORY_LIMIT_BYTES // 1_000_000, MEASURED_EVERY)
        + "\n## What is fed\n\n| target | what is fed | what must hold besides |\n|---|---|---|\n"
        + rows
    )


PAGES: dict[str, Callable[[], str]] = {"docs/fuzz.md": fuzz_page}
