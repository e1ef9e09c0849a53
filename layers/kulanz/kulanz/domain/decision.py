"""What was decided about one unit: the outcome, its reason, and what is owed.

A decision depends only on the policy, the incident, the facts and ``decided_at``. It holds no instant of the clock that
writes it: validity is a rule that gives the end for the instant of crediting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from kulanz.domain.money import Money, Rounding, format_minor, round_exact
from kulanz.domain.time import (
    WorkingDays,
    add_days,
    add_months,
    format_instant,
    local_day,
    parse_day,
    parse_instant,
    start_of_day,
    zone_of,
)

type Body = dict[str, Any]


class Outcome(StrEnum):
    """How a decision ends. Offered: owed once the claim or acceptance is in."""

    GRANTED = "granted"
    DECLINED = "declined"
    HELD = "held"
    REFERRED = "referred"
    OFFERED = "offered"


@dataclass(frozen=True, slots=True)
class Due:
    """When a benefit has to reach the customer: so many of a unit after the grant ("2 billing_cycles"), or a day."""

    count: int = 0
    unit: str = ""
    day: str = ""

    def __str__(self) -> str:
        return self.day or f"{self.count} {self.unit}"

    @classmethod
    def from_text(cls, text: str) -> "Due":
        """Read what ``str`` wrote."""
        count, space, unit = text.partition(" ")
        return cls(int(count), unit) if space else cls(day=text)

    def last_day(self, granted: date, working: WorkingDays | None) -> date:
        """Give the latest day that it allows for a grant on a day; a billing cycle is one month.

        Working days count as days where no calendar knows them: that is a day too early, never one too late.
        """
        if self.day:
            return parse_day(self.day)
        match self.unit:
            case "billing_cycle" | "month":
                return add_months(granted, self.count)
            case "week":
                return granted + timedelta(weeks=self.count)
            case "working_day":
                known = None if working is None else working.after(granted, self.count)
                return known or granted + timedelta(days=self.count)
            case _:
                return granted + timedelta(days=self.count)


NEXT_BILL = Due(1, "billing_cycle")
"""What a policy calls the next bill."""


BILLS_AHEAD_MONTHS = 24
"""Bills that a list states for later than so many months after the grant are taken for mistakes, and not counted. What
is due is counted by month, so that this also bounds how many counters one step changes."""
LAST_DAY = date(9999, 12, 31)
"""The calendar's: what is due then is due on its eve."""


class DueBy(StrEnum):
    """What a due instant was counted by.

    ``LIST``: the list states the day of that very bill. ``LIST_AND_MONTHS``: the list states earlier bills, and each
    one after them was counted as a month. ``POLICY``: the latest day that the policy allows; nothing is stated.
    """

    LIST = "list"
    LIST_AND_MONTHS = "list_and_months"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class DueAt:
    """The instant before which a benefit has to be on a bill: the start of the day after the last one."""

    at: datetime
    by: DueBy


def due_at(
    due: Due, granted_at: datetime, zone: ZoneInfo, working: WorkingDays | None, next_bills: Sequence[date] = ()
) -> DueAt:
    """Give when something that was granted at an instant is due, in days of a zone.

    ``next_bills`` are the days of the account's next bills, first to last. Those before the day of the grant are over,
    and are not counted; one on that very day is, because a deadline that is found too early does no harm.
    """
    granted = local_day(granted_at, zone)
    last, by = due.last_day(granted, working), DueBy.POLICY
    ahead = add_months(granted, BILLS_AHEAD_MONTHS)
    stated = [day for day in next_bills if granted <= day <= ahead] if due.unit == "billing_cycle" else []
    if stated:
        last, by = stated[min(due.count, len(stated)) - 1], DueBy.LIST
    if stated and due.count > len(stated):
        last, by = add_months(last, due.count - len(stated)), DueBy.LIST_AND_MONTHS
    return DueAt(start_of_day(min(last, LAST_DAY - timedelta(days=1)) + timedelta(days=1), zone), by)


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a benefit can be used: calendar days or months in a zone, or hours, from its start; or until an instant.

    ``start`` says what it counts from: ``grant``; ``redemption``, whose instant is not known yet; or ``day``, the fixed
    instant ``begins``.
    """

    count: int = 0
    unit: str = ""
    zone: str = "UTC"
    until: datetime | None = None
    start: str = "grant"
    begins: datetime | None = None

    def starts_at(self, effective_at: datetime) -> datetime:
        """Give the first instant at which the benefit can be used: the grant's, or a later fixed one."""
        return effective_at if self.begins is None else max(self.begins, effective_at)

    def expires_at(self, effective_at: datetime) -> datetime | None:
        """Give the first instant at which the benefit can no longer be used, or None where nothing ends it yet."""
        if self.start == "redemption" or not self.unit:
            return self.until
        effective_at = self.starts_at(effective_at)
        match self.unit:
            case "hours":
                end = effective_at + timedelta(hours=self.count)
            case "days":
                end = add_days(effective_at, self.count, zone_of(self.zone))
            case "months":
                zone = zone_of(self.zone)
                first = local_day(effective_at, zone)
                end = add_days(effective_at, (add_months(first, self.count) - first).days, zone)
            case other:
                raise AssertionError(f"unknown validity unit {other}")
        return end if self.until is None else min(end, self.until)

    def to_body(self) -> Body:
        body: Body = {"for": f"{self.count} {self.unit}"} if self.unit else {}
        if self.unit in ("days", "months") and self.zone != "UTC":
            body["zone"] = self.zone
        if self.until is not None:
            body["until"] = format_instant(self.until)
        if self.begins is not None:
            body["from"] = format_instant(self.begins)
        elif self.start != "grant":
            body["from"] = self.start
        return body

    @classmethod
    def from_body(cls, body: Body) -> "Validity":
        count, _, unit = str(body.get("for", "0 ")).partition(" ")
        until, start = body.get("until"), body.get("from", "grant")
        fixed = start not in ("grant", "redemption")
        return cls(
            count=int(count),
            unit=unit,
            zone=body.get("zone", "UTC"),
            until=parse_instant(until) if until is not None else None,
            start="day" if fixed else start,
            begins=parse_instant(start) if fixed else None,
        )


