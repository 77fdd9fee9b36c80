"""The search that the pilot's tables share: rows in rising order, each with the highest value it holds first."""


def row_of(rows, value: int) -> int:
    """Return the index of the first row whose upper bound reaches `value`; above all of them the last row."""
    last = len(rows) - 1
    for i in range(last):
        if value <= rows[i][0]:
            return i
    return last
