"""Writes the JSON Schema of every contract from its model: `python -m kulanz_local.schemas`."""

import json
from typing import Any

from pydantic import TypeAdapter

from kulanz.adapters.messaging import ChunkContract, RejectionContract
from kulanz.application.campaigns.report import ReportContract
from kulanz.application.incidents.incident_event import CampaignRequestContract, IncidentContract
from kulanz.domain.byhand.discretion import DiscretionContract
from kulanz.domain.delivery.credit import CreditContract
from kulanz.domain.delivery.topic_messages import CreditsContract
from kulanz.domain.ledger.entries import DecisionContract
from kulanz.domain.notices import NoticeContract, ReportedContract, StatusContract
from kulanz_local.embedded import PROJECT

FOLDER = PROJECT / "docs" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

CONTRACTS: dict[str, Any] = {
    "incident-event": IncidentContract,
    "campaign-request": CampaignRequestContract,
    "chunk-message": ChunkContract,
    "rejection": RejectionContract,
    "decision-body": DecisionContract,
    "notice": NoticeContract,
    "status-notice": StatusContract,
    "reported-notice": ReportedContract,
    "credit": CreditContract,
    "credits": CreditsContract,
    "campaign-report": ReportContract,
    "discretion": DiscretionContract,
}


def schemas() -> dict[str, str]:
    """The text of each schema by its file's name."""
    return {
        f"{name}.schema.json": json.dumps({"$schema": DIALECT, **TypeAdapter(model).json_schema()}, indent=2) + "\n"
        for name, model in CONTRACTS.items()
    }


if __name__ == "__main__":
    for name, text in schemas().items():
        (FOLDER / name).write_text(text)
