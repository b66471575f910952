"""Programs of Go that tests need, built once into the user's cache."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.backends.build import alone
from tests.unavailable import unavailable
from tests.user_cache import user_cache


def go_program(package: str, surroundings: Mapping[str, str]) -> Path:
    """The program of a package with its version; the test is skipped where it cannot be built, and in CI it fails."""
    name = package.partition("@")[0].rpartition("/")[2]
    folder = user_cache(surroundings) / package.replace("/", "-")
    with alone(user_cache(surroundings) / "go-programs.lock"):
        _build(package, name, folder, surroundings)
    return folder / name


def _build(package: str, name: str, folder: Path, surroundings: Mapping[str, str]) -> None:
    if not (folder / name).exists():
        go = shutil.which("go", path=surroundings.get("PATH"))
        # Without C it is linked by Go itself, which is much faster.
        environment = {**surroundings, "GOBIN": str(folder), "CGO_ENABLED": "0"}
        done = go and subprocess.run([go, "install", package], env=environment, capture_output=True, text=True)
        if not done or done.returncode:
            missing = f"{name} cannot be built: {done.stderr[-300:] if done else 'Go is not installed'}"
            unavailable(missing, surroundings)


__all__ = ["go_program"]
