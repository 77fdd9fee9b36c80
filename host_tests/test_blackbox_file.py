"""Journals as files, damaged payloads, and the commands `inletctl blackbox`."""

import csv
import json
import random

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import interlock
from inletctl.blackbox.command import blackbox_group
from inletctl.blackbox.decode import header
from inletctl.blackbox.file import load, save
from inletctl.blackbox.payload import PayloadError, boxes_of, frames_of, sessions_of
from inletctl.blackbox.sim_box import record_boxes
from inletctl.errors import UserError
from inletctl.house import SCENARIOS
from inletctl.scenario.load import read_scenario
from journal.box_writer import KIND_BOX, PART_HEAD
from journal.sessions import KIND_SESSION


@pytest.fixture(scope="module")
def entries():
    """Two boxes of several parts, sessions, and a record of another kind."""
    scenario = read_scenario(SCENARIOS / "line_wires_break.txt")
    found = record_boxes(scenario, 8, part_bytes=1100)
    number = found[-1][1]
    assert [kind for kind, _, _ in found].count(KIND_BOX) >= 4
    session = record_boxes(read_scenario(SCENARIOS / "full_ac_session.txt"))[-1]
    return [*found, (KIND_SESSION, number + 1, session[2]), (1, number + 2, b"state")]


@pytest.fixture
def journal(entries, tmp_path):
    return save(entries, tmp_path / "journal.jsonl", "rp2040-reference")


