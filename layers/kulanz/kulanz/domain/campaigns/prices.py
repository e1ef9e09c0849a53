"""What AWS charges and how much it lets one account do, as data: with region, date, source, and whether it was checked.

`is_checked` means seen in a public source of that year. A price without it stands in the estimate too, because leaving
it out would be a worse guess; it is told apart wherever a sum is broken down. Free tiers, taxes and discounts are left
out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """USD for a million of something."""

    usd_per_million: Decimal
    source: str
    is_checked: bool


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The list prices of one region at a date (ISO 8601)."""

    region: str
    date: str
    prices: Mapping[str, Price]

    def cost(self, used: Mapping[str, Decimal | int]) -> Decimal:
        """USD for what was used. Raises KeyError for something without a price."""
        return sum((self.prices[name].usd_per_million * number / MILLION for name, number in used.items()), Decimal(0))


@dataclass(frozen=True, slots=True)
class Quota:
    """How many of something a second."""

    per_second: int
    source: str
    is_checked: bool


def _price(usd_per_million: str, source: str, *, is_checked: bool = True) -> Price:
    return Price(Decimal(usd_per_million), source, is_checked)


_DYNAMODB = "aws.amazon.com/dynamodb/pricing/on-demand"

PRICES = PriceTable(
    region="us-east-1",
    date="2026-11-22",
    prices={
        "write_units": _price("0.625", _DYNAMODB),
        "read_units": _price("0.125", _DYNAMODB),
        "queue_requests": _price("0.40", "aws.amazon.com/sqs/pricing"),
        "topic_messages": _price("0.50", "aws.amazon.com/sns/pricing"),
        "function_requests": _price("0.20", "aws.amazon.com/lambda/pricing"),
        "function_gb_seconds": _price("13.3334", "aws.amazon.com/lambda/pricing, arm64"),
        "bucket_reads": _price("0.40", "aws.amazon.com/s3/pricing", is_checked=False),
        "bucket_writes": _price("5.00", "aws.amazon.com/s3/pricing", is_checked=False),
        "workflow_transitions": _price("25", "aws.amazon.com/step-functions/pricing"),
    },
)

TABLE_WRITES = Quota(40_000, "DynamoDB: default write units a second of one on-demand table", is_checked=True)
COLD_TABLE_WRITES = Quota(
    4_000, "DynamoDB: a new on-demand table; it doubles every 30 minutes under load", is_checked=True
)
COLD_TABLE_DOUBLES_SECONDS = 1_800
TOPIC_MESSAGES: Mapping[str, Quota] = {
    "us-east-1": Quota(30_000, "SNS: messages a second, those of a batch counted one by one", is_checked=True),
    "us-west-2": Quota(9_000, "SNS: messages a second, as Ireland", is_checked=True),
    "eu-west-1": Quota(9_000, "SNS: messages a second, as Oregon", is_checked=True),
    "eu-central-1": Quota(1_500, "SNS: messages a second, as seven other regions", is_checked=True),
}
TOPIC_MESSAGES_ELSEWHERE = Quota(300, "SNS: messages a second in every other region", is_checked=True)
