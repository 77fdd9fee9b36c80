"""Settings and port records on flash, their code loaded while it works only: a board has little room."""

from modules import unload


class LoadedStore:
    """A store of drivers.store, by the name of its class: read, write and forget are that one's."""

    def __init__(self, name: str):
        self._name = name

    def read(self):
        """Return what is stored, None where nothing ever was. Raises what loading and reading raise. The code stays."""
        return self._loaded().read()

    def write(self, values, is_idle: bool) -> bool:
        """Store `values`; return whether they were others. Raises what loading and writing raise."""
        try:
            return self._loaded().write(values, is_idle)
        finally:
            _forget_code()

    def forget(self, is_idle: bool) -> None:
        """Store nothing any more. Raises what loading and removing raise."""
        try:
            self._loaded().forget(is_idle)
        finally:
            _forget_code()

    def _loaded(self):
        from drivers import store

        return getattr(store, self._name)()


def _forget_code() -> None:
    """Forget the stores' code until it is needed again."""
    try:
        unload("drivers.store")
        unload("drivers.board_files")
    except MemoryError:
        # It stays: what came of the call counts more.
        return
