"""What a campaign will cost and how long it takes at least, from its plan alone, before anything is granted.

Every figure follows from how the chunks are worked (`docs/benchmarks.md` sets it beside calls that were counted): a
decision costs one write unit; a chunk costs, in each pass, one message, one invocation, one ranged read of the list,
four reads of its records and one transaction of three writes, which is billed double. In the execution it also reads
the halt and the plan's receipt of the chunk. Where a policy keeps a history,
each row is read once a pass, and a decision costs four write units at most: one that adds nothing is a plain insert.
Approving a plan is the same few calls for every list, and is not estimated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil

from kulanz.domain.campaigns.campaign import WORKABLE, Campaign, StateChange
from kulanz.domain.campaigns.prices import TABLE_WRITES, TOPIC_MESSAGES, TOPIC_MESSAGES_ELSEWHERE, PriceTable
from kulanz.domain.campaigns.repeats import SUBJECT_BYTES, SUBJECTS_SAMPLED
from kulanz.domain.campaigns.write_units import HISTORY_WRITE_UNITS, INSERTS_PER_CALL

MESSAGES_PER_SEND = 10
RECORDS_PER_STREAM_BATCH = 1_000
PASSES = 2
READS_PER_CHUNK = 4
"""META and cursor when a worker begins, and both again when it looks whether the chunk is finished."""
READ_UNIT_BYTES = 4_096
"""What one read unit pays for."""
TRANSACTION_FACTOR = 2
"""A transaction is billed double: here of a receipt, its cursor, and META, to which it adds."""
UNIT_BYTES = 1_024
"""What one write unit pays for."""
CURSOR_UNITS = 1
RECEIPT_BYTES = 200
"""A receipt without what it counts: its key, its range and its digest."""
META_BYTES, META_PASS_BYTES = 1_000, 200
"""META without what it counts: what is pinned, the columns of the list, the limits; and for each pass its progress."""
COUNT_BYTES = 40
"""Each result with its reason, and each sum, in a receipt and in META."""
MEASURED_BYTES = 230
"""What a receipt of the plan says of the amounts of each sum."""
META_READ_UNITS = 1
QUEUE_REQUESTS_PER_MESSAGE = 2
"""Received and deleted one by one."""
WORKER_GB = Decimal("1.728")
"""1,769 MB: one whole virtual processor."""
SECONDS_PER_ROW_READ = Decimal("0.00001")
SECONDS_PER_ROW_WRITTEN = Decimal("0.00012")
"""A wave of 100 inserts: 2 ms of work, and about 10 ms until DynamoDB has answered (assumed, not measured on AWS)."""
DELIVERY_STEPS = 2
"""Of a credit: it is assigned, and one answer says that it is on a bill."""
ENTRY_WRITE_UNITS = 2
"""An update of a decision of 1 KB is charged for the larger item of before and after: at most. Most cost one."""
RECORDS_PER_RECEIPT = 3
"""A receipt, its cursor, and the sums that it adds to."""
CREDITS_PER_PART = 20_000
"""As many lines as a receipt of a delivery covers at most."""
SECONDS_PER_ENTRY = Decimal("0.0004")
"""Read, decided and written: 0.2 ms of work for an assignment, 0.3 ms for an answer (`bench.deliver`), and waits."""
NOTIFIER_GB = Decimal("0.5")
SECONDS_PER_NOTICE = Decimal("0.00018")
"""44 µs of a whole processor (measured), of which 512 MB buy three tenths; the rest is for the topic's answers."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What the plan says is to be done. `decisions` are lines that get one; `chunks` are those of one pass.

    `results` are the lines of each result with its reason, `sums` counts the results with their measures.
    """

    rows: int
    decisions: int
    chunks: int
    keeps_history: bool = False
    results: tuple[int, ...] = ()
    sums: int = 1

    @property
    def decision_write_units(self) -> int:
        """What the decisions alone cost."""
        return self.decisions * (HISTORY_WRITE_UNITS if self.keeps_history else 1)


@dataclass(frozen=True, slots=True)
class Operation:
    """The settings that calls and time depend on. A `write_rate` of 0 sets no limit."""

    region: str
    recipients_per_message: int
    write_rate: int


AS_DEPLOYED = Operation("us-east-1", recipients_per_message=100, write_rate=4_000)
"""The template's own defaults, for who cannot know a stack's settings."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What a campaign asks of AWS, under the names of the price table."""

    insert_calls: int
    write_units: int
    read_units: int
    queue_requests: int
    topic_messages: int
    function_requests: int
    function_gb_seconds: Decimal
    bucket_reads: int

    def priced(self) -> dict[str, Decimal | int]:
        """What has a price; a call with 25 inserts has none of its own."""
        return {name: getattr(self, name) for name in _PRICED}


