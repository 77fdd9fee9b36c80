"""Talks to the board for the screen, in a thread of its own: a slow or absent board never holds a key or a picture up.

What happens is handed over as changes: functions that bring a Monitor up to date. Every good line goes to the log as it
came, whatever the screen does with it.
"""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.journal import words
from inletctl.link.client import BoardClient, Identity, RefusedError
from inletctl.link.codec import Telemetry
from inletctl.link.log import Header, LogWriter
from inletctl.link.port import Port, PortLost
from inletctl.link.refusal_words import refusal
from inletctl.monitor.model import BAD, GOOD, INFO, LIVE, LOST, WARN, Monitor, has_restarted

use_firmware()

from journal import pages  # noqa: E402
from ticks import ticks_diff  # noqa: E402
from vehicle.protocol import NO_SUCH_WORD  # noqa: E402

Change = Callable[[Monitor], None]

_POLL_S = 0.1
_REOPEN_S = 1.0
_GREET_AGAIN_S = 5.0
_JOIN_S = 5.0
# A verdict takes the board 0.4 s or more, and its page is as long as four lines of commands.
_JOURNAL_S = 5.0


# What is said of a command that was obeyed.
_OBEYED = {
    "stop": "stop: obeyed; it stays wanted until the plug is out",
    "lock": "lock: the board drives it towards locked",
    "unlock": "unlock: the board drives it towards unlocked",
}
# What a replay of the log has to know of.
_LOGGED = ("stop", "lock", "unlock")
_UNKNOWN = Identity("unknown", "unknown", "unknown", "unknown")


class _Stopped(Exception):  # noqa: N818 - an event: the person has had enough
    """The feed is to end now, whatever is being waited for."""


