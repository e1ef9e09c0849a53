"""An OpenID Connect provider with keys of its own, which errs where a test says so."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from kulanz_console.hosted.login import NoAnswer

ISSUER = "https://login.example/t1"
CLIENT_ID = "kulanz-console"
CLIENT_SECRET = "s3cret of the client"
TOKEN_SECONDS = 300


@cache
def key(name: str) -> RSAKey:
    """A key of the provider, or of somebody else."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


@cache
def ec_key(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name, "use": "sig", "alg": "ES256"})


type Claims = dict[str, Any]


@dataclass
class FakeProvider:
    """Answers as a provider does. `changed` is what a test makes of a token's claims, `signed` of its signature."""

    clock: Callable[[], datetime]
    sub: str = "anna"
    groups: Any = field(default_factory=lambda: ["kulanz-approver"])
    changed: Callable[[Claims], Claims] = dict
    signed: Callable[[Claims], str] = lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, key("one"))
    metadata: dict[str, Any] = field(default_factory=dict)
    published: tuple[str, ...] = ("one",)
    is_silent: bool = False
    issuer: str = ISSUER
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    read_urls: list[str] = field(default_factory=list)
    sent: list[tuple[Mapping[str, str], str, str]] = field(default_factory=list)
    persons: Mapping[str, list[str]] = field(default_factory=dict)
    """Who can sign in on its page in a browser, with their groups."""
    left: list[Mapping[str, str]] = field(default_factory=list)
    """With what browsers came to its logout."""

    def read(self, url: str) -> Mapping[str, Any]:
        self.read_urls.append(url)
        if self.is_silent:
            raise NoAnswer("TimeoutError")
        if url.endswith("/.well-known/openid-configuration"):
            described = {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
            return {**described, **self.metadata}
        keys = [key(name).as_dict(private=False) for name in self.published]
        return {"keys": [*keys, ec_key("ec").as_dict(private=False), {"kty": "OKP", "crv": "X448", "x": "AA"}]}

    def visited(self, page: str) -> dict[str, str]:
        """A person signs in on the page that the console led to: the query that the browser comes back with."""
        asked = {name: texts[0] for name, texts in parse_qs(urlsplit(page).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def send(self, url: str, fields: Mapping[str, str], user: str, password: str) -> Mapping[str, Any] | None:
        assert url == f"{self.issuer}/token"
        self.sent.append((fields, user, password))
        if self.is_silent:
            raise NoAnswer("TimeoutError")
        asked = self.codes.pop(fields["code"], None)  # a code is taken once
        challenge = _encoded(sha256(fields["code_verifier"].encode()).digest())
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != fields["redirect_uri"]:
            return None
        stated = (user, password) if user else (fields.get("client_id"), fields.get("client_secret"))
        if stated != (CLIENT_ID, CLIENT_SECRET):
            return None
        at = int(self.clock().timestamp())
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "sub": self.sub, "iat": at, "exp": at + TOKEN_SECONDS,
            "nonce": asked["nonce"], "groups": self.groups,
        }  # fmt: skip
        return {"access_token": "not looked at", "id_token": self.signed(self.changed(claims))}


def unsigned(claims: Claims) -> str:
    """A token that says of itself that nobody signed it."""
    return _text({"alg": "none", "typ": "JWT"}, claims) + "."


def by_shared_secret(claims: Claims) -> str:
    """Signed with the public key as if it were a shared secret."""
    text = _text({"alg": "HS256", "kid": "one"}, claims)
    made = hmac.digest(key("one").as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{_encoded(made)}"


def _text(*parts: Claims) -> str:
    return ".".join(_encoded(json.dumps(one).encode()) for one in parts)


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


class FakeSecret:
    """The client's secret."""

    def current(self) -> str:
        return CLIENT_SECRET
