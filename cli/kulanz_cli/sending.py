"""``kulanz send``: put an incident event on the stack's bus, with its list."""

from pathlib import Path

import click

from kulanz_cli.send import read_event, send, with_list
from kulanz_cli.settings import ANSWER_CODES, as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import console, counted_as, print_json, say


@click.command("send", epilog=ANSWER_CODES)
@click.argument("path", metavar="EVENT.json", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--list",
    "list_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A list of affected accounts (.csv or .jsonl) to upload and name in the event.",
)
@click.option("--rows", type=click.IntRange(min=1), help="Your control total; without it the list's lines are counted.")
@as_json
@pass_stack
def send_event(stack: Stack, path: Path, list_path: Path | None, rows: int | None, is_json: bool) -> None:
    """Send an incident event, with its list. Its contract is checked first."""
    event = read_event(path)
    if list_path is not None:
        event = with_list(event, stack, list_path, rows)
    elif rows is not None:
        raise click.UsageError("--rows belongs to --list")
    sent = send(event, stack)
    if is_json:
        print_json({"v": 1, "event_id": sent.event_id, "incident_id": sent.incident_id, "rows": sent.rows})
        return
    out = console()
    say(out, f"{sent.detail_type} {sent.incident_id}: the bus has it as {sent.event_id}")
    if sent.rows is not None:
        campaigns = f"`kulanz campaigns {sent.incident_id}` shows the campaign once it is open"
        say(out, f"{counted_as(sent.rows, 'row')}; {campaigns}")
