"""The sources' samples, each with a configuration and a recording."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kulanz.application.drafts.keep_delivery import read_body, upstream_of
from kulanz.domain.drafts.draft import Draft, drafts_of
from kulanz.domain.drafts.reported import Change, Part
from kulanz.domain.policy.document.strict_yaml import read_file
from kulanz.sources.configuration import Configured, read_configuration

SAMPLES = Path(__file__).parents[2] / "events/sources"
RECORDING = "recording"


def content_of(kind: str, **entries: Any) -> dict[str, Any]:
    """The configuration of a kind's samples, whose one source is named `it` here; `entries` take the place of its own.

    An entry that is None is left out.
    """
    content, _ = read_file(SAMPLES / kind / "configuration.yaml")
    (source,) = content["sources"].values()
    stated = {name: value for name, value in {**source, **entries}.items() if value is not None}
    return {**content, "sources": {"it": stated}}


def configured(kind: str, **entries: Any) -> Configured:
    """The one source of such a configuration."""
    return read_configuration(content_of(kind, **entries)).sources["it"]


def body_of(kind: str, name: str) -> Any:
    """The body of a sample; of AWS Health the whole event."""
    sample = json.loads((SAMPLES / kind / f"{name}.json").read_text(encoding="utf-8"))
    return sample.get("body", sample.get("event"))


def recorded(kind: str) -> list[Any]:
    """The bodies of a kind's recording, in order."""
    found = json.loads((SAMPLES / kind / f"{RECORDING}.json").read_text(encoding="utf-8"))
    return [one["body"] for one in found["deliveries"]]


def samples() -> Iterator[tuple[str, str]]:
    """Kind and name of each sample."""
    for path in sorted(SAMPLES.glob("*/*.json")):
        if path.stem != RECORDING:
            yield path.parent.name, path.stem


def drafts_from(source: Configured, bodies: Iterable[Any]) -> dict[str, Draft]:
    """The drafts that deliveries make, by their ids, as the functions make them."""
    parts: dict[str, list[Part]] = {}
    outside: list[Change] = []
    for body in bodies:
        for part in read_body(body, source).parts:
            if part.incident:
                parts.setdefault(part.incident, []).append(part)
            else:
                outside += part.reported.changes
    return {
        draft.id: draft
        for incident, found in parts.items()
        for draft in drafts_of(found, outside, source.mapping, upstream_of(source, incident).name)
    }
