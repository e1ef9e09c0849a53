"""What the biller has is asked back: nothing is void before the answer, and no bill holds anything twice."""

import json
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from random import Random
from typing import Any

import pytest

from kulanz.application.delivery.ask_void import VoidRefused
from kulanz.application.ports import TryAgain
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.delivery.answer_pass import AnswerReceipt
from kulanz.domain.delivery.answers import AnswerResult
from kulanz.domain.delivery.credit import CreditType, credit_id
from kulanz.domain.delivery.entries import EntryKind
from kulanz.domain.delivery.reversal import ReversalState
from kulanz.domain.delivery.standing import CreditState, Standing
from kulanz.domain.delivery.void import Ends, Share, VoidState
from kulanz.domain.ledger.earlier_decisions import ASKED_BACK
from tests.fake_biller.biller import Biller, Faults
from tests.support.billing_files import read_delivery
from tests.support.faults import Fault, Tap, fault_at
from tests.support.reading import read
from tests.support.road import ACCOUNTS, Road
from tests.support.small_campaign import CAMPAIGN, event, list_of, row
from tests.support.world import ANNA, BEN
from tests.support.world_door import BERT
from tests.support.world_stack import WorldStack, run
from tests.support.world_voids import approved, asked, run_voids

STEPS = ("answer", "cycle", "ask booked", "deliver")


def net_on_bills(road: Road) -> dict[tuple[str, str], Decimal]:
    """What the biller's issued bills hold of each account, less reversals."""
    found: Counter[tuple[str, str]] = Counter()
    for _, _, account, amount, measure in road.biller.on_bills():
        found[account, measure] += amount  # type: ignore[assignment]
    return {place: Decimal(amount) for place, amount in found.items() if amount}


def by_accounts(road: Road) -> dict[tuple[str, str], Decimal]:
    """What is on bills by what is known here."""
    found: dict[tuple[str, str], Decimal] = {}
    for entry in road.world.ledger.all_entries():
        for measure, unit, stands, size in road.stands_of(entry):
            on = stands.shares(size).get(CreditState.APPLIED, 0) * unit
            if on:
                place = entry.key.account_id, measure
                found[place] = found.get(place, Decimal(0)) + on
    return found


def until_quiet(road: Road) -> None:
    """Deliver, bill and answer until nothing is on its way."""
    for step in ("deliver", "cycle", "answer", "cycle"):
        road.step(step)


@pytest.mark.parametrize("steps", list(permutations(STEPS)), ids=" > ".join)
def test_in_every_order_the_bills_hold_what_is_known_here(steps: tuple[str, ...]) -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", *steps):
            road.step(step)
        until_quiet(road)
        assert net_on_bills(road) == by_accounts(road)
        assert {account for account, _ in by_accounts(road)} == {"idle"}
        assert all(not stands.asked_back for _, _, stands, _ in road.stands())


def test_until_the_answer_nothing_is_void_and_it_is_said_how_much_is_asked_back() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer"):
            road.step(step)
        before = road.by_entries()
        assert road.void(["booked"], asks_biller=True) is VoidState.VOIDED
        (void,) = road.world.voids.of_campaign(road.campaign.id)
        assert void.plan.totals.by_measure(Share.ASKABLE) == void.apply.totals.by_measure(Share.ASKED) != {}
        assert {channel for channel, _ in void.plan.totals.asked} == {"billing"}
        assert void.plan.totals.asked == void.apply.totals.asked
        assert road.by_entries() == before
        assert road.asked_back() == void.apply.totals.by_measure(Share.ASKED)
        for step in ("ask booked", "ask", "deliver"):  # a second void of the same asks nothing twice
            road.step(step)
        asked = [one for entry in road.world.ledger.all_entries() for one in road.world.credits.of(entry.key)]
        assert Counter(one.kind for one in asked)[EntryKind.REVERSAL_ASKED] == 2
        road.step("answer")
        assert road.asked_back() == {}
        assert {sums.get("voided") is not None for sums in road.by_entries().values()} == {True}


def reversals_rejected(road: Road, account: str) -> list[Any]:
    """What the answer about an account says that its biller did not take back."""
    (decision,) = road.door.get(f"accounts/{account}").content["decisions"]
    return [said for credit in decision["credits"] for said in credit["reversals_rejected"]]


