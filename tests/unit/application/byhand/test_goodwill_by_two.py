"""Goodwill that a second person agrees to: whose it is, in which month it counts, and who has said what."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kulanz.application.byhand.give_goodwill import GoodwillPorts, GoodwillRefused, approve_goodwill, reject_goodwill
from kulanz.domain.audit import AuditEntry
from kulanz.domain.byhand.counts import Count, CountOf
from kulanz.domain.byhand.discretion import ByHand
from kulanz.domain.byhand.goodwill import EQUAL_WITHIN, WAITS, Goodwill, GoodwillState
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.ledger.additions import AdditionKind
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from tests.support.handed import decide, give, opened
from tests.support.world_door import ANNA, BERT, Somebody, WorldDoor

CLEA = Somebody("iam:arn:aws:iam::123456789012:user/clea")
ASKED_AT = datetime(2026, 3, 28, 12, tzinfo=UTC)
AGREED_AT = datetime(2026, 4, 3, 15, tzinfo=UTC)


@pytest.fixture
def door() -> WorldDoor:
    """Something waits since the month before; in the new month its asker and its account have had something else."""
    found = opened()
    found.world.now = ASKED_AT
    assert give(found, amount="60.00").content["state"] == "waiting"
    found.world.now = AGREED_AT
    assert give(found, "T-2", amount="7.00").content["state"] == "given"
    return found


def counted(door: WorldDoor, month: str, **of: str) -> Count:
    """What counts in a month, of a person or an account."""
    (found,) = door.goodwill.counts([CountOf(ByHand.GOODWILL, month, "EUR", **of)])
    return found


def test_what_two_agree_on_counts_for_its_asker_in_the_month_in_which_it_is_given(door: WorldDoor) -> None:
    assert decide(door, "T-1", BERT, under="bert-1").content["state"] == "given"
    sums: dict[str, Any] = {
        f"{month} {of}": counted(door, month, **{kind: of}).size
        for month in ("2026-03", "2026-04")
        for kind, of in (("person", ANNA.id), ("person", BERT.id), ("account", "A-1001"))
    }
    assert {place: size for place, size in sums.items() if size} == {
        f"2026-04 {ANNA.id}": 6_700,
        "2026-04 A-1001": 6_700,
    }
    budgets = door.campaigns.budget_items.budgets
    assert {place.month: one.spent for place, one in budgets.items()} == {"2026-04": 6_700}
    campaign = f"goodwill-{AGREED_AT:%Y-%m}/1"
    assert [(str(one.key.campaign), one.key.subject, one.actor, one.kind) for one in door.goodwill.given] == [
        (campaign, "T-2", ANNA.id, AdditionKind.GOODWILL),
        (campaign, "T-1", BERT.id, AdditionKind.GOODWILL),
    ]


def ports(door: WorldDoor) -> GoodwillPorts:
    """The world behind the door, which refuses another person's word under an id before it asks what waits."""
    world, settings = door.world, door.world.settings()
    return GoodwillPorts(
        door.goodwill, door.campaigns, world.lists, NOBODY_LISTED, door.discretion.current(), world.gate, settings
    )


def test_a_word_that_comes_again_is_the_same_and_anybody_elses_is_too_late(door: WorldDoor) -> None:
    """Under the same id as well: of an agreement, and of a rejection."""

    def approve(person: str, under: str) -> Goodwill:
        return approve_goodwill("T-1", under, Person(person), ports(door), AGREED_AT)

    def reject(person: str, under: str) -> Goodwill:
        return reject_goodwill("T-1", under, "not a fault of ours", Person(person), ports(door), AGREED_AT)

    waiting = door.goodwill.goodwill("T-1")
    assert waiting is not None
    for act, state in ((approve, GoodwillState.GIVEN), (reject, GoodwillState.REJECTED)):
        door.goodwill._records["T-1"] = waiting
        done = act(BERT.id, "bert-1")
        assert (done.state, done.asked_by, done.decided_by, done.decided_as) == (state, ANNA.id, BERT.id, "bert-1")
        assert (done.given_at or done.decided_at) == AGREED_AT
        assert act(BERT.id, "bert-1") == done
        for person, under in ((CLEA.id, "bert-1"), (BERT.id, "bert-2")):
            with pytest.raises(GoodwillRefused) as refused:
                act(person, under)
            assert refused.value.reason == "not_waiting"
        assert door.goodwill.goodwill("T-1") == done


