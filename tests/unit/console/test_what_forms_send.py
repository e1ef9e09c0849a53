"""What each form of the console sends to Kulanz, where it leads, and what is said there: no two values are the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from kulanz.application.door.routes import BY_USE
from kulanz_console.port import NotAnswered, Why
from kulanz_console.routes import ACTIONS
from kulanz_console.sessions import Session
from kulanz_console.visit import Visit
from kulanz_console.words import Words

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
OF = {
    "incident": "in-7", "seq": "3", "account": "a-1", "goodwill": "T-1", "void": "v-1", "draft": "it-1-a",
}  # fmt: skip
CAMPAIGN = {"incident": "in-7", "seq": "3"}
CASE = {"account": "a-1", **CAMPAIGN}
C, WHY, HASH = "in-7/3", "the reason", "ab12" * 16
DRAFT = {
    "digest": HASH,
    "windows": [{"start": {"at": "2026-03-10T09:01:00Z"}, "end": {"at": "2026-03-10T09:02:00Z"}}],
    "by": {"major": [{"start": {"at": "2026-03-10T09:03:00Z"}, "end": None}], "partial": [], "whole": []},
}
BY_HAND = {"decision": {"outcome": "declined", "reason": "the-code"}}
DECIDED = {
    "state": "decided",
    "by_hand": BY_HAND,
    "account_id": "a-8",
    "campaign": "in-9/4",
    "subject": "-",
    "kind": "held",
    "row_offset": 5,
}


class Noting:
    """Who notes what is sent."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self._answer = answer
        self.sent: list[tuple[str, Mapping[str, Any], Mapping[str, str | int]]] = []

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **_: str | int) -> Mapping[str, Any]:  # noqa: ARG002 (the port's)
        assert use == "drafts.one"
        return DRAFT

    def act(self, use: str, content: Mapping[str, Any], **values: str | int) -> Mapping[str, Any]:
        self.sent.append((use, content, values))
        return self._answer

    def rights(self, uses: Sequence[str]) -> Mapping[str, bool]:
        return dict.fromkeys(uses, True)


@dataclass(frozen=True)
class Form:
    """A form: its target, what is filled in, what it sends under which values, the answer, where it leads, what is
    said there. `needs` are the fields without which nothing is sent.
    """

    target: str
    filled: Mapping[str, str]
    use: str
    body: Mapping[str, Any]
    of: Mapping[str, str]
    answer: Mapping[str, Any]
    path: str
    says: str
    needs: tuple[str, ...] = ()
    chosen: Mapping[str, Sequence[str]] = field(default_factory=dict)


def plan(action: str, answer: Mapping[str, Any], path: str, says: str, *needs: str, **body: Any) -> Form:
    filled = {name: str(text) for name, text in body.items() if name != "limits"}
    limits = {"limit": ["total EUR", "rejected", "rejected"]} if body.get("limits") else {}
    return Form(
        f"/plan/<incident>/<seq>/{action}", filled, "approvals.act", {"action": action, **body}, CAMPAIGN, answer, path,
        says, needs, limits,
    )  # fmt: skip


def void(target: str, filled: Mapping[str, str], body: Mapping[str, Any]) -> Form:
    return Form(
        target, {"reason": WHY, **filled}, "voids.ask", {"reason": WHY, **body}, CAMPAIGN,
        {"campaign": "in-9/4", "void": "v-8"}, "/void/in-9/4/v-8",
        "The void is asked for. Nothing is taken back before its plan is made and approved.", ("reason",),
    )  # fmt: skip


def voided(action: str, **body: str) -> Form:
    return Form(
        "/void/<incident>/<seq>/<void>/decide", {"action": action, "plan_hash": HASH, **body}, "voids.decide",
        {"action": action, "plan_hash": HASH, **body}, {**CAMPAIGN, "void": "v-1"},
        {"campaign": "in-9/4", "void": "v-8", "state": "awaiting_approval"}, "/void/in-9/4/v-8",
        "The void is now: awaiting approval.", tuple(body),
    )  # fmt: skip


def case(filled: Mapping[str, str], **body: Any) -> Form:
    stated = {"seen": HASH, "reason": "the-code", "note": "the note", "subject": "l-2"}
    return Form(
        "/case/<account>/<incident>/<seq>/decide", {**stated, **filled}, "cases.decide", {**stated, **body}, CASE,
        DECIDED, "/account?id=a-8&incident=in-7", "The case is decided: declined (the-code)", ("reason", "way"),
    )  # fmt: skip


def second(action: str, answer: Mapping[str, Any], path: str, says: str, **body: str) -> Form:
    stated = {"action": action, "hash": HASH, "subject": "l-2", **body}
    return Form(
        "/case/<account>/<incident>/<seq>/second", stated, "cases.second", stated, CASE, answer, path, says, tuple(body)
    )


