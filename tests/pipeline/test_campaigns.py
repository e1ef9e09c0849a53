"""The deployed stack, from an event on the bus to closed books and received notices, and what goes wrong on the way."""

import copy
import csv
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kulanz.adapters.answer_table import DynamoAnswers
from kulanz.adapters.delivery_table import DynamoDeliveries
from kulanz.adapters.void_table import DynamoVoids
from kulanz.application.delivery.advance_delivery import granted_by_list
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, State
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER
from kulanz.domain.delivery.answers import AnswerResult
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.void import Share, VoidState
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli.direct import DirectStack
from kulanz_cli.event_file import read_event
from kulanz_cli.send import send
from kulanz_cli.watch import CampaignBars
from kulanz_local import drive
from kulanz_local.cases import ATT, CASES, SKYPE, Case
from kulanz_local.gate import desks
from kulanz_local.lists import Expectation, write_list
from kulanz_local.reconcile import discrepancies, notices_due
from kulanz_local.subscriber import Subscriber
from tests.fake_biller.biller import Biller
from tests.pipeline.conftest import Deployed
from tests.support.billing_files import ReadDelivery, read_delivery

pytestmark = pytest.mark.ministack

ACCOUNTS_PER_LIST = 150
SEED = 1
LONGEST_SECONDS = 90
HEADER = "account_id,segment,potentially_impacted\n"
GOOD_ROWS = "100,consumer_postpaid,true\n200,business,true\n"


@dataclass(frozen=True)
class Played:
    """Both cases, played once on the deployed stack."""

    stack: DirectStack
    deployed: Deployed
    subscriber: Subscriber
    events: dict[str, dict[str, Any]]
    expected: dict[str, Expectation]
    campaigns: dict[str, Campaign]


@pytest.fixture(scope="module")
def played(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("lists")
    stack = drive.stack_of(deployed.aws)
    outputs = deployed.outputs
    with Subscriber(
        deployed.session, deployed.aws.endpoint, outputs.notices_topic_arn, outputs.event_bus_name
    ) as subscriber:
        events, expected = {}, {}
        for case in CASES:
            document = load_policy(case.policy)
            stack.policies().publish(document.policy.id, document.policy.version, document_json(document))
            path = folder / Path(case.key).name
            expected[case.incident_id] = write_list(case.maker, ACCOUNTS_PER_LIST, SEED, path)
            rows = expected[case.incident_id].rows
            events[case.incident_id] = drive.completed_event(stack, case, path, rows)
        for event in events.values():
            send(event, stack)
        campaigns = {incident_id: at_rest(stack, incident_id) for incident_id in events}
        due = sum(notices_due(expected[incident_id], campaign) for incident_id, campaign in campaigns.items())
        drive.wait_until("the notices", LONGEST_SECONDS, lambda: subscriber.distinct_notices().total() >= due)
        yield Played(stack, deployed, subscriber, events, expected, campaigns)


def at_rest(stack: DirectStack, incident_id: str) -> Campaign:
    """The first campaign of an incident, once nothing goes on in it and that very state was announced."""
    store, campaign_id = stack.campaigns(), CampaignId(incident_id, 1)
    with CampaignBars(Console(quiet=True)) as bars:
        drive.follow(stack, [campaign_id], bars, LONGEST_SECONDS, lambda: None)

    def is_announced() -> bool:
        campaign = store.campaign(campaign_id)
        return campaign is not None and campaign.announced == campaign.report_name

    drive.wait_until("an announcement", LONGEST_SECONDS, is_announced)
    campaign = store.campaign(campaign_id)
    assert campaign is not None
    return campaign


def upload(stack: DirectStack, key: str, content: str) -> dict[str, str]:
    """A list in the bucket, as an event names it."""
    bucket = stack.outputs.list_bucket_name
    version = stack.client("s3").put_object(Bucket=bucket, Key=key, Body=content.encode())["VersionId"]
    return {"bucket": bucket, "key": key, "version_id": version}


def declared(incident_id: str, place: dict[str, str] | None, rows: int = 2) -> dict[str, Any]:
    """AT&T's event as that of another incident."""
    event = drive.with_limits(copy.deepcopy(read_event(ATT.event)))
    event["detail"]["incident_id"] = incident_id
    event["detail"]["campaign"]["affected"] = {"s3": place, "rows": rows}
    return event


def put(stack: DirectStack, event: dict[str, Any]) -> None:
    """Put an event on the bus without looking at it."""
    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "EventBusName": stack.outputs.event_bus_name,
    }
    assert stack.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def rejections(played: Played, wanted: int) -> list[dict[str, Any]]:
    """So many messages of the rejected queue, taken from it."""
    sqs, url = played.stack.client("sqs"), played.deployed.outputs.rejected_queue_url
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + LONGEST_SECONDS
    while len(found) < wanted:
        assert time.monotonic() < deadline, f"{len(found)} of {wanted} events were refused"
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.incident_id)
def test_the_books_the_ledger_and_the_notices_are_those_that_were_planted(played: Played, case: Case) -> None:
    campaign, expected = played.campaigns[case.incident_id], played.expected[case.incident_id]
    stored = drive.decisions_stored(played.stack)[case.incident_id]
    notices = played.subscriber.notices_of(str(campaign.id))
    assert list(discrepancies(expected, campaign, notices, stored)) == []
    assert len(campaign.chunks) > 1


