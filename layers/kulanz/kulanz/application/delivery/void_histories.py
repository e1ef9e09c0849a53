"""What a void, or the biller's answer to a reversal, changes of a subject's history: in one step with the entries."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from kulanz.application.delivery.world import EntriesChange
from kulanz.application.ports import Ledger
from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.delivery.voided import with_voided
from kulanz.domain.ledger.entries import DecisionKey, Entry, HistoryChange, net_worth
from kulanz.domain.policy.deciding.history import HistoryKey, Net


class HistoryStep(NamedTuple):
    """The change of a history. `is_room_used`: other incidents have used the room that is taken again by it."""

    change: HistoryChange
    is_room_used: bool = False


def changes_worth(entry: Entry, change: EntriesChange) -> bool:
    """Whether a change of entries makes something of a decision void, or something that was void stand again."""
    after = with_voided(entry, change.after)
    return after is not entry and after.voided != with_voided(entry, change.before).voided


def history_step(
    entry: Entry,
    change: EntriesChange,
    policy_id: str,
    ledger: Ledger,
    applied: Callable[[], Iterable[Campaign]],
    *,
    answered_at: datetime | None = None,
) -> HistoryStep | None:
    """What a change of a decision's entries changes of its subject's history; None where that has nothing of it.

    `applied` gives the campaigns of the incident that may have granted the subject something. It is asked after the
    history was read: whoever grants, or voids, beside this gives the history another version, and the step fails.
    `answered_at` is when the biller's answer was heard; None where a void here takes something back.
    """
    of = entry.key
    key = HistoryKey(of.account_id, policy_id, of.subject)
    history = ledger.histories([key]).get(key)
    if history is None:
        return None
    seqs = sorted({of.seq, *_counted(policy_id, applied())})
    keys = [DecisionKey(of.account_id, of.incident_id, of.subject, seq) for seq in seqs]
    standing = list(ledger.standing(keys).values())
    before = _net(standing)
    after = _net([with_voided(one, change.after) if one.key == of else one for one in standing])
    if answered_at is None:
        left = history.voided(of.incident_id, before, after)
        return None if left is None else HistoryStep(HistoryChange(key, history, left))
    found = history.reversed(of.incident_id, of.seq, before, after, answered_at)
    return None if found is None else HistoryStep(HistoryChange(key, history, found.history), found.is_room_used)


def _counted(policy_id: str, applied: Iterable[Campaign]) -> set[int]:
    """The campaigns of whose grants a policy's history counts an incident's: its own, and those that they set off.

    What another policy gave beside it (`earlier: add`) stands in that one's history.
    """
    return {seq for one in applied if one.policy_id == policy_id for seq in (one.id.seq, *one.follows)}


def _net(entries: Sequence[Entry]) -> Net:
    """What some decisions grant net of voids, by measure; zero of what was voided."""
    found: dict[str, int | Decimal] = {}
    for entry in entries:
        for measure, size in net_worth(entry).items():
            found[measure] = found.get(measure, 0) + size
    return found
