"""The command `inletctl calibrate`: asks for two known values in turn, measures, solves, stores and remembers."""

import json
from pathlib import Path
from typing import Any

import click

from inletctl.errors import UserError
from inletctl.link.commands import PORT, board_at, change_settings

_REMEMBER = click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path),
    help="where calibrations are kept; calibration/<board id>.jsonl if left out",
)
_YES = click.option("--yes", is_flag=True, help="store without asking")
# The pilot's divider makes about 6 mV of each mV of the ADC.
_PILOT_SCATTER_MV = 100
# More between the levels while high and while low is no steady level.
_STEADY_MV = 500


@click.group()
def calibrate() -> None:
    """Measure a board against two known values, and store what comes out."""


def _two(values: "tuple[float, ...]", what: str) -> tuple[float, float]:
    """Return two known values, asked for where none were given."""
    if not values:
        first = click.prompt("First %s" % what, type=float)
        return first, click.prompt("Second %s" % what, type=float)
    if len(values) != 2:
        raise UserError("Give two known values, %d were given: the option twice." % len(values))
    return values[0], values[1]


def _connect(words: str) -> None:
    click.prompt("%s, then press Enter" % words, default="", show_default=False, prompt_suffix=" ")


def _store(board: Any, wanted: dict[str, int], yes: bool) -> None:
    if not yes:
        text = ", ".join("%s=%d" % item for item in wanted.items())
        click.confirm("Store %s on the board?" % text, abort=True)
    change_settings(board, wanted)


def _positive(values: tuple[float, float]) -> None:
    if not all(1 <= value <= 1_000_000 for value in values):
        raise UserError("A resistor of %g or %g ohm is outside 1 ohm..1 Mohm." % values)


@calibrate.command("pp")
@PORT
@click.option("--ohm", type=float, multiple=True, help="known resistor, twice")
@_REMEMBER
@_YES
def calibrate_pp(port: str, ohm: "tuple[float, ...]", path: "Path | None", yes: bool) -> None:
    """Measure the PP divider's two resistors with two known ones between PP and PE."""
    from inletctl.link import calibrate as maths

    known = _two(ohm, "resistor in ohm")
    _positive(known)
    with board_at(port) as board:
        who = board.hello()
        before = {key: board.setting(key)[0] for key in ("pp_pullup_ohm", "pp_pulldown_ohm")}
        read = []
        for one in known:
            _connect("Connect %g ohm between PP and PE" % one)
            read.append(maths.measure(board, ("pp_mv", "pp_rail_mv"), "pp_ok"))
            click.echo("  %.1f mV on a rail of %.1f mV" % read[-1])
        (mv_1, rail_1), (mv_2, rail_2) = read
        solved = maths.solve_pp(known, (mv_1, mv_2), (rail_1, rail_2))
        maths.check_pp(*solved, (before["pp_pullup_ohm"], before["pp_pulldown_ohm"]))
        after = {"pp_pullup_ohm": round(solved[0]), "pp_pulldown_ohm": round(solved[1])}
        # Settings are for an inlet with no plug in; and what is read without one proves the two values.
        _connect("Take the resistor away")
        maths.check_open(*solved, *maths.measure(board, ("pp_mv", "pp_rail_mv"), "pp_ok"))
        _store(board, after, yes)
        kept = maths.remember(path, who, "pp", {"ohm": known, "read_mv": read}, before, after)
    click.echo("remembered in %s" % kept)


@calibrate.command("temperature")
@PORT
@click.option("--channel", type=click.IntRange(0, 3), default=0, show_default=True)
@click.option(
    "--ohm", type=float, multiple=True, help="known resistor in place of the sensor, twice"
)
@click.option(
    "--celsius", type=float, multiple=True, help="known temperature of the sensor, twice"
)
@_REMEMBER
@_YES
def calibrate_temperature(
    port: str,
    channel: int,
    ohm: "tuple[float, ...]",
    celsius: "tuple[float, ...]",
    path: "Path | None",
    yes: bool,
) -> None:
    """Measure a temperature divider: by two known resistors its pull-up, by two temperatures what is left unknown.

    With two temperatures an NTC's resistance at 25 C is measured, its B value and the pull-up taken as they are set; a
    PT1000 is known, so the pull-up is measured. What is stored holds for every channel with the same kind of sensor.
    """
    from inletctl.link import calibrate as maths

    if ohm and celsius:
        raise UserError("Give two resistors or two temperatures, not both.")
    known = _two(celsius, "temperature in C") if celsius else _two(ohm, "resistor in ohm")
    if celsius:
        # Outside of what a sensor is read to, whichever kind it is.
        for one in known:
            maths.pt1000_ohm(round(one * 10))
    else:
        _positive(known)
    with board_at(port) as board:
        who = board.hello()
        is_pt1000 = _is_pt1000(board, channel)
        key = "pt_pullup_ohm" if is_pt1000 else "ntc_r25_ohm" if celsius else "temp_pullup_ohm"
        now = board.setting(key)[0]
        read = []
        for one in known:
            if celsius:
                _connect(
                    "Bring the sensor of channel %d to %g C and wait until it is" % (channel, one)
                )
            else:
                _connect("Connect %g ohm in place of the sensor of channel %d" % (one, channel))
            names = ("temp_mv_%d" % channel, "temp_rail_mv")
            read.append(maths.measure(board, names, "temp_ok_%d" % channel))
            click.echo("  %.1f mV on a rail of %.1f mV" % read[-1])
        (mv_1, rail_1), (mv_2, rail_2) = read
        mv, rail_mv = (mv_1, mv_2), (rail_1, rail_2)
        if celsius and not is_pt1000:
            pullup_ohm = board.setting("temp_pullup_ohm")[0]
            beta = board.setting("ntc_beta")[0]
            decic = (round(known[0] * 10), round(known[1] * 10))
            solved = maths.solve_r25(decic, mv, rail_mv, pullup_ohm, beta, now)
        elif celsius:
            by_celsius = (
                maths.pt1000_ohm(round(known[0] * 10)),
                maths.pt1000_ohm(round(known[1] * 10)),
            )
            solved = maths.solve_pullup(by_celsius, mv, rail_mv, now)
        else:
            solved = maths.solve_pullup(known, mv, rail_mv, now)
        after = {key: round(solved)}
        _store(board, after, yes)
        told = {"channel": channel, "celsius" if celsius else "ohm": known, "read_mv": read}
        kept = maths.remember(path, who, "temperature", told, {key: now}, after)
    click.echo("remembered in %s" % kept)


