"""What may be sent, at its edges: exactly as much as is allowed and one more, and which fields go together."""

import json
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.door import bodies, goodwill, stops
from kulanz.application.door.acknowledgements import AcknowledgementBody
from kulanz.application.door.cases import DecideBody, SecondBody
from kulanz.application.door.credits import CreditBody, _account
from kulanz.application.door.credits import act as act_on
from kulanz.application.door.drafts import ConfirmBody
from kulanz.application.door.goodwill import GoodwillApprovalBody
from kulanz.application.door.parameters import FACTS_CHARACTERS, FACTS_MOST, PARAMETERS, read_facts
from kulanz.application.door.problems import Kind, Problem, said_of, unknown
from kulanz.application.door.routes import ROUTES, Role, reached_by
from kulanz.application.door.settlements import SettlementBody
from kulanz.application.door.settlements import act as settle
from kulanz.domain.campaigns.campaign import CAMPAIGNS_PER_INCIDENT

HASH = "0" * 64


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        ("{}", False), ('{"a": ""}', False), ('{"a": 1}', False), ('["a"]', False), ('{"a": "1", "a": "2"}', False),
        ('{"a": "1"}', True), ("[]", False), ("null", False),
        *((json.dumps({str(n): "x" for n in range(number)}), number <= FACTS_MOST)
          for number in (1, FACTS_MOST, FACTS_MOST + 1)),
        *((json.dumps({"a": "x" * (length - len('{"a": ""}'))}), length <= FACTS_CHARACTERS)
          for length in (FACTS_CHARACTERS, FACTS_CHARACTERS + 1)),
    ],
)  # fmt: skip
def test_facts_are_one_to_so_many_texts_of_at_most_so_many_characters(text: str, is_read: bool) -> None:
    assert (read_facts(text) is not None) is is_read
    assert PARAMETERS["facts"].is_valid(text) is is_read


@pytest.mark.parametrize(
    ("number", "is_valid"),
    [(0, False), (1, True), (CAMPAIGNS_PER_INCIDENT, True), (CAMPAIGNS_PER_INCIDENT + 1, False)],
)
def test_an_incident_has_campaigns_from_one_to_the_most(number: int, is_valid: bool) -> None:
    assert PARAMETERS["seq"].is_valid(str(number)) is is_valid


def is_a_body(model: type[bodies.Body], content: dict[str, Any]) -> bool:
    try:
        bodies.read_body(model, content)
    except Problem:
        return False
    return True


@pytest.mark.parametrize(
    ("way", "amount", "measure", "facts"),
    list(product(("policy", "amount", "decline"), ("", "5.00"), ("", "EUR"), ({}, {"a": "1"}))),
)
def test_a_case_is_decided_with_an_amount_or_with_facts_by_the_way_that_has_them(
    way: str, amount: str, measure: str, facts: dict[str, str]
) -> None:
    content = {"way": way, "seen": HASH, "reason": "code", "amount": amount, "measure": measure, "facts": facts}
    fits = {"amount": bool(amount and measure), "policy": not (amount and measure), "decline": not (amount and measure)}
    assert is_a_body(DecideBody, content) is (fits[way] and (not facts or way == "policy"))


@pytest.mark.parametrize(("action", "reason"), list(product(("agree", "reject"), ("", "  ", "why"))))
def test_a_second_person_rejects_with_a_reason(action: str, reason: str) -> None:
    content = {"action": action, "hash": HASH, "reason": reason}
    assert is_a_body(SecondBody, content) is (action == "agree" or reason == "why")


@pytest.mark.parametrize(("action", "reason"), list(product(("approve", "reject"), ("", "  ", "why"))))
def test_goodwill_is_rejected_with_a_reason(monkeypatch: pytest.MonkeyPatch, action: str, reason: str) -> None:
    monkeypatch.setattr(goodwill, "_existing", lambda *_: None)
    monkeypatch.setattr(goodwill, "_ports", lambda _: None)
    monkeypatch.setattr(goodwill, "_answer", lambda done, _: done)
    monkeypatch.setattr(goodwill, "approve_goodwill", lambda *_: "approve")
    monkeypatch.setattr(goodwill, "reject_goodwill", lambda *said: f"reject: {said[2]}")
    asked: Any = SimpleNamespace(
        body={"action": action, "reason": reason}, of={"goodwill": "g", "id": "i"}, acting=None, now=None
    )
    assert is_a_body(GoodwillApprovalBody, asked.body)
    if action == "reject" and reason != "why":
        with pytest.raises(Problem, match="correct the fields"):
            goodwill.decide(asked, None)  # type: ignore[arg-type]
    else:
        done: Any = goodwill.decide(asked, None)  # type: ignore[arg-type]
        assert done == {"approve": "approve", "reject": "reject: why"}[action]


