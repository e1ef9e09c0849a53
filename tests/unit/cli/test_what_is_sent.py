"""What each command that acts sends to the API, and what it prints of the answer: no two values are the same."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

import kulanz_cli.command
from kulanz.application.door.routes import BY_USE, ROUTES
from kulanz.domain.people.reason import REASON_CHARACTERS
from kulanz_cli.goodwill import _STATES
from tests.support.answering import Answering
from tests.support.reading import read
from tests.support.world_stack import run

C, WHY = "in-7/3", "the reason"
OF = {"incident": "in-7", "seq": 3}
PLAN, CASE = "ab12" * 16, "cd34" * 16
REASON = ("--reason", WHY)


class Sending(Answering):
    """A stack whose API notes what it is sent."""

    def __init__(self, answer: Mapping[str, Any], **asked: Any) -> None:
        super().__init__(**asked)
        self._answer = answer
        self.sent: list[tuple[str, Mapping[str, Any], Mapping[str, object]]] = []

    def act(self, use: str, *content: Any, **values: object) -> Any:
        self.sent.append((use, *content, values))
        return self._answer


@dataclass(frozen=True)
class Sent:
    """A command line; what it sends, under which values of the path; what it answers with, and what it prints.

    `makes` is how an id begins that the command makes itself, empty where no id is given to it.
    """

    words: tuple[str, ...]
    use: str
    body: Mapping[str, Any]
    of: Mapping[str, object]
    answer: Mapping[str, Any]
    says: str
    makes: str
    asked: Mapping[str, Any] = field(default_factory=dict)
    exit_code: int = 0


def stopped(word: str, action: str, *more: str, **body: Any) -> Sent:
    answer = {"v": 1, "campaign": C, "state": "paused", "may_write_until": None, "void": None}
    return Sent(
        (word, C, *REASON, *more), "stops.act", {"action": action, "reason": WHY, **body}, OF, answer,
        "in-7/3 is paused", action,
    )  # fmt: skip


def planned(word: str, action: str, *more: str, **body: Any) -> Sent:
    answer = {"v": 1, "campaign": C, "state": "applying", "reason": "approved: by 2 persons"}
    return Sent(
        (word, C, *more), "approvals.act", {"action": action, **body}, OF, answer,
        "in-7/3 is applying: approved: by 2 persons", action,
    )  # fmt: skip


VOID: dict[str, Any] = {
    "void": "v-1", "campaign": C, "state": "voiding", "reason": "asked", "why": WHY, "about": "campaign", "ends": None,
    "approvals": [], "persons_needed": 2, "plan_hash": PLAN,
    "plan": {"lines": 11, "decisions": 7, "unmatched": 1, "sums": []}, "done": {"lines": 0},
}  # fmt: skip
VOID_SAYS = (
    "void v-1 of in-7/3 is voiding: asked why: the reason 7 decisions to void"
    " of 11 lines, 3 have nothing to take back, 1 name no decision of the campaign, or repeat one"
    " customers are not told: the policy has no text for it, or they had no notice"
)


def voided(word: str, *more: str, **body: Any) -> Sent:
    action = word.removesuffix("-void")
    return Sent(
        (word, C, "v-1", "--plan", PLAN, *more), "voids.decide", {"action": action, "plan_hash": PLAN, **body},
        OF | {"void": "v-1"}, VOID, VOID_SAYS, action,
    )  # fmt: skip


def asked_void(*more: str, **body: Any) -> Sent:
    says = (
        "void v-1 of in-7/3 is planning: asked why: the reason Its plan is being made; nothing is taken back before"
        " somebody approves it. See it: kulanz void in-7/3"
    )
    planning = VOID | {"state": "planning"}
    return Sent(("void", C, *REASON, *more), "voids.ask", {"reason": WHY, **body}, OF, planning, says, "void")


HAND = {"title": "The title", "reason": "the-code", "decision": {"outcome": "declined", "reason": "r"}}
DECIDED = {"state": "decided", "by_hand": HAND, "subject": "l-2", "campaign": C, "account_id": "a-1", "hash": CASE}
OF_CASE = OF | {"account": "a-1"}
OF_SUBJECT = ("--subject", "l-2")


def hand(*more: str, **body: Any) -> Sent:
    return Sent(
        ("decide", C, "a-1", *OF_SUBJECT, "--reason", "the-code", *more), "cases.decide",
        {"reason": "the-code", "note": "", "subject": "l-2", "seen": CASE, **body}, OF_CASE, DECIDED,
        "decided: declined", "decide", {"cases__one": [{"seen": CASE}]},
    )  # fmt: skip


def second(word: str, action: str, *more: str, **body: Any) -> Sent:
    answer = DECIDED if action == "agree" else DECIDED | {"by_hand": None}
    others = [{"campaign": C, "account_id": "a-1", "subject": "-", "hash": "9" * 64}]
    others += [{"campaign": "in-7/4", "account_id": "a-1", "subject": "l-2", "hash": "8" * 64}]
    others += [{"campaign": C, "account_id": "a-2", "subject": "l-2", "hash": "7" * 64}]
    waiting = {"campaign": C, "account_id": "a-1", "subject": "l-2", "hash": CASE}
    return Sent(
        (word, C, "a-1", *OF_SUBJECT, "--case", CASE[:12], *more), "cases.second",
        {"action": action, "hash": CASE, "subject": "l-2", **body}, OF_CASE, answer,
        "decided: declined" if action == "agree" else "rejected: the case stays open", action,
        {"cases__proposed": [{"proposed": others[:2]}, {"proposed": [others[2], waiting]}]},
    )  # fmt: skip


GOODWILL: dict[str, Any] = {
    "id": "T-1", "amount": "5.00 EUR", "state": "given", "account_id": "a-1", "reason": "the-code",
    "title": "The title", "note": "the note", "incident": "in-9", "ticket": "T-2", "repeat_of": "T-0",
    "asked_by": "sso:anna", "asked_at": "2026-03-01T09:00:00Z", "decided_by": "sso:ben", "why": "the why",
    "campaign": "goodwill-2026-03/1", "waits_until": None,
}  # fmt: skip
GOODWILL_SAYS = (
    "account a-1 reason the-code, The title note the note incident in-9 ticket T-2 repeats T-0"
    " asked by sso:anna, 2026-03-01T09:00:00Z decided by sso:ben why the why campaign goodwill-2026-03/1"
)
HALT = {"halted": True, "number": 7, "since": "2026-03-01T09:00:00Z", "by": "sso:anna", "reason": "floods"}


def halted(word: str, action: str, lifted_by: list[str], needed: int, says: str) -> Sent:
    answer = HALT | {"lifted_by": lifted_by, "needed": needed}
    begins = "the stack is halted (halt 7) since 2026-03-01T09:00:00Z by sso:anna: floods"
    return Sent(
        (word, *REASON), "halts.act", {"action": action, "reason": WHY}, {}, answer, f"{begins} {says}",
        f"halt-{action}",
    )  # fmt: skip


def credit(action: str, answer: Mapping[str, Any], says: str, *more: str, **body: Any) -> Sent:
    option = f"--{action.replace('_', '-')}"
    return Sent(
        ("credits", C, option, "the-credit", "--account", "a-1", *REASON, *more), "credits.act",
        {"action": action, "credit_id": "the-credit", "account_id": "a-1", "reason": WHY, **body}, OF, answer, says,
        action,
    )  # fmt: skip


DUE = {"second_person_needed": False, "state": "due", "channel": "letters"}
DUE_SAYS = "the credit is due again; the next delivery of additions to letters has it"
SENT = {
    "pause": stopped("pause", "pause"),
    "resume": stopped("resume", "resume"),
    "resume an amended one": stopped("resume", "resume", "--decides-by", PLAN, decides_by=PLAN),
    "cancel": stopped("cancel", "cancel"),
    "settle": stopped("settle", "settle"),
    "end, keep": stopped("end", "keep", "--keep"),
    "end, unused": stopped("end", "void_unused", "--void-unused"),
    "end, unassigned": stopped("end", "void_unassigned", "--void-unassigned"),
    "approve": planned("approve", "approve", "--plan", PLAN, plan_hash=PLAN, limits=[], break_glass=""),
    "approve with limits": planned(
        "approve", "approve", "--plan", PLAN, "--limit", "total EUR", "--limit", "rejected", "--break-glass", "alone",
        plan_hash=PLAN, limits=["rejected", "total EUR"], break_glass="alone",
    ),
    "reject": planned("reject", "reject", "--plan", PLAN, *REASON, plan_hash=PLAN, reason=WHY),
    "replan": planned("replan", "replan", *REASON, reason=WHY),
    "void": asked_void(),
    "void accounts": asked_void(
        "--account", "a-1", "--account", "a-2", accounts=[{"account_id": "a-1"}, {"account_id": "a-2"}]
    ),
    "void a line": asked_void(
        "--account", "a-1", *OF_SUBJECT, accounts=[{"account_id": "a-1", "subject": "l-2"}]
    ),
    "void what was overpaid": asked_void("--overpaid", overpaid=True),
    "void at the biller": asked_void("--at-biller", at_biller=True),
    "approve-void": voided("approve-void"),
    "reject-void": voided("reject-void", *REASON, reason=WHY),
    "settle-void": voided("settle-void", *REASON, reason=WHY),
    "decide by policy": hand("--by-policy", "--fact", "fee=30.00", way="policy", facts={"fee": "30.00"}),
    "decide an amount": hand(
        "--amount", "5.00 EUR", "--note", "n", way="amount", amount="5.00", measure="EUR",
        note="n",
    ),
    "decline a row": hand("--decline", "--row", "78", way="decline", row=78),
    "decline the first row of a list without a header": hand("--decline", "--row", "0", way="decline", row=0),
    "approve-case": second("approve-case", "agree"),
    "reject-case": second("reject-case", "reject", *REASON, reason=WHY),
    "goodwill": Sent(
        ("goodwill", "a-1", "5.00", "EUR", "--reason", "the-code"), "goodwill.give",
        {"amount": "5.00", "measure": "EUR", "reason": "the-code"}, {"account": "a-1"}, GOODWILL,
        f"goodwill T-1: 5.00 EUR, given {GOODWILL_SAYS}", "goodwill",
    ),
    "goodwill in full": Sent(
        (
            "goodwill", "a-1", "5.00", "EUR", "--reason", "the-code", "--note", "the note", "--incident", "in-9",
            "--ticket", "T-2", "--repeat-of", "T-0",
        ),
        "goodwill.give",
        {
            "amount": "5.00", "measure": "EUR", "reason": "the-code", "note": "the note", "incident": "in-9",
            "ticket": "T-2", "repeat_of": "T-0",
        },
        {"account": "a-1"}, GOODWILL | {"state": "waiting"},
        f"goodwill T-1: 5.00 EUR, waits for a second person {GOODWILL_SAYS} If another person agrees, or not:"
        " kulanz approve-goodwill T-1 kulanz reject-goodwill T-1 --reason ...",
        "T-2", exit_code=1,
    ),
    "approve-goodwill": Sent(
        ("approve-goodwill", "T-1"), "goodwill.decide", {"action": "approve"}, {"goodwill": "T-1"}, GOODWILL,
        f"goodwill T-1: 5.00 EUR, given {GOODWILL_SAYS}", "approve",
    ),
    "reject-goodwill": Sent(
        ("reject-goodwill", "T-1", *REASON), "goodwill.decide", {"action": "reject", "reason": WHY},
        {"goodwill": "T-1"}, GOODWILL | {"state": "rejected"},
        f"goodwill T-1: 5.00 EUR, rejected {GOODWILL_SAYS}", "reject",
    ),
    "halt": halted("halt", "set", [], 2, "kulanz lift by 2 more persons lets it go on"),
    "lift": halted(
        "lift", "lift", ["sso:ben"], 2, "sso:ben would lift it; kulanz lift by 1 more person lets it go on"
    ),
    "resend": Sent(
        ("resend", C, *REASON), "deliveries.publish_again", {"reason": WHY}, OF,
        {"deliveries": [{"delivery": "billing/12", "credits": 1}, {"delivery": "billing/13", "credits": 5}]},
        "billing/12: 1 credit is published again, under the same id"
        " billing/13: 5 credits are published again, under the same ids",
        "resend",
    ),
    "deliver": Sent(
        ("deliver", C, *REASON), "deliveries.deliver", {"reason": WHY}, OF,
        {"delivery": "billing/13", "state": "assigning"}, "billing/13 is assigning", "deliver",
    ),
    "send a credit again": credit("send_again", DUE, DUE_SAYS),
    "send a credit elsewhere": credit(
        "send_again", DUE, DUE_SAYS, *OF_SUBJECT, "--biller-account", "b-9", "--to", "letters",
        subject="l-2", biller_account="b-9", channel="letters",
    ),
    "a second person for another channel": credit(
        "send_again", DUE | {"second_person_needed": True},
        "sent to another channel by one person; another person has to say the same, too", "--to", "letters",
        channel="letters",
    ),
    "write a credit off": credit("write_off", DUE | {"state": "written_off"}, "the credit is written off"),
    "a second person to write off": credit(
        "write_off", DUE | {"second_person_needed": True},
        "written off by one person; another person has to say the same, too",
    ),
    "accept": Sent(
        ("accept", "a-1", "--incident", "in-7", *OF_SUBJECT, "--campaign", "3"), "acceptances.accept",
        {"subject": "l-2", "campaign": 3}, {"account": "a-1", "incident": "in-7"},
        {"v": 1, "accepted": True, "campaign": C, "effective_at": "2026-03-01T09:00:00Z"},
        "accepted: granted by campaign in-7/3 as of 2026-03-01T09:00:00Z", "accept",
    ),
    "advance": Sent(
        ("advance", C), "repairs.advance", {}, OF, {"campaign": C, "state": "applying"}, "in-7/3 is applying", "",
    ),
    "status": Sent(
        ("notices", "status", "in-7"), "repairs.statuses", {}, {"incident": "in-7"}, {"revisions": 1},
        "1 status notice of in-7 published again", "",
    ),
    "rebuild": Sent(
        ("notices", "rebuild", C), "repairs.notices", {}, OF, {"decisions": 9, "next": None},
        "the notices of 9 decisions of in-7/3 were published again", "",
    ),
    "redrive": Sent(
        ("redrive", "chunks"), "repairs.redrive", {}, {"queue": "chunks"}, {"moved": 1, "more": False},
        "1 message moved back to the queue of chunks", "",
    ),
}  # fmt: skip


def sent_by(row: Sent, *more: str) -> tuple[Sending, Any]:
    stack = Sending(row.answer, **row.asked)
    return stack, run(stack, *row.words, *more)


@pytest.mark.parametrize("name", SENT)
def test_a_command_sends_what_was_typed_and_prints_what_it_came_to(name: str) -> None:
    row = SENT[name]
    stack, shown = sent_by(row)
    assert (shown.exit_code, " ".join(shown.stdout.split())) == (row.exit_code, row.says), shown.output
    ((use, body, of),) = stack.sent
    assert (use, dict(body)) == (row.use, dict(row.body))
    key = "goodwill" if use == "goodwill.give" else "id"
    made = str(of[key])
    assert {name: value for name, value in of.items() if name != key} == dict(row.of)
    if row.makes == "T-2":
        assert made == "T-2", "the ticket's number is the id"
    else:
        assert re.match(rf"{row.makes or '[a-z]+'}-\d{{8}}T", made), "an id of this run"


@pytest.mark.parametrize("name", [name for name, row in SENT.items() if row.makes])
def test_what_is_done_under_a_given_id_is_done_under_that_one_and_told_as_it_was_answered(name: str) -> None:
    row = SENT[name]
    stack, shown = sent_by(row, "--id", "mine", "--json")
    ((use, body, of),) = stack.sent
    assert (use, dict(body)) == (row.use, dict(row.body))
    assert dict(of) == {**row.of, "goodwill" if use == "goodwill.give" else "id": "mine"}
    told = json.loads(shown.stdout)
    assert {key: told[key] for key in told if key != "v"}.items() <= row.answer.items()
    assert told.keys() >= row.answer.keys() - {"v", "next", "more"}


@pytest.mark.parametrize("state", _STATES)
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_goodwill_that_is_not_given_ends_with_1_whatever_became_of_it(state: str, more: tuple[str, ...]) -> None:
    stack = Sending(GOODWILL | {"state": state})
    given = run(stack, "goodwill", "a-1", "5.00", "EUR", "--reason", "the-code", *more)
    assert given.exit_code == (0 if state == "given" else 1)
    decided = [
        run(stack, *words, *more) for words in (("approve-goodwill", "T-1"), ("reject-goodwill", "T-1", *REASON))
    ]
    assert [one.exit_code for one in decided] == [0, 0], "what was asked for was done"
    if not more:
        assert all(f"goodwill T-1: 5.00 EUR, {_STATES[state]}" in read(one.stdout) for one in (given, *decided))


APART: Mapping[str, str] = {
    C: "in-7/4", "in-7": "in-8", "a-1": "a-2", "l-2": "l-3", "v-1": "v-2", "T-1": "T-9", "chunks": "incidents",
    "5.00": "6.00", "EUR": "USD", "3": "4", "the-credit": "another-credit",
}  # fmt: skip
"""A word that names what is acted on, and another in its place: what is done then is another action."""
BY_ITS_REASON = ("resend", "deliver", "pause", "halt")
"""Commands that act again for another reason."""


OF_ONE_RUN = ("void accounts", "void a line", "approve-case", "reject-case", "goodwill in full")
"""A void is one of its campaign's at an instant, a case is looked at first, and a ticket has its own number."""


