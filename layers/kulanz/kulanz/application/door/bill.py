"""A campaign on its way to the bill, as answers have it: plan, ledger and bill by measure, and how billing books it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from kulanz.application.delivery.campaign_law import counted_law
from kulanz.application.delivery.watch_dues import look_at_dues
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.deliveries import lines_to_the_bill, over_list_first, why_not_delivered
from kulanz.domain.campaigns.campaign import Campaign, Pass
from kulanz.domain.campaigns.reconciliation import RowResult, differences
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from kulanz.domain.delivery.delivery import Delivery, DeliveryState
from kulanz.domain.delivery.law import Counted
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.delivery.to_the_bill import ToTheBill
from kulanz.domain.identifiers import month_of_goodwill
from kulanz.domain.money import Size, format_minor, is_currency, minor_units
from kulanz.domain.policy.document.document import bookings_of
from kulanz.domain.policy.document.frozen import read_frozen
from kulanz.domain.policy.document.owed import NOTHING_BILLED, Bill
from kulanz.domain.time import format_instant


class ChannelSums(TypedDict):
    """What of a measure is at one channel: where it stands there, and what was voided of it.

    `channel` is empty for what is due, and for what was voided while it was: that is at none.
    """

    channel: str
    by_state: Mapping[str, str]
    voided: str


class RejectedSum(TypedDict):
    """How much is rejected by the biller of a channel with one of its codes, and was not sent again, written off or
    voided since. `code` is empty for all codes that are not counted by themselves.
    """

    channel: str
    code: str
    sum: str


class BillLine(TypedDict):
    """One measure of a campaign: what was planned, granted and voided, and where what is to be booked stands.

    `granted` = `used` + `expired` + `voided` + `written_off` + `open`, at the instant of the question. `is_exact` is
    false where at least so much has expired, and perhaps more of what is called open.

    `asked_back` is how much a void asked the biller for, and the biller has not answered: it counts where it stood.
    `to_be_booked` is `granted` less `voided`. `by_state` has each state that is not empty; its sums come to
    `to_be_booked`. `overdue` is what is late of them. `by_channel` comes to the same, and to `voided`.
    `rejected_with` comes to what `by_state` has as rejected.
    """

    measure: str
    planned: str
    granted: str
    voided: str
    asked_back: str
    to_be_booked: str
    by_state: Mapping[str, str]
    not_on_bills: str
    overdue: str
    used: str
    expired: str
    written_off: str
    open: str
    is_exact: bool
    by_channel: Sequence[ChannelSums]
    rejected_with: Sequence[RejectedSum]


class AddedDeliveries(TypedDict):
    """The deliveries of one channel over what was added to a campaign: how many, the first, the last, how many are not
    sent. Serials between the two may be of other campaigns.
    """

    channel: str
    deliveries: int
    first: str
    last: str
    not_sent: int


class Booking(TypedDict):
    """How the policy says that its credits are booked; empty where it does not say."""

    ledger_account: str
    reason_code: str
    treatment: str


class BillItem(TypedDict):
    """A campaign on its way to the bill. `differences` is empty where plan, ledger and bill agree, and the biller gave
    nothing again of which a later campaign has granted anew.

    `delivery` is the one over its list, `additions` are those over what was added to it since, by channel. `why_not` is
    a sentence where nothing of the campaign is in any delivery.

    `bookings` are the ways in which its policy says that credits are booked. Where there are several, of different
    amount components, sums are of all of them together; each credit of a delivery says its own.
    """

    campaign: str
    policy: str
    policy_version: int
    state: str
    decided_at: str
    delivery: str | None
    delivery_state: str
    additions: Sequence[AddedDeliveries]
    why_not: str
    bookings: Sequence[Booking]
    lines: Sequence[BillLine]
    differences: Sequence[str]


@dataclass(frozen=True, slots=True)
class OfAllCampaigns:
    """What is read once for all campaigns of an answer: how much is late, by campaign and measure, and of which
    campaigns customers may have something twice because the biller undid reversals.
    """

    late: Mapping[tuple[str, str], Size]
    given_again: Mapping[str, Trouble]


def of_all_campaigns(asked: Asked, door: Door) -> OfAllCampaigns:
    """Read it, as it stands."""
    again = {one.on: one for one in door.troubles.troubles() if one.kind is TroubleKind.GIVEN_AGAIN}
    return OfAllCampaigns(_late_sums(asked, door), again)


def _late_sums(asked: Asked, door: Door) -> dict[tuple[str, str], Size]:
    found: dict[tuple[str, str], Size] = {}
    for due, _, size in look_at_dues(door.dues, asked.now, door.warn_before, forgets=False).late:
        place = str(due.campaign), due.measure
        found[place] = found.get(place, 0) + size
    return found


def bill_item(campaign: Campaign, door: Door, known: OfAllCampaigns, now: datetime) -> BillItem:
    """A campaign on its way to the bill at `now`."""
    delivery, *added = over_list_first(campaign, door)
    lines = lines_to_the_bill(campaign, door)
    law = counted_law(campaign, lines, now)
    planned = {
        measure: size for (result, measure), size in campaign.plan.totals.worth().items() if result is RowResult.GRANTED
    }
    wrong = [sentence for line in lines for sentence in line.differences()]
    if campaign.is_finished(Pass.PLAN) and campaign.is_finished(Pass.APPLY):
        found = differences(campaign.plan.totals, campaign.apply.totals)
        wrong += [f"plan and ledger: {one.what}: planned {one.planned}, written {one.applied}" for one in found]
    if trouble := known.given_again.get(str(campaign.id)):
        wrong.append(trouble.says)
    return {
        "campaign": str(campaign.id),
        "policy": campaign.policy_id,
        "policy_version": campaign.policy_version,
        "state": campaign.state.value,
        "decided_at": format_instant(campaign.decided_at),
        "delivery": None if delivery is None else str(delivery.id),
        "delivery_state": "" if delivery is None else delivery.state.value,
        "additions": _added(one for one in added if one is not None),
        "why_not": "" if delivery is not None or added else why_not_delivered(campaign, lines, door),
        "bookings": _bookings(campaign, door),
        "lines": [
            _line(
                line,
                planned,
                known.late.get((str(campaign.id), line.measure), 0),
                law[line.measure],
            )
            for line in lines
        ],
        "differences": wrong,
    }


def _added(deliveries: Iterable[Delivery]) -> list[AddedDeliveries]:
    by_channel: dict[str, list[Delivery]] = {}
    for one in sorted(deliveries, key=lambda one: one.id):
        by_channel.setdefault(one.id.channel, []).append(one)
    return [
        {
            "channel": channel,
            "deliveries": len(found),
            "first": str(found[0].id),
            "last": str(found[-1].id),
            "not_sent": sum(one.state is not DeliveryState.SENT for one in found),
        }
        for channel, found in by_channel.items()
    ]


def _bookings(campaign: Campaign, door: Door) -> list[Booking]:
    if month_of_goodwill(campaign.id.incident_id):
        found = _of_goodwill(campaign, door)
    else:
        document, _ = read_frozen(door.campaigns.frozen(campaign.id).policy)
        found = bookings_of(document.policy)
    return [
        {"ledger_account": one.ledger_account, "reason_code": one.reason_code, "treatment": one.treatment}
        for one in found
    ]


def _of_goodwill(campaign: Campaign, door: Door) -> list[Bill]:
    """The ways in which what was given in a month is booked: by the reasons that it was given for.

    What has a bill is an amount component by the name of its reason, whose bill no later discretion file changes.
    """
    reasons = door.discretion.current().reasons
    given = sorted({place.component for place in door.deliveries.added(campaign.id).moved})
    found = [reasons[one].bill if one in reasons else NOTHING_BILLED for one in given] or [NOTHING_BILLED]
    return list({(one.ledger_account, one.reason_code, one.treatment): one for one in found}.values())


def _line(line: ToTheBill, planned: Mapping[str, Size], late: Size, law: Counted) -> BillLine:
    measure, shares = line.measure, law.shares
    return {
        "measure": measure,
        "planned": bill_text(measure, planned.get(measure, 0)),
        "granted": bill_text(measure, line.granted),
        "voided": bill_text(measure, line.voided),
        "asked_back": bill_text(measure, line.asked_back),
        "to_be_booked": bill_text(measure, line.to_be_booked),
        "by_state": {state.value: bill_text(measure, size) for state, size in sorted(line.by_state.items())},
        "not_on_bills": bill_text(measure, line.not_on_bills),
        "overdue": bill_text(measure, late),
        "used": bill_text(measure, shares.used),
        "expired": bill_text(measure, shares.expired),
        "written_off": bill_text(measure, shares.written_off),
        "open": bill_text(measure, shares.open),
        "is_exact": law.is_exact,
        "by_channel": [
            {
                "channel": channel,
                "by_state": {state.value: bill_text(measure, size) for state, size in sorted(_booked(by_state))},
                "voided": bill_text(measure, by_state.get(CreditState.VOIDED, 0)),
            }
            for channel, by_state in line.by_channel.items()
        ],
        "rejected_with": [
            {"channel": channel, "code": with_.code, "sum": bill_text(measure, size)}
            for (channel, with_), size in line.rejected_with.items()
        ],
    }


def _booked(by_state: Mapping[CreditState, Size]) -> list[tuple[CreditState, Size]]:
    return [(state, size) for state, size in by_state.items() if state is not CreditState.VOIDED]


def bill_text(measure: str, size: Size) -> str:
    """A size in the decimals of its measure, as a plain decimal."""
    return format_minor(int(size), minor_units(measure)) if is_currency(measure) else f"{Decimal(size):f}"