@pytest.mark.parametrize(("action", "at_biller"), list(product((*stops.ACTIONS, "resume", *stops.ENDS), (False, True))))
def test_the_biller_is_asked_by_a_void_alone(monkeypatch: pytest.MonkeyPatch, action: str, at_biller: bool) -> None:
    class Reached(Exception):
        """The body was taken."""

    def existing(*_: object) -> None:
        raise Reached

    monkeypatch.setattr(stops, "existing", existing)
    asked: Any = SimpleNamespace(body={"action": action, "reason": "why", "at_biller": at_biller})
    is_refused = at_biller and action not in stops.ENDS
    with pytest.raises(Problem if is_refused else Reached):
        stops.act(asked, None)  # type: ignore[arg-type]


def credit_body(**given: str) -> dict[str, Any]:
    return {"account_id": "a", "credit_id": "0" * 32, "reason": "why", **given}


@pytest.mark.parametrize(("action", "account"), list(product(("send_again", "write_off"), ("", "B-1", "a\tb"))))
def test_only_what_is_sent_again_is_corrected_and_with_what_a_list_could_have(action: str, account: str) -> None:
    body = bodies.read_body(CreditBody, credit_body(action=action, biller_account=account))
    if not account or (action == "send_again" and account == "B-1"):
        assert _account(body) == account
    else:
        with pytest.raises(Problem) as problem:
            _account(body)
        assert [one["field"] for one in problem.value.errors] == ["biller_account"]


@pytest.mark.parametrize(("action", "channel"), list(product(("send_again", "write_off"), ("", "letters"))))
def test_only_what_is_sent_again_is_sent_to_another_channel(action: str, channel: str) -> None:
    class Reached(Exception):
        """The body was taken."""

    class Asked:
        body = credit_body(action=action, channel=channel)

        @property
        def campaign_id(self) -> None:
            raise Reached

    is_refused = action == "write_off" and bool(channel)
    with pytest.raises(Problem if is_refused else Reached):
        act_on(Asked(), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("has_file", "has_answers"), list(product((False, True), repeat=2)))
def test_answers_come_as_a_file_or_one_by_one_and_not_both(has_file: bool, has_answers: bool) -> None:
    file = {"file": {"key": "acknowledgements/a.csv", "version_id": "v"}} if has_file else {}
    answers = {"answers": [{"account_id": "a"}]} if has_answers else {}
    assert is_a_body(AcknowledgementBody, file | answers) is (has_file is not has_answers)


WINDOWS: list[dict[str, Any]] = [{"start": "2026-03-01T00:00:00Z"}]
RECORDED: dict[str, Any] = {"functions": ["voice"], "title": "a", "cause": "b", "campaign": {}}


@pytest.mark.parametrize("name", ["", "reason", "windows", *RECORDED])
def test_a_draft_is_confirmed_with_windows_and_dismissed_with_a_reason_and_nothing_else(name: str) -> None:
    values = {**RECORDED, "reason": "why", "windows": WINDOWS}
    given = {name: values[name]} if name else {}
    assert is_a_body(ConfirmBody, {"digest": HASH, "windows": WINDOWS, **given})
    assert is_a_body(ConfirmBody, {"digest": HASH, **given}) is (name == "windows")
    assert is_a_body(ConfirmBody, {"action": "dismiss", "digest": HASH, "reason": "why", **given}) is (
        name in ("", "reason")
    )
    assert is_a_body(ConfirmBody, {"action": "dismiss", "digest": HASH, **given}) is (name == "reason")


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"action": "approve", "canary": 1}, "(a name)"),
        ({"action": "canary"}, "action"),
        ({}, "action"),
        ({"action": "reject", "reason": "canary\n"}, "reason"),
    ],
)
def test_a_wrong_field_is_named_and_a_name_that_a_body_does_not_have_is_not(
    content: dict[str, Any], field: str
) -> None:
    with pytest.raises(Problem) as problem:
        bodies.read_body(GoodwillApprovalBody, content)
    (error,) = problem.value.errors
    assert error["field"] == field
    assert "canary" not in str(problem.value.content())


