import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kulanz.adapters.messaging import chunk_message_text
from kulanz.application.ports import ChunkMessage
from kulanz.domain.campaigns.campaign import CampaignId, Pass
from kulanz.domain.delivery.channel import Channel
from kulanz_local.schemas import FOLDER, schemas
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_committed_schema_is_the_one_its_model_generates(name: str) -> None:
    committed = Path(FOLDER, name).read_text()
    assert committed == schemas()[name], f"{name} is out of date; run: python -m kulanz_local.schemas"


def strict(name: str) -> dict[str, Any]:
    """A schema that also refuses what it does not name."""
    schema: dict[str, Any] = json.loads(schemas()[f"{name}.schema.json"])
    for part in (schema, *schema.get("$defs", {}).values()):
        if part.get("type") == "object":
            part["additionalProperties"] = False
    return schema


def test_what_a_campaign_really_writes_and_sends_is_what_the_schemas_name() -> None:
    world = small_world(channel=Channel.from_text("billing:topic"))
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    told = {
        "decision-body": [entry.body for entry in world.ledger.all_entries()],
        "notice": [message.text for message in world.topic.published if message.recipients],
        "campaign-report": [one.detail for one in world.announcer.announced if one.detail_type.startswith("Campaign ")],
        "credits": [message.content.decode() for message in world.credits_topic.published],
        "chunk-message": [chunk_message_text(ChunkMessage(CampaignId.parse(CAMPAIGN), work, 7)) for work in Pass],
        "incident-event": [json.dumps(event(rows=ROWS, version_id="a-version")["detail"])],
    }
    for name, texts in told.items():
        assert texts, f"nothing of the kind {name}"
        for text in texts:
            jsonschema.validate(json.loads(text), strict(name))
