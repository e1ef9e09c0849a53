"""What an OpenID Connect provider must say before anybody is let in, and what is never believed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt

from kulanz.application.door.routes import Role
from kulanz_console.hosted import login as logins
from kulanz_console.hosted.login import (
    GROUPS_MOST,
    KEYS_ANEW,
    KEYS_LIFETIME,
    LEEWAY_SECONDS,
    TOKEN_AGE_MOST,
    Client,
    Identity,
    Login,
    LoginRefused,
    NoAnswer,
    Why,
    new_secret,
)
from tests.support.fake_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    ISSUER,
    TOKEN_SECONDS,
    FakeProvider,
    FakeSecret,
    by_shared_secret,
    ec_key,
    key,
    unsigned,
)

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
CALLBACK = "https://api.example/console/callback"
GROUPS = {
    "kulanz-approver": frozenset({Role.APPROVER}),
    "kulanz-care": frozenset({Role.SUPPORT}),
    "kulanz-all": frozenset(Role),
}
CLIENT = Client(ISSUER, CLIENT_ID, CALLBACK, "groups", GROUPS)


class Tried:
    """A console and a provider. `at` is the console's clock, `theirs` the provider's."""

    def __init__(self, client: Client = CLIENT) -> None:
        self.at = self.theirs = NOW
        self.provider = FakeProvider(lambda: self.theirs)
        self.login = Login(client, self.provider, FakeSecret())

    def signed_in(self, secret: str = "", with_secret: str = "", **query: str) -> Identity:
        secret = secret or new_secret()
        back = self.provider.visited(self.login.begin(secret, self.at))
        return self.login.finish(with_secret or secret, {**back, **query}, self.at)


def refused(tried: Tried, **query: str) -> Why:
    with pytest.raises(LoginRefused) as problem:
        tried.signed_in(**query)
    return problem.value.why


def test_a_person_is_the_issuer_and_the_subject_with_the_roles_of_the_groups() -> None:
    identity = Tried().signed_in()
    assert identity.person.id == f"login:{ISSUER}#anna"
    assert identity.roles == {Role.APPROVER}


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        (["kulanz-approver", "kulanz-care", "football"], {Role.APPROVER, Role.SUPPORT}),
        ("kulanz-care", {Role.SUPPORT}),
        ([], set()),
        (None, set()),
        (["KULANZ-CARE"], set()),
        (["approver", "administrator"], set()),
        ([["kulanz-care"], {"kulanz-care": 1}, 7], set()),
        ({"kulanz-care": True}, set()),
        ([*["football"] * (GROUPS_MOST - 1), "kulanz-care"], {Role.SUPPORT}),
        ([*["football"] * GROUPS_MOST, "kulanz-care"], set()),
    ],
)
def test_only_a_configured_group_has_roles(groups: Any, roles: set[Role]) -> None:
    tried = Tried()
    tried.provider.groups = groups
    assert tried.signed_in().roles == roles


CLAIMS: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], Why]] = {
    "another issuer": (lambda one: {**one, "iss": "https://evil.example"}, Why.CLAIMS),
    "the issuer with a slash": (lambda one: {**one, "iss": ISSUER + "/"}, Why.CLAIMS),
    "no issuer": (lambda one: {name: one[name] for name in one if name != "iss"}, Why.CLAIMS),
    "another audience": (lambda one: {**one, "aud": "another-client"}, Why.CLAIMS),
    "no audience": (lambda one: {name: one[name] for name in one if name != "aud"}, Why.CLAIMS),
    "an empty audience": (lambda one: {**one, "aud": []}, Why.CLAIMS),
    "two audiences and no party": (lambda one: {**one, "aud": [CLIENT_ID, "b"]}, Why.CLAIMS),
    "two audiences for another party": (lambda one: {**one, "aud": [CLIENT_ID, "b"], "azp": "b"}, Why.CLAIMS),
    "another party": (lambda one: {**one, "azp": "b"}, Why.CLAIMS),
    "expired": (lambda one: {**one, "exp": one["iat"] - LEEWAY_SECONDS}, Why.CLAIMS),
    "no end": (lambda one: {name: one[name] for name in one if name != "exp"}, Why.CLAIMS),
    "an end in words": (lambda one: {**one, "exp": "never"}, Why.CLAIMS),
    "no beginning": (lambda one: {name: one[name] for name in one if name != "iat"}, Why.CLAIMS),
    "issued in an hour": (lambda one: {**one, "iat": one["iat"] + 3_600, "exp": one["exp"] + 3_600}, Why.CLAIMS),
    "valid in an hour": (lambda one: {**one, "nbf": one["iat"] + 3_600}, Why.CLAIMS),
    "kept for a day": (lambda one: {**one, "iat": one["iat"] - 86_400}, Why.CLAIMS),
    "another nonce": (lambda one: {**one, "nonce": "x" * 43}, Why.NONCE),
    "no nonce": (lambda one: {name: one[name] for name in one if name != "nonce"}, Why.NONCE),
    "a nonce that is a list": (lambda one: {**one, "nonce": [one["nonce"]]}, Why.NONCE),
    "no subject": (lambda one: {name: one[name] for name in one if name != "sub"}, Why.CLAIMS),
    "a subject that is a number": (lambda one: {**one, "sub": 7}, Why.CLAIMS),
    "an empty subject": (lambda one: {**one, "sub": ""}, Why.CLAIMS),
    "a subject with a space": (lambda one: {**one, "sub": "anna b"}, Why.SUBJECT),
    "a subject of 256 characters": (lambda one: {**one, "sub": "a" * 256}, Why.SUBJECT),
}


@pytest.mark.parametrize("wrong", CLAIMS)
def test_a_token_with_a_wrong_claim_lets_nobody_in(wrong: str) -> None:
    tried = Tried()
    tried.provider.changed, why = CLAIMS[wrong]
    assert refused(tried) is why


SIGNATURES: dict[str, Callable[[dict[str, Any]], str]] = {
    "none": unsigned,
    "the public key as a shared secret": by_shared_secret,
    "another key under the same name": lambda one: jwt.encode({"alg": "RS256", "kid": "one"}, one, key("evil")),
    "another key": lambda one: jwt.encode({"alg": "RS256", "kid": "evil"}, one, key("evil")),
    "no key's name, of two": lambda one: jwt.encode({"alg": "RS256"}, one, key("one")),
    "another's claims": lambda one: swapped(one),  # noqa: PLW0108 (it stands below)
    "its key with it": lambda one: jwt.encode(
        {"alg": "RS256", "kid": "evil", "jwk": key("evil").as_dict(private=False)}, one, key("evil")
    ),
    "no token": lambda _: "x",
    "nothing": lambda _: "",
    "two dots": lambda _: "..",
    "much": lambda _: "a" * 100_000,
}


def swapped(claims: dict[str, Any]) -> str:
    """The signature of another token."""
    first = jwt.encode({"alg": "RS256", "kid": "one"}, claims, key("one")).split(".")
    second = jwt.encode({"alg": "RS256", "kid": "one"}, {**claims, "sub": "bert"}, key("one")).split(".")
    return ".".join((first[0], second[1], first[2]))


@pytest.mark.parametrize("wrong", SIGNATURES)
def test_a_token_that_no_key_of_the_provider_signed_lets_nobody_in(wrong: str) -> None:
    tried = Tried()
    tried.provider.signed = SIGNATURES[wrong]
    assert refused(tried) in (Why.SIGNATURE, Why.NOT_THERE)


def test_a_signature_by_an_elliptic_curve_is_taken() -> None:
    tried = Tried()
    tried.provider.signed = lambda one: jwt.encode({"alg": "ES256", "kid": "ec"}, one, ec_key("ec"))
    assert tried.signed_in().person.id.endswith("#anna")


def test_audiences_may_be_many_where_the_party_is_this_console() -> None:
    tried = Tried()
    tried.provider.changed = lambda one: {**one, "aud": ["b", CLIENT_ID], "azp": CLIENT_ID}
    assert tried.signed_in().roles == {Role.APPROVER}


@pytest.mark.parametrize(
    ("theirs", "is_let_in"),
    [
        (timedelta(seconds=LEEWAY_SECONDS), True),
        (timedelta(seconds=LEEWAY_SECONDS + 1), False),
        (-timedelta(seconds=TOKEN_SECONDS + LEEWAY_SECONDS - 1), True),
        (-timedelta(seconds=TOKEN_SECONDS + LEEWAY_SECONDS), False),
    ],
)
def test_clocks_may_differ_by_so_much_and_no_more(theirs: timedelta, is_let_in: bool) -> None:
    tried = Tried()
    tried.theirs = NOW + theirs
    if is_let_in:
        assert tried.signed_in().roles
    else:
        assert refused(tried) is Why.CLAIMS
    assert TOKEN_AGE_MOST.total_seconds() > TOKEN_SECONDS


@pytest.mark.parametrize("too_old", [0, 1])
def test_a_token_that_says_it_is_valid_for_long_is_taken_only_while_it_is_young(too_old: int) -> None:
    tried, age = Tried(), int(TOKEN_AGE_MOST.total_seconds()) + LEEWAY_SECONDS + too_old
    tried.provider.changed = lambda one: {**one, "iat": int(NOW.timestamp()) - age}
    if too_old:
        assert refused(tried) is Why.CLAIMS
    else:
        assert tried.signed_in().roles


def test_a_code_is_taken_once_and_in_the_browser_that_began() -> None:
    tried = Tried()
    secret = new_secret()
    back = tried.provider.visited(tried.login.begin(secret, NOW))
    for other in ("", new_secret(), secret[:-1], "é"):
        with pytest.raises(LoginRefused) as problem:
            tried.login.finish(other, back, NOW)
        assert problem.value.why is Why.NOT_BEGUN_HERE
    assert tried.provider.sent == [], "a code of another browser is not even sent"
    assert tried.login.finish(secret, back, NOW).roles
    with pytest.raises(LoginRefused) as problem:
        tried.login.finish(secret, back, NOW)
    assert problem.value.why is Why.CODE_REFUSED


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"state": ""}, Why.NOT_BEGUN_HERE),
        ({"state": "x" * 43}, Why.NOT_BEGUN_HERE),
        ({"state": "é"}, Why.NOT_BEGUN_HERE),
        ({"code": ""}, Why.PROVIDER_REFUSED),
        ({"error": "access_denied"}, Why.PROVIDER_REFUSED),
        ({"iss": "https://evil.example"}, Why.PROVIDER_REFUSED),
        ({"code": "guessed"}, Why.CODE_REFUSED),
    ],
)
def test_a_browser_that_comes_back_with_something_else_is_not_let_in(query: dict[str, str], why: Why) -> None:
    assert refused(Tried(), **query) is why


def test_a_code_of_another_login_is_refused_by_its_verifier() -> None:
    """Somebody's code, put into the answer of another browser's login."""
    tried = Tried()
    theirs = tried.provider.visited(tried.login.begin(new_secret(), NOW))
    assert refused(tried, code=theirs["code"]) is Why.CODE_REFUSED


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"authorization_endpoint": "http://login.example/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
    ],
)
def test_a_description_that_is_not_the_issuers_leads_nowhere(metadata: dict[str, Any]) -> None:
    tried = Tried()
    tried.provider.metadata = metadata
    assert refused(tried) is Why.METADATA


@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri"])
def test_nothing_is_sent_or_read_without_https(name: str) -> None:
    tried = Tried()
    tried.provider.metadata = {name: "http://login.example/x"}
    assert refused(tried) is Why.METADATA


def test_what_the_person_sees_in_the_address_is_enough_for_nobody_else() -> None:
    secret = new_secret()
    page = Tried().login.begin(secret, NOW)
    asked = {name: texts[0] for name, texts in parse_qs(urlsplit(page).query).items()}
    assert secret not in page
    assert CLIENT_SECRET not in page
    assert len({asked["state"], asked["nonce"], asked["code_challenge"], secret}) == 4
    assert (asked["client_id"], asked["redirect_uri"], asked["scope"]) == (CLIENT_ID, CALLBACK, "openid")


@pytest.mark.parametrize("methods", [None, ["client_secret_basic"], ["client_secret_post"]])
def test_the_client_states_its_secret_as_the_provider_takes_it(methods: list[str] | None) -> None:
    tried = Tried()
    if methods is not None:
        tried.provider.metadata = {"token_endpoint_auth_methods_supported": methods}
    assert tried.signed_in().roles
    fields, user, _ = tried.provider.sent[0]
    assert (user == CLIENT_ID) == (methods != ["client_secret_post"])
    assert ("client_secret" in fields) == (methods == ["client_secret_post"])


def test_a_new_key_of_the_provider_is_found_and_a_flood_of_strange_ones_asks_seldom() -> None:
    tried = Tried()
    tried.signed_in()
    tried.provider.published = ("two",)
    tried.provider.signed = lambda one: jwt.encode({"alg": "RS256", "kid": "two"}, one, key("two"))
    assert refused(tried) is Why.SIGNATURE, "asked a moment ago"
    tried.at = tried.theirs = NOW + KEYS_ANEW
    assert tried.signed_in().roles
    before = len(tried.provider.read_urls)
    tried.provider.signed = lambda one: jwt.encode({"alg": "RS256", "kid": "evil"}, one, key("evil"))
    for _ in range(20):
        assert refused(tried) is Why.SIGNATURE
    assert len(tried.provider.read_urls) == before


def test_a_key_that_the_provider_has_withdrawn_is_believed_for_an_hour_at_most() -> None:
    tried = Tried()
    tried.signed_in()
    tried.provider.published = ("two",)
    tried.at = tried.theirs = NOW + KEYS_LIFETIME
    assert refused(tried) is Why.SIGNATURE


def test_what_the_provider_says_of_itself_and_its_keys_are_read_anew_each_hour_and_not_before() -> None:
    tried, tick = Tried(), timedelta(microseconds=1)
    read = [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/keys"]
    for hour in range(3):
        for after, urls in ((timedelta(0), read), (timedelta(0), []), (KEYS_LIFETIME - tick, [])):
            before = len(tried.provider.read_urls)
            tried.at = tried.theirs = NOW + hour * KEYS_LIFETIME + after
            assert tried.signed_in().roles
            assert tried.provider.read_urls[before:] == urls, (hour, after)


def test_where_the_provider_has_moved_to_is_known_an_hour_later() -> None:
    tried = Tried()
    tried.signed_in()
    tried.provider.metadata = {"authorization_endpoint": f"{ISSUER}/moved"}
    pages = [tried.login.begin("s", NOW + at) for at in (KEYS_LIFETIME - timedelta(microseconds=1), KEYS_LIFETIME)]
    assert [page.partition("?")[0] for page in pages] == [f"{ISSUER}/authorize", f"{ISSUER}/moved"]


@pytest.mark.parametrize("shorter", [0, 1])
def test_a_token_may_be_as_long_as_is_read_and_no_longer(monkeypatch: pytest.MonkeyPatch, shorter: int) -> None:
    tried = Tried()
    sign = tried.provider.signed

    def signed(claims: dict[str, Any]) -> str:
        token = sign(claims)
        monkeypatch.setattr(logins, "TOKEN_CHARACTERS_MOST", len(token) - shorter)
        return token

    tried.provider.signed = signed
    if shorter:
        assert refused(tried) is Why.NOT_THERE
    else:
        assert tried.signed_in().roles


def test_a_provider_that_is_silent_is_no_refusal() -> None:
    tried = Tried()
    tried.provider.is_silent = True
    with pytest.raises(NoAnswer):
        tried.signed_in()


def test_a_token_is_for_one_client_and_one_issuer() -> None:
    """The same token at a console with another client id, or of another issuer, lets nobody in."""
    for client in (replace(CLIENT, id="b"), replace(CLIENT, issuer="https://other.example")):
        tried = Tried(client)
        assert refused(tried) in (Why.CODE_REFUSED, Why.CLAIMS, Why.METADATA)
