"""Opens the delivery of a closed campaign, moves it on, and releases it by its trailer when all of it is there.

It acts only on what the records say, so that it may be called any number of times, late or twice.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched
from typing import Protocol, TypedDict

from kulanz.application.campaigns.dispatch_chunks import (
    CHUNKS_PER_LOOK_AT_THE_CLOCK,
    SECONDS_TO_FINISH,
    unlimited,
)
from kulanz.application.delivery.watching import Looked, look_at_each
from kulanz.application.delivery.world import DeliveryQueue, DeliveryStore, WaitingAdditions
from kulanz.application.ports import (
    ATTEMPTS_AGAINST_OTHERS,
    Announcement,
    Announcer,
    Archive,
    CampaignIndex,
    CampaignStore,
    DeliveryMessage,
    Outdated,
    PublishMessage,
    TryAgain,
)
from kulanz.domain.campaigns.campaign import BALANCED, DELIVERABLE, KEPT, Campaign, CampaignId, Cause, Pass, State
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, RowResult
from kulanz.domain.canonical import canonical_json
from kulanz.domain.delivery.added import ADDITIONS_EVERY, not_delivered
from kulanz.domain.delivery.channel import Channel, ChannelKind
from kulanz.domain.delivery.credit import CreditSums
from kulanz.domain.delivery.delivery import Delivery, DeliveryState, differing, gap_in, miscounted
from kulanz.domain.delivery.files import CONTENT_TYPES, PartFile, render_trailer, sum_text, trailer_name
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.money import Size
from kulanz.domain.refusal import WithReason
from kulanz.domain.time import microseconds_of

NOTHING_GRANTED = "nothing_granted"
SENT_EVENT = "Delivery Sent"
FLAGGED_EVENT = "Delivery Flagged"
DELIVERY_EVENT_VERSION = 1


@dataclass(frozen=True, slots=True)
class DeliveryPorts:
    """The world that opening and releasing deliveries touches."""

    campaigns: CampaignStore
    deliveries: DeliveryStore
    queue: DeliveryQueue
    archive: Archive
    announcer: Announcer
    index: CampaignIndex


def granted_by_list(campaign: Campaign) -> dict[str, Size]:
    """What the list of a campaign granted at once, by measure, as its reconciliation has it; also what was voided."""
    worth = campaign.apply.totals.worth(IN_THE_LEDGER)
    return {measure: size for (result, measure), size in worth.items() if result is RowResult.GRANTED and size}


class AdditionPorts(Protocol):
    """What opening a delivery over additions touches."""

    @property
    def campaigns(self) -> CampaignStore: ...
    @property
    def deliveries(self) -> DeliveryStore: ...
    @property
    def index(self) -> CampaignIndex: ...


def open_over_additions(
    campaign_id: CampaignId,
    ports: AdditionPorts,
    by: str,
    now: datetime,
    *,
    channel: str = "",
    is_asked: bool = False,
) -> Delivery | None:
    """Open a delivery over what was added to a campaign for a channel and is in none yet; None where nothing is to be
    delivered. `channel` is empty for the plan's, else another one with its form.

    What was added to a campaign that a person settled is delivered once its list is, or when a person asks. Raises
    TryAgain where others keep opening deliveries, or adding.
    """
    campaign = ports.campaigns.campaign(campaign_id)
    plan = ports.campaigns.filed_plan(campaign_id)
    if campaign is None or campaign.state not in DELIVERABLE or plan is None or plan.channel is None:
        return None
    if not is_asked and not is_whole(campaign) and ports.deliveries.over_list(campaign_id) is None:
        return None
    to = Channel.from_text(channel) or plan.channel
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        added = ports.deliveries.added(campaign_id, channel)
        last = ports.index.last_addition(campaign_id)
        earlier = [one.additions for one in ports.deliveries.over_additions(campaign_id) if one.additions is not None]
        if last is None or microseconds_of(last.at) < added.until:
            return None
        additions = not_delivered(added, microseconds_of(last.at) + 1, earlier)
        if additions.number == 0:  # what was added last is for another channel
            return None
        delivery = Delivery(
            DeliveryId(to.name, ports.deliveries.last_serial(to.name) + 1),
            campaign_id,
            to.format,
            now,
            by,
            additions=additions,
            kind=to.kind,
        )
        try:
            ports.deliveries.open(delivery, added)
        except Outdated:
            continue
        return delivery
    raise TryAgain("other deliveries of the channel keep opening, or offers of the campaign keep being accepted")


class NotDelivered(WithReason):
    """What a campaign granted cannot be delivered. `reason` is a code; the text says why and what to do."""


def is_whole(campaign: Campaign) -> bool:
    """Whether a campaign closed by itself, or a person kept all of it: what it granted is delivered unasked."""
    return campaign.state_reason == BALANCED or campaign.state_reason.startswith(f"{KEPT}:")


def open_over_list(campaign: Campaign, ports: DeliveryPorts, cause: Cause, now: datetime) -> Delivery | None:
    """Open the delivery of a campaign that closed by itself and whose plan names a channel; None where there is none.

    So is what a person kept. What a person settled is delivered when a person says so. Raises TryAgain where others
    keep opening deliveries.
    """
    if campaign.state is not State.CLOSED or not is_whole(campaign):
        return None
    try:
        return _opened(campaign, ports.campaigns, ports.deliveries, cause.actor, now)
    except NotDelivered:
        return None


def open_settled(
    campaign: Campaign, campaigns: CampaignStore, deliveries: DeliveryStore, by: str, now: datetime
) -> Delivery:
    """Open the delivery of an ended campaign, also one that a person settled or cancelled once its execution had come
    to its end; the one there is where it was opened. One that is flagged is compared again.

    Raises NotDelivered; TryAgain where others keep opening deliveries.
    """
    if campaign.state not in DELIVERABLE:
        raise NotDelivered("not_closed", f"the campaign is {campaign.state}; only one that has ended is delivered")
    if campaign.state is State.CANCELLED and not campaign.is_finished(Pass.APPLY):
        text = "its execution was cancelled midway, so that nobody can say what a delivery would have to come to"
        raise NotDelivered("ended_midway", f"{text}; void what is unused, and request the campaign again")
    return _opened(campaign, campaigns, deliveries, by, now)


def _opened(
    campaign: Campaign, campaigns: CampaignStore, deliveries: DeliveryStore, by: str, now: datetime
) -> Delivery:
    if not granted_by_list(campaign):
        raise NotDelivered(NOTHING_GRANTED, "the list of the campaign granted nothing")
    plan = campaigns.filed_plan(campaign.id)
    if plan is None or plan.channel is None:
        raise NotDelivered("no_channel", "the plan of the campaign names no channel")
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        if (known := deliveries.over_list(campaign.id)) is not None:
            return compare_again(known, deliveries)
        delivery_id = DeliveryId(plan.channel.name, deliveries.last_serial(plan.channel.name) + 1)
        delivery = Delivery(delivery_id, campaign.id, plan.channel.format, now, by, kind=plan.channel.kind)
        try:
            deliveries.open(delivery)
        except Outdated:
            continue
        return delivery
    raise TryAgain("other deliveries of the channel keep opening")


def compare_again(delivery: Delivery, deliveries: DeliveryStore) -> Delivery:
    """Take up a flagged delivery: it is compared again, and released only where it is right now; else as it stands.

    One of which parts were published goes on with those that are not.
    """
    if delivery.state is not DeliveryState.FLAGGED:
        return delivery
    state = DeliveryState.PUBLISHING if delivery.rounds else DeliveryState.ASSIGNING
    after = replace(delivery, state=state, reason="")
    with suppress(Outdated):  # somebody else began at this moment
        deliveries.change(delivery, after)
    return after


def advance_delivery(
    delivery_id: DeliveryId,
    ports: DeliveryPorts,
    now: datetime,
    seconds_left: Callable[[], float] = unlimited,
    *,
    again: bool = False,
) -> DeliveryState | None:
    """Take the step that a delivery's records allow now: send its chunks, or release it. Returns where it stands.

    `again` sends every chunk that is not finished, and every part that is not published, whether it was sent before or
    not.
    """
    delivery = ports.deliveries.delivery(delivery_id)
    campaign = None if delivery is None else ports.campaigns.campaign(delivery.campaign)
    if delivery is None or campaign is None:
        return None
    if delivery.rounds and delivery.state in (DeliveryState.PUBLISHING, DeliveryState.SENT):
        return _publish(delivery, ports, now, seconds_left, again=again)
    if delivery.state is not DeliveryState.ASSIGNING:
        return delivery.state
    first, end = delivery.bounds(campaign)
    if delivery.bytes_done < end - first:
        chunks = delivery.chunks(campaign)
        if again or delivery.dispatched < chunks:
            _dispatch(delivery, chunks, 0 if again else delivery.dispatched, ports, seconds_left)
        return delivery.state
    if campaign.state not in DELIVERABLE or ports.campaigns.halt().is_on:
        return delivery.state  # the watch comes back here when it was settled, or the halt lifted
    return _end(delivery, campaign, ports, now)


def _dispatch(
    delivery: Delivery, chunks: int, first: int, ports: DeliveryPorts, seconds_left: Callable[[], float]
) -> None:
    """Send every unfinished chunk from `first` on, and note how far they were sent."""
    finished = ports.deliveries.finished_chunks(delivery.id)
    unfinished = (chunk for chunk in range(first, chunks) if chunk not in finished)
    for page in batched(unfinished, CHUNKS_PER_LOOK_AT_THE_CLOCK, strict=False):
        ports.queue.send_deliveries(DeliveryMessage(delivery.id, chunk) for chunk in page)
        if seconds_left() < SECONDS_TO_FINISH and page[-1] + 1 < chunks:
            ports.deliveries.mark_dispatched(delivery.id, page[-1] + 1)
            return
    ports.deliveries.mark_dispatched(delivery.id, chunks)


def _publish(
    delivery: Delivery, ports: DeliveryPorts, now: datetime, seconds_left: Callable[[], float], *, again: bool
) -> DeliveryState:
    """Send each part that is to be published to the workers; when all are published, the delivery is sent."""
    if delivery.is_publishing:
        if again or delivery.dispatched < delivery.parts:
            _dispatch_parts(delivery, 0 if again else delivery.dispatched, ports, seconds_left)
        return delivery.state
    after = delivery
    if delivery.state is DeliveryState.PUBLISHING:
        after = replace(delivery, state=DeliveryState.SENT, reason="balanced", sent_at=now)
        ports.announcer.announce(Announcement(SENT_EVENT, canonical_json(delivery_content(after))))
    try:
        ports.deliveries.change(delivery, after)
    except Outdated:
        return after.state  # another reader of the same records was first, or it is published again
    return after.state


def _dispatch_parts(delivery: Delivery, first: int, ports: DeliveryPorts, seconds_left: Callable[[], float]) -> None:
    """Send every part that is not published in this round from the `first` on, and note how far they were sent."""
    having = (one for one in ports.deliveries.receipts(delivery.id) if one.part is not None)
    parts = (
        (place, PublishMessage(delivery.id, one.start, one.chunk))
        for place, one in enumerate(having)
        if place >= first and one.published < delivery.rounds
    )
    for page in batched(parts, CHUNKS_PER_LOOK_AT_THE_CLOCK, strict=False):
        ports.queue.send_parts(message for _, message in page)
        if seconds_left() < SECONDS_TO_FINISH:
            ports.deliveries.mark_dispatched(delivery.id, page[-1][0] + 1)
            return
    ports.deliveries.mark_dispatched(delivery.id, delivery.parts)


def publish_again(campaign: Campaign, deliveries: DeliveryStore) -> list[Delivery]:
    """Publish the credits of a campaign again, under the same ids; its deliveries. Those under way are left alone.

    Raises NotDelivered where none of its deliveries was sent to a topic.
    """
    found = [one for one in _deliveries_of(campaign, deliveries) if one.kind is ChannelKind.TOPIC]
    if not found:
        raise NotDelivered("not_published", "nothing of the campaign was delivered to a channel that is a topic")
    if not any(one.state is DeliveryState.SENT for one in found):
        raise NotDelivered("not_sent", "its delivery is not sent yet; what is not published will be")
    for one in found:
        if one.state is DeliveryState.SENT and one.parts and not one.is_publishing:
            with suppress(Outdated):  # somebody else began at this moment
                deliveries.begin_round(one, one)
    return [_known(one.id, deliveries) for one in found]


def _deliveries_of(campaign: Campaign, deliveries: DeliveryStore) -> Iterable[Delivery]:
    found = deliveries.over_list(campaign.id)
    return (*(() if found is None else (found,)), *deliveries.over_additions(campaign.id))


def _known(delivery_id: DeliveryId, deliveries: DeliveryStore) -> Delivery:
    found = deliveries.delivery(delivery_id)
    assert found is not None
    return found


def _end(delivery: Delivery, campaign: Campaign, ports: DeliveryPorts, now: datetime) -> DeliveryState:
    """Release a delivery whose receipts tile its range and come to what is to be booked, or flag it with a difference.

    The trailer has no instant in it: written again, it is the same. Where the channel is a topic, the parts are
    published after it.
    """
    receipts = list(ports.deliveries.receipts(delivery.id))
    sums, parts = CreditSums(), list[PartFile]()
    for receipt in receipts:
        sums.add(receipt.sums)
        parts += [receipt.part] if receipt.part is not None else []
    wrong = gap_in(receipts, *delivery.bounds(campaign))
    if not wrong and sums.found != delivery.sums.found:
        wrong = "sums_differ: the delivery's sums are not those of its receipts"
    if delivery.additions is None:
        wrong = wrong or differing(granted_by_list(campaign), delivery)
    else:
        wrong = wrong or miscounted(delivery.additions, delivery) or differing(delivery.additions.worth, delivery)
    if wrong:
        after = replace(delivery, state=DeliveryState.FLAGGED, reason=wrong)
    else:
        trailer = render_trailer(delivery.id, parts, sums, delivery.form)
        key = f"{delivery.id.folder}/{trailer_name(delivery.form)}"
        ports.archive.put(key, trailer, CONTENT_TYPES[delivery.form])
        if delivery.kind is ChannelKind.TOPIC and parts:
            return _begin_publishing(delivery, ports)
        after = replace(delivery, state=DeliveryState.SENT, reason="balanced", sent_at=now)
    event = SENT_EVENT if after.state is DeliveryState.SENT else FLAGGED_EVENT
    ports.announcer.announce(Announcement(event, canonical_json(delivery_content(after))))
    try:
        ports.deliveries.change(delivery, after)
    except Outdated:
        return after.state  # another reader of the same records was first
    return after.state


def _begin_publishing(delivery: Delivery, ports: DeliveryPorts) -> DeliveryState:
    after = replace(delivery, state=DeliveryState.PUBLISHING, reason="balanced")
    with suppress(Outdated):  # another reader of the same records was first
        ports.deliveries.begin_round(delivery, after)
    return after.state


class SumContract(TypedDict):
    """Credits of one type and measure: how many, and what they add up to, as a plain decimal."""

    type: str
    measure: str
    credits: int
    sum: str


class DeliveryContract(TypedDict):
    """The detail of *Delivery Sent* and *Delivery Flagged*. `folder` is where the bucket has its files; `reason` says
    why it is flagged.
    """

    v: int
    delivery: str
    campaign: str
    kind: str
    state: str
    reason: str
    folder: str
    parts: int
    credits: int
    sums: list[SumContract]


def delivery_content(delivery: Delivery) -> DeliveryContract:
    """A delivery as its event has it."""
    return {
        "v": DELIVERY_EVENT_VERSION,
        "delivery": str(delivery.id),
        "campaign": str(delivery.campaign),
        "kind": delivery.kind.value,
        "state": delivery.state.value,
        "reason": delivery.reason,
        "folder": delivery.id.folder,
        "parts": delivery.parts,
        "credits": delivery.sums.number,
        "sums": [
            {"type": of.type.value, "measure": of.measure, "credits": number, "sum": sum_text(of, size)}
            for of, (number, size) in sorted(delivery.sums.found.items())
        ],
    }


def watch_deliveries(ports: DeliveryPorts, now: datetime, seconds_left: Callable[[], float] = unlimited) -> Looked:
    """Open deliveries over what was added a day ago, and move on each that is not sent, as if its record had just come.

    Where nothing was done since the watch looked last, every chunk that is not finished and every part that is not
    published is sent again: its message was lost, or given up because of a halt. A worker that finds it finished does
    nothing.
    """
    is_halted = ports.campaigns.halt().is_on

    def look_at(delivery_id: DeliveryId) -> str | None:
        delivery = ports.deliveries.delivery(delivery_id)
        if delivery is None:
            return None
        stands_still = delivery.seen == delivery.progress
        state = advance_delivery(delivery_id, ports, now, seconds_left, again=stands_still and not is_halted)
        is_under_way = delivery.is_publishing or state in (DeliveryState.ASSIGNING, DeliveryState.PUBLISHING)
        if is_under_way and not stands_still:
            ports.deliveries.note_seen(delivery_id, delivery.progress)
        if state is not DeliveryState.FLAGGED:
            return None
        flagged = ports.deliveries.delivery(delivery_id)
        return "" if flagged is None else flagged.reason

    def open_of(waiting: WaitingAdditions) -> None:
        open_over_additions(waiting.campaign, ports, "schedule", now, channel=waiting.channel)

    waiting = [one for one in ports.deliveries.waiting_additions() if now - one.since >= ADDITIONS_EVERY]
    opened = Looked((), ()) if is_halted else look_at_each(waiting, open_of, seconds_left)
    looked = look_at_each(ports.deliveries.open_deliveries(), look_at, seconds_left)
    return Looked(looked.flagged, opened.failed + looked.failed)
