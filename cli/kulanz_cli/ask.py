"""``kulanz ask`` and ``kulanz accept``: what one account got and why, and taking up what it was offered."""

from datetime import UTC, datetime

import click

from kulanz.application.ledger.accept_offer import OfferRefused, accept_offer
from kulanz.application.ledger.answer import answer
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.time import format_instant
from kulanz_cli.answers import answer_content, show_answer
from kulanz_cli.command import AccountParameter, IncidentParameter
from kulanz_cli.settings import ANSWER_CODES, EXIT_NO, as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import console, print_json, say


@click.command("ask", epilog=ANSWER_CODES)
@click.argument("account_id", metavar="ACCOUNT", type=AccountParameter())
@click.option("--incident", "incident_id", type=IncidentParameter(), help="Only about this incident.")
@click.option("--subject", help="Only about this line, service or premises of the account.")
@as_json
@pass_stack
def ask(stack: Stack, account_id: str, incident_id: str | None, subject: str | None, is_json: bool) -> None:
    """Did ACCOUNT get a credit, and why that much?

    ACCOUNT may be a line, service or premises where --incident names an incident whose policy decides those. Exits
    with 1 when nothing was decided.
    """
    now = datetime.now(UTC)
    found = answer(account_id, incident_id, stack.answers(), now, subject)
    if is_json:
        print_json(answer_content(found, stack.outputs.list_bucket_name, now))
    else:
        show_answer(found, stack.outputs.list_bucket_name, console())
    if not found.decisions:
        click.get_current_context().exit(EXIT_NO)


@click.command("accept", epilog=ANSWER_CODES)
@click.argument("account_id", metavar="ACCOUNT", type=AccountParameter())
@click.option("--incident", "incident_id", type=IncidentParameter(), required=True, help="What the offer is for.")
@click.option("--subject", default=WHOLE_ACCOUNT, help="The line, service or premises, where the policy decides those.")
@click.option("--campaign", "seq", type=click.IntRange(min=1), help="Whose offer, by number, where there are several.")
@as_json
@pass_stack
def accept(stack: Stack, account_id: str, incident_id: str, subject: str, seq: int | None, is_json: bool) -> None:
    """Accept the offer made to ACCOUNT. It is granted from now on, once. Exits with 1 when no offer is open."""
    try:
        granted = accept_offer(account_id, incident_id, stack.offers(), stack.caller(), datetime.now(UTC), subject, seq)
    except OfferRefused as refusal:
        if is_json:
            print_json({"v": 1, "accepted": False, "reason": refusal.reason, "message": str(refusal)})
        else:
            say(console(), refusal)
        click.get_current_context().exit(EXIT_NO)
    effective_at = format_instant(granted.accepted_at or granted.effective_at)
    if is_json:
        campaign = str(granted.key.campaign)
        print_json({"v": 1, "accepted": True, "campaign": campaign, "effective_at": effective_at})
    else:
        say(console(), f"accepted: granted by campaign {granted.key.campaign} as of {effective_at}")
