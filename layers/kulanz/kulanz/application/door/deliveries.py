"""Answers about deliveries to billing: those of a channel, one, that of a campaign; and a person's word to deliver."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal, TypedDict

from kulanz.application.delivery.advance_delivery import (
    NOTHING_GRANTED,
    NotDelivered,
    compare_again,
    open_over_additions,
    open_settled,
)
from kulanz.application.delivery.advance_delivery import publish_again as begin_again
from kulanz.application.delivery.campaign_law import counted_lines
from kulanz.application.delivery.kept_back import kept_back
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Reason, read_body
from kulanz.application.door.campaigns import existing
from kulanz.application.door.cursors import make_cursor, read_cursor
from kulanz.application.door.problems import Kind, Problem, unknown
from kulanz.domain.campaigns.campaign import BALANCED, DELIVERABLE, Campaign, CampaignId, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.delivery.credit import CreditSums, CreditType, SumOf
from kulanz.domain.delivery.delivery import Delivery, DeliveryState
from kulanz.domain.delivery.files import sum_text
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.delivery.to_the_bill import ToTheBill
from kulanz.domain.money import Size, is_currency
from kulanz.domain.time import format_instant

DELIVERIES_VERSION = 1
DELIVERIES_PER_ANSWER = 50


class CreditSum(TypedDict):
    """Credits of one type and measure: how many, and what they add up to, as a plain decimal."""

    type: str
    measure: str
    credits: int
    sum: str


class DeliveryItem(TypedDict):
    """A delivery as it stands. `kind` is `file` or `topic`. `folder` is where the bucket has its files; they are
    released once `sent_at` is there, and published on the credits topic before that, part by part, where its kind is
    `topic`: `published` parts so far, in the latest of `rounds`.

    `over` is the campaign's list, or what was added to it since. `elsewhere` are credits of the same that were not
    delivered here, because they stood in another delivery or had ended before.
    """

    delivery: str
    campaign: str
    over: Literal["list", "additions"]
    state: str
    reason: str
    kind: str
    format: str
    folder: str
    opened_at: str
    opened_by: str
    sent_at: str | None
    lines: int
    parts: int
    published: int
    rounds: int
    credits: int
    sums: list[CreditSum]
    elsewhere: list[CreditSum]


class DeliveryAnswer(DeliveryItem):
    """One delivery."""

    v: int


class DeliveriesAnswer(TypedDict):
    """Some deliveries, by channel and serial; `next` is the cursor of the rest, None where these are all."""

    v: int
    deliveries: list[DeliveryItem]
    next: str | None


class KeptBackItem(TypedDict):
    """An ended campaign of which nothing is in a delivery, because a person ended it so. `due` is what that is."""

    campaign: str
    state: str
    reason: str
    since: str
    due: "list[ToBeBooked]"


class WaitingDeliveriesAnswer(DeliveriesAnswer):
    """The deliveries that are not sent, and what is kept back until it is delivered or voided."""

    kept_back: list[KeptBackItem]


class ToBeBooked(TypedDict):
    """What a campaign granted and no void took back, by measure, as a plain decimal."""

    measure: str
    sum: str


class CampaignDeliveryAnswer(TypedDict):
    """What of a campaign is to be booked, the delivery over its list, and those over what was added to it since.

    `why_not` is a sentence where nothing is delivered, else empty.
    """

    v: int
    campaign: str
    to_be_booked: list[ToBeBooked]
    delivery: DeliveryItem | None
    additions: list[DeliveryItem]
    why_not: str


class PublishAgainBody(Body):
    """Why the credits of a campaign are to be published again."""

    reason: Reason


class DeliverBody(Body):
    """A person's word that what a campaign granted is to be delivered now."""

    reason: Reason


def of_channel(asked: Asked, door: Door) -> DeliveriesAnswer:
    """The deliveries of a channel, by serial."""
    after = int(read_cursor(asked.question, asked.query.get("cursor")) or 0)
    found = list(islice(door.deliveries.of_channel(asked.of["channel"], after), DELIVERIES_PER_ANSWER + 1))
    shown = found[:DELIVERIES_PER_ANSWER]
    is_more = len(found) > len(shown)
    return {
        "v": DELIVERIES_VERSION,
        "deliveries": list(map(_item, shown)),
        "next": make_cursor(asked.question, str(shown[-1].id.serial)) if is_more else None,
    }


def waiting(_: Asked, door: Door) -> WaitingDeliveriesAnswer:
    """The deliveries of all channels that are not sent: under way, or flagged; and what is in none."""
    found = (door.deliveries.delivery(one) for one in door.deliveries.open_deliveries())
    return {
        "v": DELIVERIES_VERSION,
        "deliveries": [_item(one) for one in found if one is not None],
        "kept_back": list(_kept_back(door)),
        "next": None,
    }


def _kept_back(door: Door) -> Iterator[KeptBackItem]:
    for trouble in door.troubles.troubles():
        if trouble.kind is not TroubleKind.KEPT_BACK:
            continue
        campaign = door.campaigns.campaign(CampaignId.parse(trouble.on))
        lines = [] if campaign is None else kept_back(campaign, door)
        if campaign is not None and lines:  # else the watch has not looked since it was delivered or voided
            sums = [(line.measure, line.by_state[CreditState.DUE]) for line in lines]
            yield {
                "campaign": trouble.on,
                "state": campaign.state.value,
                "reason": campaign.state_reason,
                "since": format_instant(trouble.since),
                "due": [{"measure": measure, "sum": _sum_of(measure, size)} for measure, size in sums],
            }


