"""Asks for a void, and approves or rejects its plan. Nothing is taken back before persons have said yes to the hash.

The start is one step with the incident's record: while a void runs, no campaign of the incident opens or starts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from kulanz.application.campaigns.control_campaign import may_write_until
from kulanz.application.delivery.world import DeliveryStore, VoidStore
from kulanz.application.incidents.follow_incident import is_amended
from kulanz.application.ports import (
    ATTEMPTS_AGAINST_OTHERS,
    CampaignStore,
    ListMissing,
    ListStore,
    Outdated,
    PinnedVersionGone,
    TryAgain,
)
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, PinnedList, State
from kulanz.domain.canonical import canonical_json
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz.domain.delivery.difference import CAMPAIGNS_MOST
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import FILE_BYTES, PERSONS_MOST, Ends, Share, Void, VoidApproval, VoidState
from kulanz.domain.gate.approval import SUBJECTS_FOR_ONE_PERSON, SUBJECTS_WITHOUT_THRESHOLD
from kulanz.domain.gate.filed_plan import HASH_DIGITS_SHOWN
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.identifiers import WHOLE_ACCOUNT, month_of_goodwill
from kulanz.domain.incident_record import DetailType, IncidentRecord, with_void
from kulanz.domain.lists.header import HEADER_BYTES, ListFormat, ListLayout, format_of, read_layout
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.people.caller import APART, Caller, Door, Person, must_be_person
from kulanz.domain.people.people import People, approver_problem
from kulanz.domain.refusal import WithReason
from kulanz.domain.time import format_instant

STARTED_FROM = frozenset({State.CLOSED, State.FLAGGED, State.CANCELLED})
"""The states of a campaign whose decisions may be voided: nothing is written for it any more."""


class VoidRefused(WithReason):
    """The void cannot be asked for, or approved. `reason` is a code; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class VoidPorts:
    """The world that asking for a void and approving it touches."""

    campaigns: CampaignStore
    deliveries: DeliveryStore
    voids: VoidStore
    lists: ListStore
    settings: GateSettings
    people: People
    door: Door = Door.IAM


def inline_file(void_id: VoidId, named: Sequence[tuple[str, str]], ports: VoidPorts) -> PinnedList:
    """Store accounts and subjects that a request names itself as a file. Raises VoidRefused."""
    column = _existing(void_id, ports).subject
    if not column and any(subject != WHOLE_ACCOUNT for _, subject in named):
        raise VoidRefused("subjects_differ", f"{void_id.campaign} decided accounts; leave the subjects out")
    if column and any(subject == WHOLE_ACCOUNT for _, subject in named):
        raise VoidRefused(
            "subjects_differ", f"{void_id.campaign} decided each {column} of an account; name which, as its subject"
        )
    rows = [{"account_id": account, **({column: subject} if column else {})} for account, subject in named]
    content = "".join(f"{canonical_json(row)}\n" for row in rows).encode()
    place = f"inline/{void_id.campaign.incident_id}/void-{void_id.campaign.seq}-{sha256(content).hexdigest()}.jsonl"
    return ports.lists.put_inline(place, content)


def ask_void(
    void_id: VoidId,
    file: PinnedList | None,
    reason: str,
    caller: Caller,
    ports: VoidPorts,
    now: datetime,
    ends: Ends | None = None,
    *,
    is_of_overpaid: bool = False,
    asks_biller: bool = False,
) -> Void:
    """Open a void of what a file names, or without one of all that the campaign granted. Its plan is made by workers.

    With `ends` the campaign is flagged, and ends when the void has. `is_of_overpaid`: of what the campaign found that
    earlier ones gave more than is owed. `asks_biller`: what the biller has is asked back, too. The same again is the
    same void. Raises VoidRefused, TryAgain.
    """
    campaign = _existing(void_id, ports)
    known = ports.voids.void(void_id)
    asked = _Asked(file, reason, caller.id, ends, is_of_overpaid, asks_biller)
    if known is not None:
        return _same(known, asked)
    if file is None and month_of_goodwill(campaign.id.incident_id):
        raise VoidRefused(
            "goodwill_by_account",
            f"{campaign.id} has no list to read; name what is to be voided: accounts and ids, or a file with both",
        )
    if asks_biller:
        _may_ask_biller(_touched(campaign, ports, is_of_overpaid=is_of_overpaid), ports, ends)
    if ends is not None and campaign.state is not State.FLAGGED:
        raise VoidRefused(
            "campaign_not_flagged", f"campaign {campaign.id} is {campaign.state}; only a flagged one is ended by a void"
        )
    if is_of_overpaid:
        may_take_overpaid(campaign, ports.campaigns)
    for one in _touched(campaign, ports, is_of_overpaid=is_of_overpaid):
        _may_be_voided(one, ports, now, ends)
    _no_void_may_write(campaign, ports.campaigns, is_of_overpaid=is_of_overpaid)
    void = Void(
        id=void_id,
        reason=reason,
        requested_by=caller.id,
        requester=caller.id if isinstance(caller, Person) else "",
        opened_at=now,
        pinned=file,
        data_start=0 if file is None else layout_of_file(file, campaign, ports.lists).data_start,
        ends=ends,
        is_of_overpaid=is_of_overpaid,
        asks_biller=asks_biller,
    )
    try:
        ports.voids.open(void)
    except Outdated:
        found = ports.voids.void(void_id)
        if found is None:
            raise TryAgain("the void was opened and is not there") from None
        return _same(found, asked)
    return void


