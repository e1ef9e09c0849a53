"""``kulanz log``: who did what, when and why: to a campaign, an incident or a policy, on a day, or by somebody."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import click

from kulanz.application.door.parameters import PARAMETERS
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_cli.command import CampaignParameter, IncidentParameter
from kulanz_cli.door import Door
from kulanz_cli.outcomes import ANSWER_CODES, EXIT_NO
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import console, print_json, say
from kulanz_console.drawing.text import action_words, seconds

LOG_VERSION = 1
SHOWN = 1_000
SHOWN_MOST = 100_000


class RouteParameter(click.ParamType[str]):
    """A value of a path or a query of the API, as the table of routes has it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read it, or say what was expected."""
        if not isinstance(value, str) or not PARAMETERS[self.name].is_valid(value):
            self.fail(f"expected {PARAMETERS[self.name].expected}", param, ctx)
        return value


@click.command("log", epilog=ANSWER_CODES)
@click.argument("campaign_id", metavar="[CAMPAIGN]", type=CampaignParameter(), required=False)
@click.option("--incident", type=IncidentParameter(), help="An incident, with all its campaigns.")
@click.option("--policy", type=RouteParameter("policy"), help="A policy: its versions, and the campaigns under them.")
@click.option(
    "--person", type=RouteParameter("actor"), help="What a person or machine did, by the id that a log names."
)
@click.option("--day", type=RouteParameter("day"), help="What was done on a day of UTC, such as 2026-11-29.")
@click.option("--limit", type=click.IntRange(1, SHOWN_MOST), default=SHOWN, show_default=True, help="Show at most.")
@as_json
@pass_stack
def log(
    stack: Stack,
    campaign_id: CampaignId | None,
    *,
    incident: str | None,
    policy: str | None,
    person: str | None,
    day: str | None,
    limit: int,
    is_json: bool,
) -> None:
    """Show who did what, when and why.

    Of a CAMPAIGN from who published its policy to who accepted what it offered; or of what an option names. Exits with
    1 where nothing was done.
    """
    asked: dict[str, Mapping[str, str | int] | None] = {
        "campaign": None if campaign_id is None else {"incident": campaign_id.incident_id, "seq": campaign_id.seq},
        "incident": None if incident is None else {"incident": incident},
        "policy": None if policy is None else {"policy": policy},
        "actor": None if person is None else {"actor": person},
        "day": None if day is None else {"day": day},
    }
    stated = [(what, of) for what, of in asked.items() if of is not None]
    if len(stated) != 1:
        raise click.UsageError("name one: CAMPAIGN, --incident, --policy, --person or --day")
    ((what, of),) = stated
    entries = _entries(stack.door(), what, of)
    found = list(islice(entries, limit))
    has_more = next(entries, None) is not None
    if is_json:
        print_json({"v": LOG_VERSION, "entries": found, "more": has_more})
    else:
        for one in found:
            say(console(), _line(one), further=2)
        if not found:
            say(console(), "nothing was done")
    if has_more:
        say(console(stderr=True), f"There is more: the first {limit:,} are shown; --limit shows more.")
    if not found:
        click.get_current_context().exit(EXIT_NO)


def _entries(door: Door, what: str, of: Mapping[str, str | int]) -> Iterator[dict[str, Any]]:
    query = {name: str(value) for name, value in of.items()} if what == "actor" else {}
    values = {} if what == "actor" else of
    for page in door.pages(f"audit.of_{what}", query, **values):
        yield from page["entries"]


def _line(entry: Mapping[str, Any]) -> str:
    reason = f": {entry['reason']}" if entry["reason"] else ""
    done = f"{action_words(entry['action'])} {entry['about']} {entry['on']}"
    return f"{seconds(entry['at'])} {done} by {entry['actor']}{reason}"
