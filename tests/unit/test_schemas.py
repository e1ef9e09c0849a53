from pathlib import Path

import pytest

from kulanz_local.schemas import FOLDER, schemas


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_committed_schema_is_the_one_its_model_generates(name: str) -> None:
    committed = Path(FOLDER, name).read_text()
    assert committed == schemas()[name], f"{name} is out of date; run: python -m kulanz_local.schemas"
