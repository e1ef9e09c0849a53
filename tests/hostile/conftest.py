"""Hostile input is tried on the functions' own handlers, over fakes: nothing reaches outside the process."""

import pytest


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """A test that opens a socket fails, whatever it would have connected to."""
