"""Answers "did I get it, and why that much?" for one account: ledger, frozen policy and pinned list together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from kulanz.application.campaigns.frozen import thaw
from kulanz.application.ledger.accept_offer import ended_offers
from kulanz.application.ports import CampaignStore, Ledger, ListStore, PinnedVersionGone
from kulanz.domain.campaigns.campaign import ENDED, Campaign, Pass
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.earlier_decisions import Before, still_owed
from kulanz.domain.identifiers import ACCOUNT_ID_EXPECTED, is_account_id
from kulanz.domain.ledger import Entry, earlier_grants, is_expired, is_offer, kept_before, read_decision
from kulanz.domain.lists.lines import LINE_BYTES, lines_starting_in
from kulanz.domain.lists.rows import LineReader, Row, line_reader
from kulanz.domain.money import Money, format_amount, is_currency
from kulanz.domain.policy.deciding.history import HISTORY_CHANGED, HISTORY_FULL, HISTORY_SETTLED
from kulanz.domain.policy.explaining.explanation import explain

HELD_FOR_HISTORY = {
    HISTORY_CHANGED: (
        "Held all the same: after this campaign was planned, another incident changed what is kept of this subject, so"
        " that something else is owed than was planned and approved. A further campaign of this incident decides it."
    ),
    HISTORY_FULL: (
        "Held all the same: this subject's history has more incidents than are counted automatically. It needs a"
        " manual review."
    ),
    HISTORY_SETTLED: (
        "Held all the same: time of this incident was added up and paid for with another incident. A person decides"
        " what is owed beside that."
    ),
}
"""Why a subject is held by what is kept of it, whatever its facts come to."""


class Explained(StrEnum):
    """Whether the explanation could be made again from the pinned row."""

    AGREES = "agrees"
    DIFFERS = "differs"
    LIST_GONE = "list_gone"
    ROW_UNREADABLE = "row_unreadable"


@dataclass(frozen=True, slots=True)
class AnsweredDecision:
    """One decision with its explanation. `recomputed` is what the policy says today of the same row; `has_ended` says
    that a later campaign replaces what it offers.
    """

    entry: Entry
    decision: Decision
    campaign: Campaign | None
    expired: bool
    steps: tuple[str, ...]
    explained: Explained
    recomputed: Decision | None
    has_ended: bool = False
    is_late: bool = False
    """Whether the time to accept what is offered is over."""


@dataclass(frozen=True, slots=True)
class Answer:
    """All decisions about an account, and the incident's campaigns (to tell "not listed" from "not decided yet")."""

    account_id: str
    decisions: tuple[AnsweredDecision, ...]
    campaigns: tuple[Campaign, ...]
    asked_at: datetime

    def is_listed_nowhere(self) -> bool:
        """Whether no decision means that no list has a good row of the account.

        A campaign that ended before its list was decided says nothing about it, nor does one whose decisions are so
        old that they may have been deleted. Where no campaign is known, nothing is.
        """
        known = bool(self.campaigns) and not self.decisions
        return known and all(
            campaign.is_finished(Pass.APPLY) and self.asked_at < campaign.decidable_until for campaign in self.campaigns
        )

    def is_final(self) -> bool:
        """Whether no campaign of the incident is still at work."""
        return all(campaign.state in ENDED for campaign in self.campaigns)


@dataclass(frozen=True, slots=True)
class AnswerPorts:
    """The world that an answer reads; it writes nothing."""

    campaigns: CampaignStore
    lists: ListStore
    ledger: Ledger


def answer(account_id: str, incident_id: str | None, ports: AnswerPorts, now: datetime) -> Answer:
    """Everything that was decided about an account (for one incident). Raises ValueError for an impossible id."""
    if not is_account_id(account_id):
        raise ValueError(f"an account id is {ACCOUNT_ID_EXPECTED}")
    decisions = []
    for entry in ports.ledger.of_account(account_id, incident_id):
        campaign = ports.campaigns.campaign(entry.key.campaign)
        explained = _explain(entry, campaign, ports, now)
        if is_offer(entry):
            until = explained.decision.claim_until
            is_late = until is not None and now >= until
            explained = replace(explained, has_ended=_has_ended(entry, ports.campaigns), is_late=is_late)
        decisions.append(explained)
    campaigns = () if incident_id is None else tuple(ports.campaigns.campaigns_of(incident_id))
    return Answer(account_id, tuple(decisions), campaigns, now)


def _has_ended(entry: Entry, campaigns: CampaignStore) -> bool:
    incident = campaigns.incident(entry.key.incident_id)
    return incident is not None and bool(ended_offers(incident, campaigns, [entry.key.seq]))


def _explain(entry: Entry, campaign: Campaign | None, ports: AnswerPorts, now: datetime) -> AnsweredDecision:
    decision, expired = read_decision(entry.body), is_expired(entry, now)
    if campaign is None:
        return AnsweredDecision(entry, decision, None, expired, (), Explained.LIST_GONE, None)
    policy = thaw(campaign, ports.campaigns.frozen(campaign.id))
    try:
        row = _row_at(campaign, entry.origin, ports.lists, line_reader(campaign.layout, policy.facts, policy.subject))
    except PinnedVersionGone:
        return AnsweredDecision(entry, decision, campaign, expired, (), Explained.LIST_GONE, None)
    if row is None or row.account_id != entry.key.account_id:
        return AnsweredDecision(entry, decision, campaign, expired, (), Explained.ROW_UNREADABLE, None)
    whole, earlier = explain(policy, row.values, kept_before(entry.body)), earlier_grants(entry.body)
    if decision.reason in HELD_FOR_HISTORY:
        steps = (*whole.steps, HELD_FOR_HISTORY[decision.reason])
        return AnsweredDecision(entry, decision, campaign, expired, steps, Explained.AGREES, decision)
    recomputed = whole.decision
    steps = whole.steps
    if earlier:
        granted = {measure: Decimal(size) for measure, size in earlier.items()}
        before = Before(Outcome.GRANTED, tuple(granted.items()))
        recomputed = still_owed(whole.decision, before) or whole.decision
        steps = (*steps, _set_off(granted))
    explained = Explained.AGREES if recomputed == decision else Explained.DIFFERS
    return AnsweredDecision(entry, decision, campaign, expired, steps, explained, recomputed)


def _set_off(granted: Mapping[str, Decimal]) -> str:
    """The step of the arithmetic by which a later campaign grants only what is missing."""
    told = ", ".join(_amount(measure, size) for measure, size in sorted(granted.items()))
    return f"Granted before for this incident: {told}. It is set off, and the rest is granted now."


def _amount(measure: str, size: Decimal) -> str:
    if is_currency(measure):
        return f"{format_amount(Money(int(size), measure))} {measure}"
    return f"{size} {measure}"


def _row_at(campaign: Campaign, origin: int, lists: ListStore, reader: LineReader) -> Row | None:
    """The row that starts at byte `origin` of the pinned list; None when it is not a row any more."""
    data_start, size = campaign.chunks.data_start, campaign.chunks.size
    if not data_start <= origin < size:
        return None
    read_from = origin if origin == data_start else origin - 1
    blocks = lists.read(campaign.pinned, read_from, min(origin + LINE_BYTES + 2, size))
    line = next(lines_starting_in(blocks, read_from, origin, origin + 1, data_start), None)
    if line is None or not line.raw or line.offset != origin:
        return None
    row = reader.row(line.raw)
    return row if isinstance(row, Row) else None
