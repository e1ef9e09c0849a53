"""``kulanz pause``, ``resume``, ``cancel`` and ``settle``: pause a campaign, let it go on, end or close it."""

import click

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_cli.command import CampaignParameter, action_id, under_id
from kulanz_cli.settings import ACTION_CODES, as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import console, print_json, say

REASON_CHARACTERS = 200


def _command(name: str, says: str) -> click.Command:
    @click.command(name, help=says, epilog=ACTION_CODES)
    @click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
    @click.option("--reason", required=True, help="Why, for the campaign's log; no customer's data.")
    @under_id
    @as_json
    @pass_stack
    def command(stack: Stack, campaign_id: CampaignId, reason: str, given_id: str | None, is_json: bool) -> None:
        if not reason.isprintable() or not 0 < len(reason) <= REASON_CHARACTERS:
            raise click.BadParameter(f"expected one line of 1 to {REASON_CHARACTERS} characters", param_hint="--reason")
        done = stack.door().act(
            "stops.act",
            {"action": name, "reason": reason},
            incident=campaign_id.incident_id,
            seq=campaign_id.seq,
            id=given_id or action_id(name, str(campaign_id), reason),
        )
        if is_json:
            print_json({name: done[name] for name in ("v", "campaign", "state", "may_write_until")})
            return
        say(console(), f"{done['campaign']} is {done['state']}")
        if until := done["may_write_until"]:
            say(console(), f"workers under way may write until {until}; no other campaign opens before")

    return command


pause_campaign = _command("pause", "Let no further chunk of CAMPAIGN begin. Chunks under way are finished and counted.")
resume_campaign = _command(
    "resume",
    "Let a paused CAMPAIGN go on where it stopped. Of one that is at work, the unfinished chunks are sent again.",
)
cancel_campaign = _command(
    "cancel", "End CAMPAIGN for good. What it has granted stays granted; its report says how much that is."
)
settle_campaign = _command(
    "settle", "Close a flagged CAMPAIGN as it is. Look at its differences first; nothing is written or taken back."
)
