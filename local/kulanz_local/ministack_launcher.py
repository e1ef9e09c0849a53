"""Run MiniStack, with the stream records that it forgets, for as long as the process that started it lives.

Runs inside MiniStack's own environment and imports nothing of the project. What AWS does and MiniStack 1.5.33 does not:
DynamoDB writes a record to the table's stream for every item that a PartiQL statement inserts, changes or removes, as
for any other write. Decisions are inserted by PartiQL, and notices follow from the stream.
A contract test notices when MiniStack does this by itself. And the condition key `aws:PrincipalArn` of a call with a
role's session is the ARN of the role, by which a queue's policy tells our functions from others; MiniStack compares the
session's. And S3 answers a range of a named version with those bytes; MiniStack sends the whole object.

Standard input is the line to the starter: when it closes, for whatever reason, MiniStack and all its functions end.
"""

import gc
import hashlib
import importlib
import os
import shutil
import signal
import sys
import threading
import types
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

REPAIRED_VERSION = "1.5.33"
"""The repair below leans on private names of MiniStack: it was checked against this version only."""

WITHOUT_REPAIR_VARIABLE = "KULANZ_MINISTACK_WITHOUT_REPAIR"
"""Set to "1" by the test that asks whether the repair is still needed."""

OBJECTS_UNTIL_COLLECTED = 20_000
"""New objects that may live before the collector looks: what MiniStack holds stays, and to look at it takes long."""

Item = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]
Change = tuple[str, Item | None, Item | None]
OK, PARTIAL = 200, 206


def emit_stream_records_for_partiql(dynamodb: Any) -> None:  # Any: MiniStack's module, which has no types
    """Make the emulator's PartiQL statements write stream records, a transaction's only when it has succeeded.

    Both entry points run in the server's one event loop and never wait, so that one list of changes is enough.
    """
    changes: list[Change] | None = None

    def recording(write: Callable[..., Item | None], *, stores: bool) -> Callable[..., Item | None]:
        def recorded(table: Item, *key_and_item: Any) -> Item | None:
            old: Item | None = write(table, *key_and_item)
            if changes is not None:
                changes.append((table["TableName"], old, key_and_item[-1] if stores else None))
            return old

        return recorded

    def emitting(execute: Callable[[Item], Response]) -> Callable[[Item], Response]:
        def executed(request: Item) -> Response:
            nonlocal changes
            made: list[Change] = []
            changes = made
            try:
                response = execute(request)
            finally:
                changes = None
            if response[0] == OK:
                for table_name, old, new in made:
                    kind = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
                    dynamodb._emit_stream_event(table_name, kind, old, new)  # noqa: SLF001 - the repair is about it
            return response

        return executed

    # One statement of a batch goes through the same function as a single one.
    dynamodb._set_item = recording(dynamodb._set_item, stores=True)  # noqa: SLF001
    dynamodb._remove_item = recording(dynamodb._remove_item, stores=False)  # noqa: SLF001
    dynamodb._execute_statement = emitting(dynamodb._execute_statement)  # noqa: SLF001
    dynamodb._execute_transaction = emitting(dynamodb._execute_transaction)  # noqa: SLF001


def compare_sessions_by_their_role(evaluator: Any, roles: Any) -> None:
    """Give a role's own ARN as `aws:PrincipalArn` to the conditions of its sessions' calls."""
    resolve = evaluator._resolve_condition_key  # noqa: SLF001

    def resolved(key: str, context: Any) -> Any:
        value = resolve(key, context)
        if key.lower() == "aws:principalarn" and ":assumed-role/" in str(value):
            name = evaluator._role_name_from_assumed_arn(value)  # noqa: SLF001
            role = roles.get_scoped(context.principal_account, None, name)
            return value if role is None else role["Arn"]
        return value

    evaluator._resolve_condition_key = resolved  # noqa: SLF001


