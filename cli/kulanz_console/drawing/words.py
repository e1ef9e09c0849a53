"""What the page says of a campaign's state, in a sentence that a person could say aloud."""

from typing import TYPE_CHECKING

from kulanz.domain.campaigns.campaign import ENDED, STOPPED, State
from kulanz_console.drawing.text import counted_as

if TYPE_CHECKING:
    from kulanz_console.drawing.figures import Figures
    from kulanz_console.drawing.sources import Sources

NOTHING = "Nothing was granted."
SENTENCES = {
    State.PLANNING: "The plan is not complete. Nothing has been granted; the figures grow until it is complete.",
    State.APPLYING: "Credits are being granted. The figures are those of the moment.",
    State.CLOSED: "The campaign is closed: every decision of the plan has its place below.",
    State.REFUSED: "The campaign was refused.",
    State.REJECTED: "A person rejected the plan.",
    State.PAUSED: "The campaign is paused. What is in the ledger stays; the rest waits for a person.",
    State.FLAGGED: "The campaign is flagged. What is in the ledger stays; a person has to look at the rest.",
    State.CANCELLED: "The campaign was cancelled. What is in the ledger stays.",
}
WHY_HELD_BACK = {
    State.PLANNING: "planned so far, not granted",
    State.AWAITING_APPROVAL: "planned, not approved",
    State.APPLYING: "planned, not in the ledger so far",
    State.CLOSED: "planned; a duplicate, in conflict, capped, or held since",
}


def sentence(sources: "Sources", figures: "Figures") -> str:
    """How the campaign stands."""
    state = State(sources.report["state"])
    if state is State.AWAITING_APPROVAL:
        plan = sources.plan
        if plan is None:
            return "The plan waits for its approval. Nothing has been granted."
        given = counted_as(len(plan["approvals"]), "person has", "persons have") if plan["approvals"] else "nobody has"
        needed = counted_as(plan["persons_needed"], "person")
        return f"The plan waits for {needed}; {given} approved it. Nothing has been granted."
    said = SENTENCES[state]
    return said if state not in ENDED or figures.decisions else f"{said} {NOTHING}"


def state_kind(state: State) -> str:
    """The class of the label of a state."""
    if state in STOPPED or state in (State.REFUSED, State.REJECTED, State.CANCELLED):
        return "stopped"
    return "closed" if state is State.CLOSED else "waits"


def held_back_note(state: State, is_more: bool) -> str:
    """Why a sum is held back; `is_more` where the ledger has more than was planned."""
    if is_more:
        return "the ledger has more than was planned"
    return WHY_HELD_BACK.get(state, "planned, not in the ledger")
