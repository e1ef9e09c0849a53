"""The errors that ports raise.

Every port may raise `TryAgain` when the same call may succeed later (the caller lets its message be delivered again),
and `Refused` for what a repetition cannot fix.
"""


class TryAgain(Exception):
    """The world did not answer as it will: a throttle, a lost connection, a conflict of transactions."""


class Refused(Exception):
    """What was asked cannot be done, however often it is tried."""


class ListMissing(Exception):
    """The named list, or the named version of it, does not exist or may not be read."""


class PinnedVersionGone(Exception):
    """The version of the list that a campaign pinned was deleted."""


class PolicyMissing(Exception):
    """No policy of that id and version has been published."""


class PolicySealed(Refused):
    """That version of a policy has been published with other content, which stands."""


class PublishingForbidden(Refused):
    """Whoever asked may not publish policies."""


class Outdated(Exception):
    """A conditional write found that somebody else had written first; read again and decide anew."""


class PeopleSealed(Refused):
    """That version of the people file has been published with other content, which stands."""


class DiscretionSealed(Refused):
    """That version of the discretion file has been published with other content, which stands."""


ATTEMPTS_AGAINST_OTHERS = 5
"""How often a write is decided anew because somebody else was first; then it is for whoever asked to try again."""
