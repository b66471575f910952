"""Speedscope, from npm, unpacked once into the user's cache: its pages and the schema of its files."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.user_cache import user_cache

VERSION = "1.25.0"


class NoSpeedscope(Exception):
    """It is not there and cannot be had; the message says why."""


def speedscope(environ: Mapping[str, str]) -> Path:
    """The folder with `index.html` and `file-format-schema.json`.

    Args:
        environ: the user's own environment, for npm and its cache.

    Raises:
        NoSpeedscope
    """
    folder = user_cache(environ) / f"speedscope-{VERSION}"
    if not folder.exists():
        _unpack(folder, environ)
    return folder / "package" / "dist" / "release"


def _unpack(folder: Path, environ: Mapping[str, str]) -> None:
    npm = shutil.which("npm", path=environ.get("PATH"))
    if npm is None:
        raise NoSpeedscope("npm is not installed, which the test with speedscope needs")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        command = [npm, "pack", f"speedscope@{VERSION}", "--pack-destination", work]
        done = subprocess.run(command, env=dict(environ), capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise NoSpeedscope(f"npm could not fetch speedscope: {done.stderr.strip()[-300:]}")
        with tarfile.open(next(Path(work).glob("*.tgz"))) as packed:
            packed.extractall(Path(work) / "unpacked", filter="data")
        try:
            (Path(work) / "unpacked").rename(folder)
        except OSError:  # another process was faster
            if not folder.exists():
                raise
