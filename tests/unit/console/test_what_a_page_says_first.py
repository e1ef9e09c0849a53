"""What stands at the head of an answer, and by which names: the policy's own words, titles, limits, and places."""

import re
from collections.abc import Mapping

import pytest

from kulanz.domain.campaigns.limits import MAJOR_UNITS, SHARES, TIMES_MEDIAN
from tests.support.by_hand import DISCRETION, decide
from tests.support.console_browser import Browser, settled
from tests.support.console_waiting import with_discretion
from tests.support.small_campaign import (
    CAMPAIGN,
    EVERY_KIND_OF_LINE,
    EVERY_KIND_OF_ROW,
    POLICY,
    ROWS,
    event,
    list_of,
    row,
    sealed_policy,
    small_world,
)
from tests.support.world import World
from tests.support.world_door import ANNA, WorldDoor
from tests.support.world_people import to_approve

NOT_AFFECTED, CALLED = "Your line <b>was</b> not affected.", "Your account manager calls you."
SAYING = (
    POLICY.replace("version: 1", "version: 2")
    .replace("    unless: affected\n", f"    unless: affected\n    because: {NOT_AFFECTED}\n")
    .replace('    when: segment = "business"\n', f'    when: segment = "business"\n    because: {CALLED}\n')
)
BECAUSE: Mapping[str, str] = {"declined-1": NOT_AFFECTED, "referred-1": CALLED}
OTHERS = ("granted-1", "declined-2", "held-1", "held-2")


def read(html: str) -> str:
    plain = re.sub(r"<[^>]+>", "", html.replace("<wbr>", "")).replace("&#39;", "'")
    return " ".join(plain.replace("&lt;", "<").replace("&gt;", ">").split())


@pytest.fixture(scope="module")
def saying() -> World:
    """The small campaign, by a policy that says to customers why it declines and refers."""
    world = small_world()
    world.policies.publish("net-credit", 2, sealed_policy(SAYING))
    world.publish(event(rows=ROWS, policy_version=2))
    world.run_until_quiet()
    return world


def because(door: WorldDoor, account: str) -> list[str | None]:
    return [one.get("because") for one in door.get(f"accounts/{account}").content["decisions"]]


def test_the_answer_has_the_words_of_the_clause_that_applies_and_of_no_other(saying: World) -> None:
    door = WorldDoor(saying)
    assert {account: because(door, account) for account in (*BECAUSE, *OTHERS)} == {
        **{account: [said] for account, said in BECAUSE.items()}, **{account: [None] for account in OTHERS},
    }  # fmt: skip


def test_what_a_person_decided_is_not_said_in_the_words_of_the_policy(saying: World) -> None:
    stack = with_discretion(saying.copy())
    assert set(DISCRETION["reasons"]) > {"known_fact"}
    assert because(stack.served, "referred-1") == [CALLED]
    assert decide(stack.served, "referred-1", ANNA, way="decline").status == 200
    assert because(stack.served, "referred-1") == [None]


@pytest.mark.parametrize("account", BECAUSE)
def test_a_page_says_first_why_nothing_is_given(saying: World, account: str) -> None:
    page = Browser(saying).enter().get(f"/account?id={account}").text
    (band,) = re.findall(r'<p class="band">(.*?)</p>', page)
    meaning = {"declined-1": "The account does not get it.", "referred-1": "It waits for a manual review."}[account]
    assert read(band).startswith(f"{meaning} {BECAUSE[account]} ")
    assert "<b>was" not in page


@pytest.mark.parametrize("account", OTHERS)
def test_where_the_policy_has_no_words_nothing_stands_there(saying: World, account: str) -> None:
    page = read(Browser(saying).enter().get(f"/account?id={account}").text)
    assert NOT_AFFECTED not in page
    assert CALLED not in page


def goodwill_of(ticket: str) -> str:
    """The page of an account that was given goodwill on it."""
    stack = with_discretion()
    browser = Browser(stack.world, stack=stack).enter()
    page, target = "/account?id=granted-1", "/account/granted-1/goodwill"
    done = browser.submit(page, target, amount="5.00", measure="EUR", reason="known_fact", ticket=ticket)
    assert done.status_code == 303
    return browser.get(page).text


