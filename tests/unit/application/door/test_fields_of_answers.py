"""Each field of an answer is that field of what it is about, and no other: no two values of these are alike."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.door import (
    accounts,
    acknowledgements,
    campaigns,
    deliveries,
    exports,
    goodwill,
    incidents,
    voids,
)
from kulanz.application.door.acknowledgements import AcknowledgementBody
from kulanz.application.door.asked import RefusedEvent
from kulanz.application.ledger.answer import Answer, AnsweredIncident
from kulanz.application.ledger.standing import Now, Standing
from kulanz.application.ports import Rejection
from kulanz.domain.byhand.goodwill import WAITS, Goodwill, GoodwillState
from kulanz.domain.campaigns.campaign import CampaignId, Pass, PinnedList, Progress, SameOutage, State, StateChange
from kulanz.domain.campaigns.reconciliation import CountKey, RowResult, Totals, WriteResult
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.delivery.added import Additions
from kulanz.domain.delivery.answer_pass import AnswerFile, AnswerTotals
from kulanz.domain.delivery.answers import AnswerResult
from kulanz.domain.delivery.credit import CreditSums, CreditType, SumOf
from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.void import Share, Void, VoidProgress, VoidState, VoidTotals
from kulanz.domain.exports.export import Part
from kulanz.domain.exports.figures import Figures
from kulanz.domain.gate.settings import SAFE
from kulanz.domain.incident_record import DECIDING_FIELDS, Revision
from kulanz.domain.ledger.hand_decision import HandDecision
from kulanz.domain.time import format_instant
from tests.support.distinct import distinct
from tests.support.fake_bucket import FakeLists
from tests.support.values import NOW, campaign

ID = CampaignId("an-incident", 7)
DOOR: Any = SimpleNamespace(
    gate=replace(SAFE, lone_operator=True), documents=SimpleNamespace(link=lambda key, seconds: f"{key}?{seconds}")
)


def plain(value: Any) -> Any:
    """A value as answers have it."""
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, Enum):
        return value.value
    return value if value is None or isinstance(value, (int, str, list, dict)) else str(value)


def says(answer: Mapping[str, Any], one: Any, names: Mapping[str, str]) -> None:
    """Each field of the answer is what `names` has beside it: a field of the thing, or a field of a field."""
    found = {name: answer[name] for name in names}
    assert found == {name: plain(attrgetter(place)(one)) for name, place in names.items()}
    texts = [value for value in found.values() if isinstance(value, str)]
    assert len(set(texts)) == len(texts), "two fields are alike: then one could stand for the other"


PLAN, DONE = (
    VoidTotals(n, n + 1, n + 2, {(Share.VOIDABLE, "EUR"): n + 3}, {("billing", "GB"): (n + 4, n + 5)}, n + 6)
    for n in (100, 200)
)
VOID = distinct(
    Void,
    id=VoidId(ID, "a-void"),
    pinned=distinct(PinnedList, size=10_007),
    state=VoidState.VOIDING,
    plan=VoidProgress(301, 302, PLAN),
    apply=VoidProgress(303, 304, DONE),
)
OF_VOIDS = {
    "void": "id.name", "campaign": "id.campaign", "state": "state", "reason": "state_reason", "why": "reason",
    "at_biller": "asks_biller", "ends": "ends", "requested_by": "requested_by", "opened_at": "opened_at",
    "started_at": "started_at", "plan_hash": "plan_hash",
}  # fmt: skip


def test_a_void_says_of_itself_what_its_record_has() -> None:
    found = voids._item(VOID, campaign(ID), DOOR)
    says(found, VOID, OF_VOIDS)
    for figures, totals in ((found["plan"], PLAN), (found["done"], DONE)):
        says(figures, totals, {name: name for name in ("lines", "unmatched", "decisions", "notices")})
        n = totals.lines
        assert figures["sums"] == [{"share": "voidable", "measure": "EUR", "sum": str(n + 3)}]
        assert figures["asked"] == [{"channel": "billing", "measure": "GB", "credits": n + 4, "sum": str(n + 5)}]
    (approval,) = VOID.approvals
    assert found["approvals"] == [{"person": approval.person, "at": format_instant(approval.at)}]
    assert found["bytes_in_all"] == VOID.chunks(campaign(ID)).total_bytes


@pytest.mark.parametrize("state", VoidState)
def test_a_void_shows_how_far_the_pass_is_that_its_state_is_about_and_its_hash_once_it_is_planned(
    state: VoidState,
) -> None:
    found = voids._item(replace(VOID, state=state), campaign(ID), DOOR)
    assert found["bytes_done"] == {VoidState.PLANNING: 301, VoidState.VOIDING: 303}.get(state, found["bytes_done"])
    assert found["bytes_done"] in {0, 301, 303}
    assert (found["plan_hash"] is None) is (state is VoidState.PLANNING)


@pytest.mark.parametrize(
    ("given", "about"),
    [({"is_of_overpaid": True}, "overpaid"), ({"is_of_overpaid": False}, "file"),
     ({"is_of_overpaid": False, "pinned": None}, "campaign")],
)  # fmt: skip
def test_a_void_says_what_it_is_about(given: dict[str, Any], about: str) -> None:
    assert voids._item(replace(VOID, **given), campaign(ID), DOOR)["about"] == about


SUMS, ELSEWHERE = (
    CreditSums({SumOf(CreditType.CREDIT, "EUR", is_money=True): (n, n * 100)}) for n in (401, 403)
)  # fmt: skip
DELIVERY = distinct(
    Delivery, id=DeliveryId("billing", 9), campaign=ID, sums=SUMS, elsewhere=ELSEWHERE, again=CreditSums(),
    additions=Additions(1, 2, 3, {}, "letters:csv"),
)  # fmt: skip


def test_a_delivery_says_of_itself_what_its_record_has() -> None:
    found = deliveries._item(DELIVERY)
    same = ("campaign", "state", "reason", "kind", "opened_at", "opened_by", "sent_at", "lines", "parts", "published")
    names = {name: name for name in (*same, "rounds")}
    says(found, DELIVERY, names | {"delivery": "id", "format": "form", "folder": "id.folder", "credits": "sums.number"})
    assert [(one["credits"], one["sum"]) for one in (*found["sums"], *found["elsewhere"])] == [
        (401, "401.00"), (403, "403.00"),
    ]  # fmt: skip
    assert found["over"] == "additions"
    assert deliveries._item(replace(DELIVERY, additions=None))["over"] == "list"


FILE = distinct(
    AnswerFile,
    chunks=campaign().chunks,
    layout=campaign().layout,
    totals=AnswerTotals(
        lines=501,
        counts=Counter({(AnswerResult.REJECTED, "E-2"): 503, (AnswerResult.ACCEPTED, ""): 504,
                        (AnswerResult.REJECTED, "E-1"): 505}),
    ),
)  # fmt: skip


def test_an_answer_file_says_of_itself_what_its_record_has() -> None:
    found = acknowledgements._item(FILE)
    same = {name: name for name in ("channel", "id", "opened_at", "opened_by", "bytes_done")}
    says(found, FILE, same | {
        "key": "pinned.key", "bytes_in_all": "chunks.total_bytes", "finished": "is_finished", "lines": "totals.lines",
    })  # fmt: skip
    assert [tuple(one.values()) for one in found["results"]] == [
        ("accepted", "", 504), ("rejected", "E-1", 505), ("rejected", "E-2", 503),
    ]  # fmt: skip
    assert acknowledgements._item(replace(FILE, bytes_done=FILE.chunks.total_bytes))["finished"] is True


def test_a_part_of_an_export_is_linked_by_its_key() -> None:
    part = distinct(Part, figures=Figures())
    found = exports._part(part, DOOR)
    says(found, part, {"start": "start", "end": "end", "lines": "lines", "rows": "rows", "bytes": "size",
                       "sha256": "sha256"})  # fmt: skip
    assert found["url"] == f"{part.key}?{exports.PART_LINK_SECONDS}"


GIVEN = distinct(Goodwill, measure="EUR", state=GoodwillState.GIVEN)
ASKED_NOW: Any = SimpleNamespace(now=GIVEN.asked_at + timedelta(seconds=1))


def test_goodwill_says_of_itself_what_its_record_has() -> None:
    found = goodwill._item(GIVEN, ASKED_NOW)
    same = ("id", "account_id", "amount", "state", "reason", "title", "note", "ticket", "repeat_of", "asked_by",
            "asked_at", "decided_by", "why", "given_at", "campaign")  # fmt: skip
    says(found, GIVEN, {name: name for name in same} | {"incident": "about"})
    assert found["waits_until"] is None
    nothing: dict[str, Any] = dict.fromkeys(("about", "ticket", "repeat_of", "decided_by", "why"), "")
    asked = goodwill._item(replace(GIVEN, state=GoodwillState.WAITING, given_at=None, **nothing), ASKED_NOW)
    names = ("incident", "ticket", "repeat_of", "decided_by", "why", "given_at", "campaign")
    assert {name: asked[name] for name in names} == dict.fromkeys(names)  # type: ignore[literal-required]
    assert asked["waits_until"] == format_instant(GIVEN.asked_at + WAITS)


@pytest.mark.parametrize(("early", "state"), [(timedelta(microseconds=1), "waiting"), (timedelta(), "over")])
def test_goodwill_that_waits_is_over_from_the_instant_on_at_which_it_has_waited_as_long_as_it_may(
    early: timedelta, state: str
) -> None:
    asked: Any = SimpleNamespace(now=GIVEN.asked_at + WAITS - early)
    found = goodwill._item(replace(GIVEN, state=GoodwillState.WAITING), asked)
    assert (found["state"], found["waits_until"]) == (state, format_instant(GIVEN.asked_at + WAITS))
    for decided in (GoodwillState.GIVEN, GoodwillState.REJECTED):
        ended = goodwill._item(replace(GIVEN, state=decided), asked)
        assert (ended["state"], ended["waits_until"]) == (decided.value, None), "decided in time, whenever one looks"


def test_a_line_of_the_log_says_what_changed_and_who_caused_it() -> None:
    change = distinct(StateChange, source=State.PLANNING, target=State.REFUSED)
    for is_whole in (True, False):
        others = replace(distinct(SameOutage), is_whole=is_whole)
        told = campaigns._line(replace(change, others=others))["others"]
        assert told["named_all"] is is_whole
    found = campaigns._line(change)
    says(found, change, {
        "number": "number", "at": "at", "source": "source", "target": "target", "reason": "reason",
        "actor": "cause.actor", "event_id": "cause.event_id", "code_version": "cause.code_version",
    })  # fmt: skip
    assert change.others is not None
    assert found["others"] == {
        "same_list": list(map(str, change.others.same_list)), "other_list": list(map(str, change.others.other_list)),
        "named_all": change.others.is_whole,
    }  # fmt: skip
    opened = campaigns._line(replace(change, source=None, others=None))
    assert (opened["source"], "others" in opened) == (None, False)


def test_the_progress_of_a_pass_is_that_of_this_pass() -> None:
    one = campaign(ID)
    plan, apply = (
        replace(one.progress(work), bytes_done=n, sent=n + 10, totals=replace(one.progress(work).totals, lines=n + 20))
        for n, work in ((601, Pass.PLAN), (602, Pass.APPLY))
    )
    one = replace(one, plan=plan, apply=apply)
    found = [campaigns._progress(one, work) for work in (Pass.PLAN, Pass.APPLY)]
    assert found == [
        {"bytes_done": n, "sent": n + 10, "lines": n + 20, "finished": False} for n in (601, 602)
    ]  # fmt: skip


def test_a_revision_says_who_reported_what_and_when() -> None:
    one = distinct(Revision, content=json.dumps(dict.fromkeys(DECIDING_FIELDS, "a")).encode())
    same = ("number", "detail_type", "digest", "recorded_at", "source")
    says(incidents._line(one), one, {name: name for name in same})


def test_a_refused_event_is_named_by_its_message_and_one_that_kulanz_did_not_write_has_its_id_alone() -> None:
    refused = RefusedEvent("message-1", distinct(Rejection))
    look = SimpleNamespace(look=lambda most: [refused, RefusedEvent("message-2", None)][:most])
    door: Any = SimpleNamespace(refused_events=look)
    found = incidents.refused(ASKED_NOW, door)
    (event,) = found["events"]
    same = ("reason", "field", "message", "source", "detail_type", "incident_id", "event_key", "received_at")
    says(event, refused, {name: f"rejection.{name}" for name in same} | {"id": "message_id"})
    assert (found["foreign"], found["more"]) == (["message-2"], False)


@pytest.mark.parametrize("missing", [0, 1])
def test_there_may_be_more_refused_events_where_one_look_found_as_many_as_it_may(missing: int) -> None:
    look = SimpleNamespace(look=lambda most: [RefusedEvent(str(n), None) for n in range(most - missing)])
    door: Any = SimpleNamespace(refused_events=look)
    assert incidents.refused(ASKED_NOW, door)["more"] is (missing == 0)


def test_a_decision_by_hand_says_why_and_by_how_many_and_never_by_whom() -> None:
    hand = distinct(HandDecision, decision=Decision(Outcome.DECLINED, "too_short"))
    found = accounts.by_hand_answer(hand)
    same = ("at", "way", "reason", "title", "persons", "facts", "note")
    says(found, hand, {name: name for name in same})
    assert found["decision"] == hand.decision.to_body()
    assert found["role"] == "support"
    assert hand.person not in str(found)


STANDING = distinct(Standing, decisions=(), offered=(), state=Now.GRANTED)


@pytest.mark.parametrize("is_withdrawn", [True, False])
def test_a_standing_says_of_its_incident_what_the_latest_revision_does(is_withdrawn: bool) -> None:
    incident = AnsweredIncident("a title", NOW + timedelta(days=3), is_withdrawn)
    answer: Any = SimpleNamespace(incidents={STANDING.incident_id: incident, "another": None})
    found = accounts._standing(STANDING, answer)
    says(found, STANDING, {name: name for name in ("incident_id", "subject", "state", "usable_until")})
    says(found, incident, {"title": "title", "began": "began", "withdrawn": "is_withdrawn"})
    for name in ("granted", "expired"):
        assert found[name] == {measure: str(size) for measure, size in getattr(STANDING, name).items()}
    unknown = accounts._standing(STANDING, SimpleNamespace(incidents={}))  # type: ignore[arg-type]
    assert (unknown["title"], unknown["began"], unknown["withdrawn"]) == (None, None, False)


@pytest.mark.parametrize("found_as", ["", "line-7"])
def test_an_account_that_was_found_as_a_line_says_as_which(found_as: str) -> None:
    answer = Answer("account-7", (), (), NOW, {}, found_as)
    found = accounts.ask_answer(answer)
    says(found, answer, {"account_id": "account_id", "asked_at": "asked_at"})
    assert found["found_as"] == (found_as or None)
    assert found["listed_nowhere"] is False


def test_answers_that_come_one_by_one_lie_under_the_channel_and_the_id_that_they_came_under() -> None:
    """Two channels may choose one id: what the second one sent would be taken for what the first had."""
    lists = FakeLists("a-bucket")
    door: Any = SimpleNamespace(lists=lists)
    found = {}
    for channel, name in (("billing", "1"), ("billing", "2"), ("letters", "1")):
        body = AcknowledgementBody(answers=[{"channel": channel, "name": name}, {"z": 1, "a": None}])
        pinned = acknowledgements._pinned(body, channel, SimpleNamespace(of={"id": name}), door)  # type: ignore[arg-type]
        found[pinned.key] = b"".join(lists.read(pinned, 0, pinned.size))
    assert list(found) == [
        "inline/answers-billing/1.jsonl", "inline/answers-billing/2.jsonl", "inline/answers-letters/1.jsonl",
    ]  # fmt: skip
    assert found["inline/answers-letters/1.jsonl"] == b'{"channel":"letters","name":"1"}\n{"a":null,"z":1}\n'


@pytest.mark.parametrize(("planned", "applied"), [(5, 0), (5, 2), (5, 5), (0, 0), (2, 5)])
def test_so_many_rows_were_rejected_as_the_pass_found_that_has_gone_further(planned: int, applied: int) -> None:
    """While the execution is under way, its receipts have the first of them alone."""

    def came(rejected: int) -> Progress:
        return Progress(
            totals=Totals(
                counts=Counter(
                    {
                        CountKey(RowResult.REJECTED, "fact_invalid", WriteResult.NONE): rejected,
                        CountKey(RowResult.GRANTED, "credit", WriteResult.NONE): 100,
                    }
                )
            )
        )

    assert accounts._rejected(replace(campaign(), plan=came(planned), apply=came(applied))) == max(planned, applied)
