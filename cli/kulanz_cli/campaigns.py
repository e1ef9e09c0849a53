"""``kulanz campaigns``: how far the campaigns of an incident are, and what they come to."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import click
from rich.console import Console

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, RowResult
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.identifiers import month_of_goodwill
from kulanz_cli.command import IncidentParameter
from kulanz_cli.door import Door
from kulanz_cli.log import RouteParameter
from kulanz_cli.outcomes import ANSWER_CODES, EXIT_NO
from kulanz_cli.reconciliation import show_where_rejected, sum_text
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.shown_campaign import ShownCampaign
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import Column, command, console, print_json, say, table
from kulanz_console.drawing.text import seconds

if TYPE_CHECKING:
    from kulanz.application.door.campaigns import CampaignItem, KeptRequestItem, TroubleLine
    from kulanz.application.door.halts import HaltAnswer

LISTED_VERSION = 1
GLASS_BROKEN = TroubleKind.GLASS_BROKEN.value
COLUMNS = (
    Column("campaign", is_label=True),
    Column("state"),
    Column("rows", is_number=True),
    Column("granted", is_number=True),
    Column("offered", is_number=True, spare=2),
    Column("why", spare=1),
    Column("planned", is_number=True, spare=3),
    Column("left", is_number=True, spare=4),
    Column("policy", spare=5),
    Column("AWS cost", is_number=True, spare=6),
)
"""What is given up last is what a person looks for first: rows and money, before what AWS asks for it."""


@click.command("campaigns", epilog=ANSWER_CODES)
@click.argument("incident_id", metavar="[INCIDENT]", type=IncidentParameter(), required=False)
@click.option("--month", type=RouteParameter("month"), help="Those that were opened in a month, such as 2026-11.")
@as_json
@pass_stack
def list_campaigns(stack: Stack, incident_id: str | None, month: str | None, is_json: bool) -> None:
    """List the campaigns of INCIDENT, or all that wait for a person.

    Without INCIDENT: plans that wait for their approval, and campaigns that are paused or flagged. Above them: plans
    that one person alone approved in the last 30 days; whether the stack is halted; what was lost or does not go on,
    until it is repaired; and requests that are kept, which open by themselves. Refused campaigns are listed under their
    incident or --month. Exits with 1 when there is none.
    """
    if incident_id is not None and month is not None:
        raise click.UsageError("name INCIDENT or --month")
    out, door = console(), stack.door()
    pages = list(_asked(door, incident_id, month))
    found: list[CampaignItem] = [item for page in pages for item in page["campaigns"]]
    is_waiting = incident_id is None and month is None
    halt: HaltAnswer | None = None
    if is_waiting:
        halt = cast("HaltAnswer", door.ask("halts.current"))
    troubles: list[TroubleLine] = door.ask("campaigns.troubles")["troubles"] if is_waiting else []
    kept: list[KeptRequestItem] = pages[0]["kept"]
    if is_json:
        reports = [item["report"] for item in found]
        print_json({"v": LISTED_VERSION, "halt": halt, "troubles": troubles, "kept": kept, "campaigns": reports})
    else:
        _show_above(halt, troubles, kept, out)
        if found:
            _show(found, out)
        else:
            say(out, _none(incident_id, month, is_known=pages[0]["incident_known"]))
            if incident_id is not None:
                say(out, "Events from the bus that were refused:")
                command(out, ["kulanz", "rejected"])
    if not found and all(trouble["kind"] == GLASS_BROKEN for trouble in troubles):
        click.get_current_context().exit(EXIT_NO)


def _none(incident_id: str | None, month: str | None, *, is_known: bool | None) -> str:
    """What is said where there is no campaign."""
    if month is not None:
        return f"no campaign was opened in {month}"
    if incident_id is None:
        return "no campaign waits for a person"
    known = "is recorded and has no campaign" if is_known else "is not recorded on this stack"
    return f"incident {incident_id} {known}"


def _show_above(
    halt: "HaltAnswer | None", troubles: "Sequence[TroubleLine]", kept: "Sequence[KeptRequestItem]", out: Console
) -> None:
    """What stands above the campaigns that wait. That one person alone approved a plan comes first."""
    for trouble in troubles:
        if trouble["kind"] == GLASS_BROKEN:
            _show_trouble(trouble, out)
    if halt is not None and halt["halted"]:
        say(
            out,
            f"the stack is halted since {seconds(halt['since'] or '')}: {halt['reason']}; kulanz halt shows more",
            further=2,
        )
    for trouble in troubles:
        if trouble["kind"] != GLASS_BROKEN:
            _show_trouble(trouble, out)
    for request in kept:
        void = request["void"]
        what = f"the void {void}; it is tried again" if void else f"the workers of {request['after']}; it opens"
        say(
            out,
            f"a request for {request['incident_id']} waits for {what} after {seconds(request['opens_at'])}",
            further=2,
        )


def _show_trouble(trouble: "TroubleLine", out: Console) -> None:
    now = ". Look now." if trouble["urgent"] else ""
    say(out, f"{trouble['kind']} {trouble['on']} since {seconds(trouble['since'])}: {trouble['says']}{now}", further=2)


def _asked(door: Door, incident_id: str | None, month: str | None) -> Iterator[dict[str, Any]]:
    if month is not None:
        return door.pages("campaigns.of_month", month=month)
    if incident_id is not None:
        return door.pages("campaigns.of_incident", incident=incident_id)
    return door.pages("campaigns.waiting")


def _show(found: "Sequence[CampaignItem]", out: Console) -> None:
    rows, every = [], [ShownCampaign.of(item) for item in found]
    for item, campaign in zip(found, every, strict=True):
        report, left = item["report"], item["seconds_left"]
        cost = report["estimate"]
        plan, apply = campaign.plan.totals, campaign.apply.totals
        ledger = apply.worth(IN_THE_LEDGER)
        rows.append((
            str(campaign.id),
            campaign.state.value,
            f"{plan.rows() if campaign.plan.is_finished else campaign.rows_announced:,}",
            sum_text(ledger, RowResult.GRANTED),
            sum_text(ledger, RowResult.OFFERED),
            campaign.reason.partition(":")[0],
            sum_text(plan.worth(), RowResult.GRANTED),
            "-" if left is None else str(timedelta(seconds=left)),
            f"{report['policy']['id']} {report['policy']['version']}",
            "-" if cost is None else f"{Decimal(cost['usd']):.2f} USD",
        ))  # fmt: skip
    stated = [place for place, _ in enumerate(COLUMNS) if any(row[place] not in ("", "-") for row in rows)]
    table(out, [COLUMNS[place] for place in stated], [[row[place] for place in stated] for row in rows])
    for campaign in every:
        month = month_of_goodwill(campaign.id.incident_id)
        if month:
            say(out, f"{campaign.id} has no list; what persons gave in it is in:")
            command(out, ["kulanz", "month", month])
        show_where_rejected(campaign, out)
        too_much = sum_text(campaign.apply.totals.worth(), RowResult.OVERPAID)
        if campaign.state is State.CLOSED and too_much != "-":
            sentence = f"{campaign.id} found {too_much} overpaid by earlier campaigns"
            say(out, f"{sentence}; to take back what is unused of it, unless a void has:")
            command(out, ["kulanz", "void", str(campaign.id), "--overpaid", "--reason", "..."])
