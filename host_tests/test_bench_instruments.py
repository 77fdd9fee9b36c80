"""The choice of a pilot source, and the person who is one."""

import builtins

import pytest

from inletctl.bench.instruments import manual
from inletctl.bench.instruments.generator import SkippedError, open_source
from inletctl.bench.instruments.manual import ManualSource
from inletctl.errors import UserError


class Person:
    """Answers in turn, Enter where nothing else is said; remembers what was shown."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.shown = []

    def __call__(self, words):
        self.shown.append(words)
        return self.answers.pop(0) if self.answers else ""


def test_a_person_is_told_everything_once_and_then_what_changes():
    person = Person()
    source = ManualSource(person)
    source.set(1000, 50, 12_000, -12_000)
    source.set(1000, 53.33, 12_000, -12_000)
    source.set(1000, 53.33, 12_000, -12_000)
    source.steady(9000)
    source.set(1000, 10, 9000, -12_000)
    source.off()
    source.off()
    source.check()
    assert person.shown == [
        "Set the generator: wave square, frequency 1000 Hz, duty 50 %, high +12 V, low -12 V, output on",
        "Set the generator: duty 53.33 % (still wave square, frequency 1000 Hz, high +12 V, low -12 V, output on)",
        "Set the generator: wave DC, level +9 V (still output on)",
        "Set the generator: wave square, frequency 1000 Hz, duty 10 %, high +9 V, low -12 V (still output on)",
        "Set the generator: output off",
    ]


def test_0_and_100_percent_are_levels_for_a_person_too():
    person = Person()
    source = ManualSource(person)
    source.set(1000, 0, 12_000, -12_000)
    source.set(1000, 100, 12_000, -12_000)
    assert person.shown == [
        "Set the generator: wave DC, level -12 V, output on",
        "Set the generator: level +12 V (still wave DC, output on)",
    ]


def test_a_person_is_told_of_lost_periods_and_of_their_end():
    person = Person()
    source = ManualSource(person)
    source.set(1000, 50, 12_000, -12_000)
    source.burst(3, 50)
    source.set(1000, 50, 12_000, -12_000)
    assert "burst 47 periods sent, then 3 left out, low meanwhile" in person.shown[1]
    assert person.shown[2].startswith("Set the generator: no burst (still wave square")


def test_a_skipped_step_is_told_and_asked_for_again_the_next_time():
    person = Person("", "s", "what?", "d")
    source = ManualSource(person)
    source.set(1000, 50, 12_000, -12_000)
    with pytest.raises(SkippedError, match="operator: duty 60 %") as told:
        source.set(1000, 60, 12_000, -12_000)
    assert str(told.value).endswith(".")
    source.set(1000, 60, 12_000, -12_000)
    assert person.shown[1] == person.shown[2] == person.shown[3]


def test_who_quits_ends_the_run_as_ctrl_c_does():
    with pytest.raises(KeyboardInterrupt):
        ManualSource(Person("Q")).set(1000, 50, 12_000, -12_000)


def test_nobody_at_the_keyboard_ends_the_run(monkeypatch, capsys):
    def nobody(_):
        raise EOFError

    monkeypatch.setattr(builtins, "input", nobody)
    with pytest.raises(KeyboardInterrupt):
        ManualSource().set(1000, 50, 12_000, -12_000)
    assert "frequency 1000 Hz" in capsys.readouterr().out


def test_the_output_left_on_is_called_to_mind(capsys):
    source = ManualSource(Person())
    source.close()
    assert capsys.readouterr().out == ""
    source.set(1000, 50, 12_000, -12_000)
    source.close()
    assert capsys.readouterr().out == "Switch the output of the generator off.\n"


@pytest.mark.parametrize(
    "asked", [(1000, 101, 12_000, -12_000), (10, 50, 12_000, -12_000), (1000, 50, 20_000, 0)]
)
def test_a_person_is_not_asked_for_what_nothing_sends(asked):
    person = Person()
    with pytest.raises(UserError):
        ManualSource(person).set(*asked)
    assert person.shown == []


def test_sources_are_chosen_by_name():
    assert isinstance(open_source("manual"), manual.ManualSource)
    with pytest.raises(UserError, match="There is no port /dev/nothing"):
        open_source("pico:/dev/nothing")
    with pytest.raises(UserError, match=r"instrument at TCPIP::127\.0\.0\.1::1::SOCKET is gone"):
        open_source("TCPIP::127.0.0.1::1::SOCKET")


@pytest.mark.parametrize("name", ["", "sim", "auto", "manual:1", "/dev/ttyACM0", "192.168.1.50"])
def test_a_name_that_is_none_says_which_there_are(name):
    with pytest.raises(UserError, match=r"manual, pico, pico:PORT, or a VISA address"):
        open_source(name)


@pytest.mark.parametrize("name", ["manual", "pico", "pico:/dev/ttyACM1"])
def test_what_only_a_generator_has_is_refused_elsewhere(name):
    with pytest.raises(UserError, match="--gain goes with"):
        open_source(name, gain=2)
    with pytest.raises(UserError, match="--dialect goes with"):
        open_source(name, dialect="siglent-sdg")
