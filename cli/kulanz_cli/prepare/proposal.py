"""Proposes the profile of an export: what a file has, what each column would become, and what nobody can know from it.

Nothing is guessed silently. What every value of a column confirms is proposed and shown; what some values could be read
as in two ways is a question, and without its answer there is no profile.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

from kulanz.domain.lists.account_ids import read_id
from kulanz.domain.lists.cells import YES_NO, clean, no_value_words
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import INVALID, LIST_TYPES, FactError
from kulanz.domain.lists.former_ids import FORMER_COLUMNS
from kulanz.domain.lists.header import ACCOUNT_COLUMN
from kulanz.domain.lists.header_advice import ACCOUNT_NAMES
from kulanz.domain.lists.near_names import is_nearly
from kulanz.domain.lists.to_bill import TO_BILL_COLUMNS
from kulanz.domain.lists.unread_columns import names_currency
from kulanz.domain.money import CURRENCY_SIGNS, is_currency, may_mean, minor_units
from kulanz.domain.policy import CompiledPolicy
from kulanz_cli.prepare.cells import DAY, EXACT, INSTANT, LOCAL, NUMBER, YES_OR_NO
from kulanz_cli.prepare.opening import open_source
from kulanz_cli.prepare.profile import PROFILE_VERSION, Profile, marks_negative, needed, profile_from
from kulanz_cli.prepare.question import Question
from kulanz_cli.prepare.sniffing import sniffed
from kulanz_cli.terminal import counted_as

SAMPLE_ROWS = 50_000
"""Rows whose cells are looked at."""
WORDS_ASKED = 20
"""Words of a column that are asked for one by one; with more of them it is another column."""
EPOCH_DIGITS = {10: "epoch", 13: "epoch_ms", 16: "epoch_us", 19: "epoch_ns"}
_DAYS = (
    "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y%m%d", "%d.%m.%y",
    "%m/%d/%y", "%d/%m/%y", "%d %b %Y", "%b %d, %Y", "%d-%b-%Y",
)  # fmt: skip
_CLOCKS = (" %H:%M", " %H:%M:%S", "T%H:%M:%S", ", %H:%M", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S.%f")
_WORDS = (
    ("true", "false"), ("yes", "no"), ("ja", "nein"), ("wahr", "falsch"), ("oui", "non"), ("vrai", "faux"),
    ("sí", "no"), ("si", "no"), ("y", "n"), ("j", "n"), ("t", "f"), ("1", "0"),
)  # fmt: skip
"""What tools write for yes and no, in any case."""
_AMOUNT = re.compile(r"([^\d+\-.,'\s]*)\s*([+-]?[\d.,'\s\xa0\u202f]*\d)\s*([^\d.,\s]*)")

type Answers = Mapping[str, str]


@dataclass(slots=True)
class Proposal:
    """A profile as plain data, what was found of the file and of each column, and the questions that are open."""

    content: dict[str, Any]
    columns: list[tuple[str, str, str]] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    file: str = ""

    def profile(self) -> Profile:
        """The profile. Raises PolicyError."""
        return profile_from(self.content)


def propose(path: Path, name: str, policy: CompiledPolicy, answers: Answers) -> Proposal:
    """A profile for a file and a policy, with the answers that were given so far. Raises InputUnusable."""
    wanted = [ACCOUNT_COLUMN, *([policy.subject] if policy.subject else []), *(fact.name for fact in policy.facts)]
    found, questions = sniffed(path, wanted, answers)
    found_text = _file_text(found)
    content = {"kulanz": PROFILE_VERSION, "profile": name, "title": f"Exports such as {path.name}", **found}
    proposal = Proposal(content, questions=questions, file=found_text)
    if questions:  # nothing can be said of columns before
        return proposal
    names, samples = _sampled(path, content)
    columns = _mapped(names, wanted, set(needed(policy)), answers, proposal)
    facts = {fact.name: fact for fact in policy.facts}
    fields: list[dict[str, Any]] = []
    for one, column in columns.items():
        source = {} if column == one else {"from": int(column) if not _has_header(content) else column}
        stated = _stated(one, samples[column], facts.get(one), answers, proposal)
        fields.append({"name": one, **source, **stated})
    for column in names:
        if column in columns.values():
            continue
        if _has_header(content) and names_currency(column):
            fields.append({"name": column})
            proposal.columns.append((column, f"column {column!r}", "kept: a plan compares currencies"))
        elif _has_header(content) and column in TO_BILL_COLUMNS:
            fields.append({"name": column})
            proposal.columns.append((column, f"column {column!r}", "kept: a credit needs it on its way to the bill"))
        elif _has_header(content) and column in FORMER_COLUMNS:
            fields.append({"name": column})
            proposal.columns.append((column, f"column {column!r}", "kept: it says that an account had another id"))
        else:
            proposal.left_out.append(column)
    content["schema"] = {"fields": fields}
    return proposal


def _file_text(found: Mapping[str, Any]) -> str:
    """What was found of a file as a whole, where it is not the usual: a person sees at once when it is wrong."""
    dialect = found.get("dialect", {})
    footer = found.get("footer", {}).get("rows", 0)
    parts = [
        found.get("encoding", ""),
        f"sheet {dialect['sheetName']}" if "sheetName" in dialect else "",
        f"columns separated by {dialect['delimiter']!r}" if "delimiter" in dialect else "",
        "no header" if not dialect.get("header", True) else "",
        f"header in line {dialect['headerRows'][0]}" if "headerRows" in dialect else "",
        f"{counted_as(footer, 'row')} of footer" if footer else "",
    ]
    return ", ".join(filter(None, parts))


def _has_header(content: Mapping[str, Any]) -> bool:
    return bool(content.get("dialect", {}).get("header", True))


def _sampled(path: Path, content: Mapping[str, Any]) -> tuple[list[str], dict[str, "Counter[str]"]]:
    """The columns of a file, and the different cells of each in its first rows."""
    has_header = _has_header(content)
    draft = profile_from({**content, "schema": {"fields": [{"name": "any", "from": "any" if has_header else 1}]}})
    source = open_source(path, draft, lambda _: None)
    names = [one for one in source.names if one]
    wanted: list[str | int] = list(names) if has_header else [int(one) for one in names]
    samples: dict[str, Counter[str]] = {one: Counter() for one in names}
    rows = 0
    for batch in source.batches(list(dict.fromkeys(wanted))):
        for one, cells in zip(dict.fromkeys(names), batch.columns, strict=True):
            samples[one].update(cells)
        rows += len(batch.lines)
        if rows >= SAMPLE_ROWS:
            break
    return names, samples


def _mapped(
    names: Sequence[str], wanted: Sequence[str], required: set[str], answers: Answers, proposal: Proposal
) -> dict[str, str]:
    """The column of the file for each column of the list. A name that only resembles one is asked for."""
    found: dict[str, str] = {}
    for one in wanted:
        answer = answers.get(f"{one}.from")
        if answer is not None:
            if answer in names:
                found[one] = answer
                continue
            if not answer and one not in required:
                continue
        same = [name for name in names if _plain(name) == _plain(one)]
        if len(same) == 1 and answer is None:
            found[one] = same[0]
            continue
        near = [name for name in names if is_nearly(name, one) or (one == ACCOUNT_COLUMN and _is_account(name))]
        if one in required or near:
            text = f"which column has {one}" + ("" if one in required else " (an empty answer: none)")
            proposal.questions.append(Question(f"{one}.from", text, near or names))
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]+", "", name).casefold()


def _is_account(name: str) -> bool:
    return _plain(name) in {_plain(one) for one in ACCOUNT_NAMES}


def _stated(
    name: str, sample: "Counter[str]", fact: FactDeclaration | None, answers: Answers, proposal: Proposal
) -> dict[str, Any]:
    """What a field has to state beside its name; what is found and what it becomes is noted."""
    empty = no_value_words(() if fact is None else fact.choices)
    values = [one for one in sample if clean(one) not in empty]
    unknown = sum(times for one, times in sample.items() if clean(one) in empty)
    asker = _Asker(name, answers, proposal)
    if fact is None:
        wrong = sum(times for one, times in sample.items() if not isinstance(read_id(_bare(one)), str))
        stated: dict[str, Any] = {}
        becomes = f"an id; {counted_as(wrong, 'row')} would be rejected" if wrong else "an id"
    else:
        stated, becomes = _for_fact(values, fact, asker)
    has = f"{counted_as(len(values), 'different value')}, {unknown:,} empty"
    proposal.columns.append((name, has, becomes))
    return stated


def _bare(cell: str) -> str:
    return cell[2:] if cell.startswith(EXACT) else cell


@dataclass(slots=True)
class _Asker:
    """The questions about one column, and their answers."""

    column: str
    answers: Answers
    proposal: Proposal

    def ask(self, key: str, text: str, choices: Sequence[str] = ()) -> str | None:
        """The answer; None where it is open, and then it is a question of the proposal."""
        whole = f"{self.column}.{key}"
        answer = self.answers.get(whole)
        if answer is not None and (not choices or answer in choices):
            return answer
        self.proposal.questions.append(Question(whole, f"{self.column}: {text}", choices))
        return None


def _for_fact(  # noqa: PLR0911 (one return per type)
    values: Sequence[str], fact: FactDeclaration, asker: _Asker
) -> tuple[dict[str, Any], str]:
    match fact.type:
        case "money" | "number":
            return _numbers(values, fact, asker)
        case "yes_no":
            return _yes_no(values, asker)
        case "day":
            return _days(values, fact, asker)
        case "instant":
            return _instants(values, fact, asker)
        case "text" if fact.choices:
            return _choices(values, fact, asker)
        case type_ if type_ in LIST_TYPES:
            return _lists(values, fact, asker)
        case _:
            return {}, "as it is"


def _is_read(value: str, fact: FactDeclaration) -> bool:
    try:
        return fact.parse_text(value) is not INVALID
    except FactError:
        return False


def _numbers(values: Sequence[str], fact: FactDeclaration, asker: _Asker) -> tuple[dict[str, Any], str]:
    texts = [one for one in values if not one.startswith(EXACT)]
    amounts = [found for one in texts if (found := _AMOUNT.fullmatch(clean(one)))]
    symbols = sorted({affix for found in amounts for affix in (found[1], found[3]) if affix})
    stated: dict[str, Any] = {"symbols": symbols} if symbols else {}
    negative = [one for one in symbols if marks_negative(one, fact.currency)]
    if negative:
        asker.ask("from", f"{negative[0]} beside numbers may make them negative: write -5.00, or name another column")
        return {}, "open"
    foreign = [one for one in symbols if fact.currency and not may_mean(one, fact.currency)]
    if foreign:
        text = f"amounts have the sign {foreign[0]}, and the policy pays {fact.currency}: name another column"
        asker.ask("from", text)
        return stated, "open"
    if not _are_signs(symbols, amounts, fact) and not asker.ask("symbols", f"{', '.join(symbols)} {_ASKED}", _ALONE):
        return stated, "open"
    marks = _marks([clean(found[2]) for found in amounts], asker)
    if marks is None:
        return stated, "open"
    decimal, group = marks
    stated |= ({"decimalChar": decimal} if decimal else {}) | ({"groupChar": group} if group else {})
    is_typed = bool(values) and not texts
    shown = f"decimals behind {decimal!r}" if decimal else "numbers, as they are" if is_typed else "whole numbers"
    shown += f", thousands divided by {group!r}" if group else ""
    whole = not decimal and all("." not in one for one in values if one.startswith(NUMBER))
    if fact.type == "money" and whole and values and minor_units(fact.currency):
        unit = asker.ask(
            "unit", f"whole numbers: are they {fact.currency} (major) or cents (minor)", ("major", "minor")
        )
        if unit is None:
            return stated, "open"
        stated |= {"unit": unit} if unit == "minor" else {}
        shown += f", in {unit} units"
    return stated, shown


_ALONE = ("signs",)
_ASKED = "beside numbers: are these signs alone, so that 5 k is 5"


def _are_signs(symbols: Sequence[str], amounts: Sequence[re.Match[str]], fact: FactDeclaration) -> bool:
    """Whether what stands beside numbers surely changes none: the currency's own signs, or one unit beside them all."""
    if fact.currency:
        return all(is_currency(one) or one in CURRENCY_SIGNS for one in symbols)
    return not symbols or (len(symbols) == 1 and all(found[1] or found[3] for found in amounts))


