"""What the adapters make of an AWS that refuses, throttles, or answers and is not heard: errors, batches, inserts."""

import json
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import (
    ConnectTimeoutError,
    ParamValidationError,
    ReadTimeoutError,
)

from kulanz.adapters import aws
from kulanz.adapters.ledger_table import DynamoLedger, entry_item
from kulanz.adapters.messaging import (
    PUBLISH_CALL_BYTES,
    EventBridgeAnnouncer,
    SnsCredits,
    SnsNotices,
    SqsChunks,
    read_chunk_message,
)
from kulanz.application.campaigns.chunk_run import ROUND_SECONDS, TIME_TO_FINISH_SECONDS, WAVE_SECONDS
from kulanz.application.ports import (
    Announcement,
    ChunkMessage,
    PublishMessage,
    Refused,
    TryAgain,
)
from kulanz.domain.campaigns.campaign import Pass
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.topic_messages import CreditsMessage
from kulanz.domain.ledger.entries import Entry
from kulanz.domain.notices import Audience, NoticeMessage
from tests.support.scripted import SECRET, Scripted, error, waits_kept
from tests.support.values import FIRST, INCIDENT, entry


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait would have been."""
    return waits_kept(monkeypatch)


# Which errors are worth another try


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (error("ThrottlingException"), TryAgain),
        (error("ProvisionedThroughputExceededException"), TryAgain),
        (error("com.amazonaws.dynamodb.v20120810#ThrottlingException"), TryAgain),
        (error("SlowDown", 503), TryAgain),
        (error("SomethingNew", 500), TryAgain),
        (ReadTimeoutError(endpoint_url="x"), TryAgain),
        (ConnectTimeoutError(endpoint_url="x"), TryAgain),
        (ConnectionResetError(), TryAgain),
        (error("ValidationException"), Refused),
        (error("AccessDeniedException", 403), Refused),
        (error("ResourceNotFoundException"), Refused),
        (ParamValidationError(report=SECRET), Refused),
    ],
)
def test_an_error_says_whether_to_try_again_and_nothing_of_the_content(raised: Exception, expected: type) -> None:
    with pytest.raises(expected) as caught:
        aws.call("Operation", Scripted(operation=[raised]).operation, Key=SECRET)

    assert SECRET not in str(caught.value)


def test_a_client_waits_shorter_for_a_connection_than_for_an_answer_and_tries_as_often_as_it_says() -> None:
    config = aws.client("sts").meta.config
    assert (config.connect_timeout, config.read_timeout) == (aws.CONNECT_TIMEOUT_SECONDS, aws.READ_TIMEOUT_SECONDS)
    assert config.connect_timeout < config.read_timeout
    assert config.retries == {"mode": "standard", "total_max_attempts": aws.SDK_ATTEMPTS}


def test_waits_grow_and_are_bounded() -> None:
    for attempt in range(1, 30):
        assert 0 <= aws.backoff_seconds(attempt) <= aws.BACKOFF_LONGEST_SECONDS
    assert max(aws.backoff_seconds(1) for _ in range(100)) <= aws.BACKOFF_FIRST_SECONDS


def longest_waits(attempts: int, longest_seconds: float) -> float:
    return sum(min(longest_seconds, aws.BACKOFF_FIRST_SECONDS * 2.0**number) for number in range(attempts))


def test_all_waits_of_a_wave_and_its_receipt_fit_into_what_a_worker_keeps_back() -> None:
    insert = longest_waits(aws.ENTRY_ATTEMPTS, aws.BACKOFF_LONGEST_SECONDS)
    receipt = longest_waits(aws.CONFLICT_ATTEMPTS, aws.CONFLICT_BACKOFF_LONGEST_SECONDS)

    assert insert + WAVE_SECONDS + receipt <= TIME_TO_FINISH_SECONDS
    assert insert <= ROUND_SECONDS <= TIME_TO_FINISH_SECONDS / 2


# Batches whose entries fail one by one

MESSAGES = [ChunkMessage(FIRST, Pass.PLAN, chunk) for chunk in range(3)]


def _failed(*ids: str) -> dict[str, Any]:
    return {"Failed": [{"Id": entry_id, "Code": "InternalError", "SenderFault": False} for entry_id in ids]}


def _sent(client: Scripted, name: str, key: str) -> list[list[str]]:
    return [[entry[key] for entry in asked[name]] for asked in client.asked]


def test_only_chunk_messages_that_were_refused_are_sent_again(waits: list[float]) -> None:
    client = Scripted(send_message_batch=[_failed("0", "2"), _failed("2"), {}])

    SqsChunks(client, "queue").send(MESSAGES)

    assert [[json.loads(body)["chunk"] for body in call] for call in _sent(client, "Entries", "MessageBody")] == [
        [0, 1, 2],
        [0, 2],
        [2],
    ]
    assert len(waits) == 2


def test_chunk_messages_that_are_refused_for_ever_are_given_up_for_now() -> None:
    client = Scripted(send_message_batch=lambda **_: _failed("1"))

    with pytest.raises(TryAgain, match=r"entries refused 12 times: 1\Z"):
        SqsChunks(client, "queue").send(MESSAGES)
    assert len(client.asked) == aws.ENTRY_ATTEMPTS


def test_a_message_about_a_part_is_read_as_it_was_sent_and_one_without_its_place_is_refused() -> None:
    client, message = Scripted(send_message_batch=[{}]), PublishMessage(DeliveryId("billing", 12), 4_000, 3)
    SqsChunks(client, "queue").send_parts([message])
    ((text,),) = _sent(client, "Entries", "MessageBody")
    assert read_chunk_message(text) == message
    for name, wrong in (("start", -1), ("start", True), ("chunk", None), ("publish", "billing")):
        with pytest.raises(ValueError, match=r"start|chunk|channel"):
            read_chunk_message(json.dumps({**json.loads(text), name: wrong}))


def _notices(count: int) -> list[NoticeMessage]:
    audience = Audience(str(FIRST), "granted", "de", "email")
    return [NoticeMessage(audience, INCIDENT, f"text {number}", 1) for number in range(count)]


def test_only_notices_that_were_refused_are_published_again() -> None:
    client = Scripted(publish_batch=[_failed("9"), {}, {"Failed": []}])

    SnsNotices(client, "topic").publish(_notices(12))

    assert [len(call) for call in _sent(client, "PublishBatchRequestEntries", "Message")] == [10, 1, 2]
    assert _sent(client, "PublishBatchRequestEntries", "Message")[1] == ["text 9"]


def test_credits_are_published_as_many_at_once_as_a_call_takes_and_only_the_refused_ones_again(
    waits: list[float],
) -> None:
    client = Scripted(publish_batch=[{}, _failed("1"), {}])
    sizes = [60_000, 60_000, 60_000, 60_000, 100_000, 100_000]
    messages = [
        CreditsMessage("billing", INCIDENT, f"{number}".encode() * size, 1) for number, size in enumerate(sizes)
    ]

    SnsCredits(client, "topic").publish(iter(messages))

    sent = _sent(client, "PublishBatchRequestEntries", "Message")
    assert [[text[0] for text in call] for call in sent] == [["0", "1", "2", "3"], ["4", "5"], ["5"]]
    assert all(sum(map(len, call)) <= PUBLISH_CALL_BYTES for call in sent)
    (entry, *_) = client.asked[0]["PublishBatchRequestEntries"]
    assert entry["MessageAttributes"] == {
        name: {"DataType": "String", "StringValue": value}
        for name, value in (("channel", "billing"), ("incident_id", INCIDENT))
    }
    assert len(waits) == 1


def test_notices_that_are_refused_for_ever_are_given_up_for_now() -> None:
    with pytest.raises(TryAgain):
        SnsNotices(Scripted(publish_batch=lambda **_: _failed("0")), "topic").publish(_notices(2))


def test_an_announcement_that_the_bus_did_not_take_is_put_again() -> None:
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"}]}
    client = Scripted(put_events=[refused, {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}])

    EventBridgeAnnouncer(client, "bus").announce(Announcement("Campaign Closed", "{}"))

    assert len(client.asked) == 2
    assert client.asked[0] == client.asked[1]


def test_an_announcement_that_the_bus_never_takes_is_given_up_for_now() -> None:
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}

    with pytest.raises(TryAgain):
        EventBridgeAnnouncer(Scripted(put_events=lambda **_: refused), "bus").announce(Announcement("x", "{}"))


# Inserts


type Answer = list[str | None] | tuple[int, str]
"""The code of each statement (None: executed), or a status and the code of the whole call."""


class Statements:
    """Answers BatchExecuteStatement on the SDK's own event, as a stand-in does; keeps what was written."""

    def __init__(self, script: Callable[[int, list[dict[str, Any]]], Answer]) -> None:
        self.client = boto3.client("dynamodb")
        answering: Any = self._answer  # boto3's types know no handler that answers
        self.client.meta.events.register("before-send.dynamodb.BatchExecuteStatement", answering)
        self.calls: list[list[str]] = []
        self.written: set[str] = set()
        self._script = script

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        statements = json.loads(request.body)["Statements"]
        accounts = [statement["Parameters"][0]["S"] for statement in statements]
        self.calls.append(accounts)
        answer = self._script(len(self.calls), statements)
        if isinstance(answer, tuple):
            status, whole = answer
            return self._response(request, status, {"__type": f"com.amazonaws.dynamodb#{whole}", "message": SECRET})
        self.written |= {account for code, account in zip(answer, accounts, strict=True) if code is None}
        responses = [{"TableName": "t"} if code is None else {"Error": {"Code": code}} for code in answer]
        return self._response(request, 200, {"Responses": responses})

    def _response(self, request: Any, status: int, content: Any) -> AWSResponse:
        raw = SimpleNamespace(stream=lambda *_, **__: iter([json.dumps(content).encode()]))
        return AWSResponse(request.url, status, HTTPHeaders(), raw)

    def ledger(self, standing: Sequence[Entry] = ()) -> DynamoLedger:
        """A ledger over this client, in which some entries stand already."""
        ledger = DynamoLedger(self.client, "t", calls_in_flight=2)
        reads = Scripted(batch_get_item=lambda **_: {"Responses": {"t": [entry_item(known) for known in standing]}})
        ledger._client = reads
        return ledger


