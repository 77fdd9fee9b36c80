"""inletctl.link.client: asking a board, whatever the wire does, and what its answers mean."""

import itertools

import pytest
from link_bench import FakeBoard, connect

from inletctl.errors import UserError
from inletctl.link.client import Identity, RefusedError
from inletctl.link.codec import command_line
from inletctl.link.port import PortLost
from inletctl.link.refusal_words import WORDS, refusal
from setting_rows import TABLE
from vehicle.protocol import NOT_IDLE, REFUSALS


@pytest.fixture
def board():
    return FakeBoard({"inlet": 1, "max_current_ma": 16000})


def test_hello_tells_who_the_board_is(board):
    assert connect(board).hello() == Identity("rp2040", "rp2040-reference", "e6614c3", "unknown")


def test_a_damaged_answer_is_asked_for_again(board):
    board.garbles = 2
    client = connect(board)
    assert client.hello().chip == "rp2040"
    assert client.sorter.damaged == 2


def test_half_a_line_that_somebody_left_behind_spoils_nothing(board):
    client = connect(board)
    board.waiting += b'{"v":1,"id":3,"do":"sto'
    assert client.ask("hello", tries=1).words


def test_an_answer_that_an_earlier_program_asked_for_is_not_taken_for_ones_own(board):
    before = connect(board)
    before.hello()
    before._port.write(b"\n" + command_line(before._id, "hello"))
    before.close()
    board.is_deaf = True
    with pytest.raises(UserError, match="answers nothing"):
        connect(board).ask("stop")


def test_no_board_and_a_board_that_does_not_answer_are_told_apart(board):
    board.is_deaf = True
    with pytest.raises(UserError, match="reports but answers nothing"):
        connect(board).hello()
    board.is_silent = True
    with pytest.raises(UserError, match="No OpenInlet board answers"):
        connect(board).hello()


def test_a_lost_port_is_told_at_once(board):
    board.is_gone = True
    client = connect(board)
    board.is_gone = True
    with pytest.raises(PortLost):
        client.hello()


def test_no_telemetry_is_lost_while_an_answer_is_waited_for(board):
    client = connect(board)
    heard = []
    client.sorter.on_telemetry = heard.append
    client.order("rate", 20)
    client.settings()
    assert {line.kind for line in heard} == {"commands", "readings"}
    numbers = [line.number for line in heard if line.kind == "commands"]
    assert numbers == [*range(len(numbers))]
    ticks = [line.t_ms for line in heard if line.kind == "readings"]
    assert max(b - a for a, b in itertools.pairwise(ticks)) < 200


def test_every_setting_is_read_with_whether_it_is_stored(board):
    found = connect(board).settings()
    assert list(found) == [row[1] for row in TABLE]
    assert found["max_current_ma"] == (16000, True)
    assert found["min_current_ma"] == (6000, False)


@pytest.mark.parametrize("loses_port", [False, True])
def test_settings_are_stored_together_and_are_in_force_afterwards(board, loses_port):
    board.loses_port = loses_port
    client = connect(board)
    client.set_settings({"max_current_ma": 20000, "inlet": 0})
    assert board.stored == {"max_current_ma": 20000, "inlet": 0}
    assert board.boots == 2
    assert client.setting("inlet") == (0, True)


def test_a_setting_that_the_board_refuses_leaves_all_as_it_was(board):
    client = connect(board)
    with pytest.raises(RefusedError, match="outside the bounds"):
        client.set_settings({"min_current_ma": 8000, "max_current_ma": 5})
    client.set_settings({"inlet": 0})
    assert board.stored == {"max_current_ma": 16000, "inlet": 0}


def test_a_board_that_charges_refuses_and_says_why(board):
    client = connect(board)
    client.hello()
    board.inlet.step = lambda *_: None
    board.commands.s2_close = True
    with pytest.raises(RefusedError, match="pull the plug") as caught:
        client.set_settings({"inlet": 0})
    assert caught.value.number == NOT_IDLE
    assert board.boots == 1


def test_a_board_that_forgets_what_it_stored_is_found(board):
    board.keeps_nothing = True
    with pytest.raises(UserError, match="although 20000 was stored"):
        connect(board).set_settings({"max_current_ma": 20000})


def test_a_board_without_settings_has_none_stored(board):
    client = connect(board)
    client.clear_settings()
    assert board.stored is None
    assert not any(is_stored for _, is_stored in client.settings().values())


def test_a_board_that_does_not_come_back_is_told(board, monkeypatch):
    client = connect(board)
    monkeypatch.setattr(board, "restart", lambda: setattr(board, "is_silent", True))
    with pytest.raises(UserError, match="does not answer 20 s after its restart"):
        client.restart()


def test_every_refusal_has_a_sentence_and_no_other():
    assert set(WORDS) == set(REFUSALS)
    for number, word in enumerate(REFUSALS):
        assert refusal(number) == WORDS[word]
        assert refusal(number).endswith(".")
    assert "number 99" in refusal(99)
