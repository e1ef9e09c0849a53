"""What a policy document consists of: its parts as typed values, declared with their shapes.

The fourteen things a rule can say have one place each: who (``who``), subject (``subject``), exposure (``exposure``),
calendar (``zone``, ``working_days``), measure (``values``),
trigger (``when``), amount (``pay``), bound (``cap``, ``payout``),
money (``currency``, ``rounding``), units (``give``), mode (``mode``, ``due``), composition (``heads``, ``compose``,
``earlier``), notice (``notice``) and version (``id``, ``version``, ``in_force``, ``parameters``).
"""

# ruff: noqa: RUF009 (an entry is a field, declared by a call)

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from kulanz.domain.identifiers import CHANNEL_NAME
from kulanz.domain.lists.facts import FACT_TYPES, LIST_SEPARATORS
from kulanz.domain.policy.document.jurisdictions import JURISDICTION, is_jurisdiction
from kulanz.domain.policy.document.owed import (
    BILL,
    DUE,
    FOR_EACH,
    GIVES,
    MODES,
    NOTHING_BILLED,
    AmountComponent,
    Bill,
    Cap,
    Give,
    RoundingRule,
)
from kulanz.domain.policy.document.plan_limits import PlanLimits, check_limits
from kulanz.domain.policy.document.shape import (
    CURRENCY,
    LOCALE,
    NAME,
    REASON,
    YES_NO,
    Anything,
    ByKind,
    Expression,
    ListOf,
    MapOf,
    OneOf,
    OrDataFile,
    Part,
    Schema,
    Text,
    Whole,
    entry,
    in_one_form,
)
from kulanz.domain.policy.language.errors import DataFileNamed, Path, PolicyError
from kulanz.domain.policy.language.periods import PERIODS

LANGUAGE = 1
VERSION_HIGHEST = 99_999
PERSONS: Mapping[str, int] = {"": 0, "one person": 1, "two persons": 2}
"""How many persons a policy's `approval` asks for."""

