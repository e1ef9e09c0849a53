"""What a policy says of what is owed: amounts and other benefits, their delivery, their bounds and their rounding."""

# ruff: noqa: RUF009 (an entry is a field, declared by a call)

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kulanz.domain.language_tags import broader
from kulanz.domain.money import Rounding
from kulanz.domain.policy.document.shape import (
    LOCALE,
    NAME,
    REASON,
    YES_NO,
    ByKind,
    Expression,
    ListOf,
    MapOf,
    OneOf,
    Part,
    Text,
    entry,
)
from kulanz.domain.policy.language.errors import Path, PolicyError
from kulanz.domain.policy.language.periods import PERIODS

MAX_COMPONENTS = 20
DUE = Text(
    "when it is due",
    r"next bill|[1-9][0-9]{0,2} (?:billing cycle|working day|day|week|month)s?|[0-9]{4}-[0-9]{2}-[0-9]{2}",
    ("2 billing cycles", "20 working days", "2019-01-31"),
)
BILL_TEXT = Text(
    "one line of at most 140 characters that starts with a letter or digit",
    r"[^\x00-\x20\x7f=+@'\"-][^\x00-\x1f\x7f]{0,139}",
    ("Outage credit 22 February 2024",),
)
CODE = Text("a code of letters, digits and . _ : / -", r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}", ("SVC-OUTAGE", "4000-120"))
TREATMENTS = ("price_reduction", "compensation")
"""How tax sees a credit: less was owed for the service, or the customer is compensated beside the price."""
VALIDITY_FOR = Text("a length", r"[1-9][0-9]{0,4} (?:hour|day|week|month)s?", ("7 days",))


@dataclass(frozen=True)
class Validity:
    """How long a benefit can be used."""

    for_: str = entry(VALIDITY_FOR, "For how long.", default="")
    from_: str = entry(
        Expression("grant, redemption, an instant or a first day"), "From when on it counts.", default="grant"
    )
    until: str = entry(Expression("an instant or a last day"), "The latest end; a day is included.", default="")


@dataclass(frozen=True)
class Give:
    """Something other than money."""

    unit: str = entry(Text(maximum_characters=60), "What it is: minute, GB, subscription_day.")
    quantity: str = entry(Expression("a number, or unlimited"), "How much of it.", default="")
    choose: str = entry(Expression("a number"), "How many of the list the customer may choose.", default="")
    of: str = entry(Expression("the name of a restriction list"), "The list to choose from.", default="")
    restriction: str = entry(NAME, "The list of where it can be used.", default="")
    valid: Any = entry(ByKind(plain=VALIDITY_FOR, mapped=Part(Validity)), "How long it can be used.", default="")
    each: str = entry(OneOf(("billing cycle", "month", "week", "day")), "It comes again each ...", default="")
    times: str = entry(Expression("a number"), "... so many times.", default="")
    usable: Mapping[str, str] = entry(
        MapOf(Text(maximum_characters=80), NAME), "Terms in words, such as `on: weekends`.", empty=dict
    )
    when: str = entry(YES_NO, "The condition.", default="")


@dataclass(frozen=True)
class TakeUp:
    """How a claim or an acceptance comes in, and until when it can."""

    made: str = entry(YES_NO, "Whether it is in.", default="")
    at: str = entry(Expression("an instant or a day"), "When it came in.", default="")
    until: str = entry(Expression("an instant or a last day"), "The latest it can come in.", default="")


@dataclass(frozen=True)
class Mode:
    """How an entitlement is delivered."""

    automatic: Any = entry(YES_NO, "Automatically, if this holds.", default=None)
    claim: Any = entry(ByKind(plain=YES_NO, mapped=Part(TakeUp)), "On the customer's claim.", default=None)
    offer: Any = entry(ByKind(plain=YES_NO, mapped=Part(TakeUp)), "As an offer to accept.", default=None)
    when: str = entry(YES_NO, "The condition.", default="")


def check_mode(mode: Mode, path: Path) -> None:
    """A mode is exactly one way."""
    if sum(way is not None for way in (mode.automatic, mode.claim, mode.offer)) != 1:
        raise PolicyError("expected exactly one of automatic, claim and offer", path)


MODE = Part(Mode, check_mode)
WAY = OneOf(("automatic", "claim", "offer"))
MODES = ByKind(plain=WAY, listed=ListOf(ByKind(plain=WAY, mapped=MODE)), mapped=MODE)
FOR_EACH = OneOf(("outage", "day", *PERIODS))
GIVES = ListOf(Part(Give), single=True)


@dataclass(frozen=True)
class Bill:
    """How billing books a component. What is not said here is empty in a credit: nothing is guessed."""

    text: Any = entry(
        ByKind(plain=BILL_TEXT, mapped=MapOf(BILL_TEXT, LOCALE)),
        "The line on the customer's bill, or one for each language; the first holds for every other language.",
        default="",
    )
    reason_code: str = entry(CODE, "Billing's own code for why it credits.", default="")
    treatment: str = entry(OneOf(TREATMENTS), "Whether tax sees a lower price or a compensation.", default="")
    ledger_account: str = entry(CODE, "The general-ledger account that is charged.", default="")

    def text_in(self, locale: str) -> str:
        """The line in a language: in the nearest that there is, else in the first that is written."""
        if isinstance(self.text, str):
            return self.text
        by_tag: dict[str, str] = {tag.casefold(): text for tag, text in self.text.items()}
        found = next((tag for tag in broader(locale.casefold()) if tag in by_tag), next(iter(by_tag)))
        return by_tag[found]


NOTHING_BILLED = Bill()


def check_bill(bill: Bill, path: Path) -> None:
    """A bill says something."""
    if bill == NOTHING_BILLED:
        raise PolicyError("say text, reason_code, treatment or ledger_account", path)


BILL = Part(Bill, check_bill)


@dataclass(frozen=True)
class AmountComponent:
    """One thing the customer can be owed for the incident."""

    name: str = entry(REASON, "Its name, used as the reason code of a grant.")
    when: str = entry(YES_NO, "The condition.", default="")
    otherwise: str = entry(REASON, "The reason code where the condition does not hold.", default="")
    for_each: str = entry(
        FOR_EACH, "Worked out for each separate outage, day or period of it, and added up.", default=""
    )
    pay: str = entry(Expression("money"), "The money owed.", default="")
    give: tuple[Give, ...] = entry(GIVES, "What is owed besides money.", default=())
    mode: Any = entry(MODES, "How it is delivered, if not as the policy says.", default=None)
    due: str = entry(DUE, "When it is due.", default="")
    to: str = entry(Expression("the name of a place"), "Where it is delivered: bill, transfer.", default="")
    bill: Bill | None = entry(BILL, "How billing books it, if not as the policy says.", default=None)


@dataclass(frozen=True)
class RoundingRule:
    """How amounts become whole minor units."""

    mode: str = entry(OneOf(tuple(mode.value for mode in Rounding)), "The rounding mode.", default="half_up")
    stage: str = entry(OneOf(("step", "head", "total")), "Where it happens.", default="head")
    to: str = entry(Expression("money"), "The step to round to, if not the smallest coin.", default="")


@dataclass(frozen=True)
class Cap:
    """An upper bound of what is paid, in all or in each period."""

    at: str = entry(Expression("money"), "The most that is paid.")
    per: str = entry(
        OneOf(("incident", *PERIODS)),
        "The amount is divided over the periods by time.",
        default="incident",
    )
