"""One case: a decision that waits for a person, what the policy lacks for it, and what it would owe with a fact known.

The policy decides again with the very engine of the campaign, at the campaign's own `decided_at`, over the pinned row
with the facts that a person supplies. What earlier campaigns and incidents gave is read as it stands now.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from hashlib import sha256

from kulanz.application.campaigns.control_campaign import may_write_until
from kulanz.application.campaigns.frozen import thaw
from kulanz.application.campaigns.read_earlier import EarlierReader
from kulanz.application.campaigns.read_history import HISTORY_OF_FORMER_ID, NOTHING_READ, HistoryReader, Read
from kulanz.application.ledger.answer import HELD_ALL_THE_SAME, decided_row, set_off_step
from kulanz.application.ports import CampaignStore, Ledger, ListStore, PinnedVersionGone
from kulanz.domain.campaigns.campaign import ENGINE_VERSION, Campaign, CampaignId, State
from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.incident_record import DetailType, IncidentRecord, decision_digest
from kulanz.domain.ledger.decider import must_be_writable
from kulanz.domain.ledger.earlier_decisions import Before, is_more_than, still_owed
from kulanz.domain.ledger.entries import DecisionKey, Entry, history_read, read_decision
from kulanz.domain.ledger.former_accounts import former_of
from kulanz.domain.ledger.hand_decision import DECIDABLE
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import FACT_INVALID, FactError, FactValue
from kulanz.domain.lists.former_ids import Former
from kulanz.domain.lists.rows import Record, Row
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
    """A held or referred decision with all that deciding it needs. `row` is None where the pinned list has none.

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


def find_case(key: DecisionKey, ports: CasePorts, now: datetime) -> Case:
    """The case under a decision's key, also where it is closed. Raises CaseRefused where there is none."""
    entry = ports.ledger.standing([key]).get(key)
    campaign = ports.campaigns.campaign(key.campaign)
    incident = ports.campaigns.incident(key.incident_id)
    decision = None if entry is None else read_decision(entry.body)
    if entry is None or campaign is None or incident is None or decision is None or decision.outcome not in DECIDABLE:
        raise CaseRefused("not_a_case", "this account's decision of that campaign was not held or referred")
    policy = thaw(campaign, ports.campaigns.frozen(campaign.id))
    history, read = _history(entry, campaign, policy, ports.ledger)
    return Case(
        entry=entry,
        decision=decision,
        campaign=campaign,
        incident=incident,
        policy=policy,
        row=_row(entry, campaign, policy, ports.lists),
        before=before_of(key, former_of(entry.body), campaign, policy, ports.ledger),
        history=history,
        read=read,
        closed=closed_because(entry, campaign, incident, ports, now),
        is_amended=_is_amended(campaign, incident, ports.campaigns),
        ledger=ports.ledger,
    )


def before_of(
    key: DecisionKey, former: Former | None, campaign: Campaign, policy: CompiledPolicy, ledger: Ledger
) -> Before | None:
    """What the campaigns that a campaign sets off have decided about a subject, as it stands now."""
    place = key.account_id, key.subject
    earlier = EarlierReader(campaign.id.incident_id, campaign.follows, policy.began_at(), ledger)
    return earlier.read({place: former})[place].before if campaign.follows else None


def _history(entry: Entry, campaign: Campaign, policy: CompiledPolicy, ledger: Ledger) -> tuple[SubjectHistory, Read]:
    """The subject's history, and what is read of it. One under a former id is not watched while a person decides."""
    if not campaign.keeps_history:
        return SubjectHistory(), NOTHING_READ
    reader = HistoryReader(campaign, policy, ledger)
    record = Record(entry.key.account_id, entry.key.subject, (), former=former_of(entry.body))
    now = reader.of([record])
    own, *former = (now[key] for key in reader.keys(record))
    if any(one.incidents for one in former):
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
    if entry.status not in DECIDABLE:
        return "decided", "it was decided by hand; what is granted since is a matter of a void, or of goodwill"
    closed = campaign_closed_because(campaign, incident, ports.campaigns, now)
    if closed is not None:
        return closed
    keys = [replace(entry.key, seq=seq) for seq in later_of(campaign.id, incident, ports.campaigns)]
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
