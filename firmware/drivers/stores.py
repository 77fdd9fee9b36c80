"""Settings and port records on flash, their code loaded while it works only: a board has little room."""

from modules import unload


class LoadedStore:
    """A store of drivers.store, by the name of its class: read, write and forget are that one's."""

    def __init__(self, name: str):
        self._name = name

    def read(self):
        """Return what is stored, None where nothing ever was. Raises what loading and reading raise."""
        try:
            return self._loaded().read()
        finally:
            _unload()

    def write(self, values, is_idle: bool) -> bool:
        """Store `values`; return whether they were others. Raises what loading and writing raise."""
        try:
            return self._loaded().write(values, is_idle)
        finally:
            _unload()

    def forget(self, is_idle: bool) -> None:
        """Store nothing any more. Raises what loading and removing raise."""
        try:
            self._loaded().forget(is_idle)
        finally:
            _unload()

    def _loaded(self):
        from drivers import store

        return getattr(store, self._name)()


def _unload() -> None:
    unload("drivers.store")
    unload("drivers.board_files")