class _Asked(NamedTuple):
    """What a void was asked for with, and by whom."""

    file: PinnedList | None
    reason: str
    by: str
    ends: Ends | None
    is_of_overpaid: bool
    asks_biller: bool


def _same(known: Void, asked: _Asked) -> Void:
    stands = _Asked(known.pinned, known.reason, known.requested_by, known.ends, known.is_of_overpaid, known.asks_biller)
    if stands != asked:
        raise VoidRefused("id_taken", "another void of this campaign has this id; choose a new one")
    return known


def _touched(campaign: Campaign, ports: VoidPorts, *, is_of_overpaid: bool) -> list[Campaign]:
    """The campaigns of whose decisions a void takes something back."""
    earlier = (CampaignId(campaign.id.incident_id, seq) for seq in campaign.follows) if is_of_overpaid else ()
    found = (ports.campaigns.campaign(one) for one in earlier)
    return [campaign, *(one for one in found if one is not None)]


def _existing(void_id: VoidId, ports: VoidPorts) -> Campaign:
    campaign = ports.campaigns.campaign(void_id.campaign)
    if campaign is None:
        raise VoidRefused("campaign_unknown", f"there is no campaign {void_id.campaign}")
    return campaign


def layout_of_file(pinned: PinnedList, campaign: Campaign, lists: ListStore) -> ListLayout:
    """How a file of accounts is read: with the campaign's own columns for account and subject. Raises VoidRefused."""
    if not 0 < pinned.size <= FILE_BYTES:
        raise VoidRefused("file_size", f"a file of accounts has 1 to {FILE_BYTES:,} bytes; divide it, or void the list")
    try:
        head = b"".join(lists.read(pinned, 0, min(pinned.size, HEADER_BYTES)))
        columns = ("account_id", *((campaign.subject,) if campaign.subject else ()))
        layout = read_layout(_format_of(pinned), head, pinned.size, columns)
    except ListRefused as refusal:
        raise VoidRefused(refusal.reason, str(refusal)) from None
    except (PinnedVersionGone, ListMissing):
        raise VoidRefused("list_missing", "the version of the file that is named is gone; upload it again") from None
    return replace(layout, account_ids=campaign.layout.account_ids, subject_ids=campaign.layout.subject_ids)


def _format_of(pinned: PinnedList) -> ListFormat:
    return ListFormat.JSONL if pinned.key.startswith("inline/") else format_of(pinned.key)


def _may_be_voided(campaign: Campaign, ports: VoidPorts, now: datetime, ends: Ends | None) -> None:
    """Raise VoidRefused while something is written for the campaign, or delivered of it.

    A delivery of a flagged campaign waits for its end: a void that ends it takes what is not assigned yet, and what is
    assigned is sent afterwards.
    """
    if campaign.state not in STARTED_FROM:
        raise VoidRefused(
            "campaign_at_work",
            f"campaign {campaign.id} is {campaign.state}; a void is of one that has ended, or cancel it",
        )
    until = may_write_until(campaign, ports.campaigns)
    if until is not None and now < until:
        raise VoidRefused(
            "workers_may_write", f"workers of {campaign.id} may write until {format_instant(until)}; try again then"
        )
    delivery = None if ends is not None else ports.deliveries.over_list(campaign.id)
    if delivery is not None and delivery.state is DeliveryState.ASSIGNING:
        raise VoidRefused("delivery_under_way", f"the delivery {delivery.id} is under way; try again when it is sent")


def _may_ask_biller(campaigns: Sequence[Campaign], ports: VoidPorts, ends: Ends | None) -> None:
    """Raise VoidRefused where nothing can be asked back of the biller: a void of what was never assigned leaves it all.

    A delivery that is not released may still be flagged: what it has assigned, no biller has.
    """
    if ends is Ends.UNASSIGNED:
        raise VoidRefused(
            "asked_apart", "a void of what was never assigned leaves to the biller what it has; void what is unused"
        )
    for campaign in campaigns:
        over_list = ports.deliveries.over_list(campaign.id)
        found = (*(() if over_list is None else (over_list,)), *ports.deliveries.over_additions(campaign.id))
        for one in found:
            if not one.is_released:
                raise VoidRefused(
                    "delivery_under_way",
                    f"the delivery {one.id} is {one.state}; what it has can be asked back once it is sent",
                )


