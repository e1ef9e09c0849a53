"""``kulanz pause``, ``resume``, ``cancel`` and ``settle``: pause a campaign, let it go on, end or close it."""

from collections.abc import Callable
from datetime import UTC, datetime

import click

import kulanz
from kulanz.application.campaigns.control_campaign import (
    ControlPorts,
    ControlRefused,
    cancel,
    may_write_until,
    pause,
    resume,
    settle,
)
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause
from kulanz.domain.time import format_instant
from kulanz_cli.command import CampaignParameter
from kulanz_cli.settings import ACTION_CODES, Unusable, as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import console, print_json, say

REASON_CHARACTERS = 200

type Act = Callable[[CampaignId, ControlPorts, str, Cause, datetime], Campaign]


def _command(name: str, act: Act, says: str) -> click.Command:
    @click.command(name, help=says, epilog=ACTION_CODES)
    @click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
    @click.option("--reason", required=True, help="Why, for the campaign's log; no customer's data.")
    @as_json
    @pass_stack
    def command(stack: Stack, campaign_id: CampaignId, reason: str, is_json: bool) -> None:
        if not reason.isprintable() or not 0 < len(reason) <= REASON_CHARACTERS:
            raise click.BadParameter(f"expected one line of 1 to {REASON_CHARACTERS} characters", param_hint="--reason")
        now = datetime.now(UTC)
        cause = Cause(stack.caller(), f"kulanz {name} {format_instant(now)}", kulanz.__version__)
        try:
            found = act(campaign_id, stack.control(), reason, cause, now)
        except ControlRefused as refusal:
            raise Unusable(str(refusal)) from None
        _show(found, may_write_until(found, stack.campaigns()), is_json)

    return command


def _show(campaign: Campaign, until: datetime | None, is_json: bool) -> None:
    if is_json:
        may_write_until = None if until is None else format_instant(until)
        state = campaign.state.value
        print_json({"v": 1, "campaign": str(campaign.id), "state": state, "may_write_until": may_write_until})
        return
    say(console(), f"{campaign.id} is {campaign.state}")
    if until is not None:
        say(console(), f"workers under way may write until {format_instant(until)}; no other campaign opens before")


pause_campaign = _command(
    "pause", pause, "Let no further chunk of CAMPAIGN begin. Chunks under way are finished and counted."
)
resume_campaign = _command(
    "resume",
    resume,
    "Let a paused CAMPAIGN go on where it stopped. Of one that is at work, the unfinished chunks are sent again.",
)
cancel_campaign = _command(
    "cancel", cancel, "End CAMPAIGN for good. What it has granted stays granted; its report says how much that is."
)
settle_campaign = _command(
    "settle",
    settle,
    "Close a flagged CAMPAIGN as it is. Look at its differences first; nothing is written or taken back.",
)
