"""A deployed stack as whoever deploys it sees it, and whoever publishes policies: with its tables and its bucket.

For `doctor`, `ledger`, `policy publish` and `people`. Everything else goes through the API.
"""

from kulanz.adapters.answer_table import DynamoAnswers
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.credit_entries import DynamoCredits
from kulanz.adapters.delivery_table import DynamoDeliveries
from kulanz.adapters.discretion import S3Discretion
from kulanz.adapters.drafts_table import DynamoDrafts
from kulanz.adapters.index_table import DynamoIndex
from kulanz.adapters.ledger_table import DynamoLedger
from kulanz.adapters.parted_lists import PartedLists
from kulanz.adapters.people import S3People
from kulanz.adapters.s3 import S3Lists, S3Policies
from kulanz.adapters.sources import S3Sources
from kulanz.adapters.stores import DynamoStores
from kulanz.adapters.void_table import DynamoVoids
from kulanz.application.ledger.answer import AnswerPorts
from kulanz.application.ledger.check_ledger import CheckPorts
from kulanz.application.ports import Stores
from kulanz_cli.stack import Stack

POLICY_PREFIX = "policies/"


class DirectStack(Stack):
    """A stack, and the ports over its tables and its bucket."""

    def campaigns(self) -> DynamoCampaigns:
        """The campaign store."""
        return DynamoCampaigns(self.client("dynamodb"), self.outputs.campaigns_table_name)

    def stores(self) -> Stores:
        """The two tables themselves."""
        outputs = self.outputs
        return DynamoStores(self.client("dynamodb"), outputs.credits_table_name, outputs.campaigns_table_name)

    def policies(self) -> S3Policies:
        """The published policies."""
        return S3Policies(self.client("s3"), self.outputs.list_bucket_name, POLICY_PREFIX)

    def people(self) -> S3People:
        """The people file."""
        return S3People(self.client("s3"), self.outputs.list_bucket_name, POLICY_PREFIX)

    def discretion(self) -> S3Discretion:
        """The discretion file."""
        return S3Discretion(self.client("s3"), self.outputs.list_bucket_name, POLICY_PREFIX)

    def sources(self) -> S3Sources:
        """The configuration of sources."""
        return S3Sources(self.client("s3"), self.outputs.list_bucket_name, POLICY_PREFIX)

    def drafts(self) -> DynamoDrafts:
        """What was received of upstream incidents."""
        return DynamoDrafts(self.client("dynamodb"), self.outputs.campaigns_table_name)

    def answers(self) -> AnswerPorts:
        """What is read to compare the ledger with receipts."""
        ledger = DynamoLedger(self.client("dynamodb"), self.outputs.credits_table_name, calls_in_flight=1)
        lists = PartedLists(S3Lists(self.client("s3"), self.outputs.list_bucket_name))
        return AnswerPorts(self.campaigns(), lists, ledger)

    def checks(self) -> CheckPorts:
        """What is read to prove that entries and counters say the same."""
        client, outputs, answers = self.client("dynamodb"), self.outputs, self.answers()
        return CheckPorts(
            answers.campaigns,
            answers.lists,
            answers.ledger,
            DynamoCredits(client, outputs.credits_table_name, calls_in_flight=1),
            DynamoDeliveries(client, outputs.campaigns_table_name),
            DynamoAnswers(client, outputs.campaigns_table_name),
            DynamoVoids(client, outputs.campaigns_table_name),
            DynamoIndex(client, outputs.campaigns_table_name, outputs.credits_table_name),
        )
