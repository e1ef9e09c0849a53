"""The settings of `draft_incidents`."""

from dataclasses import dataclass

from kulanz.config.environment import Config


@dataclass(frozen=True, slots=True)
class DraftIncidentsConfig(Config):
    """What `draft_incidents` needs to know."""

    campaigns_table: str
    list_bucket: str
    policy_prefix: str
    upstream_prefix: str
    bus_name: str
    topic_arn: str
