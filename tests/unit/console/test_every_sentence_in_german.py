"""Every sentence of Kulanz that a page can show has its German. The sentences are read from the code.

What stays English is written down here, by the module that says it, with the reason.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import kulanz
from kulanz.domain.lists.header_advice import ACCOUNT_NAMES
from kulanz_console.catalogue import catalogue, values_in
from kulanz_console.steps import SENTENCES
from kulanz_console.words import Words

ROOT = Path(kulanz.__file__).parent
PROJECT = ROOT.parents[2]
GERMAN = Words("de")

ELSEWHERE = {
    "adapters/": "what is asked of AWS; where AWS does not answer, a page says just that",
    "config/": "what whoever deploys a stack is told",
    "sources/": "what the log of the function says of a source's report",
    "startup.py": "what the log of a function says",
    "versions.py": "what the log of a function says",
    "failures.py": "what the log of a function says",
    "domain/policy/": "what the author of a policy is told; *Try it* shows it, marked",
    "domain/language_tags.py": "a table of languages",
    "domain/notices.py": "what the author of a notice's text is told",
    "domain/campaigns/prices.py": "where a price of AWS was read",
    "domain/campaigns/estimate.py": "what of AWS an estimate counts, in a terminal",
    "domain/campaigns/amounts.py": "says that its caller is wrong",
    "domain/delivery/answers.py": "what is wrong with a file of the biller's answers: kulanz answers",
    "domain/delivery/standing.py": "why an answer of the biller is not noted: kulanz answers",
    "domain/delivery/entries.py": "says that its caller is wrong",
    "domain/delivery/credit.py": "says that its caller is wrong",
    "domain/delivery/reversal.py": "says that its caller is wrong",
    "domain/delivery/difference.py": "says that its caller is wrong",
    "domain/delivery/ids.py": "how a command is to be written",
    "domain/delivery/files.py": "a type of file",
    "domain/delivery/channel.py": "what whoever deploys a stack is told",
    "domain/gate/settings.py": "what whoever deploys a stack is told",
    "domain/exports/": "the names of columns",
    "domain/ledger/": "says that its caller is wrong",
    "domain/lists/words.py": "words of other programs' lists",
    "domain/lists/id_shape.py": "how the shape of ids is stated in an event or a command",
    "domain/people/people.py": "what whoever publishes a people file is told; a person is told what WHOLE has",
    "domain/byhand/discretion.py": "what a publisher of that file is told; an agent is told what WHOLE has",
    "application/door/routes.py": "the documentation of the API",
    "application/door/acknowledgements.py": "answers of the biller are sent by a command",
    "application/door/confirmations.py": "tables are confirmed by a command",
    "application/door/settlements.py": "what a campaign granted is stated by a command",
    "application/door/exports.py": "exports are asked for by a command; a sample is told what WHOLE has",
    "application/delivery/hear_answers.py": "answers of the biller are sent by a command",
    "application/delivery/publish_credits.py": "what the log of the function says",
    "application/drafts/": "what the log of the function says of a source's report",
    "application/exports/": "exports are asked for by a command",
    "application/ledger/confirm_tables.py": "tables are confirmed by a command",
    "application/ledger/settle_budgets.py": "what the log of the function says",
    "application/ledger/state_amounts.py": "what a campaign granted is stated by a command",
    "application/lists/": "a list is checked by a command",
    "application/notices/": "what the log of the function says",
    "application/ports/": "says that its caller is wrong",
    "application/campaigns/watch_open.py": "what the log of the function says",
}
"""Modules of which no page shows a sentence, or only a marked one; a name that ends with / has all below it."""

NOT_SHOWN = {
    "the names of events, which programs read": (
        *("Campaign Awaiting Approval", "Campaign Closed", "Campaign Flagged", "Campaign Refused", "Campaign Rejected"),
        *("Campaign Paused", "Campaign Cancelled", "Delivery Sent", "Delivery Flagged", "Second Person Waited For"),
    ),
    "the titles of problems of the API: a page shows what is said below them": (
        *("The path has a value of another form", "The query is not one of this question"),
        *("The cursor is not one of this question", "The body is not JSON", "The body is not as described"),
        *("The body is of another type", "The body is too large", "The answer is too large", "A person is needed"),
        *("It cannot be done as matters stand", "The request was refused", "The id stands for another action"),
        *("Try again", "The function failed"),
    ),
    "parts of an id or of a record": (
        *("replan of v0x v1x", "next bill", "(the body)", "another version", "each account"),
        *("FactDeclaration(v0x, v1x)", "tuple[Problem, ...]", "Value error, "),
        "^(?:Input|String|List|Dictionary) should ",
    ),
    "what the caller of a function did wrong, which a page hears of as a fault": (
        *("the execution decides otherwise than the plan",),
        *("a decision is of a campaign that is there", "expected an aware instant", "v0x is no number"),
        *("no budget has less than nothing reserved or spent", "more was accepted than may be claimed"),
        *("a count is of a person or of an account", "only what was given is a decision"),
        "a person's id has its one form",
        *("a list has at least one byte after its header", "chunks have at least v0x bytes", "chunk v0x of v1x"),
        *("a campaign does not go from v0x to v1x", "a void writes after it was approved", "a change has an instant"),
        *("an incident has at least one part", "reading starts at the byte before the span, or at the first data line"),
        *("a part has a key, a version, a checksum and a size", "a list has at most v0x chunks; raise ChunkBytes"),
        "the row of a decision is not where the decision says; nothing more of it is delivered",
        *("a decision's credits cannot be assigned: v0x", "what is asked back of a decision cannot be assigned: v0x"),
        "v0x is written twice; keep one of them", "an account id is v0x",
    ),
    "what is asked for by a command": (
        "nothing of the campaign was delivered to a channel that is a topic",
        "its delivery is not sent yet; what is not published will be",
        "an amount with its currency or unit, such as 500.00 EUR or 100 GB",
        "v0x: expected no more decimals than v1x has",
        "the unique id of an IAM role, AROA and 17 more capital letters or digits, separated by commas",
        (
            "an id as `kulanz log` prints it: iam:arn:aws:iam::123456789012:user/anna, sso:anna@example.com, or"
            " login:https://issuer#subject"
        ),
    ),
    "the policy, the title and the file of goodwill, which its page does not show": (
        *("Given by hand, as goodwill", "Nothing reads it: the list has no rows."),
    ),
    "names of columns in other programs' lists": tuple(name for name in ACCOUNT_NAMES if " " in name),
}  # fmt: skip
"""Sentences of the other modules that no page shows."""

WHOLE = (Path(__file__).parent / "sentences_put_together.txt").read_text(encoding="utf-8").splitlines()
"""Whole sentences of those that the code puts together, and those that a page shows of a module that is named above,
one a line. A text that is in one of them is a part.
"""
VALUE = re.compile(r"v\dx")
WORDS = re.compile(r"[a-z]{2,}")
CALLERS = frozenset({"TryAgain", "AssertionError", "RuntimeError", "cast", "re.compile", "field", "TypeVar"})
"""Calls whose texts no page shows: an answer to be waited for, a fault, a type, a pattern."""


def is_elsewhere(name: str) -> bool:
    return any(name == one or (one.endswith("/") and name.startswith(one)) for one in ELSEWHERE)


CALLED_BY_A_PAGE = (
    *("cli/kulanz_cli/door.py", "cli/kulanz_cli/signed.py", "functions/api/handler.py"),
    *("cli/kulanz_console/problems.py", "cli/kulanz_console/hosted/by_use_cases.py"),
)
"""What stands between a page and the use cases: why no answer came."""
FOR_PROGRAMS = frozenset(
    {"security token", "access key", "not authorized", "application/json, application/problem+json"}
    | {"this is no identity of IAM's"}
)
"""What they look for in the gateway's answer, or write into a log."""