def cut_ranges_of_versions(s3: Any) -> None:
    """Answer a range of a named version of an object with that range, as without a version."""
    get = s3._get_object  # noqa: SLF001

    def cut(bucket: str, key: str, headers: Item, query: Item | None = None) -> Response:
        answered: Response = get(bucket, key, headers, query)
        status, told, body = answered
        if status != OK or not headers.get("range") or not (query or {}).get("versionId"):
            return answered
        found = s3._parse_range(headers["range"], len(body))  # noqa: SLF001
        if found is None:
            return answered
        start, end = found
        told = {name: value for name, value in told.items() if not name.lower().startswith("x-amz-checksum")}
        told |= {"Content-Length": str(end + 1 - start), "Content-Range": f"bytes {start}-{end}/{len(body)}"}
        return PARTIAL, told, body[start : end + 1]

    s3._get_object = cut  # noqa: SLF001


def extract_each_layer_once(lambda_runtime: Any, folder: str) -> None:
    """Let the workers of all functions share each layer's files, as a container's layers are shared.

    MiniStack unpacks every layer anew for each worker, thousands of files that are later removed one by one. Here the
    first worker's copy lies in `folder`, and each worker's own folder is a link to it.
    """
    lock = threading.Lock()

    class SharedZipFile(zipfile.ZipFile):
        def _shared(self) -> str:
            with open(str(self.filename), "rb") as content:  # noqa: PTH123 - MiniStack's own path
                return os.path.join(folder, "layers", hashlib.file_digest(content, "sha256").hexdigest())  # noqa: PTH118

        def _is_layer(self) -> bool:
            return os.path.basename(str(self.filename)).startswith("layer_")  # noqa: PTH119

        def namelist(self) -> list[str]:
            """What is checked for paths that lead outside; a copy that is there was checked when it was made."""
            return [] if self._is_layer() and os.path.isdir(self._shared()) else super().namelist()  # noqa: PTH112

        def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
            if not self._is_layer():
                super().extractall(path, members, pwd)
                return
            shared = self._shared()
            with lock:
                if not os.path.isdir(shared):  # noqa: PTH112
                    super().extractall(f"{shared}.part", members, pwd)
                    os.rename(f"{shared}.part", shared)  # noqa: PTH104
            os.rmdir(path)  # noqa: PTH106
            os.symlink(shared, path)  # noqa: PTH211

    lambda_runtime.zipfile = types.SimpleNamespace(
        ZipFile=SharedZipFile, BadZipFile=zipfile.BadZipFile, LargeFileError=zipfile.LargeZipFile
    )


def end_with_the_starter(state_folder: str) -> None:
    """Wait until the starter closes its end of standard input, then end this process and its functions."""
    sys.stdin.buffer.read()
    shutil.rmtree(state_folder, ignore_errors=True)
    os.killpg(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Start MiniStack on GATEWAY_PORT; argument: the folder for its state, which is removed at the end."""
    if version("ministack") != REPAIRED_VERSION:
        sys.exit(
            f"The environment has MiniStack {version('ministack')}, but its stream repair was checked against"
            f" {REPAIRED_VERSION} only. Install that, or check the repair in {__file__} and change REPAIRED_VERSION."
        )
    if os.getpgrp() != os.getpid():
        sys.exit("Start this with a session of its own (start_new_session=True): it ends its whole process group.")
    threading.Thread(target=end_with_the_starter, args=sys.argv[1:2], name="starter-watch", daemon=True).start()
    if os.environ.pop(WITHOUT_REPAIR_VARIABLE, "") != "1":
        emit_stream_records_for_partiql(importlib.import_module("ministack.services.dynamodb"))
        compare_sessions_by_their_role(
            importlib.import_module("ministack.core.iam_evaluator"),
            importlib.import_module("ministack.services.iam")._roles,  # noqa: SLF001
        )
        cut_ranges_of_versions(importlib.import_module("ministack.services.s3"))
    extract_each_layer_once(importlib.import_module("ministack.core.lambda_runtime"), sys.argv[1])
    sys.argv[1:] = []  # MiniStack reads them too
    gc.set_threshold(OBJECTS_UNTIL_COLLECTED)
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()
