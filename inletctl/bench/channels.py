"""Through what a stimulus reaches the board. On a bench each channel needs an instrument, or a person."""

from inletctl.bench.model import Stimulus
from inletctl.plant.verbs import VERBS
from inletctl.scenario.language import RESET

CHANNELS = (
    "pilot", "noise", "wiring", "pp", "temperature", "lock", "vehicle", "charger", "person", "power",
)  # fmt: skip
_CHANNEL_OF_PART = {
    "person": "person", "evse": "pilot", "proximity": "pp", "contacts": "temperature", "lock": "lock",
    "charger": "charger", "vehicle": "vehicle",
}  # fmt: skip
_CHANNEL_OF_VERB = {
    RESET: "power", "contactor": "charger", "lost_cycles": "pilot", "evse_jitter": "noise", "noise_burst": "noise", "reading": "wiring",
    "noise_steps": "noise", "clock_jump": "wiring",
}  # fmt: skip


def channel_of(verb: str) -> str:
    """Return the channel a verb acts through."""
    if verb in _CHANNEL_OF_VERB:
        return _CHANNEL_OF_VERB[verb]
    part = VERBS[verb][0].partition(".")[0]
    return _CHANNEL_OF_PART.get(part, "wiring")


def needs_of(stimuli: tuple[Stimulus, ...]) -> tuple[str, ...]:
    """Return the channels of what happens, in the order of CHANNELS."""
    wanted = {channel_of(stimulus.verb) for stimulus in stimuli}
    return tuple(channel for channel in CHANNELS if channel in wanted)
