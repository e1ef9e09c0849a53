"""The report of a campaign: what happened to every line, in figures that anybody can add up again."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NotRequired, TypedDict

from kulanz.domain.budgets import Reservation
from kulanz.domain.campaigns.amounts import Amounts, coarser
from kulanz.domain.campaigns.campaign import Campaign, Pass, Receipt, SameOutage
from kulanz.domain.campaigns.estimate import Estimate, Operation, Planned, delivery_usd, estimate
from kulanz.domain.campaigns.limits import Limits, percent, size_text
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.prices import PRICES
from kulanz.domain.campaigns.reconciliation import (
    IN_THE_LEDGER,
    NEVER_WRITTEN,
    Difference,
    RowResult,
    Totals,
    differences,
)
from kulanz.domain.delivery.law import Counted
from kulanz.domain.time import format_instant

REPORT_VERSION = 1
DIFFERENCES_SHOWN = 50
CHUNKS_SHOWN = 20
AMOUNTS_SHOWN = 60
RANGES_SHOWN = 24
"""The report travels as an event of at most 256 KB."""


class PolicyHashed(TypedDict):
    """Which policy decided; `hash` is that of its frozen form."""

    id: str
    version: int
    hash: str


class ReportedList(TypedDict):
    """Which version of which list was decided."""

    key: str
    version_id: str
    bytes: int
    rows_announced: int


class ResultLine(TypedDict):
    """How many lines came to a result, a reason and a write result."""

    result: str
    reason: str
    write_result: str
    lines: int


class ValueLine(TypedDict):
    """What lines of a result and a write result add up to in one measure."""

    result: str
    write_result: str
    measure: str
    sum: str


class LedgerValue(TypedDict):
    """What the campaign's decisions in the ledger add up to in one measure."""

    result: str
    measure: str
    sum: str


class ReportedRange(TypedDict):
    """How many lines are worth at least `least` and at most `most`; money in minor units, as exact texts."""

    least: str
    most: str
    lines: int


class ReportedAmounts(TypedDict):
    """What single lines of a result and a reason are worth in one measure. `median` is between its two bounds, which
    are equal where every amount is known; the histogram has each amount then, and else ranges by the leading digit.
    """

    result: str
    reason: str
    measure: str
    lines: int
    sum: str
    smallest: str
    median_least: str
    median_most: str
    largest: str
    histogram: "Sequence[ReportedRange]"


class ReportedRepeats(TypedDict):
    """Rows that name a subject again: with the same facts, or with others; and those whose id differs from another's
    by zeros, letters' case or `.0` alone. Of a long list, `rows_looked_at` are a
    sample: all rows of some subjects, chosen by their hash.
    """

    rows_looked_at: int
    whole_list: bool
    repeated: int
    contradicting: int
    nearly_equal: int


class ReportedLimits(TypedDict):
    """The limits of the plan. `stated` says by whom (policy or request) each is stated that is not the default."""

    shares: Mapping[str, str]
    largest: Mapping[str, str]
    total: Mapping[str, str]
    stated: Mapping[str, str]


class ReportedMeasures(TypedDict):
    """What the plan measured beside its results. `known`: rows whose subject a followed campaign had decided."""

    amounts: "Sequence[ReportedAmounts]"
    repeats: ReportedRepeats
    known: int


class Figures(TypedDict):
    """What the receipts of one pass add up to."""

    lines: int
    rows: int
    digest: str
    results: list[ResultLine]
    worth: list[ValueLine]


class ReportedLedger(TypedDict):
    """What stands in the ledger because of the campaign."""

    decisions: int
    worth: list[LedgerValue]


class ReportedDifference(TypedDict):
    """A place where the plan and what was written differ."""

    what: str
    planned: str
    applied: str


class ReportedChunk(TypedDict):
    """A chunk whose apply pass differs from its plan; its lines start in the bytes `[start, stop)` of the list."""

    chunk: int
    start: int
    stop: int
    differences: "Sequence[ReportedDifference]"


class ReportedPrices(TypedDict):
    """Which AWS prices the estimate was made with."""

    region: str
    date: str


class ReportedEstimate(TypedDict):
    """What the whole campaign costs and how long it takes at least, from its plan; `usd` is an exact text."""

    rows: int
    decisions: int
    insert_calls: int
    write_units: int
    read_units: int
    queue_requests: int
    topic_messages: int
    function_requests: int
    bucket_reads: int
    usd: str
    prices: ReportedPrices
    least_seconds: int
    limited_by: str


class ReportedSameOutage(TypedDict):
    """Campaigns of other incidents over the same windows and service, by the list that they decide, as the complete
    plan found them. `named_all`: the two parts name every one there was.
    """

    same_list: list[str]
    other_list: list[str]
    named_all: bool


