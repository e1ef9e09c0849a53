"""One worker that delivers what another granted: processor time of both, over the same list, without AWS.

DynamoDB is answered inside the process, through the SDK's own hook and in AWS's own form, so that building, signing and
reading calls is in the time of both; making the answers is in the time of delivering, which reads each decision once.
`python -m bench.deliver ROWS` prints one JSON line: decisions, and seconds of the processor for each.
"""

import json
import os
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from bench.stacks import written_list
from bench.worker import (
    BUCKET,
    CALLS_IN_FLIGHT,
    CAUSE,
    CREDENTIALS,
    EVENT,
    POLICY,
    FileLists,
    RealClock,
    _approve,
    _run,
)
from kulanz.adapters.aws import client
from kulanz.adapters.credit_entries import DynamoCredits
from kulanz.adapters.ledger_table import DynamoLedger
from kulanz.application.campaigns.advance_campaign import AdvancePorts, advance_campaign
from kulanz.application.campaigns.chunk_run import GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.open_campaign import OpenPorts, OpenSettings, open_campaign
from kulanz.application.delivery.advance_delivery import DeliveryPorts, advance_delivery, open_over_list
from kulanz.application.delivery.deliver_chunk import DeliverPorts, deliver_chunk
from kulanz.application.ledger.confirm_tables import confirm_tables
from kulanz.application.ports import DeliveryMessage
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.confirmation import Occasion
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_local.drive import with_limits
from tests.support.fake_bucket import FakeArchive, FakePolicies
from tests.support.fake_deliveries import FakeDeliveries
from tests.support.fake_index import FakeIndex
from tests.support.fake_messages import FakeAnnouncer, FakeChunks, FakeRejected
from tests.support.fake_offers import FakeOffers
from tests.support.fakes import FakeCampaigns, FakeLedger, FakeStores

CHUNK_BYTES = 1024 * 1024
TABLE = "kulanz-CreditsTable-BENCH"


class Table:
    """A table of decisions as texts of AWS's JSON: a key is written once, and what is updated stays as it was."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], str] = {}

    def inserted(self, request: Any, **_: Any) -> Any:
        """Take the statements of a call."""
        answers = []
        for statement in json.loads(request.body)["Statements"]:
            answer: dict[str, Any] = {"TableName": TABLE}
            if statement["Statement"].startswith("INSERT"):
                names = [part.split("'")[1] for part in statement["Statement"].split("{")[1].split(",")]
                item = dict(zip(names, statement["Parameters"], strict=True))
                place = item["pk"]["S"], item["sk"]["S"]
                if place in self.items:
                    answer["Error"] = {"Code": "DuplicateItem", "Message": ""}
                self.items.setdefault(place, json.dumps(item))
            answers.append(answer)
        return _answered(request, json.dumps({"Responses": answers}))

    def got(self, request: Any, **_: Any) -> Any:
        """Give the items of some keys."""
        keys = json.loads(request.body)["RequestItems"][TABLE]["Keys"]
        places = ((key["pk"]["S"], key["sk"]["S"]) for key in keys)
        items = ",".join(self.items[place] for place in places if place in self.items)
        return _answered(request, f'{{"Responses":{{"{TABLE}":[{items}]}},"UnprocessedKeys":{{}}}}')


class _Raw:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        content, self._content = self._content, b""
        return [content]


def _answered(request: Any, text: str) -> AWSResponse:
    return AWSResponse(request.url, 200, HTTPHeaders(), cast("Any", _Raw(text.encode())))


def main(rows: int) -> dict[str, Any]:
    """Grant a list and deliver it; what both took."""
    os.environ.update(CREDENTIALS, AWS_ENDPOINT_URL="http://127.0.0.1:1")
    table, dynamodb = Table(), client("dynamodb")
    dynamodb.meta.events.register("before-send.dynamodb.BatchExecuteStatement", table.inserted)
    dynamodb.meta.events.register("before-send.dynamodb.BatchGetItem", table.got)
    campaigns, chunks, archive, deliveries = FakeCampaigns(), FakeChunks(), FakeArchive(), FakeDeliveries()
    policies, announcer = FakePolicies(), FakeAnnouncer()
    policies.publish("att-2024-02", 1, document_json(load_policy(POLICY)))
    with tempfile.TemporaryDirectory(prefix="kulanz-bench-") as folder:
        path, _ = written_list(rows, Path(folder))
        lists = FileLists(path)
        event = with_limits(json.loads(EVENT.read_text()))
        with path.open("rb") as lines:
            number = sum(1 for line in lines if line.strip(b", \t\r\n")) - 1
        place = {"bucket": BUCKET, "key": "lists/bench.csv", "version_id": "1"}
        event["detail"]["campaign"]["affected"] = {"s3": place, "rows": number}
        stores = FakeStores(campaigns, FakeLedger())
        confirm_tables(stores, Occasion.FIRST, "the bench", "a stack of its own", datetime.now(UTC))
        opening = OpenPorts(
            campaigns=campaigns, lists=lists, policies=policies, chunks=chunks, rejected=FakeRejected(),
            archive=archive, stores=stores,
        )  # fmt: skip
        settings = OpenSettings(BUCKET, "lists/", frozenset({"billing"}), frozenset({"billing"}), CHUNK_BYTES, 400)
        open_campaign(event, opening, settings, CAUSE, datetime.now(UTC))
        campaign_id = CampaignId(event["detail"]["incident_id"], 1)
        advancing = AdvancePorts(campaigns, chunks, archive, announcer, stores, channel=Channel("billing"))
        _run(campaigns, lists, chunks, archive, FakeLedger())
        advance_campaign(campaign_id, advancing, CAUSE, datetime.now(UTC))
        _approve(campaign_id, campaigns, stores)
        advance_campaign(campaign_id, advancing, CAUSE, datetime.now(UTC))
        granted = sum(_run(campaigns, lists, chunks, archive, DynamoLedger(dynamodb, TABLE, CALLS_IN_FLIGHT)))
        advance_campaign(campaign_id, advancing, CAUSE, datetime.now(UTC))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        campaign = campaigns.campaign(campaign_id)
        assert campaign is not None
        index = FakeIndex(campaigns, FakeOffers(FakeLedger(), campaigns))
        ports = DeliveryPorts(campaigns, deliveries, chunks, archive, announcer, index)
        opened = open_over_list(campaign, ports, CAUSE, datetime.now(UTC))
        assert opened is not None, campaign.state_reason
        advance_delivery(opened.id, ports, datetime.now(UTC))
        working = DeliverPorts(
            campaigns, lists, DynamoCredits(dynamodb, TABLE, CALLS_IN_FLIGHT), deliveries, chunks, archive, index
        )
        before, cache = time.process_time(), FrozenCache()
        for message in list(chunks.deliveries):
            assert isinstance(message, DeliveryMessage)
            deliver_chunk(message, working, GrantSettings(CALLS_IN_FLIGHT, 0.0, 1096), RealClock(), cache)
        delivered = time.process_time() - before
        assert advance_delivery(opened.id, ports, datetime.now(UTC)) is DeliveryState.SENT
        found = deliveries.delivery(opened.id)
        assert found is not None
        return {
            "decisions": campaign.apply.totals.ledger_count(),
            "credits": found.sums.number,
            "grant_seconds": round(granted, 3),
            "deliver_seconds": round(delivered, 3),
            "parts": found.parts,
            "peak_mb_before": peak // 1024,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
