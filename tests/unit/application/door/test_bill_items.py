"""A campaign on its way to the bill as an answer has it, and other answers that put several things together."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.door import accounts, bill, drafts, exports, settlements
from kulanz.application.door.cursors import make_cursor
from kulanz.application.door.problems import Problem
from kulanz.application.drafts.draft_ports import Unread, Upstream
from kulanz.application.ledger.standing import Now, Standing
from kulanz.application.ports import Page
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.credit import CreditSums
from kulanz.domain.delivery.delivery import Delivery, DeliveryState
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.moved import MovedOf
from kulanz.domain.exports.figures import Figures, LineKey, SumKey, Written
from kulanz.domain.policy.document.owed import NOTHING_BILLED, Bill
from kulanz.domain.time import format_instant
from tests.support.distinct import distinct
from tests.support.values import NOW, campaign, entry
from tests.unit.application.door.test_fields_of_answers import says

ID, OTHER = CampaignId("an-incident", 7), CampaignId("another", 8)
QUESTION = {"": "a route"}


def delivery(channel: str, serial: int, state: DeliveryState) -> Delivery:
    sums = dict.fromkeys(("sums", "elsewhere", "again"), CreditSums())
    return distinct(Delivery, id=DeliveryId(channel, serial), campaign=ID, state=state, additions=None, **sums)


def finished() -> Any:
    """A campaign both of whose passes are through."""
    of = campaign(ID)
    return replace(
        of,
        plan=replace(of.plan, bytes_done=of.chunks.total_bytes),
        apply=replace(of.apply, bytes_done=of.chunks.total_bytes),
    )


class Bills:
    """What a bill's item is made of, each part with a name of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *found: Delivery | None) -> None:
        lines = [
            SimpleNamespace(measure=measure, differences=lambda measure=measure: [f"{measure} differs"])
            for measure in ("EUR", "GB")
        ]
        apart = [SimpleNamespace(what="lines", planned=1, applied=2), SimpleNamespace(what="EUR", planned=3, applied=4)]
        monkeypatch.setattr(bill, "over_list_first", lambda *_: list(found))
        monkeypatch.setattr(bill, "lines_to_the_bill", lambda *_: lines)
        monkeypatch.setattr(bill, "counted_law", lambda *_: {"EUR": "law of EUR", "GB": "law of GB"})
        monkeypatch.setattr(bill, "differences", lambda *_: apart)
        monkeypatch.setattr(bill, "why_not_delivered", lambda *_: "because")
        monkeypatch.setattr(bill, "_bookings", lambda *_: ["a booking"])
        monkeypatch.setattr(bill, "_line", lambda line, _, late, law: (line.measure, late, law))
        late = {(str(ID), "EUR"): 11, (str(OTHER), "EUR"): 13, (str(OTHER), "GB"): 17}
        troubles = {str(one): Trouble(TroubleKind.GIVEN_AGAIN, str(one), NOW, NOW) for one in (OTHER,)}
        self.known = bill.OfAllCampaigns(late, troubles)


def test_a_bills_item_has_what_its_campaign_is_and_what_of_all_campaigns_is_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = delivery("billing", 3, DeliveryState.FLAGGED)
    bills = Bills(monkeypatch, over, delivery("letters", 4, DeliveryState.SENT))
    of = campaign(ID)
    found: Any = bill.bill_item(of, None, bills.known, NOW)  # type: ignore[arg-type]
    says(found, of, {"campaign": "id", "policy": "policy_id", "policy_version": "policy_version", "state": "state",
                     "decided_at": "decided_at"})  # fmt: skip
    assert (found["delivery"], found["delivery_state"], found["why_not"]) == ("billing/3", "flagged", "")
    assert [one["channel"] for one in found["additions"]] == ["letters"]
    assert found["lines"] == [("EUR", 11, "law of EUR"), ("GB", 0, "law of GB")]
    assert (found["bookings"], found["differences"]) == (["a booking"], ["EUR differs", "GB differs"])
    again: Any = bill.bill_item(replace(finished(), id=OTHER), None, bills.known, NOW)  # type: ignore[arg-type]
    assert again["differences"] == [
        "EUR differs", "GB differs", "plan and ledger: lines: planned 1, written 2",
        "plan and ledger: EUR: planned 3, written 4", bills.known.given_again[str(OTHER)].says,
    ]  # fmt: skip
    assert again["lines"] == [("EUR", 13, "law of EUR"), ("GB", 17, "law of GB")]


