"""The campaign that most tests run: every outcome a policy has, and a list with every kind of row.

The list's rows carry a column of padding that the policy does not read, so that a few rows fill several chunks and
lines cross their edges.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from kulanz.domain.canonical import canonical_json
from kulanz.domain.incident_record import decision_digest
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from tests.support.world import BUCKET, World

CAMPAIGN = "net-outage/1"
INCIDENT_ID = "net-outage"
LIST_KEY = "lists/net-outage.csv"
CHUNK_BYTES = 20_000
PADDING = "x" * 1_800

POLICY = """
kulanz: 1
id: net-credit
version: 1
title: A credit, minutes, and every other outcome
zone: Europe/Berlin
currency: EUR
facts:
  segment: [consumer, business, prepaid]
  affected:
    type: yes_no
  fee:
    type: money
  language:
    type: text
    default: en
who:
  - refer: business_customer
    when: segment = "business"
  - decline: prepaid
    when: segment = "prepaid"
  - decline: not_affected
    unless: affected
pay: 10% of fee
due: 2 billing cycles
give:
  quantity: 20
  unit: call_minute
  valid: 7 days
notice:
  locale: language
  texts:
    granted:
      en: {subject: Sorry, text: "We credit {{ amount }} and {{ quantity }} minutes."}
      de: {subject: Verzeihung, text: "Wir schreiben {{ amount }} gut."}
    held:
      en: {subject: One question, text: We look into it.}
      de: {subject: Eine Frage, text: Wir prüfen das.}
"""


TELLS_VOIDS = f"""{POLICY.replace("version: 1", "version: 2")}    voided:
      en: {{subject: Taken back, text: "We take {{{{ taken_back }}}} back. {{{{ left }}}} is left."}}
      de: {{subject: Zurück, text: "Wir nehmen {{{{ taken_back }}}} zurück."}}
"""
"""The same policy with a text about what is taken back."""

NO_LIMITS = {"rejected": "100 %", "conflicts": "100 %", "nearly_equal": "100 %", "held": "100 %", "known": "0 %"}
"""Most of these lists are trouble and nothing else, and what they come to is what the tests are about."""


@cache
def sealed_policy(text: str = POLICY) -> bytes:
    """A policy as it is published."""
    return document_json(load_policy(text))


def event(
    *,
    key: str = LIST_KEY,
    rows: int,
    detail_type: str = "Incident Declared",
    source: str = "billing",
    version_id: str | None = None,
    policy: str = "net-credit",
    policy_version: int = 1,
    **changes: Any,
) -> dict[str, Any]:
    """An event that declares the incident and requests its campaign; `changes` replace fields of the detail.

    `...` leaves a field out. A campaign request names the decision digest of the facts that it leaves out.
    """
    place: dict[str, Any] = {"bucket": BUCKET, "key": key}
    if version_id is not None:
        place["version_id"] = version_id
    detail: dict[str, Any] = {
        "incident_id": INCIDENT_ID,
        "revision": 1,
        "title": "Network down",
        **FACTS_MEANT,
        "campaign": {
            "policy": {"id": policy, "version": policy_version},
            "affected": {"s3": place, "rows": rows},
            "limits": dict(NO_LIMITS),
        },
        **changes,
    }
    kept = {name: value for name, value in detail.items() if value is not ...}
    if detail_type == "Campaign Requested":
        kept.setdefault("decision_digest", meant(**changes))
    return {"id": "an-event", "source": source, "detail-type": detail_type, "detail": kept}


FACTS_MEANT: Mapping[str, Any] = {
    "service": "broadband",
    "functions": ["data"],
    "windows": [{"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T20:00:00Z"}],
    "cause": "power",
    "facts": {},
}
"""What the event of the small campaign decides by."""


def meant(**changes: Any) -> str:
    """The decision digest of a revision with these facts in the place of the small campaign's."""
    facts = {name: FACTS_MEANT[name] if changes.get(name, ...) is ... else changes[name] for name in FACTS_MEANT}
    windows = [{"start": one["start"], "end": one.get("end")} for one in facts["windows"]]
    return decision_digest(canonical_json({**facts, "windows": windows}).encode())


HEADER = b"account_id,segment,affected,fee,language,note"


def row(
    account_id: str, segment: str = "consumer", affected: str = "yes", fee: str = "29.90", language: str = "de"
) -> bytes:
    """A row without its line end."""
    return f"{account_id},{segment},{affected},{fee},{language},{PADDING}".encode()


def list_of(lines: Sequence[bytes], header: bytes = HEADER) -> bytes:
    """Lines as a list; the last one keeps the end it has."""
    return b"\n".join([header, *lines])


EVERY_KIND_OF_LINE: Mapping[str, bytes] = {
    "granted": row("granted-1"),
    "granted, CRLF": row("granted-2", fee="10.00", language="en") + b"\r",
    "granted, quoted": b'"granted-3",consumer,yes,"99.99",en,"a ""note"", quoted"',
    "declined": row("declined-1", affected="no"),
    "declined by segment": row("declined-2", segment="prepaid"),
    "referred": row("referred-1", segment="business"),
    "held, segment unknown": row("held-1", segment=""),
    "held, fee unknown": row("held-2", fee=""),
    "blank": b"",
    "blank, CRLF": b"\r",
    "listed twice": row("twice-1", fee="20.00"),
    "listed twice, same facts": row("twice-1", fee="20.00"),
    "listed with other facts, first": row("torn-1", fee="20.00"),
    "listed with other facts, second": row("torn-1", fee="30.00"),
    "rejected, no account": row(""),
    "rejected, account with a delimiter": row("a#b"),
    "rejected, bad UTF-8": row("bad-utf8").replace(b"xx", b"x\xff", 1),
    "rejected, NUL": row("bad-nul").replace(b"xx", b"x\0", 1),
    "rejected, wrong type": row("bad-yes-no", affected="perhaps"),
    "rejected, unknown choice": row("bad-choice", segment="gold"),
    "rejected, infinite": row("bad-infinite", fee="Infinity"),
    "rejected, non-ASCII digits": row("bad-digits", fee="٢٩.٩٠"),
    "rejected, too many decimals": row("bad-decimals", fee="29.901"),
    "rejected, other separators": b"bad-fields;consumer",
    "rejected, text after a quoted field": b'"bad-quotes"!,consumer,yes,1.00,en,' + PADDING.encode(),
    "granted, before the long line": row("granted-4"),
    "rejected, over 64 KB": row("bad-long") + b"y" * 64 * 1024,
    "granted, after the long line": row("granted-5", language="fr"),
    "listed twice, in another chunk": row("granted-1"),
    "granted, without a line end": row("granted-6"),
}
EVERY_KIND_OF_ROW = list_of(list(EVERY_KIND_OF_LINE.values()), header=b"\xef\xbb\xbf" + HEADER)
ROWS = sum(line not in (b"", b"\r") for line in EVERY_KIND_OF_LINE.values())


def small_world(content: bytes = EVERY_KIND_OF_ROW, **settings: Any) -> World:
    """A world with the policy published and the list uploaded; nothing has happened yet."""
    settings.setdefault("chunk_bytes", CHUNK_BYTES)
    world = World(**settings)
    world.policies.publish("net-credit", 1, SEALED)
    world.lists.upload(LIST_KEY, content)
    return world


def telling_world(content: bytes, **settings: Any) -> World:
    """The same, and the policy's version 2 tells customers what is taken back."""
    world = small_world(content, **settings)
    world.policies.publish("net-credit", 2, sealed_policy(TELLS_VOIDS))
    return world


SEALED = sealed_policy()
