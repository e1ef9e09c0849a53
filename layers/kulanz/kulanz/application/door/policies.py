"""Answers about published policies."""

import json
from collections.abc import Mapping
from typing import Any, TypedDict

from kulanz.application.door.asked import Asked, Door, page_after
from kulanz.application.door.cursors import make_cursor, read_cursor
from kulanz.application.door.problems import unknown
from kulanz.application.ports import PolicyMissing, PublishedPolicy
from kulanz.domain.canonical import no_constant
from kulanz.domain.time import format_instant

POLICY_VERSION = 1
POLICIES_PER_ANSWER = 1_000


class PublishedLine(TypedDict):
    """A published version of a policy."""

    id: str
    version: int
    published_at: str


class PublishedAnswer(TypedDict):
    """Published versions, by id and version; `next` is the cursor of the rest."""

    v: int
    policies: list[PublishedLine]
    next: str | None


class PolicyAnswer(TypedDict):
    """A published policy: the document that campaigns freeze, as it was published.

    `examples` are its worked examples, each with account, incident and expected result. None where none were published
    with it that can be read. Nothing is decided by them.
    """

    v: int
    id: str
    version: int
    document: Mapping[str, Any]
    examples: list[Mapping[str, Any]] | None


def published(asked: Asked, door: Door) -> PublishedAnswer:
    """Every published version."""
    after = read_cursor(asked.question, asked.query.get("cursor"))
    every = list(door.policies.published())
    found = list(page_after(every, _name, after, POLICIES_PER_ANSWER))
    is_last = not found or found[-1] == every[-1]
    return {
        "v": POLICY_VERSION,
        "policies": [
            {"id": one.policy_id, "version": one.version, "published_at": format_instant(one.published_at)}
            for one in found
        ],
        "next": None if is_last else make_cursor(asked.question, _name(found[-1])),
    }


def _name(policy: PublishedPolicy) -> str:
    return f"{policy.policy_id}/{policy.version}"


def one(asked: Asked, door: Door) -> PolicyAnswer:
    """One published policy, with its examples."""
    policy_id, version = asked.of["policy"], int(asked.of["version"])
    try:
        content = door.policies.fetch(policy_id, version)
    except PolicyMissing:
        raise unknown("no policy of that id and version is published") from None
    return {
        "v": POLICY_VERSION,
        "id": policy_id,
        "version": version,
        "document": json.loads(content),
        "examples": _examples(door.policies.examples(policy_id, version)),
    }


def _examples(content: bytes | None) -> list[Mapping[str, Any]] | None:
    """The examples in an object. One that was wrongly written by hand must not keep the policy from a reader."""
    try:
        found = None if content is None else json.loads(content, parse_constant=no_constant)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair can be read, and not be answered
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(one, dict) for one in found) else None
