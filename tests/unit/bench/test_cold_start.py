"""The cold starts that the bench measures are those of functions that have their settings."""

from collections.abc import Mapping

import pytest

from bench.cold_start import CONSOLE_ENVIRONMENT, WORKER_ENVIRONMENT
from kulanz.config.draft_incidents import DraftIncidentsConfig
from kulanz.config.grant_credits import GrantCreditsConfig
from kulanz.config.receive_incidents import ReceiveIncidentsConfig
from kulanz.config.serve_console import ConsoleConfig

MEASURED = [
    (GrantCreditsConfig, WORKER_ENVIRONMENT),
    (ReceiveIncidentsConfig, WORKER_ENVIRONMENT),
    (DraftIncidentsConfig, WORKER_ENVIRONMENT),
    (ConsoleConfig, CONSOLE_ENVIRONMENT),
]


@pytest.mark.parametrize(("config", "environment"), MEASURED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_measured_function_has_the_settings_that_it_reads(
    config: type[GrantCreditsConfig], environment: Mapping[str, str]
) -> None:
    assert config.read(environment).list_bucket == environment["LIST_BUCKET"]
