"""Each limit, default, stored word and table of states is the approved one, whoever else takes it by its name.

Tests hold a limit at its edge by the name of its constant, so they hold it whatever it is. Here its value stands.
A text has all that the modules of one package state by value. `APPROVE=1` writes it anew; read what differs.
"""

from pathlib import Path

import pytest

from tests.support.approved import must_be_as_approved
from tests.support.stated_values import stated, written

PROJECT = Path(__file__).resolve().parents[3]
FOLDER = Path(__file__).with_name("stated_values")
FUNCTIONS = "functions"
LAYERS = ("domain", "application")
"""Each of their packages has a text of its own."""
PACKAGES = (
    "kulanz",
    *(f"kulanz.{one}" for one in ("adapters", "config", "sources", *LAYERS)),
    *(
        f"kulanz.{layer}.{found.name}"
        for layer in LAYERS
        for found in sorted((PROJECT / "layers" / "kulanz" / "kulanz" / layer).iterdir())
        if (found / "__init__.py").exists()
    ),
    "kulanz_cli",
    "kulanz_console",
    "kulanz_local",
)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_states_the_approved_values(package: str) -> None:
    is_deep = package not in ("kulanz", *(f"kulanz.{layer}" for layer in LAYERS))
    must_be_as_approved(stated(package, is_deep=is_deep), FOLDER / package.replace(".", "-"))


def test_the_functions_state_the_approved_values() -> None:
    must_be_as_approved(written(PROJECT / "functions"), FOLDER / FUNCTIONS)


def test_every_package_has_its_text() -> None:
    layer = PROJECT / "layers" / "kulanz" / "kulanz"
    packages = {f"kulanz.{found.parent.name}" for found in layer.glob("*/__init__.py")}
    assert packages <= set(PACKAGES)
    texts = {found.stem for found in FOLDER.iterdir()}
    assert texts == {FUNCTIONS, *(package.replace(".", "-") for package in PACKAGES)}
