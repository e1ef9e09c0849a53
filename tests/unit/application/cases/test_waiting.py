"""What waits for a person is found page by page, each thing once, and leaves the queue when it waits no more."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import pytest

from kulanz.application.cases.case import CasePorts
from kulanz.application.cases.waiting import Place, WaitingCase, counted, waiting_in
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.ledger.hand_decision import CaseKind
from tests.support.small_campaign import CAMPAIGN, EVERY_KIND_OF_LINE, INCIDENT_ID, event, list_of, row, small_world
from tests.support.world import World


@cache
def _closed(chunk_bytes: int) -> World:
    world = small_world(chunk_bytes=chunk_bytes)
    world.publish(event(rows=sum(line not in (b"", b"\r") for line in EVERY_KIND_OF_LINE.values())))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    return world


def closed(chunk_bytes: int = 20_000) -> World:
    """The small campaign, executed."""
    return _closed(chunk_bytes).copy()


def pages(
    world: World,
    kinds: frozenset[CaseKind] = frozenset(CaseKind),
    most: int = 100,
    campaign: str = CAMPAIGN,
    seconds_left: float = 25.0,
) -> list[list[WaitingCase]]:
    """Every page of a campaign's queue."""
    found, place = list[list[WaitingCase]](), Place()
    ports = CasePorts(world.campaigns, world.lists, world.ledger, world.cases)
    incident = world.campaigns.incident(CampaignId.parse(campaign).incident_id)
    assert incident is not None
    while True:
        page = waiting_in(
            world.campaign(campaign), incident, kinds, place, most, ports, world.now, lambda: seconds_left
        )
        found.append(list(page.cases))
        if page.rest is None:
            return found
        assert str(Place.parse(str(page.rest))) == str(page.rest)
        assert (page.rest.receipt, page.rest.offset) > (place.receipt, place.offset), "a page goes on"
        place = page.rest


def names(found: list[WaitingCase]) -> set[tuple[str, str]]:
    """Kind and account, or reason where no account is known."""
    return {(one.kind.value, one.key.account_id if one.key else one.reason) for one in found}


@pytest.mark.parametrize("chunk_bytes", [20_000, 100_000_000])
def test_everything_that_waits_is_found_once_whatever_the_chunks(chunk_bytes: int) -> None:
    world = closed(chunk_bytes)
    (found,) = pages(world)
    assert names(found) >= {("held", "held-1"), ("held", "held-2"), ("referred", "referred-1"), ("conflict", "torn-1")}
    assert len({one.offset for one in found}) == len(found)
    assert [one.offset for one in found] == sorted(one.offset for one in found)
    assert Counter(one.kind for one in found) == counted(world.campaign(CAMPAIGN).apply.totals)


@pytest.mark.parametrize("kind", CaseKind)
def test_a_kind_alone_is_what_all_kinds_have_of_it(kind: CaseKind) -> None:
    world = closed()
    assert [one for page in pages(world, frozenset({kind})) for one in page] == [
        one for one in pages(world)[0] if one.kind is kind
    ]


def test_pages_together_are_the_whole_and_each_is_bounded() -> None:
    # 450 of 600 rows are held: at the smallest page each answer ends with the hundred lines in which it was filled
    lines = [row(f"a-{number:04d}", fee="" if number % 4 else "10.00") for number in range(600)]
    world = small_world(list_of(lines), chunk_bytes=300_000)
    world.publish(event(rows=600))
    world.run_until_quiet()
    found = pages(world, most=1)
    assert len(found) > 4
    assert all(len(page) <= 100 for page in found)
    together = [one.key.account_id for page in found for one in page if one.key is not None]
    assert together == [f"a-{number:04d}" for number in range(600) if number % 4]


def test_an_answer_that_runs_out_of_time_goes_on_where_it_stopped() -> None:
    world = closed()
    assert [one for page in pages(world, seconds_left=1.0) for one in page] == pages(world)[0]


def test_what_was_decided_leaves_the_queue() -> None:
    world = closed()
    (entry,) = world.ledger.of_account("held-1")
    world.ledger.replace_entry(replace(entry, status=Outcome.DECLINED))
    (found,) = pages(world)
    assert ("held", "held-1") not in names(found)
    assert ("held", "held-2") in names(found)


def test_what_a_later_campaign_decided_leaves_the_queue_and_what_it_left_stays() -> None:
    world = closed()
    world.lists.upload("lists/later.csv", list_of([row("held-2", fee="20.00"), row("other-1")]))
    world.publish(event(key="lists/later.csv", rows=2, detail_type="Incident Amended", revision=2))
    world.run_until_quiet()
    assert world.campaign(f"{INCIDENT_ID}/2").state is State.CLOSED
    (found,) = pages(world, frozenset({CaseKind.HELD, CaseKind.REFERRED}))
    assert names(found) == {("held", "held-1"), ("referred", "referred-1")}


@pytest.mark.parametrize("decided_in", [2, 3])
def test_whichever_of_several_later_campaigns_decided_it_leaves_the_queue(decided_in: int) -> None:
    world = closed()
    for seq in (2, 3):
        lines = [row(f"other-{seq}"), *([row("held-2", fee="20.00")] if seq == decided_in else ())]
        world.lists.upload(f"lists/later-{seq}.csv", list_of(lines))
        key = f"lists/later-{seq}.csv"
        world.publish(event(key=key, rows=len(lines), detail_type="Incident Amended", revision=seq))
        world.run_until_quiet()
        assert world.campaign(f"{INCIDENT_ID}/{seq}").state is State.CLOSED
    (found,) = pages(world, frozenset({CaseKind.HELD}))
    assert names(found) == {("held", "held-1")}


def test_nothing_waits_of_an_incident_that_was_withdrawn() -> None:
    world = closed()
    world.publish(event(rows=1, detail_type="Incident Withdrawn", revision=2, campaign=...))
    world.run_until_quiet()
    assert pages(world) == [[]]


@dataclass(frozen=True)
class Recognised:
    """Rejected rows that persons have recognised, by where they start."""

    offsets: frozenset[int]

    def recognised(self, campaign_id: CampaignId, start: int, stop: int) -> Mapping[int, DecisionKey]:
        """Those that start in `[start, stop)`."""
        key = DecisionKey("somebody", campaign_id.incident_id, "-", campaign_id.seq)
        return {offset: key for offset in self.offsets if start <= offset < stop}


def test_just_those_rejected_rows_leave_the_queue_that_were_recognised_wherever_they_are() -> None:
    world, rejected = closed(), frozenset({CaseKind.REJECTED})
    waiting = [one.offset for page in pages(world, rejected) for one in page]
    assert len(waiting) > 2, "a first one, a last one and one between"
    incident = world.campaigns.incident(INCIDENT_ID)
    assert incident is not None
    for gone in (*({offset} for offset in waiting), set(waiting)):
        ports = CasePorts(world.campaigns, world.lists, world.ledger, Recognised(frozenset(gone)))
        page = waiting_in(world.campaign(CAMPAIGN), incident, rejected, Place(), 100, ports, world.now, lambda: 25.0)
        assert [one.offset for one in page.cases] == [offset for offset in waiting if offset not in gone]
