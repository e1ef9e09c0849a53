"""Compares what became of a list with what was planted in it. Nothing here is computed by the code under comparison."""

from collections.abc import Iterator, Mapping

from kulanz.domain.campaigns.campaign import Campaign, State
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, RowResult, WriteResult
from kulanz_local.lists import Expectation, Verdict


def discrepancies(
    expected: Expectation, campaign: Campaign, notices: int, decisions_stored: int | None = None
) -> Iterator[str]:
    """Everything in which a closed campaign, its distinct notices and the stored decisions (if counted) differ."""
    plan, apply = campaign.plan.totals, campaign.apply.totals
    figures: list[tuple[str, object, object]] = [
        ("state", State.CLOSED, campaign.state),
        ("rows announced", expected.rows, campaign.rows_announced),
        ("lines planned", expected.lines, plan.lines),
        ("lines applied", expected.lines, apply.lines),
        ("decisions by the receipts", expected.decisions(), apply.ledger_count()),
        ("duplicates", expected.duplicate_rows(), _with_write_result(campaign, WriteResult.DUPLICATE)),
        ("conflicts", expected.conflicting_rows(), _with_write_result(campaign, WriteResult.CONFLICT)),
    ]
    if decisions_stored is not None:
        figures.append(("decisions in the table", expected.decisions(), decisions_stored))
    figures.extend(_compared("lines planned as", expected.results(), _texts(plan.results())))
    figures.extend(_compared("lines applied as", expected.results(), _texts(apply.results())))
    figures.extend(_compared("planned worth of", expected.worth(), _texts(plan.worth())))
    figures.extend(_compared("applied worth of", expected.worth(), _texts(apply.worth())))
    ledger = _ledger(campaign)
    worth = dict.fromkeys(expected.worth(), 0)
    for verdict in expected.verdicts():
        if verdict.measure:
            worth[verdict.row_result, verdict.measure] += verdict.amount * ledger.get(_place(verdict), 0)
    figures.extend(_compared("worth in the ledger of", worth, _texts(apply.worth(IN_THE_LEDGER))))
    figures.append(("distinct notices", notices_due(expected, campaign), notices))
    for name, planted, found in figures:
        if planted != found:
            yield f"{campaign.id}: {name}: planted {planted}, found {found}"
    for verdict in expected.verdicts():
        least, most = expected.ledger_bounds(verdict)
        found_here = ledger.get(_place(verdict), 0)
        if not least <= found_here <= most:
            what = f"decisions {verdict.row_result} ({verdict.reason})"
            yield f"{campaign.id}: {what}: planted {least} to {most}, found {found_here}"


def notices_due(expected: Expectation, campaign: Campaign) -> int:
    """One for each decision in the ledger whose customer is to be told."""
    ledger = _ledger(campaign)
    return sum(ledger.get(_place(verdict), 0) for verdict in expected.verdicts() if verdict.has_notice)


def _place(verdict: Verdict) -> tuple[str, str]:
    return verdict.row_result, verdict.reason


def _ledger(campaign: Campaign) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for key, number in campaign.apply.totals.counts.items():
        if key.write_result in IN_THE_LEDGER:
            place = key.row_result.value, key.reason
            found[place] = found.get(place, 0) + number
    return found


def _with_write_result(campaign: Campaign, write_result: WriteResult) -> int:
    return sum(number for key, number in campaign.apply.totals.counts.items() if key.write_result is write_result)


def _texts[Number](figures: Mapping[tuple[RowResult, str], Number]) -> dict[tuple[str, str], Number]:
    return {(row_result.value, other): number for (row_result, other), number in figures.items()}


def _compared(
    what: str, expected: Mapping[tuple[str, str], object], found: Mapping[tuple[str, str], object]
) -> Iterator[tuple[str, object, object]]:
    for place in sorted(expected.keys() | found.keys()):
        yield f"{what} {place[0]} ({place[1]})", expected.get(place, 0), found.get(place, 0)
