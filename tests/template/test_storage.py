"""What the stores promise: nothing that a decision rests on is lost, and nothing is open or in clear text."""

import pytest
import yaml

from kulanz.domain.exports.export import EXPORT_DAYS
from tests.template.resolved import ACCOUNT_ID, PROJECT, Json, Stack, as_list, refused

TABLES = ("CreditsTable", "CampaignsTable")
KEPT_FOR_EVER = ("lists/", "inline/", "policies/", "campaigns/")
"""A decision is explained from these as long as it exists."""


def statement(stack: Stack, sid: str) -> Json | None:
    statements = stack.properties("ListBucketPolicy")["PolicyDocument"]["Statement"]
    found = [item for item in statements if item["Sid"] == sid]
    return found[0] if found else None


KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
NEVER_REPLACED: dict[str, tuple[str, Json]] = {
    "ListBucket": ("AWS::S3::Bucket", {"BucketName": "bucket-1"}),
    "CreditsTable": ("AWS::DynamoDB::Table", {"TableName": "credits-1", "KeySchema": KEYS}),
    "CampaignsTable": ("AWS::DynamoDB::Table", {"TableName": "campaigns-1", "KeySchema": KEYS}),
}
"""What a new logical id or a changed property would replace by an empty store, by CloudFormation's reference ("Update
requires: Replacement"): of a table its name and its keys, of a bucket its name."""
REPLACING = {"AWS::S3::Bucket": {"BucketName", "ObjectLockEnabled"}, "AWS::DynamoDB::Table": {"TableName", "KeySchema"}}
ADOPTED = {"CreditsTableName": "credits-1", "CampaignsTableName": "campaigns-1", "ListBucketName": "bucket-1"}


def replacing(kind: str, properties: Json) -> Json:
    return {name: value for name, value in properties.items() if name in REPLACING[kind]}


def test_no_change_of_the_template_replaces_a_store() -> None:
    stack, adopting = Stack(), Stack(ADOPTED)
    kinds = set(REPLACING)
    assert {name for name, one in stack.resources.items() if one["Type"] in kinds} == set(NEVER_REPLACED)
    for name, (kind, kept) in NEVER_REPLACED.items():
        assert stack.resources[name]["Type"] == kind
        assert replacing(kind, adopting.properties(name)) == kept
        names = {"TableName", "BucketName"}
        assert replacing(kind, stack.properties(name)) == {
            property_: value for property_, value in kept.items() if property_ not in names
        }


def test_what_adopts_a_store_names_it_as_the_template_does() -> None:
    text = (PROJECT / "deploy/adopt.yaml").read_text()
    adopting = Stack(ADOPTED)
    resources = yaml.load(text.replace("!Ref ", ""), Loader=yaml.SafeLoader)["Resources"]
    assert set(resources) == set(NEVER_REPLACED)
    for name, resource in resources.items():
        wanted = adopting.properties(name)
        stated = {key: ADOPTED.get(value, value) if isinstance(value, str) else value
                  for key, value in resource["Properties"].items()}  # fmt: skip
        assert stated == {key: wanted[key] for key in stated}
        assert replacing(resource["Type"], stated) == replacing(resource["Type"], wanted)
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


@pytest.mark.parametrize("store", ["ListBucket", *TABLES])
def test_a_store_outlives_its_stack(stack: Stack, store: str) -> None:
    assert stack.resources[store]["DeletionPolicy"] == "Retain"
    assert stack.resources[store]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("table", TABLES)
