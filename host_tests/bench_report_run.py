"""A made-up bench run for the tests of its report: failures, inconclusive steps, steps not run; nothing is executed."""

import math
import random

from inletctl.bench.model import (
    FAIL,
    INCONCLUSIVE,
    NOT_RUN,
    PASS,
    Block,
    Record,
    Row,
    Run,
    Sample,
    Step,
    Stimulus,
)

TRUNCATED_PCT = 0.4  # what the made-up fault of the duty sweep costs from 60 % on
REASON_PILOT_E = 1 << 1
FAULT_TEMP_OPEN = 1 << 9


def row(name, verdict=PASS, **more):
    """Return a row with everything left out that `more` does not give."""
    given = {
        "id": name, "block_id": name.split("/")[0], "what": "expect", "set_value": None,
        "unit": "", "measured": None, "measured_unit": "", "error": None, "limit": None,
        "verdict": verdict, "words": f"words of {name}",
    }  # fmt: skip
    return Row(**{**given, **more})


def amps(duty_pct):
    """The current that a duty offers, in A."""
    if duty_pct < 8 or duty_pct > 97:
        return 0.0
    if duty_pct < 10:
        return 6.0
    if duty_pct <= 85:
        return 0.6 * duty_pct
    return min(80.0, 2.5 * (duty_pct - 64))


def _sweep(block_id, duties, rng, is_broken):
    rows = []
    for n, duty in enumerate(duties):
        read = duty + rng.uniform(-0.03, 0.03) - (TRUNCATED_PCT if is_broken and duty > 60 else 0)
        is_read = 3 <= duty <= 97
        t_us = n * 200_000
        verdict = PASS if abs(read - duty) <= 0.1 else FAIL
        if duty == 42.0 and is_broken:
            verdict, read = INCONCLUSIVE, None
        if is_read:
            rows.append(
                row(
                    f"{block_id}/{duty:05.2f}", verdict, what="duty", set_value=duty, unit="%",
                    measured=read, measured_unit="%", expected=duty, limit=0.1,
                    error=None if read is None else read - duty, t_us=t_us, duration_us=180_000,
                    requirements=("OI-DUTY-1",),
                    words=f"Duty {duty:g} % is read to 0.1 %."
                    if read is not None
                    else "3 of 9 lines of this step were lost.",
                )
            )  # fmt: skip
        if read is None:
            continue
        seen = math.floor(amps(read) * 100) / 100
        off = seen - amps(duty)
        rows.append(
            row(
                f"{block_id}/{duty:05.2f}/current", PASS if -0.1 <= off <= 0 or is_broken is False
                or duty <= 60 else FAIL,
                what="current", set_value=duty, unit="%", measured=seen, measured_unit="A",
                expected=amps(duty), error=off, limit=0.1, t_us=t_us, duration_us=180_000,
                requirements=("OI-DUTY-2",), words=f"At most {amps(duty):g} A, at least 0.1 A less.",
            )
        )  # fmt: skip
    return rows


def commands(**values):
    """Return the 16 numbers of a "commands" line."""
    order = (
        "s2_close", "charger_ma", "lock_drive", "drive_allowed", "light", "session", "pilot_state",
        "lock_state", "duty_pct_x100", "offered_ma", "permitted_ma", "limiter", "reasons", "faults",
        "hottest_decic", "hottest_ok",
    )  # fmt: skip
    return tuple(int(values.get(name, 0)) for name in order)


CHARGING = {
    "s2_close": 1, "charger_ma": 16000, "session": 2, "pilot_state": 4, "duty_pct_x100": 2667,
    "offered_ma": 16000, "permitted_ma": 16000, "limiter": 1, "hottest_decic": 312, "hottest_ok": 1,
}  # fmt: skip
STOPPED = {**CHARGING, "s2_close": 0, "charger_ma": 0, "session": 4, "pilot_state": 7, "offered_ma": 0,
           "permitted_ma": 0, "reasons": REASON_PILOT_E}  # fmt: skip
# pilot_count, high, period, those before it, quiet, cp high, cp low, pp, rail, 4 temperatures, their ages, rail, lock, motor, vehicle, charger, the car's side, port records, flags
READINGS = (
    5,
    2667,
    10000,
    *(0, 0, 0, 0),
    *(0, 0, 0, 0),
    0,
    6010,
    -12003,
    1480,
    5003,
    1650,
    1660,
    0,
    0,
    30,
    80,
    0,
    0,
    3300,
    2800,
    0,
    20,
    32000,
    15800,
    *(0, 80000, 0, 60000, 0),
    *(0, 0, 80000, 1000000),
    0b110001111,
)


def _record(block_id, seed):
    rng = random.Random(seed)
    record = Record(block_id, is_complete=True, timing_error_us=2_000)
    record.samples = [Sample(0, "commands", commands())]
    for n in range(20):
        record.samples.append(Sample(1_000_000 + n * 50_000, "readings", READINGS))
    record.samples += [
        Sample(1_200_000, "commands", commands(**CHARGING)),
        Sample(3_000_000 + rng.randrange(20, 45) * 1000, "commands", commands(**STOPPED)),
    ]
    record.samples.sort(key=lambda sample: sample.t_us)
    record.done = [(500_000, "plug cable_a=32A"), (3_000_000, "evse_error state=e")]
    record.edges = [(1_200_000, "s2", 1), (3_031_000, "s2", 0)]
    return record


def block(block_id, title, inlet="type2", end_us=5_000_000):
    """Return a block of one step."""
    return Block(
        id=block_id, title=title, inlet=inlet, settings={}, world={},
        stimuli=(Stimulus(500_000, "plug", {"cable_a": 32}, "plug cable_a=32A"),),
        steps=(Step(f"{block_id}/1", "expect", None, "", 0, 1),), end_us=end_us,
    )  # fmt: skip


