"""The incident as a decision sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kulanz.domain.time import Window


@dataclass(frozen=True, slots=True)
class Incident:
    """What happened: which service and functions, when, why, and facts that hold for every account.

    ``facts`` are plain JSON values; a policy declares the ones it reads with their types.
    """

    incident_id: str
    revision: int
    title: str
    service: str
    functions: tuple[str, ...]
    windows: tuple[Window, ...]
    cause: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
