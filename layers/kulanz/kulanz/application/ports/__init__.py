"""What the use cases need of the world. Each port has an adapter over AWS, an in-memory fake and one contract suite.

Errors every port may raise: `TryAgain` when the same call may succeed later (the caller lets its message be delivered
again), and `Refused` for what a repetition cannot fix. A call that raised may have taken effect: every port is safe to
call again with the same arguments.
"""

from kulanz.application.ports.campaigns import (
    INDEXED_PER_PAGE,
    NOTHING_MORE,
    AtTheGate,
    CampaignIndex,
    CampaignStore,
    Indexed,
    KeptRequest,
    OpenCampaign,
    Page,
    Start,
    must_begin_at_the_gate,
)
from kulanz.application.ports.errors import (
    ATTEMPTS_AGAINST_OTHERS,
    ListMissing,
    Outdated,
    PeopleSealed,
    PinnedVersionGone,
    PolicyMissing,
    PolicySealed,
    PublishingForbidden,
    Refused,
    TryAgain,
)
from kulanz.application.ports.ledger import (
    Ledger,
)
from kulanz.application.ports.lists import (
    UPLOADED_BY,
    ListStore,
    Upload,
    Uploads,
)
from kulanz.application.ports.messages import (
    Announcement,
    Announcer,
    AnswerMessage,
    Archive,
    ChunkMessage,
    ChunkQueue,
    DeliveryMessage,
    ExportMessage,
    NoticeTopic,
    RejectedQueue,
    Rejection,
    VoidMessage,
)
from kulanz.application.ports.published import (
    PeopleShelf,
    PeopleStore,
    PolicyShelf,
    PolicyStore,
    PublishedPolicy,
)
from kulanz.application.ports.watch import (
    GivenUpBatch,
    GivenUpRecords,
    Stores,
    TablePolicies,
    Troubles,
)

__all__ = [
    "ATTEMPTS_AGAINST_OTHERS",
    "INDEXED_PER_PAGE",
    "NOTHING_MORE",
    "UPLOADED_BY",
    "Announcement",
    "Announcer",
    "AnswerMessage",
    "Archive",
    "AtTheGate",
    "CampaignIndex",
    "CampaignStore",
    "ChunkMessage",
    "ChunkQueue",
    "DeliveryMessage",
    "ExportMessage",
    "GivenUpBatch",
    "GivenUpRecords",
    "Indexed",
    "KeptRequest",
    "Ledger",
    "ListMissing",
    "ListStore",
    "NoticeTopic",
    "OpenCampaign",
    "Outdated",
    "Page",
    "PeopleSealed",
    "PeopleShelf",
    "PeopleStore",
    "PinnedVersionGone",
    "PolicyMissing",
    "PolicySealed",
    "PolicyShelf",
    "PolicyStore",
    "PublishedPolicy",
    "PublishingForbidden",
    "Refused",
    "RejectedQueue",
    "Rejection",
    "Start",
    "Stores",
    "TablePolicies",
    "Troubles",
    "TryAgain",
    "Upload",
    "Uploads",
    "VoidMessage",
    "must_begin_at_the_gate",
]
