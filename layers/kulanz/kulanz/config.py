"""The settings of each function: read from the environment at first use, checked, and named in every error."""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self, cast

from kulanz.domain.campaigns.amounts import Size
from kulanz.domain.campaigns.campaign import CHUNK_BYTES_SMALLEST
from kulanz.domain.delivery.channel import Channel, ChannelError
from kulanz.domain.delivery.dues import WARN_BEFORE_DAYS_MOST
from kulanz.domain.gate.approval import DECIDABLE_MARGIN
from kulanz.domain.gate.settings import AmountsError, GateSettings, read_amounts
from kulanz.domain.lists.id_shape import IdShape, IdShapeError
from kulanz.domain.people.caller import read_person_roles
from kulanz.domain.time import TimeError, zone_of

CHUNK_BYTES_LARGEST = 16 * 1024 * 1024
CALLS_IN_FLIGHT_MOST = 32
RECIPIENTS_PER_MESSAGE_MOST = 1_000
RETENTION_DAYS_MOST = 36_500
DECIDABLE_DAYS_LEAST = 1 + DECIDABLE_MARGIN.days
"""With fewer days no plan could be approved: the last day of an incident is kept for the execution."""
WORKERS_MOST = 100
WRITE_RATE_LEAST = 80
"""Write units a second: were it less, the slowest worker would wait too long, for one decision that costs four of them,
to look at its clock in between."""
WRITE_RATE_MOST = 1_000_000
"""More than any table takes: no limit."""


_HOST = re.compile(r"[a-z0-9.-]{1,253}(?::[0-9]{1,5})?", re.ASCII)
_ISSUER = re.compile(r"https://[a-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?", re.ASCII)
"""As a person's id has it."""


class SettingError(Exception):
    """A setting is missing or out of its range; the function cannot work until its stack is fixed."""


@dataclass(frozen=True, slots=True)
class _Environment:
    values: Mapping[str, str]

    def text(self, name: str) -> str:
        value = self.values.get(name, "").strip()
        if not value:
            raise SettingError(f"{name} is not set; deploy the stack's template unchanged")
        return value

    def names(self, name: str) -> frozenset[str]:
        return frozenset(part.strip() for part in self.text(name).split(",") if part.strip())

    def id_shape(self, name: str) -> IdShape | None:
        """The shape of ids that a setting states in JSON; None where it is empty."""
        text = self.values.get(name, "").strip()
        try:
            return IdShape.of(json.loads(text)) if text else None
        except (ValueError, TypeError, RecursionError) as error:
            why = str(error) if isinstance(error, IdShapeError) else "expected a JSON object"
            such_as = 'such as {"pattern": "[0-9]{10}"}, with pattern, minimum, maximum and check'
            raise SettingError(f"{name}: {why}, {such_as}") from None

    def person_roles(self, name: str) -> frozenset[str]:
        """Unique ids of roles; none where the setting is empty."""
        try:
            return read_person_roles(self.values.get(name, ""))
        except ValueError as error:
            raise SettingError(f"{name}: {error}") from None

    def amounts(self, name: str) -> Mapping[str, Size]:
        """Amounts by currency or unit that a setting states in JSON; none where it is empty."""
        try:
            return read_amounts(self.values.get(name, ""))
        except AmountsError as error:
            raise SettingError(f"{name}: {error}") from None

    def channel(self, name: str) -> Channel | None:
        """The channel that a setting names with its form, as in `billing:csv`; None where it is empty."""
        try:
            return Channel.from_text(self.values.get(name, "").strip())
        except ChannelError as error:
            raise SettingError(f"{name}: {error}") from None

    def channels(self, name: str) -> tuple[Channel, ...]:
        """The channels that a setting lists, as in `letters:csv,vouchers:jsonl`; none where it is empty."""
        try:
            found = [Channel.from_text(text.strip()) for text in self.values.get(name, "").split(",")]
        except ChannelError as error:
            raise SettingError(f"{name}: {error}") from None
        channels = tuple(one for one in found if one is not None)
        if len({one.name for one in channels}) < len(channels):
            raise SettingError(f"{name}: expected each channel once")
        return channels

    def zone(self, name: str) -> str:
        """The name of a time zone."""
        text = self.text(name)
        try:
            zone_of(text)
        except TimeError as error:
            raise SettingError(f"{name}: {error}") from None
        return text

    def yes_or_no(self, name: str) -> bool:
        text = self.text(name)
        if text not in ("true", "false"):
            raise SettingError(f"{name}: expected true or false")
        return text == "true"

    def gate(self) -> GateSettings:
        """Which plans need which approvals."""
        automatic_sources = self.values.get("AUTOMATIC_SOURCES", "")
        return GateSettings(
            automatic_below=self.amounts("AUTOMATIC_BELOW"),
            automatic_monthly=self.amounts("AUTOMATIC_MONTHLY"),
            second_person_above=self.amounts("SECOND_PERSON_ABOVE"),
            automatic_sources=frozenset(part.strip() for part in automatic_sources.split(",") if part.strip()),
            lone_operator=self.yes_or_no("LONE_OPERATOR"),
            budget_zone=self.zone("BUDGET_ZONE"),
        )

    def host(self, name: str) -> str:
        """A host as a browser states it, with its port where it is not 443."""
        text = self.text(name)
        if _HOST.fullmatch(text) is None:
            raise SettingError(f"{name}: expected a host such as console.example.com, without https:// or a path")
        return text

    def issuer(self, name: str) -> str:
        """The issuer of logins, exactly as it states itself."""
        text = self.text(name)
        if _ISSUER.fullmatch(text) is None:
            raise SettingError(f"{name}: expected an address such as https://login.example.com, without a query")
        return text

    def scope(self, name: str) -> str:
        text = self.text(name)
        if "openid" not in text.split():
            raise SettingError(f"{name}: expected scopes with openid among them, separated by spaces")
        return text

    def integer(self, name: str, lowest: int, highest: int) -> int:
        text = self.text(name)
        if not (text.isascii() and text.isdigit()) or not lowest <= int(text) <= highest:
            raise SettingError(f"{name}: expected a whole number from {lowest} to {highest}")
        return int(text)


