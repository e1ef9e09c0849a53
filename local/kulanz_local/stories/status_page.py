"""An incident that begins where incidents begin: on a status page, partly out for one component, fully for another."""

import json
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from kulanz.application.drafts.draft_ports import Upstream
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.sources.signatures import path_digest
from kulanz_local import drive
from kulanz_local.embedded import PROJECT
from kulanz_local.stories.telling import CAMPAIGN_SECONDS, Stage, counted

TITLE = "A status page reports an outage; a person says how long it was"
HERE = Path(__file__).parent
SAMPLES = PROJECT / "events" / "sources" / "statuspage"
SOURCE, POLICY = "status", "status-page-calls"
DRAFT = f"{SOURCE}-0a1b2c3d4e5f-voice"
ACCOUNTS_LEAST = 40
PAID_MINOR = 500
"""For 18 minutes. For the 37 from start to end it would be 1,000."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer by number: of eight, one was not affected."""

    number: int

    @property
    def is_affected(self) -> bool:
        return self.number % 8 != 0

    def row(self) -> str:
        return f"sp-{self.number:08d},{str(self.is_affected).lower()}"


def tell(stage: Stage, accounts: int) -> None:
    """Tell the story with so many customers."""
    customers = [Customer(number) for number in range(max(ACCOUNTS_LEAST, accounts))]
    stage.tell(f"\n[bold]{TITLE}[/bold]")
    stage.publish_policy(HERE / "status-page-calls-1.yaml")
    path = stage.folder / "status-page.csv"
    path.write_text("\n".join(["account_id,affected", *(one.row() for one in customers)]) + "\n", encoding="utf-8")
    stage.expect("publish", stage.kulanz("source", "publish", str(SAMPLES / "configuration.yaml")), 0)
    secret = token_hex(24)
    _store_hash(stage, secret)

    stage.tell("The page reports it update by update; some deliveries come twice, and some late.")
    words = ("source", "play", str(SAMPLES / "recording.json"), "--source", SOURCE, "--kind", "statuspage")
    stage.expect("play", stage.kulanz(*words, secret_words=("--secret", secret)), 0)
    drafts = stage.stack.drafts()
    stage.wait_until("the draft", lambda: bool(drafts.parts(Upstream(SOURCE, "0a1b2c3d4e5f"))))
    stage.wait_until("the end that the page reports", lambda: _has_ended(stage))
    drive.wait_until_quiet(stage.stack, [stage.stack.outputs.sources_queue_url], CAMPAIGN_SECONDS)
    stage.expect("draft", stage.kulanz("draft", DRAFT), 0)
    found = stage.draft(DRAFT)
    minutes = {name: length // 60_000_000 for name, length in found["totals_microseconds"].items()}
    stage.expect("minutes by what one counts", minutes, {"proposed": 18, "major": 18, "partial": 37, "whole": 37})

    stage.tell("A person confirms the 18 minutes of the full outage, and requests the campaign.")
    confirm = ("--confirm", "--draft", found["digest"][:12], "--windows", "major", "--list", str(path))
    policy = ("--policy", f"{POLICY}/1", "--rows", str(len(customers)))
    stage.expect("confirm", stage.kulanz_of_person("draft", DRAFT, *confirm, *policy), 0)
    closed = stage.closed(CampaignId(DRAFT, 1))
    affected = [one for one in customers if one.is_affected]
    left_out = counted(("declined", "not_affected") for one in customers if not one.is_affected)
    results = {**counted(("granted", "credit") for _ in affected), **left_out}
    stage.compare(closed, results, {("granted", "EUR"): PAID_MINOR * len(affected)})
    path.unlink()


def _has_ended(stage: Stage) -> bool:
    """Whether each length is known: a delivery may come to its queue when that had long been empty."""
    return None not in stage.draft(DRAFT)["totals_microseconds"].values()


def _store_hash(stage: Stage, secret: str) -> None:
    """What whoever connects a page does: the hash of the path's secret in Secrets Manager."""
    content = json.dumps({"secrets": [path_digest(secret)]})
    name = f"{stage.stack.name}/sources/{SOURCE}"
    stage.stack.client("secretsmanager").create_secret(Name=name, SecretString=content)
