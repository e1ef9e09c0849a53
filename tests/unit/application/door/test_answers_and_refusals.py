"""What becomes of acts that stop a campaign, of refusals, of samples, and of sentences about what was taken back."""

from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.campaigns.control_campaign import ControlRefused
from kulanz.application.cases.sample_plan import NoSample
from kulanz.application.delivery.ask_void import VoidRefused
from kulanz.application.door import exports, goodwill, parameters, requests, stops, voids
from kulanz.application.door.problems import Kind, Problem
from kulanz.application.door.serve import _must_be_valid
from kulanz.application.door.taken_back import taken_back_step
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import Ends, Share, VoidTotals
from tests.support.values import NOW, campaign

ID = CampaignId("an-incident", 7)


def asked(body: Any = None, **of: str) -> Any:
    return SimpleNamespace(
        of=of, query={}, now=NOW, caller=SimpleNamespace(id="anna"), acting="acting", body=body, campaign_id=ID
    )


@pytest.mark.parametrize(
    ("action", "at_biller", "ends"),
    [
        ("void_unused", False, Ends.UNUSED),
        ("void_unused", True, Ends.UNUSED),
        ("void_unassigned", True, Ends.UNASSIGNED),
    ],
)
def test_a_flagged_campaign_ends_by_a_void_of_its_own_that_is_asked_for_under_the_acts_id(
    monkeypatch: pytest.MonkeyPatch, action: str, at_biller: bool, ends: Ends
) -> None:
    made: list[Any] = []
    monkeypatch.setattr(stops, "existing", lambda *_: campaign(ID))
    monkeypatch.setattr(stops, "void_ports", lambda _: "ports")
    monkeypatch.setattr(stops, "may_write_until", lambda *_: None)
    monkeypatch.setattr(stops, "ask_void", lambda *said, **more: made.append((*said, more)))
    door: Any = SimpleNamespace(
        campaigns=SimpleNamespace(log=lambda _: []), chunks=None, stores=None, code_version="9", people=None, gate=None
    )
    body = {"action": action, "reason": "why", "at_biller": at_biller}
    found = stops.act(asked(body, id="stop-1"), door)
    void = VoidId(ID, "stop-1")
    assert made == [(void, None, "why", "acting", "ports", NOW, ends, {"asks_biller": at_biller})]
    assert (found["void"], found["state"], found["campaign"]) == ("stop-1", campaign(ID).state.value, str(ID))

    def refuse(*_: object, **__: object) -> None:
        raise VoidRefused("code", "not so")

    monkeypatch.setattr(stops, "ask_void", refuse)
    with pytest.raises(Problem) as problem:
        stops.act(asked(body, id="stop-1"), door)
    assert (problem.value.kind, problem.value.reason, problem.value.detail) == (Kind.REFUSED, "code", "not so")


