"""``kulanz deliveries`` and ``resend``: what was delivered to billing, what is not, and publishing it again."""

from collections.abc import Iterable, Mapping
from typing import Any

import click

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.money import amount_words
from kulanz_cli.command import CampaignParameter, action_id, under_id
from kulanz_cli.control import must_be_a_reason
from kulanz_cli.log import RouteParameter
from kulanz_cli.outcomes import ACTION_CODES, ANSWER_CODES, EXIT_NO
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import Column, command, console, counted_as, print_json, say, table
from kulanz_console.drawing.text import seconds
from kulanz_console.drawing.ways import rejected_of

DELIVERIES_VERSION = 1
NOT_SENT = frozenset({"assigning", "publishing", "flagged"})


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

    Without an option, what is not sent yet, and what is kept back. Exits with 1 where there is no delivery, or one that
    is not sent, or something is kept back.
    """
    if sum(one is not None for one in (channel, delivery_id, campaign_id)) > 1:
        raise click.UsageError("state one of --channel, --one and --campaign")
    door = stack.door()
    why_not, booked, kept, rejected = "", [], [], []
    if campaign_id is not None:
        answer = door.ask("deliveries.of_campaign", incident=campaign_id.incident_id, seq=campaign_id.seq)
        found = [one for one in (answer["delivery"], *answer["additions"]) if one is not None]
        why_not, booked = answer["why_not"], answer["to_be_booked"]
        if door.permits("acknowledgements.of_campaign"):
            bill = door.ask("acknowledgements.of_campaign", incident=campaign_id.incident_id, seq=campaign_id.seq)
            rejected = rejected_of([bill])
    elif delivery_id is not None:
        found = [door.ask("deliveries.one", channel=delivery_id.channel, serial=delivery_id.serial)]
    elif channel is not None:
        pages = door.pages("deliveries.of_channel", channel=channel)
        found = [one for page in pages for one in page["deliveries"]]
    else:
        waiting = door.ask("deliveries.waiting")
        found, kept = waiting["deliveries"], waiting["kept_back"]
    asks_for_waiting = channel is None and delivery_id is None and campaign_id is None
    if is_json:
        content: dict[str, Any] = {"v": DELIVERIES_VERSION, "deliveries": found}
        if campaign_id is not None:
            content |= {"to_be_booked": booked, "why_not": why_not, "rejected": rejected}
        if asks_for_waiting:
            content["kept_back"] = kept
        print_json(content)
    else:
        _show(found, booked, why_not, asks_for_waiting=asks_for_waiting)
        for one in rejected:
            said = f"rejected with {one['code']} by {one['channel']}"
            say(console(), f"{amount_words(one['sum'], one['measure'])} {said}", further=2)
        _show_kept_back(kept)
    is_waiting = bool(kept) or any(one["state"] in NOT_SENT for one in found)
    if is_waiting or (not found and not asks_for_waiting):
        click.get_current_context().exit(EXIT_NO)


@click.command("resend", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@click.option("--reason", required=True, help="Why, for the audit log; no customer's data.")
@under_id
@as_json
@pass_stack
def resend_credits(stack: Stack, campaign_id: CampaignId, reason: str, given_id: str | None, is_json: bool) -> None:
    """Publish the credits of CAMPAIGN again on the credits topic.

    They keep their ids, by which billing recognises what it has booked. Files need no such command: they are in the
    bucket.
    """
    must_be_a_reason(reason)
    answer = stack.door().act(
        "deliveries.publish_again",
        {"reason": reason},
        incident=campaign_id.incident_id,
        seq=campaign_id.seq,
        id=given_id or action_id("resend", str(campaign_id), reason),
    )
    if is_json:
        print_json({"v": DELIVERIES_VERSION, "deliveries": answer["deliveries"]})
        return
    for one in answer["deliveries"]:
        again = "published again, under the same"
        what = counted_as(one["credits"], f"credit is {again} id", f"credits are {again} ids")
        say(console(), f"{one['delivery']}: {what}")


@click.command("deliver", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@click.option("--reason", required=True, help="Why, for the audit log.")
@under_id
@as_json
@pass_stack
def deliver_campaign(
    stack: Stack, *, campaign_id: CampaignId, reason: str, given_id: str | None, is_json: bool
) -> None:
    """Deliver what CAMPAIGN granted that a person ended, now.

    With it goes what was added to the campaign since. Campaigns that closed by themselves need no such word: what was
    added to them is delivered a day later. A delivery that is flagged is compared again, and released where it is
    right now.
    """
    must_be_a_reason(reason)
    done = stack.door().act(
        "deliveries.deliver",
        {"reason": reason},
        incident=campaign_id.incident_id,
        seq=campaign_id.seq,
        id=given_id or action_id("deliver", str(campaign_id), reason),
    )
    if is_json:
        print_json(done)
    else:
        say(console(), f"{done['delivery']} is {done['state']}")


def _show_kept_back(kept: Iterable[Mapping[str, Any]]) -> None:
    """What is in no delivery because a person ended its campaign, and what to type next."""
    for one in kept:
        sums = ", ".join(amount_words(part["sum"], part["measure"]) for part in one["due"])
        say(
            console(),
            f"kept back: {sums} of {one['campaign']}, {one['state']} since {seconds(one['since'])}",
            further=2,
        )
        say(console(), f"kulanz deliver {one['campaign']} --reason TEXT, or kulanz void {one['campaign']}", indent=2)


def _show(
    found: list[Mapping[str, Any]], booked: Iterable[Mapping[str, str]], why_not: str, *, asks_for_waiting: bool
) -> None:
    for total in booked:
        say(console(), f"to be booked: {amount_words(total['sum'], total['measure'])}")
    if why_not:
        say(console(), f"not delivered: {why_not}")
    elif not found and asks_for_waiting:
        say(console(), "no delivery waits to be sent; to see those of a channel:")
        command(console(), ["kulanz", "deliveries", "--channel", "CHANNEL"])
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
            said = f"{amount_words(part['sum'], part['measure'])} in {part['credits']:,} of type {part['type']}"
            say(console(), f"{one['delivery']}: {said}")
        if one["kind"] == "topic" and one["rounds"] and one["published"] < one["parts"]:
            said = f"{one['published']:,} of {counted_as(one['parts'], 'part')} published"
            say(console(), f"{one['delivery']}: {said}")
        if one["state"] == "flagged":
            say(console(), f"{one['delivery']} is flagged: {one['reason']}")
