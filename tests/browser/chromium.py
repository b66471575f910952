"""Chromium for the tests: found, or installed where that is ours to do. Run as a program it prints the path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
FIX = "apt-get update && apt-get install -y chromium (macOS: brew install --cask chromium), or set CHROMIUM to its path"


class NoChromium(Exception):
    """None was found, and none may or can be installed."""


def find(environ: Mapping[str, str] = os.environ) -> str | None:
    """The program that `CHROMIUM` names, or the first that is there."""
    named = environ.get("CHROMIUM")
    if named:
        return named
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or next((place for place in PLACES if Path(place).exists()), None)


def ensure(environ: Mapping[str, str] = os.environ) -> str:
    """The program; under CI it is installed where it is missing and we are root on a Debian.

    Raises:
        NoChromium: With what to do, in a line.
    """
    found = find(environ)
    if found is None and environ.get("CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        output = _install()
        found = find(environ)
        if found is None:
            raise NoChromium(f"no Chromium, and apt-get could not install it ({output}): {FIX}")
    if found is None:
        raise NoChromium(f"no Chromium to look at pages with: {FIX}")
    return found


def _install() -> str:
    """The last line that apt-get printed."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    output = ""
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        output = (done.stderr or done.stdout).strip().rpartition("\n")[2] or f"status {done.returncode}"
    return output


if __name__ == "__main__":
    try:
        print(ensure({**os.environ, "CI": "1"}))
    except NoChromium as missing:
        sys.exit(str(missing))
