"""What is said of an event that was sent: recorded, open, ended or refused, each of its own incident and campaign."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.door.problems import Kind
from kulanz.domain.campaigns.campaign import ENDED, CampaignId, State
from kulanz.domain.incident_record import DetailType
from kulanz_cli import sending
from kulanz_cli.door import DoorProblem
from kulanz_cli.send import Sent
from kulanz_cli.sending import _Became
from tests.support.answering import cells

ID = CampaignId.parse("in-7/3")
KNOWN: Any = SimpleNamespace(incident_id="in-9")


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


WATCH = ["kulanz watch in-7/3"]
SAYS: list[tuple[_Became, int | None, list[list[str]]]] = [
    (_Became(refusal="tables_unconfirmed: why"), 7, [["The event was refused: tables_unconfirmed: why"]]),
    (_Became(), 7, [["Recorded: incident in-9. The event asks for no campaign."]]),
    (
        _Became(ID, State.REFUSED), 7,
        [["Campaign in-7/3 was refused. Why, and its rows:"], ["kulanz rejected in-7/3"]],
    ),
    *(
        (_Became(ID, state), 7,
         [[f"Campaign in-7/3 was opened for this event, and has ended ({state.value}). See it:"], WATCH])
        for state in sorted(ENDED - {State.REFUSED})
    ),
    *(
        (_Became(ID, state), 1_234,
         [[f"Campaign in-7/3 is open ({state.value}, 1,234 rows). Follow it:"], WATCH])
        for state in State if state not in ENDED
    ),
    (_Became(ID, State.PLANNING), 1, [["Campaign in-7/3 is open (planning, 1 row). Follow it:"], WATCH]),
    (_Became(ID, State.PLANNING), None, [["Campaign in-7/3 is open (planning). Follow it:"], WATCH]),
]  # fmt: skip


@pytest.mark.parametrize(("became", "rows", "lines"), SAYS)
def test_what_became_of_an_event_is_said_with_what_to_type_next(
    became: _Became, rows: int | None, lines: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    sending._show(became, KNOWN, rows)
    assert cells(capsys.readouterr().out) == lines


@pytest.mark.parametrize(("rows", "counted"), [(None, ""), (1, ", 1 row"), (1_234, ", 1,234 rows")])
def test_an_event_on_the_bus_is_named_by_the_buss_id_and_says_where_its_campaign_will_be(
    rows: int | None, counted: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sending, "send", lambda *_: Sent("event-1", "Incident Resolved", "in-9", rows))
    stack: Any = object()
    sending._put_on_the_bus({}, stack, is_json=True)
    told = {"v": 1, "event_id": "event-1", "incident_id": "in-9", "rows": rows}
    assert json.loads(capsys.readouterr().out) == told
    sending._put_on_the_bus({}, stack, is_json=False)
    assert cells(capsys.readouterr().out) == [
        [f"Incident Resolved in-9{counted}: the bus has it as event-1"],
        ["Its campaign, once it is open, or why it was refused:"], ["kulanz campaigns in-9"], ["kulanz rejected"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("became", "told"),
    [
        (_Became(), {"campaign": None, "state": None, "refused": None}),
        (_Became(ID, "planning"), {"campaign": "in-7/3", "state": "planning", "refused": None}),
        (_Became(refusal="why"), {"campaign": None, "state": None, "refused": "why"}),
    ],
)
def test_a_program_is_told_what_became_of_an_event(became: _Became, told: dict[str, Any]) -> None:
    assert sending._became_content(became) == told


def test_requests_that_differ_in_anything_are_not_the_same_request() -> None:
    request: dict[str, Any] = {
        "decision_digest": "d-1",
        "campaign": {"policy": {"id": "p", "version": 1}, "affected": {"s3": {"version_id": "v-1"}, "rows": 7}},
    }
    differing = [
        request,
        request | {"decision_digest": "d-2"},
        request | {"campaign": request["campaign"] | {"policy": {"id": "p", "version": 2}}},
        request | {"campaign": request["campaign"] | {"affected": {"s3": {"version_id": "v-2"}, "rows": 7}}},
        request | {"campaign": request["campaign"] | {"affected": {"s3": {"version_id": "v-1"}, "rows": 8}}},
    ]
    assert len({sending._request_id(one) for one in differing}) == len(differing)
    assert sending._request_id(dict(reversed(request.items()))) == sending._request_id(request)


def test_a_request_goes_under_the_id_that_was_given_or_else_under_its_contents_own() -> None:
    named: list[str] = []

    class Noting:
        def act(self, use: str, _: Any, **values: Any) -> dict[str, Any]:
            named.extend([str(values["id"])] if use == "requests.campaign" else [])
            return {"decision_digest": "d-1", "campaign": "in-9/1", "state": State.REFUSED}

    known: Any = SimpleNamespace(
        incident_id="in-9", revision=2, detail_type=DetailType.RESOLVED, request=SimpleNamespace()
    )  # fmt: skip
    door: Any = Noting()
    for campaign, given_id in (({"policy": 1}, None), ({"policy": 2}, None), ({"policy": 1}, None), ({}, "mine")):
        sending._requested({"detail": {"campaign": campaign}}, known, door, given_id)
    assert named == [
        *(sending._request_id({"decision_digest": "d-1", "campaign": {"policy": number}}) for number in (1, 2, 1)),
        "mine",
    ]


@pytest.mark.parametrize("kind", [*Kind, None])
def test_only_whoever_may_not_read_a_campaign_is_told_its_first_answer(kind: Kind | None) -> None:
    class Failing:
        def ask(self, *_: Any, **__: Any) -> Any:
            raise DoorProblem("no", kind)

    door: Any = Failing()
    if kind is Kind.UNKNOWN:
        assert sending.state_now(door, ID, "planning") == "planning"
    else:
        with pytest.raises(DoorProblem):
            sending.state_now(door, ID, "planning")
    assert sending.state_now(door, ID, State.REFUSED) == State.REFUSED, "nothing becomes of what is refused"
