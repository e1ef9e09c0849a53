"""Whatever raises in a function, and whatever its message holds: no value of a row, an event or a policy is logged.

A fault of ours quotes what it was working on (`KeyError: 'an account'`), and so do answers of AWS. Such an error is
raised at every call of every port, once and for good, and inside the code of every function; after each, everything
that others get to see is searched for what the list, the event and the policy hold.
"""

import json
from typing import Any, NoReturn
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from kulanz.application.campaigns import advance_campaign as advancing
from kulanz.application.campaigns import open_campaign as opening
from kulanz.application.campaigns.apply_chunk import ApplyRun
from kulanz.application.campaigns.chunk_run import ChunkRun
from kulanz.application.campaigns.plan_chunk import PlanRun
from kulanz.application.notices import publish_notices as publishing
from kulanz.application.ports import Refused, TryAgain
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.ledger.decider import Decider
from kulanz.failures import CAUSES_MOST, WITHOUT_CONTENT, described
from tests.hostile.handlers import Functions
from tests.hostile.test_canaries import CANARY, HEADER, assert_silent
from tests.support.faults import Tap, no_faults
from tests.support.small_campaign import CAMPAIGN, LIST_KEY, NO_LIMITS, POLICY, event, sealed_policy, small_world

ROWS = [
    f"{CANARY}-1,consumer,yes,29.90,en,{CANARY}", f"{CANARY}-2,prepaid,yes,29.90,en,{CANARY}",
    f"{CANARY}-3,,yes,29.90,en,{CANARY}", f"{CANARY}-4,consumer,{CANARY},29.90,en,{CANARY}",
]  # fmt: skip
LIST = b"\n".join([HEADER, *(text.encode() for text in ROWS), b""])
TEXTS = POLICY.replace("title: A credit", f"title: {CANARY}").replace("subject: Sorry", f"subject: {CANARY}")
CALLS_MOST = 200


def quoting(kind: str = "bug") -> Exception:
    """An error whose message, and that of its cause, quote what it was working on."""
    answer: Any = {"Error": {"Code": "ValidationException", "Message": f"cannot convert {CANARY}"}}
    errors = {
        "bug": KeyError(f"{CANARY}-1"),
        "aws": ClientError(answer, "PutItem"),
        "chained": TryAgain("PutItem: ValidationException"),
    }
    error = errors[kind]
    if kind == "chained":
        error.__cause__ = ClientError(answer, "PutItem")
    return error


@pytest.mark.parametrize("ours", WITHOUT_CONTENT)
def test_of_an_error_that_is_more_special_than_ours_the_type_alone_is_logged(ours: type[Exception]) -> None:
    """Whoever made it may have put into its message what was sent."""
    special = type("Special", (ours,), {})
    (said,) = described(special(CANARY))
    (plain,) = described(ours("a code"))
    assert (CANARY in said, said.startswith("Special"), "a code" in plain) == (False, True, True)


def functions() -> Functions:
    world = small_world(LIST, chunk_bytes=1_000_000)
    world.policies.publish("net-credit", 2, sealed_policy(TEXTS.replace("version: 1", "version: 2")))
    return Functions(world)


def received(made: Functions, **changes: Any) -> None:
    """An event whose every free text is a canary, the list with its rows, or rows inside the event."""
    texts: dict[str, Any] = dict.fromkeys(("title", "service", "cause"), CANARY)
    told = event(rows=len(ROWS), policy_version=2, functions=[CANARY], facts={"note": CANARY}, **texts, **changes)
    made.publish(told)


def failing(at: int | str, kind: str) -> Tap:
    """Calls of which one, or each of a name, raises and takes no effect."""

    def choose(number: int, name: str) -> None:
        if at in (number, name):
            raise quoting(kind)

    return Tap(choose)


def calls_of(is_inline: bool) -> list[str]:
    """Every call of every port from the event to the last notice, when nothing fails."""
    made = functions()
    _publish(made, is_inline)
    assert made.world.campaign(CAMPAIGN).state is State.CLOSED
    return made.tap.calls


