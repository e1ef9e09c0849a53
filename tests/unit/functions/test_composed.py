"""What each function is made of: every setting from the variable of its name, every adapter with what is its own."""

import importlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC
from pkgutil import iter_modules
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from kulanz import adapters
from kulanz.config.environment import PLAIN, Environment, SettingError
from kulanz.config.grant_credits import GrantCreditsConfig

NAMED_OTHERWISE = {
    "calls_in_flight": "IN_FLIGHT_CALLS",
    "recipients_per_message": "NOTICES_PER_MESSAGE",
    "retention_days": "DECISION_RETENTION_DAYS",
    "topic_arn": "NOTICES_TOPIC_ARN",
    "write_rate": "TARGET_WRITE_RATE",
}
"""The settings whose variable is not called as their field."""
OF_OTHER_FORMS = {
    "BUDGET_ZONE": "Europe/Berlin",
    "CONSOLE_HOST": "console.example.com",
    "CONSOLE_ISSUER": "https://login.example.com",
    "CONSOLE_SCOPE": "openid",
    "LONE_OPERATOR": "false",
    "DELIVERY_CHANNEL": "billing:csv",
    "OTHER_CHANNELS": "",
    "CONSOLE_GROUPS": json.dumps({"support": "s"}),
}
NUMBERS = {
    "IN_FLIGHT_CALLS": 3,
    "CHUNK_BYTES": 4_096,
    "MAXIMUM_CONCURRENCY": 7,
    "NOTICES_PER_MESSAGE": 11,
    "DECISION_RETENTION_DAYS": 500,
    "TARGET_WRITE_RATE": 700,
    "DECIDABLE_DAYS": 400,
    "WARN_BEFORE_DAYS": 5,
}


class Named(Mapping[str, str]):
    """An environment in which each variable says its own name, where that is a text."""

    def __getitem__(self, name: str) -> str:
        if name in NUMBERS:
            return str(NUMBERS[name])
        if name in OF_OTHER_FORMS:
            return OF_OTHER_FORMS[name]
        if name in {"ACCOUNT_ID_SHAPE", "PERSON_ROLES"} or name.startswith(("AUTOMATIC_", "SECOND_")):
            return ""
        return name

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize("field", PLAIN)
def test_a_setting_is_read_from_the_variable_of_its_name(field: str) -> None:
    name = NAMED_OTHERWISE.get(field, field.upper())
    said = Named()[name]
    expected: Any = NUMBERS.get(name, frozenset({said}) if field.endswith(("_sources", "_writers")) else said)
    assert PLAIN[field](Environment(Named())) == expected


@pytest.mark.parametrize(
    ("text", "is_read"),
    [("3", True), ("9", True), ("2", False), ("10", False), ("", False), ("5.0", False), ("\u0665", False)],
)
def test_a_number_is_whole_and_lies_within_its_limits(text: str, is_read: bool) -> None:
    if is_read:
        assert Environment({"N": text}).integer("N", 3, 9) == int(text)
    else:
        with pytest.raises(SettingError, match="N"):
            Environment({"N": text}).integer("N", 3, 9)


def test_names_are_separated_by_commas_and_none_is_empty() -> None:
    assert Environment({"N": " a, b,,c ,"}).names("N") == {"a", "b", "c"}
    with pytest.raises(SettingError):
        Environment({"N": "  "}).names("N")


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("false", False), ("True", None), ("yes", None), ("", None)]
)
def test_yes_or_no_is_said_in_these_words_alone(text: str, value: bool | None) -> None:
    if value is None:
        with pytest.raises(SettingError):
            Environment({"N": text}).yes_or_no("N")
    else:
        assert Environment({"N": text}).yes_or_no("N") is value


def test_a_worker_has_its_share_of_the_write_rate() -> None:
    assert GrantCreditsConfig.read(Named()).units_per_second == 100.0


# Adapters

