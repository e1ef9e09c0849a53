"""The tables in memory, behaving as their ports' docstrings say. The contract suites hold them to what the adapters do.

A fake keeps plain values where a test can look at them. Changes that AWS would put on a stream are appended to
`FakeCampaigns.changes` and `.recorded` and to `FakeLedger.inserted`, in the order of commitment.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from kulanz.application.ports import (
    NOTHING_MORE,
    AtTheGate,
    KeptRequest,
    OpenCampaign,
    Outdated,
    Refused,
    must_begin_at_the_gate,
)
from kulanz.domain.budgets import Budget, BudgetStep, Reservation
from kulanz.domain.campaigns.campaign import (
    ENDED,
    WAITING,
    Campaign,
    CampaignId,
    Cursor,
    Frozen,
    Pass,
    Progress,
    Receipt,
    State,
    StateChange,
)
from kulanz.domain.campaigns.reconciliation import Totals
from kulanz.domain.campaigns.same_outage import OutageCampaign
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind, on_campaigns
from kulanz.domain.confirmation import Confirmation, Tables
from kulanz.domain.gate.approval import Action
from kulanz.domain.gate.filed_plan import FiledPlan
from kulanz.domain.gate.settings import Spent, SpentPlace
from kulanz.domain.halt import NEVER_SET, Halt, HaltAction
from kulanz.domain.incident_record import IncidentRecord, Revision
from kulanz.domain.ledger.entries import (
    DecisionKey,
    Entry,
    EntryWithFormer,
    EntryWithHistory,
    HistoryChange,
    HistoryMoved,
)
from kulanz.domain.policy.deciding.history import HistoryKey, SubjectHistory
from tests.support.fake_added import AddedItems
from tests.support.fake_budgets import BudgetItems


@dataclass(slots=True)
class _Kept:
    """All records of one campaign."""

    campaign: Campaign
    frozen: Frozen
    log: list[StateChange]
    plan: FiledPlan | None = None
    actions: dict[str, Action] = field(default_factory=dict)
    cursors: dict[tuple[Pass, int], Cursor] = field(default_factory=dict)
    receipts: dict[tuple[Pass, int, int], Receipt] = field(default_factory=dict)
    is_open: bool = True
    seen: tuple[int, datetime | None] = (0, None)
    read: tuple[Campaign, Campaign] | None = None
    """The campaign and the copy that readers get, until it changes: they ask far more often than it does."""

    def campaign_read(self) -> Campaign:
        """A copy, so that no reader's sums are the store's own."""
        kept = self.campaign
        if self.read is None or self.read[0] is not kept:
            self.read = kept, replace(kept, plan=_copied(kept.plan), apply=_copied(kept.apply))
        return self.read[1]


class FakeCampaigns:
    """Incidents and campaigns, and what their stream tells, in order.

    `changes` names the campaign of every write to a META record; `recorded` are the revisions as they were written.
    """

    def __init__(self) -> None:
        self.changes: list[CampaignId] = []
        self.recorded: list[Revision] = []
        self._incidents: dict[str, IncidentRecord] = {}
        self._revisions: dict[str, dict[int, Revision]] = {}
        self._campaigns: dict[CampaignId, _Kept] = {}
        self.troubles: dict[tuple[TroubleKind, str], Trouble] = {}
        self._halt = NEVER_SET
        self.halt_actions: list[HaltAction] = []
        self._requests: dict[tuple[str, str], KeptRequest] = {}
        self._spent: dict[SpentPlace, Spent] = {}
        self.budget_items = BudgetItems()
        self.added_items = AddedItems()

    def incident(self, incident_id: str) -> IncidentRecord | None:
        return self._incidents.get(incident_id)

    def revisions(self, incident_id: str) -> list[Revision]:
        known = self._revisions.get(incident_id, {})
        return [known[number] for number in sorted(known)]

    def revision(self, incident_id: str, number: int) -> Revision | None:
        return self._revisions.get(incident_id, {}).get(number)

    def record_revision(self, before: IncidentRecord | None, after: IncidentRecord, revision: Revision) -> None:
        self._require_unchanged(before, after.incident_id)
        if revision.number in self._revisions.get(after.incident_id, {}):
            raise Outdated
        self._incidents[after.incident_id] = after
        self._revisions.setdefault(after.incident_id, {})[revision.number] = revision
        self.recorded.append(revision)

    def move_incident(self, before: IncidentRecord, after: IncidentRecord) -> None:
        """Move an incident's record alone, as a void does. Raises Outdated."""
        self._require_unchanged(before, after.incident_id)
        self._incidents[after.incident_id] = after

    def open(
        self, before: IncidentRecord, after: IncidentRecord, campaign: Campaign, frozen: Frozen, change: StateChange
    ) -> None:
        self._require_unchanged(before, after.incident_id)
        if campaign.id in self._campaigns:
            raise Outdated
        self._incidents[after.incident_id] = after
        self._campaigns[campaign.id] = _Kept(campaign, frozen, [change])
        self.changes.append(campaign.id)

    def over_outage(self, outage: str) -> Iterator[OutageCampaign]:
        found = [one.campaign for one in self._campaigns.values() if one.campaign.outage == outage]
        found.sort(key=lambda one: (one.id.incident_id, one.id.seq))
        return iter([OutageCampaign(one.id, one.pinned) for one in found])

    def campaign(self, campaign_id: CampaignId) -> Campaign | None:
        kept = self._campaigns.get(campaign_id)
        return None if kept is None else kept.campaign_read()

    def state_of(self, campaign_id: CampaignId) -> State | None:
        kept = self._campaigns.get(campaign_id)
        return None if kept is None else kept.campaign.state

    def frozen(self, campaign_id: CampaignId) -> Frozen:
        return self._known(campaign_id).frozen

    def cursor(self, campaign_id: CampaignId, work: Pass, chunk: int) -> Cursor | None:
        kept = self._campaigns.get(campaign_id)
        return None if kept is None else kept.cursors.get((work, chunk))

    def finished_chunks(self, campaign_id: CampaignId, work: Pass) -> set[int]:
        kept = self._campaigns.get(campaign_id)
        cursors = {} if kept is None else kept.cursors
        return {chunk for (of, chunk), cursor in cursors.items() if of is work and cursor.finished}

    def record_receipt(self, receipt: Receipt) -> bool:
        kept = self._campaigns.get(receipt.campaign)
        if kept is None:
            return False
        place, at = (receipt.work, receipt.chunk), (receipt.work, receipt.start, receipt.chunk)
        cursor = kept.cursors.get(place)
        if (None if cursor is None else cursor.position) != receipt.moved_from or (cursor and cursor.finished):
            return kept.receipts.get(at) == receipt
        kept.receipts[at] = replace(receipt, totals=_sum(receipt.totals))
        kept.cursors[place] = Cursor(receipt.end, receipt.finishes_chunk)
        progress = kept.campaign.progress(receipt.work)
        grown = replace(
            progress,
            bytes_done=progress.bytes_done + receipt.end - receipt.start,
            totals=_sum(progress.totals, receipt.totals),
        )
        self._update(kept, _with_progress(kept.campaign, receipt.work, grown))
        return True

    def receipts(
        self, campaign_id: CampaignId, work: Pass, start: int = 0, stop: int | None = None
    ) -> Iterator[Receipt]:
        kept = self._campaigns.get(campaign_id)
        receipts = {} if kept is None else kept.receipts
        found = {
            at: receipt
            for at, receipt in receipts.items()
            if at[0] is work and start <= at[1] and (stop is None or at[1] < stop)
        }
        for at in sorted(found):
            yield replace(found[at], totals=_sum(found[at].totals))

    def change_state(self, before: Campaign, change: StateChange, gate: AtTheGate = NOTHING_MORE) -> None:
        must_begin_at_the_gate(before, change, gate)
        kept, record = self._campaigns.get(before.id), self._incidents.get(before.id.incident_id)
        if kept is None or record is None:
            raise Outdated
        if change in kept.log:
            return
        if change.target is State.APPLYING and self._halt.is_on:
            raise Outdated
        if (kept.campaign.state, kept.campaign.log_count) != (before.state, before.log_count):
            raise Outdated
        self._require_gate(kept, record, gate)
        occupies = record.open_seq == before.id.seq
        if change.target is State.APPLYING or (change.target in ENDED and occupies):
            if record.open_seq != before.id.seq:
                raise Outdated
            told = replace(record, version=record.version + 1)
            applying = change.target is State.APPLYING
            applied = tuple(sorted({*told.applied, before.id.seq}))
            told = replace(told, applied=applied) if applying else replace(told, open_seq=None)
            self._incidents[before.id.incident_id] = told
        if gate.plan is not None:
            kept.plan = gate.plan
        if gate.action is not None:
            kept.actions[gate.action.id] = gate.action
        if gate.trouble is not None:
            self.troubles[gate.trouble.kind, gate.trouble.on] = gate.trouble
        if gate.start is not None:
            self._spent |= {spent.place: spent for spent in gate.start.spent}
            self.budget_items.apply(gate.start.budgets or BudgetStep())
        kept.log.append(change)
        kept.is_open, kept.seen = True, (0, None)
        moved = replace(kept.campaign, state=change.target, state_reason=change.reason, log_count=change.number)
        for work in Pass:
            moved = _with_progress(moved, work, replace(moved.progress(work), sent=0))
        self._update(kept, moved)

    def _require_gate(self, kept: "_Kept", record: IncidentRecord, gate: AtTheGate) -> None:
        """The conditions of the transaction that the gate adds to."""
        if gate.plan is not None and kept.plan is not None:
            raise Outdated
        if gate.action is not None and gate.action.id in kept.actions:
            raise Outdated
        if gate.start is not None:
            spent = (self.spent(one.place).version == one.version - 1 for one in gate.start.spent)
            if gate.start.incident.version != record.version or not all(spent):
                raise Outdated
            self.budget_items.require(gate.start.budgets or BudgetStep())

    def filed_plan(self, campaign_id: CampaignId) -> FiledPlan | None:
        kept = self._campaigns.get(campaign_id)
        return None if kept is None else kept.plan

    def actions(self, campaign_id: CampaignId) -> list[Action]:
        kept = self._campaigns.get(campaign_id)
        return [] if kept is None else [kept.actions[place] for place in sorted(kept.actions)]

    def spent(self, place: SpentPlace) -> Spent:
        return self._spent.get(place, Spent(place))

    def budget(self, currency: str, month: str) -> Budget:
        return self.budget_items.budget(currency, month)

    def reservations(self, campaign_id: CampaignId) -> list[Reservation]:
        return self.budget_items.of(str(campaign_id))

    def waiting(self) -> list[CampaignId]:
        found = [place for place, kept in self._campaigns.items() if kept.campaign.state in WAITING]
        found.sort(key=lambda place: (place.incident_id, place.seq))
        troubled = map(CampaignId.parse, on_campaigns(self.troubles.values()))
        return list(dict.fromkeys((*found, *troubled)))

    def open_campaigns(self) -> list[OpenCampaign]:
        found = [kept for _, kept in sorted(self._campaigns.items(), key=lambda one: (one[0].incident_id, one[0].seq))]
        return [
            OpenCampaign(kept.campaign.id, kept.campaign.state, kept.log[-1].at, *kept.seen)
            for kept in found
            if kept.is_open
        ]

    def note_seen(self, seen: OpenCampaign) -> None:
        kept = self._known(seen.id)
        if kept.is_open and kept.campaign.state is seen.state:
            kept.seen = seen.came_to, seen.seen_at

    def mark_dispatched(self, campaign: Campaign, work: Pass, sent: int) -> None:
        kept = self._known(campaign.id)
        marked = replace(
            kept.campaign.progress(work), sent=sent if campaign.log_count == kept.campaign.log_count else 0
        )
        self._update(kept, _with_progress(kept.campaign, work, marked))

    def mark_announced(self, campaign: Campaign, announced: str) -> None:
        kept = self._known(campaign.id)
        if campaign.state in ENDED:
            if kept.campaign.log_count != campaign.log_count:
                raise Outdated
            kept.is_open = False
        self._update(kept, replace(kept.campaign, announced=announced))

    def log(self, campaign_id: CampaignId) -> list[StateChange]:
        kept = self._campaigns.get(campaign_id)
        return [] if kept is None else list(kept.log)

    def campaigns_of(self, incident_id: str) -> list[Campaign]:
        known = sorted((key for key in self._campaigns if key.incident_id == incident_id), key=lambda key: key.seq)
        return [campaign for key in known if (campaign := self.campaign(key)) is not None]

    def halt(self) -> Halt:
        return self._halt

    def change_halt(self, before: Halt, after: Halt, action: HaltAction) -> None:
        if self._halt != before:
            raise Outdated
        self._halt = after
        self.halt_actions.append(action)

    def keep_request(self, request: KeptRequest) -> None:
        self._requests[request.incident_id, request.request_digest] = request

    def kept_requests(self) -> Iterator[KeptRequest]:
        return iter(sorted(self._requests.values(), key=lambda one: (one.incident_id, one.request_digest)))

    def forget_request(self, request: KeptRequest) -> None:
        place = request.incident_id, request.request_digest
        known = self._requests.get(place)
        if known is not None and known.opens_at == request.opens_at:
            del self._requests[place]

    def holds_anything(self) -> bool:
        return bool(self._incidents)

    def all_campaigns(self) -> list[CampaignId]:
        """Every campaign there is: for tests that look at the end of everything."""
        return sorted(self._campaigns, key=str)

    def _known(self, campaign_id: CampaignId) -> _Kept:
        kept = self._campaigns.get(campaign_id)
        if kept is None:
            raise Refused("there is no such campaign")
        return kept

    def _require_unchanged(self, before: IncidentRecord | None, incident_id: str) -> None:
        known = self._incidents.get(incident_id)
        if (known and known.version) != (before and before.version):
            raise Outdated

    def _update(self, kept: _Kept, campaign: Campaign) -> None:
        kept.campaign = campaign
        self.changes.append(campaign.id)


