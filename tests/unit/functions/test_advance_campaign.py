"""The function that moves campaigns on: which records it acts on, and that one kind of thing never hides another."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from advance_campaign import handler
from kulanz.application.delivery.watching import Looked
from kulanz.config.advance_campaign import AdvanceCampaignConfig
from kulanz.domain.campaigns.campaign import STOPPED, CampaignId, State
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.void import VoidState
from kulanz.failures import FunctionFailed

CONTEXT: Any = SimpleNamespace(
    function_name="advance_campaign",
    function_version="9",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:advance",
    aws_request_id="a-request",
    get_remaining_time_in_millis=lambda: 12_345,
)
KINDS = (
    "_watch_campaigns", "watch_deliveries", "_watch_kept_back", "_watch_given_again", "_watch_second_persons",
    "watch_voids", "_watch_answers", "_settle_budgets",
)  # fmt: skip
"""What the schedule has looked at, in this order."""


@pytest.fixture(autouse=True)
def composed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ports that nothing looks at: what uses them is replaced."""
    for name in ("_composed", "_delivering", "_voiding", "_keeping_back", "_second_persons", "_settling"):
        monkeypatch.setattr(handler, name, lambda: SimpleNamespace(campaigns=None, advance=None, troubles=None))
    monkeypatch.setattr(AdvanceCampaignConfig, "read", lambda: SimpleNamespace(warn_before_days=3))


