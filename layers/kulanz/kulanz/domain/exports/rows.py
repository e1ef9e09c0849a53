"""The rows of an export: one for each benefit of a line's decision, and one for each line without any.

A row is a flat object of plain values, in the order of `COLUMNS`. What many rows have in common is rendered once.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any, Final, NamedTuple

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import Overpaid, worth_of
from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import ALWAYS_VALID, UNLIMITED, Benefit, Decision, Outcome, Validity
from kulanz.domain.delivery.law import STATED, Shares
from kulanz.domain.exports.figures import ACCEPTED, CLAIMABLE, COUNTED, UNCOUNTED, Figures, LineKey, SumKey, Written
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.money import (
    Money,
    Size,
    format_amount,
    format_minor,
    is_currency,
    minor_units,
    parse_amount,
    parse_minor,
)
from kulanz.domain.policy.document.owed import NOTHING_BILLED, Bill
from kulanz.domain.time import format_instant

BOOKED_BY: Final = ("bill_text", "reason_code", "treatment", "ledger_account")
"""How billing books a benefit, as the credit that it is or would be has it; empty where nothing says so."""
COLUMNS: Final = (
    *("campaign", "line", "account", "subject", "result", "reason", "written", "status"),
    *("benefit", "part", "amount", "currency", "unit", "unlimited", "component", "restriction", "terms"),
    *("due", "due_by", "validity", "valid_from", "valid_until", "accepted_at", *STATED),
    *("decided_by", "decided_for", *BOOKED_BY, "decision"),
)
"""Every row has all of them. `line` and `benefit` are numbers; `benefit` is empty in the row of a line without any, and
`line` where no line of the list made the decision."""
NUMBERS: Final = frozenset({"line", "benefit"})
DECIDED_PART, TO_CLAIM, BY_HAND, OVERPAID_PART = "decided", "to_claim", "by_hand", "overpaid"
"""The part of a benefit: what the decision grants or offers; what it leaves to be claimed beside that; what a person
granted of what it held or referred; or how much more earlier campaigns gave than is owed."""
YES: Final = "yes"


@dataclass(frozen=True, slots=True)
class Instants:
    """When what a decision gives begins. `granted` is None in a plan; `accepted` is None where nothing was accepted."""

    granted: datetime | None = None
    accepted: datetime | None = None


class Found(NamedTuple):
    """What an export says about the decision of a line. `status` is where it stands now; empty in a plan.

    `shares` is where each benefit is, in the order of the parts; None for what is not granted. `is_by_hand`: a person
    granted what the decision held or referred, or gave it as goodwill; it stands in the place of what is claimable, and
    `accepted` is when that was. `decided_by` is the role that decided by hand, `decided_for` the code of the reason.
    `overpaid` is how much more earlier campaigns of the incident gave, by measure, in a plan.
    """

    result: str
    reason: str
    written: Written
    decision: Decision | None = None
    status: str = ""
    instants: Instants = Instants()
    shares: Sequence[Shares | None] = ()
    is_by_hand: bool = False
    overpaid: Overpaid = ()
    decided_by: str = ""
    decided_for: str = ""

    @property
    def parts(self) -> Sequence[tuple[str, Benefit]]:
        """The benefits with the part that each is of."""
        return [*self._decided, *((OVERPAID_PART, _of_measure(measure, size)) for measure, size in self.overpaid)]

    @property
    def _decided(self) -> Sequence[tuple[str, Benefit]]:
        if self.decision is None:
            return ()
        beside = BY_HAND if self.is_by_hand else TO_CLAIM
        return [(DECIDED_PART, one) for one in self.decision.benefits] + [
            (beside, one) for one in self.decision.claimable
        ]


def _of_measure(measure: str, size: Size) -> Benefit:
    """What comes to a size of a measure. The measure of a unit that comes again, or is unlimited, is its unit here."""
    if is_currency(measure):
        return Benefit(money=Money(int(size), measure))
    return Benefit(quantity=f"{Decimal(size):f}", unit=measure)


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """The rows of lines that differ in number, account and subject alone: what comes before and after these three.

    Told apart by identity, so that lines can be counted by it.
    """

    head: str
    tails: Sequence[str]
    key: LineKey
    sums: Sequence[tuple[SumKey, Size]]

    def rows(self, line: int | None, account: str, subject: str, decision: str) -> str:
        """The rows of a line as JSON, each with its line end. `decision` is the decision's key; empty without one."""
        shown = encode_basestring_ascii("" if subject == WHOLE_ACCOUNT else subject)
        places = f"{'null' if line is None else line},{_ACCOUNT}{encode_basestring_ascii(account)},{_SUBJECT}{shown},"
        end = f"{encode_basestring_ascii(decision)}}}\n"
        return "".join([f"{self.head}{places}{tail}{end}" for tail in self.tails])


