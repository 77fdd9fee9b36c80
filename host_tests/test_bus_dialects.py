"""The vehicle's bus in the dialects of existing cars, beside a modem, and on the 32-bit MicroPython."""

import itertools

import pytest
from can_rig import Rig, random_raw, seeded
from mpy_run import run_script

import faults
from inletctl.can import source
from ticks import ticks_diff
from vehicle.bus import CarBus
from vehicle.modem import ModemLink

NATIVE, CPC, I3LIM = 1, 2, 3


def cpc(**values):
    rig = Rig(CarBus, inlet=1, max_current_ma=20000, can=CPC)
    rig.hear("cpc", "vehicle", **values)
    return rig


def test_cpc_form_permits_with_allow_alone():
    rig = cpc(allow=1)
    assert (rig.r.vehicle_permits, rig.r.vehicle_limit_ma, rig.r.vehicle_age_ms) == (
        True,
        20000,
        0,
    )
    assert not rig.made.word.soc_ok and not rig.r.charger_ok and not rig.r.dc_ok


def test_clara_form_permits_with_a_charger_that_charges():
    rig = cpc(allow=1, obc_state=2, soc_pct=63, battery_v=380)
    assert rig.r.vehicle_permits
    assert (rig.made.word.soc_ok, rig.made.word.soc_pct) == (True, 63)


@pytest.mark.parametrize(
    "values",
    [
        {}, {"stop": 1}, {"allow": 1, "stop": 1}, {"allow": 1, "battery_v": 380}, {"obc_state": 2, "battery_v": 380},
        *({"allow": 1, "obc_state": n, "battery_v": v} for n in (1, 3, 4, 5) for v in (0, 380)),
    ],
)  # fmt: skip
def test_cpc_permits_only_what_both_forms_permit(values):
    rig = cpc(**values)
    assert not rig.r.vehicle_permits and rig.r.vehicle_limit_ma == 0
    assert rig.r.car_stop is bool(values.get("stop"))


def test_short_foreign_frame_is_refused_and_a_long_one_read():
    rig = cpc()
    rig.can.heard.append((0x358, b"\x01" + bytes(6)))
    rig.beat()
    assert not rig.r.vehicle_permits and rig.r.holds == faults.H_CAN_DATA
    message = source.load("i3lim").message("lim")
    assert message.length == 8


def test_cpc_obc_state_out_of_range_is_refused():
    rig = cpc(allow=1)
    rig.can.heard.append((0x358, bytes([0x01 | 6 << 2]) + bytes(7)))
    rig.beat()
    assert rig.r.vehicle_age_ms == 10 and rig.r.holds == faults.H_CAN_DATA


def test_cpc_silence_permits_nothing_within_500_ms():
    rig = cpc(allow=1)
    rig.beat(50)
    assert rig.r.vehicle_permits
    rig.beat()
    assert not rig.r.vehicle_permits


def test_clara_unlock_permission_is_no_request():
    rig = cpc(allow=1, obc_state=2, battery_v=380, unlock_allowed=1)
    assert not rig.r.car_unlock and rig.r.vehicle_permits


@pytest.mark.parametrize(
    ("session", "plug", "dc", "broken", "wanted"),
    [
        (0, False, False, 0, (0, 0)), (0, True, False, 0, (1, 2)), (1, True, False, 0, (1, 2)),
        (2, True, False, 0, (3, 2)), (2, True, True, 0, (4, 2)), (3, True, False, 0, (5, 2)),
        (4, True, False, 0, (1, 2)), (5, True, False, 0, (6, 2)), (2, True, False, faults.F_S2_STUCK_OPEN, (7, 2)),
        (2, True, False, faults.F_TEMP_DISAGREE, (3, 2)), (6, True, False, 0, (7, 2)), (99, True, False, 0, (7, 2)),
    ],
)  # fmt: skip
def test_cpc_port_state_follows_the_session(session, plug, dc, broken, wanted):
    rig = cpc()
    rig.c.session, rig.c.plug_present, rig.c.dc_session, rig.c.faults = session, plug, dc, broken
    rig.beat()
    said = rig.unpacked("cpc", "port")[-1]
    assert (said["port_state"], said["plug"]) == wanted


