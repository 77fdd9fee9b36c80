"""vehicle.desk: what a computer may tell the board, and what garbage at the port does."""

import json
import random
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpy_run import run_script

from faults import PP_INVALID, SERVICE_MODE, SETTINGS
from setting_rows import TABLE, find
from settings import Settings
from signals import Commands, Readings
from vehicle import protocol
from vehicle.console import Report
from vehicle.desk import Desk

NUMBER_OF_MAX = find("max_current_ma")[0]


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021) & 0xFFFF if crc & 0x8000 else crc << 1
    return crc


def line(word, *arguments, number=7):
    body = b'{"v":1,"id":%d,"do":"%s","a":[%s]' % (
        number, word.encode(), ",".join(map(str, arguments)).encode(),
    )  # fmt: skip
    return body + b',"x":"%04x"}\n' % crc16(body)


class Board:
    def __init__(self, stored=None):
        self.stored = stored
        self.calls = []
        self.error = None

    def settings(self):
        if isinstance(self.stored, Exception):
            raise self.stored
        return self.stored

    def store(self, values):
        if self.error is not None:
            raise self.error
        self.calls.append("store")
        self.stored = dict(values)

    def forget(self):
        self.calls.append("forget")
        self.stored = None

    def restart(self):
        self.calls.append("restart")


class Bench:
    """A desk with its board, report, readings and commands; time moves by passes."""

    def __init__(self, stored=None, words="rp2040 bench e601 0.1+abc"):
        self.board = Board({"max_current_ma": 16000} if stored is None else stored)
        self.report = Report()
        self.settings = Settings(stored or {"max_current_ma": 16000})
        self.desk = Desk(self.board, self.settings, self.report, words)
        self.r, self.c = Readings(), Commands()
        self.now_ms = 1000
        self.said = bytearray()
        self.waiting = bytearray()
        self.long_passes = 0
        self.is_stuck = False  # nobody reads what the board says

    def go(self, passes=1):
        for _ in range(passes):
            self.now_ms = (self.now_ms + 10) & 0x3FFFFFFF
            self.desk.fill(self.r)
            self.report.tick(self.now_ms, self.c, 3)
            self.desk.tick(self.now_ms, self.r, self.c, 3)
            if self.desk.has_work and not self.c.s2_close and not self.c.lock_drive:
                self.long_passes += not self.desk._is_restarting
                self.desk.work(self.now_ms)
            for _ in range(0 if self.is_stuck else 64):
                if self.report.pending():
                    self.said.append(self.report.take())
            while self.waiting and not self.desk.is_full:
                self.desk.hear(self.waiting.pop(0))

    def send(self, data):
        self.waiting += data
        self.go(6)

    def lines(self, key):
        """Return every whole line so far that has `key`, its check sum proven."""
        found = []
        for text in bytes(self.said).split(b"\n")[:-1]:
            body, _, rest = text.rpartition(b',"x":"')
            assert int(rest[:4], 16) == crc16(body)
            told = json.loads(text)
            if key in told:
                found.append(told)
        return found

    def ask(self, word, *arguments):
        count = len(self.lines("re"))
        self.send(line(word, *arguments))
        answers = self.lines("re")
        assert len(answers) == count + 1 and answers[-1]["re"] == 7
        return answers[-1]

    def refusal(self, word, *arguments):
        return protocol.REFUSALS[self.ask(word, *arguments)["no"]]


def test_hello_says_who_the_board_is():
    assert Bench().ask("hello")["is"] == "rp2040 bench e601 0.1+abc"


def test_a_name_that_would_break_the_line_is_told_without_its_quotes():
    assert Bench(words='a "b" \\c').ask("hello")["is"] == "a 'b' /c"


def test_get_tells_the_value_in_force_and_whether_it_is_stored():
    bench = Bench()
    assert bench.ask("get", NUMBER_OF_MAX)["ok"] == [NUMBER_OF_MAX, 16000, 1]
    assert bench.ask("get", find("inlet")[0])["ok"] == [1, 1, 0]
    assert bench.refusal("get", 999) == "no_such_entry"


def test_settings_are_kept_aside_until_they_are_stored_whole():
    bench = Bench()
    bench.ask("set", NUMBER_OF_MAX, 20000)
    bench.ask("set", find("inlet")[0], 0)
    assert bench.board.calls == []
    bench.ask("store")
    assert bench.board.stored == {"max_current_ma": 20000, "inlet": 0}
    assert bench.settings.max_current_ma == 16000, "in force after the restart"
    assert bench.long_passes == 3


