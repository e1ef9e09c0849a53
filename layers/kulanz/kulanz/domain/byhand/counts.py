"""What was given by hand in a month: counted for each id of a person, and for each account, kind by kind."""

from dataclasses import dataclass, replace

from kulanz.domain.byhand.discretion import ByHand, Used
from kulanz.domain.campaigns.amounts import plain_size
from kulanz.domain.money import Size


@dataclass(frozen=True, slots=True)
class CountOf:
    """Whose count it is: of one id of a person, or of an account; of one kind, month (`2026-11`) and measure."""

    kind: ByHand
    month: str
    measure: str
    person: str = ""
    account: str = ""

    def __post_init__(self) -> None:
        if bool(self.person) == bool(self.account):
            raise ValueError("a count is of a person or of an account")


@dataclass(frozen=True, slots=True)
class Count:
    """How much was given so far. `version` counts its writes; each is conditional on it."""

    of: CountOf
    size: Size = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class CountStep:
    """A count as it was read and as a step leaves it. The same twice is looked at, and not written."""

    before: Count
    after: Count

    @property
    def is_looked_at(self) -> bool:
        """Whether it has only to be as it was read."""
        return self.before == self.after


def used_by(counts: tuple[Count, ...]) -> Used:
    """What a person, under all ids of that person, gave in a month, and what the account was given."""
    person = sum((one.size for one in counts if one.of.person), start=0)
    account = sum((one.size for one in counts if one.of.account), start=0)
    return Used(plain_size(person), plain_size(account))


def steps_with(counts: tuple[Count, ...], person: str, size: Size) -> tuple[CountStep, ...]:
    """The steps that add an amount to the account, and to the id that a person acts under.

    The other ids of the person are looked at: nobody may have given under them meanwhile. An amount of nothing, of what
    waits, is added to the account alone, so that of two that wait at once one sees the other.
    """
    return tuple(CountStep(one, _with(one, person, size)) for one in counts)


def _with(count: Count, person: str, size: Size) -> Count:
    if count.of.person and (count.of.person != person or not size):
        return count
    return replace(count, size=plain_size(count.size + size), version=count.version + 1)
