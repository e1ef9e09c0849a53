"""The pages for those who send lists and events, and read notices, say what the code does."""

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kulanz.application.incidents.incident_event import (
    Affected,
    CampaignContract,
    CampaignRequestContract,
    IncidentContract,
    read_incident_event,
)
from kulanz.application.lists.check_list import check_list
from kulanz.domain.drafts.following import Words
from kulanz.domain.incident import Incident
from kulanz.domain.incident_record import DetailType
from kulanz.domain.ledger.earlier_decisions import ASKED_BACK, CHANGED_SINCE_PLAN, IN_ANOTHER_MEASURE
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.reasons import RowReason
from kulanz.domain.notices import reported_notice
from kulanz.domain.policy import compile_policy, document_json, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.deciding.history import HISTORY_CHANGED, HISTORY_FULL, HISTORY_SETTLED
from kulanz.domain.time import Window, parse_instant
from kulanz_cli.main import COMMANDS
from tests.support.world import ANNA, BEN, BUCKET, World
from tests.support.world_voids import approved, asked, run_voids

PROJECT = Path(__file__).resolve().parents[3]
DOCS = PROJECT / "docs"
LAYER = PROJECT / "layers" / "kulanz" / "kulanz"
REFUSES_THE_LIST = {RowReason.QUOTES_UNBALANCED, RowReason.LIST_SEPARATOR_UNKNOWN}
OF_CHANGED_ACCOUNTS = {"account_was_twice", "account_was_circle", "too_many_changed_accounts"}
OF_A_PLAN = {"rows_differ", "limits_exceeded", "currency_differs", *OF_CHANGED_ACCOUNTS, *REFUSES_THE_LIST}
"""Reasons of a refused campaign that are a list's fault; they are the beginnings of state reasons."""
OF_THE_REQUEST = {"list_elsewhere", "list_missing", "list_too_large"}
"""Reasons of a refused event that are a list's fault."""


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """A section of a page, up to the next title of its level."""
    assert f"\n## {title}\n" in text, f"the page has no section {title!r}"
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def documented(text: str) -> list[str]:
    """The codes in the first column of a section's table."""
    return re.findall(r"^\| `([a-z0-9_]+)` \|", text, re.MULTILINE)


@cache
def sources() -> dict[Path, ast.Module]:
    """The layer's modules."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(LAYER.rglob("*.py"))}


@cache
def constants() -> dict[str, str]:
    """Texts that a module of the layer gives a name."""
    return {
        target.id: str(node.value.value)
        for tree in sources().values()
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


PLACES = {"FactError": 2}
"""Which argument is the reason, where it is not the first."""
CARRY_ON = {"EventRefused", "Problem"}
"""What is also given the reason of another error, found where that one is raised."""


def reasons_of(name: str) -> set[str]:
    """The codes that the layer gives to what it raises or returns under a name, found in its source."""
    return set(_reasons(name))


@cache
def _calls() -> Mapping[str, Sequence[tuple[Path, ast.Call]]]:
    """Every call of a name in the layer's source, by that name."""
    found: dict[str, list[tuple[Path, ast.Call]]] = {}
    for path, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                found.setdefault(node.func.id, []).append((path, node))
    return found


def _reasons(name: str) -> Iterator[str]:
    place = PLACES.get(name, 0)
    for path, node in _calls().get(name, ()):
        given = [*node.args[place : place + 1], *(word.value for word in node.keywords if word.arg == "reason")]
        for reason in given:
            if isinstance(reason, ast.Constant):
                yield str(reason.value)
            elif isinstance(reason, ast.Name) and reason.id in constants():
                yield constants()[reason.id]
            elif not (isinstance(reason, ast.Attribute) and name in CARRY_ON):
                yield f"{path.name}:{node.lineno}: write the reason as a text, or as a constant of a module"


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("When the whole list is refused", lambda: reasons_of("ListRefused") | OF_A_PLAN | OF_THE_REQUEST),
        ("When a row is rejected", lambda: {reason.value for reason in RowReason} - REFUSES_THE_LIST),
    ],
    ids=["the list", "a row"],
)
def test_the_account_list_page_has_the_cure_of_every_reason_that_the_code_gives(
    title: str, wanted: Callable[[], set[str]]
) -> None:
    found = wanted()
    cured = documented(section(page("account-list.md"), title))
    assert len(found) > 5, "the search for reasons no longer finds them"
    assert sorted(found - set(cured)) == [], f"add to docs/account-list.md, {title!r}, with what it means and the cure"
    assert sorted(set(cured) - found) == [], (
        f"the code gives no such reason; remove from docs/account-list.md, {title!r}"
    )
    assert len(cured) == len(set(cured)), "a reason stands twice"