def test_the_table_is_loaded_once_for_all_that_is_set_and_forgotten_when_it_is_stored(monkeypatch):
    """Each loading is a late pass: a row of them would end in F_INTERNAL."""
    forgotten, loaded = [], []
    real = __import__

    def load(name, *rest):
        if name == "setting_rows":
            loaded.append(name)
        return real(name, *rest)

    bench = Bench()
    monkeypatch.setattr("vehicle.desk.unload", forgotten.append)
    monkeypatch.setattr("builtins.__import__", load)
    for value in range(20000, 20030):
        bench.ask("set", NUMBER_OF_MAX, value)
    assert loaded == ["setting_rows"] and forgotten == []
    bench.ask("set", find("inlet")[0], 0)
    bench.ask("store")
    assert loaded == forgotten == ["setting_rows"]
    bench.ask("set", NUMBER_OF_MAX, 20000)
    bench.ask("clear")
    assert loaded == forgotten == ["setting_rows"] * 2


@pytest.mark.parametrize("word", ["store", "clear"])
@pytest.mark.parametrize("error", [OSError(28), ValueError("full"), MemoryError(), ImportError()])
def test_whatever_ends_a_write_is_told_and_the_loop_goes_on(word, error):
    """A board loads the store's code for it."""
    bench = Bench()
    bench.ask("set", find("inlet")[0], 0)
    if word == "clear":
        bench.ask("clear")

        def forget():
            raise error

        bench.board.forget = forget
    bench.board.error = error
    assert bench.refusal("store") == "write_failed"


def test_a_setting_out_of_bounds_is_refused_and_nothing_is_stored():
    bench = Bench()
    assert bench.refusal("set", NUMBER_OF_MAX, 80001) == "out_of_bounds"
    assert bench.refusal("set", 999, 1) == "no_such_entry"
    bench.ask("store")
    assert bench.board.calls == []


@pytest.mark.parametrize("error", [ValueError("damaged"), OSError(5), MemoryError()])
def test_settings_that_cannot_be_read_are_not_changed_but_may_be_set_anew(error):
    bench = Bench()
    bench.board.stored = error
    assert bench.refusal("set", NUMBER_OF_MAX, 20000) == "write_failed"
    bench.ask("clear")
    bench.ask("set", NUMBER_OF_MAX, 20000)
    bench.ask("set", find("inlet")[0], 1)
    bench.ask("store")
    assert bench.board.stored == {"max_current_ma": 20000, "inlet": 1}


def test_settings_without_the_kind_of_inlet_or_its_rating_are_not_stored():
    bench = Bench(stored=None)
    bench.board.stored = None
    bench.ask("set", find("plug_debounce_ms")[0], 600)
    assert bench.refusal("store") == "incomplete"
    bench.ask("set", NUMBER_OF_MAX, 20000)
    assert bench.refusal("store") == "incomplete"
    assert bench.board.calls == []
    bench.ask("set", find("inlet")[0], 1)
    bench.ask("store")
    assert bench.board.calls == ["store"]


def test_what_comes_behind_a_command_changes_nothing_of_it():
    """A line is heard in the same pass: its number and arguments must not take the place of the command's own."""
    bench = Bench()
    damaged = line("set", NUMBER_OF_MAX, 80000, number=9).replace(b'"x":"', b'"x":"0')
    bench.send(
        line("set", NUMBER_OF_MAX, 16000, number=8)
        + damaged
        + line("set", find("inlet")[0], 0, number=10)
    )
    bench.go(10)
    assert [told["re"] for told in bench.lines("re")] == [8, 10]
    bench.ask("store")
    assert bench.board.stored == {"max_current_ma": 16000, "inlet": 0}


def test_stop_is_heard_although_nobody_reads_the_answers():
    bench = Bench()
    bench.c.session = 2
    bench.go()
    bench.is_stuck = True
    bench.waiting += line("hello") + line("hello") + line("stop")
    bench.go(150)
    assert bench.r.console_stop


def test_clear_and_store_leave_nothing_stored():
    bench = Bench()
    bench.ask("clear")
    assert bench.board.calls == []
    bench.ask("store")
    assert bench.board.calls == ["forget"]


def test_a_flash_that_fails_is_told():
    bench = Bench()
    bench.board.error = OSError(28)
    bench.ask("set", NUMBER_OF_MAX, 20000)
    bench.ask("set", find("inlet")[0], 1)
    assert bench.refusal("store") == "write_failed"