def _no_void_may_write(campaign: Campaign, campaigns: CampaignStore, *, is_of_overpaid: bool) -> None:
    """Raise VoidRefused while another void of the campaign, or of those it set off, writes: a plan would count what
    that has not reached yet.
    """
    record = campaigns.incident(campaign.id.incident_id)
    if record is None or not record.voiding:
        return
    if is_of_overpaid or VoidId.parse(record.voiding).campaign == campaign.id:
        raise VoidRefused("void_runs", f"the void {record.voiding} runs; ask again when it has ended")


def persons_needed(void: Void, settings: GateSettings) -> int:
    """How many persons approve a void: as many as approve a plan of its size."""
    if settings.lone_operator:
        return 1
    totals = void.plan.totals
    if not void.requester or totals.decisions > SUBJECTS_FOR_ONE_PERSON:
        return PERSONS_MOST
    for measure, size in totals.by_measure(Share.VOIDABLE, Share.ASKABLE).items():
        threshold = settings.second_person_above.get(measure)
        if totals.decisions > SUBJECTS_WITHOUT_THRESHOLD if threshold is None else size > threshold:
            return PERSONS_MOST
    return 1


def approve_void(
    void_id: VoidId, plan_hash: str, action_id: str, caller: Caller, ports: VoidPorts, now: datetime
) -> Void:
    """Record a person's approval of a void's plan; the last one that is needed starts it. Safe to repeat.

    Raises PersonNeeded for a machine, VoidRefused, and TryAgain.
    """
    person = must_be_person(caller)
    if problem := approver_problem(person, ports.people, ports.door, now):
        raise VoidRefused("may_not_approve", problem)
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        void = _waiting(void_id, ports.voids)
        if known := next((one for one in void.approvals if one.id == action_id), None):
            if known.person == person.id:
                return void
            raise VoidRefused("id_taken", "another approval has this id; choose a new one")
        _must_wait(void)
        _must_be_hash(void, plan_hash)
        _must_be_another(void, person, ports)
        campaign = _existing(void_id, ports)
        touched = _touched(campaign, ports, is_of_overpaid=void.is_of_overpaid)
        if void.asks_biller:
            _may_ask_biller(touched, ports, void.ends)
        for one in touched:
            _may_be_voided(one, ports, now, void.ends)
        if void.ends is not None and campaign.state is not State.FLAGGED:
            raise VoidRefused("campaign_not_flagged", f"campaign {campaign.id} is {campaign.state}; it has ended since")
        given = (*void.approvals, VoidApproval(action_id, person.id, now))
        needed = persons_needed(void, ports.settings)
        incident: tuple[IncidentRecord, IncidentRecord] | None = None
        if len(given) < needed:
            after = void.moved(VoidState.AWAITING_APPROVAL, f"approved: {len(given)} of {needed} persons")
        else:
            incident = _occupied(campaign, void, ports.campaigns)
            after = replace(void.moved(VoidState.VOIDING, f"approved: by {len(given)}"), started_at=now)
        try:
            ports.voids.change(void, replace(after, approvals=given), incident)
        except Outdated:
            continue
        return ports.voids.void(void_id) or after
    raise TryAgain("the void's record keeps changing")


def reject_void(void_id: VoidId, plan_hash: str, reason: str, caller: Caller, ports: VoidPorts) -> Void:
    """End a void that waits, on a person's word. Safe to repeat. Raises PersonNeeded, VoidRefused and TryAgain."""
    person = must_be_person(caller)
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        void = _waiting(void_id, ports.voids)
        told = f"rejected by {person.id}: {reason}"
        if (void.state, void.state_reason) == (VoidState.REJECTED, told):
            return void
        _must_wait(void)
        _must_be_hash(void, plan_hash)
        try:
            ports.voids.change(void, void.moved(VoidState.REJECTED, told))
        except Outdated:
            continue
        return ports.voids.void(void_id) or void
    raise TryAgain("the void's record keeps changing")


def settle_void(void_id: VoidId, plan_hash: str, reason: str, caller: Caller, ports: VoidPorts) -> Void:
    """End a flagged void as it stands, on the word of a person who has looked. Nothing is written or given back.

    Safe to repeat. Raises PersonNeeded, VoidRefused and TryAgain.
    """
    person = must_be_person(caller)
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        void = _waiting(void_id, ports.voids)
        told = f"settled by {person.id}: {reason}; {void.state_reason}"
        if void.state is VoidState.SETTLED and void.state_reason.startswith(f"settled by {person.id}: {reason}; "):
            return void
        if void.state is not VoidState.FLAGGED:
            raise VoidRefused("not_flagged", f"the void is {void.state}; only a flagged one is settled")
        _must_be_hash(void, plan_hash)
        try:
            ports.voids.change(void, void.moved(VoidState.SETTLED, told))
        except Outdated:
            continue
        return ports.voids.void(void_id) or void
    raise TryAgain("the void's record keeps changing")


