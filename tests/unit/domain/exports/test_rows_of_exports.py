"""A row of an export has each of its values in its own column, and reads back as what it was counted as."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import UNLIMITED, Benefit, Decision, Due, Notice, Outcome, Validity
from kulanz.domain.delivery.law import Shares
from kulanz.domain.exports.figures import Figures, LineKey, Written
from kulanz.domain.exports.figures import SumKey as Amount
from kulanz.domain.exports.rows import (
    COLUMNS,
    Found,
    Instants,
    begins_at,
    count,
    count_read,
    decision_key,
    rendered,
    validity_text,
)
from kulanz.domain.money import Money
from kulanz.domain.policy.document.owed import Bill

CAMPAIGN = CampaignId("out", 7)
GRANTED_AT, ACCEPTED_AT = datetime(2026, 12, 1, 9, tzinfo=UTC), datetime(2026, 12, 5, 10, tzinfo=UTC)
MONEY = Benefit(Money(1_050, "EUR"), due=Due(2, "week"), component="delay")
UNITS = Benefit(
    None, "2.50", "GB", "countries", Validity(3, "days", "Europe/Berlin"), terms={"on": "weekends"}, component="extra"
)
NOTICE = Notice("granted", "de", "sms")
DECISION = Decision(Outcome.GRANTED, "late", (MONEY,), NOTICE, "automatic", (UNITS,))
SHARES = [Shares(100, 200, 300, 400, 50, 60), Shares(open=Decimal("2.50"))]
FOUND = Found(
    "granted", "late", Written.YES, DECISION, "accepted", Instants(GRANTED_AT, ACCEPTED_AT), SHARES,
    overpaid=(("SEK", 7), ("data", Decimal("1.5"))), decided_by="support", decided_for="kindness",
)  # fmt: skip
BILLS = {
    "delay": Bill({"de": "Verspätung", "en": "Delay"}, "DELAY", "compensation", "4711"),
    "extra": Bill("Extra", ledger_account="4712"),
}
LAW = ("used", "expired", "voided", "written_off", "open", "asked_back")


def rows(found: Found, **stated: Any) -> list[dict[str, Any]]:
    one = rendered(CAMPAIGN, found, **stated)
    key = decision_key(CAMPAIGN, "A-1", "line-7")
    lines = one.rows(17, "A-1", "line-7", key).splitlines()
    assert all(tuple(json.loads(line)) == COLUMNS for line in lines)
    return [json.loads(line) for line in lines]


def test_each_value_of_a_row_stands_in_its_own_column() -> None:
    said = {
        "campaign": "out/7", "line": 17, "account": "A-1", "subject": "line-7", "result": "granted", "reason": "late",
        "written": "yes", "status": "accepted", "decided_by": "support", "decided_for": "kindness",
        "decision": "ACCOUNT#A-1/DECISION#out#line-7#007", "accepted_at": "2026-12-05T10:00:00Z",
    }  # fmt: skip
    money, units, krona, data = rows(FOUND, due_by=(date(2026, 12, 15), None, date(2027, 1, 1)), bills=BILLS)
    assert money == said | {
        "benefit": 1, "part": money["part"], "amount": "10.50", "currency": "EUR", "unit": "", "unlimited": "",
        "component": "delay", "restriction": "", "terms": "", "due": "2 week", "due_by": "2026-12-15", "validity": "",
        "valid_from": "2026-12-01T09:00:00Z", "valid_until": "",
        "bill_text": "Verspätung", "reason_code": "DELAY", "treatment": "compensation", "ledger_account": "4711",
        "used": "1.00", "expired": "2.00", "voided": "3.00", "written_off": "4.00", "open": "0.50",
        "asked_back": "0.60",
    }  # fmt: skip
    assert units == said | {
        "benefit": 2, "part": units["part"], "amount": "2.50", "currency": "", "unit": "GB", "unlimited": "",
        "component": "extra", "restriction": "countries", "terms": '{"on":"weekends"}', "due": "", "due_by": "",
        "validity": "3 days from grant in Europe/Berlin", "valid_from": "2026-12-05T10:00:00Z",
        "valid_until": "2026-12-08T10:00:00Z", "bill_text": "Extra", "reason_code": "", "treatment": "",
        "ledger_account": "4712", **dict.fromkeys(LAW, ""), "open": "2.50",
    }  # fmt: skip
    assert [(one["benefit"], one["amount"], one["currency"], one["unit"]) for one in (krona, data)] == [
        (3, "0.07", "SEK", ""), (4, "1.5", "", "data"),
    ]  # fmt: skip
    assert len({money["part"], units["part"], krona["part"]}) == 3
    assert [krona[name] for name in ("bill_text", "ledger_account", *LAW)] == [""] * 8
    assert (krona["due_by"], data["due_by"]) == ("2027-01-01", "")


def test_a_line_without_a_benefit_has_one_row_that_says_why() -> None:
    (row,) = rows(Found("declined", "prepaid", Written.NO, Decision(Outcome.DECLINED, "prepaid"), "declined"))
    assert (row["benefit"], row["result"], row["reason"], row["written"]) == (None, "declined", "prepaid", "no")
    empty = set(COLUMNS) - {
        "campaign",
        "line",
        "account",
        "subject",
        "result",
        "reason",
        "written",
        "status",
        "benefit",
    }
    assert {name for name in empty if row[name]} == {"decision"}
    plain = rendered(CAMPAIGN, FOUND).rows(None, "A-1", "-", "")
    assert {(one["line"], one["subject"], one["decision"]) for one in map(json.loads, plain.splitlines())} == {
        (None, "", "")
    }


OFFER = Decision(Outcome.OFFERED, "late", (MONEY,))


@pytest.mark.parametrize(
    ("found", "sums"),
    [
        (FOUND, {
            ("granted", "EUR"): 1_050, ("accepted", "GB"): Decimal("2.5"), ("overpaid", "SEK"): 7,
            ("overpaid", "data"): Decimal("1.5"), ("used", "EUR"): 100, ("expired", "EUR"): 200, ("voided", "EUR"): 300,
            ("written_off", "EUR"): 400, ("open", "EUR"): 50, ("asked_back", "EUR"): 60, ("open", "GB"): Decimal("2.5"),
        }),
        (FOUND._replace(instants=Instants(GRANTED_AT), shares=(), overpaid=()),
         {("granted", "EUR"): 1_050, ("claimable", "GB"): Decimal("2.5")}),
        (FOUND._replace(written=Written.UNCOUNTED, shares=(), overpaid=()),
         {("uncounted", "EUR"): 1_050, ("accepted", "GB"): Decimal("2.5")}),
        (Found("offered", "late", Written.YES, OFFER, "granted", Instants(None, ACCEPTED_AT)),
         {("offered", "EUR"): 1_050, ("accepted", "EUR"): 1_050}),
        (Found("offered", "late", Written.YES, OFFER, "offered"), {("offered", "EUR"): 1_050}),
        (Found("rejected", "not_utf8", Written.NO), {}),
    ],
)  # fmt: skip
def test_what_a_row_is_counted_as_is_what_is_read_back_from_it(found: Found, sums: dict[tuple[str, str], Any]) -> None:
    written, read = Figures(), Figures()
    count(written, rendered(CAMPAIGN, found), 3)
    for _ in range(3):
        count_read(read, rows(found))
    expected = {Amount(of, measure): 3 * size for (of, measure), size in sums.items()}
    assert written.sums == read.sums == expected
    assert written.lines == read.lines == {LineKey(found.result, found.reason, found.written): 3}


def test_something_unlimited_is_counted_and_each_recurrence_by_itself() -> None:
    endless = Benefit(quantity=UNLIMITED, unit="data", terms={"each": "month", "times": "3"})
    found = Found("granted", "x", Written.YES, Decision(Outcome.GRANTED, "x", (endless, endless)))
    (one, _) = rows(found)
    assert (one["amount"], one["unit"], one["unlimited"]) == ("", "data", "yes")
    read = Figures()
    count_read(read, rows(found))
    assert read.sums == {Amount("granted", "data:3 x month:unlimited"): 2}


def test_each_part_begins_at_its_own_instant() -> None:
    decided, to_claim, overpaid, _ = (part for part, _ in FOUND.parts)
    offered = FOUND._replace(decision=OFFER)
    assert [begins_at(FOUND, part) for part in (decided, to_claim)] == [GRANTED_AT, ACCEPTED_AT]
    assert begins_at(offered, decided) == ACCEPTED_AT
    assert begins_at(FOUND._replace(decision=None), overpaid) is None
    by_hand = [part for part, _ in FOUND._replace(is_by_hand=True).parts]
    assert (by_hand[0], by_hand[1] != to_claim) == (decided, True)


@pytest.mark.parametrize(
    ("validity", "words"),
    [
        (Validity(), ""),
        (Validity(7, "hours", "Europe/Berlin"), "7 hours from grant"),
        (Validity(7, "days", "Europe/Berlin"), "7 days from grant in Europe/Berlin"),
        (Validity(2, "months"), "2 months from grant in UTC"),
        (Validity(7, "hours", start="redemption"), "7 hours from redemption"),
        (Validity(until=GRANTED_AT), "until 2026-12-01T09:00:00Z"),
        (Validity(start="day", begins=GRANTED_AT), "from 2026-12-01T09:00:00Z"),
        (Validity(7, "hours", until=ACCEPTED_AT, start="day", begins=GRANTED_AT),
         "7 hours from 2026-12-01T09:00:00Z until 2026-12-05T10:00:00Z"),
    ],
)  # fmt: skip
def test_how_long_a_benefit_can_be_used_is_told_in_the_policys_words(validity: Validity, words: str) -> None:
    assert validity_text(validity) == words


@pytest.mark.parametrize(
    ("validity", "begins", "ends"),
    [
        (Validity(until=ACCEPTED_AT), GRANTED_AT, ACCEPTED_AT),
        (Validity(5, "hours"), GRANTED_AT, GRANTED_AT + timedelta(hours=5)),
        (Validity(5, "hours", until=GRANTED_AT), GRANTED_AT, GRANTED_AT),
        (Validity(5, "hours", start="redemption", until=ACCEPTED_AT), None, ACCEPTED_AT),
        (Validity(5, "hours", start="redemption"), None, None),
        (Validity(5, "hours", start="day", begins=ACCEPTED_AT), ACCEPTED_AT, ACCEPTED_AT + timedelta(hours=5)),
        (
            Validity(5, "hours", start="day", begins=GRANTED_AT - timedelta(1)),
            GRANTED_AT,
            GRANTED_AT + timedelta(hours=5),
        ),
    ],
)
def test_a_benefit_is_shown_from_its_first_instant_to_its_end(
    validity: Validity, begins: datetime | None, ends: datetime | None
) -> None:
    one = Benefit(Money(5, "EUR"), validity=validity)
    decision = Decision(Outcome.GRANTED, "x", (one,))
    (row,) = rows(Found("granted", "x", Written.YES, decision, instants=Instants(GRANTED_AT)))
    shown = ["" if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (begins, ends)]
    assert [row["valid_from"], row["valid_until"]] == shown


@pytest.mark.parametrize(
    ("benefit", "sizes", "texts"),
    [
        (Benefit(Money(9_999, "JPY")), (1, 20, 300, 4_000, 50, 6), ("1", "20", "300", "4000", "50", "6")),
        (Benefit(Money(9_999, "EUR")), (1, 20, 300, 4_000, 50, 6), ("0.01", "0.20", "3.00", "40.00", "0.50", "0.06")),
        (
            Benefit(Money(9_999, "KWD")),
            (1, 20, 300, 4_000, 50, 6),
            ("0.001", "0.020", "0.300", "4.000", "0.050", "0.006"),
        ),
        (
            Benefit(quantity="99", unit="GB"),
            (*map(Decimal, ("1", "2.50", "3", "40", "5E+1", "0.006")),),
            ("1", "2.50", "3", "40", "50", "0.006"),
        ),
    ],
)
def test_where_a_benefit_is_is_written_in_the_decimals_of_its_measure_and_read_back_alike(
    benefit: Benefit, sizes: tuple[Any, ...], texts: tuple[str, ...]
) -> None:
    shares = Shares(**dict(zip(LAW, sizes, strict=True)))
    found = FOUND._replace(decision=Decision(Outcome.GRANTED, "late", (benefit,)), shares=[shares], overpaid=())
    (one,) = rows(found)
    assert tuple(one[name] for name in LAW) == texts
    written, read = Figures(), Figures()
    count(written, rendered(CAMPAIGN, found))
    count_read(read, [one])
    assert read == written
