"""A function imports nothing that it does not need: each package costs every cold start."""

import subprocess
import sys

import pytest

NOT_NEEDED = (
    *("yaml", "holidays", "pydantic", "click", "rich", "jinja2", "babel"),
    "kulanz.domain.policy.deciding.checking",
    "kulanz.domain.policy.explaining",
)


@pytest.mark.parametrize("function", ["grant_credits", "publish_notices", "advance_campaign"])
def test_a_function_starts_without_what_authors_and_commands_need(function: str) -> None:
    program = f"import sys, {function}.handler; print([name for name in {NOT_NEEDED!r} if name in sys.modules])"

    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603 - our own text

    assert told.stdout.strip() == "[]"
