"""Gives goodwill: within a person's limits at once, above them when a second person agrees.

Limits are compared with what was counted of the person, the account and the month. The counts, the decision and its
record are one step, on the condition that each count is as it was read. So however many give at once, no limit is
exceeded, and of two equal amounts the second one has to name the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kulanz.application.byhand.goodwill_store import Giving, GoodwillStore
from kulanz.application.byhand.open_month import opened_month
from kulanz.application.campaigns.open_campaign import OpenSettings
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, CampaignStore, ListStore, Outdated, TryAgain
from kulanz.domain.budgets import Draw
from kulanz.domain.byhand.counts import Count, CountOf, steps_with, used_by
from kulanz.domain.byhand.discretion import ByHand, Discretion, Needs, NotAllowed, needs
from kulanz.domain.byhand.goodwill import (
    EQUAL_WITHIN,
    WAITS,
    Goodwill,
    GoodwillState,
    differing,
    equals_of,
    goodwill_entry,
    month_campaign,
)
from kulanz.domain.campaigns.campaign import Campaign, State
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.lists.account_ids import IdProblem
from kulanz.domain.money import is_currency
from kulanz.domain.people.caller import APART, Caller, Door, Person, canonical_id, must_be_person
from kulanz.domain.people.people import People, approver_problem
from kulanz.domain.policy.document.owed import NOTHING_BILLED
from kulanz.domain.time import format_instant


class GoodwillRefused(Exception):
    """It is not given, and nothing was changed. `reason` is a code; the text says why and what to do.

    `field_name` is the field of the request that it is about, empty where it is about none. `id_is_taken`: the id
    stands for something else.
    """

    def __init__(
        self, reason: str, message: str, field_name: str = "", *, id_is_taken: bool = False, fields: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.fields = tuple(fields) or ((field_name,) if field_name else ())
        self.id_is_taken = id_is_taken


@dataclass(frozen=True, slots=True)
class GoodwillPorts:
    """The world that giving goodwill touches, and what holds of it now: who is whom, and what persons may give."""

    store: GoodwillStore
    campaigns: CampaignStore
    lists: ListStore
    people: People
    discretion: Discretion
    gate: GateSettings
    settings: OpenSettings
    channel: Channel | None = None
    door: Door = Door.IAM
    code_version: str = ""


def ask_goodwill(asked: Goodwill, caller: Caller, ports: GoodwillPorts, now: datetime) -> Goodwill:
    """Give what a person asks to give, or let it wait for a second person. The same again is the same answer.

    Raises PersonNeeded for a machine, GoodwillRefused and TryAgain.
    """
    person = must_be_person(caller)
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        known = ports.store.goodwill(asked.id)
        if known is not None:
            return _same(known, asked)
        _may_ask(asked, person, ports, now)
        _must_not_be_halted(ports)
        counts = _counts(asked, ports, now)
        _must_be_meant(asked, ports, now)
        needed = _needed(asked, counts, ports)
        try:
            if needed is Needs.SECOND:
                keep_until = int((now + WAITS + EQUAL_WITHIN).timestamp())
                ports.store.wait(asked, steps_with(counts, person.id, 0), keep_until)
                return asked
            return _give(None, asked.given(now), counts, ports, now)
        except Outdated:
            continue
    raise TryAgain("others keep giving to this account, or under this person's ids")


def _same(known: Goodwill, asked: Goodwill) -> Goodwill:
    if fields := differing(known, asked):
        raise GoodwillRefused(
            "id_taken", "this id stands for other goodwill; take another one", id_is_taken=True, fields=fields
        )
    return known


def approve_goodwill(goodwill_id: str, action_id: str, caller: Caller, ports: GoodwillPorts, now: datetime) -> Goodwill:
    """Agree, as the second person, to what waits: then it is given. Safe to repeat.

    What was given since it was asked for counts: it is given within the limits for two, or not at all. Raises
    PersonNeeded, GoodwillRefused and TryAgain.
    """
    person = must_be_person(caller)
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        waiting = _existing(goodwill_id, ports)
        if (waiting.state, waiting.decided_by, waiting.decided_as) == (GoodwillState.GIVEN, person.id, action_id):
            return waiting
        _may_decide(waiting, person, ports, now)
        _must_not_be_halted(ports)
        counts = _counts(waiting, ports, now)
        _needed(waiting, counts, ports)
        try:
            return _give(waiting, waiting.given(now, person.id, action_id), counts, ports, now)
        except Outdated:
            continue
    raise TryAgain("others keep giving to this account, or under the asking person's ids")


def reject_goodwill(
    goodwill_id: str, action_id: str, why: str, caller: Caller, ports: GoodwillPorts, now: datetime
) -> Goodwill:
    """End what waits, on a person's word. Safe to repeat. Raises PersonNeeded, GoodwillRefused and TryAgain."""
    person = must_be_person(caller)
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        waiting = _existing(goodwill_id, ports)
        after = waiting.rejected(person.id, action_id, why, now)
        if (waiting.state, waiting.decided_by, waiting.decided_as) == (after.state, person.id, action_id):
            return waiting
        _must_wait(waiting, now)
        _must_not_have_left(person, ports, now)
        try:
            ports.store.reject(waiting, after)
        except Outdated:
            continue
        return after
    raise TryAgain("what waits keeps changing")


# What has to hold


