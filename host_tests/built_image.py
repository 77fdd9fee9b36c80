"""The image of the firmware as it is, made once a process: making one takes seconds, and the same sources give the same bytes."""

from functools import cache

from inletctl.flash.compile import build


@cache
def _built(board, kept):
    return build(board, kept=kept)


def built(board="rp2040-reference", kept=()):
    """Return what inletctl.flash.compile.build returns for the board; not to be changed."""
    return _built(board, tuple(kept))
