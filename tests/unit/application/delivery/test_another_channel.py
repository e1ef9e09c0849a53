"""What one channel rejected or took back is sent to another one: only where nothing is booked, and booked once."""

from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from kulanz.application.delivery.world import EntriesChange
from kulanz.application.ports import TryAgain
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.delivery.void import Share, VoidState
from tests.fake_biller.biller import ANSWER_FIELDS, Biller
from tests.support.billing_files import read_delivery
from tests.support.faults import Fault, Killed, Tap, fault_at
from tests.support.road import ACCOUNTS, Road
from tests.support.small_campaign import CAMPAIGN
from tests.support.world_door import ANNA, BERT

CREDITS = f"deliveries/credits/{CAMPAIGN}"


@pytest.fixture
def road() -> Iterator[Road]:
    """A campaign that billing got, and that it answered: it rejects one account. The biller of letters knows all."""
    with closing(Biller(":memory:")) as billing, closing(Biller(":memory:")) as letters:
        letters.open_accounts([(account, "EUR", "100.00") for account in ACCOUNTS])
        found = Road(billing, letters)
        for what in ("deliver", "answer"):
            found.step(what)
        yield found


def waiting(road: Road, account: str = "rejected") -> dict[str, Any]:
    """The credit in euro of an account, which waits for a person."""
    found = road.door.get(f"overdue/rejected/{CAMPAIGN}").content["credits"]
    return next(one for one in found if (one["account_id"], one["measure"]) == (account, "EUR"))


def body_of(one: Mapping[str, Any], **more: str) -> dict[str, str]:
    """What a person says of a credit."""
    named = {"account_id": one["account_id"], "credit_id": one["credit_id"]}
    return {"action": "send_again", "channel": "letters", "reason": "the account is at another biller", **named, **more}


def billed(road: Road, *names: str) -> list[tuple[str, str]]:
    """What the bills of billers have: account and measure, as often as it is there."""
    return [(account, measure) for name in names for _, _, account, _, measure in road.billers[name].on_bills()]


def accounts(road: Road, name: str) -> set[str]:
    """The accounts on whose bills a biller has something."""
    return {account for account, _ in billed(road, name)}


def test_what_is_rejected_goes_to_another_channel_under_its_id_and_ends_on_its_bill(road: Road) -> None:
    before = waiting(road)
    for what in ("redirect letters", "deliver"):
        road.step(what)
    sent = read_delivery(road.world.archive.documents, "deliveries/letters/00000001").credits
    assert {one["account_id"] for one in sent.values()} == {"rejected"}
    assert before["credit_id"] in {one["credit_id"] for one in sent.values()}
    assert road.world.deliveries.last_serial("billing") == 1, "the channel that rejected it gets nothing more"
    for what in ("answer", "cycle"):
        road.step(what)
    assert accounts(road, "letters") == {"rejected"}
    assert "rejected" not in accounts(road, "billing")
    assert {stands.state for _, _, stands, _ in road.stands()} == {CreditState.APPLIED}
    (over,) = road.door.get(f"deliveries/campaign/{CAMPAIGN}").content["additions"]
    assert (over["delivery"], over["format"], over["state"]) == ("letters/1", "jsonl", "sent")


def test_what_was_taken_back_goes_there_under_a_new_id_that_names_the_old(road: Road) -> None:
    road.step("take_back")
    old = waiting(road, "booked")
    for what in ("redirect letters", "deliver", "cycle"):
        road.step(what)
    sent = read_delivery(road.world.archive.documents, "deliveries/letters/00000001").credits.values()
    (new,) = (one for one in sent if one["corrects"] == old["credit_id"])
    assert new["credit_id"] != old["credit_id"]
    assert accounts(road, "letters") == {"booked", "rejected"}
    assert "booked" not in accounts(road, "billing")


@pytest.mark.parametrize("state", ["sent", "accepted", "applied", "due"])
def test_nothing_goes_to_another_channel_while_the_first_may_have_booked_it(state: str) -> None:
    """Only the answer of the channel that has a credit says that nothing is booked there."""
    steps = {"sent": ("deliver",), "accepted": ("deliver", "answer"), "applied": ("deliver", "answer", "cycle")}
    with closing(Biller(":memory:")) as billing, closing(Biller(":memory:")) as letters:
        road = Road(billing, letters)
        for what in ("deliver", "answer", "take_back", "again") if state == "due" else steps[state]:
            road.step(what)
        folder = read_delivery(road.world.archive.documents, "deliveries/billing/00000001")
        booked = next(one for one in folder.credits.values() if one["account_id"] == "idle")
        if state == "due":
            booked = next(one for one in folder.credits.values() if one["account_id"] == "rejected")
        before = road.by_entries()
        reply = road.door.put(f"{CREDITS}/x-1", body_of(booked), BERT)
        assert (reply.status, reply.content["reason"]) == (409, "not_rejected")
        assert road.by_entries() == before


