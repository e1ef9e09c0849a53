"""How what spans incidents and campaigns is found: open campaigns, a month's, a policy's, and the audit log.

Each item is written in the transaction of what it is about, so that no index is behind. A partition takes a thousand
writes a second (DynamoDB), and these get one for each campaign, change of state or action:

| pk | sk | written |
|---|---|---|
| `OPEN` | campaign | when it opens and moves; deleted when its end is announced |
| | trouble | by the watch over open campaigns, or with the approval of one person alone; deleted when it is repaired |
| `GIVEN-UP` | object | when it was looked at |
| `CAMPAIGNS#<month>`, `POLICY#<policy>` | instant, campaign | when it opens |
| `INCIDENTS#<month>` | instant, incident | at its first event |
| `AUDIT#<day>`, `ACTOR#<who>` | instant, what | with each action; in the table of what it is about |
| `ADDITIONS#<incident>#<n>` (CreditsTable) | instant, account, subject | with what is granted beside the list |

What names an account stands in CreditsTable and may be deleted when its decision may.
Sort keys begin with an instant of one width, so that texts sort as instants do. None is that of a record that a stream
is read for (META, REVISION#, DECISION#).
"""

from datetime import UTC, date, datetime
from typing import Any

from kulanz.adapters.campaign_keys import campaign_of_partition, campaign_partition
from kulanz.application.ports import Indexed, OpenCampaign
from kulanz.domain.audit import About, AuditEntry
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, State
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.time import parse_instant

OPEN_PARTITION = "OPEN"
OPEN_PREFIX = "CAMPAIGN#"
TROUBLE_PREFIX = "TROUBLE#"

type Item = dict[str, Any]


