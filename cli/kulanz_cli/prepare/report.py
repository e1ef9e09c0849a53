"""What a preparation did, for people and for programs. No cell is repeated: files, lines, kinds and sums are."""

from collections.abc import Iterator
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

from rich.console import Console

from kulanz.domain.money import minor_units
from kulanz_cli.prepare.run import SUM_DIGITS, ColumnReport, Found, Report
from kulanz_cli.terminal import Column, counted_as, say, table

NAMES_PRINTED = 12


def report_content(report: Report) -> dict[str, Any]:
    """The report for programs. Sums are exact texts."""
    return {
        "v": 1,
        "files": report.files,
        "rows_in": report.rows_in,
        "rows_out": report.rows_out,
        "rows_unreadable": report.wrong_rows,
        "parts": [{"name": part.name, "rows": part.rows} for part in report.parts],
        "dropped": [{"why": why, **_found(found, report)} for why, found in report.dropped.items()],
        "changes": [
            {"column": told.name, "change": change.value, **_found(found, report)}
            for told in report.columns
            for change, found in told.changes.items()
        ],
        "unreadable": [
            {"column": told.name, "expected": expected, **_found(found, report)}
            for told in report.columns
            for expected, found in told.wrong.items()
        ],
        "sums": [
            {"column": told.name, "rows": told.numbers, "before": f"{told.before:f}", "after": _after(told)}
            for told in report.columns
            if told.is_number
        ],
        "columns_left_out": report.left_out,
        "order_of_day_and_month_unconfirmed": [told.name for told in report.columns if _is_unconfirmed(told)],
    }


def _found(found: Found, report: Report) -> dict[str, Any]:
    return {
        "cells": found.times,
        "first": [{"file": report.files[file], "line": line} for file, line in found.first],
    }


def show_report(out: Console, report: Report, into: Path) -> None:
    """Print what was read, changed, dropped and added up; what to look at last."""
    files, rows = counted_as(len(report.files), "file"), counted_as(report.rows_in, "row")
    written = f"{counted_as(report.rows_out, 'row')} in {counted_as(len(report.parts), 'part')}"
    say(out, f"{files}, {rows} read; {written} written into {into}", further=2)
    changes = [
        [told.name, change.value, f"{found.times:,}", _places(found, report)]
        for told in report.columns
        for change, found in told.changes.items()
    ]
    if changes:
        headed = [Column("column"), Column("change", is_text=True), Column("cells", is_number=True), Column("first")]
        table(out, headed, changes)
    sums = [
        [_unit(told), f"{told.numbers:,}", f"{told.before:,f}", _after(told, thousands=True)]
        for told in report.columns
        if told.is_number
    ]
    if sums:
        headed = [Column("sum of"), Column("rows", is_number=True)]
        table(out, [*headed, Column("before", is_number=True), Column("after", is_number=True)], sums)
    for text in _sentences(report):
        say(out, text, further=2)


def _sentences(report: Report) -> Iterator[str]:
    for why, found in report.dropped.items():
        yield f"dropped, {why}: {counted_as(found.times, 'row')}, {_places(found, report)}"
    for told in report.columns:
        if _is_unconfirmed(told):
            yield (
                f"{told.name}: no day above the 12th among {told.days:,}, so that nothing in the files confirms the"
                " order of day and month"
            )
    if report.left_out:
        more = len(report.left_out) - NAMES_PRINTED
        named = ", ".join(report.left_out[:NAMES_PRINTED]) + (f" and {more} more" if more > 0 else "")
        yield f"columns left out: {named}"
    for told in report.columns:
        for expected, found in told.wrong.items():
            yield (
                f"{told.name}: {counted_as(found.times, 'cell')} unreadable, {_places(found, report)}: expected"
                f" {expected}"
            )
    if report.wrong_rows:
        yield (
            f"{counted_as(report.wrong_rows, 'row')} with a cell that cannot be read: a campaign rejects them, or holds"
            " them where the policy says so"
        )


def _is_unconfirmed(told: ColumnReport) -> bool:
    return bool(told.days) and not told.days_sure


def _places(found: Found, report: Report) -> str:
    """The first lines; with their files where there are several."""
    if len(report.files) == 1:
        return "line " + ", ".join(str(line) for _, line in found.first)
    return ", ".join(f"{report.files[file]} line {line}" for file, line in found.first)


def _unit(told: ColumnReport) -> str:
    currency = "" if told.fact is None else told.fact.currency
    return f"{told.name} ({currency})" if currency else told.name


def _after(told: ColumnReport, *, thousands: bool = False) -> str:
    """An exact sum as a decimal: every cell was one."""
    is_money = told.fact is not None and told.fact.type == "money"
    units = minor_units(told.fact.currency) if told.fact is not None and is_money else 0
    with localcontext(prec=SUM_DIGITS):
        sum_ = Fraction(told.after) / 10**units
        number = Decimal(sum_.numerator) / Decimal(sum_.denominator)
        number = number.quantize(Decimal(1).scaleb(-units)) if units else number
    return f"{number:,f}" if thousands else f"{number:f}"
