"""A question of which any call fails is not answered by half: nothing is printed as an answer, no file is written."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kulanz_cli.door import DoorProblem
from kulanz_cli.outcomes import EXIT_UNUSABLE
from tests.support.answering import Answering
from tests.support.world_stack import run
from tests.unit.cli.test_edges_of_billing import LATE, delivered, month, pages_of
from tests.unit.cli.test_edges_of_voids_and_drafts import UNREAD, of_month, void
from tests.unit.cli.test_edges_of_voids_and_drafts import listed as draft
from tests.unit.cli.test_every_sentence import CASE, LISTED, campaign_cases, listed
from tests.unit.cli.test_what_is_asked import BILL, CREDIT_FIELDS, C
from tests.unit.cli.test_what_programs_are_told import ENTRY

OF_CAMPAIGN = {"delivery": delivered("sent"), "additions": [], "why_not": "", "to_be_booked": []}
CREDITS = {"credits": [dict.fromkeys(CREDIT_FIELDS, "x")]}
CREDIT = {
    "account_id": "a-1", "subject": "-", "credit_id": "c", "state": "rejected", "code": "x", "amount": "1.00",
    "not_on_bills": "1.00", "reversed": "0.00",
    "measure": "EUR",
}  # fmt: skip
FILE = {"v": 1, "id": "f", "finished": True, "results": [], "problems": [], "lines": 1, "key": "k", "opened_at": "o"}
QUESTIONS: Mapping[tuple[str, ...], Mapping[str, list[Any]]] = {
    ("overdue", "--csv", "FILE"): {
        "acknowledgements.overdue": [{"overdue": LATE, "due_soon": []}], "acknowledgements.late_credits": [CREDITS] * 2,
    },
    ("deliveries",): {"deliveries.waiting": [{"deliveries": [delivered("sent")], "kept_back": []}]},
    ("deliveries", "--channel", "billing"): {"deliveries.of_channel": [{"deliveries": [delivered("sent")]}] * 3},
    ("deliveries", "--campaign", C): {
        "deliveries.of_campaign": [OF_CAMPAIGN], "acknowledgements.of_campaign": [BILL],
    },
    ("credits", C): {"acknowledgements.rejected_credits": [{"credits": [CREDIT]}] * 3},
    ("acknowledgements", "--channel", "billing", "--one", "0123456789ab"): {"acknowledgements.one": [FILE] * 3},
    ("budget", "show", "--since", "2026-03"): {
        "budgets.since": [{"month": "2026-03", "budgets": [of_month("2026-03")]}] * 2,
    },
    ("cases", "--month", "2026-02"): {
        "cases.of_month": [{"campaigns": [campaign_cases(3, "2027-02-03T09:00:00Z")]}] * 2,
    },
    ("cases", C): {"cases.of_campaign": [{"v": 1, **listed(*LISTED)}] * 2},
    ("cases", C, "a-1"): {"cases.one": [CASE]},
    ("drafts", "--month", "2026-03"): {
        "drafts.of_month": [{"drafts": [draft("it-1-a", "new", 0)], "unread": [UNREAD]}] * 2,
    },
    ("log", C): {"audit.of_campaign": [{"entries": [ENTRY]}] * 2},
    ("void", C): {"voids.of_campaign": [{"voids": [void("voided")]}]},
    ("incidents", "--month", "2026-03"): {
        "incidents.of_month": [{"incidents": [{"incident_id": "in-1", "first_recorded_at": "2026"}]}] * 2,
    },
}  # fmt: skip


class Failing(Answering):
    """A stack of whose answers the one of a number cannot be had; `made` counts them."""

    def __init__(self, answers: Mapping[str, Any], fails_at: int) -> None:
        super().__init__(**{use.replace(".", "__"): found for use, found in answers.items()})
        self.made, self._fails_at = 0, fails_at

    def _count(self) -> None:
        self.made += 1
        if self.made > self._fails_at:
            raise DoorProblem("the stack's API did not answer; try again")

    def ask(self, use: str, *query: object, **of: object) -> Any:
        self._count()
        return super().ask(use, *query, **of)

    def pages(self, use: str, *query: object, **of: object) -> Iterator[Any]:
        for page in super().pages(use, *query, **of):
            self._count()
            yield page


def answered(words: tuple[str, ...], answers: Mapping[str, Any], fails_at: int, folder: Path) -> Any:
    stack = Failing(answers, fails_at)
    shown = run(stack, *(str(folder / "written") if word == "FILE" else word for word in words))
    return stack.made, shown


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
@pytest.mark.parametrize("words", [*QUESTIONS, ("month", "2026-03", "--html", "FILE")], ids=" ".join)
def test_a_question_of_which_any_call_fails_is_not_answered_by_half(
    words: tuple[str, ...], form: tuple[str, ...], tmp_path: Path
) -> None:
    answers = QUESTIONS[words] if words in QUESTIONS else dict(pages_of(month())._pages)
    if words[0] == "month":
        answers = {**answers, "campaigns.troubles": [{"troubles": []}]}
    calls, whole = answered((*words, *form), answers, 1_000, tmp_path)
    assert (bool(whole.stdout), whole.exit_code in (0, 1), calls > 0) == (True, True, True), whole.output
    for one in tmp_path.iterdir():
        one.unlink()
    for number in range(calls):
        made, shown = answered((*words, *form), answers, number, tmp_path)
        assert (made, shown.exit_code, shown.stdout) == (number + 1, EXIT_UNUSABLE, ""), number
        assert "try again" in shown.stderr
        assert list(tmp_path.iterdir()) == [], number
