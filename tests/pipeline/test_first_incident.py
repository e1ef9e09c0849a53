"""A stranger's first incident, walked on the deployed stack as the README writes it."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from kulanz_cli.main import main
from kulanz_local.embedded import aws_environment
from kulanz_local.persons import create_persons, write_profiles
from tests.pipeline.conftest import Deployed
from tests.unit.project.test_readme import FIRST_INCIDENT, PROJECT, blocks, in_section, section

EXAMPLE = re.compile(r"--plan [0-9a-f]{12}\b")
"""The hash that the README shows; each plan has its own."""


def plan_hash(output: str) -> str:
    """The hash of the plan, as `kulanz plan` shows it."""
    (found,) = set(re.findall(r"--plan ([0-9a-f]{12})\b", output))
    return str(found)


@pytest.mark.ministack
@pytest.mark.long  # make prove runs it
def test_every_command_of_the_readmes_first_incident_works_in_its_order(
    deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("policies", "events"):
        (tmp_path / name).symlink_to(PROJECT / name)
    monkeypatch.chdir(tmp_path)
    for name, value in aws_environment(deployed.aws.endpoint).items():
        monkeypatch.setenv(name, value)
    asked = [line for line in in_section("README.md", "A credit, explained") if line.startswith("kulanz ask")]
    write_profiles(create_persons(deployed.aws.endpoint), tmp_path / "credentials")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    output, is_approved = "", False
    for line in [*in_section("README.md", FIRST_INCIDENT), *asked]:
        typed = EXAMPLE.sub(f"--plan {plan_hash(output)}", line) if EXAMPLE.search(line) else line
        result = CliRunner().invoke(main, shlex.split(typed)[1:])
        is_approved = is_approved or "approve" in line
        waits = line.startswith("kulanz watch") and not is_approved
        assert result.exit_code == (1 if waits else 0), f"{line}\n{result.output}"
        output += result.output
    (reconciliation,) = blocks(section(FIRST_INCIDENT), "text")
    assert reconciliation in output
    assert re.search(r"^GRANTED 100\.00 USD$", output, re.MULTILINE)
