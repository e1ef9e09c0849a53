"""What deliveries and voids are called: apart from what they are, because every worker reads such names in messages."""

import re
from dataclasses import dataclass
from typing import NamedTuple, Self

from kulanz.domain.campaigns.campaign import CampaignId

_DELIVERY = re.compile(r"([a-z][a-z0-9-]{0,31})/([1-9][0-9]{0,7})", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True, order=True)
class DeliveryId:
    """One delivery: the n-th of its channel, without gaps; written `billing/12`."""

    channel: str
    serial: int

    def __str__(self) -> str:
        return f"{self.channel}/{self.serial}"

    @property
    def folder(self) -> str:
        """Where the bucket has its files."""
        return f"deliveries/{self.channel}/{self.serial:08d}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `<channel>/<serial>`. Raises ValueError, without the text."""
        found = _DELIVERY(text)
        if found is None:
            raise ValueError("a delivery is written <channel>/<serial>, e.g. billing/12")
        return cls(found[1], int(found[2]))


class VoidId(NamedTuple):
    """A void of a campaign, by the id that its requester chose; written `att-2024-02-22/1/wrong-list`."""

    campaign: CampaignId
    name: str

    def __str__(self) -> str:
        return f"{self.campaign}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "VoidId":
        """Read what `str` wrote. Raises ValueError."""
        campaign, slash, name = text.rpartition("/")
        if not slash or not name:
            raise ValueError("a void is written <incident id>/<campaign>/<id of the void>")
        return cls(CampaignId.parse(campaign), name)
