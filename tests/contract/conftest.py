"""One suite per port, over every backend: what a fake promises, the emulators and so the adapters must keep."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from kulanz_local.dynamodb_local import DynamoDbLocal
from kulanz_local.embedded import EmbeddedAws, aws_environment
from tests.contract.backends import AwsBackend, Backend, FakeBackend
from tests.support.moto_partiql import repaired_moto

DYNAMODB_LOCAL = pytest.param("dynamodb-local", marks=[pytest.mark.long, pytest.mark.dynamodb])
BACKENDS = ["fake", "moto", pytest.param("ministack", marks=pytest.mark.ministack)]
EMULATORS = [*BACKENDS[1:], DYNAMODB_LOCAL]
TABLE_SUITES = {
    "test_actions",
    "test_budget_store",
    "test_answer_store",
    "test_campaign_index",
    "test_campaign_states",
    "test_campaign_store",
    "test_credit_entries",
    "test_delivery_store",
    "test_draft_store",
    "test_entries_with_history",
    "test_exports",
    "test_goodwill_store",
    "test_void_store",
    "test_ledger",
    "test_offer_store",
    "test_stored_fields",
    "test_troubles",
}
"""The suites of ports that need tables and nothing else: these run on DynamoDB Local as well."""


@pytest.fixture(scope="session")
def ministack() -> Iterator[EmbeddedAws]:
    """One process of the embedded AWS for all tests of a session."""
    with EmbeddedAws() as aws:
        yield aws


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[DynamoDbLocal]:
    """One process of DynamoDB Local for all tests of a session."""
    with DynamoDbLocal() as database:
        yield database


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of a contract runs on every backend that has what its suite needs."""
    chosen = {mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")}
    if "backend" in metafunc.fixturenames and "backend" not in chosen:
        is_table_suite = metafunc.module.__name__.rpartition(".")[2] in TABLE_SUITES
        metafunc.parametrize("backend", [*BACKENDS, *[DYNAMODB_LOCAL] * is_table_suite], indirect=True)


@pytest.fixture
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
    fixture = request.param.replace("-", "_")
    aws: EmbeddedAws | DynamoDbLocal = request.getfixturevalue(fixture)
    for name, value in aws_environment(aws.endpoint).items():
        monkeypatch.setenv(name, value)
    yield AwsBackend(request.param)
