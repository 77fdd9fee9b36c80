"""The car's safety chain as it truly is: interlock loop, insulation, crash, gear. And what must never be seen of the inlet.

Violations noted here, all by the truth, whatever the board was told:

s2_interlock  S2 told to close while the high-voltage interlock loop is open or after a crash, for longer than 100 ms
drive_plugged the car was allowed to drive with the plug fully in, for longer than 50 ms
lock_dc       the lock let go with 60 V DC or more, 1 A DC or more, or closed DC contactors behind it
"""

from typing import TYPE_CHECKING

from inletctl.plant.clock import Booking, cancel

if TYPE_CHECKING:
    from inletctl.plant.world import World

GEARS = ("park", "reverse", "neutral", "drive")
# One cycle of the car's messages, or ten passes of the loop.
_S2_MS = 100
_DRIVE_MS = 50
_TOUCHABLE_MV = 60_000
_LOAD_MA = 1000


class Safety:
    """The truth, and the watch over it. Verbs are in verbs.VERBS."""

    def __init__(self, world: "World"):
        self._world = world
        self.hvil_closed = True
        self.insulation_ok = True
        self.is_crashed = False
        self.gear = "park"
        self._s2: Booking | None = None
        self._drive: Booking | None = None
        self.drive_allowed = False  # by the board
        self._s2_told = False
        self._ends: dict[str, Booking | None] = {}

    # Watch ------------------------------------------------------------------

    def told_s2(self, is_closed: bool) -> None:
        """The board closes or opens S2."""
        self._s2_told = is_closed
        self._look_at_s2()

    def told_drive(self, is_allowed: bool) -> None:
        """The board allows or forbids to drive."""
        self.drive_allowed = is_allowed
        self.look_at_drive()

    def _look_at_s2(self) -> None:
        wrong = self._s2_told and (not self.hvil_closed or self.is_crashed)
        if wrong and self._s2 is None:
            self._s2 = self._world.clock.after_ms(_S2_MS, self._note_s2)
        elif not wrong:
            cancel(self._s2)
            self._s2 = None

    def _note_s2(self) -> None:
        self._world.violation(
            "s2_interlock: S2 told to close %s"
            % ("after a crash" if self.is_crashed else "with the interlock loop open")
        )

    def look_at_drive(self) -> None:
        """The plug or the permission to drive has moved."""
        wrong = self.drive_allowed and self._world.plugged
        if wrong and self._drive is None:
            self._drive = self._world.clock.after_ms(_DRIVE_MS, self._note_drive)
        elif not wrong:
            cancel(self._drive)
            self._drive = None

    def _note_drive(self) -> None:
        self._world.violation("drive_plugged: allowed to drive with the plug in")

    def lock_let_go(self) -> None:
        """The bolt was driven out of a plug."""
        world = self._world
        dc = world.dc
        if not world.plugged or not dc.has_pins:
            return
        if dc.mv >= _TOUCHABLE_MV:
            world.violation(f"lock_dc: released at {dc.mv / 1000:.0f} V DC")
        elif dc.ma >= _LOAD_MA:
            world.violation(f"lock_dc: released at {dc.ma / 1000:.1f} A DC")
        elif dc.contactors_closed:
            world.violation("lock_dc: released with DC contactors closed")

    # Verbs ------------------------------------------------------------------

    def hvil(self, state: str, hold: float) -> None:
        """The interlock loop is closed or open."""
        self.hvil_closed = state == "closed"
        self._changed("hvil", f"interlock loop {state}", hold, self.hvil, "closed")
        self._look_at_s2()

    def insulation(self, state: str, hold: float) -> None:
        """The insulation monitor finds all well (ok) or not (fault)."""
        self.insulation_ok = state == "ok"
        self._changed("insulation", f"insulation {state}", hold, self.insulation, "ok")

    def crash(self) -> None:
        """The car crashes; its sensor says so until `crash_reset`."""
        self.is_crashed = True
        self._changed("crash", "crash")
        self._look_at_s2()

    def crash_reset(self) -> None:
        """The crash sensor says that all is well again."""
        self.is_crashed = False
        self._changed("crash", "crash sensor reset")
        self._look_at_s2()

    def shift(self, gear: str) -> None:
        """The driver chooses a gear."""
        self.gear = gear
        self._changed("gear", f"gear {gear}")

    def _changed(self, name: str, text: str, hold: float = 0, back=None, state: str = "") -> None:
        self._world.event(f"car: {text}")
        cancel(self._ends.get(name))
        if hold and back is not None:
            self._ends[name] = self._world.clock.after_ms(hold, back, state, 0)
