"""What the pages say of the API is what its table of routes says: the OpenAPI document, routes, roles, problems."""

import re

import pytest

from kulanz.application.door.problems import Kind
from kulanz.application.door.routes import ROUTES, Role
from kulanz_local.api_pages import pages
from kulanz_local.embedded import PROJECT

DOCS = PROJECT / "docs"
PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_the_table_writes_it(name: str) -> None:
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == PAGES[name], "run `python -m kulanz_local.api_pages` and read the difference"


def test_every_problem_has_a_line_with_its_status_and_what_to_do() -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \| .+ \| .+ \|$", page, re.MULTILINE)
    assert sorted(lines) == sorted((kind.code, str(kind.status)) for kind in Kind)


def test_every_role_and_every_route_is_described() -> None:
    roles = (DOCS / "roles.md").read_text(encoding="utf-8")
    for role in Role:
        section = roles.partition(f"\n### {role.value}\n")[2].partition("\n### ")[0]
        for route in ROUTES:
            assert (f"`{route.key}`" in section.partition("<!-- end")[0]) is (role in route.roles), (role, route.key)
