"""One request of a person, as the views see it; and what they hand back."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kulanz_console.port import Kulanz, NotAnswered, Why
from kulanz_console.sessions import NOBODY, RIGHTS_LIFETIME, Session, Who
from kulanz_console.words import Words

AT_ONCE = 8
"""Questions that one page asks at the same time."""
PAGES_MOST = 20
"""Parts of a long answer that one page reads; then it says that there is more."""
ITEMS_MOST = 500
"""Of a list, on one page."""

type Answer = Mapping[str, Any]

RIGHTS = (
    *("halts.current", "accounts.ask", "deliveries.waiting", "acknowledgements.overdue", "audit.of_day"),
    *("policies.published", "approvals.act", "stops.act", "acceptances.accept", "halts.act", "budgets.act"),
    *("credits.act", "acknowledgements.late_credits", "voids.ask", "voids.decide", "drafts.confirm"),
    *("cases.of_month", "cases.decide", "cases.second", "goodwill.waiting", "goodwill.give", "goodwill.decide"),
    *("exports.sample", "accounts.ask_past"),
)
"""One use of each kind of work that a page shows or leaves out."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page to be written: its template and what stands in it."""

    template: str
    title: str
    content: Mapping[str, Any]
    status: int = 200


@dataclass(frozen=True, slots=True)
class File:
    """A file to be loaded down: its name, its type, and its text."""

    name: str
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """An action was done: where to go on, and what is said there."""

    path: str
    says: str


@dataclass(slots=True)
class Visit:
    """A request. `of` has the values of the path, `query` those of a question, `form` what a person filled in.

    `problem` is why a form was not taken: the same page is then shown again with what was filled in.
    """

    kulanz: Kulanz
    session: Session
    words: Words
    now: datetime
    of: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, Sequence[str]] = field(default_factory=dict)
    problem: str = ""
    path: str = "/"
    who: Who = NOBODY

    def may(self, use: str) -> bool:
        """Whether the page may show it, as of some minutes ago."""
        return self.session.rights.get(use, False)

    def learn_rights(self) -> None:
        """Find out what the person may do, once in some minutes. Raises NotAnswered."""
        ends_at = self.session.rights_end_at
        if ends_at is not None and self.now < ends_at:
            return
        self.session.rights = self.kulanz.rights(RIGHTS)
        self.session.rights_end_at = self.now + RIGHTS_LIFETIME

    def together(self, *questions: Callable[[], Any]) -> list[Any]:
        """The answers to some questions, asked at the same time."""
        return at_once(lambda ask: ask(), questions)

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **values: str | int) -> Answer:
        """Raises NotAnswered."""
        return self.kulanz.ask(use, query, **values)

    def if_known(self, use: str, **values: str | int) -> Answer | None:
        """An answer about something that need not exist. Raises NotAnswered."""
        try:
            return self.kulanz.ask(use, None, **values)
        except NotAnswered as problem:
            if problem.why is Why.UNKNOWN:
                return None
            raise

    def pages(
        self, use: str, field_name: str, query: Mapping[str, str | None] | None = None, **values: str | int
    ) -> tuple[list[Any], bool]:
        """The items of a long answer, at most so many as a page shows; and whether there are more."""
        found: list[Any] = []
        cursor: str | None = None
        for _ in range(PAGES_MOST):
            answer = self.kulanz.ask(use, {**(query or {}), "cursor": cursor}, **values)
            found += answer[field_name]
            cursor = answer["next"]
            if cursor is None or len(found) >= ITEMS_MOST:
                break
        return found[:ITEMS_MOST], cursor is not None or len(found) > ITEMS_MOST


def at_once(do: Callable[[Any], Any], of: Sequence[Any]) -> list[Any]:
    """What each of these comes to, in their order: done at the same time, because each waits for somebody."""
    if len(of) <= 1:
        return list(map(do, of))
    with ThreadPoolExecutor(min(AT_ONCE, len(of))) as pool:
        return list(pool.map(do, of))
