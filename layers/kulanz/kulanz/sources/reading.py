"""How the body of a delivery is read: only the fields that are used, unknown ones ignored, and no instant guessed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from kulanz.domain.drafts.draft import TITLE_CHARACTERS
from kulanz.domain.drafts.reported import Mark, Part, Stamp

YEAR_EARLIEST = 2000
"""As in incident events. Alertmanager writes year 1 where an alert has no end."""
NEVER = "0001-"
"""How an instant begins that a source has not got yet."""
YEAR_LATEST = 2199
"""A later one is a mistake, or means never. What is counted from an instant stays far from the last year there is."""
CHANGES_PER_PART = 2_500
PART_BYTES = 350 * 1024
"""Of what is kept of one delivery: it fits into one item of DynamoDB, which has 400 KB."""
COMPONENTS_PER_PART = 500
ID_CHARACTERS = 200
URL_CHARACTERS = 500
FIELDS_NAMED = 5

_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)
_HTTP_DATE = re.compile(
    r"(?:[A-Z][a-z]{2}, )?[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}(?: (?:GMT|UTC|[+-][0-9]{4}))?",
    re.ASCII,
)
"""RFC 1123, as AWS Health writes. A zone is GMT or an offset: other names of zones mean different things."""
_SHOWN = re.compile(r"[A-Za-z0-9_]{1,64}(?:\.[A-Za-z0-9_]{1,64}){0,5}", re.ASCII).fullmatch


class SourceProblem(Exception):
    """A delivery that its source's module cannot read. `reason` is a code; the text repeats no value of the body."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """What the configuration says of how a source is read.

    `zone` is that of instants without one, None where there is to be none. `began` and `ended` are names of the
    company's own timestamps, and `components` that of its field of affected components, where the source has such.
    """

    zone: tzinfo | None = None
    began: str = ""
    ended: str = ""
    components: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a delivery says. `speaker` is the page, account or service that it is from: None where such a body names
    none, empty where it could and does not.

    No parts: it is about nothing that becomes an incident.
    """

    parts: tuple[Part, ...] = ()
    speaker: str | None = None


class Fields(BaseModel):
    """The fields of a body that are read. Sources add others at will."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


def read_fields[Model: BaseModel](model: type[Model], body: object) -> Model:
    """Read a body. Raises SourceProblem naming the first wrong fields, and no value."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        named = [".".join(map(str, one["loc"])) or "the body" for one in problems[:FIELDS_NAMED]]
        shown = ", ".join(one if _SHOWN(one) or one == "the body" else "(a field)" for one in dict.fromkeys(named))
        raise SourceProblem("not_of_this_source", f"not what this source sends; look at: {shown}") from None


@dataclass(slots=True)
class Times:
    """Reads the instants of one body, and remembers what was wrong with them."""

    zone: tzinfo | None = None
    marks: set[Mark] = field(default_factory=set)

    def stamp(self, text: object, named: str) -> Stamp | None:
        """The instant that a field states, in UTC; None where it is empty, is year 1 ("not yet"), or cannot be read."""
        if text is None or text == "":
            return None
        try:
            at = self._instant(text if isinstance(text, str) else "")
        except (ValueError, OverflowError, TypeError):
            self.marks.add(Mark.TIME_UNREADABLE)
            return None
        if at is not None and not YEAR_EARLIEST <= at.year <= YEAR_LATEST:
            self.marks.add(Mark.TIME_UNREADABLE)
            return None
        return None if at is None else Stamp(at, named)

    def _instant(self, text: str) -> datetime | None:
        found = _ISO.fullmatch(text)
        if found is None:
            if _HTTP_DATE.fullmatch(text) is None:
                raise ValueError("no instant")
            return self._with_zone(parsedate_to_datetime(text))
        day, clock, fraction, zone = found.groups()
        if day.startswith(NEVER):
            return None
        microseconds = (fraction or "").ljust(6, "0")[:6]
        return self._with_zone(datetime.fromisoformat(f"{day}T{clock}.{microseconds}{zone or ''}"))

    def _with_zone(self, at: datetime) -> datetime:
        if at.tzinfo is None:
            self.marks.add(Mark.TIME_WITHOUT_ZONE)
            if self.zone is None:
                raise ValueError("no zone")
            at = at.replace(tzinfo=self.zone)
            if at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset():
                raise ValueError("the clock shows this time twice, or never: which instant it is nobody states")
        return at.astimezone(UTC)


def is_stated(text: str | None) -> bool:
    """Whether a field states an instant, also one that cannot be read: then it is over, and nobody knows when."""
    return bool(text) and not str(text).startswith(NEVER)


def one_line(text: str, most: int = TITLE_CHARACTERS) -> str:
    """A text without control characters and line breaks, cut to what an incident event takes."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:most]


def identifier(text: str) -> str:
    """An id of the source's own. Raises SourceProblem where it cannot be one."""
    if not 1 <= len(text) <= ID_CHARACTERS or not text.isprintable():
        raise SourceProblem("not_of_this_source", f"expected ids of 1 to {ID_CHARACTERS} printable characters")
    return text


def within_limits(part: Part) -> Part:
    """The part. Raises SourceProblem where it has more than can be kept."""
    told = part.reported
    is_long = len(told.changes) > CHANGES_PER_PART or len(told.components) > COMPONENTS_PER_PART
    if is_long or len(told.text.encode("utf-8", "surrogatepass")) > PART_BYTES:
        raise SourceProblem(
            "too_large",
            f"an incident has at most {CHANGES_PER_PART} status changes and {COMPONENTS_PER_PART} components; record it"
            " by hand",
        )
    return part


def of_word[Meaning](words: Mapping[str, Meaning], word: str | None, other: Meaning) -> Meaning:
    """What a word of the source means."""
    return other if word is None else words.get(word.strip().lower(), other)


def text_of(value: Any) -> str:
    """A text, or nothing where a field is null or of another type."""
    return value if isinstance(value, str) else ""