def _sum_of(measure: str, size: Size) -> str:
    return sum_text(SumOf(CreditType.CREDIT, measure, is_currency(measure)), size)


def one(asked: Asked, door: Door) -> DeliveryAnswer:
    """One delivery."""
    found = door.deliveries.delivery(DeliveryId(asked.of["channel"], int(asked.of["serial"])))
    if found is None:
        raise unknown("there is no such delivery")
    return {"v": DELIVERIES_VERSION, **_item(found)}


def of_campaign(asked: Asked, door: Door) -> CampaignDeliveryAnswer:
    """What of a campaign is to be booked, and its deliveries."""
    campaign = existing(asked, door)
    found, *additions = over_list_first(campaign, door)
    lines = lines_to_the_bill(campaign, door)
    why_not = "" if found is not None or additions else why_not_delivered(campaign, lines, door)
    sums = [(line.measure, line.to_be_booked) for line in lines if line.granted]
    return {
        "v": DELIVERIES_VERSION,
        "campaign": str(campaign.id),
        "to_be_booked": [{"measure": measure, "sum": _sum_of(measure, size)} for measure, size in sums],
        "delivery": None if found is None else _item(found),
        "additions": [_item(one) for one in additions if one is not None],
        "why_not": why_not,
    }


def why_not_delivered(campaign: Campaign, lines: Iterable[ToTheBill], door: Door) -> str:
    """Why a campaign that no delivery is about has none, as a sentence. `lines` are where what it granted stands."""
    counted = list(lines)
    if not any(line.granted for line in counted):
        return "it granted nothing"
    if not any(line.to_be_booked for line in counted):
        return "all that it granted was voided"
    plan = door.campaigns.filed_plan(campaign.id)
    if plan is None or plan.channel is None:
        return "no channel to billing was set up when it began (DeliveryChannel): billing gets nothing of it from here"
    if campaign.state is State.CLOSED and campaign.state_reason == BALANCED:
        return "what was added to it is delivered a day later"
    if campaign.state in DELIVERABLE:
        return "a person ended it, and what it granted is kept back: kulanz deliver or kulanz void"
    return f"it is {campaign.state}; what it granted is delivered when it has closed"


def over_list_first(campaign: Campaign, door: Door) -> list[Delivery | None]:
    """The delivery over a campaign's list, None where there is none; then those over what was added to it."""
    return [door.deliveries.over_list(campaign.id), *door.deliveries.over_additions(campaign.id)]


def lines_to_the_bill(campaign: Campaign, door: Door) -> list[ToTheBill]:
    """Where what a campaign granted stands, by measure: whoever says what is to be booked takes it from here."""
    return counted_lines(campaign, door)


def deliver(asked: Asked, door: Door) -> DeliveryAnswer:
    """Deliver what a campaign granted that a person ended, and what was added to any campaign, without waiting.

    What is flagged of its deliveries is compared again.
    """
    read_body(DeliverBody, asked.body)
    campaign, found, refused = existing(asked, door), list[Delivery](), None
    try:
        found.append(open_settled(campaign, door.campaigns, door.deliveries, asked.caller.id, asked.now))
    except NotDelivered as problem:
        refused = Problem(Kind.REFUSED, str(problem), reason=problem.reason)
        if problem.reason != NOTHING_GRANTED:
            raise refused from None
    flagged = [one for one in door.deliveries.over_additions(campaign.id) if one.state is DeliveryState.FLAGGED]
    found += [compare_again(one, door.deliveries) for one in flagged]
    waiting = [one.channel for one in door.deliveries.waiting_additions() if one.campaign == campaign.id]
    for channel in sorted({"", *waiting}, reverse=True):  # the plan's own last: its delivery is the answer
        added = open_over_additions(campaign.id, door, asked.caller.id, asked.now, channel=channel, is_asked=True)
        found += [] if added is None else [added]
    if refused is not None and not found:
        raise refused
    return {"v": DELIVERIES_VERSION, **_item(found[-1])}


def publish_again(asked: Asked, door: Door) -> DeliveriesAnswer:
    """Publish the credits of a campaign again on the credits topic, under the same ids; its deliveries there."""
    read_body(PublishAgainBody, asked.body)
    try:
        found = begin_again(existing(asked, door), door.deliveries)
    except NotDelivered as problem:
        raise Problem(Kind.REFUSED, str(problem), reason=problem.reason) from None
    return {"v": DELIVERIES_VERSION, "deliveries": list(map(_item, found)), "next": None}


def _item(delivery: Delivery) -> DeliveryItem:
    return {
        "delivery": str(delivery.id),
        "campaign": str(delivery.campaign),
        "over": "list" if delivery.additions is None else "additions",
        "state": delivery.state.value,
        "reason": delivery.reason,
        "kind": delivery.kind.value,
        "format": delivery.form.value,
        "folder": delivery.id.folder,
        "opened_at": format_instant(delivery.opened_at),
        "opened_by": delivery.opened_by,
        "sent_at": None if delivery.sent_at is None else format_instant(delivery.sent_at),
        "lines": delivery.lines,
        "parts": delivery.parts,
        "published": delivery.published,
        "rounds": delivery.rounds,
        "credits": delivery.sums.number,
        "sums": _sums(delivery.sums),
        "elsewhere": _sums(delivery.elsewhere),
    }


def _sums(sums: CreditSums) -> list[CreditSum]:
    return [
        {"type": of.type.value, "measure": of.measure, "credits": number, "sum": sum_text(of, size)}
        for of, (number, size) in sorted(sums.found.items())
    ]
