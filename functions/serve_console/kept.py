"""What the console's function keeps and asks elsewhere: sessions in a table, a secret, the provider of logins."""

import json
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters.aws import call, error_code, translated
from kulanz.domain.time import format_instant, parse_instant
from kulanz_console.hosted.login import NoAnswer
from kulanz_console.hosted.sessions import KeptSession

UNMET = "ConditionalCheckFailedException"
SECRET_CACHED_SECONDS = 300
SECONDS_MOST = 5
"""For one answer of the provider. A login asks three of them, and the function has 29 seconds."""
ANSWER_BYTES = 256 * 1024
OK, CLIENT_ERRORS = 200, range(400, 500)


class DynamoSessions:
    """Sessions by the hash of their id. The time to live cleans up; whether one has ended, the clock decides."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def put(self, session: KeptSession) -> None:
        item = {
            "pk": {"S": session.key},
            "person": {"S": session.person},
            "roles": {"L": [{"S": role} for role in session.roles]},
            "ends_at": {"S": format_instant(session.ends_at)},
            "language": {"S": session.language},
            "said": {"S": session.said},
            "name": {"S": session.name},
            "ttl": {"N": str(int(session.ends_at.timestamp()))},
        }
        self._call("PutItem", self._client.put_item, Item=item, ConditionExpression="attribute_not_exists(pk)")

    def change(self, session: KeptSession) -> None:
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": session.key}},
                UpdateExpression="SET #language = :language, said = :said",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeNames={"#language": "language"},
                ExpressionAttributeValues={":language": {"S": session.language}, ":said": {"S": session.said}},
            )
        except ClientError as error:
            if error_code(error) != UNMET:  # else it was ended meanwhile
                raise translated(error, "UpdateItem") from error
        except BotoCoreError as error:
            raise translated(error, "UpdateItem") from error

    def get(self, key: str) -> KeptSession | None:
        found = self._call("GetItem", self._client.get_item, Key={"pk": {"S": key}}, ConsistentRead=True).get("Item")
        if not found:
            return None
        return KeptSession(
            key, found["person"]["S"], tuple(role["S"] for role in found["roles"]["L"]),
            parse_instant(found["ends_at"]["S"]), found["language"]["S"], found["said"]["S"],
            found.get("name", {"S": ""})["S"],  # a session of an earlier release has none
        )  # fmt: skip

    def delete(self, key: str) -> None:
        self._call("DeleteItem", self._client.delete_item, Key={"pk": {"S": key}})

    def _call(self, name: str, method: Callable[..., Any], **arguments: Any) -> Any:
        return call(name, method, TableName=self._table, **arguments)


class ManagedSecret:
    """The client's secret in Secrets Manager: the text itself. A new one counts after five minutes.

    The client is made by the first login: a cold start does without it.
    """

    def __init__(self, make: Callable[[], Any], secret: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._make, self._secret, self._clock = make, secret, clock
        self._client: Any = None
        self._found: tuple[float, str] | None = None

    def current(self) -> str:
        if self._found is None or self._clock() - self._found[0] >= SECRET_CACHED_SECONDS:
            self._client = self._client or self._make()
            answer = call("GetSecretValue", self._client.get_secret_value, SecretId=self._secret)
            self._found = (self._clock(), str(answer["SecretString"]))
        return self._found[1]


class HttpsProvider:
    """The provider by HTTPS. Its addresses come from the configuration, and from what the issuer says of itself."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context

    def read(self, url: str) -> Mapping[str, Any]:
        status, found = self._asked("GET", url, None, {})
        if status != OK:
            raise NoAnswer(f"status {status}")
        return found

    def send(self, url: str, fields: Mapping[str, str], user: str, password: str) -> Mapping[str, Any] | None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if user:  # each of them is encoded as a form's value is (RFC 6749, 2.3.1)
            stated = f"{quote(user, safe='')}:{quote(password, safe='')}"
            headers["Authorization"] = f"Basic {b64encode(stated.encode()).decode()}"
        status, found = self._asked("POST", url, urlencode(fields), headers)
        if status in CLIENT_ERRORS:
            return None
        if status != OK:
            raise NoAnswer(f"status {status}")
        return found

    def _asked(
        self, method: str, url: str, body: str | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, Any]]:
        """Nothing is followed elsewhere. Raises NoAnswer, whose text has nothing of what was sent or answered."""
        at = urlsplit(url)
        if at.scheme != "https" or not at.hostname:
            raise NoAnswer("its address is not https")
        context = self._context or ssl.create_default_context()
        connection = HTTPSConnection(at.hostname, at.port, timeout=SECONDS_MOST, context=context)
        try:
            path = (at.path or "/") + (f"?{at.query}" if at.query else "")
            connection.request(method, path, body, {"Accept": "application/json", **headers})
            answer = connection.getresponse()
            text = answer.read(ANSWER_BYTES + 1)
        except (OSError, HTTPException, ValueError) as error:
            raise NoAnswer(type(error).__name__) from None
        finally:
            connection.close()
        if answer.status != OK:
            return answer.status, {}
        try:
            found = json.loads(text) if len(text) <= ANSWER_BYTES else None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise NoAnswer("its answer is no JSON object")
        return answer.status, found
