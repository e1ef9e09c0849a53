"""Rows that contradict the decided one, and for which a person can grant nothing: only another list can say more."""

from collections.abc import Sequence
from typing import Any

import pytest

from kulanz.application.campaigns.frozen import thaw
from kulanz.application.cases.ungrantable import ungrantable
from kulanz.application.ledger.listed_row import listed_row
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.ledger.entries import row_digest_of
from kulanz.domain.ledger.hand_decision import CaseKind, CaseRow
from tests.support import accepted_offer, yearly_cap
from tests.support.by_hand import decide, door_of
from tests.support.small_campaign import CAMPAIGN, HEADER, event, list_of, row, sealed_policy, small_world
from tests.support.world import World


def over(header: bytes, *lines: bytes) -> World:
    """A closed campaign over a list."""
    world = small_world(list_of(lines, header))
    world.publish(event(rows=len(lines)))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    return world


def policy_over(world: World, policy: str, lines: Sequence[bytes]) -> World:
    """A campaign under another policy over a list."""
    world.lists.upload("lists/other.csv", b"\n".join(lines))
    world.publish(event(key="lists/other.csv", rows=len(lines) - 1, policy=policy))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    return world


def offering() -> World:
    world = World(chunk_bytes=65_536)
    text = accepted_offer.HEAD.format(version=1, history="") + accepted_offer.OFFER
    world.policies.publish("part", 1, sealed_policy(text))
    return policy_over(world, "part", [b"account_id,fee", b"a-1,10.00", b"a-1,20.00"])


def offsets(lines: Sequence[bytes]) -> list[int]:
    """Where the rows behind the header start."""
    return [sum(len(line) + 1 for line in lines[:number]) for number in range(1, len(lines))]


def refused(world: World, account: str, lines: Sequence[bytes], **body: Any) -> str:
    """Why nothing can be granted for the last of some lines; empty where it can."""
    reply = decide(door_of(world), account, row=sum(len(line) + 1 for line in lines[:-1]), **body)
    if reply.status == 200:
        return ""
    assert reply.status == 409, reply.content
    reason: str = reply.content["reason"]
    return reason


FORMER = HEADER + b",account_was,account_since"
SINCE = b",2026-01-01T00:00:00Z"
TO_BILL = HEADER + b",biller_account"
LESS, MORE = row("a-1", fee="20.00"), row("a-1", fee="30.00")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        pytest.param((HEADER, LESS, MORE), "", id="another fee alone"),
        pytest.param((FORMER, LESS + b",old-1" + SINCE, MORE + b",,"), "former_differs", id="no former id any more"),
        pytest.param((FORMER, LESS + b",,", MORE + b",old-1" + SINCE), "former_differs", id="a former id now"),
        pytest.param((FORMER, LESS + b",old-1" + SINCE, MORE + b",old-1" + SINCE), "", id="the same former id"),
        pytest.param((TO_BILL, LESS + b",K-1", MORE + b",K-2"), "bills_differ", id="another bill"),
        pytest.param((TO_BILL, LESS + b",K-1", MORE + b",K-1"), "", id="the same bill"),
    ],
)
def test_a_row_that_differs_in_more_than_facts_is_for_another_list(lines: tuple[bytes, ...], reason: str) -> None:
    assert refused(over(*lines), "a-1", lines) == reason


def test_what_was_offered_is_for_the_customer_to_accept() -> None:
    lines = [b"account_id,fee", b"a-1,10.00", b"a-1,20.00"]
    assert refused(offering(), "a-1", lines, way="amount", amount="1.00", measure="EUR") == "offer_stands"


def test_under_a_policy_that_counts_what_there_was_before_a_row_needs_a_campaign() -> None:
    lines = [b"account_id,fee,excluded", b"a-1,10.00,no", b"a-1,20.00,no"]
    world = policy_over(yearly_cap.world(), yearly_cap.POLICY_ID, lines)
    assert refused(world, "a-1", lines) == "history_needs_campaign"


def test_of_a_row_that_cannot_be_read_its_bill_must_be_known() -> None:
    lines = (TO_BILL, row("a-2") + b",K-2", row("b#d") + b",K-1")
    assert refused(over(*lines), "a-1", lines) == "bill_unknown"


@pytest.mark.parametrize(("is_gone", "reason"), [(False, None), (True, "bills_differ")])
def test_where_the_decided_row_is_gone_nobody_knows_its_bill(is_gone: bool, reason: str | None) -> None:
    """The list may be deleted between the reading of one row and of the other."""
    lines = (TO_BILL, LESS + b",K-1", MORE + b",K-1")
    world = over(*lines)
    campaign = world.campaign(CAMPAIGN)
    policy = thaw(campaign, world.campaigns.frozen(campaign.id))
    listed = listed_row(campaign, policy, offsets(lines)[-1], world.lists)
    assert listed is not None
    if is_gone:
        world.lists.delete_version(campaign.pinned.key, campaign.pinned.version_id)
    (decided,) = world.ledger.of_account("a-1")
    of = CaseRow(CaseKind.CONFLICT, listed.offset)
    why = ungrantable(of, listed, decided, campaign, policy, world.lists)
    assert (None if why is None else why[0]) == reason


def test_the_digest_of_a_row_that_cannot_be_read_has_whom_a_person_recognised() -> None:
    """Else two accounts would be decided by one and the same row, as their decisions say."""
    lines = (HEADER, row("a-1"), row("b#d"))
    world = over(*lines)
    campaign = world.campaign(CAMPAIGN)
    policy = thaw(campaign, world.campaigns.frozen(campaign.id))
    read, unread = (listed_row(campaign, policy, offset, world.lists) for offset in offsets(lines))
    assert read is not None
    assert unread is not None
    (decided,) = world.ledger.of_account("a-1")
    assert {read.digest("a-1", "-"), row_digest_of(decided.body)} == {read.content}
    found = {unread.digest(account, subject) for account in ("a-2", "a-3") for subject in ("-", "line-1")}
    assert len(found) == 4
    assert unread.content not in found


def test_a_row_says_which_currency_it_states_and_equal_rows_that_cannot_be_read_are_two() -> None:
    """Each waits for a person by itself, and the second one must not be taken for the first."""
    lines = (
        HEADER + b",currency", row("a-1") + b",EUR", row("b#d") + b",EUR", row("b#d") + b",EUR",
        row("a-2") + b",", row("b#e") + b",SEK",
    )  # fmt: skip
    world = over(*lines)
    campaign = world.campaign(CAMPAIGN)
    policy = thaw(campaign, world.campaigns.frozen(campaign.id))
    found = [listed_row(campaign, policy, offset, world.lists) for offset in offsets(lines)]
    stated, is_read = [("EUR",), ("EUR",), ("EUR",), ("",), ("SEK",)], [True, False, False, True, False]
    expected = list(zip(offsets(lines), stated, is_read, strict=True))
    assert [(one.offset, one.currencies, one.problem is None) for one in found if one is not None] == expected
    assert len({one.content for one in found if one is not None}) == len(found)
    assert listed_row(campaign, policy, offsets(lines)[0] - 1, world.lists) is None
