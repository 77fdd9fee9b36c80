"""The flash, against a board made of a dictionary: what is copied, what is refused, and every way it can break."""

import hashlib

import pytest
from click.testing import CliRunner
from flash_fakes import FakeBoard, FakeClock, FakeLink

from drivers.virtual_layout import COMMANDS
from faults import F_INTERNAL, F_TEMP_OPEN
from inletctl.errors import UserError
from inletctl.flash import command
from inletctl.flash.board import PIECE
from inletctl.flash.compile import Image
from inletctl.flash.install import UNTOUCHED, install
from inletctl.flash.transport import LinkLost
from inletctl.link.codec import seal
from interlock import SESSION_NAMES

FILES = {
    "boot.py": b"new boot",
    "main.py": b"new main",
    "board.json": b'{"name": "rp2040-reference"}',
    "version.txt": b"openinlet 1+new\n",
    "drivers/__init__.mpy": b"M\x06\0",
    "drivers/safe_pins.mpy": b"M\x06same",
    "drivers/pending.mpy": b"M\x06new",
    "step.mpy": b"M\x06" + bytes(range(256)) * 20,
    "room/__init__.mpy": b"M\x06\0",
}
ARMV6M = 0x13  # architecture 4, sub-version 3
IMAGE = Image("rp2040-reference", "rp2040", "1+new", FILES, 6, ARMV6M)
# Not firmware: never touched.
MINE = {
    "settings.bin": b"settings",
    "journal/0.bin": b"journal",
    "notes.txt": b"mine",
    "lib/theirs.py": b"theirs",
}
OLD_FIRMWARE = {
    "boot.py": b"old boot",
    "main.py": b"old main",
    "board.json": b"{}",
    "version.txt": b"openinlet 0+old\n",
    "drivers/__init__.mpy": b"M\x06\0",
    "drivers/safe_pins.mpy": b"M\x06same",
    "drivers/pending.mpy": b"M\x06old",
    "step.py": b"old step, as text: it would hide step.mpy",
    "gone/__init__.mpy": b"",
}
OLD = {**OLD_FIRMWARE, **MINE}
NEW = {**FILES, **MINE}
CHANGED = 7  # of the files in FILES


def report_line(number=0, t_ms=5, **commands):
    values = [int(commands.get(name, 0)) for name in COMMANDS]
    return seal({"t": t_ms, "n": number, "c": values, "late": 0})


HEALTHY = report_line(faults=F_TEMP_OPEN)


class Bench:
    """A board, its clock and a flash that is watched."""

    def __init__(self, files=(), **options):
        self.board = FakeBoard(files, **options)
        self.board.says_after = HEALTHY
        self.clock = FakeClock()
        self.stages = []
        self.opened = 0
        self.fails_to_open = 0
        self.links = []

    def open_link(self):
        self.opened += 1
        if self.opened > 1 and self.fails_to_open:
            self.fails_to_open -= 1
            raise UserError("There is no port fake.")
        self.links.append(FakeLink(self.board, self.clock))
        return self.links[-1]

    def tell(self, stage, done, total):
        self.stages.append((stage, done, total))

    def flash(self, image=IMAGE):
        return install(self.open_link, image, self.tell, self.clock, self.clock.sleep)

    def refuses(self, status=1, image=IMAGE):
        """Flash, which must fail; return the one sentence."""
        with pytest.raises(UserError) as caught:
            self.flash(image)
        assert caught.value.exit_status == status
        sentence = str(caught.value)
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert "Traceback" not in sentence
        return sentence


def whole_after_boot(board):
    """Boot again and return the files: nothing may be left over."""
    board.power_on()
    assert "flash.new" not in board.folders
    assert not any(path.startswith("flash.") for path in board.files)
    return board.files


# ------------------------------------------------------------------------------------ the good way


def test_an_empty_board_gets_everything():
    bench = Bench()
    done = bench.flash()
    assert bench.board.files == FILES
    assert (len(done.plan.copy), done.plan.kept, done.plan.delete) == (len(FILES), 0, [])
    assert done.before == ""
    assert bench.board.resets == 1


