"""Subjects that a list names more than once, or under nearly the same id, known before anything is written.

The ledger finds them exactly, but only while it is written. The plan reads a list in many places at once and cannot
hold all its subjects, so it remembers a fixed set of them: those whose hash is below a bound. It is that of the id's
normal form, so that `001042` is remembered where `1042` is. Every row of such a subject is seen, wherever it stands in
the list, so that what is found of them is exact. A list of at most `SUBJECTS_SAMPLED` rows is remembered whole; of a
longer one, the share of the sample stands for that of the list.
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from kulanz.domain.lists.near_ids import normal_id

SUBJECTS_SAMPLED = 5_000
"""Of 5,000 rows, the limit of one contradiction in a thousand is five."""
SAMPLE_MOST = 10_000
"""Subjects that one part of a list remembers at most; the announced rows can be far fewer than the list has.

Each takes 20 bytes of a receipt, which is an item of at most 400 KB."""
HASHES = 2**32
_ENTRY = Struct(">I6s6sI")
SUBJECT_BYTES = _ENTRY.size
_CONTRADICTING = b"\0" * 6
_ROWS_BITS = 24
_ROWS_MOST, _FORMERS_MOST = (1 << _ROWS_BITS) - 1, 255
"""Of one subject. A list in which two accounts had one id before is refused."""

_NORMAL_BYTES, _EXACT_BYTES = 3, 3

type SubjectMark = tuple[int, bytes]
"""An account's hash, by which its subjects are chosen, and further ones that tell apart those that share it: first that
of the subject's normal form, then its own."""


def account_hash(account_id: str) -> int:
    """The hash by which the subjects of an account are chosen: CRC-32, cheap, of the id's normal form."""
    return crc32(normal_id(account_id).encode())


def bound_for(rows: int) -> int:
    """The bound below which some `SUBJECTS_SAMPLED` of so many rows' subjects lie; `HASHES` is above all of them."""
    return HASHES if rows <= SUBJECTS_SAMPLED else max(1, HASHES * SUBJECTS_SAMPLED // rows)


class Seen(NamedTuple):
    """A remembered subject: the digest that all its rows share, if they do, how many rows name it, and how many rows of
    another account name it as the former id.
    """

    digest: bytes
    rows: int
    formers: int


@dataclass(slots=True)
class Repeats:
    """The remembered subjects of some rows."""

    bound: int = HASHES
    subjects: dict[SubjectMark, Seen] = field(default_factory=dict)

    def see(self, hashed: int, account_id: str, subject: str, digest: str, *, is_former: bool = False) -> None:
        """Remember a row whose `account_hash` is below the bound, or the former id that it names.

        `digest` is that of its facts, in hex.
        """
        normal = f"{normal_id(account_id)}#{normal_id(subject)}"
        mark = _hash(normal, _NORMAL_BYTES) + _hash(f"{account_id}#{subject}", _EXACT_BYTES)
        self._add((hashed, mark), Seen(bytes.fromhex(digest[:12]), int(not is_former), int(is_former)))
        self._shrink()

    def add(self, other: "Repeats") -> None:
        """Add the subjects of other rows of the list; of both, what lies below the lower bound is kept."""
        lower = min(self.bound, other.bound)
        for mark, seen in other.subjects.items():
            self._add(mark, seen)
        if (self.bound, other.bound) != (lower, lower):
            self.bound = lower
            self._forget()
        self._shrink()

    @property
    def is_whole(self) -> bool:
        """Whether every row was seen, and not a sample."""
        return self.bound == HASHES

    @property
    def rows(self) -> int:
        """The rows that were seen."""
        return sum(one.rows for one in self.subjects.values())

    @property
    def repeated(self) -> int:
        """The rows that name a subject again, with the same facts each time."""
        return sum(max(one.rows - 1, 0) for one in self.subjects.values() if one.digest != _CONTRADICTING)

    @property
    def contradicting(self) -> int:
        """The rows that name a subject again, where not all its rows state the same facts; by a former id, too."""
        torn = (one for one in self.subjects.values() if one.digest == _CONTRADICTING)
        return sum(one.rows + one.formers - 1 for one in torn)

    @property
    def nearly_equal(self) -> int:
        """The subjects that differ from another one by zeros, letters' case or `.0` alone; each may be granted."""
        places = sorted((hashed, mark[:_NORMAL_BYTES]) for hashed, mark in self.subjects)
        return sum(len(list(same)) - 1 for _, same in groupby(places))

    def to_bytes(self) -> bytes:
        """The bound and the subjects, as a receipt keeps them."""
        known = sorted(self.subjects.items())
        return self.bound.to_bytes(5) + b"".join(
            _ENTRY.pack(hashed, mark, seen.digest, _packed(seen)) for (hashed, mark), seen in known
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> "Repeats":
        """Read what `to_bytes` wrote."""
        found = cls(int.from_bytes(content[:5]))
        for hashed, mark, digest, packed in _ENTRY.iter_unpack(content[5:]):
            found.subjects[hashed, mark] = Seen(digest, packed & _ROWS_MOST, packed >> _ROWS_BITS)
        return found

    def _add(self, mark: SubjectMark, seen: Seen) -> None:
        known = self.subjects.get(mark)
        if known is not None:
            digest = seen.digest if known.digest == seen.digest else _CONTRADICTING
            seen = Seen(digest, known.rows + seen.rows, known.formers + seen.formers)
        self.subjects[mark] = seen

    def _shrink(self) -> None:
        while len(self.subjects) > SAMPLE_MOST:
            self.bound //= 2
            self._forget()

    def _forget(self) -> None:
        self.subjects = {mark: known for mark, known in self.subjects.items() if mark[0] < self.bound}


def _packed(seen: Seen) -> int:
    formers = min(seen.formers, _FORMERS_MOST)
    return formers << _ROWS_BITS | min(seen.rows, _ROWS_MOST)


def _hash(text: str, size: int) -> bytes:
    return blake2b(text.encode(), digest_size=size).digest()
