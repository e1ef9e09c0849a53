"""Which decisions only say under which id the account's decision stands."""

from datetime import UTC, datetime

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.ledger.entries import DecisionKey, Entry, decision_body
from kulanz.domain.ledger.former_accounts import (
    DECIDED_UNDER_FORMER_ID,
    former_of,
    is_link,
    other_id,
    with_former,
)
from kulanz.domain.lists.former_ids import Former

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
FORMER = Former("old-1", AT)


def entry(reason: str, former: Former | None) -> Entry:
    decision = Decision(Outcome.DECLINED, reason)
    body = decision_body(CampaignId("out", 1), "3", "0" * 64, "row", decision)
    stated = body if former is None else with_former(body, former)
    return Entry(DecisionKey("a-1", "out", "-", 1), stated, Outcome.DECLINED, (), AT, None, 0, 17)


def test_a_link_names_another_id_and_has_a_reason_of_its_own() -> None:
    found = {
        (reason, former is not None): is_link(entry(reason, former))
        for reason in (DECIDED_UNDER_FORMER_ID, "not_affected")
        for former in (FORMER, None)
    }
    assert found == {
        (DECIDED_UNDER_FORMER_ID, True): True,
        (DECIDED_UNDER_FORMER_ID, False): False,  # a policy may have a reason of this name
        ("not_affected", True): False,
        ("not_affected", False): False,
    }


def test_the_former_id_is_read_as_it_was_written() -> None:
    body = entry("not_affected", FORMER).body
    assert (other_id(body), former_of(body)) == ("old-1", FORMER)
    plain = entry("not_affected", None).body
    assert (other_id(plain), former_of(plain)) == ("", None)