def _sum(*parts: Totals) -> Totals:
    whole = Totals(counts=Counter(), sums={})
    for part in parts:
        whole.add(part)
    return whole


def _copied(progress: Progress) -> Progress:
    return replace(progress, totals=_sum(progress.totals))


def _with_progress(campaign: Campaign, work: Pass, progress: Progress) -> Campaign:
    return replace(campaign, plan=progress) if work is Pass.PLAN else replace(campaign, apply=progress)


class FakeStores:
    """Two tables, confirmed unless a test takes that away. `replace_tables` is what a restore or a new stack does."""

    def __init__(self, campaigns: "FakeCampaigns", ledger: "FakeLedger") -> None:
        self._campaigns_store, self._ledger = campaigns, ledger
        self._made = 1
        self._confirmation: Confirmation | None = None

    def tables(self) -> Tables:
        return Tables(f"credits-{self._made}", f"campaigns-{self._made}")

    def replace_tables(self) -> None:
        self._made += 1

    def confirmation(self) -> Confirmation | None:
        return self._confirmation

    def confirm(self, confirmation: Confirmation, before: Confirmation | None) -> None:
        if self._confirmation == confirmation:
            return
        if self._confirmation != before:
            raise Outdated
        self._confirmation = confirmation

    def is_empty(self) -> bool:
        return not self._campaigns_store.holds_anything() and not self._ledger.all_entries()

    def campaign_ids(self) -> Iterator[CampaignId]:
        yield from self._campaigns_store.all_campaigns()


