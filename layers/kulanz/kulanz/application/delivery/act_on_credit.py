"""What a person does with a credit that the biller rejected or took back: send it again, perhaps to another channel, or
write it off.

One step each: the entry of the decision, the sums of its campaign, what is due, and, of a credit that is sent again,
its place among the additions that the next delivery has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from kulanz.application.delivery.reject_codes import KnownCodes
from kulanz.application.delivery.world import CreditLedger, EntriesChange, RejectCodes
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, CampaignStore, Outdated, TryAgain
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.decision import Benefit
from kulanz.domain.delivery.answers import credit_in
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.entries import (
    ASKED,
    ENTRIES_BYTES,
    ENTRIES_MOST,
    CreditEntries,
    CreditEntry,
    EntryKind,
    channel_of,
    entries_text,
)
from kulanz.domain.delivery.moved import Moves, moved_by
from kulanz.domain.delivery.standing import AddResult, CreditState, Standing, add_entry, standing
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import DecisionKey, granted_benefits
from kulanz.domain.money import Size
from kulanz.domain.people.caller import APART, Caller, Door, Person, must_be_person
from kulanz.domain.people.people import People, approver_problem
from kulanz.domain.refusal import WithReason

ACTION_DIGITS = 10
"""Of the id that a person chose, as an entry has it: hexadecimal digits of its digest, because entries have 2 KB."""
ENTRIES_TO_COME, BYTES_TO_COME = 3, 330
"""What a credit that is sent again adds to its decision's entries at least: assigned, accepted and applied. Without
room for these it would be on a bill, and no answer could say so."""
FOR_A_PERSON = frozenset({CreditState.REJECTED, CreditState.TAKEN_BACK})
"""The states in which nothing of a credit is booked, so that a person may say what becomes of it."""


class CreditRefused(WithReason):
    """Nothing was done with the credit. `reason` is a code; the text says why and what to do."""


class CreditActions(Protocol):
    """Writes what persons do with single credits."""

    def write(self, change: EntriesChange, channel: str, moves: Moves, addition: Addition | None, ttl: int) -> None:
        """Write the entries of a decision as they were read, what they move of its campaign's sums of the channel and
        of what is due, and an addition to be delivered, in one step. The addition is kept as long as its decision:
        until `ttl` (seconds since 1970).

        Raises Outdated where the entries are not as they were read, the stack is halted, or a delivery was opened over
        the addition's instant.
        """


@dataclass(frozen=True, slots=True)
class CreditPorts:
    """The world that acting on a credit touches."""

    campaigns: CampaignStore
    credits: CreditLedger
    actions: CreditActions
    codes: RejectCodes
    settings: GateSettings
    people: People
    door: Door = Door.IAM
    channels: Mapping[str, Channel] = field(default_factory=dict)
    """The channels of the stack by name: where a credit can be sent to, beside the one of its campaign's plan."""


