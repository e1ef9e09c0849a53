"""Values of everything that is stored in which no field has its default, drawn anew for each test.

A field that a store does not write, or does not read back, reads as its default, or as another field. Values that are
all drawn show it, and a field that is added to a class has no strategy here until somebody gives it one.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kulanz.domain.budgets import Counted, LimitSet, Needed, Reservation
from kulanz.domain.campaigns.amounts import AmountPlace, Amounts, Distribution, plain_size
from kulanz.domain.campaigns.campaign import (
    Campaign,
    CampaignId,
    Cause,
    Chunks,
    Frozen,
    Pass,
    PinnedList,
    Receipt,
    SameOutage,
    State,
    StateChange,
)
from kulanz.domain.campaigns.changed_accounts import ChangedAccounts
from kulanz.domain.campaigns.ends import EndOf, counted_end
from kulanz.domain.campaigns.limits import SHARES, Limits
from kulanz.domain.campaigns.measured import Commitment, LargestAmount, Measured
from kulanz.domain.campaigns.reconciliation import DIGEST_MODULUS, CountKey, RowResult, SumKey, Totals, WriteResult
from kulanz.domain.campaigns.repeats import HASHES, Repeats
from kulanz.domain.campaigns.stretches import Stretch
from kulanz.domain.confirmation import Confirmation, Occasion, Tables
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.gate.stated import Stated
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.incident_record import IncidentRecord, Revision
from kulanz.domain.ledger.entries import DecisionKey, Entry
from kulanz.domain.ledger.hand_decision import CaseKind, CaseRow, HandDecision, Way
from kulanz.domain.lists.check_digits import CHECK_DIGITS
from kulanz.domain.lists.header import ListFormat, ListLayout
from kulanz.domain.lists.id_shape import IdShape
from kulanz.domain.policy.deciding.history import Addition, SubjectHistory, Taken

TEXTS = st.text(st.characters(codec="utf-8", min_codepoint=32), min_size=1, max_size=12)
NAMES = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz_0123456789"), min_size=1, max_size=12)
INCIDENT_IDS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
ACCOUNT_IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,20}", fullmatch=True)
SEQS = st.integers(1, 999)
COUNTS = st.integers(1, 10**12)
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (given a zone)
SIZES = st.one_of(COUNTS, st.decimals("0.000001", "1000000", places=6).map(plain_size))
MEASURES = st.sampled_from(["EUR", "USD", "call_minute", "GB:3 x 100|each", "data:unlimited"])
CAMPAIGN_IDS = st.builds(CampaignId, INCIDENT_IDS, SEQS)


def every_field[Value](
    made: Callable[..., Value], worked_out: frozenset[str] = frozenset(), **strategies: SearchStrategy[Any]
) -> SearchStrategy[Value]:
    """Values of a dataclass with a strategy for each of its fields, none of which has the field's default.

    What is `worked_out` of other things that are stored is not stored by itself.
    """
    declared: dict[str, Field[Any]] = {one.name: one for one in fields(made)}  # type: ignore[arg-type] # it is a class
    without = (declared.keys() - worked_out) ^ strategies.keys()
    assert not without, f"{made}: give each field a strategy in this module, so that it is seen to be stored: {without}"
    given = {name: strategy.filter(_is_not(default_of(declared[name]))) for name, strategy in strategies.items()}
    return st.builds(made, **given)


def default_of(field: Field[Any]) -> Any:
    """What a field is where nothing is stated; MISSING where something must be."""
    return field.default if field.default_factory is MISSING else field.default_factory()


def _is_not(default: Any) -> Callable[[Any], bool]:
    return lambda value: default is MISSING or value != default


def few[Item](items: SearchStrategy[Item], most: int = 4) -> SearchStrategy[list[Item]]:
    """One to four different items."""
    return st.lists(items, min_size=1, max_size=most, unique=True)


SHAPES = every_field(
    IdShape,
    pattern=st.sampled_from([r"[A-Z]{2}-\d{8}", r"\d{10}"]),
    minimum=st.integers(2, 10),
    maximum=st.integers(10, 63),
    check=st.sampled_from(sorted(CHECK_DIGITS)),
)
LIMITS = every_field(
    Limits,
    shares=st.fixed_dictionaries({name: st.fractions(0, 1).filter(_is_not(share)) for name, share in SHARES.items()}),
    largest=st.dictionaries(MEASURES, SIZES, min_size=1),
    total=st.dictionaries(MEASURES, SIZES, min_size=1),
    stated=st.dictionaries(NAMES, st.sampled_from(["policy", "request"]), min_size=1),
)
PINNED = every_field(PinnedList, bucket=TEXTS, key=TEXTS, version_id=TEXTS, etag=TEXTS, size=st.integers(10**6, 10**9))
LAYOUTS = every_field(
    ListLayout,
    format=st.sampled_from(ListFormat),
    columns=few(TEXTS).map(tuple),
    data_start=st.integers(1, 10**5),
    account_ids=SHAPES,
    subject_ids=SHAPES,
)
SUMS = st.dictionaries(
    st.builds(SumKey, st.sampled_from(RowResult), st.sampled_from(WriteResult), MEASURES), SIZES, min_size=1, max_size=4
)
TOTALS = every_field(
    Totals,
    lines=COUNTS,
    unbalanced_quotes=COUNTS,
    digest=st.integers(1, DIGEST_MODULUS - 1),
    counts=st.dictionaries(
        st.builds(CountKey, st.sampled_from(RowResult), NAMES, st.sampled_from(WriteResult)),
        COUNTS,
        min_size=1,
        max_size=4,
    ).map(Counter),
    sums=SUMS,
    ends=st.dictionaries(st.builds(EndOf, MEASURES, INSTANTS.map(counted_end)), SIZES, min_size=1, max_size=4),
)
_NO_PROGRESS = "what receipts add up to; test_stored_fields records receipts for it"


@st.composite
def _distributions(draw: st.DrawFn) -> Distribution:
    """Amounts that were counted one by one, or so many that they are in ranges."""
    made = Distribution()
    many = draw(st.booleans())
    for size in draw(st.lists(SIZES, min_size=30 if many else 1, max_size=31 if many else 5, unique=True)):
        made.count(size, draw(st.integers(1, 10**6)))
    return made


def _plain_amounts(by_reason: bool) -> SearchStrategy[dict[AmountPlace, Distribution]]:
    reasons = NAMES if by_reason else st.just("")
    places = st.builds(AmountPlace, st.sampled_from(RowResult), reasons, MEASURES)
    return st.dictionaries(places, _distributions(), min_size=1, max_size=3)


AMOUNTS = st.one_of(
    st.builds(Amounts, _plain_amounts(by_reason=True)),
    st.builds(Amounts, _plain_amounts(by_reason=False), st.just(False)),
    st.just(Amounts({}, is_by_reason=False, is_complete=False)),
)


@st.composite
def _repeats(draw: st.DrawFn) -> Repeats:
    made = Repeats(draw(st.integers(1, HASHES - 1)))
    hashes = st.integers(0, made.bound - 1)
    for _ in range(draw(st.integers(1, 5))):
        digest = draw(st.binary(min_size=16, max_size=16))
        for _ in range(draw(st.integers(1, 3))):
            made.see(draw(hashes), draw(ACCOUNT_IDS), draw(ACCOUNT_IDS), digest.hex())
    return made


LARGEST = st.dictionaries(
    MEASURES,
    st.lists(st.builds(LargestAmount, SIZES, COUNTS, COUNTS), min_size=1, max_size=3, unique_by=lambda one: one.size),
    min_size=1,
).map(lambda found: {measure: {one.size: one for one in amounts} for measure, amounts in found.items()})
COMMITMENTS = every_field(
    Commitment,
    claimable=st.dictionaries(MEASURES, SIZES, min_size=1),
    largest=LARGEST,
    first_due=st.dates(),
    first_end=INSTANTS,
    last_claim=INSTANTS,
    is_claimable_without_end=st.just(True),
)
MONTHS = st.from_regex(r"20[0-9]{2}-(0[1-9]|1[0-2])", fullmatch=True)
RESERVATIONS = every_field(
    Reservation,
    campaign=CAMPAIGN_IDS.map(str),
    currency=st.sampled_from(["EUR", "USD"]),
    month=MONTHS,
    granting=COUNTS,
    claimable=COUNTS,
    at_most=COUNTS,
    drawn=COUNTS,
    is_settled=st.just(True),
    is_over=st.just(True),
    claims_until=INSTANTS,
    version=COUNTS,
)
LIMITS_SET = every_field(
    LimitSet,
    id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,20}", fullmatch=True),
    currency=st.sampled_from(["EUR", "USD"]),
    month=MONTHS,
    limit=COUNTS,
    actor=TEXTS,
    reason=TEXTS,
    at=INSTANTS,
)
COUNTED = every_field(
    Counted,
    position=COUNTS,
    sums=st.dictionaries(st.sampled_from(["EUR", "USD"]), st.builds(Needed, COUNTS, COUNTS), min_size=1),
)
STATED = every_field(
    Stated,
    id=TEXTS,
    amounts=st.dictionaries(st.sampled_from(["EUR", "USD"]), st.builds(Needed, COUNTS, COUNTS), min_size=1),
    person=TEXTS,
    reason=TEXTS,
    at=INSTANTS,
    second=TEXTS,
    second_id=TEXTS,
    is_settled=st.booleans(),
)
HASHES_64 = st.integers(0, 2**64 - 1)
CHANGED = st.builds(ChangedAccounts, st.dictionaries(st.tuples(HASHES_64, HASHES_64), COUNTS, min_size=1, max_size=5))
MEASURED = every_field(
    Measured,
    amounts=AMOUNTS,
    repeats=_repeats(),
    known=COUNTS,
    other_currency=COUNTS,
    commitment=COMMITMENTS,
    changed=CHANGED,
)
OTHERS = every_field(
    SameOutage, same_list=few(CAMPAIGN_IDS).map(tuple), other_list=few(CAMPAIGN_IDS).map(tuple), is_whole=st.booleans()
)
CAUSES = every_field(Cause, actor=TEXTS, event_id=TEXTS, code_version=TEXTS)
FROZEN = every_field(Frozen, policy=TEXTS.map(str.encode), incident=TEXTS.map(str.encode))
RECORDS = every_field(
    IncidentRecord,
    incident_id=INCIDENT_IDS,
    version=COUNTS,
    highest_revision=COUNTS,
    revision_digests=st.dictionaries(COUNTS, NAMES, min_size=1, max_size=5),
    decidable_until=INSTANTS,
    next_seq=SEQS,
    open_seq=SEQS,
    applied=few(SEQS).map(lambda found: tuple(sorted(found))),
    requests=st.dictionaries(NAMES, SEQS, min_size=1, max_size=4),
    voiding=TEXTS,
)
REVISIONS = every_field(
    Revision,
    incident_id=INCIDENT_IDS,
    number=st.integers(1, 10**15),
    detail_type=TEXTS,
    content=TEXTS.map(str.encode),
    digest=TEXTS,
    recorded_at=INSTANTS,
    source=TEXTS,
)
CHANGES = every_field(
    StateChange,
    number=st.integers(1, 999_999),
    at=INSTANTS,
    source=st.sampled_from(State),
    target=st.sampled_from(State),
    reason=TEXTS,
    cause=CAUSES,
    others=OTHERS,
    decides_by=TEXTS,
)
STRETCHES = st.builds(Stretch, COUNTS, st.integers(1, 2**32 - 1), st.binary(min_size=16, max_size=16))
RECEIPTS = every_field(
    Receipt,
    campaign=CAMPAIGN_IDS,
    work=st.sampled_from(Pass),
    chunk=st.integers(1, 19_999),
    start=st.integers(1, 10**12),
    end=st.integers(10**12, 10**13),
    moved_from=st.integers(1, 10**12),
    finishes_chunk=st.just(True),
    totals=TOTALS,
    read=NAMES,
    measured=MEASURED,
    stretches=few(st.builds(Stretch, COUNTS, st.integers(1, 2**32 - 1), st.binary(min_size=16, max_size=16))).map(
        tuple
    ),
)
CONFIRMATIONS = every_field(
    Confirmation,
    tables=every_field(Tables, credits=TEXTS, campaigns=TEXTS),
    occasion=st.sampled_from(Occasion),
    actor=TEXTS,
    reason=TEXTS,
    at=INSTANTS,
)
KEYS = every_field(
    DecisionKey,
    account_id=ACCOUNT_IDS,
    incident_id=INCIDENT_IDS,
    subject=st.one_of(st.just(WHOLE_ACCOUNT), ACCOUNT_IDS),
    seq=SEQS,
)
HAND_DECISIONS = every_field(
    HandDecision,
    id=TEXTS,
    at=INSTANTS,
    way=st.sampled_from(Way),
    decision=st.builds(Decision, st.sampled_from([Outcome.GRANTED, Outcome.DECLINED]), NAMES).map(
        lambda one: replace(one, mode="automatic" if one.outcome is Outcome.GRANTED else "")
    ),
    reason=NAMES,
    title=TEXTS,
    person=TEXTS,
    second=TEXTS,
    second_id=TEXTS,
    note=TEXTS,
    facts=st.dictionaries(NAMES, TEXTS, min_size=1, max_size=3),
    earlier=st.dictionaries(MEASURES, TEXTS, min_size=1, max_size=2),
    row=every_field(CaseRow, kind=st.sampled_from(CaseKind), offset=COUNTS),
    history=st.dictionaries(
        NAMES, st.one_of(COUNTS, st.fractions(0, 1_000, max_denominator=97)), min_size=1, max_size=3
    ),
)
ENTRIES = every_field(
    Entry,
    frozenset({"voided", "written_off", "is_asked_back"}),
    key=KEYS,
    body=TEXTS,
    status=st.sampled_from(Outcome),
    remaining=st.lists(st.one_of(st.none(), SIZES), min_size=1, max_size=3).map(tuple),
    effective_at=INSTANTS,
    expires_at=INSTANTS,
    ttl=COUNTS,
    origin=COUNTS,
    accepted_at=INSTANTS,
    by_hand=HAND_DECISIONS,
)
_TIME = st.lists(st.integers(0, 10**15), min_size=2, max_size=6, unique=True).map(
    lambda ends: tuple((sorted(ends)[place], sorted(ends)[place + 1]) for place in range(0, len(ends) - 1, 2))
)
_KEPT = st.dictionaries(
    NAMES,
    st.one_of(st.integers(-(10**9), 10**9), st.fractions().filter(lambda n: n.denominator > 1), _TIME),
    min_size=1,
)


_TAKEN = every_field(
    Taken,
    values=_KEPT,
    money=st.dictionaries(MEASURES, COUNTS, min_size=1, max_size=2),
    others=_KEPT,
    is_read=st.just(True),
)


def _additions(lapsed: SearchStrategy[Addition | None]) -> SearchStrategy[Addition]:
    """Additions that have a field `lapsed`, and one `dropped` where `lapsed` is something."""
    made = dict[str, SearchStrategy[Any]](
        ended_at=INSTANTS, added=_KEPT, cleared=st.dictionaries(NAMES, _TIME, min_size=1), lapses_at=INSTANTS,
        lapsed=lapsed, began_at=INSTANTS, dropped=lapsed,
        taken=st.dictionaries(st.integers(1, 999), _TAKEN, min_size=1, max_size=2),
    )  # fmt: skip
    return st.builds(Addition, **made) if lapsed is _NONE else every_field(Addition, frozenset(), **made)


_NONE: SearchStrategy[Addition | None] = st.none()
HISTORIES = every_field(
    SubjectHistory,
    version=st.just(1),
    incidents=st.dictionaries(INCIDENT_IDS, _additions(_additions(_NONE)), min_size=1, max_size=3),
)


@st.composite
def campaigns(draw: st.DrawFn) -> Campaign:
    """A campaign in which everything is stated; its list's size and first byte are one, wherever they stand."""
    pinned, layout = draw(PINNED), draw(LAYOUTS)
    made: Campaign = draw(
        every_field(
            Campaign,
            id=CAMPAIGN_IDS,
            incident_revision=COUNTS,
            policy_id=TEXTS,
            policy_version=COUNTS,
            policy_hash=TEXTS,
            engine=TEXTS,
            time_zones=TEXTS,
            pinned=st.just(pinned),
            layout=st.just(layout),
            chunks=st.builds(Chunks, st.just(layout.data_start), st.just(pinned.size), st.integers(10**5, 10**8)),
            rows_announced=COUNTS,
            decided_at=INSTANTS,
            decidable_until=INSTANTS,
            request_digest=TEXTS,
            opened_by=TEXTS,
            follows=few(SEQS).map(tuple),
            adds=st.just(True),
            keeps_history=st.just(True),
            subject=NAMES,
            limits=LIMITS,
            ignored_columns=few(TEXTS).map(tuple),
            outage=NAMES,
            same_outage_as=few(INCIDENT_IDS).map(tuple),
            persons_asked=st.integers(1, 2),
            state=st.sampled_from(State),
            state_reason=TEXTS,
            log_count=st.integers(1, 10**5),
            announced=TEXTS,
            plan=st.just(_NO_PROGRESS),
            apply=st.just(_NO_PROGRESS),
        )
    )
    fresh = {one.name: default_of(one) for one in fields(Campaign) if one.name in ("plan", "apply")}
    return replace(made, **fresh)