def test_cpc_port_tells_limit_lock_and_duty_rounded_down():
    rig = cpc()
    c = rig.c
    c.charger_ma, c.lock_state, c.duty_pct_x100, c.reasons = 15999, 9, 2699, faults.PP_INVALID
    c.dc_permitted_ma = 99999
    rig.beat(12)
    said = rig.unpacked("cpc", "port")[-1]
    assert said == {
        "iso_stop": 0,
        "ac_limit_a": 15,
        "port_state": 1,
        "plug": 3,
        "lock": 2,
        "duty_pct": 26,
    }
    assert rig.unpacked("cpc", "station")[-1]["available_a"] == 0
    c.dc_session = True
    rig.beat(10)
    assert rig.unpacked("cpc", "station")[-1] == {
        "evse_v": 0,
        "evse_a": 0,
        "available_a": 99,
        "available_v": 0,
    }


def test_cpc_falling_limit_is_sent_at_once():
    rig = cpc()
    rig.c.charger_ma = 16000
    rig.beat(13)
    rig.can.sent.clear()
    rig.c.charger_ma = 15999
    rig.beat()
    assert rig.unpacked("cpc", "port")[-1]["ac_limit_a"] == 15


@pytest.mark.parametrize(
    ("state", "lock"), [(0, 0), (3, 1), (9, 2), (5, 4), (14, 3), (21, 0), (99, 0)]
)
def test_cpc_lock_follows_the_actuator(state, lock):
    rig = cpc()
    rig.c.lock_state = state
    rig.beat(12)
    assert rig.unpacked("cpc", "port")[-1]["lock"] == lock


@pytest.mark.parametrize("number", [CPC, I3LIM])
def test_what_a_dialect_does_not_carry_is_not_known(number):
    rig = Rig(CarBus, inlet=1, max_current_ma=32000, can=number)
    rig.beat(2)
    bus = rig.made
    assert (bus.word.soc_ok, bus.word.target_ok, bus.word.clock_ok, bus.word.target_pct) == (
        False,
        False,
        False,
        100,
    )
    assert (rig.r.dc_ok, rig.r.contactors_ok, rig.r.charger_ok) == (False, False, False)


@pytest.mark.parametrize("number", [NATIVE, CPC, I3LIM])
def test_silent_bus_takes_back_what_any_other_line_has_permitted(number):
    rig = Rig(CarBus, inlet=1, max_current_ma=32000, can=number)
    rig.r.vehicle_age_ms = 0
    rig.r.vehicle_permits = True
    rig.r.vehicle_limit_ma = 32000
    rig.beat()
    assert (rig.r.vehicle_age_ms, rig.r.vehicle_permits, rig.r.vehicle_limit_ma) == (
        60000,
        False,
        0,
    )


def test_cpc_cycles():
    rig = cpc()
    rig.beat(200)
    for name in ("port", "station"):
        message = source.load("cpc").message(name)
        at = [t for id_, _, t in rig.can.sent if id_ == message.id]
        assert {ticks_diff(b, a) for a, b in itertools.pairwise(at)} == {100}


def i3():
    rig = Rig(CarBus, inlet=1, max_current_ma=20000, can=I3LIM)
    rig.can.heard.append(rig.frame("i3lim", "battery", battery_mv=360000, soc_pct_x10=479))
    rig.hear("i3lim", "charge", request=1, ready=1, charge_state=2)
    return rig


def test_i3_permits_with_request_and_ready():
    rig = i3()
    assert rig.can.ids == (0x112, 0x3E9)
    assert (rig.r.vehicle_permits, rig.r.vehicle_limit_ma, rig.r.vehicle_age_ms) == (
        True,
        20000,
        0,
    )
    assert (rig.made.word.soc_ok, rig.made.word.soc_pct) == (True, 47)