def test_what_the_biller_rejects_stays_as_it_stood_and_can_be_asked_again() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer", "cycle"):
            road.step(step)
        before = road.by_entries()
        biller.set_faults(Faults(rejects_reversals=1_000))
        for step in ("ask booked", "deliver", "answer"):
            road.step(step)
        assert (road.by_entries(), road.asked_back()) == (before, {})
        said = [{"amount": amount, "code": "reversal_refused"} for amount in ("2.99", "20")]
        assert [reversals_rejected(road, account) for account in ACCOUNTS] == [said, [], []], "whoever asks reads it"
        biller.set_faults(Faults())
        for step in ("ask booked", "deliver", "answer", "cycle"):
            road.step(step)
        assert net_on_bills(road) == by_accounts(road)
        assert {account for account, _ in by_accounts(road)} == {"idle"}


def test_the_record_of_a_reversal_names_its_credit_and_the_trailer_has_its_sum() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "ask booked", "deliver"):
            road.step(step)
        documents = road.world.archive.documents
        credits_, back = (read_delivery(documents, f"deliveries/billing/{serial:08d}").credits for serial in (1, 2))
        assert len(back) == 2
        for one in back.values():
            corrected = credits_[one["corrects"]]
            same = {"account_id", "biller_account", "subject", "amount", "measure", "kind", "reason_code"}
            assert (one["type"], corrected["type"]) == ("reversal", "credit")
            assert {name: one[name] for name in same} == {name: corrected[name] for name in same}
            assert one["credit_id"] not in credits_


@pytest.mark.parametrize("number", range(0, 40, 6))
@pytest.mark.parametrize("fault", [one for one in Fault if one is not Fault.HALF_DONE])
def test_wherever_a_worker_dies_it_is_asked_once(number: int, fault: Fault) -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer"):
            road.step(step)
        road.done += 1
        assert road.void([], Tap(fault_at(number, fault)), asks_biller=True) is VoidState.VOIDED
        road.must_add_up()
        until_quiet(road)
        assert net_on_bills(road) == by_accounts(road) == {}


WAYS = (
    *("deliver", "answer", "cycle", "take_back", "ask", "void", "ask booked", "again", "write_off"),
    *(f"void {account}" for account in ACCOUNTS),
)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_in_whatever_order_nothing_is_on_bills_that_is_not_known(seed: int) -> None:
    random = Random(seed)
    with closing(Biller(":memory:")) as biller:
        biller.set_faults(replace(Faults(), seed=seed, rejects_reversals=300, lines_twice=200, other_order=True))
        road = Road(biller)
        for _ in range(12):
            road.step(random.choice(WAYS))
        until_quiet(road)
        assert net_on_bills(road) == by_accounts(road)


def say(road: Road, of: CreditType, serial: int, answer: str, code: str = "") -> None:
    """What the biller says of the first credit of an account, or of the first reversal of it."""
    (entry,) = [one for one in road.world.ledger.all_entries() if one.key.account_id == "booked"]
    head = "serial,credit_id,account_id,answer,code"
    line = f"{serial},{credit_id(entry.key, 0, 1, of)},booked,{answer},{code if answer == 'rejected' else ''}"
    road.answer("billing", f"{head}\n{line}\n".encode())


def test_until_the_biller_has_answered_nobody_sends_again_or_writes_off_what_it_rejected_meanwhile() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "ask booked", "deliver"):
            road.step(step)
        say(road, CreditType.CREDIT, 1, "rejected", "closed")
        (waits,) = road.door.get(f"overdue/rejected/{CAMPAIGN}").content["credits"]
        body = {"account_id": "booked", "credit_id": waits["credit_id"], "reason": "why"}
        path, before = f"deliveries/credits/{CAMPAIGN}", road.by_entries()
        for action in ("send_again", "write_off"):
            refused = road.door.put(f"{path}/{action}", {**body, "action": action}, BERT)
            assert (refused.status, refused.content["reason"]) == (409, "reversal_under_way")
            assert "rejects the reversal" in refused.content["detail"]
        assert road.by_entries() == before
        say(road, CreditType.REVERSAL, 2, "rejected", "credit_not_booked")
        assert road.door.put(f"{path}/send_again", {**body, "action": "send_again"}, BERT).status == 200
        road.must_add_up()


