"""What functions do with their records, and what their log and metrics say of it: each figure under its own name."""

import json
from dataclasses import replace
from io import StringIO
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

import draft_incidents.handler as drafting
import grant_credits.handler as granting
import open_campaign.handler as opening
import publish_notices.handler as publishing
from kulanz.adapters import messaging
from kulanz.adapters.credit_entries import booked_item
from kulanz.adapters.incident_items import revision_item
from kulanz.application.campaigns.open_campaign import OpenPorts
from kulanz.application.delivery.world import Booked
from kulanz.application.notices.publish_notices import Published, Recorded
from kulanz.application.ports import (
    AnswerMessage,
    ChunkMessage,
    DeliveryMessage,
    ExportMessage,
    PublishMessage,
    VoidMessage,
)
from kulanz.domain.campaigns.campaign import CampaignId, Cause, Pass
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.failures import CAUSES_MOST, FunctionFailed, described, without_content
from tests.support.values import NOW, entry, revision
from tests.unit.functions.test_grant_credits import CONTEXT

ID = CampaignId("an-incident", 7)
CANARY = "canary-4711"


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The fields of what the handlers log."""
    found: list[dict[str, Any]] = []
    for module in (granting, opening, publishing):
        for level in ("info", "warning", "error"):
            monkeypatch.setattr(module.logger, level, lambda text, **fields: found.append({"says": text, **fields}))
    return found


class Done:
    """What a use case came to, with a number of its own for each field that is asked for."""

    def __init__(self) -> None:
        self._numbers = count(101)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made: Any = SimpleNamespace(value=f"the {name}") if name == "work" else next(self._numbers)
        setattr(self, name, made)
        return made


MESSAGES = [
    (ChunkMessage(ID, Pass.APPLY, 3), messaging.chunk_message_text, "grant_credits", "_composed",
     {"says": "chunk", "campaign": str(ID), "work": "apply", "chunk": 3, "outcome": "work", "lines": "lines",
      "receipts": "receipts", "in_the_ledger": "written"}, {"LinesWorked": "lines", "DecisionsInLedger": "written"}),
    (DeliveryMessage(DeliveryId("billing", 4), 5), messaging.delivery_message_text, "deliver_chunk", "_delivering",
     {"says": "delivery", "delivery": "billing/4", "chunk": 5, "outcome": "work", "lines": "lines",
      "receipts": "receipts", "credits": "credits"}, {"CreditsAssigned": "credits"}),
    (PublishMessage(DeliveryId("billing", 4), 6, 7), messaging.publish_message_text, "publish_credits", "_publishing",
     {"says": "credits", "delivery": "billing/4", "start": 6, "outcome": "work", "credits": "credits",
      "messages": "messages"}, {"CreditsPublished": "credits"}),
    (VoidMessage(VoidId(ID, "wrong"), 8), messaging.void_message_text, "void_chunk", "_voiding",
     {"says": "void", "void": str(VoidId(ID, "wrong")), "chunk": 8, "work": None, "lines": "lines",
      "receipts": "receipts", "decisions": "decisions"}, {}),
    (ExportMessage(ID, "e-1", 9), messaging.export_message_text, "write_parts", "_exporting",
     {"says": "export", "campaign": str(ID), "export": "e-1", "chunk": 9, "parts": "parts", "lines": "lines",
      "failed": "failed"}, {"LinesExported": "lines"}),
    (AnswerMessage("letters", "f-1", 10), messaging.answer_message_text, "hear_chunk", "_hearing",
     {"says": "answers", "channel": "letters", "answers": "f-1", "chunk": 10, "finished": True}, {}),
]  # fmt: skip
PLACES = {
    "deliver_chunk": "delivery.deliver_chunk", "publish_credits": "delivery.publish_credits",
    "void_chunk": "delivery.void_chunk", "write_parts": "exports.write_parts", "hear_chunk": "delivery.hear_answers",
}  # fmt: skip


@pytest.mark.parametrize("case", MESSAGES, ids=lambda case: str(case[2]))
def test_each_kind_of_message_goes_to_its_worker_and_the_log_has_what_that_did(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    logged: list[dict[str, Any]],
    case: tuple[Any, Any, str, str, dict[str, Any], dict[str, str]],
) -> None:
    message, text, worker, made, fields, counted = case
    done = Done()
    given: list[Any] = []

    def work(*said: Any, **_: Any) -> Any:
        given.append(said)
        return True if worker == "hear_chunk" else done

    throttled = SimpleNamespace(take_throttled=lambda: 14)
    ports = {name: (name, "settings", throttled) for name in ("_composed", "_delivering", "_voiding")}
    for name, found in {
        **ports,
        "_publishing": "_publishing",
        "_exporting": ("_exporting", "s"),
        "_hearing": "_hearing",
    }.items():
        monkeypatch.setattr(granting, name, lambda found=found: found)
    place = (
        f"kulanz.application.{PLACES[worker]}.{worker}" if worker in PLACES else "grant_credits.handler.grant_credits"
    )
    monkeypatch.setattr(place, work)
    granting.handle({"Records": [{"messageId": "m-1", "body": text(message)}]}, CONTEXT)
    (said,) = given
    if worker == "hear_chunk":
        assert said[:4] == ("letters", "f-1", 10, "_hearing")
    else:
        assert said[:2] == (message, made)
    if worker == "grant_credits":
        assert said[4] == Cause("grant_credits", "m-1", "1")
    (line,) = logged
    expected = {
        name: getattr(done, field) if name != "says" and field in vars(done) else field
        for name, field in fields.items()
    }
    if "outcome" in expected:
        expected["outcome"] = "the work"
    if expected.get("work", "") is None:
        expected["work"] = done.work
    assert line == expected
    emitted: dict[str, Any] = {}
    for one in capsys.readouterr().out.splitlines():
        if '"_aws"' in one:
            emitted |= json.loads(one)
    for name, field in counted.items():
        assert emitted[name] == [getattr(done, field)]
    assert (emitted.get("ThrottledInserts") == [14]) is (worker not in ("publish_credits", "write_parts"))


# Notices


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    told: list[Any] = []

    def notices(decisions: Any, _: object, most: int, __: object) -> Published:
        told.append((list(decisions), most))
        return Published(decisions=11, recipients=12, messages=13)

    def status(revisions: Any, _: object) -> int:
        told.append(list(revisions))
        return 14

    ports = SimpleNamespace(campaigns=None, troubles=None, topic=None)
    monkeypatch.setattr(publishing, "_composed", lambda: (ports, 15))
    monkeypatch.setattr(publishing, "publish_notices", notices)
    monkeypatch.setattr(publishing, "publish_status", status)
    return told


VOIDED = CreditEntry(EntryKind.REDUCED, NOW.replace(microsecond=0), "kulanz", "void/7/wrong", (0,), sizes=(5,))


def stream() -> tuple[list[dict[str, Any]], list[Recorded], Any]:
    """Records of both streams; what is to be told of decisions, and the revision."""
    new, other = Booked(entry("a"), ()), Booked(entry("b"), ())
    told, untold = Booked(entry("c"), (VOIDED,), "de"), Booked(entry("d"), (VOIDED,))
    one = revision(3)

    def changed(after: Booked) -> dict[str, Any]:
        return {"NewImage": booked_item(after), "OldImage": booked_item(replace(after, entries=(), notice_locale=""))}

    records = [
        {"eventName": "INSERT", "dynamodb": {"NewImage": booked_item(new)}},
        {"eventName": "MODIFY", "dynamodb": changed(untold)},
        {"eventName": "MODIFY", "dynamodb": changed(told)},
        {"eventName": "REMOVE", "dynamodb": {"OldImage": booked_item(other)}},
        {"eventName": "INSERT", "dynamodb": {"NewImage": {"pk": {"S": "ACCOUNT#a"}, "sk": {"S": "GOODWILL#g"}}}},
        {"eventName": "INSERT", "dynamodb": {"NewImage": revision_item(one)}},
        {"eventName": "MODIFY", "dynamodb": {"NewImage": revision_item(revision(4)), "OldImage": {}}},
    ]
    return records, [Recorded(new), Recorded(told, ())], one


def test_new_decisions_and_revisions_are_told_and_of_older_ones_what_a_customer_is_told_of(
    monkeypatch: pytest.MonkeyPatch, published: list[Any], logged: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(publishing, "kept_by_halt", lambda *_: False)
    records, decisions, one = stream()
    publishing.handle({"Records": records}, CONTEXT)
    assert published == [[one], (decisions, 15)]
    assert logged == [{"says": "notices", "decisions": 11, "recipients": 12, "messages": 13, "revisions": 14}]


def test_while_the_stack_is_halted_nothing_is_told_and_the_log_has_how_much(
    monkeypatch: pytest.MonkeyPatch, published: list[Any], logged: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(publishing, "kept_by_halt", lambda *_: True)
    publishing.handle({"Records": stream()[0]}, CONTEXT)
    assert published == []
    assert logged == [{"says": "notices kept by the halt", "decisions": 2, "revisions": 1}]


# Events


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was opened or refused: the event, its cause, and how long there was."""
    found: list[Any] = []

    def open_one(envelope: Any, ports: Any, _: object, cause: Cause, *__: object) -> Any:
        if envelope.get("fails"):
            raise ValueError(CANARY)
        found.append((envelope, cause, ports.seconds_left()))
        return SimpleNamespace(value="opened")

    def refuse(body: str, *_: object) -> Any:
        found.append(body)
        return SimpleNamespace(value="refused")

    nothing: dict[str, Any] = dict.fromkeys(
        ("campaigns", "lists", "policies", "chunks", "rejected", "archive", "stores")
    )
    monkeypatch.setattr(opening, "_composed", lambda: (OpenPorts(**nothing), "settings"))
    monkeypatch.setattr(opening, "open_campaign", open_one)
    monkeypatch.setattr(opening, "reject_unreadable", refuse)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "9")
    return found