def delivered(played: Played, campaign: Campaign) -> ReadDelivery:
    """The delivery over a campaign's list, read from the bucket as a biller reads it, once it is released."""
    delivery_id, files = files_of(played, campaign)
    return read_delivery(
        {f"{delivery_id.folder}/{name}": content for name, content in files.items()}, delivery_id.folder
    )


def files_of(played: Played, campaign: Campaign) -> tuple[DeliveryId, dict[str, bytes]]:
    """The delivery over a campaign's list and its files, once it is released."""
    stack, bucket = played.stack, played.stack.outputs.list_bucket_name
    deliveries = DynamoDeliveries(stack.client("dynamodb"), stack.outputs.campaigns_table_name)

    def is_sent() -> bool:
        found = deliveries.over_list(campaign.id)
        return found is not None and found.state is DeliveryState.SENT

    drive.wait_until("the delivery", LONGEST_SECONDS, is_sent)
    found = deliveries.over_list(campaign.id)
    assert found is not None
    s3 = stack.client("s3")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{found.id.folder}/")["Contents"]
    documents = {one["Key"]: s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listed}
    return found.id, {key.rpartition("/")[2]: content for key, content in documents.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.incident_id)
def test_what_a_campaign_granted_is_delivered_to_billing_by_file(played: Played, case: Case) -> None:
    campaign = played.campaigns[case.incident_id]
    found = delivered(played, campaign).credits.values()
    sums: dict[str, Decimal] = {}
    for credit in found:
        sums[credit["measure"]] = sums.get(credit["measure"], Decimal(0)) + Decimal(credit["amount"])
    booked = granted_by_list(campaign)
    assert {measure: int(size.scaleb(2)) if measure == "USD" else size for measure, size in sums.items()} == booked
    assert len({credit["account_id"] for credit in found}) == len(found), "one credit for each account"


def test_what_billing_answers_is_on_its_bills_and_in_the_month(played: Played, tmp_path: Path) -> None:
    stack = played.stack
    found = dict(files_of(played, campaign) for campaign in played.campaigns.values())
    with closing(Biller(":memory:")) as biller:
        accounts = {
            one["account_id"]
            for campaign in played.campaigns.values()
            for one in delivered(played, campaign).credits.values()
        }
        biller.open_accounts([(account, "USD", "50.00") for account in sorted(accounts)[1:]])
        for delivery_id, files in sorted(found.items()):
            assert biller.take(delivery_id.channel, delivery_id.serial, files) == "taken"
        biller.run_cycle("2026-12-01")
        path = tmp_path / "answers.csv"
        path.write_bytes(biller.write_answers())
        assert drive.run_kulanz(stack, "acknowledge", str(path), "--channel", "billing") == 0
        answers = DynamoAnswers(stack.client("dynamodb"), stack.outputs.campaigns_table_name)
        drive.wait_until(
            "the answers", LONGEST_SECONDS, lambda: all(one.is_finished for one in answers.files("billing"))
        )
        lines = [*biller.on_bills()]
    (file,) = answers.files("billing")
    assert file.totals.lines == path.read_bytes().count(b"\n") - 1
    assert set(file.totals.by_result()) == {AnswerResult.ACCEPTED, AnswerResult.APPLIED, AnswerResult.REJECTED}
    month = f"{played.campaigns[ATT.incident_id].decided_at:%Y-%m}"
    told = [one for page in stack.door().pages("acknowledgements.of_month", month=month) for one in page["campaigns"]]
    assert [one["differences"] for one in told if one["lines"]] == [[]] * sum(1 for one in told if one["lines"])
    applied: dict[str, Decimal] = {}
    for one in told:
        for line in one["lines"]:
            size = Decimal(line["by_state"].get("applied", "0"))
            applied[line["measure"]] = applied.get(line["measure"], Decimal(0)) + size
    on_bills: dict[str, Decimal] = {}
    for *_, amount, measure in lines:
        on_bills[measure] = on_bills.get(measure, Decimal(0)) + amount
    assert {measure: size for measure, size in applied.items() if size} == on_bills
    assert drive.run_kulanz(stack, "month", month) == 0