def test_only_what_changed_is_copied_and_the_rest_of_the_board_is_left_alone():
    bench = Bench(OLD)
    done = bench.flash()
    assert bench.board.files == NEW
    assert len(done.plan.copy) == CHANGED
    assert done.plan.kept == len(FILES) - CHANGED
    assert done.plan.delete == ["gone/__init__.mpy", "step.py"]
    assert done.before == "openinlet 0+old"
    assert "gone" not in bench.board.folders


def test_nothing_is_written_on_a_board_that_holds_it_all():
    bench = Bench(NEW)
    done = bench.flash()
    assert done.plan.is_empty
    assert (bench.board.writes, bench.board.renames) == (0, 0)
    assert bench.board.resets == 1


def test_what_boot_needs_goes_in_place_first_and_main_last():
    bench = Bench()
    order = bench.flash().plan.copy
    assert order[:4] == [
        "drivers/__init__.mpy",
        "drivers/safe_pins.mpy",
        "drivers/pending.mpy",
        "boot.py",
    ]
    assert order[-2:] == ["main.py", "version.txt"]


def test_progress_counts_every_byte_once():
    bench = Bench()
    bench.flash()
    copied = [(done, total) for stage, done, total in bench.stages if stage == "copying"]
    assert copied[-1] == (IMAGE.size, IMAGE.size)
    assert [done for done, _ in copied] == sorted({done for done, _ in copied})
    assert len(FILES["step.mpy"]) > 3 * PIECE


def test_a_flash_that_was_cut_after_its_commit_is_finished_first():
    bench = Bench(OLD)
    bench.flash()
    for cut in range(bench.board.operations):
        again = Bench(OLD)
        again.board.cut_at = cut
        with pytest.raises(UserError):
            again.flash()
        is_committed = "flash.todo" in again.board.files
        again.board.cut_at, again.board.is_dead = None, False
        again.board.restart()
        done = again.flash()
        assert again.board.files == NEW
        assert bool(done.finished) == is_committed
        if is_committed:
            assert done.plan.is_empty
            break
    else:
        pytest.fail("no cut fell between the commit and its end")


# --------------------------------------------------------------------------- broken at every place


def outcomes_of_cuts(files, old, new, is_torn, step=1):
    """Cut the power before each operation of a flash; return whether the new firmware was there, by cut."""
    whole = Bench(files, is_torn=is_torn)
    whole.flash()
    operations = whole.board.operations
    found = []
    for cut in range(0, operations, step):
        bench = Bench(files, is_torn=is_torn)
        bench.board.cut_at = cut
        bench.refuses()
        after = whole_after_boot(bench.board)
        assert after in (old, new), cut
        found.append(after == new)
    assert operations > 150
    return found


@pytest.mark.parametrize("is_torn", [False, True])
def test_a_board_disconnected_at_any_operation_holds_the_old_or_the_new_firmware(is_torn):
    found = outcomes_of_cuts(OLD, OLD, NEW, is_torn)
    assert True in found
    assert False in found
    assert found == sorted(found), "once committed it stays so"


def test_an_empty_board_disconnected_at_any_operation_has_no_main_before_it_has_everything():
    """It may hold modules that nothing runs; the next flash, or boot.py once it is there, finishes."""
    whole = Bench()
    whole.flash()
    for cut in range(whole.board.operations):
        bench = Bench()
        bench.board.cut_at = cut
        bench.refuses()
        bench.board.power_on()
        assert bench.board.files == FILES or "main.py" not in bench.board.files, cut
        assert "boot.py" not in bench.board.files or bench.board.files == FILES
        bench.board.restart()
        bench.flash()
        assert bench.board.files == FILES


def test_a_second_cut_while_boot_finishes_changes_nothing():
    bench = Bench(OLD)
    bench.flash()
    committed = 0
    for cut in range(bench.board.operations):
        first = Bench(OLD)
        first.board.cut_at = cut
        first.refuses()
        if "flash.todo" not in first.board.files:
            continue
        committed += 1
        files, folders = dict(first.board.files), set(first.board.folders)
        for second in range(0, 60, 7):
            board = FakeBoard(files)
            board.folders = set(folders)
            board.cut_at = second
            try:
                board.boot()
            except BaseException as error:  # PowerCut
                assert type(error).__name__ == "PowerCut"
            assert whole_after_boot(board) == NEW
    assert committed > 20


