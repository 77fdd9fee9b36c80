"""CSV, VCD, JSON and how files come into being: each is read back with the reader a person would use."""

import csv
import io
import json
import os
import stat

import pytest
from report_session import NAMES, Session, meta, record
from vcd.reader import TokenKind, tokenize

from inletctl.errors import UserError
from inletctl.record import COLUMN_INDEX, COLUMNS, Recorder
from inletctl.report.files import write_whole
from inletctl.report.machine import write_json
from inletctl.report.meta import Expectation, SessionMeta, clock
from inletctl.report.spreadsheet import header, seconds, write_csv
from inletctl.report.waveform import LEGS, NUMBERS, WIRES, WORDS, write_vcd
from inletctl.report.write import write_session


@pytest.fixture(scope="module")
def session():
    recorder, _ = record(120)
    return recorder


def _at(recorder, t_us):
    return [row for row in recorder.rows if row[0] <= t_us][-1]


# CSV


def test_csv_has_one_header_and_every_row(session, tmp_path):
    path = write_csv(tmp_path / "session.csv", session)
    with open(path, encoding="utf-8", newline="") as stream:
        lines = list(csv.reader(stream))
    assert lines[0] == header()
    assert lines[0][0] == "time_s" and lines[0][-1] == "events"
    assert len(lines) == len(session.rows) + 1
    assert {len(line) for line in lines} == {len(COLUMNS) + 1}


def test_csv_cells_are_words_numbers_and_blanks(session, tmp_path):
    path = write_csv(tmp_path / "session.csv", session)
    with open(path, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    first, charging = rows[0], next(row for row in rows if row["session"] == "charging")
    assert first["time_s"] == "0.000" and first["pilot_state"] == "A"
    assert first["duty_pct_x100"] == ""
    assert first["reasons"] == "no_plug not_locked" and first["faults"] == "none"
    assert charging["s2_close"] == "1" and charging["limiter"] == "pilot"
    assert charging["permitted_ma"] == "32000"
    assert "S2 closed" in charging["events"]


def test_csv_tells_every_event_also_after_the_last_row(tmp_path):
    recorder, _ = record(120)
    recorder.event(999_000_000, "after the end")
    path = write_csv(tmp_path / "session.csv", recorder)
    with open(path, encoding="utf-8", newline="") as stream:
        told = "; ".join(row["events"] for row in csv.DictReader(stream) if row["events"])
    assert told == "; ".join(event.text for event in recorder.events)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "a\nb", 'say "hi", you'])
def test_csv_text_is_neither_formula_nor_new_line(text, tmp_path):
    recorder = Recorder(NAMES)
    recorder.event(0, text)
    session = Session(300)
    session.step(0)
    recorder.row(0, session.readings, session.commands, session.world)
    recorder.events = recorder.events[:1]
    path = write_csv(tmp_path / "session.csv", recorder)
    with open(path, encoding="utf-8", newline="") as stream:
        cell = next(iter(csv.DictReader(stream)))["events"]
    assert cell[0] not in "=+-@" and "\n" not in cell
    assert cell.lstrip("'") == " ".join(text.split())


@pytest.mark.parametrize(
    ("t_us", "text"),
    [(0, "0.000"), (10_000, "0.010"), (1, "0.000001"), (3_600_000_001, "3600.000001")],
)
def test_seconds_are_exact(t_us, text):
    assert seconds(t_us) == text


# VCD


def _read_vcd(path):
    """Return (timescale in us, {name: {tick: value}})."""
    names, values, tick, scale_us = {}, {}, 0, 0
    for token in tokenize(io.BytesIO(path.read_bytes())):
        if token.kind is TokenKind.TIMESCALE:
            unit_us = {"ms": 1000, "us": 1}[token.timescale.unit.value]
            scale_us = int(token.timescale.magnitude) * unit_us
        elif token.kind is TokenKind.VAR:
            names[token.var.id_code] = token.var.reference
            values[token.var.reference] = {}
        elif token.kind is TokenKind.CHANGE_TIME:
            tick = token.time_change
        elif token.kind in (
            TokenKind.CHANGE_SCALAR, TokenKind.CHANGE_REAL, TokenKind.CHANGE_STRING,
        ):  # fmt: skip
            change = token.data
            values[names[change.id_code]][tick] = change.value
    return scale_us, values


def _held(changes, tick):
    return changes[max(t for t in changes if t <= tick)]


def test_vcd_reads_back_as_recorded(session, tmp_path):
    scale_us, values = _read_vcd(write_vcd(tmp_path / "session.vcd", session, meta()))
    assert scale_us == 1000
    wanted = {name for name, _ in WIRES + LEGS} | set(NUMBERS) | set(WORDS) | {"event"}
    assert set(values) == wanted
    for row in session.rows[::7]:
        tick = row[0] // 1000
        assert _held(values["s2"], tick) == str(int(row[COLUMN_INDEX["s2_close"]]))
        drive = row[COLUMN_INDEX["lock_drive"]]
        assert _held(values["lock_drive_lock"], tick) == str(int(drive == 1))
        assert _held(values["lock_drive_unlock"], tick) == str(int(drive == -1))
        assert _held(values["cp_low_mv"], tick) == row[COLUMN_INDEX["cp_low_mv"]]
        assert _held(values["session"], tick) == NAMES.session[row[COLUMN_INDEX["session"]]]
    assert set(values["lock_drive_lock"].values()) == {"0", "1"}
    assert set(values["lock_drive_unlock"].values()) == {"0", "1"}
    assert min(values["cp_low_mv"].values()) < -11_000
    assert any("temp_sensor" in text for text in values["reasons"].values())
    told = "".join(values["event"].values())
    assert "fault\\x20TempOpen" in told or "fault TempOpen" in told