def credit(action: str, answer: Mapping[str, Any], path: str, says: str, *, corrected: bool = False) -> Form:
    stated = {"action": action, "reason": WHY, "account_id": "a-2", "subject": "l-2", "credit_id": "the-credit"}
    more = {"biller_account": "b-9", "channel": "letters"}
    return Form(
        "/rejected/<incident>/<seq>/act", {**stated, **more}, "credits.act", {**stated, **(more if corrected else {})},
        CAMPAIGN, answer, path, says, ("reason",),
    )  # fmt: skip


REJECTED = "/rejected/in-7/3"
NEEDS_SECOND = {"second_person_needed": True, "credit_id": "c-8", "state": "due"}
ALONE = {"second_person_needed": False, "credit_id": "c-8"}
NOW_GIVEN = "5.00 EUR are given. The account's page says where they stand on their way to a bill."
GIVEN = {"state": "given", "amount": "5.00 EUR"}
RECORDED = {"incident_id": "it-9", "revision": 4, "campaign": None, "state": None}
LIST = {"policy": "p-1/6", "bucket": "the-bucket", "key": "the-key", "version_id": "the-version", "rows": "78"}
WINDOW = {"start": "2026-03-10T09:01:00Z", "end": "2026-03-10T09:02:00Z"}
LASTS = {"start": "2026-03-10T09:03:00Z", "end": None}


def draft(filled: Mapping[str, str], body: Mapping[str, Any], answer: Mapping[str, Any], path: str, says: str) -> Form:
    return Form(
        "/draft/<draft>/confirm", {"digest": HASH, **filled}, "drafts.confirm", {"digest": HASH, **body},
        {"draft": "it-1-a"}, answer, path, says, ("digest", "windows"),
    )  # fmt: skip


