"""The configuration of sources, one object a version, beside the published policies."""

import time
from collections.abc import Callable
from typing import Any

from kulanz.adapters.published_file import PublishedFile
from kulanz.application.drafts.draft_ports import SourcesSealed, SourcesStore
from kulanz.sources.configuration import (
    BYTES_MOST,
    NO_SOURCES,
    VERSION_HIGHEST,
    Configuration,
    ConfigurationError,
    configuration_from_json,
)

SOURCES_FOLDER = "_sources/"
"""Under the prefix of policies. An id of a policy has no underscore."""
VERSION_DIGITS = len(str(VERSION_HIGHEST))
CACHED_SECONDS = 60
"""How long a function that receives goes on with a configuration; deliveries are many, and versions are few."""
ANEW_SECONDS = 10
"""How often whoever names an unknown source makes the receiver read the configuration: anybody may call it."""


class S3Sources:
    """The configuration of sources."""

    def __init__(self, client: Any, bucket: str, policy_prefix: str) -> None:
        folder, named = policy_prefix + SOURCES_FOLDER, "configuration of sources"
        self._file = PublishedFile(client, bucket, folder, named, VERSION_DIGITS, BYTES_MOST, SourcesSealed)

    def current(self) -> Configuration:
        return self._file.current(configuration_from_json, ConfigurationError, NO_SOURCES)

    def publish(self, version: int, content: bytes, by: str = "") -> bool:
        return self._file.publish(version, content, by)


class CachedSources:
    """The configuration as it was at most `CACHED_SECONDS` ago, or `anew_seconds` where a source is missed in it."""

    def __init__(
        self, store: SourcesStore, clock: Callable[[], float] = time.monotonic, *, anew_seconds: float = 0
    ) -> None:
        self._store, self._clock, self._anew_seconds = store, clock, anew_seconds
        self._found: tuple[float, Configuration] | None = None

    def current(self) -> Configuration:
        return self._held(CACHED_SECONDS)

    def anew(self) -> Configuration:
        return self._held(self._anew_seconds)

    def _held(self, seconds: float) -> Configuration:
        if self._found is None or self._clock() - self._found[0] >= seconds:
            self._found = (self._clock(), self._store.current())
        return self._found[1]
