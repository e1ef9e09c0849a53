"""A campaign's record: what it is called by, how far it is, what it may become, and what lies over the same outage."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kulanz.domain.campaigns.campaign import (
    ENGINE_VERSION,
    Campaign,
    CampaignId,
    Pass,
    PinnedList,
    Progress,
    SameOutage,
    State,
    StateChange,
)
from kulanz.domain.campaigns.same_outage import OTHERS_READ, OutageCampaign, others_among
from kulanz.domain.campaigns.trouble import SAYS, Trouble, TroubleKind
from kulanz.domain.time import TIME_ZONES
from tests.support.values import CAUSE, NOW, campaign

CAMPAIGN: Campaign = replace(
    campaign(), log_count=7, plan=Progress(bytes_done=100, sent=1), apply=Progress(bytes_done=23, sent=2)
)


def test_a_report_is_named_by_the_changes_of_state_and_the_bytes_of_both_passes() -> None:
    assert CAMPAIGN.report_name == "000007-000000000000123"
    names = [
        CAMPAIGN.report_name,
        replace(CAMPAIGN, apply=Progress(bytes_done=24)).report_name,
        replace(CAMPAIGN, log_count=8, plan=Progress(), apply=Progress()).report_name,
    ]
    assert names == sorted(names)


@pytest.mark.parametrize("work", Pass)
def test_a_pass_is_dispatched_and_finished_by_its_own_figures(work: Pass) -> None:
    chunks, whole = len(CAMPAIGN.chunks), CAMPAIGN.chunks.total_bytes
    for sent, done in ((chunks - 1, whole - 1), (chunks, whole)):
        mine, other = Progress(bytes_done=done, sent=sent), Progress()
        by_pass = (mine, other) if work is Pass.PLAN else (other, mine)
        at = replace(CAMPAIGN, plan=by_pass[0], apply=by_pass[1])
        assert (at.is_dispatched(work), at.is_finished(work)) == (sent == chunks, done == whole)
        assert at.progress(work) == mine
    unsent = replace(CAMPAIGN, plan=Progress(), apply=Progress())
    assert not any(unsent.is_finished(one) for one in Pass)


def test_what_was_planned_otherwise_says_what_differs() -> None:
    same = replace(CAMPAIGN, engine=ENGINE_VERSION, time_zones=TIME_ZONES)
    assert same.planned_otherwise() == ""
    engine = replace(same, engine="0", time_zones="1999a")
    assert engine.planned_otherwise() == f"engine_changed: planned by engine 0, running is {ENGINE_VERSION}"
    zones = replace(same, time_zones="1999a").planned_otherwise()
    assert zones == f"time_zones_changed: planned with time zones 1999a, running are {TIME_ZONES}"


def test_a_change_of_state_is_the_next_line_of_the_log() -> None:
    found = CAMPAIGN.change(State.AWAITING_APPROVAL, "planned", CAUSE, NOW)
    assert found == StateChange(8, NOW, State.PLANNING, State.AWAITING_APPROVAL, "planned", CAUSE)
    with pytest.raises(ValueError, match="does not go from planning to closed"):
        CAMPAIGN.change(State.CLOSED, "x", CAUSE, NOW)


def test_over_the_same_outage_are_campaigns_of_other_incidents_by_what_their_list_holds() -> None:
    mine = CAMPAIGN.pinned
    other = PinnedList("another", "key", "version", mine.etag, mine.size)
    lists = [mine, other, replace(other, etag="x"), replace(other, size=mine.size + 1)]
    over = [OutageCampaign(CampaignId("other", seq), pinned) for seq, pinned in enumerate(lists, 1)]
    own = OutageCampaign(CampaignId(CAMPAIGN.id.incident_id, 9), mine)
    same, differs = tuple(one.id for one in over[:2]), tuple(one.id for one in over[2:])
    assert others_among(CAMPAIGN, [own, *over]) == SameOutage(same, differs, is_whole=True)
    for more in (0, 1):
        many = [own] * (OTHERS_READ - 1) + over[: 1 + more]
        found = others_among(CAMPAIGN, many)
        assert (found.same_list, found.is_whole) == ((over[0].id,), not more)


@pytest.mark.parametrize("kind", TroubleKind)
def test_a_trouble_says_what_it_is_on_and_a_broken_glass_rings_once(kind: TroubleKind) -> None:
    first = Trouble(kind, "out/7", NOW, NOW)
    again = replace(first, found_at=NOW + timedelta(microseconds=1))
    assert first.says == SAYS[kind].replace("{on}", "out/7")
    assert [one.must_ring for one in (first, again)] == [kind is TroubleKind.GLASS_BROKEN, False]
