"""What a rule says, gathered for whoever reads the book: the same for a terminal, a page and a program.

Nothing is put into other words: conditions and amounts are the policy's own text, the example is one of the book's, and
its explanation is what the policy itself says.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kulanz.domain.money import counted, is_currency
from kulanz.domain.policy import CompiledPolicy, PolicyDocument, PolicyError
from kulanz.domain.policy.deciding.judge import Judge
from kulanz.domain.policy.deciding.program import Program
from kulanz.domain.policy.document.document import Clause, Fact, InForce
from kulanz.domain.policy.document.frozen import resolve_parameters
from kulanz.domain.policy.explaining.wording import spoken
from kulanz.domain.policy.language.periods import example_label
from kulanz_cli.policy_examples import left_out, prepare
from kulanz_cli.rulebook import Rule, industries

DESCRIPTION_VERSION = 1
OWED = (
    *("exposure", "values", "when", "otherwise", "for_each", "pay", "give", "heads", "compose", "cap", "rounding"),
    *("payout", "mode", "due", "to", "tax", "earlier", "restrictions"),
)
"""The entries of a policy that say what is owed, how much, and how it is delivered."""
OF_THE_INCIDENT = {
    "cause": "Why it happened.",
    "service": "What service it hit.",
    "functions": "Which functions failed.",
}
_TYPES = {
    "text": "text",
    "yes_no": "yes or no",
    "number": "number",
    "money": "amount in {currency}",
    "instant": "instant, such as 2024-02-22T09:45:00Z",
    "day": "day, such as 2024-02-22",
    "zone": "time zone, such as Europe/Berlin",
    "list": "texts, with a bar between them",
    "numbers": "numbers, with a bar between them",
    "amounts": "amounts in {currency}, with a bar between them",
    "dates": "days, with a bar between them",
    "windows": "windows START/END, with a bar between them",
}
_COMMENT = re.compile(r"\s#\s+(.+)$")


@dataclass(frozen=True, slots=True)
class DescribedReading:
    """One way of reading the rule; whoever opens a campaign chooses it by `parameter` and `choice`."""

    parameter: str
    choice: str
    says: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class DescribedFact:
    """A fact that the rule reads.

    `source` is `list` for a column of the account list, `incident` for what only the incident's event states, or
    `history` for what Kulanz keeps of earlier incidents, with what each `adds` to it. `required` columns may hold
    empty cells.
    """

    name: str
    type: str
    source: str
    required: bool
    default: str
    says: str
    only_for: str
    adds: str = ""


@dataclass(frozen=True, slots=True)
class DescribedClause:
    """Who is declined, referred or held, in the policy's own words."""

    outcome: str
    reason: str
    condition: str
    because: str


