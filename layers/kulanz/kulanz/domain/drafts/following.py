"""Whether a draft waits for a person, and the words that status notices may take from it. Neither counts any time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kulanz.domain.drafts.draft import Draft
from kulanz.domain.drafts.reported import OVER, Mark

POLLED_AFTER_END = timedelta(days=3)
"""So long after an incident's end its page is asked again: ends and times are corrected late."""
WAITS_LONG_AFTER = timedelta(days=1)
"""A draft that a person was asked for so long ago stands above the campaigns that wait."""

_NOTHING_TO_CONFIRM = frozenset({Mark.SUPPLIER, Mark.NOT_BEGUN, Mark.MERGED, Mark.CANCELLED})


class Waits(StrEnum):
    """Why a draft waits for a person. NEW: nobody has confirmed it. CHANGED: the source reports something else than was
    confirmed or dismissed. HELD: a component is neither mapped nor ignored.
    """

    NO = ""
    NEW = "new"
    CHANGED = "changed"
    HELD = "held"


LONG_WAITING_SAYS: dict[Waits, str] = {
    Waits.NEW: "a draft of an incident was never confirmed; kulanz draft {draft} shows it",
    Waits.CHANGED: "the source reports something else than a person has decided on; kulanz draft {draft} shows what",
    Waits.HELD: "a component is neither mapped nor ignored; kulanz draft {draft} says which",
}
"""What is said of a draft that has waited for long."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a status notice says of an incident that nobody has confirmed: no window, no length, no amount."""

    title: str
    service: str
    functions: tuple[str, ...]
    course: str
    is_planned: bool


@dataclass(frozen=True, slots=True)
class Followed:
    """What was last said of a draft, and to whom. `count` counts the changes of this record.

    A person was asked for the reason `asked` and the draft's `digest`, first at `asked_at`. `words` are those of the
    latest status notice, its `number` counts them from 1, and `is_sent` says whether it was published.
    """

    count: int = 0
    asked: Waits = Waits.NO
    digest: str = ""
    asked_at: datetime | None = None
    words: Words | None = None
    number: int = 0
    said_at: datetime | None = None
    is_sent: bool = True


def waits_for(draft: Draft, confirmed_digest: str | None, dismissed_digest: str | None = None) -> Waits:
    """Why a draft waits for a person; the digests are those of the draft as it was confirmed, or dismissed, last.

    What was dismissed waits no more, until the source reports something else.
    """
    if draft.digest in (confirmed_digest, dismissed_digest):
        return Waits.NO
    if confirmed_digest is not None:
        return Waits.CHANGED
    waits = _unconfirmed(draft)
    return Waits.CHANGED if waits is Waits.NEW and dismissed_digest is not None else waits


def _unconfirmed(draft: Draft) -> Waits:
    if draft.marks & _NOTHING_TO_CONFIRM:
        return Waits.NO
    if draft.unmapped:
        return Waits.HELD
    return Waits.NEW if _has_something_to_confirm(draft) else Waits.NO


def _has_something_to_confirm(draft: Draft) -> bool:
    """Whether a draft proposes a window, or a person may have to give one. Windows below the minimum are neither."""
    if draft.rule is None:
        return False  # all of its components are ignored, or it names none
    if draft.windows or Mark.BELOW_MINIMUM in draft.marks:
        return bool(draft.windows)
    is_out = any(one.timeline.spans for one in draft.components)
    return is_out or bool(draft.marks & {Mark.END_MISSING, Mark.TIME_UNREADABLE})


def words_of(draft: Draft) -> Words | None:
    """The words for a status notice; None where there is nothing to say: of no service, a supplier's, or not begun."""
    if draft.rule is None or draft.marks & {Mark.SUPPLIER, Mark.NOT_BEGUN}:
        return None
    course = "unknown" if draft.course is None else draft.course.value
    return Words(draft.title or draft.id, draft.rule.text, draft.functions, course, draft.is_planned)


def may_still_change(draft: Draft, now: datetime) -> bool:
    """Whether its page is worth asking: while it goes on, and for `POLLED_AFTER_END`."""
    if draft.course not in OVER:
        return True
    return draft.ended is not None and now - draft.ended.at < POLLED_AFTER_END
