"""Who brought what into the fake bucket."""

from collections.abc import Iterator

from kulanz.application.ports import Upload
from kulanz.domain.campaigns.campaign import PinnedList
from kulanz.domain.time import EPOCH
from tests.support.fake_bucket import FakeLists, FakePolicies


class FakeUploads:
    """What the objects of the fake bucket say."""

    def __init__(self, policies: FakePolicies, lists: FakeLists) -> None:
        self._policies, self._lists = policies, lists

    def policies(self, policy_id: str) -> Iterator[tuple[int, Upload]]:
        for one in self._policies.published():
            upload = self.policy(one.policy_id, one.version)
            if one.policy_id == policy_id and upload is not None:
                yield one.version, upload

    def policy(self, policy_id: str, version: int) -> Upload | None:
        by = self._policies.published_by.get((policy_id, version))
        return None if by is None else Upload(EPOCH, by)

    def pinned(self, pinned: PinnedList) -> Upload | None:
        return Upload(self._lists.uploaded_at(pinned), "") if self._lists.has(pinned) else None
