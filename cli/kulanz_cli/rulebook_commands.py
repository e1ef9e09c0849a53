"""``kulanz policy list | show | page | new``: read the book of rules, and begin one's own policy from it."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from kulanz.domain.policy import PolicyError, content_hash, document_from_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.document.document import ID
from kulanz_cli.outcomes import EXIT_NO, Unusable
from kulanz_cli.policy_examples import run
from kulanz_cli.rule_description import DescribedClause, DescribedFact, RuleDescription, Summary, describe, summarise
from kulanz_cli.rule_page import book_page, facts_note
from kulanz_cli.rulebook import (
    BOOK,
    EXAMPLES,
    Rule,
    find_rule,
    industries,
    latest_rules,
    latest_versions,
    outline,
    versions,
)
from kulanz_cli.settings import as_json, stack_of
from kulanz_cli.terminal import (
    Column,
    block,
    command,
    console,
    counted_as,
    labelled,
    print_document,
    print_json,
    say,
    table,
)

if TYPE_CHECKING:
    from kulanz_cli.door import Door

NAMES_WIDEST = 24
"""Names of a section are set in a column of this width at most."""
SIMPLEST = """\
kulanz: 1
id: {id}
version: 1
title: Five dollars for everybody
pay: 5.00 USD
"""
"""The first policy of the guide."""

in_book = click.option(
    "--book", type=click.Path(exists=True, file_okay=False, path_type=Path), default=BOOK,
    help="Your own book: a folder of <id>/<version>.yaml. Without it, the public rules that come with Kulanz.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the list; `words` are searched, the last two are only for what a stack has published."""

    summary: Summary
    words: str
    published_at: str = ""
    beside_book: str = ""


@click.command("list")
@click.option("--jurisdiction", help="Only rules that apply there: FI, US (and its states), US-NY.")
@click.option("--text", help="Only rules with all these words, in their industry or their own text, in any case.")
@click.option(
    "--kind",
    type=click.Choice(["money", "units", "person"]),
    help="Only rules that give money, or other units, or leave it to a person.",
)
@click.option("--all", "every", is_flag=True, help="Every version, not the latest of each policy alone.")
@click.option("--published", is_flag=True, help="Every version that the stack has published, beside the book.")
@in_book
@as_json
@click.pass_context
def list_rules(
    context: click.Context, jurisdiction: str | None, text: str | None, kind: str | None, every: bool, published: bool,
    book: Path, is_json: bool,
) -> None:  # fmt: skip
    """List the rules of the book, or of the stack. Exits with 1 when none is as asked."""
    if published:
        rows = list(_published(stack_of(context).door(), book))
    else:
        rules = [outline(file) for file in (versions(book) if every else latest_versions(book))]
        of_industry = {policy_id: name for name, ids in industries(book).items() for policy_id in ids}
        rows = [_Row(summarise(rule.document), _words(rule, of_industry)) for rule in rules]
    found = [row for row in rows if _is_wanted(row, jurisdiction, text, kind)]
    if is_json:
        print_json([_content(row) for row in found])
    elif found:
        _show_list(found, console())
    else:
        say(console(), "nothing is published" if published and not rows else "no rule is as asked")
        if jurisdiction is not None and rows:
            known = sorted({row.summary.jurisdiction for row in rows if row.summary.jurisdiction})
            say(console(), f"rules apply to: {', '.join(known)}", further=2)
    if not found:
        raise SystemExit(EXIT_NO)


def _published(door: "Door", book: Path) -> Iterator[_Row]:
    """What a stack has published, compared with the same versions of the book."""
    for one in (line for page in door.pages("policies.published") for line in page["policies"]):
        published = door.ask("policies.one", policy=one["id"], version=one["version"])["document"]
        document = document_from_json(json.dumps(published, ensure_ascii=False).encode())
        file = book / one["id"] / f"{one['version']}.yaml"
        beside = "not in the book"
        if file.is_file():
            same = content_hash(outline(file).document) == content_hash(document)
            beside = "as in the book" if same else "differs from the book"
        words = json.dumps(document.data, ensure_ascii=False, default=str)
        yield _Row(summarise(document), words, one["published_at"], beside)


def _words(rule: Rule, of_industry: Mapping[str, str]) -> str:
    """What a rule is searched by: its own text, comments included, and what the book calls its industry."""
    return f"{of_industry.get(rule.document.policy.id, '')} {rule.file.read_text(encoding='utf-8')}"


