"""The contracts of ChunkQueue, NoticeTopic, Announcer, RejectedQueue, Archive and PolicyStore."""

import json

import pytest

from kulanz.application.ports import Announcement, ChunkMessage, PolicyMissing, Refused, Rejection
from kulanz.domain.campaigns.campaign import Pass
from kulanz.domain.notices import NOTICE_MESSAGE_BYTES, Audience, NoticeMessage
from tests.contract.backends import Backend
from tests.support.values import FIRST, INCIDENT, NOW


def test_every_chunk_message_arrives(backend: Backend) -> None:
    messages = [ChunkMessage(FIRST, work, chunk) for work in Pass for chunk in range(13)]

    backend.chunks.send(message for message in messages)

    assert sorted(backend.chunks_received(len(messages)), key=str) == sorted(messages, key=str)


def test_no_chunk_message_is_no_message(backend: Backend) -> None:
    backend.chunks.send([ChunkMessage(FIRST, Pass.PLAN, 0)])
    backend.chunks.send([])

    assert backend.chunks_received(1) == [ChunkMessage(FIRST, Pass.PLAN, 0)]


def _notice(text: str, channel: str = "email") -> NoticeMessage:
    return NoticeMessage(Audience(str(FIRST), "granted", "de", channel), INCIDENT, text, 1)


@pytest.mark.parametrize("size", [20, NOTICE_MESSAGE_BYTES])
def test_every_notice_arrives_up_to_the_largest(backend: Backend, size: int) -> None:
    texts = [f"{number:02d} ü ".ljust(size - 1, "x") for number in range(12)]
    assert max(len(text.encode()) for text in texts) == size

    backend.topic.publish([_notice(text) for text in texts])

    assert sorted(backend.notices_received(len(texts))) == texts


def test_a_notice_without_a_channel_arrives(backend: Backend) -> None:
    backend.topic.publish([_notice("no channel", channel="")])

    assert backend.notices_received(1) == ["no channel"]


def test_an_announcement_arrives(backend: Backend) -> None:
    detail = json.dumps({"campaign": str(FIRST), "text": "Größe"})

    backend.announcer.announce(Announcement("Campaign Closed", detail))

    found = backend.announcements_received(1)
    assert [(told.detail_type, json.loads(told.detail)) for told in found] == [("Campaign Closed", json.loads(detail))]


def test_a_refusal_arrives_with_its_reason_and_where_the_event_lies(backend: Backend) -> None:
    refusal = Rejection(
        "event_invalid", "detail.x", "x: not known; é", "billing", "Incident Declared", "", "rejected/1.json", NOW
    )

    backend.rejected.send(refusal)

    (found,) = backend.refusals_received(1)
    assert (found["reason"], found["field"], found["message"]) == ("event_invalid", "detail.x", "x: not known; é")
    assert found["event_key"] == "rejected/1.json"


def test_a_document_is_kept_and_can_be_written_again(backend: Backend) -> None:
    for _ in range(2):
        backend.archive.put("campaigns/x/001/report.json", b'{"v":1}', "application/json")

    assert backend.document("campaigns/x/001/report.json") == b'{"v":1}'


def test_a_policy_is_published_once(backend: Backend) -> None:
    assert backend.policies.publish("net-credit", 1, b'{"v":1}') is True
    assert backend.policies.publish("net-credit", 1, bytes(bytearray(b'{"v":1}'))) is False
    with pytest.raises(Refused):
        backend.policies.publish("net-credit", 1, b'{"v":2}')

    assert backend.policies.fetch("net-credit", 1) == b'{"v":1}'


@pytest.mark.parametrize(("policy", "version"), [("net-credit", 2), ("other", 1)])
def test_a_policy_that_was_never_published_is_missing(backend: Backend, policy: str, version: int) -> None:
    backend.policies.publish("net-credit", 1, b'{"v":1}')

    with pytest.raises(PolicyMissing):
        backend.policies.fetch(policy, version)


def test_a_document_is_read_back_as_it_was_put(backend: Backend) -> None:
    backend.archive.put("campaigns/x/001/history/a.jsonl", b'{"v":1}\n', "application/x-ndjson")

    assert backend.archive.get("campaigns/x/001/history/a.jsonl") == b'{"v":1}\n'
    with pytest.raises(Refused):
        backend.archive.get("campaigns/x/001/history/b.jsonl")
