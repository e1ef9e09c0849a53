"""What is put into queues, topics and the bus: every message once, the refused ones again, no call over its limits."""

import json
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.adapters import aws, messaging
from kulanz.adapters.aws import ENTRY_ATTEMPTS
from kulanz.adapters.messaging import EventBridgeAnnouncer, SnsCredits, SnsNotices, SqsChunks, read_chunk_message
from kulanz.adapters.source_deliveries import SqsDeliveries, read_message
from kulanz.adapters.table_policies import EVERYBODY, ITEM_WRITES, closing_policy, is_closed
from kulanz.application.drafts.draft_ports import Delivery
from kulanz.application.ports import (
    Announcement,
    AnswerMessage,
    ChunkMessage,
    DeliveryMessage,
    ExportMessage,
    PublishMessage,
    TryAgain,
    VoidMessage,
)
from kulanz.domain.campaigns.campaign import CampaignId, Pass
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.topic_messages import CreditsMessage
from kulanz.domain.notices import Audience, NoticeMessage
from tests.support.distinct import distinct
from tests.support.scripted import waits_kept
from tests.support.values import NOW

ID = CampaignId("an-incident", 7)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait would have been."""
    return waits_kept(monkeypatch)


class Taking:
    """A service that takes entries, but for those that it refuses so many times."""

    def __init__(self, refuses: Callable[[str, int], bool] = lambda *_: False) -> None:
        self._refuses = refuses
        self.calls: list[list[str]] = []
        self.taken: list[str] = []
        self.attributes: list[dict[str, str]] = []
        self.whole: list[dict[str, Any]] = []

    def _take(self, entries: list[dict[str, Any]], body: str) -> dict[str, Any]:
        self.calls.append([one[body] for one in entries])
        failed = [one for one in entries if self._refuses(one[body], len(self.calls))]
        kept = [one for one in entries if one not in failed]
        self.taken += [one[body] for one in kept]
        self.whole += kept
        self.attributes += [
            {name: of["StringValue"] for name, of in one.get("MessageAttributes", {}).items()} for one in kept
        ]
        return {"Failed": [{"Id": one["Id"]} for one in failed]}

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Of a queue."""
        assert QueueUrl == "q"
        return self._take(Entries, "MessageBody")

    def publish_batch(self, TopicArn: str, PublishBatchRequestEntries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Of a topic."""
        assert TopicArn == "t"
        return self._take(PublishBatchRequestEntries, "Message")

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Of a bus."""
        assert all("Id" not in one for one in Entries)
        named = [one | {"Id": str(number)} for number, one in enumerate(Entries)]
        failed = {one["Id"] for one in self._take(named, "Detail")["Failed"]}
        return {"Entries": [{"ErrorCode": "x"} if one["Id"] in failed else {"EventId": "e"} for one in named]}


SENDS: list[tuple[str, Callable[[int], Any]]] = [
    ("send", lambda n: ChunkMessage(ID, Pass.APPLY, n)),
    ("send_deliveries", lambda n: DeliveryMessage(DeliveryId("billing", 3), n)),
    ("send_parts", lambda n: PublishMessage(DeliveryId("billing", 3), n * 10, n)),
    ("send_answers", lambda n: AnswerMessage("letters", "f-1", n)),
    ("send_voids", lambda n: VoidMessage(VoidId(ID, "wrong"), n)),
    ("send_exports", lambda n: ExportMessage(ID, "e-1", n)),
]


@pytest.mark.parametrize(("send", "made"), SENDS)
@pytest.mark.parametrize("number", [0, 1, 10, 11, 21])
def test_each_kind_of_message_is_sent_as_it_is_read_ten_in_a_call(
    send: str, made: Callable[[int], Any], number: int
) -> None:
    taking = Taking()
    messages = [made(n) for n in range(number)]
    getattr(SqsChunks(taking, "q"), send)(iter(messages))
    assert [read_chunk_message(text) for text in taking.taken] == messages
    assert [len(call) for call in taking.calls] == [min(10, number - begun) for begun in range(0, number, 10)]


def test_what_was_refused_alone_is_sent_again_after_ever_longer_waits(waits: list[float]) -> None:
    messages = [ChunkMessage(ID, Pass.PLAN, n) for n in range(4)]
    texts = [messaging.chunk_message_text(one) for one in messages]
    taking = Taking(lambda text, call: text in texts[1:3] and call < (3 if text == texts[1] else 5))
    SqsChunks(taking, "q").send(messages)
    assert taking.calls == [texts, texts[1:3], texts[1:3], texts[2:3], texts[2:3]]
    assert sorted(taking.taken) == sorted(texts)
    assert len(waits) == 4


def test_a_message_that_is_always_refused_is_given_up_for_now() -> None:
    taking = Taking(lambda *_: True)
    with pytest.raises(TryAgain, match="SendMessageBatch"):
        SqsChunks(taking, "q").send([ChunkMessage(ID, Pass.PLAN, 1)])
    assert len(taking.calls) == ENTRY_ATTEMPTS


def test_waits_double_from_the_first_one_to_the_longest_and_each_is_drawn_up_to_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("random.uniform", lambda least, most: (least, most))
    found: list[Any] = [aws.backoff_seconds(attempt) for attempt in range(1, ENTRY_ATTEMPTS + 1)]
    first, longest = aws.BACKOFF_FIRST_SECONDS, aws.BACKOFF_LONGEST_SECONDS
    assert found == [(0, min(longest, first * 2**doubled)) for doubled in range(ENTRY_ATTEMPTS)]
    shorter: Any = aws.backoff_seconds(ENTRY_ATTEMPTS, aws.CONFLICT_BACKOFF_LONGEST_SECONDS)
    assert shorter == (0, aws.CONFLICT_BACKOFF_LONGEST_SECONDS)


def test_a_notice_carries_what_subscribers_filter_by() -> None:
    taking = Taking()
    audience = Audience("an-incident/1", "credited", "de", "letter")
    messages = [
        NoticeMessage(audience, "an-incident", "text-1", 3),
        NoticeMessage(Audience("other/2", "status", "", ""), "other", "text-2", 4),
    ]
    SnsNotices(taking, "t").publish(messages)
    assert taking.taken == ["text-1", "text-2"]
    assert taking.attributes == [
        {"kind": "credited", "incident_id": "an-incident", "locale": "de", "channel": "letter"},
        {"kind": "status", "incident_id": "other"},
    ]
    taking = Taking()
    SnsCredits(taking, "t").publish([CreditsMessage("billing", "an-incident", "Störung".encode(), 5)])
    assert (taking.taken, taking.attributes) == (["Störung"], [{"channel": "billing", "incident_id": "an-incident"}])


@pytest.mark.parametrize(
    ("sizes", "calls"),
    [
        ((3, 3, 4), [3]), ((3, 3, 5), [2, 1]), ((10, 1), [1, 1]), ((1,) * 10, [10]), ((11, 1), [1, 1]),
        ((1,) * 11, [10, 1]), ((), []),
    ],
)  # fmt: skip
def test_a_call_has_at_most_so_many_entries_and_bytes(
    monkeypatch: pytest.MonkeyPatch, sizes: Iterable[int], calls: list[int]
) -> None:
    monkeypatch.setattr(messaging, "PUBLISH_CALL_BYTES", 20)
    taking = Taking()
    texts = ["ö" * size for size in sizes]  # two bytes each
    SnsCredits(taking, "t").publish(CreditsMessage("b", "i", text.encode(), 1) for text in texts)
    assert [len(call) for call in taking.calls] == calls
    assert taking.taken == texts


def test_an_announcement_is_put_on_the_stacks_bus_under_its_source_until_it_is_taken() -> None:
    taking = Taking(lambda _, call: call < 3)
    EventBridgeAnnouncer(taking, "bus", "kulanz.of-its-own").announce(Announcement("Campaign Closed", '{"a": 1}'))
    (entry,) = taking.whole
    assert {name: entry[name] for name in ("Source", "DetailType", "Detail", "EventBusName")} == {
        "Source": "kulanz.of-its-own", "DetailType": "Campaign Closed", "Detail": '{"a": 1}', "EventBusName": "bus",
    }  # fmt: skip
    assert len(taking.calls) == 3


def test_a_sources_delivery_is_sent_as_it_is_read() -> None:
    sent: list[Any] = []
    client = SimpleNamespace(send_message=lambda **said: sent.append(said))
    delivery = distinct(Delivery)
    SqsDeliveries(client, "q").send(delivery)
    ((url, text),) = [(one["QueueUrl"], one["MessageBody"]) for one in sent]
    assert (url, read_message(text)) == ("q", delivery)
    event = {"detail-type": "x", "source": "aws.health"}
    assert read_message(json.dumps(event)) == event
    content = json.loads(text)
    others: list[Any] = [[], content | {"v": 2}, content | {"delivery": "a"}, {"v": 1}, {"source": "aws.health"}]
    for wrong in others:
        with pytest.raises(ValueError, match="expected a delivery"):
            read_message(json.dumps(wrong))
    assert delivery.received_at > NOW


# Who may write


def changed(**changes: Any) -> dict[str, Any]:
    """The policy that closes a table to all but two roles, with something of its statement changed."""
    policy = closing_policy({"arn:b", "arn:a"})
    return {**policy, "Statement": [{**policy["Statement"][0], **changes}]}


@pytest.mark.parametrize(
    ("policy", "is_it"),
    [
        (changed(), True),
        *((changed(Principal=one), True) for one in EVERYBODY),
        (changed(Action=[*ITEM_WRITES, "dynamodb:Another"]), True),
        ({"Statement": changed()["Statement"][0]}, True),
        ({"Statement": ["text", *changed()["Statement"]]}, True),
        ({}, False), ({"Statement": "text"}, False), ({"Statement": []}, False),
        (changed(Effect="Allow"), False), (changed(Principal={"AWS": "arn:c"}), False),
        *((changed(Action=[one for one in ITEM_WRITES if one != left_out]), False) for left_out in ITEM_WRITES),
        (changed(Condition={}), False), (changed(Condition="text"), False),
        (changed(Condition={"ArnNotEquals": {"aws:PrincipalArn": ["arn:a"]}}), False),
        (changed(Condition={"ArnNotEquals": {"aws:PrincipalArn": ["arn:a", "arn:b", "arn:c"]}}), False),
        (changed(Condition={"ArnNotEquals": {"aws:SourceArn": ["arn:a", "arn:b"]}}), False),
        (changed(Condition={"ArnNotLike": {"aws:PrincipalArn": ["arn:a", "arn:b"]}}), False),
        (changed(Condition={
            "ArnNotEquals": {"aws:PrincipalArn": ["arn:a", "arn:b"]}, "Bool": {"aws:SecureTransport": "true"},
        }), False),
        (changed(Condition={"ArnNotEquals": {
            "aws:PrincipalArn": ["arn:a", "arn:b"], "aws:SourceArn": "arn:c",
        }}), False),
    ],
)  # fmt: skip
def test_a_table_is_closed_where_everybody_but_exactly_its_writers_is_denied_every_write(
    policy: dict[str, Any], is_it: bool
) -> None:
    assert is_closed(policy, {"arn:a", "arn:b"}) is is_it