@cache
def sentences() -> Mapping[str, str]:
    """The texts of the modules of which a page shows something, by where each stands first; values are v0x, v1x..."""
    found: dict[str, str] = {}
    for file in sorted(ROOT.rglob("*.py")):
        name = str(file.relative_to(ROOT))
        if not is_elsewhere(name):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for line, text in _texts_of(tree):
                found.setdefault(text, f"{name}:{line}")
    return found


def _texts_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    left_out = {id(part) for node in ast.walk(tree) for part in _of_others(node)}
    for node in ast.walk(tree):
        if id(node) in left_out or not isinstance(node, ast.JoinedStr | ast.Constant):
            continue
        text = _written(node)
        if " " in text.strip() and len(WORDS.findall(VALUE.sub("", text))) > 1 and not text.endswith("| None"):
            yield node.lineno, text


def _of_others(node: ast.AST) -> Iterable[ast.AST]:
    """What is no text for somebody: a docstring, what a fault says, a type; and the parts of a text with values."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return [node.value]
    if isinstance(node, ast.Call) and ast.unparse(node.func) in CALLERS:
        return ast.walk(node)
    if isinstance(node, ast.Assert):
        return ast.walk(node)
    return (one for one in ast.walk(node) if one is not node) if isinstance(node, ast.JoinedStr) else ()


def _written(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    parts, number = [], 0
    for one in node.values:
        parts.append(str(one.value) if isinstance(one, ast.Constant) else f"v{number}x")
        number += not isinstance(one, ast.Constant)
    return "".join(parts)


def german(text: str) -> str | None:
    """A sentence of the API, or a step, in German; None where it is neither."""
    found = GERMAN._known(text)
    is_step = text in catalogue("de", "steps.") or any(values_in(one, text) is not None for one in SENTENCES)
    return GERMAN.step.known(text) if found is None and is_step else found


def is_part(text: str) -> bool:
    """Whether a text stands inside a sentence that is put together."""
    written = re.compile(".*?".join(map(re.escape, VALUE.split(text))))
    return any(written.search(one) for one in WHOLE)


def test_every_sentence_that_a_page_can_show_has_its_german() -> None:
    english = {one for texts in NOT_SHOWN.values() for one in texts}
    assert len(sentences()) > 500, "the search for sentences no longer finds them"
    unknown = [
        f"{place}: {text}" for text, place in sentences().items()
        if text not in english and not german(text) and not is_part(text)
    ]  # fmt: skip
    assert unknown == [], "add to texts/answers.de.po, or say above why it stays English"


def test_why_no_answer_came_has_its_german() -> None:
    found = [
        text for file in CALLED_BY_A_PAGE
        for _, text in _texts_of(ast.parse((PROJECT / file).read_text(encoding="utf-8"))) if text not in FOR_PROGRAMS
    ]  # fmt: skip
    assert len(found) > 10
    assert [text for text in found if not german(text) and not is_part(text)] == []


def test_what_a_view_says_of_a_form_has_its_german() -> None:
    views = (PROJECT / "cli/kulanz_console/views").glob("*.py")
    said = [
        _written(node.args[0])
        for file in views for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("NotAnswered", "TimeError")
        and isinstance(node.args[0], ast.Constant | ast.JoinedStr)
    ]  # fmt: skip
    assert len(said) > 20
    assert [text for text in said if not german(text) and not is_part(text)] == []


def test_what_is_said_to_stay_english_is_still_there_and_has_no_german() -> None:
    there = sentences().keys()
    named = [one for texts in NOT_SHOWN.values() for one in texts]
    assert [one for one in named if one not in there or german(one)] == []
    assert [one for one in ELSEWHERE if not (ROOT / one).exists()] == []


def test_no_value_of_a_sentence_is_lost_or_changed_by_its_german() -> None:
    lost = {
        text: said for text in sentences()
        if (said := german(text)) is not None and sorted(VALUE.findall(text)) != sorted(VALUE.findall(said))
    }  # fmt: skip
    assert lost == {}


def test_what_is_put_together_of_several_sentences_has_its_german() -> None:
    assert [one for one in WHOLE if not german(one)] == []


POINT = re.compile(r"(?<![\w.])\d+\.\d{1,2}(?![\w.,])")


def test_an_amount_is_written_as_german_does_and_a_code_or_a_version_stays() -> None:
    said = {one: str(german(one)) for one in WHOLE}
    codes = [one for one in said if "engine 1.0" in one or "with 1.0 by" in one]
    assert len(codes) > 4
    assert [one for one in codes if "1.0" not in said[one]] == []
    amounts = [one for one in WHOLE if " EUR" in one and " such as " not in one and not one.startswith("EUR")]
    assert [one for one in amounts if POINT.search(said[one])] == []
