"""Where incidents, campaigns and what belongs to them stand in CampaignsTable: keys, and what is read back of a key."""

from typing import Any

from kulanz.domain.campaigns.campaign import CampaignId, Pass, Receipt

REVISION_PREFIX = "REVISION#"
LOG_PREFIX = "LOG#"
META = "META"
KEPT_PARTITION, KEPT_PREFIX = "KEPT", "REQUEST#"
"""One item for each campaign request that waits: there are none, or a few."""
LAST_OFFSET = 10**14 - 1
"""The largest offset that a receipt's key can hold."""

type Item = dict[str, Any]


def item_key(partition: str, place: str) -> Item:
    """A key of the table."""
    return {"pk": {"S": partition}, "sk": {"S": place}}


def incident_partition(incident_id: str) -> str:
    """Where everything that was told about one incident stands."""
    return f"INCIDENT#{incident_id}"


def incident_of_partition(partition: str) -> str:
    """The incident of a partition that is an incident's."""
    return partition.partition("#")[2]


def incident_key(incident_id: str) -> Item:
    """The key of an incident's record."""
    return item_key(incident_partition(incident_id), "INCIDENT")


def campaign_partition(campaign_id: CampaignId) -> str:
    """Where everything about one campaign stands."""
    return f"CAMPAIGN#{campaign_id.incident_id}#{campaign_id.seq:03d}"


def campaign_of_partition(partition: str) -> CampaignId | None:
    """The campaign of a partition; None when it is not a campaign's."""
    kind, _, rest = partition.partition("#")
    incident_id, _, seq = rest.rpartition("#")
    return CampaignId(incident_id, int(seq)) if kind == "CAMPAIGN" and seq.isdigit() else None


def meta_key(campaign_id: CampaignId) -> Item:
    """The key of a campaign's META record."""
    return item_key(campaign_partition(campaign_id), META)


def outage_partition(outage: str) -> str:
    """Where the campaigns of all incidents over one outage are listed."""
    return f"OUTAGE#{outage}"


def frozen_key(campaign_id: CampaignId) -> Item:
    """The key of what a campaign decides by."""
    return item_key(campaign_partition(campaign_id), "FROZEN")


def log_key(campaign_id: CampaignId, number: int) -> Item:
    """The key of one line of a campaign's log."""
    return item_key(campaign_partition(campaign_id), f"{LOG_PREFIX}{number:06d}")


def cursor_prefix(work: Pass) -> str:
    """What the cursors of a pass begin with."""
    return f"CURSOR#{work.value}#"


def cursor_key(campaign_id: CampaignId, work: Pass, chunk: int) -> Item:
    """The key of a chunk's cursor."""
    return item_key(campaign_partition(campaign_id), f"{cursor_prefix(work)}{chunk:06d}")


def chunk_of_cursor(item: Item) -> int:
    """The chunk a cursor is about."""
    return int(item["sk"]["S"].rpartition("#")[2])


def receipt_prefix(work: Pass) -> str:
    """What the receipts of a pass begin with."""
    return f"RECEIPT#{work.value}#"


def receipt_key(receipt: Receipt) -> Item:
    """The key of a receipt: by where it starts; the chunk tells apart the empty ones that start at the same byte."""
    place = f"{receipt_prefix(receipt.work)}{offset_text(receipt.start)}#{receipt.chunk:06d}"
    return item_key(campaign_partition(receipt.campaign), place)


def offset_text(offset: int) -> str:
    """An offset as it stands in a receipt's key: texts sort as the offsets do."""
    return f"{offset:014d}"


def revision_key(incident_id: str, number: int) -> Item:
    """The key of a revision. Numbers of more than seven digits do not sort among the others."""
    return item_key(incident_partition(incident_id), f"{REVISION_PREFIX}{number:07d}")