ENTRIES = [entry(f"a-{number:02d}") for number in range(30)]


def test_inserts_travel_25_at_a_time() -> None:
    statements = Statements(lambda _, asked: [None] * len(asked))

    assert statements.ledger().insert(ENTRIES) == [None] * 30

    assert [len(call) for call in statements.calls] == [25, 5]


@pytest.mark.parametrize(
    "code", ["ThrottlingError", "ProvisionedThroughputExceeded", "TransactionConflict", "InternalServerError"]
)
def test_only_statements_that_were_throttled_are_executed_again(code: str, waits: list[float]) -> None:
    def answer(call: int, asked: list[Any]) -> Answer:
        return [code if call <= 2 and number % 2 else None for number in range(len(asked))]

    statements = Statements(answer)
    ledger = statements.ledger()

    assert ledger.insert(ENTRIES) == [None] * 30

    assert len(statements.written) == 30
    assert sum(len(call) for call in statements.calls) == 30 + 12 + 2
    assert ledger.take_throttled() == 14
    assert ledger.take_throttled() == 0
    assert waits


def test_statements_that_are_throttled_for_ever_are_given_up_for_now() -> None:
    statements = Statements(lambda _, asked: ["ThrottlingError"] * len(asked))

    with pytest.raises(TryAgain, match="throttled"):
        statements.ledger().insert(ENTRIES[:3])
    assert len(statements.calls) == aws.ENTRY_ATTEMPTS