@pytest.mark.parametrize("name", sorted(SENT.keys() - {*OF_ONE_RUN}))
def test_other_words_are_another_action_also_where_both_are_typed_at_the_same_instant(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        kulanz_cli.command, "datetime", SimpleNamespace(now=lambda zone: datetime(2026, 3, 1, tzinfo=zone))
    )
    row = SENT[name]
    others = {**APART, **({WHY: "another reason"} if row.words[0] in BY_ITS_REASON else {})}
    lines = [row.words, *(tuple(map({one: other}.get, row.words, row.words)) for one, other in others.items())]
    made: dict[str, tuple[str, ...]] = {}
    for words in dict.fromkeys(lines):
        stack = Sending(row.answer, **row.asked)
        run(stack, *words)
        ((_, _, of),) = stack.sent
        assert str(of) not in made, (words, made)
        made[str(of)] = words


OF_A_LIST = ("goodwill", "decide")
"""Commands whose reason is a code of the discretion file."""


@pytest.mark.parametrize(
    "name", [name for name, row in SENT.items() if WHY in row.words and row.words[0] not in OF_A_LIST]
)
def test_a_reason_is_one_line_of_so_many_characters_or_nothing_is_sent(name: str) -> None:
    row = SENT[name]
    for reason, exit_code in (
        ("r" * REASON_CHARACTERS, row.exit_code), ("r" * (REASON_CHARACTERS + 1), 2), ("two\nlines", 2), ("", 2),
    ):  # fmt: skip
        stack = Sending(row.answer, **row.asked)
        shown = run(stack, *(reason if word == WHY else word for word in row.words))
        assert (shown.exit_code, len(stack.sent)) == (exit_code, 0 if exit_code == 2 else 1), (
            len(reason),
            shown.output,
        )


