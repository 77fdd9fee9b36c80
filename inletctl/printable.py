"""Text of somebody else's, for a person's terminal."""


def printable(text: str, instead: str = "?") -> str:
    """Return `text` with `instead` for each sign that would move a terminal's cursor, or could not be written."""
    return "".join(sign if sign.isprintable() else instead for sign in text)