class ReportedBudget(TypedDict):
    """Which month's budget a campaign is paid from in one currency, and what its start reserved of it at most; minor
    units, as an exact text.
    """

    currency: str
    month: str
    at_most: str


class LawLine(TypedDict):
    """Where what a campaign granted of a measure is, as exact texts; money in minor units.

    `granted` = `used` + `expired` + `voided` + `written_off` + `open`. `is_exact` is false where at least so much has
    expired, and perhaps more of what is called open.
    """

    measure: str
    granted: str
    used: str
    expired: str
    voided: str
    written_off: str
    open: str
    is_exact: bool


class ReportedLaw(TypedDict):
    """Where what the campaign granted was at an instant, by measure: from its counters, of its list and of what was
    added to it.
    """

    as_of: str
    measures: list[LawLine]


class ReportContract(TypedDict):
    """The report of a campaign: the detail of its events on the bus, and a document in the bucket.

    `law` is in the event alone, as of the instant that it states: the document is the same whenever it is written.
    """

    v: int
    campaign: str
    state: str
    reason: str
    policy: PolicyHashed
    engine: str
    time_zones: str
    decided_at: str
    list: ReportedList
    plan: Figures
    measured: ReportedMeasures | None
    limits: ReportedLimits
    same_outage: ReportedSameOutage | None
    apply: Figures
    in_the_ledger: ReportedLedger
    law: NotRequired[ReportedLaw]
    estimate: ReportedEstimate | None
    budgets: "Sequence[ReportedBudget]"
    differences: "Sequence[ReportedDifference]"
    chunks: "Sequence[ReportedChunk]"


def campaign_estimate(campaign: Campaign, operation: Operation) -> Estimate | None:
    """What the campaign will cost, once its plan is complete."""
    if not campaign.is_finished(Pass.PLAN):
        return None
    totals = campaign.plan.totals
    decisions = sum(n for key, n in totals.counts.items() if key.row_result not in NEVER_WRITTEN)
    results = tuple(totals.counts.values())
    planned = Planned(totals.rows(), decisions, len(campaign.chunks), campaign.keeps_history, results, len(totals.sums))
    return estimate(planned, operation, PRICES)


def delivery_estimate(campaign: Campaign) -> Decimal | None:
    """What delivering to billing what the list grants at once will cost in USD, once the plan is complete."""
    if not campaign.is_finished(Pass.PLAN):
        return None
    granted = sum(n for key, n in campaign.plan.totals.counts.items() if key.row_result is RowResult.GRANTED)
    return delivery_usd(granted, len(campaign.chunks), PRICES)


def differing_chunks(campaign: Campaign, plan: Iterable[Receipt], apply: Iterable[Receipt]) -> list[ReportedChunk]:
    """The chunks whose receipts of the two passes do not balance, in the list's order."""
    by_chunk: dict[int, tuple[Totals, Totals]] = {}
    for receipt in (*plan, *apply):
        planned, applied = by_chunk.setdefault(receipt.chunk, (Totals(), Totals()))
        (planned if receipt.work is Pass.PLAN else applied).add(receipt.totals)
    told: list[ReportedChunk] = []
    for chunk, (planned, applied) in sorted(by_chunk.items()):
        found = list(differences(planned, applied))
        if found:
            start, stop = campaign.chunks.bounds(chunk)
            told.append({"chunk": chunk, "start": start, "stop": stop, "differences": _reported(found)})
    return told


def campaign_report(
    campaign: Campaign,
    found: Sequence[Difference],
    operation: Operation,
    chunks: Sequence[ReportedChunk] = (),
    measured: Measured | None = None,
    others: SameOutage | None = None,
    reserved: Sequence[Reservation] = (),
) -> ReportContract:
    """The figures as JSON-able content; sums are exact texts, money in minor units.

    `measured` is what the receipts of the plan add up to; None where they were not read. `others` is what the plan
    found under its outage; None where it is not complete. `reserved` is what its start reserved of budgets.
    """
    plan, apply = campaign.plan.totals, campaign.apply.totals
    return {
        "v": REPORT_VERSION,
        "campaign": str(campaign.id),
        "state": campaign.state.value,
        "reason": campaign.state_reason,
        "policy": {"id": campaign.policy_id, "version": campaign.policy_version, "hash": campaign.policy_hash},
        "engine": campaign.engine,
        "time_zones": campaign.time_zones,
        "decided_at": format_instant(campaign.decided_at),
        "list": {
            "key": campaign.pinned.key,
            "version_id": campaign.pinned.version_id,
            "bytes": campaign.pinned.size,
            "rows_announced": campaign.rows_announced,
        },
        "plan": _figures(plan),
        "measured": None if measured is None else _measured(measured),
        "limits": reported_limits(campaign.limits),
        "same_outage": None if others is None else _others(others),
        "apply": _figures(apply),
        "in_the_ledger": {
            "decisions": apply.ledger_count(),
            "worth": [
                {"result": row_result.value, "measure": measure, "sum": str(value)}
                for (row_result, measure), value in sorted(apply.worth(IN_THE_LEDGER).items())
            ],
        },
        "estimate": reported_estimate(campaign, operation),
        "budgets": [
            {"currency": made.currency, "month": made.month, "at_most": str(made.at_most)} for made in reserved
        ],
        "differences": _reported(found),
        "chunks": chunks[:CHUNKS_SHOWN],
    }


