"""One VISA instrument at one address: questions, answers, and one sentence for each way that they fail."""

from typing import Any, Protocol

from inletctl.errors import UserError

TIMEOUT_MS = 2000


class Resource(Protocol):
    """What is used of a PyVISA resource."""

    def write(self, message: str) -> Any:
        """Send one command."""
        ...

    def query(self, message: str) -> str:
        """Send one question and return its answer."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Talk:
    """One instrument at one address: every way it can fail to answer is one sentence.

    After a late answer nothing more is sent: it would be taken for the answer to the next question.
    """

    def __init__(self, address: str, resource: Resource, timeout_ms: int):
        from pyvisa.errors import Error

        self.address = address
        self._resource = resource
        self._timeout_ms = timeout_ms
        self._errors = (Error, OSError)
        self._is_out_of_step = False

    def write(self, command: str) -> None:
        """Send a command. Raises UserError."""
        self._refuse_out_of_step()
        try:
            self._resource.write(command)
        except self._errors as error:
            raise self._lost(command, error) from None

    def ask(self, question: str) -> str:
        """Return the answer to a question. Raises UserError."""
        self._refuse_out_of_step()
        try:
            return self._resource.query(question).strip()
        except UnicodeDecodeError:
            self._is_out_of_step = True
            raise UserError(
                "The instrument at %s answers %s with bytes that are no text: is it the generator, and is the cable good?"
                % (self.address, question),
                1,
            ) from None
        except self._errors as error:
            raise self._lost(question, error) from None

    def close(self) -> None:
        """Let go of the instrument."""
        try:
            self._resource.close()
        except self._errors:
            # It has gone already: nothing is left to let go of.
            return

    def _lost(self, message: str, error: Exception) -> UserError:
        self._is_out_of_step = True
        if "VI_ERROR_TMO" in str(error):
            return UserError(
                "The instrument at %s did not answer %s within %g s: check that it is on, connected and not busy, then "
                "start again." % (self.address, message, self._timeout_ms / 1000),
                1,
            )
        return UserError(
            "The instrument at %s is gone (%s, at %s): check its cable and address, then start again."
            % (self.address, _reason(error), message),
            1,
        )

    def _refuse_out_of_step(self) -> None:
        if self._is_out_of_step:
            raise UserError(
                "The instrument at %s failed to answer before, so nothing more is sent to it: start again."
                % self.address,
                1,
            )


def open_resource(address: str, timeout_ms: int, backend: str = "@py") -> Resource:
    """Return the VISA resource at `address`. Raises UserError."""
    try:
        import pyvisa
    except ImportError:
        raise UserError(
            "PyVISA is missing: run `make setup`, which takes it from the lock file.", 3
        ) from None
    try:
        resource: Any = pyvisa.ResourceManager(backend).open_resource(
            address,
            read_termination="\n",
            write_termination="\n",
            timeout=timeout_ms,
            open_timeout=timeout_ms,
        )
    except Exception as error:  # pyvisa-py raises bare ones, as for a host that has no address
        raise UserError(
            "There is no instrument at %s (%s): check the address with `inletctl scan`, and that it is on."
            % (address, _reason(error))
        ) from None
    return resource


def _reason(error: Exception) -> str:
    lines = str(error).strip().rstrip(".").splitlines()
    return lines[0] if lines else type(error).__name__