@pytest.mark.parametrize("action", ["pause", "cancel", "settle", "keep", "resume"])
def test_a_stop_is_done_by_its_own_use_case_with_who_why_and_under_which_id(
    monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    done: list[Any] = []

    def doing(name: str) -> Any:
        def do(of: CampaignId, _: object, reason: str, cause: Any, now: Any, *more: Any) -> Any:
            done.append((name, of, reason, cause.actor, cause.event_id, cause.code_version, now, *more))
            return SimpleNamespace(id=of, state=State.PAUSED)

        return do

    monkeypatch.setattr(stops, "existing", lambda *_: campaign(ID))
    monkeypatch.setattr(stops, "may_write_until", lambda *_: NOW)
    monkeypatch.setattr(stops, "ACTIONS", {name: doing(name) for name in stops.ACTIONS})
    monkeypatch.setattr(stops, "resume", doing("resume"))
    door: Any = SimpleNamespace(
        campaigns=SimpleNamespace(log=lambda _: []), chunks=None, stores=None, code_version="9", people=None, gate=None
    )
    found = stops.act(asked({"action": action, "reason": "why"}, id="stop-1"), door)
    more = (None,) if action == "resume" else ()
    assert done == [(action, ID, "why", "anna", "stop-1", "9", NOW, *more)]
    assert (found["state"], found["void"]) == ("paused", None)

    def refuse(*_: object) -> None:
        raise ControlRefused("not so")

    monkeypatch.setattr(stops, "ACTIONS", dict.fromkeys(stops.ACTIONS, refuse))
    monkeypatch.setattr(stops, "resume", refuse)
    with pytest.raises(Problem, match="not so") as problem:
        stops.act(asked({"action": action, "reason": "why"}, id="stop-1"), door)
    assert problem.value.kind is Kind.REFUSED


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_refusal_of_goodwill_names_each_field_once_as_a_body_has_it(is_taken: bool) -> None:
    fields = ("account_id", "size", "about", "asked_by", "note", "size")
    refusal: Any = type("Refused", (Exception,), {})("not so")
    refusal.fields, refusal.reason, refusal.id_is_taken = fields, "code", is_taken
    problem = goodwill._problem(refusal)
    assert [one["field"] for one in problem.errors] == ["account", "amount", "incident", "goodwill", "note"]
    expected = "as it was the first time, or another id" if is_taken else "not so"
    assert {one["expected"] for one in problem.errors} == {expected}
    assert (problem.kind, problem.reason) == (Kind.ID_USED if is_taken else Kind.REFUSED, "code")


def test_goodwill_that_is_not_there_is_unknown_whatever_is_done_with_it() -> None:
    door: Any = SimpleNamespace(goodwill=SimpleNamespace(goodwill=lambda _: None))
    decided = asked({"action": "approve"}, goodwill="g", id="i")
    for act, question in ((goodwill.one, asked(goodwill="g")), (goodwill.decide, decided)):
        with pytest.raises(Problem) as problem:
            act(question, door)
        assert problem.value.kind is Kind.UNKNOWN


def test_a_campaign_that_a_request_became_is_found_by_its_digest_or_not_there_yet() -> None:
    known: Any = SimpleNamespace(incident_id=ID.incident_id, request_digest="d-1")
    incident = SimpleNamespace(requests={"d-1": 7, "d-2": 8})
    for record, there, is_found in (
        (incident, {ID: "found"}, True), (incident, {}, False), (None, {ID: "found"}, False),
        (SimpleNamespace(requests={"d-2": 7}), {ID: "found"}, False),
    ):  # fmt: skip
        door: Any = SimpleNamespace(
            campaigns=SimpleNamespace(incident=lambda _, record=record: record, campaign=there.get)
        )
        if is_found:
            found: Any = requests.campaign_of(known, door)
            assert found == "found"
        else:
            with pytest.raises(Problem) as problem:
                requests.campaign_of(known, door)
            assert problem.value.kind is Kind.TRY_AGAIN


def test_rows_of_a_plan_are_shown_as_they_were_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    decision = Decision(Outcome.DECLINED, "too_short")
    rows = [
        SimpleNamespace(offset=11, account_id="A-1", subject="s-1", decision=decision, steps=("a", "b")),
        SimpleNamespace(offset=12, account_id="A-2", subject="s-2", decision=None, steps=()),
    ]
    plan = SimpleNamespace(hash="h-1")
    drawn: list[str] = []

    def sample(_: object, hash_: str, __: object) -> Any:
        drawn.append(hash_)
        return rows

    monkeypatch.setattr(exports, "existing", lambda *_: campaign(ID))
    monkeypatch.setattr(exports, "sample_of", sample)
    nothing = dict.fromkeys(("lists", "ledger", "cases"))
    door: Any = SimpleNamespace(campaigns=SimpleNamespace(filed_plan=lambda _: plan), **nothing)
    found = exports.sample(asked(), door)
    assert (found["campaign"], found["plan_hash"], drawn) == (str(ID), "h-1", ["h-1"])
    assert [tuple(one.values()) for one in found["rows"]] == [
        (11, "A-1", "s-1", decision.to_body(), ["a", "b"]), (12, "A-2", "s-2", None, []),
    ]  # fmt: skip

    def no_sample(*_: object) -> None:
        raise NoSample("another engine")

    monkeypatch.setattr(exports, "sample_of", no_sample)
    with pytest.raises(Problem) as problem:
        exports.sample(asked(), door)
    assert problem.value.reason == "engine_changed"
    door.campaigns.filed_plan = lambda _: None
    with pytest.raises(Problem) as problem:
        exports.sample(asked(), door)
    assert problem.value.kind is Kind.UNKNOWN


def test_what_was_taken_back_is_a_whole_sentence() -> None:
    one: Any = {"at": "2026-03-05T01:02:03Z", "sums": {"EUR": "120", "GB": "3"}, "role": "machine", "approved_by": 2,
                "reason": "wrong list"}  # fmt: skip
    said = taken_back_step(one)
    assert said.startswith("Taken back on 2026-03-05: ")
    assert said.endswith(". A machine asked for it, and 2 persons approved it. The reason: wrong list.")
    assert "1.20" in said
    assert " + " in said
    undone = taken_back_step(one | {"sums": {"EUR": "-120"}})
    assert undone.startswith("Given again on 2026-03-05: ")
    assert "-" not in undone.removeprefix("Given again on 2026-03-05")


def test_figures_of_a_void_come_in_one_order() -> None:
    totals = VoidTotals(
        sums={(Share.VOIDED, "EUR"): 1, (Share.VOIDABLE, "GB"): 2, (Share.VOIDABLE, "EUR"): 3},
        asked={("letters", "EUR"): (4, 5), ("billing", "GB"): (6, 7), ("billing", "EUR"): (8, 9)},
    )
    found = voids._figures(totals)
    shares = [(one["share"], one["measure"], one["sum"]) for one in found["sums"]]
    assert shares == [("voidable", "EUR", "3"), ("voidable", "GB", "2"), ("voided", "EUR", "1")]
    assert [(one["channel"], one["measure"], one["credits"], one["sum"]) for one in found["asked"]] == [
        ("billing", "EUR", 8, "9"), ("billing", "GB", 6, "7"), ("letters", "EUR", 4, "5"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "is_valid"),
    [
        ("2026-03-01", True), ("2028-02-29", True), ("2026-02-29", False), ("20260301", False), ("2026-W09-7", False),
        ("2026-3-1", False), ("2026-03-01T00:00:00Z", False), ("", False), ("٢٠٢٦-03-01", False),
    ],
)  # fmt: skip
def test_a_day_is_one_of_the_calendar_in_one_form(day: str, is_valid: bool) -> None:
    assert parameters.PARAMETERS["day"].is_valid(day) is is_valid


def test_each_wrong_value_is_named_and_the_first_ones_form_is_said() -> None:
    with pytest.raises(Problem) as problem:
        _must_be_valid({"seq": "0", "incident": "ok", "day": "x"}, Kind.PATH)
    seq, day = (parameters.PARAMETERS[name].expected for name in ("seq", "day"))
    assert problem.value.errors == [{"field": "seq", "expected": seq}, {"field": "day", "expected": day}]
    assert problem.value.detail == f"expected {seq}"
    _must_be_valid({"seq": "1"}, Kind.PATH)
