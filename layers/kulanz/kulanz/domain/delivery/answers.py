"""What a biller answers about credits, line by line: how a line is read, and what it changes of a decision's entries.

An answer file is a list: the list reader takes its lines apart, and every line has exactly one result. A line names the
delivery by its serial, the account and subject as they were delivered, and the credit by its id. So the decision is
found by its key, and no index from ids to decisions is needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.decision import Benefit
from kulanz.domain.delivery.credit import CREDIT_ID_CHARACTERS, CreditType, credit_id
from kulanz.domain.delivery.entries import (
    REVERSAL_ANSWERS,
    CreditEntries,
    CreditEntry,
    EntryKind,
    usual_id,
)
from kulanz.domain.delivery.moved import Moved, moved_between, moved_by
from kulanz.domain.delivery.reversal import Reversal
from kulanz.domain.delivery.standing import AddResult, Standing, add_entry, contradiction, standing
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import DecisionKey, Entry, benefits_granted, read_decision
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import FactError, FactValue
from kulanz.domain.lists.header import ACCOUNT_COLUMN, ListFormat, ListLayout
from kulanz.domain.lists.lines import Line
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.reasons import RowReason
from kulanz.domain.lists.rows import Problem, Record, Row, together
from kulanz.domain.money import Size, minor_units

ALIKE_REMEMBERED = 4_096
"""What lines of an answer file have in common; less than 1 KB each."""
SERIAL_MOST = 99_999_999
"""A serial has eight digits in the names of a delivery's files."""
BILL_CHARACTERS = 40
CODE_CHARACTERS = 40
"""Of a bill's number and of a code of rejection: they stand in the entries, of which a decision has 2 KB."""

ANSWER_KINDS: Mapping[str, EntryKind] = {
    kind.value: kind for kind in (EntryKind.ACCEPTED, EntryKind.APPLIED, EntryKind.REJECTED, EntryKind.TAKEN_BACK)
}

SERIAL, CREDIT_ID, SUBJECT, ANSWER = "serial", "credit_id", "subject", "answer"
AMOUNT, MEASURE, BILL, BILLED_ON, CODE = "amount", "measure", "bill", "billed_on", "code"

ANSWER_FACTS = (
    FactDeclaration(SERIAL, "number", minimum=Fraction(1), maximum=Fraction(SERIAL_MOST)),
    FactDeclaration(CREDIT_ID, "text"),
    FactDeclaration(SUBJECT, "text", required=False),
    FactDeclaration(ANSWER, "text", choices=tuple(ANSWER_KINDS)),
    FactDeclaration(AMOUNT, "number", required=False),
    FactDeclaration(MEASURE, "text", required=False),
    FactDeclaration(BILL, "text", required=False),
    FactDeclaration(BILLED_ON, "day", required=False),
    FactDeclaration(CODE, "text", required=False),
)
"""The columns of an answer file beside `account_id`, in the list reader's own terms."""
REQUIRED_COLUMNS = (ACCOUNT_COLUMN, *(fact.name for fact in ANSWER_FACTS if fact.required))


@dataclass(frozen=True, slots=True)
class BillerAnswer:
    """What a biller says of one credit. `amount` is in whole units of its `measure`, so that 5.00 USD are 5.

    `amount`, `measure`, `bill` and `day` are there where it is applied, `code` where it is rejected.
    """

    serial: int
    credit_id: str
    account_id: str
    subject: str
    kind: EntryKind
    amount: Fraction | None = None
    measure: str = ""
    bill: str = ""
    day: date | None = None
    code: str = ""

    def key(self, incident_id: str, seq: int) -> DecisionKey:
        """The key of the decision that it is about, in the campaign that its serial delivered."""
        return DecisionKey(self.account_id, incident_id, self.subject, seq)


