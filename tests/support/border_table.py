"""What the border knows by heart: the words, dates and spellings that it reads, and how much it takes.

A word that is lost here is a customer called NULL, and a limit that is moved lets through what it should stop. No rule
says them, so that no property can: they are written down, and read again by whoever changes one.
`python -m tests.support.border_table` writes them.
"""

import ast
from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from types import ModuleType

from kulanz.domain.lists import account_ids, cells, check_digits, header_advice, reasons, words
from kulanz.domain.policy.deciding import plausible

TABLE = Path(__file__).parents[1] / "unit" / "domain" / "lists" / "border.txt"
COMMAND = "python -m tests.support.border_table"
WIDTH_CHARACTERS = 110
MODULES = (
    *(f"kulanz.domain.lists.{name}" for name in (
        "account_ids", "cells", "columns", "header", "header_advice", "id_shape", "instants", "jsonl_rows", "lines",
        "manifest", "near_names", "to_bill", "unread_columns",
    )),
    *(f"kulanz.domain.campaigns.{name}" for name in ("amounts", "limits", "repeats", "same_outage")),
    *(f"kulanz.domain.policy.deciding.{name}" for name in ("plausible", "row_cost")),
    "kulanz.application.lists.check_list",
    "kulanz.application.incidents.incident_event",
    "kulanz.application.incidents.wrong_fields",
    *(f"kulanz.application.cases.{name}" for name in ("case", "sample_plan", "store", "waiting")),
    *(f"kulanz.application.campaigns.{name}" for name in (
        "advance_campaign", "apply_chunk", "chunk_run", "control_campaign", "dispatch_chunks", "filed_reads",
        "freeze_policy", "grant_credits", "open_campaign", "plan_chunk", "plausible_plan", "report", "review_plan",
        "same_outage", "stretch_run", "watch_open",
    )),
    *(f"kulanz.application.ledger.{name}" for name in ("answer", "committed", "settle_budgets")),
    *(f"kulanz.application.drafts.{name}" for name in ("follow_drafts", "receive_delivery", "waiting_long")),
    *(f"kulanz.application.{name}" for name in (
        "audit.read_log", "budgets.set_budget", "exports.ledger_rows", "exports.write_parts", "ports.errors",
        "ports.campaigns",
    )),
    "serve_console.kept",
    *(f"kulanz_cli.prepare.{name}" for name in (
        "cells", "command", "json_rows", "numbers", "parquet", "parts", "profile", "proposal", "propose", "report",
        "run", "sniffing", "sources", "text", "workbook",
    )),
    *(f"kulanz_cli.doctor.{name}" for name in ("clock", "command", "doors", "functions", "streams", "thorough")),
)  # fmt: skip


def table() -> str:
    """Every word and every limit, by where it stands."""
    return "\n".join([*_words(), *_limits()]) + "\n"


def _words() -> Iterator[str]:
    yield from _section("no value", words.NO_VALUE)
    yield from _section("no account, in any case", words.NULL_WORDS - {word.casefold() for word in words.NO_VALUE})
    yield from _section("true and false of spreadsheets", words.BOOLEAN_WORDS)
    yield from _section("totals and footers", words.TOTAL_WORDS)
    yield from _section("months", words.MONTHS)
    yield from _section("zones by habit", cells.ZONES_BY_HABIT)
    yield from _section("yes", (word for word, means in cells.YES_NO.items() if means))
    yield from _section("no", (word for word, means in cells.YES_NO.items() if not means))
    yield from _section("what is taken off edges", (f"U+{ord(one):04X}" for one in cells.EDGES))
    yield from _section("empty dates", (day.isoformat() for day in plausible.EMPTY_DATES))
    yield from _section("names of the account's column", header_advice.ACCOUNT_NAMES)
    yield from _section("separators", (f"{mark!r}: {name}" for mark, name in header_advice.SEPARATORS.items()))
    yield from _section("check digits", check_digits.CHECK_DIGITS)
    yield from _section("reasons of rejected rows", (reason.value for reason in reasons.RowReason))
    yield from _section("years of dates", (f"{account_ids.YEARS.start} to {account_ids.YEARS.stop - 1}",))


def _section(name: str, found: Iterable[str]) -> Iterator[str]:
    yield f"{name}:"
    line = " "
    for word in sorted(found):
        if len(line) + len(word) > WIDTH_CHARACTERS:
            yield line
            line = " "
        line += f" {word!r}"
    yield line


def _limits() -> Iterator[str]:
    for name in MODULES:
        module = import_module(name)
        own = dict(_constants(module))
        yield from (f"{name}.{constant} = {value}" for constant, value in sorted(own.items()))


def _constants(module: ModuleType) -> Iterator[tuple[str, object]]:
    """The numbers that a module itself names; those that it imports stand where they are named."""
    for statement in ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        for name in (node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)):
            value = getattr(module, name)
            if isinstance(value, int | float | Decimal | Fraction | timedelta) and not isinstance(value, bool):
                yield name, value


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