CREDITS, CAMPAIGNS = "CREDITS_TABLE", "CAMPAIGNS_TABLE"
OWN = {
    "credits_table": CREDITS, "campaigns_table": CAMPAIGNS, "bucket": "LIST_BUCKET", "policy_prefix": "POLICY_PREFIX",
    "retention_days": 500, "bus_name": "BUS_NAME", "advance_function": "ADVANCE_FUNCTION",
    "publish_function": "PUBLISH_FUNCTION",
}  # fmt: skip
"""What a parameter of an adapter is, whichever adapter has it."""
OF_CLASS: Mapping[tuple[str, str], Any] = {
    **{(name, "table"): CAMPAIGNS for name in (
        "DynamoAnswers", "DynamoBudgets", "DynamoCampaignWork", "DynamoDeliveries", "DynamoDues",
        "DynamoExports", "DynamoTroubles", "DynamoVoids", "OlderItems",
    )},
    **{(name, "table"): CREDITS for name in ("DynamoCredits", "DynamoLedger", "ReadCalls")},
    ("SqsChunks", "queue_url"): "CHUNK_QUEUE_URL",
    ("SqsRejected", "queue_url"): "REJECTED_QUEUE_URL",
    ("SqsRefusedEvents", "queue_url"): "REJECTED_QUEUE_URL",
    ("SqsDeliveries", "queue_url"): "SOURCES_QUEUE_URL",
    ("SnsNotices", "topic_arn"): "NOTICES_TOPIC_ARN",
    ("SnsCredits", "topic_arn"): "CREDITS_TOPIC_ARN",
    ("S3Policies", "prefix"): "POLICY_PREFIX",
    ("S3Bodies", "prefix"): "UPSTREAM_PREFIX",
    ("ManagedSecrets", "prefix"): "SECRET_PREFIX",
    ("SqsDeadLetters", "queue_urls"): {
        "incidents": ("INCIDENTS_DEAD_LETTER_QUEUE_URL", "INCIDENTS_QUEUE_URL"),
        "chunks": ("CHUNKS_DEAD_LETTER_QUEUE_URL", "CHUNK_QUEUE_URL"),
        "sources": ("SOURCES_DEAD_LETTER_QUEUE_URL", "SOURCES_QUEUE_URL"),
    },
}  # fmt: skip
CLIENTS = {"Dynamo": "dynamodb", "S3": "s3", "Sqs": "sqs", "Sns": "sns", "EventBridge": "events", "Lambda": "lambda"}
"""Which service an adapter speaks with, by the beginning of its name."""


class FakeClient:
    """A client that knows which service it is of."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.meta = self
        self.events, self.endpoint_url, self.region_name = self, "https://aws.example", "eu-central-1"

    def __getattr__(self, name: str) -> Any:
        return self


def classes() -> Iterator[type[Any]]:
    """The adapters that are made with something of a stack."""
    named = (*CLIENTS, "ManagedSecrets", "OlderItems", "ReadCalls")
    for module in iter_modules(adapters.__path__):
        loaded = importlib.import_module(f"{adapters.__name__}.{module.name}")
        for one in vars(loaded).values():
            is_own = isinstance(one, type) and one.__module__ == loaded.__name__ and "__init__" in vars(one)
            if is_own and one.__name__.startswith(named):
                yield one


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Any]]:
    """The arguments that adapters were made with: whose, which, what."""
    found: list[tuple[str, str, Any]] = []

    def watched(name: str, init: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(init)

        def noting(self: Any, *args: Any, **kwargs: Any) -> None:
            bound = signature.bind(self, *args, **kwargs)
            found.extend((name, which, what) for which, what in list(bound.arguments.items())[1:])

        return noting

    for one in classes():
        monkeypatch.setattr(one, "__init__", watched(one.__name__, one.__init__))
    for name in names():
        monkeypatch.setenv(name, Named()[name])
    return found


def names() -> set[str]:
    found = {NAMED_OTHERWISE.get(field, field.upper()) for field in PLAIN}
    return found | {*OF_OTHER_FORMS, *NUMBERS}


FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "advance_campaign": (
        *("_composed", "_voiding", "_keeping_back", "_answering", "_watching", "_settling", "_second_persons"),
    ),
    "draft_incidents": ("_composed",),
    "grant_credits": ("_composed", "_delivering", "_publishing", "_voiding", "_hearing", "_exporting"),
    "open_campaign": ("_composed",),
    "publish_notices": ("_composed",),
    "receive_incidents": ("_composed",),
}  # fmt: skip


def fresh(monkeypatch: pytest.MonkeyPatch, function: str) -> ModuleType:
    """A handler with clients that are none, and nothing remembered of another test."""
    module = importlib.import_module(f"{function}.handler")
    monkeypatch.setattr(module, "client", FakeClient)
    for name, one in vars(module).items():
        if hasattr(one, "cache_clear"):
            monkeypatch.setattr(module, name, one.__wrapped__)
    return module


def all_are_their_own(made: list[tuple[str, str, Any]]) -> None:
    assert made
    for name, which, what in made:
        if which == "client":
            service = next((one for begin, one in CLIENTS.items() if name.startswith(begin)), None)
            assert service is None or what.service == service, name
        else:
            expected = OF_CLASS.get((name, which), OWN.get(which))
            assert expected is None or what == expected, f"{name}({which}={what})"


def fits(made_: Any, place: str) -> None:
    """Each part of a function's ports has whatever the port that it is declared as has. Raises AssertionError."""
    if isinstance(made_, tuple):
        for number, one in enumerate(made_):
            fits(one, f"{place}[{number}]")
    if not is_dataclass(made_):
        return
    module = importlib.import_module(type(made_).__module__)
    for one in fields(made_):
        value = getattr(made_, one.name)
        declared = vars(module).get(str(one.type)) if isinstance(one.type, str) else one.type
        if isinstance(declared, type) and getattr(declared, "_is_protocol", False):
            missing = {name for name in declared.__protocol_attrs__ if not hasattr(value, name)}  # type: ignore[attr-defined]
            assert not missing, f"{place}.{one.name}: {type(value).__name__} has no {missing}"
        fits(value, f"{place}.{one.name}")


