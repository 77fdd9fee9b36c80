"""The journal beside a simulated run: fed with each pass's readings and commands on the host, whatever runs the firmware."""

from collections.abc import Callable
from typing import Any

from inletctl.house import use_firmware
from inletctl.journal import words

use_firmware()

from journal import pages  # noqa: E402
from journal.book import Book  # noqa: E402
from journal.memory import SLOTS, TroubleMemory  # noqa: E402
from journal.outcomes import Outcomes  # noqa: E402
from journal.verdict import Verdict  # noqa: E402
from journal.wear import Wear  # noqa: E402

_TICKS_MASK = 0x3FFFFFFF
_LOADED_US = 700_000


class Recount:
    """Call `row` once a pass; `tell(t_us, text)` hears each verdict. Contact health takes many sessions, and has no part here."""

    def __init__(self, settings: Any, tell: "Callable[[int, str], None] | None" = None):
        self.book = Book(None, None)
        self.book.set_memory(TroubleMemory())
        self._verdict = Verdict(settings, Outcomes())
        self.book.set_verdict(self._verdict)
        self.book.set_wear(Wear(settings))
        self.verdicts: list[tuple[int, words.Verdict]] = []  # (t_us, what was said)
        self._tell = tell
        self._serial = 0

    def row(self, t_us: int, readings: Any, commands: Any, _world: Any = None) -> None:
        """Take a pass. As on a board the journal is not there in the first ones, in which nothing is proven yet."""
        if t_us < _LOADED_US:
            return
        self.book.tick(t_us // 1000 & _TICKS_MASK, readings, commands)
        if self._verdict.serial != self._serial:
            self._serial = self._verdict.serial
            said = words.verdict(self._page(pages.P_NOW))
            if said is not None:
                self.verdicts.append((t_us, said))
                if self._tell is not None:
                    self._tell(t_us, "whose fault: " + said.line)

    def codes(self) -> "list[words.Stored]":
        """Return the trouble codes stored by now."""
        found = [words.stored(self._numbers(pages.P_CODE, n)) for n in range(SLOTS)]
        return [one for one in found if one is not None]

    def _page(self, page: int) -> dict[str, int]:
        return words.page(self._numbers(page, 0))

    def _numbers(self, page: int, which: int) -> list[int]:
        out = [0] * pages.NUMBERS
        pages.fill(self.book, page, which, out, 0)
        return out
