"""Logins at an OpenID Connect provider: authorization code with PKCE, and what an ID token must say (Core 1.0, 3.1).

A browser that begins a login gets one random text. State, nonce and code verifier are made from it, each with another
word, so that nothing has to be kept on the server and none of them shows the text or another of them.
"""

import hmac
import json
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from kulanz.application.door.routes import Role
from kulanz.domain.canonical import object_once
from kulanz.domain.people.caller import Person

SECRET_BYTES = 32
LOGIN_LIFETIME = timedelta(minutes=15)
"""How long a browser keeps the text of a login that it began."""
LEEWAY_SECONDS = 60
"""By how much the provider's clock may differ."""
TOKEN_AGE_MOST = timedelta(minutes=10)
"""A token is used as soon as it is issued; an older one was kept by somebody."""
KEYS_LIFETIME = timedelta(hours=1)
KEYS_ANEW = timedelta(minutes=1)
"""How often an unknown key makes the provider's keys be read again: a flood of tokens asks no more often."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures by a key that the provider alone has. Neither `none`, nor those by a shared secret."""
KEY_TYPES = ("RSA", "EC")
_COGNITO = re.compile(r"cognito-idp\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
"""The host of a user pool's issuer. Its logout has a form of its own (Cognito, "Logout endpoint")."""
NAMES = ("name", "preferred_username", "cognito:username")
"""Claims that have a person's name (OpenID Connect Core, 5.1; the last is Cognito's), the first of which is shown."""
NAME_CHARACTERS_MOST = 100
GROUPS_MOST = 1_000
"""Of one person, in a token."""
TOKEN_CHARACTERS_MOST = 64 * 1024


class Why(Enum):
    """Why somebody was not let in: the word that the function's log has. None holds a value of the token."""

    NOT_BEGUN_HERE = "the login was not begun in this browser, or long ago"
    PROVIDER_REFUSED = "the provider did not let the person in"
    CODE_REFUSED = "the provider did not take the code"
    METADATA = "the provider's description of itself is not one of the configured issuer"
    NOT_THERE = "the provider's answer has no ID token"
    SIGNATURE = "the ID token is not signed by a key of the provider, with a permitted algorithm"
    CLAIMS = "the ID token is not for this console, or has expired"
    NONCE = "the ID token belongs to another login"
    SUBJECT = "the ID token names nobody"


class LoginRefused(Exception):
    """Nobody is let in. `why` is for the function's log."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


class NoAnswer(Exception):
    """The provider did not answer as it should; the same can be tried again."""


class Provider(Protocol):
    """The network to the provider. Every address is https. Raises NoAnswer."""

    def read(self, url: str) -> Mapping[str, Any]:
        """A JSON object."""
        ...

    def send(self, url: str, fields: Mapping[str, str], user: str, password: str) -> Mapping[str, Any] | None:
        """What a form was answered with; None where it was refused. The user, if any, is stated by Basic."""
        ...


@dataclass(frozen=True, slots=True)
class Client:
    """The console as the provider knows it: `claim` is where a token names groups, `groups` has the roles of each."""

    issuer: str
    id: str
    redirect: str
    claim: str
    groups: Mapping[str, frozenset[Role]]
    scope: str = "openid"
    ended: str = ""
    """Where a browser comes back to from the provider's logout; empty for nowhere."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whoever logged in. Without a role a person sees nothing."""

    person: Person
    roles: frozenset[Role]
    name: str = ""
    """What the provider calls the person, for pages alone; empty where it does not say."""


@dataclass(slots=True)
class _Known:
    metadata: Mapping[str, Any] | None = None
    keys: Sequence[Mapping[str, Any]] = ()
    keys_at: datetime | None = None
    metadata_at: datetime | None = field(default=None)


class Login:
    """Logins of one console. Keeps what the provider said of itself for an hour."""

    def __init__(self, client: Client, provider: Provider, password: "Secret") -> None:
        self._client, self._provider, self._password = client, provider, password
        self._known = _Known()

    def begin(self, secret: str, now: datetime) -> str:
        """The provider's page to go on to. Raises LoginRefused, NoAnswer."""
        challenge = sha256(_made(secret, "verifier").encode()).digest()
        fields = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": self._client.redirect,
            "scope": self._client.scope,
            "state": _made(secret, "state"),
            "nonce": _made(secret, "nonce"),
            "code_challenge": urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        page = self._endpoint("authorization_endpoint", now)
        return f"{page}{'&' if urlsplit(page).query else '?'}{urlencode(fields)}"

    def finish(self, secret: str, query: Mapping[str, str], now: datetime) -> Identity:
        """Who came back from the provider's page. Raises LoginRefused, NoAnswer."""
        if not secret or not hmac.compare_digest(query.get("state", "").encode(), _made(secret, "state").encode()):
            raise LoginRefused(Why.NOT_BEGUN_HERE)
        if query.get("iss", self._client.issuer) != self._client.issuer:  # RFC 9207: another provider's answer
            raise LoginRefused(Why.PROVIDER_REFUSED)
        if "error" in query or not query.get("code"):
            raise LoginRefused(Why.PROVIDER_REFUSED)
        return self._identity(self._claims(self._token(secret, query["code"], now), now), secret, now)

    def _token(self, secret: str, code: str, now: datetime) -> str:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect,
            "code_verifier": _made(secret, "verifier"),
        }
        url, password = self._endpoint("token_endpoint", now), self._password.current()
        methods = self._metadata(now).get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if "client_secret_basic" in methods:
            answer = self._provider.send(url, fields, self._client.id, password)
        else:
            posted = {**fields, "client_id": self._client.id, "client_secret": password}
            answer = self._provider.send(url, posted, "", "")
        if answer is None:
            raise LoginRefused(Why.CODE_REFUSED)
        token = answer.get("id_token")
        if not isinstance(token, str) or not 0 < len(token) <= TOKEN_CHARACTERS_MOST:
            raise LoginRefused(Why.NOT_THERE)
        return token

    def _claims(self, token: str, now: datetime) -> Mapping[str, Any]:
        """The claims of a token that a key of the provider signed."""
        for keys in self._keys(now):
            if (claims := _signed(token, keys)) is not None:
                return claims
        raise LoginRefused(Why.SIGNATURE)

    def _keys(self, now: datetime) -> Any:
        """The keys that are known; then, where none of them fits, those that the provider has by now."""
        known = self._known
        if known.keys_at is not None and now - known.keys_at < KEYS_LIFETIME:
            yield known.keys
            if now - known.keys_at < KEYS_ANEW:
                return
        found = self._provider.read(self._endpoint("jwks_uri", now)).get("keys")
        listed = found if isinstance(found, list) else []
        known.keys = [one for one in listed if isinstance(one, dict) and one.get("kty") in KEY_TYPES]
        known.keys_at = now
        yield known.keys

    def logout(self, now: datetime) -> str:
        """The provider's page that ends its own login (RP-Initiated Logout 1.0, 2); empty where it states none.

        The person is named by nothing: no token is kept, so that a provider may ask whose login to end.
        Raises LoginRefused, NoAnswer.
        """
        metadata, client = self._metadata(now), self._client
        is_cognito = _COGNITO.fullmatch(urlsplit(client.issuer).hostname or "") is not None
        if "end_session_endpoint" in metadata:
            page = self._endpoint("end_session_endpoint", now)
        elif is_cognito:
            page = urlsplit(self._endpoint("authorization_endpoint", now))._replace(path="/logout", query="").geturl()
        else:
            return ""
        fields = {"client_id": client.id}
        if client.ended:
            fields["logout_uri" if is_cognito else "post_logout_redirect_uri"] = client.ended
        return f"{page}{'&' if urlsplit(page).query else '?'}{urlencode(fields)}"

    def _identity(self, claims: Mapping[str, Any], secret: str, now: datetime) -> Identity:
        from joserfc.errors import JoseError
        from joserfc.jwt import JWTClaimsRegistry

        must = JWTClaimsRegistry(
            now=int(now.timestamp()), leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._client.issuer}, aud={"essential": True, "value": self._client.id},
            exp={"essential": True}, iat={"essential": True}, sub={"essential": True},
        )  # fmt: skip
        try:
            must.validate(dict(claims))
        except JoseError:
            raise LoginRefused(Why.CLAIMS) from None
        others = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if (len(others) > 1 or "azp" in claims) and claims.get("azp") != self._client.id:
            raise LoginRefused(Why.CLAIMS)
        if now.timestamp() - claims["iat"] > TOKEN_AGE_MOST.total_seconds() + LEEWAY_SECONDS:
            raise LoginRefused(Why.CLAIMS)
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), _made(secret, "nonce").encode()):
            raise LoginRefused(Why.NONCE)
        try:
            person = Person(f"login:{self._client.issuer}#{claims['sub']}")
        except ValueError:
            raise LoginRefused(Why.SUBJECT) from None
        return Identity(person, self._roles(claims.get(self._client.claim)), _name(claims))

    def _roles(self, groups: Any) -> frozenset[Role]:
        """The roles of a person's groups; none where the token has none, in the form of a list or of one name."""
        named = [groups] if isinstance(groups, str) else groups
        if not isinstance(named, list) or len(named) > GROUPS_MOST:
            return frozenset()
        return frozenset().union(*(self._client.groups.get(one, ()) for one in named if isinstance(one, str)))

    def _metadata(self, now: datetime) -> Mapping[str, Any]:
        """What the issuer says of itself (Discovery 1.0, 4). Raises LoginRefused, NoAnswer."""
        known = self._known
        if known.metadata is None or known.metadata_at is None or now - known.metadata_at >= KEYS_LIFETIME:
            found = self._provider.read(f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self._client.issuer:
                raise LoginRefused(Why.METADATA)
            known.metadata, known.metadata_at = found, now
        return known.metadata

    def _endpoint(self, name: str, now: datetime) -> str:
        url = self._metadata(now).get(name)
        if not isinstance(url, str) or urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
            raise LoginRefused(Why.METADATA)
        return url


def _name(claims: Mapping[str, Any]) -> str:
    """What somebody is called. Whoever it is, `sub` alone decides."""
    named = (claims.get(name) for name in NAMES)
    fits = (one for one in named if isinstance(one, str) and one.isprintable() and one.strip())
    return next(fits, "")[:NAME_CHARACTERS_MOST]


def read_groups(text: str) -> Mapping[str, frozenset[Role]]:
    """The roles of each group, from a JSON object of lists of groups by role. Raises ValueError, which says what was
    expected.
    """
    try:
        listed = json.loads(text, object_pairs_hook=object_once)
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, dict) or not listed or not all(map(_is_list_of_names, listed.values())):
        raise ValueError('expected a JSON object such as {"approver": ["leads"]}, of lists of groups by role')
    if set(listed) - set(Role):
        raise ValueError(f"expected roles, each one of {', '.join(Role)}")
    found: dict[str, frozenset[Role]] = {}
    for role, groups in listed.items():
        for group in groups:
            found[group] = found.get(group, frozenset()) | {Role(role)}
    return found


def _is_list_of_names(one: Any) -> bool:
    return isinstance(one, list) and bool(one) and all(isinstance(name, str) and name for name in one)


class Secret(Protocol):
    """Where the client's secret is kept."""

    def current(self) -> str:
        """The secret. Raises NoAnswer where it cannot be read."""
        ...


def new_secret() -> str:
    """The text of a login that begins."""
    return secrets.token_urlsafe(SECRET_BYTES)


def _made(secret: str, word: str) -> str:
    """43 characters, which a state, a nonce and a code verifier may have (RFC 7636, 4.1)."""
    return urlsafe_b64encode(hmac.digest(secret.encode(), word.encode(), "sha256")).rstrip(b"=").decode()


def _signed(token: str, keys: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The claims of a token that one of the keys signed, else None. Imported here: one page in many needs it."""
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet
    from joserfc.jwt import decode

    try:
        found = KeySet.import_key_set({"keys": [dict(one) for one in keys]})
        return decode(token, found, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError, TypeError, KeyError):
        return None