def test_what_waits_is_kept_until_an_equal_amount_need_not_name_it_any_more(door: WorldDoor) -> None:
    assert door.goodwill.kept_until == {"T-1": int((ASKED_AT + WAITS + EQUAL_WITHIN).timestamp())}


@pytest.mark.parametrize("named", ["T-11", "T-12", "T-13"])
def test_any_of_the_equal_amounts_may_be_the_one_that_is_named(door: WorldDoor, named: str) -> None:
    """Also one that was named before, the first, and the last; an unequal one of the account names none of them."""
    for one, before in (("T-11", ""), ("T-12", "T-11"), ("T-13", "T-11")):
        door.world.now += timedelta(hours=1)
        assert give(door, one, amount="3.00", repeat_of=before).content["state"] == "given"
    refused = give(door, "T-14", amount="3.00", repeat_of="T-2")
    assert refused.content["reason"] == "equal_before"
    assert [one in refused.content["detail"] for one in ("T-11", "T-12", "T-13", "T-2 ")] == [True, True, True, False]
    assert give(door, "T-14", amount="3.00", repeat_of=named).content["repeat_of"] == named


def test_an_equal_amount_is_named_with_its_state_and_the_instant_that_counts(door: WorldDoor) -> None:
    """Of what waits when it was asked for, of what is given when it was given."""
    told = give(door, "T-3", amount="60.00").content["detail"]
    assert "T-1 (waiting, 2026-03-28T12:00:00Z)" in told
    decide(door, "T-1", BERT, under="bert-1")
    told = give(door, "T-3", amount="60.00").content["detail"]
    assert "T-1 (given, 2026-04-03T15:00:00Z)" in told


@pytest.mark.parametrize(("after", "is_over"), [(WAITS - timedelta(microseconds=1), False), (WAITS, True)])
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_what_waits_is_decided_until_its_time_is_over(
    door: WorldDoor, after: timedelta, verb: str, *, is_over: bool
) -> None:
    door.world.now = ASKED_AT + after
    why = {"reason": "not a fault of ours"} if verb == "reject" else {}
    answer = decide(door, "T-1", BERT, verb, **why)
    if is_over:
        assert (answer.status, answer.content["reason"]) == (409, "waited_too_long")
    else:
        assert answer.content["state"] == {"approve": "given", "reject": "rejected"}[verb]


def test_each_step_is_logged_with_who_took_it(door: WorldDoor) -> None:
    def last() -> AuditEntry:
        return door.goodwill.logged[-1]

    decide(door, "T-1", BERT, under="bert-1")
    assert (last().actor, last().at) == (BERT.id, AGREED_AT)
    give(door, "T-9", "A-9", amount="61.00")
    assert (last().actor, last().at) == (ANNA.id, AGREED_AT)


def test_the_month_of_goodwill_names_who_opened_it_and_lasts_as_long_as_an_incident_after_its_end() -> None:
    door = opened(decidable_days=100)
    door.world.now = datetime(2026, 12, 5, 9, tzinfo=UTC)
    give(door)
    month = CampaignId("goodwill-2026-12", 1)
    campaign, record = door.campaigns.campaign(month), door.campaigns.incident("goodwill-2026-12")
    assert campaign is not None
    assert record is not None
    ends = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=100)
    assert campaign.decidable_until == record.decidable_until == ends
    assert (campaign.decided_at, campaign.opened_by) == (door.world.now, ANNA.id)
    (change,) = door.campaigns.log(month)
    assert (change.at, change.cause.actor, change.cause.event_id) == (door.world.now, ANNA.id, "goodwill-2026-12")
    told = json.loads(door.campaigns.frozen(month).incident)
    assert (told["title"], told["windows"]) == (
        "Goodwill of 2026-12", [{"start": "2026-12-01T00:00:00Z", "end": None}],
    )  # fmt: skip
    (entry,) = door.ledger.all_entries()
    assert entry.ttl >= int(ends.timestamp())
