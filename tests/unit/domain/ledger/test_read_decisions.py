"""A stored body is read as it is, whatever was read before it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import Decision, Notice, Outcome
from kulanz.domain.ledger.entries import decision_body, read_decision, row_digest_of, without_digest
from kulanz.domain.ledger.former_accounts import with_former
from kulanz.domain.lists.former_ids import Former
from tests.support.values import FIRST, NOW

TEXTS = st.text(max_size=6) | st.sampled_from(['"row":"', "row", 'x","row":"y', ""])


@given(
    digests=st.lists(st.text("0123456789abcdef", min_size=1, max_size=32), min_size=2, max_size=3),
    values=st.dictionaries(TEXTS, TEXTS, max_size=2),
    reason=TEXTS,
    has_former=st.booleans(),
)
def test_bodies_that_differ_in_their_rows_alone_have_their_own_decisions(
    digests: list[str], values: dict[str, str], reason: str, has_former: bool
) -> None:
    decision = Decision(Outcome.DECLINED, reason, notice=Notice("declined", "de", "", values))
    alike = set()
    for digest in digests:
        body = decision_body(FIRST, "3", "hash", digest, decision)
        body = with_former(body, Former("old", NOW)) if has_former else body
        assert body == canonical_json(json.loads(body))
        assert read_decision(body) == Decision.from_body(json.loads(body)) == decision
        assert row_digest_of(body) == digest
        alike.add(without_digest(body))
    assert len(alike) == 1
