"""What the tests of the deployed stack share: one embedded AWS, with the stack deployed once."""

from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import pytest

from kulanz_cli.stack import StackOutputs
from kulanz_local.deployment import build, deploy
from kulanz_local.embedded import ACCOUNT_ID, REGION, EmbeddedAws, aws_session
from kulanz_local.stories import to_the_bill

SMALL_CHUNK_BYTES = "4096"
"""So that a list of a few hundred rows has several chunks."""
WORKERS = "2"


@dataclass(frozen=True)
class Deployed:
    """The stack on an AWS of its own."""

    aws: EmbeddedAws
    outputs: StackOutputs
    session: boto3.Session


@pytest.fixture(scope="session")
def deployed() -> Iterator[Deployed]:
    """The stack, built if need be, and deployed to a fresh AWS for all tests of the session."""
    build()
    with EmbeddedAws() as aws:
        parameters = {
            "ChunkBytes": SMALL_CHUNK_BYTES,
            "MaximumConcurrency": WORKERS,
            "NoticesPerMessage": "50",
            "DeliveryChannel": "billing:csv",
            "OtherChannels": to_the_bill.OTHER_CHANNELS,
            "AlarmTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:alarms",
        }
        yield Deployed(aws, deploy(aws.endpoint, parameters=parameters), aws_session())
