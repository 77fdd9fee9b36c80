"""The changes that a board remembers, fetched over its line protocol into a log file."""

from pathlib import Path

from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.link.client import BoardClient, RefusedError
from inletctl.link.codec import COMMAND_FIELDS, seal
from inletctl.link.log import Header, LogWriter

use_firmware()

from vehicle.protocol import LOG_LINES, NO_SUCH_ENTRY  # noqa: E402

_NUMBERS = len(COMMAND_FIELDS) + 3  # tick, line number, commands, late


def download(board: BoardClient, path: Path) -> int:
    """Write the board's log to `path`; return how many changes it holds. Raises UserError, PortLost."""
    header = Header.of(board.hello(), board.settings())
    entries: dict[
        int, tuple[int, ...]
    ] = {}  # by line number: a change meanwhile shifts all by one
    for lines_ago in range(LOG_LINES):
        try:
            said = board.order("log", lines_ago)
        except RefusedError as error:
            if error.number != NO_SUCH_ENTRY:
                raise
            break
        if len(said) != _NUMBERS:
            raise UserError("The board's log is of another version: flash the board again.")
        entries[said[1]] = said
    writer = LogWriter(path, header)
    try:
        # Oldest first, each as the line that told it: the board keeps the numbers of it.
        for said in reversed(entries.values()):
            t_ms, number, *commands, late = said
            writer.line(seal({"t": t_ms, "n": number, "c": commands, "late": late}))
    finally:
        writer.close()
    return len(entries)
