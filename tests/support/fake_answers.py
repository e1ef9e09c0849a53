"""Answer files in memory, as their port says, over the counters that deliveries fill."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from kulanz.application.ports import AnswerMessage
from kulanz.domain.campaigns.campaign import CampaignId, Cursor
from kulanz.domain.delivery.answer_pass import AnswerFile, AnswerReceipt, AnswerTotals
from kulanz.domain.delivery.dues import DueOf, Dues, owe
from kulanz.domain.delivery.moved import MovedOf, Moves, with_codes
from kulanz.domain.delivery.standing import Counted
from kulanz.domain.money import Size


class FakeCodes:
    """The biller's codes that are counted by themselves."""

    def __init__(self) -> None:
        self._counted: dict[tuple[CampaignId, str], tuple[str, ...]] = {}

    def codes(self, campaign_id: CampaignId, channel: str, new: Collection[str] = ()) -> frozenset[str]:
        at = campaign_id, channel
        self._counted[at] = with_codes(self._counted.get(at, ()), new)
        return frozenset(self._counted[at])


class FakeAnswers:
    """The answer files; `dues` are those of the deliveries that they answer, `codes` those that voids look at, too."""

    def __init__(self, dues: Dues, codes: FakeCodes | None = None) -> None:
        self.dues = dues
        self.by_persons: dict[str, Moves] = {}
        """What persons moved, by channel."""
        self._codes = FakeCodes() if codes is None else codes
        self._files: dict[tuple[str, str], AnswerFile] = {}
        self._cursors: dict[tuple[str, str, int], Cursor] = {}
        self._receipts: dict[tuple[str, str, int, int], AnswerReceipt] = {}
        self._closed: set[tuple[str, str]] = set()

    def open(self, file: AnswerFile) -> AnswerFile:
        return self._files.setdefault((file.channel, file.id), file)

    def file(self, channel: str, file_id: str) -> AnswerFile | None:
        return self._files.get((channel, file_id))

    def files(self, channel: str) -> Iterator[AnswerFile]:
        found = [file for (one, _), file in self._files.items() if one == channel]
        return iter(sorted(found, key=lambda file: (file.opened_at, file.id)))

    def cursor(self, file: AnswerFile, chunk: int) -> Cursor | None:
        return self._cursors.get((file.channel, file.id, chunk))

    def record(self, receipt: AnswerReceipt) -> bool:
        place = receipt.channel, receipt.file, receipt.start, receipt.chunk
        cursor = self._cursors.get((receipt.channel, receipt.file, receipt.chunk))
        stands_at = None if cursor is None else cursor.position
        if place in self._receipts or stands_at != receipt.moved_from or (cursor is not None and cursor.finished):
            return self._receipts.get(place) == receipt
        self._receipts[place] = receipt
        self._cursors[receipt.channel, receipt.file, receipt.chunk] = Cursor(receipt.end, receipt.finishes_chunk)
        for due, (number, size) in receipt.totals.dues.items():
            owe(self.dues, due, number, size)
        before = self._files[receipt.channel, receipt.file]
        totals = AnswerTotals()
        totals.add(before.totals)
        totals.add(receipt.totals)
        done = before.bytes_done + receipt.end - receipt.start
        self._files[receipt.channel, receipt.file] = replace(before, bytes_done=done, totals=totals)
        return True

    def receipts(self, file: AnswerFile) -> Iterator[AnswerReceipt]:
        places = sorted(place for place in self._receipts if place[:2] == (file.channel, file.id))
        return (self._receipts[place] for place in places)

    def open_files(self) -> list[tuple[str, str]]:
        return sorted(place for place in self._files if place not in self._closed)

    def finished_chunks(self, file: AnswerFile) -> set[int]:
        found = self._cursors.items()
        return {
            chunk
            for (channel, named, chunk), cursor in found
            if (channel, named) == (file.channel, file.id) and cursor.finished
        }

    def note_seen(self, file: AnswerFile) -> None:
        before = self._files[file.channel, file.id]
        self._files[file.channel, file.id] = replace(before, seen=file.bytes_done)

    def close(self, file: AnswerFile) -> None:
        self._closed.add((file.channel, file.id))

    def codes(self, campaign_id: CampaignId, channel: str, new: Collection[str] = ()) -> frozenset[str]:
        return self._codes.codes(campaign_id, channel, new)

    def billed(self, campaign_id: CampaignId, channel: str) -> Mapping[MovedOf, Mapping[Counted, Size]]:
        whole = AnswerTotals()
        for file in self.files(channel):
            whole.add(file.totals)
        whole.take_all(self.by_persons.get(channel, Moves()))
        return {
            place: {state: size for state, size in sums.items() if size}
            for place, sums in whole.moved.items()
            if place.campaign == campaign_id and any(sums.values())
        }


class FakeAnswerQueue:
    """The chunk queue as whoever sends answer files sees it."""

    def __init__(self) -> None:
        self.messages: list[AnswerMessage] = []

    def send_answers(self, messages: Iterable[AnswerMessage]) -> None:
        self.messages += messages


class FakeDues:
    """What is due and not on bills."""

    def __init__(self, dues: Dues) -> None:
        self._dues = dues

    def before(self, instant: datetime) -> Iterator[tuple[DueOf, tuple[int, Size]]]:
        found = sorted(self._dues.items(), key=lambda one: (one[0].due, str(one[0].campaign), one[0].measure))
        return (one for one in found if one[0].due < instant and one[1][0])

    def forget_what_is_done(self, instant: datetime) -> None:
        for due in [due for due, (number, _) in self._dues.items() if due.due < instant and not number]:
            del self._dues[due]
