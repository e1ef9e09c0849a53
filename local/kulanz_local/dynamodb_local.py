"""DynamoDB Local: Amazon's own stand-in for DynamoDB, as a Java process on a free port, gone when its block ends."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import botocore.exceptions
from botocore.config import Config

from kulanz_local.embedded import LOG_TAIL_LINES, LOOPBACK, PROJECT, EmbeddedAwsError, aws_session

FOLDER = PROJECT / ".venvs" / "dynamodb-local"
START_SECONDS = 60
POLL_SECONDS = 0.2
CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)


class DynamoDbLocal:
    """DynamoDB alone, in memory, for the length of a `with` block. Needs java and what `make prove` installs."""

    def __init__(self) -> None:
        self.endpoint = ""
        self._folder = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if not (FOLDER / "DynamoDBLocal.jar").exists():
            raise EmbeddedAwsError(f"{FOLDER} has no DynamoDB Local. Run `make prove`, which installs it.")
        java = shutil.which("java")
        if java is None:
            raise EmbeddedAwsError("java was not found: DynamoDB Local needs a Java runtime.")
        self._folder = Path(tempfile.mkdtemp(prefix="kulanz-dynamodb-"))
        try:
            self._start(java)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it and remove its folder."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if self._folder != Path():
            shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, java: str) -> None:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = probe.getsockname()[1]
        command = [java, f"-Djava.io.tmpdir={self._folder}", f"-Djava.library.path={FOLDER / 'DynamoDBLocal_lib'}"]
        log = self._folder / "log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*command, "-jar", str(FOLDER / "DynamoDBLocal.jar"), "-inMemory", "-port", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self._folder), "DDB_LOCAL_TELEMETRY": "0"},
            )
        self.endpoint = f"http://{LOOPBACK}:{port}"
        database = aws_session().client("dynamodb", endpoint_url=self.endpoint, config=CONFIG)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                database.list_tables()
            except botocore.exceptions.BotoCoreError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
                    raise EmbeddedAwsError(f"DynamoDB Local does not answer: {error}\n{tail}") from error
                time.sleep(POLL_SECONDS)
            else:
                return
