"""What lists and files print whole: several of everything, and no two values the same.

A line that is lost, said of another, or that stands in another's place is seen so.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kulanz_cli.drafts import length
from tests.support.answering import Answering, cells
from tests.support.sources import SAMPLES
from tests.support.world import World
from tests.support.world_stack import WorldStack, run
from tests.unit.cli.test_edges_of_billing import WHY_NOT, month, pages_of

C = "in-7/3"


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def kept(number: int, **due: str) -> dict[str, Any]:
    sums = [{"measure": measure, "sum": text} for measure, text in due.items()]
    states = {7: "closed", 8: "cancelled"}
    return {"campaign": f"in-{number}/1", "state": states[number], "since": f"2026-03-0{number}", "due": sums}


def delivery(serial: int, state: str, kind: str, published: int, **changes: Any) -> dict[str, Any]:
    return {
        "delivery": f"billing/{serial}", "campaign": f"in-{serial}/2", "over": "additions", "state": state,
        "credits": 1_000 + serial, "kind": kind, "rounds": 1, "published": published, "parts": 1_500,
        "reason": f"why-{serial}",
        "sums": [{"type": "credit", "measure": "EUR", "credits": 30 + serial, "sum": f"{serial}.00"}], **changes,
    }  # fmt: skip


def credit(number: int, subject: str, state: str, code: str) -> dict[str, Any]:
    return {
        "account_id": f"a-{number}", "subject": subject, "credit_id": f"credit-{number}", "state": state, "code": code,
        "amount": f"{number}.00", "reversed": f"{number - 1}.00", "not_on_bills": f"0.0{number}", "measure": "EUR",
    }  # fmt: skip


def goodwill(number: int, state: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"T-{number}", "amount": f"{number}.00 EUR", "state": state, "account_id": f"a-{number}",
        "reason": f"reason-{number}", "title": f"Title {number}", "note": "", "incident": "", "ticket": "",
        "repeat_of": "", "asked_by": f"sso:asked-{number}", "asked_at": f"2026-03-0{number}", "decided_by": "",
        "why": "", "campaign": "", "waits_until": f"2026-04-0{number}", **changes,
    }  # fmt: skip


def reserved(number: int, *, is_settled: bool, is_known: bool) -> dict[str, Any]:
    ends = ("granted_least", "claimable_least", "granted_most", "claimable_most")
    known = {name: f"{number}{place}000.00" if is_known else None for place, name in enumerate(ends)}
    return {
        "month": f"2026-0{number}", "currency": "EUR", "is_settled": is_settled, "reserved": f"{number}500.00",
        "accepted": f"{number}.00", **known,
    }  # fmt: skip


STATED = {
    "by": "sso:anna", "second": None, "is_settled": False, "granted": {"EUR": "1234.00", "CHF": "2000.00"},
    "claimable": {"CHF": "8.00", "EUR": "7.00"},
}  # fmt: skip

PRINTED: Mapping[str, tuple[tuple[str, ...], dict[str, Any], int, list[list[str]]]] = {
    "what is kept back": (
        ("deliveries",),
        {"deliveries__waiting": {
            "deliveries": [], "kept_back": [kept(7, EUR="1.00", call_minute="20"), kept(8, CHF="3.00")],
        }},
        1,
        [
            ["no delivery waits to be sent; to see those of a channel:"], ["kulanz deliveries --channel CHANNEL"],
            ["kept back: 1.00 EUR, 20 call minutes of in-7/1, closed since 2026-03-07"],
            ["kulanz deliver in-7/1 --reason TEXT, or kulanz void in-7/1"],
            ["kept back: 3.00 CHF of in-8/1, cancelled since 2026-03-08"],
            ["kulanz deliver in-8/1 --reason TEXT, or kulanz void in-8/1"],
        ],
    ),
    "deliveries of a topic and of files": (
        ("deliveries",),
        {"deliveries__waiting": {
            "deliveries": [
                delivery(3, "publishing", "topic", 1_499), delivery(4, "flagged", "topic", 1_500),
                delivery(5, "publishing", "file", 2), delivery(6, "assigning", "topic", 9, rounds=0),
            ],
            "kept_back": [],
        }},
        1,
        [
            ["delivery", "campaign", "over", "state", "credits"],
            ["billing/3", "in-3/2", "additions", "publishing", "1,003"],
            ["billing/4", "in-4/2", "additions", "flagged", "1,004"],
            ["billing/5", "in-5/2", "additions", "publishing", "1,005"],
            ["billing/6", "in-6/2", "additions", "assigning", "1,006"],
            ["billing/3: 3.00 EUR in 33 of type credit"], ["billing/3: 1,499 of 1,500 parts published"],
            ["billing/4: 4.00 EUR in 34 of type credit"], ["billing/4 is flagged: why-4"],
            ["billing/5: 5.00 EUR in 35 of type credit"],
            ["billing/6: 6.00 EUR in 36 of type credit"],
        ],
    ),
    "a channel without deliveries": (
        ("deliveries", "--channel", "billing"), {"deliveries__of_channel": {"deliveries": []}}, 1, [["no delivery"]],
    ),
    "credits for a person": (
        ("credits", C),
        {"acknowledgements__rejected_credits": {
            "credits": [credit(1, "-", "rejected", "frozen"), credit(2, "l-2", "taken_back", "")],
        }},
        1,
        [
            ["2 credits wait for a person"], ["a-1: 0.01 EUR, rejected frozen"], ["credit-1"],
            ["a-2 l-2: 0.02 EUR, taken back"],
            ["another 1.00 EUR was taken back by a reversal: did the biller take it off twice?"], ["credit-2"],
        ],
    ),
    "goodwill that waits": (
        ("goodwill",), {"goodwill__waiting": {"waiting": [goodwill(1, "waiting"), goodwill(2, "over", note="n")]}}, 0,
        [
            ["goodwill T-1: 1.00 EUR, waits for a second person"], ["account", "a-1"], ["reason", "reason-1, Title 1"],
            ["asked by", "sso:asked-1, 2026-03-01"], ["waits until", "2026-04-01"],
            ["If another person agrees, or not:"], ["kulanz approve-goodwill T-1"],
            ["kulanz reject-goodwill T-1 --reason ..."],
            ["goodwill T-2: 2.00 EUR, waited too long; ask again under another id"], ["account", "a-2"],
            ["reason", "reason-2, Title 2"], ["note", "n"], ["asked by", "sso:asked-2, 2026-03-02"],
            ["waits until", "2026-04-02"],
        ],
    ),
    "no goodwill that waits": (
        ("goodwill",), {"goodwill__waiting": {"waiting": []}}, 1, [["no goodwill waits for a second person"]],
    ),
    "reservations": (
        ("budget", "reserved", C),
        {"settlements__one": {
            "campaign": C, "must_be_stated": True, "stated": STATED,
            "reserved": [
                reserved(1, is_settled=False, is_known=True), reserved(2, is_settled=True, is_known=True),
                reserved(3, is_settled=False, is_known=False),
            ],
        }},
        0,
        [
            ["2026-01 EUR: not settled, 1,500.00 reserved, 1.00 accepted"],
            ["granted", "claimable"], ["at least", "10,000.00", "11,000.00"], ["at most", "12,000.00", "13,000.00"],
            ["2026-02 EUR: settled, 2,500.00 reserved, 2.00 accepted"],
            ["2026-03 EUR: not settled, 3,500.00 reserved, 3.00 accepted"],
            [
                "stated by sso:anna: 1,234.00 EUR granted and 7.00 claimable, 2,000.00 CHF granted and 8.00 claimable",
            ],
            ["it waits for a second person who states the same"],
        ],
    ),
    "incidents of a month": (
        ("incidents", "--month", "2026-03"),
        {"incidents__of_month": {"incidents": [
            {"incident_id": "in-8", "first_recorded_at": "2026-03-01T09:00:00Z"},
            {"incident_id": "in-7", "first_recorded_at": "2026-03-02T09:00:00Z"},
        ]}},
        0,
        [["incident", "first event"], ["in-8", "2026-03-01T09:00:00Z"], ["in-7", "2026-03-02T09:00:00Z"]],
    ),
    "a halt that one of three would lift": (
        ("halt",),
        {"halts__current": {
            "halted": True, "number": 7, "since": "2026-03-01", "by": "sso:anna", "reason": "floods",
            "lifted_by": ["sso:ben", "sso:cleo"], "needed": 3,
        }},
        0,
        [
            ["the stack is halted (halt 7) since 2026-03-01 by sso:anna: floods"],
            ["sso:ben, sso:cleo would lift it; kulanz lift by 1 more person lets it go on"],
        ],
    ),
    "a draft that was refused, and one that was put away": (
        ("drafts", "--month", "2026-03"),
        {"drafts__of_month": {"unread": [], "drafts": [
            {"draft": "it-1", "title": "One", "state": "dismissed", "proposed_microseconds": 1},
            {"draft": "it-2", "title": "Two", "state": "reopened", "proposed_microseconds": 3_600_000_000},
        ]}},
        0,
        [
            ["draft", "outage", "state", "title"], ["it-1", "less than 1 s", "dismissed", "One"],
            ["it-2", "1 h", "dismissed; it has changed since", "Two"],
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_a_list_is_printed_whole_with_each_value_in_its_place(name: str) -> None:
    words, answers, code, lines = PRINTED[name]
    shown = run(Answering(**{use: [answer] for use, answer in answers.items()}), *words)
    assert (shown.exit_code, cells(shown.stdout)) == (code, lines)


@pytest.mark.parametrize(
    ("microseconds", "says"),
    [
        (None, "goes on"), (0, "none"), (1, "less than 1 s"), (999_999, "less than 1 s"), (1_000_000, "1 s"),
        (1_999_999, "1 s"), (59_999_999, "59 s"), (60_000_000, "1 min"), (3_599_000_000, "59 min 59 s"),
        (3_600_000_000, "1 h"), (3_661_000_000, "1 h 1 min 1 s"), (3_600_000_000_000, "1,000 h"),
    ],
)  # fmt: skip
def test_how_long_an_outage_was_is_said_to_the_second_and_a_part_of_one_is_not_none(
    microseconds: int | None, says: str
) -> None:
    assert length(microseconds) == says


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(("left", "is_said"), [("0.00", False), ("0.01", True)])
def test_a_campaign_is_called_undelivered_only_where_something_of_it_is_on_no_bill(
    left: str, is_said: bool, order: int
) -> None:
    campaigns = month()
    campaigns[0] |= {"delivery_state": "flagged", "lines": campaigns[0]["lines"][::order]}
    for line in (line for one in campaigns for line in one["lines"]):
        line["not_on_bills"] = left if line["measure"] == "EUR" else "0"
    text = " ".join(run(pages_of(campaigns), "month", "2026-03").stdout.split())
    assert ("in-7/1 is not delivered: billing/12, flagged" in text) is is_said
    assert (f"in-8/2 is not delivered: {WHY_NOT}" in text) is is_said


# Files that are published in versions

PEOPLE = """
kulanz_people: 1
version: 1
persons:
  anna-berg: {ids: [sso:anna@example.com, sso:a.berg@example.com]}
  bert-ohm: {ids: [sso:bert@example.com], left: 2026-10-31}
  cleo-wu: {ids: [sso:cleo@example.com]}