REQUEST = {
    "policy": {"id": "p-1", "version": 6},
    "affected": {"s3": {"bucket": "the-bucket", "key": "the-key", "version_id": "the-version"}, "rows": 78},
}
WITH_LIST = {"windows": "major", "campaign": "yes", **LIST}
OF_LIST = {"windows": [LASTS], "campaign": REQUEST}
FORMS = {
    "approve": plan(
        "approve", {"campaign": "in-9/4", "state": "awaiting_approval"}, "/plan/in-9/4",
        "in-9/4: your approval counts. It needs another person's, too.", "plan_hash", plan_hash=HASH,
        limits=["rejected", "total EUR"], break_glass="alone",
    ),
    "approve to its execution": plan(
        "approve", {"campaign": "in-9/4", "state": "applying"}, "/campaign/in-9/4", "in-9/4 is now: applying.",
        "plan_hash", plan_hash=HASH, limits=[], break_glass="",
    ),
    "reject": plan(
        "reject", {"campaign": "in-9/4", "state": "rejected"}, "/campaign/in-9/4", "in-9/4 is now: rejected.",
        "plan_hash", "reason", plan_hash=HASH, reason=WHY,
    ),
    "replan": plan(
        "replan", {"campaign": "in-9/4", "state": "planning"}, "/campaign/in-9/4",
        "in-9/4 plans the same list again. Its plan then waits for another person's approval.", "reason", reason=WHY,
    ),
    "stop": Form(
        "/campaign/<incident>/<seq>/stop", {"action": "pause", "reason": WHY}, "stops.act",
        {"action": "pause", "reason": WHY}, CAMPAIGN, {"campaign": "in-9/4", "state": "paused"}, "/campaign/in-9/4",
        "in-9/4 is now: paused.", ("reason",),
    ),
    "resume": Form(
        "/campaign/<incident>/<seq>/stop", {"action": "resume", "reason": WHY, "decides_by": HASH}, "stops.act",
        {"action": "resume", "reason": WHY, "decides_by": HASH}, CAMPAIGN, {"campaign": "in-9/4", "state": "applying"},
        "/campaign/in-9/4", "in-9/4 is now: applying.", ("reason",),
    ),
    "accept": Form(
        "/account/<account>/<incident>/accept", {"campaign": "4", "subject": "l-2"}, "acceptances.accept",
        {"subject": "l-2", "campaign": 4}, {"account": "a-1", "incident": "in-7"}, {"campaign": "in-9/4"},
        "/account?id=a-1&incident=in-7", "The offer is accepted: granted by campaign in-9/4.", ("campaign",),
    ),
    "goodwill": Form(
        "/account/<account>/goodwill",
        {"amount": "5.00", "measure": "EUR", "reason": "the-code", "note": "n", "about": "in-8", "repeat_of": "T-0"},
        "goodwill.give",
        {"amount": "5.00", "measure": "EUR", "reason": "the-code", "note": "n", "incident": "in-8", "repeat_of": "T-0"},
        {"account": "a-1"}, GIVEN, "/account?id=a-1",
        NOW_GIVEN, ("amount", "measure", "reason"),
    ),
    "approve goodwill": Form(
        "/goodwill/<goodwill>/decide", {"action": "approve", "reason": WHY}, "goodwill.decide", {"action": "approve"},
        {"goodwill": "T-1"}, GIVEN, "/goodwill", NOW_GIVEN,
    ),
    "reject goodwill": Form(
        "/goodwill/<goodwill>/decide", {"action": "reject", "reason": WHY}, "goodwill.decide",
        {"action": "reject", "reason": WHY}, {"goodwill": "T-1"}, {"state": "rejected", "amount": "5.00 EUR"},
        "/goodwill", "The goodwill of 5.00 EUR is rejected. Nothing is given.", ("reason",),
    ),
    "decline": case({"way": "decline"}, way="decline"),
    "an amount": case(
        {"way": "amount", "amount": "5.00", "measure": "EUR", "row": "78"}, way="amount", amount="5.00", measure="EUR",
        row=78,
    ),
    "by the policy": case({"way": 'policy:{"fee":"30.00"}'}, way="policy", facts={"fee": "30.00"}),
    "agree": second(
        "agree", DECIDED, "/account?id=a-8&incident=in-7", "The case is decided: declined (the-code)"
    ),
    "agree, and it waits": second(
        "agree", DECIDED | {"state": "waits"}, "/case/a-8/in-9/4", "It waits for a second person: declined (the-code)"
    ),
    "do not agree": second(
        "reject", DECIDED | {"state": "rejected", "by_hand": None}, "/case/a-8/in-9/4",
        "It is rejected. The case stays open.", reason=WHY,
    ),
    "void a campaign": void("/campaign/<incident>/<seq>/void", {}, {}),
    "void at the biller": void("/campaign/<incident>/<seq>/void", {"at_biller": "yes"}, {"at_biller": True}),
    "void what was overpaid": void("/campaign/<incident>/<seq>/overpaid", {}, {"overpaid": True}),
    "void of an account": void(
        "/account/<account>/<incident>/void", {"campaign": "3", "subject": "l-2"},
        {"accounts": [{"account_id": "a-1", "subject": "l-2"}]},
    ),
    "approve a void": voided("approve"),
    "reject a void": voided("reject", reason=WHY),
    "settle a void": voided("settle", reason=WHY),
    "send a credit again": credit(
        "send_again", ALONE | {"state": "due"}, REJECTED,
        "The credit is due again. The next delivery of additions has it.", corrected=True,
    ),
    "send a credit elsewhere": credit(
        "send_again", NEEDS_SECOND, f"{REJECTED}?credit=c-8",
        "It is sent to the other channel when another person sends it there, too.", corrected=True,
    ),
    "write a credit off": credit(
        "write_off", ALONE | {"state": "written_off"}, REJECTED, "The credit is now: written off.",
    ),
    "write a credit off, as the first": credit(
        "write_off", NEEDS_SECOND, f"{REJECTED}?credit=c-8",
        "It is written off when another person writes it off, too.",
    ),
    "confirm": draft(
        {"windows": "proposed", "title": "The title", "cause": "the-cause", "reason": WHY},
        {"windows": [WINDOW], "title": "The title", "cause": "the-cause", "reason": WHY}, RECORDED, "/incident/it-9",
        "The incident is recorded as revision 4.",
    ),
    "confirm own windows": draft(
        {"windows": "own", "own": "2026-03-10T09:01:00Z/2026-03-10T09:02:00Z\n\n 2026-03-10T09:03:00Z / .. "},
        {"windows": [WINDOW, LASTS]}, RECORDED, "/incident/it-9", "The incident is recorded as revision 4.",
    ),
    "confirm with a list": draft(
        WITH_LIST, OF_LIST, RECORDED | {"campaign": "in-9/4", "state": "planning"}, "/campaign/in-9/4",
        "The incident is recorded as revision 4, and its campaign is open. Its plan waits for an approval.",
    ),
    "confirm with a list that is refused": draft(
        WITH_LIST, OF_LIST, RECORDED | {"campaign": "in-9/4", "state": "refused"}, "/campaign/in-9/4",
        "The incident is recorded as revision 4. Its campaign has ended: refused.",
    ),
    "dismiss": Form(
        "/draft/<draft>/dismiss", {"digest": HASH, "reason": WHY}, "drafts.confirm",
        {"action": "dismiss", "digest": HASH, "reason": WHY}, {"draft": "it-1-a"}, {}, "/draft/it-1-a",
        "The draft is dismissed. It waits again when its source reports something else.", ("digest",),
    ),
    "halt": Form(
        "/money/halt", {"action": "set", "reason": WHY}, "halts.act", {"action": "set", "reason": WHY}, {},
        {"halted": True, "needed": 3, "lifted_by": ["sso:ben"]}, "/money",
        "The stack is halted. Persons who must still say that it may go on: 2.", ("reason",),
    ),
    "lift": Form(
        "/money/halt", {"action": "lift", "reason": WHY}, "halts.act", {"action": "lift", "reason": WHY}, {},
        {"halted": False, "needed": 2, "lifted_by": []}, "/money", "The stack goes on.", ("reason",),
    ),
    "budget": Form(
        "/money/budget", {"currency": "eur", "month": "2026-07", "limit": "777.00", "reason": WHY}, "budgets.act",
        {"limit": "777.00", "reason": WHY}, {"currency": "EUR", "month": "2026-07"},
        {"month": "2026-08", "currency": "USD"}, "/money", "The budget of 2026-08 in USD is set.",
        ("reason", "currency", "month"),
    ),
}  # fmt: skip


