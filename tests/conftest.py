"""What all tests share."""

import os
from collections import Counter

import pytest
from hypothesis import settings

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
    """Replace the shell's AWS settings before any test module is imported."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(AWS_ENVIRONMENT | FUNCTION_ENVIRONMENT)


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker runs every test of the embedded AWS, and of DynamoDB Local, so that one process serves them all."""
    for item in items:
        for name in ("ministack", "dynamodb"):
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.xdist_group(name))


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
