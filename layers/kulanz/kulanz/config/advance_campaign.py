"""The settings of `advance_campaign`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kulanz.config.environment import Config, Read
from kulanz.config.stated import SETTINGS
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.gate.settings import GateSettings


@dataclass(frozen=True, slots=True)
class AdvanceCampaignConfig(Config):
    """What `advance_campaign` needs to know; `recipients_per_message` and `write_rate` are for its estimate.

    The writers are the ARNs of the roles that alone may write to a table.
    """

    settings: ClassVar[Mapping[str, Read]] = SETTINGS

    credits_table: str
    campaigns_table: str
    credits_writers: frozenset[str]
    campaigns_writers: frozenset[str]
    list_bucket: str
    chunk_queue_url: str
    bus_name: str
    recipients_per_message: int
    write_rate: int
    gate: GateSettings
    channel: Channel | None
    warn_before_days: int
