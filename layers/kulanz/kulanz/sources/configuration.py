"""The configuration of sources: which there are, for whom each speaks, and which service each component belongs to.

It is published like the people file: versions from 1, none of which changes; the highest one holds.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any
from unicodedata import category

from kulanz.domain.canonical import canonical_json
from kulanz.domain.drafts.draft import (
    SERVICE_NAME_CHARACTERS,
    SOURCE_NAME_CHARACTERS,
    Mapped,
    ServiceRule,
    SourceMap,
)
from kulanz.domain.drafts.reported import COUNTABLE, Degree
from kulanz.domain.identifiers import is_incident_id
from kulanz.domain.time import TimeError, zone_of
from kulanz.sources.signatures import Scheme
from kulanz.sources.table import SOURCES, Source

SOURCES_LANGUAGE = 1
VERSION_HIGHEST = 99_999
SOURCES_MOST = 50
COMPONENTS_MOST = 2_000
SERVICES_MOST = 200
SPEAKERS_MOST = 500
ASKED_MOST = 20
BYTES_MOST = 1024 * 1024
"""Of a published file."""
TEXT_CHARACTERS = 100
ID_CHARACTERS = 200
MINUTES_MOST = 7 * 24 * 60
"""The longest least length of a window: a week."""

_SOURCE_NAME = re.compile(rf"[a-z][a-z0-9]{{0,{SOURCE_NAME_CHARACTERS - 1}}}", re.ASCII)
_SERVICE_NAME = re.compile(rf"[a-z][a-z0-9-]{{0,{SERVICE_NAME_CHARACTERS - 1}}}", re.ASCII)
_MINUTES = re.compile(r"([0-9]{1,5}) min", re.ASCII)
_POLICY = re.compile(r"([a-z0-9][a-z0-9-]{0,63})/[1-9][0-9]{0,4}", re.ASCII)
_LIST_KEY = re.compile(r"lists/[!-~]{1,1018}", re.ASCII)
_HOST = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.ASCII)
_PARTNER = re.compile(r"aws\.partner/[A-Za-z0-9._/-]{1,240}", re.ASCII)

type Path = tuple[str | int, ...]


class ConfigurationError(ValueError):
    """What is wrong with a configuration: the entry, what was expected there, and what to do."""

    def __init__(self, problem: str, path: Path = ()) -> None:
        self.problem = problem
        self.path = path
        super().__init__(f"{'.'.join(map(str, path))}: {problem}" if path else problem)


@dataclass(frozen=True, slots=True)
class Configured:
    """A source of a company. `page` is the host that its incidents are fetched from again, empty for none.

    `partner` is the event source of a partner's bus that its deliveries may also come over, empty for none. A source
    that is `stopped` receives nothing any more; its drafts stay. `notices`: status notices follow its drafts.
    """

    name: str
    source: Source
    mapping: SourceMap
    speaks_for: frozenset[str] = frozenset()
    zone: str = ""
    began: str = ""
    ended: str = ""
    components_field: str = ""
    page: str = ""
    partner: str = ""
    is_stopped: bool = False
    notices: bool = False

    def may_speak(self, speaker: str | None) -> bool:
        """Whether what a delivery says that it is from is what this source may speak for; None where none is named.

        Who could say it and does not speaks for nobody: leaving it out would pass the list by.
        """
        return speaker is None or not self.speaks_for or speaker in self.speaks_for


@dataclass(frozen=True, slots=True)
class Configuration:
    """A version of the file. `version` 0 is the one that holds until a file is published: there is no source."""

    version: int = 0
    digest: str = ""
    sources: Mapping[str, Configured] = field(default_factory=dict)

    def over_bus(self, event_source: str, account: str) -> Configured | None:
        """The source that an event of EventBridge belongs to: of a partner's bus, or AWS Health for an account."""
        for one in self.sources.values():
            is_ours = not one.speaks_for or account in one.speaks_for
            is_health = one.source.scheme is Scheme.RULE and event_source == AWS_HEALTH and is_ours
            if not one.is_stopped and (is_health or (one.partner and one.partner == event_source)):
                return one
        return None


AWS_HEALTH = "aws.health"
NO_SOURCES = Configuration()
_ENTRIES = (
    *("kind", "components", "services", "ignored", "speaks_for", "zone", "timestamps", "components_field"),
    *("page", "partner", "stopped", "notices"),
)
_SERVICE_ENTRIES = ("name", "counts", "minimum", "policy", "list", "cause", "asked")


