"""One file of all modules, as firmware/drivers/finder.py reads it on the board."""

import struct
from collections.abc import Mapping

from inletctl.house import use_firmware

# What boot imports before it knows of the packed file.
LOOSE = ("drivers/finder.mpy", "drivers/pending.mpy", "drivers/safe_pins.mpy")
_ENTRY = struct.Struct("<3I")


def pack(modules: Mapping[str, bytes]) -> bytes:
    """Return the packed file of `modules`: path on the board -> bytecode, none of them empty.

    Raises ValueError where two names look alike to the board: one of them has to change.
    """
    use_firmware()
    from drivers.finder import HEAD, HEAD_BYTES, name_of

    paths = sorted(modules)
    # Folders of more than one level are not known to the board's finder, nor to this firmware.
    folders = sorted({"/" + path.rpartition("/")[0] for path in paths if "/" in path})
    at = HEAD_BYTES + _ENTRY.size * (len(paths) + len(folders))
    entries = [(name_of(folder), 0, 0) for folder in folders]
    for path in paths:
        entries.append((name_of("/" + path), at, len(modules[path])))
        at += len(modules[path])
    # Import asks for these, too, and must not find them.
    absent = [
        name_of("/" + path[: -len(ending)] + other)
        for path in paths
        for ending, other in ((".mpy", ""), (".mpy", ".py"))
    ]
    names = [entry[0] for entry in entries]
    if len({*names, *absent}) != len(names) + len(absent):
        raise ValueError("the names of two modules have the same check sum: change one of them")
    head = b"%s%05d\n" % (HEAD, len(entries))
    return b"".join(
        [head, *(_ENTRY.pack(*entry) for entry in entries), *(modules[path] for path in paths)]
    )


def read_packed(data: bytes) -> dict[int, bytes]:
    """Return the modules of a packed file, by the name that finder.name_of gives their path."""
    use_firmware()
    from drivers.finder import HEAD, HEAD_BYTES

    count = int(data[len(HEAD) : HEAD_BYTES])
    entries = [_ENTRY.unpack_from(data, HEAD_BYTES + n * _ENTRY.size) for n in range(count)]
    return {name: data[at : at + size] for name, at, size in entries if size}
