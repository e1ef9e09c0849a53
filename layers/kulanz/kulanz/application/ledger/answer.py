"""Answers "did I get it, and why that much?" for one account: ledger, frozen policy and pinned list together."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from kulanz.application.campaigns.frozen import thaw, thaw_incident
from kulanz.application.campaigns.read_history import HISTORY_OF_FORMER_ID
from kulanz.application.ledger.accept_offer import ended_offers
from kulanz.application.ledger.listed_row import ListedRow, listed_row
from kulanz.application.ports import CampaignStore, Ledger, ListStore, PinnedVersionGone
from kulanz.domain.byhand.goodwill import about_of, goodwill_steps
from kulanz.domain.campaigns.campaign import ENDED, Campaign, Pass
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.identifiers import ACCOUNT_ID_EXPECTED, is_account_id, month_of_goodwill
from kulanz.domain.incident_record import DetailType
from kulanz.domain.ledger.earlier_decisions import (
    ASKED_BACK,
    CHANGED_SINCE_PLAN,
    GRANTED_UNDER_FORMER_ID,
    Before,
    still_owed,
)
from kulanz.domain.ledger.entries import (
    Entry,
    earlier_grants,
    history_read,
    is_expired,
    is_of_rejected_row,
    is_offer,
    read_decision,
)
from kulanz.domain.ledger.former_accounts import DECIDED_UNDER_FORMER_ID, DECIDED_UNDER_NEW_ID, other_id
from kulanz.domain.ledger.hand_decision import CaseKind, HandDecision, Way
from kulanz.domain.lists.facts import FactError
from kulanz.domain.lists.lines import LINE_BYTES, lines_starting_in
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import LineReader, Record, Row
from kulanz.domain.lists.supplied_facts import with_supplied
from kulanz.domain.lists.unread_columns import OWN_COLUMNS
from kulanz.domain.money import Money, amount_words, format_amount, is_currency
from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.policy.deciding.history import HISTORY_CHANGED, HISTORY_FULL, HISTORY_SETTLED
from kulanz.domain.policy.explaining.benefits import worth_words
from kulanz.domain.policy.explaining.explanation import explain

SEARCHED_BYTES_MOST = 256 * 1024 * 1024
"""A pinned list up to this size is searched for a subject: some seconds on the way to an answer, 5 million lines."""

HELD_ALL_THE_SAME = {
    CHANGED_SINCE_PLAN: (
        "Held all the same: while this campaign's plan waited for its approval, what this subject had been granted for"
        " this incident changed, as when an offer is accepted. What was planned may not be what is owed now. A further"
        " campaign of this incident decides it."
    ),
    HISTORY_CHANGED: (
        "Held all the same: after this campaign was planned, another incident changed what is kept of this subject, so"
        " that something else is owed than was planned and approved. A further campaign of this incident decides it."
    ),
    HISTORY_FULL: (
        "Held all the same: this subject's history has more incidents than are counted automatically. It needs a"
        " manual review."
    ),
    HISTORY_SETTLED: (
        "Held all the same: time of this incident was added up and paid for with another incident."
        " A manual review decides what is owed beside that."
    ),
    ASKED_BACK: (
        "Held all the same: a void asked the biller to take back some of what was granted for this incident, and the"
        " biller has not answered. A further campaign decides what is owed once it has."
    ),
    GRANTED_UNDER_FORMER_ID: (
        "Held all the same: something was granted for this incident under the id that the account had before, and the"
        " account had given that id up when the incident began. It may have been granted to another account. A manual"
        " review decides what is owed."
    ),
    HISTORY_OF_FORMER_ID: (
        "Held all the same: what is kept of earlier incidents stands under the account's present id and under its"
        " former one, and it is not known what replaces what. A manual review decides what is owed."
    ),
    DECIDED_UNDER_FORMER_ID: (
        "Nothing more is owed: what the account is owed for this incident was decided under the id that it had before."
    ),
}
"""Why a subject is held, or has all, by what was decided about it elsewhere, whatever its facts come to."""
_REPORTS_EARLIER = frozenset({ASKED_BACK, CHANGED_SINCE_PLAN, GRANTED_UNDER_FORMER_ID, DECIDED_UNDER_FORMER_ID})


class Explained(StrEnum):
    """Whether the explanation could be made again from the pinned row."""

    AGREES = "agrees"
    DIFFERS = "differs"
    LIST_GONE = "list_gone"
    ROW_UNREADABLE = "row_unreadable"


@dataclass(frozen=True, slots=True)
class AnsweredDecision:
    """One decision with its explanation. `recomputed` is what the policy says today of the same row; `has_ended` says
    that a later campaign replaces what it offers. `because` is what the policy lets support tell the customer of it,
    where it says that of this very decision.
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
    because: str = ""


