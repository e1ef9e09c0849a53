"""Pictures as inline SVG. Widths are shares of the space there is, so that letters keep their size on every screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from xml.etree.ElementTree import Element

from kulanz_cli.report_page.markup import element

ROW_PIXELS = 38
BAR_PIXELS = 12
BAR_TOP_PIXELS = 20
TEXT_BASE_PIXELS = 14
THIN_PIXELS = 10
LEAST_HUNDREDTHS = 50
"""Of a percent: what is there is seen, however little it is."""
WHOLE_HUNDREDTHS = 100 * 100


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar: how much it is, and the class of its colour."""

    size: int | Decimal
    kind: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of a picture: what it is, how much it is in words, and its parts from the left."""

    label: str
    figure: str
    segments: Sequence[Segment]


def picture(name: str, title: str, says: str, bars: Sequence[Bar], whole: int | Decimal | None = None) -> Element:
    """Bars below one another. `whole` is what fills the width: by default that of each bar fills it.

    `name` is unique on its page; `says` is the picture in words.
    """
    height = ROW_PIXELS * len(bars)
    made = element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", says, id=f"{name}-desc"),
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        width="100%",
        height=str(height),
    )
    for number, bar in enumerate(bars):
        top = ROW_PIXELS * number
        made.append(element("text", bar.label, x="0", y=str(top + TEXT_BASE_PIXELS)))
        made.append(
            element("text", bar.figure, x="100%", y=str(top + TEXT_BASE_PIXELS), text_anchor="end", class_="figure")
        )
        of = whole if whole is not None else sum((one.size for one in bar.segments), Decimal(0))
        made.extend(_segments(bar.segments, of, top + BAR_TOP_PIXELS, BAR_PIXELS))
    return made


def thin_bar(size: int, whole: int, kind: str) -> Element:
    """A bar in a cell beside its figure, which says the same."""
    made = element("svg", width="100%", height=str(THIN_PIXELS), aria_hidden="true", focusable="false")
    made.extend(_segments([Segment(size, kind)], whole, 0, THIN_PIXELS))
    return made


def _segments(segments: Sequence[Segment], whole: int | Decimal, top: int, height: int) -> list[Element]:
    drawn = [(one, width) for one in segments if (width := hundredths(one.size, whole))]
    starts = accumulate((width for _, width in drawn), initial=0)
    return [
        element(
            "rect", x=_percent(start), y=str(top), width=_percent(width), height=str(height), class_=f"bar {one.kind}"
        )
        for (one, width), start in zip(drawn, starts, strict=False)
    ]


def hundredths(size: int | Decimal, whole: int | Decimal) -> int:
    """The width of a bar in hundredths of a percent: 0 for nothing, and enough to be seen for anything else."""
    if size <= 0 or whole <= 0:
        return 0
    return max(LEAST_HUNDREDTHS, min(WHOLE_HUNDREDTHS, int(WHOLE_HUNDREDTHS * Fraction(size) / Fraction(whole))))


def _percent(of: int) -> str:
    return f"{of // 100}.{of % 100:02d}%"
