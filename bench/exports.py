"""How fast a worker writes an export, beside the plan pass of the same list in one process, and in how much memory.

A plan's rows are decided again, compared, rendered and packed; a ledger's are read from a ledger in memory, so that
what AWS takes is left out there. `python -m bench.exports [ROWS]` prints a table and exits with 1 where a goal is
missed.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.stacks import written_list
from bench.worker import CALLS_IN_FLIGHT, PROJECT, Opened, RealClock, opened
from kulanz.application.campaigns.chunk_run import GrantPorts, GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.exports.ask_export import AskPorts, ask_export
from kulanz.application.exports.write_parts import ExportPorts, write_parts
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.exports.figures import differences, expected
from kulanz.domain.ledger.entries import DecisionKey
from tests.support.fake_answers import FakeAnswers
from tests.support.fake_deliveries import FakeCredits, FakeDeliveries
from tests.support.fake_exports import FakeExportQueue, FakeExports
from tests.support.fake_index import FakeIndex
from tests.support.fake_offers import FakeOffers
from tests.support.fake_voids import FakeVoids
from tests.support.fakes import FakeCampaigns, FakeLedger

CHUNK_BYTES = 1024 * 1024
OF_THE_PLANS_RATE_LEAST = 0.5
MEMORY_GROWS_MOST = 0.10
"""From a tenth of the rows to all of them, of an export of a plan."""


class Counting:
    """An archive that keeps nothing but the number of bytes."""

    def __init__(self) -> None:
        self.written = 0

    def put(self, key: str, content: bytes, content_type: str) -> None:
        assert key
        assert content_type
        self.written += len(content)

    def get(self, key: str) -> bytes:
        raise NotImplementedError(key)


class NobodyRecognised:
    """No person recognised a row that cannot be read."""

    def recognised(self, campaign_id: CampaignId, start: int, stop: int) -> dict[int, DecisionKey]:  # noqa: ARG002 (of the port)
        return {}


class Counters:
    """Nothing became of what was granted."""

    def __init__(self) -> None:
        self.deliveries = FakeDeliveries()
        self.answers, self.voids = FakeAnswers(self.deliveries.dues), FakeVoids(FakeCampaigns(), self.deliveries.dues)


def export(made: Opened, ledger: FakeLedger) -> tuple[float, int]:
    """Processor time of an export, and its bytes."""
    exports, queue, archive = FakeExports(), FakeExportQueue(), Counting()
    work = GrantPorts(made.campaigns, made.lists, ledger, made.chunks, archive)
    ports = ExportPorts(
        work,
        made.campaigns,
        exports,
        queue,
        FakeCredits(ledger),
        NobodyRecognised(),
        FakeIndex(FakeCampaigns(), FakeOffers(ledger, FakeCampaigns())),
    )
    cache = FrozenCache()
    campaign = made.campaigns.campaign(made.campaign)
    assert campaign is not None
    asked = ask_export(
        campaign, "bench", "bench", AskPorts(made.campaigns, exports, queue, Counters()), datetime.now(UTC)
    )
    before = time.process_time()
    while queue.sent:
        write_parts(queue.sent.pop(0), ports, GrantSettings(CALLS_IN_FLIGHT, 0.0, 1096), RealClock(), cache)
    spent = time.process_time() - before
    found = exports.export(made.campaign, "bench")
    assert found is not None
    assert not found.failed
    assert list(differences(expected(campaign, asked.of), found.figures)) == []
    return spent, archive.written


def measure(path: Path, rows: int, *, executed: bool) -> dict[str, float]:
    """A plan pass and an export after it; of the ledger, where the plan is executed in between."""
    made, ledger = opened(path, rows, CHUNK_BYTES), FakeLedger()
    plan = sum(made.work_all(ledger))
    if executed:
        made.execute()
        made.work_all(ledger)
    made.advance()
    spent, size = export(made, ledger)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"plan": plan, "export": spent, "bytes": size, "peak_mib": peak}


def _in_own_process(path: Path, rows: int, of: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.exports", "--measure", of, str(path), str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=PROJECT)  # noqa: S603 (ours)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main(rows: int) -> None:
    """Measure a tenth of the rows and all of them for a plan, and a tenth for the ledger."""
    peaks, is_reached = [], True
    print("| export of | rows | plan, rows/s | export, rows/s | ratio | MB | peak MiB |\n| --- |" + " ---: |" * 6)
    with tempfile.TemporaryDirectory(prefix="kulanz-bench-") as folder:
        for of, size in (("plan", rows // 10), ("plan", rows), ("ledger", rows // 10)):
            path, listed = written_list(size, Path(folder))
            found = _in_own_process(path, listed.rows, of)
            ratio = found["plan"] / found["export"]
            print(
                f"| {of} | {listed.rows:,} | {listed.rows / found['plan']:,.0f} | {listed.rows / found['export']:,.0f}"
                f" | {ratio:.2f} | {found['bytes'] / 1e6:.1f} | {found['peak_mib']:.0f} |"
            )
            if of == "plan":
                peaks.append(found["peak_mib"])
                is_reached = is_reached and ratio >= OF_THE_PLANS_RATE_LEAST
    if not is_reached or peaks[1] > peaks[0] * (1 + MEMORY_GROWS_MOST):
        print("a goal is missed", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(Path(sys.argv[3]), int(sys.argv[4]), executed=sys.argv[2] == "ledger")))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
