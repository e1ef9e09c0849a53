"""The contract of SourcesShelf: the highest published version holds, and none ever changes."""

import pytest

from kulanz.adapters.sources import ANEW_SECONDS, CACHED_SECONDS, CachedSources
from kulanz.application.drafts.draft_ports import SourcesSealed
from kulanz.application.ports import Refused
from kulanz.sources.configuration import NO_SOURCES, configuration_from_json, configuration_json
from tests.contract.backends import AwsBackend, Backend
from tests.contract.conftest import BACKENDS
from tests.support.sources import content_of


def version(number: int, zone: str = "Europe/Berlin") -> bytes:
    return configuration_json({**content_of("statuspage", zone=zone), "version": number})


def test_before_one_is_published_there_is_no_source(backend: Backend) -> None:
    assert backend.sources.current() == NO_SOURCES


def test_the_highest_version_holds_and_stands(backend: Backend) -> None:
    sources = backend.sources
    for number in (1, 2, 10):
        assert sources.publish(number, version(number), "iam:x")
        assert not sources.publish(number, version(number), "iam:x")
        assert sources.current() == configuration_from_json(version(number))
    with pytest.raises(SourcesSealed):
        sources.publish(10, version(10, "Europe/Madrid"))
    assert sources.current() == configuration_from_json(version(10))


@pytest.mark.parametrize("emulator", BACKENDS[1:2], indirect=True)
@pytest.mark.parametrize("content", [b"", b"{}", version(2)], ids=["nothing", "no file", "another version"])
def test_where_the_file_cannot_be_read_nothing_is_received(emulator: AwsBackend, content: bytes) -> None:
    emulator.upload("policies/_sources/00001.json", content)
    with pytest.raises(Refused):
        emulator.sources.current()


def test_a_cache_goes_on_with_what_it_read_for_a_minute(backend: Backend) -> None:
    seconds = [0.0]
    cached = CachedSources(backend.sources, lambda: seconds[0])
    assert cached.current() == NO_SOURCES
    backend.sources.publish(1, version(1))
    seconds[0] = CACHED_SECONDS - 1
    assert cached.current() == NO_SOURCES
    seconds[0] = CACHED_SECONDS
    assert cached.current().version == 1


def test_whoever_misses_a_source_reads_past_a_cache_as_often_as_it_allows(backend: Backend) -> None:
    seconds = [0.0]
    free = CachedSources(backend.sources, lambda: seconds[0])
    sparing = CachedSources(backend.sources, lambda: seconds[0], anew_seconds=ANEW_SECONDS)
    assert free.current() == sparing.current() == NO_SOURCES
    backend.sources.publish(1, version(1))
    assert free.anew().version == free.current().version == 1
    seconds[0] = ANEW_SECONDS - 1
    assert sparing.anew() == NO_SOURCES
    seconds[0] = ANEW_SECONDS
    assert sparing.current() == NO_SOURCES
    assert sparing.anew().version == sparing.current().version == 1
