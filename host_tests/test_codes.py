"""The trouble codes: one for whatever is broken, none for a wait, and the same everywhere."""

import json

import pytest
from click.testing import CliRunner

import faults
from inletctl import docs
from inletctl.cli import cli
from inletctl.errors import UserError
from inletctl.house import ROOT
from inletctl.journal import codes_docs
from inletctl.journal.codes import CLASS_WORDS, CLEAR_WORDS, CODES, find_code
from journal import codes as table

# A code's number says this for ever, in every journal that was ever written.
# fmt: off
GIVEN = {
    1101: "PilotFault", 1102: "PilotNoise", 1103: "PilotFrequency", 1104: "PilotSense", 1105: "S2StuckOpen",
    1106: "S2StuckClosed", 1107: "RetriesExhausted",
    1201: "ProximityShort", 1202: "ProximityGap", 1203: "ProximitySense", 1204: "PartialInsertion",
    1301: "TempOpen", 1302: "TempShort", 1303: "TempStale", 1304: "TempStuck", 1305: "TempRise", 1306: "TempDisagree",
    1307: "OverTemperature", 1308: "TempLatched",
    1401: "FailedLock", 1402: "FailedUnlock", 1403: "UnexpectedOpen", 1404: "UnexpectedClose", 1405: "LockSense",
    1406: "LockReversed", 1407: "ForcedUnlock",
    1501: "ChargerOverCurrent", 1502: "AcLive", 1503: "ContactorFault",
    1601: "VehicleSilent", 1602: "CanBus", 1603: "CanData", 1604: "DiscreteLines", 1605: "ModemMissing",
    1606: "ClockMissing",
    1701: "HvilOpen", 1702: "InsulationFault", 1703: "CrashReported",
    1801: "HeaterFault", 1802: "DoorFault",
    1901: "Settings", 1902: "SettingsRefused", 1903: "SettingsContradict", 1904: "Internal",
}
# fmt: on


def rows(kind):
    return {row[table.C_BIT]: row for row in table.CODES if row[table.C_KIND] == kind}


def test_numbers_are_given_for_ever_and_the_table_is_in_their_order():
    assert {row[table.C_NUMBER]: row[table.C_NAME] for row in table.CODES} == GIVEN
    numbers = [row[table.C_NUMBER] for row in table.CODES]
    assert numbers == sorted(numbers)
    assert {number // 100 for number in numbers} == {number for number, _room in table.ROOMS}


def test_every_fault_has_a_code_of_its_name_and_class():
    found = rows(table.FAULT)
    assert sorted(found) == list(range(len(faults.FAULTS)))
    for bit, row in found.items():
        assert row[table.C_NAME] == faults.FAULTS[bit][faults.FAULT_NAME]
        assert row[table.C_CLASS] == faults.FAULTS[bit][faults.FAULT_CLEARS]


def test_every_hold_has_a_code_of_its_class_or_is_a_wait():
    found = rows(table.HOLD)
    for bit, hold in enumerate(faults.HOLDS):
        assert (bit in found) != bool(table.WAITS >> bit & 1), hold[faults.HOLD_NAME]
        if bit in found:
            assert found[bit][table.C_CLASS] == hold[faults.HOLD_CLEARS]
    assert not table.WAITS >> len(faults.HOLDS)


def test_a_reason_that_has_no_fault_behind_it_and_is_no_wait_has_a_code():
    found = rows(table.REASON)
    assert list(found) == [faults.first_bit(faults.RETRIES)]
    assert found[25][table.C_CLASS] == faults.SHUTDOWN[25][faults.ROW_CLEARS]
    # Whatever is counted as a malfunction, or needs more than time, is told by a code.
    forced = 0
    for row in (*faults.FAULTS, *(faults.HOLDS[bit] for bit in rows(table.HOLD))):
        forced |= row[1]
    told_by_pilot_fault = faults.PILOT_E | faults.PILOT_F | faults.PILOT_LOST
    for bit, row in enumerate(faults.SHUTDOWN):
        if row[faults.ROW_CLEARS] != faults.SELF or row[faults.ROW_COUNTED]:
            by_bit = (forced | told_by_pilot_fault | faults.RETRIES | faults.NOT_LOCKED) >> bit & 1
            assert by_bit, row[faults.ROW_NAME]


def test_fewer_codes_are_latched_than_there_are_slots():
    from journal.memory import SLOTS

    assert sum(row[table.C_CLASS] == faults.SERVICE for row in table.CODES) < SLOTS < len(CODES)


def test_every_code_has_words_for_people():
    for code in CODES:
        for words in (code.means, code.measure, code.causes):
            assert words.endswith(".") and 20 < len(words) < 320 and "  " not in words, words
            assert words.count("`") % 2 == 0
        assert code.mrec == "" or 1 <= int(code.mrec) <= 26
    assert len({code.name for code in CODES}) == len(CODES) == len({code.means for code in CODES})


def test_words_about_settings_and_frame_name_what_there_is():
    import re

    import setting_rows
    from journal.frame import FRAME, FRAME_STATES

    known = {name for name, *_ in (*FRAME, *FRAME_STATES)} | {
        row[setting_rows.ROW_KEY] for row in setting_rows.TABLE
    }
    for code in CODES:
        for word in re.findall(r"`([a-z_0-9]+)`", code.means + code.measure + code.causes):
            assert word in known, (code.code, word)


def test_each_code_has_a_page_and_there_is_no_other():
    stored = {path.name for path in (ROOT / codes_docs.FOLDER).iterdir()}
    assert stored == {path.rpartition("/")[2] for path in codes_docs.PAGES} == {
        "README.md", *(code.code + ".md" for code in CODES)
    }  # fmt: skip
    assert set(codes_docs.PAGES) <= set(docs.PAGES)


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.code)
def test_page_says_all_there_is(code):
    page = codes_docs.PAGES["docs/codes/%s.md" % code.code]()
    for words in (code.name, code.means, code.measure, code.causes, code.raised_by, CLASS_WORDS[code.clears], CLEAR_WORDS[code.clears]):  # fmt: skip
        assert words in page
    assert "[%s](%s.md)" % (code.code, code.code) in codes_docs.index_page()
    if code.forces:
        assert "`%s`" % code.forces in page


# -------------------------------------------------------------------------------------- the command


def said(*args):
    return CliRunner().invoke(cli, ["codes", *args])


def test_list_shows_every_code():
    done = said("list")
    assert done.exit_code == 0
    for code in CODES:
        assert code.code in done.output and code.name in done.output


def test_list_is_to_be_had_as_json():
    rows = json.loads(said("list", "--json").output)
    assert [row["number"] for row in rows] == sorted(GIVEN)
    assert rows[0]["clears"] == "self-clearing"


@pytest.mark.parametrize(
    "word", ["OI-1307", "oi-1307", "1307", "OverTemperature", "overtemperature"]
)
def test_show_finds_a_code_by_what_people_type(word):
    done = said("show", word)
    assert done.exit_code == 0
    assert done.output.startswith("OI-1307 OverTemperature (self-clearing)\nMeans:")
    assert "docs/codes/OI-1307.md" in done.output and "`" not in done.output
    assert json.loads(said("show", word, "--json").output)["mrec"] == "19"


def test_a_code_that_is_none_is_one_sentence():
    with pytest.raises(
        UserError, match=r"no trouble code 'OverTemprature'; near are OverTemp.*codes list"
    ):
        find_code("OverTemprature")
    with pytest.raises(UserError, match="no trouble code '': `inletctl"):
        find_code("")
    assert isinstance(said("show", "1309").exception, UserError)