def _marks(texts: Sequence[str], asker: _Asker) -> tuple[str, str] | None:
    """The decimal mark and the mark between thousands of some numbers; None where that is open."""
    decimals: set[str] = set()
    groups: set[str] = set()
    is_open = False
    for text in texts:
        marks = [letter for letter in text if not letter.isdecimal() and letter not in "+-"]
        kinds = list(dict.fromkeys(marks))
        if not kinds:
            continue
        last = kinds[-1]
        behind = len(text.rpartition(last)[2])
        before = text.lstrip("+-").partition(last)[0]
        if len(kinds) > 1:
            groups.update(kinds[:-1])
            decimals.add(last)
        elif marks.count(last) > 1 or last not in ".,":
            groups.add(last)
        elif behind != 3 or len(before) > 3 or before.startswith("0"):  # noqa: PLR2004 (the digits of thousands)
            decimals.add(last)
        else:
            is_open = True
    is_contradicted = len(decimals) > 1 or len(groups) > 1 or bool(decimals & groups)
    if is_contradicted or (is_open and not decimals):
        text = "is 1.234 or 1,234 a thousand? Name the decimal mark"
        answer = asker.ask("decimalChar", text, (".", ","))
        if answer is None:
            return None
        decimals = {answer}
        groups = (groups | ({".", ","} if is_open else set())) - decimals
        groups = {one for one in groups if any(one in text for text in texts)}
    return next(iter(decimals), ""), next(iter(groups), "")


