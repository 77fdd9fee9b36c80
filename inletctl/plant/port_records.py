"""The board's stored port records, as far as a scenario changes them: what the firmware takes from them at a boot.

A verb puts it into the readings at once, so that a scenario can show what would follow while it charges.
"""

from typing import TYPE_CHECKING, Any

from inletctl.house import use_firmware

use_firmware()

from ports.head import fill  # noqa: E402
from ports.records import POWERS, WATTS_MAX, encode  # noqa: E402

if TYPE_CHECKING:
    from inletctl.plant.world import World

STATUSES = ("operational", "out_of_service", "decommissioned")
SECTIONS = ("ac", "dc")


class PortRecords:
    """Verbs are the public methods in verbs.VERBS."""

    def __init__(self, world: "World"):
        self._world = world
        self._records: dict[str, dict[str, Any]] = {}

    def put(
        self,
        section: str,
        status: str,
        kw: float | None,
        volts: float | None,
        phases: float | None,
    ) -> None:
        """The record of a section is this now."""
        record: dict[str, Any] = {
            "id": 1 + SECTIONS.index(section),
            "label": section,
            "connector": "other",
            "notes": "of a scenario",
            "power": POWERS[2][0] if section == "dc" else POWERS[1][0],
            "max_w": WATTS_MAX if kw is None else round(kw * 1000),
            "status": status.replace("_", " "),
        }
        if volts is not None:
            record["volts_v"] = round(volts)
        if phases is not None:
            record["phases"] = round(phases)
        self._records[section] = record
        self._world.event("the port record of the %s section: %s" % (section, status))

    def sample(self, readings: Any) -> None:
        """Write what the records ask for, where a scenario has put any; else the board's own stay."""
        if not self._records:
            return
        readings.port_ma, readings.port_dc_ma = 80_000, 1_000_000
        fill(encode(list(self._records.values())), readings)
