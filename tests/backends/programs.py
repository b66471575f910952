"""Programs that send with the SDKs of Go and JavaScript, built once for a user."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.backends.build import NoBackend, alone, built, say
from tests.user_cache import user_cache

_FOLDER = Path(__file__).with_name("sdks")
_JAVASCRIPT = _FOLDER / "javascript"


def go_sdk(environ: Mapping[str, str]) -> list[str]:
    """The command of the program in Go. Raises NoBackend where it cannot be built."""
    return [str(built(_FOLDER / "go", ".", "sdk", "go", environ, "half a minute"))]


def javascript_sdk(environ: Mapping[str, str], program: str = "sdk.mjs") -> list[str]:
    """The command of a program in JavaScript. Raises NoBackend where it cannot be installed."""
    path = environ.get("PATH")
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None:
        raise NoBackend("there is no node and npm on PATH")
    files = [_JAVASCRIPT / name for name in ("package.json", "package-lock.json", "sdk.mjs", "client.mjs")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    cache = user_cache(environ) / "backends"
    folder = cache / f"sdk-javascript-{digest}"
    with alone(cache / "npm.lock"):
        if not folder.exists():
            _install(npm, files, folder, environ)
    return [node, str(folder / program)]


def _install(npm: str, files: list[Path], folder: Path, environ: Mapping[str, str]) -> None:
    say(f"installing the SDK of JavaScript into {folder}: half a minute, this once")
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for file in files:
        shutil.copy(file, partial)
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=partial, env=dict(environ), capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoBackend(f"npm could not install the SDK: {' '.join(done.stderr.split()[-60:])}")
    partial.rename(folder)
