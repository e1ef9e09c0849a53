"""The table of routes: what can be asked of the API, by whom, and which use case answers it.

The gateway's routes in the template, the roles' policies, the OpenAPI document and the command are compared with it.
A path is `/v1/<work>/<words>/<parameters>`. The first segment names the work of a role. No parameter stands before a
fixed word, because `*` in a policy of IAM crosses `/`, and callers choose the parameters.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

API_VERSION = "v1"
BODY_BYTES = 16 * 1024
"""The body of an action, in bytes: its reason, and what it names."""
EVENT_BODY_BYTES = 256 * 1024
"""The body of a request, in bytes: what EventBridge takes as one event, so that both ways in carry the same."""
QUERY_CHARACTERS = 2_048
"""The longest query string that is looked at."""


class Role(StrEnum):
    """The roles that the stack has a managed policy for."""

    SUPPORT = "support"
    REQUESTER = "requester"
    APPROVER = "approver"
    OPERATOR = "operator"
    FINANCE = "finance"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    PUBLISHER = "publisher"


SUPPORT = frozenset({Role.SUPPORT})
ASKERS = frozenset({Role.SUPPORT, Role.AUDITOR})
"""Who reads what was decided about one account."""
AUDITORS = frozenset({Role.AUDITOR})
"""Who reads also what was decided about whoever had an account's id before."""
READERS = frozenset(Role) - {Role.SUPPORT, Role.PUBLISHER}
"""Who reads incidents and campaigns."""
POLICY_READERS = frozenset(Role) - {Role.SUPPORT}
EXPORTERS = frozenset({Role.APPROVER, Role.FINANCE, Role.AUDITOR})
"""Who has the rows of a whole campaign, with its accounts: to approve a plan, to book by it, or to check either."""
DELIVERY_READERS = frozenset({Role.FINANCE, Role.AUDITOR, Role.OPERATOR})
"""Who reads what was delivered to billing."""
GOODWILL_READERS = frozenset({Role.SUPPORT, Role.APPROVER, Role.AUDITOR})
"""Who reads goodwill, with its account: to give it, to be the second person, or to check either."""
CASE_READERS = frozenset({Role.SUPPORT, Role.APPROVER, Role.AUDITOR})
"""Who reads what waits for a person, with its accounts: to decide it, to be the second person, or to check either."""
CASE_SECONDS = frozenset({Role.SUPPORT, Role.APPROVER})
FINANCE = frozenset({Role.FINANCE})
REGULATED = frozenset({Role.FINANCE, Role.AUDITOR})
"""Who lists the accounts that wait for their credit, such as for a regulator."""
REQUESTERS = frozenset({Role.REQUESTER})
APPROVERS = frozenset({Role.APPROVER})
OPERATORS = frozenset({Role.OPERATOR})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
OVERSEERS = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
"""Who reads what everybody did, and what the stack is."""


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table. `use` is `<module>.<function>` of this package, which answers.

    `body` is the model of its body in that module, and `body_bytes` the most that it may have; empty and 0 where it
    takes none. `query` are the names that a query may have.
    """

    method: str
    path: str
    use: str
    roles: frozenset[Role]
    summary: str
    query: tuple[str, ...] = ()
    body: str = ""
    body_bytes: int = 0

    @property
    def key(self) -> str:
        """What the gateway calls it."""
        return f"{self.method} {self.path}"

    @property
    def work(self) -> str:
        """The first segment after the version."""
        return self.path.split("/")[2]

    @property
    def words(self) -> tuple[str, ...]:
        """The fixed words of its path, after the version."""
        return tuple(part for part in self.path.split("/")[2:] if not part.startswith("{"))

    @property
    def has_action_id(self) -> bool:
        """Whether it is an action under an id that its caller chose."""
        return self.method == "PUT" and "id" in self.names

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parameters of its path."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    def match(self, raw_path: str) -> dict[str, str] | None:
        """The parameters of a path, unchecked; None where the path is not of this route, segment by segment."""
        rule, parts = self.path.split("/"), raw_path.split("/")
        if len(rule) != len(parts):
            return None
        pairs = list(zip(rule, parts, strict=True))
        if any(word != part for word, part in pairs if not word.startswith("{")):
            return None
        return {word[1:-1]: part for word, part in pairs if word.startswith("{")}


def _ask(path: str, use: str, roles: frozenset[Role], summary: str, query: tuple[str, ...] = ()) -> Route:
    return Route("GET", f"/{API_VERSION}/{path}", use, roles, summary, query)


def _act(path: str, use: str, roles: frozenset[Role], summary: str, body: str, body_bytes: int = BODY_BYTES) -> Route:
    return Route("PUT", f"/{API_VERSION}/{path}", use, roles, summary, (), body, body_bytes)


ROUTES: tuple[Route, ...] = (
    # --- one account
    _ask("accounts/{account}", "accounts.ask", ASKERS, "What one account got and why", ("incident", "subject")),
    _ask(
        "account-pasts/{account}",
        "accounts.ask_past",
        AUDITORS,
        "What one account got and why, also before its id changed hands",
        ("incident", "subject"),
    ),
    _act(
        "acceptances/{account}/{incident}/{id}",
        "acceptances.accept",
        SUPPORT,
        "Accept an offer for a customer",
        "AcceptBody",
    ),
    # --- goodwill
    _ask("goodwill/waiting", "goodwill.waiting", GOODWILL_READERS, "Goodwill that waits for a second person"),
    _ask("goodwill/reasons", "goodwill.reasons", GOODWILL_READERS, "The reasons for what is given or decided by hand"),
    _ask("goodwill/one/{goodwill}", "goodwill.one", GOODWILL_READERS, "Goodwill by its id"),
    _act("goodwill/{account}/{goodwill}", "goodwill.give", SUPPORT, "Give an account something anyway", "GoodwillBody"),
    _act(
        "goodwill-approvals/{goodwill}/{id}",
        "goodwill.decide",
        APPROVERS,
        "Approve goodwill as the second person, or reject it",
        "GoodwillApprovalBody",
    ),
    # --- cases: what waits for a person
    _ask("cases/month/{month}", "cases.of_month", CASE_READERS, "A month's campaigns with cases", ("cursor",)),
    _ask(
        "cases/campaign/{incident}/{seq}",
        "cases.of_campaign",
        CASE_READERS,
        "What of a campaign waits for a person",
        ("kind", "cursor"),
    ),
    _ask(
        "cases/one/{account}/{incident}/{seq}",
        "cases.one",
        CASE_READERS,
        "A case, and what it would owe with a fact known",
        ("subject", "facts", "row"),
    ),
    _ask("cases/proposed", "cases.proposed", CASE_READERS, "Decisions that wait for a second person", ("cursor",)),
    _act(
        "case-decisions/{account}/{incident}/{seq}/{id}",
        "cases.decide",
        SUPPORT,
        "Decide a case: by the policy, by an amount, or not",
        "DecideBody",
    ),
    _act(
        "case-approvals/{account}/{incident}/{seq}/{id}",
        "cases.second",
        CASE_SECONDS,
        "Agree to a decision of a case as the second person, or reject it",
        "SecondBody",
    ),
    # --- campaigns
    _ask("campaigns/open", "campaigns.waiting", READERS, "Campaigns that wait for a person", ("cursor",)),
    _ask("campaigns/month/{month}", "campaigns.of_month", READERS, "The campaigns that a month opened", ("cursor",)),
    _ask("campaigns/troubles", "campaigns.troubles", READERS, "What was lost or stands still, until it is repaired"),
    _ask(
        "campaigns/incident/{incident}", "campaigns.of_incident", READERS, "The campaigns of an incident", ("cursor",)
    ),
    _ask("campaigns/one/{incident}/{seq}", "campaigns.one", READERS, "A campaign as it stands, with its figures"),
    _ask(
        "campaigns/reconciliation/{incident}/{seq}",
        "campaigns.reconciliation",
        READERS,
        "A campaign's reconciliation: what was planned, and what was written",
    ),
    _ask("campaigns/plan/{incident}/{seq}", "approvals.plan", READERS, "What a filed plan will do"),
    _ask("campaigns/log/{incident}/{seq}", "campaigns.log", READERS, "The changes of state of a campaign"),
    _ask("campaigns/rejected/{incident}/{seq}", "campaigns.rejected", READERS, "Rows with a problem", ("cursor",)),
    _ask(
        "campaigns/files/{incident}/{seq}", "campaigns.files", READERS, "Links to report and row problems", ("cursor",)
    ),
    # --- exports
    _act(
        "exports/{incident}/{seq}/{id}",
        "exports.begin",
        EXPORTERS,
        "Begin an export of a campaign's rows",
        "ExportBody",
    ),
    _ask(
        "exports/{incident}/{seq}/{id}",
        "exports.one",
        EXPORTERS,
        "How far an export is, and links to its parts",
        ("cursor",),
    ),
    _ask(
        "exports/{incident}/{seq}",
        "exports.sample",
        EXPORTERS,
        "Twenty rows of a plan, drawn at random by its hash, with the steps of each",
    ),
    # --- incidents
    _ask("incidents/one/{incident}", "incidents.one", READERS, "An incident's record and its latest revisions"),
    _ask("incidents/revision/{incident}/{revision}", "incidents.revision", READERS, "What a revision says"),
    _ask("incidents/month/{month}", "incidents.of_month", READERS, "The incidents that a month reported", ("cursor",)),
    _ask("incidents/refused", "incidents.refused", READERS, "Events that were refused, and why"),
    _ask("incidents/drafts/month/{month}", "drafts.of_month", READERS, "What sources reported in a month", ("cursor",)),
    _ask("incidents/drafts/one/{draft}", "drafts.one", READERS, "A draft: what a source reports of an incident"),
    # --- deliveries to billing
    _ask("deliveries/waiting", "deliveries.waiting", DELIVERY_READERS, "Deliveries that are not sent"),
    _ask(
        "deliveries/channel/{channel}",
        "deliveries.of_channel",
        DELIVERY_READERS,
        "The deliveries of a channel",
        ("cursor",),
    ),
    _ask("deliveries/one/{channel}/{serial}", "deliveries.one", DELIVERY_READERS, "One delivery, with its sums"),
    _ask(
        "deliveries/campaign/{incident}/{seq}",
        "deliveries.of_campaign",
        DELIVERY_READERS,
        "What of a campaign is to be booked, and its delivery",
    ),
    _act(
        "deliveries/settled/{incident}/{seq}/{id}",
        "deliveries.deliver",
        FINANCE,
        "Deliver what a settled campaign granted, and what was added to a campaign, now",
        "DeliverBody",
    ),
    _act(
        "deliveries/again/{incident}/{seq}/{id}",
        "deliveries.publish_again",
        FINANCE,
        "Publish the credits of a campaign again",
        "PublishAgainBody",
    ),
    _act(
        "deliveries/credits/{incident}/{seq}/{id}",
        "credits.act",
        FINANCE,
        "Send a rejected credit again, or write it off",
        "CreditBody",
    ),
    # --- policies
    _ask("policies/published", "policies.published", POLICY_READERS, "Every published policy version", ("cursor",)),
    _ask("policies/one/{policy}/{version}", "policies.one", POLICY_READERS, "A published policy, and its examples"),
    # --- acknowledgements of billers, and the way to the bill
    _ask(
        "acknowledgements/channel/{channel}",
        "acknowledgements.of_channel",
        DELIVERY_READERS,
        "What a biller answered, file by file",
        ("cursor",),
    ),
    _ask(
        "acknowledgements/one/{channel}/{file}",
        "acknowledgements.one",
        DELIVERY_READERS,
        "One answer file, and its lines that a person has to look at",
        ("cursor",),
    ),
    _ask(
        "acknowledgements/overdue",
        "acknowledgements.overdue",
        DELIVERY_READERS,
        "Credits that are late, or soon will be",
    ),
    _ask(
        "acknowledgements/campaign/{incident}/{seq}",
        "acknowledgements.of_campaign",
        DELIVERY_READERS,
        "Plan, ledger and bill of a campaign",
    ),
    _ask(
        "acknowledgements/month/{month}",
        "acknowledgements.of_month",
        DELIVERY_READERS,
        "Plan, ledger and bill of each campaign of a month",
        ("cursor",),
    ),
    _ask(
        "overdue/{incident}/{seq}",
        "acknowledgements.late_credits",
        REGULATED,
        "The credits of a campaign that are late, by account",
        ("cursor",),
    ),
    _ask(
        "overdue/rejected/{incident}/{seq}",
        "acknowledgements.rejected_credits",
        REGULATED,
        "The credits of a campaign that the biller rejected or took back, by account",
        ("cursor",),
    ),
    _act(
        "acknowledgements/channel/{channel}/{id}",
        "acknowledgements.acknowledge",
        FINANCE,
        "Read a biller's answer file, or single answers",
        "AcknowledgementBody",
    ),
    # --- audit
    _ask("audit/campaign/{incident}/{seq}", "audit.of_campaign", OVERSEERS, "Who did what to a campaign", ("cursor",)),
    _ask("audit/incident/{incident}", "audit.of_incident", OVERSEERS, "Who did what to an incident", ("cursor",)),
    _ask("audit/policy/{policy}", "audit.of_policy", OVERSEERS, "Who published a policy and used it", ("cursor",)),
    _ask("audit/day/{day}", "audit.of_day", OVERSEERS, "What was done on a day", ("cursor",)),
    _ask("audit/actor", "audit.of_actor", OVERSEERS, "What a person or machine did", ("actor", "cursor")),
    # --- requests
    _act(
        "requests/incidents/{incident}/{revision}",
        "requests.record",
        REQUESTERS,
        "Record, amend or withdraw an incident",
        "RecordBody",
        EVENT_BODY_BYTES,
    ),
    _act(
        "requests/campaigns/{incident}/{revision}/{id}",
        "requests.campaign",
        REQUESTERS,
        "Request a campaign over an uploaded list",
        "CampaignBody",
        EVENT_BODY_BYTES,
    ),
    _act(
        "requests/drafts/{draft}/{id}",
        "drafts.confirm",
        REQUESTERS,
        "Confirm a draft as an incident",
        "ConfirmBody",
        EVENT_BODY_BYTES,
    ),
    # --- approvers
    _act(
        "approvals/{incident}/{seq}/{id}",
        "approvals.act",
        APPROVERS,
        "Approve a plan, reject it, or plan its list again",
        "ApprovalBody",
    ),
    # --- voids
    _act("voids/{incident}/{seq}/{id}", "voids.ask", REQUESTERS, "Ask for a void of what is unused", "VoidBody"),
    _act(
        "void-approvals/{incident}/{seq}/{void}/{id}",
        "voids.decide",
        APPROVERS,
        "Approve the plan of a void, reject it, or settle a flagged void",
        "VoidApprovalBody",
    ),
    _ask("voids/open", "voids.waiting", READERS, "Voids that are not over"),
    _ask("voids/campaign/{incident}/{seq}", "voids.of_campaign", READERS, "The voids of a campaign"),
    _ask("voids/one/{incident}/{seq}/{void}", "voids.one", READERS, "A void as it stands: its plan, and what was done"),
    # --- operators
    _act(
        "stops/{incident}/{seq}/{id}",
        "stops.act",
        OPERATORS,
        "Pause, resume, cancel or settle a campaign, or end a flagged one",
        "StopBody",
    ),
    _act(
        "repairs/advance/{incident}/{seq}/{id}",
        "repairs.advance",
        OPERATORS,
        "Move on a campaign that stands still",
        "RepairBody",
    ),
    _act(
        "repairs/notices/{incident}/{seq}/{id}",
        "repairs.notices",
        OPERATORS,
        "Publish a campaign's notices again",
        "RebuildBody",
    ),
    _act(
        "repairs/statuses/{incident}/{id}",
        "repairs.statuses",
        OPERATORS,
        "Publish an incident's status again",
        "RepairBody",
    ),
    _act(
        "repairs/redrive/{queue}/{id}",
        "repairs.redrive",
        OPERATORS,
        "Move dead letters back to their queue",
        "RepairBody",
    ),
    _act("repairs/refused/{id}", "repairs.refused", OPERATORS, "Take refused events out of their queue", "DoneBody"),
    # --- administrators
    _ask("halt/current", "halts.current", READERS, "Whether the stack is halted, and why"),
    _act("halt/{id}", "halts.act", ADMINISTRATORS, "Halt the whole stack, or say that it may go on", "HaltBody"),
    _ask("budgets/since/{month}", "budgets.since", READERS, "Budgets of a month and those after it", ("cursor",)),
    _ask(
        "budgets/reserved/{incident}/{seq}",
        "settlements.one",
        READERS,
        "What a campaign reserved of budgets, and what is known of what it granted",
    ),
    _act(
        "settlements/{incident}/{seq}/{id}",
        "settlements.act",
        ADMINISTRATORS,
        "State what a campaign granted that cannot be counted",
        "SettlementBody",
    ),
    _act(
        "budgets/{currency}/{month}/{id}",
        "budgets.act",
        ADMINISTRATORS,
        "Set what a currency may cost in a month, or remove it",
        "BudgetBody",
    ),
    _ask("confirmations/current", "confirmations.current", OVERSEERS, "Who confirmed the stack's tables, and when"),
    _act(
        "confirmations/{id}",
        "confirmations.confirm",
        ADMINISTRATORS,
        "Confirm the stack's tables, so that campaigns open",
        "ConfirmBody",
    ),
)

BY_KEY: Mapping[str, Route] = {route.key: route for route in ROUTES}
BY_USE: Mapping[str, Route] = {route.use: route for route in ROUTES}


def reached_by(role: Role) -> Iterator[tuple[str, str]]:
    """The methods and first segments that a role's policy permits, each once, in the order of the table."""
    yield from dict.fromkeys((route.method, route.work) for route in ROUTES if role in route.roles)
