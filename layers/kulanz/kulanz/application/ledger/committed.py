"""The decisions of a campaign, found again by another pass over its pinned list: the list is the campaign's index."""

from collections.abc import Iterator
from itertools import batched

from kulanz.application.ports import Ledger, ListStore
from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.ledger.entries import DecisionKey, Entry, is_of_rejected_row
from kulanz.domain.lists.lines import lines_starting_in
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import Problem
from kulanz.domain.lists.unread_columns import OWN_COLUMNS
from kulanz.domain.policy import CompiledPolicy

KEYS_PER_READ = 100
"""What one BatchGetItem reads."""


def committed_decisions(
    campaign: Campaign, policy: CompiledPolicy, lists: ListStore, ledger: Ledger
) -> Iterator[list[Entry]]:
    """What stands in the ledger of this campaign, in the order of its list; memory does not grow with the list.

    Each decision comes once, with the row that it was written for: a subject that is listed again has no other. What a
    person decided of a rejected row is an addition, and none of these.
    Raises PinnedVersionGone, TryAgain.
    """
    return (entries for _, entries in committed_pages(campaign, policy, lists, ledger))


def committed_pages(
    campaign: Campaign, policy: CompiledPolicy, lists: ListStore, ledger: Ledger, begin: int = 0
) -> Iterator[tuple[int, list[Entry]]]:
    """The same for the rows that start at byte `begin` or later, with the byte after which the next page's rows start.

    Whoever stops after a page goes on from there.
    """
    for rows in batched(_rows(campaign, policy, lists, begin), KEYS_PER_READ, strict=False):
        standing = ledger.standing(list(dict.fromkeys(key for key, _ in rows)))
        found = [
            standing[key]
            for key, offset in rows
            if key in standing and standing[key].origin == offset and not is_of_rejected_row(standing[key])
        ]
        yield rows[-1][1] + 1, found


def _rows(
    campaign: Campaign, policy: CompiledPolicy, lists: ListStore, begin: int
) -> Iterator[tuple[DecisionKey, int]]:
    """Each row's key and where it begins."""
    data_start, size = campaign.chunks.data_start, campaign.chunks.size
    start = max(begin, data_start)
    read_from = start if start == data_start else start - 1
    reader = line_reader(campaign.layout, policy.facts, policy.subject, campaign.ignored_columns, OWN_COLUMNS)
    for line in lines_starting_in(lists.read(campaign.pinned, read_from), read_from, start, size, data_start):
        if not line.raw:
            continue
        record = reader.split(line.raw)
        if not isinstance(record, Problem):
            key = DecisionKey(record.account_id, campaign.id.incident_id, record.subject, campaign.id.seq)
            yield key, line.offset
