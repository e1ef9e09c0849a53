"""The watch over open campaigns: every five minutes it moves on what can move, and notes what waits for a person.

A stream forgets a record that its reader gave up, and a queue forgets a message. What ought to happen stands in the
campaigns' own records, so that this finds it without them: every campaign that has not ended, or whose end was not
announced, is looked at as if its record had just come.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from kulanz.application.campaigns.advance_campaign import AdvancePorts, advance_campaign
from kulanz.application.ports import (
    CampaignIndex,
    GivenUpRecords,
    OpenCampaign,
    Refused,
    TablePolicies,
    Troubles,
    TryAgain,
)
from kulanz.domain.campaigns.campaign import STOPPED, WORKABLE, Campaign, CampaignId, Cause, State
from kulanz.domain.campaigns.trouble import GLASS_SHOWN_FOR, STALLED_AFTER, Trouble, TroubleKind
from kulanz.domain.gate.approval import Reminder, due_reminders

SECONDS_FOR_ONE = 30.0
"""What is kept of the function's time for the campaign that is looked at last, beside what sending chunks keeps."""


@dataclass(frozen=True, slots=True)
class WatchPorts:
    """The world that the watch touches."""

    advance: AdvancePorts
    index: CampaignIndex
    troubles: Troubles
    given_up: GivenUpRecords
    tables: TablePolicies


@dataclass(frozen=True, slots=True)
class Watched:
    """What one watch found. `waiting` is how many campaigns, incidents and objects wait for a person.

    `failed` says which campaigns could not be moved on, and why. `is_whole`: it had the time to look at everything.
    `to_ring` are the plans that one person alone approved and whose alarm has not rung: whoever rings it says so with
    `note_rung`.
    """

    looked_at: int
    waiting: int
    failed: tuple[tuple[CampaignId, str], ...]
    is_whole: bool
    to_ring: tuple[str, ...] = ()


@dataclass(slots=True)
class _Watch:
    """One watch under way."""

    ports: WatchPorts
    cause: Cause
    now: datetime
    seconds_left: Callable[[], float]
    known: Mapping[tuple[TroubleKind, str], Trouble]
    failed: dict[CampaignId, str]

    @property
    def has_time(self) -> bool:
        return self.seconds_left() >= SECONDS_FOR_ONE

    def look_at(self, one: OpenCampaign) -> None:
        self.move_on(one.id)
        campaign = self.ports.advance.campaigns.campaign(one.id)
        if campaign is None:
            raise Refused("the index names a campaign that does not exist")
        if campaign.state in WORKABLE and one.seen_at is not None and _has_not_moved(one, campaign):
            if self.now - one.seen_at >= STALLED_AFTER:
                self.ports.troubles.note(TroubleKind.STALLED, str(one.id), self.now)
            return
        self.repaired(TroubleKind.STALLED, str(one.id))
        seen = replace(one, state=campaign.state, came_to=_came_to(campaign), seen_at=self.now)
        self.ports.troubles.note_seen(seen)

    def move_on(self, campaign_id: CampaignId) -> None:
        """Take the steps that a campaign's records allow; it is noted where that fails, and the others go on."""
        try:
            advance_campaign(campaign_id, self.ports.advance, self.cause, self.now, self.seconds_left)
        except (TryAgain, Refused) as error:
            self.failed[campaign_id] = f"{type(error).__name__}: {error}"
            self.ports.troubles.note(TroubleKind.STUCK, str(campaign_id), self.now)
        else:
            self.failed.pop(campaign_id, None)
            self.repaired(TroubleKind.STUCK, str(campaign_id))

    def repaired(self, kind: TroubleKind, on: str) -> None:
        if (kind, on) in self.known:
            self.ports.troubles.repaired(kind, on, self.now)

    def look_at_given_up(self, key: str) -> None:
        """Repair or note what a batch was about, once."""
        try:
            batch = self.ports.given_up.batch(key)
        except Refused:
            self.ports.troubles.note(TroubleKind.UNREADABLE, key, self.now)
            return
        if batch is None:  # it has expired
            return
        for campaign_id in batch.moved:
            self.move_on(campaign_id)
        for campaign_id in batch.unsent:
            self.ports.troubles.note(TroubleKind.NOTICES, str(campaign_id), self.now)
        for incident_id in batch.incidents:
            self.ports.troubles.note(TroubleKind.STATUS, incident_id, self.now)
        if not any(campaign_id in self.failed for campaign_id in batch.moved):
            self.ports.troubles.note_looked_at(key)


