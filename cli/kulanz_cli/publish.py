"""``kulanz policy publish``: put policies where the stack's campaigns find them, each version once and for ever."""

from dataclasses import asdict, dataclass
from pathlib import Path

import click

from kulanz.application.ports import PolicySealed, PublishingForbidden
from kulanz.domain.people.caller import stated_id
from kulanz.domain.policy import PolicyDocument, content_hash, document_from_json, document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli.direct import DirectStack
from kulanz_cli.rulebook import policy_files
from kulanz_cli.seals import seal_problem
from kulanz_cli.settings import EXIT_NO, Unusable, as_json, pass_direct_stack
from kulanz_cli.terminal import console, print_json, say

PUBLISH_VERSION = 1
PUBLISHED = "published"
UNCHANGED = "was published before, with the same content"
OTHER_HOLIDAYS = "was published before, with the public holidays known then, which stand"
REFUSED = "is refused"


@dataclass(frozen=True, slots=True)
class Published:
    """What became of one version; `problem` says what to do where it was refused."""

    policy: str
    version: int
    result: str
    problem: str = ""


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
    content is refused, and the command exits with 1. Everything is checked before anything is published.
    """
    files = {file: load_policy(file) for file in policy_files(path)}
    problems = {file: seal_problem(file, document, seal=False) for file, document in files.items()}
    results = [Published(*_name(files[file]), REFUSED, problem) for file, problem in problems.items() if problem]
    if not results:
        results = [_published(stack, file, document) for file, document in files.items()]
    if is_json:
        print_json({"v": PUBLISH_VERSION, "policies": [asdict(one) for one in results]})
    else:
        out = console()
        for one in results:
            problem = f": {one.problem}" if one.problem else ""
            say(out, f"{one.policy} version {one.version} {one.result}{problem}", further=2)
    if any(one.result == REFUSED for one in results):
        raise SystemExit(EXIT_NO)


def _name(document: PolicyDocument) -> tuple[str, int]:
    return document.policy.id, document.policy.version


def _published(stack: DirectStack, file: Path, document: PolicyDocument) -> Published:
    policy_id, version = _name(document)
    shelf = stack.policies()
    try:
        is_new = shelf.publish(policy_id, version, document_json(document), stated_id(stack.caller()))
        return Published(policy_id, version, PUBLISHED if is_new else UNCHANGED)
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
