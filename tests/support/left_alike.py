"""Worlds that were left alike go on alike, so each is run to its end once, whichever faults or orders left it so.

A call that only reads leaves nothing: a process that dies at it leaves what one leaves that dies at the next.
"""

import pickle
from collections.abc import Callable

from tests.support.faults import Tap
from tests.support.world import World


def content_of(world: World) -> bytes:
    """Everything that decides how a world goes on: all but what its tap and its list of errors remember."""
    kept = world.tap, world.caught, world._caches
    known = {function: list(cache._policies) for function, cache in world._caches.items()}
    world.tap, world.caught, world._caches = Tap(), [], {}
    content = pickle.dumps((world, known))
    world.tap, world.caught, world._caches = kept
    return content


def struck(world: World) -> World:
    """The world behind the step in which its fault struck; at its end where none did."""
    while not world.caught and (steps := world.steps()):
        world.run(steps[0])
    return world


class Ends[End]:
    """What worlds come to, worked out once for those that were left alike.

    Their taps have no faults left, and `end` gives values that do not depend on what has been struck.
    """

    def __init__(self, end: Callable[[World], End]) -> None:
        self._end = end
        self._known: dict[bytes, End] = {}

    def __call__(self, world: World) -> End:
        """What the world comes to; it may stay where it is. Raises what its end raises, each time."""
        content = content_of(world)
        if content not in self._known:
            self._known[content] = self._end(world)
        return self._known[content]
