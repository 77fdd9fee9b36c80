"""Readers that run what they have read through the logic again: black boxes and recorded logs, on the host."""

from inletctl.blackbox.payload import boxes_of
from inletctl.blackbox.replay import replay_box
from inletctl.blackbox.sim_box import record_boxes
from inletctl.errors import UserError
from inletctl.fuzz.flash import Pieces, recorded
from inletctl.fuzz.harness import File, Harness, Refusal
from inletctl.fuzz.serial import sealed_lines
from inletctl.house import use_firmware
from inletctl.link.log import read_log
from inletctl.link.replay import replay
from inletctl.link.timeline import timeline
from inletctl.scenario.parse import parse_scenario

use_firmware()

from journal.box_writer import KIND_BOX  # noqa: E402

# What is recorded of a longer time takes longer: that is no mistake, and is not waited for.
_LONGEST_MS = 5_000


def replays() -> Harness:
    """
    A recording through the logic: same, different, or not judged, whatever it says.

    First byte even: a log, whose lines with a tab are given their check sums; odd: pieces that are the parts of a black box.
    """
    file = File("log.jsonl")

    def run(data: bytes) -> None:
        if data and data[0] & 1:
            _replay_boxes(data[1:])
            return
        try:
            log = read_log(file.hold(sealed_lines(data[1:])))
            moments = timeline(log)
            if not moments or moments[-1].t_us - moments[0].t_us <= _LONGEST_MS * 1000:
                replay(log)
        except UserError as error:
            raise Refusal(str(error)) from None

    text = "title t\ninlet type2\nat 0.3s plug 32A\nat +2.5s cp_wire break\nend +0.5s\n"
    held = record_boxes(parse_scenario(text), 2, part_bytes=700)
    parts = [payload for kind, _, payload in held if kind == KIND_BOX]
    seeds = []
    for text in ("at 0.3s plug 32A\nend +1s\n", "at 0.1s cp_sense dead\nend +0.3s\n"):
        head, *lines = recorded(text, file.folder / ("%d.jsonl" % len(seeds)))
        bare = [b"\t" + line.rpartition(b',"x":"')[0] for line in lines if b',"x":"' in line]
        stop = b'{"asked":"stop","a":[],"t_ms":901}'
        seeds.append(b"\x00" + b"\n".join([head, *bare[:24], b""]))
        seeds.append(b"\x00" + b"\n".join([head, *bare[-12:], stop, b""]))
    # The quick ones at both ends.
    boxes = [b"\x01" + Pieces.of(*((0, one) for one in parts))]
    boxes += [b"\x01" + Pieces.of((0, one)) for one in parts]
    seeds[2:2] = boxes
    words = (
        b'"t":',
        b'"n":',
        b'"c":[',
        b'"r":[',
        b'"late":',
        b'{"asked":"lock","a":[],"t_ms":',
        b"\n\t",
        b",0",
        b",-1",
    )
    return Harness("replay", run, seeds, words)


def _replay_boxes(data: bytes) -> None:
    entries = []
    pieces = Pieces(data)
    while (piece := pieces.next()) is not None:
        entries.append((KIND_BOX, len(entries) + 1, piece[1][:2048]))
    boxes, problems = boxes_of(entries)
    for box in boxes[:2]:
        problems += box.problems
        spans_ms = [
            b.t_ms - a.t_ms & 0x3FFFFFFF for a, b in zip(box.frames, box.frames[1:], strict=False)
        ]
        if sum(spans_ms) <= _LONGEST_MS:
            problems += replay_box(box).notes
    if problems:
        raise Refusal(*problems)