def test_a_cut_is_told_in_one_sentence_that_says_what_the_board_holds():
    whole = Bench(OLD)
    whole.flash()
    told = []
    for cut in range(0, whole.board.operations, 5):
        bench = Bench(OLD)
        bench.board.cut_at = cut
        sentence = bench.refuses()
        untouched = UNTOUCHED in sentence or "nothing of this flash" in sentence
        assert not untouched or whole_after_boot(bench.board) == OLD
        if sentence not in told:
            told.append(sentence)
    assert [sentence.split(":")[0] for sentence in told[:2]] == [
        "The board went away before anything was copied",
        "The board was disconnected while files were copied",
    ]
    assert any("is committed" in sentence for sentence in told)


def test_the_host_is_stopped_midway_and_the_old_firmware_runs_again():
    bench = Bench(OLD)

    def tell(stage, done, _total):
        if stage == "copying" and done > 3000:
            raise KeyboardInterrupt

    bench.tell = tell
    with pytest.raises(KeyboardInterrupt):
        bench.flash()
    assert bench.board.resets == 1
    assert whole_after_boot(bench.board) == OLD


# ------------------------------------------------------------------------------------------- full


def test_a_full_board_is_refused_before_anything_is_copied():
    bench = Bench(OLD, blocks=32)
    sentence = bench.refuses()
    assert "The board is full: the new files need " in sentence
    assert "bytes, " in sentence
    assert UNTOUCHED in sentence
    assert bench.board.writes == 0
    assert whole_after_boot(bench.board) == OLD
    assert bench.board.resets == 1


@pytest.mark.parametrize("write", range(11))
def test_a_board_that_fills_up_midway_keeps_the_old_firmware(write):
    bench = Bench(OLD)
    bench.board.full_after = write
    sentence = bench.refuses()
    assert "The board is full: its 1351680 free bytes were used up midway" in sentence
    assert UNTOUCHED in sentence
    assert whole_after_boot(bench.board) == OLD


def test_what_an_earlier_upload_left_is_cleared_before_room_is_counted():
    bench = Bench(OLD, blocks=64)
    bench.board.folders.add("flash.new")
    bench.board.files["flash.new/junk.mpy"] = bytes(4096 * 30)
    bench.flash()
    assert bench.board.files == NEW


def test_the_room_asked_for_is_enough():
    """A board with just that many blocks takes it: old and new files lie side by side until the commit."""
    needed = Bench(OLD)
    needed.flash()
    for blocks in range(20, 80):
        bench = Bench(OLD, blocks=blocks)
        try:
            bench.flash()
        except UserError as error:
            assert "The board is full" in str(error)
            assert bench.board.writes == 0
            continue
        assert bench.board.files == NEW
        break
    assert 20 < blocks < 79


# -------------------------------------------------------------------------------------- corrupted


def test_a_file_corrupted_once_is_written_again():
    bench = Bench(OLD)
    bench.board.corrupt["flash.new/step.mpy"] = 1
    bench.flash()
    assert bench.board.files == NEW


def test_a_file_corrupted_twice_stops_before_the_commit():
    bench = Bench(OLD)
    bench.board.corrupt["flash.new/step.mpy"] = 2
    sentence = bench.refuses()
    assert sentence.startswith("step.mpy is corrupted on the board after copying it twice")
    assert UNTOUCHED in sentence
    assert bench.board.renames == 0
    assert whole_after_boot(bench.board) == OLD


def test_a_file_that_changes_after_it_was_verified_is_told():
    bench = Bench(OLD)

    def tell(stage, _done, _total):
        if stage == "putting it in place":
            bench.board.files["flash.new/step.mpy"] = b"rotten"

    bench.tell = tell
    assert bench.refuses().startswith("step.mpy on the board is not what was copied")


# ------------------------------------------------------------------------------- refused for cause


