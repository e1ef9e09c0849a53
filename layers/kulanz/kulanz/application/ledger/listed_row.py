"""A row of a campaign's pinned list by the byte at which it starts, also where it was rejected: for a person to see."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from kulanz.application.campaigns.chunk_run import lines_of
from kulanz.application.ports import ListStore
from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.lists.facts import INVALID, FactValue
from kulanz.domain.lists.former_ids import Former
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.lines import is_blank
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import Problem, Record, Row, facts_text, row_digest
from kulanz.domain.lists.to_bill import ToBill
from kulanz.domain.lists.unread_columns import OWN_COLUMNS
from kulanz.domain.policy import CompiledPolicy


@dataclass(frozen=True, slots=True)
class ListedRow:
    """What a row says. `problem` is why it was rejected, None where it was decided.

    `account_id` and `subject` are empty where they cannot be read. Of `values` a wrong one is INVALID, and so is each
    one of a row that cannot be taken apart. `said` has the text of each column that is read, as far as it can be.
    `to_bill` is None where what the row says of the account's bill cannot be read. `former` is the id that the account
    had before, where the row names one and can be read. `currencies` are what columns state that nobody reads.
    """

    offset: int
    account_id: str
    subject: str
    values: tuple[FactValue | None, ...]
    said: Mapping[str, str]
    problem: Problem | None
    to_bill: ToBill | None
    former: Former | None
    currencies: tuple[str, ...]
    content: str
    """A digest of all that the line has: that of the row where it was decided."""

    def digest(self, account_id: str, subject: str) -> str:
        """The digest of the row where a person recognises whom it is about."""
        return self.content if self.problem is None else row_digest(account_id, subject, self.content)


def listed_row(campaign: Campaign, policy: CompiledPolicy, offset: int, lists: ListStore) -> ListedRow | None:
    """The row that starts at a byte of the list; None where no row does. Raises PinnedVersionGone."""
    if not campaign.chunks.data_start <= offset < campaign.chunks.size:
        return None
    line = next(lines_of(campaign, lists, offset, offset + 1), None)
    reader = line_reader(
        campaign.layout, policy.facts, policy.subject, campaign.ignored_columns, OWN_COLUMNS, campaign.decided_at
    )
    is_csv = reader.format is ListFormat.CSV
    if line is None or line.offset != offset or is_blank(line.raw, is_csv=is_csv):
        return None
    record = reader.record(line)
    row = reader.row(line.raw) if isinstance(record, Record) and line.raw is not None else None
    loosely = None if line.raw is None else reader.loosely(line.raw)
    said, currencies = ({}, ()) if loosely is None else (loosely.said, loosely.currencies)
    if isinstance(record, Record) and isinstance(row, Row):
        digest = record.digest(facts_text(row.values))
        return ListedRow(
            offset, row.account_id, row.subject, row.values, said, None, record.to_bill, record.former, currencies,
            digest,
        )  # fmt: skip
    problem = row if isinstance(row, Problem) else record
    assert isinstance(problem, Problem), "a line is a row, or has a problem"
    # Without the facts a line may say whom it is about, and which bill, although one of its facts is wrong
    named = line_reader(campaign.layout, (), policy.subject, campaign.ignored_columns).record(line)
    if isinstance(named, Problem):
        account_id, subject, to_bill, former = "", "", None, None
    else:
        account_id, subject, to_bill, former = named.account_id, named.subject, named.to_bill, named.former
    values = (INVALID,) * len(policy.facts) if loosely is None else loosely.values
    content = blake2b(b"%d:" % line.end + (line.raw or b""), digest_size=16).hexdigest()
    return ListedRow(offset, account_id, subject, values, said, problem, to_bill, former, currencies, content)
