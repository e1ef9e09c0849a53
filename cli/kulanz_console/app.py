"""The console as a WSGI application: who is let in, which view answers, and what every answer forbids the browser.

A request must name this console's own host; one that changes something must come from a page of this console, in a
session, with that session's form token. Nothing is loaded from elsewhere, and no script of a page runs but the
console's own file. How a browser gets a session is the matter of `entry`: by the first address, or by a login.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol, cast

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from kulanz.application.ports import TryAgain
from kulanz_console.drawing.said import Said
from kulanz_console.drawing.style import STYLE
from kulanz_console.pages import Page, environment
from kulanz_console.place import Place
from kulanz_console.port import Kulanz, NotAnswered, Why
from kulanz_console.routes import ACTIONS, DOWNLOADS, EVERYBODY, MENU, QUESTIONS, Action, Download, Question
from kulanz_console.sessions import NOBODY, Session, Sessions, Who, is_form_of
from kulanz_console.visit import Shown, Visit
from kulanz_console.words import LANGUAGES, Words, language_of, words_in

_LOG = logging.getLogger(__name__)
FORM_BYTES = 64 * 1024
"""The largest form that is read; the largest body of an action is 16 KB."""
POLICY = "; ".join(
    (
        *("default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self'", "form-action 'self'"),
        *("base-uri 'none'", "frame-ancestors 'none'"),
    )
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # With no-referrer a browser would say `Origin: null` of the console's own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
STATIC = Path(__file__).parent / "static"
STATIC_FILES: Mapping[str, str] = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
STATUS_OF: Mapping[Why, HTTPStatus] = {
    Why.UNKNOWN: HTTPStatus.NOT_FOUND,
    Why.NOT_PERMITTED: HTTPStatus.FORBIDDEN,
    Why.REFUSED: HTTPStatus.CONFLICT,
    Why.WRONG: HTTPStatus.UNPROCESSABLE_ENTITY,
    Why.LATER: HTTPStatus.SERVICE_UNAVAILABLE,
}


class NotLetIn(Exception):
    """The request is not one of this console's own pages; the text says what to do."""

    def __init__(self, text: str, status: HTTPStatus = HTTPStatus.FORBIDDEN) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Outer:
    """A page that needs no session, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Plain:
    """A page without a session: its template, its title, and what stands in it."""

    template: str
    title: str
    content: Mapping[str, Any]
    status: HTTPStatus = HTTPStatus.OK


@dataclass(frozen=True, slots=True)
class Outside:
    """What the console hands to whoever lets browsers in: the request, the instant, and how to write a page."""

    request: Request
    words: Words
    now: datetime
    of: Mapping[str, str]
    written: Callable[[Plain], Response]


class Entry(Protocol):
    """How browsers get their sessions, and for whom a session asks."""

    rules: Sequence[tuple[str, str]]
    """Paths and names of the pages that need no session."""

    def enter(self, name: str, outside: Outside) -> Response:
        """Answer a page of `rules`. Raises NotLetIn."""
        ...

    def session(self, cookie: str, now: datetime) -> Session | None:
        """The session of a cookie, as long as it lasts."""
        ...

    def kulanz(self, session: Session) -> Kulanz:
        """Who answers this session's questions."""
        ...

    def who(self, session: Session) -> Who:
        """Who is signed in."""
        ...

    def without(self, outside: Outside, action: Action | None) -> Response:
        """Answer a request that has no session; `action` is what its form was to do. Raises NotLetIn."""
        ...

    def keep(self, session: Session) -> None:
        """Keep what a request changed of a session."""
        ...

    def end(self, session: Session, outside: Outside) -> Plain:
        """End a session; the page that says so."""
        ...

    def shows_again(self, session: Session, form: Mapping[str, str]) -> bool:
        """Whether a form that is not of this session is shown again as it was filled in; it is never done."""
        ...


class FirstAddress:
    """The entry of a console on one machine: one address, which lets one browser in, for the shell's identity."""

    rules: Sequence[tuple[str, str]] = (("/enter/<token>", "enter"),)

    def __init__(self, place: Place, kulanz: Kulanz, sessions: Sessions, who: Who = NOBODY) -> None:
        self._place, self._kulanz, self._sessions, self._who = place, kulanz, sessions, who

    def enter(self, name: str, outside: Outside) -> Response:  # noqa: ARG002 (it has one page)
        """Exchange the token for a session. A page and no redirection: a browser that came by a link from elsewhere
        sends no strict cookie along a redirection.
        """
        session = self._sessions.enter(outside.of["token"], outside.now)
        if session is None:
            raise NotLetIn("This address was used before, or is not one. Run kulanz console again.")
        response = outside.written(Plain("entered.html", outside.words("Welcome"), {"to": "/"}))
        self._place.set_session(response, session.id)
        return response

    def session(self, cookie: str, now: datetime) -> Session | None:
        return self._sessions.of(cookie, now)

    def kulanz(self, session: Session) -> Kulanz:  # noqa: ARG002 (there is one identity)
        return self._kulanz

    def who(self, session: Session) -> Who:  # noqa: ARG002 (there is one identity)
        return self._who

    def without(self, outside: Outside, action: Action | None) -> Response:  # noqa: ARG002 (a command lets in)
        raise NotLetIn(
            "Your session has ended, or there was none. Run kulanz console again, and open the address that it"
            " prints. The page that you came from still has what you filled in."
        )

    def keep(self, session: Session) -> None:
        """Nothing: sessions are in memory."""

    def end(self, session: Session, outside: Outside) -> Plain:
        self._sessions.end(session)
        return Plain("plain.html", outside.words("Ended"), {"text": outside.words("Your session has ended.")})

    def shows_again(self, session: Session, form: Mapping[str, str]) -> bool:  # noqa: ARG002 (never)
        return False