@pytest.mark.parametrize(
    "energised", [{"s2_close": True}, {"lock_drive": -1}, {"session": 1}, {"session": 4}]
)
@pytest.mark.parametrize(
    "word, arguments",
    [
        ("set", (NUMBER_OF_MAX, 20000)),
        ("clear", ()),
        ("store", ()),
        ("restart", ()),
    ],
)
def test_what_changes_the_board_is_refused_with_a_plug_in_or_anything_energised(
    energised, word, arguments
):
    bench = Bench()
    for name, value in energised.items():
        setattr(bench.c, name, value)
    assert bench.refusal(word, *arguments) == "not_idle"
    assert bench.board.calls == []


@pytest.mark.parametrize("reason", [PP_INVALID, SETTINGS])
def test_settings_that_are_wrong_do_not_keep_the_board_from_being_set_right(reason):
    bench = Bench()
    bench.c.session, bench.c.reasons = 1, reason
    assert bench.ask("set", NUMBER_OF_MAX, 20000)["ok"] == []


def test_the_lock_is_tried_in_service_mode_only_and_for_one_pass():
    bench = Bench()
    assert bench.refusal("lock") == "not_in_service"
    bench.c.reasons = SERVICE_MODE
    seen = []
    bench.waiting += line("unlock")
    for _ in range(6):
        bench.go()
        seen.append(bench.r.test_lock)
    assert seen.count(-1) == 1 and seen.count(1) == 0


def test_stop_is_wanted_until_the_plug_is_out():
    bench = Bench()
    bench.c.session = 2
    bench.ask("stop")
    bench.go(500)
    assert bench.r.console_stop
    bench.c.session = 0
    bench.go(2)
    assert not bench.r.console_stop


def test_restart_comes_after_its_answer_and_not_while_energised():
    bench = Bench()
    bench.ask("restart")
    assert bench.board.calls == []
    bench.c.session = 1
    bench.go(60)
    assert bench.board.calls == []
    bench.c.session = 0
    bench.go(60)
    assert bench.board.calls == [], "dropped: a plug came in meanwhile"
    bench.ask("restart")
    bench.go(60)
    assert bench.board.calls == ["restart"]


def test_readings_come_at_the_rate_asked_for_in_the_protocols_order():
    bench = Bench()
    r = bench.r
    r.pilot_count = 5
    r.pilot_high_us_x10[:] = array("i", [2660, 9, 2667, 2680, 2667])
    r.pilot_period_us_x10[:] = array("i", [9990, 10000, 20000, 10000, 10000])
    r.temp_age_ms[2] = 60000
    r.holds, r.dc_mv, r.modem_permits_unlock = 5, 400_000, True
    r.cp_low_mv, r.pp_mv, r.temp_mv[3], r.charger_ma = -11950, 1510, 1234, 15900
    r.cp_ok = r.pp_ok = r.ac_present = r.output_lost = True
    r.temp_ok[1] = 1
    bench.ask("rate", 100)
    bench.said.clear()
    bench.go(105)
    told = bench.lines("r")
    assert 10 <= len(told) <= 11
    values = dict(zip(protocol.READINGS, told[0]["r"], strict=True))
    assert values["pilot_high_us_x10"] == 2667 and values["cp_low_mv"] == -11950
    assert [values["pilot_high_more_us_x10_%d" % n] for n in (1, 2, 3, 4)] == [13, 0, -2658, -7]
    assert [values["pilot_period_more_us_x10_%d" % n] for n in (1, 2, 3, 4)] == [0, 10000, 0, -10]
    assert [values["temp_age_ms_%d" % n] for n in range(4)] == [0, 0, 60000, 0]
    assert (values["pp_mv"], values["temp_mv_3"], values["charger_ma"]) == (1510, 1234, 15900)
    on = [name for n, name in enumerate(protocol.FLAGS) if values["flags"] >> n & 1]
    assert on == [
        "cp_ok",
        "pp_ok",
        "temp_ok_1",
        "ac_present",
        "output_lost",
        "modem_permits_unlock",
    ]
    assert (values["holds"], values["dc_mv"], values["modem_age_ms"]) == (5, 400_000, 60_000)
    bench.ask("rate", 0)
    bench.said.clear()
    bench.go(200)
    assert bench.lines("r") == []


@pytest.mark.parametrize("rate_ms", [1, 19, 60001, -5])
def test_a_rate_out_of_bounds_is_refused(rate_ms):
    assert Bench().refusal("rate", rate_ms) == "out_of_bounds"


