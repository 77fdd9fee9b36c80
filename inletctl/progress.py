"""A progress bar on stderr for what takes long."""

from collections.abc import Callable
from typing import Any


class Bar:
    """`with Bar(...) as done:` then done(count); nothing is shown where the output is for a program.

    `of`: how many there are, None where only done(count, of) knows. done(..., said=...): words beside the count.
    """

    def __init__(self, of: "int | None", words: str, is_quiet: bool):
        self._of = of
        self._words = words
        self._is_quiet = is_quiet

    def __enter__(self) -> Callable[..., None]:
        if self._is_quiet:
            return lambda _done, of=None, said="": None
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._progress = Progress(
            TextColumn(self._words), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"),
            TimeRemainingColumn(), console=Console(stderr=True),
        )  # fmt: skip
        self._progress.start()
        task = self._progress.add_task(self._words, total=self._of, said="")
        return lambda done, of=self._of, said="": self._progress.update(
            task, completed=done, total=of, said=said
        )

    def __exit__(self, *_: Any) -> None:
        if not self._is_quiet:
            self._progress.stop()