@dataclass(frozen=True, slots=True)
class AnsweredIncident:
    """What the latest revision of an incident says: its title, when it began, and whether it was withdrawn."""

    title: str
    began: datetime
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """All decisions about an account, and the incident's campaigns (to tell "not listed" from "not decided yet").

    `incidents` are those that were decided or asked about, as far as they are recorded. `found_as` is what was asked
    for where that is a subject (a line, a service) of the account.
    """

    account_id: str
    decisions: tuple[AnsweredDecision, ...]
    campaigns: tuple[Campaign, ...]
    asked_at: datetime
    incidents: Mapping[str, AnsweredIncident] = field(default_factory=dict)
    found_as: str = ""

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


def answer(
    account_id: str, incident_id: str | None, ports: AnswerPorts, now: datetime, subject: str | None = None
) -> Answer:
    """Everything that was decided about an account (for one incident, or one `subject` of the account).

    Where nothing was decided about `account_id`, it is looked for as a subject: a line, service or premises in the
    pinned lists of the incident. Raises ValueError for an impossible id.
    """
    if not is_account_id(account_id):
        raise ValueError(f"an account id is {ACCOUNT_ID_EXPECTED}")
    campaigns = () if incident_id is None else tuple(ports.campaigns.campaigns_of(incident_id))
    entries, found_as = _entries(account_id, incident_id, ports), ""
    if not entries and subject is None:
        owner = next(filter(None, (_owner_of(account_id, campaign, ports) for campaign in campaigns)), None)
        if owner is not None:
            account_id, subject, found_as = owner, account_id, account_id
            entries = _entries(account_id, incident_id, ports)
    asked = [entry for entry in entries if subject is None or entry.key.subject == subject]
    decisions = [_answered(entry, ports, now) for entry in asked]
    named = dict.fromkeys([*(entry.key.incident_id for entry in asked), *([incident_id] if incident_id else [])])
    incidents = {name: told for name in named if (told := _incident(name, ports.campaigns)) is not None}
    return Answer(account_id, tuple(decisions), campaigns, now, incidents, found_as)


def _entries(account_id: str, incident_id: str | None, ports: AnswerPorts) -> list[Entry]:
    """An account's decisions; of one incident with what was given by hand about it."""
    if incident_id is None:
        return ports.ledger.of_account(account_id)
    entries = ports.ledger.of_account(account_id)
    return [one for one in entries if incident_id == one.key.incident_id or _is_about(one, incident_id)]


def _is_about(entry: Entry, incident_id: str) -> bool:
    return bool(month_of_goodwill(entry.key.incident_id)) and about_of(entry.body) == incident_id


def _answered(entry: Entry, ports: AnswerPorts, now: datetime) -> AnsweredDecision:
    campaign = ports.campaigns.campaign(entry.key.campaign)
    explained = _explain(entry, campaign, ports, now)
    if entry.by_hand is not None:
        steps = (*explained.steps, *_hand_steps(entry, entry.by_hand, campaign, ports))
        return replace(explained, steps=steps, because="")
    if not is_offer(entry):
        return explained
    until = explained.decision.claim_until
    is_late = until is not None and now >= until
    return replace(explained, has_ended=_has_ended(entry, ports.campaigns), is_late=is_late)


def _has_ended(entry: Entry, campaigns: CampaignStore) -> bool:
    incident = campaigns.incident(entry.key.incident_id)
    return incident is not None and bool(ended_offers(incident, campaigns, [entry.key.seq]))


