"""A real RabbitMQ for the tests: Debian's, as a child process, with ports and a folder of its own, on loopback only."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pika
from pika.exceptions import AMQPConnectionError

from tests.backends.jaeger import free_ports, is_listening

FIX = "apt-get update && apt-get install -y rabbitmq-server"
_PLACE = Path("/usr/lib/rabbitmq/lib")
_READY_WITHIN_S = 120.0


class NoRabbitMQ(Exception):
    """None was found, and none may or can be installed."""


def ensure(environ: Mapping[str, str]) -> Path:
    """The server's own program, not Debian's, which changes the user; under CI it is installed where it is missing.

    Raises:
        NoRabbitMQ: With what to do, in a line.
    """
    found = _find()
    if found is None and environ.get("CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        output = _install()
        found = _find()
        if found is None:
            raise NoRabbitMQ(f"no RabbitMQ, and apt-get could not install it ({output}): {FIX}")
    if found is None or shutil.which("epmd") is None:
        raise NoRabbitMQ(f"no RabbitMQ to send messages through: {FIX}")
    return found


def _find() -> Path | None:
    return max(_PLACE.glob("rabbitmq_server-*/sbin/rabbitmq-server"), default=None)


def _install() -> str:
    """The last line that apt-get printed."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # no service is started
    output = ""
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "rabbitmq-server"],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        output = (done.stderr or done.stdout).strip().rpartition("\n")[2] or f"status {done.returncode}"
    return output


@contextmanager
def rabbitmq(program: Path, folder: Path) -> Iterator[str]:
    """Run a server; gives its URL. Its data are lost at the end."""
    port, distribution, mapper = free_ports(3)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),  # of Erlang's cookie
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"tests-{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1",
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
    }
    url = f"amqp://guest:guest@127.0.0.1:{port}/%2f"
    log = folder / "output"
    with log.open("wb") as output:
        started = [
            subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True, cwd=folder)
            for command in (["epmd", "-port", str(mapper), "-address", "127.0.0.1"], [str(program)])
        ]
        try:
            _wait_until_ready(url, started[1], log)
            yield url
        finally:
            for process in reversed(started):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while not _answers(url):
        if server.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"RabbitMQ did not start: {log.read_text()[-2000:]}") from None
        time.sleep(0.2)


def _answers(url: str) -> bool:
    parameters = pika.URLParameters(url)
    if not is_listening(parameters.port):
        return False
    try:
        pika.BlockingConnection(parameters).close()
    except AMQPConnectionError:
        return False
    return True
