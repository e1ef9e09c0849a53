"""The settings of `api`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kulanz.config.environment import Config, Read
from kulanz.config.stated import SETTINGS
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.lists.id_shape import IdShape


@dataclass(frozen=True, slots=True)
class ApiConfig(Config):
    """What `api` needs to know. Sizes in bytes, spans in days; `person_roles` are unique ids of roles."""

    settings: ClassVar[Mapping[str, Read]] = SETTINGS

    account_id: str
    person_roles: frozenset[str]
    credits_table: str
    campaigns_table: str
    list_bucket: str
    list_prefix: str
    policy_prefix: str
    chunk_queue_url: str
    chunks_dead_letter_queue_url: str
    incidents_queue_url: str
    incidents_dead_letter_queue_url: str
    sources_queue_url: str
    sources_dead_letter_queue_url: str
    rejected_queue_url: str
    advance_function: str
    publish_function: str
    chunk_bytes: int
    decidable_days: int
    retention_days: int
    account_ids: IdShape | None
    recipients_per_message: int
    write_rate: int
    gate: GateSettings
    channel: Channel | None
    other_channels: tuple[Channel, ...]
    warn_before_days: int
