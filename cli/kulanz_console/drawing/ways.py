"""The way of a credit to the bill: its states in words, and what the campaigns of a month come to."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.delivery.law import LAW

STATES = (
    *("due", "assigned", "sent", "unknown", "accepted", "applied"),
    *("rejected", "taken_back", "written_off", "voided"),
)
"""Where a credit can stand, in the order of its way."""
FOR_A_PERSON = ("rejected", "taken_back")
"""States of a credit with which a person has to do something."""
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
        told = {name: line[name] for name in ("planned", "granted", "not_on_bills", "overdue", *LAW)}
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


def law_text(total: Mapping[str, str]) -> str:
    """The law of one measure, as an equation; what is nothing is left out."""
    shares = [f"{total[name]} {LAW_SAYS.get(name, name.replace('_', ' '))}" for name in LAW if Decimal(total[name])]
    return f"{total['granted']} {total['measure']} granted = {' + '.join(shares) or '0'}"


def delivery_words(campaign: Mapping[str, Any]) -> str:
    """The delivery over a campaign's list, with its state where it is not sent; or why nothing is in any delivery."""
    if campaign["delivery"] is None:
        return campaign["why_not"] or "additions only"
    is_sent = campaign["delivery_state"] == "sent"
    return str(campaign["delivery"]) if is_sent else f"{campaign['delivery']}, {campaign['delivery_state']}"


def is_for_a_person(line: Mapping[str, Any]) -> bool:
    """Whether a person has to do something with credits of a measure of a campaign."""
    return any(state in line["by_state"] for state in FOR_A_PERSON)


def is_asked_back(line: Mapping[str, Any]) -> bool:
    """Whether the biller is asked for something of a measure of a campaign, and has not answered."""
    return Decimal(line.get("asked_back", NOT_ASKED)) != 0


def waiting_for_a_person(campaigns: Iterable[Mapping[str, Any]]) -> list[str]:
    """The campaigns with credits that a biller rejected or took back, with their sums and what to type next."""
    found = []
    for campaign in campaigns:
        sums = [
            f"{line['by_state'][state]} {line['measure']} {state.replace('_', ' ')}"
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