def test_a_throttled_call_is_made_again() -> None:
    def answer(call: int, asked: list[Any]) -> Answer:
        return (400, "ThrottlingException") if call == 1 else [None] * len(asked)

    assert Statements(answer).ledger().insert(ENTRIES[:3]) == [None] * 3


@pytest.mark.parametrize("code", ["ValidationError", "ResourceNotFound", "AccessDenied"])
def test_a_statement_that_can_never_succeed_is_refused_without_its_content(code: str) -> None:
    statements = Statements(lambda _, asked: [code] + [None] * (len(asked) - 1))

    with pytest.raises(Refused) as caught:
        statements.ledger().insert(ENTRIES[:3])
    assert str(caught.value) == f"BatchExecuteStatement: {code}"


@pytest.mark.parametrize(("status", "code"), [(400, "AccessDeniedException"), (403, "UnrecognizedClientException")])
def test_a_call_that_can_never_succeed_is_refused_without_its_content(status: int, code: str) -> None:
    with pytest.raises(Refused) as caught:
        Statements(lambda *_: (status, code)).ledger().insert(ENTRIES[:3])
    assert SECRET not in str(caught.value)


def test_an_insert_whose_reply_was_lost_finds_its_own_entry() -> None:
    """The first call takes effect and fails with a 500; made again it meets what it wrote itself."""

    def answer(call: int, asked: list[Any]) -> Answer:
        return (500, "InternalServerError") if call == 1 else ["DuplicateItem"] * len(asked)

    assert Statements(answer).ledger(ENTRIES[:3]).insert(ENTRIES[:3]) == ENTRIES[:3]


