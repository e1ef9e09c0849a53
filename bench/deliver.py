"""One worker that delivers what another granted, and reads what billing answers: processor time of each, without AWS.

DynamoDB is answered inside the process, through the SDK's own hook and in AWS's own form, so that building, signing and
reading calls is in the time of all; making the answers is in the time of delivering and of reading answers, which read
each decision once. `python -m bench.deliver ROWS` prints one JSON line: decisions and credits, and seconds of the
processor for each step; write units for each credit and state, as DynamoDB counts them by the size of an item; what
these cost for a million; and the peak of memory before and after. The table and the files are in the same process.
"""

import csv
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
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
from kulanz.adapters.ledger_table import CREDITS, NOTICE_LOCALE, DynamoLedger
from kulanz.application.campaigns.advance_campaign import AdvancePorts, advance_campaign
from kulanz.application.campaigns.chunk_run import GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.open_campaign import OpenPorts, OpenSettings, open_campaign
from kulanz.application.delivery.advance_delivery import DeliveryPorts, advance_delivery, open_over_list
from kulanz.application.delivery.deliver_chunk import DeliverPorts, deliver_chunk
from kulanz.application.delivery.hear_answers import AnswerPorts, hear_chunk
from kulanz.application.delivery.open_answers import OpenAnswersPorts, open_answers
from kulanz.application.ledger.confirm_tables import confirm_tables
from kulanz.application.ports import DeliveryMessage
from kulanz.domain.campaigns.campaign import Campaign, CampaignId
from kulanz.domain.campaigns.prices import PRICES
from kulanz.domain.confirmation import Occasion
from kulanz.domain.delivery.answers import AnswerResult
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz.domain.delivery.files import CREDIT_FIELDS
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_local.drive import with_limits
from tests.support.fake_answers import FakeAnswerQueue, FakeAnswers
from tests.support.fake_bucket import FakeArchive, FakePolicies
from tests.support.fake_deliveries import FakeDeliveries
from tests.support.fake_index import FakeIndex
from tests.support.fake_messages import FakeAnnouncer, FakeChunks, FakeRejected
from tests.support.fake_offers import FakeOffers
from tests.support.fake_troubles import FakeTroubles
from tests.support.fakes import FakeCampaigns, FakeLedger, FakeStores

CHUNK_BYTES = 1024 * 1024
TABLE = "kulanz-CreditsTable-BENCH"
WRITE_UNIT_BYTES = 1024


class Table:
    """A table of decisions as texts of AWS's JSON: a key is written once, and the entries of its credits as they are
    updated, where they are as the update says.
    """

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], str] = {}
        self.sizes: dict[tuple[str, str], int] = {}
        self.entries: dict[tuple[str, str], str] = {}
        self.locales: dict[tuple[str, str], str] = {}
        self.updates = self.update_units = 0

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
                self.sizes[place] = sum(len(name) + len(*value.values()) for name, value in item.items())
            elif not self._updated(statement["Statement"], [value["S"] for value in statement["Parameters"]]):
                answer["Error"] = {"Code": "ConditionalCheckFailed", "Message": ""}
            answers.append(answer)
        return _answered(request, json.dumps({"Responses": answers}))

    def _updated(self, statement: str, parameters: list[str]) -> bool:
        locale = parameters.pop(1) if f'SET "{NOTICE_LOCALE}"' in statement else ""
        after, partition, place, _, *stated = parameters
        before, at = stated[0] if stated else "", (partition, place)
        locale = locale or self.locales.get(at, "")
        size = self.sizes[at] + len(CREDITS) + max(len(after), len(before))
        size += len(NOTICE_LOCALE) + len(locale) if locale else 0
        self.updates, self.update_units = self.updates + 1, self.update_units + ceil(size / WRITE_UNIT_BYTES)
        if self.entries.get(at, "") != before:
            return False
        self.entries[at] = after
        if locale:
            self.locales[at] = locale
        return True

    def got(self, request: Any, **_: Any) -> Any:
        """Give the items of some keys."""
        keys = json.loads(request.body)["RequestItems"][TABLE]["Keys"]
        places = ((key["pk"]["S"], key["sk"]["S"]) for key in keys)
        items = ",".join(self._item(place) for place in places if place in self.items)
        return _answered(request, f'{{"Responses":{{"{TABLE}":[{items}]}},"UnprocessedKeys":{{}}}}')

    def _item(self, place: tuple[str, str]) -> str:
        entries = self.entries.get(place)
        if entries is None:
            return self.items[place]
        locale = f',"{NOTICE_LOCALE}":{{"S":"{self.locales[place]}"}}' if place in self.locales else ""
        return f'{self.items[place][:-1]},"{CREDITS}":{{"S":{json.dumps(entries)}}}{locale}}}'

    def take_updates(self) -> tuple[int, int]:
        """How many updates there were since this was asked last, and how many write units they cost."""
        taken, self.updates, self.update_units = (self.updates, self.update_units), 0, 0
        return taken


class _Raw:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        content, self._content = self._content, b""
        return [content]


def _answered(request: Any, text: str) -> AWSResponse:
    return AWSResponse(request.url, 200, HTTPHeaders(), cast("Any", _Raw(text.encode())))


@dataclass(frozen=True)
class Granted:
    """A list that was granted: its world, and the seconds of the processor that the execution took."""

    campaign: Campaign
    campaigns: FakeCampaigns
    chunks: FakeChunks
    archive: FakeArchive
    lists: FileLists
    table: Table
    dynamodb: Any
    folder: Path
    seconds: float