def settings_in(made_: Any, config: Any) -> Iterator[str]:
    """The settings that ports have under their own names. Raises AssertionError where one is another's, or left out."""
    if isinstance(made_, tuple):
        for one in made_:
            yield from settings_in(one, config)
    if not is_dataclass(made_):
        return
    for one in fields(made_):
        value = getattr(made_, one.name)
        if hasattr(config, one.name):
            assert value == getattr(config, one.name), f"{type(made_).__name__}.{one.name}"
            yield one.name
        yield from settings_in(value, config)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.usefixtures("made")
def test_what_a_stack_sets_is_what_its_functions_go_by_wherever_it_has_its_own_name(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = fresh(monkeypatch, function)
    (config,) = (one.read() for name, one in vars(module).items() if name.endswith("Config"))
    found = {name for compose in FUNCTIONS[function] for name in settings_in(getattr(module, compose)(), config)}
    assert found == NAMED_ALIKE.get(function, set())


NAMED_ALIKE: Mapping[str, set[str]] = {
    "advance_campaign": {"gate", "channel", "recipients_per_message", "write_rate"},
    "grant_credits": {"calls_in_flight", "units_per_second", "retention_days", "budget_zone"},
    "open_campaign": {
        *("list_bucket", "list_prefix", "incident_sources", "campaign_sources", "chunk_bytes", "decidable_days"),
        "account_ids",
    },
}
"""The settings that the ports of a function have under their own names."""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_gives_each_adapter_its_own_table_queue_topic_and_bucket(
    function: str, made: list[tuple[str, str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = fresh(monkeypatch, function)
    for compose in FUNCTIONS[function]:
        fits(getattr(module, compose)(), f"{function}.{compose}()")
    all_are_their_own(made)


def test_a_function_has_the_settings_of_its_stack(
    made: list[tuple[str, str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = fresh(monkeypatch, "open_campaign")._composed()[1]
    assert (opening.list_bucket, opening.list_prefix) == ("LIST_BUCKET", "LIST_PREFIX")
    assert (opening.incident_sources, opening.campaign_sources) == ({"INCIDENT_SOURCES"}, {"CAMPAIGN_SOURCES"})
    assert (opening.chunk_bytes, opening.decidable_days, opening.account_ids) == (4_096, 400, None)
    granting = fresh(monkeypatch, "grant_credits")
    assert granting._composed()[1] == granting.GrantSettings(3, 100.0, 500)
    assert granting._hearing().gate.budget_zone == "Europe/Berlin"
    assert fresh(monkeypatch, "publish_notices")._composed()[1] == 11
    advancing = fresh(monkeypatch, "advance_campaign")
    ports = advancing._composed()
    assert (ports.operation.region, ports.operation.recipients_per_message, ports.operation.write_rate) == (
        "eu-central-1", 11, 700,
    )  # fmt: skip
    assert (ports.deliver, ports.law) == (advancing._open_delivery, advancing._counted_law)
    advancing._watching()
    (tables,) = (what for _, which, what in made if which == "tables")
    assert [(one.name, one.table, one.writers) for one in tables] == [
        ("CreditsTable", CREDITS, {"CREDITS_WRITERS"}), ("CampaignsTable", CAMPAIGNS, {"CAMPAIGNS_WRITERS"}),
    ]  # fmt: skip


def test_a_workers_clock_is_that_of_its_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    module = fresh(monkeypatch, "grant_credits")
    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=waited.append))
    clock = module._LambdaClock(SimpleNamespace(get_remaining_time_in_millis=lambda: 12_345))
    clock.wait(0.25)
    assert (clock.seconds_left(), waited, clock.now().tzinfo) == (12.345, [0.25], UTC)


def test_the_api_gives_each_adapter_its_own_table_queue_topic_and_bucket(
    made: list[tuple[str, str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = fresh(monkeypatch, "api")
    deployed = module._composed()
    parts = [name for name in vars(type(deployed)) if not name.startswith("_")]
    for name in parts:
        getattr(deployed, name)
    all_are_their_own(made)
    assert {name for name, *_ in made} >= {"DynamoLedger", "S3Uploads", "SqsDeadLetters", "LambdaWorkers"}
    settings = deployed.settings
    assert (settings.list_bucket, settings.list_prefix) == ("LIST_BUCKET", "LIST_PREFIX")
    assert (settings.chunk_bytes, settings.decidable_days) == (4_096, 400)
    assert (deployed.operation.recipients_per_message, deployed.operation.write_rate) == (11, 700)
    assert deployed.warn_before.days == 5


def test_every_parameter_that_only_one_kind_of_thing_fits_is_looked_at() -> None:
    """A new adapter with a table, a queue, a topic or a prefix has a line above."""
    ambiguous = {"table", "queue_url", "topic_arn", "prefix", "queue_urls"}
    found = {(one.__name__, which) for one in classes() for which in inspect.signature(one.__init__).parameters}
    assert {place for place in found if place[1] in ambiguous} == OF_CLASS.keys()
