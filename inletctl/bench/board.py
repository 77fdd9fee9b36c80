"""A block on a board on the bench: a generator for the pilot, a person for the rest, the serial port to listen.

Time is the host's; the board's tick is laid over it by the line that took the shortest way. While a person is asked,
the block's time stands still. Settings are written over the protocol and put back at the end.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from inletctl.bench.channels import CHANNELS
from inletctl.bench.executor import CutShortError, Rig, Watch
from inletctl.bench.hearing import CaseWatch, Hearing
from inletctl.bench.instruments.generator import PilotSource, SkippedError
from inletctl.bench.judge import PLANT_KEYS
from inletctl.bench.model import Block, Record
from inletctl.bench.person import CHANNELS as BY_HAND
from inletctl.bench.person import DONE, HAND_US, QUIT, Person
from inletctl.bench.station import PILOT, POWER, Act, Signal, acts
from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.link.client import BoardClient, RefusedError
from inletctl.link.codec import Telemetry, tick_diff
from inletctl.link.port import PortLost, open_port
from inletctl.scenario.model import PASS_US, Scenario
from inletctl.scenario.run import ScenarioRun

use_firmware()

from drivers.virtual_layout import COMMANDS  # noqa: E402

# After the end, until the board's last line of it has come.
_TAIL_US = 1_500_000
_POLL_S = 0.02
_PULL = "press the unlock button until the lock opens, then pull the plug out of the inlet"
_CALIBRATIONS = 20
_OFF = (0,) * len(COMMANDS)  # what a board that restarts commands
# One pass of the board, and half a millisecond of its tick.
_TICK_ERROR_US = 10_000
# A single gap is a burst so long that the next one never comes.
_BURST_EVERY = 50_000


class _Quit(Exception):  # noqa: N818 - an event, told as such
    """The person ends the run."""


class BoardExecutor:
    """Carries blocks out on the board behind `client`; `clock` counts seconds."""

    def __init__(
        self,
        client: BoardClient,
        port_name: str,
        source: PilotSource,
        person: "Person | Any",
        clock: Callable[[], float] = time.monotonic,
    ):
        self._client = client
        self._port_name = port_name
        self._source = source
        self._person = person
        self._clock = clock
        self._who = client.hello()
        self._found = client.settings()
        self._written: dict[str, int] = {}  # settings as the last block left them
        self._is_plugged = False
        self._delay_us = 0  # of the rig itself, from stimulus to the board's tick
        self._zero_s = 0.0
        # What was heard since each of the board's boots: its ticks begin anew with every one.
        self._heard_since: list[list[tuple[float, Telemetry]]] = [[]]
        client.sorter.on_telemetry = self._heard

    @classmethod
    def open(cls, port_name: str, source: PilotSource) -> "BoardExecutor":
        """Open the port and ask who is there. Raises UserError."""
        client = BoardClient(open_port(port_name), reopen=lambda: open_port(port_name))
        try:
            return cls(client, port_name, source, Person())
        except BaseException:
            client.close()
            raise

    def identity(self) -> Rig:
        """Return the board as it says of itself, its settings as found, and the source."""
        return Rig(
            target="board on %s" % self._port_name,
            firmware_hash=self._who.firmware,
            board="%s %s" % (self._who.chip, self._who.board),
            board_id=self._who.board_id,
            settings={key: value for key, (value, _stored) in self._found.items()},
            instruments=[self._source.identity(), "person: %s by hand" % ", ".join(BY_HAND)],
            calibration=calibrations(self._who.board_id),
        )

    def set_delay(self, delay_us: int) -> None:
        """Take from now on that a stimulus shows in the board's tick so much later by the rig's own doing."""
        self._delay_us = delay_us

    def carry_out(self, block: Block, watch: Watch) -> Record:
        """Carry `block` out. Raises CutShortError where the port, the source or the person ends it."""
        record = Record(block.id)
        reachable = {PILOT, POWER, *BY_HAND}
        missing = [
            channel for channel in CHANNELS if channel in block.needs and channel not in reachable
        ]
        if missing:
            record.why_not = "no instrument for %s" % ", ".join(missing)
            return record
        plan = acts(block)
        record.source_error_pct_x100 = self._source.duty_error_pct_x100
        record.timing_error_us = _TICK_ERROR_US
        why = ""
        try:
            self._begin(block)
            for act in plan:
                self._listen_until(act.t_us, watch)
                record.until_us = act.t_us
                self._perform(act, block, plan, record)
            self._listen_until(block.end_us + _TAIL_US, watch)
            self._source.check()
            record.until_us = block.end_us
            record.is_complete = True
        except PortLost as error:
            why = "the port %s was lost: %s" % (self._port_name, error)
        except UserError as error:
            why = str(error)
        except _Quit:
            why = "ended by the person at the bench"
        except KeyboardInterrupt:
            why = "stopped by hand"
        if not why:
            self._finish(block, record)
            return record
        # What was heard after the last stimulus counts, too.
        record.until_us = max(record.until_us, min(self._now_us(), block.end_us))
        record.why_not = why
        self._finish(block, record)
        raise CutShortError(why, record)

    def close(self) -> None:
        """Switch the source off, and put the board's settings back as they were found. Raises UserError."""
        try:
            self._source.close()
            if self._written:
                self._pull_the_plug()
                self._put_back()
        except PortLost as error:
            raise UserError(
                "The board was lost before its settings could be put back (%s): set them again with inletctl settings."
                % error,
                1,
            ) from None
        finally:
            self._client.close()

    def _pull_the_plug(self) -> None:
        """Settings and restarts are for an inlet with no plug in; the bolt holds one until a person wants it out."""
        if self._is_plugged:
            self._ask(_PULL)
            self._is_plugged = False

    def _put_back(self) -> None:
        stored = {key: value for key, (value, is_stored) in self._found.items() if is_stored}
        if not stored:
            self._client.clear_settings()
            return
        if not set(self._written) <= set(stored):
            self._client.order("clear")
        self._client.set_settings(stored)

    # One block ---------------------------------------------------------------

    def _begin(self, block: Block) -> None:
        """An unplugged board with the block's settings, newly started; the block's time is 0 now."""
        self._source.off()
        self._pull_the_plug()
        # What the last block wrote and this one does not ask for is again as it was found.
        wanted = {key: self._found[key][0] for key in self._written} | block.settings
        stored = {key: value for key, (value, is_stored) in self._found.items() if is_stored}
        stored |= self._written
        changed = {key: value for key, value in wanted.items() if stored.get(key) != value}
        if changed:
            if not stored:
                # A board with nothing stored takes these two or nothing.
                changed = {
                    key: self._found[key][0] for key in ("inlet", "max_current_ma")
                } | changed
            self._client.set_settings(changed)
            self._written |= changed
        else:
            self._client.restart()
        self._client.order("rate", block.rate_ms)
        self._heard_since = [[]]
        self._zero_s = self._clock()

    def _perform(self, act: Act, block: Block, plan: list[Act], record: Record) -> None:
        until_us = min(
            (one.t_us for one in plan if one.channel == act.channel and one.t_us > act.t_us),
            default=block.end_us,
        )
        if act.channel == POWER:
            self._restart(act, block, record)
            return
        if act.signal is None:
            self._by_hand(act, until_us, record)
            if act.words.startswith("plug"):
                self._is_plugged = True
            elif act.words.startswith("unplug"):
                self._is_plugged = False
            return
        try:
            self._send(act.signal)
        except SkippedError as skipped:
            record.skipped.append((act.t_us, until_us, str(skipped)))
            return
        record.done.append((self._now_us(), act.words))

    def _restart(self, act: Act, block: Block, record: Record) -> None:
        """Restart the board by command: at its supply the port would go with it."""
        # From the answer to the restart itself the board takes its time.
        record.unsure[act.t_us] = HAND_US
        try:
            began_us = self._now_us()
            self._heard_since.append([])
            self._client.restart(is_patient=False)
            self._client.order("rate", block.rate_ms)
        except RefusedError:
            self._heard_since[-2:] = [self._heard_since[-2] + self._heard_since[-1]]
            why = "the board has a plug in, and restarts by command only without"
            record.skipped.append((act.t_us, block.end_us, why))
            return
        record.done.append((began_us, act.words))
        record.dark.append((began_us, self._now_us()))

    def _send(self, signal: Signal) -> None:
        source = self._source
        if not source.sets_levels and not _has_usual_levels(signal):
            raise SkippedError("%s does not set levels" % source.identity())
        if signal.lost:
            source.burst(signal.lost, _BURST_EVERY, signal.gap)
        elif signal.duty_pct is None:
            source.steady(signal.level_mv)
        else:
            source.set(signal.hz, signal.duty_pct, signal.high_mv, signal.low_mv)
        self._wait_s(source.settle_us / 1e6)

    def _by_hand(self, act: Act, until_us: int, record: Record) -> None:
        record.unsure[act.t_us] = HAND_US
        if self._ask(act.words):
            record.done.append((act.t_us, act.words))
        else:
            record.skipped.append((act.t_us, until_us, "skipped by the person: %s" % act.words))

    def _ask(self, words: str) -> bool:
        """Let the person do it, the block's time standing still; return whether it was done."""
        began_s = self._clock()
        answer = self._person.ask(words)
        # What the board said meanwhile stands in the port; it belongs to the moment before.
        self._client.poll(0.0)
        self._zero_s += self._clock() - began_s
        if answer == QUIT:
            raise _Quit
        return answer == DONE

    # Time --------------------------------------------------------------------

    def _now_us(self) -> int:
        return round((self._clock() - self._zero_s) * 1e6)

    def _listen_until(self, t_us: int, watch: Watch) -> None:
        while (left_us := t_us - self._now_us()) > 0:
            self._client.poll(min(left_us / 1e6, _POLL_S))
            watch(max(0, self._now_us()))

    def _wait_s(self, seconds: float) -> None:
        until_s = self._clock() + seconds
        while (left_s := until_s - self._clock()) > 0:
            self._client.poll(min(left_s, _POLL_S))

    def _heard(self, line: Telemetry) -> None:
        self._heard_since[-1].append((self._clock() - self._zero_s, line))

    def _finish(self, block: Block, record: Record) -> None:
        """Lay the board's ticks over the host's time, and hold a case's expectations against the lines."""
        hearing = Hearing(record)
        for number, lines in enumerate(part for part in self._heard_since if part):
            first = lines[0][1]
            # The shortest way from the board's pass to here; what is left of it is the rig's delay.
            offset_us = min(
                round(at_s * 1e6) - tick_diff(line.t_ms, first.t_ms) * 1000 for at_s, line in lines
            )
            # Listening to the first boot began in its middle.
            hearing.boot(max(0, offset_us - self._delay_us) if number else 0, first.number)
            for _at_s, line in lines:
                t_us = offset_us + tick_diff(line.t_ms, first.t_ms) * 1000 - self._delay_us
                hearing.take(max(0, t_us), line)
        hearing.settle()
        record.damaged_lines = self._client.sorter.damaged
        if block.scenario is not None:
            record.outcomes = outcomes(block.scenario, record)


