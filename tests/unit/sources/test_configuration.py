"""The configuration of sources: what it says, every mistake with its place, and what a version may change."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from kulanz.domain.drafts.draft import Mapped, ServiceRule, SourceMap
from kulanz.domain.drafts.reported import COUNTABLE, Degree
from kulanz.sources.configuration import (
    ASKED_MOST,
    COMPONENTS_MOST,
    MINUTES_MOST,
    NO_SOURCES,
    SERVICES_MOST,
    SOURCES_MOST,
    SPEAKERS_MOST,
    TEXT_CHARACTERS,
    VERSION_HIGHEST,
    Configuration,
    ConfigurationError,
    Configured,
    configuration_from_json,
    configuration_json,
    must_follow,
    read_configuration,
)
from kulanz.sources.reading import ID_CHARACTERS
from kulanz.sources.table import SOURCES
from tests.support.sources import content_of

FULL: dict[str, Any] = {
    "kulanz_sources": 1,
    "version": 7,
    "sources": {
        "status": {
            "kind": "statuspage",
            "speaks_for": ["p4g3x7example"],
            "zone": "Europe/Berlin",
            "page": "status.example.com",
            "ignored": ["cother0000001"],
            "components": {"cvoice000001": {"service": "voice", "function": "calls"}},
            "services": {
                "voice": {
                    "name": "Voice calls",
                    "counts": ["major", "partial"],
                    "minimum": "10 min",
                    "policy": "acme-uptime/1",
                    "list": "lists/voice.csv",
                    "cause": "network",
                    "asked": ["anna-berg"],
                }
            },
        }
    },
}


def test_every_entry_is_read() -> None:
    """No two entries have the same value, and those that only some sources need are here, too."""
    status = FULL["sources"]["status"] | {
        "timestamps": {"began": "Impact started", "ended": "Fixed"},
        "components_field": "Affected",
        "partner": "aws.partner/example.com/1",
        "notices": True,
    }
    source = read_configuration({**FULL, "sources": {"status": status}}).sources["status"]
    rule = ServiceRule(
        "voice", "Voice calls", frozenset({Degree.MAJOR, Degree.PARTIAL}), timedelta(minutes=10), "acme-uptime/1",
        "lists/voice.csv", "network", ("anna-berg",),
    )  # fmt: skip
    mapping = SourceMap(
        "status", {"cvoice000001": Mapped("voice", "calls")}, {"voice": rule}, frozenset({"cother0000001"})
    )
    assert source == Configured(
        "status", SOURCES["statuspage"], mapping, frozenset({"p4g3x7example"}), "Europe/Berlin", "Impact started",
        "Fixed", "Affected", "status.example.com", "aws.partner/example.com/1", is_stopped=False, notices=True,
    )  # fmt: skip
    stopped = read_configuration(put(True, "stopped")).sources["status"]
    assert (stopped.is_stopped, stopped.notices) == (True, False)
    assert read_configuration(FULL).version == 7


def test_a_source_speaks_for_those_that_it_lists_and_for_everybody_where_it_lists_none() -> None:
    source = read_configuration(FULL).sources["status"]
    assert source.may_speak("p4g3x7example")
    assert [source.may_speak(one) for one in ("another", "", None)] == [False, False, True]
    assert replace(source, speaks_for=frozenset()).may_speak("")


def test_what_is_published_is_what_was_read() -> None:
    published = configuration_json(FULL)
    assert configuration_from_json(published) == read_configuration(FULL)
    assert configuration_json(dict(reversed(FULL.items()))) == published


@pytest.mark.parametrize("kind", SOURCES)
def test_the_configuration_of_each_kinds_samples_is_right(kind: str) -> None:
    assert read_configuration(content_of(kind)).sources["it"].source.kind == kind


def test_only_major_outages_count_unless_something_else_is_said() -> None:
    content = changed(lambda source: source["services"]["voice"].pop("counts"))
    assert read_configuration(content).sources["status"].mapping.services["voice"].counts == {"major"}


def changed(change: Callable[[Any], object]) -> Any:
    """The full configuration with a change of its source."""
    source = {**FULL["sources"]["status"], "services": {"voice": dict(FULL["sources"]["status"]["services"]["voice"])}}
    source["components"] = {one: dict(entries) for one, entries in source["components"].items()}
    change(source)
    return {**FULL, "sources": {"status": source}}


def put(value: Any, *path: str) -> Any:
    def change(source: Any) -> None:
        within = source
        for step in path[:-1]:
            within = within[step]
        within[path[-1]] = value

    return changed(change)


MISTAKES: list[tuple[str, Any, str, str]] = [
    ("no mapping", [], "", "known here: kulanz_sources"),
    ("language", {**FULL, "kulanz_sources": 2}, "", "expected kulanz_sources: 1"),
    ("true is no number", {**FULL, "kulanz_sources": True}, "", "expected kulanz_sources: 1"),
    ("version", {**FULL, "version": 0}, "version", "one more than before"),
    ("version as text", {**FULL, "version": "1"}, "version", "whole number"),
    ("no source", {**FULL, "sources": {}}, "sources", "1 to 50 sources"),
    ("name", {**FULL, "sources": {"my-page": {}}}, "sources.my-page", "lower-case letters and digits"),
    ("long name", {**FULL, "sources": {"a" * 13: {}}}, "sources.aaaaaaaaaaaaa", "1 to 12"),
    ("kind", put("uptime", "kind"), "sources.status.kind", "statuspage, pagerduty"),
    ("entry", put("x", "host"), "sources.status.host", "unknown entry"),
    ("zone", put("Berlin", "zone"), "sources.status.zone", "IANA"),
    ("page as URL", put("https://status.example.com", "page"), "sources.status.page", "without https://"),
    ("page as address", put("127.0.0.1", "page"), "sources.status.page", "a host such as"),
    ("page of this machine", put("localhost", "page"), "sources.status.page", "a host such as"),
    ("page with port", put("status.example.com:8080", "page"), "sources.status.page", "a host such as"),
    ("partner", put("aws.health", "partner"), "sources.status.partner", "aws.partner/"),
    ("stopped", put("yes", "stopped"), "sources.status.stopped", "true or false"),
    ("no service", put({}, "services"), "sources.status.services", "1 to 200 services"),
    ("service name", put({"Voice": {}}, "services"), "sources.status.services.Voice", "such as voice"),
    ("counts", put(["outage"], "services", "voice", "counts"), "S.services.voice.counts.0", "major, partial"),
    ("counts nothing", put([], "services", "voice", "counts"), "S.services.voice.counts", "a list of degrees"),
    ("minimum", put("10", "services", "voice", "minimum"), "S.services.voice.minimum", "such as 10 min"),
    ("long minimum", put("99999 min", "services", "voice", "minimum"), "S.services.voice.minimum", "10080"),
    ("policy", put("acme", "services", "voice", "policy"), "S.services.voice.policy", "acme-uptime/1"),
    ("list", put("voice.csv", "services", "voice", "list"), "S.services.voice.list", "lists/voice.csv"),
    ("asked", put(["Anna Berg"], "services", "voice", "asked"), "S.services.voice.asked.0", "anna-berg"),
    ("cause", put("a\nb", "services", "voice", "cause"), "S.services.voice.cause", "one line"),
    ("no component", put({}, "components"), "sources.status.components", "1 to 2000 components"),
    ("service of a component", put({"c": {"service": "x"}}, "components"), "S.components.c.service", "voice"),
    ("both mapped and ignored", put(["cvoice000001"], "ignored"), "sources.status.ignored.0", "keep one"),
    ("number as id", put([12], "speaks_for"), "sources.status.speaks_for.0", "put digits into quotes"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "place", "says"), [one[1:] for one in MISTAKES], ids=[one[0] for one in MISTAKES])
def test_a_mistake_is_named_with_its_place_and_what_was_expected(content: Any, place: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=r"expected|unknown entry|keep one") as error:
        read_configuration(content)
    assert ".".join(map(str, error.value.path)) == place.replace("S.", "sources.status.", 1)
    assert says in str(error.value)


@pytest.mark.parametrize("published", [b"", b"[", b"null", b"[" * 100_000])
def test_what_was_not_published_by_the_command_is_refused(published: bytes) -> None:
    with pytest.raises(ConfigurationError):
        configuration_from_json(published)


def following(change: Callable[[Any], object], version: int = 8) -> Configuration:
    return read_configuration({**changed(change), "version": version})


def test_a_source_and_a_service_keep_their_names_because_incidents_are_called_by_them() -> None:
    before = read_configuration(FULL)
    must_follow(before, following(lambda source: source.update(stopped=True)))
    must_follow(before, following(lambda source: source["services"].update(data=None)))
    must_follow(NO_SOURCES, read_configuration({**FULL, "version": 1}))

    renamed = read_configuration({**FULL, "version": 8, "sources": {"page": FULL["sources"]["status"]}})
    with pytest.raises(ConfigurationError, match="stopped: true"):
        must_follow(before, renamed)
    with pytest.raises(ConfigurationError, match="name of its own"):
        must_follow(before, following(lambda source: source.update(kind="pagerduty")))
    with pytest.raises(ConfigurationError, match="expected 8"):
        must_follow(before, following(lambda _: None, version=9))

    def rename(source: Any) -> None:
        source["services"] = {"calls": source["services"]["voice"]}
        source["components"] = {"cvoice000001": {"service": "calls"}}

    with pytest.raises(ConfigurationError, match="voice was a service"):
        must_follow(before, following(rename))


def test_of_several_services_that_are_gone_the_first_by_its_name_is_said() -> None:
    names = ["whisky", "sierra", "bravo", "november", "yankee", "echo", "mike"]

    def with_services(version: int, kept: list[str]) -> Configuration:
        source = {**FULL["sources"]["status"], "services": dict.fromkeys([*kept, "voice"])}
        source["components"] = {"c-1": {"service": "voice"}}
        source.pop("ignored", None)
        return read_configuration({**FULL, "version": version, "sources": {"status": source}})

    for number in range(1, len(names)):
        gone = names[number:]
        with pytest.raises(ConfigurationError, match=f"{min(gone)} was a service"):
            must_follow(with_services(1, names), with_services(2, names[:number]))


@pytest.mark.parametrize("stopped", ["health", "status"])
def test_a_source_that_is_stopped_receives_nothing_over_a_bus(stopped: str) -> None:
    sources = {"status": FULL["sources"]["status"], "health": content_of("aws_health")["sources"]["it"]}
    sources["status"] = {**sources["status"], "partner": "aws.partner/example.com/1"}
    sources[stopped] = {**sources[stopped], "stopped": True}
    configuration = read_configuration({**FULL, "sources": sources})
    for name, event_source in (("health", "aws.health"), ("status", "aws.partner/example.com/1")):
        assert (configuration.over_bus(event_source, "123456789012") is None) is (name == stopped)


def test_events_of_a_bus_belong_to_the_source_that_is_configured_for_them() -> None:
    content = {**FULL, "sources": {**FULL["sources"], "health": content_of("aws_health")["sources"]["it"]}}
    content["sources"]["status"] = {**content["sources"]["status"], "partner": "aws.partner/example.com/1"}
    configuration = read_configuration(content)

    def named(event_source: str, account: str) -> str | None:
        found = configuration.over_bus(event_source, account)
        return None if found is None else found.name

    assert named("aws.health", "123456789012") == "health"
    assert named("aws.health", "999999999999") is None
    assert named("aws.partner/example.com/1", "123456789012") == "status"
    assert named("aws.partner/example.com/2", "123456789012") is None
    assert named("", "") is None
    assert named("aws.health", "") is None
    del content["sources"]["health"]["speaks_for"]
    configuration = read_configuration(content)  # for every account
    assert named("aws.health", "999999999999") == "health"


def test_what_may_count_is_listed() -> None:
    assert [*COUNTABLE] == ["major", "partial", "degraded", "unstated", "planned"]


SIZED: dict[str, Callable[[int], Any]] = {
    "version": lambda number: {**FULL, "version": number},
    "sources": lambda number: {
        **FULL, "sources": {f"s{place}": FULL["sources"]["status"] for place in range(number)},
    },
    "services": lambda number: put(
        {**FULL["sources"]["status"]["services"], **{f"s{place}": None for place in range(number - 1)}}, "services"
    ),
    "components": lambda number: put({f"c{place}": {"service": "voice"} for place in range(number)}, "components"),
    "asked": lambda number: put([f"anna-{place}" for place in range(number)], "services", "voice", "asked"),
    "ignored": lambda number: put([f"other{place}" for place in range(number)], "ignored"),
    "speaks_for": lambda number: put([f"other{place}" for place in range(number)], "speaks_for"),
    "text": lambda number: put("t" * number, "services", "voice", "cause"),
    "id": lambda number: put(["i" * number], "ignored"),
    "minimum": lambda number: put(f"{number} min", "services", "voice", "minimum"),
}  # fmt: skip
"""The full configuration with so many of something, or so many characters of a text."""


@pytest.mark.parametrize(
    ("what", "least", "most"),
    [
        ("version", 1, VERSION_HIGHEST), ("sources", 1, SOURCES_MOST), ("services", 1, SERVICES_MOST),
        ("components", 1, COMPONENTS_MOST), ("asked", 0, ASKED_MOST), ("ignored", 0, COMPONENTS_MOST),
        ("speaks_for", 0, SPEAKERS_MOST), ("text", 1, TEXT_CHARACTERS), ("id", 1, ID_CHARACTERS),
        ("minimum", 0, MINUTES_MOST),
    ],
)  # fmt: skip
def test_as_much_as_is_allowed_is_taken_and_one_more_or_one_too_few_is_not(what: str, least: int, most: int) -> None:
    for number in (least, most):
        read_configuration(SIZED[what](number))
    for number in [most + 1, *([least - 1] if what in ("version", "sources", "components", "text", "id") else [])]:
        with pytest.raises(ConfigurationError):
            read_configuration(SIZED[what](number))


@pytest.mark.parametrize("entry", ["services", "components", "ignored", "speaks_for", "zone", "page", "kind"])
@pytest.mark.parametrize("value", [7, "text", ["\u0000"], {"a": ["b"]}, [["x"]]])
def test_whatever_of_another_type_stands_in_an_entry_is_refused_with_its_place(entry: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(put(value, entry))
    assert refused.value.path[:3] == ("sources", "status", entry)
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(put([value], "services", "voice", "counts"))
    assert refused.value.path[:6] == ("sources", "status", "services", "voice", "counts", 0)


def test_a_published_file_keeps_the_digest_of_its_bytes() -> None:
    """Another text of the same file has another one, so that what is compared is what was published."""
    spaced = json.dumps(FULL, indent=1).encode()
    digests = {sha256(text).hexdigest(): configuration_from_json(text).digest for text in (spaced, b" " + spaced)}
    assert list(digests) == list(digests.values())
