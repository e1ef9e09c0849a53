"""What answers add up, leave out, put first, and where they stop: each statement with values that are all different."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.door import accounts, acknowledgements, bill, cases, deliveries, exports, repairs, voids
from kulanz.application.door.cursors import make_cursor
from kulanz.application.door.problems import Problem
from kulanz.domain.campaigns.campaign import BALANCED, DELIVERABLE, CampaignId, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.decision import Benefit, Outcome
from kulanz.domain.delivery.credit import CreditSums
from kulanz.domain.delivery.delivery import Delivery, DeliveryState
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.law import Counted, Shares
from kulanz.domain.delivery.moved import NOT_OWED
from kulanz.domain.delivery.reversal import Reversal, ReversalState
from kulanz.domain.delivery.standing import CreditState, RejectedWith, Standing
from kulanz.domain.delivery.to_the_bill import ToTheBill
from kulanz.domain.delivery.void import OVER, Void, VoidProgress, VoidState
from kulanz.domain.gate.settings import SAFE
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.ledger.hand_decision import CaseKind
from kulanz.domain.money import Money
from kulanz.domain.time import format_instant
from tests.support.distinct import distinct
from tests.support.values import NOW, campaign, entry

ID = CampaignId("an-incident", 7)
QUESTION = {"": "a route"}
FIVE_EUROS, TEN_GB = Benefit(Money(500, "EUR")), Benefit(quantity="10", unit="GB")


def asked(cursor: str = "", now: datetime = NOW, seconds_left: float = 25.0, **of: str) -> Any:
    query = {"cursor": make_cursor(QUESTION, cursor)} if cursor else {}
    return SimpleNamespace(of=of, query=query, question=QUESTION, now=now, seconds_left=lambda: seconds_left)


# Single credits


def credit(monkeypatch: pytest.MonkeyPatch, stands: Standing, *entries: CreditEntry, now: datetime = NOW) -> Any:
    """What an answer says of the first of two benefits that stands so."""
    monkeypatch.setattr(accounts, "standing", lambda *_: stands)
    booked: Any = SimpleNamespace(entry=entry("a"), entries=entries)
    door: Any = SimpleNamespace(deliveries=SimpleNamespace(delivery=lambda _: None))
    return accounts._credit(booked, 0, FIVE_EUROS, asked(now=now), door)


@pytest.mark.parametrize("state", CreditState)
def test_a_credit_is_late_from_its_deadline_on_unless_it_is_on_a_bill_or_will_never_be(
    monkeypatch: pytest.MonkeyPatch, state: CreditState
) -> None:
    stands = Standing(state, due=NOW)
    for now, is_over in ((NOW - timedelta(microseconds=1), False), (NOW, True), (NOW + timedelta(days=9), True)):
        is_late = is_over and state not in NOT_OWED
        assert credit(monkeypatch, stands, now=now)["late"] is is_late
        assert acknowledgements._is_late(stands, 500, now) is is_late
    endless = replace(stands, due=None)
    assert credit(monkeypatch, endless)["late"] is acknowledgements._is_late(endless, 500, NOW) is False


def applied(place: int, attempt: int, minor: int, kind: EntryKind = EntryKind.APPLIED) -> CreditEntry:
    is_taken = kind is EntryKind.TAKEN_BACK
    return CreditEntry(
        kind, NOW, "biller", f"{place}-{attempt}-{minor}", (place,), attempt=attempt, delivery="billing/1",
        amount=None if is_taken else minor, bill="" if is_taken else f"bill-{minor}",
        day=None if is_taken else date(2026, 4, minor % 30 + 1), code="E-9" if is_taken else "",
    )  # fmt: skip


def test_a_credits_bills_are_those_of_its_latest_attempt_and_of_no_other_credit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entries = applied(0, 1, 101), applied(1, 2, 102), applied(0, 2, 103), applied(0, 2, 104)
    stands = Standing(CreditState.PARTLY_APPLIED, attempt=2, applied=207)
    assert credit(monkeypatch, stands, *entries)["bills"] == [
        {"bill": f"bill-{minor}", "billed_on": f"2026-04-{minor % 30 + 1:02d}", "amount": f"1.0{minor % 100}"}
        for minor in (103, 104)
    ]
    assert credit(monkeypatch, replace(stands, applied=0), *entries)["bills"] == []


def test_of_reversals_those_are_named_that_the_biller_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    reversals = tuple(
        Reversal(number, 1, "billing/1", number * 10, state, code=f"E-{number}")
        for number, state in enumerate(ReversalState, 1)
    )
    found = credit(monkeypatch, Standing(CreditState.SENT, reversals=reversals))["reversals_rejected"]
    (number,) = [one.number for one in reversals if one.state is ReversalState.REJECTED]
    assert found == [{"amount": f"0.{number}0", "code": f"E-{number}"}]


def test_a_credits_amounts_are_what_was_granted_what_of_it_is_void_and_what_is_asked_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stands = Standing(CreditState.SENT, voided=120, reversals=(Reversal(1, 1, "billing/1", 75),), code="E-1")
    found = credit(monkeypatch, stands)
    names = ("amount", "voided", "asked_back", "state", "code", "measure")
    assert [found[name] for name in names] == ["5.00", "1.20", "0.75", "sent", "E-1", "EUR"]


def back(of: str, size: int, state: ReversalState = ReversalState.BOOKED) -> Reversal:
    """What the biller took back of what a delivery had."""
    return Reversal(1, 1, of, size, state)


def test_a_credit_that_waits_has_what_was_left_of_it_and_how_much_is_on_no_bill(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stands = Standing(
        CreditState.PARTLY_APPLIED,
        attempt=2,
        delivery="billing/3",
        reversals=(back("billing/3", 35), back("billing/3", 7, ReversalState.UNDONE), back("billing/1", 85)),
        voided=120,
        left_out=45,
        applied=30,
        code="E-1",
        due=NOW,
    )
    monkeypatch.setattr(acknowledgements, "standing", lambda *_: stands)
    monkeypatch.setattr(acknowledgements, "granted_benefits", lambda _: (FIVE_EUROS, TEN_GB))
    booked: Any = SimpleNamespace(entry=entry("a"), entries=())
    money, units = acknowledgements._credits_of(booked, lambda _: None, lambda *_: True)
    assert (money["amount"], money["not_on_bills"], money["measure"]) == ("4.55", "3.50", "EUR")
    assert (money["reversed"], units["reversed"]) == ("0.35", "35"), "what was taken back of an earlier delivery is not"
    assert (money["account_id"], money["subject"]) == (booked.entry.key.account_id, booked.entry.key.subject)
    assert (money["delivery"], money["code"], money["state"]) == ("billing/3", "E-1", "partly_applied")
    assert units["measure"] == "GB"
    assert money["credit_id"] != units["credit_id"]
    assert list(acknowledgements._credits_of(booked, lambda _: None, lambda *_: False)) == []


@pytest.mark.parametrize(
    ("found", "seconds", "pages"),
    [(acknowledgements.LATE_PER_ANSWER - 1, 10.0, 2), (acknowledgements.LATE_PER_ANSWER, 25.0, 1), (1, 9.999, 1)],
)
def test_credits_of_a_list_are_looked_for_until_an_answer_is_full_or_its_time_is_up(
    monkeypatch: pytest.MonkeyPatch, found: int, seconds: float, pages: int
) -> None:
    read: list[int] = []
    granted, held = entry("a"), entry("b", status=Outcome.HELD)

    def committed(*_: object) -> Any:
        for position in (11, 12):
            read.append(position)
            yield position, [granted, held]

    monkeypatch.setattr(acknowledgements, "existing", lambda *_: campaign(ID))
    monkeypatch.setattr(acknowledgements, "thaw", lambda *_: None)
    monkeypatch.setattr(acknowledgements, "committed_pages", committed)
    monkeypatch.setattr(acknowledgements, "_credits_of", lambda *_: [{}] * found if len(read) == 1 else [])

    def booked(keys: list[DecisionKey]) -> Mapping[DecisionKey, Any]:
        assert keys == [granted.key]
        return dict.fromkeys(keys, SimpleNamespace(entry=granted))

    door: Any = SimpleNamespace(
        campaigns=SimpleNamespace(frozen=lambda _: None), credits=SimpleNamespace(booked=booked), lists=None,
        ledger=None, deliveries=None,
    )  # fmt: skip
    answer = acknowledgements._credits(asked(seconds_left=seconds), door, lambda *_: True)
    assert (len(read), len(answer["credits"])) == (pages, found)
    assert answer["next"] == (None if pages == 2 else make_cursor(QUESTION, "11"))


# Pages


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_an_answer_names_a_rest_where_there_is_one_and_goes_on_behind_what_it_showed(
    monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    monkeypatch.setattr(acknowledgements, "_item", lambda one: one)
    most = acknowledgements.FILES_PER_ANSWER
    door: Any = SimpleNamespace(answers=SimpleNamespace(files=lambda _: iter(range(most * 2 + more))))
    first: Any = acknowledgements.of_channel(asked(channel="billing"), door)
    second = acknowledgements.of_channel(asked(str(most), channel="billing"), door)
    assert (first["files"], first["next"]) == (list(range(most)), make_cursor(QUESTION, str(most)))
    assert len(second["files"]) == most + min(more, 0)
    assert second["next"] == (make_cursor(QUESTION, str(2 * most)) if more > 0 else None)


@pytest.mark.parametrize("more", [0, 1])
def test_deliveries_go_on_behind_the_last_serial_that_was_shown(monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    monkeypatch.setattr(deliveries, "_item", lambda one: one.id.serial)
    most = deliveries.DELIVERIES_PER_ANSWER

    def of_channel(_: str, after: int) -> Any:
        return (SimpleNamespace(id=DeliveryId("billing", n)) for n in range(after + 1, after + 1 + most + more))

    door: Any = SimpleNamespace(deliveries=SimpleNamespace(of_channel=of_channel))
    found: Any = deliveries.of_channel(asked("7", channel="billing"), door)
    assert found["deliveries"] == list(range(8, 8 + most))
    assert found["next"] == (make_cursor(QUESTION, str(7 + most)) if more else None)


@pytest.mark.parametrize(("number", "has_rest"), [(2, False), (3, True), (4, True)])
def test_problems_of_answers_go_on_behind_the_receipt_that_filled_an_answer(
    monkeypatch: pytest.MonkeyPatch, number: int, has_rest: bool
) -> None:
    monkeypatch.setattr(acknowledgements, "PROBLEMS_PER_ANSWER", 3)
    read: list[str] = []

    def get(key: str) -> bytes:
        read.append(key)
        return b"".join(
            b'{"offset": %d, "result": "r", "reason": "x"}\n' % n for n in range(number if key == "b" else 1)
        )

    starts = ((1, "shown"), (5, ""), (6, "b"), (9, "c"))
    receipts = [SimpleNamespace(start=start, problems=problems) for start, problems in starts]
    door: Any = SimpleNamespace(answers=SimpleNamespace(receipts=lambda _: receipts), archive=SimpleNamespace(get=get))
    found, rest = acknowledgements._problems(SimpleNamespace(), 1, door)  # type: ignore[arg-type]
    if has_rest:
        assert (len(found), rest, read) == (number, 6, ["b"])
    else:  # two and one are as many as an answer has
        assert (len(found), rest, read) == (3, 9, ["b", "c"])


@pytest.mark.parametrize(("end", "span", "is_more"), [(1_050, 0, False), (1_049, 0, True), (1_050, 1, True)])
def test_an_export_has_more_parts_until_one_ends_where_the_list_does(end: int, span: int, is_more: bool) -> None:
    of = campaign(ID)
    part = SimpleNamespace(
        start=50, end=end, lines=1, rows=1, size=1, sha256="0", key="a-key"
    )  # fmt: skip
    door: Any = SimpleNamespace(
        exports=SimpleNamespace(parts=lambda *_: iter([part])),
        documents=SimpleNamespace(link=lambda key, _: key),
    )
    export: Any = SimpleNamespace(span=span)
    found = exports._with_parts({"next": None}, asked(), of, export, door)  # type: ignore[typeddict-item]
    assert found["next"] == (make_cursor(QUESTION, str(end)) if is_more else None)
    assert found["links_good_until"] == format_instant(NOW + timedelta(seconds=exports.PART_LINK_SECONDS))


# On the way to the bill


def delivery(channel: str, serial: int, state: DeliveryState) -> Delivery:
    sums = dict.fromkeys(("sums", "elsewhere", "again"), CreditSums())
    return distinct(Delivery, id=DeliveryId(channel, serial), campaign=ID, state=state, additions=None, **sums)


def test_additions_of_a_channel_are_counted_from_its_first_serial_to_its_last_however_they_were_read() -> None:
    read = [
        delivery("letters", 7, DeliveryState.SENT), delivery("billing", 12, DeliveryState.FLAGGED),
        delivery("billing", 3, DeliveryState.ASSIGNING), delivery("letters", 2, DeliveryState.FLAGGED),
        delivery("billing", 5, DeliveryState.SENT),
    ]  # fmt: skip
    expected = [
        {"channel": "billing", "deliveries": 3, "first": "billing/3", "last": "billing/12", "not_sent": 2},
        {"channel": "letters", "deliveries": 2, "first": "letters/2", "last": "letters/7", "not_sent": 1},
    ]
    assert bill._added(read) == bill._added(reversed(read)) == expected


def test_a_line_on_the_way_to_the_bill_has_each_sum_under_its_own_name() -> None:
    states = {CreditState.SENT: 1_100, CreditState.DUE: 1_200, CreditState.APPLIED: 1_300}
    line = ToTheBill(
        "EUR", 9_100, 9_200, states, asked_back=9_300,
        by_channel={"": {CreditState.DUE: 1_200, CreditState.VOIDED: 9_200},
                    "billing": {CreditState.SENT: 1_100, CreditState.APPLIED: 1_300}},
        rejected_with={("billing", RejectedWith("E-2")): 21, ("letters", RejectedWith("E-1")): 22},
    )  # fmt: skip
    law = Counted(Shares(used=31, expired=32, voided=33, written_off=34, open=35, asked_back=36), is_exact=False)
    found = bill._line(line, {"EUR": 41, "GB": 42}, 43, law)
    assert found == {
        "measure": "EUR", "planned": "0.41", "granted": "91.00", "voided": "92.00", "asked_back": "93.00",
        "to_be_booked": "-1.00", "by_state": {"applied": "13.00", "due": "12.00", "sent": "11.00"},
        "not_on_bills": "23.00", "overdue": "0.43", "used": "0.31", "expired": "0.32", "written_off": "0.34",
        "open": "0.35", "is_exact": False,
        "by_channel": [
            {"channel": "", "by_state": {"due": "12.00"}, "voided": "92.00"},
            {"channel": "billing", "by_state": {"applied": "13.00", "sent": "11.00"}, "voided": "0.00"},
        ],
        "rejected_with": [
            {"channel": "billing", "code": "E-2", "sum": "0.21"}, {"channel": "letters", "code": "E-1", "sum": "0.22"},
        ],
    }  # fmt: skip
    assert [list(found["by_state"]), list(found["by_channel"][1]["by_state"])] == [
        ["applied", "due", "sent"], ["applied", "sent"],
    ]  # fmt: skip


@pytest.mark.parametrize("state", State)
def test_why_nothing_is_delivered_is_said_by_what_is_left_and_by_the_campaigns_state(state: State) -> None:
    left, voided, nothing = (ToTheBill("EUR", granted, gone, {}) for granted, gone in ((9, 4), (9, 9), (0, 0)))
    has_channel: Any = SimpleNamespace(
        campaigns=SimpleNamespace(filed_plan=lambda _: SimpleNamespace(channel="billing"))
    )
    no_channel: Any = SimpleNamespace(campaigns=SimpleNamespace(filed_plan=lambda _: SimpleNamespace(channel=None)))
    no_plan: Any = SimpleNamespace(campaigns=SimpleNamespace(filed_plan=lambda _: None))

    def why(lines: list[ToTheBill], door: Any = has_channel, reason: str = "by a person") -> str:
        of = replace(campaign(ID), state=state, state_reason=reason)
        return deliveries.why_not_delivered(of, lines, door)

    assert why([nothing]) == "it granted nothing"
    assert why([nothing, voided]) == "all that it granted was voided"
    assert why([voided, left], no_channel) == why([left], no_plan)
    assert "no channel to billing was set up" in why([left], no_plan)
    said = why([left])
    if state in DELIVERABLE:
        assert "kept back" in said
    else:
        assert said == f"it is {state}; what it granted is delivered when it has closed"
    is_whole = state is State.CLOSED
    assert ("a day later" in why([left], reason=BALANCED)) is is_whole


# What waits


@pytest.mark.parametrize("state", VoidState)
def test_voids_that_wait_are_those_that_are_not_over_the_oldest_first(
    monkeypatch: pytest.MonkeyPatch, state: VoidState
) -> None:
    def void(name: str, day: int, state: VoidState = VoidState.PLANNING) -> Void:
        at = NOW + timedelta(days=day)
        return distinct(
            Void, id=VoidId(ID, name), pinned=None, data_start=0, opened_at=at, state=state, plan=VoidProgress(),
            apply=VoidProgress(),
        )  # fmt: skip

    known = {one.id: one for one in (void("b", 2), void("c", 1), void("a", 3, state))}
    monkeypatch.setattr(voids, "_item", lambda one, *_: one.id.name)
    stores = {"open_voids": lambda: [*known, VoidId(ID, "gone")], "void": known.get}
    door: Any = SimpleNamespace(
        voids=SimpleNamespace(**stores), campaigns=SimpleNamespace(campaign=campaign), gate=SAFE
    )
    found: Any = voids.waiting(asked(), door)["voids"]
    assert found == ["c", "b", *([] if state in OVER else ["a"])]


@pytest.mark.parametrize(
    ("closed", "is_shown"),
    [(None, True), (("too_late", "it is too late"), True), (("incident_withdrawn", "it was withdrawn"), False)],
)
def test_a_campaign_with_cases_has_of_each_kind_what_no_person_has_decided(
    monkeypatch: pytest.MonkeyPatch, closed: tuple[str, str] | None, is_shown: bool
) -> None:
    counts = Counter({CaseKind.REJECTED: 9, CaseKind.HELD: 7, CaseKind.REFERRED: 5})
    by_kind = Counter({CaseKind.HELD: 3, CaseKind.REFERRED: 5, CaseKind.REJECTED: 1})
    monkeypatch.setattr(cases, "counted", lambda _: counts.copy())
    monkeypatch.setattr(cases, "campaign_closed_because", lambda *_: closed)
    by_hand = SimpleNamespace(
        by_kind=lambda: by_kind, by_outcome=lambda: {Outcome.GRANTED: 6, Outcome.DECLINED: 3},
        granted={"GB": 11, "EUR": 13},
    )  # fmt: skip
    door: Any = SimpleNamespace(
        cases=SimpleNamespace(decided=lambda _: by_hand),
        campaigns=SimpleNamespace(incident=lambda _: SimpleNamespace(applied=(3, 7, 8, 9))),
    )
    of = campaign(ID)
    done = replace(of, apply=replace(of.apply, bytes_done=of.chunks.total_bytes))
    found = cases._of(done, asked(), door)
    if not is_shown:
        assert found is None
        return
    assert found is not None
    assert list(found["waiting"].items()) == [("held", 4), ("rejected", 8)]
    assert found["decided"] == {"granted": 6, "declined": 3}
    assert list(found["granted"].items()) == [("EUR", "13"), ("GB", "11")]
    assert (found["later"], found["closed"] is None) == ([8, 9], closed is None)
    assert cases._of(of, asked(), door) is None
    by_kind.update(counts)
    assert cases._of(done, asked(), door) is None
    by_kind.clear()
    door.campaigns.incident = lambda _: None
    assert cases._of(done, asked(), door) is None


# Repairs


def test_notices_that_are_published_again_are_counted_over_all_pages_and_only_what_was_voided_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, voided = entry("a"), replace(entry("b"), voided=((0, 7),))
    pages = [(11, [whole, voided]), (12, []), (13, [whole])]
    monkeypatch.setattr(repairs, "existing", lambda *_: campaign(ID))
    monkeypatch.setattr(repairs, "thaw", lambda *_: None)
    monkeypatch.setattr(repairs, "committed_pages", lambda *_: iter(pages))
    read: list[Any] = []
    published: list[list[Any]] = []
    repaired: list[Any] = []

    def booked(keys: list[DecisionKey]) -> Mapping[DecisionKey, Any]:
        read.append(keys)
        return {}

    door: Any = SimpleNamespace(
        campaigns=SimpleNamespace(frozen=lambda _: None), credits=SimpleNamespace(booked=booked), lists=None,
        ledger=None, workers=SimpleNamespace(publish_decisions=published.append),
        troubles=SimpleNamespace(repaired=lambda *one: repaired.append(one)),
    )  # fmt: skip
    question: Any = asked()
    question.body, question.route = {}, SimpleNamespace(key="a route")
    answer = repairs.notices(question, door)
    assert (answer["decisions"], answer["next"]) == (3, None)
    assert read == [[voided.key], []]
    assert [[one.entry for one in page] for page in published] == [[whole, voided], [whole]]
    assert repaired == [(TroubleKind.NOTICES, str(ID), NOW)]


def test_a_campaign_that_is_looked_at_again_is_handed_to_its_worker_and_answers_as_it_stands_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at: list[CampaignId] = []
    monkeypatch.setattr(
        repairs,
        "existing",
        lambda *_: replace(campaign(ID), state=State.CLOSED if looked_at else State.PLANNING),
    )
    door: Any = SimpleNamespace(workers=SimpleNamespace(advance=looked_at.append))
    question: Any = asked()
    question.body = {}
    assert repairs.advance(question, door)["state"] == "closed"
    assert looked_at == [ID]


def test_a_cursor_of_another_campaigns_notices_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for = {"of": ID}
    monkeypatch.setattr(repairs, "existing", lambda *_: campaign(asked_for["of"]))
    monkeypatch.setattr(repairs, "thaw", lambda *_: None)
    monkeypatch.setattr(repairs, "committed_pages", lambda *_: iter([(11, [])]))
    door: Any = SimpleNamespace(campaigns=SimpleNamespace(frozen=lambda _: None), lists=None, ledger=None)
    question: Any = asked(seconds_left=0.0)
    question.body, question.route = {}, SimpleNamespace(key="a route")
    begun = repairs.notices(question, door)["next"]
    assert begun is not None
    question.body = {"cursor": begun}
    assert repairs.notices(question, door)["next"] is not None
    asked_for["of"] = CampaignId("another", 8)
    with pytest.raises(Problem):
        repairs.notices(question, door)


def test_a_cursor_of_another_form_is_refused() -> None:
    with pytest.raises(Problem):
        repairs._position("eleven", 5, NOW)
    assert repairs._position("", 5, NOW) == (5, NOW)
    earlier = NOW - timedelta(hours=1)
    assert repairs._position(f"11 {format_instant(earlier)}", 5, NOW) == (11, earlier)
    assert repairs._position(f"11 {format_instant(NOW + timedelta(hours=1))}", 5, NOW) == (11, NOW)