@pytest.mark.parametrize("session", ["charging", "stopping"])
def test_a_charging_board_is_not_even_interrupted(session):
    bench = Bench(OLD)
    bench.board.says = report_line(session=SESSION_NAMES.index(session))
    sentence = bench.refuses()
    assert "The board is %s" % session in sentence
    assert not bench.links[0].is_raw
    assert bench.board.resets == 0
    assert bench.board.operations == 0


def test_a_closed_s2_counts_as_charging_whatever_the_session_says():
    bench = Bench(OLD)
    bench.board.says = report_line(session=0, s2_close=1)
    assert "end the charging session" in bench.refuses()


def test_the_newest_report_counts_not_an_old_one():
    charging = report_line(0, session=2, s2_close=1)
    bench = Bench(OLD)
    bench.board.says = charging + report_line(9, session=0)
    bench.flash()
    assert bench.board.files == NEW
    bench = Bench(OLD)
    bench.board.says = report_line(0, session=0) + charging
    bench.refuses()


def test_a_damaged_report_is_not_believed():
    bench = Bench(OLD)
    bench.board.says = report_line(session=2).replace(b'"t":5', b'"t":6') + b"\xff{not a line\n"
    bench.flash()
    assert bench.board.files == NEW


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"implementation": ("micropython", (1, 27, 0))},
            "MicroPython 1.27: install 1.28 or later",
        ),
        ({"implementation": ("micropython", (1, 9, 4))}, "MicroPython 1.9: install 1.28 or later"),
        ({"implementation": ("circuitpython", (9, 2, 0))}, "runs circuitpython, not MicroPython"),
        ({"mpy": 5}, "loads .mpy files of version 5, these are version 6"),
        ({"mpy": 0}, "loads .mpy files of version 0"),
        ({"mpy": 6}, "loads machine code of kind 0x00, these files hold kind 0x13"),
        ({"mpy": 0x1206}, "loads machine code of kind 0x12"),
        ({"machine": "Raspberry Pi Pico 2 with RP2350"}, "for a chip rp2040, but the board is"),
        (
            {"platform": "esp32", "machine": "Generic ESP32 module with ESP32"},
            "for a chip rp2040, but the board is",
        ),
    ],
)
def test_a_board_that_does_not_fit_is_left_untouched(change, words):
    bench = Bench(OLD)
    for name, value in change.items():
        setattr(bench.board, name, value)
    bench.board.restart()
    sentence = bench.refuses(status=2)
    assert words in sentence
    assert UNTOUCHED in sentence
    assert bench.board.files == OLD
    assert bench.board.resets == 1


@pytest.mark.parametrize("version", [(1, 28, 0), (1, 30, 1), (2, 0, 0)])
def test_a_later_micropython_is_taken(version):
    bench = Bench(OLD)
    bench.board.implementation = ("micropython", version)
    bench.board.restart()
    bench.flash()
    assert bench.board.files == NEW


@pytest.mark.parametrize(
    "machine", ["Generic ESP32 module with ESP32", "X with SPIRAM with ESP32"]
)
def test_an_esp32_takes_an_image_for_the_esp32(machine):
    bench = Bench()
    bench.board.platform, bench.board.machine = "esp32", machine
    bench.board.restart()
    bench.flash(Image("esp32-devkitc", "esp32", "1+new", FILES, 6, 0))
    assert bench.board.files == FILES


def test_an_esp32_s3_is_no_esp32():
    bench = Bench()
    bench.board.platform, bench.board.machine = "esp32", "Generic ESP32S3 module with ESP32S3"
    bench.board.restart()
    image = Image("esp32-devkitc", "esp32", "1+new", FILES, 6, 0)
    assert "but the board is 'Generic ESP32S3" in bench.refuses(2, image)


def test_a_port_without_micropython_is_told():
    bench = Bench()
    bench.board.implementation = None
    assert bench.refuses(2) == "No MicroPython answers on fake."


def test_a_board_whose_file_system_cannot_be_read_is_told():
    bench = Bench(OLD)

    def ilistdir(_path):
        raise OSError(19, "ENODEV")

    bench.board.space["__builtins__"]["__import__"]("os").ilistdir = ilistdir
    assert "The board cannot be read (OSError: [Errno 19] ENODEV)" in bench.refuses()


