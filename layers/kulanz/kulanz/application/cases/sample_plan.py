"""Some rows of a plan, drawn at random, each decided and explained: for whoever approves it to read one by one.

The plan's hash draws them, so that every approver of a plan reads the same ones, and nobody chooses which. A place of
the list is drawn and the line after it is taken, after the last one the first: a line after a long one is taken more
often.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256

from kulanz.application.campaigns.frozen import thaw
from kulanz.application.campaigns.read_history import NOTHING_READ, HistoryReader
from kulanz.application.cases.case import CasePorts, before_of, writable
from kulanz.application.ledger.answer import HELD_ALL_THE_SAME, set_off_step
from kulanz.domain.campaigns.campaign import ENGINE_VERSION, Campaign
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.ledger.earlier_decisions import still_owed, unchanged_under_new_id
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.lists.lines import LINE_BYTES, Line, lines_starting_in
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import Record, Row
from kulanz.domain.lists.unread_columns import OWN_COLUMNS
from kulanz.domain.policy.explaining.explanation import explain

SAMPLE_ROWS = 20
"""Rows that a person reads before a yes."""
DRAWS_MOST = 4 * SAMPLE_ROWS
"""Places that are drawn, each read with one request: a line that is no row, or was drawn before, is no sample."""


class NoSample(Exception):
    """No row can be decided as the plan decided it; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class SampledRow:
    """A row of the list with what the policy comes to, and its steps. `decision` is None where nothing more is owed."""

    offset: int
    account_id: str
    subject: str
    decision: Decision | None
    steps: tuple[str, ...]


def places(plan_hash: str, start: int, stop: int) -> Iterator[int]:
    """Places of a list in `[start, stop)`, in the order in which a plan's hash draws them. Endless."""
    number = 0
    while True:
        drawn = sha256(f"{plan_hash}:{number}".encode()).digest()
        yield start + int.from_bytes(drawn) % (stop - start)
        number += 1


def sample_of(campaign: Campaign, plan_hash: str, ports: CasePorts) -> list[SampledRow]:
    """Rows of the plan, in the order of the list. Raises NoSample, and PinnedVersionGone."""
    if campaign.engine != ENGINE_VERSION:
        raise NoSample("another engine made this plan; plan it again to see rows of it")
    policy = thaw(campaign, ports.campaigns.frozen(campaign.id))
    reader = line_reader(campaign.layout, policy.facts, policy.subject, campaign.ignored_columns, OWN_COLUMNS)
    found: dict[int, Row] = {}
    drawn = places(plan_hash, campaign.chunks.data_start, campaign.chunks.size)
    for place, _ in zip(drawn, range(DRAWS_MOST), strict=False):
        line = _line_from(campaign, place, ports) or _line_from(campaign, campaign.chunks.data_start, ports)
        if line is None or not line.raw or line.offset in found:
            continue
        row = reader.row(line.raw)
        if isinstance(row, Row):
            found[line.offset] = row
            if len(found) == SAMPLE_ROWS:
                break
    history = HistoryReader(campaign, policy, ports.ledger)

    def decided(offset: int, row: Row) -> SampledRow:
        key = DecisionKey(row.account_id, campaign.id.incident_id, row.subject, campaign.id.seq)
        read = NOTHING_READ
        if campaign.keeps_history:
            (read,) = history.read([Record(row.account_id, row.subject, (), former=row.former)], {})
        whole = explain(policy, row.values, read.kept)
        decision = writable(whole.decision, campaign.decided_at)
        if read.holds(decision):
            held = Decision(Outcome.HELD, read.held)
            return SampledRow(offset, row.account_id, row.subject, held, (*whole.steps, HELD_ALL_THE_SAME[read.held]))
        before = before_of(key, row.former, campaign, policy, ports.ledger)
        steps = whole.steps
        if before is not None and any(size for _, size in before.granted):
            steps = (*steps, set_off_step({name: Decimal(size) for name, size in before.granted}))
        owed = still_owed(decision, before)
        if owed is None and row.former is not None and before is not None:
            owed = unchanged_under_new_id(decision, before)
        return SampledRow(offset, row.account_id, row.subject, owed, steps)

    return [decided(offset, row) for offset, row in sorted(found.items())]


def _line_from(campaign: Campaign, place: int, ports: CasePorts) -> Line | None:
    """The first line that starts at a place or after it; None after the last one."""
    start, size = campaign.chunks.data_start, campaign.chunks.size
    read_from = place if place == start else place - 1
    stop = min(place + LINE_BYTES + 2, size)
    blocks = ports.lists.read(campaign.pinned, read_from, min(stop + LINE_BYTES + 2, size))
    return next(lines_starting_in(blocks, read_from, place, stop, start), None)
