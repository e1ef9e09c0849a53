"""How settings are read from a function's environment, and what most of them may be."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, cast

from kulanz.domain.campaigns.campaign import CHUNK_BYTES_SMALLEST
from kulanz.domain.time import TimeError, zone_of

CHUNK_BYTES_LARGEST = 16 * 1024 * 1024
CALLS_IN_FLIGHT_MOST = 32
RECIPIENTS_PER_MESSAGE_MOST = 1_000
RETENTION_DAYS_MOST = 36_500
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
class Environment:
    """A function's environment. Each method reads one setting, and raises SettingError."""

    values: Mapping[str, str]

    def text(self, name: str) -> str:
        value = self.values.get(name, "").strip()
        if not value:
            raise SettingError(f"{name} is not set; deploy the stack's template unchanged")
        return value

    def names(self, name: str) -> frozenset[str]:
        return frozenset(part.strip() for part in self.text(name).split(",") if part.strip())

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


type Read = Callable[[Environment], Any]

PLAIN: Mapping[str, Read] = {
    "account_id": lambda given: given.text("ACCOUNT_ID"),
    "advance_function": lambda given: given.text("ADVANCE_FUNCTION"),
    "bus_name": lambda given: given.text("BUS_NAME"),
    "budget_zone": lambda given: given.zone("BUDGET_ZONE"),
    "calls_in_flight": lambda given: given.integer("IN_FLIGHT_CALLS", 1, CALLS_IN_FLIGHT_MOST),
    "campaign_sources": lambda given: given.names("CAMPAIGN_SOURCES"),
    "campaigns_table": lambda given: given.text("CAMPAIGNS_TABLE"),
    "campaigns_writers": lambda given: given.names("CAMPAIGNS_WRITERS"),
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
    "sources_dead_letter_queue_url": lambda given: given.text("SOURCES_DEAD_LETTER_QUEUE_URL"),
    "sources_queue_url": lambda given: given.text("SOURCES_QUEUE_URL"),
    "incident_sources": lambda given: given.names("INCIDENT_SOURCES"),
    "incidents_dead_letter_queue_url": lambda given: given.text("INCIDENTS_DEAD_LETTER_QUEUE_URL"),
    "incidents_queue_url": lambda given: given.text("INCIDENTS_QUEUE_URL"),
    "list_bucket": lambda given: given.text("LIST_BUCKET"),
    "list_prefix": lambda given: given.text("LIST_PREFIX"),
    "maximum_concurrency": lambda given: given.integer("MAXIMUM_CONCURRENCY", 1, WORKERS_MOST),
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
    "write_rate": lambda given: given.integer("TARGET_WRITE_RATE", WRITE_RATE_LEAST, WRITE_RATE_MOST),
}
"""How each field of a configuration is read, whichever functions have it, where it is a text, a number or names."""


class Config:
    """A function's settings, each a field that `settings` reads."""

    __slots__ = ()
    settings: ClassVar[Mapping[str, Read]] = PLAIN

    @classmethod
    def read(cls, values: Mapping[str, str] = os.environ) -> Self:
        """Read the environment. Raises SettingError."""
        given, made = Environment(values), cast("type[Any]", cls)
        found: Self = made(**{one.name: cls.settings[one.name](given) for one in fields(made)})
        return found
