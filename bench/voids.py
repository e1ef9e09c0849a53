"""One worker that voids what another granted: processor time of both, over the same list, without AWS.

DynamoDB is answered inside the process, as in `bench.deliver`. A void reads the list twice: its plan counts what can be
voided, and the pass after it writes an entry on each decision. `python -m bench.voids ROWS` prints one JSON line:
decisions, seconds of the processor for each, and the rate of either pass as a share of the rate of granting. With
`notices` after it the policy says to customers what is taken back.
"""

import json
import resource
import sys
import time
from datetime import UTC, datetime
from typing import Any

from bench.deliver import TABLE, granted_list
from bench.worker import CALLS_IN_FLIGHT, CAUSE, RealClock
from kulanz.adapters.credit_entries import DynamoCredits
from kulanz.adapters.ledger_table import DynamoLedger
from kulanz.application.campaigns.chunk_run import GrantPorts, GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.delivery.advance_void import AdvanceVoidPorts, advance_void
from kulanz.application.delivery.ask_void import VoidPorts, approve_void, ask_void
from kulanz.application.delivery.void_chunk import VoidChunkPorts, void_chunk
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import VoidState
from kulanz.domain.gate.settings import SAFE
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from tests.support.fake_answers import FakeCodes
from tests.support.fake_cases import FakeCases
from tests.support.fake_credit_actions import FakeReversals
from tests.support.fake_deliveries import FakeCredits, FakeDeliveries
from tests.support.fake_troubles import FakeTroubles
from tests.support.fake_voids import FakeVoids
from tests.support.fakes import FakeLedger

ANNA, BEN, CARLA = (Person(f"iam:arn:aws:iam::123456789012:user/{name}") for name in ("anna", "ben", "carla"))


def main(rows: int, *, has_notices: bool = False) -> dict[str, Any]:
    """Grant a list and void it; what both took."""
    with granted_list(rows, 2 if has_notices else 1) as done:
        deliveries = FakeDeliveries()
        voids = FakeVoids(done.campaigns, deliveries.dues)
        asking = VoidPorts(done.campaigns, deliveries, voids, done.lists, SAFE, NOBODY_LISTED)
        troubles = FakeTroubles(done.campaigns)
        advancing = AdvanceVoidPorts(done.campaigns, voids, done.chunks, troubles, SAFE)
        ledger = DynamoLedger(done.dynamodb, TABLE, CALLS_IN_FLIGHT)
        working = VoidChunkPorts(
            work=GrantPorts(done.campaigns, done.lists, ledger, done.chunks, done.archive),
            campaigns=done.campaigns,
            credits=DynamoCredits(done.dynamodb, TABLE, CALLS_IN_FLIGHT),
            voids=voids,
            queue=done.chunks,
            rows=FakeCases(FakeLedger(), done.campaigns),
            asks=FakeReversals(FakeCredits(FakeLedger()), done.campaigns),
            codes=FakeCodes(),
        )
        settings, cache = GrantSettings(CALLS_IN_FLIGHT, 0.0, 1096), FrozenCache()

        def a_pass(void_id: VoidId) -> float:
            """Send the chunks of a void's next pass and work them; the seconds of the processor that these took."""
            advance_void(void_id, advancing, CAUSE, datetime.now(UTC))
            messages, done.chunks.voids[:] = list(done.chunks.voids), []
            before = time.process_time()
            for message in messages:
                void_chunk(message, working, settings, RealClock(), cache)
            spent = time.process_time() - before
            assert not done.chunks.voids
            advance_void(void_id, advancing, CAUSE, datetime.now(UTC))
            return spent

        asked = ask_void(
            VoidId(done.campaign.id, "bench"), None, "it was the wrong list", ANNA, asking, datetime.now(UTC)
        )
        planned = a_pass(asked.id)
        found = voids.void(asked.id)
        assert found is not None
        for person in (BEN, CARLA):  # many subjects need two
            if found.state is VoidState.AWAITING_APPROVAL:
                name = f"{person.id[-3:]}-yes"
                found = approve_void(asked.id, found.plan_hash, name, person, asking, datetime.now(UTC))
        voided = a_pass(asked.id)
        found = voids.void(asked.id)
        assert found is not None
        assert found.state is VoidState.VOIDED, found.state_reason
        return {
            "decisions": done.campaign.apply.totals.ledger_count(),
            "voided": found.apply.totals.decisions,
            "notices": found.apply.totals.notices,
            "write_units": done.table.take_updates()[1],
            "grant_seconds": round(done.seconds, 3),
            "plan_seconds": round(planned, 3),
            "void_seconds": round(voided, 3),
            "of_the_rate_of_granting": round(
                (done.seconds / done.campaign.apply.totals.ledger_count()) / (voided / found.apply.totals.decisions), 2
            ),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), has_notices="notices" in sys.argv[2:])))
