"""Requests of one operation to one address, signed by the SDK's own signer at a quarter of what that takes for each.

Requests of one second with the same credentials differ in their bodies alone. What they share (the canonical request up
to the hash of the body, and all headers but length and signature) the signer works out once, over an empty body. Of
each request it then signs the canonical request that ends with the hash of its own body.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSRequest, HeadersDict

_AUTHORIZATION = "Authorization"
_LENGTH = "Content-Length"
_SIGNATURE = ", Signature="


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as handlers of the SDK's events see it, and its head as it is sent before the body."""

    prepared: AWSPreparedRequest
    head: bytes


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the requests of one second share. `canonical` ends before the hash, `authorization` before the signature."""

    second: int
    credentials: Any
    signed: AWSRequest
    canonical: str
    headers: dict[str, str]
    authorization: str
    head: str


class SignedRequests:
    """Makes POST requests to the root of one host with the same headers. `service` is the name in the signature."""

    def __init__(self, client: Any, service: str, url: str, headers: dict[str, str]) -> None:
        self._signer = client._request_signer  # noqa: SLF001 - the one place that holds the client's credentials
        self._service = service
        self._region = client.meta.region_name
        self._url = url
        self._headers = headers
        self._shared: _Shared | None = None

    def request(self, body: bytes) -> SignedRequest:
        """The signed request with that body. The client's credentials are looked at, and renewed, each time."""
        signer = self._signer.get_auth_instance(self._service, self._region, "v4")
        shared, second = self._shared, int(time.time())
        if shared is None or shared.second != second or shared.credentials != signer.credentials:
            shared = self._shared = self._share(signer, second)
        canonical = f"{shared.canonical}{sha256(body).hexdigest()}"
        signature = signer.signature(signer.string_to_sign(shared.signed, canonical), shared.signed)
        own = {_LENGTH: str(len(body)), _AUTHORIZATION: f"{shared.authorization}{signature}"}
        headers: Any = HeadersDict(shared.headers, **own)  # what the SDK gives it; its stubs say HTTPHeaders
        prepared = AWSPreparedRequest("POST", self._url, headers, body, stream_output=False)
        head = f"{shared.head}{_header_lines(own)}\r\n"
        return SignedRequest(prepared, head.encode("ascii"))

    def _share(self, signer: Any, second: int) -> _Shared:
        """What the SDK's signer makes of a request without a body. Raises NoCredentialsError where there are none."""
        signed = AWSRequest("POST", self._url, headers=self._headers, data=b"")
        signer.add_auth(signed)
        authorization, found, _ = signed.headers[_AUTHORIZATION].rpartition(_SIGNATURE)
        del signed.headers[_AUTHORIZATION]
        canonical, end, empty = signer.canonical_request(signed).rpartition("\n")
        assert empty == sha256(b"").hexdigest(), "a canonical request ends with the hash of its body"
        headers = dict(signed.headers.items())
        return _Shared(
            second=second,
            credentials=signer.credentials,
            signed=signed,
            canonical=f"{canonical}{end}",
            headers=headers,
            authorization=f"{authorization}{found}",
            head=f"POST / HTTP/1.1\r\nHost: {urlsplit(self._url).netloc}\r\n{_header_lines(headers)}",
        )


def _header_lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
