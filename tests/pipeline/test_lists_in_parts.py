"""Exports of another tool, prepared into parts, sent to the deployed stack: one campaign over one list."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz_cli.main import main
from kulanz_local import drive
from kulanz_local.embedded import aws_environment
from tests.pipeline.conftest import Deployed
from tests.unit.project.test_readme import PROJECT

ROWS = 3_000
PLAN_SECONDS = 60
PROFILE = """
kulanz: 1
profile: crm
title: Customers as a German CRM writes them
encoding: windows-1252
dialect: {delimiter: ";"}
schema:
  fields:
    - {name: account_id, from: Kundennummer}
    - {name: subscription, from: Status, values: {Aktiv: active, Probe: trialing}}
    - {name: monthly_fee, from: Gebühr, decimalChar: ",", groupChar: "."}
"""
EVENT = {
    "incident_id": "parts-2025-10-07",
    "revision": 1,
    "title": "Sign-in failed",
    "service": "app",
    "functions": ["sign-in"],
    "windows": [{"start": "2025-10-07T09:00:00Z", "end": "2025-10-07T12:40:00Z"}],
    "cause": "expired_certificate",
    "campaign": {"policy": {"id": "parts-uptime", "version": 1}},
}


def kulanz(*words: str) -> Any:
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == 0, f"{words}\n{result.output}"
    return result


def is_planned(deployed: Deployed, incident_id: str = str(EVENT["incident_id"])) -> bool:
    """Whether the plan is complete; its two approvers say yes to it."""
    campaign = drive.approved(drive.stack_of(deployed.aws), CampaignId(incident_id, 1))
    return campaign is not None and campaign.state is not State.PLANNING


@pytest.mark.ministack
@pytest.mark.long  # make prove runs it
def test_two_exports_become_parts_of_one_list_that_the_stack_decides_and_explains(
    deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policies").symlink_to(PROJECT / "policies")
    monkeypatch.chdir(tmp_path)
    for name, value in aws_environment(deployed.aws.endpoint).items():
        monkeypatch.setenv(name, value)
    for file in range(2):
        rows = "".join(
            f"P-{file}{number:05d};{'Probe' if number % 10 == 0 else 'Aktiv'};1.000,00\r\n"
            for number in range(ROWS // 2)
        )
        (tmp_path / f"export-{file}.csv").write_bytes(f"Kundennummer;Status;Gebühr\r\n{rows}".encode("cp1252"))
    (tmp_path / "crm.profile.yaml").write_text(PROFILE, encoding="utf-8")
    event = {"source": "billing", "detail-type": "Incident Resolved", "detail": EVENT}
    (tmp_path / "event.json").write_text(json.dumps(event))

    kulanz("policy", "new", "parts-uptime", "--from", "saas-uptime", "--into", "parts")
    kulanz("policy", "publish", "parts")
    kulanz("list", "prepare", "export-*.csv", "--profile", "crm.profile.yaml", "--policy", "parts/parts-uptime/1.yaml",
           "--into", "list", "--part-bytes", "1024")  # fmt: skip
    assert len(list((tmp_path / "list").iterdir())) == 2
    sent = kulanz("send", "event.json", "--list", "list", "--rows", str(ROWS))
    assert "2 parts are uploaded as lists/list.csv.manifest.json" in " ".join(sent.output.split())
    drive.wait_until("the end of its plan", PLAN_SECONDS, lambda: is_planned(deployed))
    watched = kulanz("watch", "parts-2025-10-07/1").output
    assert "closed: balanced" in watched
    assert "270,000.00" in watched, "10 % of 1,000.00 USD for 2,700 accounts"
    assert "GRANTED 100.00 USD" in kulanz("ask", "P-101499", "--incident", "parts-2025-10-07").output

    # A job of the company's own wrote parts of the same form into the bucket, for the next month's outage.
    stack = drive.stack_of(deployed.aws)
    for part in sorted((tmp_path / "list").iterdir()):
        stack.client("s3").put_object(
            Bucket=deployed.outputs.list_bucket_name, Key=f"lists/own/{part.name}", Body=part.read_bytes()
        )
    again = EVENT | {
        "incident_id": "parts-2025-11-09",
        "windows": [{"start": "2025-11-09T09:00:00Z", "end": "2025-11-09T12:40:00Z"}],
    }
    (tmp_path / "again.json").write_text(json.dumps(event | {"detail": again}))
    kulanz("send", "again.json", "--list-prefix", "lists/own/", "--rows", str(ROWS))
    drive.wait_until("the end of its plan", PLAN_SECONDS, lambda: is_planned(deployed, "parts-2025-11-09"))
    watched = kulanz("watch", "parts-2025-11-09/1").output
    assert "closed: balanced" in watched
    assert "270,000.00" in watched
