"""A real Kafka 4: one broker that is its own controller, from Maven's repository, in a process on this machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.backends.build import NoBackend, alone, provided, say
from tests.backends.jaeger import free_ports, is_listening
from tests.user_cache import user_cache

_POM = Path(__file__).with_name("kafka") / "pom.xml"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_JAVA = 17
_CLUSTER = "otelmas-tests-AAAAAAAA"
_READY_WITHIN_S = 180.0
_CONFIG = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=BROKER://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=BROKER://127.0.0.1:{broker}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={folder}/log
num.partitions={partitions}
message.max.bytes=8000000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def kafka(environ: Mapping[str, str]) -> Path:
    """The folder of Kafka's libraries: in the user's cache, or downloaded into it. Raises NoBackend."""
    if _java_version(environ) < _JAVA:
        raise NoBackend(f"Kafka 4 needs Java {_JAVA} on PATH")
    maven = shutil.which("mvn", path=environ.get("PATH"))
    if maven is None:
        raise NoBackend("Kafka comes from Maven's repository, and there is no mvn on PATH")
    digest = hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]
    cache = user_cache(environ) / "backends"
    folder = cache / f"kafka-{digest}"
    with alone(cache / "kafka.lock"):
        if not folder.exists():
            say(f"downloading Kafka into {folder}: half a minute, this once")
            partial = folder.with_suffix(".partial")
            command = [maven, "-q", "-B", "-f", str(_POM), _COPY, f"-DoutputDirectory={partial}"]
            done = subprocess.run(command, env=dict(environ), capture_output=True, text=True, check=False)
            if done.returncode:
                raise NoBackend(f"Kafka could not be downloaded: {' '.join(done.stdout.split()[-60:])}")
            partial.rename(folder)
    return folder


@pytest.fixture(scope="session")
def kafka_libraries(surroundings: dict[str, str], pytestconfig: pytest.Config) -> Path:
    """Kafka's libraries, downloaded at their first use."""
    return provided(lambda: kafka(surroundings), surroundings, pytestconfig)


def _java_version(environ: Mapping[str, str]) -> int:
    java = shutil.which("java", path=environ.get("PATH"))
    if java is None:
        return 0
    shown = subprocess.run([java, "-version"], env=dict(environ), capture_output=True, text=True, check=False).stderr
    return int(shown.partition('"')[2].partition(".")[0] or 0)


@dataclass
class Kafka:
    """One broker with its files. Its port stays the same when it is killed and started again.

    Args:
        libraries: from `kafka`.
    """

    libraries: Path
    folder: Path
    partitions: int = 4
    ports: tuple[int, ...] = field(default_factory=lambda: free_ports(2))
    _process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.ports[0]}"

    def start(self) -> Self:
        """Start it, and wait until it takes messages."""
        config = self.folder / "server.properties"
        if not config.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            broker, controller = self.ports
            config.write_text(
                _CONFIG.format(broker=broker, controller=controller, folder=self.folder, partitions=self.partitions)
            )
            format_storage = self._java("kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(config))
            subprocess.run(format_storage, check=True, capture_output=True, env=_environment())
        with (self.folder / "kafka.out").open("ab") as log:
            command = self._java("kafka.Kafka", str(config))
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, env=_environment())
        deadline = time.monotonic() + _READY_WITHIN_S
        while not is_listening(self.ports[0]):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"Kafka did not start: {(self.folder / 'kafka.out').read_text()[-2000:]}")
            time.sleep(0.1)
        return self

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    def _java(self, *words: str) -> list[str]:
        options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{self.libraries}/*"]
        return ["java", *options, *words]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "JAVA_TOOL_"))}
