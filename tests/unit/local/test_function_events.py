"""There is one event for each function and each of its sources, and each function does with it what its name says."""

import json
import re
from typing import Any

import pytest

from kulanz.application.door.routes import BY_KEY
from kulanz_local.invoke import EVENTS, filled
from tests.hostile.handlers import Functions
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world

NAMES = sorted(path.stem for path in EVENTS.glob("*.json"))
KNOWN = {
    "incident event": json.dumps(event(rows=ROWS)),
    "campaign": CAMPAIGN,
    "campaign partition": "CAMPAIGN#net-outage#001",
    "meta": {"pk": {"S": "CAMPAIGN#net-outage#001"}, "sk": {"S": "META"}},
    "account": "ACCOUNT#a",
    "account id": "a",
    "account of the stack": "123456789012",
    "place": "DECISION#net-outage#-#001",
    "decision": {"pk": {"S": "ACCOUNT#a"}, "sk": {"S": "DECISION#net-outage#-#001"}},
    "incident": "net-outage",
    "secret": "a-secret",
    "delivery body": "{}",
    "delivery": "{}",
    "health event": "{}",
    "host of the console": "api.example",
    "revision place": "REVISION#0000001",
    "revision": {"pk": {"S": "INCIDENT#net-outage"}, "sk": {"S": "REVISION#0000001"}},
}


def test_every_source_of_every_function_has_its_event() -> None:
    root = EVENTS.parents[1]
    folders = {path.name for path in (root / "functions").iterdir() if (path / "handler.py").exists()}
    template = (root / "template.yaml").read_text()
    assert folders == set(re.findall(r"Handler: (\w+)\.handler\.handle", template))
    assert {name.partition("-")[0] for name in NAMES} == folders
    sources = {"grant_credits": 2, "open_campaign": 1, "publish_notices": 4, "advance_campaign": 2, "api": 1}
    sources |= {"receive_incidents": 1, "draft_incidents": 2, "serve_console": 1}
    assert {name: sum(other.startswith(name) for other in NAMES) for name in folders} == sources


@pytest.mark.parametrize("name", NAMES)
def test_an_event_is_complete_once_it_is_filled_in(name: str) -> None:
    content = filled(json.loads((EVENTS / f"{name}.json").read_text()), KNOWN)
    assert "{{" not in json.dumps(content)
    if name.startswith("api"):
        assert content["requestContext"]["routeKey"] == content["routeKey"] in BY_KEY
        return
    if name.startswith("serve_console"):
        assert content["headers"]["host"] == KNOWN["host of the console"]
        return
    if name.startswith("receive_incidents"):
        assert content["requestContext"]["routeKey"] == content["routeKey"]
        assert set(content["pathParameters"]) == {"source", "secret"}
        return
    (record,) = content["Records"]
    assert record["eventSource"] in ("aws:sqs", "aws:dynamodb")


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        filled({"body": "{{ nobody knows }}"}, KNOWN)


@pytest.mark.parametrize("name", ["publish_notices-decision-modified", "publish_notices-decision-expired"])
def test_what_changed_or_expired_is_told_to_nobody(name: str) -> None:
    functions = Functions(small_world())
    content: dict[str, Any] = filled(json.loads((EVENTS / f"{name}.json").read_text()), KNOWN)
    functions.deliver("publish_notices", content)
    assert functions.world.topic.published == []


def test_only_dynamodbs_own_identity_marks_an_expiry() -> None:
    record = json.loads((EVENTS / "publish_notices-decision-expired.json").read_text())["Records"][0]
    assert record["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert record["eventName"] == "REMOVE"