@pytest.mark.parametrize(("plan", "apply"), [(True, False), (False, True), (True, True)])
def test_plan_and_ledger_are_compared_once_both_are_through(
    monkeypatch: pytest.MonkeyPatch, plan: bool, apply: bool
) -> None:
    bills, done, of = Bills(monkeypatch, None), finished(), campaign(ID)
    half = replace(of, plan=done.plan if plan else of.plan, apply=done.apply if apply else of.apply)
    found = bill.bill_item(half, None, bills.known, NOW)["differences"]  # type: ignore[arg-type]
    assert (len(found) > 2) is (plan and apply)


@pytest.mark.parametrize("over", [None, delivery("billing", 3, DeliveryState.SENT)])
@pytest.mark.parametrize("added", [(), (delivery("letters", 4, DeliveryState.SENT),)])
def test_why_nothing_is_delivered_is_said_where_nothing_is(
    monkeypatch: pytest.MonkeyPatch, over: Delivery | None, added: tuple[Delivery, ...]
) -> None:
    bills = Bills(monkeypatch, over, *added)
    found = bill.bill_item(campaign(ID), None, bills.known, NOW)  # type: ignore[arg-type]
    assert found["why_not"] == ("" if over is not None or added else "because")
    assert (found["delivery"] is None, found["delivery_state"] == "") == (over is None, over is None)


def test_goodwill_is_booked_by_the_reasons_that_it_was_given_for_each_way_once() -> None:
    ways = {name: Bill(f"account-{name}", f"code-{name}", f"treatment-{name}") for name in "ab"}
    known = {name: SimpleNamespace(bill=ways[way]) for name, way in (("late", "a"), ("loud", "b"), ("long", "a"))}

    def booked(*components: str) -> Any:
        moved: dict[MovedOf, Any] = {MovedOf(ID, "EUR", component, "billing"): {} for component in components}
        door: Any = SimpleNamespace(
            discretion=SimpleNamespace(current=lambda: SimpleNamespace(reasons=known)),
            deliveries=SimpleNamespace(added=lambda _: SimpleNamespace(moved=moved)),
        )
        return bill._of_goodwill(campaign(ID), door)

    assert booked("loud", "long", "late") == [ways["a"], ways["b"]]
    assert booked("loud") == [ways["b"]]
    assert booked("gone", "loud") == [NOTHING_BILLED, ways["b"]]
    assert booked() == [NOTHING_BILLED]
    same = Bill("a", "b", "c", "d")
    for name, is_another in (("text", False), ("reason_code", True), ("treatment", True), ("ledger_account", True)):
        other = replace(same, **{name: "another"})
        known |= {"late": SimpleNamespace(bill=same), "loud": SimpleNamespace(bill=other)}
        found = [(one.ledger_account, one.reason_code, one.treatment) for one in booked("late", "loud")]
        assert found == [("d", "b", "c"), (other.ledger_account, other.reason_code, other.treatment)][: 1 + is_another]


# Figures, drafts, standings, settlements


def test_figures_of_an_export_come_in_one_order_each_under_its_own_name() -> None:
    lines = Counter({
        LineKey("rejected", "not_utf8", Written.NO): 3, LineKey("granted", "owed", Written.YES): 5,
        LineKey("granted", "capped", Written.UNCOUNTED): 7,
    })  # fmt: skip
    found = exports._figures(Figures(lines, {SumKey("open", "EUR"): 11, SumKey("granted", "GB"): 13}))
    assert [tuple(one.values()) for one in found["lines"]] == [
        ("granted", "capped", "uncounted", 7), ("granted", "owed", "yes", 5), ("rejected", "not_utf8", "no", 3),
    ]  # fmt: skip
    assert [tuple(one.values()) for one in found["sums"]] == [("granted", "GB", "13"), ("open", "EUR", "11")]