ELSEWHERE = {
    "requests.record": "test_send.py",
    "requests.campaign": "test_send.py",
    "drafts.confirm": "test_drafts.py",
    "exports.begin": "test_export.py",
    "acknowledgements.acknowledge": "test_acknowledgements.py",
    "repairs.refused": "test_refused_and_repaired.py",
    "settlements.act": "test_budget.py",
    "budgets.act": "test_budget.py",
    "confirmations.confirm": "test_ledger.py",
}
"""Actions of which a command does more than to send them, and who looks at these."""


def test_every_action_of_the_api_is_sent_by_a_command_of_these() -> None:
    acts = {route.use for route in ROUTES if route.method == "PUT"}
    assert {row.use for row in SENT.values()} | ELSEWHERE.keys() == acts
    for row in SENT.values():
        named = {*row.of, "goodwill"} if row.use == "goodwill.give" else {*row.of, "id"}
        assert set(BY_USE[row.use].names) == named, row.words


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "a hash too short": (("approve", C, "--plan", PLAN[:11]), "the plan's hash"),
    "a hash too long": (("approve", C, "--plan", PLAN + "a"), "the plan's hash"),
    "no hash": (("approve", C, "--plan", "xy12" * 16), "the plan's hash"),
    "a void of accounts and a file": (
        ("void", C, *REASON, "--account", "a-1", "--file", __file__), "state --account or --file, not both",
    ),
    "what was overpaid of accounts": (("void", C, *REASON, "--overpaid", "--account", "a-1"), "leave --account"),
    "what was overpaid of a file": (("void", C, *REASON, "--overpaid", "--file", __file__), "leave --account"),
    "a line of nobody": (("void", C, *REASON, *OF_SUBJECT), "state --subject with the one --account"),
    "a line of two": (
        ("void", C, *REASON, *OF_SUBJECT, "--account", "a-1", "--account", "a-2"), "state --subject with the one",
    ),
    **{
        f"a void without a reason, {words[0]}": (("void", C, *words), "to ask for a void, state --reason")
        for words in (("--account", "a-1"), ("--file", __file__), ("--overpaid",), ("--at-biller",), ("--id", "mine"))
    },
    "goodwill of no amount": (("goodwill", "a-1", "--reason", "r"), "state ACCOUNT, AMOUNT"),
    "goodwill of no measure": (("goodwill", "a-1", "5.00", "--reason", "r"), "state ACCOUNT, AMOUNT"),
    "goodwill without a reason": (("goodwill", "a-1", "5.00", "EUR"), "state ACCOUNT, AMOUNT"),
    "a ticket that is no id": (("goodwill", "a-1", "5.00", "EUR", "--reason", "r", "--ticket", "T 1"), "--ticket"),
    "no way to decide": (("decide", C, "a-1", "--reason", "r"), "state one of --by-policy"),
    "two ways to decide": (("decide", C, "a-1", "--reason", "r", "--decline", "--by-policy"), "state one of"),
    "a fact of an amount": (
        ("decide", C, "a-1", "--reason", "r", "--decline", "--fact", "a=b"), "--fact belongs to --by-policy",
    ),
    "an amount of nothing": (("decide", C, "a-1", "--reason", "r", "--amount", "5.00"), "with its currency or unit"),
    "a credit again and off": (
        ("credits", C, "--send-again", "c", "--write-off", "c"), "state one of --send-again and --write-off",
    ),
    "a credit of nobody": (("credits", C, "--write-off", "c", *REASON), "state --account and --reason"),
    "a credit for no reason": (("credits", C, "--write-off", "c", "--account", "a-1"), "state --account and --reason"),
    "a credit off to a channel": (
        ("credits", C, "--write-off", "c", "--to", "letters"), "--to belongs to --send-again",
    ),
    **{
        f"no credit, {words[0]}": (("credits", C, *words), "these options belong to --send-again")
        for words in (("--account", "a"), OF_SUBJECT, ("--biller-account", "b"), REASON, ("--id", "mine"))
    },
    "no end of a campaign": (("end", C, *REASON), "say --keep"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_command_line_that_contradicts_itself_is_wrong_and_sends_nothing(name: str) -> None:
    words, says = WRONG[name]
    stack = Sending({})
    shown = run(stack, *words)
    assert (shown.exit_code, stack.sent) == (2, []), shown.output
    assert says in " ".join(shown.output.replace("│", " ").split())
