"""The stack as CloudFormation knows it: its release and how the last deployment ended."""

from collections.abc import Iterator

import kulanz
from kulanz_cli.doctor.examined import Examined, Result, finding, ok

GOOD = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
ROLLED_BACK = frozenset({"UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"})


def deployed(at: Examined) -> Iterator[Result]:
    """Release and status."""
    version, status = at.outputs.stack_version, at.stack.status()
    if version == kulanz.__version__:
        yield ok(f"The stack is release {version}, as this command.")
    else:
        yield finding(
            f"The stack is release {version}, this command {kulanz.__version__}: checks and explanations may differ.",
            "Use the command of the stack's release, or build and deploy this one.",
        )
    if status in GOOD:
        yield ok(f"The last deployment succeeded ({status}).")
    elif status in ROLLED_BACK:
        yield finding(
            f"The last deployment failed and was rolled back ({status}): the stack is as it was before.",
            "aws cloudformation describe-stack-events says why.",
        )
    elif status.endswith("_IN_PROGRESS"):
        yield finding(f"A deployment is under way ({status}).", "Wait until it has ended, then run this again.")
    else:
        yield finding(
            f"The last deployment did not end well ({status}): parts of the stack may be missing.",
            "aws cloudformation describe-stack-events says why; docs/deployment.md, First deployment.",
        )
