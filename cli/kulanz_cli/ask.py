"""``kulanz ask`` and ``kulanz accept``: what one account got and why, and taking up what it was offered."""

import click

from kulanz.application.door.problems import Kind
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz_cli.answers import answer_content, show_answer
from kulanz_cli.command import AccountParameter, IncidentParameter, SubjectParameter, action_id, under_id
from kulanz_cli.door import DoorProblem
from kulanz_cli.outcomes import ANSWER_CODES, EXIT_NO
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import console, print_json, say


@click.command("ask", epilog=ANSWER_CODES)
@click.argument("account_id", metavar="ACCOUNT", type=AccountParameter())
@click.option("--incident", "incident_id", type=IncidentParameter(), help="Only about this incident.")
@click.option("--subject", type=SubjectParameter(), help="Only about this line, service or premises of the account.")
@click.option(
    "--past", "is_past", is_flag=True,
    help="Also what was decided before the id changed hands; for the role auditor.",
)  # fmt: skip
@as_json
@pass_stack
def ask(
    stack: Stack, account_id: str, incident_id: str | None, subject: str | None, is_past: bool, is_json: bool
) -> None:
    """Did ACCOUNT get a credit, and why that much?

    ACCOUNT may be a line, service or premises where --incident names an incident whose policy decides those.

    It exits with 1 when nothing was decided, or when all of it was decided before the id changed hands.
    """
    query = {"incident": incident_id, "subject": subject}
    found = stack.door().ask("accounts.ask_past" if is_past else "accounts.ask", query, account=account_id)
    if is_json:
        print_json(answer_content(found))  # type: ignore[arg-type]
    else:
        show_answer(found, console(), incident_id)  # type: ignore[arg-type]
    if not found["decisions"]:
        click.get_current_context().exit(EXIT_NO)


@click.command("accept", epilog=ANSWER_CODES)
@click.argument("account_id", metavar="ACCOUNT", type=AccountParameter())
@click.option("--incident", "incident_id", type=IncidentParameter(), required=True, help="What the offer is for.")
@click.option(
    "--subject", type=SubjectParameter(), default=WHOLE_ACCOUNT,
    help="The line, service or premises, where the policy decides those.",
)  # fmt: skip
@click.option("--campaign", "seq", type=click.IntRange(min=1), help="Whose offer, by number, where there are several.")
@under_id
@as_json
@pass_stack
def accept(
    stack: Stack, account_id: str, incident_id: str, subject: str, seq: int | None, given_id: str | None, is_json: bool
) -> None:
    """Accept the offer made to ACCOUNT. It is granted from now on, once. Exits with 1 when no offer is open."""
    content = {"subject": subject, **({} if seq is None else {"campaign": seq})}
    named = given_id or action_id("accept", account_id, incident_id, subject, str(seq))
    try:
        granted = stack.door().act("acceptances.accept", content, account=account_id, incident=incident_id, id=named)
    except DoorProblem as problem:
        if problem.kind not in (Kind.REFUSED, Kind.UNKNOWN):
            raise
        if is_json:
            print_json({"v": 1, "accepted": False, "reason": problem.reason or "unknown", "message": problem.message})
        else:
            say(console(), problem.message)
        click.get_current_context().exit(EXIT_NO)
    if is_json:
        print_json({name: granted[name] for name in ("v", "accepted", "campaign", "effective_at")})
    else:
        say(console(), f"accepted: granted by campaign {granted['campaign']} as of {granted['effective_at']}")
