"""What is paid is said by the list, the policy and the revision that a request means, not by who records facts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.incident_record import decision_digest
from tests.support.small_campaign import CAMPAIGN, FACTS_MEANT, LIST_KEY, ROWS, event, meant, sealed_policy, small_world
from tests.support.world import BUCKET, World

FEES = "kulanz: 1\nid: fees\nversion: 1\ntitle: The fee\ncurrency: EUR\nfacts:\n  fee: money\npay: fee\n"
LATER = [{"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T21:00:00Z"}]
ONE_HOUR = [{"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T09:00:00Z"}]
TEN_YEARS = [{"start": "2016-01-01T00:00:00Z", "end": "2026-02-27T09:00:00Z"}]


def declared(revision: int = 1, kind: str = "Declared", **changes: Any) -> dict[str, Any]:
    """An event of somebody who may record incidents, and may not request campaigns."""
    return event(rows=1, detail_type=f"Incident {kind}", revision=revision, source="incidents", campaign=..., **changes)


def requested(revision: int = 1, digest: str = "", **changes: Any) -> dict[str, Any]:
    """A request of somebody who may spend, for the facts that they know."""
    left_out: dict[str, Any] = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
    named: dict[str, Any] = {"decision_digest": digest} if digest else {}
    return event(rows=ROWS, detail_type="Campaign Requested", revision=revision, **left_out, **named, **changes)


def world_after(*events: dict[str, Any], world: World | None = None) -> World:
    world = small_world() if world is None else world
    for happened in events:
        world.publish(happened)
        world.run_until_quiet()
    return world


def refusals(world: World) -> list[tuple[str, str]]:
    return [(rejection.reason, rejection.field) for rejection in world.rejected.sent]


@pytest.mark.parametrize(
    ("content", "reason"), [(b"account_id,fee\na-1,\n", "fee_unknown"), (b"account_id\na-1\n", "")],
)  # fmt: skip
def test_an_incidents_fact_fills_no_cell_and_replaces_no_column(content: bytes, reason: str) -> None:
    world = World()
    world.policies.publish("fees", 1, sealed_policy(FEES))
    world.lists.upload("lists/fees.csv", content)
    facts = {"fee": "99999.00"}
    request = requested(key="lists/fees.csv", policy="fees", digest=meant(facts=facts))
    request["detail"]["campaign"]["affected"]["rows"] = 1
    world_after(declared(facts=facts), request, world=world)
    if reason:
        (entry,) = world.ledger.all_entries()
        assert (entry.status, f'"reason":"{reason}"' in entry.body) == ("held", True)
    else:
        assert world.ledger.all_entries() == []
        assert [rejection.reason for rejection in world.rejected.sent] == ["column_missing"]


CHANGES: dict[str, Any] = {
    "service": "voice", "functions": [], "windows": LATER, "cause": "storm", "facts": {"towers": 3},
}  # fmt: skip
"""Another value of each field that decides."""


@pytest.mark.parametrize("field", CHANGES)
def test_a_request_for_other_facts_than_were_recorded_opens_nothing(field: str) -> None:
    world = world_after(declared(**{field: CHANGES[field]}), requested())
    assert refusals(world) == [("revision_differs", "detail.decision_digest")]
    assert world.campaigns.all_campaigns() == []
    assert world.ledger.all_entries() == []


def test_every_field_that_decides_is_tried() -> None:
    assert CHANGES.keys() == FACTS_MEANT.keys()


def test_a_revision_whose_number_somebody_else_was_first_with_is_not_decided() -> None:
    """Billing publishes one hour as revision 2; another source has published ten years under that number."""
    world = world_after(
        declared(1),
        declared(2, "Amended", windows=TEN_YEARS),
        declared(2, "Amended", windows=ONE_HOUR),
        requested(2, digest=meant(windows=ONE_HOUR)),
    )
    assert [reason for reason, _ in refusals(world)] == ["revision_conflict", "revision_differs"]
    assert world.ledger.all_entries() == []


def test_words_alone_change_nothing() -> None:
    world = world_after(declared(1), declared(2, "Updated", title="Network down in the whole town"), requested(2))
    assert world.campaign(CAMPAIGN).state is State.CLOSED


def test_a_request_names_what_it_means() -> None:
    request = requested()
    del request["detail"]["decision_digest"]
    assert refusals(world_after(declared(1), request)) == [("event_invalid", "decision_digest")]


@given(st.sampled_from(list(CHANGES)), st.sampled_from(list(CHANGES)))
def test_the_digest_tells_facts_apart_and_nothing_else(one: str, other: str) -> None:
    changed = {one: CHANGES[one]}
    assert meant(**changed) != meant()
    assert (meant(**changed) == meant(**{other: CHANGES[other]})) is (one == other)
    recorded = world_after(declared(7, title="Other words", **changed)).campaigns.revisions("net-outage")
    assert [decision_digest(revision.content) for revision in recorded] == [meant(**changed)]


@pytest.mark.parametrize("kind", ["Incident Declared", "Campaign Requested"])
def test_a_request_without_the_version_of_its_list_is_refused(kind: str) -> None:
    """Whoever uploads last would decide who is paid."""
    world = world_after(declared(1))
    request = event(rows=ROWS) if kind == "Incident Declared" else requested()
    place = {"bucket": BUCKET, "key": LIST_KEY, "version_id": None}
    request["detail"]["campaign"]["affected"]["s3"] = place
    world_after(request, world=world)
    assert refusals(world) == [("event_invalid", "campaign.affected.s3.version_id")]
    assert world.campaigns.all_campaigns() == []


BONUS = (
    "kulanz: 1\nid: bonus\nversion: 1\ntitle: The fee and a bonus\ncurrency: EUR\nfacts:\n  fee: money\n"
    "  bonus: {type: money, from: incident, default: 20 EUR}\n  other: {type: text, from: incident, default: x}\n"
    "when: other is known\npay: fee + bonus\n"
)


@pytest.mark.parametrize(
    ("facts", "paid"),
    [
        ({"bonus": "5.00"}, '"1500"'),
        ({"bonus": None, "bonuses": "5.00"}, '"3000"'),
        ({"severity": "5.00"}, '"3000"'),
        ({"bonus": "5.00", "bonus_eur": "6.00"}, '"1500"'),
        ({"others": "y"}, ""),
        ({"bonuses": "5.00"}, ""),
        ({"bonus_eur": "5.00"}, ""),
        ({"bonis": "5.00"}, ""),
    ],
)
def test_an_incident_that_nearly_names_a_fact_is_not_paid_by_its_default(facts: dict[str, Any], paid: str) -> None:
    world = World()
    world.policies.publish("bonus", 1, sealed_policy(BONUS))
    world.lists.upload("lists/fees.csv", b"account_id,fee\na-1,10.00\n")
    request = event(rows=1, key="lists/fees.csv", policy="bonus", facts=facts)
    world_after(request, world=world)
    if paid:
        (entry,) = world.ledger.all_entries()
        assert paid.strip('"') in entry.body
    else:
        assert world.ledger.all_entries() == []
        ((reason, field),) = refusals(world)
        assert (reason, field) == ("event_invalid", "detail.facts")
