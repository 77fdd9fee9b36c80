"""The VISA instruments that can be found from here."""

import warnings
from typing import NamedTuple

from inletctl.bench.instruments.dialect import dialect_of
from inletctl.bench.instruments.visa import Talk, open_resource
from inletctl.errors import UserError

_TIMEOUT_MS = 1000


class Found(NamedTuple):
    """One instrument: `idn` is what it says it is, "" where it does not answer; `dialect` None where none is known."""

    address: str
    idn: str
    dialect: str | None


def find_instruments(backend: str = "@py") -> list[Found]:
    """Return the instruments that PyVISA finds. Raises UserError where it is missing.

    Serial ports are left out: *IDN? is nothing to send to a board that happens to be there. A network instrument that
    does not make itself known is reached by its address all the same.
    """
    try:
        import pyvisa
    except ImportError:
        raise UserError(
            "PyVISA is missing, so no instrument can be found: run `make setup`.", 3
        ) from None
    with warnings.catch_warnings():
        # Of optional packages that would find more, and of sockets that pyvisa-py leaves to be collected.
        warnings.simplefilter("ignore")
        try:
            addresses = pyvisa.ResourceManager(backend).list_resources("?*::INSTR")
        except (pyvisa.errors.Error, OSError, ValueError) as error:
            raise UserError(
                "PyVISA cannot look for instruments (%s): give the address of yours." % error, 3
            ) from None
    return [_ask(one, backend) for one in addresses if not one.startswith(("ASRL", "PRLGX"))]


def _ask(address: str, backend: str) -> Found:
    try:
        talk = Talk(address, open_resource(address, _TIMEOUT_MS, backend), _TIMEOUT_MS)
    except UserError:
        return Found(address, "", None)
    try:
        idn = talk.ask("*IDN?")
    except UserError:
        return Found(address, "", None)
    finally:
        talk.close()
    known = dialect_of(idn)
    return Found(address, idn, None if known is None else known.name)