def test_what_billing_rejected_is_voided_once_another_person_said_yes(played: Played) -> None:
    asking, approving = desks(played.deployed.aws)
    campaign_id = played.campaigns[ATT.incident_id].id
    voids = DynamoVoids(played.stack.client("dynamodb"), played.stack.outputs.campaigns_table_name)
    asking.kulanz("void", str(campaign_id), "--reason", "no such account", "--id", "rejected")

    def is_in(*states: VoidState) -> bool:
        found = voids.void(VoidId(campaign_id, "rejected"))
        return found is not None and found.state in states

    drive.wait_until("the plan of a void", LONGEST_SECONDS, lambda: not is_in(VoidState.PLANNING))
    (planned,) = voids.of_campaign(campaign_id)
    assert planned.state is VoidState.AWAITING_APPROVAL, planned.state_reason
    assert planned.plan.totals.by_measure(Share.VOIDABLE).keys() == {"USD"}
    approving.kulanz("approve-void", str(campaign_id), "rejected", "--plan", planned.plan_hash[:12])
    drive.wait_until("the void", LONGEST_SECONDS, lambda: is_in(VoidState.VOIDED, VoidState.FLAGGED))
    (done,) = voids.of_campaign(campaign_id)
    assert (done.state, done.state_reason) == (VoidState.VOIDED, "balanced")
    assert done.apply.totals.by_measure(Share.VOIDED) == planned.plan.totals.by_measure(Share.VOIDABLE)
    incident = played.stack.campaigns().incident(campaign_id.incident_id)
    assert incident is not None
    assert incident.voiding == ""
    drive.wait_until("its end", LONGEST_SECONDS, lambda: voids.open_voids() == [])


def test_a_campaign_tells_on_the_bus_that_it_closed(played: Played) -> None:
    def told() -> set[str]:
        return {detail["campaign"] for kind, detail in played.subscriber.announcements() if kind == "Campaign Closed"}

    drive.wait_until(
        "Campaign Closed",
        LONGEST_SECONDS,
        lambda: {str(campaign.id) for campaign in played.campaigns.values()} <= told(),
    )


def test_an_apology_comes_in_the_language_of_the_account(played: Played) -> None:
    languages = {
        locale for campaign, _, locale in played.subscriber.distinct_notices() if SKYPE.incident_id in campaign
    }
    assert languages == {"de", "en", "es", "fr"}


def test_the_same_events_once_more_change_nothing(played: Played) -> None:
    stored, delivered = drive.decisions_stored(played.stack), played.subscriber.deliveries()
    for event in played.events.values():
        send(event, played.stack)
    outputs = played.deployed.outputs
    drive.wait_until_quiet(played.stack, [outputs.incidents_queue_url, outputs.chunks_queue_url], LONGEST_SECONDS)
    for incident_id, campaign in played.campaigns.items():
        assert played.stack.campaigns().campaigns_of(incident_id) == [campaign]
    assert drive.decisions_stored(played.stack) == stored
    assert played.subscriber.deliveries() == delivered


