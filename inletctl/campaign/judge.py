"""What came of a session: one outcome, and for everything said or seen that no fault of it explains, the cause, or none."""

from dataclasses import dataclass

from inletctl.campaign.case import Seen, Stop
from inletctl.campaign.kinds import BY_NAME

UNSAFE, STUCK, UNEXPLAINED, NUISANCE = "unsafe", "stuck", "unexplained", "nuisance"
SERVICE, UNPLUG, NOT_BEGUN, BACK, CARRIED_ON = (
    "service",
    "unplug",
    "not begun",
    "back",
    "carried on",
)
# Outcome, and what it means; the first that is true counts.
OUTCOMES = (
    (UNSAFE, "an invariant broken, or something that must never be seen of an inlet"),
    (STUCK, "the faults over and the plug out, and the next plug-in not answered, for no reason that stands in a table"),
    (UNEXPLAINED, "a stop, a reason named with it, or a fault told, that neither what was broken nor a row below explains"),
    (NUISANCE, "a stop that no fault justifies, explained below"),
    (SERVICE, "rests latched until service, as the tables say, and answers after a new start"),
    (NOT_BEGUN, "the first plug-in was never charged; the next one is"),
    (UNPLUG, "stopped, and charges with the next plug-in"),
    (BACK, "stopped, and came back by itself in the same plug-in"),
    (CARRIED_ON, "charged through it, or as soon as it was gone"),
)  # fmt: skip
NAMES = tuple(name for name, _words in OUTCOMES)
BAD = (UNSAFE, STUCK, UNEXPLAINED)

# Reasons that come with another: (reason, the one it comes with, why). Both stand at the same stop.
FOLLOWS = (
    ("pilot_steady", "pilot_frequency", "PWM that is refused is none: what is left of the pilot is its level"),
    ("pilot_steady", "pilot_invalid", "the same, of a pilot that cannot be believed"),
    ("not_locked", "lock_lost", "a bolt that has left its place is not locked"),
    ("not_locked", "lock_failed", "a bolt that could not be locked is not"),
    ("no_plug", "pp_invalid", "what cannot be believed is no plug"),
    ("pilot_lost", "pilot_invalid", "noise leaves now and then neither an edge nor a level that names a state"),
    ("pilot_f", "pilot_invalid", "or no edge and the level of state F"),
)  # fmt: skip
# Reasons and faults that a kind has beside another one: (kind, any of these in the same session, reason or fault, why).
BESIDE = (
    (
        "vehicle silent",
        ("HVIL opens", "insulation fault", "crash", "discrete line breaks", "discrete lines unread"),
        "vehicle_no",
        "where the car's discrete lines are fitted, one that says nothing does not drive its permit line either, and that reads no",
    ),
    (
        "sensor spike",
        ("sensor not converted", "sensor not measured"),
        "TempOpen",
        "the spike was the last that was converted, and no better sample comes after it",
    ),
    (
        "sensor spike",
        ("sensor not converted", "sensor not measured"),
        "TempShort",
        "the same, of a spike the other way",
    ),
)  # fmt: skip
# Nuisance stops: (kind, reason, why no fault of that kind justifies it, and why it comes all the same).
EXPLAINED: "tuple[tuple[str, str, str], ...]" = ()
# What an EVSE or the car sees and must not, where it is the fault itself: (code, kinds, why). Kinds () are all: see `_is_hurry`.
EXCUSED = (
    ("BRIDGE-BUDGET", ("clock jumps",), "the jump counts as time driven; on a board the bridge's dead-man lets go after 20 ms"),
    ("direct_c", ("CP leaks", "S2 stuck closed", "CP level off", "amplitude wrong"), "the leak, the switch or a weak generator shows state C, not the inlet"),
    ("load_s2", ("S2 stuck open", "S2 stuck closed", "diode open", "CP wire breaks", "PE breaks"), "the switch (one that hung, too), the diode or the wire opens by itself, whatever flows; a weak generator then shows B, not A"),
    ("state_d", ("CP leaks",), "the leak shows state D, not the inlet"),
    ("load_s2", (), "S2 opens at once or after its bounded wait, as the table says, or with a board that is dark; or less than 1 A was read, and the charger's current came after that, since it obeys 0.1 s late"),
)  # fmt: skip
# From S2 until an EVSE opens its contactor (plant: evse_debounce_ms, evse_open_ms), with a few passes.
_EVSE_MS = 100
_LOAD_MA = 1000


