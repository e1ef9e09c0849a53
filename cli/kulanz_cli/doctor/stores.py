"""The tables and the bucket: what keeps them from being lost or changed, and whether somebody confirmed them."""

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from kulanz.adapters.aws import error_code
from kulanz.application.ports import Refused, TryAgain
from kulanz.domain.confirmation import missing
from kulanz_cli.doctor.examined import Examined, Result, finding, ok

EXPIRY_ATTRIBUTE = "ttl"
BOTH_IMAGES = "NEW_AND_OLD_IMAGES"
OUR_PREFIXES = frozenset({"rejected/", "aws/lambda/", "exports/"})
"""What the template lets expire; everything else in the bucket is kept as long as decisions are."""
LOSING_ACTIONS = ("Expiration", "NoncurrentVersionExpiration", "Transitions", "NoncurrentVersionTransitions")
"""What a lifecycle rule can do to an object so that it is gone, or cannot be read at once."""
LOG_SERVICE = "logging.s3.amazonaws.com"
DEPLOY_AGAIN = (
    "Deploying does not put back what was changed by hand unless the template changes. Set it back by hand:"
    " docs/deployment.md, What a finding means."
)
IGNORES_TABLE_SETTINGS = "it ignores this setting of a table"


def tables(at: Examined) -> Iterator[Result]:
    """Deletion protection, recovery, encryption, stream and expiry of both tables."""
    names = (("decisions", at.outputs.credits_table_name, True), ("campaigns", at.outputs.campaigns_table_name, False))
    for what, name, expires in names:
        yield from _table(at, what, name, expires=expires)


def sessions(at: Examined, name: str) -> Result:
    """Whether what the console keeps of its sessions is cleaned up. It ends them by the clock."""
    expiry = at.client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    return at.only_on_aws(_expiry("sessions", name, expiry, expires=True), IGNORES_TABLE_SETTINGS)


def _table(at: Examined, what: str, name: str, *, expires: bool) -> Iterator[Result]:
    client = at.client("dynamodb")
    found = client.describe_table(TableName=name)["Table"]
    yield from _protection(at, what, name, found)
    stream = found.get("StreamSpecification", {})
    if stream.get("StreamEnabled") and stream.get("StreamViewType") == BOTH_IMAGES:
        yield ok(f"The table of {what} streams both images.")
    else:
        yield finding(
            f"The table of {what} has no stream with both images: notices are not sent, or campaigns do not go on.",
            "Deploy the stack again over this table (docs/deployment.md, Delete, move, restore).",
        )
    recovery = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    if recovery.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") == "ENABLED":
        yield ok(f"The table of {what} can be restored to any second of the last 35 days.")
    else:
        yield at.only_on_aws(
            finding(
                f"Point-in-time recovery of the table of {what} is off: what is deleted or overwritten is gone.",
                f"aws dynamodb update-continuous-backups --table-name {name} --point-in-time-recovery-specification"
                " PointInTimeRecoveryEnabled=true",
            ),
            IGNORES_TABLE_SETTINGS,
        )
    expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    yield _expiry(what, name, expiry, expires=expires)


def _protection(at: Examined, what: str, name: str, found: Any) -> Iterator[Result]:
    if str(found.get("DeletionProtectionEnabled")).lower() == "true":  # a text, outside AWS
        yield ok(f"The table of {what} refuses to be deleted.")
    else:
        yield finding(
            f"The table of {what} can be deleted: an incident that it has forgotten is granted again.",
            f"aws dynamodb update-table --table-name {name} --deletion-protection-enabled",
        )
    if found.get("SSEDescription", {}).get("Status") in ("ENABLED", "UPDATING"):
        yield ok(f"The table of {what} is encrypted with a key of KMS.")
    else:
        yield at.only_on_aws(
            finding(f"The table of {what} is not encrypted with a key of KMS.", DEPLOY_AGAIN), IGNORES_TABLE_SETTINGS
        )


def _expiry(what: str, name: str, expiry: Any, *, expires: bool) -> Result:
    is_on = expiry.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    if expires:
        if is_on and expiry.get("AttributeName") == EXPIRY_ATTRIBUTE:
            return ok(f"The table of {what} deletes what has expired.")
        return finding(
            f"The table of {what} deletes nothing by itself, or by another attribute than {EXPIRY_ATTRIBUTE}.",
            f"aws dynamodb update-time-to-live --table-name {name} --time-to-live-specification"
            f" Enabled=true,AttributeName={EXPIRY_ATTRIBUTE}",
        )
    if is_on:
        return finding(
            f"The table of {what} lets items expire: an incident that it has forgotten is granted again.",
            f"aws dynamodb update-time-to-live --table-name {name} --time-to-live-specification"
            f" Enabled=false,AttributeName={expiry.get('AttributeName')}",
        )
    return ok(f"The table of {what} lets nothing expire.")


