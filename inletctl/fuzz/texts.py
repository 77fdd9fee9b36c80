"""Readers of files that people write: settings, scenarios, recipes, port records."""

import json
from collections.abc import Callable
from typing import Any

from inletctl.bench.recipe import SHIPPED, blocks, read_recipe
from inletctl.errors import UserError
from inletctl.fuzz.harness import File, Harness, Refusal, break_rule, small
from inletctl.house import SCENARIOS, use_firmware
from inletctl.journal.memory_files import MemoryFiles
from inletctl.link.setting_words import check_together, parse
from inletctl.ports.file import MARK, PortFile
from inletctl.scenario.language import load_language
from inletctl.scenario.load import read_scenario
from inletctl.scenario.parse import FIRST_WORDS, parse_scenario
from inletctl.scenario.units import UNITS
from inletctl.scenario.write import format_scenario

use_firmware()

from drivers.store import SettingsStore, StoreError, crc_of  # noqa: E402
from ports.records import CONNECTORS, KEYS, POWERS, STATUSES, decode, encode, with_defaults  # noqa: E402
from setting_rows import CHOICES, ORDERED, ROW_KEY, ROW_MAX, ROW_MIN, TABLE  # noqa: E402
from settings import Settings  # noqa: E402
from signals import Commands, Readings  # noqa: E402
from step import InletStep  # noqa: E402

_SETTINGS_PATH = "/settings.bin"


# ---------------------------------------------------------------------------------------- settings


def settings_file(store_of: "Callable[[MemoryFiles], Any] | None" = None) -> Harness:
    """
    What a board has stored, as its flash holds it. First byte even: the file as it is; odd: its payload, sealed.

    Read by drivers.store; what is accepted makes settings whose every value is within its bounds, and a step that runs.
    """
    make = store_of or (lambda files: SettingsStore(files=files))

    def run(data: bytes) -> None:
        record = _sealed(data[1:]) if data and data[0] & 1 else data[1:]
        files = MemoryFiles({_SETTINGS_PATH: record})
        store = make(files)
        try:
            wanted = store.read()
        except StoreError as error:
            raise Refusal(str(error)) from None
        finally:
            if files.files != {_SETTINGS_PATH: record}:
                break_rule("changed", "reading has changed the flash")
        _judge_settings(Settings(wanted))

    plain = [
        {},
        {"inlet": 1, "max_current_ma": 16000},
        {row[ROW_KEY]: row[ROW_MIN] for row in TABLE},
    ]
    plain += [{row[ROW_KEY]: row[ROW_MAX] for row in TABLE}, {"stop_decic": 1, "nonsense": 3}]
    seeds = [b"\x01" + json.dumps(one).encode() for one in plain]
    seeds += [b"\x00" + _sealed(seed[1:]) for seed in seeds[:2]]
    return Harness("settings-file", run, seeds, _setting_words())


def _sealed(payload: bytes) -> bytes:
    body = bytes((1, len(payload) & 0xFF, len(payload) >> 8 & 0xFF)) + payload
    return body + crc_of(body)


def _setting_words() -> "list[bytes]":
    words = [('"%s":' % row[ROW_KEY]).encode() for row in TABLE]
    return [
        *words,
        b"{",
        b"}",
        b"[",
        b"]",
        b"null",
        b"true",
        b"1e3",
        b'"16000"',
        b"NaN",
        b"Infinity",
        b"\\ud800",
    ]


def _judge_settings(settings: Any) -> None:
    lowered = {low for low, _, _ in ORDERED}
    for row in TABLE:
        key = row[ROW_KEY]
        value = getattr(settings, key)
        if type(value) is not int:
            break_rule("not-int", "%s is %r" % (key, value))
        if value > row[ROW_MAX] or (value < row[ROW_MIN] and key not in lowered):
            break_rule("out-of-bounds", "%s is %d" % (key, value))
    small((getattr(settings, row[ROW_KEY]) for row in TABLE), "a setting")
    for low, high, apart in ORDERED:
        if getattr(settings, low) > getattr(settings, high) - apart:
            break_rule("disorder", "%s is above %s" % (low, high))
    for sentence in settings.rejected:
        if not isinstance(sentence, str) or not sentence:
            break_rule("no-sentence", "a setting is refused without a word")
    step = InletStep(settings)
    readings, commands = Readings(), Commands()
    for now_ms in (10, 20, 30):
        step.step(now_ms, readings, commands)
    if commands.s2_close or not commands.reasons:
        break_rule("closes", "S2 closes with nothing plugged in")


def settings_words() -> Harness:
    """Settings as a person writes them, KEY=VALUE, a line each: checked together as before a board hears of them."""

    def run(data: bytes) -> None:
        lines = tuple(data.decode("utf-8", "surrogateescape").split("\n"))
        try:
            wanted = parse(lines)
            check_together(wanted)
        except UserError as error:
            raise Refusal(str(error)) from None
        _judge_settings(Settings(wanted))

    words = [("\n%s=" % row[ROW_KEY]).encode() for row in TABLE]
    words += [word.encode() for choice in CHOICES.values() for word in choice]
    words += [b"blink ", b"steady ", b"breathe ", b"red", b"green", b"#", b"off", b"+", b"_"]
    seeds = [
        b"inlet=type2\nmax_current_ma=16000",
        b"light_ready=steady green",
        b"window_1_days=31\nwindow_1_from_min=1320",
    ]
    seeds += [
        ("%s=%d" % (row[ROW_KEY], row[ROW_MAX])).encode()
        for row in TABLE
        if not row[ROW_KEY].startswith("light_")
    ]
    return Harness("settings-words", run, seeds, words, 512)


