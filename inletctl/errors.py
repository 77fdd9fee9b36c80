"""Errors that a person sees: one sentence that says what, where and what to do."""


class UserError(Exception):
    """Wrong input or a missing tool. The command line prints its one sentence and exits with `exit_status`."""

    def __init__(self, sentence: str, exit_status: int = 2):
        super().__init__(sentence)
        self.exit_status = exit_status