@pytest.mark.parametrize("booked_first", [False, True])
@pytest.mark.parametrize("answer", ["rejected", "taken_back"])
def test_a_credit_that_is_not_booked_and_whose_reversal_is_booked_ends_void_in_either_order_and_a_person_is_told(
    answer: str, booked_first: bool
) -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "ask booked", "deliver"):
            road.step(step)
        lines = [(CreditType.CREDIT, 1, answer, "closed"), (CreditType.REVERSAL, 2, "accepted", "")]
        for line in reversed(lines) if booked_first else lines:
            say(road, *line)
        (stands,) = (one for measure, _, one, _ in of_account(road, "booked") if measure == "EUR")
        assert (stands.state, stands.asked_back) == (CreditState.VOIDED, 0)
        road.must_add_up()
        assert regained(road) == {"EUR": 299}
        results = Counter[AnswerResult]()
        for file in road.door.answers.files("billing"):
            results.update(file.totals.by_result())
        assert results[AnswerResult.CONFLICT] == 1
        request_again(road, "lists/second.csv", "booked")
        assert decided(road, "booked", 2) == ("held", ASKED_BACK), "the minutes are asked back, too"


def of_account(road: Road, account: str) -> list[tuple[str, Decimal, Standing, int | Decimal]]:
    entries = [one for one in road.world.ledger.all_entries() if one.key.account_id == account]
    return [found for entry in entries for found in road.stands_of(entry)]


def request_again(road: Road, key: str, *accounts: str) -> None:
    """Another campaign of the incident, over these accounts."""
    rows = [row(account) for account in accounts]
    road.world.lists.upload(key, list_of(rows))
    left_out = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
    road.world.publish(event(detail_type="Campaign Requested", key=key, rows=len(rows), **left_out))  # type: ignore[arg-type]
    road.world.delivers = False
    road.world.run_until_quiet()
    road.world.delivers = True


def decided(road: Road, account: str, seq: int) -> tuple[str, str]:
    (entry,) = [one for one in road.world.ledger.all_entries() if (one.key.account_id, one.key.seq) == (account, seq)]
    return entry.status.value, json.loads(entry.body)["reason"]


def test_a_later_campaign_holds_who_is_asked_back_and_pays_in_full_once_the_biller_has_answered() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer", "ask booked"):
            road.step(step)
        request_again(road, "lists/second.csv", "booked", "new")
        assert decided(road, "booked", 2) == ("held", ASKED_BACK)
        assert decided(road, "new", 2)[0] == "granted"
        road.deliver()
        road.hear()
        request_again(road, "lists/third.csv", "booked", "new")
        assert decided(road, "booked", 3)[0] == "granted"


def test_what_was_granted_anew_before_the_biller_undid_the_reversal_is_found_overpaid_and_voidable() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer", "cycle", "ask booked", "deliver", "answer"):
            road.step(step)
        request_again(road, "lists/second.csv", "booked")
        assert decided(road, "booked", 2)[0] == "granted"
        biller.run_cycle(road.day())
        road.hear()
        (bill,) = {one[0] for one in biller.on_bills() if one[3] < 0}
        biller.void(bill, road.day())
        road.hear()
        road.world.watch()
        (trouble,) = road.world.troubles.troubles()
        assert (trouble.kind, trouble.on, trouble.is_urgent) == (TroubleKind.GIVEN_AGAIN, CAMPAIGN, True)
        shown = run(WorldStack(road.world), "campaigns")
        assert "customers may have both" in read(shown.stdout), shown.stdout
        month = run(WorldStack(road.world), "month", f"{road.campaign.decided_at:%Y-%m}")
        assert f"differs: {CAMPAIGN}: the biller has undone reversals" in read(month.stdout), month.stdout
        assert month.exit_code == 1
        request_again(road, "lists/third.csv", "booked")
        road.world.watch()
        assert road.world.troubles.troubles() == [], "who sent the list again has looked"
        month = run(WorldStack(road.world), "month", f"{road.campaign.decided_at:%Y-%m}")
        assert "differs:" not in month.stdout
        void = asked(road.world, ANNA, name="both", campaign="net-outage/3", is_of_overpaid=True)
        run_voids(road.world)
        planned = road.world.voids.void(void.id)
        assert planned is not None
        granted = {measure: size for measure, _, stands, size in road.stands() if stands.state is CreditState.DUE}
        assert planned.plan.totals.by_measure(Share.VOIDABLE) == granted != {}


