"""What a command says of a state: the whole of its output, of answers in which no two values are the same."""

from collections.abc import Mapping
from typing import Any

import pytest

from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.money import Money
from kulanz_cli.cases import read_facts
from tests.support.answering import Answering
from tests.support.world_stack import run

C = "in-7/3"
SEEN, HASH = "ab12" * 16, "cd34" * 16
CLOSED = {"reason": "too_late", "says": "the time is over"}


def said(expected_code: int, *words: str, **answers: Any) -> str:
    shown = run(Answering(**answers), *words)
    assert shown.exit_code == expected_code, shown.output
    return " ".join(shown.stdout.split())


# Cases


def campaign_cases(seq: int, until: str, **changes: Any) -> dict[str, Any]:
    return {
        "campaign": f"in-7/{seq}", "decided_at": f"2026-02-0{seq}T09:00:00Z", "decidable_until": until,
        "waiting": {"held": 12, "referred": 34, "conflict": 5_678, "rejected": 9}, "decided": {}, "granted": {},
        "later": [], "closed": None, **changes,
    }  # fmt: skip


def test_campaigns_with_cases_come_by_their_deadline_each_with_what_was_done_of_it() -> None:
    pages = [
        {"campaigns": [campaign_cases(3, "2027-02-03T09:00:00Z", decided={"granted": 1_234, "declined": 7})]},
        {"campaigns": [campaign_cases(1, "2027-02-01T09:00:00Z", later=[4, 5], closed=CLOSED, waiting={"held": 1})]},
    ]
    assert said(0, "cases", "--month", "2026-02", cases__of_month=pages) == (
        "campaign held referred conflict rejected until"
        " in-7/1 1 0 0 0 2027-02-01"
        " in-7/3 12 34 5,678 9 2027-02-03"
        " To see who waits: kulanz cases in-7/1"
        " in-7/1: in-7/4, in-7/5 may have decided these since"
        " in-7/1: the time is over"
        " in-7/3: decided by hand: 7 declined, 1,234 granted"
    )
    assert said(1, "cases", "--month", "2026-02", cases__of_month=[{"campaigns": []}]) == "nothing waits for a person"


def proposed(account: str, subject: str, digest: str, outcome: Mapping[str, Any], day: int) -> dict[str, Any]:
    return {
        "account_id": account, "subject": subject, "campaign": f"in-7/{day}", "hash": digest * 64,
        "by_hand": {"decision": outcome}, "person": f"sso:person-{day}", "waits_until": f"2026-03-0{day}T09:00:00Z",
    }  # fmt: skip


def test_what_waits_for_a_second_person_says_what_it_would_be_who_asked_and_until_when() -> None:
    granted = Decision(Outcome.GRANTED, "the-code", (Benefit(money=Money(2_000, "EUR")),)).to_body()
    declined = {"outcome": "declined", "reason": "other-code"}
    pages = [
        {"proposed": [proposed("a-1", "-", "a", granted, 1)]},
        {"proposed": [proposed("a-2", "l-2", "b", declined, 2)]},
    ]
    assert said(0, "cases", "--proposed", cases__proposed=pages) == (
        "account campaign would be case"
        " a-1 in-7/1 granted 20.00 EUR (the-code) aaaaaaaaaaaa"
        " a-2 l-2 in-7/2 declined (other-code) bbbbbbbbbbbb"
        " aaaaaaaaaaaa: by sso:person-1, until 2026-03-01T09:00:00Z"
        " bbbbbbbbbbbb: by sso:person-2, until 2026-03-02T09:00:00Z"
    )
    assert said(1, "cases", "--proposed", cases__proposed=[{"proposed": []}]) == "nothing waits for a second person"


LISTED: list[dict[str, Any]] = [
    {"kind": "rejected", "reason": "fee_unreadable", "field": "fee", "row_offset": 11},
    {"kind": "conflict", "reason": "conflict", "row_offset": 22, "account_id": "a-2", "subject": "l-2"},
    {"kind": "held", "reason": "fee_unknown", "row_offset": 33, "account_id": "a-3", "subject": "-"},
    {"kind": "referred", "reason": "business", "row_offset": 44, "account_id": "a-4", "subject": "l-4"},
]


def listed(*cases: dict[str, Any], more: str | None = None, closed: Any = None) -> dict[str, Any]:
    return {
        "cases": [*cases], "next": more, "closed": closed, "decided_at": "2026-02-01T09:00:00Z",
        "decidable_until": "2027-02-01T09:00:00Z",
    }  # fmt: skip


HEAD = "Decided as of 2026-02-01T09:00:00Z; to be decided by 2027-02-01T09:00:00Z. account why reason byte"
STEPS = "To see one with its steps, and what it would owe: kulanz cases in-7/3"


