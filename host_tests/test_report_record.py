"""The recorder: which rows it keeps, which events it tells."""

import time

import pytest
from report_session import NAMES, Session, meta, record

from inletctl.record import COLUMN_INDEX, COLUMNS, EVENT_KINDS, Names, Recorder, mask_rows, name_of
from inletctl.report.summary import facts


def _quiet(t_s=20):
    """Return a recorder and a session in the middle of charging that has been seen once."""
    session = Session(300)
    session.step(0)
    session.commands.pilot_state, session.commands.session = 4, 2
    session.commands.s2_close, session.commands.offered_ma = True, 32000
    session.commands.limiter, session.commands.reasons = 1, 0
    recorder = Recorder(NAMES)
    _row(recorder, session, t_s * 1_000_000)
    return recorder, session


def _row(recorder, session, t_us):
    recorder.row(t_us, session.readings, session.commands, session.world)


def _told(recorder, kind):
    return [event.text for event in recorder.events if event.kind == kind]


def test_columns_have_names_kinds_and_help():
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
    assert {column.kind for column in COLUMNS} == {
        "time",
        "number",
        "flag",
        "enum",
        "mask",
        "text",
    }
    assert all(column.help for column in COLUMNS)
    assert all(
        column.unit for column in COLUMNS if column.name.rsplit("_")[-1] in ("ma", "mv", "us")
    )


def test_row_holds_every_column_in_its_place():
    recorder, session = _quiet()
    row = recorder.rows[0]
    assert len(row) == len(COLUMNS)
    assert row[COLUMN_INDEX["t_us"]] == 20_000_000
    assert row[COLUMN_INDEX["charger_command_ma"]] == session.commands.charger_ma
    assert row[COLUMN_INDEX["hottest_decic"]] == session.commands.hottest_decic
    assert row[COLUMN_INDEX["faults"]] == session.commands.faults


@pytest.mark.parametrize(("later_us", "rows"), [(99_999, 1), (100_000, 2), (100_001, 2)])
def test_quiet_pass_is_kept_each_100_ms(later_us, rows):
    recorder, session = _quiet()
    session.readings.cp_high_mv += 7
    _row(recorder, session, 20_000_000 + later_us)
    assert len(recorder.rows) == rows


@pytest.mark.parametrize(
    ("holder", "name", "value"),
    [
        ("commands", "pilot_state", 3), ("commands", "session", 3), ("commands", "offered_ma", 1),
        ("commands", "limiter", 3), ("commands", "s2_close", False), ("commands", "lock_state", 2),
        ("commands", "light", 4), ("commands", "drive_allowed", False), ("commands", "reasons", 2),
        ("commands", "faults", 1), ("commands", "permitted_ma", 1), ("commands", "charger_ma", 1),
        ("commands", "lock_drive", 1), ("world", "contactor_closed", True),
        ("world", "evse_state", "B1"), ("world", "evse_duty_pct_x100", 5000),
        ("world", "plugged", True), ("readings", "ac_present", True),
        ("readings", "vehicle_permits", False), ("readings", "stop_request", True),
        ("readings", "unlock_request", True), ("commands", "holds", 1), ("world", "heater_on", True),
    ],
)  # fmt: skip
def test_changed_value_is_kept_in_its_pass(holder, name, value):
    recorder, session = _quiet()
    assert getattr(getattr(session, holder), name) != value
    setattr(getattr(session, holder), name, value)
    _row(recorder, session, 20_010_000)
    assert [row[0] for row in recorder.rows] == [20_000_000, 20_010_000]


def test_unmeasured_values_are_none_not_numbers():
    recorder, session = _quiet()
    session.readings.cp_ok = session.readings.pp_ok = session.readings.ac_ok = False
    session.commands.hottest_ok = False
    session.commands.pilot_state = 3  # C1: no PWM, so no duty
    _row(recorder, session, 20_010_000)
    row = recorder.rows[-1]
    for name in (
        "cp_high_mv",
        "cp_low_mv",
        "pp_mv",
        "ac_present",
        "hottest_decic",
        "duty_pct_x100",
    ):
        assert row[COLUMN_INDEX[name]] is None, name


def test_finish_keeps_the_last_pass_once():
    recorder, session = _quiet()
    _row(recorder, session, 20_050_000)
    recorder.finish()
    recorder.finish()
    assert [row[0] for row in recorder.rows] == [20_000_000, 20_050_000]
    Recorder(NAMES).finish()


def test_first_pass_tells_where_it_begins():
    recorder, _ = _quiet()
    assert [event.text for event in recorder.events] == [
        "session charging, pilot C2, lock unlocked"
    ]


def test_changes_are_told_in_words():
    recorder, session = _quiet()
    commands, world = session.commands, session.world
    commands.pilot_state, commands.session, commands.limiter = 3, 3, 3
    commands.s2_close, commands.lock_state, commands.light = False, 4, 2
    commands.drive_allowed, world.contactor_closed = False, True
    commands.offered_ma = 16000
    _row(recorder, session, 20_010_000)
    assert [event.text for event in recorder.events[1:]] == [
        "pilot C2 -> C1",
        "session charging -> stopping",
        "offer 32.0 A -> 16.0 A",
        "limited by temperature (was pilot)",
        "S2 opened",
        "EVSE contactor closed",
        "lock unlocked -> unlocking",
        "light: dark -> amber slow",
        "driving forbidden",
    ]
    assert {event.kind for event in recorder.events} <= set(EVENT_KINDS)


