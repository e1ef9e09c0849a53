"""One case: a decision that waits for a person, what the policy lacks for it, and what it would owe with a fact known.

The policy decides again with the very engine of the campaign, at the campaign's own `decided_at`, over the pinned row
with the facts that a person supplies. What earlier campaigns and incidents gave is read as it stands now.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from hashlib import sha256

from kulanz.application.campaigns.control_campaign import may_write_until
from kulanz.application.campaigns.frozen import thaw
from kulanz.application.campaigns.read_earlier import EarlierReader
from kulanz.application.campaigns.read_history import HISTORY_OF_FORMER_ID, NOTHING_READ, HistoryReader, Read
from kulanz.application.cases.ungrantable import ungrantable
from kulanz.application.ledger.answer import HELD_ALL_THE_SAME, decided_row, set_off_step
from kulanz.application.ledger.listed_row import ListedRow, listed_row
from kulanz.application.ports import CampaignStore, Ledger, ListStore, PinnedVersionGone, RecognisedRows
from kulanz.domain.campaigns.campaign import ENGINE_VERSION, Campaign, CampaignId, State
from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.incident_record import DetailType, IncidentRecord, decision_digest
from kulanz.domain.ledger.decider import must_be_writable
from kulanz.domain.ledger.earlier_decisions import Before, is_more_than, still_owed
from kulanz.domain.ledger.entries import (
    DecisionKey,
    Entry,
    Lifetime,
    decision_body,
    history_read,
    is_of_rejected_row,
    new_entry,
    read_decision,
    row_digest_of,
)
from kulanz.domain.ledger.former_accounts import former_of
from kulanz.domain.ledger.hand_decision import DECIDABLE, CaseKind, CaseRow
from kulanz.domain.lists.account_ids import IdProblem
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import FACT_INVALID, FactError, FactValue
from kulanz.domain.lists.former_ids import Former
from kulanz.domain.lists.rows import Problem, Record, Row
from kulanz.domain.lists.supplied_facts import FACT_NOT_MISSING, missing_facts, with_supplied
from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.policy.deciding.history import NO_HISTORY, SubjectHistory
from kulanz.domain.policy.deciding.verdict import CANNOT_BE_COMPUTED
from kulanz.domain.policy.explaining.explanation import explain

TRIED_MOST = 12
"""Values of a missing fact that are tried by themselves: those of a yes_no, or the choices of a text."""
_STANDS_STILL = frozenset({State.CLOSED, State.CANCELLED, State.FLAGGED})
"""The states after which a campaign's list is not executed further."""


