"""One worker without AWS: the use case, the list's bytes from a file, the ledger's adapter over an endpoint.

Included in its time: reading the file, cutting lines, parsing, deciding, bodies and digests, building, signing and
sending requests, reading answers, receipts. Left out: TLS, the few calls that a chunk makes beside its inserts, and
what a process does once: it has worked a few rows before (that is measured as the cold start).
`python -m bench.worker PASS LIST CHUNK_BYTES ENDPOINT` prints one JSON line of measurements.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from kulanz.adapters.aws import client
from kulanz.adapters.ledger_table import DynamoLedger
from kulanz.application.campaigns.advance_campaign import AdvancePorts, advance_campaign
from kulanz.application.campaigns.approve_plan import GatePorts, decide_plan
from kulanz.application.campaigns.chunk_run import GrantPorts, GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.grant_credits import grant_credits
from kulanz.application.campaigns.open_campaign import OpenPorts, OpenSettings, open_campaign
from kulanz.application.ledger.confirm_tables import confirm_tables
from kulanz.application.ports import Ledger
from kulanz.domain.campaigns.campaign import CampaignId, Cause, Pass, PinnedList, State
from kulanz.domain.confirmation import Occasion
from kulanz.domain.gate.approval import Approval
from kulanz.domain.gate.settings import SAFE
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli.event_file import rows_in
from kulanz_local.drive import with_limits
from tests.support.fake_bucket import FakeArchive, FakePolicies
from tests.support.fake_messages import FakeAnnouncer, FakeChunks, FakeRejected
from tests.support.fakes import FakeCampaigns, FakeLedger, FakeStores

PROJECT = Path(__file__).resolve().parents[1]
POLICY = PROJECT / "policies/att-2024-02/1.yaml"
EVENT = PROJECT / "events/att-2024-02-22.json"
BUCKET = "lists"
BLOCK_BYTES = 256 * 1024
CALLS_IN_FLIGHT = 4
WARM_UP_LINES = 500
CAUSE = Cause("bench", "bench", "bench")
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class FileLists:
    """A list store over one file, read in blocks as from S3."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pin(self, bucket: str, key: str, version_id: str | None) -> PinnedList:
        return PinnedList(bucket, key, version_id or "1", "1", self._path.stat().st_size)

    def read(self, pinned: PinnedList, start: int, stop: int | None = None) -> Iterator[bytes]:
        end = pinned.size if stop is None else min(stop, pinned.size)
        with self._path.open("rb") as file:
            file.seek(start)
            while start < end:
                block = file.read(min(BLOCK_BYTES, end - start))
                start += len(block)
                yield block

    def put_inline(self, key: str, content: bytes) -> PinnedList:
        raise NotImplementedError


