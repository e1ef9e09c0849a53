"""The discretion file: for which reasons persons decide and give by hand, and up to which amounts.

It is published like the people file: versions from 1, none of which changes; the highest one holds. Until one is
published nobody may: what has no limit has the limit nothing. An amount within the limits for one person needs nobody
else. One above them, and within those for two, needs a second person. What is above both is refused.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, NotRequired, TypedDict

from kulanz.domain.byhand.sizes import MEASURE_EXPECTED, is_measure, largest, parse_size, size_text
from kulanz.domain.canonical import canonical_json
from kulanz.domain.money import AmountError, Size, is_currency
from kulanz.domain.people.people import Listed
from kulanz.domain.policy.document.owed import BILL, NOTHING_BILLED, Bill
from kulanz.domain.policy.language.errors import PolicyError
from kulanz.domain.time import TimeError, zone_of

DISCRETION_LANGUAGE = 1
VERSION_HIGHEST = 99_999
REASONS_MOST = 100
MEASURES_MOST = 60
"""Currencies and units of one list of limits: as many as a plan looks at."""
TITLE_CHARACTERS = 100
CODE_CHARACTERS = 40
LIMIT_NAMES = ("decision", "person_month", "account_month")
BYTES_MOST = 256 * 1024
"""Of a published file: a hundred reasons and all limits take a tenth of it."""

_CODE = re.compile(rf"[a-z][a-z0-9_]{{0,{CODE_CHARACTERS - 1}}}", re.ASCII)

type Path = tuple[str | int, ...]


class ByHand(StrEnum):
    """What a person does by hand: decide a case, or give something anyway."""

    CASES = "cases"
    GOODWILL = "goodwill"


class LimitsContract(TypedDict):
    """Amounts as texts, such as "50.00": of one decision, and of one person and one account in a month."""

    decision: str
    person_month: str
    account_month: str


class MeasureContract(TypedDict):
    """What one person may give without anybody else, and what two may; at least one of both."""

    alone: NotRequired[LimitsContract]
    two: NotRequired[LimitsContract]


class BillContract(TypedDict):
    """How billing books what is given for a reason, as a policy's `bill:` says it; at least one of them."""

    text: NotRequired[str]
    reason_code: NotRequired[str]
    treatment: NotRequired[str]
    ledger_account: NotRequired[str]


class ReasonContract(TypedDict):
    """A reason: its title, whether it needs a note, and how billing books goodwill that is given for it.

    Without `note`, a note may be left out. Without `bill`, billing is told nothing of that.
    """

    title: str
    note: NotRequired[bool]
    bill: NotRequired[BillContract]


class DiscretionContract(TypedDict):
    """A discretion file. `zone` is where its months begin; limits are by currency or unit."""

    kulanz_discretion: int
    version: int
    zone: str
    reasons: Mapping[str, ReasonContract]
    goodwill: NotRequired[Mapping[str, MeasureContract]]
    cases: NotRequired[Mapping[str, MeasureContract]]


class DiscretionError(ValueError):
    """What is wrong with a discretion file: the entry, what was expected there, and what to do."""

    def __init__(self, problem: str, path: Path = ()) -> None:
        self.problem = problem
        self.path = path
        super().__init__(f"{'.'.join(map(str, path))}: {problem}" if path else problem)