def test_what_is_given_again_is_noted_also_where_the_worker_dies_after_its_receipt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The lines of a receipt are never read again: what they call for is noted before it."""
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "ask booked", "deliver"):
            road.step(step)
        say(road, CreditType.REVERSAL, 2, "accepted")
        request_again(road, "lists/second.csv", "new")
        record = road.door.answers.record

        def dies_after(receipt: AnswerReceipt) -> bool:
            record(receipt)
            raise TryAgain("the reply is lost")

        monkeypatch.setattr(road.door.answers, "record", dies_after)
        with pytest.raises(TryAgain):
            say(road, CreditType.REVERSAL, 2, "rejected", "refused_after_all")
        assert [one.kind for one in road.world.troubles.troubles()] == [TroubleKind.GIVEN_AGAIN]


def test_what_is_asked_after_a_delivery_opened_is_in_the_next_one() -> None:
    """A delivery may open between the approval of a void and its worker."""
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer"):
            road.step(step)
        void = asked(road.world, ANNA, name="late", asks_biller=True)
        run_voids(road.world)
        approved(road.world, void, BEN)
        road.act_on_all("send_again")
        road.deliver()
        run_voids(road.world)
        done = road.world.voids.void(void.id)
        assert done is not None
        assert (done.state, bool(done.apply.totals.by_measure(Share.ASKED))) == (VoidState.VOIDED, True)
        road.deliver()
        states = {one.state for _, _, stands, _ in road.stands() for one in stands.reversals}
        assert states == {ReversalState.ASSIGNED}


@pytest.mark.parametrize("has_later", [False, True])
def test_what_is_given_again_waits_for_a_person_only_where_a_later_campaign_has_set_it_off(has_later: bool) -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "ask booked", "deliver"):
            road.step(step)
        say(road, CreditType.REVERSAL, 2, "accepted")
        if has_later:
            request_again(road, "lists/second.csv", "new")
        say(road, CreditType.REVERSAL, 2, "rejected", "refused_after_all")
        kinds = [one.kind for one in road.world.troubles.troubles()]
        assert kinds == [TroubleKind.GIVEN_AGAIN] * has_later
        road.world.watch()
        assert [one.kind for one in road.world.troubles.troubles()] == kinds, "nobody has looked yet"
        asked(road.world, ANNA, name="looked")
        run_voids(road.world)
        (void,) = (one for one in road.world.voids.of_campaign(road.campaign.id) if one.id.name == "looked")
        if void.state is VoidState.AWAITING_APPROVAL:
            approved(road.world, void, BEN)
            run_voids(road.world)
        road.world.watch()
        assert [one.kind for one in road.world.troubles.troubles()] == kinds * (void.state is not VoidState.VOIDED)


def test_what_the_biller_takes_back_is_the_months_again_and_what_it_undoes_is_not() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer", "cycle", "ask booked", "deliver", "answer"):
            road.step(step)
        voided = sum(int(stands.voided) for measure, _, stands, _ in road.stands() if measure == "EUR")
        assert regained(road) == {"EUR": voided} != {}
        road.step("cycle")
        (bill,) = {one[0] for one in biller.on_bills() if one[3] < 0}
        biller.void(bill, road.day())
        road.hear()
        road.must_add_up()
        assert regained(road) == {}
        assert net_on_bills(road) == by_accounts(road)


def regained(road: Road) -> dict[str, int]:
    """What receipts of answers gave back to budgets, all months together."""
    answers = road.door.answers
    found: Counter[str] = Counter()
    for file in answers.files("billing"):
        for receipt in answers.receipts(file):
            for one in receipt.regained:
                assert one.month == f"{road.world.now:%Y-%m}"
                found[one.currency] += one.amount
    return {currency: amount for currency, amount in found.items() if amount}


def test_the_biller_is_asked_by_a_void_of_its_own_and_not_before_all_was_sent() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        with pytest.raises(VoidRefused) as refused:
            asked(road.world, ANNA, None, "v-1", ends=Ends.UNASSIGNED, asks_biller=True)
        assert refused.value.reason == "asked_apart"
        path = f"deliveries/settled/{CAMPAIGN}/d-1"
        assert road.door.put(path, {"reason": "now"}).status == 200  # opened, and not worked yet
        with pytest.raises(VoidRefused) as refused:
            asked(road.world, ANNA, None, "early", asks_biller=True)
        assert refused.value.reason == "delivery_under_way"


def test_the_command_says_how_much_each_channel_would_be_asked_for() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer"):
            road.step(step)
        road.world.now += timedelta(seconds=2)  # what was said in the void's own second counts as later
        stack = WorldStack(road.world)
        requested = run(stack, "void", CAMPAIGN, "--at-biller", "--reason", "a wrong list", "--id", "v-1", "--json")
        assert json.loads(requested.stdout)["at_biller"] is True
        run_voids(road.world)
        shown = run(stack, "void", CAMPAIGN)
        assert "at the biller, would be asked back" in shown.stdout
        assert "billing would be asked for 2 credits" in read(shown.stdout), shown.stdout
        assert all(len(line) <= 80 for line in shown.stdout.splitlines())
        assert run(stack, "void", CAMPAIGN, "--at-biller").exit_code == 2, "it needs a reason"