def placed(instant: datetime) -> str:
    """An instant as sort keys begin with it: always with microseconds, so that 10:00:00.5 sorts behind 10:00:00."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def open_key(campaign_id: CampaignId) -> Item:
    """The key of what says that a campaign is open."""
    return {"pk": {"S": OPEN_PARTITION}, "sk": {"S": campaign_partition(campaign_id)}}


def open_item(campaign_id: CampaignId, state: State, since: datetime) -> Item:
    """What says that a campaign is open, in which state and since when."""
    return open_key(campaign_id) | {"state": {"S": state.value}, "since": {"S": placed(since)}}


def read_open(item: Item) -> OpenCampaign:
    """An open campaign back from its item."""
    seen_at = item.get("seen_at")
    return OpenCampaign(
        _campaign_of(item["sk"]["S"]),
        State(item["state"]["S"]),
        parse_instant(item["since"]["S"]),
        int(item["came_to"]["N"]) if "came_to" in item else 0,
        None if seen_at is None else parse_instant(seen_at["S"]),
    )


def trouble_key(kind: TroubleKind, on: str) -> Item:
    """The key of a trouble, beside the open campaigns."""
    return {"pk": {"S": OPEN_PARTITION}, "sk": {"S": f"{TROUBLE_PREFIX}{kind.value}#{on}"}}


def trouble_item(trouble: Trouble) -> Item:
    """A trouble as an item."""
    found = {"since": {"S": placed(trouble.since)}, "found_at": {"S": placed(trouble.found_at)}}
    return trouble_key(trouble.kind, trouble.on) | found


def read_trouble(item: Item) -> Trouble:
    """A trouble back from its item."""
    _, kind, on = item["sk"]["S"].split("#", 2)
    return Trouble(TroubleKind(kind), on, parse_instant(item["since"]["S"]), parse_instant(item["found_at"]["S"]))


def given_up_key(key: str) -> Item:
    """The key of what says that a batch that was given up was looked at."""
    return {"pk": {"S": "GIVEN-UP"}, "sk": {"S": key}}


def month_partition(month: str) -> str:
    """Where the campaigns of a month stand; the month is that of UTC, such as 2026-11."""
    return f"CAMPAIGNS#{month}"


def incidents_partition(month: str) -> str:
    """Where the incidents stand whose first event came in a month."""
    return f"INCIDENTS#{month}"


def policy_partition(policy_id: str) -> str:
    """Where the campaigns under all versions of a policy stand."""
    return f"POLICY#{policy_id}"


def day_partition(day: date) -> str:
    """Where the audit log of a day stands; the day is that of UTC."""
    return f"AUDIT#{day.isoformat()}"


def actor_partition(actor: str) -> str:
    """Where what one person or machine did stands."""
    return f"ACTOR#{actor}"


def campaign_index_items(campaign: Campaign) -> list[Item]:
    """What a campaign is found by for good: its month and its policy."""
    place = {"S": f"{placed(campaign.decided_at)}#{campaign_partition(campaign.id)}"}
    month = f"{campaign.decided_at.astimezone(UTC):%Y-%m}"
    return [{"pk": {"S": one}, "sk": place} for one in (month_partition(month), policy_partition(campaign.policy_id))]


def incident_index_item(incident_id: str, first_recorded_at: datetime) -> Item:
    """What an incident is found by."""
    month = f"{first_recorded_at.astimezone(UTC):%Y-%m}"
    return {"pk": {"S": incidents_partition(month)}, "sk": {"S": f"{placed(first_recorded_at)}#{incident_id}"}}


def read_campaign(item: Item) -> Indexed[CampaignId]:
    """A campaign of a month, or of a policy, back from its item."""
    at, _, partition = item["sk"]["S"].partition("#")
    return Indexed(parse_instant(at), _campaign_of(partition))


def read_incident_index(item: Item) -> Indexed[str]:
    """An incident of a month back from its item."""
    at, _, incident_id = item["sk"]["S"].partition("#")
    return Indexed(parse_instant(at), incident_id)


def audit_items(entry: AuditEntry) -> list[Item]:
    """An entry of the audit log as its day has it, and, where a person or machine acted, as what that caller did."""
    content = {
        "actor": {"S": entry.actor},
        "action": {"S": entry.action},
        "about": {"S": entry.about.value},
        "on": {"S": entry.on},
        "place": {"S": entry.place},
        "reason": {"S": entry.reason},
        "cause": {"S": entry.cause},
    }
    place = {"S": f"{placed(entry.at)}#{entry.about.value}#{entry.on}#{entry.place}"}
    partitions = [day_partition(entry.at.astimezone(UTC).date())]
    if entry.is_by_caller:
        partitions.append(actor_partition(entry.actor))
    return [{"pk": {"S": partition}, "sk": place} | content for partition in partitions]


def read_audit(item: Item) -> AuditEntry:
    """An entry of the audit log back from its item."""
    return AuditEntry(
        at=parse_instant(item["sk"]["S"].partition("#")[0]),
        actor=item["actor"]["S"],
        action=item["action"]["S"],
        about=About(item["about"]["S"]),
        on=item["on"]["S"],
        place=item["place"]["S"],
        reason=item["reason"]["S"],
        cause=item["cause"]["S"],
    )


def additions_partition(campaign_id: CampaignId) -> str:
    """Where what a campaign granted beside its list stands."""
    return f"ADDITIONS#{campaign_id.incident_id}#{campaign_id.seq:03d}"


def addition_item(addition: Addition) -> Item:
    """An addition as an item."""
    key = addition.key
    benefit = "" if addition.benefit is None else f"#{addition.benefit}"
    return {
        "pk": {"S": additions_partition(key.campaign)},
        "sk": {"S": f"{placed(addition.at)}#{addition.kind.value}#{key.account_id}#{key.subject}{benefit}"},
        "actor": {"S": addition.actor},
        **({"channel": {"S": addition.channel}} if addition.channel else {}),
    }


def read_addition(item: Item) -> Addition:
    """An addition back from its item."""
    _, incident_id, seq = item["pk"]["S"].split("#")
    at, kind, account_id, subject, *benefit = item["sk"]["S"].split("#")
    key = DecisionKey(account_id, incident_id, subject, int(seq))
    place = int(benefit[0]) if benefit else None
    channel = item["channel"]["S"] if "channel" in item else ""
    return Addition(AdditionKind(kind), key, parse_instant(at), item["actor"]["S"], place, channel)


def _campaign_of(partition: str) -> CampaignId:
    found = campaign_of_partition(partition)
    if found is None:
        raise ValueError("not a campaign of an index")
    return found
