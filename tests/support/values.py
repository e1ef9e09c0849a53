"""Values that tests of the stores start from: an incident, a campaign, receipts and ledger entries of any kind."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from kulanz.application.ports import AtTheGate, CampaignStore, Start
from kulanz.domain.campaigns.campaign import (
    ENGINE_VERSION,
    Campaign,
    CampaignId,
    Cause,
    Chunks,
    Frozen,
    Pass,
    PinnedList,
    Receipt,
    State,
    StateChange,
)
from kulanz.domain.campaigns.ends import EndOf
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import CountKey, RowResult, SumKey, Totals, WriteResult
from kulanz.domain.decision import Outcome
from kulanz.domain.gate.approval import Approval
from kulanz.domain.gate.filed_plan import FiledPlan, file_plan
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.incident_record import IncidentRecord, Revision, with_campaign, with_revision
from kulanz.domain.ledger.entries import DecisionKey, Entry
from kulanz.domain.lists.header import ListFormat, ListLayout
from kulanz.domain.time import TIME_ZONES

NOW = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)
INCIDENT = "net-outage"
FIRST = CampaignId(INCIDENT, 1)
CAUSE = Cause("a-function", "an-event", "7")
OUTAGE = "0" * 64
DATA_START, SIZE, CHUNK_BYTES = 50, 1_050, 400


def revision(number: int = 1, digest: str = "", content: bytes = '{"title":"Störung"}'.encode()) -> Revision:
    """A revision of the incident."""
    return Revision(INCIDENT, number, "Incident Declared", content, digest or f"digest-{number}", NOW, "billing")


def declared() -> IncidentRecord:
    """The incident's record after its first revision."""
    record = with_revision(None, revision(), decidable_days=400)
    assert record is not None
    return record


def opened(record: IncidentRecord, request: str = "request-1") -> tuple[IncidentRecord, Campaign]:
    """The record occupied by a new campaign, and the campaign."""
    after, campaign_id = with_campaign(record, record.highest_revision, request, NOW)
    return after, campaign(campaign_id, request)


def campaign(campaign_id: CampaignId = FIRST, request: str = "request-1") -> Campaign:
    """A campaign that has just been opened, with three chunks."""
    return Campaign(
        id=campaign_id,
        incident_revision=1,
        policy_id="net-credit",
        policy_version=3,
        policy_hash="f" * 64,
        engine=ENGINE_VERSION,
        time_zones=TIME_ZONES,
        pinned=PinnedList("list-bucket", "lists/a.csv", "version-1", '"etag"', SIZE),
        layout=ListLayout(ListFormat.CSV, ("account_id", "größe"), DATA_START),
        chunks=Chunks(DATA_START, SIZE, CHUNK_BYTES),
        rows_announced=17,
        decided_at=NOW,
        decidable_until=NOW + timedelta(days=400),
        request_digest=request,
        opened_by="billing",
        log_count=1,
        subject="line_id",
        outage=OUTAGE,
        same_outage_as=("net-outage-as-told",),
    )


def frozen() -> Frozen:
    """What a campaign decides by, as far as a store looks at it."""
    return Frozen('{"policy":"Größe"}'.encode(), '{"incident":"Störung"}'.encode())


def change(before: Campaign, target: State, reason: str = "because") -> StateChange:
    """A move of a campaign."""
    return before.change(target, reason, CAUSE, NOW)


def filed(before: Campaign) -> FiledPlan:
    """A campaign's plan of 5.00 EUR, as it is filed for approval."""
    counted = replace(totals(), sums={SumKey(RowResult.GRANTED, WriteResult.NONE, "EUR"): 500})
    return file_plan(before, counted, Measured(), (), decision_digest="d" * 64, read="e" * 64, planned_at=NOW)


def approval(plan: FiledPlan, name: str = "anna") -> Approval:
    """A person's yes to a plan."""
    person = f"iam:arn:aws:iam::123456789012:user/{name}"
    return Approval(f"{name}-yes", person, plan.hash, ("largest EUR",), NOW, "flood" if name == "ben" else "")


def move(store: CampaignStore, before: Campaign, target: State, reason: str = "because") -> list[StateChange]:
    """Move a campaign; to its execution by way of its filed plan. The lines that this adds to its log."""
    made, current = list[StateChange](), before
    way = [State.AWAITING_APPROVAL, target] if (before.state, target) == BEGINNING else [target]
    for step in way:
        made.append(change(current, step, reason))
        store.change_state(current, made[-1], gate_of(store, current, step))
        found = store.campaign(before.id)
        assert found is not None
        current = found
    return made


BEGINNING = (State.PLANNING, State.APPLYING)


def gate_of(store: CampaignStore, before: Campaign, target: State) -> AtTheGate:
    """What has to be written with a move."""
    if (before.state, target) == (State.PLANNING, State.AWAITING_APPROVAL):
        return AtTheGate(plan=filed(before))
    if before.state in (State.AWAITING_APPROVAL, State.PAUSED) and target is State.APPLYING:
        record = store.incident(before.id.incident_id)
        assert record is not None
        return AtTheGate(start=Start(record))
    return AtTheGate()


OPENING = StateChange(1, NOW, None, State.PLANNING, "requested", CAUSE)


def totals(lines: int = 3, digest: int = 2**128 - 5, *, cents: int = 500, minutes: str = "0.5") -> Totals:
    """Sums of a range with money, fractions of a unit and something unlimited."""
    return Totals(
        lines=lines,
        unbalanced_quotes=1,
        digest=digest,
        counts=Counter(
            {
                CountKey(RowResult.GRANTED, "credit", WriteResult.WRITTEN): lines - 1,
                CountKey(RowResult.REJECTED, "not_utf8", WriteResult.NONE): 1,
            }
        ),
        sums={
            SumKey(RowResult.GRANTED, WriteResult.WRITTEN, "USD"): cents,
            SumKey(RowResult.GRANTED, WriteResult.WRITTEN, "call_minute"): Decimal(minutes),
            SumKey(RowResult.GRANTED, WriteResult.WRITTEN, "data:unlimited"): 1,
        },
        ends={EndOf("call_minute", NOW + timedelta(days=7)): Decimal(minutes), EndOf("data:unlimited", NOW): 1},
    )


def receipt(start: int, end: int, **changes: object) -> Receipt:
    """A receipt of the campaign's first chunk in the plan pass; by default its first, and it does not finish it."""
    plain = Receipt(FIRST, Pass.PLAN, 0, start, end, None, False, totals())
    return replace(plain, **changes)  # type: ignore[arg-type] # the names are the fields'


def entry(
    account_id: str, body: str = '{"outcome":"granted","reason":"entitled"}', origin: int = 50, **changes: object
) -> Entry:
    """A decision of the incident's first campaign, worth money."""
    plain = Entry(
        key=DecisionKey(account_id, INCIDENT, WHOLE_ACCOUNT, 1),
        body=body,
        status=Outcome.GRANTED,
        remaining=(500,),
        effective_at=NOW,
        expires_at=None,
        ttl=1_900_000_000,
        origin=origin,
    )
    return replace(plain, **changes)  # type: ignore[arg-type] # the names are the fields'