def test_switches_tell_both_ways():
    recorder, session = _quiet()
    session.commands.drive_allowed = False
    session.commands.s2_close = False
    _row(recorder, session, 20_010_000)
    session.commands.drive_allowed = session.commands.s2_close = True
    session.world.contactor_closed = True
    _row(recorder, session, 20_020_000)
    session.world.contactor_closed = False
    _row(recorder, session, 20_030_000)
    assert _told(recorder, "drive") == ["driving forbidden", "driving allowed"]
    assert _told(recorder, "s2") == ["S2 opened", "S2 closed"]
    assert _told(recorder, "contactor") == ["EVSE contactor closed", "EVSE contactor opened"]


@pytest.mark.parametrize(("now_ma", "count"), [(31501, 0), (31500, 1), (0, 1), (32499, 0)])
def test_offer_is_told_when_it_is_news(now_ma, count):
    recorder, session = _quiet()
    session.commands.offered_ma = now_ma
    _row(recorder, session, 20_010_000)
    assert len(_told(recorder, "offer")) == count


def test_creeping_offer_is_told_in_the_end():
    recorder, session = _quiet()
    for n in range(1, 11):
        session.commands.offered_ma = 32000 - n * 100
        _row(recorder, session, 20_000_000 + n * 10_000)
    assert _told(recorder, "offer") == ["offer 32.0 A -> 31.5 A", "offer 31.5 A -> 31.0 A"]


def test_offer_back_at_nothing_is_not_told_twice():
    recorder, session = _quiet()
    for n, offered_ma in enumerate((0, 100, 0)):
        session.commands.offered_ma = offered_ma
        _row(recorder, session, 20_010_000 + n * 10_000)
    assert _told(recorder, "offer") == ["offer 32.0 A -> 0.0 A"]


def test_reasons_and_faults_come_and_go_by_name():
    recorder, session = _quiet()
    session.commands.reasons, session.commands.faults = 1 << 9 | 1 << 40, 1 << 15
    _row(recorder, session, 20_010_000)
    session.commands.reasons, session.commands.faults = 1 << 40, 0
    _row(recorder, session, 20_020_000)
    session.commands.reasons = 1 << 40 | 1
    _row(recorder, session, 20_030_000)
    come, gone, later = (e for e in recorder.events if e.kind == "reason")
    assert come.text == "reason not to charge: temp_high (a contact is too hot); ?40 (unknown)"
    assert (come.level, gone.text, later.level) == ("warn", "reason gone: temp_high", "info")
    came, went = (e for e in recorder.events if e.kind == "fault")
    assert came.text == "fault OverTemperature: a contact reached the stop temperature"
    assert (came.level, went.text, went.level) == ("bad", "fault OverTemperature cleared", "good")


def test_unknown_numbers_do_not_break_a_recording():
    recorder, session = _quiet()
    session.commands.pilot_state = 77
    session.commands.limiter = -1
    _row(recorder, session, 20_010_000)
    assert _told(recorder, "pilot") == ["pilot C2 -> ?77"]
    assert _told(recorder, "limit") == ["limited by ?-1 (was pilot)"]
    assert name_of(("a",), 1) == "?1"
    assert mask_rows((("a", "b"),), 3) == [("a", "b"), ("?1", "unknown")]


def test_events_stay_in_order_of_time():
    recorder = Recorder(NAMES)
    for t_us in (30, 10, 20, 10):
        recorder.event(t_us, f"at {t_us}")
    assert [event.t_us for event in recorder.events] == [10, 10, 20, 30]


@pytest.mark.parametrize("wrong", [{"kind": "gossip"}, {"level": "awful"}])
def test_unknown_kind_or_level_of_an_event_is_refused(wrong):
    with pytest.raises(ValueError, match="unknown"):
        Recorder(NAMES).event(0, "text", **wrong)


def test_names_come_from_the_firmware():
    names = Names.from_firmware()
    assert names.pilot[4] == "C2"
    assert names.session[2] == "charging"
    assert names.limiter[3] == "temperature"
    assert names.reasons[0][0] == "no_plug"
    assert names.faults[-1][0] == "AcLive"
    assert all(names.lock) and all(names.light)
    assert names.of("light") is names.light
    assert Recorder().names == names


def test_quiet_pass_costs_little():
    """Asserts only what cannot flake; the figure itself is printed for the reader (about 1 us)."""
    recorder, session = _quiet()
    began = time.perf_counter()
    for _ in range(20_000):
        _row(recorder, session, 20_000_000)
    each_us = (time.perf_counter() - began) / 20_000 * 1e6
    print(f"quiet row: {each_us:.2f} us")
    assert each_us < 60
    assert len(recorder.rows) == 1


def test_facts_say_how_a_session_went():
    recorder, _ = record(120)
    shown = {fact.label: fact for fact in facts(recorder, meta(120))}
    assert shown["Length"].value == "2:00.0"
    assert shown["Highest current"].value == "32.0 A"
    assert shown["Hottest contact"].detail.startswith("AC L, at ")
    assert shown["Limited by"].value.startswith("pilot ")
    assert shown["S2 closed"].value == "3 times"
    assert shown["Faults seen"].detail == "TempOpen; none left at the end"


def test_facts_of_a_session_without_charge_have_no_made_up_numbers():
    recorder, session = _quiet()
    session.commands.s2_close = False
    recorder.rows.clear()
    session.commands.faults = 1 << 40
    _row(recorder, session, 20_100_000)
    shown = {fact.label: fact for fact in facts(recorder, meta(contacts=(None,) * 4))}
    assert shown["Hottest contact"].value == "-"
    assert shown["Limited by"].value == "-"
    assert shown["Charging"].detail == ""
    assert shown["Faults seen"].detail == "?40; still there at the end"
    assert facts(Recorder(NAMES), meta())[0].detail == "nothing was recorded"