def test_every_reason_of_a_refused_event_that_is_counted_here_is_given_by_the_code() -> None:
    assert reasons_of("EventRefused") >= OF_THE_REQUEST


@pytest.mark.parametrize(("language", "list_format"), [("csv", ListFormat.CSV), ("json", ListFormat.JSONL)])
def test_the_small_list_of_the_page_comes_out_as_the_page_says(language: str, list_format: ListFormat) -> None:
    (text,) = blocks(section(page("account-list.md"), "A small list"), language)
    content = text.encode()
    begin, end = parse_instant("2025-10-07T09:00:00Z"), parse_instant("2025-10-07T12:40:00Z")
    incident = Incident("list", 1, "A list", "", (), (Window(begin, end),))
    policy = compile_policy(freeze(load_policy(PROJECT / "policies" / "saas-uptime" / "1.yaml")), incident, end)
    checked = check_list(lambda start, stop: [content[start:stop]], len(content), list_format, policy, end)
    assert (checked.rows, checked.rejected, checked.refusal(5)) == (5, 0, "")
    assert {(result.value, reason): count for (result, reason), count in checked.classes.items()} == {
        ("granted", "credit"): 2,
        ("declined", "trial"): 1,
        ("declined", "in_arrears"): 1,
        ("held", "monthly_fee_unknown"): 1,
    }


EVENTS = [json.loads(text) for text in blocks(page("incident-events.md"), "json")]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["detail-type"])
def test_a_sample_event_on_its_page_is_one_that_the_contract_takes(event: dict[str, Any]) -> None:
    known = read_incident_event(event["source"], event["detail-type"], event["detail"])
    assert known.detail_type == event["detail-type"]
    schema = "campaign-request" if known.detail_type is DetailType.CAMPAIGN_REQUESTED else "incident-event"
    jsonschema.validate(event["detail"], json.loads(page(f"schemas/{schema}.schema.json")))


@pytest.mark.parametrize("kind", list(DetailType))
def test_every_type_of_event_has_a_sample_in_a_section_of_its_own(kind: DetailType) -> None:
    samples = [json.loads(text) for text in blocks(section(page("incident-events.md"), kind.value), "json")]
    assert kind.value in {sample["detail-type"] for sample in samples}
    spends = {"campaign" in sample["detail"] for sample in samples}
    assert spends == {kind is DetailType.CAMPAIGN_REQUESTED}, "the samples show that recording is not spending"


def test_the_sample_events_are_one_incident_as_it_can_happen() -> None:
    """Sent in the order of the page, each is acted on: the revisions are recorded and the request opens a campaign."""
    world = World()
    document = load_policy(PROJECT / "policies" / "saas-uptime" / "1.yaml")
    world.policies.publish(document.policy.id, document.policy.version, document_json(document))
    world.now = parse_instant("2025-10-20T09:00:00Z")
    (rows,) = blocks(section(page("account-list.md"), "A small list"), "csv")
    version = world.lists.upload("lists/acme-2025-10-14.csv", rows.encode())
    for event in EVENTS:
        text = json.dumps(event).replace("LIST_BUCKET", BUCKET).replace("LIST_VERSION", version)
        world.publish(json.loads(text))
        world.run_until_quiet()
    assert [refused.reason for refused in world.rejected.sent] == []
    states = [campaign.state.value for campaign in world.campaigns.campaigns_of("acme-2025-10-14")]
    assert states == ["flagged", "flagged"], "both campaigns closed and were flagged by the withdrawal"