@pytest.mark.parametrize("number", [None, *range(0, 36, 4)])
def test_a_void_asks_each_channel_for_what_it_has_of_one_decision(road: Road, number: int | None) -> None:
    """The money by letter, the minutes on the bill: wherever a worker dies, both are asked back once, and void then."""
    assert road.door.put(f"{CREDITS}/x-1", body_of(waiting(road)), BERT).status == 200
    for what in ("again", "deliver", "answer"):
        road.step(what)
    road.done += 1
    tap = None if number is None else Tap(fault_at(number, Fault.KILLED_AFTER))
    assert road.void(["rejected"], tap, asks_biller=True) is VoidState.VOIDED
    (void,) = road.world.voids.of_campaign(road.campaign.id)
    assert {channel for channel, _ in void.plan.totals.asked} == {"billing", "letters"}
    assert void.apply.totals.asked == void.plan.totals.asked
    assert void.apply.totals.by_measure(Share.NOT_ASKED) == {}
    assert road.asked_back() == void.plan.totals.by_measure(Share.ASKABLE)
    serials = {name: road.world.deliveries.last_serial(name) for name in road.billers}
    road.step("deliver")
    for name, serial in serials.items():
        sent = read_delivery(road.world.archive.documents, f"deliveries/{name}/{serial + 1:08d}").credits
        assert [one["type"] for one in sent.values()] == ["reversal"]
    road.step("answer")
    assert road.asked_back() == {}
    states = {
        stands.state for entry in road.world.ledger.of_account("rejected") for *_, stands, _ in road.stands_of(entry)
    }
    assert states == {CreditState.VOIDED}


def test_a_channel_that_the_stack_does_not_have_is_refused_with_those_that_it_has(road: Road) -> None:
    before = road.by_entries()
    reply = road.door.put(f"{CREDITS}/x-1", body_of(waiting(road), channel="vouchers"), BERT)
    assert (reply.status, reply.content["reason"]) == (409, "channel_unknown")
    assert "billing, letters" in reply.content["detail"]
    wrong = road.door.put(f"{CREDITS}/x-2", body_of(waiting(road), action="write_off"), BERT)
    assert (wrong.status, wrong.content["errors"][0]["field"]) == (422, "channel")
    for name in ("Letters", "letters:csv", "../billing"):
        assert road.door.put(f"{CREDITS}/x-3", body_of(waiting(road), channel=name), BERT).status == 422
    assert road.by_entries() == before


def test_above_the_amount_for_a_second_person_two_persons_say_the_same(road: Road) -> None:
    road.door.gate = replace(road.door.gate, second_person_above={"EUR": 1})
    road.door.other_channels = (*road.door.other_channels, Channel("vouchers"))
    one = waiting(road)
    asked = road.door.put(f"{CREDITS}/r-1", body_of(one), BERT)
    assert (asked.content["second_person_needed"], asked.content["state"]) == (True, "rejected")
    assert road.door.put(f"{CREDITS}/r-1", body_of(one), BERT).content == asked.content, (
        "the same id is the same answer"
    )
    same = road.door.put(f"{CREDITS}/r-2", body_of(one), BERT)
    assert (same.status, same.content["reason"]) == (409, "asked_before")
    other = road.door.put(f"{CREDITS}/r-3", body_of(one, channel="vouchers"), ANNA)
    assert other.content["second_person_needed"], "the first person did not say that channel"
    corrected = road.door.put(f"{CREDITS}/r-4", body_of(one, biller_account="K-1"), ANNA)
    assert corrected.content["second_person_needed"], "nor that account"
    assert road.door.put(f"{CREDITS}/r-5", body_of(one, action="write_off", channel=""), ANNA).content[
        "second_person_needed"
    ], "nor that it is written off"
    road.must_add_up()
    done = road.door.put(f"{CREDITS}/r-6", body_of(one), ANNA)
    assert (done.content["second_person_needed"], done.content["state"], done.content["channel"]) == (
        *(False, "due"), "letters",
    )  # fmt: skip
    road.must_add_up()


