"""The way of a credit to the bill: its states in words, and what the campaigns of a month come to."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.delivery.law import LAW
from kulanz.domain.money import amount_words, is_currency
from kulanz_console.drawing.said import Given, Said, joined

STATES = (
    *("due", "assigned", "sent", "unknown", "accepted", "applied"),
    *("rejected", "taken_back", "written_off", "voided"),
)
"""Where a credit can stand, in the order of its way."""
FOR_A_PERSON = ("rejected", "taken_back")
"""States of a credit with which a person has to do something."""
ENDED = ("applied", "written_off", "voided")
"""The states of what is on bills, or never will be."""
SAYS: Mapping[str, str] = {
    "due": "not delivered yet",
    "assigned": "in a delivery that is not released yet",
    "sent": "delivered, and the biller has not answered",
    "unknown": "delivered, and nobody knows whether it is booked",
    "accepted": "booked by the biller, and on no bill yet",
    "applied": "on bills",
    "rejected": "refused by the biller: a person has to look",
    "taken_back": "was on a bill that the biller voided",
    "written_off": "given up by a person",
    "voided": "taken back before it was used",
}
LAW_SAYS: Mapping[str, str] = {"used": "used on bills", "expired": "expired unused"}
"""What shares are called where their name alone does not say it."""
NOT_ASKED = "0"
"""What an older stack asks back of a biller, whose answer does not say it."""
NOT_EXACT = "Of what is called open, a part may have expired that ends later than the rest."


def lines_of(campaigns: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The lines of all campaigns."""
    return [line for campaign in campaigns for line in campaign["lines"]]


def differences_of(campaigns: Iterable[Mapping[str, Any]]) -> list[str]:
    """Where plan, ledger and bill of a campaign differ, each with its campaign."""
    return [f"{one['campaign']}: {text}" for one in campaigns for text in one["differences"]]


NO_DIFFERENCE = "No unexplained difference."
"""What is said where plan, ledger and bill were compared and nothing differs: a rest that is due is no difference."""
NOTHING_TO_COMPARE = "Nothing was granted: there is nothing to compare."
NOTHING_ON_BILLS = "Nothing is on bills yet, of {sum} to be booked."
PARTLY_ON_BILLS = "Not on bills yet: {left}, of {sum} to be booked."


def is_compared(campaigns: Iterable[Mapping[str, Any]]) -> bool:
    """Whether there is anything to compare: something was granted, or a campaign closed over a plan."""
    return any(
        Decimal(line["granted"]) or (one["state"] == State.CLOSED and Decimal(line["planned"]))
        for one in campaigns
        for line in one["lines"]
    )


def rest_of(campaigns: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """What is not wholly on bills: a text with `left` and `sum`, the measure, and the two as plain decimals."""
    return [
        (NOTHING_ON_BILLS if left == to_book else PARTLY_ON_BILLS, measure, f"{left:f}", f"{to_book:f}")
        for measure, (left, to_book) in sorted(_left_and_to_book(campaigns).items())
        if left
    ]


def _left_and_to_book(campaigns: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Decimal, Decimal]]:
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for line in lines_of(campaigns):
        left, to_book = found.get(line["measure"], (Decimal(0), Decimal(0)))
        found[line["measure"]] = left + Decimal(line["not_on_bills"]), to_book + Decimal(line["to_be_booked"])
    return found


