"""The contract of the events on the bus, and the values they become.

Unknown fields are refused with their path, so that a misspelt field never silently changes who is paid.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Self
from unicodedata import category

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from kulanz.application.incidents.wrong_fields import wrong_fields
from kulanz.domain.campaigns.campaign import LINES_PER_LIST, OTHERS_NAMED
from kulanz.domain.campaigns.limits import AMOUNT, PERCENT, stated_limits
from kulanz.domain.canonical import canonical_json
from kulanz.domain.identifiers import (
    IDENTIFIER_LENGTH_CHARACTERS,
    INCIDENT_ID_EXPECTED,
    is_incident_id,
    month_of_goodwill,
)
from kulanz.domain.incident_record import REVISION_HIGHEST, DetailType
from kulanz.domain.lists.header import COLUMNS_PER_LIST
from kulanz.domain.lists.id_shape import PATTERN_CHARACTERS, IdShape
from kulanz.domain.policy.document.document import VERSION_HIGHEST
from kulanz.domain.time import Window, format_instant, parse_instant

WINDOWS_PER_INCIDENT = 200
WINDOW_YEAR_EARLIEST = 2000
FUNCTIONS_PER_INCIDENT = 50
FACTS_PER_INCIDENT = 100
PARAMETERS_PER_POLICY = 20
TEXT_CHARACTERS = 500
FUNCTION_CHARACTERS = 100
FACT_NAME_CHARACTERS = 200
KEY_CHARACTERS = 1024
INLINE_ROWS = 1_000
INLINE_DEPTH = 8
"""Of values within values in a row: the deepest fact, a list of windows, needs three."""
LIMITED_MEASURES = 20
"""Currencies and units that a request states limits for."""
ERRORS_SHOWN = 10


class EventRefused(Exception):
    """An event is not acted on. `reason` is a code, `field` a path or empty; the text says what to do about it."""

    def __init__(self, reason: str, field: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field


class _Contract(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


def _printable(value: str) -> str:
    if any(category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value):
        raise ValueError("one line of text without control characters")
    return value


_Text = Annotated[str, Field(min_length=1, max_length=TEXT_CHARACTERS), AfterValidator(_printable)]
_Function = Annotated[str, Field(min_length=1, max_length=FUNCTION_CHARACTERS), AfterValidator(_printable)]
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
_FactName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}(\.[a-z][a-z0-9_]{0,63})*$", max_length=FACT_NAME_CHARACTERS)
]
_FactScalar = Annotated[str, Field(max_length=TEXT_CHARACTERS), AfterValidator(_printable)] | bool | int | None
"""Incident facts travel as text, whole numbers or booleans; decimals are text, as JSON has only binary fractions."""


def _incident_id(value: str) -> str:
    if not is_incident_id(value):
        raise ValueError(INCIDENT_ID_EXPECTED)
    return value


class WindowContract(_Contract):
    """A span of outage, half-open, with time zones stated; without `end` the outage goes on."""

    start: str
    end: str | None = None

    @field_validator("start", "end")
    @classmethod
    def _is_instant(cls, value: str | None, info: ValidationInfo) -> str | None:
        if info.field_name == "end" and value == "":
            raise ValueError("state the instant of the end, or leave the field out while the outage goes on")
        return None if value is None else format_instant(parse_instant(value))

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if parse_instant(self.start).year < WINDOW_YEAR_EARLIEST:
            raise ValueError(f"a window starts in {WINDOW_YEAR_EARLIEST} or later; correct the year")
        if self.end is not None and parse_instant(self.end) == parse_instant(self.start):
            raise ValueError(
                "start and end are the same instant, so the outage has no length; correct one of them, or declare the"
                " incident when its end is known (without an end, it is taken to go on)"
            )
        if self.end is not None and parse_instant(self.end) < parse_instant(self.start):
            raise ValueError("a window ends before it starts; correct them, or exchange start and end")
        return self

    def window(self) -> Window:
        """The window as a value."""
        return Window(parse_instant(self.start), None if self.end is None else parse_instant(self.end))


class PolicyReference(_Contract):
    """A published policy, and the readings chosen where it leaves a choice."""

    id: Annotated[str, Field(max_length=IDENTIFIER_LENGTH_CHARACTERS)]
    version: Annotated[int, Field(ge=1, le=VERSION_HIGHEST)]
    parameters: Annotated[dict[_Name, _Text], Field(max_length=PARAMETERS_PER_POLICY)] = Field(default_factory=dict)

    _is_id = field_validator("id")(_incident_id)


class S3Reference(_Contract):
    """One version of an object in the configured list bucket, under its list prefix.

    The version is stated, so that nobody who uploads a list after it was checked decides who is paid.
    """

    bucket: Annotated[str, Field(min_length=3, max_length=63)]
    key: Annotated[str, Field(min_length=1, max_length=KEY_CHARACTERS)]
    version_id: Annotated[str, Field(min_length=1, max_length=KEY_CHARACTERS)]


class IdShapeContract(_Contract):
    """The shape that all ids of the list have: a pattern, a length in characters, a check digit by its name."""

    pattern: Annotated[str, Field(max_length=PATTERN_CHARACTERS)] = ""
    minimum: Annotated[int, Field(ge=1, le=IDENTIFIER_LENGTH_CHARACTERS)] = 1
    maximum: Annotated[int, Field(ge=1, le=IDENTIFIER_LENGTH_CHARACTERS)] = IDENTIFIER_LENGTH_CHARACTERS
    check: Annotated[str, Field(max_length=PATTERN_CHARACTERS)] = ""

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        self.shape()
        return self

    def shape(self) -> IdShape:
        """The shape as a value."""
        return IdShape(self.pattern, self.minimum, self.maximum, self.check)


class Affected(_Contract):
    """The affected accounts: a list in the bucket, or the rows themselves; and how many rows there are.

    `account_ids` and `subject_ids` state the shape of the list's ids; the first replaces the one of the stack.
    """

    s3: S3Reference | None = None
    inline: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=INLINE_ROWS)] | None = None
    rows: Annotated[int, Field(ge=1, le=LINES_PER_LIST)]
    account_ids: IdShapeContract | None = None
    subject_ids: IdShapeContract | None = None

    @field_validator("inline", mode="before")
    @classmethod
    def _is_flat(cls, value: object) -> object:
        if is_deeper(value, INLINE_DEPTH + 1):  # of which one is the list of the rows
            raise ValueError(f"a row is nested at most {INLINE_DEPTH} deep; write its facts as a list has them")
        return value

    @field_validator("inline")
    @classmethod
    def _can_be_written(cls, value: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
        try:
            canonical_json(value).encode()
        except UnicodeEncodeError:
            raise ValueError(
                "a row holds half of a surrogate pair, which no list can hold; send whole characters"
            ) from None
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.s3 is None) == (self.inline is None):
            raise ValueError("the accounts come either by s3 or by inline; give exactly one")
        return self


def is_deeper(value: object, most: int) -> bool:
    """Whether lists and objects of a JSON value lie more than `most` deep within each other."""
    level = [value]
    for _ in range(most + 1):
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return bool(level)


_Share = Annotated[str, Field(pattern=f"^(?:{PERCENT.pattern})$")]
_Sizes = Annotated[
    list[Annotated[str, Field(pattern=f"^(?:{AMOUNT.pattern})$")]], Field(min_length=1, max_length=LIMITED_MEASURES)
]


class LimitsContract(_Contract):
    """What the list may come to; a plan outside is refused. They take the place of the policy's, each by itself."""

    rejected: _Share | None = None
    conflicts: _Share | None = None
    nearly_equal: _Share | None = None
    held: _Share | None = None
    known: _Share | None = None
    largest: _Sizes | None = None
    total: _Sizes | None = None

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        stated_limits({"request": self.stated()})
        return self

    def stated(self) -> dict[str, Any]:
        """The limits that are stated, by name."""
        return self.model_dump(exclude_none=True)


