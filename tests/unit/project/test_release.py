"""The newest entry of the changelog is the release of the package; tests/template compares the template's."""

import re
from datetime import date
from pathlib import Path

import kulanz

CHANGELOG = Path(__file__).resolve().parents[3] / "CHANGELOG.md"


def test_the_changelog_has_an_entry_of_this_release_with_its_day() -> None:
    entries = re.findall(r"^## \[([0-9.]+)\] - (\S+)$", CHANGELOG.read_text(encoding="utf-8"), re.MULTILINE)
    assert entries
    newest, day = entries[0]
    assert newest == kulanz.__version__
    date.fromisoformat(day)
