"""A person supplies facts that a row leaves open or has wrong, and no others; what is wrong is told without them."""

from typing import Any

import pytest

from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import INVALID, FactError
from kulanz.domain.lists.supplied_facts import missing_facts, with_supplied

FACTS = (
    FactDeclaration("zone_name", "text"), FactDeclaration("fee", "money", currency="EUR"),
    FactDeclaration("active", "yes_no"), FactDeclaration("hours", "number", hold_invalid=True),
)  # fmt: skip
VALUES: Any = ("north", None, INVALID, None)


def test_what_is_open_or_wrong_may_be_supplied() -> None:
    assert [fact.name for fact in missing_facts(FACTS, VALUES)] == ["fee", "active", "hours"]
    assert missing_facts(FACTS, ("a", 1, True, 0)) == ()
    assert with_supplied(FACTS, VALUES, {}) == VALUES
    assert with_supplied(FACTS, VALUES, {"active": "no", "fee": "1.50"}) == ("north", 150, False, None)
    assert with_supplied(FACTS, VALUES, {"hours": "0"}) == ("north", None, INVALID, 0)


@pytest.mark.parametrize(
    ("values", "supplied", "told"),
    [
        (VALUES, {"zone_name": "south"}, ("fact_not_missing", "facts",
         "only facts that the list leaves open; of this row: active, fee, hours")),
        (VALUES, {"other": "1"}, ("fact_not_missing", "facts",
         "only facts that the list leaves open; of this row: active, fee, hours")),
        (("a", 1, True, 0), {"fee": "1"}, ("fact_not_missing", "facts",
         "only facts that the list leaves open; of this row: none")),
        (VALUES, {"fee": " "}, ("fact_invalid", "fee", "a value of type money, as a list has it")),
        (VALUES, {"hours": "SECRET"}, ("fact_invalid", "hours", "a value of type number, as a list has it")),
        (VALUES, {"fee": "SECRET"}, ("fact_invalid", "fee", "an amount: digits with a decimal point, such as 5.00")),
        (VALUES, {"fee": "1.00", "active": "SECRET"}, ("fact_invalid", "active", "true or false")),
    ],
)  # fmt: skip
def test_what_cannot_be_supplied_is_told_by_its_fact(values: Any, supplied: dict[str, str], told: object) -> None:
    with pytest.raises(FactError) as refused:
        with_supplied(FACTS, values, supplied)
    assert (refused.value.reason, refused.value.field, refused.value.expected) == told


def test_a_row_has_as_many_values_as_its_policy_reads_facts() -> None:
    with pytest.raises(ValueError, match="zip"):
        missing_facts(FACTS, VALUES[:2])