def _yes_no(values: Sequence[str], asker: _Asker) -> tuple[dict[str, Any], str]:
    words = sorted({clean(_bare(one)) for one in values if not one.startswith(YES_OR_NO)})
    if all(word in YES_NO for word in words):
        return {}, "yes or no, as it is"
    for yes, no in _WORDS:
        if {word.casefold() for word in words} <= {yes, no}:
            true = [word for word in words if word.casefold() == yes] or [yes]
            false = [word for word in words if word.casefold() == no] or [no]
            return {"trueValues": true, "falseValues": false}, f"{', '.join(true)}: yes; {', '.join(false)}: no"
    true_ = asker.ask("trueValues", "the words for yes, with commas between them")
    false_ = asker.ask("falseValues", "the words for no, with commas between them")
    if true_ is None or false_ is None:
        return {}, "open"
    return {"trueValues": true_.split(","), "falseValues": false_.split(",")}, f"{true_}: yes; {false_}: no"


def _days(values: Sequence[str], fact: FactDeclaration, asker: _Asker) -> tuple[dict[str, Any], str]:
    texts = [clean(one) for one in values if not one.startswith((DAY, LOCAL))]
    if all(_is_read(one, fact) for one in texts):
        return {}, "days, as they are"
    return _by_format(texts, _DAYS, asker, "days")


