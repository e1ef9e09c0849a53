"""What a story is told with: a deployed stack, its command line, and the comparison with what is expected."""

import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from kulanz.domain.campaigns.campaign import Campaign, CampaignId
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER
from kulanz.domain.ledger.entries import net_worth
from kulanz_cli.direct import DirectStack
from kulanz_cli.send import send, upload_list
from kulanz_cli.stack import LIST_PREFIX
from kulanz_cli.watch import AT_REST
from kulanz_local import drive
from kulanz_local.gate import Desk
from kulanz_local.subscriber import Subscriber

HERE = Path(__file__).parent
CAMPAIGN_SECONDS = 120
NOTICES_SECONDS = 60

type Results = dict[tuple[str, str], int]
"""Lines by result and reason."""
type Entered = tuple[str, Mapping[str, int | Decimal]]
"""The status of a decision, and what it grants net of voids, by currency in minor units or by unit."""
type Sums = dict[tuple[str, str], int]
"""Minor units by result and currency."""


@dataclass(slots=True)
class Stage:
    """A stack on which stories are told, and what differed so far."""

    stack: DirectStack
    persons: tuple[Desk, Desk]
    """Two persons at the `kulanz` command, for what no machine may do."""
    subscriber: Subscriber
    console: Console
    folder: Path
    differences: list[str] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, text: str) -> None:
        """Print a sentence of the story."""
        self.console.print(text, highlight=False)

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Compare; a difference is kept for the end."""
        if found != wanted:
            self.differences.append(f"{what}: expected {wanted}, found {found}")

    def publish_policy(self, path: Path) -> None:
        """`kulanz policy publish`."""
        self.expect(f"publish {path.name}", drive.run_kulanz(self.stack, "policy", "publish", str(path)), 0)

    def publish_discretion(self) -> None:
        """Publish what persons of the stories may decide and give by hand; a second time it is there already."""
        path = Path(__file__).parent / "discretion-1.yaml"
        self.expect("publish the discretion file", drive.run_kulanz(self.stack, "discretion", "publish", str(path)), 0)

    def upload(self, name: str, lines: Iterable[str]) -> dict[str, Any]:
        """Upload a list; the place and control total that an event names it by."""
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        uploaded = upload_list(self.stack, path, LIST_PREFIX + name)
        path.unlink()
        return uploaded

    def send(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Put an event on the bus."""
        event = {"source": "billing", "detail-type": detail_type, "detail": dict(detail)}
        self.sent.append(event)
        send(event, self.stack)

    def request(self, incident_id: str, revision: int, policy: str, version: int, affected: Mapping[str, Any]) -> None:
        """Request a campaign under a revision that is recorded."""
        self.wait_until(f"revision {revision} of {incident_id}", lambda: self._knows(incident_id, revision))
        campaign = {"policy": {"id": policy, "version": version}, "affected": dict(affected)}
        detail = {"incident_id": incident_id, "revision": revision, "campaign": campaign}
        self.send("Campaign Requested", detail)

    def _knows(self, incident_id: str, revision: int) -> bool:
        record = self.stack.campaigns().incident(incident_id)
        return record is not None and record.highest_revision >= revision

    def closed(self, campaign_id: CampaignId) -> Campaign:
        """A campaign, once it rests and has told so on the bus."""
        found: list[Campaign] = []

        def rests() -> bool:
            self.subscriber.check()
            campaign = drive.approved(self.stack, campaign_id)
            if campaign is None or campaign.state not in AT_REST or campaign.announced != campaign.report_name:
                return False
            found[:] = [campaign]
            return True

        self.wait_until(f"the end of {campaign_id}", rests)
        self.expect(f"state of {campaign_id}", found[0].state.value, "closed")
        return found[0]

    def wait_until(self, what: str, is_so: Callable[[], bool]) -> None:
        """Wait, and raise Overdue when it takes too long."""
        drive.wait_until(what, CAMPAIGN_SECONDS, is_so)

    def compare(self, campaign: Campaign, results: Results, sums: Sums) -> None:
        """Compare the results of a campaign, line by line, in both passes, and what stands in the ledger."""
        for name, totals in (("plan", campaign.plan.totals), ("apply", campaign.apply.totals)):
            counted = {(row_result.value, reason): lines for (row_result, reason), lines in totals.results().items()}
            self.expect(
                f"{name} of {campaign.id}", counted, {place: lines for place, lines in results.items() if lines}
            )
        worth = campaign.apply.totals.worth(IN_THE_LEDGER)
        found = {(row_result.value, measure): value for (row_result, measure), value in worth.items()}
        self.expect(f"ledger of {campaign.id}", found, {place: value for place, value in sums.items() if value})
        for (row_result, reason), lines in sorted(results.items()):
            self.tell(f"    {lines:>7,}  {row_result:<10} {reason}")

    def expect_notices(self, campaign_id: CampaignId, wanted: int) -> None:
        """So many distinct notices of a campaign arrive, and no more."""
        self._await_notices(lambda: self.subscriber.notices_of(str(campaign_id)) >= wanted)
        self.expect(f"notices of {campaign_id}", self.subscriber.notices_of(str(campaign_id)), wanted)

    def expect_status(self, incident_id: str, wanted: list[str]) -> None:
        """Everybody was told of each revision of an incident, once."""
        self._await_notices(lambda: self.subscriber.status_notices(incident_id) == wanted)
        self.expect(f"status notices of {incident_id}", self.subscriber.status_notices(incident_id), wanted)

    def _await_notices(self, came: Callable[[], bool]) -> None:
        """Give notices their time; what is missing then, the comparison tells."""

        def have_come() -> bool:
            self.subscriber.check()
            return came()

        with suppress(drive.Overdue):
            drive.wait_until("all notices", NOTICES_SECONDS, have_come)

    def expect_entries(self, account_id: str, wanted: Mapping[str, Entered]) -> None:
        """What stands in the ledger for an account, by campaign, less what was voided."""
        found = {
            str(one.key.campaign): (one.status.value, net_worth(one))
            for one in self.stack.answers().ledger.of_account(account_id)
        }
        for campaign, stands in wanted.items():
            self.expect(f"{account_id} in {campaign}", found.get(campaign), stands)

    def repeat_everything(self, queue_urls: Iterable[str]) -> None:
        """Send every event of the stories again: no decision, campaign or refusal comes of it."""
        before = drive.items_in_the_ledger(self.stack)
        for event in self.sent:
            send(event, self.stack)
        drive.wait_until_quiet(self.stack, queue_urls, CAMPAIGN_SECONDS)
        self.expect("decisions after every event came twice", drive.items_in_the_ledger(self.stack), before)

    def kulanz(self, *arguments: str, secret_words: tuple[str, ...] = ()) -> int:
        """Run the `kulanz` command as the account's administrator; its exit code. `secret_words` are not printed."""
        self.tell(f"[dim]$ kulanz {' '.join(arguments)}[/dim]")
        return drive.run_kulanz(self.stack, *arguments, *secret_words)

    def kulanz_of_person(self, *arguments: str) -> int:
        """Run the `kulanz` command with the keys of the first person; its exit code."""
        return self._kulanz_of(self.persons[0], *arguments)

    def kulanz_of_second(self, *arguments: str) -> int:
        """Run the `kulanz` command with the keys of the second person; its exit code."""
        return self._kulanz_of(self.persons[1], *arguments)

    def _kulanz_of(self, desk: Desk, *arguments: str) -> int:
        """Run it as a person; what is refused is shown as the command shows it, and is an exit code, too."""
        self.tell(f"[dim]{desk.name} $ kulanz {' '.join(arguments)}[/dim]")
        try:
            return drive.run_kulanz(desk.stack, *arguments)
        except click.ClickException as refused:
            self.console.print(refused.format_message(), markup=False, highlight=False)
            return refused.exit_code

    def asked(self, *arguments: str) -> Any:
        """What a command answers to the first person, as JSON; nothing is shown, and any exit code is right."""
        printed = io.StringIO()
        with redirect_stdout(printed):
            drive.run_kulanz(self.persons[0].stack, *arguments, "--json")
        return json.loads(printed.getvalue())

    def draft(self, draft_id: str) -> dict[str, Any]:
        """A draft, as the API answers it."""
        return self.stack.door().ask("drafts.one", draft=draft_id)


def counted(verdicts: Iterable[tuple[str, str]]) -> Results:
    """Results of one line per verdict."""
    return dict(Counter(verdicts))
