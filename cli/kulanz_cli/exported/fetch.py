"""Fetches the parts of an export in the order of the list, and gives their rows with the numbers of their lines."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

from kulanz.domain.exports.figures import Figures
from kulanz.domain.exports.rows import COLUMNS, count_read
from kulanz_cli.door import Door
from kulanz_cli.outcomes import Unusable
from kulanz_cli.signed import NoReply, Reply

if TYPE_CHECKING:
    from kulanz.application.door.exports import ExportAnswer, PartItem

PART_ATTEMPTS = 4
"""How often a part is fetched: each time by a new link, because a link is good for minutes."""
OK = 200

type Fetch = Callable[[str], Reply]
"""What follows a link. Raises NoReply."""


class PartsUnusable(Unusable):
    """The parts of an export are not what the stack says of them, or cannot be fetched."""


class Parts:
    """The parts of one finished export. `figures` are what the rows come to that were given out so far."""

    def __init__(self, door: Door, fetch: Fetch, place: Mapping[str, str | int]) -> None:
        self._door, self._fetch, self._place = door, fetch, place
        self.figures = Figures()
        self.rows = 0

    def each(self, first: "ExportAnswer") -> Iterator[Mapping[str, Any]]:
        """Every row, with the number of its line in the list. Raises PartsUnusable."""
        answer, line, parts, reached = first, first["first_line"], 0, None
        cursor: str | None = None
        while True:
            for place, part in enumerate(answer["parts"]):
                if reached is not None and part["start"] != reached:
                    raise PartsUnusable("the parts of the export leave a gap; ask for another export")
                yield from self._numbered(self._content(cursor, place, part), line)
                line, parts, reached = line + part["lines"], parts + 1, part["end"]
            cursor = answer["next"]
            if cursor is None:
                break
            answer = self._asked(cursor)
        if parts != first["parts_in_all"]:
            raise PartsUnusable("some parts of the export are missing; ask for another export")

    def _asked(self, cursor: str | None) -> "ExportAnswer":
        return cast("ExportAnswer", self._door.ask("exports.one", {"cursor": cursor}, **self._place))

    def _content(self, cursor: str | None, place: int, part: "PartItem") -> bytes:
        """The rows of a part, whose bytes are those that the worker wrote."""
        link, reply = part["url"], Reply(0, b"")
        for attempt in range(1, PART_ATTEMPTS + 1):
            try:
                reply = self._fetch(link)
            except NoReply:
                reply = Reply(0, b"")
            if reply.status == OK and sha256(reply.body).hexdigest() == part["sha256"]:
                return gzip.decompress(reply.body)
            if attempt < PART_ATTEMPTS:
                link = self._asked(cursor)["parts"][place]["url"]
        said = "with other bytes than were written" if reply.status == OK else f"(answer {reply.status})"
        raise PartsUnusable(
            f"a part of the export could not be fetched {said}, {PART_ATTEMPTS} times; give the same command with --id,"
            " or ask for another export"
        )

    def _numbered(self, content: bytes, before: int) -> Iterator[Mapping[str, Any]]:
        rows = map(json.loads, content.splitlines())
        for _, group in groupby(rows, key=_decided):
            of_line = [{**row, "line": row["line"] and before + row["line"] - 1} for row in group]
            if any(tuple(row) != COLUMNS for row in of_line):
                raise PartsUnusable("the rows have other columns than this command knows; use the stack's release")
            count_read(self.figures, of_line)
            self.rows += len(of_line)
            yield from of_line


def _decided(row: Mapping[str, Any]) -> Any:
    """What the rows of one line have in common, or those of one decision that no line made."""
    return row["line"], row["decision"]
