"""A signal generator over SCPI as pilot source. The words are those of its dialect (dialect.py), the logic is here.

What changes is sent, and nothing else, so that a wave keeps running while its duty is stepped. An instrument that does
not take a value mostly says nothing: `check` reads every setting back.
"""

import re

from inletctl.bench.instruments.dialect import Dialect, choose_dialect, number
from inletctl.bench.instruments.generator import (
    HIGH,
    LOW,
    check_burst,
    check_level,
    check_wave,
)
from inletctl.bench.instruments.visa import TIMEOUT_MS, Talk, open_resource
from inletctl.errors import UserError

_ERRORS_MAX = 20
# SCPI-99 21.8.10: "Settings conflict" and "Data out of range" tell that one level has moved the other on the way. What
# came of it is read back.
_ADJUSTED = (-221, -222)
# Read back: six digits are shown at least.
_FREQUENCY_ERROR = 2e-5
_DUTY_ERROR_PCT = 0.002
_LEVEL_ERROR_V = 0.02


class ScpiSource:
    """A PilotSource (generator.py). `gain` is that of the amplifier behind the generator."""

    sets_levels = True

    def __init__(self, talk: Talk, idn: str, dialect: Dialect, gain: float, channel: int = 1):
        self._talk = talk
        self._idn = idn
        self._dialect = dialect
        self._gain = gain
        self._channel = channel
        self.settle_us = dialect.settle_ms * 1000
        self.duty_error_pct_x100 = round(dialect.duty_error_pct * 100)
        self._is_on = False
        self._is_burst = False
        # What was sent last, as the instrument is told it. A wave: frequency, duty, high, low. Steady: that.
        self._sent: dict[str, str] = {}
        self._kept = 0
        self._do("begin")
        self._wait()

    def identity(self) -> str:
        """Return what it is, for the report."""
        return "%s at %s (%s%s)" % (
            self._idn,
            self._talk.address,
            self._dialect.title,
            "" if self._gain == 1.0 else ", amplifier x%g" % self._gain,
        )

    def set(self, frequency_hz: float, duty_pct: float, high_mv: int, low_mv: int) -> None:
        """Send PWM; a duty of 0 % is steady low, 100 % steady high. Raises UserError."""
        check_wave(frequency_hz, duty_pct, high_mv, low_mv)
        if duty_pct in (0, 100):
            self.steady(high_mv if duty_pct else low_mv)
            return
        limits = self._dialect
        if frequency_hz > limits.frequency_max_hz:
            raise UserError(
                "%s goes to %g Hz, and %g Hz are asked."
                % (limits.title, limits.frequency_max_hz, frequency_hz)
            )
        if not limits.duty_min_pct <= duty_pct <= 100 - limits.duty_min_pct:
            raise UserError(
                "%s sends a duty of %g..%g %%, and %g %% are asked."
                % (limits.title, limits.duty_min_pct, 100 - limits.duty_min_pct, duty_pct)
            )
        wanted = {
            "frequency": _plain(frequency_hz),
            "duty": _plain(duty_pct),
            "high": self._volts(high_mv),
            "low": self._volts(low_mv),
        }
        self._end_burst()
        if "duty" not in self._sent:
            self._sent = {}
            self._do("wave", frequency_hz=wanted["frequency"], duty_pct=wanted["duty"])
            self._sent = {"frequency": wanted["frequency"], "duty": wanted["duty"]}
        values = {
            "frequency": "frequency_hz",
            "duty": "duty_pct",
            "high": "high_v",
            "low": "low_v",
        }
        changed = [what for what in values if self._sent.get(what) != wanted[what]]
        if "low" in changed:
            # A high level at or below the old low one is not taken as it is. This way round both are, whatever was.
            changed = [what for what in changed if what != "high"]
            changed[-1:] = ["high", "low", "high"]
        for what in changed:
            self._do(what, **{values[what]: wanted[what]})
        self._sent = wanted
        self._switch_on()

    def steady(self, level_mv: int) -> None:
        """Send one level. Raises UserError."""
        check_level(level_mv)
        level_v = self._volts(level_mv)
        self._end_burst()
        if self._sent != {"steady": level_v}:
            self._sent = {}
            self._do("steady", level_v=level_v)
            self._sent = {"steady": level_v}
        self._switch_on()

    def burst(self, lost: int, every: int, gap: str = LOW) -> None:
        """Leave out the last `lost` of each `every` periods of the wave, until the next call. Raises UserError.

        The output rests at the level of the phase at which bursts start, so they start in the middle of the low part
        or of the high one.
        """
        check_burst(lost, every, gap)
        if "duty" not in self._sent:
            raise UserError("No wave is being sent, so no period of it can be left out.")
        self._end_burst()
        duty = float(self._sent["duty"]) / 100
        share = duty / 2 if gap == HIGH else (1 + duty) / 2
        self._do(
            "burst",
            kept=str(every - lost),
            burst_s=_plain(every / float(self._sent["frequency"]), 9),
            phase_deg=_plain(360 * share, 2),
            idle=self._dialect.idle.get(gap, ""),
        )
        self._is_burst = True
        self._kept = every - lost
        self._wait()

    def off(self) -> None:
        """Open the output. Raises UserError."""
        self._end_burst()
        self._do("off")
        self._is_on = False
        self._wait()

    def check(self) -> None:
        """Raise UserError unless the generator does what it was told and has no error to tell."""
        self._tell_errors()
        if self._read("on") not in (("ON", "1") if self._is_on else ("OFF", "0")):
            raise UserError(
                "The output of %s is not %s as it was told to be."
                % (self._talk.address, "on" if self._is_on else "off"),
                1,
            )
        allowed = {
            "frequency": ("Hz", _FREQUENCY_ERROR * float(self._sent.get("frequency", 0))),
            "duty": ("%", _DUTY_ERROR_PCT),
            **dict.fromkeys(("high", "low", "steady"), ("V", _LEVEL_ERROR_V)),
        }
        for what, text in self._sent.items():
            unit, error = allowed[what]
            self._compare(what, float(text), error, unit)
        if self._is_burst:
            self._compare("kept", self._kept, 0, "periods")

    def close(self) -> None:
        """Switch the output off where that still works, and let go of the generator."""
        try:
            self.off()
        except UserError:
            # It does not answer: nobody is left to be told to switch off.
            self._is_on = False
        self._talk.close()

    def _volts(self, level_mv: int) -> str:
        """Return a level at the bench as what the generator must give. Raises UserError."""
        at_generator_mv = level_mv / self._gain
        most_mv = self._dialect.level_max_mv
        if abs(at_generator_mv) > most_mv:
            raise UserError(
                "%s gives at most %g V%s, and %g V are asked: put an amplifier of known gain behind it and say so with "
                "--gain, such as --gain 2."
                % (
                    self._dialect.title,
                    most_mv / 1000,
                    "" if self._gain == 1.0 else " (x%g = %g V)" % (self._gain, most_mv * self._gain / 1000),
                    level_mv / 1000,
                )
            )  # fmt: skip
        return _plain(at_generator_mv / 1000)

    def _do(self, what: str, **values: str) -> None:
        for command in self._dialect.commands[what]:
            self._talk.write(command.format(channel=self._channel, **values))

    def _wait(self) -> None:
        """Wait until the generator has carried out what it was sent: it answers in turn."""
        if self._talk.ask("*OPC?").lstrip("+") != "1":
            raise UserError(
                "The instrument at %s does not answer *OPC? with 1: it is no generator of the kind %s."
                % (self._talk.address, self._dialect.title),
                1,
            )

    def _switch_on(self) -> None:
        if not self._is_on:
            self._do("on")
            self._is_on = True
        self._wait()

    def _end_burst(self) -> None:
        if self._is_burst:
            self._do("burst_off")
            self._is_burst = False

    def _read(self, what: str) -> str:
        question, pattern = self._dialect.read[what]
        question = question.format(channel=self._channel)
        answer = self._talk.ask(question)
        found = re.search(pattern, answer)
        if found is None:
            raise UserError(
                "The instrument at %s answers %s with '%s', which says nothing of its %s."
                % (self._talk.address, question, answer[:80], what),
                1,
            )
        return found.group(1).strip()

    def _compare(self, what: str, wanted: float, error: float, unit: str) -> None:
        text = self._read(what)
        try:
            found = number(text)
        except ValueError:
            raise UserError(
                "The instrument at %s says its %s is '%s', which is no number."
                % (self._talk.address, what, text[:80]),
                1,
            ) from None
        if abs(found - wanted) > error + 1e-9:
            raise UserError(
                "The generator at %s was told %s %g %s and says %g %s: it cannot send that, or somebody turned its knobs."
                % (self._talk.address, what, wanted, unit, found, unit),
                1,
            )

    def _tell_errors(self) -> None:
        """Empty the error queue. Raises UserError with the first error that counts."""
        if not self._dialect.error:
            return
        told = ""
        for _ in range(_ERRORS_MAX):
            answer = self._talk.ask(self._dialect.error)
            code, _, words = answer.partition(",")
            try:
                is_over = int(code) == 0
                counts = int(code) not in _ADJUSTED
            except ValueError:
                raise UserError(
                    "The instrument at %s answers %s with '%s', which is no entry of an error queue."
                    % (self._talk.address, self._dialect.error, answer[:80]),
                    1,
                ) from None
            if is_over:
                break
            if counts and not told:
                told = "%s, %s" % (code, words.strip().strip('"'))
        if told:
            raise UserError(
                "The generator at %s reports an error (%s): is it of the kind %s?"
                % (self._talk.address, told[:120], self._dialect.title),
                1,
            )


def open_scpi(
    address: str,
    gain: float = 1.0,
    dialect: str = "",
    backend: str = "@py",
    timeout_ms: int = TIMEOUT_MS,
) -> ScpiSource:
    """Return the generator at `address`, reset and with its output off. Raises UserError."""
    if not 0.01 <= gain <= 100:
        raise UserError(
            "--gain is 0.01..100, the gain of the amplifier behind the generator, not %g." % gain
        )
    talk = Talk(address, open_resource(address, timeout_ms, backend), timeout_ms)
    try:
        idn = talk.ask("*IDN?")
        return ScpiSource(talk, idn, choose_dialect(address, idn, dialect), gain)
    except BaseException:
        talk.close()
        raise


def _plain(value: float, digits: int = 6) -> str:
    """Return a number without an exponent and without zeros at its end."""
    return ("%.*f" % (digits, value)).rstrip("0").rstrip(".")
