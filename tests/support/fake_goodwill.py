"""Goodwill over the fake ledger and the fake campaigns."""

from collections.abc import Callable, Sequence

from kulanz.application.byhand.goodwill_store import Giving, OpenedMonth
from kulanz.application.ports import Outdated
from kulanz.domain.audit import AuditEntry, goodwill_entry
from kulanz.domain.byhand.counts import Count, CountOf, CountStep
from kulanz.domain.byhand.goodwill import Goodwill, GoodwillState
from kulanz.domain.campaigns.campaign import Cursor, State
from kulanz.domain.delivery.added import added_whole
from kulanz.domain.ledger.additions import Addition, AdditionKind
from tests.support.fakes import FakeCampaigns, FakeLedger, _Kept


class FakeGoodwill:
    """The store of goodwill. `before_write` runs before each write: somebody else who is first."""

    def __init__(self, ledger: FakeLedger, campaigns: FakeCampaigns) -> None:
        self.given = campaigns.added_items.by_hand
        self.before_write: Callable[[], None] = lambda: None
        self.logged: list[AuditEntry] = []
        self.kept_until: dict[str, int] = {}
        """Until when each that waited is kept, in seconds since 1970."""
        self._records: dict[str, Goodwill] = {}
        self._counts: dict[CountOf, Count] = {}
        self._ledger, self._campaigns = ledger, campaigns

    def goodwill(self, goodwill_id: str) -> Goodwill | None:
        return self._records.get(goodwill_id)

    def of_account(self, account_id: str) -> list[Goodwill]:
        return [one for _, one in sorted(self._records.items()) if one.account_id == account_id]

    def waiting(self) -> list[str]:
        return sorted(name for name, one in self._records.items() if one.state is GoodwillState.WAITING)

    def counts(self, of: Sequence[CountOf]) -> tuple[Count, ...]:
        return tuple(self._counts.get(one, Count(one)) for one in of)

    def open_month(self, month: OpenedMonth) -> None:
        self.before_write()
        campaign = month.campaign
        if campaign.id in self._campaigns._campaigns or campaign.id.incident_id in self._campaigns._incidents:
            raise Outdated
        kept = _Kept(campaign, month.frozen, [month.change])
        kept.plan = month.plan
        for receipt in month.receipts:
            kept.receipts[receipt.work, receipt.start, receipt.chunk] = receipt
            kept.cursors[receipt.work, receipt.chunk] = Cursor(receipt.end, receipt.finishes_chunk)
        self._campaigns._incidents[campaign.id.incident_id] = month.record
        self._campaigns._campaigns[campaign.id] = kept
        self._campaigns.changes.append(campaign.id)

    def wait(self, asked: Goodwill, counts: Sequence[CountStep], keep_until: int) -> None:
        self.before_write()
        self._require(None, asked, counts)
        if self._campaigns.halt().is_on:
            raise Outdated
        self._write(asked, counts)
        self.kept_until[asked.id] = keep_until

    def give(self, giving: Giving) -> None:
        self.before_write()
        self._require(giving.before, giving.after, giving.counts)
        campaign = self._campaigns.state_of(giving.entry.key.campaign)
        if self._campaigns.halt().is_on or campaign is not State.CLOSED:
            raise Outdated
        if self._ledger.standing([giving.entry.key]):
            raise Outdated
        self._campaigns.budget_items.require_draws(giving.draws)
        added, place = self._campaigns.added_items, giving.entry.key.campaign
        added.require_open(place, giving.entry.effective_at)
        self._write(giving.after, giving.counts)
        self._ledger.insert([giving.entry])
        self._campaigns.budget_items.draw(giving.draws)
        added.count(place, giving.entry.effective_at, added_whole(giving.entry))
        actor = giving.after.decided_by or giving.after.asked_by
        self.given.append(Addition(AdditionKind.GOODWILL, giving.entry.key, giving.entry.effective_at, actor))

    def reject(self, before: Goodwill, after: Goodwill) -> None:
        self.before_write()
        self._require(before, after, ())
        self._write(after, ())

    def _require(self, before: Goodwill | None, after: Goodwill, counts: Sequence[CountStep]) -> None:
        standing = self._records.get(after.id)
        if (standing and standing.version) != (before and before.version):
            raise Outdated
        for step in counts:
            if self._counts.get(step.before.of, Count(step.before.of)).version != step.before.version:
                raise Outdated

    def _write(self, after: Goodwill, counts: Sequence[CountStep]) -> None:
        self._records[after.id] = after
        self.logged.append(goodwill_entry(after))
        self._counts |= {step.after.of: step.after for step in counts if not step.is_looked_at}