def test_a_duplicate_is_resolved_by_reading_what_stands_there() -> None:
    standing = entry("a-01", body='{"other":"facts"}', origin=7)
    statements = Statements(lambda *_: [None, "DuplicateItem", None])

    assert statements.ledger([standing]).insert(ENTRIES[:3]) == [None, standing, None]


def test_a_duplicate_that_is_not_there_any_more_is_tried_again() -> None:
    statements = Statements(lambda _, asked: ["DuplicateItem"] * len(asked))

    with pytest.raises(TryAgain, match="not there any more"):
        statements.ledger([]).insert(ENTRIES[:1])


def test_keys_that_a_read_left_out_are_read_again() -> None:
    answers = [
        {
            "Responses": {"t": [entry_item(ENTRIES[0])]},
            "UnprocessedKeys": {"t": {"Keys": [{"pk": {"S": "ACCOUNT#a-01"}, "sk": {"S": "x"}}]}},
        },
        {"Responses": {"t": [entry_item(ENTRIES[1])]}},
    ]
    ledger = Statements(lambda *_: []).ledger()
    client = Scripted(batch_get_item=answers)
    ledger._client = client

    found = ledger.standing([ENTRIES[0].key, ENTRIES[1].key])

    assert found == {known.key: known for known in ENTRIES[:2]}
    assert [len(asked["RequestItems"]["t"]["Keys"]) for asked in client.asked] == [2, 1]
    assert all(asked["RequestItems"]["t"]["ConsistentRead"] for asked in client.asked)


def test_keys_that_reads_always_leave_out_are_given_up_for_now() -> None:
    left = {"Responses": {}, "UnprocessedKeys": {"t": {"Keys": [{"pk": {"S": "x"}, "sk": {"S": "x"}}]}}}
    ledger = Statements(lambda *_: []).ledger()
    ledger._client = Scripted(batch_get_item=lambda **_: left)

    with pytest.raises(TryAgain, match=r"keys left 12 times: 1\Z"):
        ledger.standing([ENTRIES[0].key])


def test_an_account_with_many_decisions_is_read_page_by_page() -> None:
    pages = [
        {"Items": [entry_item(ENTRIES[0])], "LastEvaluatedKey": {"pk": {"S": "x"}}},
        {"Items": [], "LastEvaluatedKey": {"pk": {"S": "y"}}},
        {"Items": [entry_item(ENTRIES[1])]},
    ]
    ledger = Statements(lambda *_: []).ledger()
    client = Scripted(query=pages)
    ledger._client = client

    assert ledger.of_account("a") == ENTRIES[:2]
    assert [asked.get("ExclusiveStartKey") for asked in client.asked] == [None, {"pk": {"S": "x"}}, {"pk": {"S": "y"}}]
