"""Where a console is, as a browser names it, and the cookie of its sessions."""

from dataclasses import dataclass

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from kulanz_console.sessions import SESSION_LIFETIME


@dataclass(frozen=True, slots=True)
class Place:
    """The host with its port, and the stack behind it in words. `root` is what every path begins with.

    A place is on this machine (by http, at a port), or hosted (by https, at a name that is configured).
    """

    host: str
    stack: str
    is_hosted: bool = False
    root: str = ""

    @property
    def origin(self) -> str:
        """What a browser states as the origin of the console's own pages."""
        return f"{'https' if self.is_hosted else 'http'}://{self.host}"

    @property
    def cookie(self) -> str:
        """The name of the session's cookie. Cookies know no ports, so that two consoles of a machine need two names.

        `__Host-` is for a browser: it takes such a cookie by https alone, from this very host, for all of its paths.
        """
        return "__Host-kulanz" if self.is_hosted else f"kulanz_console_{self.host.rpartition(':')[2]}"

    def inner(self, path: str) -> str:
        """A path without the root. Raises NotFound for one that has another."""
        if path == self.root:
            return "/"
        if not path.startswith(f"{self.root}/"):
            raise NotFound
        return path.removeprefix(self.root)

    def outer(self, path: str) -> str:
        """A path of the console as a browser asks for it."""
        return self.root if self.root and path == "/" else self.root + path

    def set_session(self, response: Response, session_id: str) -> None:
        """Hand a browser its session."""
        response.set_cookie(
            self.cookie, session_id, max_age=SESSION_LIFETIME, httponly=True, samesite="Strict", path="/",
            secure=self.is_hosted,
        )  # fmt: skip

    def end_session(self, response: Response) -> None:
        """Take a browser's session away."""
        response.delete_cookie(self.cookie, path="/", httponly=True, samesite="Strict", secure=self.is_hosted)
