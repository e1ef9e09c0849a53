"""What the customer of a decision was told: each notice as a fact with its name."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kulanz.domain.decision import Notice
from kulanz.domain.identifiers import month_of_goodwill
from kulanz_console.drawing.said import Given, Said, joined
from kulanz_console.drawing.text import seconds

if TYPE_CHECKING:
    from kulanz.application.door.accounts import DecisionAnswer


def notices(content: "DecisionAnswer", notice: Notice | None, *, is_accepted: bool) -> Iterator[tuple[str, str]]:
    """The notice of what was decided first, those of what was taken back, and what persons did without one."""
    if notice is not None:
        is_first = "by_hand" not in content and not is_accepted
        since = Said("for sending since {at}", at=seconds(content["effective_at"])) if is_first else ""
        what = Said(
            "{kind}, in {locale}, by {channel}",
            kind=notice.kind, locale=Given(notice.locale), channel=Given(notice.channel),
        )  # fmt: skip
        knows, named = "whoever sends the notices knows whether it was sent", Given(f"id {content['notice_id']}")
        yield "notice", joined("; ", (what, since, knows, named))
    elif month_of_goodwill(content["campaign"].rpartition("/")[0]):
        yield "notice", "none: Kulanz tells the customer nothing of goodwill; whoever gave it does"
    else:
        yield "notice", "none: the policy has no text for this outcome, or chose no channel"
    if "by_hand" in content:
        yield "not told", "what was decided by hand; whoever decided it tells the customer"
    back = content.get("taken_back", ())
    for told, at in ((one["notice"], one["at"]) for one in back if "notice" in one):
        what = Said(
            "what was taken back, in {locale}, by {channel}",
            locale=Given(told["locale"]), channel=Given(told["channel"]),
        )  # fmt: skip
        yield "notice", joined("; ", (what, Said("for sending since {at}", at=seconds(at)), Given(f"id {told['id']}")))
    if any("notice" not in one for one in back):
        yield "not told", "what was taken back; whoever asked for that tells the customer"
