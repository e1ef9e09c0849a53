"""A list that is planned again: what stays of the first campaign, and what is as it stands now, field by field."""

from dataclasses import fields, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any, cast

from kulanz.application.campaigns.frozen import thaw_incident
from kulanz.application.campaigns.replan import ReplanPorts, replan
from kulanz.application.ports import CampaignStore
from kulanz.domain.campaigns.campaign import ENGINE_VERSION, Campaign, CampaignId, Cause, Progress, State
from kulanz.domain.incident import outage_digest
from kulanz.domain.time import TIME_ZONES
from tests.support.distinct import distinct
from tests.support.small_campaign import INCIDENT_ID, event
from tests.support.values import campaign
from tests.support.world import ANNA
from tests.unit.application.campaigns.test_gate import ID, LINES, NEXT, reject, waiting

HAND = Cause("an operator", "by-hand-7", "9")
WINDOWS = [{"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T21:00:00Z"}]


def test_of_the_first_campaign_all_stays_but_what_it_decides_by_and_how_far_it_is() -> None:
    """No field of the two is equal by chance: the first one was planned by another engine, of another policy's words,
    was announced, and had receipts of both passes.
    """
    world = waiting()
    reject(world, ANNA)
    world.publish(event(rows=len(LINES), detail_type="Incident Amended", revision=2, windows=WINDOWS, campaign=...))
    world.run_until_quiet()
    kept = campaign()
    old = distinct(
        Campaign,
        id=ID,
        incident_revision=1,
        state=State.REJECTED,
        pinned=kept.pinned,
        layout=kept.layout,
        chunks=kept.chunks,
        limits=kept.limits,
        plan=Progress(7, 8),
        apply=Progress(9, 10),
    )
    stored = world.campaigns

    class WithOther:
        """The stack, whose first campaign is another one."""

        def campaign(self, campaign_id: CampaignId) -> Campaign | None:
            return old if campaign_id == ID else stored.campaign(campaign_id)

        def __getattr__(self, name: str) -> Any:
            return getattr(stored, name)

    world.now += timedelta(hours=7)
    ports = ReplanPorts(cast("CampaignStore", WithOther()), world.chunks)
    answered = replan(ID, ports, "the outage was longer", HAND, world.now)
    new = stored.campaign(NEXT)
    assert new is not None
    assert replace(answered, plan=new.plan) == new, "its chunks are sent behind the answer's reading"
    incident = thaw_incident(stored.frozen(NEXT).incident)
    assert (incident.revision, incident.windows[0].end) == (2, incident.windows[0].start + timedelta(hours=13))
    anew = {
        "id": NEXT,
        "incident_revision": 2,
        "engine": ENGINE_VERSION,
        "time_zones": TIME_ZONES,
        "decided_at": world.now,
        "request_digest": sha256(f"replan of {ID} {old.request_digest}".encode()).hexdigest(),
        "follows": (),
        "outage": outage_digest(incident),
        "persons_asked": 0,
        "state": State.PLANNING,
        "state_reason": "",
        "log_count": 1,
        "announced": "",
        "plan": Progress(sent=len(new.chunks)),
        "apply": Progress(),
    }
    found = {one.name: getattr(new, one.name) for one in fields(Campaign)}
    was = {one.name: getattr(old, one.name) for one in fields(Campaign)}
    assert found == was | anew
    assert [name for name in anew if was[name] == anew[name]] == []
    assert stored.frozen(NEXT).policy == stored.frozen(ID).policy
    (opened,) = stored.log(NEXT)
    assert (opened.source, opened.target, opened.at, opened.cause) == (None, State.PLANNING, world.now, HAND)
    assert opened.reason == f"replanned: as {INCIDENT_ID}/1: the outage was longer"
