"""Put the generator's program on a Pico: one file, main.py, verified before it takes the place of what was there."""

import binascii
import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from inletctl.bench.instruments.pico import open_pico
from inletctl.errors import UserError
from inletctl.flash.board import PIECE, BoardSide
from inletctl.flash.transport import BoardSaid, Link, LinkLost, open_link

PROGRAM = Path(__file__).resolve().parent.parent / "generator_firmware" / "main.py"
KEPT = "main_before.py"
_COMES_BACK_S = 10
_UNTOUCHED = "nothing on it was changed"
# Whether it holds the controller's firmware, and whether a main.py of somebody else's.
_LOOK = """
import os
names = os.listdir('/')
print('version.txt' in names or 'boot.py' in names and 'drivers' in names)
print('main.py' in names and 'openinlet-generator' not in open('/main.py').read())
"""
_VERIFY = """
import binascii, hashlib
print(str(binascii.hexlify(hashlib.sha256(open('/main.new', 'rb').read()).digest()), 'ascii'))
"""
_KEEP = "os.rename('/main.py', '/%s')" % KEPT
_PLACE = "os.rename('/main.new', '/main.py')"


def flash_generator(
    port: str,
    open_named: Callable[[str], Link] = open_link,
    greet: Callable[[str], str] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Make the Pico on `port` a generator and return one sentence that says so. Raises UserError."""
    link = open_named(port)
    try:
        link.stop_firmware()
        try:
            kept = _install(link, port)
        except (UserError, KeyboardInterrupt):
            # What is there runs on: it is whole.
            with suppress(LinkLost):
                link.reset()
            raise
        link.reset()
    except LinkLost:
        raise UserError(
            "The Pico on %s went away: connect it and try again; it holds its old program or the new one, whole."
            % port,
            1,
        ) from None
    finally:
        link.close()
    identity = _after_reset(port, greet or _greet, clock, sleep)
    return "%s: program verified%s." % (
        identity,
        "; what was main.py is %s now" % KEPT if kept else "",
    )


def _install(link: Link, port: str) -> bool:
    """Copy, verify, put in place. Returns whether another program was kept. Raises UserError, LinkLost."""
    try:
        found = BoardSide(link).identify()
        if found.implementation != "micropython" or found.platform != "rp2":
            raise UserError(
                "The board on %s is '%s', and the generator's program needs MicroPython on a Pico; %s."
                % (port, found.machine or found.platform, _UNTOUCHED)
            )
        is_controller, is_foreign = link.run(_LOOK).split()
        if is_controller == "True":
            raise UserError(
                "The board on %s holds the OpenInlet controller's firmware: give the port of the other Pico; %s."
                % (port, _UNTOUCHED)
            )
        data = PROGRAM.read_bytes()
        link.run("from binascii import a2b_base64\n_file = open('/main.new', 'wb')")
        for at in range(0, len(data), PIECE):
            piece = binascii.b2a_base64(data[at : at + PIECE], newline=False).decode()
            link.run("_file.write(a2b_base64('%s'))" % piece)
        link.run("_file.close()")
        if link.run(_VERIFY).strip() != hashlib.sha256(data).hexdigest():
            raise UserError(
                "The program is corrupted on the Pico: its flash or its cable is bad; it was not put in place.",
                1,
            )
        if is_foreign == "True":
            link.run(_KEEP)
        link.run(_PLACE)
    except (BoardSaid, ValueError) as error:
        raise UserError(
            "The Pico on %s could not take the program (%s): reset it and try again."
            % (port, error),
            1,
        ) from None
    return is_foreign == "True"


def _greet(port: str) -> str:
    source = open_pico(port)
    try:
        return source.identity()
    finally:
        source.close()


def _after_reset(
    port: str,
    greet: Callable[[str], str],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> str:
    """Wait until the port is back and the program answers. Raises UserError."""
    until = clock() + _COMES_BACK_S
    while True:
        sleep(0.5)
        try:
            return greet(port)
        except UserError as error:
            if clock() >= until:
                raise UserError(
                    "The program is on the Pico and verified, but does not answer: unplug it and plug it in (%s)."
                    % str(error).rstrip("."),
                    1,
                ) from None