def test_goodwill_without_a_ticket_has_a_short_title_and_its_id_below() -> None:
    page = goodwill_of("")
    titles = [read(one) for one in re.findall(r"<h2 id=.s\d+.>(.*?)</h2>", page)]
    assert "Goodwill of 2026-03" in titles
    (note,) = re.findall(r'<p class="note">(<bdi>goodwill-.*?)</p>', page)
    assert re.match(r"goodwill-2026-03, console-goodwill-20260301T\d{6}Z-[0-9a-f]{16}, began ", read(note))


def test_a_ticket_is_part_of_the_title_of_what_it_gave() -> None:
    page = goodwill_of("T-7")
    assert "Goodwill of 2026-03, T-7" in [read(one) for one in re.findall(r"<h2 id=.s\d+.>(.*?)</h2>", page)]


@pytest.mark.parametrize("is_stated", [False, True])
def test_a_plan_that_is_within_its_limits_names_them(is_stated: bool) -> None:
    rows = [row(f"a-{number}") for number in range(20)]
    world = small_world(list_of(rows), approvers=())
    sent = event(rows=len(rows))
    del sent["detail"]["campaign"]["limits"]
    if is_stated:
        sent["detail"]["campaign"]["limits"] = {"rejected": "2.5 %", "held": "7 %"}
    world.publish(sent)
    world.run_until_quiet()
    browser = Browser(world).enter()
    limits = browser.kulanz.ask("approvals.plan", incident="net-outage", seq=1)["limits"]
    assert limits.keys() == SHARES.keys()
    shown, german = (
        read(browser.get(f"/plan/{CAMPAIGN}", **{"Accept-Language": one}).text).replace("\u00a0", " ")
        for one in ("en", "de")
    )
    rejected, held = ("2.5 %", "7 %") if is_stated else ("1 %", "25 %")
    assert (
        f"The plan is within its limits. Of its rows at most {rejected} are rejected, 0.1 % contradict another, 0.1 %"
        f" have nearly the id of another, {held} are held. The largest amount is"
    ) in shown
    assert f"else {TIMES_MEDIAN} times the median or {MAJOR_UNITS:,} of its currency" in shown
    assert f"höchstens {rejected.replace('.', ',')} abgewiesen, 0,1 % widersprechen" in german


def test_a_place_in_a_list_says_how_its_row_is_read() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    browser = Browser(world).enter()
    lines = set(EVERY_KIND_OF_LINE.values())
    held = EVERY_KIND_OF_ROW.index(EVERY_KIND_OF_LINE["rejected, wrong type"])
    for page in (
        f"/campaign/{CAMPAIGN}", f"/plan/{CAMPAIGN}", f"/cases/{CAMPAIGN}", f"/sample/{CAMPAIGN}",
        f"/row/{CAMPAIGN}?row={held}&account=bad-yes-no",
    ):  # fmt: skip
        text = read(browser.get(page).text)
        for byte, number in re.findall(r"prints the row at byte ([\d,]+): tail -c \+(\d+) LIST \| head -n 1", text):
            printed = EVERY_KIND_OF_ROW[int(number) - 1 :].split(b"\n")[0]
            assert int(byte.replace(",", "")) == int(number) - 1
            assert printed in lines, page
        assert "/row/" in page or "prints the row at byte" in text, page


def test_the_cells_of_a_plan_that_waits_have_the_names_of_their_columns_where_these_are_not_shown() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    settled(world, lambda one: bool(to_approve(one)))
    page = Browser(world).enter().get("/").text
    (table,) = re.findall(r'<table class="stack".*?</table>', page, re.DOTALL)
    heads = [read(one) for one in re.findall(r"<th role=.columnheader.*?</th>", table)]
    cells = re.findall(r'<t[hd] role="(?:rowheader|cell)"[^>]*?(?:data-name="([^"]*)")?>', table)
    assert len(cells) == len(heads)
    assert [name or head for name, head in zip(cells, heads, strict=True)] == heads
    assert [head for name, head in zip(cells, heads, strict=True) if not name] == ["Campaign", "State"]
