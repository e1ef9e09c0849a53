"""What a person does with a credit that the biller rejected or took back: send it again, or write it off.

One step each: the entry of the decision, the sums of its campaign, what is due, and, of a credit that is sent again,
its place among the additions that the next delivery has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from kulanz.application.delivery.world import CreditLedger, EntriesChange
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, CampaignStore, Outdated, TryAgain
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.decision import Benefit
from kulanz.domain.delivery.answers import credit_in
from kulanz.domain.delivery.credit import Size
from kulanz.domain.delivery.entries import (
    ENTRIES_BYTES,
    ENTRIES_MOST,
    AddResult,
    CreditEntries,
    CreditEntry,
    CreditState,
    EntryKind,
    Standing,
    add_entry,
    entries_text,
    standing,
)
from kulanz.domain.delivery.moved import Moves, moved_by
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import DecisionKey, granted_benefits
from kulanz.domain.people.caller import APART, Caller, Door, Person, must_be_person
from kulanz.domain.people.people import People, approver_problem

ACTION_DIGITS = 10
"""Of the id that a person chose, as an entry has it: hexadecimal digits of its digest, because entries have 2 KB."""
ENTRIES_TO_COME, BYTES_TO_COME = 3, 330
"""What a credit that is sent again adds to its decision's entries at least: assigned, accepted and applied. Without
room for these it would be on a bill, and no answer could say so."""
FOR_A_PERSON = frozenset({CreditState.REJECTED, CreditState.TAKEN_BACK})
"""The states in which nothing of a credit is booked, so that a person may say what becomes of it."""


class CreditRefused(Exception):
    """Nothing was done with the credit. `reason` is a code; the text says why and what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


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
    settings: GateSettings
    people: People
    door: Door = Door.IAM


@dataclass(frozen=True, slots=True)
class CreditAction:
    """What a person does with which credit. `id` is the person's own; `account` corrects the account's key at the
    biller. `kind` is SEND_AGAIN or WRITTEN_OFF.
    """

    id: str
    kind: EntryKind
    key: DecisionKey
    credit_id: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of it: where the credit stands, and whether a second person has to write it off, too."""

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
            return Acted(stands, known.kind is EntryKind.WRITE_OFF_ASKED and stands.state in FOR_A_PERSON)
        if stands.state not in FOR_A_PERSON or attempt != stands.attempt:
            said = f"the credit is {stands.state.value.replace('_', ' ')}"
            raise CreditRefused("not_rejected", f"{said}; only what was rejected or taken back can be sent again")
        kind = _kind(action, entries, place, person, ports, measure, size)
        # Who it was stands in the audit log, under the action's id; here only where another person has to follow.
        by = person.id if kind is EntryKind.WRITE_OFF_ASKED else "person"
        new = CreditEntry(kind, now, by, mine, (place,), account=action.account)
        adding = add_entry(entries, new, {place: size})
        if adding.result is not AddResult.ADDED or not _has_room(adding.entries, kind, benefits):
            told = "nothing more can be noted of the credits of this decision"
            raise CreditRefused("entries_full", f"{told}; write the credit off, or void it and grant it anew")
        moves = Moves()
        moves.take(action.key.campaign, moved_by(adding.entries, len(entries), place, benefits[place]))
        is_again = kind is EntryKind.SEND_AGAIN
        addition = Addition(AdditionKind.AGAIN, action.key, now, person.id, place) if is_again else None
        channel = stands.delivery.rpartition("/")[0]
        try:
            change = EntriesChange(action.key, entries, adding.entries)
            ports.actions.write(change, channel, moves, addition, booked.entry.ttl)
        except Outdated:
            continue
        return Acted(standing(adding.entries, place, size), kind is EntryKind.WRITE_OFF_ASKED)
    raise TryAgain("the credit's entries keep changing, or its campaign's delivery opens")


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
    entries: CreditEntries,
    place: int,
    person: Person,
    ports: CreditPorts,
    measure: str,
    size: Size,
) -> EntryKind:
    """What is written: above the second person's amount a write-off is only asked for, until another person says so."""
    most = ports.settings.second_person_above.get(measure)
    if action.kind is not EntryKind.WRITTEN_OFF or most is None or size <= most or ports.settings.lone_operator:
        return action.kind
    asked = [one.by for one in entries if one.kind is EntryKind.WRITE_OFF_ASKED and place in one.benefits]
    if not asked:
        return EntryKind.WRITE_OFF_ASKED
    if not all(ports.people.are_two(person.id, other) for other in asked):
        raise CreditRefused("asked_before", f"this person has written it off; another person is needed ({APART})")
    return EntryKind.WRITTEN_OFF