ID = Text("a policy id", r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", ("att-2024-02",))


@dataclass(frozen=True)
class Parameter:
    """A choice that whoever starts a campaign makes: the rule has several readings, the operator picks one."""

    choices: Mapping[str, str]

    @property
    def default(self) -> str:
        """What holds when nobody chooses: the first choice."""
        return next(iter(self.choices))


@dataclass(frozen=True)
class Choices:
    """What can be chosen, each with a sentence that explains it."""

    written: MapOf = MapOf(Text(), NAME)

    def read(self, raw: Any, path: Path) -> Parameter:
        return Parameter(self.written.read(raw, path))

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        return self.written.schema(definitions)


@dataclass(frozen=True)
class InForce:
    """When the rule, in this version, is in force."""

    from_: str = entry(Expression("an instant or a first day"), "From when on.", default="")
    until: str = entry(Expression("an instant or a last day"), "Until when; a day is included.", default="")
    by: str = entry(
        Expression("an instant or a day"), "What has to lie in that time for an account.", default="incident_start"
    )


def check_in_force(rule: InForce, path: Path) -> None:
    """A period has an end at least on one side."""
    if not rule.from_ and not rule.until:
        raise PolicyError("say from, until or both", path)


@dataclass(frozen=True)
class Fact:
    """A fact about the account, or about the incident, that the policy reads."""

    type: str = entry(OneOf(FACT_TYPES), "Its type.", default="text")
    choices: tuple[str, ...] = entry(ListOf(Text()), "The texts it can be.", default=())
    currency: str = entry(CURRENCY, "The currency of money, if not the policy's.", default="")
    minimum: str = entry(Expression("a number or an amount"), "The least it can be.", default="")
    maximum: str = entry(Expression("a number or an amount"), "The most it can be.", default="")
    default: str = entry(Expression("a value of its type, or unknown"), "The value where it is not stated.", default="")
    separator: str = entry(
        OneOf(LIST_SEPARATORS), "What stands between the items of a list in a cell, if not a bar.", default=""
    )
    invalid: str = entry(OneOf(("reject", "hold")), "What a value of another type does to its row.", default="reject")
    from_: str = entry(OneOf(("account", "incident")), "Who states it; without it, the list.", default="")
    per: str = entry(
        OneOf(tuple(PERIODS)),
        "One fact per period, named <name>_<period>, for caps.",
        default="",
    )
    add: str = entry(
        Expression("money, a number or an outage"),
        "Kulanz keeps it itself: what each decided incident adds to it.",
        default="",
    )
    counts: str = entry(
        OneOf(("before", "all")), "Which other incidents count: those that began before this one, or all.", default=""
    )
    until: str = entry(OneOf(("paid",)), "It starts anew once something was paid.", default="")
    early: str = entry(
        Text("a length", r"[0-9]{1,4} (?:hour|day|week)s?", ("2 days",)),
        "How long before the incident a time may lie that was claimed, accepted or reported, or an own window begins.",
        default="",
    )
    says: str = entry(Text(), "What it means, for people.", default="")


@dataclass(frozen=True)
class FactLine:
    """A fact as its type alone, as the list of its choices, or with its entries written out."""

    written: ByKind = ByKind(plain=OneOf(FACT_TYPES), listed=ListOf(Text()), mapped=Part(Fact))

    def read(self, raw: Any, path: Path) -> Fact:
        read = self.written.read(raw, path)
        return Fact(type=read) if isinstance(read, str) else Fact(choices=read) if isinstance(read, tuple) else read

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        return self.written.schema(definitions)


@dataclass(frozen=True)
class Stretch:
    """A stretch of time that does not count."""

    from_: str = entry(Expression("an instant"), "Where it starts.")
    until: str = entry(Expression("an instant"), "Where it ends.")
    when: str = entry(YES_NO, "Whether it applies.", default="yes")


@dataclass(frozen=True)
class Exposure:
    """Which part of the incident counts for an account; applied in the order of these entries."""

    from_: str = entry(Expression("an instant"), "Nothing before it counts.", default="")
    until: str = entry(Expression("an instant"), "Nothing from it on counts.", default="")
    only: str = entry(Expression("an outage"), "Only what also lies in this counts.", default="")
    without: tuple[Any, ...] = entry(
        ListOf(ByKind(plain=Expression("an outage"), mapped=Part(Stretch)), single=True),
        "Stretches that do not count.",
        default=(),
    )
    daily: str = entry(
        Text("two times of day", r"[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}", ("08:00-22:00",)),
        "Only this part of each day counts.",
        default="",
    )
    merge_gaps_under: str = entry(Expression("a duration"), "Shorter pauses do not end an outage.", default="")
    ignore_under: str = entry(Expression("a duration"), "Shorter outages do not count.", default="")


@dataclass(frozen=True)
class Tiers:
    """One value chosen by another: the first line that fits gives it."""

    by: str = entry(Expression("what the tiers compare"), "What the tiers compare.")
    tiers: Mapping[str, str] = entry(
        OrDataFile(MapOf(Expression()), "lines"),
        "Lines such as `at least 24 h: 25%`, `otherwise: 0%`, read from top to bottom; or a data file of dated lines.",
    )


@dataclass(frozen=True)
class Steps:
    """A sum over 1, 2, 3 ... up to a count: each step has its own value."""

    count: str = entry(Expression("a count"), "How many steps there are.")
    steps: Mapping[str, str] = entry(
        MapOf(Expression()), "Lines such as `1 to 2: nothing`, `3 to 4: 5.00 EUR`, `from 5: 10.00 EUR`."
    )
    say: str = entry(Text(), "What a step is called in explanations: day, block, month.", default="step")


@dataclass(frozen=True)
class EitherTable:
    """Tiers or steps, told apart by the entry that only one of them has."""

    def read(self, raw: Any, path: Path) -> Tiers | Steps:
        if "tiers" in raw or "by" in raw:
            return cast("Tiers", TIERS.read(raw, path))
        if "steps" in raw or "count" in raw:
            return cast("Steps", STEPS.read(raw, path))
        raise PolicyError("expected an expression, tiers (by and tiers) or steps (count and steps)", path)

    def schema(self, definitions: dict[str, Any]) -> dict[str, Any]:
        return {"anyOf": [TIERS.schema(definitions), STEPS.schema(definitions)]}


TIERS = Part(Tiers)
STEPS = Part(Steps)


@dataclass(frozen=True)
class Clause:
    """A condition that ends the matter: the first one that holds decides."""

    decline: str = entry(REASON, "Declined, with this reason code.", default="")
    refer: str = entry(REASON, "Referred to a person, with this reason code.", default="")
    hold: str = entry(REASON, "Held until somebody decides, with this reason code.", default="")
    when: str = entry(YES_NO, "The condition; without one the clause always holds.", default="")
    unless: str = entry(YES_NO, "The opposite of `when`.", default="")
    because: str = entry(Text(), "What support tells the customer.", default="")


def check_clause(clause: Clause, path: Path) -> None:
    """A clause has one outcome and at most one condition."""
    if sum(bool(word) for word in (clause.decline, clause.refer, clause.hold)) != 1:
        raise PolicyError("expected exactly one of decline, refer and hold", path)
    if clause.when and clause.unless:
        raise PolicyError("expected `when` or `unless`, not both", path)


@dataclass(frozen=True)
class ClauseLine:
    """A clause as one line, `decline too_short unless: total(outage) >= 4 h`, or with its entries written out."""

    written_out: Part = Part(Clause, check_clause)
    line: str = r"(decline|refer|hold) ([a-z][a-z0-9_]{0,47})( unless)?"

    def read(self, raw: Any, path: Path) -> Any:
        if not isinstance(raw, dict):
            return self.written_out.read(raw, path)
        entries: dict[str, Any] = {}
        for key, value in raw.items():
            match = re.fullmatch(self.line, str(key))
            said = {key: value} if match is None else {match[1]: match[2], "unless" if match[3] else "when": value}
            for word in said:
                if word in entries:
                    raise PolicyError("expected one outcome and one condition", (*path, str(key)))
            entries |= said
        return self.written_out.read(entries, path)

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        line: Schema = {"type": "object", "additionalProperties": False, "minProperties": 1}
        line["patternProperties"] = {f"^{self.line}$": YES_NO.schema(definitions)}
        line["properties"] = {"because": Text().schema(definitions)}
        return {"anyOf": [line, self.written_out.schema(definitions)]}


@dataclass(frozen=True)
class NoticeText:
    """One text in one language."""

    subject: str = entry(Text(maximum_characters=200), "The subject line.")
    text: str = entry(Text(), "The text; {{ name }} is filled in.")


CLAUSES = ListOf(ClauseLine(), single=True)
TEXTS = MapOf(MapOf(Part(NoticeText), LOCALE), OneOf(("granted", "declined", "held", "referred", "offered", "voided")))
NAMED_LIST = ByKind(listed=ListOf(Text()), mapped=MapOf(ListOf(Text())))


@dataclass(frozen=True)
class NoticeRule:
    """What customers are told, by outcome and language."""

    texts: Mapping[str, Mapping[str, NoticeText]] = entry(
        OrDataFile(TEXTS, "texts"),
        "For each outcome that is told, and for what is taken back (`voided`): the text in each language; or a data"
        " file with them.",
    )
    locale: str = entry(Expression("a language tag"), "The customer's language.", default="")
    default_locale: str = entry(LOCALE, "The language where the customer's is unknown or has no text.", default="en")
    channel: str = entry(Expression("a channel's name"), "How the customer is told.", default='"email"')
    values: Mapping[str, str] = entry(MapOf(Expression(), NAME), "Further values for the texts.", empty=dict)


@dataclass(frozen=True)
class TestRule:
    """What only tests read; it is not part of the frozen policy."""

    rule: str = entry(Text(maximum_characters=80), "The rule's name in files of examples.", default="")
    defaults: Mapping[str, Any] = entry(MapOf(Anything(), NAME), "Facts that examples leave out.", empty=dict)


@dataclass(frozen=True)
class Policy:
    """A policy document."""

    kulanz: int = entry(Whole(LANGUAGE, LANGUAGE), "The version of the language.")
    id: str = entry(ID, "The policy's id.")
    version: int = entry(Whole(1, VERSION_HIGHEST), "The version; a published version never changes.")
    title: str = entry(Text(maximum_characters=200), "What the policy is, in a line.")
    jurisdiction: str = entry(
        Text("a country or a part of it, EU, or worldwide", JURISDICTION, ("FI", "US-NY")),
        "Where the rule applies.",
        default="",
    )
    sources: tuple[str, ...] = entry(ListOf(Text(), single=True), "Where the rule is written.", default=())
    in_force: InForce | None = entry(
        Part(InForce, check_in_force, "from"),
        "When the rule, in this version, is in force; always without it.",
        default=None,
    )
    zone: str = entry(Text("an IANA time zone, or a fact of type zone"), "The zone of its days.", default="UTC")
    working_days: str = entry(
        Text("a country or region", r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?", ("GB-ENG", "DE")),
        "Whose public holidays do not count as working days.",
        default="",
    )
    currency: str = entry(CURRENCY, "The currency of money facts.", default="")
    subject: str = entry(NAME, "The column that names the subject of a decision; the account without it.", default="")
    parameters: Mapping[str, Parameter] = entry(
        MapOf(Choices(), NAME),
        "Readings to choose from, each with a sentence that explains it; the first holds when nobody chooses.",
        empty=dict,
    )
    facts: Mapping[str, Fact] = entry(
        MapOf(FactLine(), NAME),
        "The facts it reads: a type, a list of choices, or a description.",
        empty=dict,
    )
    exposure: Exposure = entry(Part(Exposure), "Which part of the incident counts.", default=Exposure())
    values: Mapping[str, Any] = entry(
        MapOf(ByKind(plain=Expression(), mapped=EitherTable()), NAME),
        "Named values: expressions, tiers or steps.",
        empty=dict,
    )
    who: tuple[Clause, ...] = entry(CLAUSES, "Who gets nothing, is referred or held.", default=())
    when: str = entry(YES_NO, "The condition of the benefit.", default="")
    otherwise: str = entry(REASON, "The reason code where the condition does not hold.", default="")
    for_each: str = entry(
        FOR_EACH, "Worked out for each separate outage, day or period of it, and added up.", default=""
    )
    pay: str = entry(Expression("money"), "The money owed.", default="")
    give: tuple[Give, ...] = entry(GIVES, "What is owed besides money.", default=())
    mode: Any = entry(MODES, "How it is delivered.", default="automatic")
    due: str = entry(DUE, "When it is due.", default="")
    to: str = entry(Expression("the name of a place"), "Where it is delivered: bill, transfer.", default="")
    bill: Bill | None = entry(BILL, "How billing books it.", default=None)
    channel: str = entry(
        Text("a channel and its form", rf"{CHANNEL_NAME}:(?:csv|jsonl|topic)", ("billing:csv", "billing:topic")),
        "Where its credits are delivered to; where the stack says without it.",
        default="",
    )
    tax: str = entry(OneOf(("included", "excluded")), "Whether amounts include tax; told in explanations.", default="")
    heads: tuple[AmountComponent, ...] = entry(
        ListOf(Part(AmountComponent)), "Several amount components, instead of when, pay and give.", default=()
    )
    compose: str = entry(OneOf(("sum", "max", "first")), "How several amount components add up.", default="sum")
    cap: tuple[Cap, ...] = entry(ListOf(Part(Cap, alone="at"), single=True), "Upper bounds of the money.", default=())
    payout: tuple[Clause, ...] = entry(CLAUSES, "Conditions on the final `amount`.", default=())
    rounding: RoundingRule = entry(Part(RoundingRule), "How amounts are rounded.", default=RoundingRule())
    earlier: str = entry(
        OneOf(("replace", "add")), "Whether what was granted before for the incident is set off.", default="replace"
    )
    restrictions: Mapping[str, Any] = entry(
        MapOf(OrDataFile(NAMED_LIST, "list"), NAME), "Named lists, written out or each in a data file.", empty=dict
    )
    notice: NoticeRule | None = entry(Part(NoticeRule), "What customers are told.", default=None)
    limits: PlanLimits = entry(
        Part(PlanLimits, check_limits),
        "What a list may come to before somebody has to look at it.",
        default=PlanLimits(),
    )
    approval: str = entry(
        OneOf(tuple(filter(None, PERSONS))),
        "Who must approve a plan, if the stack asks for less: it never executes automatically then.",
        default="",
    )
    test: TestRule = entry(Part(TestRule), "What only tests read.", default=TestRule())


def bills_of(policy: Policy) -> dict[str, Bill]:
    """How billing books the benefits of each amount component, by the name that a decision has for it.

    A decision names the components of a policy with several of them; all others are the empty name's.
    """
    whole = policy.bill or NOTHING_BILLED
    several = {component.name: component.bill or whole for component in policy.heads}
    alone = next(iter(several.values())) if len(several) == 1 else whole
    return several | {"": alone}


def bookings_of(policy: Policy) -> list[Bill]:
    """The different ways in which a policy says that its credits are booked, in the order of its amount components.

    One where nothing differs. Texts are for customers, and make no difference.
    """
    whole = policy.bill or NOTHING_BILLED
    found = [component.bill or whole for component in policy.heads] or [whole]
    return list({(one.ledger_account, one.reason_code, one.treatment): one for one in found}.values())


def check_policy(policy: Policy, path: Path) -> None:
    """The country of a jurisdiction exists."""
    if policy.jurisdiction and not is_jurisdiction(policy.jurisdiction):
        problem = "there is no such country; expected its code in ISO 3166, such as GB for the United Kingdom"
        raise PolicyError(problem, (*path, "jurisdiction"))


POLICY = Part(Policy, check_policy)


@dataclass(frozen=True)
class PolicyDocument:
    """A policy that was read: its plain data as written, its typed parts, and where each entry stands in its file.

    ``holidays`` are the public holidays of its region (of the week's other days those that are no working days there),
    and ``worked`` the Saturdays and Sundays that are, resolved when it was read, so that a published policy needs no
    calendar software and never changes with it. So are data files: ``data`` has what they say in the place of their
    names, and ``data_files`` are those that were taken in.
    """

    data: Mapping[str, Any]
    policy: Policy
    holidays: tuple[str, ...] = ()
    worked: tuple[str, ...] = ()
    file: str = ""
    lines: Mapping[Path, int] = field(default_factory=dict)
    data_files: tuple[str, ...] = ()

    def located(self, error: PolicyError) -> PolicyError:
        """Give the same error with the file and the line of the nearest entry that stands in it."""
        return error.located(self.file, self.lines)


def read_document(
    data: Any,
    *,
    holidays: tuple[str, ...] = (),
    worked: tuple[str, ...] = (),
    file: str = "",
    lines: Mapping[Path, int] | None = None,
) -> PolicyDocument:
    """Read plain data into a document, checking its shape. Raises ``PolicyError`` with the line where known.

    Raises ``DataFileNamed`` for the first data file that is not taken in yet.
    """
    try:
        policy = POLICY.read(in_one_form(data), ())
    except DataFileNamed:
        raise
    except PolicyError as error:
        raise error.located(file, lines or {}) from None
    return PolicyDocument(data, policy, holidays, worked, file, lines or {})
