"""The handler that reads deliveries: each message by itself, and nothing of a body in its log."""

import json
from datetime import UTC, datetime
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest

from draft_incidents import handler
from kulanz.adapters.source_deliveries import delivery_text, read_message
from kulanz.application.drafts.draft_ports import Delivery, Upstream
from kulanz_local.invoke import EVENTS, filled
from tests.support.sources import body_of
from tests.unit.application.drafts.test_following import Follower
from tests.unit.application.drafts.test_keeping import NOW

CANARY = "canary-4711"


CONTEXT: Any = SimpleNamespace(
    function_name="draft_incidents",
    function_version="$LATEST",
    memory_limit_in_mb=1769,
    invoked_function_arn="arn:draft",
    aws_request_id="a-request",
)
"""What Lambda tells a handler."""


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    written = StringIO()
    for one in handler.logger._logger.handlers:
        monkeypatch.setattr(one, "stream", written)
    return written


def batch(*bodies: str) -> dict[str, Any]:
    records = []
    for number, body in enumerate(bodies):
        content = filled(json.loads((EVENTS / "draft_incidents-delivery.json").read_text()), {"delivery": body})
        records += [record | {"messageId": f"m{number}"} for record in content["Records"]]
    return {"Records": records}


def kept(keeper: Follower, body: Any) -> str:
    return delivery_text(Delivery("it", keeper.bodies.put("it", json.dumps(body).encode(), NOW), NOW))


def test_a_message_that_fails_comes_again_and_the_others_do_not(monkeypatch: pytest.MonkeyPatch, log: StringIO) -> None:
    keeper = Follower()
    monkeypatch.setattr(handler, "_composed", lambda: keeper.following)
    gone = delivery_text(Delivery("it", "upstream/it/2026-03-10/gone", NOW))
    outage = body_of("statuspage", "outage-resolved")
    outage["incident"]["name"] = CANARY
    messages = batch(kept(keeper, outage), gone, "not json", "[]", "{}", kept(keeper, {"no": CANARY}))
    assert handler.handle(messages, CONTEXT) == {
        "batchItemFailures": [{"itemIdentifier": f"m{number}"} for number in (1, 2, 3, 4)]
    }
    assert [draft.title for draft in keeper.read().values()] == [CANARY, CANARY]
    assert keeper.unread() == [("it", "not_of_this_source")]
    assert CANARY not in log.getvalue()


def test_an_event_of_aws_health_comes_as_eventbridge_wrote_it(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Follower("aws_health")
    monkeypatch.setattr(handler, "_composed", lambda: keeper.following)
    assert handler.handle(batch(json.dumps(body_of("aws_health", "issue-closed"))), CONTEXT) == {
        "batchItemFailures": []
    }
    (of,) = keeper.drafts.in_month("2026-03").found
    assert isinstance(of, Upstream)
    assert len(keeper.read(of)) == 1


def test_a_delivery_reads_back_as_it_was_sent() -> None:
    delivery = Delivery("it", "upstream/it/2026-03-10/abc", NOW)
    assert read_message(delivery_text(delivery)) == delivery


def test_the_schedule_counts_the_drafts_that_wait(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keeper = Follower()
    monkeypatch.setattr(handler, "_composed", lambda: keeper.following)
    keeper.hear(body_of("statuspage", "outage-resolved"), datetime.now(UTC))
    context: Any = SimpleNamespace(**vars(CONTEXT), get_remaining_time_in_millis=lambda: 60_000)
    assert handler.handle({"id": "a-schedule", "detail-type": "Scheduled Event"}, context) is None
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "IncidentDraftsWaiting" in line]
    assert [one["IncidentDraftsWaiting"] for one in counted] == [[2.0]]


def test_what_was_kept_is_followed_at_once_and_logged_by_what_it_became(
    monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    followed: list[Any] = []
    ports: Any = SimpleNamespace(keeping="keeping")
    kept_of = {"delivery": SimpleNamespace(became=SimpleNamespace(value="draft")),
               "event": SimpleNamespace(became=SimpleNamespace(value="unread"))}  # fmt: skip
    sent: list[Any] = []

    def event_kept(*said: Any) -> Any:
        sent.append(said)
        return kept_of["event"]

    monkeypatch.setattr(handler, "_composed", lambda: ports)
    monkeypatch.setattr(handler, "keep_delivery", lambda *_: kept_of["delivery"])
    monkeypatch.setattr(handler, "keep_event", event_kept)
    monkeypatch.setattr(handler, "follow_kept", lambda kept_, with_, _: followed.append((kept_, with_)))
    event = json.dumps({"detail-type": "AWS Health Event", "source": "aws.health"})
    records = batch(delivery_text(Delivery("it", "key", NOW)), event)
    records["Records"][1]["attributes"] = {"SentTimestamp": str(int(NOW.timestamp() * 1000))}
    assert handler.handle(records, CONTEXT) == {"batchItemFailures": []}
    assert followed == [(kept_of["delivery"], ports), (kept_of["event"], ports)]
    ((told, keeping, at),) = sent
    assert (told, keeping, at) == (
        json.loads(event),
        "keeping",
        NOW.replace(microsecond=NOW.microsecond // 1000 * 1000),
    )
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["message_id"], line["became"]) for line in lines] == [("m0", "draft"), ("m1", "unread")]


@pytest.mark.parametrize("waiting", [("a", "b", "c"), ()])
def test_drafts_that_could_not_be_looked_at_are_named_and_those_that_wait_are_counted_also_when_none_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], waiting: tuple[str, ...]
) -> None:
    """An alarm ends with a count of none: without one it would go on."""
    logged: list[dict[str, Any]] = []
    for level in ("info", "error"):
        monkeypatch.setattr(handler.logger, level, lambda text, **of: logged.append({"says": text, **of}))
    found = SimpleNamespace(failed=(("it/x", "KeyError"),), waiting=waiting, polled=2, is_whole=True)
    seconds: list[float] = []

    def watched(_: object, __: object, left: Any) -> Any:
        seconds.append(left())
        return found

    monkeypatch.setattr(handler, "_composed", lambda: None)
    monkeypatch.setattr(handler, "watch_drafts", watched)
    context: Any = SimpleNamespace(**vars(CONTEXT), get_remaining_time_in_millis=lambda: 1_500)
    assert handler.handle({}, context) is None
    assert logged == [
        {"says": "drafts could not be looked at", "upstream": "it/x", "why": "KeyError"},
        {"says": "watch of drafts", "waiting": len(waiting), "polled": 2, "is_whole": True},
    ]
    assert seconds == [1.5]
    (metric,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert metric["IncidentDraftsWaiting"] == [len(waiting)]
