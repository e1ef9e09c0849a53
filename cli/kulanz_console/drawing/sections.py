"""The parts of the page that are figures: results by reason, amounts, and planned beside what is in the ledger."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from kulanz.application.campaigns.report import AMOUNTS_SHOWN
from kulanz.domain.campaigns.reconciliation import WITH_A_DECISION, RowResult, WriteResult
from kulanz.domain.delivery.law import LAW
from kulanz.domain.money import measure_words
from kulanz_console.drawing.figures import BESIDE, Figures, ReasonLine, WorthLine, size_of
from kulanz_console.drawing.markup import Part, element, foreign, section, table
from kulanz_console.drawing.pictures import Bar, Segment, picture, thin_bar
from kulanz_console.drawing.said import Said, joined
from kulanz_console.drawing.sources import Sources
from kulanz_console.drawing.text import counted_as
from kulanz_console.drawing.ways import NOT_EXACT
from kulanz_console.drawing.worth import coarser_ranges, figure, value_text

if TYPE_CHECKING:
    from kulanz.application.campaigns.report import ReportedAmounts

HISTOGRAMS_SHOWN = 6
KINDS = {
    RowResult.GRANTED: "granted",
    RowResult.OFFERED: "offered",
    RowResult.HELD: "waiting",
    RowResult.REFERRED: "waiting",
    RowResult.REJECTED: "stopped",
}
"""The class of a result's colour; the others have the quiet one."""
IN_LEDGER = ("in the ledger", "granted")
KINDS_BESIDE = {
    WriteResult.DUPLICATE: ("duplicate", "rest"),
    WriteResult.CONFLICT: ("conflict", "stopped"),
    WriteResult.CAPPED: ("capped", "offered"),
    WriteResult.HELD_SINCE: ("held since", "since"),
}
LEFT = ("not written", "waiting")
OVERPAID = "More than is owed now, given by earlier campaigns of the incident:"


def results_section(figures: Figures) -> Element:
    """Results by reason, each with its bar."""
    title = f"Results of {counted_as(figures.plan.lines, 'line')}"
    if not figures.reasons:
        return section("results", title, element("p", "No line was looked at."))
    most = max(one.lines for one in figures.reasons)
    rows: list[list[Part]] = [
        [one.row_result.value, _with_bar(one, most), f"{one.lines:,}", _or_dash(one.ledger)] for one in figures.reasons
    ]
    rows.append(["all", "", f"{figures.plan.lines:,}", f"{figures.decisions:,}"])
    heads = ("Result", "Reason", "Lines", "Ledger")
    return section(
        "results", title, table("Lines by result and reason; ledger: lines with a decision", heads, rows, (2, 3), True)
    )


def _with_bar(one: ReasonLine, most: int) -> Element:
    bar = thin_bar(one.lines, most, KINDS.get(one.row_result, "rest"))
    return element("div", foreign(one.reason), bar, class_="reason")