@pytest.mark.parametrize(("request_", "ready"), [(0, 0), (0, 1), (1, 0)])
def test_i3_needs_both_frames_fresh_and_both_bits(request_, ready):
    rig = i3()
    rig.hear("i3lim", "charge", request=request_, ready=ready)
    assert not rig.r.vehicle_permits and rig.r.vehicle_limit_ma == 0
    for silent in ("battery", "charge"):
        rig = i3()
        for n in range(60):
            other = "charge" if silent == "battery" else "battery"
            rig.hear("i3lim", other, **({"request": 1, "ready": 1} if other == "charge" else {}))
            assert rig.r.vehicle_age_ms == 10 * (n + 1)
            assert rig.r.vehicle_permits == (n < 50)


def test_i3_real_frames_of_the_vehicle_are_read():
    """0x112 as a battery at rest sends it: -0.0 A is 8190, 0.1 A a bit, offset 819 A; 0x3E9 asks with 1, 2 and 1."""
    rig = i3()
    rig.can.heard.append((0x112, bytes([0xFE, 0x1F, 0x10, 0x0E, 0xF4, 0x01, 0x65, 0x5A])))
    rig.can.heard.append((0x3E9, bytes([0x10, 0x27, 0x21, 0x41, 0x10, 0x00, 0x00, 0xFE])))
    rig.beat()
    assert rig.r.vehicle_permits and rig.r.holds == 0
    assert (rig.made.word.soc_ok, rig.made.word.soc_pct) == (True, 50)


@pytest.mark.parametrize(
    ("reasons", "s2", "plug", "dc", "pilot"),
    [
        (faults.NO_PLUG, False, False, False, 0), (faults.NO_PLUG, False, True, False, 0), (0, False, True, False, 1),
        (0, True, True, False, 2), (faults.PILOT_E, False, True, False, 3), (faults.PILOT_LOST | faults.NO_PLUG, False, True, False, 3),
        (faults.PILOT_DIGITAL, False, True, False, 4), (0, True, True, True, 5), (0, False, True, True, 4),
        (faults.PILOT_STEADY, False, True, False, 6), (faults.PILOT_F, True, True, False, 3),
        (faults.PILOT_INVALID, False, True, False, 3), (faults.PILOT_FREQUENCY, False, True, False, 3), (faults.PILOT_LOST, False, True, False, 3),
    ],
)  # fmt: skip
def test_i3_pilot_follows_reasons_and_s2(reasons, s2, plug, dc, pilot):
    rig = i3()
    c = rig.c
    c.reasons, c.s2_close, c.plug_present, c.dc_session = reasons, s2, plug, dc
    rig.beat()
    said = rig.unpacked("i3lim", "lim")[-1]
    assert (said["pilot"], said["plug"]) == (pilot, int(plug))
    assert said["charge_type"] == (0 if not s2 else 2 if dc else 1)


def test_i3_tells_the_command_while_s2_is_closed_and_the_permission_before():
    rig = i3()
    c = rig.c
    c.charger_ma, c.permitted_ma, c.s2_close = 9999, 31999, False
    rig.r.dc_ok, rig.r.dc_mv = True, 400001
    rig.beat(12)
    said = rig.unpacked("i3lim", "lim")[-1]
    assert (said["pilot_a"], said["cable_a"], said["dc_mv"]) == (31, 31, 402000)
    c.s2_close = True
    rig.beat(1)
    assert rig.unpacked("i3lim", "lim")[-1]["pilot_a"] == 9
    c.charger_ma = 0
    rig.beat(1)
    assert rig.unpacked("i3lim", "lim")[-1]["pilot_a"] == 0
    rig.r.dc_ok = False
    rig.beat(12)
    assert rig.unpacked("i3lim", "lim")[-1]["dc_mv"] == 0


