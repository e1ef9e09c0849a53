"""Each part of a decision is what the policy says of it: no two parts of this policy are equal."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from kulanz.domain.decision import UNLIMITED, Benefit, Decision, Due, Notice, Outcome, Validity
from kulanz.domain.money import Money
from kulanz.domain.policy.deciding.history import NO_HISTORY
from kulanz.domain.time import parse_instant
from tests.unit.domain.policy.rulebook import NOW, compiled, written

POLICY = written("""zone: Europe/Berlin
currency: EUR
facts: {fee: money, claimed_at: instant, paid_by: [bill, transfer], lang: [de, en], extra: yes_no, used_at: instant}
restrictions:
  abroad: [France, Spain]
  games: [Chess, Go, Ludo]
heads:
  - {name: delay, pay: fee, to: paid_by, due: 2 billing cycles}
  - name: data
    when: extra
    otherwise: no_extra
    due: 2026-07-08
    give:
      - {quantity: "2.5", unit: GB, valid: 7 days, restriction: abroad, usable: {on: weekends}}
      - {quantity: unlimited, unit: minute, valid: {from: 2026-07-01, until: 2026-07-31}, each: month, times: 3}
      - {choose: 2, of: games, unit: game}
  - {name: late, pay: 2 * fee, mode: {claim: {at: claimed_at, until: 2026-06-30}}, due: 20 working days}
  - {name: gift, pay: 7.00 EUR, mode: {offer: {at: used_at, until: 2026-07-15}}}
notice:
  locale: lang
  default_locale: en
  channel: '"sms"'
  values: {paid: fee}
  texts:
    granted: {en: {subject: S, text: T}, de: {subject: B, text: D}}
