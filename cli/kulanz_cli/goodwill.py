"""``kulanz goodwill``, ``approve-goodwill`` and ``reject-goodwill``: give something that no policy owes."""

import re
from collections.abc import Mapping
from typing import Any

import click

from kulanz.application.door.parameters import is_action_id
from kulanz.domain.byhand.goodwill import GOODWILL_ID_EXPECTED, is_goodwill_id
from kulanz_cli.command import AccountParameter, ActionParameter, IncidentParameter, action_id, under_id
from kulanz_cli.control import must_be_a_reason
from kulanz_cli.outcomes import ACTION_CODES, ACTION_OR_LIST_CODES, EXIT_NO
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import command, console, labelled, print_json, say
from kulanz_console.drawing.text import seconds

_STATES = {
    "given": "given",
    "waiting": "waits for a second person",
    "rejected": "rejected",
    "over": "waited too long; ask again under another id",
}


_NEGATIVE = re.compile(r"-[0-9][0-9.,]*", re.ASCII).fullmatch


class _WithAmount(click.Command):
    """A command with an amount, which is never an option that begins with a minus."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As always. Raises UsageError for an amount below zero."""
        if any(map(_NEGATIVE, args)):
            raise click.UsageError("AMOUNT is above zero: goodwill takes nothing back, kulanz void does", ctx)
        return super().parse_args(ctx, args)


@click.command("goodwill", cls=_WithAmount, epilog=ACTION_OR_LIST_CODES)
@click.argument("account", metavar="[ACCOUNT", type=AccountParameter(), required=False)
@click.argument("amount", metavar="AMOUNT", required=False)
@click.argument("measure", metavar="CURRENCY|UNIT]", required=False)
@click.option("--reason", help="A code of the discretion file: kulanz discretion show.")
@click.option("--note", default="", help="What happened, in one line; no text for the customer.")
@click.option("--incident", type=IncidentParameter(), default=None, help="The incident that it is about.")
@click.option("--ticket", default="", help="The ticket's number; without --id it is the id, too.")
@click.option("--repeat-of", metavar="ID", default="", help="An equal amount that is repeated on purpose.")
@under_id
@as_json
@pass_stack
def goodwill(
    stack: Stack, *, account: str | None, amount: str | None, measure: str | None, reason: str | None, note: str,
    incident: str | None, ticket: str, repeat_of: str, given_id: str | None, is_json: bool,
) -> None:  # fmt: skip
    """Give ACCOUNT an amount anyway, or list what waits for a second person.

    Such as: kulanz goodwill A-1001 20.00 EUR --reason long_wait --ticket T-4711

    Above the limits for one person it waits until another person approves it. One id is given once: the same again is
    the same answer. Exits with 1 where it waits, and where there is nothing to list.
    """
    if account is None:
        _list(stack, is_json=is_json)
        return
    if amount is None or measure is None or reason is None:
        raise click.UsageError("state ACCOUNT, AMOUNT and CURRENCY or UNIT, and --reason")
    content = {
        "amount": amount,
        "measure": measure,
        "reason": reason,
        **{name: text for name, text in _further(note, incident, ticket, repeat_of).items() if text},
    }
    given = stack.door().act(
        "goodwill.give", content, account=account, goodwill=_id(given_id, ticket, account, amount, measure)
    )
    _show(given, is_json=is_json)
    if given["state"] != "given":
        click.get_current_context().exit(EXIT_NO)


def _further(note: str, incident: str | None, ticket: str, repeat_of: str) -> dict[str, str]:
    return {"note": note, "incident": incident or "", "ticket": ticket, "repeat_of": repeat_of}


def _id(given_id: str | None, ticket: str, *words: str) -> str:
    """The form's own id, else the ticket's number: under it the same is never given twice."""
    named = given_id or ticket or action_id("goodwill", *words)
    if not is_goodwill_id(named) or not is_action_id(named):
        raise click.BadParameter(f"expected {GOODWILL_ID_EXPECTED}", param_hint="--id" if given_id else "--ticket")
    return named


def _list(stack: Stack, *, is_json: bool) -> None:
    found = stack.door().ask("goodwill.waiting")
    if is_json:
        print_json(found)
    elif not found["waiting"]:
        say(console(), "no goodwill waits for a second person")
    else:
        for one in found["waiting"]:
            _show(one, is_json=False)
    if not found["waiting"]:
        click.get_current_context().exit(EXIT_NO)


_named = click.argument("goodwill_id", metavar="ID", type=ActionParameter())


@click.command("approve-goodwill", epilog=ACTION_CODES)
@_named
@under_id
@as_json
@pass_stack
def approve_goodwill(stack: Stack, *, goodwill_id: str, given_id: str | None, is_json: bool) -> None:
    """Agree to the goodwill ID as the second person. Then it is given."""
    _decide(stack, goodwill_id, {"action": "approve"}, given_id, is_json=is_json)


@click.command("reject-goodwill", epilog=ACTION_CODES)
@_named
@click.option("--reason", required=True, help="Why; no customer's data.")
@under_id
@as_json
@pass_stack
def reject_goodwill(stack: Stack, *, goodwill_id: str, reason: str, given_id: str | None, is_json: bool) -> None:
    """Reject the goodwill ID. Nothing is given."""
    must_be_a_reason(reason)
    _decide(stack, goodwill_id, {"action": "reject", "reason": reason}, given_id, is_json=is_json)


def _decide(stack: Stack, goodwill_id: str, body: Mapping[str, str], given_id: str | None, *, is_json: bool) -> None:
    named = given_id or action_id(body["action"], goodwill_id)
    _show(stack.door().act("goodwill.decide", body, goodwill=goodwill_id, id=named), is_json=is_json)


def _show(one: Mapping[str, Any], *, is_json: bool) -> None:
    if is_json:
        print_json(dict(one))
        return
    out = console()
    say(out, f"goodwill {one['id']}: {one['amount']}, {_STATES[one['state']]}", "bold", further=2)
    facts = {
        "account": one["account_id"],
        "reason": f"{one['reason']}, {one['title']}",
        "note": one["note"],
        "incident": one["incident"],
        "ticket": one["ticket"],
        "repeats": one["repeat_of"],
        "asked by": f"{one['asked_by']}, {seconds(one['asked_at'])}",
        "decided by": one["decided_by"],
        "why": one["why"],
        "campaign": one["campaign"],
        "waits until": seconds(one["waits_until"] or ""),
    }
    for name, text in facts.items():
        if text:
            labelled(out, name, text)
    if one["state"] == "waiting":
        say(out, "If another person agrees, or not:")
        command(out, ["kulanz", "approve-goodwill", one["id"]])
        command(out, ["kulanz", "reject-goodwill", one["id"], "--reason", "..."])
