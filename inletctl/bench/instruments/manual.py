"""A person with a generator of any kind: told what to set, step by step, and only what changes."""

from collections.abc import Callable

import click

from inletctl.bench.instruments.generator import (
    LOW,
    SkippedError,
    check_burst,
    check_level,
    check_wave,
)

_HELP = "  [Enter] done   [s] skip this step   [q] quit: "


def _ask_person(words: str) -> str:
    click.echo(words)
    try:
        return input(_HELP)
    except EOFError:
        raise KeyboardInterrupt from None


class ManualSource:
    """A PilotSource (generator.py). `ask` shows what to do and returns what the person typed.

    Who quits ends the run as Ctrl-C does: KeyboardInterrupt.
    """

    # A person reads a display and turns a knob: the signal stands when they say so, and is as good as the display.
    settle_us = 0
    duty_error_pct_x100 = 10
    sets_levels = True

    def __init__(self, ask: Callable[[str], str] = _ask_person):
        self._ask = ask
        # What is set, by the name of its knob; empty: nothing is known, or the output is off.
        self._is: dict[str, str] = {}

    def identity(self) -> str:
        """Return what it is, for the report."""
        return "a generator set by hand, as its display shows"

    def set(self, frequency_hz: float, duty_pct: float, high_mv: int, low_mv: int) -> None:
        """Have PWM set; a duty of 0 % is steady low, 100 % steady high. Raises UserError, SkippedError."""
        check_wave(frequency_hz, duty_pct, high_mv, low_mv)
        if duty_pct in (0, 100):
            self.steady(high_mv if duty_pct else low_mv)
            return
        self._have(
            {
                "wave": "square",
                "frequency": "%g Hz" % frequency_hz,
                "duty": "%g %%" % duty_pct,
                "high": "%+g V" % (high_mv / 1000),
                "low": "%+g V" % (low_mv / 1000),
                "output": "on",
            }
        )

    def steady(self, level_mv: int) -> None:
        """Have one level set. Raises UserError, SkippedError."""
        check_level(level_mv)
        self._have({"wave": "DC", "level": "%+g V" % (level_mv / 1000), "output": "on"})

    def burst(self, lost: int, every: int, gap: str = LOW) -> None:
        """Have periods left out. Raises UserError, SkippedError."""
        check_burst(lost, every, gap)
        self._have(
            {
                **self._is,
                "burst": "%d periods sent, then %d left out, %s meanwhile, for ever"
                % (every - lost, lost, gap),
            }
        )

    def off(self) -> None:
        """Have the output switched off. Raises SkippedError."""
        self._have({"output": "off"})

    def check(self) -> None:
        """Believe the person."""

    def close(self) -> None:
        """Remind of the output, without waiting for an answer."""
        if self._is and self._is != {"output": "off"}:
            click.echo("Switch the output of the generator off.")

    def _have(self, wanted: dict[str, str]) -> None:
        changes = ["%s %s" % one for one in wanted.items() if self._is.get(one[0]) != one[1]] + [
            "no burst" for _ in range("burst" in self._is and "burst" not in wanted)
        ]
        if not changes:
            return
        kept = [one for one in wanted.items() if self._is.get(one[0]) == one[1]]
        words = "Set the generator: %s" % ", ".join(changes)
        if kept:
            words += " (still %s)" % ", ".join("%s %s" % one for one in kept)
        while True:
            answer = self._ask(words).strip().lower()
            if answer in ("", "d", "done"):
                self._is = wanted
                return
            if answer in ("s", "skip"):
                raise SkippedError("Skipped by the operator: %s." % ", ".join(changes))
            if answer in ("q", "quit"):
                raise KeyboardInterrupt
