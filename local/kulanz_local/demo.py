"""`make demo`: real incidents become credits on an AWS of this machine, and every figure is checked.

Two incidents are simple and large: long lists with trouble planted among their rows. Two persons approve their plans
through the API; the plan of one is rejected first, and made again. A third incident is so small that its plan executes
automatically. The reconciliation is printed last, with one line of what was checked: 60 lines at most. With
``--stories`` four more are told before that, which are short and hard: one that begins on a status page, one whose
accounts are held until it is resolved, of which persons decide some, one whose second campaign replaces the first, and
one whose list was wrong and is taken back.

With ``--keep`` the AWS then stays until Ctrl-C, and a file is written with which a shell reaches it.

Exits with 1 when a campaign does not reconcile, a notice is missing, or anything differs from what was planted in the
lists. Ctrl-C ends it with 130, and nothing is left behind.
"""

import io
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from kulanz.application.ports import Refused, TryAgain
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, State, StateChange
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz_cli.direct import DirectStack
from kulanz_cli.event_file import EventUnsendable
from kulanz_cli.reconciliation import show_reconciliation
from kulanz_cli.terminal import console as plain_console
from kulanz_cli.watch import CampaignBars
from kulanz_local import drive
from kulanz_local.cases import CASES, PERCENT, SKYPE, Case
from kulanz_local.deployment import build, deploy
from kulanz_local.embedded import EmbeddedAws, EmbeddedAwsError, aws_session
from kulanz_local.gate import Desk, GateDiffers, approved_by_both, desks
from kulanz_local.interrupt import Terminated, quietly_interrupted
from kulanz_local.lists import Expectation, write_list
from kulanz_local.persons import create_persons
from kulanz_local.reconcile import discrepancies, notices_due
from kulanz_local.settings_file import NoSettingsFile, settings_file
from kulanz_local.stories import att_wrong_list, o2_alice, status_page, swisscom, to_the_bill
from kulanz_local.stories.telling import Stage
from kulanz_local.subscriber import Audience, Subscriber

ACCOUNTS_DEFAULT = 20_000
ACCOUNTS_LEAST = 1_000
"""Fewer might leave out a kind of account that is asked about."""
ACCOUNTS_MOST = 5_000_000
SEED = 20240222

CHUNKS_PER_LIST = 32
CHUNK_BYTES_LEAST = 131_072
CHUNK_BYTES_MOST = 4 * 1024 * 1024
WORKERS = 2
"""One for each of two cores; MiniStack itself keeps one busy."""
WRITES_PER_SECOND = 1_000_000
"""No pacing: nobody pays for these writes."""

ACCOUNTS_PER_STORY_ACCOUNT = 20
"""The stories are about their steps, not about their size."""

SLOWEST_ACCOUNTS_PER_SECOND = 100
CAMPAIGN_SECONDS = 180
"""What a campaign may take beside its accounts."""
CLOSED_EVENT_SECONDS = 60
NOTICES_STILL_SECONDS = 60
"""Notices are late when none came for so long."""
QUIET_SECONDS = 120
AUTOMATIC = CampaignId("skype-2015-09-22", 1)
"""A small incident: its plan executes automatically."""
AUTOMATIC_ROWS = 40
AUTOMATIC_BELOW = '{"minute": "1000"}'
"""More than its rows can come to at 20 minutes each, and less than the lists of any demo do."""
LATER = {"start": "2015-09-22T08:00:00Z", "end": "2015-09-22T09:00:00Z"}
SMALL_KEY = "lists/skype-2015-09-22.jsonl"
ANSWERED = ("granted", "declined", "held", "unlisted")


class DemoFailed(Exception):
    """Something is not as it must be; each line of the text is one difference."""


FAILURES = (
    DemoFailed,
    drive.Overdue,
    EmbeddedAwsError,
    EventUnsendable,
    NoSettingsFile,
    Terminated,
    TryAgain,
    click.ClickException,
)
"""What ends the demo with 1 and a text."""