class NotAllowed(Exception):
    """A person may not do this by hand, whoever agrees. `reason` is a code, `field` what of the request it is about."""

    def __init__(self, reason: str, message: str, field_name: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.field_name = field_name


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason that persons give: its code, its title, whether a note has to stand beside it, and how it is booked."""

    code: str
    title: str
    needs_note: bool = False
    bill: Bill = NOTHING_BILLED


@dataclass(frozen=True, slots=True)
class Limits:
    """The most of one measure: of one decision, of one person in a month, and for one account in a month."""

    decision: Size
    person_month: Size
    account_month: Size

    def exceeded_by(self, size: Size, used: "Used") -> str:
        """The name of the first limit that `size` exceeds beside what is used; empty where it exceeds none."""
        if size > self.decision:
            return "decision"
        if used.person_month + size > self.person_month:
            return "person_month"
        return "account_month" if used.account_month + size > self.account_month else ""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What of one measure one person may give alone, and what two persons may; None for nothing at all."""

    alone: Limits | None = None
    two: Limits | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """What of one measure was given by hand in a month: by the person who asks, and to the account."""

    person_month: Size = 0
    account_month: Size = 0


class Needs(StrEnum):
    """Who has to agree: nobody else, or a second person."""

    NOBODY = "nobody"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class Discretion:
    """A version of the file. `version` 0 is the one that holds until a file is published: nobody may do anything."""

    version: int = 0
    digest: str = ""
    zone: str = "UTC"
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    limits: Mapping[ByHand, Mapping[str, Allowed]] = field(default_factory=dict)

    def month_of(self, now: datetime) -> str:
        """The month in which an instant counts, such as 2026-11."""
        return f"{now.astimezone(zone_of(self.zone)):%Y-%m}"

    def reason(self, code: str, note: str) -> Reason:
        """A reason that may be given with a note. Raises NotAllowed."""
        found = self.reasons.get(code)
        if found is None:
            listed = ", ".join(self.reasons) or "none, because no discretion file is published"
            raise NotAllowed(
                "reason_unknown", f"expected one of the reasons of the discretion file: {listed}", "reason"
            )
        if found.needs_note and not note.strip():
            raise NotAllowed("note_missing", f"the reason {code} needs a note", "note")
        return found


NO_DISCRETION = Discretion()


def needs(
    asked: ByHand, measure: str, size: Size, used: Used, discretion: Discretion, person: Listed | None = None
) -> Needs:
    """Who has to agree to an amount, beside who asks for it. Raises NotAllowed where nobody may give it.

    `person` is whoever asks, as the people file lists them: an entry there lowers what they may give alone, and a
    currency that it does not name is none. What has no limit in the discretion file is nobody's to give.
    """
    if size <= 0:
        raise NotAllowed("amount_not_positive", "expected an amount above zero", "amount")
    allowed = discretion.limits.get(asked, {}).get(measure)
    if allowed is None:
        others = ", ".join(sorted(discretion.limits.get(asked, {}))) or "nothing"
        raise NotAllowed(
            "limit_none",
            f"the discretion file has no limit in {measure} for {asked.value}, so nobody may give any; it has limits in"
            f" {others}. Correct the currency or unit, or ask whoever publishes policies for the next version",
            "measure",
        )
    alone, most = allowed.alone, allowed.two or allowed.alone
    own = _own_limit(asked, measure, person)
    if alone is not None and not alone.exceeded_by(size, used) and (own is None or size <= own):
        return Needs.NOBODY
    assert most is not None  # _allowed: one of both is stated
    beyond = most.exceeded_by(size, used)
    if not beyond and allowed.two is not None:
        return Needs.SECOND
    if not beyond:
        raise NotAllowed("amount_above_own_limit", "the people file has a lower limit for this person", "amount")
    limit: Size = getattr(most, beyond)
    raise NotAllowed(f"{beyond}_exceeded", _EXCEEDED[beyond].format(size_text(limit, measure)), "amount")


_EXCEEDED = {
    "decision": "one decision gives at most {}, whoever agrees",
    "person_month": "what one person gives in a month is at most {}, whoever agrees; this amount exceeds it",
    "account_month": "what one account is given in a month is at most {}, whoever agrees; this amount exceeds it",
}


def _own_limit(asked: ByHand, measure: str, person: Listed | None) -> Size | None:
    """What a person may give alone of a currency by the people file; None where that does not say."""
    stated = () if person is None else {ByHand.CASES: person.decide, ByHand.GOODWILL: person.goodwill}[asked]
    if not stated or not is_currency(measure):
        return None
    return next((money.minor for money in stated if money.currency == measure), 0)


def read_discretion(content: Any, digest: str = "") -> Discretion:
    """Read the file's plain data, as YAML or JSON gave it. Raises DiscretionError with the entry.

    `digest` is the hash of the published content that it was read from; without one it is worked out.
    """
    entries = _mapping(content, (), ("kulanz_discretion", "version", "zone", "reasons", "cases", "goodwill"))
    language = entries.get("kulanz_discretion")
    if language != DISCRETION_LANGUAGE or isinstance(language, bool):
        raise DiscretionError(f"expected kulanz_discretion: {DISCRETION_LANGUAGE} in the first line")
    version = entries.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= VERSION_HIGHEST:
        raise DiscretionError(
            f"expected a whole number from 1 to {VERSION_HIGHEST}, one more than before", ("version",)
        )
    zone = entries.get("zone")
    try:
        zone_of(zone if isinstance(zone, str) else "")
    except TimeError as error:
        raise DiscretionError(f"{error}; its months are counted", ("zone",)) from None
    listed = entries.get("reasons")
    if not isinstance(listed, dict) or not 1 <= len(listed) <= REASONS_MOST:
        raise DiscretionError(f"expected 1 to {REASONS_MOST} reasons, written as code: and their title", ("reasons",))
    return Discretion(
        version,
        digest or sha256(canonical_json(content).encode()).hexdigest(),
        str(zone),
        {code: _reason(code, raw) for code, raw in listed.items()},
        {kind: _by_measure(entries[kind.value], (kind.value,)) for kind in ByHand if kind.value in entries},
    )


def discretion_json(content: Any) -> bytes:
    """A file's plain data as it is published. Raises DiscretionError."""
    read_discretion(content)
    published = canonical_json(content).encode()
    if len(published) > BYTES_MOST:
        raise DiscretionError(f"expected at most {BYTES_MOST} bytes as it is published")
    return published


def discretion_from_json(published: bytes) -> Discretion:
    """A published file. Raises DiscretionError."""
    try:
        content = json.loads(published)
    except (ValueError, RecursionError):
        raise DiscretionError("expected JSON, as `kulanz discretion publish` writes it") from None
    return read_discretion(content, sha256(published).hexdigest())


def must_follow(before: Discretion, after: Discretion) -> None:
    """What a version may change of the one before: all but the codes of reasons, and how each is booked.

    What was given for a reason names its code for years. So a code stays, and answers can say what it means. The sums
    of a month are kept by it, so its bill stays too; it may get one later. Raises DiscretionError with the entry.
    """
    if after.version != before.version + 1:
        raise DiscretionError(f"version {before.version} is published; expected {before.version + 1}", ("version",))
    for code, reason in before.reasons.items():
        if code not in after.reasons:
            raise DiscretionError("this reason was given before; keep its code", ("reasons", code))
        if reason.bill not in (NOTHING_BILLED, after.reasons[code].bill):
            problem = "what was given for this reason is booked so; keep it, and use another code to book otherwise"
            raise DiscretionError(problem, ("reasons", code, "bill"))


def _mapping(raw: Any, path: Path, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise DiscretionError(f"expected entries written as name: value; known here: {', '.join(known)}", path)
    for key in raw:
        if key not in known:
            raise DiscretionError(f"unknown entry; known here: {', '.join(known)}", (*path, str(key)))
    return raw


def _reason(code: Any, raw: Any) -> Reason:
    path: Path = ("reasons", str(code))
    if not isinstance(code, str) or _CODE.fullmatch(code) is None:
        raise DiscretionError("expected a code of lower-case letters, digits and _, such as long_wait", path)
    entries = _mapping(raw, path, ("title", "note", "bill"))
    title, note = entries.get("title"), entries.get("note", False)
    if not isinstance(title, str) or not title.strip() or not title.isprintable() or len(title) > TITLE_CHARACTERS:
        raise DiscretionError(f"expected one line of at most {TITLE_CHARACTERS} characters", (*path, "title"))
    if not isinstance(note, bool):
        raise DiscretionError("expected true where a note is needed, else false", (*path, "note"))
    return Reason(code, title, note, _bill(entries["bill"], (*path, "bill")) if "bill" in entries else NOTHING_BILLED)


def _bill(raw: Any, path: Path) -> Bill:
    try:
        found: Bill = BILL.read(raw, path)
    except PolicyError as error:
        raise DiscretionError(error.problem, error.path) from None
    if not isinstance(found.text, str):
        raise DiscretionError("expected one text: goodwill does not say in which language its bill is", (*path, "text"))
    return found


def _by_measure(raw: Any, path: Path) -> Mapping[str, Allowed]:
    if not isinstance(raw, dict) or len(raw) > MEASURES_MOST:
        raise DiscretionError(f"expected at most {MEASURES_MOST} measures, written as EUR: and their limits", path)
    return {measure: _allowed(measure, entry, (*path, str(measure))) for measure, entry in raw.items()}


def _allowed(measure: Any, raw: Any, path: Path) -> Allowed:
    if not is_measure(measure):
        raise DiscretionError(f"expected {MEASURE_EXPECTED}", path)
    entries = _mapping(raw, path, ("alone", "two"))
    alone, two = (_limits(entries.get(name), measure, (*path, name)) for name in ("alone", "two"))
    if alone is None and two is None:
        raise DiscretionError("expected alone: with limits, or two: with limits, or both", path)
    if alone is not None and two is not None:
        for name in LIMIT_NAMES:
            if getattr(two, name) < getattr(alone, name):
                raise DiscretionError("two persons may give less than one alone; raise this", (*path, "two", name))
    return Allowed(alone, two)


def _limits(raw: Any, measure: str, path: Path) -> Limits | None:
    if raw is None:
        return None
    entries = _mapping(raw, path, LIMIT_NAMES)
    decision, person_month, account_month = (_size(entries.get(name), measure, (*path, name)) for name in LIMIT_NAMES)
    if decision > largest(measure):
        raise DiscretionError(f"expected at most {size_text(largest(measure), measure)}", (*path, "decision"))
    for name, size in (("person_month", person_month), ("account_month", account_month)):
        if size < decision:
            raise DiscretionError("a month allows less than one decision; raise this", (*path, name))
    return Limits(decision, person_month, account_month)


def _size(raw: Any, measure: str, path: Path) -> Size:
    text = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw
    try:
        size = parse_size(text if isinstance(text, str) else "", measure)
    except AmountError as error:
        raise DiscretionError(f'{error}; put it in quotes, such as "50.00"', path) from None
    if not size:
        raise DiscretionError("expected an amount above zero; leave the limits out where nothing is allowed", path)
    return size
