"""The hostile events and lists, from their data files; what each must come to stands beside it.

A case of `events/` changes one thing of a good event; a case of `lists/` is a row among good ones, or a whole list.
`{bucket}` and `{long}` in a text stand for the stack's bucket and for 100,000 letters.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.support.small_campaign import event
from tests.support.world_steps import with_version

FOLDER = Path(__file__).parent
LONG = "x" * 100_000
HOSTILE_KEY = "lists/hostile"

type Case = dict[str, Any]


def cases(file: str) -> list[Case]:
    """The cases of one data file."""
    found: list[Case] = yaml.safe_load((FOLDER / file).read_text(encoding="utf-8"))
    names = [case["name"] for case in found]
    assert len(names) == len(set(names)), f"two cases of {file} have the same name"
    return found


def event_cases() -> list[Case]:
    """Every event that must be refused."""
    return [case for file in ("not_events", "senders", "fields", "addresses") for case in cases(f"events/{file}.yaml")]


def body_of(case: Case, bucket: str, newest: Callable[[str], str], **good: Any) -> str:
    """The message of a case as the incidents queue delivers it; `good` describes the event that is changed.

    `newest` gives the version of the list that the event names.
    """
    if "body" in case:
        times = case.get("repeat", 1)
        body: str = case["body"] * times + case.get("inner", "") + case.get("close", "") * times
        return body
    envelope = copy.deepcopy(event(rows=3, **good))
    envelope["detail"]["campaign"]["affected"]["s3"]["bucket"] = bucket
    for path, value in case.get("set", {}).items():
        _change(envelope, path, _filled(value, bucket))
    if "detail" in envelope:
        with_version(envelope, newest)
    if "drop" in case:
        place, _, name = case["drop"].rpartition(".")
        _at(envelope, place).pop(name)
    return json.dumps(envelope)


def _filled(value: Any, bucket: str) -> Any:
    return value.replace("{bucket}", bucket).replace("{long}", LONG) if isinstance(value, str) else value


def _change(envelope: Case, path: str, value: Any) -> None:
    place, _, name = path.replace("{long}", LONG).rpartition(".")
    _at(envelope, place)[name.replace("~", ".")] = value


def _at(envelope: Any, path: str) -> Any:
    for name in path.split(".") if path else []:
        envelope = envelope[int(name)] if isinstance(envelope, list) else envelope[name]
    return envelope


def row_bytes(case: Case) -> bytes:
    """The line of a row case, without its end."""
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    line = case["row"].encode() * case.get("repeat", 1)
    return bytes(line.ljust(case["pad"], b"x")) if "pad" in case else bytes(line)


def list_bytes(case: Case) -> bytes:
    """The content of a whole-list case."""
    content = bytes.fromhex(case["hex"]) if "hex" in case else case["text"].encode()
    return bytes(content + case.get("repeat", "").encode() * case.get("times", 0))
