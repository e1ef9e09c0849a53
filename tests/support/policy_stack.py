"""A stack as a publisher of policies sees it, in memory."""

from typing import Any

from tests.support.world import World
from tests.support.world_stack import WorldStack

ROLE = "arn:aws:sts::123456789012:assumed-role/Administrator/somebody@example.org"


class PolicyStack(WorldStack):
    """A stack that is nothing but its policies; the caller is a session of a role."""

    def __init__(self, shelf: Any) -> None:
        world = World()
        world.policies = shelf
        super().__init__(world)
        self.shelf = shelf

    def caller(self) -> str:
        return ROLE

    def policies(self) -> Any:
        return self.shelf