def _waiting(void_id: VoidId, voids: VoidStore) -> Void:
    void = voids.void(void_id)
    if void is None:
        raise VoidRefused("void_unknown", "there is no such void of this campaign")
    return void


def _must_wait(void: Void) -> None:
    if void.state is not VoidState.AWAITING_APPROVAL:
        raise VoidRefused("not_waiting", f"the void is {void.state}; only a plan that waits is approved or rejected")


def _must_be_hash(void: Void, plan_hash: str) -> None:
    if len(plan_hash) < HASH_DIGITS_SHOWN or not void.plan_hash.startswith(plan_hash):
        raise VoidRefused("plan_differs", "that is the hash of another plan; look at this void, then approve its hash")


def _must_be_another(void: Void, person: Person, ports: VoidPorts) -> None:
    """Who asked does not approve, and nobody does it twice, under whatever id."""
    others: Sequence[str] = [one.person for one in void.approvals]
    if void.requester and not ports.settings.lone_operator and not ports.people.are_two(person.id, void.requester):
        raise VoidRefused(
            "approver_is_requester", f"who asked for a void cannot approve it; ask another person ({APART})"
        )
    if not all(ports.people.are_two(person.id, other) for other in others):
        raise VoidRefused("approved_before", f"this person has approved it; another person is needed ({APART})")


def _occupied(campaign: Campaign, void: Void, campaigns: CampaignStore) -> tuple[IncidentRecord, IncidentRecord]:
    """The incident's record before and while the void runs. Raises VoidRefused where something else is under way."""
    if (halt := campaigns.halt()).is_on:
        raise VoidRefused("halted", f"the stack is halted ({halt.reason}); lift the halt first")
    record = campaigns.incident(campaign.id.incident_id)
    if record is None:
        raise VoidRefused("incident_unknown", "the campaign's incident is not there; report it")
    if record.voiding:
        raise VoidRefused("void_runs", f"the void {record.voiding} of this incident runs; wait until it has ended")
    if record.open_seq not in (None, campaign.id.seq):
        raise VoidRefused(
            "incident_occupied",
            f"campaign {record.incident_id}/{record.open_seq} is not finished; wait for it, or cancel it",
        )
    if void.is_of_overpaid:
        may_take_overpaid(campaign, campaigns, record)
    return record, with_void(record, str(void.id))


def may_take_overpaid(campaign: Campaign, campaigns: CampaignStore, record: IncidentRecord | None = None) -> None:
    """Raise VoidRefused where what a campaign found overpaid is not what is known best, or cannot be worked out.

    `record` is the incident's as it was read. Only a campaign that closed, and that no later one has set off, says what
    a subject is entitled to, and only as long as the incident is what it decided by.
    """
    if campaign.state is not State.CLOSED:
        raise VoidRefused(
            "campaign_not_closed", f"campaign {campaign.id} is {campaign.state}; only a closed one says what is owed"
        )
    if not campaign.follows:
        raise VoidRefused("nothing_earlier", f"campaign {campaign.id} sets off no earlier one, so nothing is overpaid")
    if len(campaign.follows) > CAMPAIGNS_MOST:
        raise VoidRefused(
            "too_many_earlier",
            f"campaign {campaign.id} sets off more than {CAMPAIGNS_MOST} earlier ones; void them one by one",
        )
    incident_id = campaign.id.incident_id
    record = campaigns.incident(incident_id) if record is None else record
    latest = None if record is None else campaigns.revision(incident_id, record.highest_revision)
    if record is None or latest is None:
        raise VoidRefused("incident_unknown", "the campaign's incident is not there; report it")
    for seq in record.applied:
        later = campaigns.campaign(CampaignId(incident_id, seq)) if seq > campaign.id.seq else None
        if later is not None and campaign.id.seq in later.follows:
            raise VoidRefused(
                "campaign_superseded", f"campaign {later.id} has decided since; void what that one found overpaid"
            )
    if latest.detail_type == DetailType.WITHDRAWN or is_amended(campaign, latest, campaigns):
        raise VoidRefused(
            "incident_amended",
            f"revision {latest.number} states something else than the campaign decided by; request the campaign again",
        )
    if changed := campaign.planned_otherwise():
        raise VoidRefused("planned_otherwise", f"{changed}; request the campaign again")
