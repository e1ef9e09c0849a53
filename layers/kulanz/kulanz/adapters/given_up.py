"""The batches of stream records that functions gave up, as Lambda's failure destination puts them into the bucket.

An object is one invocation's record: its `payload` is the whole event, as JSON or as the text of it (AWS documents the
latter). Of a record only its keys are read, which say what it is about.
"""

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from kulanz.adapters.aws import call, error_code, translated
from kulanz.adapters.campaign_keys import META, REVISION_PREFIX, campaign_of_partition
from kulanz.adapters.s3 import NOT_THERE
from kulanz.application.ports import GivenUpBatch, Refused, TryAgain
from kulanz.domain.ledger.entries import DecisionKey

GIVEN_UP_PREFIX = "aws/lambda/"
"""Lambda fixes it."""
GIVEN_UP_BYTES_MOST = 32 * 1024 * 1024
"""Of one object: an event has at most 6 MB, and its text is escaped once more."""


class S3GivenUp:
    """What functions gave up."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keys(self) -> Iterator[str]:
        more: dict[str, str] = {}
        while True:
            listed = self._client.list_objects_v2
            page = call("ListObjectsV2", listed, Bucket=self._bucket, Prefix=GIVEN_UP_PREFIX, **more)
            yield from (item["Key"] for item in page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def batch(self, key: str) -> GivenUpBatch | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            content: bytes = answer["Body"].read(GIVEN_UP_BYTES_MOST + 1)
        except ClientError as error:
            if error_code(error) in NOT_THERE:
                return None
            raise translated(error, "GetObject") from error
        except (BotoCoreError, HTTPError, OSError) as error:
            raise TryAgain(f"GetObject: {type(error).__name__}") from error
        return read_given_up(key, content)


def read_given_up(key: str, content: bytes) -> GivenUpBatch:
    """What the records of an object are about. Raises Refused."""
    if len(content) > GIVEN_UP_BYTES_MOST:
        raise Refused("a batch that was given up is larger than an event can be")
    try:
        found = json.loads(content)
        payload = found["payload"]
        event = json.loads(payload) if isinstance(payload, str) else payload
        keys = [record["dynamodb"]["Keys"] for record in event["Records"]]
        places = [(one["pk"]["S"], one["sk"]["S"]) for one in keys]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise Refused("this is no batch of records that a function gave up") from None
    moved = [campaign_of_partition(pk) for pk, sk in places if sk == META]
    unsent = [_decided(pk, sk) for pk, sk in places]
    incidents = [pk.partition("#")[2] for pk, sk in places if sk.startswith(REVISION_PREFIX)]
    return GivenUpBatch(
        key,
        tuple(dict.fromkeys(one for one in moved if one is not None)),
        tuple(dict.fromkeys(one.campaign for one in unsent if one is not None)),
        tuple(dict.fromkeys(incidents)),
    )


def _decided(partition: str, place: str) -> DecisionKey | None:
    """The decision of a record; None where it is about something else."""
    try:
        return DecisionKey.parse(partition, place)
    except ValueError:
        return None
