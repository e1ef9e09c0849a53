"""The rulebook as a folder: policies under `<id>/<version>.yaml`, and beside them the worked examples of their rule.

A policy and its examples travel together: whoever copies the folder of a policy has everything that shows what it does.
Every reader of a book goes through here: the commands, the generated pages, the conformance tests.
"""

import difflib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from kulanz.domain.canonical import no_constant, object_once
from kulanz.domain.policy import PolicyDocument
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.document.yaml_source import read_policy
from kulanz_cli.outcomes import Unusable
from kulanz_cli.policy_examples import Result, run, same_rule

BOOK = Path(__file__).resolve().parents[2] / "policies"
"""The book of public rules, beside this command in its repository."""
EXAMPLES = "examples.json"
INDUSTRIES = "industries.json"
"""Beside the policies, in a book that wants them: the ids of its policies by industry."""
MAX_VERSIONS = 10_000
"""Of all policies of a book together."""
_VERSION_FILE = re.compile(r"[1-9][0-9]{0,4}")


@dataclass(frozen=True)
class Rule:
    """One version of a policy in a book, with the worked examples of its rule (none where the book has none)."""

    file: Path
    document: PolicyDocument

    @property
    def name(self) -> str:
        """`<id>/<version>`, as the book and the bucket name it."""
        return f"{self.document.policy.id}/{self.document.policy.version}"

    @property
    def is_public(self) -> bool:
        """Whether it is one of the public rules that come with Kulanz, and not of a company's own book."""
        return self.file.resolve().is_relative_to(BOOK)

    @cached_property
    def examples(self) -> Sequence[Mapping[str, Any]]:
        """The worked examples beside the policy. Raises Unusable when their file cannot be read."""
        path = self.file.parent / EXAMPLES
        found = read_examples(path) if path.is_file() else []
        return [example for example in found if same_rule(self.document, str(example.get("rule", "")))]

    def worked_example(self) -> tuple[Mapping[str, Any], Result] | None:
        """The example that shows the most: the first that entitles somebody, else the first.

        Only examples that hold under this version are looked at: those of a rule follow its latest version.
        """
        held = [(example, result) for example in self.examples if (result := run(self.document, example)).holds]
        entitled = [pair for pair in held if _entitles(pair[0]["expected"])]
        return next(iter([*entitled, *held]), None)


def _entitles(expected: Mapping[str, Any]) -> bool:
    """Whether an example says that somebody gets something, in one word or by what it is."""
    return bool(expected.get("outcome") == "entitled" or expected.get("money") or expected.get("units"))


def versions(book: Path) -> list[Path]:
    """The policy files of a book, by id and then by version. Raises Unusable when there is none, or far too many."""
    files = sorted(
        (path for path in book.glob("*/*.yaml") if _VERSION_FILE.fullmatch(path.stem)),
        key=lambda path: (path.parent.name, int(path.stem)),
    )
    if not files:
        raise Unusable(f"{book}: no book of policies; expected files such as <id>/1.yaml, or name another with --book")
    if len(files) > MAX_VERSIONS:
        raise Unusable(f"{book}: more than {MAX_VERSIONS} versions of policies; name the folder of one book")
    return files


def policy_files(path: Path) -> list[Path]:
    """The policy files of a path: a file itself, the versions of one policy's folder, or those of a whole book."""
    if path.is_file():
        return [path]
    own = sorted(
        (file for file in path.glob("*.yaml") if _VERSION_FILE.fullmatch(file.stem)), key=lambda f: int(f.stem)
    )
    return own or versions(path)


def read_rule(file: Path) -> Rule:
    """Read one version. Raises PolicyError with file, line and what to do."""
    return Rule(file, load_policy(file))


def outline(file: Path) -> Rule:
    """Read one version to list it: unchecked, and without its public holidays. Raises PolicyError."""
    return Rule(file, read_policy(file, with_days_off=False))


def latest_versions(book: Path) -> list[Path]:
    """The file of the latest version of every policy of a book, by id."""
    return list({path.parent.name: path for path in versions(book)}.values())


def latest_rules(book: Path) -> list[Rule]:
    """The latest version of every policy of a book, by id."""
    return [read_rule(path) for path in latest_versions(book)]


def find_rule(book: Path, wanted: str) -> Rule:
    """The policy `ID/VERSION` of a book; `ID` alone is its latest version. Raises Unusable when there is none."""
    policy_id, slash, version = wanted.partition("/")
    files = versions(book)
    of_policy = [path for path in files if path.parent.name == policy_id]
    if not of_policy:
        close = difflib.get_close_matches(policy_id, sorted({path.parent.name for path in files}))
        known = f"did you mean {', '.join(close)}?" if close else "`kulanz policy list` shows what there is"
        if (file := Path(wanted)).is_file():
            known = f"a file of your own is named by its book: {file.parent.name}/{file.stem} --book {file.parents[1]}"
        raise Unusable(f"{book}: there is no policy {policy_id}; {known}")
    if not slash:
        return read_rule(of_policy[-1])
    found = next((path for path in of_policy if path.stem == version), None)
    if found is None:
        known = ", ".join(path.stem for path in of_policy)
        raise Unusable(f"{book}: {policy_id} has no version {version}; known: {known}")
    return read_rule(found)


def industries(book: Path) -> Mapping[str, Sequence[str]]:
    """The ids of a book's policies by industry; empty where the book does not say. Raises Unusable."""
    path = book / INDUSTRIES
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise Unusable(f"{path}: cannot read the industries: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(ids, list) for ids in found.values()):
        raise Unusable(f"{path}: expected a list of policy ids for each industry")
    return found


def read_examples(path: Path) -> list[dict[str, Any]]:
    """Read a file of worked examples; one without an id is called by its place. Raises Unusable when it is none."""
    try:
        text = path.read_text(encoding="utf-8")
        examples = json.loads(text, parse_float=Decimal, object_pairs_hook=object_once, parse_constant=no_constant)
    except (ValueError, OSError, RecursionError) as error:
        raise Unusable(f"{path}: not a file of examples: {error}") from None
    if not isinstance(examples, list) or not all(isinstance(example, dict) for example in examples):
        raise Unusable(f"{path}: expected a list of examples, each with id, rule, account, incident and expected")
    examples = [{**example, "id": str(example.get("id", f"#{place}"))} for place, example in enumerate(examples, 1)]
    twice = [name for name, number in Counter(example["id"] for example in examples).items() if number > 1]
    if twice:
        raise Unusable(f"{path}: the id {twice[0]} stands twice; an id names one example")
    return examples