def test_a_program_that_computes_the_decision_digest_as_the_page_says_sends_the_digest_of_the_samples() -> None:
    (amended,) = (event["detail"] for event in EVENTS if event["detail-type"] == DetailType.AMENDED)
    requests = [event["detail"] for event in EVENTS if event["detail-type"] == DetailType.CAMPAIGN_REQUESTED]
    left_out: dict[str, Any] = {"cause": None, "facts": {}, "functions": []}
    fields = {name: (left_out | amended)[name] for name in ("cause", "facts", "functions", "service", "windows")}
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert requests
    assert {request["decision_digest"] for request in requests} == {sha256(text.encode()).hexdigest()}


OF_A_REQUEST = CampaignRequestContract.model_fields.keys() - {"incident_id", "campaign"}
FIELDS = {
    *(("Fields of an incident", name) for name in IncidentContract.model_fields),
    *(("Campaign Requested", name) for name in OF_A_REQUEST),
    *(("Campaign Requested", name) for name in CampaignContract.model_fields if name != "affected"),
    *(("Campaign Requested", f"affected.{name}") for name in Affected.model_fields),
}


@pytest.mark.parametrize(("title", "field"), sorted(FIELDS))
def test_every_field_that_an_event_may_have_is_described_in_a_table_of_its_page(title: str, field: str) -> None:
    described = re.findall(r"^\| (`[^|]*`) \|", section(page("incident-events.md"), title), re.MULTILINE)
    assert f"`{field}`" in {name for row in described for name in row.split(", ")}


def test_the_incident_events_page_has_the_cure_of_every_reason_that_the_code_gives() -> None:
    cured = documented(section(page("incident-events.md"), "When an event is refused"))
    found = (reasons_of("EventRefused") | reasons_of("IncidentConflict")) - OF_THE_REQUEST
    assert sorted(found - set(cured)) == [], "add to docs/incident-events.md, with what it means and the cure"
    assert sorted(set(cured) - found) == [], "the code gives no such reason"


def test_the_notices_of_the_page_are_what_its_policy_publishes() -> None:
    text = page("notices.md")
    (policy,), samples = blocks(text, "yaml"), [json.loads(block) for block in blocks(text, "json")]
    void = samples.pop(next(place for place, one in enumerate(samples) if one["kind"] == "voided"))
    published = [json.loads(message.text) for message in _published_under(policy).topic.published]
    moving = {"effective_at": "2025-10-20T09:00:05Z"}  # how long the world's steps take is no promise
    for message in published:
        for recipient in message["recipients"]:
            recipient["values"] |= moving
    words = Words("Calls and portal disturbed", "voice", ("calls",), "resolved", is_planned=False)
    said_at = parse_instant("2026-03-10T10:00:00Z")
    published.append(json.loads(reported_notice("status-0a1b2c3d4e5f-voice", 2, words, said_at).text))
    assert sorted(published, key=lambda one: one["kind"]) == sorted(samples, key=lambda one: one["kind"])
    for sample, schema in zip(samples, ("notice", "status-notice", "reported-notice"), strict=True):
        jsonschema.validate(sample, json.loads(page(f"schemas/{schema}.schema.json")))
    jsonschema.validate(void, json.loads(page("schemas/notice.schema.json")))


def test_the_notice_of_a_void_on_the_page_is_what_its_policy_publishes_with_such_a_text() -> None:
    text = page("notices.md")
    (policy,), samples = blocks(text, "yaml"), [json.loads(block) for block in blocks(text, "json")]
    (sample,) = [one for one in samples if one["kind"] == "voided"]
    added = f"    voided:\n      en: {json.dumps(sample['template'])}\n  values:"
    world = _published_under(policy.replace("version: 1", "version: 2").replace("  values:", added))
    void = asked(world, ANNA, campaign=sample["campaign"])
    run_voids(world)
    approved(world, void, BEN)
    run_voids(world)
    world.run_until_quiet()
    contents = [json.loads(message.text) for message in world.topic.published]
    (published,) = [one for one in contents if one["kind"] == "voided"]
    (recipient,) = published["recipients"]
    recipient["values"] |= {"effective_at": "2025-10-21T08:30:00Z"}
    assert published == sample