class RealClock:
    """A worker that is never ended."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def seconds_left(self) -> float:
        return 1_000_000 - time.monotonic() % 1_000_000

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Measured:
    """One pass of one worker over a whole list, with the processor time of each chunk. Seconds, and bytes of memory."""

    rows: int
    decisions: int
    chunk_cpu_seconds: list[float]
    wall_seconds: float
    peak_bytes: int

    @property
    def cpu_seconds(self) -> float:
        return sum(self.chunk_cpu_seconds)


@dataclass(frozen=True, slots=True)
class Opened:
    """A campaign over a file that was opened just now, with the world that its workers need beside a ledger."""

    campaign: CampaignId
    campaigns: FakeCampaigns
    lists: FileLists
    chunks: FakeChunks
    archive: FakeArchive
    stores: FakeStores

    def work_all(self, ledger: Ledger) -> list[float]:
        """Work every chunk in the order of the list; the processor time of each, in seconds."""
        return _run(self.campaigns, self.lists, self.chunks, self.archive, ledger)

    def execute(self) -> None:
        """Approve the plan, whose chunks are all worked, and send those of the execution."""
        self.advance()
        _approve(self.campaign, self.campaigns, self.stores)
        self.advance()

    def advance(self) -> None:
        """Let advance_campaign look at the campaign."""
        ports = AdvancePorts(self.campaigns, self.chunks, self.archive, FakeAnnouncer(), self.stores)
        advance_campaign(self.campaign, ports, CAUSE, datetime.now(UTC))


def opened(path: Path, rows: int, chunk_bytes: int) -> Opened:
    """Open a campaign over a list of so many rows."""
    campaigns, chunks, archive = FakeCampaigns(), FakeChunks(), FakeArchive()
    lists, policies = FileLists(path), FakePolicies()
    policies.publish("att-2024-02", 1, document_json(load_policy(POLICY)))
    settings = OpenSettings(BUCKET, "lists/", frozenset({"billing"}), frozenset({"billing"}), chunk_bytes, 400)
    event = with_limits(json.loads(EVENT.read_text()))
    event["detail"]["campaign"]["affected"] = {
        "s3": {"bucket": BUCKET, "key": "lists/bench.csv", "version_id": "1"},
        "rows": rows,
    }
    stores = FakeStores(campaigns, FakeLedger())
    confirm_tables(stores, Occasion.FIRST, "the bench", "a stack of its own", datetime.now(UTC))
    ports = OpenPorts(
        campaigns=campaigns,
        lists=lists,
        policies=policies,
        chunks=chunks,
        rejected=FakeRejected(),
        archive=archive,
        stores=stores,
    )
    open_campaign(event, ports, settings, CAUSE, datetime.now(UTC))
    return Opened(CampaignId(event["detail"]["incident_id"], 1), campaigns, lists, chunks, archive, stores)


def measure(work: Pass, path: Path, rows: int, chunk_bytes: int, endpoint: str) -> Measured:
    """Work a list in one process; a plan before an apply pass is not measured."""
    made = opened(path, rows, chunk_bytes)
    if work is Pass.APPLY:
        made.work_all(FakeLedger())
        made.execute()
        os.environ.update(CREDENTIALS, AWS_ENDPOINT_URL=endpoint)
        ledger: Ledger = DynamoLedger(client("dynamodb"), "kulanz-CreditsTable-BENCH", CALLS_IN_FLIGHT)
    else:
        ledger = FakeLedger()
    started = time.perf_counter()
    chunk_cpu_seconds = made.work_all(ledger)
    wall = time.perf_counter() - started
    campaign = made.campaigns.campaign(made.campaign)
    assert campaign is not None
    assert campaign.state is (State.PLANNING if work is Pass.PLAN else State.APPLYING), campaign.state_reason
    assert campaign.is_finished(work)
    totals = campaign.progress(work).totals
    assert totals.rows() == rows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Measured(rows, totals.ledger_count(), chunk_cpu_seconds, wall, peak)


def _approve(campaign_id: CampaignId, campaigns: FakeCampaigns, stores: FakeStores) -> None:
    """Two persons approve the plan that waits."""
    plan = campaigns.filed_plan(campaign_id)
    assert plan is not None
    limits = tuple(one.name for one in plan.exceeded)
    for name in ("anna", "ben"):
        person = Person(f"iam:arn:aws:iam::123456789012:user/{name}")
        approval = Approval(name, person.id, plan.hash, limits, datetime.now(UTC))
        decide_plan(campaign_id, approval, person, GatePorts(campaigns, stores, SAFE, NOBODY_LISTED), "bench")


def _run(
    campaigns: FakeCampaigns, lists: FileLists, chunks: FakeChunks, archive: FakeArchive, ledger: Ledger
) -> list[float]:
    """Work every chunk in the order of the list; the processor time of each, in seconds."""
    ports = GrantPorts(campaigns, lists, ledger, chunks, archive)
    cache, settings = FrozenCache(), GrantSettings(CALLS_IN_FLIGHT, 0.0, 1096)
    messages, chunks.sent[:] = list(chunks.sent), []
    spent = []
    for message in messages:
        before = time.process_time()
        grant_credits(message, ports, settings, RealClock(), CAUSE, cache)
        spent.append(time.process_time() - before)
    assert not chunks.sent
    return spent


def in_own_process(work: Pass, path: Path, rows: int, chunk_bytes: int, endpoint: str) -> Measured:
    """Measure in a fresh process, so that its peak of memory is its own."""
    arguments = [sys.executable, "-m", "bench.worker", work.value, str(path), str(rows), str(chunk_bytes), endpoint]
    told = subprocess.run(arguments, cwd=PROJECT, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
    content: dict[str, Any] = json.loads(told.stdout)
    return Measured(**content)


def _warm_up(work: Pass, path: Path, chunk_bytes: int, endpoint: str) -> None:
    """Work the beginning of a list, so that a short list is not charged with what a process does once."""
    with tempfile.TemporaryDirectory(prefix="kulanz-bench-") as folder, path.open("rb") as lines:
        first = Path(folder) / path.name
        first.write_bytes(b"".join(islice(lines, 1 + WARM_UP_LINES)))
        measure(work, first, rows_in(first, ListFormat.CSV), chunk_bytes, endpoint)


if __name__ == "__main__":
    from kulanz.startup import all_imported

    all_imported()  # as in the function: what was imported is not looked at again by a long list
    _, work, path, rows, chunk_bytes, endpoint = sys.argv
    _warm_up(Pass(work), Path(path), int(chunk_bytes), endpoint)
    found = measure(Pass(work), Path(path), int(rows), int(chunk_bytes), endpoint)
    print(json.dumps({name: getattr(found, name) for name in Measured.__slots__}))
