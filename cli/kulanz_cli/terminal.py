"""Everything that a person reads is printed here: as plain text, within the width of the terminal.

Most of it comes from outside: titles of policies, reasons of operators, fields of refused events, names of files. None
of it is markup, and none of it reaches a terminal as a control or escape sequence. A word is never broken, so that an
id, a count, a time or a path can be read and copied whole; one that is wider than the terminal stands alone on a line.
"""

import json
import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from kulanz_console.drawing.text import counted_as, plain, plain_lines

__all__ = ["counted_as", "plain", "plain_lines"]
"""What a terminal and a page show alike, under the name that the commands know."""

PIPED_COLUMNS = 80
"""The width of a file or a pipe; `COLUMNS` states another."""
TEXT_COLUMNS = 100
"""Text is no wider than this on a wider terminal; tables take all of it."""
NAME_COLUMNS = 16
"""Of a name with its indentation, before a text that hangs behind it."""
NARROW_INDENT = 4
_GAP = "  "


def console(*, stderr: bool = False) -> Console:
    """A console for people; without colours, and the same on every machine, when it is no terminal."""
    found = Console(stderr=stderr)
    if found.is_terminal:
        return found
    stated = os.environ.get("COLUMNS", "")
    return Console(stderr=stderr, width=int(stated) if stated.isdecimal() and int(stated) else PIPED_COLUMNS)


def wrapped(text: str, width: int, *, codes: bool = False) -> list[str]:
    """The lines of a text in `width` cells, broken between words; between any two letters of a wide script.

    With `codes`, a word that is too long is broken after an underscore as well.
    """
    if cell_len(text) <= width:
        return [text]
    lines, line = [], ""
    for word, gap in _words(text, width, codes=codes):
        longer = f"{line}{gap}{word}" if line else word
        if line and cell_len(longer) > width:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


def _words(text: str, width: int, *, codes: bool) -> Iterator[tuple[str, str]]:
    """The pieces between which a text may be broken, each with what joins it to the piece before."""
    for word in filter(None, text.split(" ")):
        pieces = [word]
        if cell_len(word) > width and not word.isascii():
            pieces = list(word)
        elif cell_len(word) > width and codes:
            pieces = word.replace("_", "_ ").split(" ")
        yield pieces[0], " "
        yield from ((piece, "") for piece in pieces[1:])


def say(out: Console, text: object, style: str = "", *, indent: int = 0, further: int | None = None) -> None:
    """Print a paragraph, indented; its further lines by `further` where that is another."""
    deep = indent if further is None else further
    lines = wrapped(plain(text), max(1, _text_width(out) - max(indent, deep)))
    for number, line in enumerate(lines):
        _line(out, Text(" " * (deep if number else indent)).append(line, style=style))


def labelled(out: Console, name: str, text: object, *, columns: int = NAME_COLUMNS) -> None:
    """Print a name and a text whose further lines stand below its first; below the name, where a word needs the room.

    An empty name continues the one before.
    """
    written, label = plain(text), f"  {plain(name)}".ljust(columns - 1) + " "
    width = _text_width(out) - len(label)
    if max(map(cell_len, written.split(" "))) > width:
        if name:
            _line(out, Text(label.rstrip(), style="dim"))
        say(out, written, indent=NARROW_INDENT)
        return
    for number, line in enumerate(wrapped(written, width)):
        _line(out, Text.assemble((" " * len(label) if number else label, "dim"), line))


def command(out: Console, words: Sequence[str], *, indent: int = 2) -> None:
    """Print a command as it can be pasted; one that is too long goes on after a backslash."""
    line, room = " " * indent, out.width - len(" \\")
    for word in map(shlex.quote, map(plain, words)):
        longer = f"{line} {word}" if line.strip() else f"{line}{word}"
        if line.strip() and cell_len(longer) > room:
            _line(out, Text(f"{line} \\"))
            longer = " " * (indent + 4) + word
        line = longer
    _line(out, Text(line))


