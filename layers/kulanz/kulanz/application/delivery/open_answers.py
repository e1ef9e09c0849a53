"""Opens an answer file that was uploaded: pins its version, reads its header, and sends its chunks to the workers.

The same version of the same object is one file, however often it is opened.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from kulanz.application.campaigns.dispatch_chunks import unlimited
from kulanz.application.delivery.watching import Looked, look_at_each
from kulanz.application.delivery.world import AnswerFiles, AnswerQueue
from kulanz.application.ports import AnswerMessage, ListStore
from kulanz.domain.campaigns.campaign import Chunks, PinnedList
from kulanz.domain.delivery.answer_pass import AnswerFile
from kulanz.domain.delivery.answers import ANSWER_FACTS, REQUIRED_COLUMNS
from kulanz.domain.lists.header import HEADER_BYTES, format_of, read_layout
from kulanz.domain.lists.unread_columns import must_not_nearly_name, names_in

ANSWERS_FOLDER = "acknowledgements/"
"""Where answer files are uploaded."""
FILE_ID_CHARACTERS = 12
"""It stands in each entry that a file adds, of which a decision has 2 KB. 48 bits tell apart what a channel answers."""


@dataclass(frozen=True, slots=True)
class OpenAnswersPorts:
    """The world that opening answer files touches."""

    lists: ListStore
    files: AnswerFiles
    queue: AnswerQueue


def open_answers(
    channel: str, pinned: PinnedList, ports: OpenAnswersPorts, chunk_bytes: int, by: str, now: datetime
) -> AnswerFile:
    """Open an answer file and send what of it has no result. Raises ListRefused where its header cannot be read."""
    list_format = format_of(pinned.key)
    head = b"" if pinned.size == 0 else b"".join(ports.lists.read(pinned, 0, min(pinned.size, HEADER_BYTES)))
    layout = read_layout(list_format, head, pinned.size, REQUIRED_COLUMNS)
    names = names_in(layout, head[layout.data_start :].splitlines()[:-1] or [head[layout.data_start :]])
    must_not_nearly_name(names, ANSWER_FACTS, None, ())
    file = AnswerFile(
        id=file_id(pinned),
        channel=channel,
        pinned=pinned,
        layout=layout,
        chunks=Chunks(layout.data_start, pinned.size, chunk_bytes),
        opened_at=now,
        opened_by=by,
    )
    standing = ports.files.open(file)
    send_unfinished(standing, ports)
    return standing


def file_id(pinned: PinnedList) -> str:
    """What a version of an object is called as an answer file."""
    return sha256(f"{pinned.key}|{pinned.version_id}".encode()).hexdigest()[:FILE_ID_CHARACTERS]


def send_unfinished(file: AnswerFile, ports: OpenAnswersPorts) -> None:
    """Send every chunk of a file that is not finished: a worker that finds it finished does nothing."""
    if file.is_finished:
        return
    finished = ports.files.finished_chunks(file)
    ports.queue.send_answers(
        AnswerMessage(file.channel, file.id, chunk) for chunk in range(len(file.chunks)) if chunk not in finished
    )


def watch_answers(ports: OpenAnswersPorts, seconds_left: Callable[[], float] = unlimited) -> Looked:
    """Close every answer file that is finished, and send what stands still again; none of them waits for a person."""

    def look_at(named: tuple[str, str]) -> None:
        file = ports.files.file(*named)
        if file is None:
            return
        if file.is_finished:
            ports.files.close(file)
        elif file.seen == file.bytes_done:
            send_unfinished(file, ports)
        else:
            ports.files.note_seen(file)

    return look_at_each(ports.files.open_files(), look_at, seconds_left)
