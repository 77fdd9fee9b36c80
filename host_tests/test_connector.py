"""What each connector family is: who holds the plug, which sections it has, which tables read it."""

import connector
from connector import (
    C_AC,
    C_DC,
    C_DUTY,
    C_LATCH,
    C_NAME,
    C_PILOT,
    C_PP,
    C_SHARED,
    C_SOURCE,
    C_WHAT,
    CONNECTORS,
    LATCH_INLET,
    LATCH_NAMES,
    LATCH_PLUG,
    LATCH_STATION,
    LATCH_VEHICLE,
)
from pilot import duty, proximity
from settings import INLETS

BY_INLET = dict(zip(INLETS, CONNECTORS, strict=True))


def with_(column, value=True):
    """Return the inlets whose column has this value."""
    return {inlet for inlet, row in BY_INLET.items() if row[column] == value}


def test_columns_and_latches_are_numbered_as_they_stand():
    columns = (C_NAME, C_DUTY, C_PP, C_LATCH, C_AC, C_DC, C_SHARED, C_PILOT, C_WHAT, C_SOURCE)
    assert columns == tuple(range(10))
    assert all(len(row) == len(columns) for row in CONNECTORS)
    assert (LATCH_PLUG, LATCH_INLET, LATCH_VEHICLE, LATCH_STATION) == tuple(
        range(len(LATCH_NAMES))
    )


def test_sections_are_those_of_the_facts():
    assert with_(C_AC) == set(INLETS) - {"chademo"}
    assert with_(C_DC) == {"nacs", "ccs1", "ccs2", "chademo"}
    assert with_(C_SHARED) == {"nacs"}
    assert with_(C_PILOT) == set(INLETS) - {"chademo"}
    for row in CONNECTORS:
        assert all(isinstance(row[column], bool) for column in (C_AC, C_DC, C_SHARED, C_PILOT))


def test_the_plug_is_held_as_the_facts_say():
    assert with_(C_LATCH, LATCH_PLUG) == {"type1", "gbt", "ccs1"}
    assert with_(C_LATCH, LATCH_INLET) == {"type2", "ccs2"}
    assert with_(C_LATCH, LATCH_VEHICLE) == {"nacs"}
    assert with_(C_LATCH, LATCH_STATION) == {"chademo"}


def test_duty_and_proximity_are_read_by_the_tables_of_the_family():
    assert with_(C_DUTY, duty.IEC) == {"type2", "ccs2"}
    assert with_(C_DUTY, duty.GBT) == {"gbt"}
    assert with_(C_DUTY, duty.J1772) == {"type1", "nacs", "ccs1", "chademo"}
    codings = {
        proximity.TYPE1: {"type1", "ccs1"}, proximity.TYPE2: {"type2", "ccs2"}, proximity.GBT: {"gbt"},
        proximity.NACS: {"nacs"}, proximity.CHADEMO: {"chademo"},
    }  # fmt: skip
    for coding, inlets in codings.items():
        assert with_(C_PP, coding) == inlets
    assert (connector._IEC, connector._J1772, connector._GBT) == (duty.IEC, duty.J1772, duty.GBT)
