"""How an incident's record and its revisions are laid out in CampaignsTable."""

from kulanz.adapters.campaign_keys import (
    KEPT_PARTITION,
    KEPT_PREFIX,
    REVISION_PREFIX,
    Item,
    incident_key,
    item_key,
    revision_key,
)
from kulanz.application.ports import KeptRequest
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.incident_record import IncidentRecord, Revision
from kulanz.domain.time import format_instant, parse_instant


def incident_item(record: IncidentRecord) -> Item:
    """An incident's record as an item."""
    item = incident_key(record.incident_id) | {
        "version": {"N": str(record.version)},
        "highest_revision": {"N": str(record.highest_revision)},
        "revision_digests": {"M": {str(number): {"S": digest} for number, digest in record.revision_digests.items()}},
        "decidable_until": {"S": format_instant(record.decidable_until)},
        "next_seq": {"N": str(record.next_seq)},
        "requests": {"M": {digest: {"N": str(seq)} for digest, seq in record.requests.items()}},
    }
    if record.open_seq is not None:
        item["open_seq"] = {"N": str(record.open_seq)}
    if record.voiding:
        item["voiding"] = {"S": record.voiding}
    if record.applied:
        item["applied"] = {"NS": [str(seq) for seq in record.applied]}
    return item


def read_incident(item: Item) -> IncidentRecord:
    """An incident's record back from its item."""
    return IncidentRecord(
        incident_id=item["pk"]["S"].partition("#")[2],
        version=int(item["version"]["N"]),
        highest_revision=int(item["highest_revision"]["N"]),
        revision_digests={int(number): digest["S"] for number, digest in item["revision_digests"]["M"].items()},
        decidable_until=parse_instant(item["decidable_until"]["S"]),
        next_seq=int(item["next_seq"]["N"]),
        open_seq=_optional_number(item, "open_seq"),
        applied=tuple(sorted(int(seq) for seq in item.get("applied", {}).get("NS", []))),
        requests={digest: int(seq["N"]) for digest, seq in item["requests"]["M"].items()},
        voiding=item.get("voiding", {"S": ""})["S"],
    )


def _optional_number(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None


def revision_item(revision: Revision) -> Item:
    """A revision of an incident as an item."""
    return revision_key(revision.incident_id, revision.number) | {
        "detail_type": {"S": revision.detail_type},
        "content": {"S": revision.content.decode()},
        "digest": {"S": revision.digest},
        "recorded_at": {"S": format_instant(revision.recorded_at)},
        "source": {"S": revision.source},
    }


def is_revision(item: Item) -> bool:
    """Whether an item is a revision of an incident."""
    partition: str = item["pk"]["S"]
    place: str = item["sk"]["S"]
    return partition.startswith("INCIDENT#") and place.startswith(REVISION_PREFIX)


def read_revision(item: Item) -> Revision:
    """A revision back from its item."""
    return Revision(
        incident_id=item["pk"]["S"].partition("#")[2],
        number=int(item["sk"]["S"].rpartition("#")[2]),
        detail_type=item["detail_type"]["S"],
        content=item["content"]["S"].encode(),
        digest=item["digest"]["S"],
        recorded_at=parse_instant(item["recorded_at"]["S"]),
        source=item["source"]["S"],
    )


def kept_key(request: KeptRequest) -> Item:
    """The key of a campaign request that waits."""
    return item_key(KEPT_PARTITION, f"{KEPT_PREFIX}{request.incident_id}#{request.request_digest}")


def kept_item(request: KeptRequest) -> Item:
    """A campaign request that waits, as an item."""
    return kept_key(request) | {
        "opens_at": {"S": format_instant(request.opens_at)},
        "after": {"S": str(request.after)},
        "event": {"S": request.event},
        **({"void": {"S": request.void}} if request.void else {}),
    }


def read_kept(item: Item) -> KeptRequest:
    """A campaign request that waits, back from its item."""
    _, incident_id, digest = item["sk"]["S"].split("#")
    after = CampaignId.parse(item["after"]["S"])
    void = item["void"]["S"] if "void" in item else ""
    return KeptRequest(incident_id, digest, parse_instant(item["opens_at"]["S"]), after, item["event"]["S"], void)
