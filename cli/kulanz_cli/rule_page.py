"""The book as one page of Markdown, for whoever reads it on the web, on paper or in a review."""

import re
from collections.abc import Iterator, Sequence

from kulanz_cli.told_rule import Summary, ToldExample, ToldFact, ToldRule

INTRODUCTION = """\
# The rulebook

Public rules of compensation for outages, each as a policy that Kulanz evaluates, with a worked example and what Kulanz
says of it. The rules are their authors' and may have changed since; the sources are where each was read. Before you pay
under one of them, have it checked, and make it your own: `kulanz policy new ID --from BOOK_ID`.

A fact is a column of the account list; where the incident states it for everybody, the list needs none, and what
Kulanz keeps of earlier incidents it may not have. An empty cell is not known, never zero. What is owed
stands in the policy's own words; [the guide](policy-guide.md) explains them.

This page is written from [the policies](../policies) and the examples beside them, by `kulanz policy page`.
"""


def facts_note(fact: ToldFact) -> str:
    """Where a fact comes from, and when it may be left out."""
    notes = []
    if fact.source == "incident":
        notes.append("stated by the incident")
    if fact.source == "kept":
        notes.append(f"kept by Kulanz over incidents, each adds {fact.adds}")
    if fact.default:
        notes.append(f"optional, else {fact.default}")
    if fact.only_for:
        notes.append(f"only for the reading: {fact.only_for}")
    return "; ".join(notes)


def book_page(rules: Sequence[ToldRule]) -> str:
    """The page of a whole book."""
    lines = [INTRODUCTION, "| policy | | where | in force | gives |", "|---|---|---|---|---|"]
    for told in rules:
        one = told.summary
        link = f"[{one.policy}](#{_anchor(one)})"
        cells = [link, one.title, one.jurisdiction, _formulas(one.in_force_words()), one.gives_words()]
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join([*lines, *(line for told in rules for line in _rule(told))]) + "\n"


def _anchor(summary: Summary) -> str:
    return f"{summary.policy}-version-{summary.version}"


def _formulas(words: str) -> str:
    """Words with the policy's own formulas, where there are any, marked as such."""
    return re.sub(r"[a-z_]+\(.*\)", lambda formula: f"`{formula[0]}`", words)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _rule(told: ToldRule) -> Iterator[str]:
    summary = told.summary
    yield f"\n## {summary.policy}, version {summary.version}\n"
    yield f"{summary.title}.\n"
    place = [f"Where: {summary.jurisdiction}."] if summary.jurisdiction else []
    period = [f"In force {_formulas(summary.in_force_words())}."] if summary.in_force else []
    working = f", working days those of {told.working_days}" if told.working_days else ""
    days = f"Days are days of {told.zone}{working}."
    subject = [f"Decided for each {told.subject}."] if told.subject else []
    yield " ".join([*place, *period, days, *subject])
    if summary.sources:
        yield "\nSources: " + ", ".join(f"<{source}>" if "://" in source else source for source in summary.sources)
    if told.readings:
        yield "\n**Readings**\n"
        for reading in told.readings:
            default = " (the default)" if reading.is_default else ""
            yield f"- `{reading.parameter}: {reading.choice}`: {reading.says}{default}"
    if told.facts:
        yield "\n**What the list needs**\n\n| fact | type | | meaning |\n|---|---|---|---|"
        for fact in told.facts:
            cells = [f"`{fact.name}`", fact.type, facts_note(fact), fact.says]
            yield "| " + " | ".join(map(_cell, cells)) + " |"
    if told.excluded:
        yield "\n**Who gets nothing, or waits for a person**\n"
        for clause in told.excluded:
            because = f" {clause.because}" if clause.because else ""
            condition = clause.condition if clause.condition == "everybody" else f"`{clause.condition}`"
            yield f"- {clause.outcome} as `{clause.reason}`: {condition}.{because}"
    if told.owed:
        yield f"\n**What is owed**\n\n```yaml\n{told.owed}\n```"
    for name in told.data_files:
        yield f"\nWith the values of `{name}`."
    if told.example is not None:
        yield from _example(told.example)


def _example(example: ToldExample) -> Iterator[str]:
    yield f"\n**An example: {example.id}**\n"
    if example.reading:
        yield f"Read as: {example.reading}\n"
    yield from (f"- {name}: `{content}`" for name, content in example.stated().items())
    yield from (f"- {name}: {text}" for name, text in example.origin().items())
    yield "\nWhat Kulanz says:\n"
    for number, step in enumerate(example.steps, 1):
        yield f"{number}. {step}"
