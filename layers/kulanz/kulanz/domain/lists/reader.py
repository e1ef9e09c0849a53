"""The reader of a list's lines, by the format of the list."""

from collections.abc import Sequence
from datetime import datetime

from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.csv_rows import csv_reader
from kulanz.domain.lists.header import ListFormat, ListLayout
from kulanz.domain.lists.jsonl_rows import jsonl_reader
from kulanz.domain.lists.rows import LineReader


def line_reader(
    layout: ListLayout,
    facts: Sequence[FactDeclaration],
    subject_column: str | None,
    ignored: Sequence[str],
    own_columns: Sequence[str] = (),
    now: datetime | None = None,
) -> LineReader:
    """The reader of a list's lines for the facts a policy reads; built once per run.

    `ignored` are the columns, or names of records, that are meant to be read by nobody.
    `own_columns` are OWN_COLUMNS where rows are decided: a record that nearly names one is wrong. The columns of a CSV
    list are looked at once, when it is opened. `now` is when rows are decided; None where that does not matter.
    """
    if layout.format is ListFormat.CSV:
        return csv_reader(layout, facts, subject_column, ignored, now)
    return jsonl_reader(layout, facts, subject_column, ignored, own_columns, now)
