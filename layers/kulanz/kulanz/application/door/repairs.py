"""What operators do after something failed: each is safe to repeat."""

from collections.abc import Sequence
from datetime import datetime
from itertools import batched
from typing import Annotated, TypedDict

from pydantic import Field

from kulanz.application.campaigns.frozen import thaw
from kulanz.application.delivery.world import Booked
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Reason, read_body
from kulanz.application.door.campaigns import existing
from kulanz.application.door.cursors import make_cursor, read_cursor
from kulanz.application.door.problems import Kind, Problem, unknown
from kulanz.application.ledger.committed import committed_pages
from kulanz.application.ports import PinnedVersionGone
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.ledger.entries import Entry
from kulanz.domain.time import format_instant, parse_instant

REPAIR_VERSION = 1
RECORDS_PER_INVOCATION = 200
"""Some 250 KB; Lambda takes 6 MB as one event."""
SECONDS_FOR_AN_ANSWER = 10.0
"""A stretch of work begins only while so much is left: one invocation and the answer."""
MESSAGES_PER_BODY = 100
MESSAGE_ID_CHARACTERS = 128


class RepairBody(Body):
    """Why it is done, where somebody says it."""

    reason: Reason | None = None


class RebuildBody(RepairBody):
    """`cursor` is the text `next` of the answer before, where the notices are too many for one call."""

    cursor: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,1024}$")] | None = None


class DoneBody(RepairBody):
    """The ids of the refused events that are done with, as they were shown."""

    events: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=MESSAGE_ID_CHARACTERS)]],
        Field(min_length=1, max_length=MESSAGES_PER_BODY),
    ]


class AdvanceAnswer(TypedDict):
    """The campaign's state after advance_campaign has looked at it."""

    v: int
    campaign: str
    state: str


class NoticesAnswer(TypedDict):
    """How many decisions' notices this call published again; `next` is the cursor of the rest, None at the end."""

    v: int
    campaign: str
    decisions: int
    next: str | None


class StatusesAnswer(TypedDict):
    """How many status notices were published again."""

    v: int
    incident_id: str
    revisions: int


class RedriveAnswer(TypedDict):
    """How many dead letters this call moved back to their queue; `more`: it had no time for the rest."""

    v: int
    queue: str
    moved: int
    more: bool


class DoneAnswer(TypedDict):
    """Which refused events were taken out of the queue; the others were not found there. All stay in the bucket."""

    v: int
    done: list[str]
    not_found: list[str]


def advance(asked: Asked, door: Door) -> AdvanceAnswer:
    """Let advance_campaign look at a campaign again."""
    read_body(RepairBody, asked.body)
    door.workers.advance(existing(asked, door).id)
    found = existing(asked, door)
    return {"v": REPAIR_VERSION, "campaign": str(found.id), "state": found.state.value}


def notices(asked: Asked, door: Door) -> NoticesAnswer:
    """Publish the notices of a campaign's decisions again, and of what was taken back of them, by another pass over its
    pinned list, as long as time is.
    """
    body = read_body(RebuildBody, asked.body)
    campaign = existing(asked, door)
    question = {"": asked.route.key, "campaign": str(campaign.id)}
    begin, began_at = _position(read_cursor(question, body.cursor), campaign.chunks.data_start, asked.now)
    policy = thaw(campaign, door.campaigns.frozen(campaign.id))
    decisions = 0
    try:
        for position, page in committed_pages(campaign, policy, door.lists, door.ledger, begin):
            if page:
                door.workers.publish_decisions(_booked(page, door))
                decisions += len(page)
            if asked.seconds_left() < SECONDS_FOR_AN_ANSWER:
                rest: str | None = make_cursor(question, f"{position} {format_instant(began_at)}")
                break
        else:
            rest = None
            door.troubles.repaired(TroubleKind.NOTICES, str(campaign.id), began_at)
    except PinnedVersionGone:
        gone = "the pinned version of the list was deleted; its accounts are no longer known by it"
        raise Problem(Kind.REFUSED, gone, reason="list_gone") from None
    return {"v": REPAIR_VERSION, "campaign": str(campaign.id), "decisions": decisions, "next": rest}


def _booked(page: Sequence[Entry], door: Door) -> list[Booked]:
    """Some decisions with what became of their credits, which is read where something was taken back."""
    found = door.credits.booked([one.key for one in page if one.voided])
    return [found.get(one.key) or Booked(one, ()) for one in page]


def _position(text: str, first: int, now: datetime) -> tuple[int, datetime]:
    """Where a stretch begins, and when the first one did."""
    if not text:
        return first, now
    try:
        place, began_at = text.split(" ")
        return int(place), min(now, parse_instant(began_at))
    except ValueError:
        raise Problem(Kind.CURSOR, "expected the text `next` of an earlier answer to this very question") from None


def statuses(asked: Asked, door: Door) -> StatusesAnswer:
    """Publish the status notices of an incident again, one for each revision."""
    read_body(RepairBody, asked.body)
    incident_id = asked.of["incident"]
    revisions = door.campaigns.revisions(incident_id)
    if not revisions:
        raise unknown("no such incident is recorded")
    for page in batched(revisions, RECORDS_PER_INVOCATION, strict=False):
        door.workers.publish_revisions(page)
    door.troubles.repaired(TroubleKind.STATUS, incident_id, asked.now)
    return {"v": REPAIR_VERSION, "incident_id": incident_id, "revisions": len(revisions)}


def redrive(asked: Asked, door: Door) -> RedriveAnswer:
    """Move dead letters back to their queue."""
    read_body(RepairBody, asked.body)
    moved, is_empty = door.dead_letters.redrive(asked.of["queue"], asked.seconds_left)
    return {"v": REPAIR_VERSION, "queue": asked.of["queue"], "moved": moved, "more": not is_empty}


def refused(asked: Asked, door: Door) -> DoneAnswer:
    """Take refused events out of their queue, those that are named and no other."""
    body = read_body(DoneBody, asked.body)
    done = door.refused_events.take_out(body.events, asked.seconds_left)
    return {
        "v": REPAIR_VERSION,
        "done": [one for one in body.events if one in done],
        "not_found": [one for one in body.events if one not in done],
    }
