"""Which of several things an answer shows, in which order and up to when."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.application.cases.store import WAITS
from kulanz.application.door import accounts, campaigns, cases, deliveries, drafts, incidents, policies, settlements
from kulanz.application.door.asked import Document
from kulanz.application.door.cursors import make_cursor
from kulanz.application.door.problems import Problem, differing_fields
from kulanz.application.door.rejected_rows import LineCounter
from kulanz.application.door.requests import _as_in_path
from kulanz.application.door.taken_back import taken_back, taken_back_step
from kulanz.application.drafts.draft_ports import Upstream
from kulanz.application.ledger.answer import SEARCHED_BYTES_MOST, AnsweredDecision, Explained
from kulanz.application.ports import KeptRequest
from kulanz.domain.budgets import Needed, Reservation
from kulanz.domain.campaigns.campaign import CampaignId, Chunks, Pass, State
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from kulanz.domain.decision import Decision, Notice, Outcome
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.gate.settings import SAFE
from kulanz.domain.gate.stated import Between, Stated
from kulanz.domain.time import format_instant
from tests.support.distinct import distinct
from tests.support.values import NOW, campaign, entry

ID = CampaignId("an-incident", 7)
QUESTION = {"": "a route"}
SECOND = timedelta(seconds=1)


def asked(cursor: str = "", **of: str) -> Any:
    query = {"cursor": make_cursor(QUESTION, cursor)} if cursor else {}
    return SimpleNamespace(of=of, query=query, question=QUESTION, now=NOW, caller=SimpleNamespace(id="anna"))


# Drafts


def record(digest: str | None, count: int = 1) -> Any:
    """What was confirmed, or dismissed, of a draft; None where nothing was."""
    return None if digest is None else SimpleNamespace(digest=digest, count=count, revision=4)


@pytest.mark.parametrize(
    ("confirmed", "dismissed", "problem", "state"),
    [
        (None, None, "", "new"), (None, None, "p", "held"), ("now", None, "", "confirmed"),
        ("now", "now", "p", "confirmed"), ("old", None, "", "changed"), ("old", "old", "p", "changed"),
        (None, "now", "", "dismissed"), ("old", "now", "p", "dismissed"), (None, "old", "", "reopened"),
        (None, "old", "p", "held"),
    ],
)  # fmt: skip
def test_a_draft_is_what_was_decided_of_it_as_it_is_now(
    confirmed: str | None, dismissed: str | None, problem: str, state: str
) -> None:
    draft: Any = SimpleNamespace(digest="now", problem=problem)
    assert drafts._state(draft, record(confirmed), record(dismissed)) == state


@pytest.mark.parametrize(("digest", "is_refused"), [("now", True), ("old", False), (None, False)])
def test_a_draft_is_dismissed_unless_it_was_confirmed_as_it_is(
    monkeypatch: pytest.MonkeyPatch, digest: str | None, is_refused: bool
) -> None:
    monkeypatch.setattr(drafts, "seen_content", lambda _: {"a": 1})
    written: list[Any] = []
    store = SimpleNamespace(
        confirmed=lambda *_: record(digest),
        dismissed=lambda *_: record("older", 6),
        dismiss=lambda *one: written.append(one),
    )
    draft: Any = SimpleNamespace(digest="now", id="a-draft", rule=SimpleNamespace(name="voice"))
    door: Any = SimpleNamespace(drafts=store)
    if is_refused:
        with pytest.raises(Problem, match="revision 4 of the incident"):
            drafts._dismiss(Upstream("status", "x"), draft, "why", asked(), door)
        assert written == []
        return
    drafts._dismiss(Upstream("status", "x"), draft, "why", asked(), door)
    ((_, service, done),) = written
    assert (service, done.count, done.digest, done.reason, done.by, done.at, done.draft_id) == (
        "voice", 7, "now", "why", "anna", NOW, "a-draft",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "of_draft", "title"), [("said", "its own", "said"), (None, "its own", "its own"), (None, "", "a-draft")]
)
def test_a_confirmed_incident_has_the_title_that_was_said_or_the_drafts_or_its_id(
    said: str | None, of_draft: str, title: str
) -> None:
    draft: Any = SimpleNamespace(
        id="a-draft", title=of_draft, functions=("data", "voice"), source="status", upstream_id="up-1", is_planned=True
    )
    body: Any = SimpleNamespace(title=said, functions=None, windows=[{"start": "x"}], cause=None)
    found = drafts._detail(draft, "mobile", body)
    assert found == {
        "incident_id": "a-draft", "title": title, "service": "mobile", "functions": ["data", "voice"],
        "windows": [{"start": "x"}], "facts": {"source": "status", "source_id": "up-1", "planned": True},
    }  # fmt: skip
    body.functions, body.cause = ["sms"], "cut"
    assert drafts._detail(draft, "mobile", body) == {**found, "functions": ["sms"], "cause": "cut"}


# Campaigns


KEPT = [
    KeptRequest("an-incident", "digest-1", NOW, ID, "an event", void="v"),
    KeptRequest("another", "digest-2", NOW + SECOND, CampaignId("another", 2), "an event"),
]


@pytest.mark.parametrize(("of", "shown"), [({"incident": "another"}, [1]), ({}, [0, 1]), ({"incident": "third"}, [])])
def test_kept_requests_are_those_of_the_incident_that_was_asked_about_or_all(
    of: dict[str, str], shown: list[int]
) -> None:
    door: Any = SimpleNamespace(campaigns=SimpleNamespace(kept_requests=lambda: KEPT, campaign=lambda _: None))
    found = campaigns._page([], None, asked(**of), door)["kept"]
    expected = [
        {"incident_id": "an-incident", "after": "an-incident/7", "opens_at": format_instant(NOW), "void": "v"},
        {"incident_id": "another", "after": "another/2", "opens_at": format_instant(NOW + SECOND), "void": None},
    ]
    assert found == [expected[number] for number in shown]


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_campaigns_go_on_behind_the_last_one_that_was_named(monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    monkeypatch.setattr(campaigns, "_item", lambda one, *_: one.id.seq)
    most = campaigns.CAMPAIGNS_PER_ANSWER
    ids = [CampaignId("an-incident", seq) for seq in range(1, 2 * most + more + 1)]
    store = SimpleNamespace(kept_requests=list, campaign=lambda one: campaign(one) if one.seq != most else None)
    door: Any = SimpleNamespace(campaigns=store)
    found: Any = campaigns._page(ids, True, asked(), door)
    assert (found["campaigns"], found["next"]) == (list(range(1, most)), make_cursor(QUESTION, f"an-incident/{most}"))
    rest = campaigns._page(ids, True, asked(f"an-incident/{most}"), door)
    assert len(rest["campaigns"]) == most + min(more, 0)
    assert rest["next"] == (make_cursor(QUESTION, f"an-incident/{2 * most}") if more > 0 else None)


@pytest.mark.parametrize(("more", "is_whole"), [(0, True), (1, False)])
def test_the_receipts_of_a_list_are_added_up_for_an_answer_up_to_so_many_chunks(
    monkeypatch: pytest.MonkeyPatch, more: int, is_whole: bool
) -> None:
    monkeypatch.setattr(campaigns, "campaign_report", lambda *_, **__: {})
    monkeypatch.setattr(campaigns, "found_by_plan", lambda _: None)
    monkeypatch.setattr(campaigns, "add_up", lambda *_: (None, None, None))
    chunks = Chunks(0, 512 * (campaigns.CHUNKS_ADDED_UP_MOST + more), 512)
    nothing = dict.fromkeys(("log", "reservations", "receipts"), lambda *_: ())
    door: Any = SimpleNamespace(campaigns=SimpleNamespace(**nothing), operation=None)
    of = replace(campaign(ID), chunks=chunks, announced="")
    assert campaigns._report(of, door)[1] is is_whole


@pytest.mark.parametrize("after", [None, "p", "q", "r"])
def test_the_files_of_a_campaign_are_its_rows_with_a_problem_and_then_its_reports(
    monkeypatch: pytest.MonkeyPatch, after: str | None
) -> None:
    folder = ID.folder
    keys = {"p": f"{folder}/problems/p", "q": f"{folder}/problems/q", "r": f"{folder}/report-r"}

    def under(prefix: str, begin: str, most: int) -> list[Any]:
        found = [key for key in keys.values() if key.startswith(prefix) and key > begin]
        return [Document(key, len(key)) for key in found[:most]]

    monkeypatch.setattr(campaigns, "FILES_PER_ANSWER", 2)
    monkeypatch.setattr(campaigns, "existing", lambda *_: campaign(ID))
    door: Any = SimpleNamespace(documents=SimpleNamespace(under=under, link=lambda key, seconds: f"{key}?{seconds}"))
    found = campaigns.files(asked("" if after is None else keys[after]), door)
    names = [name for name in keys if after is None or name > after][:2]
    assert found["files"] == [
        {"key": keys[name], "bytes": len(keys[name]), "url": f"{keys[name]}?{campaigns.LINK_SECONDS}"} for name in names
    ]
    assert found["next"] == (make_cursor(QUESTION, keys[names[-1]]) if len(names) == 2 else None)
    assert found["good_until"] == format_instant(NOW + timedelta(seconds=campaigns.LINK_SECONDS))


# Policies


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_published_policies_go_on_behind_the_last_one(more: int) -> None:
    most = policies.POLICIES_PER_ANSWER
    every = [SimpleNamespace(policy_id="p", version=n, published_at=NOW) for n in range(1, 2 * most + more + 1)]
    door: Any = SimpleNamespace(policies=SimpleNamespace(published=lambda: iter(every)))
    first, rest = policies.published(asked(), door), policies.published(asked(f"p/{most}"), door)
    assert [one["version"] for one in first["policies"]] == list(range(1, most + 1))
    assert first["next"] == make_cursor(QUESTION, f"p/{most}")
    assert [one["version"] for one in rest["policies"]] == list(range(most + 1, 2 * most + 1 + min(more, 0)))
    assert rest["next"] == (make_cursor(QUESTION, f"p/{2 * most}") if more > 0 else None)
    assert policies.published(asked("p/gone"), door)["policies"] == []


def test_of_revisions_those_are_shown_that_are_there() -> None:
    door: Any = SimpleNamespace(campaigns=SimpleNamespace(revision=lambda _, number: number if number != 2 else None))
    of: Any = SimpleNamespace(incident_id="i", revision_digests={3: "c", 1: "a", 2: "b"})
    found: Any = incidents._latest(of, door)
    assert found == [1, 3]


# Cases


def test_campaigns_with_cases_come_by_their_deadline_then_by_when_they_were_decided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places = {1: ("2026-03-09", "2026-03-02"), 2: ("2026-03-08", "2026-03-03"), 3: ("2026-03-08", "2026-03-01")}

    def of(one: Any, *_: object) -> Any:
        until, at = places.get(one.id.seq, ("", ""))
        return {"decidable_until": until, "decided_at": at, "campaign": str(one.id)} if until else None

    monkeypatch.setattr(cases, "_of", of)
    page = SimpleNamespace(found=[SimpleNamespace(id=CampaignId("i", seq)) for seq in (1, 2, 3, 4, 5)], after="")
    store = SimpleNamespace(campaign=lambda one: None if one.seq == 5 else campaign(one))
    door: Any = SimpleNamespace(index=SimpleNamespace(campaigns_in=lambda *_: page), campaigns=store)
    found = cases.of_month(asked(month="2026-03"), door)["campaigns"]
    assert [one["campaign"] for one in found] == ["i/3", "i/2", "i/1"]


def test_what_waits_for_a_second_person_is_what_is_not_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "by_hand_answer", lambda hand: {"title": hand.person})
    monkeypatch.setattr(cases, "yes_of", lambda *said: SimpleNamespace(value=said[:-1]))

    def proposal(name: str, *, is_over: bool) -> Any:
        return SimpleNamespace(
            key=entry(name).key,
            hash=f"hash-{name}",
            hand=SimpleNamespace(person=f"by-{name}", at=NOW - SECOND),
            is_over=lambda _: is_over,
        )

    both, questions = [proposal("a", is_over=True), proposal("b", is_over=False)], list[Any]()
    for after, rest in (("", ""), ("", "more"), ("behind", "")):

        def proposals(*of: object) -> Any:
            questions.append(of)
            return both, rest  # noqa: B023

        door: Any = SimpleNamespace(
            cases=SimpleNamespace(proposals=proposals), people=SimpleNamespace(current=lambda: "people")
        )
        question = asked(after) if after else asked()
        question.acting = "acting"
        found: Any = cases.proposed(question, door)
        (one,) = found["proposed"]
        assert (one["account_id"], one["hash"], one["person"]) == (both[1].key.account_id, "hash-b", "by-b")
        assert one["waits_until"] == format_instant(NOW - SECOND + WAITS), "from when it was asked, whenever one looks"
        assert one["your_yes"] == ("acting", "by-b", (), "people")
        assert found["next"] == (make_cursor(QUESTION, rest) if rest else None)
    assert questions == [("", cases.CASES_PER_ANSWER), ("", cases.CASES_PER_ANSWER), ("behind", cases.CASES_PER_ANSWER)]


# Deliveries


def test_what_is_kept_back_is_said_where_there_is_still_something(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"i/1": {"EUR": 500, "GB": 3}, "i/2": {}}

    def line(measure: str, size: int) -> Any:
        return SimpleNamespace(measure=measure, by_state={CreditState.DUE: size, CreditState.SENT: 9})

    monkeypatch.setattr(deliveries, "kept_back", lambda one, _: [line(*of) for of in kept[str(one.id)].items()])
    on = {
        "i/1": TroubleKind.KEPT_BACK,
        "i/2": TroubleKind.KEPT_BACK,
        "i/3": TroubleKind.KEPT_BACK,
        "i/4": TroubleKind.NOTICES,
    }
    found = [Trouble(kind, place, NOW, NOW + SECOND) for place, kind in on.items()]
    of = {one: replace(campaign(one), state=State.CANCELLED, state_reason="by a person") for one in
          (CampaignId("i", 1), CampaignId("i", 2))}  # fmt: skip
    door: Any = SimpleNamespace(
        troubles=SimpleNamespace(troubles=lambda: found), campaigns=SimpleNamespace(campaign=of.get)
    )
    assert list(deliveries._kept_back(door)) == [
        {"campaign": "i/1", "state": "cancelled", "reason": "by a person", "since": format_instant(NOW),
         "due": [{"measure": "EUR", "sum": "5.00"}, {"measure": "GB", "sum": "3.000000"}]},
    ]  # fmt: skip


@pytest.mark.parametrize("waiting", [[], ["letters"], ["letters", "agency", ""]])
def test_what_waits_for_any_channel_is_delivered_and_the_plans_own_is_the_answer(
    monkeypatch: pytest.MonkeyPatch, waiting: list[str]
) -> None:
    opened: list[str] = []
    compared: list[str] = []

    def over_additions(*_: object, channel: str, is_asked: bool) -> Any:
        assert is_asked
        opened.append(channel)
        return f"to {channel or 'its own'}" if channel in waiting else None

    def compare_again(one: Any, _: object) -> str:
        compared.append(str(one.id))
        return "compared"

    monkeypatch.setattr(deliveries, "existing", lambda *_: campaign(ID))
    monkeypatch.setattr(deliveries, "open_settled", lambda *_: "over its list")
    monkeypatch.setattr(deliveries, "open_over_additions", over_additions)
    monkeypatch.setattr(deliveries, "compare_again", compare_again)
    monkeypatch.setattr(deliveries, "_item", lambda one: {"delivery": one})
    added = [SimpleNamespace(id=DeliveryId("billing", n), state=state) for n, state in enumerate(DeliveryState, 1)]
    waits = [SimpleNamespace(campaign=of, channel=one) for of, names in ((ID, waiting), (CampaignId("x", 1), ["other"]))
             for one in names]  # fmt: skip
    door: Any = SimpleNamespace(
        campaigns=None, deliveries=SimpleNamespace(over_additions=lambda _: added, waiting_additions=lambda: waits)
    )
    question = asked()
    question.body = {"reason": "why"}
    found = deliveries.deliver(question, door)
    assert opened == sorted({"", *waiting}, reverse=True)
    assert compared == [str(one.id) for one in added if one.state is DeliveryState.FLAGGED]
    last = "to its own" if "" in waiting else f"to {waiting[-1]}" if waiting else "compared"
    assert found["delivery"] == last


# Decisions of an account


@pytest.mark.parametrize("explained", Explained)
@pytest.mark.parametrize("is_recomputed", [False, True])
def test_what_would_be_decided_now_is_shown_where_it_differs(explained: Explained, is_recomputed: bool) -> None:
    decision, now = Decision(Outcome.DECLINED, "too_short"), Decision(Outcome.HELD, "no_fact")
    recomputed = now if is_recomputed else None
    decided = AnsweredDecision(
        entry("a", status=Outcome.DECLINED), decision, None, False, ("one", "two"), explained, recomputed
    )  # fmt: skip
    found = accounts._decision(decided, is_superseded=True)
    is_shown = is_recomputed and explained is Explained.DIFFERS
    assert found.get("recomputed") == (now.to_body() if is_shown else None)
    assert (found["steps"], found["superseded"], found["offer"]) == (["one", "two"], True, None)


@pytest.mark.parametrize(("size", "subject", "searched"), [
    (SEARCHED_BYTES_MOST, "line_id", True), (SEARCHED_BYTES_MOST + 1, "line_id", False), (1_050, "", False),
])  # fmt: skip
def test_a_list_is_searched_for_a_subject_where_it_decides_subjects_and_is_not_too_long(
    size: int, subject: str, searched: bool
) -> None:
    of = replace(campaign(ID), subject=subject, pinned=replace(campaign(ID).pinned, size=size))
    for later, has_expired in ((-SECOND, False), (timedelta(), True)):
        found = accounts._looked_in(of, SimpleNamespace(asked_at=of.decidable_until + later))  # type: ignore[arg-type]
        assert (found["subject"], found["searched"]) == (subject or None, searched)
        assert (found["may_have_expired"], found["finished"]) == (has_expired, False)
    done = replace(of, apply=replace(of.apply, bytes_done=of.chunks.total_bytes))
    assert done.is_finished(Pass.APPLY)
    assert accounts._looked_in(done, SimpleNamespace(asked_at=NOW))["finished"] is True  # type: ignore[arg-type]


def test_credits_are_shown_of_what_is_granted_and_was_delivered_and_what_was_taken_back_is_a_step_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    granted, fresh, held = entry("a"), entry("b"), entry("c", status=Outcome.HELD)
    answered: Any = SimpleNamespace(decisions=[SimpleNamespace(entry=one) for one in (granted, fresh, held)])
    shown = [{"steps": ["first"]}, {"steps": ["first"]}, {"steps": ["first"]}]
    monkeypatch.setattr(accounts, "ask_answer", lambda _: {"standings": [], "decisions": shown})
    monkeypatch.setattr(accounts, "standings", lambda _: [])
    monkeypatch.setattr(accounts, "granted_benefits", lambda _: ("one", "two"))
    monkeypatch.setattr(accounts, "_credit", lambda _, place, benefit, *__: f"{place}: {benefit}")
    monkeypatch.setattr(accounts, "taken_back", lambda *_: iter(["taken"]))
    monkeypatch.setattr(accounts, "taken_back_step", lambda one: f"a step: {one}")

    def booked(keys: list[Any]) -> Any:
        assert keys == [granted.key, fresh.key]
        return {granted.key: SimpleNamespace(entry=granted, entries=("an entry",)),
                fresh.key: SimpleNamespace(entry=fresh, entries=())}  # fmt: skip

    nothing = dict.fromkeys(("campaigns", "lists", "archive", "voids"))
    door: Any = SimpleNamespace(credits=SimpleNamespace(booked=booked), **nothing)
    accounts._content(answered, asked(), door)
    assert shown == [
        {"steps": ["first", "a step: taken"], "credits": ["0: one", "1: two"], "taken_back": ["taken"]},
        {"steps": ["first"]}, {"steps": ["first"]},
    ]  # fmt: skip


# What was taken back


@pytest.mark.parametrize("locale", ["", "de"])
@pytest.mark.parametrize("has_notice", [False, True])
def test_a_notice_of_what_was_taken_back_is_named_where_one_was_to_be_sent(
    monkeypatch: pytest.MonkeyPatch, locale: str, has_notice: bool
) -> None:
    notice = Notice("credited", "fr", "letter") if has_notice else None
    module = "kulanz.application.door.taken_back"
    taken: Any = SimpleNamespace(is_taken=True, void=None, at=NOW, sizes={"GB": 3, "CHF": 20, "EUR": 10})
    monkeypatch.setattr(f"{module}.read_decision", lambda _: SimpleNamespace(notice=notice))
    monkeypatch.setattr(f"{module}.taken_of", lambda *_: [taken])
    monkeypatch.setattr(f"{module}.voided_notice_id", lambda *_: "an id")
    booked: Any = SimpleNamespace(entry=entry("a"), entries=(), notice_locale=locale)
    (found,) = taken_back(booked, SimpleNamespace(void=lambda _: None))
    expected = {"id": "an id", "locale": "de", "channel": "letter"} if locale and has_notice else None
    assert found.get("notice") == expected
    assert list(found["sums"].items()) == [("CHF", "20"), ("EUR", "10"), ("GB", "3")]


@pytest.mark.parametrize(("size", "said"), [("-5", "Given again"), ("0", "Taken back"), ("5", "Taken back")])
def test_what_is_less_than_nothing_was_given_again(size: str, said: str) -> None:
    one: Any = {
        "at": "2026-03-05T01:02:03Z",
        "sums": {"EUR": size},
        "role": "requester",
        "approved_by": 1,
        "reason": "wrong list",
    }
    assert taken_back_step(one).startswith(f"{said} on 2026-03-05:")
    for number, persons in ((0, " 0 persons "), (1, " 1 person "), (2, " 2 persons "), (11, " 11 persons ")):
        assert (persons in taken_back_step(one | {"approved_by": number})) is (said == "Taken back")


# What was reserved, and stated


def test_what_a_campaign_reserved_is_said_with_what_is_known_of_each_currency() -> None:
    made = [
        distinct(Reservation, currency=one, is_settled=is_settled)
        for one, is_settled in (("JPY", True), ("EUR", False))
    ]
    known = {"EUR": Between(Needed(1101, 1202), Needed(1303, 1404))}
    found: Any = SimpleNamespace(campaign=campaign(ID), standing=tuple(made), known=known, stated=None, is_open=True)
    answer = settlements._answer(found, SimpleNamespace(gate=SAFE))
    names = ("granted_least", "granted_most", "claimable_least", "claimable_most")
    yen, euro = answer["reserved"]
    assert (yen["currency"], yen["reserved"], yen["accepted"]) == ("JPY", str(made[0].amount), str(made[0].drawn))
    assert {name: yen[name] for name in names} == dict.fromkeys(names)  # type: ignore[literal-required]
    assert [euro[name] for name in names] == ["11.01", "13.03", "12.02", "14.04"]  # type: ignore[literal-required]
    assert [(one["month"], one["is_settled"]) for one in (yen, euro)] == [(made[0].month, True), (made[1].month, False)]
    assert (answer["campaign"], answer["must_be_stated"], answer["stated"]) == (str(ID), True, None)


@pytest.mark.parametrize(
    ("second", "is_settled", "needed"), [("", True, 1), ("ben", True, 2), ("", False, 3), ("ben", False, 3)]
)
def test_what_was_stated_says_how_many_persons_it_takes_or_took(
    monkeypatch: pytest.MonkeyPatch, second: str, is_settled: bool, needed: int
) -> None:
    monkeypatch.setattr(settlements, "persons_to_state", lambda *_: 3)
    amounts = {"JPY": Needed(7, 8), "EUR": Needed(101, 202)}
    stated = distinct(Stated, amounts=amounts, second=second, is_settled=is_settled)
    found = settlements._stated(stated, SimpleNamespace(known={}), SimpleNamespace(gate=None))  # type: ignore[arg-type]
    assert list(found["granted"].items()) == [("EUR", "1.01"), ("JPY", "7")]
    assert list(found["claimable"].items()) == [("EUR", "2.02"), ("JPY", "8")]
    assert (found["by"], found["at"], found["reason"]) == (stated.person, format_instant(stated.at), stated.reason)
    assert (found["second"], found["is_settled"], found["persons_needed"]) == (second or None, is_settled, needed)


# Lines, paths, fields


@given(st.lists(st.binary(max_size=6).map(lambda part: part.replace(b"\r", b"\n")), max_size=6), st.data())
def test_a_line_has_the_number_that_counting_to_it_gives(blocks: list[bytes], data: st.DataObject) -> None:
    content = b"".join(blocks)
    offsets = sorted(data.draw(st.sets(st.integers(0, len(content)), max_size=5)))

    def parts() -> Iterator[bytes]:
        yield from filter(None, blocks)

    counter = LineCounter(parts())
    found = [counter.number_at(offset) for offset in offsets]
    assert found == [content[:offset].count(b"\n") + 1 for offset in offsets]
    assert all(earlier <= later for earlier, later in pairwise(found))


@pytest.mark.parametrize(("body", "wrong"), [
    ({}, []), ({"a": 1}, []), ({"a": 2, "b": "x"}, ["a"]), ({"a": 2, "b": "y"}, ["a", "b"]), ({"c": 3}, []),
    ({"a": "1"}, ["a"]), ({"b": None}, ["b"]),
])  # fmt: skip
def test_a_body_may_say_what_the_path_says_and_nothing_else(body: dict[str, Any], wrong: list[str]) -> None:
    path = {"a": 1, "b": "x"}
    if not wrong:
        assert _as_in_path(body, path) == path
        return
    with pytest.raises(Problem) as problem:
        _as_in_path(body, path)
    assert [one["field"] for one in problem.value.errors] == [f"incident.{name}" for name in wrong]


def test_fields_that_differ_are_named_once_and_in_order() -> None:
    before, after = {"d": 1, "c": 2, "b": 3, "e": 5}, {"d": 2, "c": 2, "a": 4, "e": None}
    assert [one["field"] for one in differing_fields(before, after)] == ["a", "b", "d", "e"]
