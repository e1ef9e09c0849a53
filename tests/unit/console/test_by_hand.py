"""Cases and goodwill on the pages: asked by one person, agreed to by another, each once and as it was shown."""

import re

import pytest

from kulanz.application.door.routes import Role
from kulanz.domain.decision import Outcome
from tests.support.console_browser import EVERY_ROLE, Browser, forms
from tests.support.console_waiting import CASE, WAITING_CASE, with_discretion, with_everything
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID
from tests.support.world_door import ANNA, BERT
from tests.unit.application.cases.test_edges_of_cases import yearly
from tests.unit.application.delivery.test_voiding_overpaid import SECOND, overpaying

ACCOUNT = "/account?id=granted-1"
GIVE = "/account/granted-1/goodwill"
GIVEN = {"amount": "20.00", "measure": "EUR", "reason": "long_wait"}


def read(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.replace("&#39;", "'")).split())


def ways(html: str) -> list[str]:
    return [one.replace("&#34;", '"') for one in re.findall(r'name="way" required value="([^"]+)"', html)]


@pytest.fixture
def browser() -> Browser:
    stack = with_discretion()
    return Browser(stack.world, EVERY_ROLE, stack).enter()


@pytest.fixture
def waiting() -> Browser:
    stack = with_everything()
    return Browser(stack.world, EVERY_ROLE, stack).enter()


def entries(browser: Browser, account: str) -> list[Outcome]:
    return [one.status for one in browser.world.ledger.of_account(account)]


def test_a_case_is_found_in_the_queue_read_with_its_steps_and_decided(browser: Browser) -> None:
    assert f"/cases/{CAMPAIGN}" in browser.get("/").text
    queue = browser.get("/cases").text
    assert f'href="/cases/{CAMPAIGN}"' in queue
    assert f'href="{CASE}"' in browser.get(f"/cases/{CAMPAIGN}").text
    page = browser.get(CASE).text
    said = read(page)
    assert "segment = consumer : granted 2.99 EUR + 20 call minutes" in said.replace(
        "segment = consumer:", "segment = consumer :"
    )
    assert len(ways(page)) == 4, "what the policy would refer again is no decision"
    (consumer,) = [one for one in ways(page) if '"consumer"' in one]
    done = browser.submit(CASE, f"{CASE}/decide", way=consumer, reason="known_fact")
    assert (done.status_code, done.location) == (303, f"/account?id=held-1&incident={INCIDENT_ID}")
    assert "The case is decided: granted 2.99 EUR" in read(browser.get(done.location).text)
    assert entries(browser, "held-1") == [Outcome.GRANTED]


def test_a_contradicting_row_and_a_rejected_one_are_decided_where_they_are_shown(browser: Browser) -> None:
    listed = browser.get(f"/cases/{CAMPAIGN}").text
    (torn,) = re.findall(rf'href="(/case/torn-1/{CAMPAIGN}[?]row=[0-9]+)"', listed)
    page = browser.get(torn)
    assert "By the row that was decided: granted 2.00 EUR" in read(page.text)
    (way,) = [one for one in ways(page.text) if one.startswith("policy:")]
    action = f"/case/torn-1/{CAMPAIGN}/decide"
    done = browser.post(action, {**forms(page)[action], "way": way, "reason": "known_fact"})
    assert done.status_code == 303, read(done.text)
    assert torn.partition("?")[2] not in browser.get(f"/cases/{CAMPAIGN}").text
    rows = re.findall(rf'href="(/row/{CAMPAIGN}[?]row=[0-9]+)"', listed)
    asked = [browser.get(f"{one}&account=bad-yes-no&fact_affected=yes") for one in rows]
    (case,) = [one for one in asked if one.status_code == 200 and "perhaps" in one.text]
    assert "Whose row it is" in read(browser.get(rows[0]).text)
    action = f"/case/bad-yes-no/{CAMPAIGN}/decide"
    (way,) = [one for one in ways(case.text) if one.startswith("policy:")]
    done = browser.post(action, {**forms(case)[action], "way": way, "reason": "known_fact"})
    assert done.status_code == 303, read(done.text)
    assert entries(browser, "bad-yes-no") == [Outcome.GRANTED]