def read_configuration(content: Any, digest: str = "") -> Configuration:
    """Read the file's plain data, as YAML or JSON gave it. Raises ConfigurationError with the entry.

    `digest` is the hash of the published content that it was read from; without one it is worked out.
    """
    entries = _mapping(content, (), ("kulanz_sources", "version", "sources"))
    if entries.get("kulanz_sources") != SOURCES_LANGUAGE or isinstance(entries["kulanz_sources"], bool):
        raise ConfigurationError(f"expected kulanz_sources: {SOURCES_LANGUAGE} in the first line")
    version = entries.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= VERSION_HIGHEST:
        raise ConfigurationError(
            f"expected a whole number from 1 to {VERSION_HIGHEST}, one more than before", ("version",)
        )
    listed = entries.get("sources")
    if not isinstance(listed, dict) or not 1 <= len(listed) <= SOURCES_MOST:
        raise ConfigurationError(
            f"expected 1 to {SOURCES_MOST} sources, written as name: and their entries", ("sources",)
        )
    sources = {str(name): _source(name, raw) for name, raw in listed.items()}
    return Configuration(version, digest or sha256(canonical_json(content).encode()).hexdigest(), sources)


def configuration_json(content: Any) -> bytes:
    """A file's plain data as it is published. Raises ConfigurationError."""
    read_configuration(content)
    published = canonical_json(content).encode()
    if len(published) > BYTES_MOST:
        raise ConfigurationError(f"expected at most {BYTES_MOST} bytes as it is published")
    return published


def configuration_from_json(published: bytes) -> Configuration:
    """A published file. Raises ConfigurationError."""
    try:
        content = json.loads(published)
    except (ValueError, RecursionError):
        raise ConfigurationError("expected JSON, as `kulanz source publish` writes it") from None
    return read_configuration(content, sha256(published).hexdigest())


def must_follow(before: Configuration, after: Configuration) -> None:
    """What a version may change of the one before. Raises ConfigurationError with the entry.

    The name of a source and of a service is part of the ids of incidents: under another name an incident that is
    confirmed already would come again. So both stay, and a source that ends is stopped.
    """
    if after.version != before.version + 1:
        raise ConfigurationError(f"version {before.version} is published; expected {before.version + 1}", ("version",))
    for name, one in before.sources.items():
        now = after.sources.get(name)
        if now is None:
            raise ConfigurationError(
                "this source was configured before; keep it under its name, and write stopped: true", ("sources", name)
            )
        if now.source is not one.source:
            raise ConfigurationError(
                f"this source was of kind {one.source.kind} before; configure another under a name of its own",
                ("sources", name, "kind"),
            )
        gone = sorted(one.mapping.services.keys() - now.mapping.services.keys())
        if gone:
            raise ConfigurationError(
                f"{gone[0]} was a service before; keep it under its name", ("sources", name, "services")
            )


def _source(name: Any, raw: Any) -> Configured:
    path: Path = ("sources", str(name))
    if not isinstance(name, str) or _SOURCE_NAME.fullmatch(name) is None:
        raise ConfigurationError(
            f"expected a name of 1 to {SOURCE_NAME_CHARACTERS} lower-case letters and digits, such as status", path
        )
    entries = _mapping(raw, path, _ENTRIES)
    kind = entries.get("kind")
    source = SOURCES.get(kind) if isinstance(kind, str) else None
    if source is None:
        raise ConfigurationError(f"expected one of: {', '.join(SOURCES)}", (*path, "kind"))
    times = _mapping(entries.get("timestamps", {}), (*path, "timestamps"), ("began", "ended"))
    return Configured(
        name=name,
        source=source,
        mapping=_map(name, entries, path),
        speaks_for=frozenset(_texts(entries.get("speaks_for", []), (*path, "speaks_for"), SPEAKERS_MOST)),
        zone=_zone(entries.get("zone"), (*path, "zone")),
        began=_text(times.get("began"), (*path, "timestamps", "began")),
        ended=_text(times.get("ended"), (*path, "timestamps", "ended")),
        components_field=_text(entries.get("components_field"), (*path, "components_field")),
        page=_matching(
            entries.get("page"), (*path, "page"), _HOST, "a host such as status.example.com, without https://"
        ),
        partner=_matching(
            entries.get("partner"), (*path, "partner"), _PARTNER, "an event source such as aws.partner/example.com/1"
        ),
        is_stopped=_yes_or_no(entries.get("stopped", False), (*path, "stopped")),
        notices=_yes_or_no(entries.get("notices", False), (*path, "notices")),
    )


def _map(name: str, entries: Mapping[str, Any], path: Path) -> SourceMap:
    raw_services = entries.get("services")
    if not isinstance(raw_services, dict) or not 1 <= len(raw_services) <= SERVICES_MOST:
        raise ConfigurationError(
            f"expected 1 to {SERVICES_MOST} services, written as name: and their entries", (*path, "services")
        )
    services = {str(one): _service(one, raw, (*path, "services", str(one))) for one, raw in raw_services.items()}
    raw_components = entries.get("components")
    if not isinstance(raw_components, dict) or not 1 <= len(raw_components) <= COMPONENTS_MOST:
        raise ConfigurationError(
            f"expected 1 to {COMPONENTS_MOST} components, written as id: and their service", (*path, "components")
        )
    components = {
        _id(one, (*path, "components")): _mapped(raw, services, (*path, "components", str(one)))
        for one, raw in raw_components.items()
    }
    ignored = _texts(entries.get("ignored", []), (*path, "ignored"), COMPONENTS_MOST)
    for place, one in enumerate(ignored):
        if one in components:
            raise ConfigurationError("this component is mapped to a service, too; keep one", (*path, "ignored", place))
    return SourceMap(name, components, services, frozenset(ignored))


