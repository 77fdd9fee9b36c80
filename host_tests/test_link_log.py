"""inletctl.link.log, timeline and decode: what a recording keeps, how a damaged one is told, and what it decodes to."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcd.reader import TokenKind, tokenize

from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.link.client import Identity
from inletctl.link.codec import seal
from inletctl.link.decode import decode, header
from inletctl.link.log import Asked, Header, LogWriter, Mark, read_log
from inletctl.link.timeline import timeline

use_firmware()

from vehicle.protocol import READINGS  # noqa: E402

HEADER = Header("bench", "e66", "rp2040", "abc", "2026-11-21T10:00:00+01:00", {"inlet": 1})


def line(number, t_ms, kind="c", **at):
    values = [0] * (16 if kind == "c" else len(READINGS))
    for n, value in at.items():
        values[int(n[1:])] = value
    return seal({"t": t_ms, "n": number, kind: values, "late": 2})[:-1]


def log_of(path, *lines):
    """Write a log: bytes are the board's lines, (text, tick) marks."""
    writer = LogWriter(path, HEADER)
    for one in lines:
        if isinstance(one, bytes):
            writer.line(one)
        else:
            writer.mark(*one)
    writer.close()
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "a.log"


# The file.


def test_what_was_recorded_is_read_back(path):
    writer = LogWriter(path, HEADER)
    writer.line(line(0, 1000) + b"\r\n")
    writer.mark('pulled the "plug" – gently', 1010)
    writer.asked("stop", (), 1020)
    writer.line(seal({"re": 1, "ok": []}))
    writer.line(line(1, 1030, "r"))
    writer.close()
    log = read_log(path)
    assert log.header == HEADER
    assert [type(entry).__name__ for entry in log.entries] == [
        "Telemetry",
        "Mark",
        "Asked",
        "Telemetry",
    ]
    assert log.entries[1:3] == [Mark(1010, 'pulled the "plug" – gently'), Asked(1020, "stop", ())]
    assert log.warning == ""


def test_every_line_is_in_the_file_before_the_next(path):
    writer = LogWriter(path, HEADER)
    writer.line(line(0, 1000))
    assert len(read_log(path).entries) == 1
    writer.close()


def test_only_stored_settings_are_in_the_header():
    made = Header.of(
        Identity("rp2040", "b", "e66", "f"), {"inlet": (1, True), "ac_sense": (1, False)}
    )
    assert made.settings == {"inlet": 1}
    assert Header.of(Identity("c", "b", "e", "f"), {"inlet": (1, False)}).settings is None


def test_a_recording_is_not_overwritten(path):
    log_of(path)
    with pytest.raises(UserError, match="is there already"):
        LogWriter(path, HEADER)


def test_a_log_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        LogWriter(tmp_path / "file" / "a.log", HEADER)


def test_a_cut_last_line_is_told_and_the_rest_is_read(path):
    log_of(path, line(0, 1000), line(1, 1010))
    path.write_bytes(path.read_bytes()[:-20])
    log = read_log(path)
    assert len(log.entries) == 1
    assert "ends in the middle of line 3" in log.warning


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "this is no log"),
        (b"hello\n", "this is no log"),
        (b"[" * 9000 + b"\n", "this is no log"),
        (b'{"openinlet_log":1}\n', "this is no log"),
        (b"\xff\xfe\n", "this is no log"),
    ],
)
def test_a_file_that_is_no_log_is_told(path, text, words):
    path.parent.mkdir()
    path.write_bytes(text)
    with pytest.raises(UserError, match=words):
        read_log(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"openinlet_log":1', b'"openinlet_log":2', "a log of version 2"),
        (b'{"inlet":1}', b'{"inlet":"type2"}', "no table of whole numbers"),
        (b'"board":"bench"', b'"board":7', "is no text"),
        (b'"t":1000', b'"t":1001', r"a\.log:2: .*check sum is wrong"),
        (b'"mark"', b'"merk"', r"a\.log:3: neither a line"),
        (b'"t_ms":1005', b'"t_ms":-5', r"a\.log:3: .*wrong time"),
        (b'"t_ms":1005', b'"t_ms":"x"', r"a\.log:3: .*wrong time"),
    ],
)
def test_a_damaged_log_is_told_with_its_line(path, old, new, words):
    log_of(path, line(0, 1000), ("here", 1005))
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(UserError, match=words):
        read_log(path)