@contextmanager
def granted_list(rows: int, version: int = 1) -> Iterator[Granted]:
    """Grant a list of so many rows under a version of the policy: 2 says to customers what is taken back."""
    os.environ.update(CREDENTIALS, AWS_ENDPOINT_URL="http://127.0.0.1:1")
    table, dynamodb = Table(), client("dynamodb")
    dynamodb.meta.events.register("before-send.dynamodb.BatchExecuteStatement", table.inserted)
    dynamodb.meta.events.register("before-send.dynamodb.BatchGetItem", table.got)
    campaigns, chunks, archive = FakeCampaigns(), FakeChunks(), FakeArchive()
    policies, announcer = FakePolicies(), FakeAnnouncer()
    policies.publish("att-2024-02", version, document_json(load_policy(POLICY.with_name(f"{version}.yaml"))))
    with tempfile.TemporaryDirectory(prefix="kulanz-bench-") as folder:
        path, _ = written_list(rows, Path(folder))
        lists = FileLists(path)
        event = with_limits(json.loads(EVENT.read_text()))
        with path.open("rb") as lines:
            number = sum(1 for line in lines if line.strip(b", \t\r\n")) - 1
        place = {"bucket": BUCKET, "key": "lists/bench.csv", "version_id": "1"}
        event["detail"]["campaign"]["policy"]["version"] = version
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
        campaign = campaigns.campaign(campaign_id)
        assert campaign is not None
        yield Granted(campaign, campaigns, chunks, archive, lists, table, dynamodb, Path(folder), granted)


def main(rows: int) -> dict[str, Any]:
    """Grant a list, deliver it, and let billing answer; what these took."""
    with granted_list(rows) as done:
        campaign, campaigns, chunks, archive = done.campaign, done.campaigns, done.chunks, done.archive
        deliveries, announcer, granted = FakeDeliveries(), FakeAnnouncer(), done.seconds
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        index = FakeIndex(campaigns, FakeOffers(FakeLedger(), campaigns))
        ports = DeliveryPorts(campaigns, deliveries, chunks, archive, announcer, index)
        opened = open_over_list(campaign, ports, CAUSE, datetime.now(UTC))
        assert opened is not None, campaign.state_reason
        advance_delivery(opened.id, ports, datetime.now(UTC))
        working = DeliverPorts(
            campaigns,
            done.lists,
            DynamoCredits(done.dynamodb, TABLE, CALLS_IN_FLIGHT),
            deliveries,
            chunks,
            archive,
            index,
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
            "rate_of_granting": round(granted / delivered, 2),
            "peak_mb_granted": peak // 1024,
            **_assigned(done.table),
            **_answered_all(archive, opened.id, done.folder / "answers.csv", working, granted, done.table),
        }


def _assigned(table: Table) -> dict[str, Any]:
    """What assigning took of the table, and of memory."""
    assigned, units = table.take_updates()
    return {
        "units_a_decision_assigned": round(units / assigned, 2),
        "usd_a_million_assigned": _usd_of_a_million(units, assigned),
        "peak_mb_delivered": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _usd_of_a_million(units: int, number: int) -> str:
    return str(round(PRICES.prices["write_units"].usd_per_million * units / number, 2))


def _answered_all(
    archive: FakeArchive, delivery: DeliveryId, path: Path, world: DeliverPorts, granted: float, table: Table
) -> dict[str, Any]:
    """Let billing apply every credit, and read that; what it took."""
    _answer_all(archive, delivery, path)
    answered = _heard(path, world, delivery.channel)
    applied, units = table.take_updates()
    found = world.deliveries.delivery(delivery)
    assert found is not None
    assert applied == found.sums.number, "each credit is applied by one update"
    return {
        "answer_seconds": round(answered, 3),
        "answers_rate_of_granting": round(granted / answered, 2),
        "units_an_answer": round(units / applied, 2),
        "usd_a_million_answered": _usd_of_a_million(units, applied),
        "peak_mb_answered": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _answer_all(archive: FakeArchive, delivery: DeliveryId, path: Path) -> None:
    """A file in which billing has applied each credit of a delivery, each on a bill of its own."""
    bills = 0
    names = ("credit_id", "account_id", "subject", "amount", "measure")
    places = [1 + CREDIT_FIELDS.index(name) for name in names]
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("serial", "answer", "bill", "billed_on", *names))
        for name, content in archive.documents.items():
            if name.startswith(f"{delivery.folder}/part-"):
                for record in csv.reader(content.decode().splitlines()):
                    if record[0] == "C":
                        bills += 1
                        told = (record[place] for place in places)
                        lines.writerow((delivery.serial, "applied", f"INV-{bills:09d}", "2026-11-30", *told))


def _heard(path: Path, world: DeliverPorts, channel: str) -> float:
    """Seconds of the processor until every line of an answer file has its result."""
    lists, files = FileLists(path), FakeAnswers({})
    queue = FakeAnswerQueue()
    pinned = lists.pin(BUCKET, "acknowledgements/bench.csv", "1")
    campaigns = FakeCampaigns()
    ports = AnswerPorts(
        lists, world.archive, world.deliveries, world.credits, files, campaigns, FakeTroubles(campaigns), FakeLedger()
    )
    before = time.process_time()
    opening = OpenAnswersPorts(lists, files, queue)
    file = open_answers(channel, pinned, opening, CHUNK_BYTES, "bench", datetime.now(UTC))
    for message in list(queue.messages):
        while not hear_chunk(message.channel, message.file, message.chunk, ports, RealClock()):
            pass
    spent = time.process_time() - before
    done = files.file(channel, file.id)
    assert done is not None
    assert set(done.totals.by_result()) == {AnswerResult.APPLIED}, done.totals.by_result()
    return spent


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
