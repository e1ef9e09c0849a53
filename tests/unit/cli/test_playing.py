"""What `kulanz source play` asks, sends and says: the secret is shown nowhere, and a refusal is no success."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kulanz.sources.table import SOURCES
from kulanz_cli import play
from kulanz_cli.main import main
from kulanz_cli.signed import NoReply, Reply, SignedRequest
from tests.support.reading import read

SECRET = "the-secret-of-it"
BODIES = [{"number": number} for number in range(7)]
TWICE = 3


class Receiver:
    """Where deliveries go; it answers one after the other, at last always the same."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.got = list(statuses), list[SignedRequest]()

    def __call__(self, request: SignedRequest) -> Reply:
        self.got.append(request)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if not status:
            raise NoReply("ReadTimeout")
        return Reply(status, b"")


class Deployed:
    def sources_url(self) -> str:
        return "https://receiver.example/sources"


def played(
    monkeypatch: pytest.MonkeyPatch, folder: Path, receiver: Receiver, *words: str, typed: str | None = None,
    kind: str = "statuspage", env: dict[str, str] | None = None,
) -> Result:  # fmt: skip
    recording = folder / "recording.json"
    recording.write_text(json.dumps({"deliveries": [{"body": body} for body in BODIES]}))
    monkeypatch.setattr(play, "Http", lambda: receiver)
    line = ["source", "play", str(recording), "--source", "it", "--kind", kind, *words]
    stated = {"KULANZ_SOURCE_SECRET": None, **(env or {})}
    return CliRunner().invoke(main, line, obj=Deployed(), prog_name="kulanz", input=typed, env=stated)


def bodies_of(receiver: Receiver) -> list[Any]:
    return [json.loads(request.body) for request in receiver.got]


@pytest.mark.parametrize("words", [(), ("--secret", ""), ("--json",)])
def test_without_a_secret_it_is_asked_for_beside_the_output_and_never_shown(
    words: Sequence[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    receiver = Receiver(202)
    shown = played(monkeypatch, tmp_path, receiver, *words, typed=f"{SECRET}\n")
    assert shown.exit_code == 0, shown.output
    assert SECRET not in shown.output
    assert shown.stderr.startswith("Secret of the source:")
    assert "Secret" not in shown.stdout
    assert all(request.url.endswith(f"/sources/it/{SECRET}") for request in receiver.got)
    if "--json" in words:
        assert json.loads(shown.stdout)["v"] == 1


@pytest.mark.parametrize(
    ("words", "env"),
    [(("--secret", SECRET), {"KULANZ_SOURCE_SECRET": "other"}), ((), {"KULANZ_SOURCE_SECRET": SECRET})],
)
def test_a_secret_that_is_stated_or_set_is_not_asked_for(
    words: Sequence[str], env: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    receiver = Receiver(202)
    shown = played(monkeypatch, tmp_path, receiver, *words, env=env)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert {request.url.rpartition("/")[2] for request in receiver.got} == {SECRET}


@pytest.mark.parametrize("kind", [kind for kind, source in SOURCES.items() if source.scheme.name != "RULE"])
def test_the_secret_is_in_the_path_of_a_source_that_has_it_there_and_of_no_other(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    receiver = Receiver(202)
    secret = "whsec_dGhlLXNlY3JldC1vZi1pdA==" if SOURCES[kind].scheme.name == "STANDARD_WEBHOOKS" else "a/secret b"
    assert played(monkeypatch, tmp_path, receiver, "--secret", secret, "--in-order", kind=kind).exit_code == 0
    ending = "/a%2Fsecret%20b" if SOURCES[kind].scheme.name == "PATH" else ""
    assert {request.url for request in receiver.got} == {f"https://receiver.example/sources/it{ending}"}
    assert all(secret not in value for request in receiver.got for value in request.headers.values())


def test_what_was_received_is_counted_once_and_what_came_twice_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = ("--secret", SECRET)
    receiver, shuffled, program = Receiver(202), Receiver(202), Receiver(202)
    in_order = played(monkeypatch, tmp_path, receiver, *known, "--in-order")
    assert bodies_of(receiver) == BODIES
    assert read(in_order.stdout) == "7 deliveries were received. What they became: kulanz drafts"
    mixed = played(monkeypatch, tmp_path, shuffled, *known)
    assert sorted(one["number"] for one in bodies_of(shuffled)) == sorted([*range(7), 0, 3, 6])
    assert read(mixed.stdout) == (
        f"7 deliveries were received, {TWICE} of them twice, and not in order. What they became: kulanz drafts"
    )
    told = json.loads(played(monkeypatch, tmp_path, program, *known, "--json").stdout)
    assert told == {"v": 1, "deliveries": 7, "sent": 7 + TWICE, "statuses": [202] * (7 + TWICE)}


def test_a_refusal_of_one_delivery_is_an_error_that_says_each_answer_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = ("--secret", SECRET, "--in-order")
    for statuses, said in (
        ((202, 202, 401, 202), "1 of 7 deliveries were answered 401:"),
        ((404, 202, 401, 404, 200, 401, 202), "5 of 7 deliveries were answered 200, 401, 404:"),
        ((202,) * 6 + (503,), "1 of 7 deliveries were answered 503:"),
    ):
        shown = played(monkeypatch, tmp_path, Receiver(*statuses), *known)
        assert (shown.exit_code, shown.stdout, said in read(shown.stderr)) == (3, "", True), shown.output
        as_json = played(monkeypatch, tmp_path, Receiver(*statuses), *known, "--json")
        answered = [*statuses, *[statuses[-1]] * (7 - len(statuses))]
        assert (as_json.exit_code, json.loads(as_json.stdout)["statuses"]) == (3, answered)


def test_a_receiver_that_does_not_answer_ends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    receiver = Receiver(202, 0)
    shown = played(monkeypatch, tmp_path, receiver, "--secret", SECRET)
    assert (shown.exit_code, len(receiver.got)) == (3, 2)
    assert "the receiver did not answer (ReadTimeout); try again" in read(shown.stderr)
    assert SECRET not in shown.output
