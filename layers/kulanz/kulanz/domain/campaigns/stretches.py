"""Stretches of a list: execution is compared with its dry run on each of them before anything of it is written.

The plan files a digest for each stretch with its receipts. The execution decides a whole stretch, compares, and only
then writes: what it would decide otherwise than the plan is never written. So a stretch is as long as one worker can
hold, and can decide anew when it goes on in the middle of one.
"""

from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

from kulanz.domain.campaigns.reconciliation import DIGEST_MODULUS
from kulanz.domain.lists.lines import LINE_BYTES

STRETCH_BYTES = 1024 * 1024
"""Bytes of a list in one stretch; a line over 64 KB, which is rejected and never held, can make it longer."""
STRETCH_FULL_BYTES = STRETCH_BYTES - LINE_BYTES - len(b"\r\n")
"""A stretch with more bytes than this has no room for another line."""
STRETCH_ROWS = 10_000
"""Lines in one stretch: decided, they take some 10 MB."""
STRETCH_ROWS_READ = 1_000
"""The same where each subject is read from a table: ten calls of 100 keys, so that a slow table ends no worker."""
STRETCH_ROW_STEPS = 15_000_000
"""What deciding the lines of one stretch can take: below 15 s. A stretch of a costly policy has fewer lines."""
STRETCH_SECONDS = 10.0
"""A stretch ends at the look at the clock by which the plan has taken so long for it, whatever its steps."""
STRETCHES_PER_RECEIPT = 1_000
"""A receipt of the plan ends here: their 28 KB lie beside the other parts of an item of at most 400 KB."""

_ENTRY = Struct(">QI16s")


class Stretch(NamedTuple):
    """Where a stretch of the plan ends, how many lines it has, and the digest of what they came to.

    It begins where the one before it ends, or its receipt begins.
    """

    end: int
    lines: int
    digest: bytes


def stretch_of(start: int, end: int, lines: int, row_hashes: int) -> Stretch:
    """The stretch of some lines; `row_hashes` is the sum of the hashes of those with a decision, at their places."""
    content = b"%d-%d:%d:%d" % (start, end, lines, row_hashes % DIGEST_MODULUS)
    return Stretch(end, lines, blake2b(content, digest_size=16).digest())


def rows_per_stretch(row_steps: int, *, reads: bool) -> int:
    """How many lines a stretch has at most. `row_steps` is what deciding one can take; `reads`: each is looked up."""
    most = STRETCH_ROWS_READ if reads else STRETCH_ROWS
    return max(1, min(most, STRETCH_ROW_STEPS // max(1, row_steps)))


def stretches_to_bytes(stretches: Iterable[Stretch]) -> bytes:
    """Stretches as a receipt keeps them."""
    return b"".join(_ENTRY.pack(*stretch) for stretch in stretches)


def stretches_from_bytes(content: bytes) -> tuple[Stretch, ...]:
    """Read what `stretches_to_bytes` wrote."""
    return tuple(Stretch(*entry) for entry in _ENTRY.iter_unpack(content))
