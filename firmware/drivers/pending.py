"""Finish, or take back, a flash that was cut short. Boot calls it before main.py; the flash tool runs the same code.

New files wait whole and verified in /flash.new, under their path with "+" for "/". One rename makes /flash.todo
appear: the commit. Before it the old firmware is the whole firmware, and what waits is thrown away; after it the
new one is, and each boot goes on with the moves until none is left. Every step may be cut by the power and done
again: a move replaces in one piece, and what is gone has been moved or deleted.

    {"v":1,"move":[path, ...],"delete":[path, ...],"crc":"hhhhhhhh"}

`crc` is CRC-32 over every byte before `,"crc"`. Paths start at the root, without "/".
"""

import binascii
import json
import os
from errno import ENOENT

TODO = "/flash.todo"
STAGED = "/flash.new"
# Written, then renamed to TODO.
DRAFT = "/flash.todo.tmp"


def staged(path: str) -> str:
    """Return where the new file for `path` waits."""
    return STAGED + "/" + path.replace("/", "+")


def finish(os_module=os) -> str:
    """Leave one whole firmware, the old or the new; return a sentence on what was done, "" for nothing.

    Raises OSError where the file system fails midway: it is to be called again at the next boot, and until it
    succeeds main must not run (`is_committed`).
    """
    todo = None
    sentence = ""
    if is_committed(os_module):
        try:
            with open(TODO) as file:
                todo = read(file.read())
        except ValueError as error:
            # Only a failing flash chip leaves this: the commit was verified before it was made.
            os_module.remove(TODO)
            sentence = "an interrupted flash was dropped, its list is damaged: %s" % error
    if todo is not None:
        _move(os_module, todo["move"])
        _delete(os_module, todo["delete"])
        sentence = "an interrupted flash was finished: %d files" % len(todo["move"])
    _sweep(os_module)
    if todo is not None:
        # Last: as long as it is there, the next boot goes on.
        os_module.remove(TODO)
    if sentence:
        _sync(os_module)
    return sentence


def is_committed(os_module=os) -> bool:
    """Return whether a flash is committed and not finished: the firmware may be part old, part new."""
    return _exists(os_module, TODO)


def commit(move, delete, os_module=os) -> None:
    """Make the files that wait the new firmware, in one step. They must be whole: nothing checks them later."""
    body = '{"v":1,"move":%s,"delete":%s' % (json.dumps(move), json.dumps(delete))
    with open(DRAFT, "w") as file:
        file.write('%s,"crc":"%08x"}' % (body, binascii.crc32(body.encode())))
    _sync(os_module)
    os_module.rename(DRAFT, TODO)
    _sync(os_module)


def read(text: str) -> dict:
    """Return the list that `text` holds. Raises ValueError with a sentence where it is not whole."""
    body, mark, crc = text.partition(',"crc":"')
    if not mark or crc != '%08x"}' % binascii.crc32(body.encode()):
        raise ValueError("its check sum is wrong")
    todo = json.loads(text)
    if todo.get("v") != 1:
        raise ValueError("version %s is not known here" % todo.get("v"))
    return todo


def _move(os_module, paths) -> None:
    for path in paths:
        source = staged(path)
        if not _exists(os_module, source):
            continue  # moved before the power was cut
        _make_folders(os_module, path)
        os_module.rename(source, "/" + path)


def _make_folders(os_module, path: str) -> None:
    at = path.find("/")
    while at > 0:
        folder = "/" + path[:at]
        if not _exists(os_module, folder):
            os_module.mkdir(folder)
        at = path.find("/", at + 1)


def _delete(os_module, paths) -> None:
    for path in paths:
        if _exists(os_module, "/" + path):
            os_module.remove("/" + path)
        # An empty folder would hide a module of its name.
        folder = path.rpartition("/")[0]
        while folder and _exists(os_module, "/" + folder) and not os_module.listdir("/" + folder):
            os_module.rmdir("/" + folder)
            folder = folder.rpartition("/")[0]


def _sweep(os_module) -> None:
    """Remove what an unfinished upload left."""
    if _exists(os_module, DRAFT):
        os_module.remove(DRAFT)
    if _exists(os_module, STAGED):
        for name in os_module.listdir(STAGED):
            os_module.remove(STAGED + "/" + name)
        os_module.rmdir(STAGED)


def _exists(os_module, path: str) -> bool:
    try:
        os_module.stat(path)
    except OSError as error:
        if error.errno == ENOENT:  # anything else is no answer
            return False
        raise
    return True


def _sync(os_module) -> None:
    sync = getattr(os_module, "sync", None)
    if sync is not None:
        sync()
