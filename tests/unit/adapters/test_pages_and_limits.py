"""What is read page by page is read whole and once; what is as large as it may be is taken, and one more is not."""

import gc
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz import startup
from kulanz.adapters import documents as documents_module
from kulanz.adapters import given_up, parted_lists, public_pages
from kulanz.adapters.case_table import DynamoCases
from kulanz.adapters.due_items import due_additions
from kulanz.adapters.due_table import DynamoDues
from kulanz.adapters.given_up import S3GivenUp, read_given_up
from kulanz.adapters.messaging import RejectionContract, SqsRejected
from kulanz.adapters.parted_lists import PartedLists
from kulanz.adapters.public_pages import HttpsPages
from kulanz.adapters.published_file import PublishedFile
from kulanz.adapters.repairs import MESSAGES_PER_RECEIVE, SqsDeadLetters, SqsRefusedEvents, read_rejection
from kulanz.adapters.s3 import S3Policies
from kulanz.adapters.source_deliveries import SECRETS_ANEW_SECONDS, SECRETS_CACHED_SECONDS, ManagedSecrets, S3Bodies
from kulanz.adapters.sources import CACHED_SECONDS, CachedSources
from kulanz.adapters.stores import DynamoStores
from kulanz.application.drafts.receive_delivery import DELIVERY_BYTES
from kulanz.application.ports import GivenUpBatch, Refused, Rejection, TryAgain
from kulanz.domain.campaigns.campaign import CampaignId, PinnedList
from kulanz.domain.delivery.dues import DueOf, Dues
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.lists.manifest import MANIFEST_BYTES
from kulanz.domain.policy.document.frozen import MAX_EXAMPLES_BYTES, MAX_PUBLISHED_BYTES
from tests.support.distinct import distinct
from tests.support.scripted import Scripted, error
from tests.support.values import NOW

ID, OTHER = CampaignId("an-incident", 7), CampaignId("another", 8)

# Pages of S3


