"""What readings at a rate cost the loop: the same charging board with them switched off, and on.

Both runs begin at the same instant, in forks of one board that charges, so nothing else differs between them.
"""

from collections.abc import Callable
from typing import Any

from inletctl.emu.chip import CYCLE_NS
from inletctl.link.codec import READINGS_KIND, Telemetry, command_line
from inletctl.measure.charging import MS_NS, Charging
from inletctl.measure.forks import fork_map
from inletctl.measure.loop import PERIOD_NS, phases, spread

RATE_HZ = 20
# Readings may cost the step so much of its p99.
LIMIT_PCT = 5
# As many came as were asked for; or as many as the wire takes: the board sends 8 bytes in every pass, more where the
# pass leaves time, and on the emulator most leave none. A wire that is never idle costs no less than 20 Hz would.
_LEAST_HZ = 19
_BUSY_BYTES = 7.5  # a pass
_SETTLE = 40  # passes in which the board hears the command, and does not count
_PASSES = 400
_MARKS = 6  # a pass


def measure_readings(
    charging: Charging, jobs: int, tell: Callable[[str], None] = lambda sentence: None
) -> dict[str, Any]:
    """Return the cost of a pass with readings off and on; `charging` has been started."""

    def one(rate_hz: int) -> dict[str, Any]:
        return _run(charging, rate_hz)

    seen = {}
    for rate_hz, figures in fork_map(one, (0, RATE_HZ), jobs):
        seen[rate_hz] = figures
        tell("readings %s" % ("at %d Hz" % rate_hz if rate_hz else "off"))
    return compare(seen[0], seen[RATE_HZ])


def compare(off: dict[str, Any], on: dict[str, Any]) -> dict[str, Any]:
    """Return both runs, what the second costs more, and whether that is within the limit."""
    change_pct = (on["step"]["p99"] - off["step"]["p99"]) * 100 / off["step"]["p99"]
    is_on = on["readings_hz"] >= _LEAST_HZ or (
        on["readings_hz"] > 0 and on["bytes_per_pass"] >= _BUSY_BYTES
    )
    is_measured = is_on and off["readings_hz"] == 0
    return {
        "rate_hz": RATE_HZ,
        "off": off,
        "on": on,
        "step_p99_change_pct": round(change_pct, 2),
        "limit_pct": LIMIT_PCT,
        "is_measured": is_measured,
        "within_limit": is_measured
        and change_pct <= LIMIT_PCT
        and not on["late_passes"]
        and not off["late_passes"],
    }


def sentence(figures: dict[str, Any]) -> str:
    """Return the result in words."""
    off, on = figures["off"], figures["on"]
    return (
        "step p99 %d cycles with readings at %d Hz, %d without: %+.2f %% of at most %d %%; "
        "%.1f readings a second came, %.1f bytes a pass; passes late: %d with, %d without"
        % (
            on["step"]["p99"], figures["rate_hz"], off["step"]["p99"], figures["step_p99_change_pct"],
            figures["limit_pct"], on["readings_hz"], on["bytes_per_pass"], on["late_passes"], off["late_passes"],
        )
    )  # fmt: skip


def _run(charging: Charging, rate_hz: int) -> dict[str, Any]:
    chip = charging.chip
    heard: list[Telemetry] = []
    charging.lines.on_telemetry = heard.append
    if rate_hz:
        charging.console.send(b"\n" + command_line(1, "rate", (1000 // rate_hz,)))
    chip.run_until(chip.now_ns + _SETTLE * PERIOD_NS)
    heard.clear()
    first = len(charging.marks.times_ns) // _MARKS + 1
    began_ns = chip.now_ns
    received = charging.console.received
    # A pass more at each end, since a run ends in the middle of one.
    chip.run_until(began_ns + (_PASSES + 2) * PERIOD_NS)
    passes = charging.marks.passes()[first : first + _PASSES]
    if len(passes) < _PASSES:
        raise RuntimeError(
            "the emulated board made only %d of %d passes; it says: %s"
            % (len(passes), _PASSES, [*charging.lines.words][-5:])
        )
    figures = phases(passes)
    readings = sum(1 for line in heard if line.kind == READINGS_KIND)
    seconds = (chip.now_ns - began_ns) / (1000 * MS_NS)
    return {
        "passes": _PASSES,
        "readings_hz": round(readings / seconds, 1),
        "bytes_per_pass": round((charging.console.received - received) / (_PASSES + 2), 1),
        "step": figures["step"],
        "report": figures["report"],
        "busy": spread([(times[4] - times[0]) // CYCLE_NS for times in passes]),
        "jitter_us": figures["jitter_us"],
        "late_passes": figures["late_passes"],
    }
