"""What all tests share."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker runs every test of the embedded AWS, so that one process of it serves them all."""
    for item in items:
        if item.get_closest_marker("ministack"):
            item.add_marker(pytest.mark.xdist_group("ministack"))
