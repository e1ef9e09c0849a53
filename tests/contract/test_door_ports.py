"""The contracts of Documents and RefusedEvents, and the adapter of dead letters."""

from datetime import timedelta

import pytest
import urllib3

from kulanz.adapters.documents import S3Documents
from kulanz.adapters.repairs import SqsDeadLetters
from kulanz.application.ports import Rejection
from kulanz_local.embedded import aws_session
from tests.contract.backends import AwsBackend, Backend
from tests.support.values import NOW

FOLDER = "campaigns/net-outage/001/problems/"
WITH_BUCKETS_AND_QUEUES = pytest.mark.parametrize(
    "emulator", ["moto", pytest.param("ministack", marks=pytest.mark.ministack)], indirect=True
)


def test_documents_are_listed_by_key_from_where_a_list_ended(backend: Backend) -> None:
    for number in range(5):
        backend.archive.put(f"{FOLDER}plan-{number}.jsonl", b"{}" * number, "application/x-ndjson")
    backend.archive.put("campaigns/net-outage/002/problems/plan-0.jsonl", b"{}", "application/x-ndjson")
    first = backend.documents.under(FOLDER, "", 3)
    rest = backend.documents.under(FOLDER, first[-1].key, 3)
    assert [one.key.removeprefix(FOLDER) for one in (*first, *rest)] == [f"plan-{n}.jsonl" for n in range(5)]
    assert [one.size for one in first] == [0, 2, 4]
    assert backend.documents.under("campaigns/other/", "", 3) == []


@WITH_BUCKETS_AND_QUEUES
def test_a_link_fetches_the_document(emulator: AwsBackend) -> None:
    emulator.archive.put(f"{FOLDER}plan-1.jsonl", b"{}", "application/x-ndjson")
    assert "X-Amz-Expires=300" in emulator.documents.link(f"{FOLDER}plan-1.jsonl", 300)
    if emulator.name != "moto":  # which answers only the SDK
        known = aws_session().client("s3", endpoint_url=emulator.s3.meta.endpoint_url)  # MiniStack looks the key up
        link = S3Documents(known, emulator.bucket).link(f"{FOLDER}plan-1.jsonl", 300)
        answer = urllib3.request("GET", link, retries=False)
        assert (answer.status, answer.data) == (200, b"{}")


def rejection(number: int) -> Rejection:
    at = NOW + timedelta(seconds=number)
    return Rejection(
        "event_invalid", "detail.x", "unknown", "billing", "Incident Declared", "a", f"rejected/{number}", at
    )


def test_looking_at_refused_events_takes_none_out(backend: Backend) -> None:
    for number in range(12):
        backend.rejected.send(rejection(number))
    for _ in range(2):
        seen = backend.refused_events.look(100)
        assert sorted(one.rejection.event_key for one in seen if one.rejection) == sorted(
            f"rejected/{number}" for number in range(12)
        )
    assert len(backend.refused_events.look(3)) == 3


def test_only_what_is_named_is_taken_out(backend: Backend) -> None:
    for number in range(3):
        backend.rejected.send(rejection(number))
    seen = backend.refused_events.look(100)
    named = [seen[1].message_id, "of-nobody"]
    assert backend.refused_events.take_out(named, lambda: 60.0) == {seen[1].message_id}
    assert {one.message_id for one in backend.refused_events.look(100)} == {seen[0].message_id, seen[2].message_id}


@WITH_BUCKETS_AND_QUEUES
def test_a_message_of_somebody_else_is_shown_as_one(emulator: AwsBackend) -> None:
    emulator.sqs.send_message(QueueUrl=emulator.rejected_queue, MessageBody="not of Kulanz")
    (seen,) = emulator.refused_events.look(100)
    assert seen.rejection is None


@WITH_BUCKETS_AND_QUEUES
def test_dead_letters_go_back_to_their_queue_as_they_were(emulator: AwsBackend) -> None:
    source, target = emulator._queue("dead"), emulator._queue("alive")
    for number in range(12):
        emulator.sqs.send_message(QueueUrl=source, MessageBody=f"body {number}")
    dead = SqsDeadLetters(emulator.sqs, {"chunks": (source, target)})
    assert dead.redrive("chunks", lambda: 1.0) == (0, False), "there is no time to begin"
    assert dead.redrive("chunks", lambda: 60.0) == (12, True)
    assert sorted(emulator._received(target, 12)) == sorted(f"body {number}" for number in range(12))
    assert dead.redrive("chunks", lambda: 60.0) == (0, True)