def _mapped(raw: Any, services: Mapping[str, ServiceRule], path: Path) -> Mapped:
    entries = _mapping(raw, path, ("service", "function"))
    service = entries.get("service")
    if not isinstance(service, str) or service not in services:
        raise ConfigurationError(f"expected one of the services: {', '.join(services)}", (*path, "service"))
    return Mapped(service, _text(entries.get("function"), (*path, "function")))


def _service(name: Any, raw: Any, path: Path) -> ServiceRule:
    if not isinstance(name, str) or _SERVICE_NAME.fullmatch(name) is None:
        raise ConfigurationError(
            f"expected a name of 1 to {SERVICE_NAME_CHARACTERS} lower-case letters, digits and hyphens, such as voice",
            path,
        )
    entries = _mapping({} if raw is None else raw, path, _SERVICE_ENTRIES)
    such_policy, such_list = "a published policy such as acme-uptime/1", "the key of a list such as lists/voice.csv"
    asked = _texts(entries.get("asked", []), (*path, "asked"), ASKED_MOST)
    for place, one in enumerate(asked):
        if not is_incident_id(one):
            raise ConfigurationError("expected names of the people file, such as anna-berg", (*path, "asked", place))
    return ServiceRule(
        name=name,
        text=_text(entries.get("name"), (*path, "name")) or name,
        counts=_counts(entries.get("counts", [Degree.MAJOR.value]), (*path, "counts")),
        minimum=_minimum(entries.get("minimum"), (*path, "minimum")),
        policy=_matching(entries.get("policy"), (*path, "policy"), _POLICY, such_policy),
        list_key=_matching(entries.get("list"), (*path, "list"), _LIST_KEY, such_list),
        cause=_text(entries.get("cause"), (*path, "cause")),
        asked=tuple(asked),
    )


def _counts(raw: Any, path: Path) -> frozenset[Degree]:
    expected = f"expected a list of degrees that count as an outage, of: {', '.join(COUNTABLE)}"
    if not isinstance(raw, list) or not raw:
        raise ConfigurationError(expected, path)
    for place, one in enumerate(raw):
        if not isinstance(one, str) or one not in set(COUNTABLE):
            raise ConfigurationError(expected, (*path, place))
    return frozenset(map(Degree, raw))


def _minimum(raw: Any, path: Path) -> timedelta:
    if raw is None:
        return timedelta(0)
    found = _MINUTES.fullmatch(raw) if isinstance(raw, str) else None
    if found is None or int(found[1]) > MINUTES_MOST:
        raise ConfigurationError(f"expected 0 to {MINUTES_MOST} minutes, such as 10 min", path)
    return timedelta(minutes=int(found[1]))


def _zone(raw: Any, path: Path) -> str:
    if raw is None:
        return ""
    try:
        zone_of(raw if isinstance(raw, str) else "")
    except TimeError as error:
        raise ConfigurationError(str(error), path) from None
    return str(raw)


def _yes_or_no(raw: Any, path: Path) -> bool:
    if not isinstance(raw, bool):
        raise ConfigurationError("expected true or false", path)
    return raw


def _mapping(raw: Any, path: Path, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise ConfigurationError(f"expected entries written as name: value; known here: {', '.join(known)}", path)
    for key in raw:
        if key not in known:
            raise ConfigurationError(f"unknown entry; known here: {', '.join(known)}", (*path, str(key)))
    return raw


def _text(raw: Any, path: Path) -> str:
    if raw is None:
        return ""
    is_line = isinstance(raw, str) and not any(category(one) in ("Cc", "Cs", "Zl", "Zp") for one in raw)
    if not is_line or not raw.strip() or len(raw) > TEXT_CHARACTERS:
        raise ConfigurationError(f"expected one line of at most {TEXT_CHARACTERS} characters", path)
    return str(raw)


def _id(raw: Any, path: Path) -> str:
    if not isinstance(raw, str) or not 1 <= len(raw) <= ID_CHARACTERS or not raw.isprintable():
        raise ConfigurationError(
            f"expected ids of 1 to {ID_CHARACTERS} characters as the source has them; put digits into quotes", path
        )
    return raw


def _texts(raw: Any, path: Path, most: int) -> list[str]:
    if not isinstance(raw, list) or len(raw) > most:
        raise ConfigurationError(f"expected a list of at most {most}; start each with a dash", path)
    return [_id(one, (*path, place)) for place, one in enumerate(raw)]


def _matching(raw: Any, path: Path, pattern: re.Pattern[str], expected: str) -> str:
    if raw is None:
        return ""
    if not isinstance(raw, str) or pattern.fullmatch(raw) is None:
        raise ConfigurationError(f"expected {expected}", path)
    return raw