def test_i3_messages_keep_their_cycle():
    rig = i3()
    rig.beat(200)
    for message in source.load("i3lim").sent:
        at = [t for id_, _, t in rig.can.sent if id_ == message.id]
        assert {ticks_diff(b, a) for a, b in itertools.pairwise(at)} == {message.cycle_ms}


def test_i3_tells_a_change_and_a_falling_limit_at_once_and_nothing_else():
    rig = i3()
    rig.c.s2_close, rig.c.charger_ma = True, 16000
    rig.beat(12)
    for change in ({"charger_ma": 15999}, {"reasons": faults.PILOT_E}, {"plug_present": False}):
        rig.can.sent.clear()
        rig.beat(1)
        assert not rig.sent(0x3B4)
        for name, value in change.items():
            setattr(rig.c, name, value)
        rig.beat(1)
        assert len(rig.sent(0x3B4)) == 1


def test_i3_carries_no_request():
    rig = i3()
    rig.r.car_stop = rig.r.car_unlock = True
    rig.beat()
    assert not rig.r.car_stop and not rig.r.car_unlock


def test_i3_tells_of_a_dc_station_only_its_own_limit():
    rig = i3()
    rig.c.dc_permitted_ma = 125050
    rig.beat(30)
    assert rig.unpacked("i3lim", "available")[-1] == {"available_mv": 0, "available_ma": 0}
    rig.c.dc_session = True
    rig.beat(30)
    assert rig.unpacked("i3lim", "available")[-1] == {"available_mv": 0, "available_ma": 125000}
    assert rig.unpacked("i3lim", "measured")[-1] == {"evse_mv": 0, "evse_ma": 0}
    assert rig.unpacked("i3lim", "port")[-1] == {"contactors": 0}


# ------------------------------------------------------------------------------ beside a modem


def test_bus_hands_the_modem_its_frames_and_judges_them():
    links = []

    def make(settings, can):
        links.append(ModemLink(settings, can))
        return CarBus(settings, can, links[0])

    rig = Rig(make, inlet=5, max_current_ma=32000, can=NATIVE, modem=1, dc_max_a=200)
    assert rig.can.ids == (0x0C8, 0x0C9, 0x0CA, 0x0CB, 0x0E8)
    rig.hear_twice("modem", "modem", s2_wanted=1)
    links[0].fill(rig.now_ms, rig.r)
    assert rig.r.modem_wants_c and rig.r.modem_age_ms == 0
    rig.can.heard.append((0x0E8, bytes(4)))
    rig.beat()
    assert rig.r.holds & faults.H_CAN_DATA


