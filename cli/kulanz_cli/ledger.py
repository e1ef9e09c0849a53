"""``kulanz ledger confirm`` and ``check``: a person's word on the stack's tables, and what supports it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import click
from botocore.exceptions import BotoCoreError, ClientError

from kulanz.application.ledger.check_ledger import Checked, check_ledger
from kulanz.application.ports import PinnedVersionGone, Stores
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import Difference
from kulanz.domain.confirmation import Occasion
from kulanz.domain.delivery.law import LAW
from kulanz_cli.command import CampaignParameter, action_id
from kulanz_cli.control import must_be_a_reason
from kulanz_cli.direct import DirectStack
from kulanz_cli.outcomes import ANSWER_CODES, EXIT_NO, Unusable
from kulanz_cli.reconciliation import figure, law_text
from kulanz_cli.settings import as_json, pass_direct_stack
from kulanz_cli.terminal import console, counted_as, print_json, say
from kulanz_console.drawing.text import seconds


@click.command("confirm", epilog=ANSWER_CODES)
@click.option("--first", "occasion", flag_value=Occasion.FIRST.value, help="No stack before this one granted anything.")
@click.option(
    "--checked",
    "occasion",
    flag_value=Occasion.CHECKED.value,
    help="The tables were restored or moved: compare every campaign, and confirm them if all agree.",
)
@click.option("--beside", multiple=True, metavar="TABLE", help="A table of an earlier stack that does not matter.")
@click.option("--reason", required=True, help="Why, for the record; no customer's data.")
@as_json
@pass_direct_stack
def confirm(stack: DirectStack, occasion: str | None, beside: tuple[str, ...], reason: str, is_json: bool) -> None:
    """Confirm that the stack's tables are the right ones. Until somebody has, no campaign opens.

    They remember what was granted: an incident that is sent to new or older tables would be granted again.
    """
    if occasion is None:
        raise click.UsageError("say --first, or --checked after a restore or a move")
    must_be_a_reason(reason)
    others = [name for name in _tables_of_earlier_stacks(stack) if name not in beside]
    if others:
        raise Unusable(
            f"this account has tables of an earlier stack: {', '.join(others)}. They may remember what was granted:"
            " adopt them (docs/deployment.md, Delete, move, restore), or name each that does not matter with --beside"
        )
    if Occasion(occasion) is Occasion.CHECKED:
        differing = [
            found for found in _checked(stack, stack.stores().campaign_ids(), datetime.now(UTC)) if _differs(found)
        ]
        if differing:
            names = ", ".join(str(one.campaign) for one in differing)
            raise Unusable(f"ledger and receipts differ for {names}; kulanz ledger check shows how")
    content = {"occasion": occasion, "reason": reason}
    given = stack.door().act("confirmations.confirm", content, id=action_id("confirm", occasion, reason))
    if is_json:
        print_json({name: given[name] for name in ("v", "occasion", "actor", "at")})
        return
    say(console(), f"confirmed by {given['actor']} at {seconds(given['at'])}: campaigns may open")


def _tables_of_earlier_stacks(stack: DirectStack) -> list[str]:
    """Tables that CloudFormation named for a stack of this name and that are not this stack's."""
    ours = {stack.outputs.credits_table_name, stack.outputs.campaigns_table_name}
    prefixes = tuple(f"{stack.name}-{logical}-" for logical in ("CreditsTable", "CampaignsTable"))
    try:
        pages = stack.client("dynamodb").get_paginator("list_tables").paginate()
        return [name for page in pages for name in page["TableNames"] if name.startswith(prefixes) and name not in ours]
    except (ClientError, BotoCoreError) as error:
        raise Unusable(f"the tables of this account could not be listed ({type(error).__name__})") from None


