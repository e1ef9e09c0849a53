"""The `kulanz` command: write and publish policies, send an incident, watch its campaign, ask about an account."""

from typing import Any

import click

import kulanz
from kulanz_cli.groups import Lazy, section
from kulanz_cli.outcomes import ANSWER_CODES, WrongLine
from kulanz_cli.settings import StackSettings

COMMANDS = {
    "In a browser": section(
        ("console", "pages", "serve_console", "Serve pages for approvers, support and finance on this machine."),
    ),
    "For support: one account": section(
        ("ask", "ask", "ask", "Did ACCOUNT get a credit, and why that much?"),
        ("accept", "ask", "accept", "Accept the offer made to ACCOUNT."),
        ("goodwill", "goodwill", "goodwill", "Give ACCOUNT an amount anyway, or list what waits for a second person."),
        ("cases", "cases", "list_cases", "Show what waits for a person, and what it would owe."),
        ("decide", "decide", "decide_case", "Decide the case of ACCOUNT in CAMPAIGN: once, for a listed reason."),
        ("approve-case", "decide", "approve_case", "Agree, as the second person, to how a case is decided."),
        ("reject-case", "decide", "reject_case", "Reject, as the second person, how a case would be decided."),
    ),
    "For incident and billing engineers: one incident": section(
        ("list", "list_group", "list_", "Prepare and check lists of affected accounts."),
        ("send", "sending", "send_event", "Send an incident event, with its list."),
        ("watch", "watch", "watch_campaign", "Follow CAMPAIGN until it stops, and print its reconciliation."),
        ("campaigns", "campaigns", "list_campaigns", "List the campaigns of INCIDENT, or all that wait for a person."),
        ("incidents", "incidents", "list_incidents", "List the incidents of a month, by their first event."),
        ("drafts", "drafts", "list_drafts", "List what incident sources reported in a month."),
        ("draft", "draft", "draft", "Show the draft ID, confirm it as an incident, or dismiss it."),
        ("deliveries", "deliveries", "list_deliveries", "List what was delivered to billing, and what is not."),
        ("resend", "deliveries", "resend_credits", "Publish the credits of CAMPAIGN again on the credits topic."),
        ("deliver", "deliveries", "deliver_campaign", "Deliver what CAMPAIGN granted that a person ended, now."),
        ("report", "report", "write_report", "Write the report of CAMPAIGN as one page of HTML, to be sent."),
        ("acknowledge", "acknowledgements", "acknowledge_file", "Give Kulanz the answer FILE of a biller."),
        ("acknowledgements", "acknowledgements", "list_acknowledgements", "List what a biller answered."),
        ("overdue", "month", "list_overdue", "List credits that are late: on no bill, and their deadline is over."),
        ("credits", "credits", "credits_of", "List the credits of CAMPAIGN that the biller rejected or took back."),
        ("month", "month", "show_month", "Say what a month granted, and what of it is on bills."),
        ("log", "log", "log", "Show who did what, when and why."),
        ("rejected", "rejected", "rejected", "Show refused events, or the rejected rows of CAMPAIGN."),
    ),
    "For approvers: a plan that waits": section(
        ("plan", "plan", "show_plan", "Show what the plan of CAMPAIGN will do, before you approve it."),
        ("export", "exported.command", "export_campaign", "Write the rows of CAMPAIGN into FILE: who gets what."),
        ("approve", "plan", "approve_campaign", "Approve the plan of CAMPAIGN."),
        ("reject", "plan", "reject_campaign", "Reject the plan of CAMPAIGN."),
        ("replan", "plan", "replan_campaign", "Plan the list of CAMPAIGN again, as the next campaign of its incident."),
        ("void", "voids", "void", "Take back what is unused of CAMPAIGN, planned first; list its voids."),
        ("approve-void", "voids", "approve_void", "Approve the plan of VOID of CAMPAIGN."),
        ("reject-void", "voids", "reject_void", "Reject the plan of VOID of CAMPAIGN."),
        ("settle-void", "voids", "settle_void", "End the flagged VOID of CAMPAIGN as it stands."),
        ("approve-goodwill", "goodwill", "approve_goodwill", "Agree to the goodwill ID as the second person."),
        ("reject-goodwill", "goodwill", "reject_goodwill", "Reject the goodwill ID."),
        ("budget", "budget_group", "budget", "Show and set what campaigns may cost in a month."),
    ),
    "For operators: stop a campaign, fix a stack": section(
        ("doctor", "doctor.command", "doctor", "Check a deployed stack, and say what to do about each finding."),
        ("halt", "halt", "halt_stack", "Halt the whole stack: nothing is executed, accepted or published."),
        ("lift", "halt", "lift_halt", "Say that a halted stack may go on."),
        ("pause", "control", "pause_campaign", "Stop CAMPAIGN until it is resumed."),
        ("resume", "control", "resume_campaign", "Let a paused CAMPAIGN go on where it stopped."),
        ("cancel", "control", "cancel_campaign", "End CAMPAIGN for good."),
        ("settle", "control", "settle_campaign", "Close a flagged CAMPAIGN as it is."),
        ("end", "control", "end_campaign", "End a flagged CAMPAIGN: keep all, or void what is unused."),
        ("advance", "repairs", "advance", "Let advance_campaign look at CAMPAIGN again."),
        ("notices", "repairs", "notices", "Publish notices again."),
        ("ledger", "ledger_group", "ledger", "Confirm the stack's tables; compare ledger and receipts."),
        ("redrive", "repairs", "redrive", "Move dead letters back to their QUEUE."),
    ),
    "For authors and publishers of policies": section(
        ("policy", "policy_group", "policy", "Read the rulebook; write, test and publish policies."),
        ("people", "people_group", "people", "Check and publish the people file."),
        ("discretion", "discretion_group", "discretion", "Check and publish the discretion file."),
        ("source", "source_group", "source", "Check, publish and try the configuration of incident sources."),
    ),
}  # fmt: skip


