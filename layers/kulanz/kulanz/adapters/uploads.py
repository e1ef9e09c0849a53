"""Who brought lists and policies into the bucket, as far as their objects say: a bucket itself knows the time alone."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters.aws import error_code, translated
from kulanz.adapters.s3 import NOT_THERE, S3Policies
from kulanz.application.ports import UPLOADED_BY, Upload
from kulanz.domain.campaigns.campaign import PinnedList

BY_CHARACTERS = 512
"""Of the text that whoever uploads chooses; a person's id is never longer."""


class S3Uploads:
    """Who brought what into the bucket."""

    def __init__(self, client: Any, bucket: str, policy_prefix: str) -> None:
        self._client = client
        self._bucket, self._prefix = bucket, policy_prefix

    def policies(self, policy_id: str) -> Iterator[tuple[int, Upload]]:
        for one in S3Policies(self._client, self._bucket, self._prefix).published(policy_id):
            upload = self.policy(policy_id, one.version)
            if upload is not None:
                yield one.version, upload

    def policy(self, policy_id: str, version: int) -> Upload | None:
        return self._of(self._bucket, f"{self._prefix}{policy_id}/{version}.json")

    def pinned(self, pinned: PinnedList) -> Upload | None:
        return self._of(pinned.bucket, pinned.key, VersionId=pinned.version_id)

    def _of(self, bucket: str, key: str, **version: str) -> Upload | None:
        try:
            head = self._client.head_object(Bucket=bucket, Key=key, **version)
        except ClientError as error:
            if error_code(error) in NOT_THERE:
                return None
            raise translated(error, "HeadObject") from error
        except BotoCoreError as error:
            raise translated(error, "HeadObject") from error
        said = str(head.get("Metadata", {}).get(UPLOADED_BY, ""))[:BY_CHARACTERS]
        return Upload(head["LastModified"], said if said.isprintable() else "")
