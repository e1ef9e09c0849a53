"""``kulanz credits``: the credits that a biller rejected or took back, and what is done with each."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import click

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.money import amount_words
from kulanz_cli.command import CampaignParameter, action_id, under_id
from kulanz_cli.control import must_be_a_reason
from kulanz_cli.log import RouteParameter
from kulanz_cli.outcomes import ANSWER_CODES, EXIT_NO
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import console, counted_as, print_json, say

CREDITS_VERSION = 1


@click.command("credits", epilog=ANSWER_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@click.option("--send-again", "send_again", metavar="CREDIT", help="Send this credit again.")
@click.option("--write-off", "write_off", metavar="CREDIT", help="Write this credit off.")
@click.option("--account", help="The account of the credit.")
@click.option("--subject", help="The line, service or premises; leave it out for the account itself.")
@click.option("--biller-account", help="The account's key at the biller, corrected.")
@click.option("--to", "channel", type=RouteParameter("channel"), help="Another channel that it is sent to.")
@click.option("--reason", help="Why, for the audit log.")
@under_id
@as_json
@pass_stack
def credits_of(
    stack: Stack,
    *,
    campaign_id: CampaignId,
    send_again: str | None,
    write_off: str | None,
    account: str | None,
    subject: str | None,
    biller_account: str | None,
    channel: str | None,
    reason: str | None,
    given_id: str | None,
    is_json: bool,
) -> None:
    """List the credits of CAMPAIGN that the biller rejected or took back.

    With --send-again or --write-off, do that with one of them. What is sent again is in a delivery a day later, of
    another channel with --to. Above the stack's amount for a second person, a credit is written off or sent to another
    channel when another person says the same, too.

    Exits with 1 where credits wait for a person.
    """
    if send_again and write_off:
        raise click.UsageError("state one of --send-again and --write-off")
    if channel and not send_again:
        raise click.UsageError("--to belongs to --send-again")
    if send_again or write_off:
        if not account or not reason:
            raise click.UsageError("state --account and --reason, too")
        must_be_a_reason(reason)
        body = {
            "action": "send_again" if send_again else "write_off",
            "credit_id": send_again or write_off,
            "account_id": account,
            "reason": reason,
            **({"subject": subject} if subject else {}),
            **({"biller_account": biller_account} if biller_account else {}),
            **({"channel": channel} if channel else {}),
        }
        _act(stack, campaign_id, body, given_id, is_json=is_json)
        return
    if any((account, subject, biller_account, channel, reason, given_id)):
        raise click.UsageError("these options belong to --send-again or --write-off; state one of both")
    found = list(_waiting(stack, campaign_id))
    if is_json:
        print_json({"v": CREDITS_VERSION, "campaign": str(campaign_id), "credits": found})
    else:
        _show(found)
    if found:
        click.get_current_context().exit(EXIT_NO)


def _waiting(stack: Stack, campaign_id: CampaignId) -> Iterator[Mapping[str, Any]]:
    pages = stack.door().pages(
        "acknowledgements.rejected_credits", incident=campaign_id.incident_id, seq=campaign_id.seq
    )
    for page in pages:
        yield from page["credits"]


def _act(
    stack: Stack, campaign_id: CampaignId, body: Mapping[str, Any], given_id: str | None, *, is_json: bool
) -> None:
    done = stack.door().act(
        "credits.act",
        body,
        incident=campaign_id.incident_id,
        seq=campaign_id.seq,
        id=given_id or action_id(*(str(value) for value in body.values())),
    )
    if is_json:
        print_json(done)
    elif done["second_person_needed"]:
        what = "sent to another channel" if body["action"] == "send_again" else "written off"
        say(console(), f"{what} by one person; another person has to say the same, too")
    elif done["state"] == "due":
        say(console(), f"the credit is due again; the next delivery of additions to {done['channel']} has it")
    else:
        say(console(), f"the credit is {done['state'].replace('_', ' ')}")


def _show(found: list[Mapping[str, Any]]) -> None:
    out = console()
    say(out, f"{counted_as(len(found), 'credit waits', 'credits wait')} for a person")
    for one in found:
        subject = "" if one["subject"] == "-" else f" {one['subject']}"
        state = one["state"].replace("_", " ")
        amount = amount_words(one["not_on_bills"], one["measure"])
        say(out, f"{one['account_id']}{subject}: {amount}, {state} {one['code']}".rstrip())
        if Decimal(one["reversed"]):
            taken = amount_words(one["reversed"], one["measure"])
            say(out, f"another {taken} was taken back by a reversal: did the biller take it off twice?", indent=2)
        say(out, one["credit_id"], indent=2)