def test_readings_hold_no_change_back():
    bench = Bench()
    bench.ask("rate", 20)
    for session in (1, 2, 1, 2):
        bench.c.session = session
        bench.go(8)
    assert [told["c"][5] for told in bench.lines("c")][-4:] == [1, 2, 1, 2]


def test_readings_count_nothing_and_carry_the_number_that_comes_next():
    bench = Bench()
    bench.ask("rate", 50)
    bench.go(300)
    numbers = [told["n"] for told in bench.lines("c")]
    assert numbers == list(range(len(numbers)))
    assert {told["n"] for told in bench.lines("r")} <= {*numbers, len(numbers)}


def test_log_tells_the_changes_newest_first_and_no_heartbeat():
    bench = Bench()
    for session in range(1, 41):
        bench.c.session = session % 6
        bench.go(110)
    told = [bench.ask("log", n)["ok"] for n in range(protocol.LOG_LINES)]
    assert [entry[7] for entry in told] == [session % 6 for session in range(40, 24, -1)]
    assert all(len(entry) == 19 and entry[18] == 3 for entry in told)
    assert bench.refusal("log", protocol.LOG_LINES) == "no_such_entry"


def test_wrong_words_and_arguments_are_refused_by_name():
    bench = Bench()
    assert bench.refusal("jump") == "no_such_word"
    assert bench.refusal("hell") == "no_such_word"
    assert bench.refusal("hello", 1) == "wrong_arguments"
    assert bench.refusal("set", 1) == "wrong_arguments"


@pytest.mark.parametrize(
    "data",
    [
        b"\n", b"\r\n", b"{}\n", b'{"v":2,"id":1,"do":"stop","a":[],"x":"0000"}\n',
        line("stop").replace(b"stop", b"stap"), line("stop")[:-3] + b"\n", line("stop")[1:],
        line("set", *range(9)), line("rate", 99999999999), line("stop").replace(b'"a":[]', b'"a":[,]'),
        line("rate", 50).replace(b"[50]", b"[50,]"), line("a" * 13), line("stop").replace(b"}", b"}x"),
        line("stop").replace(b'"x":"', b'"x":"0'), b'{"v":1,"id":,"do":"stop","a":[],"x":"0000"}\n',
    ],
)  # fmt: skip
def test_a_line_that_is_not_whole_is_dropped_and_the_next_one_heard(data):
    bench = Bench()
    bench.send(data)
    assert bench.lines("re") == [] and not bench.r.console_stop
    bench.ask("hello")


def test_a_carriage_return_before_the_line_feed_is_taken():
    bench = Bench()
    bench.send(line("hello").replace(b"\n", b"\r\n"))
    assert len(bench.lines("re")) == 1


def test_the_longest_answers_fit():
    bench = Bench()
    bench.c.reasons, bench.c.faults = 0x3FFFFFFF, 0x3FFFFFFF
    bench.c.charger_ma = -0x3FFFFFFF
    bench.go(20)
    assert len(bench.ask("log", 0)["ok"]) == 19


def storm(bench, data):
    for start in range(0, len(data), 64):
        bench.waiting += data[start : start + 64]
        bench.go()
        bench.said.clear()
    while bench.waiting:
        bench.go()


@given(st.binary(max_size=300))
def test_no_bytes_change_anything(data):
    bench = Bench()
    storm(bench, data)
    assert (bench.board.calls, bench.board.stored) == ([], {"max_current_ma": 16000})
    assert bench.settings.max_current_ma == 16000 and not bench.r.console_stop


def test_a_million_random_bytes_change_nothing_and_the_desk_still_answers():
    bench = Bench()
    storm(bench, random.Random(4).randbytes(1_000_000))
    assert bench.board.calls == [] and bench.long_passes == 0
    bench.send(b"\n")
    assert bench.ask("hello")["is"].startswith("rp2040")


def mangled_lines(count, seed):
    """Return lines that were once commands: cut, one byte changed, two run together, or noise."""
    dice = random.Random(seed)
    whole = [
        line("stop"),
        line("set", 1, 0),
        line("store"),
        line("restart"),
        line("rate", 20),
        line("clear"),
    ]
    made = bytearray()
    for _ in range(count):
        data = bytearray(dice.choice(whole))
        kind = dice.randrange(4)
        if kind == 0:
            del data[dice.randrange(1, len(data) - 1) : -1]
        elif kind == 1:
            at = dice.randrange(len(data) - 1)
            data[at] ^= 1 << dice.randrange(7)
        elif kind == 2:
            data = data[:-1] + bytearray(dice.choice(whole))
        else:
            data = bytearray(dice.randbytes(dice.randrange(1, 40)))
            data += b"\n"
        made += data
    return bytes(made)