class AnswerReader:
    """Reads the lines of an answer file: by the reader of every list, for these columns.

    Most lines of a file say the same of different credits. What they have in common is read once and remembered; of a
    line that is like an earlier one only the rest is read.
    """

    def __init__(self, layout: ListLayout) -> None:
        self._lines = line_reader(layout, ANSWER_FACTS, None, ())
        is_typed = layout.format is ListFormat.JSONL
        self._own = tuple(_as_it_is if is_typed else _READ[name] for name in _OWN)
        self._own_amount = _as_it_is if is_typed else _READ[AMOUNT]
        self._known: dict[object, BillerAnswer] = {}
        self._amount = lru_cache(ALIKE_REMEMBERED, typed=True)(self._read_amount)

    @property
    def format(self) -> ListFormat:
        """What the file is written in."""
        return self._lines.format

    def answer(self, line: Line) -> BillerAnswer | Problem:
        """What a line that is not blank says, or everything that is wrong with it."""
        record = self._lines.record(line)
        if isinstance(record, Problem):
            return record
        alike = _alike(record.cells)
        like = self._known.get(alike)
        found = None if like is None else self._like(like, record)
        if found is not None:
            return found
        try:
            row = Row(record.account_id, record.subject, self._lines.values(record.cells))
        except FactError:
            return self._lines.faults(record.cells)
        read = _answer_of(row)
        if isinstance(read, BillerAnswer):
            if len(self._known) >= ALIKE_REMEMBERED:
                self._known.clear()
            self._known[alike] = read
        return read

    def _read_amount(self, cell: Any) -> Fraction | None:
        """The amount in a cell; None where there is none, or what no amount is. Raises FactError."""
        value = self._own_amount(cell)
        return Fraction(value) if isinstance(value, int | Fraction) else None

    def _like(self, like: BillerAnswer, record: Record) -> BillerAnswer | None:
        """The answer of a line whose other columns say what those of `like` do; None where one of its own is wrong."""
        try:
            own = [read(cell) if cell else None for read, cell in zip(self._own, _own(record.cells), strict=True)]
            amount = self._amount(record.cells[_AMOUNT])
        except FactError:
            return None
        identity, subject, bill, code = [one if isinstance(one, str) else "" for one in own]
        if _wrong_texts(like.kind, identity, bill, code) or _wrong_amount(like.kind, amount, like.measure):
            return None
        return BillerAnswer(
            serial=like.serial,
            credit_id=identity,
            account_id=record.account_id,
            subject=subject or WHOLE_ACCOUNT,
            kind=like.kind,
            amount=amount,
            measure=like.measure,
            bill=bill if like.kind is EntryKind.APPLIED else "",
            day=like.day,
            code=code if like.kind is EntryKind.REJECTED else "",
        )


_OWN = (CREDIT_ID, SUBJECT, BILL, CODE)
"""The texts that differ from line to line; amounts do, too, and each is often the same."""
_NAMES = tuple(fact.name for fact in ANSWER_FACTS)
_READ = {fact.name: fact.parse_text for fact in ANSWER_FACTS}
_own = itemgetter(*(_NAMES.index(name) for name in _OWN))
_AMOUNT = _NAMES.index(AMOUNT)
_alike = itemgetter(*(place for place, name in enumerate(_NAMES) if name not in (*_OWN, AMOUNT)))


def _as_it_is(value: Any) -> FactValue | None:
    """The typed value of a cell of JSON Lines, whose lines are typed when they are taken apart."""
    known: FactValue | None = value
    return known


def _wrong_texts(kind: EntryKind | None, identity: str, bill: str, code: str) -> list[Problem]:
    """What is wrong with the texts that differ from line to line."""
    problems = []
    if len(identity) != CREDIT_ID_CHARACTERS or not identity.isalnum() or not identity.isascii():
        problems.append(_wrong(CREDIT_ID, f"the credit_id as it was delivered, {CREDIT_ID_CHARACTERS} characters"))
    if kind is EntryKind.APPLIED and not bill:
        problems.append(_wrong(BILL, "a value where the answer is applied"))
    if kind is EntryKind.REJECTED and not code:
        problems.append(_wrong(CODE, "the biller's code where the answer is rejected"))
    for name, text, most in ((BILL, bill, BILL_CHARACTERS), (CODE, code, CODE_CHARACTERS)):
        if len(text) > most:
            problems.append(_wrong(name, f"at most {most} characters"))
    return problems


