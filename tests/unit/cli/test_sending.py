"""`kulanz send` checks before it uploads, and follows until the campaign is open or the event refused."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kulanz.application.door.problems import Kind
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz_cli import send
from kulanz_cli.door import DoorProblem
from kulanz_cli.event_file import legal_name
from kulanz_cli.send import Uploaded
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
from tests.support.world_stack import DESK, WorldStack, run

LIST = list_of([row("a-1"), row("a-2")]) + b"\n"


class Clients:
    """S3 and the bus of a world, as far as sending calls them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.uploaded: list[str] = []
        self.sent: list[dict[str, Any]] = []
        self.fails: Exception | None = None

    def upload(self, path: Path, bucket: str, key: str) -> Uploaded:
        if self.fails is not None:
            raise self.fails
        assert bucket == BUCKET
        self.uploaded.append(key)
        return Uploaded(self.world.lists.upload(key, path.read_bytes()), "etag")

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.sent += Entries
        return {"Entries": [{"EventId": "the-event"}]}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> WorldStack:
    monkeypatch.setattr(send, "upload_file", Clients.upload)
    world = small_world()
    stack, clients = WorldStack(world), Clients(world)
    stack._clients = dict.fromkeys(("s3", "events"), clients)
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


def test_the_campaign_is_open_when_it_returns(stack: WorldStack, tmp_path: Path) -> None:
    path, accounts = written(tmp_path)
    result = run(stack, "send", path, "--list", accounts)
    assert result.exit_code == 0
    assert f"Campaign {CAMPAIGN} is open" in result.stdout
    assert f"kulanz watch {CAMPAIGN}" in result.stdout
    assert "2 rows" in result.stdout
    assert (stack.world.campaign(CAMPAIGN).rows_announced, clients(stack).uploaded) == (2, ["lists/list.csv"])
    assert clients(stack).sent == []


@pytest.mark.parametrize(
    ("name", "key", "rows"),
    [
        ("list.csv", "lists/other.csv", 2),
        ("list.csv", "lists/other.jsonl", 3),
        ("list.jsonl", "lists/other.csv", 2),
        ("list.jsonl", "lists/other.jsonl", 3),
        ("export.txt", "lists/other.csv", 2),
        ("export", "lists/other.jsonl", 3),
    ],
)
def test_rows_are_counted_as_the_stack_reads_them_by_the_key_that_the_event_names(
    stack: WorldStack, tmp_path: Path, name: str, key: str, rows: int
) -> None:
    """The stack knows a list by its key alone: what a file is called on the sender's disk changes no control total."""
    (tmp_path / name).write_bytes(b"first\nsecond\nthird\n")
    found = send.upload_list(stack, tmp_path / name, key)
    assert (found["rows"], found["s3"]["key"], clients(stack).uploaded) == (rows, key, [key])
    stated = event(rows=1)
    stated["detail"]["campaign"]["affected"] = {"s3": {"bucket": BUCKET, "key": key}}
    named = send.with_list(stated, stack, tmp_path / name, None)["detail"]["campaign"]["affected"]
    assert (named["rows"], named["s3"]["key"]) == (rows, key)


def test_whoever_sends_it_is_the_requester_whatever_source_the_event_names(stack: WorldStack, tmp_path: Path) -> None:
    path, accounts = written(tmp_path, source="nobody-of-ours")
    assert run(stack, "send", path, "--list", accounts).exit_code == 0
    (opened, *_) = stack.world.campaigns.log(CampaignId.parse(CAMPAIGN))
    assert opened.cause.actor == DESK.id


def test_the_same_event_again_is_the_same_campaign(stack: WorldStack, tmp_path: Path) -> None:
    path, accounts = written(tmp_path)
    first = json.loads(run(stack, "send", path, "--list", accounts, "--json").stdout)
    (tmp_path / "event.json").write_text(json.dumps(_naming_the_list(path, stack)))
    again = [json.loads(run(stack, "send", path, "--json").stdout) for _ in range(2)]
    assert [one["campaign"] for one in again] == [first["campaign"]] * 2
    assert len(stack.world.campaigns.campaigns_of("net-outage")) == 1


def _naming_the_list(path: str, stack: WorldStack) -> dict[str, Any]:
    """The event of a file, naming the list that was uploaded for it."""
    sent: dict[str, Any] = json.loads(Path(path).read_text())
    pinned = stack.world.campaign(CAMPAIGN).pinned
    place = {"bucket": BUCKET, "key": pinned.key, "version_id": pinned.version_id}
    sent["detail"]["campaign"]["affected"] = {"s3": place, "rows": 2}
    return sent


@pytest.mark.parametrize(
    ("rows", "state", "says"), [(3, "refused", "was refused"), (2, "closed", "has ended (closed)")]
)
def test_the_same_event_again_says_what_became_of_its_campaign_since(
    stack: WorldStack, tmp_path: Path, rows: int, state: str, says: str
) -> None:
    """A request that is repeated is answered as the first time; its campaign has gone on."""
    path, accounts = written(tmp_path)
    assert run(stack, "send", path, "--list", accounts, "--rows", str(rows)).exit_code == 0
    again = _naming_the_list(path, stack)
    again["detail"]["campaign"]["affected"]["rows"] = rows
    (tmp_path / "event.json").write_text(json.dumps(again))
    stack.world.run_until_quiet()
    told, shown = run(stack, "send", path, "--json"), run(stack, "send", path)
    assert json.loads(told.stdout)["campaign"] == CAMPAIGN
    assert json.loads(told.stdout)["state"] == state
    assert says in read(shown.stdout)
    assert {told.exit_code, shown.exit_code} == {int(state == "refused")}