@dataclass(frozen=True, slots=True)
class CreditAction:
    """What a person does with which credit. `id` is the person's own; `account` corrects the account's key at the
    biller. `kind` is SEND_AGAIN or WRITTEN_OFF. `channel` names another channel than the one that the credit was
    delivered to; empty to send it there again.
    """

    id: str
    kind: EntryKind
    key: DecisionKey
    credit_id: str
    account: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of it: where the credit stands, and whether a second person has to say the same, too."""

    stands: Standing
    waits: bool


def act_on_credit(action: CreditAction, caller: Caller, ports: CreditPorts, now: datetime) -> Acted:
    """Do what a person says, once. Raises PersonNeeded for a machine, CreditRefused, and TryAgain."""
    person = must_be_person(caller)
    if problem := approver_problem(person, ports.people, ports.door, now):
        raise CreditRefused("may_not_act", problem)
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        if (halt := ports.campaigns.halt()).is_on:
            raise CreditRefused("halted", f"the stack is halted ({halt.reason}); lift the halt first")
        booked = ports.credits.booked([action.key]).get(action.key)
        benefits = () if booked is None else granted_benefits(booked.entry)
        entries = () if booked is None else booked.entries
        found = credit_in(action.key, len(benefits), entries, action.credit_id)
        if booked is None or found is None:
            raise CreditRefused("unknown_credit", "no credit of this account has the id; compare it with the delivery")
        place, attempt = found
        measure, size = worth_of(benefits[place])
        stands = standing(entries, place, size)
        mine = f"by/{sha256(action.id.encode()).hexdigest()[:ACTION_DIGITS]}"
        if known := next((one for one in entries if one.id == mine), None):
            return Acted(stands, known.kind in ASKED and stands.state in FOR_A_PERSON)
        if stands.state not in FOR_A_PERSON or attempt != stands.attempt:
            said = f"the credit is {stands.state.value.replace('_', ' ')}"
            raise CreditRefused("not_rejected", f"{said}; only what was rejected or taken back can be sent again")
        if stands.asked_back:
            told = "it is asked back, and the biller has not answered that; read its answer first. A biller that has"
            raise CreditRefused("reversal_under_way", f"{told} nothing of the credit rejects the reversal")
        lane = _Lane.of(action, stands, ports)
        kind = _kind(action, lane, entries, place, person, ports, measure, size - stands.voided)
        # Who it was stands in the audit log, under the action's id; here only where another person has to follow.
        by = person.id if kind in ASKED else "person"
        new = CreditEntry(kind, now, by, mine, (place,), account=action.account, channel=lane.moves_to)
        adding = add_entry(entries, new, {place: size})
        if adding.result is not AddResult.ADDED or not _has_room(adding.entries, kind, benefits):
            told = "nothing more can be noted of the credits of this decision"
            raise CreditRefused("entries_full", f"{told}; write the credit off, or void it and grant it anew")
        moves = Moves()
        moved = moved_by(adding.entries, len(entries), place, benefits[place])
        moves.take(action.key.campaign, moved, KnownCodes(ports.codes).counting(action.key.campaign, moved))
        is_again = kind is EntryKind.SEND_AGAIN
        addition = Addition(AdditionKind.AGAIN, action.key, now, person.id, place, lane.beside) if is_again else None
        channel = channel_of(stands.delivery)
        try:
            change = EntriesChange(action.key, entries, adding.entries)
            ports.actions.write(change, channel, moves, addition, booked.entry.ttl)
        except Outdated:
            continue
        return Acted(standing(adding.entries, place, size), kind in ASKED)
    raise TryAgain("the credit's entries keep changing, or its campaign's delivery opens")


@dataclass(frozen=True, slots=True)
class _Lane:
    """Where a credit goes. `moves_to` is the channel, with its form, where it is another one than the one that had the
    credit. `beside` is that of its next delivery where it is not the plan's.
    """

    moves_to: str = ""
    beside: str = ""

    @classmethod
    def of(cls, action: CreditAction, stands: Standing, ports: CreditPorts) -> "_Lane":
        """Raises CreditRefused where the stack has no such channel."""
        has_it = channel_of(stands.delivery)
        name = action.channel or has_it
        if action.kind is not EntryKind.SEND_AGAIN or (name == has_it and not stands.channel):
            return cls()
        plan = ports.campaigns.filed_plan(action.key.campaign)
        own = None if plan is None else plan.channel
        if own is not None and name == own.name:
            return cls(moves_to="" if name == has_it else own.text)
        if name == has_it:
            return cls(beside=stands.channel)
        if (found := ports.channels.get(name)) is None:
            known = ", ".join(sorted({*ports.channels, *({own.name} if own is not None else ())})) or "none"
            raise CreditRefused("channel_unknown", f"the stack has no such channel; it has {known} (OtherChannels)")
        return cls(moves_to=found.text, beside=found.text)


def _has_room(entries: CreditEntries, kind: EntryKind, benefits: Sequence[Benefit]) -> bool:
    """Whether the entries of a decision have room for what follows when its credits are sent again."""
    if kind is not EntryKind.SEND_AGAIN:
        return True
    stand = [standing(entries, place, worth_of(one)[1]) for place, one in enumerate(benefits)]
    waiting = sum(one.state is CreditState.DUE and bool(one.delivery) for one in stand)
    fits = len(entries_text(entries).encode()) + waiting * BYTES_TO_COME <= ENTRIES_BYTES
    return fits and len(entries) + waiting * ENTRIES_TO_COME <= ENTRIES_MOST


def _kind(
    action: CreditAction,
    lane: _Lane,
    entries: CreditEntries,
    place: int,
    person: Person,
    ports: CreditPorts,
    measure: str,
    size: Size,
) -> EntryKind:
    """What is written: above the second person's amount a write-off, and another channel, are only asked for, until
    another person says the very same of the same rejection.
    """
    most = ports.settings.second_person_above.get(measure)
    needs_two = action.kind is EntryKind.WRITTEN_OFF or lane.moves_to
    if not needs_two or most is None or size <= most or ports.settings.lone_operator:
        return action.kind
    asking = EntryKind.REDIRECT_ASKED if lane.moves_to else EntryKind.WRITE_OFF_ASKED
    said = asking, action.account, lane.moves_to
    mine = [one for one in entries if place in one.benefits]
    latest = max((number for number, one in enumerate(mine) if one.kind is EntryKind.ASSIGNED), default=0)
    asked = [one.by for one in mine[latest:] if (one.kind, one.account, one.channel) == said]
    if not asked:
        return asking
    if not all(ports.people.are_two(person.id, other) for other in asked):
        raise CreditRefused("asked_before", f"this person has said so before; another person is needed ({APART})")
    return action.kind