def test_vcd_marks_what_was_not_measured(tmp_path):
    session = Session(300)
    session.step(0)
    session.readings.ac_ok = session.readings.cp_ok = False
    recorder = Recorder(NAMES)
    recorder.row(0, session.readings, session.commands, session.world)
    _, values = _read_vcd(write_vcd(tmp_path / "session.vcd", recorder, meta()))
    assert values["ac_present"][0] == "x"
    assert values["cp_high_mv"][0] != values["cp_high_mv"][0]  # nan


def test_vcd_is_finer_than_ms_only_where_needed(tmp_path):
    session = Session(300)
    session.step(0)
    recorder = Recorder(NAMES)
    recorder.event(1_500, "between")
    recorder.row(2_000, session.readings, session.commands, session.world)
    scale_us, values = _read_vcd(write_vcd(tmp_path / "session.vcd", recorder, meta()))
    assert scale_us == 1
    assert 1_500 in values["event"] and 2_000 in values["s2"]


def test_vcd_text_cannot_leave_its_place(tmp_path):
    session = Session(300)
    session.step(0)
    recorder = Recorder(NAMES)
    recorder.event(0, "caf\u00e9 $end\n#99")
    recorder.row(0, session.readings, session.commands, session.world)
    path = write_vcd(tmp_path / "session.vcd", recorder, meta(title="x $end $var wire 1 ! y $end"))
    _, values = _read_vcd(path)
    assert "y" not in values
    assert path.read_bytes().isascii()


def test_same_session_gives_same_files(tmp_path):
    for folder in ("a", "b"):
        write_session(tmp_path / folder, record(120)[0], meta(120))
    for name in ("session.csv", "session.vcd", "session.json", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_session_without_rows_is_written_all_the_same(tmp_path):
    paths = write_session(tmp_path, Recorder(NAMES), SessionMeta("nothing"))
    assert [path.name for path in paths] == [
        "session.csv", "session.vcd", "session.json", "report.html",
    ]  # fmt: skip
    assert all(path.stat().st_size for path in paths)


# JSON and meta


def test_json_carries_session_expectations_events_and_columns(session, tmp_path):
    data = json.loads(write_json(tmp_path / "session.json", session, meta()).read_text("utf-8"))
    assert data["outcome"] == "pass"
    assert data["meta"]["seed"] == 7
    assert data["expectations"][1]["measured_ms"] == 18
    assert data["events"][0]["kind"] == "start"
    assert [column["name"] for column in data["columns"]] == [column.name for column in COLUMNS]
    assert "not certified" in data["limits"]


@pytest.mark.parametrize(
    ("outcomes", "outcome", "verdict"),
    [
        ([], "not run", "nothing was expected"),
        (["pass"], "pass", "1 of 1 expectation met"),
        (["pass", "pass"], "pass", "2 of 2 expectations met"),
        (["pass", "not run"], "not run", "1 of 2 expectations met"),
        (["not run", "inconclusive"], "inconclusive", "0 of 2 expectations met"),
        (["inconclusive", "fail", "pass"], "fail", "1 of 3 expectations met"),
    ],
)
def test_verdict_is_never_better_than_its_worst(outcomes, outcome, verdict):
    given = SessionMeta("t", expectations=[Expectation("x", one) for one in outcomes])
    assert (given.outcome, given.verdict) == (outcome, verdict)


def test_unknown_outcome_is_refused():
    with pytest.raises(ValueError, match="unknown outcome"):
        Expectation("x", "maybe")


@pytest.mark.parametrize(
    ("t_us", "digits", "text"),
    [
        (0, 3, "0:00.000"), (59_999_500, 3, "1:00.000"), (59_999_499, 3, "0:59.999"),
        (3_599_900_000, 1, "59:59.9"), (3_600_000_000, 1, "1:00:00.0"), (61_000_000, 0, "1:01"),
    ],
)  # fmt: skip
def test_clock_reads_like_a_clock(t_us, digits, text):
    assert clock(t_us, digits) == text


# Files


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")

    def fail(stream):
        stream.write("half")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_whole(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_file_is_readable_for_others_as_the_umask_says(tmp_path):
    was = os.umask(0o022)
    try:
        path = write_whole(tmp_path / "a" / "b" / "x.txt", lambda stream: stream.write("x"))
    finally:
        os.umask(was)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_unwritable_folder_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        UserError, match=r"session\.csv: cannot be written: .*; choose another"
    ) as caught:
        write_session(tmp_path / "file", Recorder(NAMES), SessionMeta("t"))
    assert caught.value.exit_status == 2


def test_path_that_is_a_folder_is_one_sentence(tmp_path):
    (tmp_path / "x.txt").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        write_whole(tmp_path / "x.txt", lambda stream: stream.write("x"))
    assert [path.name for path in tmp_path.iterdir()] == ["x.txt"]


def test_full_disk_is_one_sentence(tmp_path):
    def full(_stream):
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="No space left on device"):
        write_whole(tmp_path / "x.txt", full)
    assert list(tmp_path.iterdir()) == []
