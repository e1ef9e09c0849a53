"""The console for persons who log in, from routes without authoriser (payload 2.0): the pages decide who is let in."""

from kulanz.startup import all_imported

import sys
import time
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from werkzeug.wrappers import Response

from api.handler import Deployed
from kulanz.adapters.aws import client
from kulanz.application.door.routes import Role
from kulanz.config.environment import SettingError
from kulanz.config.serve_console import ConsoleConfig
from kulanz.failures import described
from kulanz_console.app import Console
from kulanz_console.hosted.entry import CALLBACK, ENDED, LoginEntry
from kulanz_console.hosted.login import Client, Login, read_groups
from kulanz_console.hosted.sessions import LoginSessions
from kulanz_console.place import Place
from serve_console.kept import DynamoSessions, HttpsProvider, ManagedSecret

all_imported()
logger = Logger()
ROOT = "/console"
"""What the paths of the console begin with."""


class _Invocation:
    """How long the request under way may take. A function answers one at a time."""

    ends_at = 0.0

    def seconds_left(self) -> float:
        return self.ends_at - time.monotonic()


_invocation = _Invocation()


def _now() -> datetime:
    return datetime.now(UTC)


def _reported(error: Exception) -> None:
    """What no page foresees is logged without content."""
    logger.error("a page could not be made", errors=described(error))


def _groups(config: ConsoleConfig) -> Mapping[str, frozenset[Role]]:
    try:
        return read_groups(config.console_groups)
    except ValueError as error:
        raise SettingError(f"CONSOLE_GROUPS: {error}") from None


@cache
def _composed() -> Console:
    config = ConsoleConfig.read()
    place = Place(config.console_host, config.stack_name, is_hosted=True, root=ROOT)
    of_provider = Client(
        config.console_issuer, config.console_client_id, f"{place.origin}{ROOT}{CALLBACK}",
        config.console_groups_claim, _groups(config), config.console_scope, f"{place.origin}{ROOT}{ENDED}",
    )  # fmt: skip
    login = Login(of_provider, HttpsProvider(), ManagedSecret(lambda: client("secretsmanager"), config.console_secret))
    sessions = LoginSessions(DynamoSessions(client("dynamodb"), config.sessions_table))
    deployed = Deployed(config)
    entry = LoginEntry(place, login, sessions, lambda: deployed, _now, _invocation.seconds_left)
    return Console(place, entry, _now, _reported)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request. The log names neither who asked nor what about: a path may hold an account's id."""
    _invocation.ends_at = time.monotonic() + context.get_remaining_time_in_millis() / 1000
    response = Response.from_app(_composed(), _environ(event))
    gateway: Mapping[str, Any] = event.get("requestContext") or {}
    logger.info("answered", status=response.status_code, gateway_request=str(gateway.get("requestId", "")))
    return {
        "statusCode": response.status_code,
        "headers": {name.lower(): text for name, text in response.headers if name.lower() != "set-cookie"},
        "cookies": response.headers.getlist("Set-Cookie"),
        "body": response.get_data(as_text=True),
        "isBase64Encoded": False,
    }


def _environ(event: Mapping[str, Any]) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333). The gateway hands on its path decoded, and cookies as a list; where it has
    none, the header is as the browser sent it.
    """
    http: Mapping[str, Any] = (event.get("requestContext") or {}).get("http") or {}
    text = event.get("body") or ""
    body = b64decode(text) if event.get("isBase64Encoded") else text.encode("utf-8", "surrogatepass")
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    if "cookies" in event:
        headers["cookie"] = "; ".join(event["cookies"] or ())
    kind, _ = headers.pop("content-type", ""), headers.pop("content-length", "")
    stated = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return {
        "REQUEST_METHOD": str(http.get("method", "GET")),
        "SCRIPT_NAME": "",
        "PATH_INFO": str(event.get("rawPath", "")).encode("utf-8", "surrogatepass").decode("latin-1"),
        "QUERY_STRING": str(event.get("rawQueryString", "")),
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": headers.get("host", ""),
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **stated,
    }