def block(out: Console, text: str, *, indent: int = 2) -> None:
    """Print lines as somebody wrote them, with their own indentation; one that is too long goes on below, deeper."""
    for line in plain_lines(text).split("\n"):
        own = indent + len(line) - len(line.lstrip(" "))
        say(out, line.strip(" "), indent=own, further=own + 4)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `is_number`: right-aligned. `spare`: given up where the table is too wide, highest first.

    `is_text`: broken between words, and after an underscore, where the table is too wide. `is_label`: names the row,
    and may stand above it.
    """

    name: str
    is_number: bool = False
    spare: int = 0
    is_text: bool = False
    is_label: bool = False


TEXT_COLUMN_LEAST = 24
"""A column of text is not made narrower than this."""


def table(out: Console, columns: Sequence[Column], rows: Sequence[Sequence[str]], *, last: str = "") -> None:
    """Print a table without rules; `last` is the style of its last row.

    Where it is too wide, it gives up its spare columns; then each row's labels stand on a line above its other cells;
    then each row is a record of names and values. Nothing in a cell is ever cut.
    """
    cells = [[plain(cell) for cell in row] for row in rows]
    labels = [place for place, column in enumerate(columns) if column.is_label]
    others = [place for place, column in enumerate(columns) if not column.is_label]
    if fitting := _fitting(columns, cells, [*labels, *others], out.width):
        _aligned(out, columns, cells, fitting, last=last)
    elif labels and (fitting := _fitting(columns, cells, others, out.width - NARROW_INDENT)):
        _aligned(out, columns, cells, fitting, last=last, above=labels)
    else:
        _records(out, columns, cells)


type _Widths = dict[int, int]
"""The width of each column that is shown, by its place."""


def _fitting(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], places: Sequence[int], width: int
) -> _Widths | None:
    """The columns that have room, without as many spare ones as need be; None where even that is not enough."""
    widths = {place: max(map(cell_len, (columns[place].name, *(row[place] for row in rows)))) for place in places}
    while (over := _in_all(widths) - width) > 0:
        texts = [place for place in widths if columns[place].is_text and widths[place] > TEXT_COLUMN_LEAST]
        if sum(widths[place] - TEXT_COLUMN_LEAST for place in texts) >= over:
            widest = max(texts, key=lambda place: widths[place])
            widths[widest] -= min(over, widths[widest] - TEXT_COLUMN_LEAST)
            continue
        spare = max(widths, key=lambda place: columns[place].spare)
        if not columns[spare].spare:
            return None
        del widths[spare]
    return widths


def _in_all(widths: _Widths) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _aligned(
    out: Console,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    widths: _Widths,
    *,
    last: str,
    above: Sequence[int] = (),
) -> None:
    """Rows below each other; with `above`, these cells stand on a line of their own before the rest of their row."""
    indent = NARROW_INDENT if above else 0
    names = [column.name for column in columns]
    for number, row in enumerate([names, *rows]):
        style = "dim" if number == 0 else last if number == len(rows) else ""
        if above:
            say(out, _GAP.join(row[place] for place in above if row[place]), style)
        _row(out, columns, widths, row, style, indent)


def _row(out: Console, columns: Sequence[Column], widths: _Widths, row: Sequence[str], style: str, indent: int) -> None:
    cells = [
        (place, width, wrapped(row[place], width, codes=columns[place].is_text)) for place, width in widths.items()
    ]
    for number in range(max(len(lines) for _, _, lines in cells)):
        parts = []
        for place, width, lines in cells:
            text = lines[number] if number < len(lines) else ""
            blank = " " * (width - cell_len(text))
            parts.append(blank + text if columns[place].is_number else text + blank)
        _line(out, Text(" " * indent + _GAP.join(parts).rstrip(), style=style))


def _records(out: Console, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Each row as its first cell on a line of its own, and the others with their names below it."""
    for row in rows:
        say(out, row[0], "bold")
        for column, cell in zip(columns[1:], row[1:], strict=True):
            if cell:
                labelled(out, column.name, cell)


def _text_width(out: Console) -> int:
    return min(out.width, TEXT_COLUMNS)


def _line(out: Console, text: Text) -> None:
    text.rstrip()
    out.print(text, soft_wrap=True, markup=False, highlight=False, emoji=False)


def print_json(content: Any) -> None:
    """Print what `--json` asks for. What a terminal would act on is escaped: a program reads the same text."""
    written = json.dumps(content, ensure_ascii=False, indent=2)
    click.echo("".join(letter if letter == "\n" or plain(letter) == letter else _escaped(letter) for letter in written))


def _escaped(letter: str) -> str:
    return json.dumps(letter)[1:-1] if not letter.isascii() or letter < " " else f"\\u{ord(letter):04x}"


def print_document(text: str) -> None:
    """Print a file's text for another program, as it is but for what a terminal would act on."""
    click.echo(plain_lines(text), nl=False)
