"""`inletctl can`: what a person gets to see, and one clear sentence where something is missing or wrong."""

import csv
import io
import json
import subprocess
import sys
import threading
import time

import can
import pytest
from click.testing import CliRunner

from inletctl.can import source
from inletctl.can.codec import Sender, is_checksum_right, pack, unpack
from inletctl.can.command import can_group
from inletctl.errors import UserError
from vehicle import e2e


def run(*arguments):
    return CliRunner().invoke(can_group, arguments)


def frames():
    """Return (tick in s, id, bytes): a status, a damaged one, a fault with a name, a page of raw, and one of nobody."""
    native = source.load("native")
    status = Sender(native.message("status"))
    values = {"drive": 2, "plug_present": 1, "s2_closed": 1, "charger_ma": 15900, "session": 2}
    good, bad = status.frame(values), bytearray(status.frame(values))
    bad[3] ^= 1
    return [
        (1.0, 0x0C0, good),
        (1.1, 0x0C0, bytes(bad)),
        (1.2, 0x0D4, bytes(pack(native.message("faults"), {"faults": 1 << 4 | 1}))),
        (
            1.3,
            0x0D5,
            bytes(
                pack(native.message("raw"), {"page": 1, "cp_high_mv": 6010, "cp_low_mv": -11980})
            ),
        ),
        (1.4, 0x7A1, b"\1\2\3"),
        (1.5, 0x358, b"\x01" + bytes(6)),
    ]


def log(path):
    """Write the frames as a log of the kind the name says."""
    with can.Logger(str(path)) as writer:
        for t_s, frame_id, data in frames():
            writer(
                can.Message(
                    timestamp=t_s,
                    arbitration_id=frame_id,
                    data=data,
                    is_extended_id=False,
                    channel=0,
                )
            )
    return path


def test_list_shows_every_message_of_the_dialect_asked_for():
    said = run("list", "--dialect", "native")
    assert said.exit_code == 0
    for message in source.load("native").messages:
        assert "0x%03X %s" % (message.id, message.name) in said.output
    assert "0x358" not in said.output
    assert "0x358" in run("list").output


def test_list_as_json_has_every_signal():
    found = json.loads(run("list", "--json").output)
    assert [d["dialect"] for d in found] == list(source.DIALECTS)
    control = found[0]["messages"][0]
    assert (control["id"], control["protected"]) == (0x0C8, True)
    assert {"name": "limit_ma", "bits": 10, "scale": 100}.items() <= control["signals"][5].items()


@pytest.mark.parametrize("suffix", [".log", ".asc", ".blf", ".csv", ".trc"])
def test_decode_reads_every_kind_of_log(suffix, tmp_path):
    said = run("decode", str(log(tmp_path / ("trip" + suffix))))
    assert said.exit_code == 0, said.output
    lines = said.stdout.splitlines()
    assert (
        "drive=inhibited plug_present=1 s2_closed=1 charger_ma=15900 session=charging" in lines[0]
    )
    assert "NOT TO BE BELIEVED (wrong length or checksum)" in lines[1]
    assert "faults=f_PilotFault+f_S2StuckOpen" in lines[2]
    assert "page=1 cp_ok=0 cp_high_mv=6010 cp_low_mv=-11980" in lines[3]
    assert "NOT TO BE BELIEVED (too short, or out of range)" in lines[4]
    assert said.stderr == "5 frames of ours, 2 of them not to be believed, 1 others\n"


def test_decode_as_csv_has_one_row_a_signal(tmp_path):
    said = run("decode", str(log(tmp_path / "a.log")), "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(said.stdout)))
    session = next(r for r in rows if r["signal"] == "session")
    assert session == {
        "t_s": "1.000000", "dialect": "native", "message": "status", "signal": "session", "value": "2",
        "word": "charging", "unit": "", "wrong": "",
    }  # fmt: skip
    assert rows[-1]["wrong"] == "too short, or out of range" and rows[-1]["signal"] == ""


def test_decode_as_json_has_one_object_a_frame(tmp_path):
    said = run("decode", str(log(tmp_path / "a.log")), "--format", "json", "--dialect", "native")
    found = [json.loads(line) for line in said.stdout.splitlines()]
    assert [one["message"] for one in found] == ["status", "status", "faults", "raw"]
    assert found[0]["values"]["session"] == 2 and found[0]["words"]["session"] == "charging"
    assert found[0]["t_s"] == 1.0 and found[1]["wrong"]


def test_decode_of_a_log_without_our_frames_says_so_and_fails(tmp_path):
    said = run("decode", str(log(tmp_path / "a.log")), "--dialect", "modem")
    assert said.exit_code == 1
    assert said.stderr == "0 frames of ours, 0 of them not to be believed, 6 others\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.log", None, "there is no such file"),
        ("trip.txt", b"(1.0) can0 0D0#00", "no CAN log by its name"),
        ("trip.log", b"hello\n", "not a CAN log of the kind"),
        ("trip.blf", b"LOGG", "not a CAN log of the kind"),
        ("trip.blf", b"x" * 400, "not a CAN log of the kind"),
        ("trip.log", b"", "not a single CAN frame"),
        ("trip.asc", b"hello\n", "not a single CAN frame"),
        ("trip.csv", b"timestamp,arbitration_id\n1,2\n", "not a CAN log of the kind"),
        ("trip.log", b"(1.0) can0 0D0#0011\n(2.0) can0 XYZ#00\n", "damaged behind frame 1"),
    ],
)
def test_decode_says_what_is_wrong_with_a_file(name, content, words, tmp_path):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    said = run("decode", str(path))
    assert isinstance(said.exception, UserError)
    assert words in str(said.exception) and name in str(said.exception)
    assert "\n" not in str(said.exception)