@dataclass(frozen=True, slots=True)
class DescribedExample:
    """A worked example of the book, decided and explained."""

    id: str
    reading: str
    account: Mapping[str, Any]
    incident: Mapping[str, Any]
    past: Sequence[Mapping[str, Any]]
    derivation: str
    provenance: str
    decision: Mapping[str, Any]
    steps: Sequence[str]

    def stated(self) -> dict[str, str]:
        """What it says, by name, as JSON; the past only where it has one."""
        parts = {"account": self.account, "incident": self.incident} | ({"past": self.past} if self.past else {})
        return {name: json.dumps(part, ensure_ascii=False, default=str) for name, part in parts.items()}

    def origin(self) -> dict[str, str]:
        """How it was worked out and where it comes from, as far as it says so."""
        return {name: text for name, text in (("by hand", self.derivation), ("origin", self.provenance)) if text}


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list shows of a version of a policy. `gives` are currencies, and units in the plural."""

    policy: str
    version: int
    title: str
    jurisdiction: str
    in_force: Mapping[str, str]
    currency: str
    gives: Sequence[str]
    delivered: Sequence[str]
    sources: Sequence[str]

    @property
    def name(self) -> str:
        """`<id>/<version>`."""
        return f"{self.policy}/{self.version}"

    @property
    def kinds(self) -> list[str]:
        """What it gives, roughly: `money`, `units` (anything else), or `person` where it only says who decides."""
        found = ["money"] * any(map(is_currency, self.gives)) + ["units"] * (not all(map(is_currency, self.gives)))
        return found or ["person"]

    def gives_words(self) -> str:
        """What it gives and how, in words: `EUR (automatic, claim)`."""
        return f"{', '.join(self.gives)} ({', '.join(self.delivered)})" if self.gives else "manual review"

    def in_force_words(self) -> str:
        """When the rule is in force: `from 2019-04-01`, `2022-04-01 to 2023-03-31`; empty where it does not say."""
        first, last = self.in_force.get("from", ""), self.in_force.get("until", "")
        if first and last:
            return f"{first} to {last}"
        return f"from {first}" if first else f"until {last}" if last else ""

    def content(self) -> dict[str, Any]:
        """The summary as JSON-able content."""
        return {"v": DESCRIPTION_VERSION, **asdict(self), "kinds": self.kinds}


@dataclass(frozen=True, slots=True)
class RuleDescription:
    """Everything about one version of a policy that its reader wants to know.

    `industry` is where its book lists it; `is_public` says whether it is one of the public rules that come with Kulanz.
    """

    summary: Summary
    zone: str
    working_days: str
    subject: str
    readings: Sequence[DescribedReading]
    facts: Sequence[DescribedFact]
    excluded: Sequence[DescribedClause]
    owed: str
    data_files: Sequence[str]
    examples: Sequence[str]
    example: DescribedExample | None
    industry: str
    is_public: bool

    def content(self) -> dict[str, Any]:
        """The rule as JSON-able content."""
        content = asdict(self)
        content = {**self.summary.content(), **{name: value for name, value in content.items() if name != "summary"}}
        plain: dict[str, Any] = json.loads(json.dumps(content, default=str))  # examples hold exact decimals
        return plain


def summarise(document: PolicyDocument) -> Summary:
    """Gather what a list shows of a policy. Raises PolicyError with the line of what cannot be understood."""
    policy = document.policy
    try:
        judge = Judge(_program(document, {}))
    except PolicyError as error:
        raise document.located(error) from None
    return Summary(
        policy=policy.id,
        version=policy.version,
        title=policy.title,
        jurisdiction=policy.jurisdiction,
        in_force={} if policy.in_force is None else _in_force(policy.in_force),
        currency=policy.currency,
        gives=list(dict.fromkeys(_gives(judge))),
        delivered=list(dict.fromkeys(mode.way for component in judge.components for mode in component.modes)),
        sources=list(policy.sources),
    )


def describe(rule: Rule) -> RuleDescription:
    """Gather what a rule says. Raises Unusable when its examples cannot be read."""
    policy = rule.document.policy
    return RuleDescription(
        summary=summarise(rule.document),
        zone=policy.zone,
        working_days=policy.working_days,
        subject=policy.subject,
        readings=[
            DescribedReading(name, choice, says, choice == parameter.default)
            for name, parameter in policy.parameters.items()
            for choice, says in parameter.choices.items()
        ],
        facts=list(_facts(rule)),
        excluded=[_clause(clause) for clause in policy.who],
        owed=_own_words(rule),
        data_files=[Path(file).name for file in rule.document.data_files],
        examples=[str(example["id"]) for example in rule.examples],
        example=_example(rule),
        industry=_industry(rule),
        is_public=rule.is_public,
    )


def _industry(rule: Rule) -> str:
    """The industry under which the rule's book lists it; empty where it lists it under none."""
    found = industries(rule.file.parent.parent).items()
    return next((industry for industry, policies in found if rule.document.policy.id in policies), "")


def _program(document: PolicyDocument, chosen: Mapping[str, str]) -> Program:
    """The policy compiled for a reading, before any incident."""
    return Program(document, resolve_parameters(document, chosen), None, None)


def _in_force(period: InForce) -> dict[str, str]:
    entries = {"from": period.from_, "until": period.until, "by": period.by}
    return {name: text for name, text in entries.items() if text}


