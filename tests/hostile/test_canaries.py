"""No value of a row or an event is repeated where it does not belong.

Every field holds a canary. It may stand in the list, in the ledger's item and the notice of its own account, and in the
bucket's copy of a refused event. It must not stand in a log, a metric, an exception, a message of a queue, an
announcement, a report, a campaign's log or a file of row problems.
"""

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest

from kulanz.application.ports import Refused, TryAgain
from kulanz.domain.campaigns.campaign import State
from tests.hostile.corpus import Case, body_of, cases, event_cases, row_bytes
from tests.hostile.handlers import Functions
from tests.support.small_campaign import CAMPAIGN, LIST_KEY, event, small_world
from tests.support.world import BUCKET

CANARY = "canary5e1f"
HEADER = f"account_id,segment,affected,fee,language,{CANARY}note".encode()
ROWS = [
    f"{CANARY}-1,consumer,yes,29.90,{CANARY},{CANARY}",
    f"{CANARY}-1,consumer,yes,19.90,{CANARY},{CANARY}",
    f"{CANARY}-2,prepaid,yes,29.90,{CANARY},{CANARY}",
    f"{CANARY}-3,business,yes,29.90,{CANARY},{CANARY}",
    f"{CANARY}-4,,yes,29.90,{CANARY},{CANARY}",
    f"{CANARY}@example.com,consumer,yes,29.90,{CANARY},{CANARY}",
    f"{CANARY}#6,consumer,yes,29.90,{CANARY},{CANARY}",
    f"{CANARY}-7,{CANARY},yes,29.90,{CANARY},{CANARY}",
    f"{CANARY}-8,consumer,{CANARY},29.90,{CANARY},{CANARY}",
    f"{CANARY}-9,consumer,yes,{CANARY},{CANARY},{CANARY}",
    f"{CANARY}-10,consumer,yes,29.90,{CANARY}\x1b,{CANARY}",
    f"{CANARY}-11,consumer,yes,29.90",
    f'"{CANARY}-12"{CANARY},consumer,yes,29.90,{CANARY},{CANARY}',
    f"{CANARY}-13,consumer,yes,29.90,{CANARY},{CANARY}\0",
    f"{CANARY}-14,consumer,yes,29.90,{CANARY},{CANARY}" + CANARY * 7_000,
]
BAD_UTF8 = f"{CANARY}-15,consumer,yes,29.90,{CANARY},".encode() + b"\xff"
LIST = b"\n".join([HEADER, *(text.encode() for text in ROWS), BAD_UTF8, b""])


def told_by(functions: Functions) -> Iterator[tuple[str, str]]:
    """Everything that people other than the customer, the publisher and the ledger's readers get to see."""
    world = functions.world
    yield "log, metric or exception", functions.printed.getvalue()
    for body in functions.dead_letters:
        if '"chunk"' in body:
            yield "dead letter of a chunk", body
    for rejection in world.rejected.sent:
        yield "message of the rejected queue", repr(rejection)
    for announcement in world.announcer.announced:
        yield "announcement", announcement.detail
    for key, content in world.archive.documents.items():
        yield "key of a document", key
        if not key.startswith("rejected/"):
            yield f"document {key}", content.decode()
    for campaign_id in world.campaigns.all_campaigns():
        yield "reason of a campaign", world.campaign(str(campaign_id)).state_reason
        yield "log of a campaign", repr(world.campaigns.log(campaign_id))


def assert_silent(functions: Functions, canary: str = CANARY) -> None:
    places = [place for place, text in told_by(functions) if canary in text]
    assert places == []


def test_no_value_of_any_row_is_repeated() -> None:
    functions = Functions(small_world(LIST, chunk_bytes=1_000_000))
    functions.publish(event(rows=len(ROWS) + 1))
    campaign = functions.world.campaign(CAMPAIGN)
    assert campaign.state is State.CLOSED
    assert sum(1 for entry in functions.world.ledger.all_entries() if CANARY in entry.key.account_id) == 5
    assert sum(functions.printed.getvalue().count(name) for name in ("LinesWorked", '"chunk"')) >= 2
    assert any("/problems/" in key for key in functions.world.archive.documents)
    assert_silent(functions)


