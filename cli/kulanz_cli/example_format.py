"""What a worked example may look like. Whatever it states is compared or refused, and it states something.

Words for people are welcome in the example, in ``expected`` and in its units, under the names that stand here. A name
that is neither compared nor one of these is an error, because a misspelt one would be left out in silence.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from kulanz.domain.time import TimeError, parse_instant

ENTRIES = ("id", "rule", "account", "incident", "expected", "earlier", "past", "reading")
PAST_ENTRIES = ("incident", "account", "expected")
PAST_AT_MOST = 100
"""Incidents before the one that an example is about."""
STATED = ("outcome", "mode", "money", "units", "due_now")
FOR_PEOPLE = ("information", "reason", "derivation", "provenance", "source", "sources", "note", "notes", "comment")
OUTCOMES = ("entitled", "none", "held", "referred")
MODES = ("automatic", "claim", "offer")
UNIT_STATED = (
    "quantity", "unit", "choice", "valid_from", "expires_at", "from", "to", "validity", "per", "cycles", "restriction",
)  # fmt: skip
UNIT_FOR_PEOPLE = (*FOR_PEOPLE, "service", "services", "scope", "qualifier", "when")
ALIKE = 0.8
"""How alike a name must be to a known one to be taken for a misspelling of it (0 to 1)."""


class ExampleError(ValueError):
    """An example that cannot be compared: where, and what is expected there."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")


def check_example(example: Mapping[str, Any]) -> None:
    """Check that everything an example states can be compared, and that it states something."""
    for name in example:
        if name not in ENTRIES and (meant := misspelt(name, ENTRIES)):
            raise ExampleError(name, f"unknown entry; did you mean {meant!r}?")
    check_inputs(example)
    for index, entry in enumerate(_listed(example.get("earlier", []), "earlier")):
        _only(_mapping(entry, f"earlier[{index}]"), f"earlier[{index}]", ("money", *FOR_PEOPLE))
        _check_money(entry.get("money"), f"earlier[{index}].money")
    if "expected" not in example:
        raise ExampleError("expected", "say what is expected; an example without it tests nothing")
    _check_expected(_mapping(example["expected"], "expected"), "expected", "earlier" in example)
    for index, before in enumerate(example.get("past", ())):
        where = f"past[{index}].expected"
        if "expected" in before:
            _check_expected(_mapping(before["expected"], where), where, after_earlier=False)


def check_inputs(example: Mapping[str, Any]) -> None:
    """Check the shape of account, incident and past; the types of facts are checked when they are read."""
    _check_case(example, "")
    past = _listed(example.get("past", []), "past")
    if len(past) > PAST_AT_MOST:
        raise ExampleError("past", f"at most {PAST_AT_MOST} earlier incidents; state what is kept of them instead")
    for index, before in enumerate(past):
        where = f"past[{index}]"
        _only(_mapping(before, where), where, (*PAST_ENTRIES, *FOR_PEOPLE))
        if "incident" not in before:
            raise ExampleError(f"{where}.incident", "say what happened; its decision adds to what is kept")
        _check_case(before, f"{where}.")


def _check_case(entries: Mapping[str, Any], where: str) -> None:
    for name in ("account", "incident"):
        _mapping(entries.get(name, {}), f"{where}{name}")
    _check_windows(entries.get("incident", {}).get("windows", []), f"{where}incident.windows")


def misspelt(name: str, known: Iterable[str]) -> str:
    """Give the known name that a name was probably meant to be; nothing where none is alike."""
    plain = {word.casefold(): word for word in known}
    close = get_close_matches(name.casefold(), plain, n=1, cutoff=ALIKE)
    return plain[close[0]] if close else ""


def _check_expected(expected: Mapping[str, Any], place: str, after_earlier: bool) -> None:
    _only(expected, place, (*STATED, *FOR_PEOPLE))
    if not any(name in expected for name in STATED):
        raise ExampleError(place, f"say at least one of {', '.join(STATED)}; without it nothing is compared")
    for name, words in (("outcome", OUTCOMES), ("mode", MODES)):
        if name in expected and expected[name] not in words:
            raise ExampleError(f"{place}.{name}", f"expected one of {', '.join(words)}")
    if "due_now" in expected and not after_earlier:
        raise ExampleError(f"{place}.due_now", "say under `earlier` what was granted before ([] for nothing)")
    for name in ("money", "due_now"):
        if name in expected:
            _check_money(expected[name], f"{place}.{name}")
    for index, unit in enumerate(_listed(expected.get("units", []), f"{place}.units")):
        where = f"{place}.units[{index}]"
        _only(_mapping(unit, where), where, (*UNIT_STATED, *UNIT_FOR_PEOPLE))
        if not any(name in unit for name in UNIT_STATED):
            raise ExampleError(where, f"say at least one of {', '.join(UNIT_STATED)}")


def _check_money(money: Any, where: str) -> None:
    for index, item in enumerate(_listed(money, where)):
        if not isinstance(item, dict) or set(item) != {"amount", "currency"}:
            raise ExampleError(
                f"{where}[{index}]", 'expected an amount and a currency: {"amount": "5.00", "currency": "EUR"}'
            )


def _check_windows(windows: Any, place: str) -> None:
    for index, window in enumerate(_listed(windows, place)):
        where = f"{place}[{index}]"
        if not isinstance(window, dict) or not {"start"} <= set(window) <= {"start", "end"}:
            raise ExampleError(where, "expected a start and an end, and nothing else; one that still lasts has no end")
        try:
            start = parse_instant(str(window["start"]))
            end = parse_instant(str(window["end"])) if window.get("end") is not None else None
        except TimeError as error:
            raise ExampleError(where, str(error)) from None
        if end is not None and end <= start:
            raise ExampleError(where, "it must end after it starts")


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ExampleError(where, "expected names and values in braces")
    return value


def _listed(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise ExampleError(where, "expected a list in brackets")
    return value


def _only(entries: Mapping[str, Any], where: str, known: tuple[str, ...]) -> None:
    for name in entries:
        if name not in known:
            meant = misspelt(name, known)
            advice = f"did you mean {meant!r}?" if meant else f"known: {', '.join(known)}"
            raise ExampleError(f"{where}.{name}", f"this cannot be compared; {advice}")
