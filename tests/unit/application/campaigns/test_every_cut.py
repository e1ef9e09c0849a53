"""However a list is written and wherever it is cut, every row is decided once: tried at every place there is.

The cuts fall into the middle of characters, between CR and LF, before and behind blank lines; and at each line a worker
may run out of time, so that the next one goes on there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest

from kulanz.application.campaigns import plan_chunk
from kulanz.domain.campaigns import campaign as campaign_module
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.lists.header import HEADER_BYTES, ListFormat, format_of, read_layout
from kulanz.domain.lists.lines import lines_starting_in
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import LineReader, Record
from tests.support.small_campaign import CAMPAIGN, event, sealed_policy
from tests.support.world import World

BOM = b"\xef\xbb\xbf"
NAMES = ("a", "ä", "€", "😀", "ä€😀", "")
"""Characters of one to four bytes."""
EXPECTED = [str(number) for number in range(1, len(NAMES) + 1)]
FLAT = "kulanz: 1\nid: flat\nversion: 1\ntitle: Flat\npay: 5.00 EUR\n"


@dataclass(frozen=True)
class Written:
    """One way to write the same accounts."""

    key: str
    content: bytes
    blank_lines: int

    def __str__(self) -> str:
        return self.key


def rows_of(list_format: ListFormat) -> list[str]:
    if list_format is ListFormat.CSV:
        return ["account_id,name", *(f"{number},{name}" for number, name in enumerate(NAMES, 1))]
    return [f'{{"account_id":"{number}","name":"{name}"}}' for number, name in enumerate(NAMES, 1)]


def ways() -> Iterator[Written]:
    endings = {"lf": [b"\n"], "crlf": [b"\r\n"], "both": [b"\r\n", b"\n", b"\n"]}
    for list_format, ending, bom, final, blanks in product(ListFormat, endings, (b"", BOM), (True, False), (0, 2)):
        lines = [line.encode() for line in rows_of(list_format)]
        first = 1 if list_format is ListFormat.CSV else 0
        lines[first + 1 : first + 1] = [b""] * (blanks // 2)  # among the rows
        lines += [b""] * (blanks // 2)  # and at the end
        ends = [endings[ending][number % len(endings[ending])] for number in range(len(lines))]
        content = bom + b"".join(line + end for line, end in zip(lines, ends, strict=True))
        if not final:
            content = content.removesuffix(ends[-1])
        told = "-".join(filter(None, [ending, "bom" * bool(bom), "open" * (not final), "blank" * bool(blanks)]))
        # A last line without anything is a line only if it has an end.
        yield Written(f"lists/{told}.{list_format}", content, blanks - (bool(blanks) and not final))


WAYS = list(ways())


def accounts_cut(
    written: Written, chunk_bytes: int, block_bytes: int, reader: LineReader, data_start: int
) -> list[str]:
    """The accounts that workers find who each read one line, and leave the rest of the chunk to the next."""
    content, found = written.content, []
    for chunk_start in range(data_start, len(content), chunk_bytes):
        start, stop = chunk_start, min(chunk_start + chunk_bytes, len(content))
        while start < stop:
            read_from = start if start == data_start else start - 1
            blocks = (content[at : at + block_bytes] for at in range(read_from, len(content), block_bytes))
            line = next(lines_starting_in(blocks, read_from, start, stop, data_start), None)
            if line is None:
                break
            if line.raw:
                record = reader.record(line)
                assert isinstance(record, Record), f"{record} at byte {line.offset}"
                found.append(record.account_id)
            start = line.end
    return found


@pytest.mark.parametrize("written", WAYS, ids=str)
def test_every_row_is_read_once_at_every_cut(written: Written) -> None:
    layout = read_layout(
        format_of(written.key), written.content[:HEADER_BYTES], len(written.content), ("account_id", "name")
    )
    reader = line_reader(layout, (), None, ())

    for chunk_bytes, block_bytes in product(range(1, len(written.content) + 1), (1, 64)):
        found = accounts_cut(written, chunk_bytes, block_bytes, reader, layout.data_start)
        assert found == EXPECTED, f"chunks of {chunk_bytes}, blocks of {block_bytes}"


@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("written", WAYS[::3], ids=str)
def test_every_row_is_granted_once_by_workers_that_run_out_of_time_at_every_line(
    written: Written, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_module, "CHUNK_BYTES_SMALLEST", 1)
    monkeypatch.setattr(plan_chunk, "LINES_PER_LOOK_AT_THE_CLOCK", 1)
    world = World(chunk_bytes=chunk_bytes)
    world.lists.block_bytes = 5
    world.seconds_per_look = 25.0
    world.policies.publish("flat", 1, sealed_policy(FLAT))
    world.lists.upload(written.key, written.content)
    world.publish(event(key=written.key, rows=len(NAMES), policy="flat"))

    world.run_until_quiet()

    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.CLOSED, campaign.state_reason
    assert sorted(entry.key.account_id for entry in world.ledger.inserted) == EXPECTED
    assert campaign.plan.totals.results() == {
        (RowResult.GRANTED, "credit"): len(NAMES),
        **({(RowResult.BLANK, "blank"): written.blank_lines} if written.blank_lines else {}),
    }
