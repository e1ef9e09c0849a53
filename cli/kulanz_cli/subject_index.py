"""Every subject of a list of any length, remembered in files: memory holds a 256th of them at a time."""

from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from tempfile import TemporaryDirectory
from typing import IO, Self

from kulanz.application.lists.check_list import FIRST_LINES, Subjects
from kulanz.domain.lists.near_ids import normal_id

PARTS = 256
"""Files: ten million rows are some 40,000 in each, of which a few megabytes are in memory."""
_ENTRY = Struct(">8s8s8sQ?")
"""The hash of the subject's normal form, that of the subject, the digest of its row, its line, and whether the row only
names it as a former id."""

type _Entry = tuple[bytes, bytes, bytes, int, bool]
_Pairs = list[tuple[int, int]]


class SubjectFiles:
    """The index. Rows of one subject, and of those that nearly are one, lie in one file, because the hash of the normal
    form says which; each file is looked at by itself.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="kulanz-check-")))
        self._parts: list[IO[bytes]] = [
            self._stack.enter_context((folder / f"{part:03d}").open("w+b")) for part in range(PARTS)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def see(self, account_id: str, subject: str, digest: str, line: int, *, is_former: bool = False) -> None:
        """Remember a row, or the subject that it had under its former id."""
        near = _hash(f"{normal_id(account_id)}#{normal_id(subject)}")
        entry = _ENTRY.pack(near, _hash(f"{account_id}#{subject}"), bytes.fromhex(digest[:16]), line, is_former)
        self._parts[near[0]].write(entry)

    def found(self) -> Subjects:
        """What was named more than once, over all files."""
        counts, shown = [0, 0, 0], [_Pairs(), _Pairs(), _Pairs()]
        for entries in self._groups():
            for place, pairs in enumerate(_of_part(entries)):
                counts[place] += len(pairs)
                shown[place] = sorted(shown[place] + pairs)[:FIRST_LINES]
        return Subjects(counts[0], counts[1], counts[2], shown[0], shown[1], shown[2])

    def _groups(self) -> Iterator[Iterator[_Entry]]:
        for part in self._parts:
            part.seek(0)
            yield _ENTRY.iter_unpack(part.read())


def _of_part(entries: Iterator[_Entry]) -> tuple[_Pairs, _Pairs, _Pairs]:
    """The rows of one file that repeat, contradict or nearly name another: each with the first row of that one."""
    first: dict[bytes, tuple[bytes, int, bool]] = {}
    same: dict[bytes, _Pairs] = {}
    torn: set[bytes] = set()
    near: dict[bytes, tuple[bytes, int]] = {}
    nearly: _Pairs = []
    for normal, subject, digest, line, is_former in entries:
        known = first.setdefault(subject, (digest, line, is_former))
        is_repetition = known[1] != line and not (is_former and known[2] and known[0] == digest)
        if is_repetition:
            same.setdefault(subject, []).append((line, known[1]))
            if known[0] != digest:
                torn.add(subject)
            continue
        named, before = near.setdefault(normal, (subject, line))
        if named != subject:
            nearly.append((line, before))
    repeated = [pair for subject, pairs in same.items() if subject not in torn for pair in pairs]
    contradicting = [pair for subject in torn for pair in same[subject]]
    return repeated, contradicting, nearly


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()
