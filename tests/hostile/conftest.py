"""Hostile input is tried on the functions' own handlers, over fakes: nothing reaches outside the process."""

import os

import pytest

# What the template gives every function, read when a handler is imported.
os.environ.update({"POWERTOOLS_SERVICE_NAME": "kulanz", "POWERTOOLS_METRICS_NAMESPACE": "Kulanz"})


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """A test that opens a socket fails, whatever it would have connected to."""