class CaseRefused(Exception):
    """The case cannot be shown or decided so. `reason` is a code; `field` is what of the request it is about."""

    def __init__(self, reason: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field


@dataclass(frozen=True, slots=True)
class CasePorts:
    """The world that looking at a case reads."""

    campaigns: CampaignStore
    lists: ListStore
    ledger: Ledger
    rows: RecognisedRows


@dataclass(frozen=True, slots=True)
class Owed:
    """What the policy comes to with some facts supplied, as texts by name, less what stands already; and its steps.

    `decision` is None where nothing is owed any more. `history` is the subject's with what this adds; None
    where that changes nothing.
    """

    facts: Mapping[str, str]
    decision: Decision | None
    steps: tuple[str, ...]
    history: SubjectHistory | None = None


@dataclass(frozen=True)
class Case:
    """What waits for a person, with all that deciding it needs. `row` is None where the pinned list has none.

    `of` is the row that is in question where that is not the decided one: it contradicts that, or cannot be read
    because of its `problem`. `said` is what stands in it, by column. The entry of a rejected row is the one that would
    be written. `ungrantable` is why nothing can be granted by this case, as a code and a sentence.

    `before` is what earlier campaigns of the incident stand at, net of voids; `history` what is kept of its subject
    now. `is_amended`: the incident was told otherwise since, so that its policy would decide something else.
    """

    entry: Entry
    decision: Decision
    campaign: Campaign
    incident: IncidentRecord
    policy: CompiledPolicy
    row: Row | None
    before: Before | None
    history: SubjectHistory
    read: Read
    closed: tuple[str, str] | None
    is_amended: bool
    ledger: Ledger
    of: CaseRow | None = None
    said: Mapping[str, str] = field(default_factory=dict)
    problem: Problem | None = None
    ungrantable: tuple[str, str] | None = None

    @property
    def kind(self) -> CaseKind:
        """Why it waits."""
        return CaseKind(self.decision.outcome.value) if self.of is None else self.of.kind

    @property
    def reason(self) -> str:
        """The reason code of what stands; of a rejected row, of what is wrong with it."""
        return self.decision.reason if self.problem is None else self.problem.reason.value

    @cached_property
    def missing(self) -> tuple[FactDeclaration, ...]:
        """The facts that the list leaves open, or has wrong: those that a person may supply."""
        return () if self.row is None else missing_facts(self.policy.facts, self.row.values)

    @cached_property
    def holding(self) -> FactDeclaration | None:
        """The missing fact for which the policy holds the row; None where it holds it for something else."""
        if self.row is None:
            return None
        name = self.policy.judged(self.row.values, self.read.kept).verdict.unknown
        return next((fact for fact in self.missing if fact.name == name), None)

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """The policy's own steps to what it decided; empty where the row cannot be read any more."""
        if self.row is None:
            return ()
        whole = explain(self.policy, self.row.values, history_read(self.entry.body))
        held = HELD_ALL_THE_SAME.get(self.decision.reason)
        return whole.steps if held is None else (*whole.steps, held)

    @property
    def seen(self) -> str:
        """SHA-256, in hexadecimal, of the case as a person sees it: it changes with all that a decision rests on."""
        content = {
            "body": self.entry.body,
            "status": self.entry.status.value,
            "before": None if self.before is None else self.before.content(),
            "history": self.history.version,
            "campaign": [self.campaign.state.value, self.campaign.log_count],
            "revision": self.incident.highest_revision,
            "closed": None if self.closed is None else self.closed[0],
            **({} if self.of is None else {"row": [self.of.kind.value, self.of.offset]}),
        }
        return sha256(canonical_json(content).encode()).hexdigest()

    def owed(self, facts: Mapping[str, str]) -> Owed:
        """What the policy comes to with `facts` supplied. Raises CaseRefused for a fact that is not a missing one."""
        if self.row is None:
            raise CaseRefused("row_unreadable", "the pinned list or its row is gone; decide an amount, or decline")
        if self.campaign.engine != ENGINE_VERSION:
            raise CaseRefused("engine_changed", "another engine decided this campaign; decide an amount, or decline")
        try:
            values = with_supplied(self.policy.facts, self.row.values, facts)
        except FactError as error:
            reason = error.reason if error.reason == FACT_NOT_MISSING else FACT_INVALID
            raise CaseRefused(reason, str(error), "facts") from None
        whole = explain(self.policy, values, self.read.kept)
        decision = writable(whole.decision, self.campaign.decided_at)
        if self.read.holds(decision):
            held = HELD_ALL_THE_SAME[self.read.held]
            return Owed(facts, Decision(Outcome.HELD, self.read.held), (*whole.steps, held))
        left = still_owed(decision, self.before)
        steps = whole.steps
        if self.before is not None and any(size for _, size in self.before.granted):
            steps = (*steps, set_off_step({name: Decimal(size) for name, size in self.before.granted}))
        return Owed(facts, left, steps, self._added(values, decision, left))

    def _added(
        self, values: Sequence[FactValue | None], whole: Decision, left: Decision | None
    ) -> SubjectHistory | None:
        """The subject's history with what a decision adds to it; None where that changes nothing, as in a pass."""
        if not self.campaign.keeps_history or left is None or left.outcome is not whole.outcome:
            return None
        granted = self.before.money() if self.before is not None and is_more_than(self.before, whole) else {}
        addition = self.policy.decide_with_history(values, self.read.kept, granted)[1]
        return HistoryReader(self.campaign, self.policy, self.ledger).after(self.history, addition)

    def tried(self) -> Iterator[Owed]:
        """What the policy comes to with each value of the fact that it lacks, where there are few: yes or no, choices.

        First as matters stand now where no fact is lacking: what was held for another reason may be decidable by now.
        """
        if self.row is None or self.campaign.engine != ENGINE_VERSION:
            return
        if self.holding is None:
            yield self.owed({})
        else:
            yield from (self.owed({self.holding.name: text}) for text in _values_of(self.holding))


def _values_of(fact: FactDeclaration) -> Sequence[str]:
    if fact.type == "yes_no":
        return ("yes", "no")
    return fact.choices if len(fact.choices) <= TRIED_MOST else ()


def writable(decision: Decision, at: datetime) -> Decision:
    """A decision as a campaign writes it: held where its amounts or its end cannot be written."""
    try:
        must_be_writable(decision, at)
    except (ArithmeticError, ValueError):
        return Decision(Outcome.HELD, CANNOT_BE_COMPUTED)
    return decision


def find_case(key: DecisionKey, ports: CasePorts, now: datetime, offset: int | None = None) -> Case:
    """The case of an account, also where it is closed. Raises CaseRefused where there is none.

    `offset` is where a row starts that contradicts the decided one, or that cannot be read and is the account's; None
    for the row that was decided.
    """
    entry = ports.ledger.standing([key]).get(key)
    campaign = ports.campaigns.campaign(key.campaign)
    incident = ports.campaigns.incident(key.incident_id)
    if campaign is None or incident is None:
        raise CaseRefused("not_a_case", "there is no such campaign")
    if offset is None and entry is not None and entry.by_hand is not None and entry.by_hand.row is not None:
        offset = entry.by_hand.row.offset
    policy = thaw(campaign, ports.campaigns.frozen(campaign.id))
    former = None if entry is None else former_of(entry.body)
    history, read = _history(key, former, campaign, policy, ports.ledger)
    of: CaseRow | None = None
    listed: ListedRow | None = None
    closed: tuple[str, str] | None = None
    if offset is not None:
        listed = _listed(offset, campaign, policy, ports.lists)
        of = _of(key, listed, entry, campaign)
    if of is not None and listed is not None and of.kind is CaseKind.REJECTED and not _is_decided(entry, of):
        closed = _row_closed(key, entry, listed, campaign, incident, ports, now)
        entry = _unwritten(key, listed, campaign, read, now)
    elif entry is not None:
        closed = closed_because(entry, campaign, incident, ports, now)
    decision = None if entry is None else read_decision(entry.body)
    if entry is None or decision is None or (of is None and decision.outcome not in DECIDABLE):
        raise CaseRefused("not_a_case", "this account's decision of that campaign was not held or referred")
    case = Case(
        entry=entry,
        decision=decision,
        campaign=campaign,
        incident=incident,
        policy=policy,
        row=None,
        before=before_of(
            key,
            former_of(entry.body),
            campaign,
            policy,
            ports.ledger,
            with_own=of is not None and not is_of_rejected_row(entry),
        ),
        history=history,
        read=read,
        closed=closed,
        is_amended=_is_amended(campaign, incident, ports.campaigns),
        ledger=ports.ledger,
    )
    if of is None or listed is None:
        return replace(case, row=_row(entry, campaign, policy, ports.lists))
    return replace(
        case,
        row=Row(key.account_id, key.subject, listed.values, currencies=listed.currencies),
        of=of,
        said=listed.said,
        problem=listed.problem,
        ungrantable=ungrantable(of, listed, entry, campaign, policy, ports.lists),
    )


def _listed(offset: int, campaign: Campaign, policy: CompiledPolicy, lists: ListStore) -> ListedRow:
    try:
        listed = listed_row(campaign, policy, offset, lists)
    except PinnedVersionGone:
        raise CaseRefused("list_gone", "the pinned list is gone, and its rows with it; goodwill can be given") from None
    if listed is None:
        raise CaseRefused("not_a_case", "no row of the list starts at that byte", "row")
    return listed


def _is_decided(entry: Entry | None, of: CaseRow) -> bool:
    """Whether what stands is what a person decided of that very row."""
    return entry is not None and entry.by_hand is not None and entry.by_hand.row == of


def _of(key: DecisionKey, listed: ListedRow, entry: Entry | None, campaign: Campaign) -> CaseRow | None:
    """What a row is a case of, for an account; None where it is the decided one. Raises CaseRefused for another's."""
    if listed.account_id and (listed.account_id, listed.subject) != (key.account_id, key.subject):
        raise CaseRefused("row_of_another", "that row of the list is about another account, or line of it", "row")
    if listed.problem is not None:
        _must_fit(key, campaign)
        return CaseRow(CaseKind.REJECTED, listed.offset)
    if entry is not None and entry.origin == listed.offset:
        return None
    if entry is None or listed.content == row_digest_of(entry.body):
        raise CaseRefused("not_a_case", "that row of the list contradicts no decided row of the account", "row")
    return CaseRow(CaseKind.CONFLICT, listed.offset)


def _must_fit(key: DecisionKey, campaign: Campaign) -> None:
    """Raise CaseRefused for an account, or a line of it, that no row of the campaign's list could be about."""
    shapes = [("account", key.account_id, campaign.layout.account_ids)]
    if campaign.subject:
        if key.subject == WHOLE_ACCOUNT:
            raise CaseRefused("subject_missing", f"the policy decides each {campaign.subject}; name it", "subject")
        shapes.append(("subject", key.subject, campaign.layout.subject_ids))
    elif key.subject != WHOLE_ACCOUNT:
        raise CaseRefused("subject_unknown", "the policy decides accounts; leave the subject out", "subject")
    for name, text, shape in shapes:
        read = text if shape is None else shape.reader()(text)
        if isinstance(read, IdProblem):
            raise CaseRefused(f"{name}_shape", f"expected {read.expected}", name)
        if read != text:
            raise CaseRefused(f"{name}_shape", "expected the id exactly as the list's other rows have it", name)


def _unwritten(key: DecisionKey, listed: ListedRow, campaign: Campaign, read: Read, now: datetime) -> Entry:
    """The decision of a row that was rejected, as it would be written: held for what is wrong with the row."""
    assert listed.problem is not None, "only a rejected row has no decision"
    decision = Decision(Outcome.HELD, listed.problem.reason.value)
    digest = listed.digest(key.account_id, key.subject)
    body = decision_body(campaign.id, campaign.engine, campaign.policy_hash, digest, decision, None, read.kept)
    return new_entry(key, listed.offset, body, decision, Lifetime.of(decision, now, campaign.decidable_until))


def _row_closed(
    key: DecisionKey,
    taken: Entry | None,
    listed: ListedRow,
    campaign: Campaign,
    incident: IncidentRecord,
    ports: CasePorts,
    now: datetime,
) -> tuple[str, str] | None:
    """Why nobody may decide a rejected row for an account now; None where somebody may."""
    if ports.rows.recognised(campaign.id, listed.offset, listed.offset + 1):
        return "decided", "a person recognised this row, and decided it"
    if taken is not None:
        return "listed_elsewhere", "the account has a decision of this campaign by another row of the list"
    return _closed_since(key, campaign, incident, ports, now)


def before_of(
    key: DecisionKey,
    former: Former | None,
    campaign: Campaign,
    policy: CompiledPolicy,
    ledger: Ledger,
    *,
    with_own: bool = False,
) -> Before | None:
    """What the campaigns that a campaign sets off have decided about a subject, as it stands now.

    `with_own`: and the campaign itself, which may have decided the account under another of its ids.
    """
    place = key.account_id, key.subject
    asked = (*campaign.follows, *((campaign.id.seq,) if with_own else ()))
    earlier = EarlierReader(campaign.id.incident_id, asked, policy.began_at(), ledger)
    return earlier.read({place: former})[place].before if asked else None


def _history(
    key: DecisionKey, former: Former | None, campaign: Campaign, policy: CompiledPolicy, ledger: Ledger
) -> tuple[SubjectHistory, Read]:
    """The subject's history, and what is read of it. One under a former id is not watched while a person decides."""
    if not campaign.keeps_history:
        return SubjectHistory(), NOTHING_READ
    reader = HistoryReader(campaign, policy, ledger)
    record = Record(key.account_id, key.subject, (), former=former)
    now = reader.of([record])
    own, *others = (now[key] for key in reader.keys(record))
    if any(one.incidents for one in others):
        return own, Read(NO_HISTORY, HISTORY_OF_FORMER_ID)
    return own, reader.counted(own)


def _row(entry: Entry, campaign: Campaign, policy: CompiledPolicy, lists: ListStore) -> Row | None:
    try:
        return decided_row(entry, campaign, policy, lists)
    except PinnedVersionGone:
        return None


def _is_amended(campaign: Campaign, incident: IncidentRecord, campaigns: CampaignStore) -> bool:
    """Whether the latest revision decides by other facts than the campaign does."""
    newest = campaigns.revision(incident.incident_id, incident.highest_revision)
    frozen = json.loads(campaigns.frozen(campaign.id).incident)
    own = campaigns.revision(incident.incident_id, frozen["revision"])
    if newest is None or own is None:
        return True
    return decision_digest(newest.content) != decision_digest(own.content)


def closed_because(
    entry: Entry, campaign: Campaign, incident: IncidentRecord, ports: CasePorts, now: datetime
) -> tuple[str, str] | None:
    """Why nobody may decide a case now, as a code and a sentence; None where somebody may."""
    if entry.by_hand is not None:
        return "decided", "it was decided by hand; what is granted since is a matter of a void, or of goodwill"
    return _closed_since(entry.key, campaign, incident, ports, now)


def _closed_since(
    key: DecisionKey, campaign: Campaign, incident: IncidentRecord, ports: CasePorts, now: datetime
) -> tuple[str, str] | None:
    """Why what became of the campaign and the incident since leaves nothing to decide; None where it leaves that."""
    closed = campaign_closed_because(campaign, incident, ports.campaigns, now)
    if closed is not None:
        return closed
    keys = [replace(key, seq=seq) for seq in later_of(campaign.id, incident, ports.campaigns)]
    if keys and ports.ledger.standing(keys):
        return "superseded", "a later campaign of the incident has decided this subject anew"
    return None


def campaign_closed_because(
    campaign: Campaign, incident: IncidentRecord, campaigns: CampaignStore, now: datetime
) -> tuple[str, str] | None:
    """Why nobody may decide any case of a campaign now; None where somebody may.

    A later campaign that sets this one off decides first: until no worker of it can write, a decision by hand beside it
    could pay twice. A plan that only waits does no harm: its execution reads what stands by then.
    """
    newest = campaigns.revision(incident.incident_id, incident.highest_revision)
    if newest is not None and newest.detail_type == DetailType.WITHDRAWN:
        return "incident_withdrawn", "the incident was withdrawn, and what it held with it"
    if campaign.state is not State.CLOSED:
        return "campaign_not_closed", f"its campaign is {campaign.state}; a case is decided once its campaign is closed"
    if now >= campaign.decidable_until:
        return "too_late", "the time in which the incident may be decided is over; goodwill can still be given"
    for seq in later_of(campaign.id, incident, campaigns):
        later = campaigns.campaign(CampaignId(incident.incident_id, seq))
        assert later is not None, "applied campaigns exist"
        until = may_write_until(later, campaigns)
        if later.state not in _STANDS_STILL or (until is not None and now < until):
            return "later_campaign", f"campaign {later.id} decides this incident anew; wait until it has stopped"
    return None


def later_of(campaign_id: CampaignId, incident: IncidentRecord, campaigns: CampaignStore) -> list[int]:
    """The campaigns of the incident, by number, that began to grant and set a campaign off."""
    found = ((seq, campaigns.campaign(CampaignId(incident.incident_id, seq))) for seq in incident.applied)
    return [seq for seq, one in found if one is not None and seq > campaign_id.seq and campaign_id.seq in one.follows]