_CAUSES = (
    # cause, limit in ms, centre in ms, n, how many never come
    ("pilot_e", 50, 24, 60, 0),
    ("pilot_f", 50, 26, 60, 0),
    ("pp_button", 840, 512, 40, 0),
    ("lock_lost", 940, 640, 24, 0),
    ("temp_sensor", 3220, 1900, 12, 0),
    ("vehicle_silent", 1340, 1290, 30, 2),
)


def _reactions(rng):
    rows = []
    for cause, limit, centre, n, never in _CAUSES:
        for k in range(n):
            ms = round(rng.gauss(centre, centre * 0.06), 1)
            rows.append(
                row(
                    f"{cause}/{k}", PASS if ms <= limit else FAIL, measured=ms, measured_unit="ms",
                    expected=0, error=ms, limit=limit, t_us=3_000_000, duration_us=int(ms * 1000),
                    requirements=("OI-STOP-1",), cause=cause,
                    words=f"S2 opens within {limit} ms of {cause}; it took {ms:g} ms.",
                )
            )  # fmt: skip
        rows += [
            row(
                f"{cause}/never-{k}", FAIL, measured_unit="ms", limit=limit, t_us=3_000_000,
                duration_us=2_000_000, requirements=("OI-STOP-1",), cause=cause,
                words=f"S2 opens within {limit} ms of {cause}; it stayed closed.",
            )
            for k in range(never)
        ]  # fmt: skip
    return rows


def _derate(celsius):
    if celsius < 60:
        return 32.0
    return max(0.0, 32 - 16 * (celsius - 60) / 25) if celsius < 90 else 0.0


def healthy(steps=400, seed=1):
    """Return a whole run in which everything passed."""
    return _run(steps, seed, is_broken=False)


def broken(steps=400, seed=1):
    """Return a whole run of a truncating firmware: every verdict is in it."""
    run = _run(steps, seed, is_broken=True)
    run.rows += _reactions(random.Random(seed))
    for cause, *_ in _CAUSES:
        run.blocks.append(block(cause, f"Reaction to {cause}"))
        run.records[cause] = _record(cause, seed)
    run.blocks.append(block("lock-slips", "The lock slips while charging"))
    run.records["lock-slips"] = Record("lock-slips", why_not="No instrument for lock.")
    run.rows.append(row("lock-slips/1", NOT_RUN, words="No instrument for lock."))
    record = run.records["duty-up"]
    record.lost_lines, record.damaged_lines = 3, 1
    return run


def cut_short():
    """Return a run whose port was lost midway: what was measured passed, one block was never begun."""
    run = healthy(60)
    run.is_complete = False
    run.why_not = "The port /dev/ttyACM0 went away after 38 s."
    run.blocks.append(block("never", "Never begun"))
    return run


def _run(steps, seed, is_broken):
    rng = random.Random(seed)
    up = [round(n * 100 / steps, 2) for n in range(steps + 1)]
    orders = {"duty-up": up, "duty-down": up[::-1], "duty-random": rng.sample(up, len(up))}
    run = Run(
        recipe="conformance",
        recipe_sha256="5f2c" * 16,
        seed=seed,
        command="inletctl bench conformance --target board --port /dev/ttyACM0 --generator "
        "TCPIP::192.168.1.40::INSTR --seed 1 --out build/bench",
        began="2026-11-21T09:40:12+01:00",
        target="board on /dev/ttyACM0",
        firmware_hash="8f3a52c1d09b",
        board="Raspberry Pi Pico, OpenInlet r2",
        board_id="e6614104033b2a2f",
        settings={"inlet": 1, "max_current_ma": 32000, "pp_pullup_ohm": 333, "stop_decic": 850},
        instruments=["Siglent Technologies,SDG1032X,SDG1XCAC00001,1.01.01.33R1 (amplifier x2)"],
        calibration=["2026-11-20 pp: pull-up 330 -> 333 ohm, pull-down 2700 -> 2691 ohm"],
        operator="A. Engineer",
        timing_error_us=2_000,
        is_complete=True,
        requirements={
            "OI-DUTY-1": ("The duty is read to 0.1 % absolute from 3 to 97 %.", "IEC Tab A.8"),
            "OI-DUTY-2": ("The current is never above the table.", "IEC Tab A.8; J1772 Tab 5"),
            "OI-STOP-1": ("S2 opens within the time of its row.", "IEC Tab A.6"),
            "OI-TEMP-1": ("A hot contact lowers the current.", "own limit"),
            "OI-NONE-1": ("Nobody has written a step for this.", "own limit"),
        },
    )
    for n in range(3):
        run.self_check.append(
            row(f"self-check/{n}", block_id="self-check", words=f"The source answers, {n}.")
        )
    for name, duties in orders.items():
        run.blocks.append(block(name, f"Duty {name[5:]}", end_us=len(duties) * 200_000))
        run.records[name] = _record(name, seed)
        run.rows += _sweep(name, duties, rng, is_broken)
    run.blocks.append(block("hot", "Contacts warm up"))
    run.records["hot"] = _record("hot", seed)
    run.rows += [
        row(
            f"hot/{celsius}", what="temperature", set_value=float(celsius), unit="C",
            measured=_derate(celsius) - 0.05, measured_unit="A", expected=_derate(celsius), error=-0.05,
            limit=0.5, t_us=celsius * 10_000, duration_us=9_000, requirements=("OI-TEMP-1",),
        )
        for celsius in range(20, 96)
    ]  # fmt: skip
    return run
