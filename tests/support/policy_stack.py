"""A stack as a publisher of policies sees it, in memory."""

from typing import Any

from kulanz_cli.stack import Stack

ROLE = "arn:aws:sts::123456789012:assumed-role/Administrator/somebody@example.org"


class PolicyStack(Stack):
    """A stack that is nothing but its policies; the caller is a session of a role."""

    def __init__(self, shelf: Any) -> None:
        super().__init__("kulanz")
        self.shelf = shelf

    def policies(self) -> Any:
        return self.shelf

    def caller(self) -> str:
        return ROLE