def test_a_log_that_is_not_there_is_told(path):
    with pytest.raises(UserError, match="cannot be read"):
        read_log(path)


@given(st.binary(max_size=200))
def test_no_bytes_in_a_log_do_more_than_be_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "bytes.log"
    path.unlink(missing_ok=True)
    log_of(path, line(0, 1000))
    with open(path, "ab") as stream:
        stream.write(data)
    try:
        read_log(path)
    except UserError as error:
        assert "\n" not in str(error)


# Time.


def test_ticks_that_wrap_go_on(path):
    log_of(path, line(0, 0x3FFFFFFF), line(1, 9), line(2, 19))
    assert [moment.t_us for moment in timeline(read_log(path))] == [0, 10_000, 20_000]


def test_a_line_that_was_overtaken_is_put_in_its_place(path):
    log_of(path, line(0, 1000), line(3, 1100, "r"), line(1, 1050), line(2, 1060), ("now", 1100))
    moments = timeline(read_log(path))
    assert [moment.t_us for moment in moments] == [0, 50_000, 60_000, 100_000, 100_000]
    assert {moment.boot for moment in moments} == {0}


@pytest.mark.parametrize("count", [3, 60])
def test_a_restart_begins_another_boot(path, count):
    before = [line(n, 1000 + 100 * n) for n in range(count)]
    log_of(path, *before, line(0, 50), line(1, 1050))
    moments = timeline(read_log(path))
    assert [moment.boot for moment in moments] == [0] * count + [1, 1]
    assert moments[-2].t_us >= moments[-3].t_us
    assert moments[-1].t_us - moments[-2].t_us == 1_000_000


# CSV and VCD.


def decoded(path, tmp_path):
    paths = decode(read_log(path), tmp_path / "out")
    with open(paths[0], newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream)), paths[1].read_bytes()


def test_the_table_has_a_row_a_line_with_words_for_numbers(path, tmp_path):
    log_of(
        path,
        line(0, 1000, v5=2, v6=4, v12=0, v1=16000, v14=-55),
        line(
            1, 1020, "r", **{"v%d" % READINGS.index("pp_mv"): 1870, "v%d" % (len(READINGS) - 1): 2}
        ),
        ("=1+1", 1030),
    )
    rows, _ = decoded(path, tmp_path)
    assert [row["kind"] for row in rows] == ["commands", "readings", "event"]
    assert [row["time_s"] for row in rows] == ["0.000", "0.020", "0.030"]
    assert (rows[0]["session"], rows[0]["pilot_state"]) == ("charging", "C2")
    assert (rows[0]["reasons"], rows[0]["charger_command_ma"]) == ("none", "16000")
    assert (rows[0]["hottest_decic"], rows[0]["pp_mv"], rows[0]["late_passes"]) == ("-55", "", "2")
    assert (rows[1]["pp_mv"], rows[1]["pp_ok"], rows[1]["cp_ok"]) == ("1870", "1", "0")
    assert rows[1]["session"] == ""
    assert rows[2]["event"] == "'=1+1"


def test_no_column_of_the_table_is_there_twice():
    assert len(set(header())) == len(header())


def test_the_waveforms_are_read_by_a_vcd_reader(path, tmp_path):
    log_of(
        path, line(0, 1000, v0=1), line(1, 1020, "r", v6=1870), line(2, 1040), ("$end here", 1050)
    )
    _, vcd = decoded(path, tmp_path)
    names, times, changes = {}, [], []
    for token in tokenize(io.BytesIO(vcd)):
        if token.kind is TokenKind.VAR:
            names[token.var.id_code] = token.var.reference
        elif token.kind is TokenKind.CHANGE_TIME:
            times.append(token.time_change)
        elif (
            token.kind is TokenKind.CHANGE_SCALAR
            and names[token.scalar_change.id_code] == "s2_close"
        ):
            changes.append((times[-1] if times else 0, token.scalar_change.value))
    assert times[-1] == 50
    assert changes[-2:] == [(0, "1"), (40, "0")]
    assert b"1870" in vcd
