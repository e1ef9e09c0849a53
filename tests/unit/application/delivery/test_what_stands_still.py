"""The watches of answer files, deliveries and voids: what stands still is sent again, and what moves is left alone."""

from datetime import UTC, datetime

from kulanz.application.delivery.advance_void import advance_void
from kulanz.application.delivery.open_answers import OpenAnswersPorts, open_answers, watch_answers
from kulanz.application.ports import DeliveryMessage
from kulanz.domain.delivery.answer_pass import AnswerFile, AnswerReceipt, AnswerTotals
from kulanz.domain.delivery.channel import Channel
from tests.support import voiding
from tests.support.fake_answers import FakeAnswerQueue, FakeAnswers
from tests.support.small_campaign import ROWS, event, small_world
from tests.support.world import ANNA, World
from tests.support.world_deliveries import watched
from tests.support.world_steps import Function
from tests.support.world_voids import CAUSE, advance_ports, asked, watched_voids, worked

NOW = datetime(2026, 3, 10, 10, tzinfo=UTC)
KEY = "acknowledgements/billing/answers.csv"
CONTENT = b"account_id,serial,credit_id,answer\n" + b"".join(b"a-%03d,1,%032d,accepted\n" % (n, n) for n in range(12))


def receipt(file: AnswerFile, chunk: int) -> AnswerReceipt:
    """A chunk's end."""
    start, end = file.chunks.bounds(chunk)
    return AnswerReceipt(file.id, file.channel, chunk, start, end, None, True, AnswerTotals())


def test_a_file_that_stands_still_is_sent_again_and_one_that_is_read_to_its_end_is_looked_at_no_more() -> None:
    world, files, queue = World(), FakeAnswers({}), FakeAnswerQueue()
    world.lists.upload(KEY, CONTENT)
    ports = OpenAnswersPorts(world.lists, files, queue)
    pinned = world.lists.pin(world.lists.bucket, KEY, world.lists.newest(KEY))
    file = open_answers("billing", pinned, ports, 256, "sso:anna", NOW)
    assert len(file.chunks) == 3

    def sent() -> list[int]:
        """The chunks that were sent since."""
        found = [message.chunk for message in queue.messages]
        queue.messages.clear()
        return found

    def looked() -> list[int]:
        assert watch_answers(ports).waiting == 0
        return sent()

    assert sent() == [0, 1, 2]
    assert looked() == [], "it was sent a moment ago"
    assert looked() == [0, 1, 2], "nothing was done since the watch looked last"
    files.record(receipt(file, 1))
    assert looked() == [], "its workers do something"
    assert looked() == [0, 2], "what is finished is not sent again"
    files.record(receipt(file, 0))
    files.record(receipt(file, 2))
    assert looked() == []
    assert files.open_files() == []


def test_a_delivery_that_stands_still_is_sent_again() -> None:
    world = small_world(channel=Channel("billing"))
    world.publish(event(rows=ROWS))
    while not world.delivery_messages:
        world.run(world.steps()[0])

    def looked() -> list[int]:
        """The chunks that the watch sends."""
        world.chunks.deliveries.clear()
        assert watched(world).waiting == 0
        return [one.chunk for one in world.chunks.deliveries if isinstance(one, DeliveryMessage)]

    chunks = [one.body.chunk for one in world.delivery_messages if isinstance(one.body, DeliveryMessage)]
    assert len(chunks) > 2
    assert looked() == [], "it was sent a moment ago"
    assert looked() == chunks, "nothing was done since the watch looked last"
    step = next(one for one in world.steps() if one.function is Function.DELIVER)
    world.run(step)
    assert looked() == [], "its workers do something"
    assert looked() == chunks[1:], "what is finished is not sent again"


def test_a_void_that_stands_still_is_sent_again() -> None:
    world = voiding.closed()
    void = asked(world, ANNA)
    advance_void(void.id, advance_ports(world), CAUSE, world.now)

    def looked() -> list[int]:
        """The chunks that the watch sends."""
        before = len(world.chunks.voids)
        assert watched_voids(world).waiting == 0
        return [one.chunk for one in world.chunks.voids[before:]]

    first, *others = [one.chunk for one in world.chunks.voids]
    assert len(others) > 1
    assert looked() == [], "it was sent a moment ago"
    assert looked() == [first, *others], "nothing was done since the watch looked last"
    worked(world, world.chunks.voids.pop(0))
    assert looked() == [], "its workers do something"
    assert looked() == others, "what is finished is not sent again"