class BoardFeed:
    """One board, followed through restarts and lost ports until `stop`.

    open_port  opens the port; raises UserError. Called again and again where the port is lost
    put        takes each change, in this feed's thread
    log        file to record to; None: no recording. It begins with the first line of the board
    clock      s, monotonic: that of the board's answers, which is not the host's where the board is emulated
    on_line    takes every good line as it came
    """

    def __init__(
        self,
        open_port: Callable[[], Port],
        put: Callable[[Change], None],
        rate_ms: int,
        log: "Path | None" = None,
        on_line: "Callable[[bytes], None] | None" = None,
        clock: "Callable[[], float] | None" = None,
    ):
        self._open_port = open_port
        self._put = put
        self._rate_ms = rate_ms
        self._path = log
        self._log: LogWriter | None = None
        self._on_line = on_line
        self._clock = clock or time.monotonic
        self._questions: queue.SimpleQueue[tuple[str, tuple[int, ...]]] = queue.SimpleQueue()
        self._marks: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_live = False  # a line has come since the port was opened
        self._t_ms = 0  # the board's newest tick
        self._is_greeted = False
        self._greet_at_s = 0.0
        self._has_journal = True  # the board answers for it
        self._journal_at_s = 0.0
        self._early: list[bytes] = []  # lines from before it was known whose log it is
        self._counted = (0, 0)  # damaged and lost lines told so far, of this connection
        self._counted_before = (0, 0)  # and of those before it

    # For the screen ---------------------------------------------------------

    def ask(self, word: str, *numbers: int) -> None:
        """Have the board asked; its answer comes as a change."""
        self._questions.put((word, numbers))

    def mark(self, text: str) -> None:
        """Keep a mark in the log, at the board's newest tick."""
        self._marks.put(text)

    def start(self) -> None:
        """Follow the board in a thread."""
        self._thread = threading.Thread(target=self.run, name="board", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Have `run` return soon."""
        self._is_over.set()

    def stop(self) -> None:
        """End the thread; returns when the port is closed."""
        self.end()
        if self._thread is not None:
            self._thread.join(_JOIN_S)

    # In the thread ----------------------------------------------------------

    def run(self) -> None:
        """Follow the board until `stop`."""
        try:
            while not self._is_over.is_set():
                self._connect()
        except _Stopped:
            pass
        finally:
            if self._early:
                self._begin_log(_UNKNOWN, {})
            self._keep_marks()
            if self._log is not None:
                self._log.close()

    def _connect(self) -> None:
        """Follow the board for as long as its port is there, then wait a little."""
        try:
            port = self._open_port()
        except UserError as error:
            self._lost(str(error))
            return
        try:
            self._follow(BoardClient(_Stoppable(port, self._is_over), self._clock))
        except PortLost as lost:
            self._counted_before = self._totals()
            self._counted = (0, 0)
            self._is_live = False
            self.mark("the port was lost")
            self._keep_marks()
            self._lost("The port is lost: %s." % (str(lost).strip().rstrip(".") or "it went away"))
        finally:
            with suppress(PortLost):
                port.close()

    def _lost(self, sentence: str) -> None:
        self._put(lambda model: model.link_is(LOST, sentence))
        self._is_over.wait(_REOPEN_S)

    def _follow(self, client: BoardClient) -> None:
        sorter = client.sorter
        sorter.on_line = self._take_line
        sorter.on_telemetry = self._hear
        sorter.on_words = lambda text: self._tell("board: " + text, INFO)
        self._is_greeted = False
        self._greet_at_s = self._clock()
        self._has_journal = True
        self._journal_at_s = self._clock() + _JOURNAL_S
        while True:
            if not self._is_greeted and self._clock() >= self._greet_at_s:
                self._greet(client)
            self._keep_marks()
            try:
                word, numbers = self._questions.get_nowait()
            except queue.Empty:
                client.poll(_POLL_S)
                self._ask_journal(client)
            else:
                self._question(client, word, numbers)
            self._count(sorter.damaged, sorter.lost)

    def _greet(self, client: BoardClient) -> None:
        """Learn who the board is and how it is set; ask for readings."""
        self._is_greeted = True  # a restart meanwhile takes it back
        identity = _UNKNOWN
        settings: dict[str, tuple[int, bool]] = {}
        try:
            identity = client.hello()
            # At once: a slow board takes minutes to tell its settings.
            self._put(partial(Monitor.identity_is, words=_words(identity)))
            client.order("rate", self._rate_ms)
            settings = client.settings()
        except UserError as error:
            self._is_greeted = False
            self._greet_at_s = self._clock() + _GREET_AGAIN_S
            self._tell(str(error), WARN)
            if not self._early:
                return
        words = _words(identity)
        if identity is _UNKNOWN:
            self._put(partial(Monitor.identity_is, words=words))
        if settings:
            in_force = {key: value for key, (value, _) in settings.items()}
            self._put(lambda model: model.settings_are(in_force))
        if self._log is None:
            self._begin_log(identity, settings)
        elif self._is_greeted:
            self.mark("connected again: %s" % words)

    def _ask_journal(self, client: BoardClient) -> None:
        """Ask for the journal now and then, until the board says that it keeps none."""
        if not self._is_greeted or not self._has_journal or self._clock() < self._journal_at_s:
            return
        self._journal_at_s = self._clock() + _JOURNAL_S
        try:
            now = words.page(client.order("journal", pages.P_NOW, 0, tries=1))
        except RefusedError as error:
            # Not loaded yet, or never: a board loads it within some seconds.
            self._has_journal = error.number != NO_SUCH_WORD
        except UserError:
            # Too busy to answer: its lines tell more.
            return
        else:
            self._put(lambda model: model.journal_is(now))

    def _question(self, client: BoardClient, word: str, numbers: tuple[int, ...]) -> None:
        try:
            reply = client.ask(word, *numbers)
        except UserError as error:
            self._tell("%s: %s" % (word, error), BAD)
            return
        if reply.no is not None:
            self._tell("%s: refused. %s" % (word, refusal(reply.no)), BAD)
            return
        if word == "rate":
            self._rate_ms = numbers[0]
            told = "every %d ms" % numbers[0] if numbers[0] else "none"
            self._tell("readings: %s" % told, GOOD)
        else:
            self._tell(_OBEYED.get(word, "%s: obeyed" % word), GOOD)
        if word in _LOGGED:
            self._keep(lambda log: log.asked(word, numbers, self._t_ms))

    def _hear(self, line: Telemetry) -> None:
        at_s = time.monotonic()
        if not self._is_live:
            self._is_live = True
            self._t_ms = line.t_ms
            self._put(lambda model: model.link_is(LIVE))
        elif has_restarted(line, self._t_ms):
            self._is_greeted = False
            self._greet_at_s = self._clock()
            self._t_ms = line.t_ms
        # Lines may come a little out of their order.
        if ticks_diff(line.t_ms, self._t_ms) > 0:
            self._t_ms = line.t_ms
        self._put(lambda model: model.hear(line, at_s))

    def _tell(self, text: str, level: str) -> None:
        self._put(lambda model: model.tell(text, level))

    def _count(self, damaged: int, lost: int) -> None:
        if (damaged, lost) != self._counted:
            self._counted = (damaged, lost)
            total = self._totals()
            self._put(lambda model: model.counts_are(*total))

    def _totals(self) -> tuple[int, int]:
        (damaged, lost), (more_damaged, more_lost) = self._counted, self._counted_before
        return damaged + more_damaged, lost + more_lost

    # Log --------------------------------------------------------------------

    def _take_line(self, line: bytes) -> None:
        if self._on_line is not None:
            self._on_line(line)
        if self._log is not None:
            self._keep(lambda log: log.line(line))
        elif self._path is not None:
            self._early.append(line)

    def _begin_log(self, identity: Identity, settings: dict[str, tuple[int, bool]]) -> None:
        """Begin the log; what came before it was known whose it is follows its head."""
        if self._path is None:
            return
        path, self._path = self._path, None
        try:
            self._log = LogWriter(path, Header.of(identity, settings))
        except UserError as error:
            self._tell("Nothing is recorded. %s" % error, BAD)
        early, self._early = self._early, []
        for line in early:
            self._keep(partial(LogWriter.line, line=line))

    def _keep_marks(self) -> None:
        """Keep the marks that were made since, unless the log has not begun."""
        while self._log is not None and not self._marks.empty():
            text = self._marks.get()
            self._keep(partial(LogWriter.mark, text=text, t_ms=self._t_ms))

    def _keep(self, write: Callable[[LogWriter], None]) -> None:
        """Write to the log, if there is one; what cannot be written ends it, and that is told."""
        if self._log is None:
            return
        try:
            write(self._log)
        except UserError as error:
            self._log.close()
            self._log = None
            self._tell("The recording has ended. %s" % error, BAD)


def _words(identity: Identity) -> str:
    return "%s %s %s, firmware %s" % identity


class _Stoppable:
    """A port that is read from until `is_over`."""

    def __init__(self, port: Port, is_over: threading.Event):
        self._port = port
        self._is_over = is_over
        self.write = port.write
        self.close = port.close

    def read(self, timeout_s: float) -> bytes:
        """Return what has come. Raises PortLost, and _Stopped."""
        if self._is_over.is_set():
            raise _Stopped
        return self._port.read(timeout_s)
