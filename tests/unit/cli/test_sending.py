"""`kulanz send` checks before it uploads, and follows until the campaign is open or the event refused."""

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.time import format_instant
from kulanz_cli import send, sending
from kulanz_cli.event_file import legal_name
from tests.support.fakes import FakeCampaigns
from tests.support.reading import read
from tests.support.small_campaign import (
    CAMPAIGN,
    HEADER,
    LIST_KEY,
    ROWS,
    event,
    list_of,
    row,
    sealed_policy,
    small_world,
)
from tests.support.world import BUCKET, World
from tests.support.world_stack import WorldStack, run

LIST = list_of([row("a-1"), row("a-2")]) + b"\n"


class Clients:
    """S3, the bus and the queues of a world, as far as sending calls them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.uploaded: list[str] = []
        self.is_slow = False
        self.fails: Exception | None = None

    def upload(self, path: Path, bucket: str, key: str, metadata: dict[str, str]) -> None:
        if self.fails is not None:
            raise self.fails
        assert bucket == BUCKET
        self.uploaded.append(key)
        self.head = {"VersionId": self.world.lists.upload(key, path.read_bytes()), "Metadata": metadata}

    def head_object(self, **_: str) -> dict[str, Any]:
        return self.head

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        (entry,) = Entries
        names = {"id": "the-event", "source": entry["Source"], "detail-type": entry["DetailType"]}
        self.world.publish({**names, "detail": json.loads(entry["Detail"])})
        if not self.is_slow:
            self.world.run_until_quiet()
        return {"Entries": [{"EventId": "the-event"}]}

    def receive_message(self, **_: Any) -> dict[str, Any]:
        told = [
            {"v": 1, **asdict(one), "received_at": format_instant(one.received_at)} for one in self.world.rejected.sent
        ]
        found = enumerate(told)
        return {"Messages": [{"MessageId": str(n), "ReceiptHandle": "r", "Body": json.dumps(one)} for n, one in found]}

    def change_message_visibility(self, **_: Any) -> None: ...

    def get_object(self, *, Key: str, **_: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self.world.archive.get(Key))}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> WorldStack:
    monkeypatch.setattr(sending, "POLL_SECONDS", 0)
    monkeypatch.setattr(send, "upload_file", Clients.upload)
    world = small_world()
    stack, clients = WorldStack(world), Clients(world)
    stack._clients = dict.fromkeys(("s3", "events", "sqs"), clients)
    return stack


def clients(stack: WorldStack) -> Clients:
    found: Clients = stack._clients["s3"]
    return found


def written(folder: Path, name: str = "list.csv", content: bytes = LIST, **changes: Any) -> tuple[str, str]:
    """An event that names no list yet, and a list, as files."""
    told = event(rows=1, **changes)
    del told["id"]
    if isinstance(told["detail"].get("campaign"), dict):
        del told["detail"]["campaign"]["affected"]
    (folder / "event.json").write_text(json.dumps(told))
    (folder / name).write_bytes(content)
    return str(folder / "event.json"), str(folder / name)


def test_it_follows_until_the_campaign_is_open(stack: WorldStack, tmp_path: Path) -> None:
    path, accounts = written(tmp_path)
    result = run(stack, "send", path, "--list", accounts)
    assert result.exit_code == 0
    assert f"Campaign {CAMPAIGN} is open" in result.stdout
    assert f"kulanz watch {CAMPAIGN}" in result.stdout
    assert "2 rows" in result.stdout
    assert (stack.world.campaign(CAMPAIGN).rows_announced, clients(stack).uploaded) == (2, ["lists/list.csv"])


def test_a_program_gets_the_campaign_as_json_and_a_script_need_not_wait(stack: WorldStack, tmp_path: Path) -> None:
    path, accounts = written(tmp_path)
    sent = json.loads(run(stack, "send", path, "--list", accounts, "--json").stdout)
    assert (sent["campaign"], sent["refused"], sent["event_id"]) == (CAMPAIGN, None, "the-event")
    clients(stack).is_slow = True
    again = json.loads(run(stack, "send", path, "--list", accounts, "--json", "--no-wait").stdout)
    assert "campaign" not in again


def test_a_refused_event_is_known_by_its_own_id_and_told(stack: WorldStack, tmp_path: Path) -> None:
    path, accounts = written(tmp_path, source="nobody")
    result = run(stack, "send", path, "--list", accounts)
    assert result.exit_code == 1
    assert "The event was refused: source_unknown" in result.stdout


def test_a_campaign_that_its_plan_refused_is_told_with_the_command_that_shows_its_rows(
    stack: WorldStack, tmp_path: Path
) -> None:
    path, accounts = written(tmp_path)
    result = run(stack, "send", path, "--list", accounts, "--rows", "3")
    assert result.exit_code == 1
    assert "was refused: rows_differ" in read(result.stdout)
    assert f"kulanz rejected {CAMPAIGN}" in result.stdout


def test_an_event_without_a_campaign_is_followed_until_it_is_recorded(stack: WorldStack, tmp_path: Path) -> None:
    path, _ = written(tmp_path, campaign=...)
    result = run(stack, "send", path)
    assert (result.exit_code, "Recorded: incident net-outage" in result.stdout) == (0, True)


def test_what_is_not_acted_on_in_time_is_not_called_open(
    stack: WorldStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "FOLLOW_SECONDS", 0)
    clients(stack).is_slow = True
    path, accounts = written(tmp_path)
    result = run(stack, "send", path, "--list", accounts)
    assert result.exit_code == 3
    assert "neither acted on nor refused" in read(result.stderr)


def denied(operation: str) -> Callable[..., Any]:
    """An operation that the caller may not do."""

    def call(*_: object, **__: object) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, operation)

    return call


def foreign_message(*_: object, **__: object) -> dict[str, Any]:
    return {"Messages": [{"MessageId": "m-1", "ReceiptHandle": "r", "Body": "hello"}]}


@pytest.mark.parametrize(
    ("place", "name", "fault", "says"),
    [
        (Clients, "receive_message", denied("ReceiveMessage"), "AWS refused ReceiveMessage: AccessDenied"),
        (Clients, "receive_message", foreign_message, "m-1 in the queue of refused events is not"),
        (Clients, "change_message_visibility", denied("Change"), "AWS refused Change: AccessDenied"),
        (FakeCampaigns, "incident", denied("GetItem"), "AWS refused GetItem: AccessDenied"),
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_said_to_be_sent(
    stack: WorldStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: type, name: str, fault: Any, says: str
) -> None:
    monkeypatch.setattr(sending, "FOLLOW_SECONDS", 0)
    path, accounts = written(tmp_path)
    clients(stack).is_slow = True
    stack.world.publish(event(rows=99, incident_id="another-one", titel="x"))
    stack.world.run_until_quiet()
    monkeypatch.setattr(place, name, fault)
    result = run(stack, "send", path, "--list", accounts)
    assert result.exit_code == 3
    told = read(result.stderr)
    assert "the event WAS sent (the-event)" in told
    assert says in told
    assert "kulanz campaigns net-outage" in told
    assert "Traceback" not in told


def test_a_campaign_is_followed_without_rights_on_the_queue_of_refused_events(
    stack: WorldStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Clients, "receive_message", denied("ReceiveMessage"))
    clients(stack).is_slow = True
    monkeypatch.setattr("time.sleep", lambda _: stack.world.run_until_quiet())
    path, accounts = written(tmp_path)
    result = run(stack, "send", path, "--list", accounts)
    assert (result.exit_code, "is open (closed)" in read(result.stdout)) == (0, True)


@pytest.mark.parametrize(
    ("name", "content", "changes", "says"),
    [
        ("list.csv", LIST, {"policy_version": 9}, "policy net-credit version 9 is not published on this stack"),
        ("list.csv", LIST.replace(b"account_id", b"ACCOUNT_ID"), {}, 'rename "ACCOUNT_ID" to "account_id"'),
        ("list.csv", LIST.replace(b",", b";"), {}, "semicolons between its columns"),
        ("list.csv", HEADER, {}, "a header and no row"),
        ("list.csv", b"", {}, "no bytes"),
        ("data_0_0_0.csv.gz", gzip.compress(LIST, mtime=0), {}, "gunzip -k data_0_0_0.csv.gz"),
        ("list.csv", gzip.compress(LIST, mtime=0), {}, "gzip data"),
        ("list.txt", LIST, {}, "ends neither in .csv nor in .jsonl"),
        ("list.csv", LIST, {"campaign": ...}, "no detail.campaign"),
        ("list.csv", LIST, {"titel": "x"}, "titel: this field is not known"),
        ("list.csv", LIST, {"detail_type": "Campaign Requested", "title": ..., "service": ..., "functions": ...,
                            "windows": ..., "cause": ..., "facts": ...}, "is not recorded on this stack"),
    ],
)  # fmt: skip
def test_nothing_is_uploaded_or_sent_that_the_stack_would_refuse(
    stack: WorldStack, tmp_path: Path, name: str, content: bytes, changes: dict[str, Any], says: str
) -> None:
    path, accounts = written(tmp_path, name, content, **changes)
    result = run(stack, "send", path, "--list", accounts)
    assert result.exit_code == 3
    assert says in read(result.stderr)
    assert (clients(stack).uploaded, stack.world.events) == ([], [])


def test_a_list_that_states_what_kulanz_keeps_is_not_uploaded(stack: WorldStack, tmp_path: Path) -> None:
    policy = (
        "kulanz: 1\nid: capped\nversion: 1\ntitle: t\ncurrency: EUR\n"
        "facts:\n  paid: {type: money, per: calendar year, add: amount}\n"
        "pay: 5.00 EUR\ncap: {per: calendar year, at: 8.00 EUR - paid}\n"
    )
    stack.world.policies.publish("capped", 1, sealed_policy(policy))
    path, accounts = written(tmp_path, "list.csv", b"account_id,paid\na-1,5.00\n", policy="capped")
    result = run(stack, "send", path, "--list", accounts)
    assert result.exit_code == 3
    assert "Kulanz keeps paid itself" in read(result.stderr)
    assert (clients(stack).uploaded, stack.world.events) == ([], [])


@pytest.mark.parametrize("name", ["data_0_0_{}.csv", "part-0000{}-9f3a.csv", "00000000000{}.csv", "x.part{}.csv"])
def test_one_part_of_an_export_is_refused_beside_the_others_and_taken_alone(
    stack: WorldStack, tmp_path: Path, name: str
) -> None:
    path, accounts = written(tmp_path, name.format(0))
    (tmp_path / name.format(1)).write_bytes(LIST)
    refused = run(stack, "send", path, "--list", accounts)
    assert refused.exit_code == 3
    assert f"beside it are {name.format(1)}" in read(refused.stderr)
    assert clients(stack).uploaded == []
    (tmp_path / name.format(1)).unlink()
    assert run(stack, "send", path, "--list", accounts).exit_code == 0


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Affected Accounts (2).csv", "Affected-Accounts-2.csv"),
        ("Kunden für Müller & Söhne.CSV", "Kunden-fur-Muller-Sohne.CSV"),
        ("..csv", "list.csv"),
        ("a..b.csv", "a.b.csv"),
        ("影響.jsonl", "list.jsonl"),
    ],
)
def test_the_name_of_a_download_is_made_one_that_a_list_may_have(
    stack: WorldStack, tmp_path: Path, name: str, key: str
) -> None:
    assert legal_name(name) == key
    path, accounts = written(tmp_path, name)
    if name.lower().endswith(".csv"):
        result = run(stack, "send", path, "--list", accounts)
        assert result.exit_code == 0
        assert f"is uploaded as lists/{key}" in read(result.stdout)


def test_an_upload_that_fails_is_one_sentence(stack: WorldStack, tmp_path: Path) -> None:
    clients(stack).fails = ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")
    path, accounts = written(tmp_path)
    result = run(stack, "send", path, "--list", accounts)
    assert result.exit_code == 3
    assert "AWS refused PutObject: AccessDenied" in read(result.stderr)


def test_a_request_gets_the_decision_digest_of_the_revision_that_the_stack_has(
    stack: WorldStack, tmp_path: Path
) -> None:
    stack.world.publish(event(rows=ROWS, campaign=...))
    stack.world.run_until_quiet()
    request = event(rows=ROWS, detail_type="Campaign Requested", version_id=stack.world.lists.newest(LIST_KEY))
    named = ("incident_id", "revision", "campaign")
    detail = {name: request["detail"][name] for name in named}
    path = tmp_path / "request.json"
    path.write_text(json.dumps({**{name: request[name] for name in ("source", "detail-type")}, "detail": detail}))
    assert run(stack, "send", str(path)).exit_code == 0
    assert stack.world.campaign(CAMPAIGN).state is State.CLOSED
    path.write_text(path.read_text().replace('"revision": 1', '"revision": 2'))
    refused = run(stack, "send", str(path))
    assert refused.exit_code != 0
    assert "no such revision" in refused.output