def sent_by(form: Form, filled: Mapping[str, str], session: Session | None = None) -> tuple[Noting, Any]:
    (action,) = (one for one in ACTIONS if one.path == form.target)
    assert action.use == form.use
    kulanz = Noting(form.answer)
    of = {name: OF[name] for name in OF if f"<{name}>" in form.target}
    session = session or Session("s", "t", NOW, rights={"accounts.ask": True})
    visit = Visit(kulanz, session, Words("en"), NOW, of=of, form=filled, chosen=form.chosen)
    return kulanz, action.view(visit)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_sends_what_was_filled_in_and_says_what_it_came_to(name: str) -> None:
    form = FORMS[name]
    kulanz, done = sent_by(form, {**form.filled, "id": "the-form"})
    ((use, body, of),) = kulanz.sent
    assert (use, dict(body)) == (form.use, dict(form.body))
    named = {name: str(value) for name, value in of.items()}
    assert named == {**form.of, "goodwill" if use == "goodwill.give" else "id": "the-form"}
    assert set(BY_USE[use].names) == set(of)
    assert (done.path, done.says) == (form.path, form.says)


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if form.needs])
def test_without_what_it_needs_a_form_sends_nothing(name: str) -> None:
    form = FORMS[name]
    for missing in form.needs:
        for blank in ("", "  "):
            filled = {**form.filled, "id": "the-form", missing: blank}
            if blank and missing in ("plan_hash", "way", "windows", "digest", "campaign"):
                continue  # no person writes these
            with pytest.raises(NotAnswered) as problem:
                sent_by(form, filled)
            assert problem.value.why in (Why.WRONG, Why.REFUSED), missing


def test_a_form_that_is_shown_anew_has_an_id_of_its_own() -> None:
    form = FORMS["stop"]
    ids = {str(sent_by(form, form.filled)[0].sent[0][2]["id"]) for _ in range(2)}
    assert len(ids) == 2
    assert all(one.startswith("console-stop-20260320T090000Z-") for one in ids)


def test_the_number_of_the_ticket_is_the_id_of_goodwill() -> None:
    form = FORMS["goodwill"]
    kulanz, _ = sent_by(form, {**form.filled, "ticket": "T-7", "id": "the-form"})
    ((_, body, of),) = kulanz.sent
    assert (body["ticket"], dict(of)) == ("T-7", {"account": "a-1", "goodwill": "T-7"})


@pytest.mark.parametrize("ticket", ["T/7", "a@b", "_7", "T..7", "T 7", "T" * 65])
def test_a_ticket_that_cannot_be_an_id_is_said_to_be_the_wrong_field_and_nothing_is_sent(ticket: str) -> None:
    form = FORMS["goodwill"]
    (action,) = (one for one in ACTIONS if one.path == form.target)
    kulanz, filled = Noting(form.answer), {**form.filled, "ticket": ticket}
    with pytest.raises(NotAnswered, match=r"^ticket: expected ") as problem:
        action.view(Visit(kulanz, Session("s", "t", NOW), Words("en"), NOW, of={"account": "a-1"}, form=filled))
    assert (problem.value.why, kulanz.sent) == (Why.WRONG, [])


def test_who_may_not_read_an_account_is_led_back_to_the_cases() -> None:
    _, done = sent_by(FORMS["decline"], FORMS["decline"].filled, Session("s", "t", NOW))
    assert done.path == "/cases/in-9/4"


@pytest.mark.parametrize("missing", [*LIST, "version"])
def test_a_campaign_is_requested_with_all_of_its_list_or_not_at_all(missing: str) -> None:
    form = FORMS["confirm with a list"]
    changed = {"policy": "p-1/x"} if missing == "version" else {missing: ""}
    with pytest.raises(NotAnswered):
        sent_by(form, {**form.filled, **changed})


def test_every_form_is_among_these() -> None:
    assert {form.target for form in FORMS.values()} == {one.path for one in ACTIONS}
