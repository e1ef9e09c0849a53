"""An account that changed, in the ledger: its decision names its former id, and the former id's place is taken.

The decision about an account that had another id before says so at the end of its body (`was`). In the same transaction
the place that a decision about the former id would have in this campaign gets a decision that grants nothing and names
the present id (`went_to`). So do the places of all other ids by which earlier campaigns know the account. So a list
that names an account by several ids, or two accounts with one former id, is paid once, and whoever reads what an
incident gave finds it under any id.
"""

import json
from dataclasses import replace

from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.ledger.entries import BODY_VERSION, Entry, decision_body, read_decision, row_digest_of
from kulanz.domain.lists.former_ids import Former
from kulanz.domain.time import format_instant, parse_instant

DECIDED_UNDER_NEW_ID = "decided_under_new_id"
"""What stands under a former id: the campaign decided about the account under its present one."""
DECIDED_UNDER_FORMER_ID = "decided_under_former_id"
"""Nothing more is owed: what the account is owed was decided under its former id."""
LINKS = frozenset({DECIDED_UNDER_NEW_ID, DECIDED_UNDER_FORMER_ID})
"""The reasons of decisions that only say under which id the account's decision stands."""
FORMER_IDS_MOST = 8
"""Former ids of one account that are looked at: a chain as long as this is a mistake, or an attack."""

_END_OF_MOST = f'"v":{BODY_VERSION}}}'
"""How a body ends that names no other id of its account: `was` and `went_to` stand behind all other names."""


def with_former(body: str, former: Former) -> str:
    """The body of a decision that names the former id of its account, as canonical JSON."""
    was = canonical_json({"account": former.account_id, "since": format_instant(former.since)})
    return f'{body[:-1]},"was":{was}}}'


def under_other_id(campaign: Campaign, entry: Entry, account_id: str) -> Entry:
    """What takes the place of a decision under another id, written in the same step as the entry of the account."""
    nothing = Decision(Outcome.DECLINED, DECIDED_UNDER_NEW_ID)
    body = decision_body(campaign.id, campaign.engine, campaign.policy_hash, row_digest_of(entry.body), nothing)
    named = f'{body[:-1]},"went_to":{canonical_json(entry.key.account_id)}}}'
    key = replace(entry.key, account_id=account_id)
    return Entry(key, named, nothing.outcome, (), entry.effective_at, None, entry.ttl, entry.origin)


def other_id(body: str) -> str:
    """The other id of its account that a decision names; empty where it names none, as most do."""
    if body.endswith(_END_OF_MOST):
        return ""
    content = json.loads(body)
    found: str = content["was"]["account"] if "was" in content else content.get("went_to", "")
    return found


def former_of(body: str) -> Former | None:
    """The former id of its account that a decision names; None where it names none."""
    if body.endswith(_END_OF_MOST):
        return None
    was = json.loads(body).get("was")
    return None if was is None else Former(was["account"], parse_instant(was["since"]))


def is_link(entry: Entry) -> bool:
    """Whether a decision only says under which id the account's decision stands."""
    return bool(other_id(entry.body)) and read_decision(entry.body).reason in LINKS
