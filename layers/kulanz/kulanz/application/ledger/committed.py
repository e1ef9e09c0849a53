"""The decisions of a campaign, found again by another pass over its pinned list: the list is the campaign's index."""

from collections.abc import Iterator
from itertools import batched

from kulanz.application.ports import Ledger, ListStore
from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.ledger import DecisionKey, Entry
from kulanz.domain.lists.lines import lines_starting_in
from kulanz.domain.lists.rows import Problem, line_reader
from kulanz.domain.policy import CompiledPolicy

KEYS_PER_READ = 100
"""What one BatchGetItem reads."""


def committed_decisions(
    campaign: Campaign, policy: CompiledPolicy, lists: ListStore, ledger: Ledger
) -> Iterator[list[Entry]]:
    """What stands in the ledger of this campaign, in the order of its list; memory does not grow with the list.

    A decision comes twice where its subject is listed twice far apart. Raises PinnedVersionGone, TryAgain.
    """
    for keys in batched(_keys(campaign, policy, lists), KEYS_PER_READ, strict=False):
        distinct = list(dict.fromkeys(keys))
        standing = ledger.standing(distinct)
        yield [standing[key] for key in distinct if key in standing]


def _keys(campaign: Campaign, policy: CompiledPolicy, lists: ListStore) -> Iterator[DecisionKey]:
    start, size = campaign.chunks.data_start, campaign.chunks.size
    reader = line_reader(campaign.layout, policy.facts, policy.subject)
    for line in lines_starting_in(lists.read(campaign.pinned, start), start, start, size, start):
        if not line.raw:
            continue
        record = reader.split(line.raw)
        if not isinstance(record, Problem):
            yield DecisionKey(record.account_id, campaign.id.incident_id, record.subject, campaign.id.seq)
