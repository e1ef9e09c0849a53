"""Projects recorded revisions of incidents to the notices topic, so that customers need not call to learn of them."""

from collections.abc import Iterable

from kulanz.application.ports import NoticeTopic
from kulanz.domain.incident_record import Revision
from kulanz.domain.notices import status_notice


def publish_status(revisions: Iterable[Revision], topic: NoticeTopic) -> int:
    """Publish a status notice for each revision, at least once; how many. Raises TryAgain when the topic refused some.

    The id of a notice follows from incident and revision alone, so a repetition is recognised.
    """
    messages = [status_notice(revision) for revision in revisions]
    if messages:
        topic.publish(messages)
    return len(messages)