def test_a_table_can_be_restored_and_not_be_deleted_by_mistake(stack: Stack, table: str) -> None:
    properties = stack.properties(table)
    assert properties["DeletionProtectionEnabled"] == "true"
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_our_keys_and_tells_both_images(stack: Stack, table: str) -> None:
    properties = stack.properties(table)
    assert properties["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"


def test_decisions_expire_and_what_keeps_them_from_coming_back_does_not(stack: Stack) -> None:
    assert stack.properties("CreditsTable")["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert "TimeToLiveSpecification" not in stack.properties("CampaignsTable")


def test_throughput_is_prepared_only_on_request(stack: Stack) -> None:
    assert "WarmThroughput" not in stack.properties("CreditsTable")
    prepared = Stack({"WarmWriteUnitsPerSecond": "40000"}).properties("CreditsTable")["WarmThroughput"]
    assert prepared == {"ReadUnitsPerSecond": "12000", "WriteUnitsPerSecond": "40000"}


def test_every_version_of_a_list_is_kept(stack: Stack) -> None:
    bucket = stack.properties("ListBucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    for rule in bucket["LifecycleConfiguration"]["Rules"]:
        expires = set(rule) - {"Id", "Status", "Prefix"} != {"AbortIncompleteMultipartUpload"}
        assert not expires or rule["Prefix"] not in ("", *KEPT_FOR_EVER)


def test_no_version_that_a_decision_rests_on_can_be_deleted_by_mistake(stack: Stack) -> None:
    kept = statement(stack, "KeepWhatDecisionsRestOn")
    assert kept is not None
    assert (kept["Effect"], kept["Principal"], kept["Action"]) == ("Deny", "*", "s3:DeleteObjectVersion")
    assert set(kept["Resource"]) == {f"arn:ListBucket/{prefix}*" for prefix in KEPT_FOR_EVER}


def test_a_deliberate_deletion_is_one_parameter_away() -> None:
    stack = Stack({"DeletionProtection": "false"})
    assert statement(stack, "KeepWhatDecisionsRestOn") is None
    assert statement(stack, "APublishedPolicyIsNeverHidden") is None
    assert {stack.properties(table)["DeletionProtectionEnabled"] for table in TABLES} == {"false"}


RULES_DESK = f"arn:aws:iam::{ACCOUNT_ID}:role/rules-desk"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT_ID}:role/administrator"
WORKERS = ("OpenCampaignRole", "GrantCreditsRole", "PublishNoticesRole", "AdvanceCampaignRole")


PUT, A_POLICY = "s3:PutObject", "policies/a/1.json"


def may(stack: Stack, principal: str, action: str = PUT, key: str = A_POLICY, *, conditional: bool = True) -> bool:
    """Whether the bucket lets somebody pass whom IAM itself permits everything, over HTTPS."""
    statements = stack.properties("ListBucketPolicy")["PolicyDocument"]["Statement"]
    resource = f"arn:ListBucket/{key}" if key else "arn:ListBucket"
    context = {"aws_PrincipalArn": principal, "aws_SecureTransport": "true"}
    return not refused(statements, action, resource, **context, **({"s3_if-none-match": "*"} if conditional else {}))


@pytest.mark.parametrize("principal", [RULES_DESK, ADMINISTRATOR, *(f"arn:{role}" for role in WORKERS)])
def test_until_an_operator_lists_policy_publishers_nobody_may_publish_a_policy(stack: Stack, principal: str) -> None:
    assert not may(stack, principal)
    assert may(stack, principal, key="lists/a.csv")


def test_listed_policy_publishers_may_publish_and_nobody_else_not_even_an_administrator() -> None:
    stack = Stack({"PolicyPublisherArns": f"{RULES_DESK},arn:aws:iam::{ACCOUNT_ID}:user/deploy"})
    assert may(stack, RULES_DESK)
    assert may(stack, f"arn:aws:iam::{ACCOUNT_ID}:user/deploy")
    assert not may(stack, ADMINISTRATOR)
    assert not any(may(stack, f"arn:{role}") for role in WORKERS)
    assert may(stack, ADMINISTRATOR, key="lists/a.csv")


def test_who_publishes_incidents_does_not_therefore_publish_policies() -> None:
    stack = Stack({"PublisherArns": RULES_DESK, "CampaignPublisherArns": RULES_DESK})
    assert not may(stack, RULES_DESK)


def test_not_even_a_policy_publisher_replaces_or_hides_what_was_published() -> None:
    stack = Stack({"PolicyPublisherArns": RULES_DESK})
    assert not may(stack, RULES_DESK, conditional=False)
    assert not may(stack, RULES_DESK, "s3:DeleteObject")
    assert not may(stack, RULES_DESK, "s3:DeleteObjectVersion")
    assert may(stack, RULES_DESK, "s3:DeleteObject", key="lists/a.csv")


@pytest.mark.parametrize("principal", [RULES_DESK, ADMINISTRATOR, "arn:aws:iam::999999999999:role/replication"])
@pytest.mark.parametrize("action", ["s3:ReplicateObject", "s3:ReplicateDelete"])
def test_nothing_is_replicated_over_what_was_published(principal: str, action: str) -> None:
    stack = Stack({"PolicyPublisherArns": RULES_DESK, "DeployerArns": ADMINISTRATOR})
    assert not any(may(stack, principal, action, key) for key in (A_POLICY, "lists/a.csv", "campaigns/a/001/report"))


PROTECTIONS = (
    "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration", "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock",
)  # fmt: skip


@pytest.mark.parametrize("action", PROTECTIONS)
def test_only_deployers_change_what_protects_the_bucket(stack: Stack, action: str) -> None:
    deployer = f"arn:aws:iam::{ACCOUNT_ID}:role/deploy"
    listed = Stack({"DeployerArns": deployer})
    assert may(listed, deployer, action, "")
    assert not may(listed, ADMINISTRATOR, action, "")
    assert may(stack, ADMINISTRATOR, action, "")  # until they are listed, nobody is locked out


def test_what_protects_the_bucket_outlives_the_stack_with_it(stack: Stack) -> None:
    assert stack.resources["ListBucketPolicy"]["DeletionPolicy"] == "Retain"
    assert stack.resources["ListBucketPolicy"]["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_is_private_encrypted_and_never_in_clear_text_on_the_way(stack: Stack) -> None:
    bucket = stack.properties("ListBucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    refused = statement(stack, "RefusePlainHttp")
    assert refused is not None
    assert (refused["Effect"], refused["Principal"], refused["Action"]) == ("Deny", "*", "s3:*")
    assert set(refused["Resource"]) == {"arn:ListBucket", "arn:ListBucket/*"}
    assert refused["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_access_is_logged_where_the_operator_says(stack: Stack) -> None:
    assert "LoggingConfiguration" not in stack.properties("ListBucket")
    logged = Stack({"AccessLogBucket": "access-logs"}).properties("ListBucket")
    assert logged["LoggingConfiguration"] == {"DestinationBucketName": "access-logs", "LogFilePrefix": "kulanz/"}


TOPICS = {"NoticesTopic": "SubscriberAccountIds", "CreditsTopic": "CreditsSubscriberAccountIds"}
"""The topics, each with the parameter that lists who else may subscribe to it."""


@pytest.mark.parametrize("topic", TOPICS)
def test_what_is_published_is_encrypted_and_refused_over_plain_http(stack: Stack, topic: str) -> None:
    assert stack.properties(topic)["KmsMasterKeyId"] == "alias/aws/sns"
    statements = stack.properties(f"{topic}Policy")["PolicyDocument"]["Statement"]
    assert statements == [
        {
            "Sid": "RefusePlainHttp",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


@pytest.mark.parametrize("topic", TOPICS)
def test_listed_accounts_may_subscribe_to_their_topic_and_do_nothing_else(topic: str) -> None:
    stack = Stack({TOPICS[topic]: "111111111111,222222222222"})
    for one in TOPICS:
        statements = stack.properties(f"{one}Policy")["PolicyDocument"]["Statement"]
        allowed = [item for item in statements if item["Effect"] == "Allow"]
        assert len(allowed) == (one == topic)
        for item in allowed:
            assert item["Principal"] == {"AWS": ["111111111111", "222222222222"]}
            assert "sns:Publish" not in as_list(item["Action"])


def test_the_parts_of_exports_are_kept_as_long_as_an_export_says(stack: Stack) -> None:
    rules = stack.properties("ListBucket")["LifecycleConfiguration"]["Rules"]
    (rule,) = [rule for rule in rules if rule.get("Prefix") == "exports/"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", EXPORT_DAYS)
