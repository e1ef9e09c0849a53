"""The packages that read workbooks, Parquet and arrays of JSON: installed by whoever needs them, never in the layer."""

from importlib import import_module
from typing import Any

from kulanz_cli.outcomes import Unusable

INSTALL = "make lists"


def engine(module: str, what: str) -> Any:
    """A module of a package that not every installation has. Raises Unusable, which says how it is installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise Unusable(f"{what} need {error.name}; install it with: {INSTALL}") from None