def _wrong_amount(kind: EntryKind | None, amount: FactValue | None, measure: str) -> list[Problem]:
    """What is wrong with an amount, and with what it is in."""
    problems = []
    if amount is not None and (not isinstance(amount, int | Fraction) or amount <= 0):
        problems.append(_wrong(AMOUNT, "an amount above zero without a sign"))
    if (amount is None) is not (not measure):
        problems.append(_wrong(MEASURE, "the currency or unit of the amount, and none without an amount"))
    if kind is EntryKind.APPLIED and amount is None:
        problems.append(_wrong(AMOUNT, "a value where the answer is applied"))
    return problems


def _answer_of(row: Row) -> BillerAnswer | Problem:
    """The answer of a typed line, or everything that it lacks."""
    values = dict(zip(_NAMES, row.values, strict=True))
    serial, amount, day = values[SERIAL], values[AMOUNT], values[BILLED_ON]
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    problems = [] if isinstance(serial, int) else [_wrong(SERIAL, "a whole number such as 12")]
    kind = ANSWER_KINDS.get(texts.get(ANSWER, ""))
    if kind is None:
        problems.append(_wrong(ANSWER, f"one of {', '.join(ANSWER_KINDS)}"))
    problems += _wrong_amount(kind, amount, texts.get(MEASURE, ""))
    if kind is EntryKind.APPLIED and day is None:
        problems.append(_wrong(BILLED_ON, "a value where the answer is applied"))
    identity, bill, code = texts.get(CREDIT_ID, ""), texts.get(BILL, ""), texts.get(CODE, "")
    problems += _wrong_texts(kind, identity, bill, code)
    if problems or kind is None or not isinstance(serial, int):
        return together(problems)
    return BillerAnswer(
        serial=serial,
        credit_id=identity,
        account_id=row.account_id,
        subject=texts.get(SUBJECT, WHOLE_ACCOUNT),
        kind=kind,
        amount=Fraction(amount) if isinstance(amount, int | Fraction) else None,
        measure=texts.get(MEASURE, ""),
        bill=bill if kind is EntryKind.APPLIED else "",
        day=day if kind is EntryKind.APPLIED and isinstance(day, date) else None,
        code=code if kind is EntryKind.REJECTED else "",
    )


def _wrong(name: str, expected: str) -> Problem:
    return Problem(RowReason.FACT_INVALID, name, expected)


class AnswerResult(StrEnum):
    """What became of a line of an answer file. The first four changed a decision's entries.

    OVERTAKEN: a later answer stands already. DUPLICATE: the very answer stands already. REJECTED_LINE and BLANK: the
    line is no answer. Everything else contradicts what was delivered, changes nothing, and waits for a person. But in a
    CONFLICT of a reversal that is booked with a credit that is not both stand.
    """

    ACCEPTED = "accepted"
    APPLIED = "applied"
    REJECTED = "rejected"
    TAKEN_BACK = "taken_back"
    DUPLICATE = "duplicate"
    OVERTAKEN = "overtaken"
    UNKNOWN_ID = "unknown_id"
    AMOUNT_DIFFERS = "amount_differs"
    CONFLICT = "conflict"
    BEFORE_DELIVERY = "before_delivery"
    OTHER_SERIAL = "other_serial"
    REJECTED_LINE = "rejected_line"
    BLANK = "blank"


