"""The vehicle's native messages, sent to a bus at their cycles."""

import time
from collections.abc import Mapping
from typing import Any

from inletctl.can import source
from inletctl.can.codec import Sender


def play(bus: Any, values: Mapping[str, Mapping[str, int]], seconds: "float | None") -> int:
    """Send each message of `values` at its cycle for `seconds`, or until Ctrl-C; then control with a stop.

    Returns how many frames were sent. `bus` is a can.Bus.
    """
    native = source.load("native")
    senders = [Sender(native.message(name)) for name in values]
    begin = time.monotonic()
    due = [begin] * len(senders)
    sent = 0
    try:
        while seconds is None or time.monotonic() < begin + seconds:
            for n, sender in enumerate(senders):
                if time.monotonic() >= due[n]:
                    _send(bus, sender, values[sender.message.name])
                    sent += 1
                    due[n] += sender.message.cycle_ms / 1000
            time.sleep(max(0.0, min(min(due) - time.monotonic(), 0.05)))
    except KeyboardInterrupt:
        pass
    finally:
        for sender in senders:
            if sender.message.name == "control":
                # Twice, so that one lost frame does not leave the permission standing for its 500 ms.
                permission = next(s for s in sender.message.signals if s.name == "permission")
                stop = {"permission": permission.words.index("stop")}
                for _ in range(2):
                    _send(bus, sender, stop)
                    sent += 1
    return sent


def _send(bus: Any, sender: Sender, values: Mapping[str, int]) -> None:
    import can

    message = sender.message
    bus.send(
        can.Message(arbitration_id=message.id, data=sender.frame(values), is_extended_id=False),
        0.2,
    )
