"""What a world comes to: the state that must not depend on faults, repetitions and order, and what must hold of it."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kulanz.adapters.parted_lists import PartedLists
from kulanz.application.campaigns.advance_campaign import add_up
from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from kulanz.domain.campaigns.ends import EndOf, counted_end
from kulanz.domain.campaigns.reconciliation import (
    IN_THE_LEDGER,
    CountKey,
    RowResult,
    SumKey,
    Totals,
    WriteResult,
    worth_of,
)
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.ledger.earlier_decisions import IN_ANOTHER_MEASURE
from kulanz.domain.ledger.entries import DecisionKey, read_decision
from kulanz.domain.ledger.former_accounts import DECIDED_UNDER_NEW_ID
from kulanz.domain.notices import notice_id, status_notice_id
from tests.support.world import World

INSTANTS = frozenset({"effective_at", "expires_at", "recorded_at"})


@dataclass(frozen=True)
class EndState:
    """Everything but the instants of first writing and how often something was said or tried."""

    ledger: Mapping[str, tuple[Any, ...]]
    histories: Mapping[str, str]
    campaigns: Mapping[str, Mapping[str, Any]]
    notices: Mapping[str, tuple[str, Any]]
    statuses: Mapping[str, Mapping[str, Any]]
    announced: frozenset[tuple[str, str]]
    refused: frozenset[tuple[str, str]]
    problems: Mapping[str, bytes]


def end_state(world: World, *, whole_ranges: bool = True, origins: bool = True) -> EndState:
    """What a world came to.

    Where time ran out in other places, the files of problems are cut differently: then `whole_ranges` is False and they
    are compared line by line. Where a list names an account twice with the same facts in two chunks, which row was
    first may depend on the order: then `origins` is False.
    """
    ledger = {
        str(entry.key): (entry.body, entry.status, entry.remaining, entry.origin if origins else None)
        for entry in world.ledger.all_entries()
    }
    problems = {key: content for key, content in world.archive.documents.items() if "/problems/" in key}
    if not whole_ranges:
        lines = Counter(line for content in problems.values() for line in content.splitlines())
        problems = {line.decode(): b"" for line in lines}
    return EndState(
        ledger=ledger,
        histories={
            f"{key.partition}/{key.place}": kept.to_text() for key, kept in world.ledger.all_histories().items()
        },
        campaigns={str(campaign): _campaign(world, campaign) for campaign in world.campaigns.all_campaigns()},
        notices=_notices(world),
        statuses=_statuses(world),
        announced=frozenset(
            (found.detail_type, json.loads(found.detail)["campaign"]) for found in world.announcer.announced
        ),
        refused=frozenset((rejection.reason, rejection.event_key) for rejection in world.rejected.sent),
        problems=problems,
    )


def _campaign(world: World, campaign_id: CampaignId) -> Mapping[str, Any]:
    campaign = world.campaign(str(campaign_id))
    incident = world.campaigns.incident(campaign_id.incident_id)
    assert incident is not None
    return {
        "state": campaign.state,
        "reason": campaign.state_reason,
        "log": [(change.source, change.target, change.reason) for change in world.campaigns.log(campaign_id)],
        "policy": campaign.policy_hash,
        "plan": _books(campaign.plan.totals),
        "apply": _books(campaign.apply.totals),
        "incident": (incident.open_seq, incident.applied, incident.requests, incident.revision_digests),
    }


def _books(totals: Totals) -> tuple[Any, ...]:
    """Totals with one write_result for "in the ledger": written now or written earlier depends on what was repeated."""
    counts: Counter[CountKey] = Counter()
    for count, number in totals.counts.items():
        counts[count._replace(write_result=_settled(count.write_result))] += number
    sums: dict[SumKey, Any] = {}
    for place, value in totals.sums.items():
        settled = place._replace(write_result=_settled(place.write_result))
        sums[settled] = sums.get(settled, 0) + value
    return totals.lines, totals.unbalanced_quotes, totals.digest, counts, sums


def _settled(write_result: WriteResult) -> WriteResult:
    return WriteResult.WRITTEN if write_result in IN_THE_LEDGER else write_result


def _notices(world: World) -> dict[str, tuple[str, Any]]:
    found: dict[str, tuple[str, Any]] = {}
    for content in _published(world):
        for recipient in content["recipients"]:
            values = {name: text for name, text in recipient["values"].items() if name not in INSTANTS}
            told = recipient["account_id"], (content["kind"], content["locale"], content["template"], values)
            known = found.setdefault(recipient["notice_id"], told)
            assert known == told, "a notice came twice with different content"
    return found


def _statuses(world: World) -> dict[str, dict[str, Any]]:
    """What was told about incidents, to nobody in particular."""
    found: dict[str, dict[str, Any]] = {}
    for content in _published(world):
        if "notice_id" in content:
            told = {name: text for name, text in content.items() if name not in INSTANTS}
            known = found.setdefault(content["notice_id"], told)
            assert known == told, "a status came twice with different content"
    return found


def _published(world: World) -> list[dict[str, Any]]:
    return [json.loads(message.text) for message in world.topic.published]


def check_sound(world: World) -> None:
    """What holds of every world that is quiet, whatever happened to it. Raises AssertionError."""
    entries = world.ledger.all_entries()
    assert world.ledger.inserted == list({str(entry.key): entry for entry in world.ledger.inserted}.values()), (
        "a decision was written twice"
    )
    recorded = {status_notice_id(told.incident_id, told.number) for told in world.campaigns.recorded}
    assert set(_statuses(world)) == recorded, "statuses differ from the recorded revisions"
    committed = set()
    for entry in entries:
        decision = _decided(entry.body)
        _check_tells_what_it_decides(entry.key, decision)
        if decision.notice is not None:
            committed.add(notice_id(entry.key, decision.notice.kind))
    assert set(_notices(world)) == committed, "notices differ from the committed decisions that ask for one"
    for campaign_id in world.campaigns.all_campaigns():
        _check_campaign(world, campaign_id)


_decided = lru_cache(maxsize=4_096)(read_decision)
"""A decision by its text. Runs that go on from one another have the same ones, and each is looked at four times."""


def _check_tells_what_it_decides(key: DecisionKey, decision: Decision) -> None:
    """Nobody is told of something else than was decided, and who gets nothing has nothing to use, claim or accept."""
    if decision.notice is not None:
        assert decision.notice.kind == decision.outcome, f"{key} is {decision.outcome}, and told {decision.notice.kind}"
    if decision.outcome not in (Outcome.GRANTED, Outcome.OFFERED):
        left = (decision.benefits, decision.claimable, decision.claim_until, decision.mode)
        assert left == ((), (), None, ""), f"{key} is {decision.outcome}, and carries {left}"


def _check_campaign(world: World, campaign_id: CampaignId) -> None:
    campaign = world.campaign(str(campaign_id))
    for work in Pass:
        totals, _, gap = add_up(campaign, world.campaigns.receipts(campaign_id, work))
        if campaign.is_finished(work):
            assert not gap, f"{work}: {gap}"
            assert totals == campaign.progress(work).totals, f"{work}: the sums are not those of the receipts"
    is_settled = campaign.state_reason.startswith("settled_by_hand")  # perhaps half-way: then it lacks lines
    if campaign.state is State.CLOSED and not is_settled:
        decided = [entry for entry in world.ledger.all_entries() if entry.key.campaign == campaign_id]
        mine = [entry for entry in decided if _decided(entry.body).reason != DECIDED_UNDER_NEW_ID]
        assert len(mine) == campaign.apply.totals.ledger_count(), "the ledger holds another number of decisions"
        _check_every_line_has_one_class(world, campaign_id)
        _check_money(world, campaign_id)
        _check_ends(world, campaign_id)
        _check_problems(world, campaign_id)


def _check_every_line_has_one_class(world: World, campaign_id: CampaignId) -> None:
    campaign = world.campaign(str(campaign_id))
    content = b"".join(PartedLists(world.lists).read(campaign.pinned, campaign.chunks.data_start))
    lines = content.split(b"\n")
    lines = lines[:-1] if lines[-1] == b"" else lines
    for work in Pass:
        totals = campaign.progress(work).totals
        assert totals.lines == len(lines) == sum(totals.counts.values()), f"{work}: a line was lost or counted twice"
        blank = sum(n for key, n in totals.counts.items() if key.row_result is RowResult.BLANK)
        assert blank == sum(line in (b"", b"\r") for line in lines), f"{work}: blank lines"


def _check_money(world: World, campaign_id: CampaignId) -> None:
    owed: Counter[str] = Counter()
    for entry in world.ledger.all_entries():
        if entry.key.campaign == campaign_id:
            for benefit in _decided(entry.body).benefits:
                if benefit.money is not None:
                    owed[benefit.money.currency] += benefit.money.minor
    booked: Counter[str] = Counter()
    for (_, measure), value in world.campaign(str(campaign_id)).apply.totals.worth(IN_THE_LEDGER).items():
        if isinstance(value, int):
            booked[measure] += value
    assert owed == booked, "the money in the ledger is not the money in the books"


def _check_ends(world: World, campaign_id: CampaignId) -> None:
    """What was granted at once is counted at its own end, whoever wrote it and whenever that was counted."""
    ends: dict[EndOf, Any] = {}
    for entry in world.ledger.all_entries():
        decision = _decided(entry.body)
        if entry.key.campaign == campaign_id and decision.outcome is Outcome.GRANTED:
            for benefit in decision.benefits:
                ends_at = benefit.validity.expires_at(entry.effective_at)
                if ends_at is not None:
                    measure, size = worth_of(benefit)
                    end = EndOf(measure, counted_end(ends_at))
                    ends[end] = ends.get(end, 0) + size
    assert world.campaign(str(campaign_id)).apply.totals.ends == ends, "what ends is not what the ledger says"


def _check_problems(world: World, campaign_id: CampaignId) -> None:
    """Every rejected line, every one held for another measure, and every conflict is filed once, by its offset."""
    prefix = f"campaigns/{campaign_id.incident_id}/{campaign_id.seq:03d}/problems/"
    campaign = world.campaign(str(campaign_id))
    rejected = sum(n for key, n in campaign.plan.totals.counts.items() if key.row_result is RowResult.REJECTED)
    measures = sum(n for key, n in campaign.plan.totals.counts.items() if key.reason == IN_ANOTHER_MEASURE)
    conflicts = sum(n for key, n in campaign.apply.totals.counts.items() if key.write_result is WriteResult.CONFLICT)
    for work, expected in ((Pass.PLAN, rejected + measures), (Pass.APPLY, conflicts)):
        filed = [
            json.loads(line)["offset"]
            for key, content in world.archive.documents.items()
            if key.startswith(f"{prefix}{work}-")
            for line in content.splitlines()
        ]
        assert len(set(filed)) == expected, f"{work}: {len(set(filed))} problems are filed, {expected} are in the books"