ALWAYS_VALID = Validity()
UNLIMITED = "unlimited"
QUANTITY_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Benefit:
    """One thing owed: money, or a quantity of a unit.

    ``quantity`` is a plain decimal or ``unlimited``. ``restriction`` names a list of the policy. ``terms`` are what
    else the policy says of a unit benefit (a choice, a recurrence, the days it can be used), as plain texts.
    """

    money: Money | None = None
    quantity: str = ""
    unit: str = ""
    restriction: str | None = None
    validity: Validity = ALWAYS_VALID
    due: Due | None = None
    terms: Mapping[str, str] = field(default_factory=dict)
    component: str = ""

    def to_body(self) -> Body:
        body: Body = {}
        if self.money is not None:
            body["money"] = [self.money.minor, self.money.currency]
        else:
            body["units"] = [self.quantity, self.unit]
        if self.restriction is not None:
            body["restriction"] = self.restriction
        if self.validity != ALWAYS_VALID:
            body["valid"] = self.validity.to_body()
        if self.due is not None:
            body["due"] = str(self.due)
        if self.terms:
            body["terms"] = dict(self.terms)
        if self.component:
            body["component"] = self.component
        return body

    @classmethod
    def from_body(cls, body: Body) -> "Benefit":
        money = body.get("money")
        quantity, unit = body.get("units", ("", ""))
        return cls(
            money=Money(money[0], money[1]) if money is not None else None,
            quantity=quantity,
            unit=unit,
            restriction=body.get("restriction"),
            validity=Validity.from_body(body["valid"]) if "valid" in body else ALWAYS_VALID,
            due=Due.from_text(body["due"]) if "due" in body else None,
            terms=body.get("terms", {}),
            component=body.get("component", ""),
        )


VOIDED = "voided"
"""The kind of a notice about what is taken back of a decision. All other kinds are outcomes."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What the customer is to be told: the kind and locale choose the policy's text, ``values`` fill it in.

    Amounts and quantities are not repeated here: they are the decision's benefits.
    """

    kind: str
    locale: str
    channel: str
    values: Mapping[str, str] = field(default_factory=dict)

    def to_body(self) -> Body:
        body: Body = {"kind": self.kind, "locale": self.locale, "channel": self.channel}
        if self.values:
            body["values"] = dict(self.values)
        return body

    @classmethod
    def from_body(cls, body: Body) -> "Notice":
        return cls(body["kind"], body["locale"], body["channel"], body.get("values", {}))


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one unit. ``benefits`` are owed now (granted) or once taken up (offered).

    ``mode`` says how an entitlement is delivered: automatic, claim or offer. ``claimable`` are benefits of the same
    incident that the customer may still claim beside those already granted. ``claim_until`` is the first instant at
    which an offer can no longer be accepted; None where nothing ends it.
    """

    outcome: Outcome
    reason: str
    benefits: tuple[Benefit, ...] = ()
    notice: Notice | None = None
    mode: str = ""
    claimable: tuple[Benefit, ...] = ()
    claim_until: datetime | None = None

    def to_body(self) -> Body:
        """Give the decision as plain JSON values, compact: what is absent is left out."""
        body: Body = {"outcome": self.outcome.value, "reason": self.reason}
        if self.mode not in ("", "automatic"):
            body["mode"] = self.mode
        if self.benefits:
            body["benefits"] = [benefit.to_body() for benefit in self.benefits]
        if self.claimable:
            body["claimable"] = [benefit.to_body() for benefit in self.claimable]
        if self.notice is not None:
            body["notice"] = self.notice.to_body()
        if self.claim_until is not None:
            body["claim_until"] = format_instant(self.claim_until)
        return body

    @classmethod
    def from_body(cls, body: Body) -> "Decision":
        """Read what ``to_body`` wrote."""
        outcome = Outcome(body["outcome"])
        entitled = outcome in (Outcome.GRANTED, Outcome.OFFERED)
        notice = body.get("notice")
        claim_until = body.get("claim_until")
        return cls(
            outcome=outcome,
            reason=body["reason"],
            benefits=tuple(Benefit.from_body(item) for item in body.get("benefits", ())),
            notice=Notice.from_body(notice) if notice is not None else None,
            mode=body.get("mode", "automatic" if entitled else ""),
            claimable=tuple(Benefit.from_body(item) for item in body.get("claimable", ())),
            claim_until=parse_instant(claim_until) if claim_until is not None else None,
        )


def format_quantity(quantity: int | Fraction) -> str:
    """Write a quantity of a unit as a plain decimal, rounded half up to six decimals where it has none."""
    minor = round_exact(Fraction(quantity) * 10**QUANTITY_DECIMALS, Rounding.HALF_UP)
    return format_minor(minor, QUANTITY_DECIMALS).rstrip("0").rstrip(".")