def calibrations(board_id: str, folder: Path = Path("calibration")) -> list[str]:
    """Return the newest lines of the board's calibration file, where inletctl calibrate has written one."""
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in board_id)
    path = folder / (name + ".jsonl")
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if line.strip()][-_CALIBRATIONS:]


def _has_usual_levels(signal: Signal) -> bool:
    return (signal.high_mv, signal.low_mv) == (12_000, -12_000)


def outcomes(scenario: Scenario, record: Record) -> list[Any]:
    """Return what became of the expectations that the board's lines alone can tell, up to where the record goes."""
    told = tuple(
        one
        for one in scenario.expectations
        if all(test.key.name not in PLANT_KEYS for test in one.tests)
    )
    run = ScenarioRun(replace(scenario, timeline=told), None)
    watch = CaseWatch(run)
    end_us = min(record.until_us, scenario.end_us)
    at_us = 0
    words = [(one.t_us, one.values) for one in record.samples if one.kind == "commands"]
    words += [(from_us, _OFF) for from_us, _until_us in record.dark]
    for t_us, values in sorted(words):
        while at_us < t_us and at_us <= end_us:
            watch.keep(at_us, None)
            at_us += PASS_US
        watch.word(t_us, values)
    while at_us <= end_us:
        watch.keep(at_us, None)
        at_us += PASS_US
    watch.judge(end_us + PASS_US)
    return list(run.outcomes)
