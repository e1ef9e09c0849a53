"""What the campaigns of a month come to: every figure is added up over all of them, and no figure into another.

No two figures are the same, and each is long, so that a sum says which figures are in it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from kulanz.domain.delivery.law import LAW
from kulanz_console.drawing.ways import (
    BY_ACCOUNT,
    BY_CHANNEL,
    ENDED,
    SEVERAL,
    STATES,
    accounts_of,
    added_words,
    channels_of,
    cost_words,
    delivery_words,
    law_text,
    lines_of,
    rest_of,
    rest_words,
    standing_of,
    totals_of,
    waiting_for_a_person,
)

FIGURES = (*("planned", "granted", "to_be_booked", "not_on_bills", "overdue", "asked_back"), *LAW)
MEASURES = ("EUR", "CHF", "call_minute")
CHANNELS = ("letters", "billing", "")
BOOKED = (("7", "b"), ("7", "a"), ("5", "c"), (SEVERAL, "a"), ("7", "b"))
"""Ledger account and reason code of each campaign; that of `several` has two components."""


def one_each() -> list[dict[str, Any]]:
    """Five campaigns with a line of each measure, in no order; no two of their figures are the same."""
    drawn = Random(7)

    def size() -> str:
        return f"{Decimal(drawn.randrange(10**12)).scaleb(-2):.2f}"

    def line(measure: str) -> dict[str, Any]:
        states = [state for state in STATES if state != "voided"]
        by_channel = [
            {"channel": channel, "by_state": {state: size() for state in states}, "voided": size()}
            for channel in CHANNELS
        ]
        figures = {name: size() for name in FIGURES}
        return {"measure": measure, "by_state": {state: size() for state in STATES}, "by_channel": by_channel} | figures

    return [
        {
            "campaign": f"in-{place}/1",
            "bookings": [
                {"ledger_account": one, "reason_code": code} for one in (("8", "9") if account == SEVERAL else account)
            ],
            "lines": [line(measure) for measure in MEASURES],
        }
        for place, (account, code) in enumerate(BOOKED)
    ]  # fmt: skip


def added_up[K](parts: Iterable[tuple[K, str, str]]) -> dict[K, dict[str, Decimal]]:
    """Sums by what they are of and by name."""
    found: dict[K, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for of, name, text in parts:
        found[of][name] += Decimal(text)
    return found


def figures(rows: Sequence[Mapping[str, str]], *keys: str) -> dict[Any, dict[str, Decimal]]:
    """The rows of a sum, each under what it is of."""
    return {
        tuple(row[key] for key in keys): {name: Decimal(text) for name, text in row.items() if name not in keys}
        for row in rows
    }


def totals(campaigns: Sequence[Mapping[str, Any]]) -> Any:
    return added_up(
        ((line["measure"],), name, text)
        for line in lines_of(campaigns)
        for name, text in [
            *((name, line[name]) for name in FIGURES),
            *((state, text) for state, text in line["by_state"].items() if state not in LAW),
        ]
    )


def accounts(campaigns: Sequence[Mapping[str, Any]]) -> Any:
    return added_up(
        ((*booked, line["measure"]), name, line[name])
        for campaign, booked in zip(sorted(campaigns, key=lambda one: str(one["campaign"])), BOOKED, strict=True)
        for line in campaign["lines"]
        for name in BY_ACCOUNT
    )


def channels(campaigns: Sequence[Mapping[str, Any]]) -> Any:
    def named(state: str) -> list[str]:
        is_over = state in ("applied", "written_off", "voided")
        return [*(["delivered"]), *([state] if state in BY_CHANNEL else []), *([] if is_over else ["not_on_bills"])]

    return added_up(
        ((one["channel"], line["measure"]), name, text)
        for line in lines_of(campaigns)
        for one in line["by_channel"]
        if one["channel"]
        for state, text in (*one["by_state"].items(), ("voided", one["voided"]))
        for name in named(state)
    )


type Sums = Callable[[Sequence[Mapping[str, Any]]], Any]


@pytest.mark.parametrize(
    ("sums", "keys", "model"),
    [
        (totals_of, ("measure",), totals),
        (accounts_of, ("ledger_account", "reason_code", "measure"), accounts),
        (channels_of, ("channel", "measure"), channels),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_a_sum_has_each_figure_of_each_campaign_once_and_stands_in_one_order(
    sums: Sums, keys: tuple[str, ...], model: Sums, order: int
) -> None:
    campaigns = one_each()
    given = [{**one, "lines": one["lines"][::order]} for one in campaigns[::order]]
    found = sums(given)
    assert figures(found, *keys) == model(campaigns)
    assert [tuple(row[key] for key in keys) for row in found] == sorted(model(campaigns))
    assert not [text for row in found for text in row.values() if "E+" in text], "plain decimals"


def test_what_is_left_of_each_measure_is_its_own_and_stands_in_one_order() -> None:
    campaigns = one_each()
    expected = totals(campaigns)
    for order in (1, -1):
        given = [{**one, "lines": one["lines"][::order]} for one in campaigns[::order]]
        assert [(measure, Decimal(left), Decimal(whole)) for _, measure, left, whole in rest_of(given)] == [
            (measure, expected[measure,]["not_on_bills"], expected[measure,]["to_be_booked"])
            for measure in sorted(MEASURES)
        ]


def test_a_measure_stands_in_each_state_that_has_some_of_it_and_last_in_those_that_are_over() -> None:
    total = {**dict.fromkeys(STATES, "0.01"), "measure": "EUR"}
    assert standing_of(total) == [*(state for state in STATES if state not in ENDED), *ENDED]
    for state in STATES:
        assert standing_of({**total, state: "0.00"}) == [one for one in standing_of(total) if one != state]
        assert standing_of({"measure": "EUR", state: "0.01"}) == [state]


def test_what_is_nothing_is_left_out_of_a_sentence_and_nothing_else() -> None:
    total = {"measure": "EUR", "granted": "8.00", "voided": "2.00", "to_be_booked": "6.00", "used": "1.00"}
    total |= {"not_on_bills": "4.00", "written_off": "0.25", "expired": "0.50", "open": "4.25"}
    none = total | {"voided": "0.00", "written_off": "0.00", "expired": "0.00", "open": "0.00", "used": "0.00"}
    assert [cost_words(total, "2026-03"), cost_words(none, "2026-03")] == [
        "2026-03 costs 6.00 EUR: 8.00 granted, less 2.00 voided", "2026-03 costs 6.00 EUR",
    ]  # fmt: skip
    assert [rest_words(total), rest_words(none)] == [
        "1.00 on bills, 4.00 not on bills yet, 0.25 written off", "0.00 on bills, 4.00 not on bills yet",
    ]  # fmt: skip
    law = "1.00 used on bills + 0.50 expired unused + 2.00 voided + 0.25 written off + 4.25 open"
    assert [law_text(total), law_text(none)] == [f"8.00 EUR granted = {law}", "8.00 EUR granted = 0"]


ADDED = {"first": "billing/13", "last": "billing/19"}


@pytest.mark.parametrize(
    ("delivery", "state", "why_not", "additions", "says"),
    [
        (None, "", "no channel", [], "no channel"),
        (None, "", "no channel", [{**ADDED, "deliveries": 1, "not_sent": 0}], "no channel"),
        (None, "", "", [], "additions only"),
        (None, "", "", [{**ADDED, "deliveries": 1, "not_sent": 1}], "additions billing/13, 1 not sent"),
        ("billing/2", "sent", "", [], "billing/2"),
        ("billing/2", "assigning", "", [], "billing/2, assigning"),
        (
            "billing/2", "sent", "", [{**ADDED, "deliveries": 1_002, "not_sent": 3}],
            "billing/2, additions billing/13 to 19 (1,002), 3 not sent",
        ),
    ],
)  # fmt: skip
def test_how_a_campaign_is_delivered_is_said_with_its_additions_or_why_it_is_not(
    delivery: str | None, state: str, why_not: str, additions: list[Any], says: str
) -> None:
    campaign = {"delivery": delivery, "delivery_state": state, "why_not": why_not, "additions": additions}
    assert str(delivery_words(campaign)) == says
    assert bool(added_words(campaign)) is bool(additions)


def test_each_campaign_that_waits_for_a_person_is_named_with_every_sum_that_does() -> None:
    states = {"rejected": "1.00", "taken_back": "2.00", "sent": "4.00"}
    minutes = {"taken_back": "5"}
    campaigns = [
        {"campaign": "in-8/1", "lines": [{"measure": "EUR", "by_state": states}]},
        {"campaign": "in-9/1", "lines": [{"measure": "EUR", "by_state": {"sent": "8.00"}}]},
        {
            "campaign": "in-7/1",
            "lines": [
                {"measure": "EUR", "by_state": {"rejected": "7.00"}}, {"measure": "call_minute", "by_state": minutes},
            ],
        },
    ]  # fmt: skip
    assert waiting_for_a_person(campaigns) == [
        "in-8/1: 1.00 EUR rejected, 2.00 EUR taken back: kulanz credits in-8/1",
        "in-7/1: 7.00 EUR rejected, 5 call minutes taken back: kulanz credits in-7/1",
    ]