_Column = Annotated[str, Field(min_length=1, max_length=FACT_NAME_CHARACTERS), AfterValidator(_printable)]


class CampaignContract(_Contract):
    """A request to decide the affected accounts under a policy.

    `limits` are what the list may come to. `ignored_columns` are columns of the list that nothing reads, and that is
    meant: they look like a fact of the policy, or state a currency. `same_outage_as` are other incidents that pay the
    same list for the same windows and service, and that is meant, too.
    """

    policy: PolicyReference
    affected: Affected
    limits: LimitsContract | None = None
    ignored_columns: Annotated[list[_Column], Field(max_length=COLUMNS_PER_LIST)] = Field(default_factory=list)
    same_outage_as: Annotated[
        list[Annotated[str, Field(max_length=IDENTIFIER_LENGTH_CHARACTERS), AfterValidator(_incident_id)]],
        Field(max_length=OTHERS_NAMED),
    ] = Field(default_factory=list)


class IncidentContract(_Contract):
    """What an incident event states. `revision` rises with every change of the facts."""

    incident_id: str
    revision: Annotated[int, Field(ge=1, le=REVISION_HIGHEST)]
    title: _Text
    service: _Text
    functions: Annotated[list[_Function], Field(max_length=FUNCTIONS_PER_INCIDENT)] = Field(default_factory=list)
    windows: Annotated[list[WindowContract], Field(min_length=1, max_length=WINDOWS_PER_INCIDENT)]
    cause: _Text | None = None
    facts: Annotated[dict[_FactName, _FactScalar], Field(max_length=FACTS_PER_INCIDENT)] = Field(default_factory=dict)
    campaign: CampaignContract | None = None

    _is_id = field_validator("incident_id")(_incident_id)

    @field_validator("windows")
    @classmethod
    def _only_last_is_open(cls, value: list[WindowContract], _: ValidationInfo) -> list[WindowContract]:
        if any(window.end is None for window in value[:-1]):
            raise ValueError("only the last window may be without an end")
        return value