def watch_open(ports: WatchPorts, cause: Cause, now: datetime, seconds_left: Callable[[], float]) -> Watched:
    """Look at every open campaign and every batch that was given up. Safe to repeat, and beside the streams' readers.

    What there was no time for is looked at first the next time: it was seen longest ago.
    """
    known = {(trouble.kind, trouble.on): trouble for trouble in ports.troubles.troubles()}
    watch = _Watch(ports, cause, now, seconds_left, known, {})
    is_whole, looked_at = True, 0
    found = ports.index.open_campaigns()
    for one in sorted(found, key=lambda one: one.seen_at or one.since):
        is_whole = is_whole and watch.has_time
        if is_whole:
            watch.look_at(one)
            looked_at += 1
    keys = set(ports.given_up.keys())
    for key in sorted(keys):
        is_whole = is_whole and watch.has_time
        if is_whole and not ports.troubles.has_looked_at(key):
            watch.look_at_given_up(key)
    _look_at_tables(watch)
    _forget_what_is_gone(watch, {str(one.id) for one in found}, keys)
    waiting = {str(one.id) for one in ports.index.open_campaigns() if _waits(one, ports, now)}
    troubles = ports.troubles.troubles()
    waiting |= {trouble.on for trouble in troubles if trouble.is_urgent}
    to_ring = tuple(trouble.on for trouble in troubles if trouble.must_ring)
    return Watched(looked_at, len(waiting), tuple(watch.failed.items()), is_whole, to_ring)


def note_rung(to_ring: Iterable[str], troubles: Troubles, now: datetime) -> None:
    """Remember that the alarm rang for plans that one person alone approved."""
    for on in to_ring:
        troubles.note(TroubleKind.GLASS_BROKEN, on, now)


def _look_at_tables(watch: _Watch) -> None:
    """Note a table that is not closed, for as long as it is not."""
    are_open = watch.ports.tables.open_tables()
    for name in are_open:
        watch.ports.troubles.note(TroubleKind.OPEN_TABLE, name, watch.now)
    for kind, on in watch.known:
        if kind is TroubleKind.OPEN_TABLE and on not in are_open:
            watch.repaired(kind, on)


def _forget_what_is_gone(watch: _Watch, open_campaigns: Collection[str], keys: Collection[str]) -> None:
    """Forget the troubles of campaigns whose end was announced by others and of objects that were deleted, and glasses
    that were broken long ago.
    """
    failed = {str(campaign_id) for campaign_id in watch.failed}
    for (kind, on), trouble in watch.known.items():
        if kind in (TroubleKind.STUCK, TroubleKind.STALLED) and on not in open_campaigns and on not in failed:
            watch.repaired(kind, on)
        if kind is TroubleKind.UNREADABLE and on not in keys:
            watch.repaired(kind, on)
        is_old = watch.now - trouble.since >= GLASS_SHOWN_FOR
        if kind is TroubleKind.GLASS_BROKEN and is_old and not trouble.must_ring:
            watch.repaired(kind, on)


def _waits(one: OpenCampaign, ports: WatchPorts, now: datetime) -> bool:
    """Whether something is wrong with a campaign until a person ends it: it has stopped, or its plan's time is over."""
    if one.state is not State.AWAITING_APPROVAL:
        return one.state in STOPPED
    plan = ports.advance.campaigns.filed_plan(one.id)
    return plan is not None and Reminder.EXPIRED in due_reminders(plan, now)


def _has_not_moved(one: OpenCampaign, campaign: Campaign) -> bool:
    return (one.state, one.came_to) == (campaign.state, _came_to(campaign))


def _came_to(campaign: Campaign) -> int:
    """How far a campaign is, as a number that only grows while it is in one state."""
    return campaign.plan.bytes_done + campaign.apply.bytes_done + campaign.plan.sent + campaign.apply.sent