@dataclass(slots=True)
class Run:
    """One demo: the stack, who listens to it, and what is expected of each case."""

    console: Console
    stack: DirectStack
    subscriber: Subscriber
    folder: Path
    persons: tuple[Desk, Desk]
    stories: bool = False
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    expected: dict[str, Expectation] = field(default_factory=dict)
    replanned: dict[str, CampaignId] = field(default_factory=dict)

    def campaign_ids(self) -> list[CampaignId]:
        """The campaign of each incident that is to be executed: the first, or the one that planned its list again."""
        return [self.replanned.get(case.incident_id, CampaignId(case.incident_id, 1)) for case in CASES]

    def state(self, campaign_id: CampaignId) -> State:
        """The state that a campaign is in."""
        found = self.stack.campaigns().state_of(campaign_id)
        assert found is not None, "it was followed"
        return found

    def follow(self, campaign_ids: Iterable[CampaignId], accounts: int) -> list[Campaign]:
        """Draw campaigns until each has ended or waits for a person."""
        longest_seconds = CAMPAIGN_SECONDS + accounts / SLOWEST_ACCOUNTS_PER_SECOND
        drawn = self.console if self.console.is_terminal else Console(file=io.StringIO())
        with CampaignBars(drawn, transient=True) as bars:
            check, look = self.subscriber.check, drive.unapproved
            return drive.follow(self.stack, campaign_ids, bars, longest_seconds, check, look)


@contextmanager
def step(console: Console, what: str) -> Iterator[None]:
    """Print how long something took, once it is done."""
    started = time.monotonic()
    yield
    console.print(f"[green]ok[/green]    {what:<52} {time.monotonic() - started:6.1f} s", highlight=False)


def demo(accounts: int, console: Console, *, stories: bool = False, keep: bool = False) -> None:
    """Run the demo with so many accounts over both incidents; with `keep`, its AWS stays until Ctrl-C.

    Raises DemoFailed with everything that differs.
    """
    started = time.monotonic()
    console.print(opening(accounts, stories=stories), highlight=False)
    began = step(console, "build the stack with the SAM CLI, and deploy it")
    with EmbeddedAws() as aws, tempfile.TemporaryDirectory(prefix="kulanz-demo-") as folder:
        with began:
            build()
            outputs = deploy(aws.endpoint, parameters=parameters(accounts))
        subscriber = Subscriber(aws_session(), aws.endpoint, outputs.notices_topic_arn, outputs.event_bus_name)
        with subscriber:
            run = Run(console, drive.stack_of(aws), subscriber, Path(folder), desks(aws), stories)
            try:
                campaigns = _play(run, accounts, Path(folder))
            except Exception:
                _show_situation(run)
                raise
            console.print(closing(run.expected.values(), campaigns, time.monotonic() - started), highlight=False)
            if keep:
                persons = create_persons(aws.endpoint)
                with suppress(KeyboardInterrupt), settings_file("demo", aws.endpoint, persons) as path:
                    console.print(how_to_try(run, path), markup=False, highlight=False, soft_wrap=True)
                    Event().wait()


def opening(accounts: int, *, stories: bool) -> str:
    """The first line: what is about to happen."""
    more = ", four more in steps" if stories else ""
    return f"Two incidents with {accounts:,} accounts{more}, on an AWS of this machine"


def closing(expected: Iterable[Expectation], campaigns: Iterable[Campaign], seconds: float) -> str:
    """The last line of a run in which nothing differs: what was compared with what was planted."""
    cases, notices = list(expected), 0
    for case, campaign in zip(cases, campaigns, strict=True):
        notices += notices_due(case, campaign)
    lines, decisions = sum(case.lines for case in cases), sum(case.decisions() for case in cases)
    figures = f"{lines:,} lines, {decisions:,} decisions, {notices:,} notices"
    return f"\n[bold green]All as planted:[/bold green] {figures}. {seconds:.0f} s"


def how_to_try(run: Run, settings: Path) -> str:
    """The line with which another terminal reaches the AWS of this run, and some to begin with."""
    asked = CASES[0]
    return "\n".join(
        (
            "\nThe AWS stays until Ctrl-C. In another terminal, in this folder:\n",
            f"  source {settings}",
            "  kulanz console",
            f"  kulanz ask {run.expected[asked.incident_id].examples['granted']} --incident {asked.incident_id}",
            f"  kulanz watch {CampaignId(asked.incident_id, 1)}",
            f"  kulanz export {CampaignId(asked.incident_id, 1)} --to att.csv",
            f"  kulanz campaigns {asked.incident_id}",
            f"  kulanz rejected {CampaignId(asked.incident_id, 1)}",
            "  kulanz policy list --published",
        )
    )


def _show_situation(run: Run) -> None:
    """Say where everything stands, if the AWS can still be asked."""
    try:
        told = drive.situation(run.stack, run.campaign_ids())
    except (ClientError, BotoCoreError, TryAgain, Refused) as error:
        told = f"the embedded AWS does not answer: {error}"
    run.console.print(told, markup=False, highlight=False, soft_wrap=True)


