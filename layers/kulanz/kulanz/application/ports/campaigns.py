"""Incidents and campaigns, and what spans them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from kulanz.domain.campaigns.campaign import (
    Campaign,
    CampaignId,
    Cursor,
    Frozen,
    Pass,
    Receipt,
    State,
    StateChange,
)
from kulanz.domain.campaigns.same_outage import OutageCampaign

if TYPE_CHECKING:
    from kulanz.domain.audit import AuditEntry
    from kulanz.domain.budgets import Budget, BudgetStep, Reservation
    from kulanz.domain.campaigns.trouble import Trouble
    from kulanz.domain.gate.approval import Action
    from kulanz.domain.gate.filed_plan import FiledPlan
    from kulanz.domain.gate.settings import Spent, SpentPlace
    from kulanz.domain.halt import Halt, HaltAction
    from kulanz.domain.incident_record import IncidentRecord, Revision
    from kulanz.domain.ledger.additions import Addition


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A campaign request that waits until no worker of the incident's ended campaigns can write, or for a void.

    `event` is its EventBridge envelope as JSON text; `after` is the campaign that it waits for. `void` is the void that
    was running: then `opens_at` is when it is tried again. Empty where it waits for workers.
    """

    incident_id: str
    request_digest: str
    opens_at: datetime
    after: CampaignId
    event: str
    void: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """What the start of an execution is conditional on, in its own step.

    `incident` is the record as it was read: a revision that came since makes the start fail. `spent` are the sums of
    automatic executions, as they were read, to which this execution is added; empty where persons approved it.
    `budgets` is what it reserves of the month's budgets; None where an execution goes on.
    """

    incident: "IncidentRecord"
    spent: "tuple[Spent, ...]" = ()
    budgets: "BudgetStep | None" = None


@dataclass(frozen=True, slots=True)
class AtTheGate:
    """What is written in one step with a change of state: a filed plan, a person's action, the start of an execution.

    `start` comes with `plan` where the plan executes automatically, and with `action` where that was the last approval.
    `trouble` is what everybody is to see of it: that one person alone approved.
    """

    plan: "FiledPlan | None" = None
    action: "Action | None" = None
    start: Start | None = None
    trouble: "Trouble | None" = None


NOTHING_MORE = AtTheGate()


def must_begin_at_the_gate(before: Campaign, change: StateChange, gate: AtTheGate) -> None:
    """Raise AssertionError where an execution would begin or go on without its conditions, or another change has them.

    One that goes on was approved before; it is still conditional on the incident's record.
    """
    begins = before.state in (State.AWAITING_APPROVAL, State.PAUSED) and change.target is State.APPLYING
    if begins is not (gate.start is not None):
        raise AssertionError("an execution begins or goes on with its start, and nothing else has one")


class CampaignWork(Protocol):
    """What a worker needs of a campaign. Every write is conditional on what its caller had read."""

    def campaign(self, campaign_id: CampaignId) -> Campaign | None:
        """A campaign with the sums of its receipts, read consistently."""

    def state_of(self, campaign_id: CampaignId) -> State | None:
        """The state that a campaign is in, read consistently: what a worker looks at every second."""

    def frozen(self, campaign_id: CampaignId) -> Frozen:
        """What a campaign decides by."""

    def cursor(self, campaign_id: CampaignId, work: Pass, chunk: int) -> Cursor | None:
        """How far a chunk has come, read consistently; None when it has not begun."""

    def record_receipt(self, receipt: Receipt) -> bool:
        """Write a receipt, move its chunk's cursor and add to the campaign's sums, in one step.

        False when the cursor stands elsewhere: another worker was first, and this one's counts are void. A repetition
        of a receipt that was recorded is True.
        """

    def receipts(
        self, campaign_id: CampaignId, work: Pass, start: int = 0, stop: int | None = None
    ) -> Iterator[Receipt]:
        """The receipts of a pass that start in the bytes `[start, stop)`, by where they start, read consistently."""

    def change_state(self, before: Campaign, change: StateChange) -> None:
        """Move a campaign's state, log it, and let the incident know that it is free again. Raises Outdated.

        What begins an execution, or goes on with one, needs the whole store.
        """

    def mark_dispatched(self, campaign: Campaign, work: Pass, sent: int) -> None:
        """Note that the chunks of the pass below `sent` were sent while the campaign was in the state that was read.

        After a further change of state they count as not sent: messages that met a campaign at rest are gone.
        """

    def halt(self) -> "Halt":
        """The halt of the stack, read consistently: what a worker looks at every second."""


