"""Pictures as inline SVG. Widths are shares of the space there is, so that letters keep their size on every screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from xml.etree.ElementTree import Element

from kulanz.domain.time import MICROSECOND
from kulanz_console.drawing.markup import element, foreign, instant_text
from kulanz_console.drawing.said import Said, joined

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
        titled = Said("{label}: {figure}", label=bar.label, figure=bar.figure)
        drawn = element(
            "svg", element("title", titled), element("desc", bar.says),
            role="img", width="100%", height=str(BAR_PIXELS),
        )  # fmt: skip
        drawn.extend(_segments(bar.segments, of, BAR_PIXELS))
        made.append(element("div", words, drawn, class_="bar-row"))
    return made


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, half-open; `end` is None while it lasts. `says` is what it is, `kind` its colour's class."""

    start: datetime
    end: datetime | None
    kind: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class TimeRow:
    """A line of a timeline: what it is about, and its spans."""

    label: str
    spans: Sequence[Span]


def timeline(title: str, rows: Sequence[TimeRow], now: datetime) -> Element | None:
    """Spans to one scale, from the first start to the last end; what lasts goes on until `now`.

    None where there is nothing, or no length to draw. Each row is an image with its instants in words.
    """
    spans = [span for row in rows for span in row.spans]
    if not spans:
        return None
    first = min(span.start for span in spans)
    last = max(max(span.start, now) if span.end is None else span.end for span in spans)
    if last <= first:
        return None
    made = element("figure", element("figcaption", foreign(title)))
    for row in rows:
        says = joined("; ", map(_span_words, row.spans))
        words = element(
            "div", element("span", foreign(row.label)), element("span", _whole(row.spans), class_="figure"),
            class_="words", aria_hidden="true",
        )  # fmt: skip
        drawn = element(
            "svg", element("title", row.label), element("desc", says), role="img", width="100%", height=str(BAR_PIXELS)
        )
        drawn.append(element("rect", x="0", y="0", width="100%", height=str(BAR_PIXELS), class_="bar none"))
        for span in row.spans:
            end = max(span.start, now) if span.end is None else span.end
            start = _hundredths_of(span.start - first, last - first)
            width = max(LEAST_HUNDREDTHS, _hundredths_of(end - span.start, last - first))
            drawn.append(
                element(
                    "rect", x=_percent(min(start, WHOLE_HUNDREDTHS - LEAST_HUNDREDTHS)), y="0", width=_percent(width),
                    height=str(BAR_PIXELS), class_=f"bar {span.kind}",
                )
            )  # fmt: skip
        made.append(element("div", words, drawn, class_="bar-row"))
    ends = element("div", element("span", instant_text(first)), element("span", instant_text(last)), class_="words")
    made.append(ends)
    return made


def _hundredths_of(part: timedelta, whole: timedelta) -> int:
    return int(WHOLE_HUNDREDTHS * Fraction(part // MICROSECOND, whole // MICROSECOND))


def _span_words(span: Span) -> str:
    end = "now" if span.end is None else instant_text(span.end)
    return joined(" ", (span.says, Said("{start} to {end}", start=instant_text(span.start), end=end)))


def _whole(spans: Sequence[Span]) -> str:
    """How long the spans are together; that they go on where one does."""
    if any(span.end is None for span in spans):
        return "goes on"
    return seconds_words(sum((span.end - span.start for span in spans if span.end is not None), timedelta()))


def seconds_words(length: timedelta) -> str:
    """A length for people, in whole seconds."""
    return str(timedelta(seconds=length // timedelta(seconds=1)))


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