class CampaignRequestContract(_Contract):
    """What a campaign request states: which recorded revision is decided, and how.

    `decision_digest` is that of the revision's windows, service, functions, cause and facts: a number alone may have
    been taken by somebody else's revision.
    """

    incident_id: str
    revision: Annotated[int, Field(ge=1, le=REVISION_HIGHEST)]
    decision_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    campaign: CampaignContract

    _is_id = field_validator("incident_id")(_incident_id)


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """An event as it is acted on: the facts of a revision, a campaign request, or both."""

    source: str
    detail_type: DetailType
    incident_id: str
    revision: int
    content: bytes | None
    request: CampaignContract | None
    decision_digest: str = ""
    """What a request that states no facts itself means; empty in an event that states them."""

    @property
    def content_digest(self) -> str:
        """What makes two tellings of a revision the same."""
        return _digest({"type": self.detail_type.value}, self.content or b"")

    @property
    def request_digest(self) -> str:
        """What makes two campaign requests the same campaign."""
        content: dict[str, Any] = {} if self.request is None else self.request.model_dump(mode="json")
        for place, later in _STATED_LATER:  # without them a request is the same as before they were there
            part = content.get(place, {}) if place else content
            if not part.get(later):
                part.pop(later, None)
        request = canonical_json(content).encode() if content else b""
        return _digest({"incident_id": self.incident_id, "revision": self.revision}, request)


_STATED_LATER = (
    *(("", "limits"), ("", "ignored_columns"), ("", "same_outage_as")),
    *(("affected", "account_ids"), ("affected", "subject_ids")),
)
"""What a request can state and once could not, each with the part that it stands in."""


def _digest(head: dict[str, Any], content: bytes) -> str:
    return sha256(canonical_json(head).encode() + b"\n" + content).hexdigest()


def read_incident_event(source: str, detail_type: str, detail: object) -> IncidentEvent:
    """Validate an event of the bus. Raises EventRefused naming every wrong field (the first ten)."""
    try:
        known = DetailType(detail_type)
    except ValueError:
        names = ", ".join(kind.value for kind in DetailType)
        raise EventRefused("detail_type_unknown", "detail-type", f"expected one of: {names}") from None
    try:
        if known is DetailType.CAMPAIGN_REQUESTED:
            request = CampaignRequestContract.model_validate(detail)
            _must_not_be_reserved(request.incident_id)
            named = request.incident_id, request.revision, None, request.campaign, request.decision_digest
            return IncidentEvent(source, known, *named)
        incident = IncidentContract.model_validate(detail)
    except ValidationError as error:
        raise _refused(error) from None
    _must_not_be_reserved(incident.incident_id)
    _check_fits(known, incident)
    content = canonical_json(incident.model_dump(mode="json", exclude={"campaign"})).encode()
    return IncidentEvent(source, known, incident.incident_id, incident.revision, content, incident.campaign)


def _must_not_be_reserved(incident_id: str) -> None:
    """The goodwill of a month is kept under an incident's id, which nobody reports."""
    if month_of_goodwill(incident_id):
        raise EventRefused(
            "incident_reserved",
            "detail.incident_id",
            "the ids goodwill-<month> are those of what persons give by hand; give the incident another id",
        )


def _check_fits(detail_type: DetailType, incident: IncidentContract) -> None:
    """Refuse a revision whose facts contradict what its detail type says of them."""
    if detail_type is DetailType.WITHDRAWN and incident.campaign is not None:
        raise EventRefused(
            "withdrawal_with_campaign",
            "detail.campaign",
            "a withdrawn incident credits nobody; leave the campaign out, or publish another detail-type",
        )
    if detail_type is DetailType.RESOLVED and incident.windows[-1].end is None:
        raise EventRefused(
            "resolved_without_end",
            f"detail.windows.{len(incident.windows) - 1}.end",
            "a resolved incident has ended; say when, or publish Incident Updated",
        )


def _refused(error: ValidationError) -> EventRefused:
    names = {name for contract in _Contract.__subclasses__() for name in contract.model_fields}
    fields = wrong_fields(error, names)
    shown = [f"{one.path or 'detail'}: {one.says}" for one in fields[:ERRORS_SHOWN]]
    more = len(fields) - len(shown)
    text = "; ".join(shown) + (f"; and {more} more" if more else "")
    return EventRefused("event_invalid", fields[0].path or "detail", text)
