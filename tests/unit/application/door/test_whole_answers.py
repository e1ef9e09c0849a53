"""Whole answers of one thing: each part of them is that part of the thing, where it is there and where it is not."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.cases.case import CaseRefused, Owed
from kulanz.application.cases.decide import HandOutcome
from kulanz.application.cases.waiting import WaitingCase
from kulanz.application.door import (
    audit,
    budgets,
    campaigns,
    cases,
    confirmations,
    deliveries,
    drafts,
    exports,
    halts,
    incidents,
    policies,
)
from kulanz.application.door import credits as door_credits
from kulanz.application.door import goodwill as door_goodwill
from kulanz.application.door.cursors import make_cursor
from kulanz.application.door.problems import Problem
from kulanz.application.drafts.draft_ports import Confirmed, Dismissed
from kulanz.application.drafts.waiting_long import LongWaiting
from kulanz.application.ports import Indexed, Page
from kulanz.domain.audit import AuditEntry
from kulanz.domain.budgets import Budget
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from kulanz.domain.confirmation import Confirmation, Occasion, Tables
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.delivery.to_the_bill import ToTheBill
from kulanz.domain.drafts.draft import ComponentDraft, Draft, DraftWindow, ServiceRule, Totals
from kulanz.domain.drafts.following import LONG_WAITING_SAYS
from kulanz.domain.drafts.reported import Mark, Stamp
from kulanz.domain.drafts.timeline import Timeline
from kulanz.domain.exports.export import Export
from kulanz.domain.exports.figures import Difference, Figures, Of
from kulanz.domain.gate.settings import SAFE
from kulanz.domain.halt import Halt
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.ledger.hand_decision import CaseKind
from kulanz.domain.time import format_instant
from tests.support.distinct import distinct
from tests.support.values import NOW, campaign, entry
from tests.unit.application.door.test_fields_of_answers import says

ID = CampaignId("an-incident", 7)
QUESTION = {"": "a route"}
HOUR = timedelta(hours=1)
ROUTE = SimpleNamespace(key="a route")


def asked(cursor: str = "", body: Any = None, **of: str) -> Any:
    query = {"cursor": make_cursor(QUESTION, cursor)} if cursor else {}
    return SimpleNamespace(
        of=of, query=query, question=QUESTION, now=NOW, caller=SimpleNamespace(id="anna"), acting="acting", body=body,
        campaign_id=ID, route=ROUTE, seconds_left=lambda: 25.0,
    )  # fmt: skip


def at(hours: int, field: str = "started_at", *, is_assumed: bool = False) -> Stamp:
    return Stamp(NOW + hours * HOUR, field, is_assumed)


def stamped(hours: int, field: str = "started_at", *, is_assumed: bool = False) -> dict[str, Any]:
    return {"at": format_instant(NOW + hours * HOUR), "field": field, "assumed": is_assumed}


MARKS = frozenset(Mark)
DRAFT = Draft(
    id="a-draft", source="status", upstream_id="up-1", title="a title", url="https://status.example/1", course=None,
    rule=distinct(ServiceRule), began=at(1, "created_at"), ended=at(9, "resolved_at"),
    components=(ComponentDraft("c-1", "Voice", "calls", Timeline((), MARKS)),), unmapped=(("c-2", "Fax"),),
    windows=(DraftWindow(at(2), at(3, "ended_at", is_assumed=True)), DraftWindow(at(4), None)),
    totals=Totals(HOUR, 2 * HOUR, 5 * HOUR), marks=MARKS,
    windows_by_degree={"partial": (DraftWindow(at(5), at(6)),)},
)  # fmt: skip


def test_a_draft_shows_what_was_reported_and_what_it_would_be() -> None:
    found = drafts.answer_of(DRAFT, "statuspage", None, ["changed"])
    says(found, DRAFT, {
        "draft": "id", "digest": "digest", "source": "source", "upstream_id": "upstream_id", "title": "title",
        "url": "url", "service": "rule.text", "problem": "problem",
    })  # fmt: skip
    assert (found["kind"], found["changed"], found["course"]) == ("statuspage", ["changed"], None)
    assert (found["began"], found["ended"]) == (stamped(1, "created_at"), stamped(9, "resolved_at"))
    assert found["windows"] == [
        {"start": stamped(2), "end": stamped(3, "ended_at", is_assumed=True)}, {"start": stamped(4), "end": None},
    ]  # fmt: skip
    assert found["by"] == {"partial": [{"start": stamped(5), "end": stamped(6)}]}
    microseconds = {name: hours * 3_600_000_000 for name, hours in (("major", 1), ("partial", 2), ("whole", 5))}
    assert found["totals_microseconds"] == {"proposed": None, **microseconds}
    (component,) = found["components"]
    assert [component[name] for name in ("component", "name", "function")] == ["c-1", "Voice", "calls"]
    assert found["marks"] == component["marks"] == sorted(MARKS)
    assert found["unmapped"] == [{"component": "c-2", "name": "Fax"}]
    assert DRAFT.rule is not None
    says(found["suggested"], DRAFT.rule, {"policy": "policy", "list": "list_key", "cause": "cause"})
    assert found["suggested"]["asked"] == list(DRAFT.rule.asked)
    bare = drafts.answer_of(replace(DRAFT, rule=None, ended=None), "statuspage", None, [])
    assert (bare["service"], bare["suggested"], bare["ended"], bare["confirmed"]) == (None, {}, None, None)


def test_what_was_confirmed_or_dismissed_of_a_draft_says_by_whom_and_when() -> None:
    made: dict[str, Any] = {"by": "anna", "at": NOW, "digest": "d-1", "draft_id": "x", "count": 3, "content": {}}
    confirmed = Confirmed(revision=4, **made)
    dismissed = Dismissed(reason="why", **made)
    found = drafts.answer_of(DRAFT, "k", confirmed, [], dismissed)
    said = {"by": "anna", "at": format_instant(NOW), "digest": "d-1"}
    assert found["confirmed"] == {**said, "revision": 4}
    assert found["dismissed"] == {**said, "reason": "why"}


# Campaigns, incidents, logs


def test_troubles_are_shown_with_drafts_that_have_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = Trouble(TroubleKind.NOTICES, "an-incident/7", NOW - HOUR, NOW - HOUR / 2)
    (waits,) = list(LONG_WAITING_SAYS)[:1]
    monkeypatch.setattr(campaigns, "waiting_long", lambda *_: [LongWaiting("a-draft", waits, NOW - 30 * HOUR)])
    door: Any = SimpleNamespace(
        troubles=SimpleNamespace(troubles=lambda: [trouble]), sources=SimpleNamespace(current=dict), drafts=None
    )
    first, second = campaigns.troubles(asked(), door)["troubles"]
    says(first, trouble, {"kind": "kind", "on": "on", "since": "since", "found_at": "found_at", "urgent": "is_urgent",
                          "says": "says"})  # fmt: skip
    assert second == {
        "kind": "draft", "on": "a-draft", "since": format_instant(NOW - 30 * HOUR), "found_at": format_instant(NOW),
        "urgent": False, "says": LONG_WAITING_SAYS[waits].format(draft="a-draft"),
    }  # fmt: skip


def test_an_entry_of_the_audit_log_says_who_did_what_when_and_why() -> None:
    one = distinct(AuditEntry)
    for after in ("", "more"):
        answer = audit._answer(Page((one,), after), asked())
        assert answer["next"] == (make_cursor(QUESTION, after) if after else None)
        (found,) = answer["entries"]
        says(found, one, {name: name for name in ("at", "actor", "action", "about", "on", "place", "reason", "cause")})


def test_incidents_of_a_month_and_a_confirmation_say_what_they_are() -> None:
    page = Page((Indexed(NOW, "i-1"), Indexed(NOW + HOUR, "i-2")), "more")
    door: Any = SimpleNamespace(
        index=SimpleNamespace(incidents_in=lambda month, _: page if month == "2026-03" else None)
    )
    answer = incidents.of_month(asked(month="2026-03"), door)
    assert answer["incidents"] == [
        {"incident_id": "i-1", "first_recorded_at": format_instant(NOW)},
        {"incident_id": "i-2", "first_recorded_at": format_instant(NOW + HOUR)},
    ]
    assert answer["next"] == make_cursor(QUESTION, "more")
    confirmed = Confirmation(Tables("c", "t"), Occasion.CHECKED, "anna", "why", NOW)
    for tables, holds in ((Tables("c", "t"), True), (Tables("c", "x"), False)):
        stores: Any = SimpleNamespace(stores=SimpleNamespace(tables=lambda tables=tables: tables))
        found = confirmations._answer(confirmed, stores)
        says(found, confirmed, {name: name for name in ("occasion", "actor", "reason", "at")})
        assert found["holds"] is holds


@pytest.mark.parametrize("is_alone", [False, True])
def test_a_halt_says_who_set_it_and_who_wants_it_lifted(monkeypatch: pytest.MonkeyPatch, is_alone: bool) -> None:
    said: list[Any] = []

    def yes_of(*of: Any) -> Any:
        said.append(of)
        return SimpleNamespace(value="a yes")

    monkeypatch.setattr(halts, "yes_of", yes_of)
    halt = distinct(Halt)
    people = SimpleNamespace(current=lambda: "people")
    door: Any = SimpleNamespace(gate=replace(SAFE, lone_operator=is_alone), people=people)
    answered = halts._answer(halt, asked(), door)
    says(answered, halt, {"number": "number", "by": "set.person", "since": "set.at", "reason": "reason",
                          "halted": "is_on"})  # fmt: skip
    lifted = [one.person for one in halt.lifts]
    assert (answered["lifted_by"], answered["needed"], answered["your_yes"]) == (lifted, 1 if is_alone else 2, "a yes")
    assert said == [("acting", "", [] if is_alone else lifted, "people", NOW)]
    never: Any = halts._answer(Halt(), asked(), SimpleNamespace(gate=door.gate))
    assert [never[name] for name in ("halted", "by", "since", "reason", "lifted_by")] == [False, None, None, None, []]
    assert len(said) == 1


def test_a_budget_says_each_amount_under_its_own_name() -> None:
    budget = Budget("EUR", "2026-03", limit=10_100, reserved=2_200, spent=3_300, voided=440, version=5)
    found = budgets._item(budget)
    assert found == {
        "currency": "EUR", "month": "2026-03", "limit": "101.00", "reserved": "22.00", "spent": "33.00",
        "voided": "4.40", "left": f"{(budget.left or 0) / 100:.2f}",
    }  # fmt: skip
    without = budgets._item(replace(budget, limit=None))
    assert (without["limit"], without["left"]) == (None, None)


def test_reasons_and_a_policy_are_shown_as_they_were_published() -> None:
    reasons = {
        "b": SimpleNamespace(code="b", title="B", needs_note=True),
        "a": SimpleNamespace(code="a", title="A", needs_note=False),
    }
    door: Any = SimpleNamespace(discretion=SimpleNamespace(current=lambda: SimpleNamespace(reasons=reasons)))
    assert door_goodwill.reasons(asked(), door)["reasons"] == [
        {"code": "b", "title": "B", "needs_note": True}, {"code": "a", "title": "A", "needs_note": False},
    ]  # fmt: skip
    shelf = SimpleNamespace(fetch=lambda _, version: b'{"is": "%d"}' % version, examples=lambda *_: b'[{"a": 1}]')
    found = policies.one(asked(policy="p", version="12"), SimpleNamespace(policies=shelf))
    assert found == {"v": 1, "id": "p", "version": 12, "document": {"is": "12"}, "examples": [{"a": 1}]}
    for wrong in (b"{}", b"[1]", b"no", b'["\\ud800"]', b"[NaN]"):
        assert policies._examples(wrong) is None


# Cases


KEY = DecisionKey("A-1", "an-incident", "line-1", 7)


def test_what_waits_says_whose_it_is_and_since_when_where_that_is_known() -> None:
    granted = entry("A-1")
    one = WaitingCase(CaseKind.HELD, 17, "no_fact", KEY, granted, "a field", "a number")
    found = cases._item(one)
    says(found, one, {
        "kind": "kind", "reason": "reason", "row_offset": "offset", "account_id": "key.account_id",
        "subject": "key.subject", "since": "entry.effective_at", "field": "field", "expected": "expected",
    })  # fmt: skip
    bare = cases._item(WaitingCase(CaseKind.REJECTED, 17, "not_utf8"))
    assert bare == {"kind": "rejected", "reason": "not_utf8", "row_offset": 17}


def test_a_decision_by_hand_says_what_it_came_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "by_hand_answer", lambda hand: f"by {hand}")
    proposal: Any = SimpleNamespace(hash="h-1", hand="anna")
    said = {"v": 1, "account_id": "A-1", "campaign": "an-incident/7", "subject": "line-1"}
    assert cases._came_to(KEY, HandOutcome(proposal=proposal)) == {
        **said, "state": "waits", "hash": "h-1", "by_hand": "by anna",
    }  # fmt: skip
    for by_hand, shown in (("ben", "by ben"), (None, None)):
        decided: Any = SimpleNamespace(by_hand=by_hand)
        assert cases._came_to(KEY, HandOutcome(entry=decided)) == {
            **said, "state": "decided", "hash": None, "by_hand": shown,
        }  # fmt: skip
    assert cases._came_to(KEY, HandOutcome())["by_hand"] is None


@pytest.mark.parametrize("action", ["agree", "reject"])
def test_a_second_person_agrees_or_rejects_and_is_told_so(monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    done: list[Any] = []
    monkeypatch.setattr(cases, "_decide_ports", lambda _: "ports")
    monkeypatch.setattr(cases, "_came_to", lambda key, came: {"key": key, "came": came})

    def agree(*said: Any) -> str:
        done.append(("agree", *said))
        return "came"

    monkeypatch.setattr(cases, "agree_to_case", agree)
    monkeypatch.setattr(cases, "reject_case", lambda *said: done.append(("reject", *said)))
    body = {"action": action, "hash": "0" * 64, "subject": "line-1", "reason": "why"}
    found: Any = cases.second(asked(body=body, account="A-1", id="act-1"), None)  # type: ignore[arg-type]
    why = ("why",) if action == "reject" else ()
    assert done == [(action, KEY, "0" * 64, *why, "act-1", "acting", "ports", NOW)]
    if action == "agree":
        assert found == {"key": KEY, "came": "came"}
    else:
        assert (found["state"], found["hash"], found["by_hand"], found["account_id"]) == ("rejected", None, None, "A-1")


@pytest.mark.parametrize("field", ["", "subject"])
def test_a_case_that_is_not_there_is_unknown_and_one_that_is_asked_for_wrongly_is_refused(
    monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    def refuse(*_: object) -> None:
        raise CaseRefused("code", "there is no such case", field)

    monkeypatch.setattr(cases, "find_case", refuse)
    monkeypatch.setattr(cases, "_ports", lambda _: None)
    with pytest.raises(Problem) as problem:
        cases.case_of(asked(account="A-1"), None, "line-1")  # type: ignore[arg-type]
    assert problem.value.kind.status == (409 if field else 404)
    assert problem.value.reason == ("code" if field else "")


def test_a_case_shows_its_row_what_is_wrong_with_it_and_what_would_be_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fact(name: str) -> Any:
        return SimpleNamespace(name=name, type=f"type of {name}", choices=(f"{name}-1",))

    case: Any = SimpleNamespace(
        entry=entry("A-1", status=Outcome.HELD), campaign=campaign(ID), kind=CaseKind.CONFLICT, reason="a-reason",
        of=SimpleNamespace(offset=91), said={"a": "1"}, problem=SimpleNamespace(field="a-field", expected="a-number"),
        decision=Decision(Outcome.DECLINED, "too_short"), ungrantable=("u-code", "u-says"), closed=("c-code", "c-says"),
        is_amended=True, steps=("one", "two"), missing=[fact("minutes"), fact("plan")], holding=fact("plan"),
        before=SimpleNamespace(texts=lambda: {"EUR": "5"}), seen="s" * 64,
        owed=lambda facts: Owed(facts, Decision(Outcome.HELD, "of facts"), ("f",)),
        tried=lambda: iter([Owed({"plan": "plan-1"}, None, ("t",))]),
    )  # fmt: skip
    looked: list[Any] = []

    def case_of(_: object, __: object, subject: str, row: int | None) -> Any:
        looked.append((subject, row))
        return case

    monkeypatch.setattr(cases, "case_of", case_of)
    question = asked()
    found: Any = cases.one(question, None)  # type: ignore[arg-type]
    assert (found["account_id"], found["campaign"], found["subject"]) == ("A-1", str(ID), case.entry.key.subject)
    assert (found["kind"], found["status"], found["reason"], found["row_offset"]) == (
        "conflict",
        "held",
        "a-reason",
        91,
    )
    assert (found["field"], found["expected"], found["row"], found["seen"]) == (
        "a-field",
        "a-number",
        {"a": "1"},
        "s" * 64,
    )
    assert found["stands"] == case.decision.to_body()
    assert found["only_decline"] == {"reason": "u-code", "says": "u-says"}
    assert found["closed"] == {"reason": "c-code", "says": "c-says"}
    assert (found["since"], found["decidable_until"]) == (
        format_instant(case.campaign.decided_at), format_instant(case.campaign.decidable_until),
    )  # fmt: skip
    assert found["missing"] == [
        {"name": "minutes", "type": "type of minutes", "choices": ["minutes-1"], "holds": False},
        {"name": "plan", "type": "type of plan", "choices": ["plan-1"], "holds": True},
    ]
    assert (found["amended"], found["steps"], found["earlier"]) == (True, ["one", "two"], {"EUR": "5"})
    assert found["would_owe"] == [{"facts": {"plan": "plan-1"}, "decision": None, "steps": ["t"]}]
    question.query = {"subject": "line-1", "row": "55", "facts": '{"plan": "b"}'}
    (owed,) = cases.one(question, None)["would_owe"]  # type: ignore[arg-type]
    assert owed == {"facts": {"plan": "b"}, "decision": {"outcome": "held", "reason": "of facts"}, "steps": ["f"]}
    assert looked == [("-", None), ("line-1", 55)]
    case.kind, case.of, case.problem, case.ungrantable, case.closed, case.before, case.holding = (
        CaseKind.HELD,
        *[None] * 6,
    )
    found = cases.one(asked(), None)  # type: ignore[arg-type]
    assert (found["stands"], found["row_offset"], found["earlier"]) == (None, case.entry.origin, {})
    assert (found["field"], found["expected"], found["only_decline"], found["closed"]) == ("", "", None, None)
    assert [one["holds"] for one in found["missing"]] == [False, False]


# Exports, deliveries, single credits


@pytest.mark.parametrize("of", Of)
@pytest.mark.parametrize(("done", "failed"), [(999, ""), (1_000, ""), (1_000, "the list is gone")])
def test_an_export_is_compared_once_it_is_finished(
    monkeypatch: pytest.MonkeyPatch, of: Of, done: int, failed: str
) -> None:
    export = distinct(
        Export, campaign=ID, of=of, asked_at=NOW - HOUR, bytes_done=done, failed=failed, figures=Figures(), span=0
    )
    monkeypatch.setattr(exports, "existing", lambda *_: campaign(ID))
    monkeypatch.setattr(exports, "expected", lambda *_: Figures())
    monkeypatch.setattr(exports, "differences", lambda *_: iter([Difference("sums", 1, 2)]))
    monkeypatch.setattr(exports, "compared_law", lambda *_: "law")
    monkeypatch.setattr(exports, "law_differences", lambda *_: [Difference("law", 3, 4)])
    monkeypatch.setattr(exports, "_with_parts", lambda answer, *_: {**answer, "parts": ["a part"]})
    door: Any = SimpleNamespace(exports=SimpleNamespace(export=lambda *_: export))
    found = exports.one(asked(id=export.id), door)
    says(found, export, {
        "id": "id", "of": "of", "asked_by": "asked_by", "asked_at": "asked_at", "available_until": "available_until",
        "parts_in_all": "parts", "bytes_done": "bytes_done",
    })  # fmt: skip
    is_finished = done == campaign(ID).chunks.total_bytes and not failed
    assert (found["finished"], found["failed"], found["bytes_in_all"]) == (is_finished, failed or None, 1_000)
    assert found["law_compared"] is (is_finished and of is Of.LEDGER)
    compared = [("sums", "1", "2"), *([("law", "3", "4")] if of is Of.LEDGER else [])]
    shown = None if found["differences"] is None else [tuple(one.values()) for one in found["differences"]]
    assert shown == (compared if is_finished else None)
    assert bool(found["parts"]) is is_finished
    for later, is_there in ((timedelta(microseconds=-1), True), (timedelta(), False)):
        question = asked(id=export.id)
        question.now = export.available_until + later
        if is_there:
            assert exports.one(question, door)["id"] == export.id
        else:
            with pytest.raises(Problem, match="removed"):
                exports.one(question, door)


def test_what_of_a_campaign_is_delivered_is_shown_with_its_additions(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [ToTheBill("EUR", 900, 200, {CreditState.DUE: 700}), ToTheBill("GB", 0, 0, {})]
    monkeypatch.setattr(deliveries, "existing", lambda *_: campaign(ID))
    monkeypatch.setattr(deliveries, "lines_to_the_bill", lambda *_: lines)
    monkeypatch.setattr(deliveries, "why_not_delivered", lambda *_: "because")
    monkeypatch.setattr(deliveries, "_item", lambda one: f"item {one}")
    for over, additions, why_not in (
        ("list", ["a"], ""),
        (None, ["a", "b"], ""),
        ("list", [], ""),
        (None, [], "because"),
    ):
        monkeypatch.setattr(deliveries, "over_list_first", lambda *_, found=(over, *additions): list(found))
        found: Any = deliveries.of_campaign(asked(), None)  # type: ignore[arg-type]
        assert found == {
            "v": 1, "campaign": str(ID), "to_be_booked": [{"measure": "EUR", "sum": "7.00"}],
            "delivery": None if over is None else f"item {over}", "additions": [f"item {one}" for one in additions],
            "why_not": why_not,
        }  # fmt: skip


def test_what_was_done_with_a_credit_says_where_it_stands_and_knows_every_channel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[Any] = []
    stands = SimpleNamespace(state=CreditState.DUE, attempt=4, belongs_to="vouchers")  # until another person agrees

    def act(action: Any, acting: Any, ports: Any, now: Any) -> Any:
        done.append((action, acting, now, sorted(ports.channels)))
        return SimpleNamespace(stands=stands, waits=True)

    monkeypatch.setattr(door_credits, "act_on_credit", act)
    for plan, channels in ((SimpleNamespace(name="billing"), ["billing", "letters"]), (None, ["letters"])):
        nothing = dict.fromkeys(("campaigns", "credits", "credit_actions", "answers", "gate"))
        door: Any = SimpleNamespace(
            people=SimpleNamespace(current=lambda: None), channel=plan,
            other_channels=(SimpleNamespace(name="letters"),),
            **nothing,
        )  # fmt: skip
        body = {
            "action": "send_again", "account_id": "A-1", "subject": "line-1", "credit_id": "0" * 32, "reason": "why",
            "biller_account": "B-1", "channel": "letters",
        }  # fmt: skip
        found = door_credits.act(asked(body=body, id="act-1"), door)
        assert found == {
            "v": 1, "credit_id": "0" * 32, "state": "due", "attempt": 4, "channel": "vouchers",
            "second_person_needed": True,
        }  # fmt: skip
        action, acting, now, known = done.pop()
        assert (action.id, action.key, action.credit_id, action.channel) == ("act-1", KEY, "0" * 32, "letters")
        assert (acting, now, known) == ("acting", NOW, channels)
