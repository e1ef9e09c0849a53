"""The settings of `grant_credits`."""

from dataclasses import dataclass

from kulanz.config.environment import Config


@dataclass(frozen=True, slots=True)
class GrantCreditsConfig(Config):
    """What `grant_credits` needs to know. `write_rate` is write units a second over all workers."""

    credits_table: str
    campaigns_table: str
    list_bucket: str
    chunk_queue_url: str
    credits_topic_arn: str
    calls_in_flight: int
    write_rate: int
    maximum_concurrency: int
    retention_days: int
    budget_zone: str

    @property
    def units_per_second(self) -> float:
        """One worker's share of the write rate."""
        return self.write_rate / self.maximum_concurrency
