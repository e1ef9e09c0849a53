"""The committed sample of a delivery is what is delivered, and a careful reader can read it."""

import json

import jsonschema
import pytest

from kulanz_local.delivery_sample import DELIVERY, FOLDER, MESSAGE, message_sample, sample
from kulanz_local.schemas import schemas
from tests.support.billing_files import read_delivery


@pytest.mark.parametrize("name", sorted(sample()))
def test_the_committed_sample_is_what_is_delivered(name: str) -> None:
    committed = (FOLDER / DELIVERY.folder / name).read_bytes()
    assert committed == sample()[name], f"{name} is out of date; run: python -m kulanz_local.delivery_sample"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_sample_is_read_as_the_page_says(form: str) -> None:
    documents = {
        f"{DELIVERY.folder}/{path.name}": path.read_bytes() for path in (FOLDER / DELIVERY.folder).glob(f"*.{form}")
    }
    found = read_delivery(documents, DELIVERY.folder)
    assert [(one["biller_account"], one["amount"], one["measure"]) for one in found.credits.values()] == [
        ("A-1001", "100.00", "USD"),
        ("cus_77", "8.99", "USD"),
        ("cus_77", "20", "call_minute"),
    ]


def test_the_committed_message_is_the_one_that_is_published() -> None:
    committed = (FOLDER / MESSAGE).read_bytes()
    assert committed == message_sample(), "out of date; run: python -m kulanz_local.delivery_sample"
    schema = json.loads(schemas()["credits.schema.json"])
    jsonschema.validate(json.loads(committed), schema)
    in_file = [json.loads(line) for line in _lines()]
    assert json.loads(committed)["credits"] == [one for one in in_file if one["record"] == "C"]


def _lines() -> list[bytes]:
    (part,) = [content for name, content in sample().items() if name.startswith("part") and name.endswith("jsonl")]
    return part.splitlines()