def _publish(made: Functions, is_inline: bool) -> None:
    if not is_inline:
        received(made)
        return
    names = ("account_id", "segment", "affected", "fee", "language", f"{CANARY}note")
    rows = [{**dict(zip(names, text.split(","), strict=True)), "affected": True} for text in ROWS]
    affected = {"inline": rows, "rows": len(rows)}
    received(made, campaign={"policy": {"id": "net-credit", "version": 2}, "affected": affected, "limits": NO_LIMITS})


def test_an_error_at_any_one_call_repeats_nothing_and_the_campaign_goes_on() -> None:
    calls = calls_of(is_inline=False)
    assert len(calls) < CALLS_MOST
    for number, name in enumerate(calls):
        made = functions()
        made.tap = failing(number, ("bug", "aws", "chained")[number % 3])
        received(made)
        assert '"errors":' in made.printed.getvalue(), name
        assert_silent(made)
        made.tap = Tap(no_faults)
        assert made.world.campaign(CAMPAIGN).state is State.CLOSED, name


@pytest.mark.parametrize(("kind", "is_inline"), [("bug", True), ("aws", False), ("chained", False)])
def test_a_call_that_fails_for_good_repeats_nothing(kind: str, is_inline: bool) -> None:
    for name in dict.fromkeys(calls_of(is_inline)):
        made = functions()
        made.tap = failing(name, kind)
        _publish(made, is_inline)
        printed = made.printed.getvalue()
        assert '"errors":' in printed, name
        assert type(quoting(kind)).__name__ in printed, name
        assert_silent(made)


def _raising(*_: object, **__: object) -> NoReturn:
    raise quoting("bug") from quoting("aws")


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (opening, "read_incident_event"), (opening, "freeze_policy"), (opening, "lay_out"), (opening, "_record"),
        (PlanRun, "_take"), (ApplyRun, "_take"), (ApplyRun, "_entries"), (ChunkRun, "count"), (Decider, "_decide"),
        (advancing, "examine"), (advancing, "campaign_report"), (publishing, "_notices_of"),
    ],
)  # fmt: skip
def test_a_fault_of_ours_in_the_midst_of_a_function_repeats_nothing(owner: Any, name: str) -> None:
    made = functions()
    with patch.object(owner, name, _raising):
        received(made)
    printed = made.printed.getvalue()
    assert "KeyError at " in printed
    assert "ClientError at " in printed
    assert f"{name.removeprefix('_')}" in printed or "_raising" in printed, "the log says where"
    assert_silent(made)


def test_a_message_of_a_queue_that_is_none_of_ours_is_not_repeated() -> None:
    made = functions()
    record = {
        "messageId": "a-chunk",
        "body": json.dumps({"campaign": CANARY, "pass": CANARY}),
        "eventSource": "aws:sqs",
    }
    made._receive_chunk({"Records": [record]})
    made.receive(f"{CANARY} is no JSON")
    made.receive(json.dumps({"detail": CANARY, CANARY: CANARY}))
    assert made.dead_letters
    made.dead_letters.clear()
    assert_silent(made)


def test_an_error_is_described_by_types_and_places_and_our_own_words() -> None:
    try:
        try:
            _raising()
        except KeyError as error:
            raise TryAgain("Query: Throttled") from error
    except TryAgain as error:
        first, *others = described(error)
    assert first.startswith("TryAgain: Query: Throttled at ")
    assert "test_an_error_is_described_by_types_and_places" in first
    assert [one.partition(" at ")[0] for one in others] == ["KeyError", "ClientError"]
    assert CANARY not in " ".join([first, *others])


def test_a_long_chain_of_errors_is_described_up_to_a_bound() -> None:
    error: Exception = Refused("the first")
    for _ in range(2 * CAUSES_MOST):
        following = RuntimeError("another")
        following.__cause__ = error
        error = following
    assert len(described(error)) == CAUSES_MOST
    assert LIST_KEY not in " ".join(described(error))
