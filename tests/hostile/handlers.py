"""The four functions as Lambda calls them: their handlers with their real events, over the fakes of a `World`.

What a handler prints (its log and its metrics) is kept, so that a test can look for what must not be there.
"""

import io
import json
import traceback
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import advance_campaign.handler
import grant_credits.handler
import open_campaign.handler
import publish_notices.handler
from kulanz.adapters.campaign_keys import meta_key
from kulanz.adapters.incident_items import revision_item
from kulanz.adapters.ledger_table import entry_item
from kulanz.adapters.messaging import chunk_message_text
from kulanz.application.campaigns.advance_campaign import AdvancePorts
from kulanz.application.campaigns.chunk_run import GrantPorts, GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.open_campaign import OpenPorts
from kulanz.application.notices.publish_notices import PublishPorts
from tests.support.faults import Tap, tapped
from tests.support.world import World
from tests.support.world_steps import with_version

RECEIVES_MOST = 5
ROUNDS_MOST = 200


class _Context(SimpleNamespace):
    """Of an invocation."""

    def __init__(self, function: str) -> None:
        super().__init__(
            function_name=function,
            function_version="1",
            memory_limit_in_mb=512,
            invoked_function_arn=f"arn:aws:lambda:eu-central-1:123456789012:function:{function}",
            aws_request_id="00000000-0000-0000-0000-000000000000",
        )

    def get_remaining_time_in_millis(self) -> int:
        return 120_000


class _Throttles:
    """What the ledger's adapter tells the handler of its calls: the fake was never throttled."""

    def take_throttled(self) -> int:
        return 0


@dataclass
class Functions:
    """A stack's functions, driven by their handlers until nothing is left to do."""

    world: World
    printed: io.StringIO = field(default_factory=io.StringIO)
    dead_letters: list[str] = field(default_factory=list)
    tap: Tap = field(default_factory=Tap)
    _told: dict[str, int] = field(default_factory=dict)
    _caches: dict[str, FrozenCache] = field(default_factory=lambda: defaultdict(FrozenCache))

    def publish(self, event: dict[str, Any]) -> None:
        """Deliver an event whose list, named without its version, is the newest one."""
        self.receive(json.dumps(with_version(event, self.world.lists.newest)))

    def receive(self, body: str) -> None:
        """Deliver a message of the incidents queue until it is deleted or given up, then everything it leads to."""
        for _ in range(RECEIVES_MOST):
            record = {"messageId": "a-message", "body": body, "eventSource": "aws:sqs"}
            answer = self._call(open_campaign.handler, {"Records": [record]})
            if not answer["batchItemFailures"]:
                break
        else:
            self.dead_letters.append(body)
        self._run_until_quiet()

    def deliver(self, function: str, event: dict[str, Any]) -> Any:
        """Call one function's handler with an event, and nothing else."""
        modules = (open_campaign.handler, grant_credits.handler, publish_notices.handler, advance_campaign.handler)
        (module,) = [module for module in modules if module.__name__ == f"{function}.handler"]
        return self._call(module, event)

    def _run_until_quiet(self) -> None:
        for _ in range(ROUNDS_MOST):
            if not any([self._work_chunks(), self._advance(), self._publish(), self.world.approve_next()]):
                return
        raise AssertionError("not quiet")

    def _work_chunks(self) -> bool:
        messages = list(self.world.chunks.sent)
        self.world.chunks.sent.clear()
        for message in messages:
            body = chunk_message_text(message)
            self._receive_chunk({"Records": [{"messageId": "a-chunk", "body": body, "eventSource": "aws:sqs"}]})
        return bool(messages)

    def _receive_chunk(self, event: dict[str, Any]) -> None:
        """Deliver a chunk until it is deleted or given up; what is raised, Lambda prints."""
        for _ in range(RECEIVES_MOST):
            try:
                self._call(grant_credits.handler, event)
            except Exception:  # noqa: BLE001 - as Lambda itself does
                traceback.print_exc(file=self.printed)
            else:
                return
        self.dead_letters.append(event["Records"][0]["body"])

    def _deliver_batch(self, module: ModuleType, records: list[dict[str, Any]]) -> bool:
        """Deliver a batch of a stream until it passes or is given up."""
        for _ in range(RECEIVES_MOST if records else 0):
            try:
                self._call(module, {"Records": records})
            except Exception:  # noqa: BLE001 - as Lambda itself does
                traceback.print_exc(file=self.printed)
            else:
                break
        return bool(records)

    def _advance(self) -> bool:
        changed = self._new("changes", self.world.campaigns.changes)
        records = [_record("MODIFY", meta_key(campaign_id)) for campaign_id in dict.fromkeys(changed)]
        return self._deliver_batch(advance_campaign.handler, records)

    def _publish(self) -> bool:
        items = [entry_item(entry) for entry in self._new("inserted", self.world.ledger.inserted)]
        items += [revision_item(revision) for revision in self._new("recorded", self.world.campaigns.recorded)]
        return self._deliver_batch(publish_notices.handler, [_record("INSERT", item) for item in items])

    def _new(self, name: str, records: list[Any]) -> list[Any]:
        known = self._told.get(name, 0)
        self._told[name] = len(records)
        return records[known:]

    def _call(self, module: ModuleType, event: dict[str, Any]) -> Any:
        function = module.__name__.partition(".")[0]
        composed = {
            "open_campaign": self._open,
            "grant_credits": self._grant,
            "publish_notices": self._told_to,
            "advance_campaign": self._moved_by,
        }[function]
        settings: dict[str, Any] = {"_composed": composed}
        if hasattr(module, "_policies"):
            settings["_policies"] = self._caches[function]
        with patch.multiple(module, **settings), self._printing(module):
            return module.handle(json.loads(json.dumps(event)), _Context(function))

    @contextmanager
    def _printing(self, module: ModuleType) -> Iterator[None]:
        """What the function writes to its log group goes to `printed`."""
        handlers = [(handler, handler.stream) for handler in module.logger.handlers]
        for handler, _ in handlers:
            handler.setStream(self.printed)
        try:
            with redirect_stdout(self.printed), redirect_stderr(self.printed):
                yield
        finally:
            for handler, stream in handlers:
                handler.setStream(stream)

    def _port[P](self, port: P, name: str) -> P:
        return tapped(port, name, self.tap)

    def _ports(self, *names: str) -> Iterator[Any]:
        return (self._port(getattr(self.world, name), name) for name in names)

    def _open(self) -> Any:
        names = ("campaigns", "lists", "policies", "chunks", "rejected", "archive", "stores")
        ports = OpenPorts(**dict(zip(names, self._ports(*names), strict=True)))
        return ports, self.world.settings()

    def _grant(self) -> Any:
        ports = GrantPorts(*self._ports("campaigns", "lists", "ledger", "chunks", "archive"))
        return ports, GrantSettings(1, 0.0, self.world.retention_days), _Throttles()

    def _told_to(self) -> Any:
        return PublishPorts(*self._ports("campaigns", "topic", "troubles")), self.world.recipients_per_message

    def _moved_by(self) -> Any:
        return AdvancePorts(*self._ports("campaigns", "chunks", "archive", "announcer", "stores"))


def _record(event_name: str, item: dict[str, Any]) -> dict[str, Any]:
    """A record of a table's stream."""
    keys = {name: item[name] for name in ("pk", "sk")}
    return {"eventID": "a-record", "eventName": event_name, "dynamodb": {"Keys": keys, "NewImage": item}}