@pytest.mark.parametrize("after", ["", "more"])
def test_what_was_received_in_a_month_is_its_drafts_and_what_could_not_be_read(
    monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    unread = Unread("page", "up/key", "code", "expected a text", NOW)
    page = Page((Upstream("status", "up-1"), unread, Upstream("status", "up-2")), after)
    asked: list[Any] = []

    def in_month(*said: Any) -> Page[Any]:
        asked.append(said)
        return page

    monkeypatch.setattr(drafts, "_lines", lambda of, _: iter([f"1 of {of.name}", f"2 of {of.name}"]))
    door: Any = SimpleNamespace(drafts=SimpleNamespace(in_month=in_month))
    question: Any = SimpleNamespace(of={"month": "2026-03"}, query={}, question=QUESTION)
    found: Any = drafts.of_month(question, door)
    assert asked == [("2026-03", "", drafts.UPSTREAM_PER_ANSWER)]
    assert found["drafts"] == ["1 of up-1", "2 of up-1", "1 of up-2", "2 of up-2"]
    assert found["unread"] == [
        {"source": "page", "reason": "code", "message": "expected a text", "body": "up/key",
         "received_at": format_instant(NOW)},
    ]  # fmt: skip
    assert found["next"] == (make_cursor(QUESTION, after) if after else None)


def test_a_standing_names_the_campaigns_that_granted_and_those_whose_offers_are_open() -> None:
    def decided(seq: int, status: Outcome = Outcome.GRANTED, voided: tuple[Any, ...] = ()) -> Any:
        one = entry("A-1", status=status)
        return SimpleNamespace(entry=replace(one, key=replace(one.key, seq=seq), voided=voided))

    whole = ((0, 500), (1, 30))
    granted, held, void, offered = (
        decided(1),
        decided(2, Outcome.HELD),
        decided(3, voided=whole),
        decided(4, Outcome.OFFERED),
    )
    one = Standing(
        "net-outage", "-", (granted, held, void, offered), Now.GRANTED, (offered,), {"GB": 3, "EUR": 5},
        {"GB": 1, "CHF": 2}, None,
    )  # fmt: skip
    found = accounts._standing(one, SimpleNamespace(incidents={}))  # type: ignore[arg-type]
    assert found["offered_by"] == ["net-outage/4"]
    assert "net-outage/1" in found["granted_by"]
    assert not {"net-outage/2", "net-outage/4"} & set(found["granted_by"])
    assert [list(found[name].items()) for name in ("granted", "expired")] == [
        [("EUR", "5"), ("GB", "3")], [("CHF", "2"), ("GB", "1")],
    ]  # fmt: skip


@pytest.mark.parametrize(("known", "said"), [(("GBP", "EUR"), "EUR, GBP"), ((), "none")])
def test_whoever_states_another_currency_is_told_which_ones_were_reserved(
    monkeypatch: pytest.MonkeyPatch, known: tuple[str, ...], said: str
) -> None:
    monkeypatch.setattr(settlements, "existing", lambda *_: campaign(ID))
    monkeypatch.setattr(settlements, "look_at", lambda *_: SimpleNamespace(known=dict.fromkeys(known)))
    door: Any = SimpleNamespace(campaigns=None, budgets=None, troubles=None)
    asked: Any = SimpleNamespace(body={"granted": {"CHF": "1.00"}, "reason": "why"})
    with pytest.raises(Problem, match=f"of no other: {said}$") as problem:
        settlements.act(asked, door)
    assert [one["field"] for one in problem.value.errors] == ["granted"]


def test_amounts_are_read_in_the_order_of_their_currencies_and_a_wrong_one_is_named_by_its_number() -> None:
    assert settlements._minor("granted", {"JPY": "7", "EUR": "1.50"}) == {"EUR": 150, "JPY": 7}
    with pytest.raises(Problem, match="amount 2: "):
        settlements._minor("granted", {"JPY": "7.5", "EUR": "1.50"})
