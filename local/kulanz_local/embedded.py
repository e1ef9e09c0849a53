"""The embedded AWS: MiniStack as a child process on a free port of this machine, gone when its block ends."""

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import boto3
from botocore.config import Config

from kulanz_local import ministack_launcher

PROJECT = Path(__file__).resolve().parents[2]
MINISTACK_PYTHON = PROJECT / ".venvs" / "ministack" / "bin" / "python"
REGION: Final = "eu-central-1"
ACCOUNT_ID = "000000000000"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
"""MiniStack takes any; these are its own default."""

START_SECONDS = 60
START_ATTEMPTS = 3
"""A port that was free when asked for may be taken a moment later."""
STOP_SECONDS = 10
POLL_SECONDS = 0.05
LOG_TAIL_LINES = 40
LOOPBACK = "127.0.0.1"
CONFIG = Config(max_pool_connections=64, retries={"mode": "standard", "total_max_attempts": 3})
"""For a client that many threads share."""


class EmbeddedAwsError(RuntimeError):
    """The embedded AWS could not be started, or ended by itself."""


class EmbeddedAws:
    """A whole AWS for the length of a `with` block: one process, its functions' processes and one folder.

    Nothing outlives the block: not after an exception, not after Ctrl-C, and not when this process is killed.
    `bind_host` other than loopback is for callers in containers; `endpoint` then names that address.
    `function_environment` is seen by every function, over what the template gives it nothing about.
    `enforcing` makes it check policies of roles and resources, and speak HTTPS, which ours demand: SDKs then need
    AWS_CA_BUNDLE to name its `certificate`.
    """

    def __init__(
        self,
        *,
        bind_host: str = LOOPBACK,
        function_environment: dict[str, str] | None = None,
        repaired: bool = True,
        enforcing: bool = False,
    ) -> None:
        self.bind_host = bind_host
        self._function_environment = function_environment or {}
        self._repaired = repaired
        self._enforcing = enforcing
        self._process: subprocess.Popen[bytes] | None = None
        self.endpoint = ""
        self.folder = Path()

    @property
    def log(self) -> Path:
        """What MiniStack itself prints; functions write to CloudWatch Logs."""
        return self.folder / "ministack.log"

    @property
    def certificate(self) -> Path:
        """Of an enforcing one, made anew for each block."""
        return self.folder / "ministack-tls" / "server.crt"

    @property
    def process_id(self) -> int:
        """Of MiniStack, which is also the id of its process group."""
        if self._process is None:
            raise EmbeddedAwsError("The embedded AWS is not running: use it inside its `with` block.")
        return self._process.pid

    def __enter__(self) -> Self:
        if not MINISTACK_PYTHON.exists():
            raise EmbeddedAwsError(f"{MINISTACK_PYTHON} does not exist. Run `make environments`.")
        for attempt in range(1, START_ATTEMPTS + 1):
            port = _free_port(self.bind_host)
            name = uuid.uuid4().hex
            try:
                self.folder = Path(tempfile.mkdtemp(prefix="kulanz-aws-"))
                self._start(port, name)
                self._wait_until_healthy(port, name)
            except BaseException as error:
                message = self._log_tail()
                self.stop()
                if isinstance(error, EmbeddedAwsError) and "already in use" in message and attempt < START_ATTEMPTS:
                    continue
                raise
            self.endpoint = f"{'https' if self._enforcing else 'http'}://{self.bind_host}:{port}"
            return self
        raise AssertionError("unreachable: the last attempt returns or raises")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End MiniStack and its functions, and remove its folder; does nothing a second time."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()  # the launcher ends its whole group at that
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(STOP_SECONDS)
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, port: int, name: str) -> None:
        environment = {
            # The functions inherit all of this: nothing of the caller's AWS settings may reach them.
            **{key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL") if key in os.environ},
            **CREDENTIALS,
            **self._function_environment,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "BIND_HOST": self.bind_host,
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "MINISTACK_EDITION": name,  # its health answer repeats this, which tells it from another one's
            "S3_DATA_DIR": str(self.folder / "s3"),
            "STATE_DIR": str(self.folder / "state"),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            # With an engine in reach it removes containers that it takes for its own.
            "DOCKER_HOST": f"unix://{self.folder}/no-container-engine",
        }
        if self._enforcing:
            environment |= {"AUTH": "true", "USE_SSL": "1"}
        if not self._repaired:
            environment[ministack_launcher.WITHOUT_REPAIR_VARIABLE] = "1"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(MINISTACK_PYTHON), "-P", ministack_launcher.__file__, str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=environment,
                start_new_session=True,
            )

    def _wait_until_healthy(self, port: int, name: str) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise EmbeddedAwsError(f"MiniStack ended while it started:\n{self._log_tail()}")
            if self._health_name(port) == name:
                return
            time.sleep(POLL_SECONDS)
        raise EmbeddedAwsError(f"MiniStack did not answer within {START_SECONDS} seconds:\n{self._log_tail()}")

    def _health_name(self, port: int) -> str | None:
        """Who answers at this port, or None while nobody does."""
        connection: http.client.HTTPConnection
        if self._enforcing:
            # It proves itself by its name, which nobody else knows.
            unverified = ssl._create_unverified_context()  # noqa: S323, SLF001
            connection = http.client.HTTPSConnection(self.bind_host, port, timeout=STOP_SECONDS, context=unverified)
        else:
            connection = http.client.HTTPConnection(self.bind_host, port, timeout=STOP_SECONDS)
        try:
            connection.request("GET", "/_ministack/health")
            answer = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()
        name = answer.get("edition")
        return name if isinstance(name, str) else None

    def _log_tail(self) -> str:
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join(lines[-LOG_TAIL_LINES:])


def aws_session() -> boto3.Session:
    """A session with the embedded AWS's credentials and region; its clients need `endpoint_url` and may use CONFIG."""
    return boto3.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)


def aws_environment(endpoint: str) -> dict[str, str]:
    """The variables with which any AWS SDK or tool reaches the AWS at `endpoint` and no other."""
    return {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **{name: os.environ[name] for name in ("AWS_CA_BUNDLE",) if name in os.environ},
    }


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