def reported_law(counted: Mapping[str, Counted], now: datetime) -> ReportedLaw:
    """The law from counters as it was at `now`, in the order of the measures."""
    return {"as_of": format_instant(now), "measures": law_lines(counted)}


def law_lines(counted: Mapping[str, Counted]) -> list[LawLine]:
    """The law from counters, a line for each measure."""
    return [_law(*one) for one in sorted(counted.items())]


def _law(measure: str, counted: Counted) -> LawLine:
    shares = counted.shares
    return {
        "measure": measure,
        "granted": str(shares.granted),
        "used": str(shares.used),
        "expired": str(shares.expired),
        "voided": str(shares.voided),
        "written_off": str(shares.written_off),
        "open": str(shares.open),
        "is_exact": counted.is_exact,
    }


def _reported(found: Sequence[Difference]) -> list[ReportedDifference]:
    return [
        {"what": difference.what, "planned": str(difference.planned), "applied": str(difference.applied)}
        for difference in found[:DIFFERENCES_SHOWN]
    ]


def _others(others: SameOutage) -> ReportedSameOutage:
    return {
        "same_list": [str(one) for one in others.same_list],
        "other_list": [str(one) for one in others.other_list],
        "named_all": others.is_whole,
    }


def _measured(measured: Measured) -> ReportedMeasures:
    repeats = measured.repeats
    return {
        "amounts": reported_amounts(measured.amounts)[:AMOUNTS_SHOWN],
        "repeats": {
            "rows_looked_at": repeats.rows,
            "whole_list": repeats.is_whole,
            "repeated": repeats.repeated,
            "contradicting": repeats.contradicting,
            "nearly_equal": repeats.nearly_equal,
        },
        "known": measured.known,
    }


def reported_amounts(amounts: Amounts) -> list[ReportedAmounts]:
    """What single lines are worth, by result, reason and measure."""
    told: list[ReportedAmounts] = []
    for place, one in sorted(amounts.places.items()):
        least, most = one.median()
        told.append(
            {
                "result": place.row_result.value,
                "reason": place.reason,
                "measure": place.measure,
                "lines": one.lines,
                "sum": str(one.sum),
                "smallest": str(one.smallest),
                "median_least": str(least),
                "median_most": str(most),
                "largest": str(one.largest),
                "histogram": [
                    {"least": str(found.least), "most": str(found.most), "lines": found.lines}
                    for found in coarser(one.histogram(), RANGES_SHOWN)
                ],
            }
        )
    return told


def reported_limits(limits: Limits) -> ReportedLimits:
    """The limits for people: shares in percent, amounts with their measure."""
    return {
        "shares": {name: percent(share) for name, share in limits.shares.items()},
        "largest": {measure: size_text(measure, size) for measure, size in limits.largest.items()},
        "total": {measure: size_text(measure, size) for measure, size in limits.total.items()},
        "stated": dict(limits.stated),
    }


def reported_estimate(campaign: Campaign, operation: Operation) -> ReportedEstimate | None:
    """What the whole campaign will cost and how long it takes at least, once its plan is complete."""
    made = campaign_estimate(campaign, operation)
    if made is None:
        return None
    calls = made.calls
    return {
        "rows": made.planned.rows,
        "decisions": made.planned.decisions,
        "insert_calls": calls.insert_calls,
        "write_units": calls.write_units,
        "read_units": calls.read_units,
        "queue_requests": calls.queue_requests,
        "topic_messages": calls.topic_messages,
        "function_requests": calls.function_requests,
        "bucket_reads": calls.bucket_reads,
        "usd": str(made.usd),
        "prices": {"region": PRICES.region, "date": PRICES.date},
        "least_seconds": made.seconds,
        "limited_by": made.limited_by,
    }


def _figures(totals: Totals) -> Figures:
    return {
        "lines": totals.lines,
        "rows": totals.rows(),
        "digest": f"{totals.digest:032x}",
        "results": [
            {
                "result": key.row_result.value,
                "reason": key.reason,
                "write_result": key.write_result.value,
                "lines": number,
            }
            for key, number in sorted(totals.counts.items())
        ],
        "worth": [
            {
                "result": key.row_result.value,
                "write_result": key.write_result.value,
                "measure": key.measure,
                "sum": str(value),
            }
            for key, value in sorted(totals.sums.items())
        ],
    }
