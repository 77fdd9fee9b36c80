"""The commands `inletctl blackbox list`, `decode` and `replay`: words and exit statuses."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inletctl.errors import UserError

if TYPE_CHECKING:
    from inletctl.blackbox.file import JournalFile
    from inletctl.blackbox.payload import Box, SessionRecord

_FILE = click.argument("file", type=click.Path(path_type=Path))
_BOX = click.option("--box", "number", type=int, help="this box only, by its number in the list")


@click.group("blackbox")
def blackbox_group() -> None:
    """Black boxes and the session log of a board: list, decode, replay."""


def _read(path: Path) -> "tuple[JournalFile, list[Box], list[SessionRecord], list[str]]":
    """Return what is in the file, and a sentence for all that is not. Raises UserError where nothing of it can be read."""
    from inletctl.blackbox.file import load
    from inletctl.blackbox.payload import boxes_of, sessions_of

    held = load(path)
    boxes, bad_boxes = boxes_of(held.entries)
    sessions, bad_sessions = sessions_of(held.entries)
    said = [*held.problems, *bad_boxes, *bad_sessions]
    for box in boxes:
        said += box.problems
    return held, boxes, sessions, said


def _chosen(boxes: "list[Box]", number: "int | None", path: Path) -> "list[Box]":
    if number is None:
        return boxes
    found = [box for box in boxes if box.number == number]
    if not found:
        there = ", ".join(str(box.number) for box in boxes) or "none"
        raise UserError("%s: holds no box %d, but %s." % (path, number, there))
    return found


def _end(said: "list[str]") -> None:
    """Tell what could not be read; the exit status says that there was something."""
    for sentence in said:
        click.echo(sentence, err=True)
    if said:
        sys.exit(1)


@blackbox_group.command("list")
@_FILE
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def list_command(file: Path, as_json: bool) -> None:
    """List the black boxes and the sessions in the journal FILE."""
    held, boxes, sessions, said = _read(file)
    if as_json:
        made = {
            "board": held.board,
            "boxes": [_box_json(box) for box in boxes],
            "sessions": [asdict(session) for session in sessions],
            "problems": said,
        }
        click.echo(json.dumps(made, indent=1))
    else:
        _tell(boxes, sessions)
        others = len({number for _, number, _ in held.entries} - _numbers(held))
        click.echo(
            "%d black boxes, %d sessions, %d other records in %s"
            % (len(boxes), len(sessions), others, file)
        )
    _end(said)


def _numbers(held: "JournalFile") -> "set[int]":
    from journal.box_writer import KIND_BOX
    from journal.sessions import KIND_SESSION

    return {number for kind, number, _ in held.entries if kind in (KIND_BOX, KIND_SESSION)}


def _box_json(box: "Box") -> "dict[str, Any]":
    from inletctl.blackbox.decode import times

    spans = [t_ms for t_ms, _ in times(box)]
    return {
        "number": box.number,
        "head": asdict(box.head) if box.head else None,
        "frames": len(box.frames),
        "begin_ms": spans[0] if spans else None,
        "end_ms": spans[-1] if spans else None,
        "problems": box.problems,
    }


def _tell(boxes: "list[Box]", sessions: "list[SessionRecord]") -> None:
    from rich.console import Console
    from rich.table import Table

    from inletctl.blackbox.decode import minute_words, times, words_of
    from inletctl.record import Names

    names = Names.from_firmware()
    console = Console()
    if boxes:
        table = Table(box=None, pad_edge=False)
        for head in (
            "box",
            "session",
            "written",
            "trigger",
            "before",
            "after",
            "frames",
            "missed",
        ):
            table.add_column(head, no_wrap=head != "trigger")
        for box in boxes:
            spans = [t_ms for t_ms, _ in times(box)] or [0]
            table.add_row(
                str(box.number),
                str(box.head.session) if box.head else "?",
                minute_words(box.head.minute if box.head else None),
                trigger_words(box, names),
                "%.1f s" % (-spans[0] / 1000),
                "%.1f s" % (spans[-1] / 1000),
                str(len(box.frames)),
                str(box.head.missed) if box.head else "?",
            )
        console.print(table)
    if sessions:
        table = Table(box=None, pad_edge=False)
        for head in (
            "session",
            "from",
            "to",
            "plugged",
            "charging",
            "most",
            "hottest",
            "ended with",
        ):
            table.add_column(head, no_wrap=head != "ended with")
        for one in sessions:
            table.add_row(
                str(one.number),
                ("before " if one.from_boot else "") + minute_words(one.begin_min),
                minute_words(one.end_min) + (" (clock set)" if one.clock_differs else ""),
                _long(one.plugged_s),
                _long(one.charging_s),
                "%.1f A" % (one.most_ma / 1000),
                "?" if one.hottest_decic is None else "%.1f C" % (one.hottest_decic / 10),
                words_of(names.reasons, one.stop_reasons),
            )
        console.print(table)


def trigger_words(box: "Box", names: Any) -> str:
    """Return what triggered a box, in words."""
    from inletctl.blackbox.decode import words_of

    if box.head is None:
        return "lost"
    said = [
        words_of(table, mask)
        for table, mask in (
            (names.faults, box.head.trigger_faults),
            (names.reasons, box.head.trigger_reasons),
        )
        if mask
    ]
    if box.head.trigger_cause:
        said.append("cause %d" % box.head.trigger_cause)
    return " ".join(said) or "none"


def _long(seconds: int) -> str:
    return "%d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)


@blackbox_group.command("decode")
@_FILE
@_BOX
@click.option("--csv", "as_csv", is_flag=True, help="tables; both where neither is asked for")
@click.option("--vcd", "as_vcd", is_flag=True, help="waveforms")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("build/blackbox"),
    show_default=True,
    help="folder for box-NUMBER.csv, box-NUMBER.vcd and sessions.csv",
)
def decode_command(
    file: Path, number: "int | None", as_csv: bool, as_vcd: bool, out: Path
) -> None:
    """Turn the black boxes in the journal FILE into tables (CSV) and waveforms (VCD), and the session log into a table."""
    from inletctl.blackbox.decode import write_box_csv, write_box_vcd, write_sessions_csv

    _, boxes, sessions, said = _read(file)
    is_both = as_csv == as_vcd
    wrote: list[Path] = []
    for box in _chosen(boxes, number, file):
        if not box.frames:
            continue
        if as_csv or is_both:
            wrote.append(write_box_csv(out / ("box-%d.csv" % box.number), box))
        if as_vcd or is_both:
            wrote.append(write_box_vcd(out / ("box-%d.vcd" % box.number), box))
    if sessions and number is None and (as_csv or is_both):
        wrote.append(write_sessions_csv(out / "sessions.csv", sessions))
    for path in wrote:
        click.echo("wrote %s" % path)
    if not wrote:
        said.append("%s: holds no black box and no session that could be decoded." % file)
    _end(said)


@blackbox_group.command("replay")
@_FILE
@_BOX
def replay_command(file: Path, number: "int | None") -> None:
    """Run the black boxes in the journal FILE through the logic on this computer; list where it now decides otherwise.

    Every pass is the same, different, or not judged and why. Exit status 0 if nothing judged is different, 1 if something is,
    2 if nothing could be judged.
    """
    from inletctl.blackbox.replay import replay_box

    _, boxes, _, said = _read(file)
    for sentence in said:
        click.echo(sentence, err=True)
    is_different = False
    same_us = 0
    for box in _chosen(boxes, number, file):
        made = replay_box(box)
        for note in made.notes:
            if note not in said:
                click.echo(note, err=True)
        if made.result is not None:
            _tell_replay(box, made.result)
            same_us += made.result.same_us
        is_different = is_different or made.is_different
    if is_different:
        click.echo(
            "The first one counts: the recorded world obeyed the board, so later ones may follow from it."
        )
        sys.exit(1)
    if not same_us:
        raise UserError("%s: no black box in it could be judged." % file)


def _tell_replay(box: "Box", result: Any) -> None:
    start_ms = (box.trigger or box.frames[0]).t_ms
    offset_us = ((start_ms - box.frames[0].t_ms) & 0x3FFFFFFF) * 1000
    for one in result.differences:
        click.echo(
            "%s %+10.3f s  different   %-14s board said %s, host says %s (for %.2f s)"
            % (
                box.name,
                (one.t_us - offset_us) / 1e6,
                one.field,
                one.board,
                one.host,
                one.length_us / 1e6,
            )
        )
    for span in result.not_judged:
        click.echo(
            "%s %+10.3f s  not judged  %s (for %.2f s)"
            % (
                box.name,
                (span.t_us - offset_us) / 1e6,
                ": ".join(filter(None, (span.why, span.fields))),
                span.length_us / 1e6,
            )
        )
    click.echo(
        "%s: same %.2f s, not judged %.2f s in %d spans, different %.2f s in %d fields; 0 s is the trigger"
        % (
            box.name,
            result.same_us / 1e6,
            result.not_judged_us / 1e6,
            len(result.not_judged),
            result.different_us / 1e6,
            len(result.differences),
        )
    )