def test_a_fact_that_has_no_choices_is_filled_in_to_see_what_it_would_owe(browser: Browser) -> None:
    page = f"/case/held-2/{CAMPAIGN}"
    assert 'name="fact_fee"' in browser.get(page).text
    asked = browser.get(f"{page}?fact_fee=30.00").text
    assert "granted 3.00 EUR" in read(asked)
    (way,) = [one for one in ways(asked) if one.startswith("policy:")]
    filled = {**forms(browser.get(f"{page}?fact_fee=30.00"))[f"{page}/decide"], "way": way, "reason": "known_fact"}
    refused = browser.post(f"{page}/decide", {**filled, "reason": "other"})
    assert (refused.status_code, "needs a note" in read(refused.text)) == (409, True)
    kept = forms(refused)[f"{page}/decide"]
    assert (kept["way"].replace("&#34;", '"'), kept["reason"], kept["fact_fee"]) == (way, "other", "30.00")
    done = browser.post(f"{page}/decide", {**kept, "note": "the bill shows it"})
    assert done.status_code == 303, read(done.text)
    assert entries(browser, "held-2") == [Outcome.GRANTED]


def test_under_a_policy_with_a_history_no_amount_is_asked_for() -> None:
    world = yearly("in-1")
    browser = Browser(world, EVERY_ROLE, with_discretion(world)).enter()
    page = browser.get("/case/held/in-1/1").text
    assert ways(page) == ["decline"]
    assert "No amount can be stated: the policy counts what its subjects had before" in read(page)
    assert 'name="amount"' not in page


@pytest.mark.parametrize("asked", ["fact_fee=a+lot", "fact_nothing=1", "fact_fee=" + "9" * 2_000])
def test_a_fact_that_the_case_cannot_have_is_said_beside_the_case(browser: Browser, asked: str) -> None:
    shown = browser.get(f"/case/held-2/{CAMPAIGN}?{asked}")
    assert (shown.status_code, "Not done" in read(shown.text)) == (200, True)
    assert "Your decision" in read(shown.text)


@pytest.mark.parametrize(
    ("filled", "status"),
    [
        ({}, 422),
        ({"way": "decline", "reason": ""}, 422),
        ({"way": "amount"}, 422),
        ({"way": "policy:x"}, 422),
        ({"way": "policy:[]"}, 422),
        ({"way": "free:{}"}, 422),
        ({"way": "amount", "amount": "1.00", "measure": "USD"}, 409),
        ({"way": "amount", "amount": "1000.00", "measure": "EUR"}, 409),
        ({"way": "decline", "seen": "0" * 64}, 409),
        ({"way": "decline", "reason": "because"}, 409),
    ],
)
def test_what_is_no_decision_is_said_and_nothing_is_decided(
    browser: Browser, filled: dict[str, str], status: int
) -> None:
    before = entries(browser, "held-1")
    shown = browser.submit(CASE, f"{CASE}/decide", **{"reason": "known_fact", **filled})
    assert (shown.status_code, "Not done" in read(shown.text)) == (status, True)
    assert entries(browser, "held-1") == before


def test_an_amount_above_the_limit_waits_and_who_asked_is_not_the_second(waiting: Browser) -> None:
    assert WAITING_CASE in waiting.get("/").text
    page = waiting.get(WAITING_CASE)
    assert "It waits for a second person" in read(page.text)
    assert f"{WAITING_CASE}/decide" not in forms(page), "one decision at a time"
    same = waiting.submit(WAITING_CASE, f"{WAITING_CASE}/second", action="agree")
    assert same.status_code == 409
    waiting.stack.desk = BERT
    assert waiting.submit(WAITING_CASE, f"{WAITING_CASE}/second", action="reject", reason=" ").status_code == 422
    other = waiting.submit(WAITING_CASE, f"{WAITING_CASE}/second", action="agree", hash="0" * 64)
    assert other.status_code == 409, "another decision than the one that was shown"
    assert entries(waiting, "referred-1") == [Outcome.REFERRED]
    filled = {**waiting.form(WAITING_CASE, f"{WAITING_CASE}/second"), "action": "agree"}
    assert [waiting.post(f"{WAITING_CASE}/second", filled).status_code for _ in range(2)] == [303, 303]
    assert entries(waiting, "referred-1") == [Outcome.GRANTED]
    assert WAITING_CASE not in waiting.get("/").text


def test_the_second_person_rejects_and_the_case_stays_open(waiting: Browser) -> None:
    waiting.stack.desk = BERT
    done = waiting.submit(WAITING_CASE, f"{WAITING_CASE}/second", action="reject", reason="too much")
    assert (done.status_code, done.location) == (303, WAITING_CASE)
    assert f"{WAITING_CASE}/decide" in forms(waiting.get(WAITING_CASE))
    assert entries(waiting, "referred-1") == [Outcome.REFERRED]


