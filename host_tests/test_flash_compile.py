"""What goes to the board: compiled the same way each time, for its chip only, with its board file and version."""

import pytest

from inletctl.errors import UserError
from inletctl.flash.compile import BOARD_COLUMNS, build, without_words
from inletctl.flash.plan import make_plan
from inletctl.house import FIRMWARE, firmware_files

REFERENCE = "rp2040-reference"


@pytest.fixture(scope="module")
def image():
    return build(REFERENCE)


def test_every_module_is_bytecode_but_the_two_that_micropython_runs_by_name(image):
    texts = sorted(path for path in image.files if path.endswith(".py"))
    assert texts == ["boot.py", "main.py"]
    assert image.files["boot.py"] == (FIRMWARE / "boot.py").read_bytes()
    assert {"step.mpy", "vehicle/console.mpy", "drivers/pending.mpy"} <= set(image.files)
    for path, data in image.files.items():
        if path.endswith(".mpy"):
            assert data[0:1] == b"M"
            assert data[1] == image.bytecode == 6
            assert data[2] >> 2 == 0, "no architecture: bytecode only"


def test_main_is_bytecode_too_and_one_line_starts_it(image):
    assert image.files["main.py"].endswith(b"from inlet import start\n\nstart()\n")
    assert image.files["main.py"].startswith(b"from micropython import kbd_intr\n\nkbd_intr(-1)\n")
    assert b"drivers do not start" in image.files["inlet.mpy"] and "main.mpy" not in image.files


def test_words_for_people_stay_on_the_host_and_the_rest_of_each_row_is_there(image):
    for words in (
        b"connector not inserted",
        b"J1772 S3: 100 ms",
        b"S2 closed, but the pilot",
        b"never detected by itself",
    ):
        assert not any(words in data for data in image.files.values())
    for module, tables in BOARD_COLUMNS.items():
        source = (FIRMWARE / module).read_text(encoding="utf-8")
        whole, cut = {"__name__": "whole"}, {"__name__": "cut"}
        exec(source, whole)
        exec(without_words(source, tables), cut)
        for name in {key for key in whole if key.isupper()} - set(tables):
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


def test_what_is_for_the_host_or_another_chip_stays_away(image):
    assert not any("virtual" in path or "esp32_" in path for path in image.files)
    other = build("esp32-devkitc")
    assert other.chip == "esp32"
    assert not any("virtual" in path or "rp2040_" in path for path in other.files)
    assert any("esp32_" in path for path in other.files)


def test_the_board_file_and_the_version_are_there(image):
    board = (FIRMWARE / "boards" / (REFERENCE + ".json")).read_bytes()
    assert image.files["board.json"] == board
    assert image.files["version.txt"] == b"openinlet %s\n" % image.version.encode()
    assert (image.board, image.chip) == (REFERENCE, "rp2040")


def test_the_same_sources_give_the_same_bytes_wherever_they_are(image, tmp_path):
    for path in FIRMWARE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            target = tmp_path / "elsewhere" / path.relative_to(FIRMWARE)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    again = build(REFERENCE, tmp_path / "elsewhere")
    assert {**again.files, "version.txt": b""} == {**image.files, "version.txt": b""}


def test_no_path_holds_what_the_staging_folder_uses(image):
    """Waiting files stand under their path with "+" for "/"."""
    assert not any("+" in path for path in image.files)


@pytest.mark.parametrize("name", ["rp2040", "", "../secret", "nothing.json"])
def test_an_unknown_board_is_told_with_those_there_are(name):
    with pytest.raises(UserError, match="choose one of esp32-devkitc, rp2040-reference") as caught:
        build(name)
    assert caught.value.exit_status == 2


def test_a_board_file_of_ones_own_is_taken_and_a_bad_one_refused_here(tmp_path):
    own = tmp_path / "own.json"
    text = (FIRMWARE / "boards" / (REFERENCE + ".json")).read_text(encoding="utf-8")
    own.write_text(text, encoding="utf-8")
    assert build(str(own)).files["board.json"] == text.encode()
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
