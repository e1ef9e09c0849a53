"""What the commands have in common: how campaigns, incidents and accounts are named on the command line."""

from typing import Any

import click

from kulanz.domain.campaigns.campaign import Campaign, CampaignId
from kulanz.domain.identifiers import ACCOUNT_ID_EXPECTED, INCIDENT_ID_EXPECTED, is_account_id, is_incident_id
from kulanz_cli.settings import Unusable
from kulanz_cli.stack import Stack


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


def existing_campaign(stack: Stack, campaign_id: CampaignId) -> Campaign:
    """A campaign as it stands. Raises Unusable when there is none of that id."""
    campaign = stack.campaigns().campaign(campaign_id)
    if campaign is None:
        raise Unusable(
            f"there is no campaign {campaign_id}; `kulanz campaigns {campaign_id.incident_id}` lists those there are"
        )
    return campaign
