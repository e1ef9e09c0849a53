"""What ``kulanz list check`` found in a list: for people, by kind and with the first lines, and as JSON."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from rich.console import Console

from kulanz.application.campaigns.report import reported_amounts
from kulanz.application.lists.check_list import CheckedList, Found
from kulanz.domain.campaigns.amounts import AmountPlace, AmountRange, Distribution, coarser
from kulanz.domain.campaigns.limits import Exceeded
from kulanz.domain.money import Size, amount_words, format_minor, is_currency, measure_words, minor_units
from kulanz_cli.local_parts import LocalList
from kulanz_cli.terminal import Column, counted_as, plain, say, table

KINDS_PRINTED = 30
RANGES_PRINTED = 12
BAR_CELLS = 24
NAMES_PRINTED = 12
LINES_PLACED = 12
"""Lines of a list in parts whose part is named."""
LINE_CHARACTERS = 70
UNDECIDED = ("rejected", "blank")
"""Results that a list has without an incident."""


def checked_content(
    name: str, checked: CheckedList, refusal: str, outside: Sequence[Exceeded], *, decided: bool
) -> dict[str, Any]:
    """What was found, for programs. Amounts of money are in minor units, and exact texts."""
    subjects = checked.subjects
    return {
        "v": 1,
        "list": name,
        "refused": refusal or None,
        "limits_exceeded": [{"limit": one.limit, "figures": one.figures} for one in outside],
        "lines": checked.lines,
        "rows": checked.rows,
        "blank": checked.blank,
        "rejected": checked.rejected,
        "results": [
            {"result": row_result.value, "reason": reason, "lines": number}
            for (row_result, reason), number in sorted(checked.classes.items())
            if decided or row_result.value in UNDECIDED
        ],
        "amounts": reported_amounts(checked.amounts) if decided else [],
        "largest": [
            {"measure": measure, "line": -line, "size": str(size)}
            for measure, found in sorted(checked.largest.items())
            for size, line in sorted(found, reverse=True)
            if decided
        ],
        "ranges": {
            fact: {"least": one.text(one.least), "most": one.text(one.most)} for fact, one in checked.ranges.items()
        },
        "unknown": dict(checked.unknown),
        "no_language": dict(checked.no_language),
        "short_rows": checked.short,
        "columns_unread": checked.unread,
        "facts_absent": checked.absent,
        "other_currency": _found(checked.other_currency),
        "rounded_ids": _found(checked.zeros_for_digits) if checked.are_rounded else None,
        "subjects": None
        if subjects is None
        else {
            "repeated": {"rows": subjects.repeated, "first": subjects.first_repeated},
            "contradicting": {"rows": subjects.contradicting, "first": subjects.first_contradicting},
            "nearly_equal": {"rows": subjects.nearly_equal, "first": subjects.first_nearly_equal},
        },
        "kinds": [
            {"reason": kind.reason, "field": kind.field, "expected": kind.expected, **_found(found)}
            for kind, found in checked.kinds.items()
        ],
        "problems": [
            {
                "line": found.line,
                "offset": found.offset,
                "reason": found.problem.reason,
                "field": found.problem.field,
                "expected": found.problem.expected,
            }
            for found in checked.problems
        ],
    }


def _found(found: Found) -> dict[str, Any]:
    return {"lines": found.lines, "first": found.first}


def show_checked(
    out: Console,
    found: LocalList,
    checked: CheckedList,
    refusal: str,
    outside: Sequence[Exceeded],
    *,
    decided: bool,
    show_values: bool,
) -> None:
    """Print what was found: what stops the list first, then results and amounts, then what to look at."""
    if refusal:
        say(out, f"{found.name} would be refused as a whole: {refusal}", further=2)
    for one in outside:
        say(out, f"{found.name} is outside a limit: {one.limit}: {one.figures}", further=2)
    if not checked.lines:
        return
    figures = (counted_as(checked.rows, "row"), counted_as(checked.blank, "blank line"), f"{checked.rejected:,}")
    say(out, f"{found.name}: {', '.join(figures)} rejected")
    if decided:
        _show_results(out, checked)
        for place, amounts in sorted(checked.amounts.places.items()):
            _show_histogram(out, place, amounts)
    _show_columns(out, checked)
    named = list(_findings(checked, decided=decided))
    for text, _ in named:
        say(out, text, further=2)
    numbers = {line for _, lines in named for line in lines}
    places = found.places(numbers)
    if places:
        where = (f"{line:,} is {places[line]}" for line in sorted(places)[:LINES_PLACED])
        say(out, f"lines are counted through all parts: {', '.join(where)}", further=2)
    if show_values:
        _show_values(out, found, numbers)


def _show_results(out: Console, checked: CheckedList) -> None:
    columns = [Column("result"), Column("reason", is_text=True), Column("lines", is_number=True)]
    names = ("sum", "smallest", "median", "largest")
    columns += [Column(name, is_number=True) for name in names]
    rows = []
    for (row_result, reason), number in sorted(checked.classes.items()):
        places = [place for place in sorted(checked.amounts.places) if place[:2] == (row_result, reason)]
        first = [row_result.value, reason, f"{number:,}"]
        amounts = [_amounts(place.measure, checked.amounts.places[place]) for place in places]
        for cells in amounts or [[""] * len(names)]:
            rows.append([*first, *cells])
            first = ["", "", ""]
    table(out, columns, rows)


def _amounts(measure: str, one: Distribution) -> list[str]:
    least, most = one.median()
    median = size(measure, least) if least == most else f"{size(measure, least)} to {size(measure, most)}"
    return [
        amount_words(size(measure, one.sum), measure),
        size(measure, one.smallest),
        median,
        size(measure, one.largest),
    ]


def _show_histogram(out: Console, place: AmountPlace, one: Distribution) -> None:
    """A bar for each range of amounts; nothing where all are the same."""
    if one.smallest == one.largest:
        return
    say(out, f"{place.row_result.value}, {place.reason}, {measure_words(place.measure)}: lines by amount")
    found = list(coarser(one.histogram(), RANGES_PRINTED))
    most = max(shown.lines for shown in found)
    columns = [Column("amount", is_number=True), Column("lines", is_number=True), Column("")]
    table(
        out, columns, [[_range(place.measure, shown), f"{shown.lines:,}", _bar(shown.lines, most)] for shown in found]
    )


def _range(measure: str, shown: AmountRange) -> str:
    least, most = size(measure, shown.least), size(measure, shown.most)
    return least if least == most else f"{least} to {most}"


def _bar(lines: int, most: int) -> str:
    return "#" * max(1, BAR_CELLS * lines // most)


def _show_columns(out: Console, checked: CheckedList) -> None:
    ranges = [f"{fact} {one.text(one.least)} to {one.text(one.most)}" for fact, one in checked.ranges.items()]
    unknown = [f"{fact} {lines:,}" for fact, lines in sorted(checked.unknown.items())]
    languages = [f"{fact} {lines:,}" for fact, lines in checked.no_language.items()]
    for name, found in (
        ("lowest to highest value", ranges),
        ("rows without a value", unknown),
        ("rows whose language is no tag such as de or pt-BR, written to in the default one", languages),
        ("rows without their last cells, read as empty", [f"{checked.short:,}"] if checked.short else []),
        ("columns that nothing reads", checked.unread),
        ("facts that are in no column, so their default counts", checked.absent),
    ):
        if found:
            more = f" and {len(found) - NAMES_PRINTED} more" if len(found) > NAMES_PRINTED else ""
            say(out, f"{name}: {', '.join(found[:NAMES_PRINTED])}{more}", further=2)


def _findings(checked: CheckedList, *, decided: bool) -> Iterator[tuple[str, Sequence[int]]]:
    """What to look at, as it is printed, each with its first lines."""
    kinds = sorted(checked.kinds.items(), key=lambda one: -one[1].lines)
    for kind, found in kinds[:KINDS_PRINTED]:
        where = f", {kind.field}" if kind.field else ""
        text = f"{counted_as(found.lines, 'line')}: {kind.reason}{where}: expected {kind.expected}"
        yield _placed(text, found.first), found.first
    if len(kinds) > KINDS_PRINTED:
        yield f"kinds not shown: {len(kinds) - KINDS_PRINTED}; --json prints them", ()
    subjects = checked.subjects
    if subjects is not None:
        for number, pairs, what in (
            (subjects.contradicting, subjects.first_contradicting, "rows that contradict another of their subject"),
            (subjects.repeated, subjects.first_repeated, "rows that repeat another one"),
            (
                subjects.nearly_equal,
                subjects.first_nearly_equal,
                "ids that differ from another only by zeros, letters' case or .0",
            ),
        ):
            if number:
                lines = [line for pair in pairs for line in reversed(pair)]
                yield _placed(f"{what}, {number:,}", lines), lines
    if checked.are_rounded:
        found = checked.zeros_for_digits
        text = f"ids that a spreadsheet rounded, to be exported as text, {found.lines:,} of {checked.long_ids:,}"
        yield _placed(text, found.first), found.first
    if checked.other_currency.lines:
        text = f"rows to be paid in another currency than a column says, {checked.other_currency.lines:,}"
        yield _placed(text, checked.other_currency.first), checked.other_currency.first
    for measure, most in sorted(checked.largest.items()) if decided else ():
        shown = [(found, -line) for found, line in sorted(most, reverse=True)]
        if shown[0][0] != checked.amounts.by_measure()[measure].smallest:
            amounts = ", ".join(f"{size(measure, found)} in line {line:,}" for found, line in shown)
            yield f"the largest in {measure_words(measure)}: {amounts}", [line for _, line in shown]


def _placed(text: str, numbers: Iterable[int]) -> str:
    """A text with the numbers of the lines that it is about, where there are any."""
    found = [f"{number:,}" for number in numbers]
    if not found:
        return text
    return f"{text}: line {found[0]}" if len(found) == 1 else f"{text}: lines {', '.join(found)}"


def _show_values(out: Console, found: LocalList, numbers: set[int]) -> None:
    """Print some lines of a file: whoever asks for them has the file."""
    last = max(numbers, default=0)
    for number, raw in enumerate(islice(found.lines(), last), 1):
        if number in numbers:
            text = plain(raw[: 4 * LINE_CHARACTERS].decode("utf-8", "replace").rstrip("\r\n"))
            say(out, f"{number:,}: {text[:LINE_CHARACTERS]}", further=4)


def size(measure: str, value: Size) -> str:
    """An amount without its measure: money as a decimal."""
    return format_minor(int(value), minor_units(measure)) if is_currency(measure) else f"{value:,}"