def test_a_program_gets_the_campaign_as_json(stack: WorldStack, tmp_path: Path) -> None:
    path, accounts = written(tmp_path)
    sent = json.loads(run(stack, "send", path, "--list", accounts, "--json").stdout)
    assert sent == {
        "v": 1, "incident_id": "net-outage", "rows": 2, "campaign": CAMPAIGN, "state": "planning", "refused": None,
    }  # fmt: skip


def test_a_machine_puts_the_event_on_the_bus_and_waits_for_nothing(stack: WorldStack, tmp_path: Path) -> None:
    path, accounts = written(tmp_path)
    sent = json.loads(run(stack, "send", path, "--list", accounts, "--bus", "--json").stdout)
    assert sent == {"v": 1, "event_id": "the-event", "incident_id": "net-outage", "rows": 2}
    (entry,) = clients(stack).sent
    assert (entry["Source"], entry["DetailType"]) == ("billing", "Incident Declared")
    assert stack.world.campaigns.campaigns_of("net-outage") == []
    assert "kulanz campaigns net-outage" in run(stack, "send", path, "--list", accounts, "--bus").stdout


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_refusal_is_said_with_its_reason_and_nothing_is_opened(
    stack: WorldStack, tmp_path: Path, form: tuple[str, ...]
) -> None:
    stack.world.stores.replace_tables()
    path, accounts = written(tmp_path)
    result = run(stack, "send", path, "--list", accounts, *form)
    assert result.exit_code == 1
    says = json.loads(result.stdout)["refused"] if form else read(result.stdout)
    assert "tables_unconfirmed: " in says
    assert stack.world.campaigns.campaigns_of("net-outage") == []


def test_a_campaign_that_its_plan_refuses_is_shown_with_its_reason(stack: WorldStack, tmp_path: Path) -> None:
    path, accounts = written(tmp_path)
    assert run(stack, "send", path, "--list", accounts, "--rows", "3").exit_code == 0
    stack.world.run_until_quiet()
    result = run(stack, "rejected", CAMPAIGN)
    assert result.exit_code == 1
    assert "was refused as a whole, and nobody was credited: rows_differ" in read(result.stdout)
    assert run(stack, "watch", CAMPAIGN).exit_code == 1


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_campaign_that_the_api_answers_as_refused_exits_with_1(
    stack: WorldStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: tuple[str, ...]
) -> None:
    act = stack.door().act

    def refused(use: str, *of: Any, **values: Any) -> dict[str, Any]:
        done = act(use, *of, **values)
        return {**done, "state": State.REFUSED} if use == "requests.campaign" else done

    path, accounts = written(tmp_path)
    monkeypatch.setattr(stack.door(), "act", refused)
    result = run(stack, "send", path, "--list", accounts, *form)
    says = json.loads(result.stdout)["state"] if form else read(result.stdout)
    assert (result.exit_code, "refused" in says) == (1, True)


@pytest.mark.parametrize("kind", [Kind.REFUSED, Kind.REQUEST_REFUSED])
def test_a_refusal_without_a_reason_is_an_error_and_no_answer(
    stack: WorldStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    """What the API refuses without a code is about how it was asked: the event was not judged."""

    def act(*_: object, **__: object) -> dict[str, Any]:
        raise DoorProblem("it was asked otherwise than expected", kind)

    path, accounts = written(tmp_path)
    monkeypatch.setattr(stack.door(), "act", act)
    result = run(stack, "send", path, "--list", accounts, "--json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "it was asked otherwise than expected" in read(result.stderr)


def test_an_event_without_a_campaign_is_recorded(stack: WorldStack, tmp_path: Path) -> None:
    path, _ = written(tmp_path, campaign=...)
    result = run(stack, "send", path)
    assert (result.exit_code, "Recorded: incident net-outage" in result.stdout) == (0, True)
    assert stack.world.campaigns.incident("net-outage") is not None


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
        ("list.csv", LIST, {"titel": "x"}, "titel: this field is not known; did you mean title?"),
        ("list.csv", LIST, {"windows": [{"start": "2222-02-22T08:00:00Z"}]}, "a window ends in the future"),
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
    assert (clients(stack).uploaded, stack.world.campaigns.incident("net-outage")) == ([], None)


def test_an_event_whose_list_was_forgotten_says_how_it_is_added(stack: WorldStack, tmp_path: Path) -> None:
    path, _ = written(tmp_path)
    result = run(stack, "send", path)
    assert (result.exit_code, clients(stack).uploaded) == (3, [])
    assert "its list is missing: add --list LIST --rows NUMBER" in read(result.stderr)
    assert stack.world.campaigns.incident("net-outage") is None


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
    beside: list[str] = []
    for number, more in ((1, "."), (2, "."), (3, "."), (4, " and more.")):
        beside.append(name.format(number))
        (tmp_path / beside[-1]).write_bytes(LIST)
        refused = run(stack, "send", path, "--list", accounts)
        assert refused.exit_code == 3
        assert f"beside it are {', '.join(beside[:3])}{more} A campaign" in read(refused.stderr)
    assert clients(stack).uploaded == []
    for other in beside:
        (tmp_path / other).unlink()
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
    stack.world.run_until_quiet()
    assert stack.world.campaign(CAMPAIGN).state is State.CLOSED
    path.write_text(path.read_text().replace('"revision": 1', '"revision": 2'))
    refused = run(stack, "send", str(path))
    assert refused.exit_code != 0
    assert "no such revision" in refused.output