def _may_ask(asked: Goodwill, person: Person, ports: GoodwillPorts, now: datetime) -> None:
    _must_not_have_left(person, ports, now)
    shape = ports.settings.account_ids
    read = asked.account_id if shape is None else shape.reader()(asked.account_id)
    if isinstance(read, IdProblem):
        raise GoodwillRefused("account_shape", f"expected {read.expected}", "account")
    if asked.about and ports.campaigns.incident(asked.about) is None:
        raise GoodwillRefused(
            "incident_unknown", "no such incident is recorded; leave it out, or correct it", "incident"
        )
    try:
        ports.discretion.reason(asked.reason, asked.note)
    except NotAllowed as problem:
        raise GoodwillRefused(problem.reason, str(problem), problem.field_name) from None


def _must_not_have_left(person: Person, ports: GoodwillPorts, now: datetime) -> None:
    if ports.people.has_left(person.id, now):
        raise GoodwillRefused("person_left", "the people file says that the person with this id has left")


def _must_not_be_halted(ports: GoodwillPorts) -> None:
    if ports.campaigns.halt().is_on:
        raise GoodwillRefused("halted", "the stack is halted: nothing is given until that is lifted")


def _needed(asked: Goodwill, counts: tuple[Count, ...], ports: GoodwillPorts) -> Needs:
    person = ports.people.listed(asked.asked_by)
    try:
        return needs(ByHand.GOODWILL, asked.measure, asked.size, used_by(counts), ports.discretion, person)
    except NotAllowed as problem:
        raise GoodwillRefused(problem.reason, str(problem), problem.field_name) from None


def _must_be_meant(asked: Goodwill, ports: GoodwillPorts, now: datetime) -> None:
    """An equal amount within thirty days is named, or it is likely the same one twice."""
    known = ports.store.of_account(asked.account_id)
    if asked.repeat_of and asked.repeat_of not in {one.id for one in known}:
        raise GoodwillRefused("repeat_unknown", "no goodwill of this account has that id", "repeat_of")
    equal = equals_of(asked, known, now)
    if equal and asked.repeat_of not in {one.id for one in equal}:
        named = ", ".join(f"{one.id} ({one.state}, {format_instant(one.given_at or one.asked_at)})" for one in equal)
        raise GoodwillRefused(
            "equal_before",
            f"the account has an equal amount of the last {EQUAL_WITHIN.days} days: {named}; if a second one is"
            " meant, state the earlier id as repeat_of (kulanz goodwill --repeat-of)",
            "repeat_of",
        )


def _existing(goodwill_id: str, ports: GoodwillPorts) -> Goodwill:
    found = ports.store.goodwill(goodwill_id)
    if found is None:
        raise GoodwillRefused("goodwill_unknown", "there is no goodwill with this id")
    return found


def _must_wait(waiting: Goodwill, now: datetime) -> None:
    if waiting.state is not GoodwillState.WAITING:
        raise GoodwillRefused("not_waiting", f"this is {waiting.state}; only what waits is approved or rejected")
    if waiting.is_over(now):
        raise GoodwillRefused("waited_too_long", f"it waited {WAITS.days} days; ask for it again under another id")


def _may_decide(waiting: Goodwill, person: Person, ports: GoodwillPorts, now: datetime) -> None:
    _must_wait(waiting, now)
    if problem := approver_problem(person, ports.people, ports.door, now):
        raise GoodwillRefused("may_not_approve", problem)
    if not ports.gate.lone_operator and not ports.people.are_two(person.id, waiting.asked_by):
        raise GoodwillRefused(
            "approver_is_asker", f"who asked for it is not the second person; ask another person ({APART})"
        )


# What is counted and written


def _counts(asked: Goodwill, ports: GoodwillPorts, now: datetime) -> tuple[Count, ...]:
    """What counts in the month of an amount: of every id of the person who asks, and of the account."""
    month, listed = ports.discretion.month_of(now), ports.people.listed(asked.asked_by)
    ids = dict.fromkeys([asked.asked_by, *(() if listed is None else map(canonical_id, listed.ids))])
    of_person = [CountOf(ByHand.GOODWILL, month, asked.measure, person=one) for one in ids]
    of_account = CountOf(ByHand.GOODWILL, month, asked.measure, account=asked.account_id)
    return ports.store.counts([*of_person, of_account])


def _give(
    before: Goodwill | None, after: Goodwill, counts: tuple[Count, ...], ports: GoodwillPorts, now: datetime
) -> Goodwill:
    """Write it. Raises Outdated where something moved, and GoodwillRefused where the month's campaign is stopped."""
    campaign = _months_campaign(after, ports, now)
    reason = ports.discretion.reasons.get(after.reason)
    bill = NOTHING_BILLED if reason is None else reason.bill
    entry = goodwill_entry(after, campaign.policy_hash, campaign.decidable_until, bill)
    draws: tuple[Draw, ...] = ()
    if is_currency(after.measure):
        draws = (Draw(after.measure, ports.gate.budget_month(now), int(after.size)),)
    ports.store.give(Giving(before, after, entry, steps_with(counts, after.asked_by, after.size), draws))
    return after


def _months_campaign(after: Goodwill, ports: GoodwillPorts, now: datetime) -> Campaign:
    campaign = ports.campaigns.campaign(month_campaign(now))
    if campaign is None:
        ports.store.open_month(
            opened_month(now, ports.lists, ports.settings, ports.channel, after.asked_by, ports.code_version)
        )
        campaign = ports.campaigns.campaign(month_campaign(now))
    if campaign is None:
        raise TryAgain("the month's campaign was opened and is not there")
    if campaign.state is not State.CLOSED:
        raise GoodwillRefused(
            "campaign_stopped", f"campaign {campaign.id} is {campaign.state}; nothing is given in its month"
        )
    return campaign
