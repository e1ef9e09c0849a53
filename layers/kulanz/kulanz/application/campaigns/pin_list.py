"""Fixes what a campaign reads: the object, its columns, and the shapes of its ids."""

from dataclasses import replace

from kulanz.application.incidents.incident_event import Affected, CampaignContract, EventRefused, IncidentEvent
from kulanz.application.lists.check_list import must_not_state_history, required_columns
from kulanz.application.ports import ListMissing, ListStore, PinnedVersionGone
from kulanz.domain.campaigns.campaign import PinnedList
from kulanz.domain.canonical import canonical_json
from kulanz.domain.lists.header import HEADER_BYTES, ListFormat, ListLayout, format_of, read_layout
from kulanz.domain.lists.id_shape import IdShape
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.lists.manifest import MANIFEST_ENDING
from kulanz.domain.lists.unread_columns import OWN_COLUMNS, must_not_nearly_name, names_in
from kulanz.domain.policy import CompiledPolicy


def pin_list(event: IncidentEvent, affected: Affected, lists: ListStore, bucket: str, prefix: str) -> PinnedList:
    """The very object that is the campaign's list. Raises EventRefused where none is found, or it lies elsewhere.

    Lists lie in `bucket` under `prefix`. A list that came inside its event is stored first.
    """
    if affected.inline is not None:
        content = "".join(f"{canonical_json(row)}\n" for row in affected.inline).encode()
        return lists.put_inline(f"inline/{event.incident_id}/{event.request_digest}.jsonl", content)
    place = affected.s3
    if place is None:
        raise AssertionError("the contract holds one source")
    where = "detail.campaign.affected.s3"
    if place.bucket != bucket:
        raise EventRefused(
            "list_elsewhere", f"{where}.bucket", "lists are read from the stack's own list bucket only; upload it there"
        )
    if not place.key.startswith(prefix) or not _is_plain_key(place.key):
        raise EventRefused(
            "list_elsewhere", f"{where}.key",
            f"lists lie under {prefix}; their keys have ASCII letters, digits and . _ - / and no '..'",
        )  # fmt: skip
    try:
        return lists.pin(place.bucket, place.key, place.version_id)
    except ListMissing:
        raise EventRefused(
            "list_missing", where, "no such list, or no such version of it; upload it, then send the event again"
        ) from None
    except ListRefused as refusal:
        raise EventRefused(refusal.reason, where, str(refusal)) from None


def _is_plain_key(key: str) -> bool:
    plain = all(character.isascii() and (character.isalnum() or character in "._-/") for character in key)
    return plain and all(part not in ("", ".", "..") for part in key.split("/"))


def _with_shapes(layout: ListLayout, request: CampaignContract, account_ids: IdShape | None) -> ListLayout:
    """A list's layout with the shapes of its ids: those of its event, else the stack's. A campaign keeps them."""
    stated, subjects = request.affected.account_ids, request.affected.subject_ids
    return replace(
        layout,
        account_ids=account_ids if stated is None else stated.shape(),
        subject_ids=None if subjects is None else subjects.shape(),
    )


def lay_out(
    pinned: PinnedList, policy: CompiledPolicy, request: CampaignContract, account_ids: IdShape | None, lists: ListStore
) -> ListLayout:
    """How to read a list, of which only the header is read. Raises EventRefused where it cannot be read as meant.

    `account_ids` is the stack's shape of account ids.
    """
    try:
        key = pinned.key.removesuffix(MANIFEST_ENDING)
        list_format = ListFormat.JSONL if key.startswith("inline/") else format_of(key)
        head = b"" if pinned.size == 0 else b"".join(lists.read(pinned, 0, min(pinned.size, HEADER_BYTES)))
        layout = read_layout(list_format, head, pinned.size, required_columns(policy))
        must_not_state_history(policy, layout)
        names = names_in(layout, head[layout.data_start :].splitlines()[:-1] or [head[layout.data_start :]])
        must_not_nearly_name(names, policy.facts, policy.subject, request.ignored_columns, OWN_COLUMNS)
    except ListRefused as refusal:
        raise EventRefused(refusal.reason, "detail.campaign.affected", str(refusal)) from None
    except PinnedVersionGone as gone:
        problem = f"the version of {gone} that is named is gone; upload it, then send the event again"
        raise EventRefused("list_missing", "detail.campaign.affected", problem) from None
    return _with_shapes(layout, request, account_ids)