_PRICED = (
    "write_units", "read_units", "queue_requests", "topic_messages", "function_requests", "function_gb_seconds",
    "bucket_reads",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Estimate:
    """`seconds` is the least that the quotas allow, by the one named in `limited_by`; workers can be slower."""

    planned: Planned
    calls: Calls
    usd: Decimal
    seconds: int
    limited_by: str


def estimate(planned: Planned, operation: Operation, prices: PriceTable) -> Estimate:
    """The estimate of a whole campaign, both passes. Notices are taken to be one for each decision, at most."""
    calls = expected_calls(planned, operation.recipients_per_message)
    seconds, limited_by = least_seconds(planned, calls, operation)
    return Estimate(planned, calls, prices.cost(calls.priced()).quantize(Decimal("0.000001")), seconds, limited_by)


def expected_calls(planned: Planned, recipients_per_message: int) -> Calls:
    """What a campaign asks of AWS when nothing is repeated."""
    chunk_runs = PASSES * planned.chunks
    sends = PASSES * ceil(Fraction(planned.chunks, MESSAGES_PER_SEND))
    batches = ceil(Fraction(planned.decisions, RECORDS_PER_STREAM_BATCH))
    worker_seconds = SECONDS_PER_ROW_READ * planned.rows + SECONDS_PER_ROW_WRITTEN * planned.decisions
    return Calls(
        insert_calls=planned.chunks * ceil(Fraction(planned.decisions, planned.chunks * INSERTS_PER_CALL)),
        write_units=planned.decision_write_units + receipt_write_units(planned),
        read_units=chunk_runs * READS_PER_CHUNK * META_READ_UNITS
        + planned.chunks * execution_read_units(planned)
        + PASSES * planned.rows * planned.keeps_history,
        queue_requests=sends + chunk_runs * QUEUE_REQUESTS_PER_MESSAGE,
        topic_messages=ceil(Fraction(planned.decisions, recipients_per_message)),
        # Each receipt changes META, which advance_campaign hears of.
        function_requests=2 * chunk_runs + batches,
        function_gb_seconds=WORKER_GB * worker_seconds + NOTIFIER_GB * SECONDS_PER_NOTICE * planned.decisions,
        bucket_reads=chunk_runs,
    )


def delivery_calls(granted: int, chunks: int) -> dict[str, Decimal | int]:
    """What delivering `granted` decisions to billing asks of AWS, and reading one answer that applies each, by the
    names of the price table: at most. What comes twice, is rejected or sent again comes on top.

    Each decision is read and written once to be assigned, and once to be answered. A chunk is a message, an
    invocation, a ranged read, the reads of its records, a part, and a transaction of three writes; so is one of the
    answer file, which is about as long.
    """
    runs = DELIVERY_STEPS * chunks
    return {
        "write_units": DELIVERY_STEPS * granted * ENTRY_WRITE_UNITS + TRANSACTION_FACTOR * RECORDS_PER_RECEIPT * runs,
        "read_units": DELIVERY_STEPS * granted + runs * READS_PER_CHUNK * META_READ_UNITS,
        "queue_requests": ceil(Fraction(runs, MESSAGES_PER_SEND)) + runs * QUEUE_REQUESTS_PER_MESSAGE,
        "function_requests": 2 * runs,
        "function_gb_seconds": WORKER_GB * DELIVERY_STEPS * SECONDS_PER_ENTRY * granted,
        "bucket_reads": runs,
        "bucket_writes": chunks + ceil(Fraction(granted, CREDITS_PER_PART)),
    }


def delivery_usd(granted: int, chunks: int, prices: PriceTable) -> Decimal:
    """What `delivery_calls` cost, in USD."""
    return prices.cost(delivery_calls(granted, chunks)).quantize(Decimal("0.000001"))


def execution_read_units(planned: Planned) -> int:
    """What a chunk of the execution reads beside what one of the plan does: the halt, and the plan's receipt."""
    return META_READ_UNITS + ceil(_receipt_bytes(planned)[0] / READ_UNIT_BYTES)


def receipt_write_units(planned: Planned) -> int:
    """What the receipts of both passes cost, each with its cursor and META; of the plan, with the subjects it saw."""
    sums = META_PASS_BYTES + COUNT_BYTES * (len(planned.results) + planned.sums)
    metas = META_BYTES + sums, META_BYTES + PASSES * sums
    items = (*_receipt_bytes(planned), *metas)
    a_chunk = sum(ceil(size / UNIT_BYTES) for size in items) + PASSES * CURSOR_UNITS
    return TRANSACTION_FACTOR * a_chunk * planned.chunks


def _receipt_bytes(planned: Planned) -> tuple[Fraction, Fraction]:
    """The size of a receipt of the plan, with the subjects it saw, and of one of the execution."""
    chunks = planned.chunks
    seen = Fraction(sum(min(lines, chunks) for lines in planned.results), chunks)  # few lines are not in every chunk
    counts = RECEIPT_BYTES + COUNT_BYTES * (seen + planned.sums)
    sampled = Fraction(SUBJECT_BYTES * min(planned.rows, SUBJECTS_SAMPLED), chunks)
    return counts + MEASURED_BYTES * planned.sums + sampled, counts


def least_seconds(planned: Planned, calls: Calls, operation: Operation) -> tuple[int, str]:
    """How long writing and telling take at the quotas, rounded up, and what limits it."""
    topic = TOPIC_MESSAGES.get(operation.region, TOPIC_MESSAGES_ELSEWHERE)
    limits = {
        "write units of one table": Fraction(planned.decision_write_units, TABLE_WRITES.per_second),
        f"messages of one topic in {operation.region}": Fraction(calls.topic_messages, topic.per_second),
    }
    if operation.write_rate:
        limits["TargetWriteRate"] = Fraction(planned.decision_write_units, operation.write_rate)
    limited_by = max(limits, key=lambda name: limits[name])
    return ceil(limits[limited_by]), limited_by


def time_left(campaign: Campaign, log: Sequence[StateChange], now: datetime) -> timedelta | None:
    """Until the pass under way is finished, at the rate of its receipts so far; None when none is, or none can say."""
    work = WORKABLE.get(campaign.state)
    began = next((change.at for change in log if change.target is campaign.state), None)
    if work is None or began is None:
        return None
    done = campaign.progress(work).bytes_done
    if not done:
        return None
    return (now - began) * (campaign.chunks.total_bytes - done) / done