def _incident(incident_id: str, campaigns: CampaignStore) -> AnsweredIncident | None:
    if month := month_of_goodwill(incident_id):
        begins = datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC)
        return AnsweredIncident(f"Goodwill of {month}", begins, is_withdrawn=False)
    record = campaigns.incident(incident_id)
    latest = None if record is None else campaigns.revision(incident_id, record.highest_revision)
    if latest is None:
        return None
    incident = thaw_incident(latest.content)
    began = min(window.start for window in incident.windows)
    return AnsweredIncident(incident.title, began, latest.detail_type == DetailType.WITHDRAWN)


def _owner_of(subject: str, campaign: Campaign, ports: AnswerPorts) -> str | None:
    """The account of a subject, by a campaign's pinned list; None where it has none, or is too long to be searched."""
    if not campaign.subject or campaign.pinned.size > SEARCHED_BYTES_MOST:
        return None
    start, size, wanted = campaign.chunks.data_start, campaign.pinned.size, subject.encode()
    reader = line_reader(campaign.layout, (), campaign.subject, campaign.ignored_columns)
    try:
        for line in lines_starting_in(ports.lists.read(campaign.pinned, start), start, start, size, start):
            if line.raw is None or wanted not in line.raw:
                continue
            record = reader.record(line)
            if isinstance(record, Record) and record.subject == subject:
                return record.account_id
    except PinnedVersionGone:
        return None
    return None


def _explain(entry: Entry, campaign: Campaign | None, ports: AnswerPorts, now: datetime) -> AnsweredDecision:
    decision, expired = read_decision(entry.body), is_expired(entry, now)
    if campaign is None:
        return AnsweredDecision(entry, decision, None, expired, (), Explained.LIST_GONE, None)
    without_row = goodwill_steps(entry.body) or _under_new_id(entry, decision) or _rejected_steps(entry, decision)
    if without_row:
        return AnsweredDecision(entry, decision, campaign, expired, without_row, Explained.AGREES, decision)
    policy = thaw(campaign, ports.campaigns.frozen(campaign.id))
    try:
        row = decided_row(entry, campaign, policy, ports.lists)
    except PinnedVersionGone:
        return AnsweredDecision(entry, decision, campaign, expired, (), Explained.LIST_GONE, None)
    if row is None:
        return AnsweredDecision(entry, decision, campaign, expired, (), Explained.ROW_UNREADABLE, None)
    whole, earlier = explain(policy, row.values, history_read(entry.body)), earlier_grants(entry.body)
    granted = {measure: Decimal(size) for measure, size in earlier.items()}
    if decision.reason in HELD_ALL_THE_SAME:
        stands = (_stands(granted),) if decision.reason in _REPORTS_EARLIER else ()
        steps = (*whole.steps, HELD_ALL_THE_SAME[decision.reason], *stands)
        return AnsweredDecision(entry, decision, campaign, expired, steps, Explained.AGREES, decision)
    recomputed = whole.decision
    steps = whole.steps
    if earlier:
        before = Before(Outcome.GRANTED, tuple(granted.items()))
        recomputed = still_owed(whole.decision, before) or whole.decision
        steps = (*steps, set_off_step(granted))
    explained = Explained.AGREES if recomputed == decision else Explained.DIFFERS
    because = whole.because if whole.decision == decision else ""
    return AnsweredDecision(entry, decision, campaign, expired, steps, explained, recomputed, because=because)


def _under_new_id(entry: Entry, decision: Decision) -> tuple[str, ...]:
    """What stands under an id that the account had before: where its decision is to be found. Else nothing."""
    if decision.reason != DECIDED_UNDER_NEW_ID:
        return ()
    account_id = other_id(entry.body)
    return (f"The account has another id since: {account_id}. Its decision of this campaign stands there.",)


