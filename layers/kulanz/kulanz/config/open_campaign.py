"""The settings of `open_campaign`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kulanz.config.environment import Config, Read
from kulanz.config.stated import SETTINGS
from kulanz.domain.lists.id_shape import IdShape


@dataclass(frozen=True, slots=True)
class OpenCampaignConfig(Config):
    """What `open_campaign` needs to know. Sizes in bytes, spans in days."""

    settings: ClassVar[Mapping[str, Read]] = SETTINGS

    credits_table: str
    campaigns_table: str
    list_bucket: str
    list_prefix: str
    policy_prefix: str
    chunk_queue_url: str
    rejected_queue_url: str
    incident_sources: frozenset[str]
    campaign_sources: frozenset[str]
    chunk_bytes: int
    decidable_days: int
    account_ids: IdShape | None