_ACCOUNT, _SUBJECT = '"account":', '"subject":'


def rendered(
    campaign: CampaignId, found: Found, due_by: Sequence[date | None] = (), bills: Mapping[str, Bill] | None = None
) -> Rendered:
    """The rows of a decision. `due_by` has the day of each benefit, in their order; days that are left out are none.

    `bills` is how billing books each amount component.
    """
    head = f'{{"campaign":{encode_basestring_ascii(str(campaign))},"line":'
    days = [*due_by]
    fields = list(_benefits(found, days, bills or {}))
    tails = [_tail(found, one) for one in fields] or [_tail(found, _NO_BENEFIT)]
    key = LineKey(found.result, found.reason, found.written)
    return Rendered(head, tails, key, list(_sums(found)))


def decision_key(campaign: CampaignId, account: str, subject: str) -> str:
    """The permanent key of a decision, by which finance and support name it."""
    return str(DecisionKey(account, campaign.incident_id, subject, campaign.seq))


def count(figures: Figures, one: Rendered, lines: int = 1) -> None:
    """Count lines with the same rows."""
    figures.lines[one.key] += lines
    for key, size in one.sums:
        figures.add_sum(key, size * lines)


_OF_TAIL = COLUMNS[COLUMNS.index("subject") + 1 : COLUMNS.index("decision")]
_NO_BENEFIT: Mapping[str, Any] = {
    "benefit": None,
    **dict.fromkeys(
        ("part", "amount", "currency", "unit", "unlimited", "component", "restriction", "terms", "due", "due_by"), ""
    ),
    **dict.fromkeys(("validity", "valid_from", "valid_until", "accepted_at", *STATED, *BOOKED_BY), ""),
}


def _tail(found: Found, benefit: Mapping[str, Any]) -> str:
    """The fields of a row behind its subject, up to the value of the last one."""
    said = {"result": found.result, "reason": found.reason, "written": found.written.value, "status": found.status}
    by_hand = {"decided_by": found.decided_by, "decided_for": found.decided_for}
    fields = {**said, **benefit, **by_hand}
    text = json.dumps({name: fields[name] for name in _OF_TAIL}, separators=(",", ":"))
    return f'{text[1:-1]},"decision":'


def _benefits(found: Found, days: Sequence[date | None], bills: Mapping[str, Bill]) -> Iterator[Mapping[str, Any]]:
    for number, (part, benefit) in enumerate(found.parts, 1):
        begins = begins_at(found, part)
        day = days[number - 1] if number <= len(days) else None
        yield {
            "benefit": number,
            "part": part,
            **_size(benefit),
            "component": benefit.component,
            "restriction": benefit.restriction or "",
            "terms": canonical_json(dict(benefit.terms)) if benefit.terms else "",
            "due": "" if benefit.due is None else str(benefit.due),
            "due_by": "" if day is None else day.isoformat(),
            "validity": validity_text(benefit.validity),
            **_instants(benefit.validity, begins),
            "accepted_at": "" if found.instants.accepted is None else format_instant(found.instants.accepted),
            **_booked_by(found, part, bills.get(benefit.component, NOTHING_BILLED)),
            **_shares(benefit, found.shares[number - 1] if number <= len(found.shares) else None),
        }


def _booked_by(found: Found, part: str, bill: Bill) -> Mapping[str, str]:
    if part == OVERPAID_PART:  # nobody gets it
        bill = NOTHING_BILLED
    notice = None if found.decision is None else found.decision.notice
    text = bill.text_in("" if notice is None else notice.locale)
    return dict(zip(BOOKED_BY, (text, bill.reason_code, bill.treatment, bill.ledger_account), strict=True))


def begins_at(found: Found, part: str) -> datetime | None:
    """When a part of a decision was granted, by itself or by the customer's acceptance; None where it was not."""
    if found.decision is None:
        return None
    waits = part != DECIDED_PART or found.decision.outcome is Outcome.OFFERED
    return found.instants.accepted if waits else found.instants.granted


def _size(benefit: Benefit) -> Mapping[str, str]:
    if benefit.money is not None:
        return {"amount": format_amount(benefit.money), "currency": benefit.money.currency, "unit": "", "unlimited": ""}
    if benefit.quantity == UNLIMITED:
        return {"amount": "", "currency": "", "unit": benefit.unit, "unlimited": YES}
    return {"amount": f"{Decimal(benefit.quantity):f}", "currency": "", "unit": benefit.unit, "unlimited": ""}


