"""What goes to the board: compiled the same way each time, for its chip only, with its board file and version."""

import re
from contextlib import suppress
from io import BytesIO

import pytest
from built_image import built

from drivers.finder import Finder
from inletctl.errors import UserError
from inletctl.flash.compile import BOARD_COLUMNS, build, without_words
from inletctl.flash.foreign import foreign_names
from inletctl.flash.lend import SELDOM, rom_names
from inletctl.flash.pack import pack, read_packed
from inletctl.flash.plan import make_plan
from inletctl.house import FIRMWARE, firmware_files
from thermal.convert import MADE_KEYS, ntc_keys

REFERENCE = "rp2040-reference"
ARMV6M = 0x13  # architecture 4, sub-version 3


@pytest.fixture(scope="module")
def image():
    return built(REFERENCE)


def modules_of(image):
    """Return every module on the board, path -> bytecode: packed ones as the board's own finder finds them."""
    found = {path: data for path, data in image.files.items() if path.endswith(".mpy")}
    packed = Finder(BytesIO(image.files["modules.bin"]))
    for path in [*(p.relative_to(FIRMWARE).as_posix() for p in firmware_files()), "inlet.py"]:
        with suppress(OSError):
            found[path[:-3] + ".mpy"] = packed.open("/" + path[:-3] + ".mpy", "rb").read()
    return found


@pytest.fixture(scope="module")
def modules(image):
    return modules_of(image)


def test_every_module_is_bytecode_but_the_two_that_micropython_runs_by_name(image, modules):
    texts = sorted(path for path in image.files if path.endswith(".py"))
    assert texts == ["boot.py", "main.py"]
    assert image.files["boot.py"] == (FIRMWARE / "boot.py").read_bytes()
    assert {"step.mpy", "vehicle/console.mpy", "drivers/rp2040_board.mpy"} <= set(modules)
    for data in modules.values():
        assert data[0:1] == b"M"
        assert data[1] == image.bytecode == 6
    machine_code = {path for path, data in modules.items() if data[2]}
    assert machine_code == {"drivers/rp2040_fast.mpy"}, "all else fits every chip"
    assert modules["drivers/rp2040_fast.mpy"][2] == image.machine_code == ARMV6M


def test_what_boot_needs_lies_by_itself_and_all_else_is_packed(image, modules):
    loose = {path for path in image.files if path.endswith(".mpy")}
    imported = re.findall(r"from (drivers\.\w+) import", image.files["boot.py"].decode())
    assert loose == {name.replace(".", "/") + ".mpy" for name in imported}
    assert len(read_packed(image.files["modules.bin"])) == len(modules) - len(loose)


def test_two_names_that_look_alike_to_the_board_are_told():
    # A module that has the name of what import asks for before it asks for another one.
    with pytest.raises(ValueError, match="the same check sum"):
        pack({"a.mpy": b"1", "a": b"2"})


def test_the_sensor_that_settings_begin_with_needs_no_computing_on_the_board(modules):
    keys = ntc_keys(10000, 3435)
    assert keys.tobytes() in modules["thermal/convert.mpy"]
    assert not MADE_KEYS, "the host computes: that is what the board's table is held against"


def test_main_is_bytecode_too_and_one_line_starts_it(image, modules):
    assert image.files["main.py"].endswith(b"from inlet import start\n\nstart()\n")
    assert image.files["main.py"].startswith(b"from micropython import kbd_intr\n\nkbd_intr(-1)\n")
    assert b"drivers do not start" in modules["drivers/opening.mpy"] and "main.mpy" not in modules


def _parts(value):
    return value if isinstance(value, tuple) else ()


def test_words_for_people_stay_on_the_host_and_the_rest_of_each_row_is_there(image):
    for words in (
        b"connector not inserted",
        b"J1772 S3: 100 ms",
        b"S2 closed, but the pilot",
        b"never detected by itself",
        b"charging not allowed",
        b"designer's choice",
    ):
        assert not any(words in data for data in image.files.values())
    for module, tables in BOARD_COLUMNS.items():
        source = (FIRMWARE / module).read_text(encoding="utf-8")
        whole, cut = {"__name__": "whole"}, {"__name__": "cut"}
        exec(source, whole)
        exec(without_words(source, tables), cut)
        for name in {key for key in whole if key.isupper()} - set(tables):
            # A table of the tables has them as they are.
            if not {id(whole[table]) for table in tables} & {id(x) for x in _parts(whole[name])}:
                assert cut[name] == whole[name]
        for table, columns in tables.items():
            assert cut[table] == tuple(row[:columns] for row in whole[table])
            assert all(isinstance(value, str) for row in whole[table] for value in row[columns:])


def test_no_module_of_the_board_reads_a_column_that_is_not_there():
    names = ("ROW_WHAT", "ROW_CLAUSE", "FAULT_WHAT", "ROW_HELP")
    for path in firmware_files():
        if path.name not in BOARD_COLUMNS:
            text = path.read_text(encoding="utf-8")
            assert not [name for name in names if name in text], path


def test_a_table_that_is_gone_is_told():
    with pytest.raises(ValueError, match="no table TABLE"):
        without_words("x = 1\n", {"TABLE": 3})


