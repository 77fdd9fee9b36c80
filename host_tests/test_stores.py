"""drivers.stores: the code of a store is there while it works, and away in between on a board."""

import sys
from types import SimpleNamespace

import pytest

import drivers
import drivers.board_files
import drivers.store
from drivers.stores import LoadedStore


class Kept:
    """What `drivers.store` would keep on flash."""

    values = None

    def read(self):
        if self.values == "damaged":
            raise ValueError("damaged")
        return self.values

    def write(self, values, is_idle):
        assert is_idle
        Kept.values = values
        return True

    def forget(self, is_idle):
        assert is_idle
        Kept.values = None


@pytest.fixture
def module(monkeypatch):
    fake = SimpleNamespace(PortStore=Kept)
    monkeypatch.setattr(Kept, "values", None)
    monkeypatch.setattr(drivers, "store", fake)
    monkeypatch.setitem(sys.modules, "drivers.store", fake)
    monkeypatch.setitem(sys.modules, "drivers.board_files", drivers.board_files)
    monkeypatch.setattr(drivers, "board_files", drivers.board_files)
    return fake


def test_every_call_is_the_stores(module):
    store = LoadedStore("PortStore")
    assert store.read() is None
    assert store.write(b"a", True) and store.read() == b"a"
    store.forget(True)
    assert store.read() is None


@pytest.mark.parametrize("platform", ["rp2", "esp32"])
@pytest.mark.parametrize("values", [b"a", "damaged"])
def test_a_board_forgets_the_code_after_a_change_whatever_came_of_it(
    module, monkeypatch, platform, values
):
    monkeypatch.setattr(Kept, "values", values)
    monkeypatch.setattr(sys, "platform", platform)
    store = LoadedStore("PortStore")
    try:
        assert store.read() == values
    except ValueError as error:
        assert str(error) == values
    assert sys.modules["drivers.store"] is module, "the boot reads two of them"
    assert store.write(b"b", True)
    assert "drivers.store" not in sys.modules and not hasattr(drivers, "store")
    assert "drivers.board_files" not in sys.modules


def test_a_write_that_has_happened_is_not_said_to_have_failed(module, monkeypatch):
    def full(name):
        raise MemoryError

    monkeypatch.setattr("drivers.stores.unload", full)
    assert LoadedStore("PortStore").write(b"a", True) and Kept.values == b"a"


def test_a_computer_keeps_it(module):
    LoadedStore("PortStore").write(b"a", True)
    assert sys.modules["drivers.store"] is module