type _Read = Callable[[_Environment], Any]

_SETTINGS: Mapping[str, _Read] = {
    "account_id": lambda given: given.text("ACCOUNT_ID"),
    "account_ids": lambda given: given.id_shape("ACCOUNT_ID_SHAPE"),
    "advance_function": lambda given: given.text("ADVANCE_FUNCTION"),
    "bus_name": lambda given: given.text("BUS_NAME"),
    "budget_zone": lambda given: given.zone("BUDGET_ZONE"),
    "calls_in_flight": lambda given: given.integer("IN_FLIGHT_CALLS", 1, CALLS_IN_FLIGHT_MOST),
    "campaign_sources": lambda given: given.names("CAMPAIGN_SOURCES"),
    "campaigns_table": lambda given: given.text("CAMPAIGNS_TABLE"),
    "campaigns_writers": lambda given: given.names("CAMPAIGNS_WRITERS"),
    "channel": lambda given: given.channel("DELIVERY_CHANNEL"),
    "chunk_bytes": lambda given: given.integer("CHUNK_BYTES", CHUNK_BYTES_SMALLEST, CHUNK_BYTES_LARGEST),
    "chunk_queue_url": lambda given: given.text("CHUNK_QUEUE_URL"),
    "chunks_dead_letter_queue_url": lambda given: given.text("CHUNKS_DEAD_LETTER_QUEUE_URL"),
    "console_client_id": lambda given: given.text("CONSOLE_CLIENT_ID"),
    "console_groups": lambda given: given.text("CONSOLE_GROUPS"),
    "console_groups_claim": lambda given: given.text("CONSOLE_GROUPS_CLAIM"),
    "console_host": lambda given: given.host("CONSOLE_HOST"),
    "console_issuer": lambda given: given.issuer("CONSOLE_ISSUER"),
    "console_scope": lambda given: given.scope("CONSOLE_SCOPE"),
    "console_secret": lambda given: given.text("CONSOLE_SECRET"),
    "credits_table": lambda given: given.text("CREDITS_TABLE"),
    "credits_topic_arn": lambda given: given.text("CREDITS_TOPIC_ARN"),
    "credits_writers": lambda given: given.names("CREDITS_WRITERS"),
    "decidable_days": lambda given: given.integer("DECIDABLE_DAYS", DECIDABLE_DAYS_LEAST, RETENTION_DAYS_MOST),
    "sources_dead_letter_queue_url": lambda given: given.text("SOURCES_DEAD_LETTER_QUEUE_URL"),
    "sources_queue_url": lambda given: given.text("SOURCES_QUEUE_URL"),
    "gate": lambda given: given.gate(),
    "incident_sources": lambda given: given.names("INCIDENT_SOURCES"),
    "incidents_dead_letter_queue_url": lambda given: given.text("INCIDENTS_DEAD_LETTER_QUEUE_URL"),
    "incidents_queue_url": lambda given: given.text("INCIDENTS_QUEUE_URL"),
    "list_bucket": lambda given: given.text("LIST_BUCKET"),
    "list_prefix": lambda given: given.text("LIST_PREFIX"),
    "maximum_concurrency": lambda given: given.integer("MAXIMUM_CONCURRENCY", 1, WORKERS_MOST),
    "other_channels": lambda given: given.channels("OTHER_CHANNELS"),
    "person_roles": lambda given: given.person_roles("PERSON_ROLES"),
    "policy_prefix": lambda given: given.text("POLICY_PREFIX"),
    "publish_function": lambda given: given.text("PUBLISH_FUNCTION"),
    "recipients_per_message": lambda given: given.integer("NOTICES_PER_MESSAGE", 1, RECIPIENTS_PER_MESSAGE_MOST),
    "rejected_queue_url": lambda given: given.text("REJECTED_QUEUE_URL"),
    "retention_days": lambda given: given.integer("DECISION_RETENTION_DAYS", 1, RETENTION_DAYS_MOST),
    "secret_prefix": lambda given: given.text("SECRET_PREFIX"),
    "sessions_table": lambda given: given.text("SESSIONS_TABLE"),
    "stack_name": lambda given: given.text("STACK_NAME"),
    "topic_arn": lambda given: given.text("NOTICES_TOPIC_ARN"),
    "upstream_prefix": lambda given: given.text("UPSTREAM_PREFIX"),
    "warn_before_days": lambda given: given.integer("WARN_BEFORE_DAYS", 0, WARN_BEFORE_DAYS_MOST),
    "write_rate": lambda given: given.integer("TARGET_WRITE_RATE", WRITE_RATE_LEAST, WRITE_RATE_MOST),
}
"""How each field of a configuration is read: once, whichever functions have it."""