def _by_format(texts: Sequence[str], formats: Sequence[str], asker: _Asker, what: str) -> tuple[dict[str, Any], str]:
    """The one format that all values have; several, or none, are a question."""
    fitting = [one for one in formats if all(_fits(text, one) for text in texts)]
    if len(fitting) == 1:
        return {"format": fitting[0]}, f"{what} as {fitting[0]}"
    text = "the order of day and month" if fitting else f"how {what} are written, as a format of strptime"
    answer = asker.ask("format", text, fitting)
    return ({}, "open") if answer is None else ({"format": answer}, f"{what} as {answer}")


def _fits(text: str, format_: str) -> bool:
    try:
        datetime.strptime(text, format_)  # noqa: DTZ007 (only whether it can be read)
    except ValueError:
        return False
    return True


def _instants(values: Sequence[str], fact: FactDeclaration, asker: _Asker) -> tuple[dict[str, Any], str]:
    texts = [clean(_bare(one)) for one in values if not one.startswith((INSTANT, LOCAL))]
    is_local = any(one.startswith(LOCAL) for one in values)
    stated: dict[str, Any] = {}
    shown = "instants, as they are"
    if not all(_is_read(one, fact) for one in texts):
        epochs = {EPOCH_DIGITS.get(len(one)) for one in texts if one.isdecimal()}
        if len(epochs) == 1 and None not in epochs and all(one.isdecimal() for one in texts):
            answer = asker.ask("format", "numbers: do they count time since 1970", tuple(map(str, epochs)))
            return ({}, "open") if answer is None else ({"format": answer}, "instants, counted since 1970")
        is_iso = all(_is_local_iso(one) for one in texts)
        if not is_iso:
            formats = [day + clock for day, clock in product(_DAYS, _CLOCKS)]
            stated, shown = _by_format(texts, formats, asker, "times")
        is_local = is_local or is_iso or "%z" not in stated.get("format", "%z")
    if is_local:
        zone = asker.ask("timezone", "times without an offset: of which clock, such as Europe/Berlin")
        if zone is None:
            return stated, "open"
        stated["timezone"] = zone
        shown = f"{shown}, by the clock of {zone}"
    return stated, shown