@pytest.mark.parametrize("error", [TryAgain("BatchExecuteStatement: Throttled"), Refused("no"), KeyError("a bug")])
@pytest.mark.parametrize("call", ["ledger.insert", "archive.put", "campaigns.record_receipt", "lists.read"])
def test_no_value_of_any_row_is_repeated_when_a_worker_fails(call: str, error: Exception) -> None:
    functions = Functions(small_world(LIST, chunk_bytes=1_000_000))
    name, method = call.split(".")
    port = getattr(functions.world, name)
    with patch.object(port, method, _failing_after_opening(getattr(port, method), call, error)):
        functions.publish(event(rows=len(ROWS) + 1))
    assert functions.dead_letters, "the chunk was given up"
    assert "Traceback" in functions.printed.getvalue()
    assert_silent(functions)


def _failing_after_opening(real: Callable[..., Any], call: str, error: Exception) -> Callable[..., Any]:
    """A port's call that always fails; reading a list works once, so that the campaign opens at all."""
    calls = 0

    def failing(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if call == "lists.read" and calls == 1:
            return real(*arguments, **named)
        raise error

    return failing


@pytest.mark.parametrize("file", ["lists/csv_rows.yaml", "lists/jsonl_rows.yaml"])
def test_no_hostile_row_is_repeated(file: str) -> None:
    """Every row of the corpus that is rejected, in one list, with a canary in a column that nobody reads."""
    is_csv = file.startswith("lists/csv")
    rows = [row_bytes(case) for case in cases(file) if case["is"].startswith("rejected")]
    rows = [line.replace(b"A1", CANARY.encode()) for line in rows]
    header = [b"account_id,segment,affected,fee,language"] if is_csv else []
    key = "lists/hostile.csv" if is_csv else "lists/hostile.jsonl"
    functions = Functions(small_world(chunk_bytes=10_000_000))
    good = b"good-1,consumer,yes,1.00,de" if is_csv else b'{"account_id":"good-1","segment":"consumer"}'
    functions.world.lists.upload(key, b"\n".join([*header, *rows, good]) + b"\n")
    functions.publish(event(key=key, rows=len(rows) + 1))
    assert functions.world.campaign(CAMPAIGN).state is State.CLOSED
    assert_silent(functions)


@pytest.mark.parametrize("case", event_cases(), ids=lambda case: case["name"])
def test_no_value_of_a_refused_event_is_repeated(case: Case) -> None:
    functions = Functions(small_world())
    canaries = dict.fromkeys(("title", "service", "cause"), CANARY)
    functions.receive(
        body_of(case, BUCKET, functions.world.lists.newest, functions=[CANARY], facts={"note": CANARY}, **canaries)
    )
    assert len(functions.world.rejected.sent) == 1
    assert_silent(functions)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("title", f"{CANARY}\n"),
        ("service", [CANARY]),
        ("cause", {CANARY: CANARY}),
        ("functions", [CANARY * 20]),
        ("facts", {"note": [CANARY]}),
        ("facts", {f"{CANARY}@example.com": "x"}),
        ("windows", [{"start": CANARY}]),
        ("revision", CANARY),
        ("incident_id", f"{CANARY}#"),
        (f"{CANARY}@example.com", 1),
        ("campaign", {"policy": {"id": f"{CANARY}/", "version": CANARY}, "affected": {"rows": CANARY}}),
        ("campaign", {"policy": {"id": CANARY, "version": 1}, "affected": {"s3": {"bucket": BUCKET, "key": CANARY},
                                                                          "rows": 1}}),
        ("campaign", {"policy": {"id": "net-credit", "version": 1},
                      "affected": {"s3": {"bucket": BUCKET, "key": f"lists/{CANARY}.csv"}, "rows": 1}}),
        ("campaign", {"policy": {"id": "net-credit", "version": 1, "parameters": {"amount": CANARY}},
                      "affected": {"s3": {"bucket": BUCKET, "key": LIST_KEY}, "rows": 1}}),
    ],
)  # fmt: skip
def test_no_wrong_value_of_an_event_is_repeated(path: str, value: Any) -> None:
    functions = Functions(small_world())
    good = event(rows=1)
    good["detail"][path] = value
    functions.publish(good)
    assert len(functions.world.rejected.sent) == 1
    assert_silent(functions)