def test_every_cut_of_a_log_is_read_or_named(tmp_path):
    """A recorder whose power was cut: never a traceback."""
    for suffix in (".log", ".asc", ".blf", ".trc", ".csv"):
        whole = log(tmp_path / ("trip" + suffix)).read_bytes()
        cut = tmp_path / ("cut" + suffix)
        for size in range(0, len(whole), max(1, len(whole) // 40)):
            cut.write_bytes(whole[:size])
            said = run("decode", str(cut))
            assert said.exception is None or isinstance(said.exception, UserError | SystemExit), (
                suffix,
                size,
            )


@pytest.mark.parametrize("verb", ["watch", "vehicle"])
def test_missing_interface_is_named(verb):
    said = run(verb, "--interface", "nosuch", "--channel", "can7", "--seconds", "0")
    assert isinstance(said.exception, UserError)
    assert "--interface nosuch --channel can7" in str(said.exception)
    assert said.exception.exit_status == 1


def test_interface_must_be_given():
    assert run("watch").exit_code == 2


def listening(channel, seconds):
    """Return what comes on a virtual bus while the caller runs; a list that fills."""
    heard = []
    bus = can.Bus(interface="virtual", channel=channel)

    def listen():
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            frame = bus.recv(0.02)
            if frame is not None:
                heard.append(frame)
        bus.shutdown()

    thread = threading.Thread(target=listen)
    thread.start()
    return heard, thread


def test_vehicle_sends_believable_frames_and_ends_with_a_stop():
    heard, thread = listening("vehicle", 1.2)
    said = run(
        "vehicle", "--interface", "virtual", "--channel", "vehicle", "--limit", "13.37", "--soc", "42", "--dc", "12.34",
        "--unlock", "--seconds", "0.45",
    )  # fmt: skip
    thread.join()
    assert said.exit_code == 0, said.output
    native = source.load("native")
    control = [bytes(f.data) for f in heard if f.arbitration_id == 0x0C8]
    receiver = e2e.E2EReceiver(0x0C8)
    answers = [receiver.check(bytearray(data), 4) for data in control]
    assert answers[0] == e2e.FIRST and set(answers[1:]) == {e2e.OK} and len(answers) >= 5
    first = unpack(native.message("control"), control[0])
    assert (first["permission"], first["limit_ma"], first["gear"], first["unlock_request"]) == (
        1,
        13300,
        1,
        1,
    )
    last = unpack(native.message("control"), control[-1])
    assert (last["permission"], last["limit_ma"]) == (2, 0)
    battery = next(bytes(f.data) for f in heard if f.arbitration_id == 0x0CB)
    assert unpack(native.message("battery"), battery)["soc_pct"] == 42
    dc = unpack(
        native.message("dc"), next(bytes(f.data) for f in heard if f.arbitration_id == 0x0CA)
    )
    assert (dc["dc_mv"], dc["contactor_plus"], dc["contactor_minus"]) == (12300, 1, 1)
    assert not any(f.is_extended_id for f in heard)


def test_watch_prints_what_comes():
    bus = can.Bus(interface="virtual", channel="watch")
    done = threading.Event()

    def send():
        while not done.is_set():
            for _, frame_id, data in frames():
                bus.send(can.Message(arbitration_id=frame_id, data=data, is_extended_id=False))
            done.wait(0.05)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        said = run(
            "watch",
            "--interface",
            "virtual",
            "--channel",
            "watch",
            "--dialect",
            "native",
            "--seconds",
            "0.4",
        )
    finally:
        done.set()
        thread.join()
        bus.shutdown()
    assert said.exit_code == 0
    assert "session=charging" in said.output and "0x358" not in said.output


# ------------------------------------------------------------------------------------- the codec


def test_pack_refuses_a_wrong_name_and_a_value_out_of_range():
    control = source.load("native").message("control")
    with pytest.raises(UserError, match="no signal limit_a"):
        pack(control, {"limit_a": 16})
    with pytest.raises(UserError, match=r"limit_ma: 80100 is outside 0\.\.80000"):
        pack(control, {"limit_ma": 80100})


def test_unpack_refuses_what_cannot_be_right():
    native = source.load("native")
    raw = native.message("raw")
    assert unpack(raw, bytes(8)) is not None
    assert unpack(raw, b"\x0f" + bytes(7)) is None, "an unknown page"
    assert unpack(raw, bytes(7)) is None, "too short"
    assert unpack(native.message("control"), b"\0\x30\0\0") is None, "out of range"


def test_checksum_is_judged_with_the_length():
    status = source.load("native").message("status")
    good = Sender(status).frame({})
    assert is_checksum_right(status, good)
    assert not is_checksum_right(status, good + b"\0") and not is_checksum_right(status, bytes(6))


def test_command_line_starts_without_loading_can():
    """`inletctl --help` is not slowed down by packages that one verb needs."""
    code = "import sys, inletctl.cli; print([m for m in ('can', 'cantools', 'tomllib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
