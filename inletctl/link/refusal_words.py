"""Why a board refuses a command, in words for a person: a sentence each, with what to do."""

from inletctl.house import use_firmware

use_firmware()

from vehicle.protocol import REFUSALS  # noqa: E402

WORDS = {
    "no_such_word": "The board does not know this command: its firmware is older than this tool, flash it again.",
    "wrong_arguments": "The board takes this command with other values: its firmware is of another version, flash it again.",
    "not_idle": "The board has a plug in, is charging, or moves its lock: pull the plug, then try again.",
    "not_in_service": "The board is not in service mode: with no plug in, hold both of its buttons for 5 s, then try again.",
    "out_of_bounds": "The board does not accept this value: it is outside the bounds in docs/settings.md.",
    "no_such_entry": "The board has no such entry: its firmware is of another version, or its log is shorter.",
    "incomplete": "Nothing is stored yet, so inlet and max_current_ma must be given too: set them in the same command.",
    "write_failed": "The board cannot write its flash: what was stored before still is; try again, or replace the board.",
    "no_car_side": "The board has no use for this: none of its settings asks for charge windows, or it has only just started.",
    "not_needed": "The board does not need this: the car tells it the time, or no charge window is waited for.",
    "bad_record": "The board does not accept this port record: it is of another version than this tool, flash it again.",
    "for_good": "The port is decommissioned, or its records cannot be read: only a board in service mode replaces them; with no plug in, hold both of its buttons for 5 s, then try again.",
    "still_present": "The cause of this trouble code still stands: put it right first, then clear the code.",
    "read_failed": "The board cannot read its flash, or has no memory for it: try again, or restart the board with no plug in.",
}


def refusal(number: int) -> str:
    """Return the sentence for a refusal, by the number that the board says."""
    if 0 <= number < len(REFUSALS):
        return WORDS[REFUSALS[number]]
    return (
        "The board refuses for a reason this tool does not know (number %d): update inletctl."
        % number
    )
