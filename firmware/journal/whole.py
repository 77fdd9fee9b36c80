"""Products and roots that never leave a small int: a big int would allocate. For what runs once a session."""


def muldiv(a: int, b: int, c: int) -> int:
    """Return a * b // c for 0 <= a, b < 2**30 and 0 < c < 2**29, if it is below 2**30. Never leaves a small int."""
    whole = a // c
    part = a - whole * c
    result = rest = 0
    bit = 1 << 29
    while bit > b:
        bit >>= 1
    while bit:
        result <<= 1
        rest <<= 1
        if rest >= c:
            rest -= c
            result += 1
        if b & bit:
            result += whole
            rest += part
            if rest >= c:
                rest -= c
                result += 1
        bit >>= 1
    return result


def root(n: int) -> int:
    """Return the square root of 0 <= n < 2**30, rounded down."""
    result = 0
    bit = 1 << 14
    while bit:
        more = result + bit
        if more * more <= n:
            result = more
        bit >>= 1
    return result
