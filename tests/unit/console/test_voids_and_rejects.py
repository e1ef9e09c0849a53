"""Voids and rejected credits on the pages: asked for, planned, decided by another to exactly what was shown."""

import re
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from kulanz.application.door.routes import Role
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.void import VoidState
from kulanz_console.port import NotAnswered, Why
from kulanz_console.still_open import may_reduce
from tests.fake_biller.biller import Biller
from tests.support.console_browser import EVERY_ROLE, Browser, forms
from tests.support.console_waiting import VOID, with_discretion, with_void
from tests.support.road import Road
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID
from tests.support.world_door import ANNA, BERT
from tests.support.world_stack import WorldStack
from tests.support.world_voids import run_voids
from tests.unit.application.delivery.test_voiding_overpaid import SECOND, overpaying

PAGE, ACCOUNT = f"/campaign/{CAMPAIGN}", "/account?id=granted-1"
LAW = (
    r"What happened to it Granted = used \+ expired \+ voided \+ written off \+ open .*"
    r" EUR {granted} 0\.00 0\.00 {voided} 0\.00 {left} "
)
CREDIT = "0123456789abcdef0123456789abcdef"
REJECTS = f"/rejected/{CAMPAIGN}"


def read(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.replace("&#39;", "'")).split())


@pytest.fixture
def browser() -> Browser:
    stack = with_discretion()
    return Browser(stack.world, EVERY_ROLE, stack).enter()


@pytest.fixture
def planned() -> Browser:
    """A void whose plan waits; who looks did not ask for it."""
    stack = with_void(with_discretion())
    stack.desk = BERT
    return Browser(stack.world, EVERY_ROLE, stack).enter()


def state(browser: Browser) -> VoidState:
    (void,) = browser.world.voids.of_campaign(CampaignId.parse(CAMPAIGN))
    return void.state


def test_a_campaign_is_taken_back_from_its_page_by_two_persons(browser: Browser) -> None:
    filled = {**browser.form(PAGE, f"{PAGE}/void"), "reason": "the wrong list"}
    first, again = (browser.post(f"{PAGE}/void", filled) for _ in range(2))
    assert (first.status_code, again.location) == (303, first.location)
    page = first.location
    assert "Its plan is being made" in read(browser.get(page).text)
    run_voids(browser.world)
    shown = browser.get(page)
    assert "unused: would be taken back 26.96 EUR" in read(shown.text)
    assert "Customers are not told: the policy has no text for it" in read(shown.text)
    assert page in browser.get("/").text, "it waits on the first page"
    assert browser.submit(page, f"{page}/decide", action="approve").status_code == 409, "who asked is not the approver"
    browser.stack.desk = BERT
    yes = {**browser.form(page, f"{page}/decide"), "action": "approve", "reason": ""}
    assert [browser.post(f"{page}/decide", yes).status_code for _ in range(2)] == [303, 303]
    assert re.search(LAW.format(granted="26.96", voided="0.00", left="26.96"), read(browser.get(PAGE).text))
    run_voids(browser.world)
    assert re.search(LAW.format(granted="26.96", voided="26.96", left="0.00"), read(browser.get(PAGE).text))
    assert state(browser) is VoidState.VOIDED
    assert "What was taken back" in read(browser.get(page).text)
    assert page not in browser.get("/").text
    assert f"{page}/decide" not in forms(browser.get(page))


def test_one_decision_is_taken_back_from_the_account(browser: Browser) -> None:
    target = f"/account/granted-1/{INCIDENT_ID}/void"
    assert browser.submit(ACCOUNT, target, reason=" ").status_code == 422
    done = browser.submit(ACCOUNT, target, reason="the customer had no outage")
    assert done.status_code == 303
    run_voids(browser.world)
    assert "Lines: 1. With something unused: 1. With a decision that has nothing to take back: 0." in read(
        browser.get(done.location).text
    )


def test_what_was_overpaid_is_taken_back_from_the_page_of_the_campaign_that_found_it() -> None:
    stack = WorldStack(overpaying())
    browser = Browser(stack.world, EVERY_ROLE, stack).enter()
    page = f"/campaign/{SECOND}"
    assert f"{PAGE}/overpaid" not in forms(browser.get(PAGE)), "the first campaign found nothing overpaid"
    assert "given by earlier campaigns of the incident: 3.00 EUR" in read(browser.get(page).text)
    done = browser.submit(page, f"{page}/overpaid", reason="the fee was wrong")
    assert done.status_code == 303
    run_voids(stack.world)
    shown = read(browser.get(done.location).text)
    assert (
        "Lines: 3. With something unused of what was overpaid: 1. Overpaid, with nothing to take back: 0."
        " Not overpaid: 2." in shown
    )
    assert "Of what was overpaid Share Sum unused: would be taken back 3.00 EUR" in shown


