"""``kulanz void``, ``approve-void``, ``reject-void``, ``settle-void``: take back what is unused, planned first."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.gate.filed_plan import HASH_DIGITS_SHOWN
from kulanz.domain.money import measure_words
from kulanz_cli.command import (
    AccountParameter,
    ActionParameter,
    CampaignParameter,
    SubjectParameter,
    action_id,
    under_id,
)
from kulanz_cli.control import must_be_a_reason
from kulanz_cli.event_file import legal_name
from kulanz_cli.outcomes import ACTION_CODES, ACTION_OR_LIST_CODES, EXIT_NO
from kulanz_cli.plan import hash_option
from kulanz_cli.reconciliation import figure
from kulanz_cli.send import upload_file
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import LIST_PREFIX, Stack
from kulanz_cli.terminal import Column, command, console, counted_as, print_json, say, table

SHARES: Mapping[str, str] = {
    "voidable": "unused, would be voided",
    "voided": "voided",
    "changed": "used or delivered since",
    "used": "on bills",
    "expired": "expired",
    "at_biller": "delivered to the biller",
    "voided_before": "voided before",
    "written_off": "written off",
    "assigned_once": "rejected or taken back by the biller",
    "repeated": "named twice in the list, voided once",
    "asked_before": "asked back of the biller before",
    "askable": "at the biller, would be asked back",
    "asked_back": "asked back of the biller",
    "not_asked": "moved at the biller since, not asked",
}
"""The shares of what was granted, in words."""


@click.command("void", epilog=ACTION_OR_LIST_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@click.option("--reason", help="Why: asks for a void. No customer's data.")
@click.option("--account", "accounts", multiple=True, type=AccountParameter(), help="One account; again for others.")
@click.option(
    "--subject", type=SubjectParameter(), help="With one --account: this line of it, or the goodwill of this id."
)
@click.option(
    "--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The accounts of this file; it has the column account_id.",
)  # fmt: skip
@click.option(
    "--overpaid", "is_overpaid", is_flag=True,
    help="What earlier campaigns of the incident gave too much, as CAMPAIGN found.",
)  # fmt: skip
@click.option(
    "--at-biller", "asks_biller", is_flag=True,
    help="Also ask the biller to take back what was delivered. It is void once the biller has booked that.",
)  # fmt: skip
@under_id
@as_json
@pass_stack
def void(
    stack: Stack, *, campaign_id: CampaignId, reason: str | None, accounts: Sequence[str], subject: str | None,
    path: Path | None, is_overpaid: bool, asks_biller: bool, given_id: str | None, is_json: bool,
) -> None:  # fmt: skip
    """Take back what is unused of CAMPAIGN, planned first; list its voids.

    With --reason it asks for a void: of all of CAMPAIGN, of some accounts, or of what was overpaid. Nothing is taken
    back before others have approved its plan.

    Without --reason it lists the voids of CAMPAIGN and their plans. It exits with 1 where there is none.
    """
    if reason is None:
        if accounts or path is not None or is_overpaid or asks_biller or given_id is not None:
            raise click.UsageError("to ask for a void, state --reason")
        _list(stack, campaign_id, is_json=is_json)
        return
    must_be_a_reason(reason)
    if accounts and path is not None:
        raise click.UsageError("state --account or --file, not both")
    if is_overpaid and (accounts or path is not None):
        raise click.UsageError("--overpaid is about all that was overpaid; leave --account and --file out")
    if subject is not None and len(accounts) != 1:
        raise click.UsageError("state --subject with the one --account that it is of")
    body: dict[str, Any] = {"reason": reason}
    if accounts:
        named = {} if subject is None else {"subject": subject}
        body["accounts"] = [{"account_id": account, **named} for account in accounts]
    if path is not None:
        body["file"] = _uploaded(stack, path)
    if is_overpaid:
        body["overpaid"] = True
    if asks_biller:
        body["at_biller"] = True
    name = given_id or action_id("void", str(campaign_id))
    asked = stack.door().act("voids.ask", body, incident=campaign_id.incident_id, seq=campaign_id.seq, id=name)
    _show(asked, is_json=is_json)


def _uploaded(stack: Stack, path: Path) -> dict[str, str]:
    key = f"{LIST_PREFIX}{legal_name(path.name)}"
    sent = upload_file(stack.client("s3"), path, stack.outputs.list_bucket_name, key)
    return {"key": key, "version_id": sent.version_id}


def _list(stack: Stack, campaign_id: CampaignId, *, is_json: bool) -> None:
    found = stack.door().ask("voids.of_campaign", incident=campaign_id.incident_id, seq=campaign_id.seq)
    if is_json:
        print_json(found)
    elif not found["voids"]:
        say(console(), f"no void of {campaign_id}")
    else:
        for one in found["voids"]:
            _show(one, is_json=False)
    if not found["voids"]:
        click.get_current_context().exit(EXIT_NO)


_plan = hash_option("kulanz void CAMPAIGN")
_named = click.argument("name", metavar="VOID", type=ActionParameter())


@click.command("approve-void", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@_named
@_plan
@under_id
@as_json
@pass_stack
def approve_void(
    stack: Stack, *, campaign_id: CampaignId, name: str, plan_hash: str, given_id: str | None, is_json: bool
) -> None:
    """Approve the plan of VOID of CAMPAIGN. With the last approval that it needs, what is unused is taken back."""
    _decide(stack, campaign_id, name, {"action": "approve", "plan_hash": plan_hash}, given_id, is_json=is_json)


@click.command("reject-void", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@_named
@_plan
@click.option("--reason", required=True, help="Why; no customer's data.")
@under_id
@as_json
@pass_stack
def reject_void(
    stack: Stack, *, campaign_id: CampaignId, name: str, plan_hash: str, reason: str, given_id: str | None,
    is_json: bool,
) -> None:  # fmt: skip
    """Reject the plan of VOID of CAMPAIGN. Nothing is taken back."""
    must_be_a_reason(reason)
    body = {"action": "reject", "plan_hash": plan_hash, "reason": reason}
    _decide(stack, campaign_id, name, body, given_id, is_json=is_json)


@click.command("settle-void", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@_named
@_plan
@click.option("--reason", required=True, help="What you found; no customer's data.")
@under_id
@as_json
@pass_stack
def settle_void(
    stack: Stack, *, campaign_id: CampaignId, name: str, plan_hash: str, reason: str, given_id: str | None,
    is_json: bool,
) -> None:  # fmt: skip
    """End the flagged VOID of CAMPAIGN as it stands. Look at its figures first; nothing is written or given back."""
    must_be_a_reason(reason)
    body = {"action": "settle", "plan_hash": plan_hash, "reason": reason}
    _decide(stack, campaign_id, name, body, given_id, is_json=is_json)


def _decide(
    stack: Stack, campaign_id: CampaignId, name: str, body: Mapping[str, str], given_id: str | None, *, is_json: bool
) -> None:
    done = stack.door().act(
        "voids.decide",
        body,
        incident=campaign_id.incident_id,
        seq=campaign_id.seq,
        void=name,
        id=given_id or action_id(body["action"], str(campaign_id), name),
    )
    _show(done, is_json=is_json)


def _show(one: Mapping[str, Any], *, is_json: bool) -> None:
    if is_json:
        print_json(dict(one))
        return
    out = console()
    say(out, f"void {one['void']} of {one['campaign']} is {one['state']}: {one['reason']}", "bold", further=2)
    say(out, f"why: {one['why']}", further=2)
    is_overpaid = one["about"] == "overpaid"
    if is_overpaid:
        say(out, "it reduces decisions of earlier campaigns of the incident, the latest first", further=2)
    if one["ends"]:
        say(out, f"the campaign is flagged, and ends with this void of what is {one['ends']}", further=2)
    if one["state"] == "awaiting_approval":
        given, needed = len(one["approvals"]), one["persons_needed"]
        say(out, f"plan {one['plan_hash'][:HASH_DIGITS_SHOWN]}: approved by {given} of {needed} persons")
    if one["state"] == "planning":
        say(out, "Its plan is being made; nothing is taken back before somebody approves it.")
        say(out, "See it:")
        command(out, ["kulanz", "void", one["campaign"]])
        return
    figures = one["done"] if one["done"]["lines"] else one["plan"]
    told = "to void" if figures is one["plan"] else "done"
    say(out, f"{counted_as(figures['decisions'], 'decision')} {told}")
    others = "have nothing that was overpaid" if is_overpaid else "name no decision of the campaign, or repeat one"
    rest = figures["lines"] - figures["decisions"] - figures["unmatched"]
    lines = counted_as(figures["lines"], "line")
    say(out, f"of {lines}, {rest:,} have nothing to take back, {figures['unmatched']:,} {others}")
    rows = [
        [SHARES[item["share"]], measure_words(item["measure"]), figure(item["measure"], _size(item["sum"]))]
        for item in figures["sums"]
    ]
    if rows:
        of = "of what was overpaid" if is_overpaid else "of what was granted"
        table(out, [Column(of), Column("measure"), Column("sum", is_number=True)], rows)
    for item in figures.get("asked", ()):
        size = figure(item["measure"], _size(item["sum"]))
        asked = "would be asked for" if figures is one["plan"] else "was asked for"
        many = counted_as(item["credits"], "credit")
        said = f"{item['channel']} {asked} {many}, {size} {measure_words(item['measure'])}"
        say(out, f"{said}: void once it has booked that", further=2)
    if figures["decisions"]:
        say(out, _notices(figures, is_plan=figures is one["plan"]), further=2)
    if one["state"] == "awaiting_approval":
        named = [one["campaign"], one["void"], "--plan", one["plan_hash"][:HASH_DIGITS_SHOWN]]
        say(out, "If you agree with all of it, or not:")
        command(out, ["kulanz", "approve-void", *named])
        command(out, ["kulanz", "reject-void", *named, "--reason", "..."])


def _notices(figures: Mapping[str, Any], *, is_plan: bool) -> str:
    """How many notices customers get."""
    if not figures.get("notices"):
        return "customers are not told: the policy has no text for it, or they had no notice"
    booked = "; of what the biller is asked for, once it has booked that" if figures.get("asked") else ""
    return f"{counted_as(figures['notices'], 'notice')} to customers{' would follow' if is_plan else ''}{booked}"


def _size(text: str) -> int | Decimal:
    size = Decimal(text)
    return int(size) if size == size.to_integral_value() else size
