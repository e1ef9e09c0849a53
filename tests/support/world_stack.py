"""A deployed stack as the `kulanz` command sees it, over a world in memory: for tests of what commands do and say."""

from typing import Any

from click.testing import CliRunner, Result

from kulanz.application.campaigns.control_campaign import ControlPorts
from kulanz.application.ledger.accept_offer import AcceptPorts
from kulanz.application.ledger.answer import AnswerPorts
from kulanz.domain.campaigns.estimate import Operation
from kulanz_cli.main import main
from kulanz_cli.stack import Stack, StackOutputs
from tests.support.fake_offers import FakeOffers
from tests.support.world import BUCKET, World

OPERATION = Operation("eu-central-1", recipients_per_message=3, write_rate=20)
CALLER = "arn:aws:iam::123456789012:user/support-desk"


class WorldStack(Stack):
    """A stack whose ports are those of a world in memory."""

    def __init__(self, world: World) -> None:
        super().__init__("kulanz")
        self.world = world
        self.accepting = FakeOffers(world.ledger, world.campaigns)
        self._outputs = StackOutputs(**dict.fromkeys(StackOutputs.__dataclass_fields__, BUCKET))

    def campaigns(self) -> Any:
        return self.world.campaigns

    def stores(self) -> Any:
        return self.world.stores

    def operation(self) -> Operation:
        return OPERATION

    def policies(self) -> Any:
        return self.world.policies

    def answers(self) -> AnswerPorts:
        return AnswerPorts(self.world.campaigns, self.world.lists, self.world.ledger)

    def offers(self) -> AcceptPorts:
        return AcceptPorts(self.world.ledger, self.world.campaigns, self.accepting)

    def control(self) -> ControlPorts:
        return ControlPorts(self.world.campaigns, self.world.chunks)

    def caller(self) -> str:
        return CALLER


def run(stack: Stack | None, *words: str) -> Result:
    """What a command line prints, and its exit code; an error that is not told as one fails the test."""
    result = CliRunner().invoke(main, words, obj=stack, prog_name="kulanz")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
