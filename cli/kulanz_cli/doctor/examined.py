"""What a check is given, what it answers, and how all of them are run."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters.aws import error_code
from kulanz_cli.direct import DirectStack
from kulanz_cli.stack import StackOutputs

AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
DENIED_CODES = frozenset(
    {
        "AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "NotAuthorized",
        "UnauthorizedOperation", "AWS.SimpleQueueService.AccessDenied",
    }
)  # fmt: skip
"""What services call a refusal by a policy."""
UNKNOWN_CALL_CODES = frozenset(
    {"InvalidAction", "UnknownOperationException", "NotImplemented", "UnsupportedOperation", "404", "501"}
)
"""What an AWS outside AWS answers to a call that it does not have."""


class Verdict(StrEnum):
    """What became of a check."""

    OK = "ok"
    FINDING = "finding"
    NOT_SHOWN = "not shown"


@dataclass(frozen=True, slots=True)
class Result:
    """One sentence of a check. `do` says what to do about a finding; it is empty otherwise."""

    verdict: Verdict
    says: str
    do: str = ""


def ok(says: str) -> Result:
    """It is as it must be."""
    return Result(Verdict.OK, says)


def finding(says: str, do: str) -> Result:
    """It is not as it must be: what that means, and what to do."""
    return Result(Verdict.FINDING, says, do)


def not_shown(says: str) -> Result:
    """It cannot be shown here, and why."""
    return Result(Verdict.NOT_SHOWN, says)


class Lacking(Exception):
    """The stack has no parameter of this name."""


class Examined:
    """The stack under examination. What it says about itself is read once, at the first use."""

    def __init__(self, stack: DirectStack) -> None:
        self.stack = stack

    def client(self, service: str) -> Any:
        """A client with bounded waits and attempts."""
        return self.stack.client(service)

    @property
    def outputs(self) -> StackOutputs:
        """The names that the stack gives out."""
        return self.stack.outputs

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """What the stack was deployed with."""
        return self.stack.parameters()

    def parameter(self, name: str) -> str:
        """One of them. Raises Lacking."""
        if name not in self.parameters:
            raise Lacking(name)
        return self.parameters[name]

    @cached_property
    def resources(self) -> Mapping[str, tuple[str, str]]:
        """The type and the physical id of each resource, by its name in the template."""
        return self.stack.resources()

    @cached_property
    def caller(self) -> str:
        """Who runs the checks, as an ARN."""
        return self.stack.caller()

    @cached_property
    def is_aws(self) -> bool:
        """Whether this is AWS itself, and no other program that answers in its place."""
        host = urlsplit(self.client("cloudformation").meta.endpoint_url).hostname or ""
        return host.endswith(AWS_DOMAINS)

    def listed(self, parameter: str) -> frozenset[str]:
        """The values of a parameter that is a list."""
        return frozenset(filter(None, self.parameter(parameter).split(",")))

    def is_caller_in(self, arns: Iterable[str]) -> bool:
        """Whether the caller is one of these principals: a session's ARN has the name of its role, without the path."""
        kind, _, rest = self.caller.rpartition(":")[2].partition("/")
        if kind == "assumed-role":
            kind, rest = "role", rest.partition("/")[0]
        account = self.caller.split(":")[4:5]
        return any(
            arn == self.caller
            or (
                arn.split(":")[4:5] == account
                and f":{kind}/" in arn
                and arn.rpartition("/")[2] == rest.rpartition("/")[2]
            )
            for arn in arns
        )

    def only_on_aws(self, result: Result, why: str) -> Result:
        """A finding that an AWS outside AWS makes of itself, as what cannot be shown there."""
        if result.verdict is Verdict.FINDING and not self.is_aws:
            return not_shown(f"{result.says} This is not AWS: {why}.")
        return result


type Check = Callable[[Examined], Iterator[Result]]


@dataclass(frozen=True, slots=True)
class Checked:
    """A result and the name of the check that gave it."""

    check: str
    result: Result


def examine(at: Examined, checks: Mapping[str, Check]) -> Iterator[Checked]:
    """Run every check. One that AWS does not let finish ends in a result, and the others go on."""
    for name, check in checks.items():
        try:
            for result in check(at):
                yield Checked(name, result)
        except (ClientError, BotoCoreError) as error:
            yield Checked(name, unreadable(at, error))
        except Lacking as missing:
            older = f"Not checked: the stack has no parameter {missing}; it is of another release."
            yield Checked(name, finding(older, "Use the command of the stack's release, or deploy this one."))


def unreadable(at: Examined, error: ClientError | BotoCoreError) -> Result:
    """What it means that AWS did not answer a check's question."""
    if isinstance(error, ClientError):
        code, call = error_code(error), error.operation_name
        if not at.is_aws and (code in UNKNOWN_CALL_CODES or code.startswith("Unknown")):
            return not_shown(f"This is not AWS: it has no {call}.")
        if is_denied(error):
            return finding(f"Not checked: you may not call {call}.", "Run it with the role that deploys the stack.")
        return finding(
            f"Not checked: AWS answered {call} with {code}.", "Try again; if it stays, look at that resource."
        )
    return finding(f"Not checked: AWS did not answer ({type(error).__name__}).", "Try again.")


def is_denied(error: ClientError) -> bool:
    """Whether a policy refused the call."""
    return error_code(error) in DENIED_CODES