def metrics(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    kept = ("CampaignsWaitingForAPerson", "GlassBroken", "CreditsOverdue", "CreditsDueSoon")
    return [{name: line[name] for name in kept if name in line} for line in lines]


def waits_of(number: int) -> Looked:
    """A look after which so many wait for a person: some flagged, some failed."""
    names = tuple((f"one-{place}", "why") for place in range(number))
    return Looked(names[:1], names[1:])


@pytest.mark.parametrize("failing", [(), *((one,) for one in KINDS), ("watch_deliveries", "_watch_answers")])
def test_whatever_fails_all_kinds_are_looked_at_what_waits_is_counted_and_the_first_error_is_raised(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: tuple[str, ...]
) -> None:
    looked: list[str] = []
    waits = {name: 2**place for place, name in enumerate(KINDS)}

    def looking(name: str) -> Any:
        def look(*_: object) -> Any:
            looked.append(name)
            if name in failing:
                raise OSError(name)
            return waits_of(waits[name]) if name.startswith("watch_") else waits[name]

        return look

    for name in KINDS:
        monkeypatch.setattr(handler, name, looking(name))
    if failing:
        with pytest.raises(OSError, match=failing[0]):
            handler._watch("an-event", CONTEXT, lambda: 1.0)
    else:
        handler._watch("an-event", CONTEXT, lambda: 1.0)
    assert looked == list(KINDS)
    expected = sum(number for name, number in waits.items() if name not in failing)
    assert metrics(capsys) == [{"CampaignsWaitingForAPerson": [expected]}]


def record(partition: str, sort: str = "META", name: str = "MODIFY", event: str = "an-event") -> dict[str, Any]:
    keys = {"pk": {"S": partition}, "sk": {"S": sort}}
    return {"eventName": name, "eventID": event, "dynamodb": {"Keys": keys}}


class Moved:
    """What the handler moved on, with which event as the cause."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, state: State | None = State.PLANNING) -> None:
        self.on: list[tuple[str, str]] = []

        def follow(incident_id: str, _: object, cause: Any, *__: object) -> None:
            self._note(incident_id, cause)

        def campaign(one: CampaignId, _: object, cause: Any, *__: object) -> State | None:
            self._note(str(one), cause)
            return state

        def void(one: VoidId, _: object, cause: Any, *__: object) -> None:
            self._note(f"void {one}", cause)

        monkeypatch.setattr(handler, "follow_incident", follow)
        monkeypatch.setattr(handler, "advance_campaign", campaign)
        monkeypatch.setattr(handler, "advance_void", void)
        monkeypatch.setattr(handler, "advance_delivery", lambda one, *_: self.on.append((f"delivery {one}", "")))

    def _note(self, what: str, cause: Any) -> None:
        assert (cause.actor, cause.code_version) == ("advance_campaign", "9")
        self.on.append((what, cause.event_id))


def test_each_thing_whose_record_changed_is_moved_on_once_by_its_last_event(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = Moved(monkeypatch)
    revision = record("INCIDENT#out", "REVISION#000000002", "INSERT", "e-6")
    records = [
        record("CAMPAIGN#out#002", event="e-1"), record("CAMPAIGN#out#001", event="e-2"),
        record("CAMPAIGN#out#002", name="INSERT", event="e-3"), record("CAMPAIGN#out#003", name="REMOVE"),
        record("CAMPAIGN#out#004", "PLAN"), revision, record("INCIDENT#gone", "REVISION#000000001", "MODIFY"),
        record("DELIVERY#billing#00000007", event="e-7"), record("VOID#out#002#wrong", event="e-8"),
    ]  # fmt: skip
    assert handler.handle({"Records": records}, CONTEXT) is None
    delivery = [str(DeliveryId("billing", 7))]
    void = f"void {VoidId(CampaignId('out', 2), 'wrong')}"
    assert moved.on == [
        ("out", "e-6"), ("out/2", "e-3"), ("out/1", "e-2"), (f"delivery {delivery[0]}", ""), (void, "e-8"),
    ]  # fmt: skip
    assert metrics(capsys) == []


@pytest.mark.parametrize("state", [None, *State])
def test_a_campaign_that_comes_to_wait_for_a_person_is_told_of_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: State | None
) -> None:
    Moved(monkeypatch, state)
    handler.handle({"Records": [record("CAMPAIGN#out#002")]}, CONTEXT)
    is_told = state is State.REFUSED or state in STOPPED
    assert metrics(capsys) == ([{"CampaignsWaitingForAPerson": [1]}] if is_told else [])


def test_an_error_of_one_record_leaves_the_batch_to_come_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise ValueError("canary-4711")

    monkeypatch.setattr(handler, "advance_campaign", fails)
    with pytest.raises(FunctionFailed):
        handler.handle({"Records": [record("CAMPAIGN#out#002")]}, CONTEXT)
    assert "canary-4711" not in capsys.readouterr().out


def test_an_event_without_records_is_the_schedules_and_its_id_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    watched: list[Any] = []
    monkeypatch.setattr(handler, "_watch", lambda *said: watched.append((said[0], said[2]())))
    assert handler.handle({"id": "e-1"}, CONTEXT) is None
    assert handler.handle({}, CONTEXT) is None
    assert watched == [("e-1", 12.345), ("", 12.345)]


@pytest.mark.parametrize(
    ("rung", "is_listed", "is_whole"), [((), True, True), ((), False, True), (("i/1", "i/2"), True, False)]
)
def test_the_alarm_of_a_broken_glass_rings_before_it_is_noted_and_what_is_stuck_is_an_error_of_its_name(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    rung: tuple[str, ...],
    is_listed: bool,
    is_whole: bool,
) -> None:
    noted: list[Any] = []
    stuck = ((CampaignId("i", 3), "TryAgain: throttled"), (CampaignId("i", 4), "Refused: why"))
    found = SimpleNamespace(failed=stuck, is_whole=is_whole, looked_at=5, waiting=7, to_ring=rung)
    logged: list[Any] = []
    failed: list[Any] = []
    ports, older = SimpleNamespace(troubles="troubles"), SimpleNamespace(bring_in=lambda _: is_listed)
    monkeypatch.setattr(handler, "_watching", lambda: (ports, older))
    monkeypatch.setattr(handler, "watch_open", lambda *_: found)
    monkeypatch.setattr(handler, "note_rung", lambda *said: noted.append((said[0], said[1], metrics(capsys))))
    monkeypatch.setattr(handler.logger, "info", lambda *said, **fields: logged.append((said, fields)))
    monkeypatch.setattr(handler.logger, "error", lambda *said, **fields: failed.append((said, fields)))
    assert handler._watch_campaigns(None, lambda: 1.0) == 7  # type: ignore[arg-type]
    assert logged == [(("watch",), {"looked_at": 5, "waiting": 7, "is_whole": is_listed and is_whole})]
    assert failed == [
        (("campaign could not be moved on",), {"campaign": "i/3", "why": "TryAgain: throttled"}),
        (("campaign could not be moved on",), {"campaign": "i/4", "why": "Refused: why"}),
    ]
    assert noted == ([(rung, "troubles", [{"GlassBroken": [2]}])] if rung else [])


def test_what_is_late_and_what_soon_will_be_are_counted_each_by_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def look(dues: object, now: object, before: Any) -> Any:
        asked.append((dues, now, before.days))
        return SimpleNamespace(overdue=11, due_soon=13)

    monkeypatch.setattr(handler, "_answering", lambda: ("answering", "dues"))
    monkeypatch.setattr(handler, "watch_answers", lambda *_: waits_of(3))
    monkeypatch.setattr(handler, "look_at_dues", look)
    assert handler._watch_answers("now", lambda: 1.0) == 3  # type: ignore[arg-type]
    assert asked == [("dues", "now", 3)]
    assert metrics(capsys) == [{"CreditsOverdue": [11], "CreditsDueSoon": [13]}]


def test_what_is_kept_back_given_again_or_reserved_is_looked_at_and_counted_as_a_trouble_and_not_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settled = SimpleNamespace(
        failed=(("i/1", "why"),), beyond=("i/2",), exceeded=("EUR 2026-03",), looked_at=9, is_whole=True
    )
    looked: list[str] = []
    logged: list[dict[str, Any]] = []

    def looking(name: str, found: object) -> Any:
        def look(*_: object) -> object:
            looked.append(name)
            return found

        return look

    monkeypatch.setattr(handler, "watch_kept_back", looking("kept back", 5))
    monkeypatch.setattr(handler, "watch_given_again", looking("given again", 6))
    monkeypatch.setattr(handler, "settle_budgets", looking("budgets", settled))
    monkeypatch.setattr(handler, "watch_second_persons", looking("second persons", 4))
    for level in ("info", "warning", "error"):
        monkeypatch.setattr(
            handler.logger,
            level,
            lambda text, level=level, **fields: logged.append({"says": f"{level}: {text}", **fields}),
        )
    assert (handler._watch_kept_back(), handler._watch_given_again(), handler._settle_budgets(lambda: 1.0)) == (0, 0, 0)
    assert handler._watch_second_persons() == 4
    assert looked == ["kept back", "given again", "budgets", "second persons"]
    failed, beyond, exceeded, whole, waited = logged
    assert (failed["says"], failed["campaign"], failed["why"]) == (
        "error: reservations could not be settled", "i/1", "why",
    )  # fmt: skip
    assert (beyond["says"].partition(";")[0], beyond["campaign"]) == (
        "error: the ledger holds more than was reserved", "i/2",
    )  # fmt: skip
    assert exceeded == {"says": "warning: a budget is exceeded", "budget": "EUR 2026-03"}
    assert whole == {"says": "info: budgets", "looked_at": 9, "is_whole": True}
    assert waited == {"says": "warning: what waited for a second person waits no more", "number": 4}


def test_each_kind_logs_what_is_flagged_and_what_failed_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[dict[str, Any]] = []
    monkeypatch.setattr(handler.logger, "error", lambda text, **fields: logged.append({"says": text, **fields}))
    looked = Looked((("a", "differs"),), (("b", "ValueError"), ("c", "KeyError")))
    assert handler._waiting_of("void", looked) == 3
    assert logged == [
        {"says": "flagged", "kind": "void", "on": "a", "why": "differs"},
        {"says": "could not be moved on", "kind": "void", "on": "b", "why": "ValueError"},
        {"says": "could not be moved on", "kind": "void", "on": "c", "why": "KeyError"},
    ]


def test_each_thing_that_was_moved_on_is_logged_with_where_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[dict[str, Any]] = []
    monkeypatch.setattr(handler.logger, "info", lambda text, **fields: logged.append({"says": text, **fields}))
    Moved(monkeypatch, State.CLOSED)
    monkeypatch.setattr(handler, "advance_delivery", lambda *_: DeliveryState.SENT)
    monkeypatch.setattr(handler, "advance_void", lambda *_: VoidState.VOIDED)
    places = ("CAMPAIGN#out#002", "DELIVERY#billing#00000007", "VOID#out#002#wrong")
    revision = record("INCIDENT#out", "REVISION#000000002", "INSERT")
    handler.handle({"Records": [revision, *map(record, places)]}, CONTEXT)
    assert logged == [
        {"says": "incident", "incident_id": "out"},
        {"says": "campaign", "campaign": "out/2", "state": "closed"},
        {"says": "delivery", "delivery": "billing/7", "state": "sent"},
        {"says": "void", "void": str(VoidId(CampaignId("out", 2), "wrong")), "state": "voided"},
    ]


@pytest.mark.parametrize(
    ("look", "kind"), [("watch_deliveries", "delivery"), ("watch_voids", "void"), ("watch_answers", "answers")]
)
def test_what_a_look_flags_is_logged_as_what_it_is(monkeypatch: pytest.MonkeyPatch, look: str, kind: str) -> None:
    """Whoever the alarm calls looks at the thing that the log names."""
    logged: list[dict[str, Any]] = []
    monkeypatch.setattr(handler.logger, "error", lambda text, **fields: logged.append({"says": text, **fields}))
    monkeypatch.setattr(handler, "_answering", lambda: ("answering", "dues"))
    monkeypatch.setattr(handler, "look_at_dues", lambda *_: SimpleNamespace(overdue=0, due_soon=0))
    for name in KINDS:
        if name != "_watch_answers":
            monkeypatch.setattr(handler, name, lambda *_: 0)
    for name in ("watch_deliveries", "watch_voids", "watch_answers"):
        found = (("one", "differs"),) if name == look else ()
        monkeypatch.setattr(handler, name, lambda *_, found=found: Looked(found, found))
    handler._watch("an-event", CONTEXT, lambda: 1.0)
    assert [(one["says"], one["kind"], one["on"]) for one in logged] == [
        ("flagged", kind, "one"), ("could not be moved on", kind, "one"),
    ]  # fmt: skip