def test_a_field_within_a_field_is_named_by_its_place_and_what_is_wrong_with_the_whole_body_as_that() -> None:
    assert bodies._path(AcknowledgementBody, ("file", "key")) == "file.key"
    assert bodies._path(AcknowledgementBody, ("answers", 0, "canary")) == "answers.0.canary"
    assert bodies._path(AcknowledgementBody, ("canary", "key")) == "(a name)"
    assert bodies._path(AcknowledgementBody, ()) == "(the body)"


@pytest.mark.parametrize("number", [bodies.ERRORS_SHOWN, bodies.ERRORS_SHOWN + 1])
def test_of_wrong_fields_the_first_ten_are_named(number: int) -> None:
    with pytest.raises(Problem) as problem:
        bodies.read_body(GoodwillApprovalBody, {"action": "approve", **{f"n{n}": 1 for n in range(number)}})
    assert len(problem.value.errors) == bodies.ERRORS_SHOWN == 10


def test_what_is_claimable_is_stated_in_currencies_of_which_it_is_stated_what_was_granted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Reached(Exception):
        """The body was taken."""

    def look_at(*_: object) -> None:
        raise Reached

    monkeypatch.setattr("kulanz.application.door.settlements.existing", lambda *_: None)
    monkeypatch.setattr("kulanz.application.door.settlements.look_at", look_at)
    door: Any = SimpleNamespace(campaigns=None, budgets=None, troubles=None)
    for granted, claimable, error in (
        (("EUR", "CHF"), ("EUR",), Reached), (("EUR",), (), Reached), (("EUR",), ("EUR", "CHF"), Problem),
    ):  # fmt: skip
        body = {"granted": dict.fromkeys(granted, "1.00"), "claimable": dict.fromkeys(claimable, "2.00"), "reason": "r"}
        assert is_a_body(SettlementBody, body)
        with pytest.raises(error):
            settle(SimpleNamespace(body=body), door)  # type: ignore[arg-type]


# What a problem says


@pytest.mark.parametrize("kind", Kind)
def test_a_problem_is_known_by_its_type_and_said_once(kind: Kind) -> None:
    def said(detail: str, *fields: tuple[str, str], reason: str = "") -> tuple[Kind | None, str, str]:
        errors = [{"field": field, "expected": expected} for field, expected in fields]
        return said_of({"type": kind.type, "detail": detail, "errors": errors, "reason": reason})

    if kind is Kind.TRY_AGAIN:
        assert said("AWS did not answer", reason="code") == (
            kind,
            "AWS did not answer the stack as it should; try again",
            "",
        )
        return
    assert said("it is so") == (kind, "it is so", "")
    assert said("it is so", ("a", "it is so"), reason="code") == (kind, "a: it is so", "code")
    assert said("correct it", ("a", "one"), ("b", "two")) == (kind, "correct it; a: one; b: two", "")
    assert str(Problem(kind, "it is so")) == "it is so"


def test_a_problem_of_another_release_has_no_kind() -> None:
    assert said_of({"type": "urn:kulanz:problem:newer", "detail": "it is so"}) == (None, "it is so", "")


def test_what_is_not_there_is_said_in_the_words_for_it_or_in_those_for_everything() -> None:
    assert unknown("there is no such void").detail == "there is no such void"
    assert "docs/api.md" in unknown().detail


@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_the_works_of_its_routes_and_no_other(role: Role) -> None:
    reached = list(reached_by(role))
    assert len(set(reached)) == len(reached)
    assert set(reached) == {(one.method, one.work) for one in ROUTES if role in one.roles}
    assert set(reached) < {(one.method, one.work) for one in ROUTES}
