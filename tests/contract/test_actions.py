"""The contract of Actions: of two callers with one id one was first, and what it was and came to is kept."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kulanz.application.door.action_store import Action
from kulanz.domain.audit import About, AuditEntry
from tests.contract.backends import AwsBackend, Backend
from tests.support.values import NOW

ANNA = "iam:arn:aws:iam::123456789012:user/anna"
STOP = Action("CAMPAIGN#net-outage#001", "stops#net-outage#stop-1", ANNA, NOW, {"action": "0f", "reason": "a1"})
ACCEPTANCE = Action("ACCOUNT#a-1", "acceptances#net-outage#yes-1", ANNA, NOW, {})
ANSWER = {"v": 1, "campaign": "net-outage/1", "state": "paused", "may_write_until": None}


@pytest.mark.parametrize("action", [STOP, ACCEPTANCE], ids=["in a campaign", "in an account"])
def test_what_was_begun_first_stands_as_it_was(backend: Backend, action: Action) -> None:
    assert backend.actions.begin(action) == action
    second = replace(action, actor="sso:bert", at=NOW + timedelta(seconds=1), fields={"action": "ff"})
    assert backend.actions.begin(second) == action


@pytest.mark.parametrize("action", [STOP, ACCEPTANCE], ids=["in a campaign", "in an account"])
def test_an_answer_is_kept_as_it_was_first(backend: Backend, action: Action) -> None:
    backend.actions.begin(action)
    backend.actions.finish(action, ANSWER, None)
    backend.actions.finish(action, {**ANSWER, "state": "planning"}, None)
    assert backend.actions.begin(action) == replace(action, answer=ANSWER)


def test_the_same_id_of_another_campaign_or_another_kind_is_another_action(backend: Backend) -> None:
    others = [replace(STOP, place="CAMPAIGN#net-outage#002"), replace(STOP, key="repairs#advance#net-outage#stop-1")]
    backend.actions.begin(STOP)
    for other in others:
        assert backend.actions.begin(replace(other, fields={})).fields == {}


def test_an_entry_of_the_audit_log_is_written_with_the_answer(emulator: AwsBackend) -> None:
    entry = AuditEntry(NOW, ANNA, "repairs redrive", About.STACK, "chunks", "a-key", "why", "move-1")
    action = replace(STOP, place="STACK")
    emulator.actions.begin(action)
    emulator.actions.finish(action, ANSWER, entry)
    assert emulator.index.audit_of_day(NOW.date()).found == (entry,)
    assert emulator.index.audit_of_actor(ANNA).found == (entry,)


def test_an_action_about_an_account_may_be_deleted_as_its_decisions_may(emulator: AwsBackend) -> None:
    emulator.actions.begin(ACCEPTANCE)
    emulator.actions.begin(STOP)
    (account,) = emulator.dynamodb.scan(TableName=emulator.credits_table)["Items"]
    (campaign,) = emulator.dynamodb.scan(TableName=emulator.campaigns_table)["Items"]
    assert int(account["ttl"]["N"]) == int((NOW + timedelta(days=30)).timestamp())
    assert "ttl" not in campaign
