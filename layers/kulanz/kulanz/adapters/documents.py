"""What campaigns leave behind in the bucket, listed and handed out by links."""

from typing import Any

from kulanz.adapters.aws import call
from kulanz.application.door.asked import Document

KEYS_PER_LISTING = 1_000
"""The limit of ListObjectsV2."""


class S3Documents:
    """Documents by key, and links that are signed with the permissions of whoever makes them."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def under(self, prefix: str, after: str, most: int) -> list[Document]:
        found: list[Document] = []
        while len(found) < most:
            last = found[-1].key if found else after
            answer = call(
                "ListObjectsV2",
                self._client.list_objects_v2,
                Bucket=self._bucket,
                Prefix=prefix,
                MaxKeys=min(most - len(found), KEYS_PER_LISTING),
                **({"StartAfter": last} if last else {}),
            )
            found += [Document(item["Key"], item["Size"]) for item in answer.get("Contents", ())]
            if not answer.get("IsTruncated"):
                break
        return found

    def link(self, key: str, seconds: int) -> str:
        place = {"Bucket": self._bucket, "Key": key}
        url: str = self._client.generate_presigned_url("get_object", Params=place, ExpiresIn=seconds)
        return url