def test_an_account_learns_what_it_got_and_why(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    examples = played.expected[SKYPE.incident_id].examples
    code = drive.run_kulanz(played.stack, "ask", examples["granted"], "--incident", SKYPE.incident_id, "--json")
    answer = json.loads(capsys.readouterr().out)
    assert code == 0
    (decided,) = answer["decisions"]
    assert decided["decision"]["outcome"] == "granted"
    assert decided["decision"]["benefits"][0]["units"] == ["20", "minute"]
    assert decided["explained"] == "agrees"
    assert decided["expires_at"] > decided["effective_at"]
    assert decided["steps"]
    assert answer["final"]


@pytest.mark.parametrize("kind", ["declined", "held", "rejected", "unlisted"])
def test_an_account_without_a_benefit_is_told_so(played: Played, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    examples = played.expected[SKYPE.incident_id].examples
    code = drive.run_kulanz(played.stack, "ask", examples[kind], "--incident", SKYPE.incident_id)
    told = capsys.readouterr().out
    if kind in ("rejected", "unlisted"):
        assert code == 1
        assert "NOTHING DECIDED" in told
        assert "/problems/" in told
    else:
        assert code == 0
        assert kind.upper() in told


def test_the_command_follows_a_campaign_and_prints_its_books(
    played: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    campaign = played.campaigns[ATT.incident_id]
    assert drive.run_kulanz(played.stack, "watch", str(campaign.id), "--seconds", "5", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["state"] == "closed"
    assert report["plan"]["rows"] == played.expected[ATT.incident_id].rows

    def announced() -> list[dict[str, Any]]:
        told = [detail for kind, detail in played.subscriber.announcements() if kind == "Campaign Closed"]
        return [detail for detail in told if detail["campaign"] == str(campaign.id)]

    drive.wait_until("Campaign Closed", LONGEST_SECONDS, lambda: bool(announced()))
    law = announced()[0]["law"]  # of the instant at which it was sent, beside the report
    assert law["measures"]
    assert {**report, "law": law} == announced()[0], "estimated with the settings that the stack was deployed with"
    assert drive.run_kulanz(played.stack, "campaigns", ATT.incident_id) == 0
    assert f"{campaign.id}" in capsys.readouterr().out
    assert drive.run_kulanz(played.stack, "campaigns", "never-heard-of") == 1


def test_every_row_is_exported_from_the_ledger_by_links_into_the_bucket(
    played: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    campaign, expected, path = played.campaigns[ATT.incident_id], played.expected[ATT.incident_id], tmp_path / "att.csv"
    assert drive.run_kulanz(played.stack, "export", str(campaign.id), "--to", str(path)) == 0
    printed = capsys.readouterr().out
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {int(row["line"]) for row in rows} <= set(range(2, expected.lines + 2))
    granted = [row for row in rows if row["result"] == "granted"]
    assert len([row for row in rows if row["written"] == "yes"]) == expected.decisions()
    in_ledger = sum(Decimal(row["amount"]) for row in granted)
    assert in_ledger == Decimal(sum(campaign.apply.totals.worth(IN_THE_LEDGER).values())) / 100
    assert f"{in_ledger:,}" in printed
    assert [one.name for one in tmp_path.iterdir()] == ["att.csv"]


def test_the_version_that_an_event_names_is_decided_whatever_is_uploaded_later(played: Played) -> None:
    key = "lists/pinned.csv"
    place = upload(played.stack, key, HEADER + GOOD_ROWS)
    upload(played.stack, key, HEADER + "300,prepaid,true\n")
    put(played.stack, declared("pinned-version", place))
    campaign = at_rest(played.stack, "pinned-version")
    assert campaign.state is State.CLOSED
    assert drive.decisions_stored(played.stack)["pinned-version"] == 2
    ledger = played.stack.answers().ledger
    assert ledger.of_account("100", "pinned-version")
    assert not ledger.of_account("300", "pinned-version")


@pytest.mark.parametrize(
    ("incident_id", "rows", "content", "reason"),
    [
        ("hidden-line-break", 3, HEADER + GOOD_ROWS + '300,"prepaid,true\n', "quotes_unbalanced"),
        ("rows-missing", 5, HEADER + GOOD_ROWS, "rows_differ"),
    ],
)
def test_a_list_that_cannot_be_trusted_is_refused_as_a_whole(
    played: Played, incident_id: str, rows: int, content: str, reason: str
) -> None:
    place = upload(played.stack, f"lists/{incident_id}.csv", content)
    put(played.stack, declared(incident_id, place, rows))
    campaign = at_rest(played.stack, incident_id)
    assert campaign.state is State.REFUSED
    assert campaign.state_reason.startswith(f"{reason}: ")
    assert drive.decisions_stored(played.stack)[incident_id] == 0

    def is_announced() -> bool:
        told = [detail["campaign"] for kind, detail in played.subscriber.announcements() if kind == "Campaign Refused"]
        return str(campaign.id) in told

    drive.wait_until("Campaign Refused", LONGEST_SECONDS, is_announced)


def bad_events(stack: DirectStack) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Reason, field and event of everything that open_campaign refuses."""
    good = upload(stack, "lists/good.csv", HEADER + GOOD_ROWS)

    def changed(reason: str, **detail: Any) -> dict[str, Any]:
        event = declared(f"bad-{reason.replace('_', '-')}", good)
        event["detail"] |= detail
        return event

    event = changed("field")
    event["detail"]["campaign"]["affected"]["colour"] = "red"
    yield "event_invalid", "campaign.affected.colour", event
    event = changed("no-window")
    del event["detail"]["windows"]
    yield "event_invalid", "windows", event
    inverted = [{"start": "2024-02-22T20:10:00Z", "end": "2024-02-22T09:45:00Z"}]
    yield "event_invalid", "windows.0", changed("inverted", windows=inverted)
    naive = [{"start": "2024-02-22T09:45:00"}]
    yield "event_invalid", "windows.0.start", changed("naive", windows=naive)
    affected = {"s3": good, "rows": 2}
    for name, reference in (
        ("policy", {"id": "no-such", "version": 1}),
        ("version", {"id": "att-2024-02", "version": 9}),
    ):
        campaign = {"policy": reference, "affected": affected}
        yield "policy_unknown", "detail.campaign.policy", changed(f"unknown-{name}", campaign=campaign)
    chosen = {"id": "att-2024-02", "version": 1, "parameters": {"eligible": "every_account"}}
    campaign = {"policy": chosen, "affected": affected}
    yield "policy_unusable", "detail.campaign.policy", changed("parameter", campaign=campaign)
    yield "source_unknown", "source", changed("source") | {"source": "stranger"}
    yield "source_may_not_open", "source", changed("may-not-open") | {"source": "incidents"}
    lists = {
        "list_missing": {**good, "key": "lists/nowhere.csv"},
        "list_elsewhere": {**good, "bucket": "somebody-elses"},
        "list_empty": upload(stack, "lists/empty.csv", ""),
        "list_without_rows": upload(stack, "lists/header-only.csv", HEADER),
        "column_missing": upload(stack, "lists/lacks-a-column.csv", "account_id,segment\n100,business\n"),
        "list_format_unknown": upload(stack, "lists/list.xlsx", HEADER + GOOD_ROWS),
    }
    for reason, place in lists.items():
        field = "detail.campaign.affected"
        field += {"list_missing": ".s3", "list_elsewhere": ".s3.bucket"}.get(reason, "")
        yield reason, field, declared(f"bad-{reason.replace('_', '-')}", place)


def test_a_bad_event_is_refused_with_its_reason_and_nothing_else_happens(played: Played) -> None:
    stored, wanted = drive.decisions_stored(played.stack), {}
    for reason, field, event in bad_events(played.stack):
        wanted[event["detail"]["incident_id"]] = reason, field
        put(played.stack, event)
    found = rejections(played, len(wanted))
    assert {told["incident_id"]: (told["reason"], told["field"]) for told in found} == wanted
    for told in found:
        assert told["message"]
        assert "consumer_postpaid" not in json.dumps(told)
    store = played.stack.campaigns()
    assert [incident_id for incident_id in wanted if store.campaigns_of(incident_id)] == []
    assert drive.decisions_stored(played.stack) == stored


def test_a_revision_told_twice_with_other_facts_is_a_conflict(played: Played) -> None:
    event = copy.deepcopy(played.events[ATT.incident_id])
    event["detail"]["title"] = "Something else"
    put(played.stack, event)
    (told,) = rejections(played, 1)
    assert (told["incident_id"], told["reason"]) == (ATT.incident_id, "revision_conflict")
    assert played.stack.campaigns().campaigns_of(ATT.incident_id) == [played.campaigns[ATT.incident_id]]


def test_nothing_was_given_up(played: Played) -> None:
    assert drive.given_up(played.stack) == {}
