"""Facts that a person supplies for one row: those that the list leaves open, or has wrong, and no others."""

from collections.abc import Mapping, Sequence

from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import INVALID, FactError, FactValue

FACT_NOT_MISSING = "fact_not_missing"


def missing_facts(facts: Sequence[FactDeclaration], values: Sequence[FactValue | None]) -> tuple[FactDeclaration, ...]:
    """The facts of a row that are not known."""
    pairs = zip(facts, values, strict=True)
    return tuple(fact for fact, value in pairs if value is None or value is INVALID)


def with_supplied(
    facts: Sequence[FactDeclaration], values: Sequence[FactValue | None], supplied: Mapping[str, str]
) -> tuple[FactValue | None, ...]:
    """The values of a row with those that are supplied, as texts by name, read as a list's cells are.

    Raises FactError, without a value, for a fact that the list states, and for a text that is not what was declared.
    """
    known = {fact.name: fact for fact in missing_facts(facts, values)}
    read: dict[str, FactValue | None] = {}
    for name, text in supplied.items():
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise FactError("facts", f"only facts that the list leaves open; of this row: {listed}", FACT_NOT_MISSING)
        value = known[name].parse_text(text)
        if value is None or value is INVALID:
            raise FactError(name, f"a value of type {known[name].type}, as a list has it")
        read[name] = value
    return tuple(read.get(fact.name, value) for fact, value in zip(facts, values, strict=True))
