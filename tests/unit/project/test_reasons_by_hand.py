"""Every reason for which a decision by hand, or goodwill, is refused is on the page that support has, and no other."""

import inspect
import re
from types import ModuleType

import pytest

from kulanz.application.byhand import give_goodwill
from kulanz.application.cases import case, decide, ungrantable
from kulanz.domain.byhand import discretion
from kulanz.domain.lists import supplied_facts
from kulanz.domain.lists.facts import FACT_INVALID
from kulanz_local.embedded import PROJECT

PAGE = (PROJECT / "docs/support-and-finance.md").read_text(encoding="utf-8")
OF_DISCRETION = set(re.findall(r'NotAllowed\(\s*"([a-z_]+)"', inspect.getsource(discretion))) | {
    f"{limit}_exceeded" for limit in discretion._EXCEEDED
}


def refused(error: str, *modules: ModuleType) -> set[str]:
    """The codes that some modules refuse with."""
    return {code for one in modules for code in re.findall(rf'{error}\(\s*"([a-z_]+)"', inspect.getsource(one))}


def closed(*modules: ModuleType) -> set[str]:
    """The codes by which some modules say why nothing can be decided."""
    return {code for one in modules for code in re.findall(r'return "([a-z_]+)", [\(f"]', inspect.getsource(one))}


TOLD = {
    "Why not, and who decides": (
        OF_DISCRETION
        | refused("CaseRefused", case, decide)
        | closed(case, decide, ungrantable)
        | {supplied_facts.FACT_NOT_MISSING, FACT_INVALID, "account_shape", "subject_shape"}
    ),
    "Give it anyway": OF_DISCRETION | refused("GoodwillRefused", give_goodwill),
}


@pytest.mark.parametrize("heading", TOLD)
def test_the_page_has_every_reason_of_a_refusal(heading: str) -> None:
    section = PAGE.partition(f"\n### {heading}\n")[2].partition("\n## ")[0].partition("\n### ")[0]
    table = section.partition("| `reason` of a refusal |")[2].partition("\n\n")[0]
    documented = [
        code
        for row in table.splitlines()
        for code in re.findall(r"`([a-z_]+)`", row.split("|")[1] if "|" in row else "")
    ]
    assert len(documented) == len(set(documented))
    assert set(documented) == TOLD[heading]
