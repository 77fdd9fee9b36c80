"""Port records on a board, over its line protocol."""

from typing import Any

from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.link.client import BoardClient, RefusedError
from inletctl.link.pieces import read_pieces
from inletctl.ports.words import INLET_CONNECTORS, Record

use_firmware()

from ports.records import HERE, OTHER, decode, to_bytes, with_defaults  # noqa: E402
from settings import INLETS  # noqa: E402
from vehicle.protocol import NO_SUCH_ENTRY, NO_SUCH_WORD  # noqa: E402

_BYTES = 3  # in a number
_NUMBERS_READ = 9
_NUMBERS_WRITTEN = 7
_PAYLOAD_MAX = 4096


class BoardPorts:
    """The records of the board behind `client`. `put` and `delete` change its flash; `apply` puts them in force."""

    def __init__(self, client: BoardClient):
        self._client = client
        self._wanted: dict[int, Record] = {}
        self.refused: list[str] = []  # none: a board has no record with an error

    @property
    def records(self) -> "list[Record]":
        """Return the records by their number. Raises UserError where the board has none that can be read."""
        payload = self._payload()
        try:
            found: list[Any] = decode(payload) if payload else []
        except ValueError as error:
            raise UserError(
                "The board's port records cannot be read (%s): update inletctl, or in service mode delete all of them."
                % error
            ) from None
        return [with_defaults(one) for one in sorted(found, key=lambda one: one["id"])]

    def _payload(self) -> bytes:
        try:
            return read_pieces(
                self._client, "port_read", (), _NUMBERS_READ, _PAYLOAD_MAX, "port records"
            )
        except RefusedError as error:
            if error.number in (NO_SUCH_WORD, NO_SUCH_ENTRY):
                raise UserError(
                    "The board keeps no port records: its firmware is older than this tool, flash it again.",
                    1,
                ) from None
            raise

    def check_connector(self, record: Record) -> None:
        """Refuse a record of the board's own inlet that names a connector which that is not. Raises UserError."""
        record = with_defaults(record)
        if record["inlet"] != HERE or record["connector"] == OTHER:
            return
        inlet = INLETS[self._client.setting("inlet")[0]]
        if record["connector"] not in INLET_CONNECTORS[inlet]:
            raise UserError(
                "port %d, connector: the board's own inlet is %s, not %s: correct the record or the setting, or give"
                " --inlet 2 for an inlet that another board drives."
                % (record["id"], inlet, record["connector"])
            )

    def put(self, record: Record) -> None:
        """Store the record in place of the one with its number. Raises RefusedError."""
        self.check_connector(record)
        data = to_bytes(record)
        step = _BYTES * _NUMBERS_WRITTEN
        for at in range(0, len(data), step):
            part = data[at : at + step]
            numbers = [
                int.from_bytes(part[n : n + _BYTES], "little") for n in range(0, len(part), _BYTES)
            ]
            self._client.order_when_empty("port_write", at, *numbers)
        self._client.order_when_empty("port_set", len(data))
        self._wanted[record["id"]] = with_defaults(record)

    def delete(self, number: int) -> None:
        """Remove the record; 0: all of them, those that cannot be read too. Raises RefusedError."""
        self._client.order_when_empty("port_delete", number)

    def apply(self) -> None:
        """Restart the board, so that what is stored is in force. Raises UserError where it comes back with something else."""
        self._client.restart()
        found = {one["id"]: one for one in self.records}
        for number, record in self._wanted.items():
            if found.get(number) != record:
                raise UserError(
                    "The board does not keep port %d as it was stored: read its console, then try again."
                    % number,
                    1,
                )
