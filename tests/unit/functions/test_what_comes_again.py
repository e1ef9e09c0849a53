"""Of a batch exactly those messages come again that were not acted on, however many these are and wherever they stand.

One that is not named is deleted by its queue: nobody would hear of it again.
"""

import json
from itertools import chain, combinations
from types import SimpleNamespace
from typing import Any

import pytest

import draft_incidents.handler as drafting
import open_campaign.handler as opening
from kulanz.adapters.sources import ANEW_SECONDS
from kulanz.application.campaigns.open_campaign import OpenPorts
from tests.unit.functions.test_composed import fresh, made
from tests.unit.functions.test_grant_credits import CONTEXT

__all__ = ["made"]

IDS = ("m-1", "m-2", "m-3", "m-4")
SUBSETS = [set(some) for some in chain.from_iterable(combinations(IDS, number) for number in range(len(IDS) + 1))]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The events that neither function can act on."""
    found: set[str] = set()

    def act(event: Any, *_: object) -> Any:
        if event["id"] in found:
            raise KeyError(event["id"])
        return SimpleNamespace(value="opened", became=SimpleNamespace(value="draft"))

    nothing: dict[str, Any] = dict.fromkeys(OpenPorts.__dataclass_fields__)
    monkeypatch.setattr(opening, "_composed", lambda: (OpenPorts(**nothing), "settings"))
    monkeypatch.setattr(opening, "open_campaign", act)
    monkeypatch.setattr(drafting, "_composed", lambda: SimpleNamespace(keeping=None))
    monkeypatch.setattr(drafting, "keep_event", act)
    monkeypatch.setattr(drafting, "follow_kept", lambda *_: None)
    return found


@pytest.mark.parametrize("function", [opening, drafting], ids=lambda one: str(one.__name__))
def test_exactly_the_messages_that_failed_come_again(failing: set[str], function: Any) -> None:
    events = [{"id": one, "detail-type": "an event", "source": "a source"} for one in IDS]
    records = [{"messageId": event["id"], "body": json.dumps(event)} for event in events]
    for some in SUBSETS:
        failing.clear()
        failing.update(some)
        answer = function.handle({"Records": records}, CONTEXT)
        assert answer == {"batchItemFailures": [{"itemIdentifier": one} for one in IDS if one in some]}


@pytest.mark.parametrize(("function", "seconds"), [("receive_incidents", ANEW_SECONDS), ("draft_incidents", 0)])
@pytest.mark.usefixtures("made")
def test_whoever_may_call_by_anybody_reads_the_configuration_anew_only_so_often(
    monkeypatch: pytest.MonkeyPatch, function: str, seconds: int
) -> None:
    """What a queue hands on was known to the receiver: there an unknown source is worth a look each time."""
    ports = fresh(monkeypatch, function)._composed()
    sources = ports.sources if function == "receive_incidents" else ports.keeping.sources
    assert sources._anew_seconds == seconds