def _is_pt1000(board: Any, channel: int) -> bool:
    """Return which kind of sensor the channel has. Raises UserError where it has none."""
    from inletctl.link.setting_words import show

    key = "sensor_%d" % channel
    kind = show(key, board.setting(key)[0])
    if kind == "unused":
        raise UserError(
            "Channel %d has no sensor: say which with `inletctl settings set %s=ntc` or pt1000."
            % (channel, key)
        )
    return kind == "pt1000"


@calibrate.command("pilot")
@PORT
@click.option("--volt", type=float, multiple=True, help="known steady level at the CP pin, twice")
@click.option(
    "--board",
    "board_path",
    type=click.Path(path_type=Path),
    help="board file; firmware/boards/<name>.json if left out",
)
@_REMEMBER
def calibrate_pilot(
    port: str, volt: "tuple[float, ...]", board_path: "Path | None", path: "Path | None"
) -> None:
    """Check the pilot's level measurement with two known steady levels at the CP pin, +9 and -12 V, say.

    Its scale is in the board file, which is flashed with the firmware: what to put there is printed, nothing is stored on
    the board.
    """
    from inletctl.link import calibrate as maths

    known = _two(volt, "level in V")
    if not all(-15 <= one <= 15 for one in known):
        raise UserError("A level of %g or %g V is outside -15..15 V." % known)
    level_mv = (known[0] * 1000, known[1] * 1000)
    with board_at(port) as board:
        who = board.hello()
        cp = _cp_entry(board_path, who.board)
        read: list[float] = []
        for one in known:
            _connect("Put a steady %g V on CP, measured at its pin" % one)
            names = ("cp_high_mv", "cp_low_mv")
            high_mv, low_mv = maths.measure(board, names, "cp_ok", _PILOT_SCATTER_MV)
            if abs(high_mv - low_mv) > _STEADY_MV:
                raise UserError(
                    "The pilot moves between %.0f and %.0f mV: it must be steady, without PWM."
                    % (low_mv, high_mv),
                    1,
                )
            read.append((high_mv + low_mv) / 2)
            click.echo("  read %.1f mV" % read[-1])
    found = maths.solve_pilot(level_mv, (read[0], read[1]), cp)
    click.echo("gain error %+.2f %%, offset error %+.0f mV" % found[:2])
    click.echo("in the board file write:")
    click.echo(' "cp": %s' % json.dumps(found.cp))
    click.echo("then flash the board again with `inletctl flash`.")
    known_words = {"level_mv": level_mv, "read_mv": read}
    errors = {
        "gain_error_pct": round(found.gain_error_pct, 3),
        "offset_error_mv": round(found.offset_error_mv, 1),
    }
    kept = maths.remember(path, who, "pilot", known_words, {"cp": cp, **errors}, {"cp": found.cp})
    click.echo("remembered in %s" % kept)


def _cp_entry(path: "Path | None", board: str) -> dict[str, int]:
    """Return the "cp" entry of the board file. Raises UserError where it cannot be read."""
    from inletctl.house import FIRMWARE, use_firmware

    use_firmware()
    from drivers.board_file import load

    # The name comes from the board: a path of its own would lead elsewhere.
    path = path or FIRMWARE / "boards" / (Path(board).name + ".json")
    try:
        text = path.read_text("utf-8")
        load(text)
    except OSError as error:
        raise UserError(
            "%s: cannot be read: %s; give the board file with --board." % (path, error.strerror)
        ) from None
    except ValueError as error:
        raise UserError("%s: %s." % (path, str(error).rstrip("."))) from None
    return json.loads(text)["cp"]