def _is_local_iso(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        return False


def _choices(values: Sequence[str], fact: FactDeclaration, asker: _Asker) -> tuple[dict[str, Any], str]:
    words = sorted({clean(_bare(one)) for one in values})
    known = {clean(choice): choice for choice in fact.choices}
    if all(word in known for word in words):
        return {}, f"one of {', '.join(fact.choices)}"
    alike = {_plain(choice): choice for choice in fact.choices}  # "Past Due" for past_due
    if len(alike) < len(fact.choices):
        alike = {}
    if len(words) > WORDS_ASKED:
        asker.ask("from", f"the column has over {WORDS_ASKED} words, the policy's choices are few: name another column")
        return {}, "open"
    meant: dict[str, str] = {}
    for word in words:
        found = known.get(word) or alike.get(_plain(word))
        found = found or asker.ask(f"values.{word}", f"which choice is {word!r}", fact.choices)
        if found is not None:
            meant[word] = found
    if len(meant) < len(words):
        return {}, "open"
    return {"values": meant}, "; ".join(f"{word}: {choice}" for word, choice in meant.items())


def _lists(values: Sequence[str], fact: FactDeclaration, asker: _Asker) -> tuple[dict[str, Any], str]:
    texts = [one for one in values if not one.startswith(EXACT) and one[:1] not in "[{"]
    if fact.separator or any("|" in one for one in texts):
        return {}, "a list, as it is"
    used = [mark for mark in (",", ";") if any(mark in one for one in texts)]
    if not used:
        return {}, "a list of one"
    answer = asker.ask("delimiter", "several values, or one with a mark in it? Name what separates them", (*used, "|"))
    return ({}, "open") if answer is None else ({"delimiter": answer}, f"a list, separated by {answer!r}")


def answered(pairs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Answers as they are written on the command line, KEY=VALUE. Raises ValueError."""
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ValueError("an answer is written KEY=VALUE")
        yield key, value