def test_a_hundred_thousand_mangled_commands_are_never_obeyed():
    bench = Bench()
    storm(bench, mangled_lines(100_000, 5))
    assert bench.board.calls == [] and bench.long_passes == 0 and not bench.r.console_stop
    # What was cut at its line feed alone begins the next line: at most those are not counted.
    assert bench.desk.line.damaged > 75_000


def test_every_setting_has_a_number_of_its_own():
    numbers = [row[0] for row in TABLE]
    assert len(set(numbers)) == len(numbers)


MPY = """
import gc, micropython
from settings import Settings
from signals import Commands, Readings
from ticks import ticks_add
from vehicle.console import Report
from vehicle.desk import Desk

report = Report()
from ports.keeper import Keeper

payload = bytes(range(100, 140))
desk = Desk(None, Settings({"max_current_ma": 16000}), report, "rp2040 bench e6 0.1", None, Keeper(None, payload, False))
r, c = Readings(), Commands()
r.pilot_count = 5
c.s2_close = True
said = bytearray(60000)
place = [0]

def live(data):
    at = 0
    now_ms = 0x3FFFFF00
    for n in range(3000):
        now_ms = ticks_add(now_ms, 10)
        c.session = n // 50 % 6
        desk.fill(r)
        report.tick(now_ms, c, 0)
        desk.tick(now_ms, r, c, 0)
        for _ in range(40):
            if report.pending():
                said[place[0] % 60000] = report.take()
                place[0] += 1
        for _ in range(20):
            if at < len(data) and not desk.is_full:
                desk.hear(data[at])
                at += 1
    return at

def run(data):
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    try:
        taken = live(data)
    finally:
        micropython.heap_unlock()
    print("RAN", gc.mem_alloc() - before, taken, desk.line.damaged, desk.is_full)
    for text in bytes(said[:place[0]]).split(b"\\n"):
        if b'"re"' in text or b'"r":' in text:
            print(text.decode())
"""


@pytest.mark.mpy
def test_a_board_allocates_nothing_for_commands_readings_or_garbage(tmp_path):
    data = b"".join(
        [
            line("hello", number=1), line("get", NUMBER_OF_MAX, number=2), mangled_lines(400, 6), b"\n",
            line("stop", number=3), line("log", 0, number=4), line("store", number=5), line("rate", 500, number=6),
            line("jump", number=8), line("port_read", 0, number=9), line("port_read", 27, number=10),
            line("port_read", 2**30 - 1, number=11), line("port_set", 20, number=12),
        ]
    )  # fmt: skip
    names = ("vehicle/__init__.py", "vehicle/console.py", "vehicle/desk.py", "vehicle/line_in.py", "vehicle/protocol.py", "vehicle/reading.py", "signals.py",
             "ticks.py", "faults.py", "settings.py", "setting_rows.py", "modules.py", "ports/__init__.py", "ports/keeper.py")  # fmt: skip
    said = run_script(tmp_path, MPY + f"run({data!r})\n", names)
    allocated, taken, damaged, _ = said[0].split()[1:]
    assert (int(allocated), int(taken)) == (0, len(data))
    assert int(damaged) > 300
    answers = [json.loads(text) for text in said[1:] if '"re"' in text]
    assert [told["re"] for told in answers] == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12]
    assert answers[1]["ok"] == [NUMBER_OF_MAX, 16000, 1] and len(answers[3]["ok"]) == 19
    assert protocol.REFUSALS[answers[4]["no"]] == "not_idle", "S2 is closed"
    read = [b"".join(n.to_bytes(3, "little") for n in told["ok"][1:]) for told in answers[7:10]]
    assert read == [bytes(range(100, 127)), bytes(range(127, 140)) + bytes(14), bytes(27)]
    assert [told["ok"][0] for told in answers[7:10]] == [40, 40, 40]
    assert protocol.REFUSALS[answers[10]["no"]] == "not_idle"
    assert len(said) - 1 - len(answers) > 3, "readings at their rate"


def test_line_numbers_wrap_below_a_big_int():
    bench = Bench()
    bench.report.number = 0x3FFFFFFF
    bench.go(250)
    assert [told["n"] for told in bench.lines("c")] == [0x3FFFFFFF, 0, 1]


def test_a_number_without_end_is_no_line():
    bench = Bench()
    bench.send(b'{"v":1,"id":' + b"0" * 200 + b"7" + line("stop")[13:])
    assert bench.lines("re") == [] and bench.desk.line._at < 20
