"""What a person decided about a subject that waited for one: it stands beside the decision's body.

The body never changes. By whom and when it was decided, for which reason and with which facts supplied, is written
once; what the decision grants from then on is this one's benefits.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.policy.deciding.history import HistoryValues, history_content, values_of_history
from kulanz.domain.time import format_instant, parse_instant

DECIDABLE = frozenset({Outcome.HELD, Outcome.REFERRED})
"""The outcomes that wait for a person."""


class CaseKind(StrEnum):
    """Why something waits: the policy held or referred it, another row contradicts it, or its row cannot be read."""

    HELD = "held"
    REFERRED = "referred"
    CONFLICT = "conflict"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class CaseRow:
    """The row of the list that a case is about, by the byte at which it starts, where that is no decided row.

    CONFLICT: a row that contradicts the one that was decided. REJECTED: a row that cannot be read.
    """

    kind: CaseKind
    offset: int


class Way(StrEnum):
    """How it was decided: by the policy with the facts supplied, by an amount, or that nothing is given."""

    POLICY = "policy"
    AMOUNT = "amount"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class HandDecision:
    """A decision by hand. `id` is the action's own, that its caller chose.

    `decision` is granted or declined. `reason` is a code of the discretion file and `title` what that said. `facts` are
    those that the person supplied, as texts by name. `second` is the person who agreed, and `second_id` the id of that
    action; both are empty where none was needed. `earlier` is what earlier campaigns had granted, as exact texts by
    measure, where the policy set it off. `row` is the row that the person goes by, where that is not the decided one.
    `history` is what was read of the subject's earlier incidents, where the policy decided by it; None where it keeps
    none, and of decisions of earlier releases, which do not say it.
    """

    id: str
    at: datetime
    way: Way
    decision: Decision
    reason: str
    title: str
    person: str
    second: str = ""
    second_id: str = ""
    note: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[str, str] = field(default_factory=dict)
    row: CaseRow | None = None
    history: HistoryValues | None = None

    @property
    def persons(self) -> int:
        """How many persons decided it."""
        return 2 if self.second else 1

    def to_text(self) -> str:
        """This as canonical JSON."""
        content = {
            "id": self.id,
            "at": format_instant(self.at),
            "way": self.way.value,
            "decision": self.decision.to_body(),
            "reason": self.reason,
            "title": self.title,
            "person": self.person,
            **({"second": [self.second, self.second_id]} if self.second else {}),
            **({"note": self.note} if self.note else {}),
            **({"facts": dict(self.facts)} if self.facts else {}),
            **({"earlier": dict(self.earlier)} if self.earlier else {}),
            **({} if self.row is None else {"row": [self.row.kind.value, self.row.offset]}),
            **({} if self.history is None else {"history": history_content(self.history)}),
        }
        return canonical_json(content)

    @classmethod
    def from_text(cls, text: str) -> "HandDecision":
        """Read what `to_text` wrote."""
        content = json.loads(text)
        second, second_id = content.get("second", ("", ""))
        row = content.get("row")
        return cls(
            id=content["id"],
            at=parse_instant(content["at"]),
            way=Way(content["way"]),
            decision=Decision.from_body(content["decision"]),
            reason=content["reason"],
            title=content["title"],
            person=content["person"],
            second=second,
            second_id=second_id,
            note=content.get("note", ""),
            facts=content.get("facts", {}),
            earlier=content.get("earlier", {}),
            row=None if row is None else CaseRow(CaseKind(row[0]), row[1]),
            history=None if "history" not in content else values_of_history(content["history"]),
        )
