"""Columns of a list that nobody reads, and what they may mean: a name misspelt that is read, or another currency.

A column that a policy does not read is ignored, which is right for most and costs money for some. A name that nearly is
one the policy reads would let the fact's default count. A name that nearly is the biller's account would let a credit
be booked on a guessed one. A currency that nobody reads may be another than is paid.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from kulanz.domain.decision import Decision
from kulanz.domain.lists.cells import clean
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.former_ids import FORMER_COLUMNS, FORMER_OTHERWISE, WITHOUT_FORMER
from kulanz.domain.lists.header import ACCOUNT_COLUMN, ListFormat, ListLayout
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.lists.near_names import are_words_of_one, is_slip, leaf_of, plain_name, rests_of, words_of
from kulanz.domain.lists.to_bill import TO_BILL_COLUMNS, TO_BILL_OTHERWISE, WITHOUT_TO_BILL
from kulanz.domain.money import is_currency, may_mean

OWN_COLUMNS = (*TO_BILL_COLUMNS, *FORMER_COLUMNS)
"""Columns that no policy reads, and Kulanz does: what a row says of the bill, and of the account's former id."""
_OTHERWISE = {**TO_BILL_OTHERWISE, **FORMER_OTHERWISE}
WITHOUT_OWN = {**WITHOUT_TO_BILL, **WITHOUT_FORMER}
SHAPES_REMEMBERED = 1_000
"""Different sets of names of JSON records, of which is remembered what each nearly names."""
_CURRENCY_NAMES = (
    "currency", "currencies", "ccy", "waehrung", "waers", "devise", "moneda", "divisa", "valuta", "moeda", "waluta",
    "parabirimi", "iso4217", "валюта", "通貨", "通货", "货币", "貨幣", "통화",
)  # fmt: skip
_CURRENCY_WORDS = frozenset(("cur", "curr", "wkz", "mena"))


def nearly_named(
    columns: Iterable[str], facts: Sequence[FactDeclaration], subject: str | None, own: Sequence[str] = ()
) -> Iterator[tuple[str, str]]:
    """The columns that nothing reads, each beside the absent fact, or column of `own`, whose name it nearly has.

    `own` is OWN_COLUMNS where rows are decided: other lists, such as a biller's answers, have no such columns.
    """
    known = list(columns)
    read = {ACCOUNT_COLUMN, subject or "", *(fact.name for fact in facts), *own}
    absent = [name for name in dict.fromkeys([*(fact.name for fact in facts), *own]) if name not in known]
    unread = [column for column in known if column not in read]
    if not (absent and unread):
        return
    by_rest, by_word = _by_rest(absent), _by_word([name for name in absent if name not in own])
    plain_of = {name: [plain_name(written) for written in _written(name)] for name in absent}
    words_by_name = {name: () if name in own else words_of(name) for name in absent}
    longest = max(map(len, by_rest))
    for column in unread:
        plain, words, leaf = plain_name(column), words_of(column), leaf_of(column)
        rests = rests_of(plain) if len(plain) <= longest + 1 else ()
        shared = Counter(name for word in set(words) for name in by_word.get(word, ()))
        near = {name for rest in (*rests, leaf) for name in by_rest.get(rest, ())}
        near.update(name for name, times in shared.items() if times + 1 >= min(len(words), len(words_by_name[name])))
        for name in absent:
            # Of our own columns all names are known, so that words say nothing: `billing_account_status`.
            is_own = name in own
            if name in near and (
                any(is_slip(plain, one) for one in plain_of[name])
                or (not is_own and (leaf == plain_of[name][0] or are_words_of_one(words, words_by_name[name])))
            ):
                yield column, name


