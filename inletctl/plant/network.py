"""The two resistor networks between car, cable and EVSE, solved from ohms. Pure functions; mV and ohm as float."""

OPEN_OHM = 1e12  # stands for "not there"


def parallel_ohm(a_ohm: float, b_ohm: float) -> float:
    """Return two resistors in parallel; 0 is a short."""
    return a_ohm * b_ohm / (a_ohm + b_ohm) if a_ohm and b_ohm else 0.0


def pilot_mv(
    source_mv: float,
    source_ohm: float,
    leak_ohm: float,
    ev_ohm: float,
    diode_mv: float,
    diode: str,
) -> float:
    """
    Return the voltage at the inlet's CP pin, before the car's diode, against PE.

    `source_mv` feeds the pin through `source_ohm`; `leak_ohm` loads it directly, `ev_ohm` through the diode
    ("ok", "open" or "short"). The diode is ideal but for its forward drop (IEC 61851-1 Tab A.3: 0.55..0.85 V).
    """
    if not leak_ohm:
        return 0.0
    idle_mv = source_mv * leak_ohm / (source_ohm + leak_ohm)
    drop_mv = 0.0 if diode == "short" else diode_mv
    if diode == "open" or (diode == "ok" and idle_mv <= drop_mv):
        return idle_mv
    siemens = 1 / source_ohm + 1 / leak_ohm + 1 / ev_ohm
    return (source_mv / source_ohm + drop_mv / ev_ohm) / siemens


def divider_mv(rail_mv: float, pullup_ohm: float, ohm: float) -> float:
    """Return the voltage over `ohm` to ground, fed from `rail_mv` through `pullup_ohm`."""
    return rail_mv * ohm / (pullup_ohm + ohm)
