"""How goodwill is laid out in both tables. What names an account stands in CreditsTable and may be deleted.

| table | pk | sk | content |
|---|---|---|---|
| CreditsTable | `ACCOUNT#<account>` | `GOODWILL#<id>` | a record: what was asked, by whom, and what became of it |
| | `GOODWILL#<id>` | `ACCOUNT` | whose record the id stands for |
| CampaignsTable | `OPEN` | `GOODWILL#<id>` | what waits for a second person |
"""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from kulanz.adapters.campaign_keys import item_key
from kulanz.adapters.count_items import account_partition
from kulanz.adapters.index_items import OPEN_PARTITION
from kulanz.domain.byhand.goodwill import Goodwill, GoodwillState
from kulanz.domain.campaigns.amounts import plain_size
from kulanz.domain.canonical import canonical_json
from kulanz.domain.time import format_instant, parse_instant

GOODWILL_PREFIX = "GOODWILL#"
_TEXTS = (
    *("measure", "reason", "title", "asked_by", "note", "about", "ticket", "repeat_of"),
    *("decided_by", "decided_as", "why"),
)

type Item = dict[str, Any]


def goodwill_key(account_id: str, goodwill_id: str) -> Item:
    """The key of a record."""
    return item_key(account_partition(account_id), f"{GOODWILL_PREFIX}{goodwill_id}")


def owner_key(goodwill_id: str) -> Item:
    """The key of what says whose record an id stands for."""
    return item_key(f"{GOODWILL_PREFIX}{goodwill_id}", "ACCOUNT")


def waiting_key(goodwill_id: str) -> Item:
    """The key of what says that it waits for a second person."""
    return item_key(OPEN_PARTITION, f"{GOODWILL_PREFIX}{goodwill_id}")


def goodwill_item(one: Goodwill, ttl: int) -> Item:
    """A record as an item."""
    content = {name: getattr(one, name) for name in _TEXTS} | {
        "size": str(one.size),
        "asked_at": format_instant(one.asked_at),
        **{name: None if at is None else format_instant(at) for name, at in _instants(one).items()},
    }
    return goodwill_key(one.account_id, one.id) | {
        "state": {"S": one.state.value},
        "version": {"N": str(one.version)},
        "goodwill": {"S": canonical_json(content)},
        "ttl": {"N": str(ttl)},
    }


def read_goodwill(item: Item) -> Goodwill:
    """A record back from its item."""
    content = json.loads(item["goodwill"]["S"])
    return Goodwill(
        id=item["sk"]["S"].removeprefix(GOODWILL_PREFIX),
        account_id=item["pk"]["S"].partition("#")[2],
        size=plain_size(Decimal(content["size"])),
        asked_at=parse_instant(content["asked_at"]),
        decided_at=_read_instant(content["decided_at"]),
        given_at=_read_instant(content["given_at"]),
        state=GoodwillState(item["state"]["S"]),
        version=int(item["version"]["N"]),
        **{name: content[name] for name in _TEXTS},
    )


def _instants(one: Goodwill) -> dict[str, datetime | None]:
    return {"decided_at": one.decided_at, "given_at": one.given_at}


def _read_instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)