TAKEN = frozenset({AnswerResult.ACCEPTED, AnswerResult.APPLIED, AnswerResult.REJECTED, AnswerResult.TAKEN_BACK})
"""What a line did that changed something."""
FOR_A_PERSON = frozenset(
    {
        *(AnswerResult.UNKNOWN_ID, AnswerResult.AMOUNT_DIFFERS, AnswerResult.CONFLICT),
        *(AnswerResult.BEFORE_DELIVERY, AnswerResult.OTHER_SERIAL, AnswerResult.REJECTED_LINE),
    }
)
"""What ought to be looked at, and but for one conflict changes nothing."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of one answer, with a reason where it changed nothing. `moved` is what it moved of the sums."""

    result: AnswerResult
    reason: str = ""
    moved: Moved | None = None


def credit_in(key: DecisionKey, benefits: int, entries: CreditEntries, identity: str) -> tuple[int, int] | None:
    """The place and the attempt of the credit with an id, of a decision that grants some benefits.

    None where no attempt so far has it.
    """
    for place in range(benefits):
        assigned = sum([one.kind is EntryKind.ASSIGNED and place in one.benefits for one in entries])
        for attempt in range(1, max(assigned, 1) + 1):  # each attempt is assigned at least once
            if credit_id(key, place, attempt) == identity:
                return place, attempt
    return None


def reversal_in(
    key: DecisionKey, benefits: Sequence[Benefit], entries: CreditEntries, identity: str
) -> tuple[int, Reversal] | None:
    """The reversal with an id, and the place of its benefit. None where none so far has it."""
    if not any(one.kind is EntryKind.REVERSAL_ASKED for one in entries):
        return None
    for place, benefit in enumerate(benefits):
        for one in standing(entries, place, worth_of(benefit)[1]).reversals:
            if credit_id(key, place, one.number, CreditType.REVERSAL) == identity:
                return place, one
    return None


def _left_out(entries: CreditEntries, place: int, size: Size, delivery: str) -> Size:
    """How much of a benefit was void when it was assigned to a delivery: its credit there was for the rest."""
    assigned = (
        number
        for number, one in enumerate(entries)
        if one.kind is EntryKind.ASSIGNED and one.delivery == delivery and place in one.benefits
    )
    return standing(entries[: next(assigned) + 1], place, size).left_out


class _About(NamedTuple):
    """What an answer is about: a credit, or a reversal where there is one. `number` is the attempt of the credit, or
    which reversal of its benefit it is; `deliveries` are those that it was assigned to.
    """

    place: int
    number: int
    deliveries: tuple[str, ...]
    reversal: Reversal | None = None

    @property
    def name(self) -> str:
        """What it is, for a reason."""
        return "credit" if self.reversal is None else "reversal"


