"""``kulanz report``: a campaign as one page that can be sent to whoever has to answer for its money."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from kulanz.application.door.problems import Kind
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_cli.command import CampaignParameter
from kulanz_cli.door import Door, DoorProblem
from kulanz_cli.outcomes import ACTION_CODES, Unusable
from kulanz_cli.settings import pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import console, say
from kulanz_console.drawing.page import page
from kulanz_console.drawing.sources import Sources

if TYPE_CHECKING:
    from kulanz.application.campaigns.review_plan import PlanReview
    from kulanz.application.door.campaigns import CampaignAnswer


@click.command("report", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@click.option(
    "--html", "path", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path),
    help="Where the page is written; a page that is there is replaced.",
)  # fmt: skip
@pass_stack
def write_report(stack: Stack, campaign_id: CampaignId, path: Path) -> None:
    """Write the report of CAMPAIGN as one page of HTML, to be sent.

    It has sums, who asked and who approved, and the policy's text. It names no account, and loads nothing.
    """
    made = page(asked(stack.door(), campaign_id, datetime.now(UTC)))
    try:
        write_whole(path, made)
    except OSError as error:
        raise Unusable(f"{path}: cannot be written ({error.strerror}); name another file") from None
    say(console(), f"the report of {campaign_id} is in {path}", further=2)


def asked(door: Door, campaign_id: CampaignId, now: datetime) -> Sources:
    """What the API answers of a campaign. Raises DoorProblem."""
    incident, seq = campaign_id.incident_id, campaign_id.seq
    campaign = door.ask("campaigns.one", incident=incident, seq=seq)
    reconciled = door.ask("campaigns.reconciliation", incident=incident, seq=seq)
    report, policy = reconciled["report"], reconciled["report"]["policy"]
    revision = _if_known(door, "incidents.revision", incident=incident, revision=campaign["revision"])
    published = _if_known(door, "policies.one", policy=policy["id"], version=policy["version"])
    return Sources(
        campaign=cast("CampaignAnswer", campaign),
        report=report,
        is_whole=reconciled["whole"],
        law=reconciled["law"],
        log=door.ask("campaigns.log", incident=incident, seq=seq)["log"],
        plan=cast("PlanReview | None", _if_known(door, "approvals.plan", incident=incident, seq=seq)),
        title=str(revision["content"].get("title", "")) if revision is not None else "",
        policy=None if published is None else published["document"],
        made_at=now,
    )


def _if_known(door: Door, use: str, **values: str | int) -> dict[str, Any] | None:
    """An answer about something that need not exist."""
    try:
        return door.ask(use, None, **values)
    except DoorProblem as problem:
        if problem.kind is Kind.UNKNOWN:
            return None
        raise


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
