"""The rows of a campaign's list that have a problem, read from the documents that its workers left in the bucket."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

from kulanz.application.door.asked import Door
from kulanz.application.ports import PinnedVersionGone
from kulanz.domain.campaigns.campaign import Campaign, Pass

ROWS_PER_ANSWER = 1_000
DOCUMENTS_PER_READ = 500
LINES_COUNTED_BYTES_MOST = 256 * 1024 * 1024
"""Up to this place in a list the numbers of lines are counted: some seconds on the way to an answer."""


class RejectedRow(TypedDict):
    """A row that was not decided, or that contradicts another. Its content is in the list alone.

    `line` is its number in the list; None where the list is gone or the row lies too far behind its beginning.
    """

    line: int | None
    work: str
    offset: int
    reason: str
    field: NotRequired[str]
    expected: NotRequired[str]
    stored_offset: NotRequired[int]


def rows_after(campaign: Campaign, after: str, door: Door) -> tuple[list[RejectedRow], str | None]:
    """The next rows, and where the rest begins. A position is a pass and the last document that was read."""
    works = [Pass.PLAN, Pass.APPLY]
    work_name, _, key = after.partition(" ")
    if after:
        works = works[next((place for place, work in enumerate(works) if work.value == work_name), len(works)) :]
    found: dict[tuple[str, int, str, str], RejectedRow] = {}
    for work in works:
        prefix = f"{campaign.id.folder}/problems/{work.value}-"
        while documents := door.documents.under(prefix, key if key.startswith(prefix) else "", DOCUMENTS_PER_READ):
            for document in documents:
                found |= _filed(work, door.archive.get(document.key))
                key = document.key
                if len(found) >= ROWS_PER_ANSWER:
                    return list(found.values()), f"{work.value} {key}"
    return list(found.values()), None


def _filed(work: Pass, content: bytes) -> dict[tuple[str, int, str, str], RejectedRow]:
    """The problems of one document. Two workers on one chunk may both have filed a line: it is shown once."""
    found: dict[tuple[str, int, str, str], RejectedRow] = {}
    for text in content.splitlines():
        problem: Mapping[str, Any] = json.loads(text)
        place = (work.value, problem["offset"], problem["reason"], problem.get("field", ""))
        row: RejectedRow = {"line": None, "work": work.value, "offset": problem["offset"], "reason": problem["reason"]}
        if "field" in problem:
            row["field"] = problem["field"]
        if "expected" in problem:
            row["expected"] = problem["expected"]
        if "stored_offset" in problem:
            row["stored_offset"] = problem["stored_offset"]
        found[place] = row
    return found


def numbered(campaign: Campaign, rows: list[RejectedRow], door: Door) -> list[RejectedRow]:
    """The rows with the numbers of their lines, in one reading of the list."""
    wanted = sorted({row["offset"] for row in rows if row["offset"] <= LINES_COUNTED_BYTES_MOST})
    numbers: dict[int, int] = {}
    if wanted:
        counter = LineCounter(door.lists.read(campaign.pinned, 0, wanted[-1]))
        try:
            numbers = {offset: counter.number_at(offset) for offset in wanted}
        except PinnedVersionGone:
            numbers = {}
    return [{**row, "line": numbers.get(row["offset"])} for row in rows]


@dataclass(slots=True)
class LineCounter:
    """Counts the lines of a list up to an offset, for rising offsets, in one reading of the list."""

    blocks: Iterator[bytes]
    position: int = 0
    lines: int = 0
    block: bytes = field(default=b"")

    def number_at(self, offset: int) -> int:
        """The number of the line that starts at `offset`; 1 is the first."""
        while self.position + len(self.block) < offset:
            self.lines += self.block.count(b"\n")
            self.position += len(self.block)
            self.block = next(self.blocks, b"")
            if not self.block:
                break
        taken = offset - self.position
        self.lines += self.block[:taken].count(b"\n")
        self.position, self.block = offset, self.block[taken:]
        return self.lines + 1