def _by_rest(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by what is left of them, so that a record of thousands of names is compared with few facts for each."""
    found: dict[str, list[str]] = {}
    for name in names:
        for rest in {rest for written in _written(name) for rest in rests_of(plain_name(written))}:
            found.setdefault(rest, []).append(name)
    return found


def _by_word(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by each of their words."""
    found: dict[str, list[str]] = {}
    for name in names:
        for word in set(words_of(name)):
            found.setdefault(word, []).append(name)
    return found


def _written(name: str) -> tuple[str, ...]:
    """A name, and what else lists call it; a policy's facts are called by their own names alone."""
    return (name, *_OTHERWISE.get(name, ()))


def names_in(layout: ListLayout, lines: Iterable[bytes]) -> list[str]:
    """The names of a list's columns; of JSONL, those of the records in `lines`, `a.b` for what is nested."""
    if layout.format is ListFormat.CSV:
        return list(layout.columns)
    found: dict[str, None] = {}
    for raw in lines:
        try:
            record = json.loads(raw)
        except (ValueError, RecursionError):
            continue  # told as the line's own problem, when it is read
        if isinstance(record, dict):
            found |= dict.fromkeys(path for path, _ in entries_of(record))
    return list(found)


def entries_of(record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The names and values of a record of JSON, `a.b` for what is nested, however deep: it never recurses."""
    open_ = [("", iter(record.items()))]
    while open_:
        before, entries = open_[-1]
        for name, value in entries:
            if isinstance(value, dict):
                open_.append((f"{before}{name}.", iter(value.items())))
                break
            yield f"{before}{name}", value
        else:
            open_.pop()


def near_misses(
    facts: Sequence[FactDeclaration], subject: str | None, ignored: Iterable[str], own: Sequence[str] = ()
) -> Callable[[dict[str, Any], bool], tuple[str, ...]]:
    """What gives the names that a record of JSONL lacks and nearly has: those of facts, and of `own`.

    The second argument of what is given says whether the record is nested.

    Records have names of their own, so each is looked at; those with the same names only once, and fastest where the
    record before had the same ones in the same order, as exports write them.
    """
    meant = set(ignored)
    remembered: dict[tuple[str, ...], tuple[str, ...]] = {}
    last: tuple[str, ...] | None = None
    of_last: tuple[str, ...] = ()

    def of(record: dict[str, Any], is_nested: bool) -> tuple[str, ...]:
        nonlocal last, of_last
        names = tuple([path for path, _ in entries_of(record)]) if is_nested else tuple(record)
        if names == last:
            return of_last
        found = remembered.get(names)
        if found is None:
            if len(remembered) >= SHAPES_REMEMBERED:
                remembered.clear()
            near = (name for column, name in nearly_named(names, facts, subject, own) if column not in meant)
            found = remembered[names] = tuple(dict.fromkeys(near))
        last, of_last = names, found
        return found

    return of


def must_not_nearly_name(
    names: Iterable[str],
    facts: Sequence[FactDeclaration],
    subject: str | None,
    ignored: Iterable[str],
    own: Sequence[str] = (),
) -> None:
    """Refuse a list with a column whose name nearly is that of an absent fact, or of a column of `own`.

    Raises ListRefused naming both.
    """
    meant = set(ignored)
    found = [(column, name) for column, name in nearly_named(names, facts, subject, own) if column not in meant]
    if found:
        column, name = found[0]
        is_fact = any(fact.name == name for fact in facts)
        lacking = (
            f"the policy's {name!r} is not there, so its default would count"
            if is_fact
            else f"the list has no {name!r}, so {WITHOUT_OWN[name]}"
        )
        raise ListRefused(
            "column_nearly_named",
            f"nothing reads the column {column!r}, and {lacking}; rename the column, or name it in"
            " campaign.ignored_columns of the event if it is meant",
        )


def unread_currency(facts: Sequence[FactDeclaration], ignored: Iterable[str]) -> Callable[[str], bool]:
    """What tells by its name a column that states a currency, and that nobody reads or is said to be meant so."""
    read = {fact.name for fact in facts} | set(ignored)
    return lambda name: name not in read and names_currency(name)


def other_currency(rows: int) -> str:
    """Why a list is refused as a whole, `rows` of which state another currency than they would be paid."""
    return (
        f"currency_differs: rows that would be paid in another currency than their own column says: {rows}; let the"
        " policy read that column, or name it in campaign.ignored_columns of the event"
    )


def in_other_currency(decision: Decision, stated: Iterable[str]) -> bool:
    """Whether a decision gives money and a cell of its row states another currency, as an ISO 4217 code."""
    paid = {benefit.money.currency for benefit in decision.benefits if benefit.money is not None}
    return bool(paid) and any(_is_other(clean(cell), paid) for cell in stated)


def _is_other(cell: str, paid: Collection[str]) -> bool:
    """Whether a cell states a currency, by its code or its sign, that is none of some."""
    if is_currency(code := cell.upper()):
        return code not in paid
    return not any(may_mean(cell, currency) for currency in paid)


def names_currency(name: str) -> bool:
    """Whether a column's name says that it holds a currency."""
    plain = plain_name(name)
    return any(word in plain for word in _CURRENCY_NAMES) or not _CURRENCY_WORDS.isdisjoint(words_of(name))
