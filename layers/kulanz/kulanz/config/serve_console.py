"""The settings of `serve_console`."""

from dataclasses import dataclass

from kulanz.config.api import ApiConfig


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
