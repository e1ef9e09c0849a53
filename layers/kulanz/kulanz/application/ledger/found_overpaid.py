"""What the latest campaign of an incident found overpaid to one subject, by what stands about the subject now.

A campaign that owes nothing more writes no decision. So the subject's row is looked for in its list, and decided again
with what its plan had read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kulanz.application.campaigns.filed_reads import FiledReads
from kulanz.application.campaigns.frozen import thaw
from kulanz.application.ledger.answer import SEARCHED_BYTES_MOST
from kulanz.application.ports import Archive, CampaignStore, ListStore, PinnedVersionGone
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, State
from kulanz.domain.campaigns.reconciliation import Overpaid, RowResult
from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.earlier_decisions import overpaid, stands_before, still_owed
from kulanz.domain.ledger.entries import Entry
from kulanz.domain.lists.lines import lines_starting_in
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import Row
from kulanz.domain.lists.to_bill import TO_BILL_COLUMNS
from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.policy.explaining.explanation import explain


@dataclass(frozen=True, slots=True)
class OverpaidPorts:
    """The world that is read for it."""

    campaigns: CampaignStore
    lists: ListStore
    archive: Archive


@dataclass(frozen=True, slots=True)
class FoundOverpaid:
    """How much a subject has too much, by measure, and the campaign that found it. `sums` is None where its list is too
    long to be searched, or gone: then an export of the plan says it.
    """

    campaign: CampaignId
    sums: Overpaid | None


def found_overpaid(entries: Sequence[Entry], ports: OverpaidPorts) -> FoundOverpaid | None:
    """What is too much of one subject's decisions about an incident; None where nothing is. `entries` are all of
    them, of which there is one, lowest campaign first.
    """
    key = entries[0].key
    campaign = _latest(key.incident_id, ports.campaigns)
    if campaign is None:
        return None
    before = stands_before(one for one in entries if one.key.seq in campaign.follows)
    waits = any(one.key.seq == campaign.id.seq and one.status in (Outcome.HELD, Outcome.REFERRED) for one in entries)
    if before is None or waits:
        return None
    if campaign.pinned.size > SEARCHED_BYTES_MOST or campaign.planned_otherwise():
        return FoundOverpaid(campaign.id, None)
    try:
        policy = thaw(campaign, ports.campaigns.frozen(campaign.id))
        found = next(_rows(campaign, policy, key.account_id, key.subject, ports), None)
    except PinnedVersionGone:
        return FoundOverpaid(campaign.id, None)
    if found is None:
        return None
    offset, row = found
    chunk = (offset - campaign.chunks.data_start) // campaign.chunks.chunk_bytes
    read = FiledReads(campaign, chunk, ports.campaigns, ports.archive).planned(offset).history
    whole = explain(policy, row.values, read.kept).decision
    # What the plan held it found nothing of; over settled time it held only what would give something
    sums = () if read.holds(whole) else overpaid(whole, before, still_owed(whole, before))
    return FoundOverpaid(campaign.id, sums) if sums else None


def _latest(incident_id: str, campaigns: CampaignStore) -> Campaign | None:
    """The latest campaign of an incident that closed and sets off earlier ones, if it found anything overpaid."""
    record = campaigns.incident(incident_id)
    applied = () if record is None else sorted(record.applied, reverse=True)
    # The first campaign of an incident sets off none, and mostly it is the only one.
    found = (campaigns.campaign(CampaignId(incident_id, seq)) for seq in applied[:-1])
    latest = next((one for one in found if one is not None and one.state is State.CLOSED and one.follows), None)
    worth = {} if latest is None else latest.apply.totals.worth()
    return latest if any(size for (of, _), size in worth.items() if of is RowResult.OVERPAID) else None


def _rows(
    campaign: Campaign, policy: CompiledPolicy, account_id: str, subject: str, ports: OverpaidPorts
) -> Iterator[tuple[int, Row]]:
    """The good rows of a subject in a campaign's list, each with where it starts."""
    start = campaign.chunks.data_start
    wanted = account_id.encode() if campaign.layout.account_ids is None else b""  # else ids may be written otherwise
    reader = line_reader(campaign.layout, policy.facts, policy.subject, campaign.ignored_columns, TO_BILL_COLUMNS)
    for line in lines_starting_in(ports.lists.read(campaign.pinned, start), start, start, campaign.pinned.size, start):
        if line.raw is None or wanted not in line.raw:
            continue
        row = reader.row(line.raw)
        if isinstance(row, Row) and (row.account_id, row.subject) == (account_id, subject):
            yield line.offset, row
