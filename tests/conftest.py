"""What all tests share."""

import gc
import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import is_hypothesis_test, settings

from tests.support.compiled_once import compile_policies_once
from tests.support.effort import examples
from tests.support.policies_read_once import read_policies_once

# No test may reach a real account, whatever the shell it is started from is logged in to.
AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_DEFAULT_REGION": "eu-central-1",
}

# What the template gives every function, read when a handler is imported.
FUNCTION_ENVIRONMENT = {"POWERTOOLS_SERVICE_NAME": "kulanz", "POWERTOOLS_METRICS_NAMESPACE": "Kulanz"}

# How long an example takes says more about the machine's other work than about the code.
settings.register_profile("kulanz", deadline=None)
settings.load_profile("kulanz")


def pytest_configure() -> None:
    """Replace the shell's AWS settings before any test module is imported; read and compile each policy once."""
    gc.set_threshold(0)  # never, until all is imported and collected: that leaves next to no garbage
    read_policies_once()
    compile_policies_once()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(AWS_ENVIRONMENT | FUNCTION_ENVIRONMENT)


OBJECTS_UNTIL_COLLECTED = 20_000
"""New objects that may live before the collector looks at them."""

EMULATED = ("tests/pipeline/", "tests/contract/")
"""Where the Makefile looks for tests of an emulator."""

SETTINGS_OF_A_PROPERTY = "_hypothesis_internal_use_settings"
"""Where Hypothesis keeps them, its own pytest plugin too; tests/unit/project/test_effort.py notices a change."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give properties as many examples as are asked for, and hold the tests of an emulator to their folders."""
    scaled: set[Any] = set()
    for item in items:
        test: Any = getattr(item, "obj", None)
        if is_hypothesis_test(test):
            item.add_marker(pytest.mark.property)
            if test not in scaled:
                scaled.add(test)
                given: Any = getattr(test, SETTINGS_OF_A_PROPERTY, None) or settings.default
                setattr(test, SETTINGS_OF_A_PROPERTY, settings(given, max_examples=examples(given.max_examples)))
        for name in ("ministack", "dynamodb"):
            if item.get_closest_marker(name) and not item.nodeid.startswith(EMULATED):
                folders = ", ".join(EMULATED)
                raise pytest.UsageError(f"{item.nodeid}: tests marked {name} are found in {folders} alone")


def pytest_collection_finish() -> None:
    """Take what was imported and collected out of the collector's sight: a million objects that stay.

    From then on it looks a tenth as often as by itself, which takes a twentieth off the time of a test.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_UNTIL_COLLECTED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many crash points were tried: a number that falls has lost a promise."""
    points: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in report.user_properties:
                if name == "crash points":
                    number, _, fault = str(value).partition(" calls ")
                    points[fault] += int(number)
    if points:
        told = ", ".join(f"{number} calls {fault}" for fault, number in points.items())
        terminalreporter.write_line(f"crash points: {points.total()} ({told})")
