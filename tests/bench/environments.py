"""An environment of its own for each peer, kept in the user's cache under what it contains."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.user_cache import user_cache

# Compiled modules are kept, as in any installation; to compile one takes more memory than to have it.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
# The same LangGraph for all; the peer at a pinned version, so that a table can be made again.
COMMON = ("langgraph==1.2.22", "langchain-core==1.7.2")
_OTLP = ("opentelemetry-sdk==1.45.2", "opentelemetry-exporter-otlp-proto-http==1.45.2")
# The peer itself comes first.
PEERS: dict[str, tuple[str, ...]] = {
    "bare": (),
    "openinference": ("openinference-instrumentation-langchain==0.1.80", *_OTLP),
    "openllmetry": ("opentelemetry-instrumentation-langchain==0.62.4", *_OTLP),
    "otel-genai": ("opentelemetry-instrumentation-genai-langchain==1.3b0", "langchain==1.4.7", *_OTLP),
    # its integration needs langchain itself, and sqlparse, which it does not declare
    "mlflow": ("mlflow-tracing==3.17.2", "langchain==1.4.7", "sqlparse", *_OTLP),
    "langfuse": ("langfuse==5.0.4", "langchain==1.4.7", *_OTLP),
}


def python_of(peer: str) -> str:
    """The interpreter of a peer's environment; made on the first call. otel-mas itself runs in ours."""
    if peer == "otel-mas":
        return sys.executable
    return environment(peer, (*COMMON, *PEERS[peer]))


def environment(name: str, wanted: Sequence[str], environ: Mapping[str, str] = os.environ) -> str:
    """The interpreter of an environment with what is wanted, made on the first call.

    Args:
        name: what it is for.
        wanted: requirements with versions.
        environ: the user's own, for the cache.
    """
    key = hashlib.sha256(repr((sys.version_info[:2], tuple(wanted))).encode()).hexdigest()[:12]
    home = user_cache(environ) / "bench" / f"{name}-{key}"
    python = home / "bin" / "python"
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / ".complete").exists():
            print(f"making the environment of {name} ...", file=sys.stderr, flush=True)
            shutil.rmtree(home, ignore_errors=True)
            venv.create(home, with_pip=True)
            command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
            subprocess.run(command, check=True, env=dict(environ))
            (home / ".complete").touch()
    return str(python)


def peak_mib() -> float:
    """The most memory that this process has had resident; `ru_maxrss` would have that of its parent, too."""
    (found,) = re.findall(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    return int(found) / 1024