def test_each_event_is_acted_on_by_its_own_id_and_only_what_failed_comes_again(
    opened: list[Any], logged: list[dict[str, Any]]
) -> None:
    bodies = ['{"id": "e-1"}', '{"fails": true}', "no json", "{}", "[1]", "[" * 100_000]
    records = [{"messageId": f"m-{number}", "body": body} for number, body in enumerate(bodies)]
    answer = opening.handle({"Records": records}, CONTEXT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    actor = CONTEXT.function_name
    assert opened == [
        ({"id": "e-1"}, Cause(actor, "e-1", "9"), 120.0), "no json", ({}, Cause(actor, "m-3", "9"), 120.0), "[1]",
        "[" * 100_000,
    ]  # fmt: skip
    assert [(one["message_id"], one.get("opening")) for one in logged] == [
        ("m-0", "opened"), ("m-1", None), ("m-2", "refused"), ("m-3", "opened"), ("m-4", "refused"), ("m-5", "refused"),
    ]  # fmt: skip
    assert CANARY not in str(logged)


def test_what_had_to_wait_is_opened_by_the_schedules_event(
    monkeypatch: pytest.MonkeyPatch, opened: list[Any], logged: list[dict[str, Any]]
) -> None:
    def kept(ports: Any, settings: object, cause: Cause, *_: object) -> Any:
        opened.append((settings, cause, ports.seconds_left()))
        return iter([SimpleNamespace(value="opened"), SimpleNamespace(value="kept")])

    monkeypatch.setattr(opening, "open_kept_requests", kept)
    assert opening.handle({"id": "e-9"}, CONTEXT) == {"batchItemFailures": []}
    assert opened == [("settings", Cause(CONTEXT.function_name, "e-9", "9"), 120.0)]
    assert [one["opening"] for one in logged] == ["opened", "kept"]


# Failures


def chain(length: int) -> BaseException:
    """An error that came from others, each raised from the one before."""
    error = ValueError(f"{CANARY} 0")
    for number in range(1, length):
        later = ValueError(f"{CANARY} {number}")
        later.__cause__, error = error, later
    return error


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_an_error_is_described_with_those_that_it_came_from_and_none_says_its_message(more: int) -> None:
    found = described(chain(CAUSES_MOST + more))
    assert len(found) == CAUSES_MOST + min(more, 0)
    assert all(one.startswith("ValueError at ") and CANARY not in one for one in found)


def test_what_leaves_a_function_is_the_type_of_the_error_alone_and_was_logged() -> None:
    told: list[Any] = []
    with pytest.raises(FunctionFailed) as failed, without_content(lambda text, **fields: told.append((text, fields))):
        raise KeyError(CANARY)
    assert (str(failed.value), failed.value.__cause__, failed.value.__suppress_context__) == ("KeyError", None, True)
    ((text, fields),) = told
    assert (text, len(fields["errors"])) == ("failed", 1)
    assert CANARY not in str(told)


@pytest.mark.parametrize(("function", "made"), [(opening, "open_kept_requests"), (drafting, "watch_drafts")])
@pytest.mark.parametrize("fails_at", ["in its work", "while it is composed"])
def test_what_fails_in_a_functions_schedule_leaves_it_without_content(
    monkeypatch: pytest.MonkeyPatch, function: Any, made: str, fails_at: str
) -> None:
    """No record comes again here: Lambda would print whatever leaves the handler, with what it was working on."""

    def fail(*_: object) -> Any:
        raise KeyError(CANARY)

    written = StringIO()
    for one in function.logger._logger.handlers:
        monkeypatch.setattr(one, "stream", written)
    nothing: dict[str, Any] = dict.fromkeys(OpenPorts.__dataclass_fields__)
    ports = OpenPorts(**nothing) if function is opening else "ports"
    monkeypatch.setattr(function, "_composed", lambda: (ports, "settings"))
    monkeypatch.setattr(function, made if fails_at == "in its work" else "_composed", fail)
    with pytest.raises(FunctionFailed) as failed:
        function.handle({"id": "e-1"}, CONTEXT)
    assert (str(failed.value), failed.value.__cause__, failed.value.__suppress_context__) == ("KeyError", None, True)
    (line,) = (json.loads(one) for one in written.getvalue().splitlines())
    assert (line["level"], line["message"], len(line["errors"])) == ("ERROR", "failed", 1)
    assert CANARY not in str(line)
