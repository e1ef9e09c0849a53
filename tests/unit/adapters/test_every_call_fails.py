"""What becomes of every call of every adapter that AWS refuses, throttles or never answers.

The calls are found and not listed: the public methods of all adapters, with values of the types that they take. A
failure never passes for a success, and no error holds anything of the content.
"""

import inspect
import pkgutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, TypeAliasType, Union, get_args, get_origin, get_type_hints

import pytest
from botocore.exceptions import ConnectTimeoutError

import kulanz.adapters
from kulanz.adapters.table_policies import ClosedTable
from kulanz.application.cases.store import HandStep
from kulanz.application.delivery.world import Booked, EntriesChange
from kulanz.application.ports import AtTheGate
from kulanz.domain.budgets import BudgetStep, Draw, LimitSet
from kulanz.domain.byhand.counts import CountOf, CountStep
from kulanz.domain.campaigns.campaign import Campaign, Chunks, PinnedList, Receipt, State, StateChange
from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.moved import Moves
from kulanz.domain.delivery.topic_messages import CreditsMessage
from kulanz.domain.delivery.void import Void, VoidTotals
from kulanz.domain.exports.figures import Figures
from kulanz.domain.gate.filed_plan import FiledPlan
from kulanz.domain.ledger.entries import DecisionKey, Entry, HistoryChange
from kulanz.domain.ledger.hand_decision import HandDecision
from kulanz.domain.lists.header import ListLayout
from kulanz.domain.notices import NoticeMessage
from kulanz.domain.policy.deciding.history import HistoryKey, SubjectHistory
from tests.support.approved import must_be_as_approved
from tests.support.distinct import _of
from tests.support.scripted import SECRET, error, waits_kept
from tests.support.values import campaign, change, filed, receipt
from tests.unit.adapters import test_conditions_of_writes as written
from tests.unit.adapters.test_items_read_back import LAYOUT

PLANNED = campaign(written.ID)
QUEUES = Mapping[str, tuple[str, str]]
VALUES: dict[Any, Any] = {
    Any: "any",
    AtTheGate: AtTheGate(),
    Booked: Booked(written.GRANTED, ()),
    BudgetStep: written.STEP,
    Callable[[], float]: lambda: 100.0,
    Campaign: PLANNED,
    Chunks: PLANNED.chunks,
    Collection[ClosedTable]: (ClosedTable("T", "t", frozenset({"w"})),),
    CountOf: written.OF_ANNA,
    CountStep: written.COUNTS[0],
    DecisionKey: written.GRANTED.key,
    Delivery: written.DELIVERY,
    DeliveryId: written.FIRST,
    EntriesChange: written.CHANGE,
    Entry: written.GRANTED,
    Draw: written.DRAWS[0],
    Figures: Figures(),
    FiledPlan: filed(PLANNED),
    HandDecision: written.HAND,
    HandStep: HandStep(written.HELD, written.DECIDED, written.INCIDENT),
    HistoryChange: HistoryChange(HistoryKey("A-1", "p", "-"), SubjectHistory(), SubjectHistory(1)),
    LimitSet: written.SETTING,
    ListLayout: LAYOUT,
    Moves: written.MOVES,
    PinnedList: PinnedList("bucket", "lists/a.csv", "v", '"etag"', 10_007),
    QUEUES: {"dead": ("dead", "alive")},
    Receipt: receipt(50, 450),
    StateChange: change(PLANNED, State.PAUSED),
    Void: written.BEFORE_VOID,
    VoidId: written.VOID,
    VoidTotals: VoidTotals(),
}
"""Of types that not every value is one of."""
LATER = {"CreditsMessage": CreditsMessage, "NoticeMessage": NoticeMessage}
"""Types that an adapter imports only to be checked."""
TEXTS = {"prefix": "prefix/", "key": "prefix/key", "queue": "dead"}
NUMBERS = {"calls_in_flight": 1, "start": 3, "stop": 7}
NO_OPERATIONS = {
    *("DynamoCredits.booked", "DynamoCredits.write_entries", "DynamoLedger.insert"),
    *("InsertCalls.execute", "ReadCalls.read", "SignedRequests.request"),
    *(f"{name}.take_throttled" for name in ("DynamoCredits", "DynamoLedger", "InsertCalls", "ReadCalls")),
    "S3Documents.link",
}
"""They call no operation of the client: test_adapter_faults and test_read_calls have what becomes of their calls."""


def _made(hint: Any, name: str) -> Any:  # noqa: PLR0911 (a kind of type each)
    """A value of a type, whatever it holds."""
    hint = hint.__value__ if isinstance(hint, TypeAliasType) else hint
    if hint is str and name in TEXTS:
        return TEXTS[name]
    if hint is int and name in NUMBERS:
        return NUMBERS[name]
    if hint in VALUES:
        return VALUES[hint]
    origin, inner = get_origin(hint), [one for one in get_args(hint) if one is not NoneType]
    if origin in (UnionType, Union):
        return _made(inner[0], name)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return origin() if issubclass(origin, dict) else {_made(inner[0], name): _made(inner[-1], name)}
    if origin is tuple and inner[-1] is not Ellipsis:
        return tuple(_made(one, name) for one in inner)
    if isinstance(origin, type) and issubclass(origin, Iterable):
        collected: Any = list if inspect.isabstract(origin) else origin
        return collected((_made(inner[0], name),))
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{one.name: _made(hints[one.name], one.name) for one in fields(hint) if one.init})
    return _of(hint, name, None)


type Said = Callable[[Mapping[str, Any]], Exception]


