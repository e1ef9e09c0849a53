"""A request that shares its second's work is signed as the SDK's signer signs it by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from kulanz.adapters import signed_requests
from kulanz.adapters.signed_requests import SignedRequests

HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.BatchExecuteStatement",
    "User-Agent": "Boto3/1 md/x  two blanks",
}
BEGAN = datetime(2026, 11, 30, 23, 59, 58, tzinfo=UTC)
KEYS = [
    Credentials("AKIDFIRST", "first/secret", None),
    Credentials("ASIASECOND", "second+secret", "token=="),
    Credentials("ASIASECOND", "second+secret", "another token"),
    Credentials("ASIASECOND", "renewed", "another token"),
]


class Clock:
    """The time of our module and of the SDK's signer."""

    def __init__(self) -> None:
        self.now = BEGAN

    def time(self) -> float:
        return self.now.timestamp()


def made(region: str, url: str) -> tuple[Any, SignedRequests]:
    """A client, whose credentials a test sets, and what makes its requests."""
    config = Config(user_agent="x")
    session = Session()
    session.set_credentials("AKID", "secret")
    client = session.create_client("dynamodb", region_name=region, endpoint_url=url, config=config)
    return client, SignedRequests(client, "dynamodb", url, HEADERS)


def by_the_sdk(credentials: Credentials, region: str, url: str, body: bytes) -> dict[str, str]:
    """The headers of the same request, made by the SDK alone."""
    request = AWSRequest("POST", url, headers=HEADERS, data=body)
    auth.SigV4Auth(credentials.get_frozen_credentials(), "dynamodb", region).add_auth(request)
    return dict(request.prepare().headers.items())


CLIENTS = {
    (region, url): made(region, url)
    for region, url in (
        ("eu-central-1", "https://dynamodb.eu-central-1.amazonaws.com/"),
        ("us-east-1", "http://127.0.0.1:4566/"),
        ("us-east-1", "https://vpce-1.dynamodb.us-east-1.vpce.amazonaws.com:8443/"),
    )
}


@given(
    place=st.sampled_from(sorted(CLIENTS)),
    calls=st.lists(
        st.tuples(st.binary(max_size=60) | st.just(b"x" * 30_000), st.sampled_from(KEYS), st.sampled_from([0, 0.4, 1])),
        min_size=1,
        max_size=6,
    ),
)
def test_each_request_has_the_headers_that_the_sdk_gives_it(
    place: tuple[str, str], calls: list[tuple[bytes, Credentials, float]]
) -> None:
    client, requests = CLIENTS[place]
    region, url = place
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signed_requests, "time", clock)
        patch.setattr(auth, "get_current_datetime", lambda: clock.now)
        requests._shared = None
        for body, credentials, passed_seconds in calls:
            clock.now += timedelta(seconds=passed_seconds)
            client._request_signer._credentials = credentials
            expected = by_the_sdk(credentials, region, url, body)
            came = requests.request(body)
            assert dict(came.prepared.headers.items()) == expected
            assert (came.prepared.method, came.prepared.url, came.prepared.body) == ("POST", url, body)
            first, host, *lines = came.head.decode("ascii").split("\r\n")
            assert (first, host) == ("POST / HTTP/1.1", f"Host: {url.split('/')[2]}")
            assert lines.pop() == lines.pop() == ""
            assert dict(line.split(": ", 1) for line in lines) == expected


def test_without_credentials_nothing_is_signed() -> None:
    client, requests = made("eu-central-1", "https://dynamodb.eu-central-1.amazonaws.com/")
    client._request_signer._credentials = None
    with pytest.raises(NoCredentialsError):
        requests.request(b"{}")


def test_the_client_that_is_signed_for_reads_its_credentials_anew_for_each_request() -> None:
    """Of a role they are renewed while a worker lives, and a request with the old ones would be refused."""
    client, requests = made("eu-central-1", "https://dynamodb.eu-central-1.amazonaws.com/")
    asked: list[int] = []

    class Renewed(Credentials):
        def get_frozen_credentials(self) -> Any:
            asked.append(1)
            return Credentials(f"AKID{len(asked)}", "secret", None).get_frozen_credentials()

    client._request_signer._credentials = Renewed("a", "b")
    for number in (1, 2, 3):
        assert f"Credential=AKID{number}/" in requests.request(b"{}").prepared.headers["Authorization"]
