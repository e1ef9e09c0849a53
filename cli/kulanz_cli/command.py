"""What the commands have in common: exit codes, the error of an input, `--json`, and how a campaign is named."""

import json
from typing import Any

import click

from kulanz.domain.campaigns.campaign import Campaign, CampaignId
from kulanz.domain.identifiers import INCIDENT_ID_EXPECTED, is_incident_id
from kulanz_cli.stack import Stack

EXIT_NO = 1
"""What was asked is not so: a policy is wrong, the campaign did not close, nothing was decided."""
EXIT_UNUSABLE = 3
"""The stack, AWS or the input could not be used; 2 is click's own, for the command line."""
ANSWER_CODES = "Exit codes: 0 yes, 1 no, 2 wrong command line, 3 the stack, AWS or the input could not be used."
FILE_CODES = "Exit codes: 0 yes, 1 no, 2 wrong command line, 3 an input could not be used."
DEED_CODES = "Exit codes: 0 done, 2 wrong command line, 3 not possible, or the stack could not be used."

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON.")


class Unusable(click.ClickException):
    """Something outside the command line is not as it must be; the text says what was expected and what to do."""

    exit_code = EXIT_UNUSABLE


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


def print_json(content: Any) -> None:
    """Print what `--json` asks for."""
    click.echo(json.dumps(content, ensure_ascii=False, indent=2))


def existing_campaign(stack: Stack, campaign_id: CampaignId) -> Campaign:
    """A campaign as it stands. Raises Unusable when there is none of that id."""
    campaign = stack.campaigns().campaign(campaign_id)
    if campaign is None:
        raise Unusable(
            f"there is no campaign {campaign_id}; `kulanz campaigns {campaign_id.incident_id}` lists those there are"
        )
    return campaign