def test_an_entry_names_a_person_only_while_another_has_to_follow(road: Road) -> None:
    """Who it was stands in the audit log; the entries of a decision are read by whoever may ask about an account."""
    (key,) = (key for key in road.world.credits.texts if key.account_id == "rejected")

    def last() -> tuple[EntryKind, str]:
        entry = road.world.credits.of(key)[-1]
        return entry.kind, entry.by

    road.door.gate = replace(road.door.gate, second_person_above={"EUR": 1})
    assert road.door.put(f"{CREDITS}/n-1", body_of(waiting(road)), BERT).status == 200
    assert last() == (EntryKind.REDIRECT_ASKED, BERT.id)
    assert road.door.put(f"{CREDITS}/n-2", body_of(waiting(road)), ANNA).status == 200
    assert last() == (EntryKind.SEND_AGAIN, "person")


def test_of_a_credit_that_a_void_reduced_the_rest_is_judged_sent_and_booked_under_its_id(road: Road) -> None:
    one, left = waiting(road), 100
    (key,) = (key for key in road.world.credits.texts if key.account_id == "rejected")
    entries = road.world.credits.of(key)
    size = int(Decimal(one["amount"]) * 100)
    reduced = CreditEntry(EntryKind.REDUCED, road.world.now, "test", "void/2/x/0", (0,), sizes=(size - left,))
    assert road.world.credits.write_entries([EntriesChange(key, entries, (*entries, reduced))]) == [True]
    road.door.gate = replace(road.door.gate, second_person_above={"EUR": left})
    done = road.door.put(f"{CREDITS}/r-1", body_of(one), BERT)
    assert (done.content["second_person_needed"], done.content["state"]) == (False, "due")
    road.deliver()
    road.hear()
    road.billers["letters"].run_cycle(road.day())
    sent = read_delivery(road.world.archive.documents, "deliveries/letters/00000001").credits
    assert sent[one["credit_id"]]["amount"] == "1.00"
    assert {(credit, amount) for _, credit, _, amount, _ in road.billers["letters"].on_bills()} == {
        (one["credit_id"], Decimal("1.00"))
    }


def test_what_one_person_asked_of_an_earlier_rejection_counts_no_more(road: Road) -> None:
    road.door.gate = replace(road.door.gate, second_person_above={"EUR": 1})
    for action in ("send_again", "write_off"):
        asked = body_of(waiting(road), action=action, channel="letters" if action == "send_again" else "")
        assert road.door.put(f"{CREDITS}/{action}-1", asked, BERT).content["second_person_needed"]
    assert road.door.put(f"{CREDITS}/again", body_of(waiting(road), channel=""), BERT).content["state"] == "due"
    for what in ("deliver", "answer"):  # the biller rejects it once more
        road.step(what)
    for action in ("send_again", "write_off"):
        asked = body_of(waiting(road), action=action, channel="letters" if action == "send_again" else "")
        assert road.door.put(f"{CREDITS}/{action}-2", asked, ANNA).content["second_person_needed"]


def test_what_the_first_channel_says_later_changes_nothing_and_waits_for_a_person(road: Road) -> None:
    one = waiting(road)
    road.step("redirect letters")
    late = {
        "accepted": "conflict", "applied": "conflict", "rejected": "duplicate", "taken_back": "overtaken",
    }  # fmt: skip
    for state in ("due", "delivered", "applied"):
        if state != "due":
            road.step("deliver" if state == "delivered" else "cycle")
        before = road.by_entries()
        for answer, result in late.items():
            road.world.now += timedelta(seconds=1)
            road.answer("billing", answer_line(1, one, answer))
            assert result_of(road, "billing") == result, (state, answer)
        assert road.by_entries() == before
    assert accounts(road, "letters") == {"rejected"}


def answer_line(serial: int, one: dict[str, Any], answer: str) -> bytes:
    """An answer file of one line."""
    values = {"serial": str(serial), "answer": answer, "credit_id": one["credit_id"], "account_id": one["account_id"]}
    if answer == "applied":
        values |= {"amount": one["amount"], "measure": one["measure"], "bill": "INV-9", "billed_on": "2026-04-30"}
    if answer == "rejected":
        values["code"] = one["code"]
    lines = (",".join(ANSWER_FIELDS), ",".join(values.get(name, "") for name in ANSWER_FIELDS))
    return "\n".join((*lines, "")).encode()