def totals_of(campaigns: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What the campaigns come to, by measure: planned, granted, what is asked back, each state, what is late, and the
    shares of `LAW`.
    """
    found: dict[str, dict[str, Decimal]] = {}
    for line in lines_of(campaigns):
        sums = found.setdefault(line["measure"], {})
        told = {name: line[name] for name in ("planned", "granted", "to_be_booked", "not_on_bills", "overdue", *LAW)}
        told["asked_back"] = line.get("asked_back", NOT_ASKED)
        for name, text in (*told.items(), *_states_of(line).items()):
            sums[name] = sums.get(name, Decimal(0)) + Decimal(text)
    return [
        {"measure": measure, **{name: f"{size:f}" for name, size in sums.items()}}
        for measure, sums in sorted(found.items())
    ]


def _states_of(line: Mapping[str, Any]) -> Mapping[str, str]:
    """The states of what is to be booked, without those that the law has by the same name."""
    return {state: text for state, text in line["by_state"].items() if state not in LAW}


def standing_of(total: Mapping[str, str]) -> list[str]:
    """The states in which something of a measure is: first those of what is not on bills."""
    return sorted((state for state in STATES if Decimal(total.get(state, 0))), key=ENDED.__contains__)


def cost_words(total: Mapping[str, str], month: str) -> str:
    """What a month costs of a measure: what is to be booked."""
    does = "costs" if is_currency(total["measure"]) else "gives"
    said = f"{month} {does} {amount_words(total['to_be_booked'], total['measure'])}"
    return f"{said}: {total['granted']} granted, less {total['voided']} voided" if Decimal(total["voided"]) else said


def rest_words(total: Mapping[str, str]) -> str:
    """How much of that is on bills, and how much is not."""
    said = f"{total['used']} on bills, {total['not_on_bills']} not on bills yet"
    return f"{said}, {total['written_off']} written off" if Decimal(total["written_off"]) else said


def law_text(total: Mapping[str, str]) -> str:
    """The law of one measure, as an equation; what is nothing is left out."""
    shares = [f"{total[name]} {LAW_SAYS.get(name, name.replace('_', ' '))}" for name in LAW if Decimal(total[name])]
    return f"{amount_words(total['granted'], total['measure'])} granted = {' + '.join(shares) or '0'}"


def is_late(campaign: Mapping[str, Any]) -> bool:
    """Whether something that a campaign granted is on no bill, and its deadline is over."""
    return any(Decimal(line["overdue"]) for line in campaign["lines"])


def delivery_words(campaign: Mapping[str, Any]) -> str:
    """The delivery over a campaign's list, with its state where it is not sent, and those over what was added since; or
    why nothing is in any delivery.
    """
    added = added_words(campaign)
    if campaign["delivery"] is None:
        return campaign["why_not"] or added or ADDITIONS_ONLY
    is_sent = campaign["delivery_state"] == "sent"
    over_list = str(campaign["delivery"]) if is_sent else f"{campaign['delivery']}, {campaign['delivery_state']}"
    return joined(", ", (over_list, added)) if added else over_list


ADDITIONS_ONLY = "additions only"


def added_words(campaign: Mapping[str, Any]) -> Said:
    """The deliveries over what was added to a campaign, by channel; empty where there are none."""
    return joined(", ", (_added_words(one) for one in campaign.get("additions", ())))


def _added_words(one: Mapping[str, Any]) -> str:
    """The deliveries of a channel over additions: which, how many, and how many are not sent."""
    if one["deliveries"] == 1:
        said = Said("additions {first}", first=Given(one["first"]))
    else:
        last = Given(one["last"].rpartition("/")[2])
        text = "additions {first} to {last} ({number})"
        said = Said(text, first=Given(one["first"]), last=last, number=f"{one['deliveries']:,}")
    return joined(", ", (said, Said("{number} not sent", number=str(one["not_sent"])) if one["not_sent"] else ""))


def is_for_a_person(line: Mapping[str, Any]) -> bool:
    """Whether a person has to do something with credits of a measure of a campaign."""
    return any(state in line["by_state"] for state in FOR_A_PERSON)


def is_undelivered(line: Mapping[str, Any]) -> bool:
    """Whether something of a measure of a campaign is in no delivery that is released."""
    return _is_any_in(line, "due", "assigned")


def is_unanswered(line: Mapping[str, Any]) -> bool:
    """Whether the biller has not said of something of a measure of a campaign whether it is booked."""
    return _is_any_in(line, "sent", "unknown")


def _is_any_in(line: Mapping[str, Any], *states: str) -> bool:
    return any(Decimal(line["by_state"].get(state, 0)) for state in states)


def is_asked_back(line: Mapping[str, Any]) -> bool:
    """Whether the biller is asked for something of a measure of a campaign, and has not answered."""
    return Decimal(line.get("asked_back", NOT_ASKED)) != 0


def waiting_for_a_person(campaigns: Iterable[Mapping[str, Any]]) -> list[str]:
    """The campaigns with credits that a biller rejected or took back, with their sums and what to type next."""
    found = []
    for campaign in campaigns:
        sums = [
            f"{amount_words(line['by_state'][state], line['measure'])} {state.replace('_', ' ')}"
            for line in campaign["lines"]
            for state in FOR_A_PERSON
            if state in line["by_state"]
        ]
        found += [f"{campaign['campaign']}: {', '.join(sums)}: kulanz credits {campaign['campaign']}"] if sums else []
    return found


SEVERAL = "several"
"""Where the amount components of a policy are booked differently: their sums are known together only."""
BY_ACCOUNT = ("granted", "used", "not_on_bills", "overdue", "expired", "voided", "written_off")
"""What is added up by ledger account and reason code."""
OTHER_CODES = "other codes"
"""What stands for all codes of a biller that are not counted by themselves."""
BY_CHANNEL = ("delivered", "applied", "not_on_bills", "rejected", "written_off", "voided")
"""What is added up by channel: all that was delivered to it and not sent again elsewhere, and where that is."""
_OVER = ("applied", "written_off")


def channels_of(campaigns: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What campaigns come to by channel and measure; what is at no channel is left out."""
    found: dict[tuple[str, str], dict[str, Decimal]] = {}
    for line in lines_of(campaigns):
        nothing = Decimal(line["granted"]) * 0  # in the decimals of its measure
        for one in line.get("by_channel", ()):
            if not one["channel"]:
                continue
            sums = found.setdefault((one["channel"], line["measure"]), dict.fromkeys(BY_CHANNEL, nothing))
            by_state = {state: Decimal(text) for state, text in one["by_state"].items()}
            sums["delivered"] += sum(by_state.values()) + Decimal(one["voided"])
            sums["voided"] += Decimal(one["voided"])
            sums["not_on_bills"] += sum(size for state, size in by_state.items() if state not in _OVER)
            for state in ("applied", "rejected", "written_off"):
                sums[state] += by_state.get(state, Decimal(0))
    return [
        {"channel": channel, "measure": measure, **{name: f"{size:f}" for name, size in sums.items()}}
        for (channel, measure), sums in sorted(found.items())
    ]


def rejected_of(campaigns: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """How much is rejected, by measure, channel and the biller's code, the largest first; `OTHER_CODES` come last."""
    found: dict[tuple[str, str, str], Decimal] = {}
    for line in lines_of(campaigns):
        for one in line.get("rejected_with", ()):
            place = line["measure"], one["channel"], one["code"]
            found[place] = found.get(place, Decimal(0)) + Decimal(one["sum"])
    ordered = sorted(found.items(), key=lambda one: (one[0][0], not one[0][2], -one[1], one[0]))
    return [
        {"measure": measure, "channel": channel, "code": code or OTHER_CODES, "sum": f"{size:f}"}
        for (measure, channel, code), size in ordered
        if size
    ]


def accounts_of(campaigns: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What campaigns come to by ledger account, reason code and measure, as their policies name these.

    Nothing is guessed: an account that a policy does not name is empty, and `SEVERAL` where its components differ.
    """
    found: dict[tuple[str, str, str], dict[str, Decimal]] = {}
    for campaign in campaigns:
        named = [{one[name] for one in campaign["bookings"]} for name in ("ledger_account", "reason_code")]
        account, code = (next(iter(names)) if len(names) == 1 else SEVERAL for names in named)
        for line in campaign["lines"]:
            sums = found.setdefault((account, code, line["measure"]), {})
            for name in BY_ACCOUNT:
                sums[name] = sums.get(name, Decimal(0)) + Decimal(line[name])
    return [
        {"ledger_account": account, "reason_code": code, "measure": measure}
        | {name: f"{size:f}" for name, size in sums.items()}
        for (account, code, measure), sums in sorted(found.items())
    ]
