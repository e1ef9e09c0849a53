"""Writes the AsyncAPI document of the bus and the topics from their contracts: `python -m kulanz_local.event_pages`.

What Kulanz takes and what it sends is in it: `receive` and `send` are Kulanz's own. `npx @asyncapi/cli validate
docs/asyncapi.json` checks it by the tool of the standard's authors.
"""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

import kulanz
from kulanz.adapters.messaging import DRAFTS_SOURCE, EVENT_SOURCE
from kulanz.application.campaigns.advance_campaign import ANNOUNCED
from kulanz.application.campaigns.report import ReportContract
from kulanz.application.cases.second_persons import SECOND_PERSON_WAITED_FOR, SecondPersonContract
from kulanz.application.delivery.advance_delivery import FLAGGED_EVENT, SENT_EVENT, DeliveryContract
from kulanz.application.drafts.follow_drafts import DRAFT_WAITING, DraftWaiting
from kulanz.application.incidents.incident_event import CampaignRequestContract, IncidentContract
from kulanz.domain.delivery.topic_messages import CreditsContract
from kulanz.domain.incident_record import DetailType
from kulanz.domain.notices import NoticeContract, StatusContract
from kulanz_local.embedded import PROJECT

DOCUMENT = PROJECT / "docs" / "asyncapi.json"
SCHEMA = "#/components/schemas/{model}"
OF_AN_INCIDENT = [one for one in DetailType if one is not DetailType.CAMPAIGN_REQUESTED]


@dataclass(frozen=True, slots=True)
class Sent:
    """Messages of one kind: where they travel, under which name or names, by which contract, and which page says it.

    `attributes` are what a subscriber filters by: of an event its source and detail-type, which are stated.
    """

    channel: str
    name: str
    summary: str
    contract: Any
    page: str
    attributes: tuple[str, ...] = ()
    source: str = ""
    types: tuple[str, ...] = ()


INCOMING = "incidentEvents"
EVENTS, NOTICES, CREDITS = "events", "notices", "credits"
CHANNELS = {
    INCOMING: ("Incident events", "The event bus of the stack (output EventBusName), as publishers put events on it."),
    EVENTS: ("Events of Kulanz", "The same bus, as rules match what Kulanz puts on it."),
    NOTICES: ("Notices", "The SNS topic of the output NoticesTopicArn."),
    CREDITS: ("Credits", "The SNS topic of the output CreditsTopicArn, where DeliveryChannel names it."),
}
"""Title and place of each channel."""

MESSAGES = (
    Sent(
        INCOMING, "incident", "Something is known of an incident", IncidentContract, "incident-events.md",
        types=tuple(one.value for one in OF_AN_INCIDENT),
    ),
    Sent(
        INCOMING, "campaignRequest", "A campaign is requested", CampaignRequestContract, "incident-events.md",
        types=(DetailType.CAMPAIGN_REQUESTED.value,),
    ),
    Sent(
        EVENTS, "campaign", "A campaign stopped, ended or waits", ReportContract, "operations.md",
        source=EVENT_SOURCE, types=tuple(ANNOUNCED.values()),
    ),
    Sent(
        EVENTS, "delivery", "A delivery was sent or flagged", DeliveryContract, "delivery.md",
        source=EVENT_SOURCE, types=(SENT_EVENT, FLAGGED_EVENT),
    ),
    Sent(
        EVENTS, "secondPerson", "A decision of a case, or goodwill, waits for a second person", SecondPersonContract,
        "operations.md", source=EVENT_SOURCE, types=(SECOND_PERSON_WAITED_FOR,),
    ),
    Sent(
        EVENTS, "draft", "A draft of an incident waits for a person", DraftWaiting, "incident-sources.md",
        source=DRAFTS_SOURCE, types=(DRAFT_WAITING,),
    ),
    Sent(
        NOTICES, "notice", "What is reported to customers about decisions", NoticeContract, "notices.md",
        attributes=("kind", "incident_id", "locale", "channel"),
    ),
    Sent(
        NOTICES, "statusNotice", "What is reported to everybody about an incident", StatusContract, "notices.md",
        attributes=("kind", "incident_id"),
    ),
    Sent(
        CREDITS, "credits", "What billing books", CreditsContract, "delivery.md",
        attributes=("channel", "incident_id"),
    ),
)  # fmt: skip


def asyncapi() -> dict[str, Any]:
    """The document."""
    modes = [("validation" if one.channel == INCOMING else "serialization", one) for one in MESSAGES]
    adapters: Any = [(one.name, mode, TypeAdapter(one.contract)) for mode, one in modes]
    found, defined = TypeAdapter.json_schemas(adapters, ref_template=SCHEMA, schema_generator=GenerateJsonSchema)
    payloads = {name: schema for (name, _), schema in found.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kulanz",
            "version": kulanz.__version__,
            "description": "What travels on the bus and the topics of a stack. Every message can come more than once.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            name: {
                "address": None,
                "title": title,
                "description": place,
                "messages": {
                    one.name: {"$ref": f"#/components/messages/{one.name}"} for one in MESSAGES if one.channel == name
                },
            }
            for name, (title, place) in CHANNELS.items()
        },
        "operations": {
            name: {
                "action": "receive" if name == INCOMING else "send",
                "channel": {"$ref": f"#/channels/{name}"},
                "messages": [
                    {"$ref": f"#/channels/{name}/messages/{one.name}"} for one in MESSAGES if one.channel == name
                ],
            }
            for name in CHANNELS
        },
        "components": {
            "messages": {one.name: _message(one, payloads[one.name]) for one in MESSAGES},
            "schemas": dict(sorted(defined["$defs"].items())),
        },
    }


def _message(sent: Sent, payload: Any) -> dict[str, Any]:
    """A message; of an event the payload is its detail, and the headers are beside it in its envelope."""
    headers: dict[str, Any] = {name: {"type": "string"} for name in sent.attributes}
    if sent.types:
        source = {"const": sent.source} if sent.source else {"description": "a source that the stack's parameters list"}
        headers = {"source": {"type": "string", **source}, "detail-type": {"type": "string", "enum": [*sent.types]}}
    return {
        "name": sent.name,
        "title": sent.summary,
        "description": f"docs/{sent.page} says what a reader has to do.",
        "headers": {"type": "object", "properties": headers},
        "payload": payload,
    }


def document() -> str:
    """The text of the file."""
    return json.dumps(asyncapi(), indent=2) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
