"""What an error has that is for people and for programs: a text, and a code that stays the same."""


class WithReason(Exception):
    """An error with a code. `reason` is the code; the text says why and what to do, or what was expected."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
