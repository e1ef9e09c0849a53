"""Where each credit of an account stands on its way to the bill, in words."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from kulanz.domain.decision import Benefit
from kulanz.domain.money import amount_words
from kulanz_console.drawing.said import Given, Said, joined
from kulanz_console.drawing.text import seconds

if TYPE_CHECKING:
    from kulanz.application.door.accounts import CreditAnswer, DecisionAnswer


def late_from(content: "DecisionAnswer", benefit: Benefit) -> str:
    """Since or from when a benefit is late, where the answer has it of this one alone."""
    measure = benefit.unit if benefit.money is None else benefit.money.currency
    found = [credit for credit in content.get("credits", ()) if credit["measure"] == measure]
    return lateness(found[0]) if len(found) == 1 else ""


def lateness(credit: "CreditAnswer") -> str:
    """Since or from when a credit is late; empty where it has no deadline, or none that counts any more."""
    if credit["due"] is None or credit["state"] in _NEVER_LATE:
        return ""
    return Said("late since {at}" if credit["late"] else "late from {at}", at=seconds(credit["due"]))


_ON_ITS_WAY = {
    "due": "is not delivered to billing yet",
    "assigned": "is in a delivery to billing",
    "sent": "was delivered to billing, which has not answered",
    "unknown": "was delivered to billing, and nobody knows whether it is booked",
    "accepted": "is booked by billing, and on no bill yet",
    "partly_applied": "is on a bill in part",
    "applied": "is on a bill",
    "rejected": "was rejected by billing",
    "taken_back": "was taken off its bill by billing",
    "written_off": "was written off",
    "voided": "was taken back",
}

_NEVER_LATE = ("applied", "written_off", "voided")
"""States in which nothing of a credit can become late any more."""
COUNTED_BY = {
    "list": "by the bill days that the list states",
    "list_and_months": "by the bill days that the list states, and months behind them",
    "policy": "the latest day that the policy allows",
}
"""What a deadline was counted by, in words."""


def billing(content: "DecisionAnswer") -> Iterator[tuple[str, str]]:
    """Where each credit stands on its way to the bill, and until when it has to be there."""
    for credit in content.get("credits", ()):
        amount, voided = Decimal(credit["amount"]), Decimal(credit["voided"])
        is_in_part = bool(voided) and credit["state"] != "voided"
        size = f"{amount - voided:f}" if is_in_part else credit["amount"]
        measure = credit["measure"]
        way = joined(" ", (_ON_ITS_WAY[credit["state"]], Given(f"({credit['code']})") if credit["code"] else ""))
        said = [joined(" ", (amount_words(size, measure), way))]
        if is_in_part:
            said.append(Said("{voided} of {amount} was taken back", voided=credit["voided"], amount=credit["amount"]))
        if Decimal(credit.get("asked_back", "0")):
            said.append(Said("{amount} is asked back, and billing has not answered", amount=credit["asked_back"]))
        for one in credit.get("reversals_rejected", ()):
            code = Given(one["code"])
            said.append(
                Said("{amount} was asked back, and billing rejected that ({code})", amount=one["amount"], code=code)
            )
        if credit["delivery"]:
            at = credit["sent_at"]
            sent = "not released" if at is None else Said("sent {at}", at=seconds(at))
            said.append(joined(", ", (Given(credit["delivery"]), sent)))
        said += [
            Said(
                "{amount} on bill {bill} of {day}",
                amount=part["amount"], bill=Given(part["bill"]), day=part["billed_on"] or "no known day",
            )
            for part in credit["bills"]
        ]  # fmt: skip
        if late := lateness(credit):
            said.append(Said("{late} ({by})", late=late, by=COUNTED_BY[credit["due_by"]]))
        yield "billing", joined("; ", said)