def _gives(judge: Judge) -> Iterator[str]:
    """What an entitled account can be owed."""
    for component in judge.components:
        if component.pay is not None:
            yield component.pay.kind.currency
        for give in component.gives:
            unlimited = give.quantity_node is None
            yield spoken(give.unit) if unlimited else counted("0", give.unit).removeprefix("0 ")


def _facts(rule: Rule) -> Iterator[DescribedFact]:
    """The facts in the order of the policy, then those of every incident that the rule reads."""
    usual = {read.name for read in CompiledPolicy(_program(rule.document, {})).facts}
    readings: dict[str, list[str]] = {}
    for name, parameter in rule.document.policy.parameters.items():
        for choice, says in parameter.choices.items():
            for read in CompiledPolicy(_program(rule.document, {name: choice})).facts:
                readings.setdefault(read.name, []).append(says)
    for name, fact in rule.document.policy.facts.items():
        source = "history" if fact.add else "incident" if fact.from_ == "incident" else "list"
        is_column = source == "list"
        yield DescribedFact(
            name=f"{name}_{example_label(fact.per)}" if fact.per and is_column else name,
            type=_type(rule, fact),
            source=source,
            required=is_column and not fact.default,
            default=fact.default,
            says=fact.says or _comment(rule, name),
            only_for="; ".join(readings.get(name, ())) if is_column and not fact.per and name not in usual else "",
            adds=fact.add,
        )
    everything = frozenset[str]().union(*(node.reads for node in Judge(_program(rule.document, {})).nodes()))
    for name, says in OF_THE_INCIDENT.items():
        if name in everything and name not in rule.document.policy.facts:
            yield DescribedFact(
                name, "text" if name != "functions" else _TYPES["list"], "incident", False, "", says, ""
            )


def _type(rule: Rule, fact: Fact) -> str:
    if fact.choices:
        return "one of: " + ", ".join(fact.choices)
    text = _TYPES[fact.type].format(currency=fact.currency or rule.document.policy.currency)
    if fact.minimum or fact.maximum:
        text += f" from {fact.minimum or 'any'} to {fact.maximum or 'any'}"
    if fact.add:
        return f"{text}, for each {fact.per}" if fact.per else text
    return f"{text}; a column for each {fact.per} that the incident touches" if fact.per else text


def _comment(rule: Rule, fact: str) -> str:
    """What the policy's author wrote beside a fact that has no `says`."""
    line = rule.document.lines.get(("facts", fact))
    if line is None:
        return ""
    found = _COMMENT.search(_lines(rule.file)[line - 1])
    return found[1] if found else ""


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def _clause(clause: Clause) -> DescribedClause:
    outcome = "declined" if clause.decline else "referred" if clause.refer else "held"
    condition = f"when {clause.when}" if clause.when else f"unless {clause.unless}" if clause.unless else "everybody"
    return DescribedClause(outcome, clause.decline or clause.refer or clause.hold, condition, clause.because)


def _own_words(rule: Rule) -> str:
    """The policy's own text of what is owed, with its comments, in the order in which it stands there."""
    lines = _lines(rule.file)
    starts = sorted((line, str(path[0])) for path, line in rule.document.lines.items() if len(path) == 1)
    ends = [line for line, _ in starts[1:]] + [len(lines) + 1]
    parts = []
    for (start, name), end in zip(starts, ends, strict=True):
        part = lines[start - 1 : end - 1]
        while part and (not part[-1].strip() or part[-1].startswith("#")):  # what stands above the next entry
            part.pop()
        if name in OWED:
            parts.append("\n".join(part))
    return "\n".join(parts)


def _example(rule: Rule) -> DescribedExample | None:
    found = rule.worked_example()
    if found is None:
        return None
    example, _ = found
    explanation = prepare(rule.document, example, left_out(rule.document)).explain()
    return DescribedExample(
        id=str(example["id"]),
        reading=str(example.get("reading") or ""),
        account=example.get("account") or {},
        incident=example.get("incident") or {},
        past=example.get("past") or (),
        derivation=str(example.get("derivation", "")),
        provenance=str(example.get("provenance", "")),
        decision=explanation.decision.to_body(),
        steps=explanation.steps,
    )