@dataclass(slots=True)
class Hearing:
    """A decision while answers about it are heard: its entries as they were read, and as they become."""

    decision: Entry
    entries: CreditEntries
    benefits: tuple[Benefit, ...] = field(init=False)
    worths: tuple[tuple[str, Size], ...] = field(init=False)
    read: CreditEntries = field(init=False)

    def __post_init__(self) -> None:
        self.benefits = benefits_granted(self.decision, read_decision(self.decision.body))
        self.worths = tuple([worth_of(benefit) for benefit in self.benefits])
        self.read = self.entries

    @property
    def is_changed(self) -> bool:
        """Whether there is something to be written."""
        return self.entries != self.read

    def hear(self, answer: BillerAnswer, delivery: str, at: datetime, by: str, cause: str) -> Heard:
        """Take an answer to a delivery (`billing/12`). `cause` says which line of which file brought it.

        The same line again, after its writer died, is counted as it was counted first.
        """
        about = self._about(answer.credit_id)
        if about is None:
            return Heard(AnswerResult.UNKNOWN_ID, "no credit of this decision has the id")
        if not about.deliveries:
            return Heard(AnswerResult.BEFORE_DELIVERY, f"the {about.name} was not delivered yet")
        if delivery not in about.deliveries:
            return Heard(AnswerResult.OTHER_SERIAL, f"the {about.name} was delivered under another serial")
        place, reversal = about.place, about.reversal
        told = self._size(answer, place)
        is_whole = answer.kind is not EntryKind.APPLIED
        if answer.amount is not None and (told is None or (is_whole and told != self._sent(about, delivery))):
            return Heard(AnswerResult.AMOUNT_DIFFERS, f"the amount or its currency is not the {about.name}'s")
        kind = answer.kind if reversal is None else REVERSAL_ANSWERS[answer.kind]
        new = CreditEntry(
            kind=kind,
            at=at,
            by=by,
            id=usual_id(kind, answer.bill, delivery, about.number),
            benefits=(place,),
            cause=cause,
            delivery=delivery,
            attempt=about.number,
            amount=None if is_whole else told,
            bill=answer.bill,
            day=answer.day,
            code=answer.code,
        )
        return self._add(new, place, AnswerResult(answer.kind.value))

    def _about(self, identity: str) -> _About | None:
        """What was delivered with an id; None where nothing of the decision has it."""
        if credit := credit_in(self.decision.key, len(self.benefits), self.entries, identity):
            place, attempt = credit
            assigned = [one for one in self.entries if one.kind is EntryKind.ASSIGNED and place in one.benefits]
            return _About(place, attempt, tuple([one.delivery for one in assigned]))
        if found := reversal_in(self.decision.key, self.benefits, self.entries, identity):
            place, reversal = found
            return _About(place, reversal.number, (reversal.delivery,) if reversal.delivery else (), reversal)
        return None

    def _sent(self, about: _About, delivery: str) -> Size:
        """How much it was for in a delivery."""
        if about.reversal is not None:
            return about.reversal.size
        size = self.worths[about.place][1]
        return size - _left_out(self.entries, about.place, size, delivery)

    def _add(self, new: CreditEntry, place: int, taken: AnswerResult) -> Heard:
        before = self.entries
        adding = add_entry(before, new, {number: size for number, (_, size) in enumerate(self.worths)})
        match adding.result:
            case AddResult.ADDED:
                self.entries = adding.entries
                measure, size = self.worths[place]
                moved = moved_between(*adding.moved[place], measure, self.benefits[place].component, size)
                return _taken(new, adding.moved[place][0], taken, moved)
            case AddResult.ALREADY:
                at = next(number for number, one in enumerate(before) if one.id == new.id and place in one.benefits)
                if (before[at].by, before[at].cause) != (new.by, new.cause):
                    return Heard(AnswerResult.DUPLICATE)
                stood = standing(before[:at], place, self.worths[place][1])
                return _taken(new, stood, taken, moved_by(before, at, place, self.benefits[place]))
            case AddResult.OVERTAKEN:
                return Heard(AnswerResult.OVERTAKEN)
            case AddResult.CONFLICT | AddResult.FULL:
                differs = adding.reason.startswith("amount_exceeds")
                return Heard(AnswerResult.AMOUNT_DIFFERS if differs else AnswerResult.CONFLICT, adding.reason)

    def _size(self, answer: BillerAnswer, place: int) -> Size | None:
        """The amount of an answer as the credit's own is kept; None where it is in another measure, or a part of it."""
        measure, size = self.worths[place]
        if answer.amount is None or answer.measure != measure:
            return None
        numerator, denominator = answer.amount.as_integer_ratio()
        if self.benefits[place].money is not None:
            minor, rest = divmod(numerator * 10 ** minor_units(measure), denominator)
            return None if rest else minor
        told = Decimal(numerator) / Decimal(denominator)
        return told if isinstance(size, Decimal) and Fraction(told) == answer.amount else None


def _taken(new: CreditEntry, stood: Standing, taken: AnswerResult, moved: Moved) -> Heard:
    """What became of an answer that stands now: one that contradicts an earlier one is a conflict all the same."""
    why = contradiction(stood, new)
    return Heard(AnswerResult.CONFLICT if why else taken, why, moved)
