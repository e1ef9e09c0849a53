"""The console as a WSGI application: who is let in, which view answers, and what every answer forbids the browser.

It speaks to one machine. A request must name this console's own host; one that changes something must come from a page
of this console, in a session, with that session's form token. Nothing is loaded from elsewhere, and no script of a page
runs but the console's own file.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from kulanz_console.drawing.style import STYLE
from kulanz_console.pages import Page, environment
from kulanz_console.port import Kulanz, NotAnswered, Why
from kulanz_console.routes import ACTIONS, EVERYBODY, MENU, QUESTIONS, Action, Question
from kulanz_console.sessions import SESSION_LIFETIME, Session, Sessions, is_form_of
from kulanz_console.visit import Shown, Visit
from kulanz_console.words import LANGUAGES, Words, language_of

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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a console is: the host with its port, as a browser names it, and the stack behind it in words."""

    host: str
    stack: str

    @property
    def origin(self) -> str:
        """What a browser states as the origin of the console's own pages."""
        return f"http://{self.host}"

    @property
    def cookie(self) -> str:
        """The name of the session's cookie. Cookies know no ports, so that two consoles need two names."""
        return f"kulanz_console_{self.host.rpartition(':')[2]}"


class _NotLetIn(Exception):
    """The request is not one of this console's own pages; the text says what to do."""

    def __init__(self, text: str, status: HTTPStatus = HTTPStatus.FORBIDDEN) -> None:
        super().__init__(text)
        self.status = status


class Console:
    """The WSGI application of one console."""

    def __init__(self, place: Place, kulanz: Kulanz, sessions: Sessions, clock: Callable[[], datetime]) -> None:
        self._place, self._kulanz, self._sessions, self._clock = place, kulanz, sessions, clock
        self._environment = environment()
        self._map = Map(
            [
                Rule("/enter/<token>", methods=["GET"], endpoint="enter"),
                Rule("/static/<name>", methods=["GET"], endpoint="static"),
                Rule("/language", methods=["POST"], endpoint="language"),
                Rule("/end", methods=["POST"], endpoint="end"),
                *(Rule(one.path, methods=["GET"], endpoint=one) for one in QUESTIONS),
                *(Rule(one.path, methods=["POST"], endpoint=one) for one in ACTIONS),
            ]
        )

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        request = Request(environ)
        request.max_content_length = FORM_BYTES
        try:
            response = self._answered(request)
        except Exception:  # noqa: BLE001 (the traceback is written; the browser gets a page with every header)
            _LOG.exception("a page could not be made")
            response = self._failed(request)
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response(environ, start_response)

    def _failed(self, request: Request) -> Response:
        words = Words(language_of(request.accept_languages, ""))
        text = words(
            "This page has a fault, which the terminal of the console shows. Look at what was done before you send a"
            " form again."
        )
        return self._plain(words, words("A fault"), text, HTTPStatus.INTERNAL_SERVER_ERROR)

    def _answered(self, request: Request) -> Response:
        words = Words(language_of(request.accept_languages, ""))
        try:
            self._must_be_ours(request)
            endpoint, of = self._map.bind(self._place.host).match(request.path, request.method)
            return self._matched(endpoint, of, request, words)
        except _NotLetIn as problem:
            return self._plain(words, words("Not from here"), words(str(problem)), problem.status)
        except (NotFound, MethodNotAllowed) as problem:
            status = HTTPStatus(problem.code or HTTPStatus.NOT_FOUND)
            return self._plain(words, words("Not found"), words("There is no such page."), status)
        except HTTPException as problem:
            status = HTTPStatus(problem.code or HTTPStatus.BAD_REQUEST)
            return self._plain(words, words("Not understood"), words("The request could not be read."), status)

    def _matched(self, endpoint: Any, of: Mapping[str, Any], request: Request, words: Words) -> Response:
        if endpoint == "static":
            return _static(of["name"])
        if endpoint == "enter":
            return self._enter(of["token"], words)
        session = self._let_in(request)
        if request.method == "POST":
            self._must_be_its_form(request, session)
        return self._routed(endpoint, of, request, session)

    def _must_be_ours(self, request: Request) -> None:
        """The host and, where the browser states it, the origin are exactly the console's. Raises _NotLetIn."""
        if request.headers.get("Host") != self._place.host:
            raise _NotLetIn("This is not the address of the console.", HTTPStatus.MISDIRECTED_REQUEST)
        origin = request.headers.get("Origin")
        if origin != self._place.origin and (origin is not None or request.method == "POST"):
            raise _NotLetIn("The request came from another page than this console's.")

    def _let_in(self, request: Request) -> Session:
        session = self._sessions.of(request.cookies.get(self._place.cookie, ""), self._clock())
        if session is None:
            raise _NotLetIn(
                "Your session has ended, or there was none. Run kulanz console again, and open the address that it"
                " prints. The page that you came from still has what you filled in."
            )
        return session

    def _must_be_its_form(self, request: Request, session: Session) -> None:
        if not is_form_of(session, request.form.get("form_token", "")):
            raise _NotLetIn("The form is not one of this session. Load its page again, and send it from there.")

    def _enter(self, token: str, words: Words) -> Response:
        """Exchange the token for a session. A page and no redirection: a browser that came by a link from elsewhere
        sends no strict cookie along a redirection.
        """
        session = self._sessions.enter(token, self._clock())
        if session is None:
            raise _NotLetIn("This address was used before, or is not one. Run kulanz console again.")
        response = self._written("entered.html", words, words("Welcome"), {}, HTTPStatus.OK, None)
        response.set_cookie(
            self._place.cookie, session.id, max_age=SESSION_LIFETIME, httponly=True, samesite="Strict", path="/"
        )
        return response

    def _routed(self, endpoint: Any, of: Mapping[str, Any], request: Request, session: Session) -> Response:
        words = Words(language_of(request.accept_languages, session.language))
        if endpoint == "end":
            self._sessions.end(session)
            response = self._plain(words, words("Ended"), words("Your session has ended."), HTTPStatus.OK)
            response.delete_cookie(self._place.cookie, path="/", httponly=True, samesite="Strict")
            return response
        if endpoint == "language":
            chosen = request.form.get("language", "")
            session.language = chosen if chosen in LANGUAGES else session.language
            return _gone_to("/")
        visit = Visit(
            kulanz=self._kulanz, session=session, words=words, now=self._clock(),
            of={name: str(value) for name, value in of.items()}, query=request.args.to_dict(),
            form=request.form.to_dict(), chosen=request.form.to_dict(flat=False),
            path=request.path,
        )  # fmt: skip
        try:
            visit.learn_rights()
            if isinstance(endpoint, Action):
                return self._acted(endpoint, visit)
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
        return _gone_to(done.path)

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

    def _written(
        self, template: str, words: Words, title: str, content: Mapping[str, Any], status: HTTPStatus,
        visit: Visit | None,
    ) -> Response:  # fmt: skip
        page = Page(self._environment, words, self._place.stack, visit, MENU)
        return Response(page.write(template, title, content), status=status, mimetype="text/html")


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


def _gone_to(path: str) -> Response:
    return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path})
