"""``kulanz deliveries``: what was delivered to billing, and what of a campaign is not."""

from collections.abc import Iterable, Mapping
from typing import Any

import click

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.ids import DeliveryId
from kulanz_cli.command import CampaignParameter
from kulanz_cli.log import RouteParameter
from kulanz_cli.settings import ANSWER_CODES, EXIT_NO, as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import Column, console, print_json, say, table

DELIVERIES_VERSION = 1
NOT_SENT = frozenset({"assigning", "flagged"})


class DeliveryParameter(click.ParamType[DeliveryId]):
    """A delivery, as it is written."""

    name = "delivery"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> DeliveryId:
        """Read it, or say what was expected."""
        if isinstance(value, DeliveryId):
            return value
        try:
            return DeliveryId.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command("deliveries", epilog=ANSWER_CODES)
@click.option("--channel", type=RouteParameter("channel"), help="The deliveries of a channel, by serial.")
@click.option("--one", "delivery_id", type=DeliveryParameter(), help="One delivery, such as billing/12.")
@click.option("--campaign", "campaign_id", type=CampaignParameter(), help="What of a campaign is to be booked.")
@as_json
@pass_stack
def list_deliveries(
    stack: Stack, *, channel: str | None, delivery_id: DeliveryId | None, campaign_id: CampaignId | None, is_json: bool
) -> None:
    """List what was delivered to billing, and what is not.

    Without an option, what is not sent yet. Exits with 1 where there is no delivery, or one that is not sent.
    """
    if sum(one is not None for one in (channel, delivery_id, campaign_id)) > 1:
        raise click.UsageError("state one of --channel, --one and --campaign")
    door = stack.door()
    why_not, booked = "", []
    if campaign_id is not None:
        answer = door.ask("deliveries.of_campaign", incident=campaign_id.incident_id, seq=campaign_id.seq)
        found = [one for one in (answer["delivery"], *answer["additions"]) if one is not None]
        why_not, booked = answer["why_not"], answer["to_be_booked"]
    elif delivery_id is not None:
        found = [door.ask("deliveries.one", channel=delivery_id.channel, serial=delivery_id.serial)]
    elif channel is not None:
        pages = door.pages("deliveries.of_channel", channel=channel)
        found = [one for page in pages for one in page["deliveries"]]
    else:
        found = door.ask("deliveries.waiting")["deliveries"]
    if is_json:
        content: dict[str, Any] = {"v": DELIVERIES_VERSION, "deliveries": found}
        if campaign_id is not None:
            content |= {"to_be_booked": booked, "why_not": why_not}
        print_json(content)
    else:
        _show(found, booked, why_not)
    is_waiting = any(one["state"] in NOT_SENT for one in found)
    asks_for_waiting = channel is None and delivery_id is None and campaign_id is None
    if is_waiting or (not found and not asks_for_waiting):
        click.get_current_context().exit(EXIT_NO)


def _show(found: list[Mapping[str, Any]], booked: Iterable[Mapping[str, str]], why_not: str) -> None:
    for total in booked:
        say(console(), f"to be booked: {total['sum']} {total['measure']}")
    if why_not:
        say(console(), f"not delivered: {why_not}")
    elif not found:
        say(console(), "no delivery")
    if not found:
        return
    columns = [
        Column("delivery", is_label=True),
        Column("campaign"),
        Column("over"),
        Column("state"),
        Column("credits", is_number=True),
    ]
    lines = [(one["delivery"], one["campaign"], one["over"], one["state"], f"{one['credits']:,}") for one in found]
    table(console(), columns, lines)
    for one in found:
        for part in one["sums"]:
            said = f"{part['sum']} {part['measure']} in {part['credits']:,} of type {part['type']}"
            say(console(), f"{one['delivery']}: {said}")
        if one["state"] == "flagged":
            say(console(), f"{one['delivery']} is flagged: {one['reason']}")
