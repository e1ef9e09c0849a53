"""What the commands have in common: how campaigns, accounts and actions are named on the command line."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import click

from kulanz.application.door.parameters import ACTION_ID_CHARACTERS, is_action_id
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.identifiers import (
    ACCOUNT_ID_EXPECTED,
    INCIDENT_ID_EXPECTED,
    WHOLE_ACCOUNT,
    is_account_id,
    is_incident_id,
)

DIGEST_CHARACTERS = 16


class CampaignParameter(click.ParamType[CampaignId]):
    """A campaign, written `att-2024-02-22/1`."""

    name = "campaign"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> CampaignId:
        """Read it, or say how it is written."""
        if isinstance(value, CampaignId):
            return value
        try:
            return CampaignId.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class IncidentParameter(click.ParamType[str]):
    """The id of an incident."""

    name = "incident"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read it, or say what an id is."""
        if not isinstance(value, str) or not is_incident_id(value):
            self.fail(f"an incident id is {INCIDENT_ID_EXPECTED}", param, ctx)
        return value


class AccountParameter(click.ParamType[str]):
    """The id of an account."""

    name = "account"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read it, or say what an id is."""
        if not isinstance(value, str) or not is_account_id(value):
            self.fail(f"an account id is {ACCOUNT_ID_EXPECTED}", param, ctx)
        return value


class SubjectParameter(click.ParamType[str]):
    """The id of a line, service or premises; `-` for the account itself."""

    name = "subject"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read it, or say what an id is."""
        if not isinstance(value, str) or (value != WHOLE_ACCOUNT and not is_account_id(value)):
            self.fail(f"a line, service or premises is {ACCOUNT_ID_EXPECTED}", param, ctx)
        return value


class ActionParameter(click.ParamType[str]):
    """The id under which an action is done once."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read it, or say what an id is."""
        if not isinstance(value, str) or not is_action_id(value):
            self.fail(f"an action's id is 1 to {ACTION_ID_CHARACTERS} letters, digits or . _ : ~ -", param, ctx)
        return value


under_id = click.option(
    "--id", "given_id", metavar="ID", type=ActionParameter(),
    help="Your own id of this action, under which it is done once; else one is made.",
)  # fmt: skip


def action_id(action: str, *words: str) -> str:
    """The id of an action that this run of a command takes, by what it is about and when.

    Each run has its own: to pause again what somebody has resumed is another action, in the same words. Requests that
    get no answer are repeated under it.
    """
    at = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    digest = sha256("\n".join((action, *words, at)).encode()).hexdigest()[:DIGEST_CHARACTERS]
    return f"{action}-{at}-{digest}"
