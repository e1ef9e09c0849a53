"""Signed requests to a stack's API: bounded in time, repeated where a repetition does no harm.

Every request is a GET, or a PUT under an id that its caller chose, so that the same request again is the same answer.
Signature version 4 and the shell's AWS settings are botocore's, without a client of it: those take half a second of CPU
to make.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

import kulanz
from kulanz_cli.outcomes import Unusable

if TYPE_CHECKING:
    from botocore.credentials import Credentials

SERVICE = "execute-api"
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 35
"""A little more than the 30 seconds after which the gateway answers 503 by itself."""
ATTEMPTS = 5
FIRST_WAIT_SECONDS = 0.2
"""Doubled before each further attempt: 3 s in all."""
REPEATED = frozenset({429, 500, 502, 503, 504})
"""Answers after which the same request may be answered otherwise."""
SAFE = ":~"
"""What an id may hold besides letters, digits and `-._`, which no URL escapes."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and a body, as they came."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it goes out; `path` and `query` are escaped, and `headers` hold the signature."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class NoReply(Exception):
    """No answer came in time, or the connection failed; the text says how."""


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What signs: an access key and its secret, with the token of a session."""

    access_key: str
    secret_key: str
    token: str | None = None


class Transport(Protocol):
    """What carries a request. Raises NoReply."""

    def __call__(self, request: SignedRequest) -> Reply: ...


def path_of(*segments: str | int) -> str:
    """A path from its segments, each escaped: no id can reach into another route."""
    return "".join(f"/{quote(str(segment), safe=SAFE)}" for segment in segments)


class Signer:
    """Signs requests with the credentials of the shell, which are looked for once."""

    def __init__(self, region: str, profile: str | None = None, credentials: "Credentials | None" = None) -> None:
        self._region, self._profile = region, profile
        self._credentials = credentials

    def sign(self, method: str, url: str, body: bytes) -> SignedRequest:
        """The request with its signature of now. Raises Unusable where the shell has no credentials."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        headers = {"User-Agent": f"kulanz/{kulanz.__version__}", "Accept": "application/json, application/problem+json"}
        if body:
            headers["Content-Type"] = "application/json"
        request = AWSRequest(method=method, url=url, data=body, headers=headers)
        keys: Any = self._keys()  # the signer reads nothing but its three values
        SigV4Auth(keys, SERVICE, self._region).add_auth(request)
        return SignedRequest(method, url, dict(request.headers.items()), body)

    def _keys(self) -> Keys:
        """The keys of now: those of a role that was assumed are renewed in time."""
        if self._credentials is None:
            stated = _of_environment() if self._profile is None else None
            if stated is not None:
                return stated
            self._credentials = _from_session(self._profile)
        found = self._credentials.get_frozen_credentials()
        return Keys(str(found.access_key), str(found.secret_key), found.token)


def _of_environment() -> Keys | None:
    """What the environment states in full; without a session of botocore, which reads files and loads models."""
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    return Keys(key, secret, os.environ.get("AWS_SESSION_TOKEN") or None) if key and secret else None


def _from_session(profile: str | None) -> "Credentials":
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        found = Session(profile=profile).get_credentials()
    except BotoCoreError as error:
        raise Unusable(f"{error}; choose another with --profile") from None
    if found is None:
        raise Unusable("no AWS credentials are set; sign in (aws sso login), or name a profile with --profile")
    return found


class Http:
    """Carries requests over HTTPS, with the certificates and proxies of the AWS settings."""

    def __init__(self) -> None:
        self._session: Any = None

    def __call__(self, request: SignedRequest) -> Reply:
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import HTTPClientError

        prepared = AWSRequest(request.method, request.url, dict(request.headers), request.body).prepare()
        try:
            answer = self._connected(request.url).send(prepared)
        except HTTPClientError as error:
            raise NoReply(type(error).__name__) from None
        return Reply(answer.status_code, answer.content)

    def _connected(self, url: str) -> Any:
        if self._session is None:
            from botocore.httpsession import URLLib3Session
            from botocore.utils import get_environ_proxies

            verify: Any = os.environ.get("AWS_CA_BUNDLE") or True
            timeouts: Any = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
            self._session = URLLib3Session(verify=verify, proxies=get_environ_proxies(url), timeout=timeouts)
        return self._session


class SignedApi:
    """The API of one stack. `base` is its URL with the stage, without a slash at its end."""

    def __init__(
        self,
        base: str,
        sign: Callable[[str, str, bytes], SignedRequest],
        transport: Transport,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base, self._sign, self._transport, self._wait = base.rstrip("/"), sign, transport, wait

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Reply:
        """Ask. Raises NoReply after the last attempt."""
        return self._send("GET", f"{path}?{urlencode(query, quote_via=quote)}" if query else path, b"")

    def put(self, path: str, content: Any) -> Reply:
        """Act, under the id at the end of the path. Raises NoReply after the last attempt: it may have been done."""
        return self._send("PUT", path, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())

    def put_nothing(self, path: str) -> Reply:
        """An action without a body, which is none: it says whether the caller may act there. Raises NoReply."""
        return self._send("PUT", path, b"")

    def _send(self, method: str, path: str, body: bytes) -> Reply:
        for attempt in range(1, ATTEMPTS + 1):
            is_last, failure, reply = attempt == ATTEMPTS, None, None
            try:
                reply = self._transport(self._sign(method, self._base + path, body))
            except NoReply as error:
                failure = error
            if reply is not None and (reply.status not in REPEATED or is_last):
                return reply
            if failure is not None and is_last:
                raise failure
            self._wait(FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
        raise AssertionError("unreachable: the last attempt returns or raises")