def _shares(benefit: Benefit, shares: Shares | None) -> Mapping[str, str]:
    """Where a benefit is, as its amount is written, what is nothing left out; of an unlimited one 1, which is all."""
    return {name: "" if shares is None else _share_text(benefit, getattr(shares, name)) for name in STATED}


def _share_text(benefit: Benefit, size: Size) -> str:
    if not size:
        return ""
    if benefit.money is None:
        return f"{Decimal(size):f}"
    return format_minor(int(size), minor_units(benefit.money.currency))


def validity_text(validity: Validity) -> str:
    """How long a benefit can be used, in the policy's words: `7 days from grant in Europe/Berlin`; empty for always."""
    if validity == ALWAYS_VALID:
        return ""
    begins = validity.start if validity.begins is None else format_instant(validity.begins)
    words = [f"{validity.count} {validity.unit} from {begins}"] if validity.unit else []
    if not words and begins != "grant":
        words = [f"from {begins}"]
    if validity.unit in ("days", "months"):
        words.append(f"in {validity.zone}")
    if validity.until is not None:
        words.append(f"until {format_instant(validity.until)}")
    return " ".join(words)


def _instants(validity: Validity, begins: datetime | None) -> Mapping[str, str]:
    if begins is None:
        return {"valid_from": "", "valid_until": ""}
    end = validity.expires_at(begins)
    start = "" if validity.start == "redemption" else format_instant(validity.starts_at(begins))
    return {"valid_from": start, "valid_until": "" if end is None else format_instant(end)}


def _sums(found: Found) -> Iterator[tuple[SumKey, Size]]:
    for measure, size in found.overpaid:
        yield SumKey(OVERPAID_PART, measure), size
    if found.decision is None:
        return
    of = found.result if found.written in COUNTED else UNCOUNTED
    accepted = found.instants.accepted is not None
    for benefit in found.decision.benefits:
        measure, size = worth_of(benefit)
        yield SumKey(of, measure), size
        if accepted and found.decision.outcome is Outcome.OFFERED:
            yield SumKey(ACCEPTED, measure), size
    for benefit in found.decision.claimable:
        measure, size = worth_of(benefit)
        yield SumKey(ACCEPTED if accepted else CLAIMABLE, measure), size
    for (_, benefit), shares in zip(found.parts, found.shares, strict=False):
        if shares is not None:
            measure, _ = worth_of(benefit)
            yield from ((SumKey(name, measure), getattr(shares, name)) for name in STATED if getattr(shares, name))


def count_read(figures: Figures, rows: Sequence[Mapping[str, Any]]) -> None:
    """Count the rows of one line as they were read back: the figures of an export by its rows alone.

    Raises ValueError, KeyError or ArithmeticError for rows that no export has.
    """
    first = rows[0]
    written = Written(first["written"])
    figures.lines[LineKey(first["result"], first["reason"], written)] += 1
    of = first["result"] if written in COUNTED else UNCOUNTED
    for row in rows:
        if row["benefit"] is None:
            continue
        measure, size = _worth(*(row[name] for name in _WORTH))
        if row["part"] == OVERPAID_PART:
            figures.add_sum(SumKey(OVERPAID_PART, measure), size)
            continue
        for name in STATED:
            if row[name]:
                figures.add_sum(SumKey(name, measure), _share(row[name], row["currency"]))
        accepted, is_part = bool(row["accepted_at"]), row["part"] != DECIDED_PART
        if not is_part:
            figures.add_sum(SumKey(of, measure), size)
        if accepted and (is_part or row["result"] == Outcome.OFFERED):
            figures.add_sum(SumKey(ACCEPTED, measure), size)
        elif is_part:
            figures.add_sum(SumKey(CLAIMABLE, measure), size)


def _share(text: str, currency: str) -> Size:
    return parse_minor(text, minor_units(currency)) if currency else Decimal(text)


_WORTH = ("amount", "currency", "unit", "unlimited", "terms")
_WORTHS_REMEMBERED = 4_096


@lru_cache(_WORTHS_REMEMBERED)
def _worth(amount: str, currency: str, unit: str, unlimited: str, terms: str) -> tuple[str, Size]:
    """What a row's benefit is measured in, and how much it is."""
    if currency:
        return worth_of(Benefit(money=parse_amount(amount, currency)))
    stated: Mapping[str, str] = json.loads(terms) if terms else {}
    return worth_of(Benefit(quantity=UNLIMITED if unlimited else amount, unit=unit, terms=stated))
