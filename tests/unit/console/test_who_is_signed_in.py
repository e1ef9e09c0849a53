"""Every page says whose identity it acts with, and in which roles."""

import re
from itertools import combinations
from typing import cast

import pytest

from kulanz.application.door.routes import BY_USE, Role
from kulanz.domain.people.caller import short_id
from kulanz_cli.pages import _shell
from kulanz_cli.stack import Stack, StackUnusable
from kulanz_console.catalogue import catalogue
from kulanz_console.hosted.login import NAME_CHARACTERS_MOST, NAMES
from kulanz_console.routes import QUESTIONS
from kulanz_console.sessions import Who
from kulanz_console.visit import RIGHTS
from tests.support.console_browser import Browser
from tests.support.fake_provider import ISSUER
from tests.support.hosted_browser import ROOT, HostedBrowser
from tests.support.world import World
from tests.unit.console.test_border import waiting
from tests.unit.console.test_roles import path_of

__all__ = ["waiting"]
WHOSE = re.compile(r'<p class="whose">(.*?)</p>')


def whose(page: str) -> str:
    (found,) = WHOSE.findall(page)
    return re.sub(r"<[^>]+>", "", found)


@pytest.mark.parametrize(
    ("actor", "short"),
    [
        ("iam:arn:aws:iam::123456789012:user/anna", "anna"),
        ("sso:anna@example.com", "anna@example.com"),
        ("login:https://id.example/pool#Anna-1", "Anna-1"),
        ("role:arn:aws:sts::123456789012:assumed-role/billing/nightly", "nightly"),
        ("iam:arn:aws:iam::123456789012:root", "iam:arn:aws:iam::123456789012:root"),
        ("aws.events", "aws.events"),
        ("", ""),
    ],
)
def test_an_id_is_shown_by_the_part_that_colleagues_know(actor: str, short: str) -> None:
    assert short_id(actor) == short


def test_of_what_aws_permits_the_roles_are_told_and_none_that_another_has_within_it() -> None:
    for number in range(len(Role) + 1):
        for roles in combinations(Role, number):
            rights = {use: bool(BY_USE[use].roles & set(roles)) for use in RIGHTS}
            reads_policies = set(roles) - {Role.SUPPORT, Role.PUBLISHER}
            shown = set(roles) - {Role.PUBLISHER} if reads_policies else set(roles)
            assert set(Who("x").in_roles(rights)) == shown, roles


def test_a_right_alone_that_is_no_whole_role_is_none() -> None:
    assert Who("x").in_roles({use: use == "accounts.ask" for use in RIGHTS}) == []
    assert Who("x").in_roles(dict.fromkeys(RIGHTS, False)) == []


def test_every_page_of_a_console_on_this_machine_says_whose_credentials_it_has(waiting: World) -> None:
    roles = frozenset({Role.APPROVER, Role.FINANCE})
    browser = Browser(waiting, roles)
    browser.entry._who = Who("sso:anna@example.com")
    browser.enter()
    for one in QUESTIONS:
        page = browser.get(path_of(one.path)).text
        assert whose(page) == "anna@example.com · approver, finance · Stack kulanz", one.path
        assert 'title="sso:anna@example.com"' in page
        assert "End this session" in page


def test_where_aws_does_not_say_who_it_is_the_roles_stand_alone(waiting: World) -> None:
    assert whose(Browser(waiting, frozenset({Role.SUPPORT})).enter().get("/").text) == "support · Stack kulanz"
    nobody = Browser(waiting, frozenset()).enter()
    assert whose(nobody.get("/").text) == "no role of Kulanz · Stack kulanz"


def test_every_hosted_page_says_who_is_signed_in_and_lets_them_sign_out(waiting: World) -> None:
    browser = HostedBrowser(waiting, Role.OPERATOR, Role.SUPPORT)
    browser.sign_in()
    for one in QUESTIONS:
        page = browser.get(path_of(one.path)).text
        assert whose(page) == "anna · support, operator · Stack kulanz", one.path
        assert f'action="{ROOT}/end"' in page
        assert "Sign out" in page
        assert "End this session" not in page


def test_before_and_after_a_session_nobody_is_named(waiting: World) -> None:
    browser = HostedBrowser(waiting, Role.OPERATOR)
    assert whose(browser.get("/").text) == "Stack kulanz"
    browser.sign_in()
    token = browser.form("/", "/end")["form_token"]
    assert WHOSE.findall(browser.post("/end", {"form_token": token}).text) == []


def test_a_person_is_called_as_the_people_file_says_and_else_as_the_provider_does(waiting: World) -> None:
    browser = HostedBrowser(waiting, Role.SUPPORT, sub="7a0e")
    stated: dict[str, str] = {}
    browser.provider.changed = lambda claims: {**claims, **stated}
    for name in reversed(NAMES):  # each is shown before those that were stated so far
        stated[name] = f"by {name}"
        browser.sign_in()
        assert whose(browser.get("/").text).startswith(f"by {name} · support")
    browser.list_the_person()
    assert whose(browser.get("/").text).startswith("by name"), "as of the login, as the roles are"
    browser.sign_in()
    assert whose(browser.get("/").text).startswith("anna · support")
    assert f'title="login:{ISSUER}#7a0e"' in browser.get("/").text


@pytest.mark.parametrize("name", ["", "  ", 7, None, ["Anna"], "An\nna", "An\u202ena"])
def test_a_name_that_is_none_is_not_shown(waiting: World, name: object) -> None:
    browser = HostedBrowser(waiting, Role.SUPPORT, sub="7a0e")
    browser.provider.changed = lambda claims: {**claims, "name": name}
    browser.sign_in()
    assert whose(browser.get("/").text).startswith("7a0e · support")


def test_a_name_is_text_and_has_an_end(waiting: World) -> None:
    browser = HostedBrowser(waiting, Role.SUPPORT)
    browser.provider.changed = lambda claims: {**claims, "name": "<b>" + "n" * NAME_CHARACTERS_MOST}
    browser.sign_in()
    page = browser.get("/").text
    assert "&lt;b&gt;nnn" in page
    assert "n" * (NAME_CHARACTERS_MOST - 2) not in page


def test_the_roles_are_said_in_the_language_of_the_page(waiting: World) -> None:
    browser = Browser(waiting).enter()
    page = browser.get("/", **{"Accept-Language": "de"}).text
    said = [catalogue("de")[role.value] for role in Role if role is not Role.PUBLISHER]
    assert whose(page).startswith(", ".join(said))
    assert catalogue("de")[Role.PUBLISHER.value] not in said


class Shell:
    """A stack at which the shell's credentials are somebody's, or nobody's."""

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def caller(self) -> str:
        if not self._arn:
            raise StackUnusable("AWS does not say who you are")
        return self._arn


@pytest.mark.parametrize(
    ("arn", "actor"),
    [
        ("arn:aws:iam::123456789012:user/staff/Anna", "iam:arn:aws:iam::123456789012:user/anna"),
        ("arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Approver_0a/Anna@example.com", "sso:anna@example.com"),
        ("", ""),
    ],
)
def test_whose_credentials_a_shell_has_aws_says(arn: str, actor: str) -> None:
    assert _shell(cast("Stack", Shell(arn))) == Who(actor)
