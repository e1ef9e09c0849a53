"""The lines of a list: cut out of its bytes at any place, each known by its byte offset.

Lines end with LF or CRLF, the last one with or without. A cut through the middle of a line changes nothing.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kulanz.domain.refusal import WithReason

LINE_BYTES = 64 * 1024
LINE_SCAN_BYTES = 16 * 1024 * 1024


class ListRefused(WithReason):
    """A list cannot be used as a whole. `reason` is a code; the text says what was expected and what to do."""


class Line(NamedTuple):
    """One physical line without its end. `raw` is None when it is longer than `LINE_BYTES`; `end` is the next start.

    `quotes` counts the double quotes of one that is too long, which has no `raw` to count them in.
    """

    offset: int
    raw: bytes | None
    end: int
    quotes: int = 0


NO_CONTENT = b", \t\r"
"""What a line of CSV without any value consists of: a spreadsheet writes its empty rows as commas."""


def is_blank(raw: bytes | None, *, is_csv: bool) -> bool:
    """Whether a line (None: too long to be kept) holds no value. It is no row, and no control total counts it."""
    if not raw:
        return raw is not None
    return raw[0] in NO_CONTENT and not raw.strip(NO_CONTENT if is_csv else b"\r")


def lines_starting_in(
    blocks: Iterable[bytes], read_from: int, start: int, stop: int, data_start: int
) -> Iterator[Line]:
    """The lines that start in `[start, stop)`, from `blocks` of the list's bytes beginning at `read_from`.

    A line starts at `data_start` and after every LF. To know whether one starts at `start`, the byte before must be
    among the blocks: `read_from` is `start - 1`, or `start` when that is `data_start`. Bytes after the last wanted line
    are not asked for. Memory is bounded by a block and a line. Raises ListRefused for a line over `LINE_SCAN_BYTES`.
    """
    aligned = start == data_start
    if read_from != (start if aligned else start - 1):
        raise ValueError("reading starts at the byte before the span, or at the first data line")
    offset, pending, dropped, quotes = read_from, b"", 0, 0
    for block in blocks:
        pieces = (pending + block).split(b"\n")
        pending = pieces.pop()
        for piece in pieces:
            end = offset + dropped + len(piece) + 1
            if not aligned:
                aligned = True
            elif dropped or len(piece) > LINE_BYTES + 1:
                yield Line(offset, None, end, quotes + piece.count(b'"'))
            elif len(piece) < LINE_BYTES and piece[-1:] != b"\r":  # nearly all lines
                yield Line(offset, piece, end)
            else:
                yield _line(offset, piece, end)
            offset, dropped, quotes = end, 0, 0
            if offset >= stop:
                return
        if not aligned and offset + dropped + len(pending) >= stop:
            return  # no line starts in this span
        if dropped + len(pending) > LINE_SCAN_BYTES:
            raise ListRefused(
                "line_endless",
                f"the line at byte {offset} has no end within {LINE_SCAN_BYTES} bytes; end every row with LF or CRLF",
            )
        if len(pending) > LINE_BYTES + 1:
            dropped, quotes, pending = dropped + len(pending), quotes + pending.count(b'"'), b""
    if aligned and (pending or dropped):
        end = offset + dropped + len(pending)
        yield Line(offset, None, end, quotes + pending.count(b'"')) if dropped else _line(offset, pending, end)


def _line(offset: int, piece: bytes, end: int) -> Line:
    raw = piece[:-1] if piece.endswith(b"\r") else piece
    return Line(offset, raw, end) if len(raw) <= LINE_BYTES else Line(offset, None, end, raw.count(b'"'))
