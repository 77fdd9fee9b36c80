"""A board's journal, read over its line protocol."""

from collections.abc import Callable
from dataclasses import dataclass

from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.journal import words
from inletctl.journal.memory_files import MemoryFiles
from inletctl.link.client import BoardClient, RefusedError
from inletctl.link.pieces import read_pieces

use_firmware()

from drivers.log_cursor import Cursor  # noqa: E402
from drivers.log_reader import SEGMENT_BYTES, SEGMENTS, LogReader  # noqa: E402
from journal import pages  # noqa: E402
from journal.memory import SLOTS  # noqa: E402
from vehicle.protocol import NO_SUCH_ENTRY, NO_SUCH_WORD  # noqa: E402

# A segment with much to carry may be longer than usual.
_FILE_MAX = 4 * SEGMENT_BYTES
_TRIES = 3


@dataclass(frozen=True)
class Record:
    """One record of the log, as it lies on flash."""

    kind: int
    number: int
    payload: bytes


def _nobody(_done: int, _of: int) -> None:
    """Tell nobody."""


class BoardJournal:
    """The journal of the board behind `client`. Raises UserError where it has none, RefusedError where it refuses."""

    def __init__(self, client: BoardClient):
        self._client = client

    def _page(self, page: int, which: int = 0) -> tuple[int, ...]:
        try:
            said = self._client.order("journal", page, which)
        except RefusedError as error:
            if error.number in (NO_SUCH_WORD, NO_SUCH_ENTRY):
                raise UserError(
                    "The board keeps no journal: its firmware is older than this tool, it has no memory left for one, or"
                    " it has just been switched on.",
                    1,
                ) from None
            raise
        if len(said) != pages.NUMBERS:
            raise UserError(
                "The board answers for something else than its journal: flash it again."
            )
        return said

    def now(self) -> dict[str, int]:
        """Return page `now` by its names."""
        return words.page(self._page(pages.P_NOW))

    def codes(self) -> "list[words.Stored]":
        """Return the stored trouble codes, what is present first, then the newest."""
        found = [words.stored(self._page(pages.P_CODE, n)) for n in range(SLOTS)]
        return sorted(
            (one for one in found if one is not None),
            key=lambda one: (not one.is_present, one.number),
        )

    def wear(self) -> tuple[int, ...]:
        """Return the counters of wear."""
        return self._page(pages.P_WEAR)

    def contact(self, which: int) -> tuple[int, ...]:
        """Return the page of one contact."""
        return self._page(pages.P_CONTACT, which)

    def clear(self, number: int) -> None:
        """Have a trouble code forgotten. Raises RefusedError where its class does not allow it."""
        self._client.order("code_clear", number)

    def inspected(self) -> None:
        """Tell the board that its inlet was inspected. Raises RefusedError but in service mode."""
        self._client.order("inspected")

    def records(self, told: Callable[[int, int], None] = _nobody) -> "list[Record]":
        """Return every whole record on the board's flash, oldest first. The board has to be at rest.

        told    is called with how many files are read, and of how many
        """
        files = MemoryFiles()
        for _ in range(_TRIES):
            before = self.now()["log_last"]
            files = MemoryFiles()
            for place in range(SEGMENTS):
                data = self._file(place)
                if data:
                    files.files["/journal/%d.log" % place] = data
                told(place + 1, SEGMENTS)
            if self.now()["log_last"] == before:
                # Nothing was written meanwhile: the files belong together.
                break
        return records_of(files)

    def _file(self, place: int) -> bytes:
        return read_pieces(
            self._client, "journal_file", (place,), pages.NUMBERS - 1, _FILE_MAX, "its journal"
        )


def records_of(files: MemoryFiles) -> "list[Record]":
    """Return the whole records of a journal's files, oldest first; what is damaged is left out."""
    log = LogReader(files=files)
    log.open_all()
    cursor = Cursor(log)
    found = []
    while cursor.next():
        found.append(Record(cursor.kind, cursor.number, bytes(cursor.payload)))
    return found