# --------------------------------------------------------------------------------------- scenarios


def scenario(format_of: "Callable[[Any, Any], str]" = format_scenario) -> Harness:
    """A scenario file. What is accepted is written anew, and reads back as itself."""
    file = File("fuzz.txt")
    language = load_language()

    def run(data: bytes) -> None:
        try:
            found = read_scenario(file.hold(data), language)
        except UserError as error:
            raise Refusal(str(error)) from None
        text = format_of(found, language)
        try:
            again = parse_scenario(text, "written anew", language)
        except UserError as error:
            break_rule("not-again", "what is accepted and written anew is refused: %s" % error)
        # What is read, too: a writer that drops something drops it both times.
        if again != found or format_of(again, language) != text:
            break_rule("not-again", "what is written anew reads as something else")

    seeds = [path.read_bytes() for path in sorted(SCENARIOS.glob("*.txt"))]
    words = [b"\n%s " % word.encode() for word in (*FIRST_WORDS, *language.verbs)]
    words += [
        b" %s=" % key.encode() for key in (*language.keys, *language.settings, *language.world)
    ]
    words += [spelling.encode() for row in UNITS for spelling in row[3]]
    words += [b"+", b"..", b"#", b"\r", b"\xef\xbb\xbf", b"!=", b">=", b"|", b","]
    return Harness("scenario", run, seeds, words)


# ----------------------------------------------------------------------------------------- recipes


def recipe() -> Harness:
    """A bench recipe, up to the steps that it makes the board go through."""
    file = File("fuzz.toml")

    def run(data: bytes) -> None:
        try:
            blocks(read_recipe(file.hold(data)))
        except UserError as error:
            raise Refusal(str(error)) from None

    seeds = [path.read_bytes() for path in sorted(SHIPPED.glob("*.toml"))]
    seeds = [piece for seed in seeds for piece in _pieces(seed)]
    words = [
        b"\n[recipe]\n",
        b"\n[[sweep]]\n",
        b"\n[[case]]\n",
        b"\n[[case.stop]]\n",
        b" = ",
        b'"""',
        b"inf",
        b"nan",
    ]
    words += [
        b"\n%s = " % key
        for key in (
            b"id", b"title", b"kind", b"inlet", b"from", b"to", b"step", b"values", b"dense", b"width", b"fine", b"order",
            b"settle_s", b"charging", b"requirements", b"settings", b"world", b"text", b"file", b"stop", b"after", b"nth",
            b"reason", b"name", b"about", b"seed",
        )
    ]  # fmt: skip
    return Harness("recipe", run, seeds, words)


def _pieces(toml: bytes) -> "list[bytes]":
    """Return short recipes: each of the tables of a long one by itself, behind its head."""
    head, *tables = toml.split(b"\n[[")
    return [head + b"\n[[" + b"\n[[".join(tables[n : n + 2]) for n in range(0, len(tables), 2)]


# ------------------------------------------------------------------------------------ port records


def ports_file() -> Harness:
    """Port records in a file: what is refused is said and stays; what is taken goes to flash and comes back as it is."""
    file = File("ports.json")

    def run(data: bytes) -> None:
        path = file.hold(data)
        try:
            found = PortFile(path)
        except UserError as error:
            raise Refusal(str(error)) from None
        finally:
            file.check(data)
        for sentence in found.refused:
            if not sentence or not sentence.isprintable():
                break_rule("no-sentence", "an entry is refused with %r" % sentence[:200])
        records = found.records
        if len(records) > 8:
            break_rule("too-many", "%d records" % len(records))
        if records and decode(encode(records)) != records:
            break_rule("not-again", "what is taken is another on flash")
        if records:
            found.put(records[0])
            again = PortFile(path)
            if again.records != records or len(again.refused) != len(found.refused):
                break_rule("not-again", "a record written anew has changed the others")

    entries = port_records()
    seeds = [json.dumps({MARK: 1, "ports": [one]}).encode() for one in entries]
    seeds.append(json.dumps({MARK: 1, "ports": entries}).encode())
    words = [('"%s": ' % row[0]).encode() for row in KEYS]
    words += [
        ('"%s"' % one[0] if isinstance(one, tuple) else '"%s"' % one).encode()
        for one in (*CONNECTORS, *POWERS, *STATUSES)
    ]
    words += [b"{", b"}", b"[", b"]", b"null", b"true", b"1e3", b"\\ud800", b"\\u0000", b"\\u001b"]
    return Harness("ports-file", run, seeds, words)


def port_records() -> "list[dict[str, Any]]":
    """Return a few records without an error."""
    usual = {
        "id": 1,
        "label": "inlet, left",
        "connector": "Type 2",
        "power": "AC level 2",
        "max_w": 11000,
    }
    other = {
        "id": 3,
        "label": "x",
        "connector": "other",
        "power": "AC level 1",
        "max_w": 1000,
        "notes": "Schuko",
    }
    direct = {
        "id": 2,
        "label": "DC",
        "connector": "CCS2",
        "power": "DC fast",
        "max_w": 150000,
        "volts_v": 900,
    }
    gone = {
        **usual,
        "id": 8,
        "status": "decommissioned",
        "phases": 3,
        "current_ma": 16000,
        "inlet": 2,
    }
    return [with_defaults(one) for one in (usual, direct, other, gone)]