def parameters(accounts: int) -> dict[str, str]:
    """What differs from the template's defaults: small chunks for short lists, and no pacing."""
    list_bytes = 200 * accounts // len(CASES)
    chunk_bytes = max(CHUNK_BYTES_LEAST, min(CHUNK_BYTES_MOST, list_bytes // CHUNKS_PER_LIST))
    return {
        "ChunkBytes": str(chunk_bytes),
        "MaximumConcurrency": str(WORKERS),
        "TargetWriteRate": str(WRITES_PER_SECOND),
        "AutomaticBelow": AUTOMATIC_BELOW,
        "AutomaticMonthly": AUTOMATIC_BELOW,
        "OtherChannels": to_the_bill.OTHER_CHANNELS,
    }


def _play(run: Run, accounts: int, folder: Path) -> list[Campaign]:
    """Decide both incidents, check everything, print the reconciliation. Raises DemoFailed with all that differs."""
    console = run.console
    with step(console, "upload and plan the lists; a small one executes itself"):
        _prepare(run, accounts, folder)
        _publish(run)
        small = _execute_automatically(run)
        run.follow(run.campaign_ids(), accounts)
    with step(console, "reject a plan, make it again, approve by two persons"):
        _approve(run, accounts)
    with step(console, f"decide {accounts:,} accounts, receive every notice"):
        run.follow(run.campaign_ids(), accounts)
        campaigns = _announced(run)
        _wait_for_notices(run, campaigns, small)
    problems = list(_differs_automatic(small, run.stack.campaigns().log(small.id)))
    for case, campaign in zip(CASES, campaigns, strict=True):
        problems += _differs(run, case, campaign)
    stored = drive.items_in_the_ledger(run.stack)
    planted = sum(expected.decisions() for expected in run.expected.values()) + AUTOMATIC_ROWS
    if stored != planted:
        problems.append(f"decisions in the table: planted {planted}, found {stored}")
    with step(console, f"publish both events again, ask about {len(CASES) * len(ANSWERED)} accounts"):
        problems += _publish_again(run, campaigns, stored)
        problems += _ask(run)
    billed = _bill(run, folder, problems)
    if run.stories:
        problems += _play_stories(run, accounts, folder)
    problems += [f"{number} {what}" for what, number in drive.given_up(run.stack).items()]
    notices = run.subscriber.distinct_notices()
    for case, campaign in zip(CASES, campaigns, strict=True):
        show_case(case, campaign, notices, console, says_languages=run.stories)
    console.print(f"\n[bold]{to_the_bill.TITLE}[/bold]", *billed.lines(), sep="\n", highlight=False)
    if problems:
        raise DemoFailed("\n".join(problems))
    return campaigns


def _prepare(run: Run, accounts: int, folder: Path) -> None:
    left = accounts
    for case in CASES:
        path = folder / Path(case.key).name
        listed = left if case is CASES[-1] else accounts * case.share // PERCENT
        left -= listed
        run.expected[case.incident_id] = write_list(case.maker, listed, SEED, path)
        run.events[case.incident_id] = drive.completed_event(run.stack, case, path, run.expected[case.incident_id].rows)
        path.unlink()
        code, printed = _kulanz(run, "policy", "publish", str(case.policy))
        if code != 0:
            raise DemoFailed(f"the policy {case.policy} was not published\n{printed}")


def _kulanz(run: Run, *arguments: str) -> tuple[int, str]:
    """Run the `kulanz` command; its exit code and what it printed. Where stories are told, a reader sees both."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        code = drive.run_kulanz(run.stack, *arguments)
    if run.stories:
        run.console.print(f"\n[dim]$ kulanz {' '.join(arguments)}[/dim]", highlight=False)
        run.console.print(printed.getvalue().rstrip(), markup=False, highlight=False, soft_wrap=True)
    return code, printed.getvalue()


def show_case(
    case: Case, campaign: Campaign, notices: Mapping[Audience, int], console: Console, *, says_languages: bool
) -> None:
    """Print the reconciliation of a case's campaign, and the distinct notices that came of it, by language."""
    console.print(f"\n[bold]{case.title}[/bold]", highlight=False)
    show_reconciliation(drive.shown(campaign), console, says_where=False)
    if not says_languages:
        return  # the last line has how many there are in all
    languages = {locale: number for (name, _, locale), number in notices.items() if name == str(campaign.id)}
    shown = ", ".join(f"{locale} {number:,}" for locale, number in sorted(languages.items()))
    console.print(f"distinct notices received: [bold]{sum(languages.values()):,}[/bold] ({shown})", highlight=False)


def _bill(run: Run, folder: Path, problems: list[str]) -> to_the_bill.Billed:
    """Bring credits on the bills of a biller that errs; step by step where stories are told."""
    told = run.console if run.stories else Console(file=io.StringIO())
    stage = Stage(run.stack, run.persons, run.subscriber, told, folder)
    quietly = nullcontext() if run.stories else redirect_stdout(io.StringIO())
    with step(run.console, "bring credits on the bills of a biller that errs"), quietly:
        billed = to_the_bill.tell(stage)
    problems += stage.differences
    return billed


def _play_stories(run: Run, accounts: int, folder: Path) -> list[str]:
    """Tell the stories; then send all their events a second time."""
    stage = Stage(run.stack, run.persons, run.subscriber, run.console, folder)
    for tell in (status_page.tell, o2_alice.tell, swisscom.tell, att_wrong_list.tell):
        tell(stage, accounts // ACCOUNTS_PER_STORY_ACCOUNT)
    with step(run.console, "publish the events of the stories a second time"):
        stage.repeat_everything([run.stack.outputs.incidents_queue_url, run.stack.outputs.chunks_queue_url])
    return stage.differences


def _execute_automatically(run: Run) -> Campaign:
    """Let a person request a campaign that is below every threshold; the campaign, once it has ended."""
    event = json.loads(SKYPE.event.read_text(encoding="utf-8"))
    event["detail"] |= {"incident_id": AUTOMATIC.incident_id, "title": "Sign-in fails for some", "windows": [LATER]}
    path = run.folder / "small.json"
    path.write_text(json.dumps(event), encoding="utf-8")
    case = replace(SKYPE, incident_id=AUTOMATIC.incident_id, event=path, key=SMALL_KEY)
    path.write_text(json.dumps(drive.completed_event(run.stack, case, SKYPE.sample, AUTOMATIC_ROWS)), encoding="utf-8")
    run.persons[0].kulanz("send", str(path))
    store = run.stack.campaigns()

    def is_closed() -> bool:
        """Its plan waits for a moment, too: until advance_campaign starts it."""
        run.subscriber.check()
        return store.state_of(AUTOMATIC) is State.CLOSED

    drive.wait_until(f"the automatic execution of {AUTOMATIC}", CAMPAIGN_SECONDS, is_closed)
    campaign = store.campaign(AUTOMATIC)
    assert campaign is not None, "it is closed"
    return campaign


def _differs_automatic(campaign: Campaign, log: Iterable[StateChange]) -> Iterator[str]:
    """What is not as it should be of the campaign that nobody approved."""
    if campaign.state is not State.CLOSED or campaign.apply.totals.ledger_count() != AUTOMATIC_ROWS:
        yield f"{campaign.id}: it should have closed with {AUTOMATIC_ROWS} decisions and is {campaign.state}"
    if not any(change.reason.startswith("executed_automatically") for change in log):
        yield f"{campaign.id}: it was not executed automatically"


def _approve(run: Run, accounts: int) -> None:
    """Reject the second plan and have it made again; then two persons approve both. Raises DemoFailed."""
    anna, ben = run.persons
    first, second = run.campaign_ids()
    try:
        anna.reject(second, "the list is looked at once more")
        run.replanned[second.incident_id] = again = ben.replan(second, "the list is right")
        run.follow([again], accounts)
        for campaign_id in (first, again):
            approved_by_both((anna, ben), campaign_id, lambda waits=campaign_id: run.state(waits))  # type: ignore[misc]
    except GateDiffers as problem:
        raise DemoFailed(str(problem)) from None
    if run.state(second) is not State.REJECTED:
        raise DemoFailed(f"{second} was rejected and is {run.state(second)}")


def _publish(run: Run) -> None:
    """Send both events through the API, as a person does. Raises DemoFailed."""
    for case in CASES:
        path = run.folder / f"{case.incident_id}.json"
        path.write_text(json.dumps(run.events[case.incident_id]), encoding="utf-8")
        code, printed = _kulanz(run, "send", str(path))
        if code != 0:
            raise DemoFailed(f"the event of {case.incident_id} was not taken\n{printed}")


def _announced(run: Run) -> list[Campaign]:
    """The campaigns, once each has announced on the bus that it closed, and has noted it."""
    store, wanted = run.stack.campaigns(), run.campaign_ids()
    found: list[Campaign | None] = []

    def all_announced() -> bool:
        run.subscriber.check()
        closed = {detail["campaign"] for kind, detail in run.subscriber.announcements() if kind == "Campaign Closed"}
        found[:] = [store.campaign(campaign_id) for campaign_id in wanted]
        return {str(campaign_id) for campaign_id in wanted} <= closed and all(
            campaign is not None and campaign.announced for campaign in found
        )

    drive.wait_until("Campaign Closed on the bus", CLOSED_EVENT_SECONDS, all_announced)
    return [campaign for campaign in found if campaign is not None]


def _wait_for_notices(run: Run, campaigns: list[Campaign], small: Campaign) -> None:
    """Wait until as many distinct notices came as the receipts say; what is missing then, the comparison finds."""
    due = sum(notices_due(run.expected[campaign.id.incident_id], campaign) for campaign in campaigns)
    due += sum(n for key, n in small.apply.totals.counts.items() if key.row_result is RowResult.GRANTED)
    last, still_since = -1, time.monotonic()
    while (received := run.subscriber.distinct_notices().total()) < due:
        run.subscriber.check()
        if received != last:
            last, still_since = received, time.monotonic()
        elif time.monotonic() - still_since > NOTICES_STILL_SECONDS:
            return
        time.sleep(drive.POLL_SECONDS)


def _differs(run: Run, case: Case, campaign: Campaign) -> Iterator[str]:
    """Everything about a campaign and its notices that is not as planted."""
    notices = run.subscriber.notices_of(str(campaign.id))
    return discrepancies(run.expected[case.incident_id], campaign, notices)


def _publish_again(run: Run, before: list[Campaign], stored: int) -> list[str]:
    """Publish every event a second time: the campaigns, the ledger and the notices must stay as they are."""
    delivered, store = run.subscriber.deliveries(), run.stack.campaigns()
    known_before = {case.incident_id: store.campaigns_of(case.incident_id) for case in CASES}
    _publish(run)
    urls = [run.stack.outputs.incidents_queue_url, run.stack.outputs.chunks_queue_url]
    drive.wait_until_quiet(run.stack, urls, QUIET_SECONDS)
    problems = []
    for case, campaign in zip(CASES, before, strict=True):
        known = store.campaigns_of(case.incident_id)
        if len(known) != len(known_before[case.incident_id]):
            problems.append(f"{case.incident_id}: the second publication opened a campaign")
        if known != known_before[case.incident_id] or campaign not in known:
            problems.append(f"{campaign.id}: the second publication changed the campaign's record")
    if (counted := drive.items_in_the_ledger(run.stack)) != stored:
        problems.append(f"the second publication left {counted} decisions of {stored}")
    if run.subscriber.deliveries() != delivered:
        problems.append(f"the second publication sent {run.subscriber.deliveries() - delivered} notices")
    return problems


def _ask(run: Run) -> list[str]:
    """Ask about an account of each kind, as a support agent does."""
    problems = []
    for case in CASES:
        for kind in ANSWERED:
            account_id = run.expected[case.incident_id].examples[kind]
            code, _ = _kulanz(run, "ask", account_id, "--incident", case.incident_id)
            if code != (kind == "unlisted"):
                problems.append(f"`kulanz ask` about the account that is {kind} ended with {code}")
    return problems


@click.command()
@click.option(
    "--accounts",
    type=click.IntRange(ACCOUNTS_LEAST, ACCOUNTS_MOST),
    default=ACCOUNTS_DEFAULT,
    show_default=True,
    help="Accounts in all lists together.",
)
@click.option(
    "--stories", is_flag=True, help="Tell the way to the bill and four more incidents in steps, and show each answer."
)
@click.option("--keep", is_flag=True, help="Keep the AWS until Ctrl-C, to try the `kulanz` command on it.")
def main(accounts: int, *, stories: bool, keep: bool) -> None:
    """Run the demo."""
    console = plain_console()
    with quietly_interrupted():
        try:
            demo(accounts, console, stories=stories, keep=keep)
        except FAILURES as error:
            told = error.format_message() if isinstance(error, click.ClickException) else str(error)
            console.print("\n[bold red]The demo failed.[/bold red]")
            console.print(told, markup=False, highlight=False)
            sys.exit(1)


if __name__ == "__main__":
    main()
