"""Everything that is printed from the CAN messages, by its path: `inletctl docs` writes and checks it."""

from collections.abc import Callable

from inletctl.can import source
from inletctl.can.codegen import modules
from inletctl.can.dbc import dbc_file
from inletctl.can.page import can_page


def _codec(dialect: str, module: str) -> Callable[[], str]:
    return lambda: modules(source.load(dialect))[module]


def _dbc(dialect: str) -> Callable[[], str]:
    return lambda: dbc_file(source.load(dialect))


# Module to dialect: which messages are kept apart is the source's to say, and checked by the tests.
MODULES = {
    "can_native": "native",
    "can_native_raw": "native",
    "can_cpc": "cpc",
    "can_i3lim": "i3lim",
    "can_modem": "modem",
}
PAGES: dict[str, Callable[[], str]] = {
    "docs/can.md": can_page,
    **{"docs/openinlet-%s.dbc" % name: _dbc(name) for name in source.DIALECTS},
    **{"firmware/vehicle/%s.py" % name: _codec(of, name) for name, of in MODULES.items()},
}