ON_BOARD = r"""
import micropython

from settings import Settings
from signals import Commands, Readings
from ticks import ticks_add
from vehicle.bus import CarBus
from vehicle.modem import ModemLink

lock = getattr(micropython, "heap_lock", lambda: 0)
unlock = getattr(micropython, "heap_unlock", lambda: 0)


class Can:
    state = 2
    lost = dropped = tx_errors = rx_errors = offs = 0

    def __init__(self):
        self.at = 0
        self.until = 0
        self.total = 0

    def listen(self, ids):
        self.ids = ids

    def receive(self, frame):
        if self.at == self.until:
            return False
        frame.id, frame.length, data = FRAMES[self.at]
        for n in range(8):
            frame.data[n] = data[n]
        self.at += 1
        return True

    def send(self, frame):
        total = self.total
        total = (total * 5 + frame.id) & 0xFFFFFF
        for n in range(frame.length):
            total = (total * 5 + frame.data[n]) & 0xFFFFFF
        self.total = total
        return True


settings = Settings({"inlet": 5, "max_current_ma": 32000, "can": DIALECT, "modem": 1, "dc_max_a": 200})
can = Can()
modem = ModemLink(settings, can)
bus = CarBus(settings, can, modem)
print(can.ids)
r = Readings()
c = Commands()
now_ms = (1 << 30) - 2000
n = 0
while can.at < len(FRAMES):
    can.until = min(can.at + n % 3, len(FRAMES))
    c.charger_ma = n * 97 % 33000
    c.session = n // 7 % 6
    c.s2_close = n % 90 > 50
    c.reasons = n * 1009 & 0xFFFFFF
    c.faults = 1 << n % 29 if n % 11 == 0 else 0
    c.holds = n & 0x1FFFFFF
    c.lock_state = n // 13 % 21
    c.plug_present = n % 200 > 20
    c.hottest_ok = n % 2 == 0
    c.hottest_decic = n % 1500 - 400
    c.dc_permitted_ma = n * 131 % 200000
    c.dc_session = n % 64 > 40
    now_ms = ticks_add(now_ms, 10)
    r.holds = 0
    lock()
    bus.fill(now_ms, r)
    modem.fill(now_ms, r)
    bus.tick(now_ms, r, c)
    modem.tick(now_ms, r, c)
    unlock()
    print(
        n, can.total, r.vehicle_age_ms, r.vehicle_permits, r.vehicle_limit_ma, r.charger_ok, r.charger_ma, r.ac_present,
        r.dc_ok, r.dc_mv, r.contactors_open, r.car_unlock, r.car_stop, r.holds, r.modem_age_ms, r.modem_wants_c, r.modem_toggles,
        bus.word.soc_ok, bus.word.soc_pct, bus.word.clock_ok, bus.word.clock_min, bus.refusals.refused,
    )
    n += 1
"""
FIRMWARE_FILES = (
    "faults.py", "settings.py", "setting_rows.py", "modules.py", "signals.py", "ticks.py", "vehicle/__init__.py", "vehicle/e2e.py", "vehicle/bus.py",
    "vehicle/bus_parts.py", "vehicle/bus_native.py", "vehicle/bus_cpc.py", "vehicle/bus_i3lim.py", "vehicle/modem.py",
    "vehicle/can_native.py", "vehicle/can_native_raw.py", "vehicle/can_cpc.py", "vehicle/can_i3lim.py", "vehicle/can_modem.py",
)  # fmt: skip


def random_frames(dialect):
    """Return 900 frames, (id, length, bytes): most of them good, some damaged, short or foreign."""
    rng = seeded(99)
    rig = Rig(CarBus, inlet=1, max_current_ma=32000, can=1)
    frames = []
    received = [(dialect, m) for m in source.load(dialect).received]
    received += [("modem", m) for m in source.load("modem").received]
    for _ in range(900):
        name, message = rng.choice(received)
        values = {
            s.name: random_raw(rng, s) * s.scale + s.offset
            for s in message.signals
            if not s.is_e2e
        }
        frame_id, data = rig.frame(
            name, message.name, skip=rng.choice((0, 0, 0, 0, 1, 4)), **values
        )
        data = bytearray(bytes(data).ljust(8, b"\0"))
        length = message.length
        damage = rng.randrange(12)
        if damage == 0:
            data[rng.randrange(length)] ^= 1 << rng.randrange(8)
        elif damage == 1:
            length = rng.randrange(9)
        elif damage == 2:
            frame_id = rng.randrange(0x800)
        frames.append((frame_id, length, bytes(data)))
    return frames


@pytest.mark.mpy
@pytest.mark.parametrize(("number", "dialect"), [(1, "native"), (2, "cpc"), (3, "i3lim")])
def test_bus_says_the_same_on_a_32_bit_micropython_with_the_heap_locked(
    number, dialect, tmp_path, capsys
):
    """Not one byte is allocated in `fill` and `tick`, whatever comes."""
    frames = random_frames(dialect)
    capsys.readouterr()
    script = "FRAMES = %r\nDIALECT = %d\n%s" % (frames, number, ON_BOARD)
    exec(compile(script, "script", "exec"), {"__name__": "script"})
    here = capsys.readouterr().out.splitlines()
    assert run_script(tmp_path, script, FIRMWARE_FILES, heap_kb=2048) == here
    assert len(here) > 800
