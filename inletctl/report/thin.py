"""Makes a column smaller where a session is too long for one page: extremes stay, wiggles between them go."""


def thin(values: list[int | None], step: int) -> list[int | None]:
    """Return `values` with, in every `step` rows, only the first, the lowest and the highest left as changes.

    In between the last one kept is held, so the column keeps its length. What is not measured stays so.
    """
    out: list[int | None] = []
    for begin in range(0, len(values), step):
        part = values[begin : begin + step]
        known = [n for n, value in enumerate(part) if value is not None]
        keep = {0}
        if known:
            keep.add(min(known, key=lambda n: part[n]))  # type: ignore[arg-type, return-value]
            keep.add(max(known, key=lambda n: part[n]))  # type: ignore[arg-type, return-value]
        held = part[0]
        for n, value in enumerate(part):
            # Losing and finding a measurement is news of its own.
            if n in keep or (value is None) != (held is None):
                held = value
            out.append(held)
    return out
