"""What a person is shown of each case and answered to each decision, whole, and why each of them is refused.

A person decides by what is shown: the row, the steps, what would be owed, and what stands already. The world has one
account of each kind, and each is decided in each way; answers are compared with an approved text.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kulanz.application.door.serve import Reply
from tests.support.approved import must_be_as_approved
from tests.support.by_hand import CARLA, decide, door_of, look, second
from tests.support.small_campaign import CAMPAIGN
from tests.support.world_door import ANNA
from tests.unit.application.cases.test_conflicts_and_rejected import at, closed

CASES: dict[str, tuple[str, int | None]] = {
    "held": ("held-1", None), "granted": ("right-1", None), "nobody": ("nobody", None),
    "more than stands": ("torn-1", at("more")), "the decided row itself": ("torn-1", at("less")),
    "declined, and owed by the other": ("torn-2", at("in fact")), "a wrong fact": ("bad-fee", at("wrong fact")),
    "an account that cannot be": ("b-d", at("wrong account")), "no account": ("anna-1", at("no account")),
    "somebody else's row": ("held-1", at("wrong fact")), "an account that has a row": ("right-1", at("no account")),
    "no row begins there": ("held-1", at("open") + 1), "no row at all": ("held-1", 10**9),
}  # fmt: skip
WAYS: dict[str, dict[str, Any]] = {
    "by the policy": {}, "with a fact": {"facts": {"fee": "30.00"}},
    "with a fact that is none": {"facts": {"fee": "x"}},
    "with an empty fact": {"facts": {"fee": ""}}, "with a fact that is stated": {"facts": {"segment": "business"}},
    "with a fact that declines": {"facts": {"fee": "0.00"}}, "with a large fact": {"facts": {"fee": "900.00"}},
    "an amount": {"way": "amount", "amount": "1.00", "measure": "EUR"},
    "an amount above one person's": {"way": "amount", "amount": "5.01", "measure": "EUR"},
    "an amount above two persons'": {"way": "amount", "amount": "50.01", "measure": "EUR"},
    "nothing": {"way": "amount", "amount": "0.00", "measure": "EUR"},
    "less than nothing": {"way": "amount", "amount": "-1.00", "measure": "EUR"},
    "too fine": {"way": "amount", "amount": "1.001", "measure": "EUR"},
    "another currency": {"way": "amount", "amount": "1.00", "measure": "USD"},
    "no measure": {"way": "amount", "amount": "1.00", "measure": "E U R"},
    "minutes": {"way": "amount", "amount": "7", "measure": "call_minute"}, "declined": {"way": "decline"},
    "an unknown reason": {"way": "decline", "reason": "whim"},
    "a reason that wants a note": {"way": "decline", "reason": "other"},
    "a reason with its note": {"way": "decline", "reason": "other", "note": "as agreed"},
}  # fmt: skip
FEW = ("by the policy", "with a fact", "an amount", "an amount above one person's", "declined")
"""Those in which each case is decided; the first one is decided in all."""
LEFT_OUT = frozenset({"seen", "hash", "at", "instance", "policy_hash"})


def plain(value: Any) -> Any:
    """An answer without what is another in each release."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items() if name not in LEFT_OUT}
    return [plain(one) for one in value] if isinstance(value, list) else value


def said(reply: Reply) -> Iterator[str]:
    yield f"  {reply.status}"
    for name, value in plain(reply.content).items():
        yield f"    {name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"


def came(reply: Reply) -> str:
    """What a decision came to, or the reason, the field and the sentence of its refusal."""
    content = plain(reply.content)
    if reply.status == 200:
        return f"    {content['state']} {json.dumps(content['by_hand'], ensure_ascii=False)}"
    fields = ", ".join(one["field"] for one in content.get("errors", ()))
    return f"    {reply.status} {content.get('reason', '')} {fields}: {content['detail']}"


def test_what_is_shown_of_each_case_and_answered_to_each_decision_is_as_it_was_approved() -> None:
    lines: list[str] = []
    for name, (account, row) in CASES.items():
        shown = look(door_of(closed()), account, row=row)
        lines += [f"# {name}", *said(shown)]
        if shown.status != 200:  # a decision names what was seen
            content = {
                "way": "policy",
                "reason": "known_fact",
                "seen": "0" * 64,
                **({} if row is None else {"row": row}),
            }
            blind = door_of(closed()).put(f"case-decisions/{account}/{CAMPAIGN}/d-1", content, ANNA)
            lines += ["  decided all the same", came(blind)]
            continue
        answers: dict[str, list[str]] = {}
        place: dict[str, Any] = {} if row is None else {"row": row}
        for way in WAYS if name == "held" else FEW:
            answers.setdefault(came(decide(door_of(closed()), account, **place, **WAYS[way])), []).append(way)
        for answer, ways in answers.items():
            lines += [f"  {', '.join(ways)}:", answer]
    must_be_as_approved("\n".join(lines) + "\n", Path(__file__))


def refused(reply: Reply) -> tuple[int, str, str, str]:
    content = reply.content
    return reply.status, content.get("reason", ""), content.get("detail", ""), content.get("field", "")


def test_what_refuses_a_second_person_is_said_whole() -> None:
    world = closed()
    door = door_of(world)
    nothing = second(door, "held-1", CARLA, "0" * 64)
    assert refused(nothing)[1:3] == ("nothing_waits", "nothing of this case waits for a second person")
    waits = decide(door, "held-1", way="amount", amount="20.00", measure="EUR").content
    assert refused(second(door, "held-1", CARLA, "0" * 64))[1:3] == (
        "proposal_differs", "another decision waits by now; look at it, then agree to its hash",
    )  # fmt: skip
    assert refused(second(door, "held-1", ANNA, waits["hash"], "s-9"))[2].startswith(
        "who decided first cannot agree; ask another person ("
    )
    another = decide(door, "held-1", CARLA, "d-2", way="amount", amount="21.00", measure="EUR")
    assert refused(another)[1:3] == (
        "waits_for_second", "a decision of this case waits for a second person: agree to it, or reject it",
    )  # fmt: skip
