"""Two persons on an AWS of this machine: IAM users with keys of their own, who approve what waits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kulanz_local.embedded import aws_session

NAMES = ("anna", "ben")

type Keys = tuple[str, str]
"""An access key's id and its secret."""


def create_persons(endpoint: str) -> Mapping[str, Keys]:
    """Create the users, and a key for each. Created again, each gets a further key."""
    iam: Any = aws_session().client("iam", endpoint_url=endpoint)
    known = {user["UserName"] for user in iam.list_users()["Users"]}
    found = {}
    for name in NAMES:
        if name not in known:
            iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        found[name] = (key["AccessKeyId"], key["SecretAccessKey"])
    return found


def write_profiles(persons: Mapping[str, Keys], path: Path) -> None:
    """Write the keys as profiles of the AWS command line, which `kulanz --profile` names."""
    lines = [
        line
        for name, (key, secret) in persons.items()
        for line in (f"[{name}]", f"aws_access_key_id = {key}", f"aws_secret_access_key = {secret}", "")
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
