"""What one pass costs on the emulated RP2040: each phase in CPU cycles, the period's jitter, heap, boot, size."""

from itertools import pairwise
from typing import Any

from inletctl.emu.chip import CYCLE_NS
from inletctl.flash.compile import PACKED_FILE, build
from inletctl.flash.pack import read_packed
from inletctl.measure.bench_board import BOARD
from inletctl.measure.charging import MS_NS, Charging

PHASES = ("sample", "step", "actuate", "report", "slack")
PERIOD_NS = 10 * MS_NS


def spread(values: list[int]) -> dict[str, int]:
    """Return p50, p99 and the largest of `values`, which must not be empty."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return {
        "p50": ordered[last // 2],
        "p99": ordered[last - last // 100],
        "max": ordered[last],
        "count": last + 1,
    }


def phases(passes: list[tuple[int, ...]]) -> dict[str, Any]:
    """Return each phase's cost in CPU cycles, of passes given as six times in ns, and the period's jitter in us."""
    result: dict[str, Any] = {}
    for n, name in enumerate(PHASES):
        result[name] = spread([(times[n + 1] - times[n]) // CYCLE_NS for times in passes])
    result["whole"] = spread([(times[5] - times[0]) // CYCLE_NS for times in passes])
    periods = [b[0] - a[0] for a, b in pairwise(passes)]
    result["period_us"] = spread([period // 1000 for period in periods])
    result["jitter_us"] = spread([abs(period - PERIOD_NS) // 1000 for period in periods])
    result["late_passes"] = sum(1 for period in periods if period > PERIOD_NS + 2 * MS_NS)
    return result


def firmware_size() -> dict[str, int]:
    """Return how many files the board gets and how large they are."""
    files = build(BOARD).files
    compiled = [data for name, data in files.items() if name.endswith(".mpy")]
    compiled += read_packed(files[PACKED_FILE]).values()
    return {
        "files": len(files),
        "bytes": sum(len(data) for data in files.values()),
        "mpy_files": len(compiled),
        "mpy_bytes": sum(len(data) for data in compiled),
    }


def measure_loop(charging: Charging) -> dict[str, Any]:
    """Return the figures of a run that `Charging.start` has brought to full current."""
    marks = charging.marks
    all_passes = marks.passes()
    # What comes before loads desk and journal, at rest and late on purpose.
    first = charging.plug_pass
    result = phases(all_passes[first:])
    result["late_rule"] = (
        "from the plug on, pass %d: before it desk and journal are loaded" % first
    )
    result["gc"] = {
        "longest_pause_us": max(charging.gc_us),
        "rule": "only while S2 is open and the lock is at rest, at most every 5 s",
    }
    result["bytes_per_pass"] = 0
    result["bytes_rule"] = (
        "the heap was locked from the 60th pass after the desk's loading, with the journal loaded, to the end: one allocated byte would have ended the run"
    )
    free = charging.free_bytes
    result["heap"] = {
        "first_bytes": free[0],
        "last_bytes": free[-1],
        "simulated_s": (all_passes[-1][5] - all_passes[0][0]) / 1e9,
        "rule": "nothing is allocated and nothing freed, so ten minutes leave it as one second does",
    }
    boot_ns = charging.chip.boot_ns
    result["boot"] = {
        "safe_ms": round((charging.safe_ns - boot_ns) / MS_NS, 1),
        "main_ms": round((charging.main_ns - boot_ns) / MS_NS, 1),
        "main_to_ready_ms": round((charging.ready_ns - charging.main_ns) / MS_NS, 1),
        "ready_ms": round((charging.ready_ns - boot_ns) / MS_NS, 1),
    }
    return result
