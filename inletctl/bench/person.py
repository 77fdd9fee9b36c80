"""The person at the bench: told what to do, says that it is done, skips it, or ends the run."""

import click

DONE, SKIPPED, QUIT = "done", "skipped", "quit"
# From the hand to the Enter key, either way: nothing done by hand is timed better than this.
HAND_US = 1_000_000
CHANNELS = ("person", "pp", "vehicle", "wiring", "temperature", "lock")


class Person:
    """Asks on the terminal."""

    def ask(self, words: str) -> str:
        """Tell the person to do `words`; return DONE, SKIPPED or QUIT."""
        while True:
            said = click.prompt(
                "Please: %s   [Enter = done, s = skip, q = end the run]" % words,
                default="",
                show_default=False,
                err=True,
            )
            answer = {"": DONE, "s": SKIPPED, "q": QUIT}.get(said.strip().lower())
            if answer is not None:
                return answer
            click.echo("Press Enter, or type s or q.", err=True)