def test_the_cases_of_a_campaign_are_named_each_with_the_command_that_goes_on() -> None:
    pages = [listed(*LISTED[:2], more="further"), listed(*LISTED[2:])]
    assert said(0, "cases", C, cases__of_campaign=pages) == (
        f"{HEAD} (no account) rejected fee_unreadable (fee) 11 a-2 l-2 conflict conflict 22"
        f" a-3 held fee_unknown 33 a-4 l-4 referred business 44"
        f" {STEPS} a-3"
        " To see what the contradicting row would come to: kulanz cases in-7/3 a-2 --subject l-2 --row 22"
        " A rejected row has no account. Correct it in the list, and request the list again."
        " Or, where you know whose row it is: kulanz cases in-7/3 ACCOUNT --row 11"
    )
    only = said(0, "cases", C, cases__of_campaign=[listed(LISTED[3], closed=CLOSED)])
    assert only == (
        f"Nobody can decide these now: the time is over. {HEAD} a-4 l-4 referred business 44 {STEPS} a-4 --subject l-4"
    )
    nothing = [listed(closed=CLOSED)]
    assert said(1, "cases", C, cases__of_campaign=nothing) == (
        "Nobody can decide these now: the time is over. nothing of in-7/3 waits for a person"
    )


@pytest.mark.parametrize(
    ("pages", "is_more"),
    [
        ([listed(*LISTED[:2])], False),
        ([listed(*LISTED[:3])], True),
        ([listed(*LISTED[:2], more="further"), listed()], True),
        ([listed(LISTED[0], more="further"), listed(LISTED[1])], False),
    ],
)
def test_it_is_said_that_there_are_more_cases_where_there_are(pages: list[Any], *, is_more: bool) -> None:
    shown = run(Answering(cases__of_campaign=pages), "cases", C, "--limit", "2")
    assert ("These are 2, and there are more" in shown.stderr) is is_more
    assert shown.stdout.count("kulanz cases") >= 1


CASE: dict[str, Any] = {
    "v": 1, "account_id": "a-1", "campaign": C, "subject": "l-2", "kind": "held", "status": "held",
    "reason": "fee_unknown", "since": "2026-02-01T09:00:00Z", "row_offset": 33, "row": {"fee": "thirty", "out": ""},
    "field": "fee", "expected": "an amount", "stands": None, "only_decline": None, "no_amount": None,
    "decidable_until": "2027-02-01T09:00:00Z", "closed": None, "amended": False, "steps": ["one", "two"],
    "missing": [{"name": "fee", "type": "money", "choices": [], "holds": True}],
    "earlier": {}, "would_owe": [], "seen": SEEN,
}  # fmt: skip
ABOUT = "campaign in-7/3 reason fee_unknown since 2026-02-01T09:00:00Z decide by 2027-02-01T09:00:00Z case ab12ab12ab12"
WHY = "why 1. one 2. two"
UNKNOWN = "unknown fee (money); the policy holds the row for it"


def to_decide(named: str) -> str:
    return (
        f"To decide it, one of: kulanz decide in-7/3 a-1 {named}--by-policy --fact ... --reason ..."
        f" kulanz decide in-7/3 a-1 {named}--amount '5.00 EUR' --reason ..."
        f" kulanz decide in-7/3 a-1 {named}--decline --reason ..."
    )


