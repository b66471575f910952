"""An environment with each supported LangGraph, kept in the user's cache; otel-mas is installed in it from here."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.user_cache import user_cache

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VERSIONS = sorted(
    (path.stem.removeprefix("langgraph-") for path in HERE.glob("langgraph-*.txt")),
    key=lambda v: [*map(int, v.split("."))],
)
"""The oldest that is supported, and the last of each minor but the newest, which is what the suite itself has.

Each file pins everything: LangGraph 1.0.0, say, left alone gets a `langgraph-prebuilt` that it cannot import. The
oldest has LangChain 0.3, the others 1; no langgraph-swarm is made for LangGraph 0.6 with LangChain 1. Other Pythons are
CI's, which runs the whole suite with each.
"""


class CannotInstall(Exception):
    """The environment cannot be made; the message says why."""


def python_of(version: str, environ: Mapping[str, str]) -> Path:
    """The interpreter of the environment with this LangGraph; made on the first call, which takes seconds with uv.

    Args:
        environ: the user's own environment, for the installer and its caches.

    Raises:
        CannotInstall
    """
    pins = HERE / f"langgraph-{version}.txt"
    # Of each checkout its own: otel-mas is installed from there, and its entry points with it.
    here = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
    home = user_cache(environ) / "versions" / f"{version}-{here}"
    contents = (pins.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode())
    wanted = hashlib.sha256(b"\0".join(contents)).hexdigest()
    made = home / ".contents"
    home.parent.mkdir(parents=True, exist_ok=True)
    with (home.parent / f"{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists() or made.read_text() != wanted:
            _make(home, pins, environ)
            made.write_text(wanted)
    return home / "bin" / "python"


def _make(home: Path, pins: Path, environ: Mapping[str, str]) -> None:
    shutil.rmtree(home, ignore_errors=True)
    python = str(home / "bin" / "python")
    ours = ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    if shutil.which("uv", path=environ.get("PATH")):
        _run(["uv", "venv", "-q", "--python", sys.executable, str(home)], environ)
        install = ["uv", "pip", "install", "-q", "--python", python]
    else:
        _run([sys.executable, "-m", "venv", str(home)], environ)
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    _run([*install, "--no-deps", "-r", str(pins)], environ)
    _run([*install, *ours], {**environ, "PATH": f"{home / 'bin'}{os.pathsep}{environ.get('PATH', '')}"})


def _run(command: list[str], environ: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=dict(environ), capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise CannotInstall(f"{' '.join(command)}: {done.stderr.strip()[-1000:]}")