class CampaignStore(CampaignWork, Protocol):
    """Incidents and campaigns: the control plane. Every write is conditional on what its caller had read."""

    def incident(self, incident_id: str) -> "IncidentRecord | None":
        """The incident's record, read consistently."""

    def revisions(self, incident_id: str) -> "list[Revision]":
        """The recorded revisions of an incident, lowest first."""

    def revision(self, incident_id: str, number: int) -> "Revision | None":
        """One recorded revision of an incident, read consistently."""

    def record_revision(self, before: "IncidentRecord | None", after: "IncidentRecord", revision: "Revision") -> None:
        """Write a revision and move the incident's record from `before` to `after`. Raises Outdated."""

    def open(
        self, before: "IncidentRecord", after: "IncidentRecord", campaign: Campaign, frozen: Frozen, change: StateChange
    ) -> None:
        """Create a campaign, list it under its outage and occupy its incident, in one step. Raises Outdated."""

    def over_outage(self, outage: str) -> Iterator[OutageCampaign]:
        """The campaigns of all incidents over an outage, by incident, lazily and read consistently."""

    def finished_chunks(self, campaign_id: CampaignId, work: Pass) -> set[int]:
        """The chunks whose pass is finished, read consistently."""

    def change_state(self, before: Campaign, change: StateChange, gate: AtTheGate = NOTHING_MORE) -> None:
        """Move a campaign's state, log it, and let the incident know (applied, or free again). Raises Outdated.

        An execution begins only with a `gate.start`: from nothing else does a waiting plan come to its apply pass.
        While the stack is halted no campaign comes to its apply pass, nor back to it.
        """

    def filed_plan(self, campaign_id: CampaignId) -> "FiledPlan | None":
        """The plan that a campaign filed for approval, read consistently; None where none is filed."""

    def actions(self, campaign_id: CampaignId) -> "list[Action]":
        """The approvals and rejections of a campaign's plan, by their ids, read consistently."""

    def spent(self, place: "SpentPlace") -> "Spent":
        """What automatic executions of a month, or of an incident, add up to, read consistently."""

    def budget(self, currency: str, month: str) -> "Budget":
        """The budget of a month, read consistently; without a limit where none is set."""

    def reservations(self, campaign_id: CampaignId) -> "list[Reservation]":
        """What a campaign reserved of budgets, by currency, read consistently; nothing before its execution began."""

    def mark_announced(self, campaign: Campaign, announced: str) -> None:
        """Note which state and figures have been announced; a campaign that has ended is open no more.

        Raises Outdated where it has ended and has changed its state since it was read.
        """

    def log(self, campaign_id: CampaignId) -> list[StateChange]:
        """The state changes of a campaign, first to last."""

    def waiting(self) -> list[CampaignId]:
        """The campaigns of all incidents that wait for a person, read consistently: in a state of `WAITING`, or in
        trouble."""

    def campaigns_of(self, incident_id: str) -> list[Campaign]:
        """The campaigns of an incident, first to last."""

    def change_halt(self, before: "Halt", after: "Halt", action: "HaltAction") -> None:
        """Move the halt's record from `before` to `after` and keep the action that did it. Raises Outdated."""

    def keep_request(self, request: KeptRequest) -> None:
        """Keep a campaign request that must wait; the same request again replaces the one that is kept."""

    def kept_requests(self) -> Iterator[KeptRequest]:
        """The requests that are kept, of all incidents, lazily and read consistently."""

    def forget_request(self, request: KeptRequest) -> None:
        """Keep a request no longer. Safe to repeat; one that was kept anew until another instant stays."""


INDEXED_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Page[Found]:
    """Some of what an index has, in the order of time. `after` goes on behind it; empty where this was the rest."""

    found: tuple[Found, ...]
    after: str


@dataclass(frozen=True, slots=True)
class Indexed[Id]:
    """What an index names, and the instant it stands under."""

    at: datetime
    id: Id


@dataclass(frozen=True, slots=True)
class OpenCampaign:
    """A campaign that has not ended, or whose end was not announced. It is in its state since `since`.

    The watch over open campaigns saw it last at `seen_at`, when it had come to `came_to`; None until it did.
    """

    id: CampaignId
    state: State
    since: datetime
    came_to: int = 0
    seen_at: datetime | None = None


class CampaignIndex(Protocol):
    """What spans incidents and campaigns, by key. Every entry is written in one step with what it names.

    `after` is that of the page before, of the same question; `most` is the size of a page. All reads are consistent.
    """

    def open_campaigns(self) -> list[OpenCampaign]:
        """The campaigns that have not ended, or whose end was not announced, by incident."""

    def campaigns_in(self, month: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Indexed[CampaignId]]:
        """The campaigns that were opened in a month of UTC, such as 2026-11, first to last."""

    def incidents_in(self, month: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Indexed[str]]:
        """The incidents whose first event came in a month of UTC, first to last."""

    def campaigns_under(
        self, policy_id: str, after: str = "", most: int = INDEXED_PER_PAGE
    ) -> Page[Indexed[CampaignId]]:
        """The campaigns under any version of a policy, first to last."""

    def latest_under(self, policy_id: str, before: datetime, most: int) -> list[Indexed[CampaignId]]:
        """The last campaigns under any version of a policy that were opened before an instant, last first."""

    def audit_of_day(self, day: date, after: str = "", most: int = INDEXED_PER_PAGE) -> Page["AuditEntry"]:
        """What was done on a day of UTC, first to last."""

    def audit_of_actor(self, actor: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page["AuditEntry"]:
        """What a person or machine did, first to last."""

    def additions(self, campaign_id: CampaignId, after: str = "", most: int = INDEXED_PER_PAGE) -> Page["Addition"]:
        """What was granted in a campaign that no row of its list granted, first to last."""

    def additions_from(
        self, campaign_id: CampaignId, start: datetime, after: str = "", most: int = INDEXED_PER_PAGE
    ) -> Page["Addition"]:
        """The same of what was added at an instant or later."""

    def last_addition(self, campaign_id: CampaignId) -> "Addition | None":
        """The latest addition of a campaign, read consistently."""