def test_what_is_for_the_host_or_another_chip_stays_away(modules):
    assert not any("virtual" in path or "esp32_" in path for path in modules)
    other = build("esp32-devkitc")
    assert other.chip == "esp32"
    paths = modules_of(other)
    assert not any("virtual" in path or "rp2040_" in path for path in paths)
    assert any("esp32_" in path for path in paths)


def test_the_board_file_and_the_version_are_there(image):
    board = (FIRMWARE / "boards" / (REFERENCE + ".json")).read_bytes()
    assert image.files["board.json"] == board
    assert image.files["version.txt"] == b"openinlet %s\n" % image.version.encode()
    assert (image.board, image.chip) == (REFERENCE, "rp2040")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """The image of the same sources in another folder, for a board file of one's own that says what the shipped one says."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for path in FIRMWARE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            target = folder / "firmware" / path.relative_to(FIRMWARE)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    own = folder / "own.json"
    own.write_bytes((FIRMWARE / "boards" / (REFERENCE + ".json")).read_bytes())
    return build(str(own), folder / "firmware")


def test_the_same_sources_give_the_same_bytes_wherever_they_are(image, elsewhere):
    assert {**elsewhere.files, "version.txt": b""} == {**image.files, "version.txt": b""}


def test_no_path_holds_what_the_staging_folder_uses(image):
    """Waiting files stand under their path with "+" for "/"."""
    assert not any("+" in path for path in image.files)


@pytest.mark.parametrize("name", ["rp2040", "", "../secret", "nothing.json"])
def test_an_unknown_board_is_told_with_those_there_are(name):
    with pytest.raises(UserError, match="choose one of esp32-devkitc, rp2040-reference") as caught:
        build(name)
    assert caught.value.exit_status == 2


def test_a_board_file_of_ones_own_is_taken_and_a_bad_one_refused_here(elsewhere, tmp_path):
    shipped = FIRMWARE / "boards" / (REFERENCE + ".json")
    assert elsewhere.files["board.json"] == shipped.read_bytes()
    own = tmp_path / "own.json"
    own.write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="is not good: "):
        build(str(own))
    own.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="is not text"):
        build(str(own))


def test_a_module_that_does_not_compile_is_named(tmp_path):
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "rp2040-reference.json").write_bytes(
        (FIRMWARE / "boards" / "rp2040-reference.json").read_bytes()
    )
    (tmp_path / "broken.py").write_text("def f(:\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"firmware/broken\.py does not compile: SyntaxError"):
        build(REFERENCE, tmp_path)


def test_what_nothing_mentions_stays_away_whatever_it_calls_itself(tmp_path):
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "rp2040-reference.json").write_bytes(
        (FIRMWARE / "boards" / "rp2040-reference.json").read_bytes()
    )
    (tmp_path / "drivers").mkdir()
    (tmp_path / "boot.py").write_text("", encoding="utf-8")
    (tmp_path / "main.py").write_text(
        "from drivers.finder import TEXT\n\n\ndef start():\n    print(TEXT)\n", encoding="utf-8"
    )
    part = "class Part:\n    def go(self):\n        self._it()\n\n    def _it(self):\n        print('seldom')\n"
    (tmp_path / "drivers" / "finder.py").write_text(
        "TEXT = 'often'\n\n\n" + part, encoding="utf-8"
    )
    made = build(REFERENCE, tmp_path).files["drivers/finder.mpy"]
    assert b"often" in made and b"seldom" not in made


def test_the_twin_of_a_wanted_module_is_deleted_and_data_is_not_looked_at():
    wanted = {"step.mpy": b"1", "board.json": b"2"}
    plan = make_plan(
        wanted,
        {"step.mpy": "a", "board.json": "b"},
        {"step.py": "c", "board.json": "b", "boot.mpy": "d"},
    )
    assert plan.copy == ["step.mpy"]
    assert plan.delete == ["boot.mpy", "step.py"]
    assert (plan.kept, plan.size) == (1, 1)


def names_in(mpy):
    """Yield the names of an .mpy file that are not among those every MicroPython has (tools/mpy-tool.py's format, version 6)."""

    def number(at):
        value = 0
        while True:
            byte = mpy[at]
            at += 1
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                return value, at

    count, at = number(4)
    _objects, at = number(at)
    for _ in range(count):
        size, at = number(at)
        if not size & 1:
            yield mpy[at : at + (size >> 1)].decode()
            at += (size >> 1) + 1


def test_what_a_board_on_native_can_names_fits_the_tables_it_has_bought(modules):
    """MicroPython's tables of names hold 620; the next one holds 640 more and takes 4.5 KB.

    An emulated Pico that had loaded all it can had 602, of which 382 are counted here: the others are boot's, the board
    file's and MicroPython's own.
    """
    seldom = (*SELDOM, "vehicle/modem", "vehicle/can_modem", "vehicle/door", "vehicle/heater", "drivers/ws2812",
              "drivers/rp2040_strip", "drivers/finder")  # fmt: skip
    known = set(rom_names()) | foreign_names()
    costly = {
        name
        for path, mpy in modules.items()
        if not path.startswith(seldom)
        for name in names_in(mpy)
        if name not in known
    }
    print(len(costly))
    assert 300 < len(costly) <= 395