def result_of(road: Road, channel: str) -> str:
    """What became of the one line of the latest answer file."""
    (*_, latest) = road.door.answers.files(channel)
    (result,) = latest.totals.by_result()
    return result.value


def test_a_credit_goes_back_to_the_channel_of_its_plan_and_again_where_it_was(road: Road) -> None:
    letters = road.billers["letters"]
    letters.close_account("rejected")
    for what in ("redirect letters", "deliver", "answer"):
        road.step(what)
    one = waiting(road)
    assert one["delivery"] == "letters/1"
    for path, more in (("plain", {"channel": ""}), ("named", {})):  # where it was, said or not
        assert road.door.put(f"{CREDITS}/{path}", body_of(one, **more), BERT).content["channel"] == "letters"
        for what in ("deliver", "answer"):
            road.step(what)
    assert road.world.deliveries.last_serial("letters") == 3
    assert road.world.deliveries.last_serial("billing") == 1
    road.biller.open_accounts([("rejected", "EUR", "100.00")])
    for what in ("redirect billing", "deliver", "cycle"):
        road.step(what)
    assert "rejected" in accounts(road, "billing")
    assert accounts(road, "letters") == set()


def test_the_schedule_delivers_what_waits_for_another_channel_after_a_day(road: Road) -> None:
    road.act_on_all("send_again", channel="letters")
    road.world.run_until_quiet()
    assert road.world.deliveries.last_serial("letters") == 0
    road.world.now += timedelta(days=1)
    road.world.watch()
    road.world.run_until_quiet()
    assert [one.sums.number for one in road.world.deliveries.of_channel("letters")] == [2]


ACTS = (
    "deliver",
    "answer",
    "take_back",
    "redirect letters",
    "redirect billing",
    "again",
    "write_off",
    "cycle",
    "void idle",
)


@pytest.mark.parametrize("seed", range(8))
def test_whichever_channels_a_credit_goes_through_no_two_bills_have_it(seed: int, road: Road) -> None:
    """Both billers' bills are looked at together after each step; in the end each credit is on one, or has ended."""
    steps = Random(seed).choices(ACTS, k=8)
    for what in (*steps, *("again", "deliver", "cycle") * 3):
        road.step(what)
        found = billed(road, *road.billers)
        assert len(found) == len(set(found)), what
    states = [stands.state for _, _, stands, _ in road.stands()]
    assert set(states) <= {CreditState.APPLIED, CreditState.VOIDED, CreditState.WRITTEN_OFF}
    assert states.count(CreditState.APPLIED) == len(billed(road, *road.billers))


def redirected(tap: Tap) -> Road:
    """A road on which what is rejected goes to letters a day later; of that delivery all calls go through a tap."""
    billing, letters = Biller(":memory:"), Biller(":memory:")
    with closing(billing), closing(letters):
        road = Road(billing, letters)
        for what in ("deliver", "answer"):
            road.step(what)
        road.act_on_all("send_again", channel="letters")
        road.world.now += timedelta(days=1)
        road.world.tap = tap
        with suppress(TryAgain, Killed):
            road.world.watch()
        road.world.run_until_quiet()
        road.world.tap = Tap()
        for _ in range(2):
            road.world.watch()
            road.world.run_until_quiet()
        return road


CALLS_BETWEEN = 3
"""Faults are tried at every third call, beginning elsewhere for each kind: the calls are those of every delivery."""


def test_a_fault_at_a_call_of_the_other_channels_delivery_changes_nothing_in_the_end() -> None:
    clean = Tap()
    expected = read_delivery(redirected(clean).world.archive.documents, "deliveries/letters/00000001").credits
    assert len(expected) == 2
    assert len(clean.calls) > 15
    faults = [fault for fault in Fault if fault is not Fault.HALF_DONE]
    for first, fault in enumerate(faults):
        for number in range(first % CALLS_BETWEEN, len(clean.calls), CALLS_BETWEEN):
            found = redirected(Tap(fault_at(number, fault)))
            where = f"{fault} at call {number}, {clean.calls[number]}"
            sent = [one.state for one in found.world.deliveries.of_channel("letters")]
            assert sent == [DeliveryState.SENT], where
            credits_ = read_delivery(found.world.archive.documents, "deliveries/letters/00000001").credits
            assert credits_ == expected, where
