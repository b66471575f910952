"""Programs of Debian's packages for tests: unpacked once into the user's cache; nothing is installed or started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.backends.build import alone
from tests.unavailable import unavailable
from tests.user_cache import user_cache


class NoPackage(Exception):
    """There is no apt here, or it does not get the package."""


def debian_program(package: str, program: str, surroundings: Mapping[str, str]) -> Path:
    """The path of a program; the test is skipped where the package cannot be had, and in CI it fails.

    Args:
        package: as apt knows it: "prometheus".
        program: in its /usr/bin: "promtool".
        surroundings: the environment outside of the test.
    """
    try:
        return unpacked(package, surroundings) / "usr" / "bin" / program
    except NoPackage as missing:
        unavailable(missing, surroundings)


def unpacked(package: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder with what the package has. Raises NoPackage."""
    path = environ.get("PATH")
    if not shutil.which("apt-get", path=path) or not shutil.which("dpkg-deb", path=path):
        raise NoPackage(f"{package} comes from Debian: there is no apt-get and dpkg-deb here")
    cache = user_cache(environ) / "debian"
    with alone(cache / f"{package}.lock"):
        done = cache / package
        if not done.exists():
            partial = cache / f"{package}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            file = _download(package, partial, environ)
            _run(["dpkg-deb", "-x", file.name, "."], partial, environ)
            file.unlink()
            partial.rename(done)
        return done


def _download(package: str, folder: Path, environ: Mapping[str, str]) -> Path:
    try:
        _run(["apt-get", "download", package], folder, environ)
    except NoPackage:  # a machine that is new has no lists yet
        _run(["apt-get", "update", "-qq"], folder, environ)
        _run(["apt-get", "download", package], folder, environ)
    return next(folder.glob("*.deb"))


def _run(command: list[str], folder: Path, environ: Mapping[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=dict(environ), capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoPackage(f"`{' '.join(command)}`: {' '.join((done.stderr or done.stdout).split())[-300:]}")


if __name__ == "__main__":
    print(unpacked(sys.argv[1]))
