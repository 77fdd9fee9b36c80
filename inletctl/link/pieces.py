"""Bytes that a board hands out over its line protocol a piece a question: three a number, the first lowest."""

from inletctl.errors import UserError
from inletctl.link.client import BoardClient

_BYTES = 3  # in a number


def read_pieces(
    client: BoardClient, word: str, which: "tuple[int, ...]", numbers: int, most: int, what: str
) -> bytes:
    """Ask `word` with `which` and the byte to go on from, until all is there, `most` bytes at most; return it.

    Each answer is the length of all, then `numbers` numbers. Raises RefusedError, and UserError where the board answers for
    something else than `what`.
    """
    data = b""
    length = 1
    while len(data) < length:
        said = client.order(word, *which, len(data))
        if len(said) != 1 + numbers or not 0 <= said[0] <= most:
            raise UserError("The board answers for something else than %s: flash it again." % what)
        length = said[0]
        data += b"".join((one & 0xFFFFFF).to_bytes(_BYTES, "little") for one in said[1:])
    return data[:length]
