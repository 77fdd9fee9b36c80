"""The thread that talks to the board: what it asks, what it hands over, and what the log keeps, whatever happens."""

import pytest
from monitor_fakes import CHARGING, FakePort, commands, readings

from inletctl.errors import UserError
from inletctl.link.log import Asked, Mark, read_log
from inletctl.monitor.feed import BoardFeed
from inletctl.monitor.model import LOST, Monitor


class Run:
    """A feed over fake ports, run in this thread until a step ends it."""

    def __init__(self, *ports, log=None):
        self.model = Monitor()
        self.lines = []
        self._ports = list(ports)
        self.feed = BoardFeed(
            self._open, lambda change: change(self.model), 50, log, self.lines.append
        )
        # Without waiting between two tries of a port.
        self.feed._is_over.wait = lambda _seconds: None

    def _open(self):
        if not self._ports:
            self.feed.end()
            raise UserError("There is no port /dev/none.")
        return self._ports.pop(0)

    def __call__(self):
        self.feed.run()
        return [event.text for event in self.model.events]


def say(*lines):
    return lambda port: port.say(*lines)


def test_board_is_greeted_asked_for_readings_and_for_its_settings():
    port = FakePort(say(commands(0, 0, **CHARGING), readings(1, 50)))
    run = Run(port)
    run()
    assert port.heard[:2] == [("hello",), ("rate", 50)]
    assert ("get", 1) in port.heard
    assert run.model.identity == "rp2040 test-board 0011, firmware abcdef"
    assert run.model.are_settings_known
    assert run.model.word("session") == "charging"
    assert run.model.readings["pp_mv"] == 1906
    assert port.is_closed


def test_question_is_asked_and_its_answer_told():
    port = FakePort(answers={"lock": {"no": 3}, "frobnicate": {"no": 0}})
    run = Run(port)
    for question in (("lock",), ("stop",), ("rate", 200), ("rate", 0)):
        run.feed.ask(*question)
    told = run()
    assert ("rate", 200) in port.heard
    assert any(text.startswith("lock: refused. The board is not in service mode") for text in told)
    assert any(text.startswith("stop: obeyed") for text in told)
    assert "readings: every 200 ms" in told
    assert "readings: none" in told


def test_lost_port_is_told_and_opened_again_and_nothing_is_lost_from_the_log(tmp_path):
    path = tmp_path / "a.log"
    first = FakePort(say(commands(7, 1000, **CHARGING), readings(8, 1050)))
    second = FakePort(say(commands(9, 5000, **CHARGING)))
    run = Run(first, second, log=path)
    told = run()
    assert told.count("The port is lost: unplugged.") == 2
    assert "connected again" in told
    assert run.model.link == LOST
    log = read_log(path)
    assert (log.header.board, log.header.firmware) == ("test-board", "abcdef")
    assert log.header.settings["inlet"] == 1
    assert [entry.number for entry in log.entries if hasattr(entry, "number")] == [7, 8, 9]
    marks = [entry for entry in log.entries if isinstance(entry, Mark)]
    assert marks[0] == (1050, "the port was lost")
    assert marks[1].text.startswith("connected again: rp2040 test-board")


def test_port_that_does_not_come_back_is_told(tmp_path):
    run = Run(FakePort(say(commands(0, 0))))
    run()
    assert (run.model.link, run.model.link_words) == (LOST, "There is no port /dev/none.")


def test_log_keeps_every_good_line_as_it_came_with_marks_and_what_was_obeyed(tmp_path):
    path = tmp_path / "deep" / "a.log"

    def mark_and_stop(port):
        run.feed.mark("drill begins")
        run.feed.ask("stop")
        port.say(readings(6, 2000))

    port = FakePort(
        say(commands(5, 1500)),
        mark_and_stop,
        lambda port: port.say_raw(b'{"v":1,"t":17,"n"'),
        say(readings(7, 2100)),
    )
    run = Run(port, log=path)
    run()
    log = read_log(path)
    assert Mark(2000, "drill begins") in log.entries
    assert Asked(2000, "stop", ()) in log.entries
    text = path.read_bytes()
    assert all(line + b"\n" in text for line in run.lines)
    assert b'"t":17,' not in text
    assert run.model.damaged == 1


def test_restarted_board_is_asked_for_its_readings_again():
    port = FakePort(say(commands(50, 9000)), say(commands(0, 10)), say(commands(1, 20)))
    run = Run(port)
    told = run()
    assert port.heard.count(("rate", 50)) == 2
    assert "the board has restarted" in told
    assert run.model.restarts == 1


def test_board_that_reports_but_does_not_answer_is_watched_and_recorded_all_the_same(
    tmp_path, monkeypatch
):
    path = tmp_path / "a.log"
    now = [0.0]
    steps = [say(commands(n, n * 1000, **CHARGING)) for n in range(20)]

    class Slow(FakePort):
        def read(self, timeout_s):
            now[0] += 0.5
            return super().read(timeout_s)

    port = Slow(*steps, answers={"hello": None})
    run = Run(port, log=path)
    run.feed._clock = lambda: now[0]
    told = run()
    assert any(text.startswith("The board reports but answers nothing") for text in told)
    assert run.model.word("session") == "charging"
    log = read_log(path)
    assert (log.header.board, log.header.settings) == ("unknown", None)
    assert len(log.entries) >= 20


def test_log_that_cannot_be_written_is_told_and_watching_goes_on(tmp_path):
    path = tmp_path / "a.log"
    path.write_text("mine")
    run = Run(FakePort(say(commands(0, 0, **CHARGING))), log=path)
    told = run()
    assert any(text.startswith("Nothing is recorded. %s is there already" % path) for text in told)
    assert path.read_text() == "mine"
    assert run.model.word("session") == "charging"


def test_disk_that_fills_ends_the_recording_with_a_sentence(tmp_path, monkeypatch):
    def full(self, line):
        raise UserError("%s: cannot be written: No space left on device." % self.path)

    monkeypatch.setattr("inletctl.link.log.LogWriter.line", full)
    run = Run(
        FakePort(say(commands(0, 0)), say(commands(1, 1000, **CHARGING))), log=tmp_path / "a.log"
    )
    told = run()
    assert sum(text.startswith("The recording has ended.") for text in told) == 1
    assert run.model.word("session") == "charging"


def test_no_board_ever_heard_leaves_no_log_behind(tmp_path):
    run = Run(log=tmp_path / "a.log")
    run()
    assert list(tmp_path.iterdir()) == []


def test_stop_ends_the_thread_even_while_an_answer_is_waited_for():
    port = FakePort(*[lambda port: None] * 10_000_000, answers={"hello": None})
    model = Monitor()
    feed = BoardFeed(lambda: port, lambda change: change(model), 50)
    feed.start()
    feed.stop()
    assert port.is_closed
    assert not feed._thread.is_alive()


@pytest.mark.parametrize("garbage", [b"\x00\xff" * 3000, b'{"v":1,"x":"0000"}\n' * 3, b">>> \n"])
def test_garbage_on_the_line_is_survived_and_counted(garbage):
    port = FakePort(lambda port: port.say_raw(garbage + b"\n"), say(commands(0, 0, **CHARGING)))
    run = Run(port)
    run()
    assert run.model.word("session") == "charging"
    assert run.model.damaged == garbage.count(b'"x"')
