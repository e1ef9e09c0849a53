"""The contract of DiscretionShelf: the highest published version holds, and none ever changes."""

import pytest

from kulanz.application.ports import DiscretionSealed, Refused
from kulanz.domain.byhand.discretion import NO_DISCRETION, discretion_from_json, discretion_json
from tests.contract.backends import AwsBackend, Backend
from tests.contract.conftest import BACKENDS


def version(number: int, title: str = "Waited too long") -> bytes:
    reasons = {"long_wait": {"title": title}}
    return discretion_json({"kulanz_discretion": 1, "version": number, "zone": "UTC", "reasons": reasons})


def test_before_one_is_published_nobody_may_give_anything(backend: Backend) -> None:
    assert backend.discretion.current() == NO_DISCRETION


def test_a_version_is_published_once_and_the_highest_holds(backend: Backend) -> None:
    shelf = backend.discretion
    for number in (1, 2, 10):
        assert shelf.publish(number, version(number))
        assert not shelf.publish(number, version(number))
        assert shelf.current() == discretion_from_json(version(number))
    with pytest.raises(DiscretionSealed):
        shelf.publish(10, version(10, "Something else"))

    assert shelf.current() == discretion_from_json(version(10))


@pytest.mark.parametrize("emulator", BACKENDS[1:], indirect=True)
@pytest.mark.parametrize("content", [b"", b"{}", version(2)], ids=["nothing", "no file", "another version"])
def test_where_the_file_cannot_be_read_nobody_may_give_anything(emulator: AwsBackend, content: bytes) -> None:
    emulator.upload("policies/_discretion/00001.json", content)
    with pytest.raises(Refused):
        emulator.discretion.current()