def test_goodwill_is_given_once_and_its_repetition_has_to_be_meant(browser: Browser) -> None:
    filled = {**browser.form(ACCOUNT, GIVE), **GIVEN}
    assert [browser.post(GIVE, filled).status_code for _ in range(3)] == [303, 303, 303]
    given = [one for one in browser.world.ledger.of_account("granted-1") if one.key.incident_id.startswith("goodwill-")]
    assert len(given) == 1
    again = browser.submit(ACCOUNT, GIVE, **GIVEN)
    assert again.status_code == 409
    kept = forms(again)[GIVE]
    assert (kept["amount"], kept["reason"], kept["repeat_of"]) == ("20.00", "long_wait", "")
    assert f'<option value="{filled["id"]}"' in again.text, "what it would repeat can be chosen"
    assert browser.post(GIVE, {**kept, "repeat_of": filled["id"]}).status_code == 303


def test_one_ticket_gives_once_whoever_sends_its_form(browser: Browser) -> None:
    for person, status in ((ANNA, 303), (ANNA, 303), (BERT, 409)):
        browser.stack.desk = person
        assert browser.submit(ACCOUNT, GIVE, **GIVEN, ticket="T-9").status_code == status
    given = [one for one in browser.world.ledger.of_account("granted-1") if one.key.incident_id.startswith("goodwill-")]
    assert [one.key.subject for one in given] == ["T-9"]


@pytest.mark.parametrize(
    ("filled", "status"),
    [
        ({"amount": ""}, 422),
        ({"reason": ""}, 422),
        ({"amount": "a lot"}, 422),
        ({"amount": "20.001"}, 422),
        ({"measure": "XX"}, 409),
        ({"measure": "a b"}, 422),
        ({"measure": "USD"}, 409),
        ({"amount": "1000.00"}, 409),
        ({"ticket": "a b"}, 422),
        ({"about": "nothing"}, 409),
        ({"reason": "other"}, 409),
    ],
)
def test_goodwill_that_cannot_be_given_is_said_and_the_form_is_kept(
    browser: Browser, filled: dict[str, str], status: int
) -> None:
    sent = {**GIVEN, **filled}
    shown = browser.submit(ACCOUNT, GIVE, **sent)
    assert (shown.status_code, "Not done" in read(shown.text)) == (status, True)
    kept = forms(shown)[GIVE]
    assert (kept["amount"], kept["measure"]) == (sent["amount"], sent["measure"])
    assert '<details class="act" open>' in shown.text, "the form is to be seen"


def test_waiting_goodwill_is_approved_by_another_person(waiting: Browser) -> None:
    assert "60.00 EUR" in read(waiting.get("/").text)
    target = "/goodwill/T-1/decide"
    assert waiting.submit("/goodwill", target, action="approve").status_code == 409
    waiting.stack.desk = BERT
    assert waiting.submit("/goodwill", target, action="reject", reason="").status_code == 422
    filled = {**waiting.form("/goodwill", target), "action": "approve"}
    assert [waiting.post(target, filled).status_code for _ in range(2)] == [303, 303]
    assert target not in forms(waiting.get("/goodwill"))
    assert "60.00 EUR" in read(waiting.get(ACCOUNT).text)


def test_a_problem_of_one_form_stays_with_it(waiting: Browser) -> None:
    waiting.stack.desk = BERT
    waiting.submit(ACCOUNT, GIVE, amount="70.00", measure="EUR", reason="long_wait", ticket="T-2")
    shown = waiting.submit("/goodwill", "/goodwill/T-1/decide", action="nothing", reason="kept")
    assert shown.status_code == 422
    fields = forms(shown)
    assert (fields["/goodwill/T-1/decide"]["reason"], fields["/goodwill/T-2/decide"]["reason"]) == ("kept", "")
    assert fields["/goodwill/T-1/decide"]["id"] != fields["/goodwill/T-2/decide"]["id"]


