"""Pictures as inline SVG. Widths are shares of the space there is, so that letters keep their size on every screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from xml.etree.ElementTree import Element

from kulanz_console.drawing.markup import element, foreign

BAR_PIXELS = 12
THIN_PIXELS = 8
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
    """A line of a picture: what it is, how much it is in words, its parts from the left, and these in words."""

    label: str
    figure: str
    segments: Sequence[Segment]
    says: str


def picture(title: str, bars: Sequence[Bar], whole: int | Decimal | None = None, *, is_heading: bool = True) -> Element:
    """Bars below one another, with their title. `whole` is what fills the width: by default that of each bar fills it.

    Each bar is an image with its words as title and description; the same words are printed above it.
    """
    caption = element("figcaption", foreign(title), **({} if is_heading else {"class_": "unseen"}))
    made = element("figure", caption)
    for bar in bars:
        words = element(
            "div", element("span", foreign(bar.label)), element("span", bar.figure, class_="figure"),
            class_="words", aria_hidden="true",
        )  # fmt: skip
        of = whole if whole is not None else sum((one.size for one in bar.segments), Decimal(0))
        drawn = element(
            "svg", element("title", f"{bar.label}: {bar.figure}"), element("desc", bar.says),
            role="img", width="100%", height=str(BAR_PIXELS),
        )  # fmt: skip
        drawn.extend(_segments(bar.segments, of, BAR_PIXELS))
        made.append(element("div", words, drawn, class_="bar-row"))
    return made


def thin_bar(size: int, whole: int, kind: str) -> Element:
    """A bar in a cell beside its figure, which says the same."""
    made = element("svg", width="100%", height=str(THIN_PIXELS), aria_hidden="true", focusable="false")
    made.extend(_segments([Segment(size, kind)], whole, THIN_PIXELS))
    return made


def _segments(segments: Sequence[Segment], whole: int | Decimal, height: int) -> list[Element]:
    drawn = [(one, width) for one in segments if (width := hundredths(one.size, whole))]
    starts = accumulate((width for _, width in drawn), initial=0)
    return [
        element("rect", x=_percent(start), y="0", width=_percent(width), height=str(height), class_=f"bar {one.kind}")
        for (one, width), start in zip(drawn, starts, strict=False)
    ]


def hundredths(size: int | Decimal, whole: int | Decimal) -> int:
    """The width of a bar in hundredths of a percent: 0 for nothing, and enough to be seen for anything else."""
    if size <= 0 or whole <= 0:
        return 0
    return max(LEAST_HUNDREDTHS, min(WHOLE_HUNDREDTHS, int(WHOLE_HUNDREDTHS * Fraction(size) / Fraction(whole))))


def _percent(of: int) -> str:
    return f"{of // 100}.{of % 100:02d}%"
