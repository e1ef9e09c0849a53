"""Fixes by what a campaign decides: the published policy, its parameters, and the incident's facts."""

from datetime import datetime

from kulanz.application.campaigns.frozen import thaw_incident
from kulanz.application.incidents.incident_event import EventRefused, PolicyReference
from kulanz.application.ports import PolicyMissing, PolicyStore
from kulanz.domain.campaigns.campaign import FROZEN_BYTES, Frozen
from kulanz.domain.incident import Incident
from kulanz.domain.lists.near_names import is_nearly
from kulanz.domain.policy import (
    CompiledPolicy,
    PolicyDocument,
    PolicyError,
    compile_policy,
    document_from_json,
    freeze,
)
from kulanz.domain.time import CLOCK_ALLOWANCE

REASONS_PER_POLICY = 60
"""Each is counted with up to five write_results, in one update expression of at most 4 KB: some 330 counters."""


def freeze_policy(
    content: bytes, reference: PolicyReference, policies: PolicyStore, now: datetime
) -> tuple[Frozen, CompiledPolicy]:
    """The published policy with its parameters, fixed beside the incident's facts, and compiled for them.

    `content` is the facts of the revision as they were recorded. Raises EventRefused where the policy is unknown,
    replaced, too large, or cannot decide this incident.
    """
    try:
        document = document_from_json(policies.fetch(reference.id, reference.version))
        _must_be_the_published_one(policies, reference)
        _must_be_named(document, reference)
        _must_be_countable(document)
        frozen = Frozen(freeze(document, reference.parameters), content)
        _must_fit(frozen)
        incident = thaw_incident(content)
        must_have_happened(incident, now)
        policy = compile_policy(frozen.policy, incident, now)
        must_state_facts(incident, policy)
        policy.must_be_affordable()
    except PolicyMissing:
        raise EventRefused(
            "policy_unknown",
            "detail.campaign.policy",
            "no policy of that id and version is published; publish it, then send the event again",
        ) from None
    except PolicyError as error:
        raise EventRefused("policy_unusable", "detail.campaign.policy", str(error)) from None
    except RecursionError:
        raise EventRefused(
            "policy_unusable",
            "detail.campaign.policy",
            "the published policy is nested deeper than any policy; publish it with `kulanz policy publish`",
        ) from None
    except (ArithmeticError, ValueError):
        raise EventRefused(
            "policy_unusable",
            "detail.campaign.policy",
            "the policy cannot compute with this incident's windows and facts; check their dates and sizes",
        ) from None
    return frozen, policy


def _must_be_the_published_one(policies: PolicyStore, reference: PolicyReference) -> None:
    """Asked after the content was read: what was read before a replacement is what was published."""
    if policies.is_replaced(reference.id, reference.version):
        raise EventRefused(
            "policy_replaced",
            "detail.campaign.policy",
            "the object of that policy version was written more than once, so that it need not be what was reviewed;"
            " find out who wrote it (docs/operations.md, Who may publish policies), and publish the next version",
        )


def _must_be_named(document: PolicyDocument, reference: PolicyReference) -> None:
    """Another policy under that name would be added beside the campaigns that it should have set off."""
    policy = document.policy
    if (policy.id, policy.version) != (reference.id, reference.version):
        raise EventRefused(
            "policy_unusable",
            "detail.campaign.policy",
            f"what is published as {reference.id} version {reference.version} calls itself {policy.id} version"
            f" {policy.version}; publish it with `kulanz policy publish`, which names it by its content",
        )


def _must_be_countable(document: PolicyDocument) -> None:
    policy = document.policy
    reasons = len(policy.who) + len(policy.payout) + len(policy.heads) + len(policy.facts)
    if reasons > REASONS_PER_POLICY:
        raise EventRefused(
            "policy_too_large",
            "detail.campaign.policy",
            f"the policy has {reasons} clauses, amount components and facts;"
            f" at most {REASONS_PER_POLICY} can be counted",
        )


def _must_fit(frozen: Frozen) -> None:
    size = len(frozen.policy) + len(frozen.incident)
    if size > FROZEN_BYTES:
        raise EventRefused(
            "policy_too_large",
            "detail.campaign.policy",
            f"the policy and the incident's facts have {size} bytes together; at most {FROZEN_BYTES} can be kept,"
            " so shorten one of them",
        )


def must_have_happened(incident: Incident, now: datetime) -> None:
    """An outage is paid for when it is known, not when it is foreseen: a mistyped year must not become money."""
    latest = now + CLOCK_ALLOWANCE
    if any(window.start > latest or (window.end or latest) > latest for window in incident.windows):
        raise EventRefused(
            "window_in_future",
            "detail.windows",
            "a window ends in the future; request the campaign when it is over, or leave the last window's end out",
        )


def must_state_facts(incident: Incident, policy: CompiledPolicy) -> None:
    """Refuse an incident that nearly names a fact that it should state: the default would count for everybody."""
    unread = [name for name in incident.facts if name not in policy.declared_facts]
    for fact in policy.incident_facts:
        near = "" if fact in incident.facts else next((name for name in unread if is_nearly(name, fact)), "")
        if near:
            raise EventRefused(
                "event_invalid",
                "detail.facts",
                f"nothing reads the incident's fact {near!r}, and the policy's {fact!r} is not there; rename the one"
                " that is, or state both, with null for what is not known",
            )
