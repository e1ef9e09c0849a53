"""The contract of AnswerFiles and Dues: files open once, stretches count once, and what is due empties itself."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kulanz.domain.campaigns.campaign import CampaignId, Chunks, Cursor, PinnedList
from kulanz.domain.delivery.answer_pass import AnswerFile, AnswerReceipt, AnswerTotals
from kulanz.domain.delivery.answers import AnswerResult
from kulanz.domain.delivery.dues import DueOf
from kulanz.domain.delivery.moved import MovedOf
from kulanz.domain.delivery.standing import CODES_MOST, Counted, CreditState, RejectedWith
from kulanz.domain.lists.header import ListFormat, ListLayout
from kulanz.domain.money import Size
from tests.contract.backends import Backend
from tests.contract.test_delivery_store import delivery, receipt
from tests.support.values import NOW

CAMPAIGN = CampaignId("an-incident", 1)
DUE = datetime(2027, 1, 6, tzinfo=UTC)
USD = DueOf(CAMPAIGN, DUE, "USD")


BILLING, LETTERS, NONE = (MovedOf(CAMPAIGN, "USD", "outage", channel) for channel in ("billing", "letters", ""))
MOVED: dict[MovedOf, dict[Counted, Size]] = {
    BILLING: {CreditState.ASSIGNED: -900, CreditState.APPLIED: 500, CreditState.REJECTED: 400},
    BILLING._replace(component=""): {RejectedWith("E|7 | no"): 100, RejectedWith("frozen"): 200, RejectedWith(""): 100},
    LETTERS: {CreditState.ACCEPTED: -7, CreditState.VOIDED: 7},
    NONE: {CreditState.DUE: 3},
}
"""What has the item's own channel, another and none is each kept apart; so is a code, whatever is in it."""


def answer_file(named: str = "f1", channel: str = "billing") -> AnswerFile:
    pinned = PinnedList("bucket", f"acknowledgements/{named}.csv", "v1", "etag", 5_000)
    columns = ("account_id", "serial", "credit_id", "answer")
    layout = ListLayout(ListFormat.CSV, columns, 40)
    return AnswerFile(named, channel, pinned, layout, Chunks(40, 5_000, 4_096), NOW, "sso:finance")


def heard(start: int, end: int, moved_from: int | None = None, *, finishes: bool = False) -> AnswerReceipt:
    totals = AnswerTotals(
        lines=3,
        counts=Counter({(AnswerResult.APPLIED, ""): 2, (AnswerResult.CONFLICT, "id_used"): 1}),
        moved={place: dict(sums) for place, sums in MOVED.items()},
        dues={USD: (-1, -500)},
    )
    return AnswerReceipt("f1", "billing", 0, start, end, moved_from, finishes, totals, "answers/problems.jsonl")


def test_a_file_is_opened_once_and_listed_until_it_is_closed(backend: Backend) -> None:
    opened = backend.answers.open(answer_file())
    assert opened == answer_file()
    later = replace(answer_file(), opened_at=NOW + timedelta(days=1), opened_by="somebody else")
    assert backend.answers.open(later) == opened
    backend.answers.open(answer_file("f2", "vouchers"))
    assert backend.answers.file("billing", "f2") is None
    assert [one.id for one in backend.answers.files("billing")] == ["f1"]
    assert sorted(backend.answers.open_files()) == [("billing", "f1"), ("vouchers", "f2")]
    backend.answers.note_seen(opened)
    backend.answers.close(opened)
    backend.answers.close(opened)
    assert backend.answers.open_files() == [("vouchers", "f2")]
    found = backend.answers.file("billing", "f1")
    assert found is not None
    assert found.seen == 0


def test_a_stretch_is_counted_once_whoever_comes_again(backend: Backend) -> None:
    file = backend.answers.open(answer_file())
    first, other = heard(40, 900), heard(40, 1_000)
    assert backend.answers.record(first)
    assert backend.answers.record(first)
    assert not backend.answers.record(other)
    assert not backend.answers.record(heard(900, 1_000))
    assert backend.answers.cursor(file, 0) == Cursor(900, finished=False)
    assert backend.answers.record(heard(900, 1_000, 900, finishes=True))
    assert not backend.answers.record(heard(1_000, 1_100, 1_000))
    assert backend.answers.finished_chunks(file) == {0}
    assert list(backend.answers.receipts(file)) == [first, heard(900, 1_000, 900, finishes=True)]
    found = backend.answers.file("billing", "f1")
    assert found is not None
    assert (found.bytes_done, found.totals.lines) == (960, 6)
    assert found.totals.by_result() == {AnswerResult.APPLIED: 4, AnswerResult.CONFLICT: 2}
    assert backend.answers.billed(CAMPAIGN, "billing") == {
        place: {what: 2 * size for what, size in sums.items()} for place, sums in MOVED.items()
    }
    assert backend.answers.billed(CAMPAIGN, "vouchers") == {}
    assert backend.answers.billed(CampaignId("an-incident", 2), "billing") == {}


def test_a_code_is_counted_by_itself_for_ever_or_never(backend: Backend) -> None:
    """In whatever order workers come: what was counted under one name is taken off under the same."""
    store = backend.answers
    assert store.codes(CAMPAIGN, "billing") == frozenset()
    assert store.codes(CAMPAIGN, "billing", {"frozen"}) == {"frozen"}
    assert store.codes(CAMPAIGN, "billing", {"frozen", "c|osed"}) == {"frozen", "c|osed"}
    assert store.codes(CAMPAIGN, "letters") == frozenset()
    assert store.codes(CampaignId("an-incident", 2), "billing") == frozenset()
    many = {f"E{number:02}" for number in range(CODES_MOST)}
    full = store.codes(CAMPAIGN, "billing", many)
    assert len(full) == CODES_MOST
    assert full == {"frozen", "c|osed", *sorted(many)[: CODES_MOST - 2]}
    assert store.codes(CAMPAIGN, "billing", {"later"}) == store.codes(CAMPAIGN, "billing") == full
    store.open(answer_file())
    assert store.record(heard(40, 900))
    assert store.codes(CAMPAIGN, "billing") == full
    assert store.billed(CAMPAIGN, "billing") == MOVED, "the codes stand beside the sums"


def test_what_is_due_is_what_was_delivered_less_what_is_on_bills(backend: Backend) -> None:
    backend.deliveries.open(delivery())
    minutes = DueOf(CAMPAIGN, DUE + timedelta(days=40), "call_minute")
    delivered = replace(receipt(0, 10), dues={USD: (2, 1_000), minutes: (1, 20)})
    assert backend.deliveries.record(delivered)
    assert backend.deliveries.record(delivered)
    assert list(backend.deliveries.receipts(delivered.delivery)) == [delivered]
    assert list(backend.dues.before(DUE)) == []
    assert list(backend.dues.before(DUE + timedelta(seconds=1))) == [(USD, (2, 1_000))]
    assert [due for due, _ in backend.dues.before(DUE + timedelta(days=60))] == [USD, minutes]
    backend.answers.open(answer_file())
    backend.answers.record(heard(40, 900))
    assert list(backend.dues.before(DUE + timedelta(days=1))) == [(USD, (1, 500))]
    backend.dues.forget_what_is_done(DUE + timedelta(days=100))
    backend.answers.record(heard(900, 1_000, 900))
    backend.dues.forget_what_is_done(DUE + timedelta(days=100))
    assert list(backend.dues.before(DUE + timedelta(days=100))) == [(minutes, (1, 20))]
