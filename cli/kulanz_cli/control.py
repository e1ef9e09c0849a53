"""``kulanz pause``, ``resume``, ``cancel``, ``settle`` and ``end``: pause a campaign, let it go on, end or close it."""

from typing import Any

import click

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.people.reason import REASON_CHARACTERS, is_reason
from kulanz_cli.command import CampaignParameter, action_id, under_id
from kulanz_cli.outcomes import ACTION_CODES
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import command as command_line
from kulanz_cli.terminal import console, print_json, say

type Answer = dict[str, Any]


def must_be_a_reason(reason: str, option: str = "--reason") -> None:
    """Raise BadParameter where a reason is not one line."""
    if not is_reason(reason):
        raise click.BadParameter(f"expected one line of 1 to {REASON_CHARACTERS} characters", param_hint=option)


def _act(stack: Stack, name: str, campaign_id: CampaignId, content: dict[str, Any], given_id: str | None) -> Answer:
    must_be_a_reason(content["reason"])
    return stack.door().act(
        "stops.act",
        {"action": name, **content},
        incident=campaign_id.incident_id,
        seq=campaign_id.seq,
        id=given_id or action_id(name, str(campaign_id), content["reason"]),
    )


def _show(done: Answer, is_json: bool) -> None:
    if is_json:
        print_json({name: done[name] for name in ("v", "campaign", "state", "may_write_until", "void")})
        return
    say(console(), f"{done['campaign']} is {done['state']}")
    if done["void"]:
        say(console(), "The void is planned now, and waits for its approval. The campaign ends with it:")
        command_line(console(), ["kulanz", "void", done["campaign"]])
    if until := done["may_write_until"]:
        say(console(), f"workers under way may write until {until}; no other campaign opens before")


_reason = click.option("--reason", required=True, help="Why, for the campaign's log; no customer's data.")


def _command(name: str, says: str) -> click.Command:
    @click.command(name, help=says, epilog=ACTION_CODES)
    @click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
    @_reason
    @under_id
    @as_json
    @pass_stack
    def command(stack: Stack, campaign_id: CampaignId, reason: str, given_id: str | None, is_json: bool) -> None:
        _show(_act(stack, name, campaign_id, {"reason": reason}, given_id), is_json)

    return command


@click.command("resume", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@_reason
@click.option(
    "--decides-by",
    metavar="DIGEST",
    default="",
    help="After an amendment of the incident: its decision digest, as the reason of the pause shows it.",
)
@under_id
@as_json
@pass_stack
def resume_campaign(
    stack: Stack, campaign_id: CampaignId, reason: str, decides_by: str, given_id: str | None, is_json: bool
) -> None:
    """Let a paused CAMPAIGN go on where it stopped. Of one that is at work, the unfinished chunks are sent again."""
    content = {"reason": reason, **({"decides_by": decides_by} if decides_by else {})}
    _show(_act(stack, "resume", campaign_id, content, given_id), is_json)


pause_campaign = _command("pause", "Stop CAMPAIGN until it is resumed. What is under way is counted.")
cancel_campaign = _command(
    "cancel", "End CAMPAIGN for good. What it has granted stays granted; its report says how much that is."
)
settle_campaign = _command(
    "settle", "Close a flagged CAMPAIGN as it is. Look at its differences first; nothing is written or taken back."
)


@click.command("end", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@click.option("--keep", "end", flag_value="keep", help="Keep all that it granted. It is delivered.")
@click.option(
    "--void-unused", "end", flag_value="void_unused", help="Void all that is unused, also what the biller rejected."
)
@click.option(
    "--void-unassigned",
    "end",
    flag_value="void_unassigned",
    help="Void what was never assigned to a delivery. The rest stays with the biller.",
)
@click.option(
    "--at-biller",
    "asks_biller",
    is_flag=True,
    help="With --void-unused: ask the biller to take back what was delivered, too.",
)
@_reason
@under_id
@as_json
@pass_stack
def end_campaign(
    stack: Stack,
    campaign_id: CampaignId,
    end: str | None,
    asks_biller: bool,
    reason: str,
    given_id: str | None,
    is_json: bool,
) -> None:
    """End a flagged CAMPAIGN: keep all, or void what is unused.

    A void is planned, and approved by others. The campaign ends when the void has.
    """
    if end is None:
        raise click.UsageError("say --keep, --void-unused or --void-unassigned")
    if asks_biller and end != "void_unused":
        raise click.UsageError("state --at-biller with --void-unused")
    content = {"reason": reason, **({"at_biller": True} if asks_biller else {})}
    _show(_act(stack, end, campaign_id, content, given_id), is_json)
