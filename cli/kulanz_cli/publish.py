"""``kulanz policy publish``: put policies where the stack's campaigns find them, each version once and for ever."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from kulanz.application.ports import PolicySealed, PublishingForbidden
from kulanz.domain.people.caller import stated_id
from kulanz.domain.policy import PolicyDocument, content_hash, document_from_json, document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.document.frozen import MAX_EXAMPLES_BYTES
from kulanz_cli.direct import DirectStack
from kulanz_cli.outcomes import EXIT_NO, Unusable
from kulanz_cli.policy_examples import run
from kulanz_cli.rulebook import EXAMPLES, Rule, policy_files
from kulanz_cli.seals import seal_problem
from kulanz_cli.settings import as_json, pass_direct_stack
from kulanz_cli.terminal import console, counted_as, print_json, say

PUBLISH_VERSION = 1
PUBLISHED = "published"
UNCHANGED = "was published before, with the same content"
OTHER_HOLIDAYS = "was published before, with the public holidays known then, which stand"
REFUSED = "is refused"


@dataclass(frozen=True, slots=True)
class Published:
    """What became of one version; `problem` says what to do where it was refused.

    `examples`: how many examples stand beside it; None where others were published before, which stand.
    `examples_failed`: how many do not hold under it, and so do not.
    """

    policy: str
    version: int
    result: str
    problem: str = ""
    examples: int | None = 0
    examples_failed: int = 0


@click.command(
    "publish",
    epilog="Exit codes: 0 yes, 1 a version is refused, 2 wrong command line, 3 stack, AWS or input could not be used.",
)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@as_json
@pass_direct_stack
def publish(stack: DirectStack, path: Path, is_json: bool) -> None:
    """Publish the policy of a file, or every one of a folder. Publishing seals.

    PATH is the file or folder. A published version never changes: the same content again changes nothing; other
    content is refused, and the command exits with 1. Everything is checked before anything is published. The examples
    beside a policy are published with it, once, as far as they hold under it. Nothing is decided by them.
    """
    files = {file: load_policy(file) for file in policy_files(path)}
    problems = {file: seal_problem(file, document, seal=False) for file, document in files.items()}
    results = [Published(*_name(files[file]), REFUSED, problem) for file, problem in problems.items() if problem]
    if not results:
        examples = {file: _examples(file, document) for file, document in files.items()}
        results = [_published(stack, file, document, *examples[file]) for file, document in files.items()]
    if is_json:
        print_json({"v": PUBLISH_VERSION, "policies": [asdict(one) for one in results]})
    else:
        out = console()
        for one in results:
            problem = f": {one.problem}" if one.problem else ""
            say(out, f"{one.policy} version {one.version} {one.result}{problem}{_beside(one)}", further=2)
            if one.examples_failed:
                failed = counted_as(one.examples_failed, "example")
                say(out, f"{failed} left out, which the policy decides otherwise; see: kulanz policy test", indent=2)
    if any(one.result == REFUSED for one in results):
        raise SystemExit(EXIT_NO)


def _name(document: PolicyDocument) -> tuple[str, int]:
    return document.policy.id, document.policy.version


def _beside(one: Published) -> str:
    if one.examples is None:
        return "; other examples were published before, and stand"
    return f"; {counted_as(one.examples, 'example')} beside it" if one.examples else ""


def _examples(file: Path, document: PolicyDocument) -> tuple[list[Mapping[str, Any]], int]:
    """The examples of a policy that hold under it, and how many do not. Raises Unusable."""
    try:
        as_published = json.loads(_examples_json(Rule(file, document).examples))
    except UnicodeEncodeError:
        raise Unusable(f"{file.with_name(EXAMPLES)}: half of a surrogate pair; write the character") from None
    held = [example for example in as_published if run(document, example).holds]
    if len(_examples_json(held)) > MAX_EXAMPLES_BYTES:
        raise Unusable(f"{file.with_name(EXAMPLES)}: expected at most {MAX_EXAMPLES_BYTES:,} bytes; leave out some")
    return held, len(as_published) - len(held)


def _examples_json(examples: Sequence[Mapping[str, Any]]) -> bytes:
    return json.dumps(examples, ensure_ascii=False, sort_keys=True, default=_plain).encode()


def _plain(number: Decimal) -> str:
    """A number with a point, as the text that examples may have instead: a reader's floats would round it."""
    return str(number)


def _published(
    stack: DirectStack, file: Path, document: PolicyDocument, examples: list[Mapping[str, Any]], failed: int
) -> Published:
    policy_id, version = _name(document)
    shelf, by = stack.policies(), stated_id(stack.caller())
    try:
        is_new = shelf.publish(policy_id, version, document_json(document), by)
        stand = not examples or shelf.publish_examples(policy_id, version, _examples_json(examples), by)
        result = PUBLISHED if is_new else UNCHANGED
        return Published(policy_id, version, result, "", len(examples) if stand else None, failed)
    except PolicySealed:
        if content_hash(document_from_json(shelf.fetch(policy_id, version))) == content_hash(document):
            return Published(policy_id, version, OTHER_HOLIDAYS)
        following = file.with_name(f"{version + 1}.yaml")
        problem = f"other content is published, and stands; write the change as version {version + 1} into {following}"
        return Published(policy_id, version, REFUSED, problem)
    except PublishingForbidden:
        raise Unusable(
            f"{policy_id} version {version} was not published: {_principal(stack.caller())} may not publish policies."
            " Whoever deploys the stack lists the publishers in its parameter PolicyPublisherArns (of a role the ARN"
            " that IAM shows, with its path); s3:PutObject under policies/ has to be permitted to them as well"
        ) from None


def _principal(caller: str) -> str:
    """The role behind a session, as a bucket policy knows it, as far as its ARN shows it; users as they are."""
    head, assumed, rest = caller.partition(":assumed-role/")
    role = rest.partition("/")[0]
    return f"{head.replace(':sts:', ':iam:', 1)}:role/{role}" if assumed else caller
