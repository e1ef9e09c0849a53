"""What can happen next in the world of one process: which function gets which message, or which batch of a stream."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Function(StrEnum):
    """The functions of the stack."""

    OPEN = "open_campaign"
    GRANT = "grant_credits"
    PUBLISH = "publish_notices"
    ADVANCE = "advance_campaign"
    DELIVER = "grant_credits, of a delivery"
    TICK = "tick"
    APPROVE = "a person approves"


@dataclass(slots=True)
class Message[Body]:
    """A message of a queue, and how often it was received."""

    id: str
    body: Body
    receives: int = 0


@dataclass(slots=True)
class Stream:
    """How far a function has come in a stream, and how often its present batch was tried."""

    position: int = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """Something that can happen next: a function gets its `index`-th waiting message, or a stream's next batch; or a
    person approves the `index`-th plan that waits.
    """

    function: Function
    index: int = 0


DECISIONS = Step(Function.PUBLISH)
REVISIONS = Step(Function.PUBLISH, 1)
TAKEN = Step(Function.PUBLISH, 2)
CHANGES = Step(Function.ADVANCE)
AMENDMENTS = Step(Function.ADVANCE, 1)
DELIVERIES = Step(Function.ADVANCE, 2)
"""The readers of the streams: of the ledger's, which reads new decisions and what is taken back of old ones, and two of
the campaigns', of which one reads three kinds of records."""


def with_version(event: dict[str, Any], newest: Callable[[str], str]) -> dict[str, Any]:
    """An event whose list is named by its newest version, where it is named without any."""
    detail = event["detail"]
    campaign = detail.get("campaign") if isinstance(detail, dict) else None
    affected = campaign.get("affected") if isinstance(campaign, dict) else None
    place = affected.get("s3") if isinstance(affected, dict) else None
    if isinstance(place, dict) and isinstance(place.get("key"), str):
        place.setdefault("version_id", newest(place["key"]))
    return event