""")
DELAY = Benefit(Money(500, "EUR"), due=Due(2, "billing_cycle"), terms={"to": "transfer"}, component="delay")
GB = Benefit(
    None, "2.5", "GB", "abroad", Validity(7, "days", "Europe/Berlin"), Due(day="2026-07-08"), {"on": "weekends"}, "data"
)
LATE = Benefit(Money(1_000, "EUR"), due=Due(20, "working_day"), component="late")
GIFT = Benefit(Money(700, "EUR"), component="gift")
OFFERED_UNTIL, CLAIMED_UNTIL = parse_instant("2026-07-15T22:00:00Z"), parse_instant("2026-06-30T22:00:00Z")


def decided(**facts: Any) -> Decision:
    policy = compiled(POLICY)
    known = {"fee": 500, "paid_by": "transfer", "lang": "de", "extra": True} | facts
    values: list[Any] = [known.get(fact.name) for fact in policy.facts]
    return policy.decide(values)


def test_each_benefit_has_its_amount_unit_list_time_deadline_terms_and_component() -> None:
    found = decided()
    assert (found.outcome, found.reason, found.mode) == (Outcome.GRANTED, "delay", "automatic")
    money, units, minutes, games = found.benefits
    assert money == DELAY
    assert units == GB
    assert (minutes.quantity, minutes.unit, minutes.restriction) == (UNLIMITED, "minute", None)
    assert minutes.terms == {"each": "month", "times": "3"}
    validity = minutes.validity
    assert (validity.begins, validity.until) == (
        parse_instant("2026-06-30T22:00:00Z"), parse_instant("2026-07-31T22:00:00Z"),
    )  # fmt: skip
    assert (games.quantity, games.unit, games.terms, games.due, games.component) == (
        "2", "game", {"of": "games"}, Due(day="2026-07-08"), "data",
    )  # fmt: skip
    assert found.claimable == (LATE, GIFT)
    assert found.claim_until == CLAIMED_UNTIL, "the earliest end of what can be claimed"
    assert found.notice == Notice("granted", "de", "sms", {"paid": "5.00 EUR"})


@pytest.mark.parametrize(("lang", "locale"), [("de", "de"), ("en", "en"), (None, "en")])
def test_a_customer_is_told_in_their_language_or_in_the_policys(lang: str | None, locale: str) -> None:
    notice = decided(lang=lang).notice
    assert notice is not None
    assert notice.locale == locale


@pytest.mark.parametrize(("channel", "is_told"), [("sms", True), ("post", True), ("none", False), (None, False)])
@pytest.mark.parametrize("values", ["", "  values: {paid: fee}\n"])
@pytest.mark.parametrize("fee", [500, 0])
def test_nobody_is_told_anything_who_wants_no_channel_or_of_whom_none_is_known(
    channel: str | None, is_told: bool, values: str, fee: int
) -> None:
    texts = "  texts: {granted: {en: {subject: S, text: T}}, declined: {en: {subject: N, text: U}}}\n"
    notice = f"notice:\n  channel: wants\n{values}{texts}"
    policy = compiled(written(f"currency: EUR\nfacts: {{fee: money, wants: text}}\npay: fee\n{notice}"))
    known = {"fee": fee, "wants": channel}
    told = policy.decide([known[fact.name] for fact in policy.facts]).notice
    filled = {"paid": f"{fee / 100:.2f} EUR"} if values else {}
    assert told == (Notice("granted" if fee else "declined", "en", channel or "", filled) if is_told else None)


LANGUAGES = "{fr: {subject: S, text: F}, de: {subject: S, text: D}, pt-BR: {subject: S, text: P}}"


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (None, "de"), ("fr", "fr"), ("fr-CA", "fr"), ("FR_fr.UTF-8", "fr"), ("fra", "fr"), ("de-CH-1996", "de"),
        ("pt_br", "pt-BR"), ("pt", "de"), ("es", "de"), ("Deutsch", "de"), ("", "de"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("values", ["", "  values: {paid: 5 EUR}\n"])
def test_a_language_without_a_text_is_its_broader_one_else_the_default_wherever_that_is_written(
    wanted: str | None, chosen: str, values: str
) -> None:
    texts = f"  texts: {{granted: {LANGUAGES}, voided: {LANGUAGES}}}\n"
    notice = f"notice:\n  locale: lang\n  default_locale: de\n{values}{texts}"
    policy = compiled(written(f"facts: {{lang: text}}\npay: 5 EUR\n{notice}"))
    told = policy.decide([wanted]).notice
    assert told is not None
    assert (told.locale, policy.voided_in(told)) == (chosen, chosen)
    template = policy.templates("granted", told.locale)
    assert template is not None
    assert template.text == chosen[0].upper()
    assert policy.voided_in(Notice("declined", chosen, "email")) == policy.voided_in(None) == ""


TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("now", "claimed", "used", "granted", "claimable"),
    [
        (CLAIMED_UNTIL - TICK, None, None, [], ["late", "gift"]),
        (CLAIMED_UNTIL, None, None, [], ["gift"]),
        (OFFERED_UNTIL - TICK, None, None, [], ["gift"]),
        (OFFERED_UNTIL, None, None, [], []),
        (CLAIMED_UNTIL - TICK, CLAIMED_UNTIL - 2 * TICK, None, ["late"], ["gift"]),
        (OFFERED_UNTIL, CLAIMED_UNTIL - TICK, None, ["late"], []),
        (OFFERED_UNTIL, CLAIMED_UNTIL, None, [], []),
        (OFFERED_UNTIL, CLAIMED_UNTIL - TICK, OFFERED_UNTIL - TICK, ["late", "gift"], []),
        (CLAIMED_UNTIL, None, CLAIMED_UNTIL - TICK, ["gift"], []),
        (CLAIMED_UNTIL - TICK, None, CLAIMED_UNTIL - 2 * TICK, ["gift"], ["late"]),
    ],
)
def test_what_came_in_before_its_own_end_is_granted_and_at_that_instant_it_is_too_late(
    now: datetime, claimed: datetime | None, used: datetime | None, granted: list[str], claimable: list[str]
) -> None:
    policy = compiled(POLICY, decided_at=now)
    known: dict[str, Any] = {"fee": 500, "paid_by": "bill", "lang": "de", "extra": False}
    known |= {"claimed_at": claimed, "used_at": used}
    found = policy.decide([known.get(fact.name) for fact in policy.facts])
    assert [one.component for one in found.benefits] == ["delay", *granted]
    assert [one.component for one in found.claimable] == claimable
    ends = {"late": CLAIMED_UNTIL, "gift": OFFERED_UNTIL}
    assert found.claim_until == min((ends[name] for name in claimable), default=None)


def test_the_same_values_decide_the_same_with_and_without_a_history() -> None:
    policy = compiled(POLICY)
    known: dict[str, Any] = {"fee": 500, "paid_by": "bill", "lang": "en", "extra": False}
    values = [known.get(fact.name) for fact in policy.facts]
    decision, addition = policy.decide_with_history(values, NO_HISTORY)
    assert decision == policy.decide(values)
    assert addition.is_empty()


def _apart(name: str) -> timedelta:
    return timedelta(seconds=sum(name.encode()))


@pytest.mark.parametrize(
    ("name", "values"),
    [("fee", (500, 700)), ("paid_by", ("bill", "transfer")), ("lang", ("de", "en")), ("extra", (True, False))],
)
def test_no_decision_depends_on_the_rows_that_were_decided_before(name: str, values: tuple[Any, Any]) -> None:
    """What equal rows share is shared by rows that are equal in all of it."""
    # Policies of one instant are compiled once in all tests, and would share what they remember.
    policy, *fresh = (compiled(POLICY, decided_at=NOW + number * TICK + _apart(name)) for number in range(3))
    known = [{"fee": 500, "paid_by": "bill", "lang": "en", "extra": False} | {name: value} for value in values]
    rows: list[Any] = [[one.get(fact.name) for fact in policy.facts] for one in known]
    alone = [one.decide(row) for one, row in zip(fresh, rows, strict=True)]
    assert alone[0] != alone[1]
    assert [policy.decide(row) for row in (*rows, *rows)] == [*alone, *alone]
