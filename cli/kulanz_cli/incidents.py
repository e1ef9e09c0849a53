"""``kulanz incidents``: the incidents of a month."""

from datetime import UTC, datetime

import click

from kulanz_cli.log import RouteParameter
from kulanz_cli.outcomes import ANSWER_CODES, EXIT_NO
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import Column, console, print_json, say, table
from kulanz_console.drawing.text import seconds

INCIDENTS_VERSION = 1


@click.command("incidents", epilog=ANSWER_CODES)
@click.option("--month", type=RouteParameter("month"), help="A month of UTC, such as 2026-11; without it, this month.")
@as_json
@pass_stack
def list_incidents(stack: Stack, month: str | None, is_json: bool) -> None:
    """List the incidents of a month, by their first event. Exits with 1 when there is none."""
    named = month or f"{datetime.now(UTC):%Y-%m}"
    found = [one for page in stack.door().pages("incidents.of_month", month=named) for one in page["incidents"]]
    if is_json:
        print_json({"v": INCIDENTS_VERSION, "month": named, "incidents": found})
    elif found:
        columns = [Column("incident", is_label=True), Column("first event")]
        table(console(), columns, [(one["incident_id"], seconds(one["first_recorded_at"])) for one in found])
    else:
        say(console(), f"no incident was recorded in {named}")
    if not found:
        click.get_current_context().exit(EXIT_NO)