class _Config:
    """A function's settings, each a field that `_SETTINGS` reads."""

    __slots__ = ()

    @classmethod
    def read(cls, values: Mapping[str, str] = os.environ) -> Self:
        """Read the environment. Raises SettingError."""
        given, made = _Environment(values), cast("type[Any]", cls)
        found: Self = made(**{one.name: _SETTINGS[one.name](given) for one in fields(made)})
        return found


@dataclass(frozen=True, slots=True)
class OpenCampaignConfig(_Config):
    """What `open_campaign` needs to know. Sizes in bytes, spans in days."""

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


@dataclass(frozen=True, slots=True)
class GrantCreditsConfig(_Config):
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


@dataclass(frozen=True, slots=True)
class PublishNoticesConfig(_Config):
    """What `publish_notices` needs to know."""

    campaigns_table: str
    topic_arn: str
    recipients_per_message: int


@dataclass(frozen=True, slots=True)
class AdvanceCampaignConfig(_Config):
    """What `advance_campaign` needs to know; `recipients_per_message` and `write_rate` are for its estimate.

    The writers are the ARNs of the roles that alone may write to a table.
    """

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


@dataclass(frozen=True, slots=True)
class ApiConfig(_Config):
    """What `api` needs to know. Sizes in bytes, spans in days; `person_roles` are unique ids of roles."""

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


@dataclass(frozen=True, slots=True)
class ConsoleConfig(ApiConfig):
    """What `serve_console` needs to know: what `api` does, for the same use cases, and who logs in where.

    `console_secret` names the client's secret in Secrets Manager. `console_groups` is JSON: lists of groups by
    role, which the console reads itself.
    """

    console_host: str
    console_issuer: str
    console_client_id: str
    console_secret: str
    console_scope: str
    console_groups_claim: str
    console_groups: str
    sessions_table: str
    stack_name: str


@dataclass(frozen=True, slots=True)
class ReceiveIncidentsConfig(_Config):
    """What `receive_incidents` needs to know. Secrets of sources are named `<secret_prefix><source>`."""

    list_bucket: str
    policy_prefix: str
    upstream_prefix: str
    secret_prefix: str
    sources_queue_url: str


@dataclass(frozen=True, slots=True)
class DraftIncidentsConfig(_Config):
    """What `draft_incidents` needs to know."""

    campaigns_table: str
    list_bucket: str
    policy_prefix: str
    upstream_prefix: str
    bus_name: str
    topic_arn: str