# ---------------------------------------------------------------------------------- after the reset


def test_the_port_may_take_some_seconds_to_come_back():
    bench = Bench(OLD)
    bench.fails_to_open = 20
    bench.flash()
    assert bench.opened == 22


def test_a_port_that_stays_away_is_told():
    bench = Bench(OLD)
    bench.fails_to_open = 1000
    assert "its port did not come back in 10 s" in bench.refuses()
    assert bench.clock.now_s < 20


def test_a_port_that_opens_just_before_it_goes_is_opened_again():
    bench = Bench(OLD)
    real = FakeLink.read

    class Vanishing(FakeLink):
        def read(self, timeout_s):
            if len(bench.links) == 2:
                raise LinkLost("gone")
            return real(self, timeout_s)

    def open_link():
        bench.opened += 1
        bench.links.append(Vanishing(bench.board, bench.clock))
        return bench.links[-1]

    bench.open_link = open_link
    bench.flash()
    assert bench.opened == 3


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (b"", "the board says nothing"),
        (
            b"board.json: pins.s2: no such GPIO\r\n",
            "the board says: board.json: pins.s2: no such GPIO",
        ),
        (report_line(faults=F_INTERNAL), "the board reports Internal"),
    ],
)
def test_a_board_without_a_healthy_report_is_told_with_its_own_words(says, words):
    bench = Bench(OLD)
    bench.board.says_after = says
    sentence = bench.refuses()
    assert sentence.startswith("The new firmware is on the board and verified, but in 15 s")
    assert words in sentence


def test_a_report_that_arrives_in_pieces_among_noise_is_heard():
    bench = Bench(OLD)
    line = b"boot: hello\r\n\xffhalf" + report_line(3, light=1)

    class Slow(FakeLink):
        def read(self, timeout_s):
            self._live()
            self.clock.sleep(timeout_s)
            data, self.board.says = self.board.says[:3], self.board.says[3:]
            return data

    bench.board.says_after = line

    def open_link():
        bench.links.append(Slow(bench.board, bench.clock))
        return bench.links[-1]

    bench.open_link = open_link
    done = bench.flash()
    assert (done.report.number, done.report.commands["light"]) == (3, 1)


# ------------------------------------------------------------------------------------- the command


def run_command(monkeypatch, bench, *words):
    monkeypatch.setattr(command, "build", lambda board, firmware: IMAGE)
    monkeypatch.setattr(command, "open_link", lambda port: bench.open_link())
    monkeypatch.setattr(
        command,
        "install",
        lambda opener, image, tell: install(opener, image, tell, bench.clock, bench.clock.sleep),
    )
    return CliRunner().invoke(command.flash, words, catch_exceptions=True)


def test_the_command_says_version_size_and_what_it_did(monkeypatch):
    result = run_command(monkeypatch, Bench(OLD), "--port", "fake")
    assert result.exit_code == 0, result.output
    assert "copied 7 files" in result.output
    assert "deleted gone/__init__.mpy, step.py" in result.output
    assert (
        "openinlet 1+new for rp2040-reference runs: 9 files, %d bytes" % IMAGE.size
        in result.output
    )
    assert "session unplugged, faults TempOpen" in result.output


def test_the_command_says_when_there_was_nothing_to_do(monkeypatch):
    result = run_command(monkeypatch, Bench(NEW), "--port", "fake")
    assert "the board already held this firmware" in result.output


def test_the_command_hands_its_sentence_on(monkeypatch):
    bench = Bench(OLD)
    bench.board.says = report_line(session=2)
    result = run_command(monkeypatch, bench, "--port", "fake")
    assert isinstance(result.exception, UserError)


def test_hashes_are_those_of_the_standard():
    bench = Bench(OLD)
    link = bench.open_link()
    link.stop_firmware()
    from inletctl.flash.board import BoardSide

    side = BoardSide(link)
    side.load_helpers()
    assert side.hashes() == {
        path: hashlib.sha256(data).hexdigest() for path, data in OLD_FIRMWARE.items()
    }
