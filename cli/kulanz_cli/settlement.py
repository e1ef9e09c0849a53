"""``kulanz budget reserved`` and ``settle``: what a campaign reserved, and what a person states that it granted."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import click

from kulanz.application.door.parameters import PARAMETERS
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_cli.command import CampaignParameter, action_id, under_id
from kulanz_cli.control import must_be_a_reason
from kulanz_cli.outcomes import ACTION_CODES, ANSWER_CODES
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import Column, console, print_json, say, table

AMOUNT_EXPECTED = "a currency and an amount of it, such as EUR=1250.00"


class AmountsParameter(click.ParamType[tuple[str, str]]):
    """An amount of a currency, written `EUR=1250.00`."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Read it, or say how it is written."""
        if isinstance(value, tuple):
            return value
        currency, is_stated, amount = str(value).partition("=")
        if not is_stated or not amount or not PARAMETERS["currency"].is_valid(currency):
            self.fail(f"expected {AMOUNT_EXPECTED}", param, ctx)
        return currency, amount


def _by_currency(given: Sequence[tuple[str, str]], option: str) -> Mapping[str, str]:
    found = dict(given)
    if len(found) != len(given):
        raise click.UsageError(f"{option}: state each currency once")
    return found


@click.command("reserved", epilog=ANSWER_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@as_json
@pass_stack
def reserved(stack: Stack, campaign_id: CampaignId, is_json: bool) -> None:
    """Show what CAMPAIGN reserved, and what it may have granted.

    What is not settled yet lies between "at least", which its receipts have, and "at most", which its plan leaves.
    """
    answer = stack.door().ask("settlements.one", incident=campaign_id.incident_id, seq=str(campaign_id.seq))
    if is_json:
        print_json(answer)
        return
    _show(answer)


@click.command("settle", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@click.option(
    "--granted",
    required=True,
    multiple=True,
    metavar="EUR=AMOUNT",
    type=AmountsParameter(),
    help="What it granted at once; again for each currency that it reserved.",
)
@click.option(
    "--claimable",
    multiple=True,
    metavar="EUR=AMOUNT",
    type=AmountsParameter(),
    help="What its customers could accept or claim in all; else all that its plan leaves.",
)
@click.option("--reason", required=True, help="How you know, for the log.")
@under_id
@as_json
@pass_stack
def settle(
    stack: Stack, *, campaign_id: CampaignId, granted: Sequence[tuple[str, str]],
    claimable: Sequence[tuple[str, str]], reason: str, given_id: str | None, is_json: bool,
) -> None:  # fmt: skip
    """State what CAMPAIGN granted, where its list is gone.

    Nothing else can count it. Budgets are settled so: what it did not grant is free again. It has to fit what kulanz
    budget reserved shows. Where it sets much free, a second person states the same. For administrators.
    """
    must_be_a_reason(reason)
    body = {
        "granted": _by_currency(granted, "--granted"),
        "claimable": _by_currency(claimable, "--claimable"),
        "reason": reason,
    }
    done = stack.door().act(
        "settlements.act",
        body,
        incident=campaign_id.incident_id,
        seq=str(campaign_id.seq),
        id=given_id or action_id("settle", str(campaign_id), *(f"{one}={amount}" for one, amount in granted)),
    )
    if is_json:
        print_json(done)
        return
    _show(done)


def _show(answer: Mapping[str, Any]) -> None:
    if not answer["reserved"]:
        say(console(), f"{answer['campaign']} reserved nothing of a budget")
        return
    columns = [Column("", is_label=True), Column("granted", is_number=True), Column("claimable", is_number=True)]
    for one in answer["reserved"]:
        rows = []
        if one["granted_least"] is not None and not one["is_settled"]:
            rows = [
                ["at least", _amount(one["granted_least"]), _amount(one["claimable_least"])],
                ["at most", _amount(one["granted_most"]), _amount(one["claimable_most"])],
            ]
        settled = "settled" if one["is_settled"] else "not settled"
        say(
            console(),
            f"{one['month']} {one['currency']}: {settled}, {_amount(one['reserved'])} reserved,"
            f" {_amount(one['accepted'])} accepted",
        )
        if rows:
            table(console(), columns, rows)
    for line in _about(answer):
        say(console(), line)


def _about(answer: Mapping[str, Any]) -> Sequence[str]:
    stated = answer["stated"]
    if stated is None:
        if answer["must_be_stated"]:
            return ["its list is gone, and nothing can count it: kulanz budget settle states what it granted"]
        return []
    amounts = ", ".join(
        f"{_amount(amount)} {currency} granted and {_amount(stated['claimable'][currency])} claimable"
        for currency, amount in stated["granted"].items()
    )
    lines = [f"stated by {stated['by']}: {amounts}"]
    if stated["second"] is not None:
        lines.append(f"stated as well by {stated['second']}")
    if not stated["is_settled"]:
        lines.append("it waits for a second person who states the same")
    return lines


def _amount(text: str) -> str:
    return f"{Decimal(text):,}"