def _or_dash(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def amounts_section(sources: Sources) -> Element:
    """How much single lines get: a picture of the most frequent ones, figures of all."""
    made = section("amounts", "How much single lines get")
    found = _amounts(sources)
    if not found:
        says = "No line gets an amount or a quantity."
        if not sources.is_whole and sources.plan is None:
            says = "The list is too long to measure single lines before the campaign has stopped."
        made.append(element("p", says))
        return made
    shown = sorted(found, key=lambda one: -one["lines"])[:HISTOGRAMS_SHOWN]
    histograms = element("div", class_="beside pictures")
    for one in shown:
        histograms.append(histogram(one))
    made.append(histograms)
    if sources.plan is None and len(found) >= AMOUNTS_SHOWN:
        made.append(element("p", f"The first {AMOUNTS_SHOWN} are stated; there may be more.", class_="note"))
    if len(found) > len(shown):
        text = f"Pictures of the {len(shown)} most frequent of {len(found)}; the table has all."
        made.append(element("p", text, class_="note"))
    rows: list[list[Part]] = [
        [foreign(f"{one['result']}, {one['reason']}"), f"{one['lines']:,}",
         *(value_text(one["measure"], size_of(one["measure"], text)) for text in (one["smallest"], one["largest"]))]
        for one in found
    ]  # fmt: skip
    made.append(table("Smallest and largest, as planned", ("Of", "Lines", "Smallest", "Largest"), rows, (1, 2, 3)))
    return made


def _amounts(sources: Sources) -> "Sequence[ReportedAmounts]":
    """Those of the filed plan, which has every one; of a campaign without a plan, the report's `AMOUNTS_SHOWN`."""
    if sources.plan is not None:
        return sources.plan["amounts"]
    measured = sources.report["measured"]
    return () if measured is None else measured["amounts"]


def histogram(one: "ReportedAmounts") -> Element:
    """How many lines get how much: a bar for each range of amounts."""
    ranges = coarser_ranges(one)
    most = max((lines for _, lines in ranges), default=0)
    kind = KINDS.get(RowResult(one["result"]), "rest")
    bars = [Bar(amount, f"{lines:,}", [Segment(lines, kind)], counted_as(lines, "line")) for amount, lines in ranges]
    title = f"{one['result']}, {one['reason'] or 'all reasons'}, {measure_words(one['measure'])}"
    same = ": every line has the same amount" if one["smallest"] == one["largest"] else ": lines by amount"
    return picture(f"{title}{same}", bars, most)


def reconciliation_section(sources: Sources, figures: Figures) -> Element:
    """Planned beside what is in the ledger: a bar for each result and measure, then the figures."""
    made = section(
        "reconciliation", "Reconciliation: planned and in the ledger", element("p", _balance(sources, figures))
    )
    bars = list(_bars(figures))
    if bars:
        made.append(picture("What happened to the plan", bars))
        made.append(_keys())
        beside = [KINDS_BESIDE[one][0] for one in BESIDE]
        heads = ("Result", "Sum of", "Planned", "In the ledger", *(name.capitalize() for name in beside), "Not written")
        rows = [
            [one.row_result.value, measure_words(one.measure),
             *(figure(one.measure, size) for size in (one.planned, one.ledger, *one.beside, one.left))]
            for one in figures.worth
        ]  # fmt: skip
        if rows:
            made.append(
                table("Each planned sum is the sum of the others in its row", heads, rows, range(2, len(heads)))
            )
    for measure, size in figures.overpaid:
        made.append(element("p", OVERPAID, " ", foreign(value_text(measure, size))))
    for found in sources.report["differences"]:
        text = f"{found['what']}: planned {found['planned']}, applied {found['applied']}"
        made.append(element("p", "Differs: ", foreign(text)))
    return made


def _balance(sources: Sources, figures: Figures) -> str:
    if sources.report["differences"]:
        return "Plan and ledger differ. The differences are named below."
    if not figures.apply.lines:
        return "Nothing was written: there is only the plan."
    if figures.apply.lines == figures.plan.lines and not any(one.left for one in figures.worth):
        return f"All is accounted for: {counted_as(figures.apply.lines, 'line')}, and every planned sum."
    return "The execution has not gone through the whole plan, so that there is a rest that was not written."


def _bars(figures: Figures) -> Iterator[Bar]:
    if not figures.decided:
        return
    beside = [figures.lines_beside(one) if one not in WITH_A_DECISION else 0 for one in BESIDE]
    parts = [figures.decisions, *beside, figures.decided - figures.decisions - sum(beside)]
    text = f"{figures.decisions:,} of {counted_as(figures.decided, 'decided line')} in the ledger"
    yield Bar("decided lines", text, list(_segments(parts)), text)
    for one in figures.worth:
        planned = value_text(one.measure, one.planned)
        label = f"{one.row_result.value}, {measure_words(one.measure)}"
        text = Said("{here} of {planned}", here=figure(one.measure, one.ledger), planned=planned)
        yield Bar(label, text, list(_segments([one.ledger, *one.beside, one.left])), _spoken(one))


def _segments(sizes: Sequence[int | Decimal]) -> Iterator[Segment]:
    kinds = [IN_LEDGER[1], *(KINDS_BESIDE[one][1] for one in BESIDE), LEFT[1]]
    return (Segment(size, kind) for size, kind in zip(sizes, kinds, strict=True) if size > 0)


def _spoken(one: WorthLine) -> str:
    names = [IN_LEDGER[0], *(KINDS_BESIDE[beside][0] for beside in BESIDE), LEFT[0]]
    sizes = [one.ledger, *one.beside, one.left]
    parts = [
        Said("{sum} {where}", sum=value_text(one.measure, size), where=name)
        for name, size in zip(names, sizes, strict=True)
        if size
    ]
    planned = value_text(one.measure, one.planned)
    return Said("{sum} planned, of it {parts}", sum=planned, parts=joined(", ", parts) if parts else "nothing")


def _keys() -> Element:
    named = [IN_LEDGER, *(KINDS_BESIDE[one] for one in BESIDE), LEFT]
    return element(
        "ul", *(element("li", element("span", class_=f"key {kind}"), name) for name, kind in named), class_="keys"
    )


def law_section(sources: Sources) -> Element:
    """What happened to what was granted, when the page was made."""
    made = section("law", "What happened to it")
    found = [line for line in sources.law if Decimal(line["granted"])]
    if not found:
        made.append(element("p", "The list granted nothing."))
        return made
    rows: list[list[Part]] = []
    for line in found:
        sizes = [line["granted"], *(str(line[name]) for name in LAW)]  # type: ignore[literal-required] # of LAW
        rows.append(
            [
                measure_words(line["measure"]),
                *(figure(line["measure"], size_of(line["measure"], size)) for size in sizes),
            ]
        )
    heads = ("Measure", "Granted", "Used", "Expired", "Voided", "Written off", "Open")
    made.append(table("Granted = used + expired + voided + written off + open", heads, rows, range(1, len(heads))))
    made.append(element("p", "Used is what the biller reports on bills. What was accepted later is not in it."))
    if not all(line["is_exact"] for line in found):
        made.append(element("p", NOT_EXACT))
    return made
