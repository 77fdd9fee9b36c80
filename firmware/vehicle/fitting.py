"""Fits the car's side with what the settings ask for and the board has. Once, and a board forgets it afterwards."""

from faults import H_BAD_SETTING, H_CAN_BUS, H_DOOR, H_HEATER, H_LINES
from settings import CAN_DIALECTS, INLETS
from vehicle.wires import DOOR_CLOSED, DOOR_OPEN

_DOOR_ENDS = DOOR_CLOSED | DOOR_OPEN


def fit(car, settings, can, lines, board) -> int:
    """
    Give `car` its bus, modem, heater and door; return the holds of what does not fit together, for good.

    can, lines  None where the board has none or no setting asks for them
    board       note(sentence): told what does not fit
    """
    return (
        _fit_modem(car, settings, can, board)
        | _fit_bus(car, settings, can, board)
        | _check_lines(settings, lines, board)
        | _fit_heater(car, settings, lines, board)
        | _fit_door(car, settings, lines, board)
        | _check_dc(settings, board)
    )


def _fit_modem(car, settings, can, board) -> int:
    if not settings.modem:
        return 0
    if can is None or not settings.dc_max_a:
        board.note(
            "modem: it needs %s; charging is refused"
            % ("a board with a CAN controller" if can is None else "dc_max_a above 0")
        )
        return H_BAD_SETTING
    from vehicle.modem import ModemLink

    car.modem = ModemLink(settings, can)
    return 0


def _fit_bus(car, settings, can, board) -> int:
    if not settings.can:
        return 0
    if can is None:
        board.note(
            "can: this board has no CAN controller, so the vehicle cannot be heard; charging is refused"
        )
        return H_CAN_BUS
    from vehicle.bus import CarBus

    car.bus = CarBus(settings, can, car.modem)
    return 0


def _check_lines(settings, lines, board) -> int:
    if settings.lines_used and lines is None:
        board.note("lines_used: this board has no discrete lines; charging is refused")
        return H_LINES
    return 0


def _fit_heater(car, settings, lines, board) -> int:
    if not settings.heater:
        return 0
    if lines is None:
        board.note("heater: this board has no line for one, so nothing is heated")
        return H_HEATER
    from vehicle.heater import Heater

    car.heater = Heater(settings)
    return 0


def _fit_door(car, settings, lines, board) -> int:
    if not settings.door:
        return 0
    if lines is None or settings.lines_used & _DOOR_ENDS != _DOOR_ENDS:
        board.note("door: it needs lines_used with door closed and door open, so it is not moved")
        return H_DOOR
    from vehicle.door import Door

    car.door = Door()
    return 0


def _check_dc(settings, board) -> int:
    """Refuse DC that nobody could ever prove dead again: its cable would stay locked."""
    may_be_dc = settings.modem or INLETS[settings.inlet] == "nacs"
    if settings.dc_max_a and may_be_dc and CAN_DIALECTS[settings.can] != "native":
        board.note(
            "dc_max_a: only can=native tells DC volts and contactors, without which no cable is released;"
            " charging is refused"
        )
        return H_BAD_SETTING
    return 0