DECIDE = to_decide("--subject l-2 ")
SHOWN: dict[str, tuple[int, dict[str, Any], str]] = {
    "a fact is missing": (
        0, {},
        (f"HELD account a-1, l-2 {ABOUT} {WHY} {UNKNOWN} {DECIDE}"
        " To see what it would owe: kulanz cases in-7/3 a-1 --subject l-2 --fact fee=..."),
    ),
    "of the account itself": (
        0, {"subject": "-", "status": "referred", "missing": []},
        f"REFERRED account a-1 {ABOUT} {WHY} {to_decide('')}",
    ),
    "closed": (
        1, {"closed": CLOSED, "missing": []}, f"HELD account a-1, l-2 {ABOUT} closed the time is over {WHY}",
    ),
    "amended since": (
        0, {"amended": True, "missing": []},
        (f"HELD account a-1, l-2 {ABOUT} amended the incident was amended since: a further campaign decides by what it"
        f" says now {WHY} {DECIDE}"),
    ),
    "what it would owe": (
        0,
        {
            "missing": [{"name": "segment", "type": "text", "choices": ["a", "b"], "holds": True}],
            "would_owe": [
                {"facts": {"segment": "a"}, "decision": {"outcome": "declined", "reason": "not_a"}, "steps": ["three"]},
                {"facts": {}, "decision": None, "steps": []},
            ],
        },
        (f"HELD account a-1, l-2 {ABOUT} {WHY} unknown segment (text: a, b); the policy holds the row for it"
        f" with segment = a: declined (not_a) 1. three with the facts of the list: nothing more is owed {DECIDE}"),
    ),
    "a fact for which it is not held": (
        0, {"missing": [{"name": "fee", "type": "money", "choices": [], "holds": False}]},
        f"HELD account a-1, l-2 {ABOUT} {WHY} unknown fee (money) {DECIDE}",
    ),
    "a row that contradicts": (
        0,
        {"kind": "conflict", "missing": [], "stands": {"outcome": "declined", "reason": "not_out"}},
        (f"CONFLICT account a-1, l-2 {ABOUT} row at byte 33: fee = thirty expected fee: an amount"
        f" stands declined (not_out) {WHY} {to_decide('--subject l-2 --row 33 ')}"),
    ),
    "a row that cannot be read": (
        0,
        {"kind": "rejected", "missing": [], "row": {}, "field": "", "only_decline": {"reason": "r", "says": "too old"}},
        (f"REJECTED account a-1, l-2 {ABOUT} row at byte 33: nothing of it can be read expected an amount"
        f" only to decline it: too old {WHY}"
        " To decide it: kulanz decide in-7/3 a-1 --subject l-2 --row 33 --decline --reason ..."),
    ),
    "under a policy that counts what its subjects had": (
        0, {"subject": "-", "missing": [], "no_amount": {"reason": "r", "says": "no amount"}},
        (f"HELD account a-1 {ABOUT} {WHY} To decide it, one of:"
        " kulanz decide in-7/3 a-1 --by-policy --fact ... --reason ..."
        " kulanz decide in-7/3 a-1 --decline --reason ..."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_a_case_says_why_it_waits_and_what_to_type(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    code, changes, expected = SHOWN[name]
    assert said(code, "cases", C, "a-1", "--subject", "l-2", cases__one=[CASE | changes]) == expected


def test_facts_are_read_as_they_are_written() -> None:
    assert read_facts(["fee = 30.00 ", "segment=a=b"]) == {"fee": "30.00", "segment": "a=b"}


# Refused events, and rejected rows


def refused(number: int) -> dict[str, Any]:
    return {
        "id": f"m-{number}", "reason": "windows_wrong", "field": "windows.0", "message": "ends before it starts",
        "source": "billing", "detail_type": "Incident Declared", "incident_id": f"in-{number}",
        "event_key": f"events/{number}", "received_at": f"2026-03-0{number}T09:00:00Z",
    }  # fmt: skip


def event_line(number: int) -> str:
    return (
        f"2026-03-0{number}T09:00:00Z Incident Declared in-{number} from billing: windows_wrong (windows.0):"
        " ends before it starts"
    )


@pytest.mark.parametrize(
    ("events", "says_more", "is_more"), [(2, False, False), (3, False, True), (2, True, True), (1, False, False)]
)
def test_refused_events_are_shown_to_their_limit_and_more_is_said_where_there_may_be_more(
    events: int, says_more: bool, is_more: bool
) -> None:
    answer = {"foreign": [], "more": says_more, "events": [refused(number) for number in range(1, events + 1)]}
    shown = run(Answering(incidents__refused=[answer]), "rejected", "--limit", "2")
    assert shown.exit_code == 1
    assert " ".join(shown.stdout.split()) == " ".join(event_line(number) for number in range(1, min(events, 2) + 1))
    assert ("there may be more" in shown.stderr) is is_more


def test_a_message_that_is_none_of_ours_is_named_the_first_first() -> None:
    answer = {"foreign": ["m-7", "m-8"], "more": False, "events": []}
    shown = run(Answering(incidents__refused=[answer]), "rejected")
    assert shown.exit_code == 3
    assert "the message m-7 in the queue" in " ".join(shown.output.split())


def test_of_an_event_of_which_little_is_known_as_much_is_said() -> None:
    bare = refused(1) | {"detail_type": "", "incident_id": "", "source": "", "field": ""}
    answer = {"foreign": [], "more": False, "events": [bare]}
    assert said(1, "rejected", incidents__refused=[answer]) == (
        "2026-03-01T09:00:00Z a message from nobody: windows_wrong: ends before it starts"
    )
    nothing = {"foreign": [], "more": False, "events": []}
    assert said(0, "rejected", incidents__refused=[nothing]) == "no event was refused"


def row(offset: int, **changes: Any) -> dict[str, Any]:
    found = {"line": offset + 1, "offset": offset, "reason": "fee_unreadable", "field": "fee", "expected": "an amount"}
    return {**found, "work": "plan", **changes}


def test_rows_are_shown_by_their_place_once_each_and_more_is_said_where_there_are_more() -> None:
    """The plan and the execution found the first row alike."""
    pages = [
        {"refused": None, "rows": [row(50), row(20, work="apply")], "next": "further"},
        {"refused": None, "rows": [row(20), row(90, line=None, field="", stored_offset=20)], "next": None},
    ]
    line = "line {}, byte {}: fee_unreadable, fee: expected an amount"
    other = "byte 90: fee_unreadable: expected an amount (the row at byte 20 stands)"
    everything = f"{line.format(21, 20)} {line.format(51, 50)} {other}"
    for limit, more in (("3", False), ("2", True)):
        shown = run(Answering(campaigns__rejected=pages), "rejected", C, "--limit", limit)
        assert ("there are more" in shown.stderr) is more
        expected = everything if limit == "3" else f"{line.format(21, 20)} {line.format(51, 50)}"
        assert (shown.exit_code, " ".join(shown.stdout.split())) == (1, expected)
    nothing: list[Any] = [{"refused": None, "rows": [], "next": None}]
    assert said(0, "rejected", C, campaigns__rejected=nothing) == "no row of in-7/3 has a problem"
    whole: list[Any] = [{"refused": "rows_differ", "rows": [], "next": None}]
    assert said(1, "rejected", C, campaigns__rejected=whole) == (
        "in-7/3 was refused as a whole, and nobody was credited: rows_differ no row of in-7/3 has a problem"
    )


# Stops, budgets and halts


@pytest.mark.parametrize(
    ("void", "until", "says"),
    [
        (None, None, "in-7/3 is paused"),
        (
            None, "2026-03-01T09:15:00Z",
            "in-7/3 is paused workers under way may write until 2026-03-01T09:15:00Z; no other campaign opens before",
        ),
        (
            "v-1", None,
            ("in-7/3 is paused The void is planned now, and waits for its approval. The campaign ends with it:"
            " kulanz void in-7/3"),
        ),
    ],
)  # fmt: skip
def test_a_stop_says_until_when_workers_may_write_and_that_a_void_waits(
    void: str | None, until: str | None, says: str
) -> None:
    answer = {"v": 1, "campaign": C, "state": "paused", "may_write_until": until, "void": void}
    assert said(0, "pause", C, "--reason", "why", stops__act=[answer]) == says


def settlement(*, is_settled: bool, stated: Any = None, is_gone: bool = False) -> dict[str, Any]:
    one = {
        "month": "2026-07", "currency": "EUR", "is_settled": is_settled, "reserved": "1111.00", "accepted": "22.00",
        "granted_least": "333.00", "claimable_least": "44.00", "granted_most": "5555.00", "claimable_most": "66.00",
    }  # fmt: skip
    return {"v": 1, "campaign": C, "reserved": [one], "stated": stated, "must_be_stated": is_gone}


STATED = {
    "by": "sso:anna", "second": None, "is_settled": False, "granted": {"EUR": "1234.00"}, "claimable": {"EUR": "7.00"},
}  # fmt: skip
RANGE = "granted claimable at least 333.00 44.00 at most 5,555.00 66.00"
OPEN = f"2026-07 EUR: not settled, 1,111.00 reserved, 22.00 accepted {RANGE}"
BY_ANNA = "stated by sso:anna: 1,234.00 EUR granted and 7.00 claimable"
BUDGETS = [
    (settlement(is_settled=True), "2026-07 EUR: settled, 1,111.00 reserved, 22.00 accepted"),
    (settlement(is_settled=False), OPEN),
    (
        settlement(is_settled=False, is_gone=True),
        f"{OPEN} its list is gone, and nothing can count it: kulanz budget settle states what it granted",
    ),
    (
        settlement(is_settled=False, stated=STATED, is_gone=True),
        f"{OPEN} {BY_ANNA} it waits for a second person who states the same",
    ),
    (
        settlement(is_settled=True, stated=STATED | {"second": "sso:ben", "is_settled": True}),
        f"2026-07 EUR: settled, 1,111.00 reserved, 22.00 accepted {BY_ANNA} stated as well by sso:ben",
    ),
    ({"campaign": C, "reserved": [], "stated": None}, "in-7/3 reserved nothing of a budget"),
]


@pytest.mark.parametrize(("answer", "says"), BUDGETS)
def test_what_is_known_of_a_reservation_is_said_and_who_stated_what(answer: Any, says: str) -> None:
    assert said(0, "budget", "reserved", C, settlements__one=[answer]) == says
    amounts = ("--granted", "EUR=1.00", "--reason", "why")
    assert said(0, "budget", "settle", C, *amounts, settlements__act=[answer]) == says