# What two faults together take away, so that nothing is left to see it by: (code, kinds of the one, kinds of the other, why).
BLIND = (
    (
        "drive_plugged",
        ("PP opens in the plug", "PP wrong coding", "PP bounces"),
        ("state E", "power cut", "CP wire breaks", "CP wire short", "PE breaks", "CP leaks", "CP level off", "diode open", "trips", "state F"),
        "PP open and no pilot are what an inlet without a plug reads, where no bolt is seen locked in it: nothing else senses a plug",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """`outcome`: one of NAMES. `why`: what was unsafe, stuck or unexplained, in words; `nuisances`: (kind, reason) explained."""

    outcome: str
    why: tuple[str, ...] = ()
    nuisances: tuple[tuple[str, str], ...] = ()
    excused: tuple[str, ...] = ()  # codes


def judge(seen: Seen) -> Verdict:
    """Return what came of a session."""
    unsafe, excused = [], []
    for sentence in seen.unsafe:
        code = _excuse(sentence, seen)
        if code:
            excused.append(code)
        else:
            unsafe.append(sentence)
    nuisances: list[tuple[str, str]] = []
    unexplained: list[str] = []
    for stop in seen.stops:
        _judge_stop(stop, seen, nuisances, unexplained)
    _judge_told(seen, unexplained)
    excused.sort()
    if unsafe:
        return Verdict(UNSAFE, tuple(unsafe), tuple(nuisances), tuple(excused))
    if seen.stuck:
        return Verdict(STUCK, (seen.stuck,), tuple(nuisances), tuple(excused))
    if unexplained:
        return Verdict(UNEXPLAINED, tuple(unexplained), tuple(nuisances), tuple(excused))
    return Verdict(_outcome(seen, bool(nuisances)), (), tuple(nuisances), tuple(excused))


def _outcome(seen: Seen, is_nuisance: bool) -> str:
    if is_nuisance:
        return NUISANCE
    if seen.is_serviced:
        return SERVICE
    if not seen.ever_charged:
        return NOT_BEGUN
    if (
        not any(not stop.by_person and not stop.is_second for stop in seen.stops)
        and not seen.dark_ms
    ):
        return CARRIED_ON
    return BACK if seen.came_back else UNPLUG


def _judge_stop(
    stop: Stop, seen: Seen, nuisances: list[tuple[str, str]], unexplained: list[str]
) -> None:
    direct = {reason for name in stop.live for reason in BY_NAME[name].reasons}
    for kind, others, reason, _why in BESIDE:
        if kind in stop.live and any(other in seen.kinds for other in others):
            direct.add(reason)
    if stop.by_person:
        direct.add("person_stop")
    said = set(stop.reasons)
    where = (
        "in the plug-in without faults"
        if stop.is_second
        else "with " + (" and ".join(stop.live) or "no fault there")
    )
    if not said & direct:
        for reason in sorted(said) or ["no reason"]:
            row = next(
                (kind for kind, of, _why in EXPLAINED if of == reason and kind in seen.kinds), ""
            )
            if row and not stop.is_second:
                nuisances.append((row, reason))
                return
        unexplained.append(
            "stopped at %.2f s for %s, %s"
            % (stop.t_ms / 1000, " ".join(stop.reasons) or "no reason", where)
        )
        return
    for reason in sorted(said - direct):
        if not any(reason == of and other in said for of, other, _why in FOLLOWS):
            unexplained.append(
                "stopped at %.2f s for %s as well, %s" % (stop.t_ms / 1000, reason, where)
            )


def _judge_told(seen: Seen, unexplained: list[str]) -> None:
    """Name the faults that the inlet told and that nothing broken in this session explains."""
    rightly = {fault for name in seen.kinds for fault in BY_NAME[name].faults}
    for kind, others, fault, _why in BESIDE:
        if kind in seen.kinds and any(other in seen.kinds for other in others):
            rightly.add(fault)
    for fault in seen.told:
        if fault not in rightly:
            unexplained.append("told %s, with %s" % (fault, " and ".join(seen.kinds)))


def _excuse(sentence: str, seen: Seen) -> str:
    """Return the code of what was seen, where it is the fault's and not the inlet's; "" where it is not."""
    for code, kinds, _why in EXCUSED:
        if code not in sentence:
            continue
        if any(kind in seen.kinds for kind in kinds):
            return code
        if code == "load_s2" and _is_hurry(sentence, seen):
            return code
    for code, ones, others, _why in BLIND:
        if (
            code in sentence
            and any(k in ones for k in seen.kinds)
            and any(k in others for k in seen.kinds)
        ):
            return code
    return ""


def _is_hurry(sentence: str, seen: Seen) -> bool:
    """Tell whether S2 opened under load as it should, or could not help it."""
    at_ms = float(sentence.rsplit(" at ", 1)[1].split(" s", maxsplit=1)[0]) * 1000
    if any(0 <= at_ms - dark_ms <= _EVSE_MS for dark_ms in seen.dark_ms):
        return True
    return any(
        stop.t_ms <= at_ms <= stop.open_ms + _EVSE_MS
        and (stop.is_at_once or stop.read_ma < _LOAD_MA)
        for stop in seen.stops
    )
