"""One suite per port, over every backend: what a fake promises, the emulators and so the adapters must keep."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from kulanz_local.embedded import EmbeddedAws, aws_environment
from tests.contract.backends import AwsBackend, Backend, FakeBackend
from tests.support.moto_partiql import repaired_moto

BACKENDS = ["fake", "moto", pytest.param("ministack", marks=pytest.mark.ministack)]
EMULATORS = BACKENDS[1:]


@pytest.fixture(scope="session")
def ministack() -> Iterator[EmbeddedAws]:
    """One process of the embedded AWS for all tests of a session."""
    with EmbeddedAws() as aws:
        yield aws


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """Every backend in turn, empty."""
    yield from _started(request, monkeypatch)


@pytest.fixture(params=EMULATORS)
def emulator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsBackend]:
    """Every backend that answers with AWS's own protocol, empty."""
    yield from _started_aws(request, monkeypatch)


def _started(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    if request.param == "fake":
        yield FakeBackend()
    else:
        yield from _started_aws(request, monkeypatch)


def _started_aws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsBackend]:
    if request.param == "moto":
        # One session for all tests: each new one parses the SDK's service models again.
        with repaired_moto(), mock_aws(config={"core": {"reset_boto3_session": False}}):
            yield AwsBackend("moto")
        return
    aws: EmbeddedAws = request.getfixturevalue("ministack")
    for name, value in aws_environment(aws.endpoint).items():
        monkeypatch.setenv(name, value)
    yield AwsBackend("ministack")
