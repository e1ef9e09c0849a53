"""The doors tried: a put on the bus, a direct send to the queues and a write to the tables that must be refused.

Each is made so that nothing happens should it be accepted: no rule matches the event, no campaign has the chunk,
open_campaign refuses the message as no event that it knows, and the item is removed.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from kulanz.adapters.aws import error_code
from kulanz.adapters.messaging import chunk_message_text
from kulanz.application.ports import ChunkMessage
from kulanz.domain.campaigns.campaign import CampaignId, Pass
from kulanz_cli.doctor.clock import now
from kulanz_cli.doctor.examined import Examined, Result, Verdict, finding, is_denied, not_shown, ok

DETAIL_TYPE = "Kulanz Doctor"
"""No rule of the template matches it."""
DOCTOR = "kulanz-doctor"
EXPLICIT_DENY = "explicit deny"
"""What AWS's message says where a policy denied, and not merely nothing allowed."""
OUR_SOURCE = "kulanz"
CAMPAIGN = CampaignId(DOCTOR, 1)
"""There is none of this id as long as nobody calls an incident so."""
PARTITION = "DOCTOR#"
"""Decisions stand under ACCOUNT#, campaigns under CAMPAIGN#; the filters ask for DECISION#, REVISION# or META."""
PLACE = "TEST"
LEFT_OVER = timedelta(days=1)
"""After this an item in the table of decisions would expire by itself, should it not be removed."""
NO_POLICIES = "it applies no such policy to its callers"


def bus(at: Examined) -> Iterator[Result]:
    """An event by a caller who is in no list, and one in Kulanz's own name, which nobody but a function may use."""
    left = f'an event "{DETAIL_TYPE}" that no rule of this stack matches'
    yield at.only_on_aws(
        _tried(
            lambda: put(at, [OUR_SOURCE]),
            "An event in the name of kulanz itself is refused.",
            f"The bus took an event in the name of kulanz itself from you; it left {left}.",
        ),
        NO_POLICIES,
    )
    if at.is_caller_in(at.listed("PublisherArns")):
        yield not_shown("You are in PublisherArns, so that a refused put needs another caller: run it as one.")
        return
    yield at.only_on_aws(
        _tried(
            lambda: put(at, [DOCTOR]),
            "An event of a caller who is in no list is refused.",
            f"The bus took an event from you although you are not in PublisherArns; it left {left}.",
        ),
        NO_POLICIES,
    )


def put(at: Examined, sources: list[str]) -> Any:
    """Put one event a source in one call. Raises ClientError where it is refused, whole or in one entry."""
    detail = json.dumps({"about": "sent by kulanz doctor; it means nothing"})
    entry = {"DetailType": DETAIL_TYPE, "Detail": detail, "EventBusName": at.outputs.event_bus_name}
    answer = at.client("events").put_events(Entries=[{**entry, "Source": source} for source in sources])
    codes = [one["ErrorCode"] for one in answer.get("Entries", []) if "ErrorCode" in one]
    if codes:
        raise ClientError({"Error": {"Code": codes[0], "Message": "an entry was refused"}}, "PutEvents")
    return answer


def queues(at: Examined) -> Iterator[Result]:
    """A message past the bus, to each of the two queues that functions work."""
    if at.is_caller_in(at.listed("OperatorArns")):
        yield not_shown("You are in OperatorArns, so that a refused send needs another caller: run it as one.")
        return
    sqs, outputs = at.client("sqs"), at.outputs
    event = {"source": DOCTOR, "detail-type": DETAIL_TYPE, "id": DOCTOR, "time": datetime.now(UTC).isoformat()}
    chunk = chunk_message_text(ChunkMessage(CAMPAIGN, Pass.PLAN, 0))

    def sent(what: str, url: str, body: str, left: str) -> Result:
        return at.only_on_aws(
            _tried(
                lambda: sqs.send_message(QueueUrl=url, MessageBody=body),
                f"A direct send to the {what} queue is refused.",
                f"The {what} queue took a message from you past the bus and its lists; it left {left}.",
            ),
            NO_POLICIES,
        )

    to_chunks = sent("chunk", outputs.chunks_queue_url, chunk, "a chunk of no campaign, which grant_credits drops")
    if to_chunks.verdict is Verdict.NOT_SHOWN and not at.is_aws:
        # What is taken there would be taken here, and stay as a refused event.
        yield not_shown(f"A direct send to the incidents queue was not tried. This is not AWS: {NO_POLICIES}.")
    else:
        yield sent(
            "incidents", outputs.incidents_queue_url, json.dumps({**event, "detail": {}}),
            "one refused event: kulanz rejected shows it, kulanz rejected --done puts it away",
        )  # fmt: skip
    yield to_chunks


def tables(at: Examined) -> Iterator[Result]:
    """An item past the functions, in each table: its key is no account's nor incident's, and no reader hears of it."""
    client = at.client("dynamodb")
    for what, name in (("decisions", at.outputs.credits_table_name), ("campaigns", at.outputs.campaigns_table_name)):
        key = {"pk": {"S": f"{PARTITION}{uuid.uuid4()}"}, "sk": {"S": PLACE}}
        item = {**key, "ttl": {"N": str(int((now() + LEFT_OVER).timestamp()))}}
        try:
            yield at.only_on_aws(
                _tried(
                    lambda name=name, item=item: client.put_item(TableName=name, Item=item),  # type: ignore[misc]
                    f"A direct write to the table of {what} is refused.",
                    f"The table of {what} took an item from you past the functions: whoever IAM permits can grant.",
                ),
                "it applies no policy of a table",
            )
        finally:  # at Ctrl-C too
            left = _removed(client, name, key)
        if left is not None:
            yield left


def _removed(client: Any, table: str, key: Any) -> Result | None:
    """What is left of an item that was taken. Where writes are refused there is none."""
    try:
        client.delete_item(TableName=table, Key=key)
    except ClientError as error:
        if is_denied(error):
            return None
        by_hand = f"aws dynamodb delete-item --table-name {table} --key '{json.dumps(key, separators=(',', ':'))}'"
        return finding(f"A test item could not be removed ({error_code(error)}). It changes nothing.", by_hand)
    return None


def _tried(attempt: Callable[[], Any], refused: str, accepted: str) -> Result:
    """What is refused by a policy is as it must be. Any other error is the check's own."""
    try:
        attempt()
    except ClientError as error:
        if not is_denied(error):
            raise
        if EXPLICIT_DENY in str(error):
            return ok(refused)
        unclear = "AWS names no explicit deny: your own permissions may have refused it. Run it as an administrator."
        return not_shown(f"{refused} {unclear}")
    return finding(accepted, "Compare that policy with the template, deploy again, and look who else may send.")
