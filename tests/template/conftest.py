"""The template's tests read the translated template, never its text."""

import pytest

from tests.template.resolved import CONSOLE, Stack


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The stack that the defaults give."""
    return Stack()


@pytest.fixture(scope="session")
def whole() -> Stack:
    """The stack with its console, so with every function."""
    return Stack(CONSOLE)
