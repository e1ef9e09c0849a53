"""A decision may be deleted only when nothing of it can be used, accepted or decided any more, and a day after that."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from kulanz.domain.decision import Benefit, Decision, Outcome, Validity
from kulanz.domain.ledger.entries import WRITER_LIFE, DecisionKey, Lifetime, entry_like, new_entry
from kulanz.domain.money import Money

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = st.integers(1, 800).map(lambda days: NOW + timedelta(days=days))
BENEFITS = st.tuples(st.integers(1, 900), st.none() | DAYS).map(
    lambda drawn: Benefit(money=Money(drawn[0], "EUR"), validity=Validity(until=drawn[1]))
)

SHORT, LONG = NOW + timedelta(days=30), NOW + timedelta(days=700)
LASTING = [Benefit(money=Money(500, "EUR"), validity=Validity(until=SHORT))]


@example(Outcome.GRANTED, LASTING, LASTING, LONG, SHORT)
@example(Outcome.OFFERED, LASTING, [], LONG, SHORT)
@example(Outcome.GRANTED, LASTING, [], LONG, SHORT)
@given(
    outcome=st.sampled_from([Outcome.GRANTED, Outcome.OFFERED, Outcome.HELD]),
    benefits=st.lists(BENEFITS, min_size=1, max_size=3),
    claimable=st.lists(BENEFITS, max_size=2),
    claim_until=st.none() | DAYS,
    keep_until=DAYS,
)
def test_a_decision_is_kept_as_long_as_anything_of_it_counts(
    outcome: Outcome,
    benefits: list[Benefit],
    claimable: list[Benefit],
    claim_until: datetime | None,
    keep_until: datetime,
) -> None:
    decision = Decision(Outcome.HELD, "held")
    if outcome is not Outcome.HELD:
        decision = Decision(outcome, "credit", tuple(benefits), claimable=tuple(claimable), claim_until=claim_until)
    lifetime = Lifetime.of(decision, NOW, keep_until)
    ends = [one.validity.until for one in decision.benefits]
    counts = [keep_until]
    if outcome is Outcome.GRANTED:
        counts += [end for end in ends if end is not None]
    if outcome is Outcome.OFFERED or claimable:
        counts += [] if decision.claim_until is None else [decision.claim_until]
    assert lifetime.ttl == int((max(counts) + WRITER_LIFE).timestamp())
    if outcome is Outcome.GRANTED:
        assert lifetime.expires_at == (None if None in ends else max(end for end in ends if end is not None))
    elif outcome is Outcome.OFFERED:
        assert lifetime.expires_at == claim_until
    assert lifetime.effective_at == NOW
    first = new_entry(DecisionKey("a-1", "out", "-", 1), 0, "{}", decision, lifetime)
    other = DecisionKey("a-2", "out", "line", 1), 17, '{"v":1}'
    assert entry_like(first, *other) == new_entry(*other, decision, lifetime), (
        "rows of one decision differ in nothing else"
    )
