"""A channel: where credits are delivered to, and in which form. Its configuration is checked, and part of a plan."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from kulanz.domain.identifiers import CHANNEL_NAME

SERIAL_MOST = 99_999_999
"""Eight digits, as a delivery's folder has them: 27,000 deliveries a day for ten years."""
CHANNEL_EXPECTED = "1 to 32 lower-case letters, digits or hyphens, starting with a letter"

_NAME = re.compile(CHANNEL_NAME, re.ASCII).fullmatch


class ChannelKind(StrEnum):
    """How a channel sends. FILE: files in the bucket, which a trailer releases. TOPIC: the same files, whose credits
    are then published on the credits topic.
    """

    FILE = "file"
    TOPIC = "topic"


class FileFormat(StrEnum):
    """The form of a channel's files."""

    CSV = "csv"
    JSONL = "jsonl"


class ChannelError(ValueError):
    """A configuration of a channel that cannot be used; the message says which entry, and what was expected."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel's configuration, as a plan pins it."""

    name: str
    kind: ChannelKind = ChannelKind.FILE
    format: FileFormat = FileFormat.CSV

    def __post_init__(self) -> None:
        if _NAME(self.name) is None:
            raise ChannelError(f"the name of a channel: expected {CHANNEL_EXPECTED}")
        if self.kind is ChannelKind.TOPIC and self.format is not FileFormat.JSONL:
            raise ChannelError("format: expected jsonl for a topic, whose messages have the lines of its files")

    @property
    def text(self) -> str:
        """The channel as a setting writes it: `billing:csv`, `billing:topic`."""
        form = self.kind.value if self.kind is ChannelKind.TOPIC else self.format.value
        return f"{self.name}:{form}"

    def content(self) -> dict[str, str]:
        """The configuration as plain JSON: what a plan's hash covers."""
        return {"channel": self.name, "kind": self.kind.value, "format": self.format.value}

    @classmethod
    def from_content(cls, content: Any) -> Self:
        """Read a configuration, strictly. Raises ChannelError."""
        known = {"channel", "kind", "format"}
        if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
            raise ChannelError("expected the entries channel, kind and format, each a text")
        if wrong := sorted(content.keys() ^ known):
            raise ChannelError(f"the entry {wrong[0]} is missing or unknown; expected channel, kind and format")
        if content["kind"] not in set(ChannelKind):
            raise ChannelError(f"kind: expected one of {', '.join(ChannelKind)}")
        if content["format"] not in set(FileFormat):
            raise ChannelError(f"format: expected one of {', '.join(FileFormat)}")
        return cls(content["channel"], ChannelKind(content["kind"]), FileFormat(content["format"]))

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """A channel as a setting writes it, `billing:csv` or `billing:topic`; None for an empty setting.

        Raises ChannelError.
        """
        if not text:
            return None
        name, _, form = text.partition(":")
        if form == ChannelKind.TOPIC.value:
            return cls(name, ChannelKind.TOPIC, FileFormat.JSONL)
        return cls.from_content({"channel": name, "kind": ChannelKind.FILE.value, "format": form or "csv"})
