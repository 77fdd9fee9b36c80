"""inletctl.fuzz: bytes nobody meant, fed to everything that reads bytes; and readers that are wrong on purpose, which it must find."""

import json
import os
import subprocess
import time
from dataclasses import replace

import pytest
from click.testing import CliRunner

from drivers.flash_log import FlashLog
from drivers.log_reader import LogReader
from drivers.store import SettingsStore
from inletctl.cli import cli
from inletctl.fuzz import can, flash, known_bad, replays, serial, texts
from inletctl.fuzz.guided import guide, is_there
from inletctl.fuzz.harness import Crash, check, python
from inletctl.fuzz.mutate import smaller
from inletctl.fuzz.plain import CRASHES, feed, keep, kept, minimise
from inletctl.fuzz.targets import KNOWN_BAD, TARGETS, target
from inletctl.house import ROOT
from inletctl.scenario.write import format_scenario
from journal.verdict import Verdict
from vehicle.desk import Desk
from vehicle.e2e import OK
from vehicle.line_in import LineIn

# Fixed: a run repeats, and a change is not blamed for what was there before it. `make fuzz` takes another each time.
SEED = 20261121
RUNS = 200
CRASH_FILES = sorted(CRASHES.glob("*/*.bin"))


# ------------------------------------------------------------------------------ what must hold


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_is_fed_is_taken_or_refused_in_a_sentence(name):
    result = feed(target(name), SEED, RUNS // 5 if name == "replay" else RUNS)
    print("seed", SEED, "runs", result.runs, "taken", result.accepted, "refused", result.refused)
    assert [str(found.crash) for found in result.found.values()] == []
    # Neither a reader that takes all nor one that takes nothing would have been fed anything worth it.
    assert result.accepted >= 5
    assert result.refused >= 5 or name == "journal-files"


@pytest.mark.parametrize("name", TARGETS)
def test_what_the_repository_has_is_taken_within_the_limits_of_memory(name):
    harness = target(name)
    taken = sum(
        not check(harness, data, with_memory=True)
        for data in {*harness.seeds[:2], *harness.seeds[-2:]}
    )
    assert taken >= 2, "fed from what its reader refuses"


@pytest.mark.parametrize(
    "path", CRASH_FILES, ids=lambda path: "%s/%s" % (path.parent.name, path.stem)
)
def test_what_once_broke_a_reader_breaks_it_no_more(path):
    harness, data = target(path.parent.name), path.read_bytes()
    check(harness, data)
    check(harness, data, with_memory=True)


def test_every_kept_input_is_of_a_reader_that_there_is():
    assert {path.parent.name for path in CRASH_FILES} <= set(TARGETS)
    assert CRASH_FILES, "those that were found are kept"


def test_journal_inputs_hold_records_that_are_read():
    """Else the reader of the files would only ever see what it sets aside."""
    harness = target("journal-files")
    found = [len(flash.records_of(flash._files_of(data))) for data in harness.seeds]
    assert max(found) >= 3 and min(found) >= 1


def test_a_journal_of_whole_records_sees_each_state_of_the_plug_in(monkeypatch):
    """Else what is judged of a plug-in would be judged of none."""
    harness = target("journal-records")
    moves = []
    moved = Verdict._moved

    def watched(self, now_ms, r, c):
        moves.append((self._session, c.session))
        moved(self, now_ms, r, c)

    monkeypatch.setattr(Verdict, "_moved", watched)
    for data in harness.seeds:
        moves.clear()
        check(harness, data)
        assert moves == [(0, 1), (1, 2), (2, 3), (3, 0)]


# ------------------------------------------------------------------- wrong on purpose, and found


class DeafToDamage(LineIn):
    """Takes any check sum."""

    def _end(self, state):
        self._told_crc = self._crc
        return super()._end(state)


class DrivingDesk(Desk):
    """Drives the lock for a pass where somebody says `hello`, in service mode or not."""

    def _do_hello(self, now_ms):
        self._test_lock = 1
        super()._do_hello(now_ms)


class StoppingDesk(Desk):
    """Takes any command for a `stop`, until the plug is out."""

    def _do_hello(self, now_ms):
        self.stop()
        super()._do_hello(now_ms)


class StoppingEmptyDesk(Desk):
    """Stops for a pass, with nothing plugged in."""

    def _do_hello(self, now_ms):
        if self._is_unplugged:
            self.stop()
        super()._do_hello(now_ms)


class TidyStore(SettingsStore):
    """Removes a file that it cannot read."""

    def read(self):
        try:
            return super().read()
        except ValueError:
            self._files.remove(self._path)
            raise


class TrustingReader(LogReader):
    """Takes any record for whole."""

    def _read_at(self, file, at, size, above):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or head[0] != 0x4A or not head[1]:
            return False
        self.kind, self.number = head[1], int.from_bytes(head[4:8], "little")
        self.payload = file.read(head[2])
        return self.number > above


class StuckLog(FlashLog):
    """Writes each record under the number that is next, and does not count it."""

    def _count(self, at, size, kind, number):
        last = self.last
        super()._count(at, size, kind, number)
        self.last = last


class LosingLog(FlashLog):
    """Says that it has written what it has not."""

    def _put(self, kind, payload):
        self.last += 1
        return True


def trusting_reader(files):
    return TrustingReader("/journal", (), 3, 2048, files)


def without_checksum(box):
    box._e2e.check = lambda _data, _length: OK


def half_decoded(box):
    """Write the first value although the frame is refused."""
    decode = box._decode

    def spoilt(data, values):
        is_good = decode(data, values)
        if not is_good:
            setattr(values, sorted(vars(values))[0], data[0])
        return is_good

    box._decode = spoilt


def loosening_fill(payload, r):
    r.port_ma = int.from_bytes(payload[4:8], "little")


def forgetful_format(found, language):
    """Write the first line of the timeline only."""
    return format_scenario(replace(found, timeline=found.timeline[:1]), language)


BAD = {
    "divides": (known_bad.divides, "ZeroDivisionError"),
    "loops": (known_bad.loops, "too-slow"),
    "babbles": (known_bad.babbles, "no-sentence"),
    "rambles": (known_bad.rambles, "no-sentence"),
    "quits": (known_bad.quits, "SystemExit"),
    "is dumb": (known_bad.is_dumb, "no-sentence"),
    "takes any check sum of a line": (lambda: serial.console(DeafToDamage), "obeyed"),
    "drives the lock": (lambda: serial.console(desk_of=DrivingDesk), "changed"),
    "stops unasked": (lambda: serial.console(desk_of=StoppingDesk), "changed"),
    "stops unasked with nothing plugged in": (
        lambda: serial.console(desk_of=StoppingEmptyDesk),
        "changed",
    ),
    "removes what it cannot read": (
        lambda: texts.settings_file(lambda files: TidyStore(files=files)),
        "changed",
    ),
    "forgets when it writes": (lambda: texts.scenario(forgetful_format), "not-again"),
    "takes any record": (lambda: flash.journal_files(trusting_reader), "believed"),
    "counts no record": (lambda: flash.journal_files(log_of=StuckLog), "disorder"),
    "writes no record": (lambda: flash.journal_files(log_of=LosingLog), "lost"),
    "takes any frame": (lambda: can.bus("native", without_checksum), "believed"),
    "knows what it refuses": (lambda: can.bus("cpc", half_decoded), "changed"),
    "loosens": (lambda: flash.ports_flash(loosening_fill), "loosened"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_reader_that_is_wrong_on_purpose_is_found(name):
    make, kind = BAD[name]
    result = feed(make(), SEED, {"loops": 20, "divides": 400}.get(name, 200))
    assert kind in {found.crash.kind for found in result.found.values()}


@pytest.mark.parametrize(("module", "make"), [(flash, flash.blackbox), (replays, replays.replays)])
def test_all_that_is_said_of_black_boxes_is_judged(module, make, monkeypatch):
    harness = make()
    monkeypatch.setattr(module, "boxes_of", lambda _entries: ([], ["one is cut", "this\x1b[2J"]))
    with pytest.raises(Crash, match="breaks the line"):
        check(harness, b"\x01")


def test_a_reader_that_hoards_memory_is_found():
    harness = known_bad.hoards()
    check(harness, b"\x10\x00\x00\x00", with_memory=True)
    with pytest.raises(Crash) as caught:
        check(harness, b"\xff\xff\xff\x0f", with_memory=True)
    assert caught.value.kind == "memory"
    (found,) = feed(harness, SEED, RUNS).found.values()
    assert found.crash.kind == "memory"
    small = minimise(harness, found, 60)
    assert len(small.data) <= 4 and small.crash.signature == found.crash.signature


def test_a_crash_is_made_small_and_stays_the_same(tmp_path):
    harness = known_bad.divides()
    result = feed(harness, SEED, 500)
    (found,) = result.found.values()
    small = minimise(harness, found)
    assert small.data == b"0\x00" and small.crash.signature == found.crash.signature
    path = keep(harness.name, small, tmp_path)
    assert kept(harness.name, tmp_path) == (path,) and path.read_bytes() == small.data


def test_smaller_keeps_what_matters_wherever_it_is():
    assert smaller(b"x" * 300 + b"key" + b"y" * 300, lambda data: b"key" in data, 5000) == b"key"


def test_a_run_repeats_with_its_seed_whatever_was_kept_meanwhile():
    kept_by_then = ((), (), (b"0\x00", b"x"))
    fed = []
    for kept_files in kept_by_then:
        seen = []
        harness = known_bad.divides()
        spy = type(harness)(harness.name, seen.append, harness.seeds)
        feed(spy, 7, 200, kept_files)
        fed.append([data for n, data in enumerate(seen) if not 2 <= n < 2 + len(kept_files)])
    assert fed[0] == fed[1] == fed[2] and len(set(fed[0])) > 100


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone stays as it is")
def test_the_seeds_of_every_reader_are_the_same_whenever_and_wherever_they_are_made(monkeypatch):
    made = []
    try:
        for zone in ("UTC-3", "UTC+9"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            flash.a_run.cache_clear()
            made.append({name: list(target(name).seeds) for name in TARGETS})
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [name for name in TARGETS if made[0][name] != made[1][name]] == []


guided = pytest.mark.skipif(
    not is_there(), reason="atheris is not installed: there are wheels for Linux on x86-64 only"
)


@guided
def test_the_guide_finds_what_chance_does_not(tmp_path):
    harness = known_bad.magic()
    assert not feed(harness, SEED, 20_000).found
    result, status = guide(harness, 300, 3, tmp_path, runs=100_000)
    assert [found.crash.kind for found in result.found.values()] == ["KeyError"]
    assert status.branches > 0


@guided
def test_modules_that_a_reader_loads_when_it_needs_them_guide_too(tmp_path):
    done = subprocess.run(
        [python(), "-m", "inletctl.fuzz.child", "console", str(tmp_path), "-runs=1"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    told = {
        line.rpartition(" ")[2] for line in done.stderr.splitlines() if "Instrumenting" in line
    }
    assert {"ports.change", "ports.records", "setting_rows"} <= told


@guided
def test_an_input_that_ends_the_process_while_the_corpus_is_loaded_is_found(tmp_path):
    # Here it does nothing, as one that takes too much memory would not.
    harness = replace(known_bad.ends(), run=lambda data: None)
    result, _ = guide(harness, 300, 1, tmp_path, runs=200)
    assert [(found.crash.kind, found.data) for found in result.found.values()] == [
        ("crash", b"abc")
    ]
    assert not result.problem


# ------------------------------------------------------------------------------- the command line


def fuzz(*arguments):
    return CliRunner().invoke(cli, ["fuzz", *arguments])


def fuzz_known_bad(monkeypatch, tmp_path, name, *arguments):
    monkeypatch.setitem(TARGETS, name, KNOWN_BAD[name])
    folders = ("--crashes", str(tmp_path / "crashes"), "--corpus", str(tmp_path / "corpus"))
    done = fuzz(name, "--seed", "1", "--json", *folders, *arguments)
    (row,) = json.loads(done.stdout.partition("\nAborted!")[0])["targets"]
    return done.exit_code, row, [path.read_bytes() for path in kept(name, tmp_path / "crashes")]


@guided
def test_what_the_guide_finds_and_does_not_repeat_alone_is_kept_and_told(monkeypatch, tmp_path):
    status, row, files = fuzz_known_bad(
        monkeypatch, tmp_path, "known-bad-remembers", "--minutes", "0.01"
    )
    (crash,) = row["crashes"]
    assert (status, crash["kind"], row["problem"], len(files)) == (1, "does-not-repeat", "", 1)
    assert "KeyError at " in crash["what"]


@guided
def test_a_process_that_is_killed_is_told(monkeypatch, tmp_path):
    status, row, files = fuzz_known_bad(
        monkeypatch, tmp_path, "known-bad-killed", "--minutes", "5"
    )
    assert (status, row["crashes"], files) == (3, [], [])
    assert "known-bad-killed has ended with status -9" in row["problem"]


def test_what_was_found_is_kept_where_a_person_stops_it(monkeypatch, tmp_path):
    status, row, files = fuzz_known_bad(
        monkeypatch, tmp_path, "known-bad-interrupted", "--minutes", "5", "--unguided"
    )
    assert (status, row["inputs"]) == (1, 30)
    assert [crash["kind"] for crash in row["crashes"]] == ["ZeroDivisionError"]
    assert len(files) == 1


def test_list_names_every_reader():
    done = fuzz("--list", "--json")
    assert done.exit_code == 0
    assert [row["name"] for row in json.loads(done.output)] == list(TARGETS)


def test_a_short_run_says_its_seed_and_ends_in_order(tmp_path):
    done = fuzz(
        "settings-words",
        "--unguided",
        "--minutes",
        "0.003",
        "--seed",
        "5",
        "--crashes",
        str(tmp_path),
        "--json",
    )
    said = json.loads(done.output)
    assert (done.exit_code, said["seed"], said["guided"]) == (0, 5, False)
    assert said["targets"][0]["inputs"] > 60 and said["targets"][0]["crashes"] == []
    assert not list(tmp_path.iterdir())


def test_one_file_is_fed_and_what_came_of_it_is_said(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"inlet=type2")
    assert fuzz("settings-words", "--file", str(path)).output == "accepted\n"
    path.write_bytes(b"inlet=type3")
    assert fuzz("settings-words", "--file", str(path)).output.startswith(
        "refused: inlet is one of"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nonsense",), "there is no 'nonsense' to feed"),
        (("--file", "x"), "name it"),
        (("log", "--file", "/nowhere/x"), "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(arguments, words):
    done = fuzz(*arguments)
    assert done.exit_code != 0 and words in str(done.exception)


def test_what_is_kept_is_under_the_tests():
    assert CRASHES == ROOT / "host_tests" / "fuzz_crashes"