class Failing:
    """A client of AWS whose every operation raises what is `said` to it; what is read may find nothing instead."""

    def __init__(self, said: Said, *, finds_nothing: bool = False) -> None:
        self._said, self._finds_nothing = said, finds_nothing
        self.called: list[str] = []
        self.has_raised = False
        config = SimpleNamespace(user_agent="agent")
        self.meta = SimpleNamespace(region_name="r", endpoint_url="https://aws", config=config, events=None)
        self._request_signer = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def operation(**asked: Any) -> Any:
            self.called.append(name)
            if self._finds_nothing and name in FINDS:
                return FINDS[name]
            self.has_raised = True
            raise self._said(asked)

        return operation


FINDS = {"get_item": {}, "batch_get_item": {}, "describe_table": {"Table": {"TableArn": "arn"}}}


MODULES = (
    *(f"kulanz.adapters.{one.name}" for one in pkgutil.iter_modules(kulanz.adapters.__path__)),
    "serve_console.kept",
)


def _methods() -> Iterator[tuple[str, Callable[[Any], object]]]:
    """Every public method of an adapter over a client, as what it does with one."""
    for place in MODULES:
        for name, made in vars(import_module(place)).items():
            if not inspect.isclass(made) or made.__module__ != place or name.startswith("_"):
                continue
            if "client" in inspect.signature(made.__init__).parameters:
                for method, function in inspect.getmembers(made, inspect.isfunction):
                    if not method.startswith("_") and f"{name}.{method}" not in NO_OPERATIONS:
                        yield f"{name}.{method}", _caller(made, function)


def _caller(made: Any, function: Callable[..., Any]) -> Callable[[Any], object]:
    @cache
    def values(of: Callable[..., Any]) -> dict[str, Any]:
        hints = get_type_hints(of, localns=LATER)
        asked = [one for one in inspect.signature(of).parameters.values() if one.name not in ("self", "client")]
        is_new = of.__name__ == "__init__"  # there a default is as good
        return {one.name: _made(hints[one.name], one.name) for one in asked if not is_new or one.default is one.empty}

    def call(client: Any) -> object:
        found = function(made(client=client, **values(made.__init__)), **values(function))
        return list(found) if isinstance(found, Iterator) else found

    return call


METHODS = dict(_methods())


def _always(raised: Exception) -> Said:
    return lambda _: raised


def _cancelled(*codes: str) -> Said:
    """A transaction is cancelled: its last action has the last of these reasons, and all others have the first."""

    def said(asked: Mapping[str, Any]) -> Exception:
        others = len(asked.get("TransactItems", "1")) - 1
        reasons = [{"Code": code} for code in (*codes[:1] * others, codes[-1])]
        return error("TransactionCanceledException", CancellationReasons=reasons)

    return said


def _either(one: str, *of_several: str) -> Said:
    """What a single write is told, and what a transaction is."""
    return lambda asked: _cancelled(*of_several)(asked) if "TransactItems" in asked else error(one)


SOON: dict[str, Said] = {
    "throttled": _always(error("ThrottlingException")),
    "too much at once": _always(error("com.amazonaws.dynamodb#ProvisionedThroughputExceededException")),
    "out of order": _always(error("Anything", 500)),
    "without an answer": _always(ConnectTimeoutError(endpoint_url=SECRET)),
    "met another": _either("TransactionConflictException", "TransactionConflict"),
    "met another at its last item": _either("TransactionInProgressException", "None", "TransactionConflict"),
}
"""What may go well the next time."""
SAID: dict[str, Said] = {
    "denied": _always(error("AccessDeniedException", 403)),
    "forbidden": _always(error("AccessDenied", 403)),
    "a condition fails": _either("ConditionalCheckFailedException", "None", "ConditionalCheckFailed"),
    "a condition fails, another write is under way": _either(
        "ValidationException", "TransactionConflict", "ConditionalCheckFailed"
    ),
    "cancelled for good": _either("ValidationException", "None", "ItemCollectionSizeLimitExceeded"),
    "something stands": _always(error("PreconditionFailed", 412)),
    "no object": _always(error("NoSuchKey", 404)),
    "no bucket": _always(error("NoSuchBucket", 404)),
    "a delete marker": _always(error("MethodNotAllowed", 405)),
    "no secret": _always(error("ResourceNotFoundException")),
    "no policy": _always(error("PolicyNotFoundException")),
}
"""What AWS says for good. Where an adapter makes anything but Refused of it, the text beside this file says what."""


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait would have been."""
    return waits_kept(monkeypatch)


def _outcome(name: str, client: Failing) -> str:
    """What a method answers or raises; nothing where the client had no occasion to fail."""
    try:
        found = repr(METHODS[name](client))
    except Exception as raised:  # noqa: BLE001 (whatever it is, it is stated)
        found = f"{type(raised).__name__}{' with content' * (SECRET in str(raised))}"
    return found if client.has_raised else ""


@pytest.mark.parametrize("name", METHODS)
def test_what_may_go_well_the_next_time_is_to_be_tried_again(name: str) -> None:
    assert {_outcome(name, Failing(said)) for said in SOON.values()} == {"TryAgain"}
    assert {_outcome(name, Failing(said, finds_nothing=True)) for said in SOON.values()} <= {"TryAgain", ""}


def test_what_is_said_for_good_is_refused_and_whatever_else_is_made_of_it_is_approved() -> None:
    lines = []
    for name in METHODS:
        for what, said in SAID.items():
            found = [_outcome(name, Failing(said, finds_nothing=finds)) for finds in (False, True)]
            lines += [f"{name}: {what}: {one}" for one in dict.fromkeys(found) if one not in ("", "Refused")]
    must_be_as_approved("\n".join(lines) + "\n", Path(__file__))