class FakeLedger:
    """The decisions. `inserted` holds every entry that was really written, in order."""

    def __init__(self) -> None:
        self.inserted: list[Entry] = []
        self._entries: dict[DecisionKey, Entry] = {}
        self._histories: dict[HistoryKey, SubjectHistory] = {}

    def insert(self, entries: Sequence[Entry]) -> list[Entry | None]:
        keys = [entry.key for entry in entries]
        if len(set(keys)) != len(keys):
            raise ValueError("two entries of one insert have the same key")
        found: list[Entry | None] = []
        for entry in entries:
            found.append(self._entries.get(entry.key))
            if found[-1] is None:
                self._entries[entry.key] = entry
                self.inserted.append(entry)
        return found

    def insert_with_history(self, entries: Sequence[EntryWithHistory]) -> list[Entry | HistoryMoved | None]:
        if len({one.entry.key for one in entries}) != len(entries):
            raise ValueError("two entries of one insert have the same key")
        return [self._keep(one) for one in entries]

    def _keep(self, one: EntryWithHistory) -> Entry | HistoryMoved | None:
        change = one.change
        known = self._histories.get(change.key, SubjectHistory())
        if one.entry.key in self._entries:
            return self._entries[one.entry.key]
        if known.version != change.before.version:
            return HistoryMoved.MOVED
        self._histories[change.key] = change.after
        self._entries[one.entry.key] = one.entry
        self.inserted.append(one.entry)
        return None

    def insert_with_former(self, entries: Sequence[EntryWithFormer]) -> list[Entry | HistoryMoved | None]:
        return [self._take_place(one) for one in entries]

    def _take_place(self, one: EntryWithFormer) -> Entry | HistoryMoved | None:
        all_ids = (one.entry, *one.former)
        for entry in all_ids:
            if entry.key in self._entries:
                return self._entries[entry.key]
        known = [self._histories.get(change.key, SubjectHistory()) for change in one.changes]
        if any(now.version != change.before.version for now, change in zip(known, one.changes, strict=True)):
            return HistoryMoved.MOVED
        self._histories |= {change.key: change.after for change in one.changes}
        self._entries |= {entry.key: entry for entry in all_ids}
        self.inserted.append(one.entry)
        return None

    def histories(self, keys: Sequence[HistoryKey]) -> dict[HistoryKey, SubjectHistory]:
        return {key: self._histories[key] for key in keys if key in self._histories}

    def standing(self, keys: Sequence[DecisionKey]) -> dict[DecisionKey, Entry]:
        return {key: self._entries[key] for key in keys if key in self._entries}

    def of_account(self, account_id: str, incident_id: str | None = None) -> list[Entry]:
        chosen = [
            entry
            for key, entry in self._entries.items()
            if key.account_id == account_id and incident_id in (None, key.incident_id)
        ]
        return sorted(chosen, key=lambda entry: entry.key.place)

    def all_histories(self) -> dict[HistoryKey, SubjectHistory]:
        """Every unit's history: for tests that look at the end of everything."""
        return dict(self._histories)

    def replace_history(self, change: HistoryChange) -> None:
        """Let a subject's history stand as it is after a change."""
        self._histories[change.key] = change.after

    def replace_entry(self, entry: Entry) -> None:
        """Let another entry stand under the key: what was written beside its body has changed."""
        self._entries[entry.key] = entry

    def forget(self, key: DecisionKey) -> None:
        """What a restore to an earlier instant does to a decision."""
        del self._entries[key]

    def all_entries(self) -> list[Entry]:
        """Every decision there is, by key: for tests that look at the end of everything."""
        return sorted(self._entries.values(), key=lambda entry: str(entry.key))
