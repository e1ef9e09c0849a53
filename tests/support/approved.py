"""Approved texts: all that is shown of something, in one file beside its test, read again by whoever changes it.

A test that asks for a word of a sentence does not see that another word, figure or sentence beside it changed. Here the
whole is compared. With `APPROVE=1` in the environment the file is written anew; its difference is then to be read.
"""

import os
from pathlib import Path

ANEW = "APPROVE"


def must_be_as_approved(text: str, path: Path) -> None:
    """Compare a text with the one that was approved; `path` is that file, or its test."""
    stored = path.with_suffix(".txt")
    if os.environ.get(ANEW):
        stored.write_text(text, encoding="utf-8")
    approved = stored.read_text(encoding="utf-8").splitlines() if stored.exists() else []
    found = text.splitlines()
    assert found == approved, f"read what differs from {stored.name}; where it is meant, run the test with {ANEW}=1"