def _traced(error: Exception) -> None:
    """Report a fault to the terminal of the one person whose console it is."""
    _LOG.error("a page could not be made", exc_info=error)


class Console:
    """The WSGI application of one console. `report` gets what no page foresees."""

    def __init__(
        self, place: Place, entry: Entry, clock: Callable[[], datetime], report: Callable[[Exception], None] = _traced
    ) -> None:
        self._place, self._entry, self._clock, self._report = place, entry, clock, report
        self._environment = environment(place.root)
        self._map = Map(
            [
                *(Rule(path, methods=["GET"], endpoint=Outer(name)) for path, name in entry.rules),
                Rule("/static/<name>", methods=["GET"], endpoint="static"),
                Rule("/language", methods=["POST"], endpoint="language"),
                Rule("/end", methods=["POST"], endpoint="end"),
                *(Rule(one.path, methods=["GET"], endpoint=one) for one in (*QUESTIONS, *DOWNLOADS)),
                *(Rule(one.path, methods=["POST"], endpoint=one) for one in ACTIONS),
            ]
        )

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        request = Request(environ)
        request.max_content_length = FORM_BYTES
        try:
            response = self._answered(request)
        except Exception as error:  # noqa: BLE001 (it is reported; the browser gets a page with every header)
            self._report(error)
            response = self._failed(request)
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response(environ, start_response)

    def _failed(self, request: Request) -> Response:
        words = words_in(language_of(request.accept_languages, ""))
        text = words(
            "This page has a fault, which the log of the console shows. Look at what was done before you send a"
            " form again."
        )
        return self._plain(words, words("A fault"), text, HTTPStatus.INTERNAL_SERVER_ERROR)

    def _answered(self, request: Request) -> Response:
        words = words_in(language_of(request.accept_languages, ""))
        try:
            self._must_be_ours(request)
            path = self._place.inner(request.path)
            endpoint, of = self._map.bind(self._place.host).match(path, request.method)
            return self._matched(endpoint, of, request, words)
        except NotLetIn as problem:
            return self._plain(words, words("Not from here"), words(str(problem)), problem.status)
        except TryAgain:
            text = words("AWS did not answer as it should. Load the page again; an action is done once.")
            return self._plain(words, words("No answer at the moment"), text, HTTPStatus.SERVICE_UNAVAILABLE)
        except (NotFound, MethodNotAllowed) as problem:
            status = HTTPStatus(problem.code or HTTPStatus.NOT_FOUND)
            return self._plain(words, words("Not found"), words("There is no such page."), status)
        except HTTPException as problem:
            status = HTTPStatus(problem.code or HTTPStatus.BAD_REQUEST)
            return self._plain(words, words("Not understood"), words("The request could not be read."), status)

    def _matched(self, endpoint: Any, of: Mapping[str, Any], request: Request, words: Words) -> Response:
        if endpoint == "static":
            return _static(of["name"])
        outside = Outside(request, words, self._clock(), of, lambda plain: self._written_plain(plain, words))
        if isinstance(endpoint, Outer):
            return self._entry.enter(endpoint.name, outside)
        session = self._entry.session(request.cookies.get(self._place.cookie, ""), outside.now)
        if session is None:
            return self._entry.without(outside, endpoint if isinstance(endpoint, Action) else None)
        before = session.language, session.said
        response = self._in_session(endpoint, outside, session)
        if (session.language, session.said) != before and endpoint != "end":
            self._entry.keep(session)
        return response

    def _in_session(self, endpoint: Any, outside: Outside, session: Session) -> Response:
        request, is_again = outside.request, False
        if request.method == "POST" and not is_form_of(session, request.form.get("form_token", "")):
            is_again = isinstance(endpoint, Action) and self._entry.shows_again(session, request.form.to_dict())
            if not is_again:
                raise NotLetIn("The form is not one of this session. Load its page again, and send it from there.")
        return self._routed(endpoint, outside, session, is_again=is_again)

    def _must_be_ours(self, request: Request) -> None:
        """The host and, where the browser states it, the origin are exactly the console's. Raises NotLetIn."""
        if request.headers.get("Host") != self._place.host:
            raise NotLetIn("This is not the address of the console.", HTTPStatus.MISDIRECTED_REQUEST)
        origin = request.headers.get("Origin")
        if origin != self._place.origin and (origin is not None or request.method == "POST"):
            raise NotLetIn("The request came from another page than this console's.")

    def _routed(self, endpoint: Any, outside: Outside, session: Session, *, is_again: bool) -> Response:
        request = outside.request
        words = words_in(language_of(request.accept_languages, session.language))
        if endpoint == "end":
            response = self._written_plain(self._entry.end(session, replace(outside, words=words)), words)
            self._place.end_session(response)
            return response
        if endpoint == "language":
            chosen = request.form.get("language", "")
            session.language = chosen if chosen in LANGUAGES else session.language
            return self._gone_to("/")
        visit = Visit(
            kulanz=self._entry.kulanz(session), session=session, words=words, now=self._clock(),
            of={name: str(value) for name, value in outside.of.items()}, query=request.args.to_dict(),
            form=request.form.to_dict(), chosen=request.form.to_dict(flat=False),
            path=self._place.inner(request.path), who=self._entry.who(session),
        )  # fmt: skip
        try:
            visit.learn_rights()
            if isinstance(endpoint, Action):
                return self._again(endpoint, visit) if is_again else self._acted(endpoint, visit)
            if isinstance(endpoint, Download):
                return _loaded_down(endpoint, visit)
            return self._shown(_asked(cast("Question", endpoint), visit), visit)
        except NotAnswered as problem:
            return self._problem(problem, visit)

    def _acted(self, action: Action, visit: Visit) -> Response:
        """Do it and go on to a page that shows it; where it is not done, show its form again as it was filled in."""
        if not visit.may(action.use):
            raise _no_role()
        try:
            done = action.view(visit)
        except NotAnswered as problem:
            visit.problem = str(problem)
            if problem.why is not Why.LATER:
                # What was refused is not done, and its id stands for it: what is corrected is another action.
                visit.form = {name: text for name, text in visit.form.items() if name != "id"}
            shown = action.again(visit)
            return self._shown(shown, visit, STATUS_OF[problem.why])
        visit.session.said = done.says
        return self._gone_to(done.path)

    def _again(self, action: Action, visit: Visit) -> Response:
        """Show a form as it was filled in before a login. Nothing is done by it."""
        if not visit.may(action.use):
            raise _no_role()
        visit.problem = Said("You have signed in again. Nothing was done yet: look at it, and send it.")
        return self._shown(action.again(visit), visit)

    def _shown(self, shown: Shown, visit: Visit, status: HTTPStatus = HTTPStatus.OK) -> Response:
        content = {**shown.content, "visit": visit}
        return self._written(shown.template, visit.words, shown.title, content, status, visit)

    def _problem(self, problem: NotAnswered, visit: Visit) -> Response:
        titles = {
            Why.UNKNOWN: "Not found", Why.NOT_PERMITTED: "Not for your role", Why.LATER: "No answer at the moment",
        }  # fmt: skip
        title = visit.words(titles.get(problem.why, "Not possible"))
        content = {"text": str(problem), "visit": visit, "is_later": problem.why is Why.LATER}
        return self._written("problem.html", visit.words, title, content, STATUS_OF[problem.why], visit)

    def _plain(self, words: Words, title: str, text: str, status: HTTPStatus) -> Response:
        return self._written("plain.html", words, title, {"text": text}, status, None)

    def _written_plain(self, plain: Plain, words: Words) -> Response:
        return self._written(plain.template, words, plain.title, plain.content, plain.status, None)

    def _gone_to(self, path: str) -> Response:
        return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": self._place.outer(path)})

    def _written(
        self, template: str, words: Words, title: str, content: Mapping[str, Any], status: HTTPStatus,
        visit: Visit | None,
    ) -> Response:  # fmt: skip
        page = Page(self._environment, words, self._place.stack, visit, MENU, self._place.is_hosted)
        return Response(page.write(template, title, content), status=status, mimetype="text/html")


def _loaded_down(download: Download, visit: Visit) -> Response:
    if not visit.may(download.use):
        raise _no_role()
    file = download.view(visit)
    stated = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.text, content_type=file.type, headers=stated)


def _asked(question: Question, visit: Visit) -> Shown:
    if question.use != EVERYBODY and not visit.may(question.use):
        raise _no_role()
    return question.view(visit)


def _no_role() -> NotAnswered:
    return NotAnswered("this needs a role that you do not have (docs/roles.md)", Why.NOT_PERMITTED)


def _static(name: str) -> Response:
    if name not in STATIC_FILES:
        raise NotFound
    text = (STATIC / name).read_text(encoding="utf-8")
    if name == "console.css":
        text = STYLE + text  # a report has the same, in itself
    return Response(text, content_type=STATIC_FILES[name])
