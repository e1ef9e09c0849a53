"""The contract of CampaignIndex: what spans incidents and campaigns is found by key, as soon as it is written."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from kulanz.application.ports import CampaignIndex, Indexed, OpenCampaign, Outdated, Page
from kulanz.domain.audit import About, AuditEntry
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause, State
from kulanz.domain.decision import Outcome
from kulanz.domain.incident_record import IncidentRecord, with_revision
from kulanz.domain.ledger.additions import Addition, AdditionKind
from tests.contract.backends import Backend
from tests.support.values import FIRST, NOW, OPENING, change, entry, frozen, gate_of, move, opened, revision

ANNA = "iam:arn:aws:iam::123456789012:user/anna"
MONTH, DAY = "2026-03", date(2026, 3, 1)


def declare(backend: Backend, incident_id: str, at: datetime = NOW) -> IncidentRecord:
    """Record an incident."""
    first = replace(revision(), incident_id=incident_id, recorded_at=at)
    record = with_revision(None, first, 400)
    assert record is not None
    backend.campaigns.record_revision(None, record, first)
    return record


def open_campaign(
    backend: Backend, incident_id: str, at: datetime = NOW, policy: str = "p", by: str = "billing"
) -> Campaign:
    """Open the first campaign of an incident."""
    before = declare(backend, incident_id, at)
    after, new = opened(before)
    new = replace(new, decided_at=at, policy_id=policy, opened_by=by)
    backend.campaigns.open(before, after, new, frozen(), replace(OPENING, at=at))
    return new


def all_of[Found](read: Callable[[str], Page[Found]]) -> list[Found]:
    """Every entry of an index, a page after the other; a page that is not the last is full."""
    found, page = list[Found](), read("")
    while page.after:
        found += page.found
        after, page = page.after, read(page.after)
        assert not page.after or page.after > after, "a page leads back"
    return found + list(page.found)


def of_day(index: CampaignIndex, most: int = 100) -> list[tuple[str, About, str, str]]:
    entries = all_of(lambda after: index.audit_of_day(DAY, after, most))
    return [(one.actor, one.about, one.on, one.action) for one in entries]


def test_where_nothing_was_written_nothing_is_found(backend: Backend) -> None:
    index = backend.index
    assert index.open_campaigns() == []
    for page in (
        index.campaigns_in(MONTH),
        index.incidents_in(MONTH),
        index.campaigns_under("p"),
        index.audit_of_day(DAY),
        index.audit_of_actor(ANNA),
        index.additions(FIRST),
    ):
        assert page == Page((), "")


def test_a_campaign_is_found_by_its_month_and_by_its_policy_in_the_order_of_time(backend: Backend) -> None:
    last = datetime.fromisoformat("2026-03-31T23:59:59.999999+00:00")
    opened_at = {
        "half": NOW.replace(microsecond=500_000),
        "whole": NOW.replace(microsecond=0),
        "last": last,
        "next": last + timedelta(microseconds=1),
        "berlin": datetime.fromisoformat("2026-04-01T01:00:00+02:00"),  # in March in UTC
    }
    for incident_id, at in opened_at.items():
        open_campaign(backend, incident_id, at, policy="q" if incident_id == "last" else "p")

    in_march = ["whole", "half", "berlin", "last"]
    assert [one.id for one in backend.index.campaigns_in(MONTH).found] == [CampaignId(one, 1) for one in in_march]
    assert [one.id for one in backend.index.incidents_in(MONTH).found] == in_march
    assert backend.index.incidents_in("2026-04").found == (Indexed(opened_at["next"], "next"),)
    under = [one.id.incident_id for one in backend.index.campaigns_under("p").found]
    assert under == ["whole", "half", "berlin", "next"]
    latest = [one.id.incident_id for one in backend.index.latest_under("p", opened_at["next"], 2)]
    assert latest == ["berlin", "half"], "opened before that instant, last first"


@pytest.mark.parametrize("most", [1, 2, 3, 7, 100])
def test_pages_of_any_size_have_everything_once_and_in_order(backend: Backend, most: int) -> None:
    index = backend.index
    ids = [f"incident-{number}" for number in range(7)]
    for number, incident_id in enumerate(ids):
        open_campaign(backend, incident_id, NOW + timedelta(minutes=number // 2), by=ANNA)

    campaigns = all_of(lambda after: index.campaigns_in(MONTH, after, most))
    assert [one.id.incident_id for one in campaigns] == ids
    assert [one.id for one in all_of(lambda after: index.incidents_in(MONTH, after, most))] == ids
    assert [one.on for one in all_of(lambda after: index.audit_of_actor(ANNA, after, most))] == [f"{i}/1" for i in ids]
    assert of_day(index, most) == of_day(index)
    assert len(of_day(index)) == 2 * len(ids)


def announce(backend: Backend) -> None:
    found = backend.campaigns.campaign(FIRST)
    assert found is not None
    backend.campaigns.mark_announced(found, found.report_name)


@pytest.mark.parametrize("end", [State.REFUSED, State.CANCELLED, State.CLOSED])
def test_a_campaign_is_open_until_its_end_is_announced(backend: Backend, end: State) -> None:
    """So that an announcement that was lost is found."""
    store = backend.campaigns
    open_campaign(backend, "other")
    open_campaign(backend, FIRST.incident_id)
    other = OpenCampaign(CampaignId("other", 1), State.PLANNING, NOW)
    assert backend.index.open_campaigns() == [OpenCampaign(FIRST, State.PLANNING, NOW), other]
    path = [State.PAUSED, State.PLANNING]
    if end is State.CLOSED:
        path = [State.AWAITING_APPROVAL, State.APPLYING, State.PAUSED, State.APPLYING]
    for number, target in enumerate([*path, end]):
        before = store.campaign(FIRST)
        assert before is not None
        at = NOW + timedelta(hours=number)
        store.change_state(before, replace(change(before, target), at=at), gate_of(store, before, target))
        assert backend.index.open_campaigns() == [OpenCampaign(FIRST, target, at), other]
    announce(backend)
    assert backend.index.open_campaigns() == [other]


def test_a_closed_campaign_that_is_flagged_is_open_again(backend: Backend) -> None:
    store = backend.campaigns
    open_campaign(backend, FIRST.incident_id)
    for target in (State.APPLYING, State.CLOSED, State.FLAGGED, State.CLOSED):
        before = store.campaign(FIRST)
        assert before is not None
        move(store, before, target)
        announce(backend)
        is_open = target is not State.CLOSED
        assert [one.state for one in backend.index.open_campaigns()] == [target] * is_open


def test_an_announcement_of_an_end_that_is_none_any_more_leaves_the_campaign_open(backend: Backend) -> None:
    store = backend.campaigns
    new = open_campaign(backend, FIRST.incident_id)
    move(store, new, State.APPLYING)
    for target in (State.CLOSED, State.FLAGGED):
        before = store.campaign(FIRST)
        assert before is not None
        store.change_state(before, change(before, target))
    closed = replace(new, state=State.CLOSED, log_count=4)
    with pytest.raises(Outdated):
        store.mark_announced(closed, closed.report_name)

    found = store.campaign(FIRST)
    assert found is not None
    assert found.announced == ""
    assert [one.state for one in backend.index.open_campaigns()] == [State.FLAGGED]


def test_every_action_is_in_the_log_of_its_day_with_who_did_it_and_why(backend: Backend) -> None:
    new = open_campaign(backend, FIRST.incident_id, by=ANNA)
    later = NOW + timedelta(hours=1)
    paused = replace(change(new, State.PAUSED, "paused_by_hand: look"), at=later, cause=Cause("sso:berta", "a-1", "7"))
    for _ in range(2):  # the same action again changes nothing
        backend.campaigns.change_state(new, paused)

    assert of_day(backend.index) == [
        (ANNA, About.CAMPAIGN, str(FIRST), "requested"),
        ("billing", About.INCIDENT, FIRST.incident_id, "Incident Declared"),
        ("sso:berta", About.CAMPAIGN, str(FIRST), "paused"),
    ]
    assert backend.index.audit_of_actor("sso:berta").found == (
        AuditEntry(later, "sso:berta", "paused", About.CAMPAIGN, str(FIRST), "2", "paused_by_hand: look", "a-1"),
    )
    assert [one.action for one in backend.index.audit_of_actor(ANNA).found] == ["requested"]
    assert backend.index.audit_of_actor("billing") == Page((), ""), "a source of events is no caller"


def test_what_was_not_done_is_in_no_index(backend: Backend) -> None:
    new = open_campaign(backend, FIRST.incident_id)
    backend.campaigns.change_state(new, change(new, State.PAUSED))
    before = of_day(backend.index)
    for target in (State.CANCELLED, State.REFUSED):
        with suppress(Outdated):
            backend.campaigns.change_state(new, change(new, target))
    with suppress(Outdated):
        open_campaign(backend, FIRST.incident_id, by=ANNA)

    assert of_day(backend.index) == before
    assert [one.state for one in backend.index.open_campaigns()] == [State.PAUSED]
    assert backend.index.audit_of_actor(ANNA).found == ()


def test_an_acceptance_is_an_addition_to_its_campaign_and_an_action_of_its_day(backend: Backend) -> None:
    record = declare(backend, FIRST.incident_id)
    at = NOW + timedelta(days=3)
    accepted = []
    for number, account in enumerate(("b", "a", "c")):
        offer = entry(account, status=Outcome.OFFERED)
        backend.ledger.insert([offer])
        grant = replace(offer, status=Outcome.GRANTED, effective_at=at + timedelta(seconds=number))
        backend.offers.accept(offer, grant, record, ANNA)
        with pytest.raises(Outdated):
            backend.offers.accept(offer, grant, record, "sso:berta")
        accepted.append(Addition(AdditionKind.ACCEPTED, grant.key, grant.effective_at, ANNA))

    assert all_of(lambda after: backend.index.additions(FIRST, after, 2)) == accepted
    assert backend.index.additions(CampaignId(FIRST.incident_id, 2)).found == ()
    days = [backend.index.audit_of_day(day).found for day in (NOW.date(), at.date())]
    assert [one.about for one in days[0]] == [About.INCIDENT]
    assert [(one.actor, one.action, one.on) for one in days[1]] == [
        (ANNA, "accepted", f"{FIRST} {account} -") for account in ("b", "a", "c")
    ]
    assert all_of(lambda after: backend.index.audit_of_actor(ANNA, after, 2)) == list(days[1])


def test_the_log_of_a_day_has_what_both_tables_have_in_one_order(backend: Backend) -> None:
    record = declare(backend, FIRST.incident_id)
    for number in range(3):
        declare(backend, f"incident-{number}", NOW + timedelta(seconds=2 * number + 2))
        offer = entry(f"account-{number}", status=Outcome.OFFERED)
        backend.ledger.insert([offer])
        at = NOW + timedelta(seconds=2 * number + 3)
        backend.offers.accept(offer, replace(offer, status=Outcome.GRANTED, effective_at=at), record, "support")

    for most in (1, 2, 3, 4, 100):
        found = [about for _, about, _, _ in of_day(backend.index, most)]
        assert found == [About.INCIDENT] + [About.INCIDENT, About.DECISION] * 3