class _Shown(Lazy):
    """The group of all commands: an error that a command foresees is a sentence, and ends with its exit code."""

    def make_context(self, *arguments: Any, **settings: Any) -> click.Context:
        try:
            return super().make_context(*arguments, **settings)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            raise WrongLine(error.format_message(), error.ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.NoSuchOption as error:
            before = error.option_name in {option for parameter in self.params for option in parameter.opts}
            advice = f"{error.option_name} comes before the command: kulanz {error.option_name} ... COMMAND"
            raise WrongLine(advice if before else error.format_message(), error.ctx) from None
        except click.UsageError as error:
            raise WrongLine(error.format_message(), error.ctx) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from kulanz_cli.errors import foreseen  # noqa: PLC0415 (needs all that the commands need)

            sentence = foreseen(error)
            if sentence is None:
                raise
            raise sentence from None


@click.group(
    cls=_Shown, sections=COMMANDS, epilog=ANSWER_CODES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--stack-name", envvar="KULANZ_STACK", default="kulanz", show_default=True, help="The deployed stack.")
@click.option("--profile", envvar="AWS_PROFILE", help="The AWS profile to use.")
@click.option("--region", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="The stack's region.")
@click.option("--endpoint-url", envvar="AWS_ENDPOINT_URL", help="Another endpoint than AWS's own, for an embedded AWS.")
@click.option("--api", envvar="KULANZ_API", help="The stack's API, its output ApiUrl: then the stack is not read.")
@click.version_option(kulanz.__version__, prog_name="kulanz", message="%(prog)s %(version)s")
@click.pass_context
def main(
    context: click.Context, stack_name: str, profile: str | None, region: str | None, endpoint_url: str | None,
    api: str | None,
) -> None:  # fmt: skip
    """Turn a service incident into credits, and answer for every one of them."""
    if context.obj is None:
        context.obj = StackSettings(stack_name, profile, region, endpoint_url or None, api or None)


if __name__ == "__main__":
    main(prog_name="kulanz")
