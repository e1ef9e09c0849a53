"""The steps of a decision in the reader's language.

The engine writes them in English, from a closed set of sentences with values in them. A sentence is known by what
stands around its values. Each value is then written as its kind asks for. What a policy, a list or a person wrote
stays as it is: titles, reasons, names of facts, texts in quotes. A sentence that is not known stays whole, and is
marked.

English and German place the words of a main clause alike, so that what stands between operands is exchanged in place.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from markupsafe import Markup

from kulanz.domain.time import MONTH_NAMES
from kulanz_console.catalogue import catalogue, values_in
from kulanz_console.inline import english, foreign

SENTENCES = (
    "Policy {said}, version {of}: {title}.",
    "As chosen for this campaign: {title}.",
    "Amounts include tax.",
    "Amounts do not include tax.",
    "Facts used: {facts}.",
    "Not known: {names}.",
    "Kept of earlier incidents: nothing.",
    "Kept of earlier incidents: {facts}.",
    "Kept for later incidents: {facts}.",
    "The incident: {value} ({said}), not over when this was decided; its cause: {cause}.",
    "The incident: {value} ({said}), not over when this was decided.",
    "The incident: {value} ({said}); its cause: {cause}.",
    "The incident: {value} ({said}).",
    'The exclusion "{said}" applies to everybody.{more}',
    'The exclusion "{said}" applies: {value}.{more}',
    'The exclusion "{said}" does not apply: {value}.',
    'Whether the exclusion "{said}" applies is not known: {value}.',
    'The referral "{said}" applies to everybody.{more}',
    'The referral "{said}" applies: {value}.{more}',
    'The referral "{said}" does not apply: {value}.',
    'Whether the referral "{said}" applies is not known: {value}.',
    'The hold "{said}" applies to everybody.{more}',
    'The hold "{said}" applies: {value}.{more}',
    'The hold "{said}" does not apply: {value}.',
    'Whether the hold "{said}" applies is not known: {value}.',
    "The rule is in force {value}; whether that holds here is not known: {other}.",
    "The rule is in force {value}; {other} does not lie in that time.",
    "The rule is in force {value}; {other} lies in that time.",
    'The condition of "{said}" is met: {value}.',
    'The condition of "{said}" is not met: {value}.',
    'The condition of "{said}" cannot be told: {value}.',
    "The condition is met: {value}.",
    "The condition is not met: {value}.",
    "The condition cannot be told: {value}.",
    "The outage counted for this customer: none.",
    "The outage counted for this customer: the whole incident, {value}.",
    "The outage counted for this customer: {value} ({said}), {other} in all.",
    "The outage of this account ends after the decision; a time that has not come is not paid for.",
    (
        "The outage began more than {number} days before the decision; other incidents of that time may not be counted"
        " any more."
    ),
    "It comes to more than {number} things besides money; more cannot be given at once.",
    "That is more than {number} of something, the most that can be given at once.",
    "The outage has more than {number} stretches of time; more are not kept for later incidents.",
    "The outage has no length, by which the amount could be divided over the periods of the cap.",
    "The time in which it could be used ends before it starts.",
    "There is no such choice: it is a whole number of what a list of the policy has.",
    "An outage has more days or parts than are looked at, or a date lies beyond the calendar.",
    "{said} is a date that programs write where there is none; it decides nothing.",
    "{said} lies before the incident began, which nothing about it can; it decides nothing.",
    "{said} lies after the decision, which nothing that has happened can; it decides nothing.",
    "{said}: the account's own outage has no end, although the incident is over.",
    "{said}: the account's own outage has no instant in common with the incident.",
    "This cannot be computed: {value}.",
    "That is above {value}, the most that one credit can be.",
    "Together: {value}.",
    "Part of {period}, by time: {value}, at most {other}.",
    "Part of {period}: {value}, at most {other}.",
    "Part of {period}, by time: {value}, within its limit of {other}.",
    "Part of {period}: {value}, within its limit of {other}.",
    "Limited to {value} by the upper bound: {other}.",
    "Limited to {value}.",
    "Each rounded {mode}: {value}, together {other}.",
    "Rounded {mode}: {value}.",
    "Credited automatically{terms}.",
    "Owed on the customer's claim, which has been made, nobody knows whether in time{terms}.",
    "Owed on the customer's claim, which has been made{terms}.",
    "Owed on the customer's claim, not made yet{terms}.",
    "Owed on the customer's claim, whose last day is not known{terms}.",
    "Owed on the customer's claim only, and the time for it is over{terms}.",
    "An offer, which the customer has accepted, nobody knows whether in time{terms}.",
    "An offer, which the customer has accepted{terms}.",
    "An offer, not accepted yet{terms}.",
    "An offer, whose last day is not known{terms}.",
    "An offer, and the time for accepting it is over{terms}.",
    "Granted: {value}. Reason: {cause}.",
    "Declined. Reason: {cause}.",
    "Held for manual review, because {said} is not known. Reason: {cause}.",
    "Held for manual review. Reason: {cause}.",
    "Held, and not paid for now. Reason: {cause}.",
    "Referred to a person. Reason: {cause}.",
    "Owed as soon as the customer claims or accepts it: {value}. Reason: {cause}.",
    "Owed as soon as the customer claims or accepts it. Reason: {cause}.",
    "Granted before for this incident: {value}. It is set off, and the rest is granted now.",
    "Granted for this incident by then: {value}.",
    "The account has another id since: {said}. Its decision of this campaign stands there.",
    "Decided by hand on {of} by a person of support, and a second person agreed: nothing is given.",
    "Decided by hand on {of} by a person of support, and a second person agreed: nothing more is given.",
    "Decided by hand on {of} by a person of support, and a second person agreed: {value}.",
    "Decided by hand on {of} by a person of support: nothing is given.",
    "Decided by hand on {of} by a person of support: nothing more is given.",
    "Decided by hand on {of} by a person of support: {value}.",
    "The reason: {title}.",
    "The person supplied what the list leaves open: {title}. With that, by the policy:",
    "By the policy, with what is known now:",
    "The row at byte {number} of the list was rejected: {title}. Nothing was decided.",
    "A person recognised whose row it is.",
    "The row at byte {number} of the list contradicts the decided one: a person looked at both.",
    "Taken back on {of}: {value}. A machine asked for it, and {persons} approved it. The reason: {title}.",
    "Taken back on {of}: {value}. A {role} asked for it, and {persons} approved it. The reason: {title}.",
    "Given again on {of}: {value}. The biller had taken it back, and has undone that.",
    "Goodwill: no policy owes it. It is given beside whatever policies grant, and nothing sets it off.",
    "Given by a person of the role support, and a second person agreed.",
    "Given by a person of the role support.",
    "It is about the incident {said}.",
    "The ticket: {said}.",
    "It repeats, on purpose, the equal amount {said}.",
)
"""As the engine writes them, but for their values. The first that fits is taken. A value is of the kind that its name
says: `said`, `title`, `cause` and `more` stay as they are.
"""
BETWEEN = (
    *("is at least", "is less than", "is more than", "is not more than", "is at most", "is one of", "is none of"),
    *("is neither", "is not before", "is before", "is after", "is not after", "is not known", "is known", "is below"),
    *("does not contain all of", "contains", "does not start with", "starts with", "is not a working day"),
    *("is a working day", "cannot be computed", "is not", "is", "nor", "times", "divided by", "plus", "minus", "and"),
    *("or later", "in all", "for each", "because no other line of the table fits", "which leaves nothing", "because"),
    *("begun in", "completed in", "rounded", "to a multiple of", "together with", "within", "below", "longer than"),
    *("from the grant", "from the redemption", "from", "to be used as listed under", "to", "until", "each day"),
    *("on working days", "on", "as chosen", "up to and including", "of at least", "of a month on", "of", "without"),
    *("with periods from day", "with pauses under", "joined", "if", "beside what stands", "in", "for"),
)
"""What stands after an operand, which ends with a value, a bracket or a quotation mark."""
BEFORE = (
    *("the longest part of the outage", "the time of the outage", "the start of the outage", "the end of the outage"),
    *("the longest part of", "the number of", "the sum of", "the mean of", "the time of", "the parts of", "blocks of"),
    *("the items of", "the start of the incident", "the end of the incident", "the moment of the decision"),
    *("the functions that failed", "the amount before rounding", "the amount", "the start of", "the end of"),
    *("the length of", "the time from", "the days with more than", "the days with at least", "the days of"),
    *("the day of", "the weekday of", "the time of day of", "the month of", "the quarter of", "the half-year of"),
    *("the year of", "the billing period of", "the working days after", "the most of", "the higher of"),
    *("the lower of", "the highest of", "the lowest of", "of the outage", "the outage", "of at least", "longer than"),
    *("because no other line of the table fits", "in all", "of the customer's choice from"),
    *("in one year that starts in", *MONTH_NAMES),
)
"""What stands before an operand or is one: in no name of a policy, which has no article."""
ALONE = ("nothing", "none reached", "none", "unlimited", "not known", "granted", "settled", "yes", "no")
"""What stands for a value, at its beginning or after a colon."""
FIRST = ("from", "until", "up to and including", "as chosen", "minus", "about")
UNITS = (
    "call minutes",
    "call minute",
    "billing cycles",
    "billing cycle",
    "working days",
    "working day",
    "days",
    "day",
    "months",
    "month",
)
"""What follows a number."""
TERMS = (
    "; possible up to and including {of}", "; possible until {of}", ", because {value}", "; due on the next bill",
    "; due within {value}", "; due by {of}", "; paid to: {said}",
)  # fmt: skip
STARTS = ("the condition ", "the outage counted ", "rounded ", "credited ", "owed", "an offer,")
"""How a step begins that is said for a part or a period."""
ROUNDED = ("half up", "half even", "half down", "up", "down")
_QUOTED = re.compile(r'("[^"]*")')
_LABELLED = re.compile(r'([^.:;"]+): (.+)', re.DOTALL)
_MONTH = re.compile("|".join(MONTH_NAMES))
_AFTER_AN_OPERAND = "|".join(
    (
        *(r'(?<=[\d)%"])', r"(?<=[A-Z]{3})", r"(?<=\d h)", r"(?<=\d s)", r"(?<=\d min)", r"(?<=\d GB)"),
        *(rf"(?<={one})" for one in ("outage", "incident", "days", "day", "month", "months", "cycles", "decision")),
    )
)
_DECIMALS = re.compile(r"(?<![\w.,/:-])(\d+)\.(\d+)(?![\w/:-]|[.,]\d)")
"""A number as the engine writes it: without a mark between thousands."""
_ON_AT_ITS_END = re.compile(r"(from [^,;]*?\d) on(?=$|,|\))")


class Steps:
    """The steps of a decision in one language."""

    def __init__(self, language: str, code: Callable[[str], str], phrase: Callable[[str], str]) -> None:
        self._texts = catalogue(language, "steps.")
        self._kinds: Mapping[str, Callable[[str], str]] = {
            "value": self.value, "other": self.value, "facts": self._facts, "names": self._names, "mode": self._mode,
            "period": self._months, "terms": self._terms, "persons": phrase, "role": code,
        }  # fmt: skip

    def _said(self, text: str) -> str:
        return self._texts.get(text, text)

    def __call__(self, step: str) -> Markup:
        """A step; marked as English where it is not known."""
        found = self.known(step)
        return english(step) if found is None else foreign(found)

    def known(self, step: str) -> str | None:
        """A step in this language; None where no sentence fits it."""
        if not self._texts:
            return step
        for sentence in SENTENCES:
            if (found := values_in(sentence, step)) is not None:
                values = {name: self._of_kind(name, text) for name, text in found.items()}
                return self._said(sentence).format(**values)
        whole = self._said(step)
        return self._labelled(step) if whole == step else whole

    def _labelled(self, step: str) -> str | None:
        """What a name of the policy came to, or a period for which a step is said."""
        found = _LABELLED.fullmatch(step)
        if found is None:
            return None
        label, rest = found.groups()
        inner = self.known(rest[:1].upper() + rest[1:]) if rest.startswith(STARTS) else None
        label = self._said("owed").capitalize() if label == "Owed" else self._months(label)
        return f"{label}: {self.value(rest) if inner is None else inner}"

    def _months(self, text: str) -> str:
        return _MONTH.sub(lambda found: self._said(found[0]), text)

    def _of_kind(self, name: str, text: str) -> str:
        return self._kinds[name](text) if name in self._kinds else text

    def value(self, text: str) -> str:
        """An expression with its values: what stands in quotes stays as it is."""
        parts = _QUOTED.split(text)
        return "".join(
            part if place % 2 else self._unquoted(part, is_first=not place) for place, part in enumerate(parts)
        )

    def _unquoted(self, text: str, *, is_first: bool) -> str:
        """A stretch between texts in quotes; the one before it, if any, is an operand."""
        said = _ON_AT_ITS_END.sub(r"\1", text if is_first else f'"{text}')
        said = _pieces().sub(self._exchanged, said)
        return _DECIMALS.sub(r"\1,\2", said if is_first else said[1:])

    def _exchanged(self, found: re.Match[str]) -> str:
        gap, text = (part for part in found.groups() if part is not None)
        return gap + self._said(text)

    def _names(self, text: str) -> str:
        """Names of the policy, one after the other."""
        others, _, last = text.rpartition(" and ")
        return f"{others} {self._said('and')} {last}" if others else last

    def _facts(self, text: str) -> str:
        """Facts with their values; a meaning in brackets is the policy's own."""
        return "; ".join(map(self._fact, text.split("; ")))

    def _fact(self, text: str) -> str:
        name, colon, rest = text.partition(": ")
        value, bracket, meaning = rest.partition(" (")
        return f"{name}{colon}{self.value(value)}{bracket}{meaning}"

    def _terms(self, text: str) -> str:
        """How it is delivered: each term after the other."""
        for term in TERMS:
            if (found := values_in(term + "{terms}", text)) is not None:
                values = {name: self._of_kind(name, part) for name, part in found.items()}
                return self._said(term).format(**values) + values["terms"]
        return text

    def _mode(self, text: str) -> str:
        how, _, of = text.partition(" to a multiple of ")
        said = self._said(how)
        return f"{said} {self._said('to a multiple of')} {self.value(of)}" if of else said


def _any_of(texts: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))


@cache
def _pieces() -> re.Pattern[str]:
    """The engine's own words in an expression, each known by what stands before or after it."""
    before = rf"((?<!\w))({_any_of(BEFORE)})(?!\w)"
    between = rf"((?:{_AFTER_AN_OPERAND}),? |, )({_any_of(BETWEEN)})(?!\w)"
    of_names = r"( )(is not known|is known|cannot be computed|is not(?= $| -?\d)|is(?= $| -?\d))(?!\w)"
    alone = rf"((?<=: )|^)({_any_of(ALONE)})(?!\w)"
    first = rf"(^|(?<=[(=] )|(?<=\())({_any_of(FIRST)})(?!\w)|((?<!\w))(about|minus)(?= -?[\d(])"
    units = rf"((?<=\d ))({_any_of(UNITS)})(?!\w)"
    return re.compile(f"{before}|{between}|{of_names}|{alone}|{first}|{units}")
