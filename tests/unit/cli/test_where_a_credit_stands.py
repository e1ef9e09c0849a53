"""Where a credit stands on its way to the bill, in words for whoever asks about an account, and until when."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from kulanz.domain.decision import Benefit
from kulanz.domain.money import Money
from kulanz_console.on_the_way import billing, late_from
from tests.support.reading import read


def credit(state: str, **changes: Any) -> dict[str, Any]:
    return {
        "credit_id": "0" * 32, "amount": "2.99", "voided": "0.00", "measure": "EUR", "state": state,
        "delivery": "billing/12", "sent_at": "2026-03-02T10:00:00Z", "due": "2026-05-02T00:00:00Z", "late": False,
        "bills": [], "code": "", "due_by": "policy", "asked_back": "0.00", "reversals_rejected": [],
        **changes,
    }  # fmt: skip


SENT, FROM = (
    "; billing/12, sent 2026-03-02T10:00:00Z",
    "; late from 2026-05-02T00:00:00Z (the latest day that the policy allows)",
)
BY_LIST = FROM.replace("the latest day that the policy allows", "by the bill days that the list states")
TOLD: Mapping[str, tuple[dict[str, Any], str]] = {
    "due": (credit("due", delivery="", sent_at=None), f"is not delivered to billing yet{FROM}"),
    "no deadline": (credit("due", delivery="", sent_at=None, due=None), "is not delivered to billing yet"),
    "late": (
        credit("due", delivery="", sent_at=None, late=True),
        f"is not delivered to billing yet{FROM.replace('from', 'since')}",
    ),
    "by the list": (
        credit("sent", due_by="list"),
        f"was delivered to billing, which has not answered{SENT}{BY_LIST}",
    ),
    "assigned": (
        credit("assigned", sent_at=None), f"is in a delivery to billing; billing/12, not released{FROM}",
    ),
    "sent": (credit("sent"), f"was delivered to billing, which has not answered{SENT}{FROM}"),
    "rejected": (credit("rejected", code="closed"), f"was rejected by billing (closed){SENT}{FROM}"),
    "rejected, and voided in part": (
        credit("rejected", amount="4.00", voided="1.01", code="closed"),
        f"was rejected by billing (closed); 1.01 of 4.00 was taken back{SENT}{FROM}",
    ),
    "in part": (
        credit("partly_applied", bills=[{"bill": "B-7", "billed_on": None, "amount": "1.00"}]),
        f"is on a bill in part{SENT}; 1.00 on bill B-7 of no known day{FROM}",
    ),
    "applied": (
        credit("applied", bills=[{"bill": "B-7", "billed_on": "2026-04-01", "amount": "2.99"}]),
        f"is on a bill{SENT}; 2.99 on bill B-7 of 2026-04-01",
    ),
    "asked back, once in vain": (
        credit("accepted", asked_back="1.00", reversals_rejected=[{"amount": "2.99", "code": "not_booked"}]),
        (
            "is booked by billing, and on no bill yet; 1.00 is asked back, and billing has not answered;"
            f" 2.99 was asked back, and billing rejected that (not_booked){SENT}{FROM}"
        ),
    ),
    "written off": (credit("written_off"), f"was written off{SENT}"),
    "voided": (credit("voided"), f"was taken back{SENT}"),
}  # fmt: skip


@pytest.mark.parametrize("what", TOLD)
def test_who_asks_hears_where_the_credit_stands_and_until_when(what: str) -> None:
    found, says = TOLD[what]
    content: Any = {"credits": [found]}
    assert [read(text) for _, text in billing(content)] == [f"2.99 EUR {says}"]


@pytest.mark.parametrize("what", TOLD)
def test_the_deadline_of_what_was_granted_is_that_of_its_credit_as_long_as_it_counts(what: str) -> None:
    found, says = TOLD[what]
    late = re.search(r"; late (?:since|from) [^ ]+", says)
    euros, minutes = Benefit(Money(299, "EUR")), Benefit(None, "20", "call_minute")
    content: Any = {"credits": [found]}
    assert late_from(content, euros) == ("" if late is None else late[0].removeprefix("; "))
    assert late_from(content, minutes) == ""
    content["credits"].append(found)
    assert late_from(content, euros) == "", "nobody knows which of both it is"
