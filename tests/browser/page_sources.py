"""Sources of the page with what they need from npm, installed once into the user's cache for each lockfile.

Run as a program it prints the OpenAPI document that the page's types are made of.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from otel_mas.server.api.app import all_endpoints
from otel_mas.server.api.openapi import openapi
from tests.user_cache import user_cache

UI = Path(__file__).resolve().parents[2] / "otel_mas" / "server" / "ui"
BUILT = UI.parent / "static"


class NoNode(Exception):
    """npm is not there, or could not install what the page is built with; the message says why."""


class PageSources:
    """A copy of the sources in a folder of its own, so that building changes nothing in the repository."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        modules = node_modules(environ)
        self.folder = folder / "otel_mas" / "server" / "ui"
        self._environ = dict(environ)
        shutil.copytree(UI, self.folder, ignore=shutil.ignore_patterns("node_modules"))
        (self.folder / "node_modules").symlink_to(modules, target_is_directory=True)

    @property
    def built(self) -> Path:
        return self.folder.parent / "static"

    def run(self, *command: str) -> str:
        """Run one of the programs that came from npm, and return its output."""
        program, *arguments = command
        done = subprocess.run(
            [self.folder / "node_modules" / ".bin" / program, *arguments],
            cwd=self.folder,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def api_document() -> str:
    """The API's OpenAPI document as JSON."""
    return json.dumps(openapi(list(all_endpoints())))


def node_modules(environ: Mapping[str, str]) -> Path:
    """The folder of installed packages. Raises NoNode."""
    npm = shutil.which("npm", path=environ.get("PATH"))
    if npm is None:
        raise NoNode("npm is not installed, which the tests of the page's sources need")
    lock = (UI / "package-lock.json").read_bytes() + (UI / "package.json").read_bytes()
    folder = user_cache(environ) / f"page-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not folder.exists():
        _install(npm, folder, environ)
    return folder / "node_modules"


def _install(npm: str, folder: Path, environ: Mapping[str, str]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(UI / name, work)
        command = [npm, "ci", "--ignore-scripts"]
        done = subprocess.run(command, cwd=work, env=dict(environ), capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise NoNode(f"npm could not install what the page is built with: {done.stderr.strip()[-300:]}")
        kept = folder.with_name(f"{folder.name}.{Path(work).name}")
        shutil.copytree(work, kept, symlinks=True)
        try:
            kept.rename(folder)
        except OSError:  # another process was faster
            shutil.rmtree(kept)
            if not folder.exists():
                raise


if __name__ == "__main__":
    print(api_document())