def test_the_biller_is_asked_for_what_was_overpaid_from_the_page_of_the_campaign_that_found_it() -> None:
    stack = WorldStack(overpaying())
    browser = Browser(stack.world, EVERY_ROLE, stack).enter()
    page = f"/campaign/{SECOND}"
    said = {"reason": "the fee was wrong", "at_biller": "yes"}
    browser.post(f"{page}/overpaid", {**browser.form(page, f"{page}/overpaid"), **said})
    (void,) = stack.world.voids.of_campaign(CampaignId.parse(SECOND))
    assert (void.is_of_overpaid, void.asks_biller) == (True, True)


def test_a_void_of_what_was_overpaid_waits_for_the_accounts_and_the_month_of_the_campaigns_that_it_reduces() -> None:
    stack = WorldStack(overpaying())
    browser = Browser(stack.world, EVERY_ROLE, stack).enter()
    page = f"/campaign/{SECOND}"
    path = browser.submit(page, f"{page}/overpaid", reason="the fee was wrong").location
    shown = browser.get("/account?id=a-1").text
    assert f'<a href="{path}">' in shown
    assert f"A void of {SECOND} is not over" in read(shown.replace("<wbr>", ""))
    assert "Voids that are not over : 1" in read(browser.get("/month?month=2026-03").text)


@pytest.mark.parametrize(
    ("about", "reduced"),
    [("campaign", ["b/2"]), ("file", ["b/2"]), ("overpaid", ["b/1"])],
)
def test_a_void_reduces_what_its_own_campaign_granted_or_of_what_was_overpaid_earlier_ones(
    about: str, reduced: list[str]
) -> None:
    void = {"campaign": "b/2", "about": about}
    others = ("a/1", "b/1", "b/2", "b/3", "b/10", "goodwill-2026-03/1")
    assert [one for one in others if may_reduce(void, one)] == reduced


def test_nothing_can_be_taken_back_where_nothing_is_granted(browser: Browser) -> None:
    assert f"/account/held-1/{INCIDENT_ID}/void" not in forms(browser.get("/account?id=held-1"))


def test_a_plan_of_a_void_that_is_another_by_now_is_not_approved(planned: Browser) -> None:
    filled = {**planned.form(VOID, f"{VOID}/decide"), "action": "approve", "plan_hash": "0" * 64}
    shown = planned.post(f"{VOID}/decide", filled)
    assert (shown.status_code, "The plan has changed under this page" in shown.text) == (409, True)
    assert state(planned) is VoidState.AWAITING_APPROVAL


def test_a_void_is_rejected_with_its_reason(planned: Browser) -> None:
    assert planned.submit(VOID, f"{VOID}/decide", action="reject", reason="").status_code == 422
    assert planned.submit(VOID, f"{VOID}/decide", action="explode", reason="x").status_code == 422
    assert planned.submit(VOID, f"{VOID}/decide", action="settle", reason="x").status_code == 409
    assert planned.submit(VOID, f"{VOID}/decide", action="reject", reason="they keep it").status_code == 303
    assert state(planned) is VoidState.REJECTED


@pytest.mark.parametrize(
    ("role", "asks", "decides"),
    [(Role.REQUESTER, True, False), (Role.APPROVER, False, True), (Role.AUDITOR, False, False)],
)
def test_a_void_is_asked_for_by_requesters_and_decided_by_approvers(role: Role, asks: bool, decides: bool) -> None:
    stack = with_void(with_discretion())
    browser = Browser(stack.world, frozenset({role}), stack).enter()
    assert (f"{PAGE}/void" in forms(browser.get(PAGE))) is asks
    assert (f"{VOID}/decide" in forms(browser.get(VOID))) is decides
    assert VOID in browser.get("/").text


FOUND: dict[str, Any] = {
    "account_id": "A-1002", "subject": "-", "credit_id": CREDIT, "due": "", "state": "rejected",
    "delivery": "billing/12", "code": "unknown_account",
    "amount": "5.00", "reversed": "0.00", "not_on_bills": "5.00", "measure": "EUR",
}  # fmt: skip


class Rejecting(Browser):
    """A browser whose stack answers that a credit was rejected, and keeps what is done with it."""

    def __init__(self, roles: frozenset[Role] = EVERY_ROLE, **done: Any) -> None:
        stack = with_discretion()
        super().__init__(stack.world, roles, stack)
        self.done: list[tuple[Any, ...]] = []
        self.answer: Any = {"credit_id": CREDIT, "state": "due", "second_person_needed": False, **done}
        asked, acted = self.kulanz.ask, self.kulanz.act
        month = {"campaigns": [{"campaign": CAMPAIGN, "lines": [{"measure": "EUR", "by_state": {"rejected": "5.00"}}]}]}
        answers = {
            "acknowledgements.rejected_credits": {"credits": [FOUND], "next": None},
            "acknowledgements.of_month": {**month, "next": None},
        }

        def ask(use: str, query: Any = None, **values: Any) -> Any:
            return answers[use] if use in answers else asked(use, query, **values)

        def act(use: str, content: Any, **values: Any) -> Any:
            if use != "credits.act":
                return acted(use, content, **values)
            self.done.append((dict(content), values["incident"], values["seq"]))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        self.kulanz.ask, self.kulanz.act = ask, act  # type: ignore[method-assign]


