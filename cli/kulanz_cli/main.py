"""The `kulanz` command: write and publish policies, send an incident, watch its campaign, ask about an account."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from kulanz.application.campaigns.report import campaign_estimate, campaign_report, differing_chunks
from kulanz.application.ledger.accept_offer import OfferRefused, accept_offer
from kulanz.application.ledger.answer import answer
from kulanz.application.ports import Refused, TryAgain
from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from kulanz.domain.campaigns.estimate import time_left
from kulanz.domain.campaigns.reconciliation import differences
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.policy import PolicyError
from kulanz.domain.time import format_instant
from kulanz_cli.answers import answer_content, show_answer
from kulanz_cli.books import show_books
from kulanz_cli.command import (
    ANSWER_CODES,
    EXIT_NO,
    CampaignParameter,
    IncidentParameter,
    Unusable,
    as_json,
    print_json,
)
from kulanz_cli.control import cancel_campaign, pause_campaign, resume_campaign, settle_campaign
from kulanz_cli.lists import account_list
from kulanz_cli.policy import policy
from kulanz_cli.publish import publish
from kulanz_cli.rejected import rejected
from kulanz_cli.repairs import advance, notices, redrive
from kulanz_cli.rulebook_commands import list_rules, new, page, show_rule
from kulanz_cli.send import EventUnsendable, read_event, send, with_list
from kulanz_cli.stack import Stack, StackUnusable
from kulanz_cli.terminal import console
from kulanz_cli.watch import WATCH_LONGEST_SECONDS, StillAtWork, watch


class _Shown(click.Group):
    """A group whose commands report the project's own errors in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            if error.option_name in {option for parameter in self.params for option in parameter.opts}:
                raise click.UsageError(
                    f"{error.option_name} comes before the command: kulanz {error.option_name} ... COMMAND", error.ctx
                ) from None
            raise
        except (StackUnusable, EventUnsendable, PolicyError, Refused, StillAtWork) as error:
            raise Unusable(str(error)) from None
        except TryAgain as error:
            raise Unusable(f"AWS did not answer as it should ({error}); try again") from None


