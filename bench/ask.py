"""How long the API works on `ask`, beside the reads of AWS that it makes, done bare."""

import os
import time
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

from api import handler
from bench.stacks import Ours, parameters, written_list
from kulanz.adapters.aws import client
from kulanz.application.door.routes import BY_USE
from kulanz.application.door.serve import Request, serve
from kulanz.config.api import ApiConfig
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.time import parse_instant
from kulanz_local.deployment import deploy
from kulanz_local.embedded import EmbeddedAws, aws_environment

ROWS = 2_000
ASKS = 60
INCIDENT = "bench-ask"


class Recorded:
    """A client that notes its calls, so that they can be made again with nothing around them."""

    def __init__(self, made: Any, calls: list[tuple[Any, str, dict[str, Any]]]) -> None:
        self._made, self._calls = made, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._made, name)
        if not callable(found):
            return found

        def noted(**arguments: Any) -> Any:
            self._calls.append((self._made, name, arguments))
            return found(**arguments)

        return noted


def again(calls: list[tuple[Any, str, dict[str, Any]]]) -> float:
    """Make the calls once more, bare; the seconds that they take."""
    started = time.perf_counter()
    for made, name, arguments in calls:
        answer = getattr(made, name)(**arguments)
        if "Body" in answer:
            answer["Body"].read()
    return time.perf_counter() - started


def ask_and_its_reads(folder: Path) -> tuple[float, float, int]:
    """The medians of an ask and of its bare reads, in seconds, and how many reads there are."""
    path, expected = written_list(ROWS, folder)
    with EmbeddedAws() as aws:
        ours = Ours(aws, deploy(aws.endpoint, parameters=parameters(path.stat().st_size)))
        ours.passes(INCIDENT, path, expected)
        os.environ.update(aws_environment(aws.endpoint))
        calls: list[tuple[Any, str, dict[str, Any]]] = []
        vars(handler)["client"] = lambda service: Recorded(client(service), calls)
        outputs = ours.outputs
        config: Any = SimpleNamespace(
            **dict.fromkeys(ApiConfig.__dataclass_fields__),
        )
        config.credits_table, config.campaigns_table = outputs.credits_table_name, outputs.campaigns_table_name
        config.list_bucket = outputs.list_bucket_name
        found = ours.stack.client("dynamodb").scan(TableName=outputs.credits_table_name, Limit=50)["Items"]
        account = next(item["pk"]["S"].partition("#")[2] for item in found if item["sk"]["S"].startswith("DECISION#"))
        door, route = handler.Deployed(config), BY_USE["accounts.ask"]
        request = Request(route.key, f"/v1/accounts/{account}", {"incident": CampaignId(INCIDENT, 1).incident_id})
        now, whole, bare = parse_instant("2026-11-29T12:00:00Z"), [], []
        for number in range(ASKS):
            calls.clear()
            started = time.perf_counter()
            reply = serve(request, SimpleNamespace(id="bench"), door, now, lambda: 25.0)
            whole.append(time.perf_counter() - started)
            if reply.status != 200 or not reply.content["decisions"]:
                raise RuntimeError(f"ask {number} was answered {reply.status}")
            bare.append(again(list(calls)))
        return median(whole[5:]), median(bare[5:]), len(calls)