def _is_wanted(row: _Row, jurisdiction: str | None, text: str | None, kind: str | None) -> bool:
    summary = row.summary
    place, stated = (jurisdiction or "").upper(), summary.jurisdiction.upper()
    if place and stated != place and not stated.startswith(f"{place}-"):
        return False
    if kind and kind not in summary.kinds:
        return False
    words = " ".join([summary.name, summary.title, *summary.gives, *summary.sources, row.words]).casefold()
    return all(word in words for word in (text or "").casefold().split())


def _content(row: _Row) -> dict[str, Any]:
    more = {"published_at": row.published_at, "beside_book": row.beside_book} if row.published_at else {}
    return {**row.summary.content(), **more}


def _show_list(found: Sequence[_Row], out: Console) -> None:
    """A row for each rule; what no rule of the list states has no column.

    Beside what a stack says there is no room for more than the title.
    """
    summaries = [row.summary for row in found]
    of_stack = [
        (Column("published"), [row.published_at.partition("T")[0] for row in found]),
        (Column("book"), [row.beside_book for row in found]),
    ]
    of_rule = [
        (Column("where", spare=1), [one.jurisdiction for one in summaries]),
        (Column("in force", spare=3), [one.in_force_words() for one in summaries]),
        (Column("gives", is_text=True, spare=2), [one.gives_words() for one in summaries]),
    ]
    is_of_stack = any(row.published_at for row in found)
    columns = [
        (Column("policy", is_label=True), [one.name for one in summaries]),
        *(of_stack if is_of_stack else of_rule),
        (Column("title", is_text=True), [one.title for one in summaries]),
    ]
    stated = [(column, cells) for column, cells in columns if any(cells)]
    rows = zip(*([cell or "-" for cell in cells] for _, cells in stated), strict=True)
    table(out, [column for column, _ in stated], list(rows))


@click.command("show")
@click.argument("wanted", metavar="ID[/VERSION]")
@in_book
@as_json
def show_rule(wanted: str, book: Path, is_json: bool) -> None:
    """Show all about a rule, with a worked example. Sources, readings, facts, who is excluded, and what is owed."""
    rule = find_rule(book, wanted)
    described = describe(rule)
    if is_json:
        print_json(described.content())
    else:
        _show(rule, described, console())


def _show(rule: Rule, described: RuleDescription, out: Console) -> None:
    say(out, f"{described.summary.name}  {described.summary.title}", "bold", further=2)
    for name, text in _head(described):
        labelled(out, name, text)
    for title, lines in _sections(described):
        _title(out, title)
        widest = min(NAMES_WIDEST, max(len(name) for name, _ in lines))
        for name, text in lines:
            if name:
                labelled(out, name, text, columns=widest + 4)
            else:
                say(out, text, indent=2, further=4)
    if described.owed:
        _title(out, "What is owed, in the policy's own words")
        block(out, described.owed)
    if described.example is not None:
        example = described.example
        _title(out, f"A worked example: {example.id}")
        reading = {"reading": example.reading} if example.reading else {}
        for name, text in (reading | example.stated()).items():
            labelled(out, name, text)
        for number, step in enumerate(example.steps, 1):
            labelled(out, "why" if number == 1 else "", f"{number}. {step}")
        for name, text in example.origin().items():
            labelled(out, name, text)
    file, examples = str(_from_here(rule.file)), str(_from_here(rule.file.parent / EXAMPLES))
    _title(out, f"The policy: {file}")
    if described.examples:
        say(out, f"Each example, with ID one of {', '.join(described.examples)}:", further=2)
        command(out, ["kulanz", "policy", "explain", file, "--examples", examples, "--example", "ID"])


def _title(out: Console, title: str) -> None:
    say(out, "")
    say(out, title, "bold")


def _from_here(path: Path) -> Path:
    """A path as somebody here would type it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _head(described: RuleDescription) -> Iterator[tuple[str, str]]:
    summary = described.summary
    entries = {
        "where": summary.jurisdiction,
        "in force": summary.in_force_words(),
        "gives": summary.gives_words(),
        "decided per": described.subject or "account",
        "days of": f"{described.zone}, working days of {described.working_days}"
        if described.working_days
        else described.zone,
        "sources": "; ".join(summary.sources),
        "data files": ", ".join(described.data_files),
    }
    return ((name, text) for name, text in entries.items() if text)


def _sections(described: RuleDescription) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    if described.readings:
        yield (
            "Readings: whoever opens a campaign chooses",
            [
                (
                    f"{reading.parameter}: {reading.choice}",
                    reading.says + (" (the default)" if reading.is_default else ""),
                )
                for reading in described.readings
            ],
        )
    if described.facts:
        title = "Facts: columns of the list of accounts, where no other source is named"
        yield title, [(fact.name, fact_words(fact)) for fact in described.facts]
    if described.excluded:
        yield (
            "Who gets nothing, or waits for a manual review",
            [("", clause_words(clause)) for clause in described.excluded],
        )


def fact_words(fact: DescribedFact) -> str:
    """A fact's type, where it comes from, and its meaning, in a line."""
    parts = [fact.type, facts_note(fact)]
    text = "; ".join(part for part in parts if part)
    return f"{text}. {fact.says}" if fact.says else text