def test_a_rejected_credit_is_found_from_the_first_page_and_sent_again() -> None:
    browser = Rejecting().enter()
    assert f'href="{REJECTS}"' in browser.get("/").text
    chosen = f"{REJECTS}?credit={CREDIT}"
    assert f"{chosen}#act" in browser.get(REJECTS).text
    assert f"{REJECTS}/act" not in forms(browser.get(REJECTS)), "first one is chosen"
    target = f"{REJECTS}/act"
    assert browser.submit(chosen, target, action="send_again", reason="").status_code == 422
    done = browser.submit(chosen, target, action="send_again", reason="corrected", biller_account="K-1")
    assert (done.status_code, done.location) == (303, REJECTS)
    sent = {"action": "send_again", "reason": "corrected", "account_id": "A-1002", "subject": "-", "credit_id": CREDIT}
    assert browser.done == [({**sent, "biller_account": "K-1"}, INCIDENT_ID, "1")]
    assert "The credit is due again" in read(browser.get(REJECTS).text)


def test_of_a_rejected_credit_whose_reversal_is_booked_the_rest_is_sent_again_and_a_person_compares_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asks = "Another 2.00 EUR was taken back by a reversal. Compare first"
    chosen = f"{REJECTS}?credit={CREDIT}"
    assert asks not in read(Rejecting().enter().get(chosen).text)
    monkeypatch.setitem(FOUND, "reversed", "2.00")
    monkeypatch.setitem(FOUND, "not_on_bills", "3.00")
    shown = read(Rejecting().enter().get(chosen).text)
    assert asks in shown
    assert "3.00 EUR, A-1002" in shown


def test_a_credit_is_sent_to_another_channel_where_above_an_amount_a_second_person_says_so_too() -> None:
    chosen = f"{REJECTS}?credit={CREDIT}"
    for answer, said in (
        ({"state": "due"}, "The credit is due again"),
        ({"state": "rejected", "second_person_needed": True}, "when another person sends it there, too"),
    ):
        browser = Rejecting(**answer).enter()
        filled = {"action": "send_again", "reason": "moved", "channel": " letters "}
        done = browser.submit(chosen, f"{REJECTS}/act", **filled)
        assert browser.done[0][0]["channel"] == "letters"
        assert said in read(browser.get(done.location).text)
    browser = Rejecting(state="written_off").enter()
    browser.submit(chosen, f"{REJECTS}/act", action="write_off", reason="closed", channel="letters")
    assert "channel" not in browser.done[0][0], "nothing is sent of what is written off"


def test_a_large_credit_is_written_off_by_a_second_person_too() -> None:
    browser = Rejecting(state="rejected", second_person_needed=True).enter()
    chosen = f"{REJECTS}?credit={CREDIT}"
    filled = {"action": "write_off", "reason": "closed", "biller_account": "K-1"}
    done = browser.submit(chosen, f"{REJECTS}/act", **filled)
    assert done.location == chosen
    assert "biller_account" not in browser.done[0][0], "nothing is corrected of what is written off"
    assert "when another person writes it off, too" in read(browser.get(chosen).text)


def test_what_is_refused_of_a_credit_is_said_with_its_form() -> None:
    browser = Rejecting().enter()
    browser.answer = NotAnswered("the credit is not rejected any more", Why.REFUSED)
    shown = browser.submit(f"{REJECTS}?credit={CREDIT}", f"{REJECTS}/act", action="send_again", reason="corrected")
    assert (shown.status_code, "not rejected any more" in shown.text) == (409, True)
    assert forms(shown)[f"{REJECTS}/act"]["reason"] == "corrected"


def test_an_auditor_reads_rejects_and_acts_on_none() -> None:
    browser = Rejecting(frozenset({Role.AUDITOR})).enter()
    page = browser.get(f"{REJECTS}?credit={CREDIT}")
    assert (page.status_code, f"{REJECTS}/act" in forms(page), ANNA.id in page.text) == (200, False, False)


def test_the_biller_is_asked_from_the_page_which_says_how_much_of_which_channel() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer"):
            road.step(step)
        road.world.now += timedelta(seconds=2)  # what was said in the void's own second counts as later
        browser = Browser(road.world, EVERY_ROLE, WorldStack(road.world)).enter()
        asked = browser.post(
            f"{PAGE}/void", {**browser.form(PAGE, f"{PAGE}/void"), "reason": "a wrong list", "at_biller": "yes"}
        )
        run_voids(road.world)
        shown = read(browser.get(asked.location).text)
        assert "at the biller: would be asked back" in shown
        assert re.search(r"billing: [\d.,]+ EUR\. Credits: 2\.", shown)
        assert "at the biller: would be asked back" not in read(browser.get(PAGE).text)
