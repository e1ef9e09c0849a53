"""What a cold start of the API imports: only what the first question needs."""

import subprocess
import sys

import pytest

QUESTIONS = ("accounts", "campaigns", "incidents", "policies")


@pytest.mark.parametrize("module", QUESTIONS)
def test_a_question_is_answered_without_what_actions_and_authors_need(module: str) -> None:
    code = (
        "import sys\n"
        f"import kulanz.application.door.serve, kulanz.application.door.{module}\n"
        "print(sorted({'pydantic', 'yaml', 'babel', 'jinja2', 'boto3', 'holidays'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"