def run(*args):
    result = CliRunner().invoke(blackbox_group, [str(one) for one in args])
    if isinstance(result.exception, UserError):
        return result.exception.exit_status, result.output + str(result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


# ------------------------------------------------------------------------------------------- files


def test_a_journal_is_read_as_it_was_saved(entries, journal):
    held = load(journal)
    assert (held.entries, held.board, held.problems) == (entries, "rp2040-reference", [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no board's journal"),
        ("hello\n", "no board's journal"),
        ('{"openinlet_log":1}\n', "no board's journal"),
        ("[1]\n", "no board's journal"),
        ("\x00\x01\x02\n", "no board's journal"),
        ('{"openinlet_journal":2}\n', "version 2"),
        ('{"openinlet_journal":true}\n', "version True"),
    ],
)
def test_a_foreign_file_is_refused_in_a_sentence(text, words, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(text, encoding="utf-8")
    status, said = run("list", path)
    assert status == 2 and words in said and said.endswith(".")


def test_a_file_that_is_not_there_is_told(tmp_path):
    for verb in ("list", "decode", "replay"):
        status, said = run(verb, tmp_path / "none")
        assert status == 2 and "cannot be read" in said


def test_a_line_changed_by_hand_is_left_out_and_told_and_the_others_are_read(entries, journal):
    lines = journal.read_text(encoding="utf-8").splitlines()
    lines[2] = lines[2].replace('"payload":"01', '"payload":"02')
    lines[3] = lines[3][: len(lines[3]) // 2]
    lines.append(lines[-1])
    journal.write_text("\n".join(lines), encoding="utf-8")
    held = load(journal)
    assert held.entries == [entries[0], *entries[3:]]
    assert [":%d is left out" % n in said for n, said in zip((3, 4, len(lines)), held.problems, strict=True)] == [True] * 3  # fmt: skip
    assert "changed by hand" in held.problems[0] and "twice" in held.problems[2]


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_bytes_that_change_in_a_file_never_end_in_more_than_a_sentence(
    tmp_path_factory, seed, count
):
    chance = random.Random(seed)
    path = tmp_path_factory.mktemp("f") / "a.jsonl"
    save([(KIND_BOX, 1, bytes(range(60))), (KIND_SESSION, 2, bytes(44))], path)
    data = bytearray(path.read_bytes())
    for _ in range(count):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path.write_bytes(data)
    try:
        held = load(path)
    except UserError as error:
        assert str(error).startswith(str(path))
        return
    assert all(entry in [(KIND_BOX, 1, bytes(range(60))), (KIND_SESSION, 2, bytes(44))] for entry in held.entries)  # fmt: skip


# ---------------------------------------------------------------------------------------- payloads


@given(st.binary(max_size=600))
def test_any_bytes_are_frames_or_a_sentence(data):
    try:
        frames = frames_of(data)
    except PayloadError as error:
        assert str(error)
    else:
        assert all(abs(value) < 1 << 30 for frame in frames for value in frame.values)


@given(st.data())
def test_a_damaged_part_loses_no_more_than_itself_and_says_so(entries, data):
    """As of a log that lost its CRCs: any byte of any part, changed, cut off, or left out."""
    parts = [n for n, entry in enumerate(entries) if entry[0] == KIND_BOX]
    at = data.draw(st.sampled_from(parts))
    kind, number, payload = entries[at]
    how = data.draw(st.sampled_from(["change", "cut", "drop"]))
    damaged = list(entries)
    if how == "drop":
        del damaged[at]
    elif how == "cut":
        damaged[at] = (kind, number, payload[: data.draw(st.integers(0, len(payload) - 1))])
    else:
        where = data.draw(st.integers(PART_HEAD, len(payload) - 1))
        byte = payload[where] ^ data.draw(st.integers(1, 255))
        damaged[at] = (kind, number, payload[:where] + bytes([byte]) + payload[where + 1 :])
    whole = boxes_of(entries)[0]
    boxes, problems = boxes_of(damaged)
    said = [*problems, *(one for box in boxes for one in box.problems)]
    if how == "drop" and payload[2] > 1:
        assert said
    frames = {frame for box in boxes for frame in box.frames}
    mine = next(n for n, box in enumerate(whole) if box.number <= number < (whole[n + 1].number if n + 1 < len(whole) else 1 << 30))  # fmt: skip
    for n, box in enumerate(whole):
        if n != mine:
            assert frames.issuperset(box.frames)
    assert sessions_of(damaged) == sessions_of(entries)


def test_each_missing_part_is_named(entries):
    whole = boxes_of(entries)[0][0]
    parts = [entry for entry in entries if entry[0] == KIND_BOX]
    count = parts[0][2][2]
    for n in range(count):
        box = boxes_of(parts[:n] + parts[n + 1 : count])[0][0]
        assert any("part %d of %d is missing" % (n + 1, count) in one for one in box.problems)
        assert (box.head is None) == (n == 0)
        assert len(box.frames) < len(whole.frames) and set(box.frames) < set(whole.frames)
        if 0 < n < count - 1:
            assert box.breaks


def test_a_box_whose_writing_was_cut_and_the_next_one_are_two(entries):
    parts = [entry for entry in entries if entry[0] == KIND_BOX]
    count = parts[0][2][2]
    boxes = boxes_of([parts[0], *parts[count:]])[0]
    assert len(boxes) == 2 and boxes[0].problems and not boxes[1].problems


def test_a_part_of_a_later_layout_asks_for_a_newer_tool(entries):
    kind, number, payload = entries[0]
    boxes, problems = boxes_of([(kind, number, b"\x09" + payload[1:])])
    assert not boxes and "update inletctl" in problems[0]


# ---------------------------------------------------------------------------------------- commands


def test_list_tells_boxes_and_sessions(journal):
    status, said = run("list", journal)
    assert status == 0
    assert "interlocked" in said and "2 black boxes" in said and "1 other records" in said


def test_list_as_json_holds_all_of_it(entries, journal):
    status, said = run("list", journal, "--json")
    made = json.loads(said)
    assert status == 0 and made["board"] == "rp2040-reference" and made["problems"] == []
    assert [box["number"] for box in made["boxes"]] == [box.number for box in boxes_of(entries)[0]]
    assert made["boxes"][0]["head"]["settings"]["inlet"] == 1
    assert made["boxes"][0]["begin_ms"] < 0 < made["boxes"][0]["end_ms"]
    assert len(made["sessions"]) == len(sessions_of(entries)[0])


def test_decode_writes_tables_and_waveforms(entries, journal, tmp_path):
    out = tmp_path / "out"
    status, said = run("decode", journal, "--out", out)
    boxes = boxes_of(entries)[0]
    assert status == 0 and said.count("wrote") == 2 * len(boxes) + 1
    with open(out / ("box-%d.csv" % boxes[0].number), encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(boxes[0].frames) and list(rows[0]) == header()
    trigger = next(row for row in rows if row["trigger"] == "1")
    assert trigger["time_s"] == "0.000" and "interlocked" in trigger["reasons"]
    frame = boxes[0].trigger
    assert (
        trigger["temp_mv_0"] == str(frame.value("temp_mv_0")) and trigger["session"] == "resting"
    )
    vcd = (out / ("box-%d.vcd" % boxes[0].number)).read_text(encoding="utf-8")
    assert "$var" in vcd and "interlocked" in vcd and "temp_mv_0" in vcd
    with open(out / "sessions.csv", encoding="utf-8") as stream:
        assert len(list(csv.DictReader(stream))) == len(sessions_of(entries)[0])


def test_decode_writes_only_what_is_asked_for(entries, journal, tmp_path):
    number = boxes_of(entries)[0][1].number
    out = tmp_path / "out"
    assert run("decode", journal, "--csv", "--box", number, "--out", out)[0] == 0
    assert [path.name for path in out.iterdir()] == ["box-%d.csv" % number]
    status, said = run("decode", journal, "--box", 999, "--out", out)
    assert status == 2 and "holds no box 999" in said


def test_what_is_damaged_is_told_the_rest_decoded_and_the_exit_status_says_so(entries, tmp_path):
    parts = [entry for entry in entries if entry[0] == KIND_BOX]
    path = save(parts[1:], tmp_path / "a.jsonl")
    status, said = run("decode", path, "--out", tmp_path / "out")
    assert status == 1 and "is missing" in said and said.count("wrote") == 4
    assert run("list", path)[0] == 1


def test_a_journal_without_boxes_is_told(tmp_path):
    path = save([(1, 1, b"state")], tmp_path / "a.jsonl")
    assert run("list", path)[0] == 0
    status, said = run("decode", path, "--out", tmp_path / "out")
    assert status == 1 and "no black box" in said
    status, said = run("replay", path)
    assert status == 2 and "no black box in it could be judged" in said


def test_replay_tells_what_it_judged(journal):
    status, said = run("replay", journal)
    assert status == 0 and "same" in said and "different 0.00 s" in said


def test_replay_of_another_rule_exits_1(tmp_path, monkeypatch):
    found = record_boxes(read_scenario(SCENARIOS / "pilot_wire_breaks.txt"))
    path = save(found, tmp_path / "a.jsonl")
    monkeypatch.setattr(interlock, "_SHOW_B_MS", 1600)
    status, said = run("replay", path)
    assert status == 1 and "board said" in said and "The first one counts" in said
