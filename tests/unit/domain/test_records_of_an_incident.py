"""An incident's record, its notices, and the halt: each field as told, each bound from both sides, each reason."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import CAMPAIGNS_PER_INCIDENT, CampaignId, SameOutage
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.taken import Taken
from kulanz.domain.drafts.following import Words
from kulanz.domain.halt import Halt, HaltAction, HaltRefused, Verb, after, persons_to_lift
from kulanz.domain.incident_record import (
    REVISIONS_LEFT_OUT,
    REVISIONS_REMEMBERED,
    IncidentConflict,
    IncidentRecord,
    Revision,
    VoidRuns,
    decision_digest,
    with_campaign,
    with_revision,
    with_void,
)
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.notices import (
    Audience,
    NoticeMessage,
    Recipient,
    notice_id,
    pack_notices,
    reported_notice,
    status_notice,
    status_notice_id,
    voided_notice_id,
)
from kulanz.domain.people.people import NOBODY_LISTED
from kulanz.domain.policy.document.document import NoticeText

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
TICK = timedelta(microseconds=1)
OVER = AT + timedelta(days=90)
RECORD = IncidentRecord("out", 4, 7, {5: "five", 7: "seven"}, OVER, 3, None, (1, 2), {"earlier": 2}, "")


def revision(number: int, digest: str = "new", at: datetime = AT) -> Revision:
    return Revision("out", number, "Incident Updated", b"{}", digest, at, "status")


def test_a_first_revision_begins_the_record_and_a_later_one_adds_to_it_alone() -> None:
    assert with_revision(None, revision(7), 90) == IncidentRecord("out", 1, 7, {7: "new"}, OVER)
    for number in (6, 8):
        known = {5: "five", 7: "seven", number: "new"}
        expected = replace(RECORD, version=5, highest_revision=max(7, number), revision_digests=known)
        assert with_revision(RECORD, revision(number, at=OVER), 1) == expected
    assert with_revision(RECORD, revision(5, "five"), 90) is None
    recorded = revision(6, "six")
    assert with_revision(RECORD, revision(6, "six"), 90, recorded) is None
    with pytest.raises(IncidentConflict, match="revision 6 is recorded") as refused:
        with_revision(RECORD, revision(6), 90, recorded)
    assert refused.value.reason == "revision_conflict"


def test_a_revision_leaps_so_far_and_no_further() -> None:
    assert with_revision(RECORD, revision(7 + REVISIONS_LEFT_OUT), 90) is not None
    with pytest.raises(IncidentConflict, match="revision 7 is the latest known") as refused:
        with_revision(RECORD, revision(8 + REVISIONS_LEFT_OUT), 90)
    assert refused.value.reason == "revision_leap"


@pytest.mark.parametrize(("number", "known", "has"), [(1, 0, True), (2, 0, False), (1, 1, False)])
def test_a_record_that_is_full_has_forgotten_what_is_below_its_lowest(number: int, known: int, *, has: bool) -> None:
    numbers = range(2, REVISIONS_REMEMBERED + 2 - known)
    assert replace(RECORD, revision_digests=dict.fromkeys(numbers, "x")).has_forgotten(number) is has


def test_a_campaign_occupies_its_incident_and_is_remembered_by_its_request() -> None:
    requests = {"earlier": 2, "request": 3}
    expected = replace(RECORD, version=5, next_seq=4, open_seq=3, requests=requests)
    assert with_campaign(RECORD, 7, "request", OVER - TICK) == (expected, CampaignId("out", 3))
    assert with_campaign(replace(RECORD, next_seq=CAMPAIGNS_PER_INCIDENT), 7, "r", AT)[1].seq == CAMPAIGNS_PER_INCIDENT
    assert with_void(RECORD, "wrong-list") == replace(RECORD, version=5, voiding="wrong-list")
    assert with_void(replace(RECORD, voiding="x"), "").voiding == ""


REFUSALS: list[tuple[str, dict[str, Any], int, datetime, str]] = [
    ("revision_stale", {}, 5, AT, "revision 7 is known"),
    ("revision_unknown", {"revision_digests": {5: "five"}}, 7, AT, "revision 7 was never"),
    ("incident_over", {}, 7, OVER, "older"),
    ("incident_occupied", {"open_seq": 2}, 7, AT, "campaign out/2 is not finished"),
    ("incident_occupied", {"voiding": "wrong-list"}, 7, AT, "the void wrong-list"),
    ("too_many_campaigns", {"next_seq": CAMPAIGNS_PER_INCIDENT + 1}, 7, AT, "at most 999"),
]


@pytest.mark.parametrize(("reason", "changes", "number", "now", "says"), REFUSALS)
def test_a_campaign_that_may_not_open_says_why_with_what_stands_in_its_way(
    reason: str, changes: dict[str, Any], number: int, now: datetime, says: str
) -> None:
    with pytest.raises(IncidentConflict, match=says) as refused:
        with_campaign(replace(RECORD, **changes), number, "request", now)
    assert (refused.value.reason, isinstance(refused.value, VoidRuns)) == (reason, "void" in says)


def test_of_several_reasons_the_first_is_said() -> None:
    for place, (reason, changes, number, now, _) in enumerate(REFUSALS):
        others: dict[str, Any] = {}
        for _, more, *_ in REFUSALS[place + 1 :]:
            others |= {name: value for name, value in more.items() if name != "revision_digests"}
        with pytest.raises(IncidentConflict) as refused:
            with_campaign(replace(RECORD, **{**others, **changes}), number, "request", now)
        assert refused.value.reason == reason


def test_what_decides_of_a_revision_is_its_cause_facts_functions_service_and_windows() -> None:
    told = {"cause": 1, "facts": 2, "functions": 3, "service": 4, "windows": 5, "revision": 6, "title": 7}
    plain = decision_digest(json.dumps(told).encode())
    changed = {name for name in told if decision_digest(json.dumps(told | {name: 0}).encode()) != plain}
    assert changed == {"cause", "facts", "functions", "service", "windows"}


# What is told


def test_a_status_notice_has_the_facts_of_its_revision_and_an_id_of_its_own() -> None:
    facts = {
        "title": "the title", "service": "the service", "functions": ["a", "b"],
        "windows": [{"start": "s", "end": None}], "cause": "the cause", "facts": {"hidden": 1},
    }  # fmt: skip
    told = replace(revision(7), content=json.dumps(facts).encode())
    found = status_notice(told)
    incident = {"revision": 7, **{name: value for name, value in facts.items() if name != "facts"}}
    assert json.loads(found.text) == {
        "v": 1, "kind": "incident_updated", "notice_id": status_notice_id("out", 7), "incident_id": "out",
        "incident": incident, "recorded_at": "2026-12-01T09:00:00Z", "recipients": [],
    }  # fmt: skip
    kept = found.audience, found.incident_id, found.recipients
    assert kept == (Audience("", "incident_updated", "", ""), "out", 0)
    long = replace(told, content=json.dumps(facts | {"title": "t" * 61_440}).encode())
    with pytest.raises(ValueError, match="over 61440 bytes"):
        status_notice(long)


def test_what_a_source_reports_is_told_in_its_words() -> None:
    words = Words("the title", "the service", ("a", "b"), "under_way", True)
    content = json.loads(reported_notice("out", 3, words, AT).text)
    reported = {
        "number": 3, "title": "the title", "service": "the service", "functions": ["a", "b"], "course": "under_way",
        "planned": True,
    }  # fmt: skip
    rest = {"v": 1, "kind": "incident_reported", "incident_id": "out", "reported_at": "2026-12-01T09:00:00Z"}
    assert {**content, "notice_id": ""} == rest | {"notice_id": "", "reported": reported, "recipients": []}
    others = [reported_notice("out", 4, words, AT), reported_notice("other", 3, words, AT)]
    assert len({content["notice_id"], *(json.loads(one.text)["notice_id"] for one in others)}) == 3


def test_each_message_has_the_text_the_policy_and_the_recipients_of_its_own_audience() -> None:
    one, other = (Audience(*of) for of in (("out/2", "granted", "de", "sms"), ("off/1", "voided", "en", "mail")))
    told = [
        (one, Recipient("n2", "A-2", {"amount": "2"})), (other, Recipient("n9", "A-9", {"amount": "9"})),
        (one, Recipient("n1", "A-1", {"amount": "1"})), (one, Recipient("n3", "A-3", {})),
    ]  # fmt: skip
    texts = {one: NoticeText("subject 1", "text 1"), other: NoticeText("subject 2", "text 2")}
    policies = {CampaignId("out", 2): ("credit", 5), CampaignId("off", 1): ("goodwill", 7)}
    found = pack_notices(told, texts, policies, 2)

    def message(of: Audience, number: int, policy: dict[str, Any], *recipients: tuple[str, str, Any]) -> NoticeMessage:
        incident = of.campaign.partition("/")[0]
        content = {
            "v": 1, "kind": of.kind, "campaign": of.campaign, "incident_id": incident, "policy": policy,
            "locale": of.locale, "channel": of.channel,
            "template": {"subject": f"subject {number}", "text": f"text {number}"},
            "recipients": [dict(zip(("notice_id", "account_id", "values"), each, strict=True)) for each in recipients],
        }  # fmt: skip
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return NoticeMessage(of, incident, text, len(recipients))

    credit, goodwill = {"id": "credit", "version": 5}, {"id": "goodwill", "version": 7}
    assert found == [
        message(other, 2, goodwill, ("n9", "A-9", {"amount": "9"})),
        message(one, 1, credit, ("n1", "A-1", {"amount": "1"}), ("n2", "A-2", {"amount": "2"})),
        message(one, 1, credit, ("n3", "A-3", {})),
    ]


def test_a_notices_id_is_of_its_decision_kind_void_and_benefits() -> None:
    key = DecisionKey("a", "out", "-", 1)
    others: list[dict[str, Any]] = [{}, {"account_id": "b"}, {"incident_id": "x"}, {"subject": "l"}, {"seq": 2}]
    keys = [replace(key, **one) for one in others]
    assert len({notice_id(one, kind) for one in keys for kind in ("granted", "voided")}) == 10
    taken = [
        Taken(AT, VoidId(CampaignId("out", 1), "v"), entry_id, places, {}, {})
        for entry_id in ("void/1/v", "void/1/w")
        for places in ((0,), (1,), (0, 1))
    ]
    assert len({voided_notice_id(one, each) for one in keys for each in taken}) == 30
    later = replace(taken[0], at=OVER, sizes={"EUR": 5})
    assert voided_notice_id(key, later) == voided_notice_id(key, taken[0])
    assert len({status_notice_id(one, number) for one in ("out", "off") for number in (1, 2)}) == 4


def test_at_most_twenty_campaigns_over_one_outage_are_named_of_each_kind() -> None:
    ids = tuple(CampaignId("x", seq) for seq in range(1, 22))
    whole = SameOutage(ids[:20], ids[1:], is_whole=True)
    assert whole.named() == SameOutage(ids[:20], ids[1:], is_whole=True)
    for same, other in ((ids, ids[:1]), (ids[:1], ids)):
        assert SameOutage(same, other, is_whole=True).named() == SameOutage(same[:20], other[:20], is_whole=False)
    assert not replace(whole, is_whole=False).named().is_whole


# The halt

ANNA, BEN, CLEO = (f"iam:arn:aws:iam::123456789012:user/{name}" for name in ("anna", "ben", "cleo"))


def act(verb: Verb, person: str = ANNA, reason: str = "wrong amounts") -> HaltAction:
    return HaltAction(f"{verb}-1", verb, person, reason, AT)


def test_a_halt_counts_its_writes_and_its_sets_and_says_who_set_it_and_why() -> None:
    off = Halt(5, 2)
    on = after(off, act(Verb.SET), NOBODY_LISTED)
    assert on == Halt(6, 3, act(Verb.SET))
    assert [(one.is_on, one.reason) for one in (off, on)] == [(False, ""), (True, "wrong amounts")]
    half = after(on, act(Verb.LIFT, BEN), NOBODY_LISTED)
    assert half == Halt(7, 3, act(Verb.SET), (act(Verb.LIFT, BEN),))
    assert after(half, act(Verb.LIFT, CLEO), NOBODY_LISTED) == Halt(8, 3)
    assert after(on, act(Verb.LIFT, BEN), NOBODY_LISTED, 1) == Halt(7, 3)
    assert [persons_to_lift(lone_operator=lone) for lone in (True, False)] == [1, 2]


@pytest.mark.parametrize(
    ("halt", "action", "reason", "says"),
    [
        (Halt(6, 3, act(Verb.SET)), act(Verb.SET, BEN), "already_halted", f"{ANNA} has halted"),
        (Halt(5, 2), act(Verb.LIFT), "not_halted", "not halted"),
        (Halt(7, 3, act(Verb.SET), (act(Verb.LIFT, BEN),)), act(Verb.LIFT, BEN), "second_person_needed", "already"),
        (Halt(5, 2), act(Verb.SET, reason=""), "reason_invalid", "one line"),
    ],
)
def test_an_act_that_changes_nothing_is_refused_for_its_reason(
    halt: Halt, action: HaltAction, reason: str, says: str
) -> None:
    with pytest.raises(HaltRefused, match=says) as refused:
        after(halt, action, NOBODY_LISTED)
    assert refused.value.reason == reason