"""
DISCRETION = """
kulanz_discretion: 1
version: 1
zone: Europe/Berlin
reasons:
  long_wait: {title: Waited too long}
  other:
    title: Something else
    note: true
    bill: {text: Goodwill, reason_code: GW, treatment: compensation, ledger_account: "4000"}
goodwill:
  EUR:
    alone: {decision: "50.00", person_month: "500.00", account_month: "100.00"}
    two: {decision: "200.00", person_month: "2000.00", account_month: "300.00"}
  call_minute:
    alone: {decision: "7", person_month: "70", account_month: "8"}
"""
OLDER = """
  older:
    kind: statuspage
    stopped: true
    speaks_for: [q4g3x7example]
    components: {cmail0000003: {service: mail, function: mail}}
    services: {mail: {counts: [major]}}
"""


def published(tmp_path: Path, name: str, text: str) -> WorldStack:
    """A stack where a file is published, whose check and publication told a program the same."""
    stack, path = WorldStack(World()), tmp_path / "file.yaml"
    path.write_text(text.lstrip(), encoding="utf-8")
    checked = json.loads(run(None, name, "check", str(path), "--json").stdout)
    for is_new in (True, False):
        told = json.loads(run(stack, name, "publish", str(path), "--json").stdout)
        assert told == {**checked, "published": is_new}
    return stack


def test_the_people_file_is_shown_with_every_person_and_told_with_when_they_left(tmp_path: Path) -> None:
    stack = published(tmp_path, "people", PEOPLE)
    assert cells(run(stack, "people", "show").stdout) == [
        ["anna-berg: sso:anna@example.com, sso:a.berg@example.com"],
        ["bert-ohm (until 2026-11-01): sso:bert@example.com"],
        ["cleo-wu: sso:cleo@example.com"],
    ]
    assert json.loads(run(stack, "people", "show", "--json").stdout) == {
        "v": 1, "version": 1, "persons": [
            {"name": "anna-berg", "ids": ["sso:anna@example.com", "sso:a.berg@example.com"], "left_at": None},
            {"name": "bert-ohm", "ids": ["sso:bert@example.com"], "left_at": "2026-11-01"},
            {"name": "cleo-wu", "ids": ["sso:cleo@example.com"], "left_at": None},
        ],
    }  # fmt: skip


def test_the_discretion_file_is_shown_with_every_limit_and_reason(tmp_path: Path) -> None:
    stack = published(tmp_path, "discretion", DISCRETION)
    assert " | ".join(" ".join(line) for line in cells(run(stack, "discretion", "show").stdout)) == (
        "version 1; months in Europe/Berlin"
        " | goodwill, one person: 50.00 EUR a decision, 500.00 EUR a person and month, 100.00 EUR an account"
        " | and month"
        " | goodwill, two persons: 200.00 EUR a decision, 2000.00 EUR a person and month, 300.00 EUR an"
        " | account and month"
        " | goodwill, one person: 7 call minutes a decision, 70 call minutes a person and month, 8 call"
        " | minutes an account and month"
        " | long_wait: Waited too long | other: Something else (needs a note)"
        " | booked as Goodwill, GW, compensation, 4000"
    )
    bill = {"text": "Goodwill", "reason_code": "GW", "treatment": "compensation", "ledger_account": "4000"}

    def limit(who: str, measure: str, unit: str, *sizes: str) -> dict[str, str]:
        names = ("decision", "person_month", "account_month")
        of = {name: f"{size} {unit}" for name, size in zip(names, sizes, strict=True)}
        return {"for": "goodwill", "agreed_by": who, "measure": measure, **of}

    assert json.loads(run(stack, "discretion", "show", "--json").stdout) == {
        "v": 1, "version": 1, "zone": "Europe/Berlin",
        "reasons": [
            {"code": "long_wait", "title": "Waited too long", "note": False, "bill": {}},
            {"code": "other", "title": "Something else", "note": True, "bill": bill},
        ],
        "limits": [
            limit("alone", "EUR", "EUR", "50.00", "500.00", "100.00"),
            limit("two", "EUR", "EUR", "200.00", "2000.00", "300.00"),
            limit("alone", "call_minute", "call minutes", "7", "70", "8"),
        ],
    }  # fmt: skip


def test_sources_are_shown_and_told_with_their_kind_and_services(tmp_path: Path) -> None:
    configuration = (SAMPLES / "statuspage" / "configuration.yaml").read_text(encoding="utf-8")
    stack = published(tmp_path, "source", f"{configuration.rstrip()}{OLDER}")
    assert cells(run(stack, "source", "show").stdout) == [
        ["version 1; deliveries go to kulanz-lists/SOURCE"], ["source", "kind", "services", "state"],
        ["older", "statuspage", "mail", "stopped"], ["status", "statuspage", "portal, voice", "receives"],
    ]  # fmt: skip
    assert json.loads(run(stack, "source", "show", "--json").stdout) == {
        "v": 1, "version": 1, "sources": [
            {"name": "older", "kind": "statuspage", "stopped": True, "services": ["mail"]},
            {"name": "status", "kind": "statuspage", "stopped": False, "services": ["portal", "voice"]},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "told", "says"),
    [
        ("people", PEOPLE, {"version": 1, "persons": 3}, "version 1 of the people file is right: 3 persons"),
        ("discretion", DISCRETION, {"version": 1, "zone": "Europe/Berlin"}, "the discretion file is right: 2 reasons"),
    ],
)
def test_a_file_that_is_right_is_told_with_how_much_is_in_it(
    name: str, text: str, told: Mapping[str, Any], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(text.lstrip(), encoding="utf-8")
    assert json.loads(run(None, name, "check", str(path), "--json").stdout).items() >= told.items()
    assert says in run(None, name, "check", str(path)).stdout
