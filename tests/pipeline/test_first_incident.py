"""A stranger's first incident, walked on the deployed stack as the README writes it."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from kulanz_cli.main import main
from kulanz_local.embedded import aws_environment
from tests.pipeline.conftest import Deployed
from tests.unit.project.test_readme import FIRST_INCIDENT, PROJECT, blocks, in_section, section


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
    output = ""
    for line in [*in_section("README.md", FIRST_INCIDENT), *asked]:
        result = CliRunner().invoke(main, shlex.split(line)[1:])
        assert result.exit_code == 0, f"{line}\n{result.output}"
        output += result.output
    (reconciliation,) = blocks(section(FIRST_INCIDENT), "text")
    assert reconciliation in output
    assert re.search(r"^GRANTED 100\.00 USD$", output, re.MULTILINE)
