"""Every reason for which a void is refused is on the page that its reader has, and no other."""

import inspect
import re

from kulanz.application.delivery import ask_void
from kulanz_local.embedded import PROJECT

OF_A_FILE = {"column_missing"}
"""What the reader of lists says of the header of a file of accounts; it has more, which the page of lists has."""


def test_the_page_has_every_reason_for_which_a_void_is_refused() -> None:
    code = inspect.getsource(ask_void)
    told = set(re.findall(r'VoidRefused\(\s*"([a-z_]+)"', code))
    page = (PROJECT / "docs/operations.md").read_text(encoding="utf-8")
    section = page.partition("\n### Why a void is refused\n")[2].partition("\n### ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    documented = [reason for row in rows for reason in re.findall(r"`([a-z_]+)`", row)]
    assert len(documented) == len(set(documented))
    assert set(documented) == told | OF_A_FILE | {"list_missing"}
