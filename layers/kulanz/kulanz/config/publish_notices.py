"""The settings of `publish_notices`."""

from dataclasses import dataclass

from kulanz.config.environment import Config


@dataclass(frozen=True, slots=True)
class PublishNoticesConfig(Config):
    """What `publish_notices` needs to know."""

    campaigns_table: str
    topic_arn: str
    recipients_per_message: int