def _published_under(policy: str) -> World:
    """A world whose one account was decided under a policy, and told."""
    document, world = load_policy(policy), World()
    world.policies.publish(document.policy.id, document.policy.version, document_json(document))
    world.now = parse_instant("2025-10-20T09:00:00Z")
    rows = [{"account_id": "A-1001", "monthly_fee": "1000.00", "language": "en"}]
    campaign = {
        "policy": {"id": document.policy.id, "version": document.policy.version},
        "affected": {"inline": rows, "rows": len(rows)},
    }
    detail = {
        "incident_id": "acme-2025-10-16",
        "revision": 1,
        "title": "Sign-in failed",
        "service": "app",
        "windows": [{"start": "2025-10-16T09:00:00Z", "end": "2025-10-16T12:40:00Z"}],
        "campaign": campaign,
    }
    world.publish({"source": "billing", "detail-type": "Incident Resolved", "detail": detail})
    world.run_until_quiet()
    return world


LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
READ = [PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(DOCS.rglob("*.md"))


def anchors(text: str) -> set[str]:
    """The anchors of a page's titles, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("file", [file for file in READ if file.is_file()], ids=lambda file: file.name)
def test_a_link_of_a_page_leads_somewhere(file: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in LINK.findall(text):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), f"{file.name}: {link}"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{file.name}: {link}"


BY_HAND = {
    *("cancelled_by_hand", "settled_by_hand", "kept_by_hand", "voided_by_hand", "resumed_by_hand"),
    *("executed_automatically", "glass_broken"),
}
"""Reasons after which nobody has to do anything."""
HELD_ALL_THE_SAME = {ASKED_BACK, CHANGED_SINCE_PLAN, IN_ANOTHER_MEASURE, HISTORY_CHANGED, HISTORY_SETTLED, HISTORY_FULL}


def test_the_operations_page_has_the_command_for_every_reason_that_stops_a_campaign() -> None:
    sources = [*(LAYER / "application").rglob("*.py"), *(LAYER / "domain" / "campaigns").rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    named = {
        value
        for name in re.findall(r'f"\{([A-Z_]+)\}: ', text)
        for value in re.findall(rf'^{name} = "([a-z_]+)"', text, re.MULTILINE)
    }
    found = (set(re.findall(r'"([a-z]+(?:_[a-z]+)+): ', text)) | named | OF_A_PLAN) - BY_HAND
    rows = re.findall(
        r"^\| ([^|]*`[^|]*) \|",
        section(page("operations.md"), "A campaign is refused, paused or flagged"),
        re.MULTILINE,
    )
    cured = {reason for row in rows for reason in re.findall(r"`([a-z_]+)`", row)} - {"line_endless"}
    assert len(found) > 5, "the search for reasons no longer finds them"
    assert sorted(found - cured) == [], "add to docs/operations.md, with what it means and the command"
    assert sorted(cured - found) == [], "the code gives no such reason"


def test_the_operations_page_has_what_to_do_for_every_account_held_whatever_its_facts_come_to() -> None:
    assert set(documented(section(page("operations.md"), "Accounts that wait for manual review"))) == HELD_ALL_THE_SAME


def test_the_operations_page_has_the_permissions_of_every_command() -> None:
    rows = re.findall(r"^\| (`[^|]*`[^|]*) \|", section(page("operations.md"), "Permissions"), re.MULTILINE)
    named = {words.split()[0] for row in rows for words in re.findall(r"`([^`]+)`", row)}
    assert sorted({name for commands in COMMANDS.values() for name in commands} - named) == []


def test_every_alarm_says_whether_it_can_wait_until_the_morning() -> None:
    rows = re.findall(r"^\| [A-Z][A-Za-z, ]+ \|.*$", section(page("operations.md"), "Alarms"), re.MULTILINE)
    assert len(rows) > 10
    for row in rows:
        assert row.strip("| ").split(" | ")[-1].startswith(("yes", "no")), row


def test_each_decision_has_a_number_of_its_own_and_a_date() -> None:
    begun = {path.name: path.read_text(encoding="utf-8")[:400] for path in (DOCS / "decisions").glob("*.md")}
    assert len({name[:4] for name in begun}) == len(begun), sorted(begun)
    expected = {name: rf"# {int(name[:4])}\. [^\n]+\n\n2026-\d\d-\d\d\. Accepted" for name in begun}
    assert [name for name, text in begun.items() if not re.match(expected[name], text)] == []
