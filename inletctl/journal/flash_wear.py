"""How long a board's flash lasts under the journal: arithmetic on the safe side, held against a real littlefs by the tests."""

from dataclasses import dataclass

BLOCK_BYTES = 4096
# Of each 4 KB sector, by its maker: Winbond W25Q16JV (the Pico's), features. ESP32 modules carry parts of the same kind.
CYCLES = 100_000
SESSIONS_A_DAY = 4
DAYS_A_YEAR = 365
# What an append costs littlefs: its last block written anew, and its share of the folder's metadata (16 commits of 256
# bytes fill a block) and of new segments. Measured with a Pico's geometry: 1.08..1.13 erases an append, large ones' own blocks among them.
ERASES_AN_APPEND = 1.2
# littlefs spreads over free blocks, but begins somewhere near the same place after each mount: the block that wears most
# against the mean of the free ones. Measured: 4..8, with a mount before each session.
UNEVEN = 10


@dataclass(frozen=True)
class Wear:
    """What so many appends a session cost."""

    erases: float  # blocks erased a session
    worst: float  # of these, of the block that wears most
    years: float  # until that block has had its cycles


def wear(
    appends: int,
    size: int,
    free_blocks: int,
    cycles: int = CYCLES,
    sessions_a_day: int = SESSIONS_A_DAY,
) -> Wear:
    """Return the wear of sessions with `appends` records of `size` bytes together, on a file system with so many free blocks."""
    erases = appends * ERASES_AN_APPEND + size / BLOCK_BYTES
    worst = erases * UNEVEN / free_blocks
    return Wear(erases, worst, cycles / worst / (sessions_a_day * DAYS_A_YEAR))
