"""The book as one page of Markdown, for whoever reads it on the web, on paper or in a review."""

import re
from collections.abc import Iterator, Mapping, Sequence

from kulanz_cli.rule_description import DescribedExample, DescribedFact, RuleDescription, Summary

PUBLIC = """\
# The rulebook

Public rules of compensation for outages, each written as a policy that Kulanz evaluates. It is for whoever looks for a
rule to start from, and for whoever has to agree to one.

The rules are their authors' and may have changed since. The sources say where each was read. Before you pay under one
of them, have it checked, and make it your own: `kulanz policy new ID --from BOOK_ID`.
"""
OWN = """\
# The rulebook

The rules of this book, each written as a policy that Kulanz evaluates.
"""
HOW_TO_READ = """\
Each rule has a worked example, and the explanation that Kulanz gives for it. A fact is a column of the account list.
There are two exceptions. A fact that the incident's event states needs no column. A fact that Kulanz keeps of earlier
incidents must not have one. An empty cell is unknown, never zero. What is owed is printed as the policy's own text.
"""
GUIDE = "[The guide](policy-guide.md) explains the language.\n"
ORIGIN = """\
This page is generated from the policies of the book and their examples, by `kulanz policy page`.
"""
NO_INDUSTRY = "Other rules"


def facts_note(fact: DescribedFact) -> str:
    """Where a fact comes from, and when it may be left out."""
    notes = []
    if fact.source == "incident":
        notes.append("stated by the incident")
    if fact.source == "history":
        notes.append(f"kept by Kulanz over incidents, each adds {fact.adds}")
    if fact.default:
        notes.append(f"optional, else {fact.default}")
    if fact.only_for:
        notes.append(f"only for the reading: {fact.only_for}")
    return "; ".join(notes)


def book_page(rules: Sequence[RuleDescription]) -> str:
    """The page of a whole book: its rules by industry, industries and rules by name."""
    is_public = all(rule.is_public for rule in rules)
    lines = [PUBLIC if is_public else OWN, HOW_TO_READ + (GUIDE if is_public else ""), ORIGIN]
    groups = _by_industry(rules)
    for industry, described in groups.items():
        if len(groups) > 1:
            lines.append(f"**{industry}**\n")
        lines += ["| policy | title | where | in force | gives |", "|---|---|---|---|---|"]
        lines += [*(_line(rule.summary) for rule in described), ""]
    lines.pop()
    return "\n".join([*lines, *(line for group in groups.values() for rule in group for line in _rule(rule))]) + "\n"


def _by_industry(rules: Sequence[RuleDescription]) -> Mapping[str, Sequence[RuleDescription]]:
    """The rules by the heading under which they stand; those of no industry come last."""
    named = sorted({rule.industry for rule in rules} - {""})
    groups = {industry: [rule for rule in rules if rule.industry == industry] for industry in named}
    rest = [rule for rule in rules if not rule.industry]
    return groups | ({NO_INDUSTRY: rest} if rest else {})


def _line(one: Summary) -> str:
    """A rule's line of its industry's table, with a link to the rule."""
    link = f"[{one.policy}](#{_anchor(one)})"
    cells = [link, one.title, one.jurisdiction, _formulas(one.in_force_words()), one.gives_words()]
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _anchor(summary: Summary) -> str:
    return f"{summary.policy}-version-{summary.version}"


def _formulas(words: str) -> str:
    """Words with the policy's own formulas, where there are any, marked as such."""
    return re.sub(r"[a-z_]+\(.*\)", lambda formula: f"`{formula[0]}`", words)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _rule(rule: RuleDescription) -> Iterator[str]:
    summary = rule.summary
    yield f"\n## {summary.policy}, version {summary.version}\n"
    yield f"{summary.title}.\n"
    place = [f"Where: {summary.jurisdiction}."] if summary.jurisdiction else []
    period = [f"In force {_formulas(summary.in_force_words())}."] if summary.in_force else []
    working = f", working days those of {rule.working_days}" if rule.working_days else ""
    days = f"Days are days of {rule.zone}{working}."
    subject = [f"Decided for each {rule.subject}."] if rule.subject else []
    yield " ".join([*place, *period, days, *subject])
    if summary.sources:
        yield "\nSources: " + ", ".join(f"<{source}>" if "://" in source else source for source in summary.sources)
    if rule.readings:
        yield "\n**Readings**\n"
        for reading in rule.readings:
            default = " (the default)" if reading.is_default else ""
            yield f"- `{reading.parameter}: {reading.choice}`: {reading.says}{default}"
    if rule.facts:
        yield "\n**What the list needs**\n\n| fact | type | | meaning |\n|---|---|---|---|"
        for fact in rule.facts:
            cells = [f"`{fact.name}`", fact.type, facts_note(fact), fact.says]
            yield "| " + " | ".join(map(_cell, cells)) + " |"
    if rule.excluded:
        yield "\n**Who gets nothing, or waits for a manual review**\n"
        for clause in rule.excluded:
            because = f" {clause.because}" if clause.because else ""
            condition = clause.condition if clause.condition == "everybody" else f"`{clause.condition}`"
            yield f"- {clause.outcome} as `{clause.reason}`: {condition}.{because}"
    if rule.owed:
        yield f"\n**What is owed**\n\n```yaml\n{rule.owed}\n```"
    for name in rule.data_files:
        yield f"\nWith the values of `{name}`."
    if rule.example is not None:
        yield from _example(rule.example)


def _example(example: DescribedExample) -> Iterator[str]:
    yield f"\n**An example: {example.id}**\n"
    if example.reading:
        yield f"Read as: {example.reading}\n"
    yield from (f"- {name}: `{content}`" for name, content in example.stated().items())
    yield from (f"- {name}: {text}" for name, text in example.origin().items())
    yield "\nWhat Kulanz says:\n"
    for number, step in enumerate(example.steps, 1):
        yield f"{number}. {step}"