def clause_words(clause: DescribedClause) -> str:
    """A clause in a line: outcome, reason code, condition, and what support says."""
    text = f"{clause.outcome} ({clause.reason}) {clause.condition}"
    return f"{text}: {clause.because}" if clause.because else text


@click.command("page")
@click.option(
    "--check", "checked", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file to compare."
)
@in_book
def page(checked: Path | None, book: Path) -> None:
    """Print the whole book as one page of Markdown. With --check, compare a file with it."""
    text = book_page([describe(rule) for rule in latest_rules(book)])
    if checked is None:
        print_document(text)
        return
    if checked.read_text(encoding="utf-8", errors="replace") == text:
        say(console(), f"{checked}: ok")
        return
    say(console(), f"{checked}: differs; write it again with: kulanz policy page > {checked}", further=2)
    raise SystemExit(EXIT_NO)


@click.command("new")
@click.argument("policy_id", metavar="ID")
@click.option(
    "--from",
    "origin",
    metavar="BOOK_ID",
    help="The policy of the book to start from; without it, five dollars for everybody.",
)
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path), default=Path(),
    help="The folder of your own book; without it, where you are.",
)  # fmt: skip
@in_book
def new(policy_id: str, origin: str | None, into: Path, book: Path) -> None:
    """Begin your own policy ID from one of the book. Comments and examples are kept; nothing is overwritten."""
    if not re.fullmatch(ID.pattern, policy_id):
        raise click.BadParameter(
            "expected lower-case letters, digits and hyphens, such as acme-goodwill", param_hint="ID"
        )
    folder = into / policy_id
    if folder.exists():
        raise Unusable(
            f"{folder} exists already and is left as it is; choose another id, or write its next version there"
        )
    rule = None if origin is None else find_rule(book, origin)
    file = folder / "1.yaml"
    folder.mkdir(parents=True)
    file.write_text(SIMPLEST.format(id=policy_id) if rule is None else _renamed(rule, policy_id), encoding="utf-8")
    if rule is not None:
        for data_file in map(Path, rule.document.data_files):
            shutil.copyfile(data_file, folder / data_file.name)
        if (rule.file.parent / EXAMPLES).is_file():
            shutil.copyfile(rule.file.parent / EXAMPLES, folder / EXAMPLES)
    _show_next(file)


def _renamed(rule: Rule, policy_id: str) -> str:
    """The text of a policy under another id, as its first version, still run by the examples of its rule."""
    text = rule.file.read_text(encoding="utf-8")
    text = re.sub(r"^id:.*$", f"id: {policy_id}", text, count=1, flags=re.MULTILINE)
    text = re.sub(r"^version:.*$", "version: 1", text, count=1, flags=re.MULTILINE)
    policy = rule.document.policy
    if policy.test.rule or not rule.examples:
        return text
    if "test" not in rule.document.data:
        return f"{text}\ntest: {{rule: {policy.id}}}\n"
    written_out = re.sub(r"^test:[ ]*\n", f"test:\n  rule: {policy.id}\n", text, flags=re.MULTILINE)
    return re.sub(r"^test: *\{", f"test: {{rule: {policy.id}, ", written_out, flags=re.MULTILINE)


def _show_next(file: Path) -> None:
    try:
        document = load_policy(file)
    except PolicyError as error:
        raise Unusable(f"{error}; the folder was written, fix the policy there") from None
    examples = file.parent / EXAMPLES
    out, policy = console(), ("kulanz", "policy")
    say(out, f"{file} is written. Give it a title of its own, then change what is yours. Then:")
    command(out, [*policy, "check", str(file)])
    if examples.is_file():
        held = sum(run(document, example).holds for example in Rule(file, document).examples)
        held_now = counted_as(held, "example holds", "examples hold")
        say(out, f"{held_now} now; change them with the rule:")
        command(out, [*policy, "test", str(file), str(examples)])
    else:
        command(out, [*policy, "explain", str(file)])
    say(out, "Sealed, a version never changes; a later change is a new version:")
    command(out, [*policy, "check", "--seal", str(file)])
    say(out, "Published, campaigns can name it:")
    command(out, [*policy, "publish", str(file)])
