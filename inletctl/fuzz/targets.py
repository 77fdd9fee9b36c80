"""Every reader that is fed, by name. Each is loaded when it is asked for: some begin with a simulated session."""

import importlib
from dataclasses import dataclass

from inletctl.errors import UserError
from inletctl.fuzz.harness import Harness


@dataclass(frozen=True)
class Target:
    """A reader: what it is in words, what must hold beside that it refuses in a sentence, and where its harness is made."""

    what: str
    rules: str
    made_in: str  # module of this package
    made_by: str  # function of it
    argument: str = ""

    def make(self) -> Harness:
        """Return it, ready."""
        made = getattr(importlib.import_module("inletctl.fuzz." + self.made_in), self.made_by)
        return made(self.argument) if self.argument else made()


_CAN = "a refused frame changes nothing that is known; a protected one is used only with its checksum; readings stay within bounds"
# fmt: off
TARGETS = {
    "settings-file":   Target("stored settings, as the board reads its flash", "reading changes nothing; what is taken is within bounds, in order, and makes a step that runs", "texts", "settings_file"),
    "settings-words":  Target("settings as a person types them, `KEY=VALUE`", "what is taken together is within bounds and makes a step that runs", "texts", "settings_words"),
    "scenario":        Target("a scenario file", "what is taken, written anew, reads as itself", "texts", "scenario"),
    "recipe":          Target("a bench recipe, up to the steps of the board", "", "texts", "recipe"),
    "ports-file":      Target("port records in a file", "reading changes nothing; what is taken goes through the flash's bytes unchanged", "texts", "ports_file"),
    "ports-flash":     Target("port records as the board keeps and changes them", "never looser than without them; a refused change changes nothing", "flash", "ports_flash"),
    "console":         Target("lines typed at a board", "a second reader takes the same lines; nothing is stored, restarted or driven unasked or while charging; every answer is a line", "serial", "console"),
    "listener":        Target("lines that the host hears from a board", "as many numbers as the protocol has", "serial", "listener"),
    "can-native":      Target("frames of the native dialect, a modem beside it", _CAN, "can", "bus", "native"),
    "can-cpc":         Target("frames of the `cpc` dialect, a modem beside it", _CAN, "can", "bus", "cpc"),
    "can-i3lim":       Target("frames of the `i3lim` dialect, a modem beside it", _CAN, "can", "bus", "i3lim"),
    "can-modem":       Target("frames of a communication controller alone", _CAN, "can", "bus", "modem"),
    "journal-files":   Target("the files of a board's journal", "only records with the right CRC are read, numbers rise; nothing changes but names; the next record is there", "flash", "journal_files"),
    "journal-records": Target("whole records with any content, at a board's start", "the journal loads, every page fits a 32-bit board, it goes on through a plug-in and is written", "flash", "journal_records"),
    "blackbox":        Target("a journal file of the host: black boxes, sessions", "tables and waveforms are made of all that is left", "flash", "blackbox"),
    "log":             Target("a recorded log of the host", "table and waveforms are made of all that is taken", "flash", "log"),
    "replay":          Target("a recording, a log or a black box, through the logic again", "", "replays", "replays"),
}
# fmt: on
# Readers that are wrong on purpose, for the tests of this package.
KNOWN_BAD = {
    "known-bad-magic": Target("falls over at four signs in a row", "", "known_bad", "magic"),
    "known-bad-remembers": Target("falls over at its 30th input", "", "known_bad", "remembers"),
    "known-bad-killed": Target("is killed at its 30th input", "", "known_bad", "killed"),
    "known-bad-ends": Target("ends the process", "", "known_bad", "ends"),
    "known-bad-interrupted": Target("is interrupted", "", "known_bad", "interrupted"),
}


def target(name: str) -> Harness:
    """Return the reader of that name, ready. Raises UserError where there is none."""
    found = TARGETS.get(name) or KNOWN_BAD.get(name)
    if found is None:
        raise UserError(
            "there is no reader '%s' to feed; there are %s." % (name[:40], ", ".join(TARGETS))
        )
    return found.make()
