"""The limits of a plan, as a policy states them: the shape of its entry `limits`."""

from dataclasses import dataclass, fields

from kulanz.domain.money import is_currency, minor_units
from kulanz.domain.policy.document.shape import ListOf, Text, entry
from kulanz.domain.policy.language.errors import Path, PolicyError

SHARE = Text("a share", r"(?:100|[0-9]{1,2}(?:\.[0-9]{1,4})?) ?%", ("2 %", "0.5 %"))
LIMITED_AMOUNT = Text(
    "an amount with its currency or unit",
    r"[0-9]{1,18}(?:\.[0-9]{1,6})? [A-Za-z][A-Za-z0-9_ ]{0,59}",
    ("500.00 EUR", "100 GB"),
)


@dataclass(frozen=True)
class PlanLimits:
    """What a list may come to under the policy; a plan outside is refused."""

    rejected: str = entry(SHARE, "The largest share of rows that cannot be read; 1 % if not stated.", default="")
    conflicts: str = entry(SHARE, "Rows that contradict another row of their subject; 0.1 %.", default="")
    nearly_equal: str = entry(
        SHARE, "Rows whose id differs from another's by zeros, letters' case or .0 alone; 0.1 %.", default=""
    )
    held: str = entry(SHARE, "The largest share of rows that are held; 25 %.", default="")
    known: str = entry(SHARE, "The smallest share known from the campaigns that are followed; 50 %.", default="")
    largest: tuple[str, ...] = entry(
        ListOf(LIMITED_AMOUNT, single=True),
        "The most that one row may be worth; if not stated, 100 times the median and 1,000 of the currency.",
        default=(),
    )
    total: tuple[str, ...] = entry(
        ListOf(LIMITED_AMOUNT, single=True), "The most that all rows may be worth.", default=()
    )

    def stated(self) -> dict[str, str | tuple[str, ...]]:
        """The limits that are stated, by name."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in found.items() if value}


def check_limits(limits: PlanLimits, path: Path) -> None:
    """An amount of money has no more decimals than its currency."""
    for name in ("largest", "total"):
        for text in getattr(limits, name):
            number, _, unit = text.partition(" ")
            if is_currency(unit) and len(number.partition(".")[2]) > minor_units(unit):
                raise PolicyError(f"expected no more decimals than {unit} has", (*path, name))
