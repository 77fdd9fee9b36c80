"""What the bench asks of whatever makes the pilot signal, and the choice of one by name.

A source gives the signal of a charging station before its 1 kohm: that resistor, the diode and the resistors of the
car are the bench's own. Levels are meant at that resistor, open circuit.
"""

from typing import Protocol

from inletctl.errors import UserError

MANUAL, PICO = "manual", "pico"
LOW, HIGH = "low", "high"
# What the recipes reach: the scenario verbs evse_frequency and evse_amplitude.
FREQUENCY_MIN_HZ, FREQUENCY_MAX_HZ = 100.0, 5000.0
LEVEL_MAX_MV = 15_000
PERIODS_MAX = 100_000


class SkippedError(Exception):
    """A person did not set this: the step is not run. The text says so in one sentence."""


class PilotSource(Protocol):
    """A source of the pilot signal. Each call returns when the source has taken it; it is so after `settle_us` more.

    Every method but close raises UserError where the source cannot do it or does not answer, SkippedError where a
    person left it out. What is set stays until the next call.
    """

    settle_us: int
    duty_error_pct_x100: int  # how far the duty sent may be from the one set, 0.01 %
    sets_levels: bool  # False: every high and every low comes out as whatever it is wired to

    def identity(self) -> str:
        """Return what it is, for the report."""
        ...

    def set(self, frequency_hz: float, duty_pct: float, high_mv: int, low_mv: int) -> None:
        """Send PWM; a duty of 0 % is steady low, 100 % steady high."""
        ...

    def steady(self, level_mv: int) -> None:
        """Send one level."""
        ...

    def burst(self, lost: int, every: int, gap: str = LOW) -> None:
        """Leave out the last `lost` of each `every` periods of the wave that is being sent, until the next call.

        `gap` is the level meanwhile, low or high. The first gap comes every - lost periods from now: one gap alone is
        had by a large `every`, and by another call before it is over.
        """
        ...

    def off(self) -> None:
        """Send nothing: the output is open."""
        ...

    def check(self) -> None:
        """Raise UserError unless the source says that it does what it was told."""
        ...

    def close(self) -> None:
        """Switch the output off where that still works, and let go of the source."""
        ...


def open_source(
    name: str, gain: float = 1.0, dialect: str = "", not_ports: tuple[str, ...] = ()
) -> PilotSource:
    """Return the source `name`: manual, pico, pico:PORT, or the VISA address of a generator. Raises UserError.

    gain: of the amplifier between generator and bench. dialect: the command language of a generator that does not
    say a known one. not_ports: serial ports that are no Pico, the board's above all.
    """
    kind, _, port = name.partition(":")
    if kind in (MANUAL, PICO) and gain != 1.0:
        raise UserError("--gain goes with a generator at a VISA address, not with %s." % kind)
    if kind in (MANUAL, PICO) and dialect:
        raise UserError("--dialect goes with a generator at a VISA address, not with %s." % kind)
    if name == MANUAL:
        from inletctl.bench.instruments.manual import ManualSource

        return ManualSource()
    if kind == PICO:
        from inletctl.bench.instruments.pico import find_pico, open_pico

        return open_pico(port or find_pico(not_ports))
    if "::" not in name:
        raise UserError(
            "There is no generator '%s': say manual, pico, pico:PORT, or a VISA address such as "
            "TCPIP::192.168.1.50::INSTR (`inletctl scan` finds those)." % name
        )
    from inletctl.bench.instruments.scpi import open_scpi

    return open_scpi(name, gain=gain, dialect=dialect)


def check_wave(frequency_hz: float, duty_pct: float, high_mv: int, low_mv: int) -> None:
    """Raise UserError for a wave that no source sends."""
    if not FREQUENCY_MIN_HZ <= frequency_hz <= FREQUENCY_MAX_HZ:
        raise UserError(
            "A pilot of %g Hz is asked; sources send %g..%g Hz."
            % (frequency_hz, FREQUENCY_MIN_HZ, FREQUENCY_MAX_HZ)
        )
    if not 0 <= duty_pct <= 100:
        raise UserError("A duty of %g %% is asked; there are only 0..100 %%." % duty_pct)
    for level_mv in (high_mv, low_mv):
        check_level(level_mv)
    if high_mv <= low_mv:
        raise UserError(
            "A high level of %g V is not above a low level of %g V."
            % (high_mv / 1000, low_mv / 1000)
        )


def check_level(level_mv: int) -> None:
    """Raise UserError for a level that no source may send."""
    if abs(level_mv) > LEVEL_MAX_MV:
        raise UserError(
            "A level of %g V is asked; the bench goes to +-%g V."
            % (level_mv / 1000, LEVEL_MAX_MV / 1000)
        )


def check_burst(lost: int, every: int, gap: str) -> None:
    """Raise UserError for lost periods that make no sense."""
    if gap not in (LOW, HIGH):
        raise UserError("The level of lost periods is low or high, not '%s'." % gap)
    if not 1 <= lost < every <= PERIODS_MAX:
        raise UserError(
            "%d of each %d periods cannot be left out: at least one must be left out, one kept, and %d is the longest "
            "pattern." % (lost, every, PERIODS_MAX)
        )
