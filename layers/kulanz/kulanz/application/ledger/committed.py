"""The decisions of a campaign, found again by another pass over its pinned list: the list is the campaign's index."""

from collections.abc import Iterator
from itertools import batched

from kulanz.application.ports import Ledger, ListStore
from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.ledger.entries import DecisionKey, Entry
from kulanz.domain.lists.lines import lines_starting_in
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import Problem
from kulanz.domain.policy import CompiledPolicy

KEYS_PER_READ = 100
"""What one BatchGetItem reads."""


def committed_decisions(
    campaign: Campaign, policy: CompiledPolicy, lists: ListStore, ledger: Ledger
) -> Iterator[list[Entry]]:
    """What stands in the ledger of this campaign, in the order of its list; memory does not grow with the list.

    Each decision comes once, with the row that it was written for: a subject that is listed again has no other.
    Raises PinnedVersionGone, TryAgain.
    """
    for rows in batched(_rows(campaign, policy, lists), KEYS_PER_READ, strict=False):
        standing = ledger.standing(list(dict.fromkeys(key for key, _ in rows)))
        yield [standing[key] for key, offset in rows if key in standing and standing[key].origin == offset]


def _rows(campaign: Campaign, policy: CompiledPolicy, lists: ListStore) -> Iterator[tuple[DecisionKey, int]]:
    """Each row's key and where it begins."""
    start, size = campaign.chunks.data_start, campaign.chunks.size
    reader = line_reader(campaign.layout, policy.facts, policy.subject)
    for line in lines_starting_in(lists.read(campaign.pinned, start), start, start, size, start):
        if not line.raw:
            continue
        record = reader.split(line.raw)
        if not isinstance(record, Problem):
            key = DecisionKey(record.account_id, campaign.id.incident_id, record.subject, campaign.id.seq)
            yield key, line.offset
