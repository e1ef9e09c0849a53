"""The template's tests read the translated template, never its text."""

import pytest

from tests.template.resolved import Stack


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The stack that the defaults give."""
    return Stack()