def confirmation(at: Examined) -> Iterator[Result]:
    """Whether a person confirmed these two tables."""
    stores = at.stack.stores()
    try:
        given = stores.confirmation()
        lacks = missing(given, stores.tables())
    except (Refused, TryAgain) as error:
        yield finding(f"Not checked: {error}.", "Run it with the role that deploys the stack, or try again.")
        return
    if lacks:
        yield finding(f"No campaign opens: {lacks}.", "kulanz ledger confirm --help")
    elif given is not None:
        yield ok(f"The tables were confirmed ({given.occasion}) by {given.actor}.")


def bucket(at: Examined) -> Iterator[Result]:
    """Versioning, encryption, public access, lifecycle and replication of the bucket."""
    client, name = at.client("s3"), at.outputs.list_bucket_name
    if client.get_bucket_versioning(Bucket=name).get("Status") == "Enabled":
        yield ok("The bucket keeps every version.")
    else:
        yield finding(
            "The bucket keeps no versions: a list that is uploaded again replaces the one that was decided.",
            f"aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled",
        )
    if _answer(client.get_bucket_encryption, name, "ServerSideEncryptionConfigurationNotFoundError"):
        yield ok("The bucket encrypts what it keeps.")
    else:
        yield finding("The bucket has no default encryption.", DEPLOY_AGAIN)
    access = _answer(client.get_public_access_block, name, "NoSuchPublicAccessBlockConfiguration")
    settings = access.get("PublicAccessBlockConfiguration", {})
    if settings and all(settings.values()):
        yield ok("The bucket cannot be made public.")
    else:
        yield finding(
            "The bucket can be made public: lists name customers' accounts.",
            f"aws s3api put-public-access-block --bucket {name} --public-access-block-configuration BlockPublicAcls="
            "true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        )
    lifecycle = _answer(client.get_bucket_lifecycle_configuration, name, "NoSuchLifecycleConfiguration")
    yield from _lifecycle(at, name, lifecycle.get("Rules", []))
    if _answer(client.get_bucket_replication, name, "ReplicationConfigurationNotFoundError"):
        yield finding(
            "The bucket is replicated to another one: lists leave this stack's protection.",
            f"Unless you want that: aws s3api delete-bucket-replication --bucket {name}",
        )
    else:
        yield ok("The bucket is replicated nowhere.")
    if logs := at.parameter("AccessLogBucket"):
        yield _access_logs(client, name, logs)


def _access_logs(client: Any, name: str, logs: str) -> Result:
    """S3 drops what it may not deliver, without a word: the other bucket's policy is looked at."""
    target = client.get_bucket_logging(Bucket=name).get("LoggingEnabled", {}).get("TargetBucket")
    if target != logs:
        return finding(f"The bucket logs its accesses to {target or 'no bucket'}, not to {logs}.", "Deploy again.")
    policy = _answer(client.get_bucket_policy, logs, "NoSuchBucketPolicy").get("Policy", "{}")
    statements = json.loads(policy).get("Statement", [])
    if any(_lets_logs_in(one) for one in (statements if isinstance(statements, list) else [statements])):
        return ok(f"The policy of {logs} lets S3 deliver access logs.")
    return finding(
        f"The policy of {logs} does not let {LOG_SERVICE} write: no access log arrives.",
        "Add the statement of docs/deployment.md, First deployment, to the policy of that bucket.",
    )


def _lets_logs_in(statement: Any) -> bool:
    principal = statement.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    actions = statement.get("Action", [])
    return (
        statement.get("Effect") == "Allow"
        and LOG_SERVICE in ([services] if isinstance(services, str) else services)
        and bool({"s3:PutObject", "s3:*"} & set([actions] if isinstance(actions, str) else actions))
    )


def _lifecycle(at: Examined, name: str, rules: list[Any]) -> Iterator[Result]:
    """A rule expires objects and versions past every statement of the bucket's policy."""
    wrong = [rule.get("ID", "?") for rule in rules if _expires(rule) and _prefix(rule) not in OUR_PREFIXES]
    if wrong:
        yield finding(
            f"A lifecycle rule ({', '.join(wrong)}) expires more than refused events and exports: lists or"
            " policies from which decisions are explained will be gone.",
            f"Remove it: aws s3api get-bucket-lifecycle-configuration --bucket {name}, then put the rest.",
        )
    else:
        yield ok("Nothing expires in the bucket but refused events, exports and failed records.")
    if gone := OUR_PREFIXES - {_prefix(rule) for rule in rules if _expires(rule)}:
        kept = f"Nothing expires under {', '.join(sorted(gone))}: what lies there is kept for ever."
        yield at.only_on_aws(finding(kept, DEPLOY_AGAIN), "it ignores the lifecycle of a bucket")


def _expires(rule: Any) -> bool:
    enabled = rule.get("Status") == "Enabled"
    return enabled and any(key in rule for key in LOSING_ACTIONS)


def _prefix(rule: Any) -> str:
    return str(rule.get("Prefix") or rule.get("Filter", {}).get("Prefix") or "")


def _answer(call: Any, bucket_name: str, absent: str) -> Any:
    """A part of the bucket's configuration; empty where there is none."""
    try:
        return call(Bucket=bucket_name)
    except ClientError as error:
        if error_code(error) == absent:
            return {}
        raise
