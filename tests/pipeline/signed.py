"""Requests to the deployed API, signed as a person's tools sign them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from kulanz_cli.stack import StackOutputs
from kulanz_local.embedded import REGION, EmbeddedAws

WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Answered:
    """What came back: from the function where it is JSON of ours, else from the gateway."""

    status: int
    content: Any

    @property
    def is_of_the_gateway(self) -> bool:
        return isinstance(self.content, dict) and set(self.content) <= {"message", "Message", "__type"}


class Caller:
    """Somebody with an access key."""

    def __init__(self, aws: EmbeddedAws, outputs: StackOutputs, credentials: Credentials | None) -> None:
        self._url = f"{aws.endpoint}/_aws/execute-api/{outputs.api_id}/$default"
        self._credentials = credentials
        ca = str(aws.certificate) if aws.endpoint.startswith("https") else None
        self._pool = urllib3.PoolManager(ca_certs=ca, timeout=WAIT_SECONDS, retries=False)

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answered:
        """One request; the path is sent as it is given."""
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        stated = {} if content is None else {"content-type": "application/json"}
        request = AWSRequest(method, f"{self._url}{path}", headers={**stated, **(headers or {})}, data=content)
        if self._credentials is not None:
            SigV4Auth(self._credentials, "execute-api", REGION).add_auth(request)
        prepared = request.prepare()
        reply = self._pool.request(method, prepared.url, body=content, headers=dict(prepared.headers))
        try:
            return Answered(reply.status, json.loads(reply.data))
        except ValueError:
            return Answered(reply.status, reply.data.decode(errors="replace"))
