"""Unit tests reach nothing outside their process."""

import pytest


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """A unit test that opens a socket fails, whatever it would have connected to."""