@pytest.mark.parametrize(
    ("role", "targets"),
    [
        (Role.SUPPORT, {GIVE, f"{CASE}/decide", f"{WAITING_CASE}/second"}),
        (Role.APPROVER, {"/goodwill/T-1/decide", f"{WAITING_CASE}/second"}),
        (Role.AUDITOR, set()),
        (Role.FINANCE, set()),
    ],
)
def test_a_role_sees_the_forms_of_its_own_work(role: Role, targets: set[str]) -> None:
    stack = with_everything()
    browser = Browser(stack.world, frozenset({role}), stack).enter()
    pages = [browser.get(one) for one in (ACCOUNT, "/goodwill", "/cases", CASE, WAITING_CASE)]
    assert {one for page in pages for one in forms(page) if one not in ("/language", "/end")} == targets
    waits = read(browser.get("/").text)
    assert ("60.00 EUR" in waits) == (role is not Role.FINANCE)


def box(page: str) -> str:
    """What waits for an account, as its page says it, with where the links go."""
    found = page.partition('aria-labelledby="waits"')[2].partition("</section>")[0]
    return read(re.sub(r"<a href=\"([^\"]+)\">", r"[\1] ", found.partition(">")[2].replace("<wbr>", "")))


def test_what_was_given_by_hand_is_shown_to_be_repeated_of_its_own_account_alone() -> None:
    stack = with_everything()
    browser = Browser(stack.world, EVERY_ROLE, stack).enter()
    for account in ("granted-1", "torn-1", "referred-1"):
        given = browser.get(f"/account?id={account}").text
        assert (f"/account/{account}/goodwill" in given, 'value="T-1"' in given) == (True, account == "granted-1")
        assert ("60.00 EUR" in given) is (account == "granted-1")


def test_the_page_of_an_account_says_what_waits_for_it_to_whoever_may_read_that() -> None:
    stack = with_everything()
    browser = Browser(stack.world, EVERY_ROLE, stack).enter()
    for query in ("", f"&incident={INCIDENT_ID}"):
        torn = box(browser.get(f"/account?id=torn-1{query}").text)
        assert "contradicts what was decided" in torn
        (case,) = re.findall(r"\[(/case/torn-1/[^]]+)\]", torn.replace("&amp;", "&"))
        shown = browser.get(case)
        assert (shown.status_code, "By the row that was decided:" in read(shown.text)) == (200, True)
    given = box(browser.get("/account?id=granted-1").text)
    assert "[/goodwill] Goodwill of 60.00 EUR waits for a second person" in given
    assert f"[/void/{CAMPAIGN}/v-1] A void of {CAMPAIGN} is not over" in given
    assert "contradicts" not in given
    assert box(browser.get("/account?id=declined-1").text) == ""
    for role in (Role.SUPPORT, Role.AUDITOR):
        one = Browser(stack.world, frozenset({role}), stack).enter()
        one.kulanz.asked.clear()
        assert one.get("/account?id=torn-1").status_code == 200
        assert [use for use in one.kulanz.asked if not one.kulanz.may(use)] == []


def test_a_list_that_was_not_looked_at_to_its_end_is_said_on_the_page_of_an_account(browser: Browser) -> None:
    page = "/account?id=granted-1"
    assert box(browser.get(page).text) == ""
    browser.kulanz.seen = lambda answer: {**answer, "next": "more"} if "cases" in answer else answer
    assert "Not every row of the list of net-outage/1 was looked at." in box(browser.get(page).text)


def test_rows_that_contradict_are_looked_for_in_the_list_of_the_campaign_that_decided_last() -> None:
    browser = Browser(overpaying()).enter()
    browser.kulanz.seen = lambda answer: {**answer, "next": "more"} if "cases" in answer else answer
    shown = box(browser.get("/account?id=a-3").text)
    assert re.findall("Not every row of the list of ([a-z-]+/[0-9]+) was", shown) == [SECOND]


def test_the_page_of_an_account_says_sentences_first_and_codes_after(browser: Browser) -> None:
    held = read(browser.get("/account?id=held-1").text.replace("<wbr>", ""))
    band = "Not decided: a fact that the policy needs is unknown, and nothing is guessed. Nothing is granted"
    assert f"{band} (segment_unknown)." in held.replace("( ", "(").replace(" )", ")"), held[600:1200]
    granted = read(browser.get("/account?id=granted-1").text.replace("<wbr>", ""))
    assert "2.99 EUR within 2 billing cycles" in granted
    assert re.search(
        r"notice granted, in de, by \w+; for sending since 2026-03-01 .{8} UTC ?; "
        r"whoever sends the notices knows whether it was sent; id \w{32}",
        granted,
    )
    unknown = read(browser.get("/account?id=nobody").text)
    assert "its lists are searched for a line or service of this id, too" in unknown