def _hand_steps(entry: Entry, hand: HandDecision, campaign: Campaign | None, ports: AnswerPorts) -> tuple[str, ...]:
    """How a person decided what waited for one: the person is a role, and the policy's steps are its own."""
    worth = ", ".join(worth_words(benefit) for benefit in hand.decision.benefits)
    second = ", and a second person agreed" if hand.second else ""
    stands = entry.status is Outcome.GRANTED and not is_of_rejected_row(entry) and hand.row is not None
    beside = " beside what stands" if stands else ""
    what = f"granted {worth}{beside}" if worth else f"nothing {'more ' if stands else ''}is given"
    steps = [
        *_row_steps(hand),
        f"Decided by hand on {hand.at:%Y-%m-%d} by a person of support{second}: {what}.",
        f"The reason: {hand.title} ({hand.reason}).",
    ]
    if hand.way is not Way.POLICY:
        return tuple(steps)
    stated = ", ".join(f"{name} = {text}" for name, text in sorted(hand.facts.items()))
    steps.append(
        f"The person supplied what the list leaves open: {stated}. With that, by the policy:"
        if stated
        else "By the policy, with what is known now:"
    )
    granted = {measure: Decimal(size) for measure, size in hand.earlier.items()}
    set_off = (set_off_step(granted),) if any(granted.values()) else ()
    return (*steps, *_policy_steps(entry, hand, campaign, ports), *set_off)


def _rejected_steps(entry: Entry, decision: Decision) -> tuple[str, ...]:
    """What the policy came to of a row that cannot be read; nothing where another row was decided."""
    if not is_of_rejected_row(entry):
        return ()
    return (f"The row at byte {entry.origin} of the list was rejected: {decision.reason}. Nothing was decided.",)


def _row_steps(hand: HandDecision) -> tuple[str, ...]:
    """Which row a person went by, where that is not the decided one."""
    if hand.row is None:
        return ()
    if hand.row.kind is CaseKind.REJECTED:
        return ("A person recognised whose row it is.",)
    return (f"The row at byte {hand.row.offset} of the list contradicts the decided one: a person looked at both.",)


def _policy_steps(entry: Entry, hand: HandDecision, campaign: Campaign | None, ports: AnswerPorts) -> tuple[str, ...]:
    """The steps of the policy with the facts that a person supplied, over the history that was read then; none where
    the list or the row is gone.
    """
    if campaign is None:
        return ()
    policy = thaw(campaign, ports.campaigns.frozen(campaign.id))
    try:
        if hand.row is None:
            row: Row | ListedRow | None = decided_row(entry, campaign, policy, ports.lists)
        else:
            row = listed_row(campaign, policy, hand.row.offset, ports.lists)
        if row is None:
            return ()
        values = with_supplied(policy.facts, row.values, hand.facts)
    except (PinnedVersionGone, FactError):
        return ()
    return explain(policy, values, history_read(entry.body) if hand.history is None else hand.history).steps


def decided_row(entry: Entry, campaign: Campaign, policy: CompiledPolicy, lists: ListStore) -> Row | None:
    """The row that a decision was made from; None where it cannot be read any more. Raises PinnedVersionGone."""
    reader = line_reader(campaign.layout, policy.facts, policy.subject, campaign.ignored_columns, OWN_COLUMNS)
    row = row_at(campaign, entry.origin, lists, reader)
    return row if row is not None and row.account_id == entry.key.account_id else None


def set_off_step(granted: Mapping[str, Decimal]) -> str:
    """The step of the arithmetic by which a later campaign grants only what is missing."""
    return f"Granted before for this incident: {_sums(granted)}. It is set off, and the rest is granted now."


def _stands(granted: Mapping[str, Decimal]) -> str:
    """What stood of the incident's earlier campaigns when a subject was held for it."""
    return f"Granted for this incident by then: {_sums(granted) or 'nothing'}."


def _sums(granted: Mapping[str, Decimal]) -> str:
    return ", ".join(_amount(measure, size) for measure, size in sorted(granted.items()) if size)


def _amount(measure: str, size: Decimal) -> str:
    figure = format_amount(Money(int(size), measure)) if is_currency(measure) else str(size)
    return amount_words(figure, measure)


def row_at(campaign: Campaign, origin: int, lists: ListStore, reader: LineReader) -> Row | None:
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
