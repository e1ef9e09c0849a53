"""``kulanz redrive``, ``advance`` and ``notices``: what fixes a stack after something failed. Each is safe to repeat.

What takes longer than an answer of the API may is done in several calls, each of which goes on where the last stopped.
"""

from typing import Any

import click

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_cli.command import CampaignParameter, IncidentParameter, action_id
from kulanz_cli.outcomes import ACTION_CODES
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import console, counted_as, print_json, say


@click.command("redrive", epilog=ACTION_CODES)
@click.argument("queue", type=click.Choice(["incidents", "chunks", "sources"]))
@as_json
@pass_stack
def redrive(stack: Stack, queue: str, is_json: bool) -> None:
    """Move dead letters back to their QUEUE. Fix their cause first.

    A message is deleted from the dead letters after it was sent; a message that comes twice is recognised.
    """
    moved, calls, has_more = 0, 0, True
    while has_more:
        calls += 1
        done = stack.door().act("repairs.redrive", {}, queue=queue, id=action_id("redrive", queue, str(calls)))
        moved, has_more = moved + done["moved"], done["more"]
    _report(
        {"queue": queue, "moved": moved}, f"{counted_as(moved, 'message')} moved back to the queue of {queue}", is_json
    )


@click.command("advance", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@as_json
@pass_stack
def advance(stack: Stack, campaign_id: CampaignId, is_json: bool) -> None:
    """Let advance_campaign look at CAMPAIGN again. Needed after the stream lost the record of a change."""
    of: dict[str, str | int] = {"incident": campaign_id.incident_id, "seq": campaign_id.seq}
    done = stack.door().act("repairs.advance", {}, id=action_id("advance", str(campaign_id)), **of)
    _report({"campaign": done["campaign"], "state": done["state"]}, f"{done['campaign']} is {done['state']}", is_json)


@click.group("notices", epilog=ACTION_CODES)
def notices() -> None:
    """Publish notices again. They keep their ids, by which subscribers recognise what they know."""


@notices.command("rebuild", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@as_json
@pass_stack
def rebuild(stack: Stack, campaign_id: CampaignId, is_json: bool) -> None:
    """Publish the notice of every decision of CAMPAIGN again, by another pass over its pinned list."""
    of: dict[str, str | int] = {"incident": campaign_id.incident_id, "seq": campaign_id.seq}
    decisions, content, has_more = 0, dict[str, Any](), True
    while has_more:
        named = action_id("notices", str(campaign_id), content.get("cursor", ""))
        done = stack.door().act("repairs.notices", content, id=named, **of)
        decisions, content, has_more = decisions + done["decisions"], {"cursor": done["next"]}, done["next"] is not None
    text = f"the notices of {counted_as(decisions, 'decision')} of {campaign_id} were published again"
    _report({"campaign": str(campaign_id), "decisions": decisions}, text, is_json)


@notices.command("status", epilog=ACTION_CODES)
@click.argument("incident_id", metavar="INCIDENT", type=IncidentParameter())
@as_json
@pass_stack
def status(stack: Stack, incident_id: str, is_json: bool) -> None:
    """Publish the status notices of INCIDENT again, one for each revision."""
    named = action_id("status", incident_id)
    revisions = stack.door().act("repairs.statuses", {}, incident=incident_id, id=named)["revisions"]
    text = f"{counted_as(revisions, 'status notice')} of {incident_id} published again"
    _report({"incident_id": incident_id, "revisions": revisions}, text, is_json)


def _report(content: dict[str, Any], text: str, is_json: bool) -> None:
    if is_json:
        print_json({"v": 1, **content})
    else:
        say(console(), text)