class Bucket:
    """Keys that are listed two at a time, in their order, by whichever of both ways a caller goes on."""

    def __init__(self, *keys: str, page: int = 2) -> None:
        self._keys, self._page = sorted(keys), page
        self.asked: list[dict[str, Any]] = []

    def list_objects_v2(self, Prefix: str, **asked: Any) -> dict[str, Any]:  # noqa: N803
        """One page."""
        self.asked.append(asked)
        begin = asked.get("ContinuationToken") or asked.get("StartAfter", "")
        found = [key for key in self._keys if key.startswith(Prefix) and key > begin]
        shown = found[: min(self._page, asked.get("MaxKeys", 1_000))]
        listed = [{"Key": key, "Size": len(key), "LastModified": NOW} for key in shown]
        if len(shown) == len(found):
            return {"Contents": listed, "IsTruncated": False}
        return {"Contents": listed, "IsTruncated": True, "NextContinuationToken": shown[-1]}


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5, 6, 9])
@pytest.mark.parametrize("after", ["", "a/2"])
def test_documents_are_the_first_ones_behind_a_key_and_no_more_are_asked_for(most: int, after: str) -> None:
    bucket = Bucket("a/1", "a/2", "a/3", "a/4", "a/5", "b/1")
    found = documents_module.S3Documents(bucket, "b").under("a/", after, most)
    expected = [key for key in ("a/1", "a/2", "a/3", "a/4", "a/5") if key > after][:most]
    assert [(one.key, one.size) for one in found] == [(key, 3) for key in expected]
    assert sum(one["MaxKeys"] for one in bucket.asked[-1:]) <= most
    assert len(bucket.asked) == max(1, -(-len(expected) // 2))


def test_what_was_given_up_is_listed_over_all_pages() -> None:
    keys = [f"aws/lambda/{name}" for name in "abcde"]
    assert list(S3GivenUp(Bucket(*keys, "other/f"), "b").keys()) == keys


def test_published_policies_are_listed_over_all_pages_by_their_number() -> None:
    keys = [f"p/{name}/{version}.json" for name, version in (("b", 10), ("b", 9), ("a", 2), ("b", 1), ("a", 11))]
    found = list(S3Policies(Bucket(*keys, "p/a/2.examples.json", "p/a/x.json"), "b", "p/").published())
    assert [(one.policy_id, one.version) for one in found] == [("a", 2), ("a", 11), ("b", 1), ("b", 9), ("b", 10)]


def published(client: Any, most: int = 10) -> PublishedFile:
    return PublishedFile(client, "b", "p/_file/", "file", 3, most, Refused)


@pytest.mark.parametrize(
    ("names", "latest"),
    [
        ((), 0), (("001",), 1), (("002", "010", "009", "001", "003"), 10), (("001", "2", "0003", "abc", "004.x"), 1),
        (("001", "\u0660\u0660\u0662"), 1),
    ],
)  # fmt: skip
def test_the_newest_version_of_a_file_is_the_highest_of_those_that_are_named_as_versions_are(
    names: tuple[str, ...], latest: int
) -> None:
    assert published(Bucket(*(f"p/_file/{name}.json" for name in names)))._latest() == latest


# Sizes


def holds(content: bytes) -> Scripted:
    """A client whose object has these bytes; no more of them are handed out than are asked for."""
    return Scripted(get_object=lambda **_: {"Body": BytesIO(content)})


LIMITED: dict[str, tuple[int, Callable[[Any], object]]] = {
    "a published policy": (MAX_PUBLISHED_BYTES, lambda one: S3Policies(one, "b", "p/").fetch("a", 1)),
    "a published file": (10, lambda one: published(one)._read(1)),
}


@pytest.mark.parametrize(("most", "read"), LIMITED.values(), ids=LIMITED)
def test_what_is_published_has_at_most_so_many_bytes(most: int, read: Callable[[Any], object]) -> None:
    assert read(holds(b"x" * most)) == b"x" * most
    with pytest.raises(Refused, match=str(most)):
        read(holds(b"x" * (most + 1)))


def test_examples_that_are_too_large_are_none() -> None:
    for more, is_there in ((0, True), (1, False)):
        found = S3Policies(holds(b"x" * (MAX_EXAMPLES_BYTES + more)), "b", "p/").examples("a", 1)
        assert (found is not None) is is_there


def test_a_body_that_is_too_large_is_read_so_far_that_it_is_known() -> None:
    client = holds(b"x" * (DELIVERY_BYTES + 5))
    assert len(S3Bodies(client, "b", "up/").get("up/a")) == DELIVERY_BYTES + 1
    with pytest.raises(Refused, match="prefix"):
        S3Bodies(client, "b", "up/").get("elsewhere/a")
    with pytest.raises(Refused, match="not there"):
        S3Bodies(Scripted(get_object=[error("NoSuchKey", 404)]), "b", "up/").get("up/a")


@pytest.mark.parametrize(
    ("came", "day"),
    [
        (datetime(2026, 3, 1, 23, 59, tzinfo=UTC), "2026-03-01"),
        (datetime(2026, 3, 2, tzinfo=UTC), "2026-03-02"),
        (datetime(2027, 1, 1, tzinfo=UTC), "2027-01-01"),  # its week is of the year before
        (datetime(2024, 12, 30, 12, tzinfo=UTC), "2024-12-30"),  # its week is of the year after
    ],
)
def test_a_body_lies_under_its_source_and_the_day_on_which_it_came(came: datetime, day: str) -> None:
    client = Scripted(put_object=[{}, {}])
    bodies = S3Bodies(client, "b", "up/")
    keys = [bodies.put(source, b"body", came) for source in ("page", "pager")]
    assert [key.rpartition("/")[0] for key in keys] == [f"up/page/{day}", f"up/pager/{day}"]
    assert [(one["Bucket"], one["Key"], one["Body"]) for one in client.asked] == [("b", key, b"body") for key in keys]


def given(*keys: tuple[str, str]) -> bytes:
    records = [{"dynamodb": {"Keys": {"pk": {"S": pk}, "sk": {"S": sk}}}} for pk, sk in keys]
    return json.dumps({"payload": json.dumps({"Records": records})}).encode()


def test_what_was_given_up_names_what_its_records_are_about_each_once() -> None:
    content = given(
        ("CAMPAIGN#out#002", "META"), ("CAMPAIGN#out#001", "META"), ("CAMPAIGN#out#002", "META"),
        ("CAMPAIGN#out#003", "PLAN"), ("ACCOUNT#a", "DECISION#out#-#004"), ("ACCOUNT#b", "DECISION#out#-#004"),
        ("ACCOUNT#a", "GOODWILL#g"), ("INCIDENT#out", "REVISION#000000002"), ("INCIDENT#gone", "INCIDENT"),
        ("VOID#out#002#v", "META"),
    )  # fmt: skip
    found = read_given_up("a-key", content)
    campaigns = (CampaignId("out", 2), CampaignId("out", 1)), (CampaignId("out", 4),)
    assert found == GivenUpBatch("a-key", *campaigns, ("out",))


def test_a_batch_that_was_given_up_is_as_large_as_an_event_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    content = given(("CAMPAIGN#out#002", "META"))
    monkeypatch.setattr(given_up, "GIVEN_UP_BYTES_MOST", len(content))
    assert S3GivenUp(holds(content), "b").batch("k") is not None
    with pytest.raises(Refused, match="larger"):
        S3GivenUp(holds(content + b" "), "b").batch("k")
    assert S3GivenUp(Scripted(get_object=[error("NoSuchKey", 404)]), "b").batch("k") is None


@pytest.mark.parametrize(("status", "more", "is_taken"), [(200, 0, True), (200, 1, False), (404, 0, False)])
def test_a_status_page_answers_200_and_no_more_than_a_delivery_has(
    monkeypatch: pytest.MonkeyPatch, status: int, more: int, is_taken: bool
) -> None:
    closed: list[bool] = []
    answer = SimpleNamespace(status=status, read=BytesIO(b"x" * (DELIVERY_BYTES + more)).read)
    asked: list[Any] = []

    def connected(host: str, *, timeout: int, context: object) -> Any:
        asked.append((host, timeout, context is not None))
        return SimpleNamespace(
            request=lambda *said, **_: asked.append(said), getresponse=lambda: answer, close=lambda: closed.append(True)
        )

    monkeypatch.setattr(public_pages, "HTTPSConnection", connected)
    if is_taken:
        assert len(HttpsPages().incident("status.example", "abc")) == DELIVERY_BYTES
    else:
        with pytest.raises(TryAgain, match=str(status)):
            HttpsPages().incident("status.example", "abc")
    assert asked == [("status.example", public_pages.SECONDS_MOST, True), ("GET", "/api/v2/incidents/abc.json")]
    assert closed == [True]


@pytest.mark.parametrize(("more", "is_read"), [(0, True), (1, False)])
def test_a_manifest_has_at_most_so_many_bytes(monkeypatch: pytest.MonkeyPatch, more: int, is_read: bool) -> None:
    monkeypatch.setattr(parted_lists, "read_manifest", lambda *_: SimpleNamespace(digest="d", size=5))
    pinned = PinnedList("b", "lists/a.manifest.json", "v", "e", MANIFEST_BYTES + more)
    inner: Any = SimpleNamespace(pin=lambda *_: pinned, read=lambda *_: iter([b"{}"]))
    if is_read:
        assert PartedLists(inner)._loaded(pinned).size == 5
    else:
        with pytest.raises(ListRefused, match=str(MANIFEST_BYTES)):
            PartedLists(inner)._loaded(pinned)


# What is remembered


@pytest.mark.parametrize("anew_seconds", [0.0, 10.0])
def test_a_configuration_is_read_again_when_its_time_is_up(anew_seconds: float) -> None:
    now = [5_000.0]
    store: Any = SimpleNamespace(current=lambda: now[0])
    cached: Any = CachedSources(store, lambda: now[0], anew_seconds=anew_seconds)
    for _ in range(2):
        assert cached.current() == 5_000.0
    now[0] += CACHED_SECONDS - 0.5
    assert cached.current() == 5_000.0
    now[0] += 0.5
    assert cached.current() == now[0]
    now[0] += max(0.0, anew_seconds - 0.5)
    assert (cached.anew() == now[0]) is (anew_seconds == 0)
    now[0] += 0.5
    assert cached.anew() == now[0]


def test_secrets_of_a_source_are_read_again_when_their_time_is_up_and_sooner_where_one_is_missed() -> None:
    now = [5_000.0]
    answers = iter(range(100))

    def read(SecretId: str) -> dict[str, str]:  # noqa: N803
        return {"SecretString": json.dumps({"secrets": [f"{SecretId} {next(answers)}"]})}

    secrets = ManagedSecrets(SimpleNamespace(get_secret_value=read), "kulanz/", lambda: now[0])
    assert secrets.of("page") == ("kulanz/page 0",)
    assert secrets.of("pager") == ("kulanz/pager 1",)
    now[0] += SECRETS_ANEW_SECONDS - 0.5
    assert secrets.of("page", anew=True) == ("kulanz/page 0",)
    now[0] += 0.5
    assert secrets.of("page") == ("kulanz/page 0",)
    assert secrets.of("page", anew=True) == ("kulanz/page 2",)
    now[0] += SECRETS_CACHED_SECONDS - 0.5
    assert secrets.of("page") == ("kulanz/page 2",)
    now[0] += 0.5
    assert secrets.of("page") == ("kulanz/page 3",)


@pytest.mark.parametrize("text", ["[]", "{}", '{"secrets": "a"}', '{"secrets": ["a", 1]}', "no json", "null"])
def test_a_secret_of_another_form_is_refused_and_not_repeated(text: str) -> None:
    client = Scripted(get_secret_value=[{"SecretString": text}])
    with pytest.raises(Refused, match="the source page is not a JSON object") as refused:
        ManagedSecrets(client, "kulanz/").of("page")
    assert "no json" not in str(refused.value)


def test_a_source_without_a_secret_has_none_and_what_fails_otherwise_is_told() -> None:
    assert ManagedSecrets(Scripted(get_secret_value=[error("ResourceNotFoundException")]), "k/").of("page") == ()
    with pytest.raises(TryAgain):
        ManagedSecrets(Scripted(get_secret_value=[error("InternalServiceError", 500)]), "k/").of("page")


# Tables


def due_items(dues: Dues) -> list[dict[str, Any]]:
    return [key | {name: {"N": str(size)} for name, size in added.items()} for key, added in due_additions(dues)]


MARCH, APRIL, MAY = (datetime(2026, month, 15, tzinfo=UTC) for month in (3, 4, 5))
DUES: Dues = {
    DueOf(ID, MARCH, "EUR"): (1, 100), DueOf(OTHER, MARCH, "EUR"): (2, 200), DueOf(ID, APRIL, "EUR"): (3, 300),
    DueOf(ID, APRIL + timedelta(seconds=1), "GB"): (4, 400), DueOf(ID, MAY, "EUR"): (5, 500),
}  # fmt: skip


class DuesTable:
    """A table of deadlines, with what was deleted of it."""

    def __init__(self, items: list[dict[str, Any]]) -> None:
        self._items = sorted(items, key=lambda item: str(item["sk"]["S"]))
        self.deleted: list[str] = []

    def query(self, **_: Any) -> dict[str, Any]:
        """All items."""
        return {"Items": self._items}

    def transact_write_items(self, TransactItems: list[dict[str, Any]], **_: Any) -> None:  # noqa: N803
        """Note what is deleted, and that it stands on every figure."""
        delete = TransactItems[0]["Delete"]
        (standing,) = (one for one in self._items if one["sk"] == delete["Key"]["sk"])
        figures = [name for name in sorted(standing) if name.startswith("due|")]
        assert sorted(delete["ExpressionAttributeNames"].values()) == figures
        self.deleted.append(delete["Key"]["sk"]["S"])


@pytest.mark.parametrize("later", [timedelta(0), timedelta(microseconds=1), timedelta(seconds=2), timedelta(days=40)])
def test_deadlines_before_an_instant_are_those_and_none_of_a_later_month_is_read(later: timedelta) -> None:
    found = dict(DynamoDues(DuesTable(due_items(DUES)), "t").before(APRIL + later))
    assert found == {due: sums for due, sums in DUES.items() if due.due < APRIL + later}


def test_deadlines_of_earlier_months_that_came_to_nothing_are_forgotten() -> None:
    places = [f"2026-0{month}#CAMPAIGN#{name}" for month, name in
              ((3, "an-incident#007"), (3, "another#008"), (4, "an-incident#007"), (5, "an-incident#007"))]  # fmt: skip
    zero = {f"due|{format_}|EUR|{part}": {"N": "0"} for format_ in ("2026-03-15T00:00:00Z",) for part in ("n", "sum")}
    items = [{"pk": {"S": "DUES"}, "sk": {"S": place}} | zero for place in places]
    items[1] |= due_items({DueOf(OTHER, MARCH, "EUR"): (2, 200)})[0]
    table = DuesTable(items)
    DynamoDues(table, "t").forget_what_is_done(APRIL)
    assert table.deleted == places[:1]


def paged(pages: list[dict[str, Any]]) -> tuple[Callable[..., Any], list[Any]]:
    """A reading call that answers page by page, and what it was asked to go on from."""
    begun: list[Any] = []
    answers: Iterator[dict[str, Any]] = iter(pages)

    def read(**asked: Any) -> dict[str, Any]:
        begun.append(asked.get("ExclusiveStartKey"))
        return next(answers)

    return read, begun


def test_rows_that_were_recognised_and_campaigns_of_a_table_are_read_over_all_pages() -> None:
    key = {"pk": {"S": "p"}, "sk": {"S": "s"}}
    decision = {"pk": {"S": "ACCOUNT#a"}, "sk": {"S": "DECISION#out#-#004"}}
    pages = [{"Items": [{"sk": {"S": f"{n:015d}"}, "of": {"M": decision}}], **more}
             for n, more in ((5, {"LastEvaluatedKey": key}), (9, {}))]  # fmt: skip
    query, begun = paged(pages)
    found = DynamoCases(SimpleNamespace(query=query), "c", "t").recognised(ID, 0, 100)
    assert (sorted(found), begun) == ([5, 9], [None, key])
    assert {one.account_id for one in found.values()} == {"a"}
    scan, begun = paged([{"Items": [{"pk": {"S": f"CAMPAIGN#out#00{n}"}}, {"pk": {"S": "VOID#out#001#v"}}], **more}
                         for n, more in ((1, {"LastEvaluatedKey": key}), (2, {}))])  # fmt: skip
    campaigns = list(DynamoStores(SimpleNamespace(scan=scan), "c", "t").campaign_ids())
    assert (campaigns, begun) == ([CampaignId("out", 1), CampaignId("out", 2)], [None, key])


# Queues


class Queue:
    """Messages that are received, hidden, shown again and deleted."""

    def __init__(self, *names: str) -> None:
        self.there, self.hidden = list(names), list[str]()
        self.calls: list[tuple[str, str]] = []
        self.most: list[int] = []

    def receive_message(self, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:  # noqa: N803
        """The next messages that are not hidden."""
        self.most.append(MaxNumberOfMessages)
        shown, self.there = self.there[:MaxNumberOfMessages], self.there[MaxNumberOfMessages:]
        self.hidden += shown
        return {"Messages": [{"MessageId": one, "ReceiptHandle": f"h-{one}", "Body": f"b-{one}"} for one in shown]}

    def change_message_visibility(self, ReceiptHandle: str, VisibilityTimeout: int, **_: Any) -> None:  # noqa: N803
        """Show a message again."""
        assert VisibilityTimeout == 0
        self.calls.append(("shown", ReceiptHandle))

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> None:  # noqa: N803
        """Delete a message."""
        self.calls.append((f"deleted from {QueueUrl}", ReceiptHandle))

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        """Send a message."""
        self.calls.append((f"sent to {QueueUrl}", MessageBody))


@pytest.mark.parametrize("most", [1, MESSAGES_PER_RECEIVE, MESSAGES_PER_RECEIVE + 3, 40])
def test_whoever_looks_at_refused_events_hides_no_more_than_are_shown_and_shows_all_again(most: int) -> None:
    names = [f"m-{number:02d}" for number in range(MESSAGES_PER_RECEIVE + 5)]
    queue = Queue(*names)
    found = SqsRefusedEvents(queue, "q").look(most)
    assert [one.message_id for one in found] == names[:most]
    assert queue.calls == [("shown", f"h-{name}") for name in names[:most]]
    assert len(queue.hidden) == len(names[:most])


def test_events_are_taken_out_by_name_the_others_are_shown_again_and_nothing_is_received_that_nobody_waits_for() -> (
    None
):
    queue = Queue("a", "b", "c", *(f"d-{n}" for n in range(20)))
    assert SqsRefusedEvents(queue, "q").take_out(["b", "a"], lambda: 25.0) == {"a", "b"}
    assert queue.calls[:2] == [("deleted from q", "h-a"), ("deleted from q", "h-b")]
    assert {what for what, _ in queue.calls[2:]} == {"shown"}
    assert (len(queue.calls), queue.most) == (MESSAGES_PER_RECEIVE, [MESSAGES_PER_RECEIVE])


def test_where_no_time_is_left_no_event_is_received() -> None:
    queue = Queue("a")
    assert SqsRefusedEvents(queue, "q").take_out(["a"], lambda: 7.999) == set()
    assert SqsRefusedEvents(queue, "q").take_out(["a"], lambda: 8.0) == {"a"}


def test_dead_letters_are_sent_to_their_queue_and_then_deleted() -> None:
    queue = Queue("a", "b")
    letters = SqsDeadLetters(queue, {"incidents": ("dead", "alive"), "chunks": ("dead-2", "alive-2")})
    assert letters.redrive("chunks", lambda: 8.0) == (2, True)
    assert queue.calls == [
        ("sent to alive-2", "b-a"), ("deleted from dead-2", "h-a"),
        ("sent to alive-2", "b-b"), ("deleted from dead-2", "h-b"),
    ]  # fmt: skip
    assert SqsDeadLetters(Queue("a"), {"chunks": ("d", "t")}).redrive("chunks", lambda: 7.999) == (0, False)


def test_a_refused_event_reads_back_and_what_another_wrote_is_none() -> None:
    rejection = distinct(Rejection)
    sent: list[str] = []
    client = SimpleNamespace(send_message=lambda **said: sent.append(said["MessageBody"]))
    SqsRejected(client, "q").send(rejection)
    assert read_rejection(sent[0]) == rejection
    content = json.loads(sent[0])
    assert content.keys() == RejectionContract.__required_keys__
    for name in content:
        assert read_rejection(json.dumps({key: value for key, value in content.items() if key != name})) is None
    for text in ("[]", "no json", "1", json.dumps(content | {"received_at": "yesterday"})):
        assert read_rejection(text) is None
    assert read_rejection(json.dumps(content | {"newer": 1})) == replace(rejection)


# The start of a function


def test_a_function_that_has_started_looks_for_garbage_again_and_not_among_its_modules() -> None:
    was_enabled, frozen = gc.isenabled(), gc.get_freeze_count()
    gc.disable()
    try:
        startup.all_imported()
        assert gc.isenabled()
        assert gc.get_freeze_count() >= frozen
    finally:
        (gc.enable if was_enabled else gc.disable)()