@click.command("check", epilog=ANSWER_CODES)
@click.argument("campaign_id", metavar="[CAMPAIGN]", type=CampaignParameter(), required=False)
@as_json
@pass_direct_stack
def check(stack: DirectStack, campaign_id: CampaignId | None, is_json: bool) -> None:
    """Compare the ledger with the receipts of CAMPAIGN, or of all.

    It also proves the law granted = used + expired + voided + written off + open, from the entries of all decisions
    and from counters.

    It reads each list and the decision of every row, so that it takes about as long as the plan did. Decisions of
    workers that were stopped before their receipt are counted apart. Exit code 1 where ledger and receipts differ.
    """
    stores: Stores = stack.stores()
    wanted = stores.campaign_ids() if campaign_id is None else iter([campaign_id])
    found = sorted(_checked(stack, wanted, datetime.now(UTC)), key=lambda one: str(one.campaign))
    if is_json:
        print_json({"v": 1, "campaigns": [_as_json(one) for one in found]})
    else:
        for one in found:
            _show(one)
    if any(map(_differs, found)):
        click.get_current_context().exit(EXIT_NO)


def _checked(stack: DirectStack, campaigns: Iterable[CampaignId], now: datetime) -> Iterator[Checked]:
    ports = stack.checks()
    for campaign_id in campaigns:
        try:
            yield check_ledger(campaign_id, ports, now)
        except KeyError:
            raise Unusable(f"there is no campaign {campaign_id}") from None
        except PinnedVersionGone:
            raise Unusable(f"the pinned list of {campaign_id} was deleted: its ledger cannot be compared") from None


def _differs(checked: Checked) -> bool:
    """Whether something is wrong: too much at any time, too little while nothing can have expired, a broken law."""
    wrong = any(one.applied > one.planned or not checked.may_have_expired for one in checked.differences)
    return wrong or bool(checked.broken)


def _show(checked: Checked) -> None:
    out = console()
    if not checked.is_read:
        say(out, f"{checked.campaign} cannot be compared: its list cannot be read. No receipt counts a decision of it.")
        return
    state = "differs" if _differs(checked) else "agrees"
    more = f", {counted_as(checked.by_hand, 'decision')} by hand" if checked.by_hand else ""
    of_rows = counted_as(checked.decisions, "decision")
    say(out, f"{checked.campaign} {state}: {of_rows} of its list in the ledger{more}")
    for one in checked.differences:
        receipts, ledger = (figure(one.what, size) for size in (one.planned, one.applied))
        say(out, f"{one.what}: receipts {receipts}, ledger {ledger}", indent=2)
    for measure, shares in sorted(checked.law.items()):
        say(out, law_text(measure, shares), indent=2)
    for text in checked.broken:
        say(out, f"the law is broken: {text}", indent=2)
    if checked.differences and not _differs(checked):
        say(out, "Decisions of it may have passed their time to live.", indent=2)
    for one in checked.beyond:
        say(out, f"{one.what}: {figure(one.what, one.applied - one.planned)} more than the receipts count", indent=2)
    if checked.beyond:
        say(out, "Workers that were stopped before their receipt wrote these. They are granted.", indent=2)


def _as_json(checked: Checked) -> dict[str, object]:
    return {
        "campaign": str(checked.campaign),
        "agrees": not _differs(checked),
        "decisions": checked.decisions,
        "by_hand": checked.by_hand,
        "is_read": checked.is_read,
        "may_have_expired": checked.may_have_expired,
        "differences": [_figures(one) for one in checked.differences],
        "beyond_the_receipts": [_figures(one) for one in checked.beyond],
        "law": [
            {
                "measure": measure,
                **{name: figure(measure, getattr(shares, name)).replace(",", "") for name in ("granted", *LAW)},
            }
            for measure, shares in sorted(checked.law.items())
        ],
        "broken": list(checked.broken),
    }


def _figures(one: Difference) -> dict[str, str]:
    """Amounts in the currency's own unit, as every other figure that the command prints."""
    receipts, ledger = (figure(one.what, size).replace(",", "") for size in (one.planned, one.applied))
    return {"what": one.what, "receipts": receipts, "ledger": ledger}