@click.group(cls=_Shown, epilog=ANSWER_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stack-name", envvar="KULANZ_STACK", default="kulanz", show_default=True, help="The deployed stack.")
@click.option("--profile", envvar="AWS_PROFILE", help="The AWS profile to use.")
@click.option("--region", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="The stack's region.")
@click.option("--endpoint-url", envvar="AWS_ENDPOINT_URL", help="Another endpoint than AWS's own, for an embedded AWS.")
@click.pass_context
def main(
    context: click.Context, stack_name: str, profile: str | None, region: str | None, endpoint_url: str | None
) -> None:
    """Turn a service incident into credits, and answer for every one of them."""
    if context.obj is None:
        context.obj = Stack(stack_name, profile=profile, region=region, endpoint_url=endpoint_url or None)


for command in (list_rules, show_rule, new, page, publish):
    policy.add_command(command)
for command in (policy, account_list, rejected, notices, redrive, advance):
    main.add_command(command)
for command in (pause_campaign, resume_campaign, cancel_campaign, settle_campaign):
    main.add_command(command)
for group in (policy, account_list, notices):
    for command in group.commands.values():
        command.epilog = command.epilog or group.epilog


@main.command("send", epilog=ANSWER_CODES)
@click.argument("path", metavar="EVENT.json", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--list",
    "list_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A list of affected accounts (.csv or .jsonl) to upload and name in the event.",
)
@click.option("--rows", type=click.IntRange(min=1), help="Your control total; without it the list's lines are counted.")
@as_json
@click.pass_obj
def send_event(stack: Stack, path: Path, list_path: Path | None, rows: int | None, is_json: bool) -> None:
    """Put an incident event on the stack's bus, after checking it by its contract."""
    event = read_event(path)
    if list_path is not None:
        event = with_list(event, stack, list_path, rows)
    elif rows is not None:
        raise click.UsageError("--rows belongs to --list")
    sent = send(event, stack)
    if is_json:
        print_json({"v": 1, "event_id": sent.event_id, "incident_id": sent.incident_id, "rows": sent.rows})
        return
    click.echo(f"{sent.detail_type} {sent.incident_id}: the bus has it as {sent.event_id}")
    if sent.rows is not None:
        click.echo(f"{sent.rows} rows; `kulanz campaigns {sent.incident_id}` shows the campaign once it is open")


@main.command("watch", epilog=ANSWER_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@click.option("--seconds", default=WATCH_LONGEST_SECONDS, show_default=True, help="How long to wait at most.")
@as_json
@click.pass_obj
def watch_campaign(stack: Stack, campaign_id: CampaignId, seconds: int, is_json: bool) -> None:
    """Follow CAMPAIGN (written att-2024-02-22/1) until it rests, and print its books. Exits with 1 unless it closed."""
    campaign = watch(stack.campaigns(), campaign_id, console(stderr=True), seconds)
    if is_json:
        flagged = campaign.state is State.FLAGGED
        found = list(differences(campaign.plan.totals, campaign.apply.totals)) if flagged else []
        receipts = [stack.campaigns().receipts(campaign_id, work) for work in Pass]
        chunks = differing_chunks(campaign, *receipts) if flagged else []
        print_json(campaign_report(campaign, found, stack.operation(), chunks))
    else:
        show_books(campaign, console())
    if campaign.state is not State.CLOSED:
        click.get_current_context().exit(EXIT_NO)


@main.command("campaigns", epilog=ANSWER_CODES)
@click.argument("incident_id", metavar="[INCIDENT]", type=IncidentParameter(), required=False)
@as_json
@click.pass_obj
def list_campaigns(stack: Stack, incident_id: str | None, is_json: bool) -> None:
    """List the campaigns of INCIDENT; without it, those of all incidents that wait for a person. Exits with 1 when
    there is none.
    """
    store = stack.campaigns()
    if incident_id is None:
        waiting = map(store.campaign, store.waiting())
        found = [campaign for campaign in waiting if campaign is not None]
    else:
        found = store.campaigns_of(incident_id)
    if is_json:
        print_json([campaign_report(campaign, (), stack.operation()) for campaign in found])
    elif found:
        names = ("campaign", "state", "why", "policy", "rows", "planned", "applied", "list price, USD", "left")
        table, operation = Table(*names, box=None, pad_edge=False), stack.operation()
        for campaign in found:
            made = campaign_estimate(campaign, operation)
            left = time_left(campaign, store.log(campaign.id), datetime.now(UTC))
            table.add_row(
                str(campaign.id),
                campaign.state.value,
                campaign.state_reason.partition(":")[0],
                f"{campaign.policy_id} {campaign.policy_version}",
                str(campaign.rows_announced),
                str(campaign.plan.totals.lines),
                str(campaign.apply.totals.lines),
                "-" if made is None else f"{made.usd:.2f}",
                "-" if left is None else str(left).partition(".")[0],
            )
        console().print(table)
    else:
        click.echo("no campaign waits" if incident_id is None else f"no campaign of {incident_id} is known")
    if not found:
        click.get_current_context().exit(EXIT_NO)


@main.command("ask", epilog=ANSWER_CODES)
@click.argument("account_id", metavar="ACCOUNT")
@click.option("--incident", "incident_id", type=IncidentParameter(), help="Only about this incident.")
@as_json
@click.pass_obj
def ask(stack: Stack, account_id: str, incident_id: str | None, is_json: bool) -> None:
    """Did ACCOUNT get it, and why that much? Exits with 1 when nothing was decided about it."""
    now = datetime.now(UTC)
    try:
        found = answer(account_id, incident_id, stack.answers(), now)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="ACCOUNT") from None
    if is_json:
        print_json(answer_content(found, stack.outputs.list_bucket_name, now))
    else:
        show_answer(found, stack.outputs.list_bucket_name, console())
    if not found.decisions:
        click.get_current_context().exit(EXIT_NO)


@main.command("accept", epilog=ANSWER_CODES)
@click.argument("account_id", metavar="ACCOUNT")
@click.option("--incident", "incident_id", type=IncidentParameter(), required=True, help="What the offer is for.")
@click.option("--subject", default=WHOLE_ACCOUNT, help="The line, service or premises, where the policy decides those.")
@as_json
@click.pass_obj
def accept(stack: Stack, account_id: str, incident_id: str, subject: str, is_json: bool) -> None:
    """Accept the offer made to ACCOUNT: it is granted from now on, once. Exits with 1 when no offer is open."""
    try:
        granted = accept_offer(account_id, incident_id, stack.offers(), stack.caller(), datetime.now(UTC), subject)
    except OfferRefused as refusal:
        if is_json:
            print_json({"v": 1, "accepted": False, "reason": refusal.reason, "message": str(refusal)})
        else:
            click.echo(str(refusal))
        click.get_current_context().exit(EXIT_NO)
    effective_at = format_instant(granted.effective_at)
    if is_json:
        campaign = str(granted.key.campaign)
        print_json({"v": 1, "accepted": True, "campaign": campaign, "effective_at": effective_at})
    else:
        click.echo(f"accepted: granted by campaign {granted.key.campaign} as of {effective_at}")


if __name__ == "__main__":
    main(prog_name="kulanz")
