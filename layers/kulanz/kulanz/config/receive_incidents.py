"""The settings of `receive_incidents`."""

from dataclasses import dataclass

from kulanz.config.environment import Config


@dataclass(frozen=True, slots=True)
class ReceiveIncidentsConfig(Config):
    """What `receive_incidents` needs to know. Secrets of sources are named `<secret_prefix><source>`."""

    list_bucket: str
    policy_prefix: str
    upstream_prefix: str
    secret_prefix: str
    sources_queue_url: str
