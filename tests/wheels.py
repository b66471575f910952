"""The wheel of this repository, and fresh virtual environments that it is installed into."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
_FOREIGN = ("PYTHONPATH", "VIRTUAL_ENV")
"""Variables that lead to another environment."""


def build_wheel(folder: Path) -> Path:
    """Build the wheel into a folder."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(REPOSITORY)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return next(folder.glob("*.whl"))


class Environment:
    """A fresh virtual environment, filled by uv where it is there, else by pip; both with the user's own settings."""

    def __init__(self, folder: Path, variables: dict[str, str], *, with_pip: bool = False) -> None:
        self.bin = folder / "bin"
        self.variables = {k: v for k, v in variables.items() if k not in _FOREIGN}
        self._uv = self._works("uv", "--version")
        venv.create(folder, with_pip=with_pip or not self._uv)

    def _works(self, *command: str) -> bool:
        found = shutil.which(command[0])
        return found is not None and subprocess.run(command, env=self.variables, capture_output=True).returncode == 0

    def run(self, *command: str | Path, cwd: Path | None = None, **more: str) -> str:
        """Run a command, with more variables, and return its output; it has to succeed."""
        variables = {**self.variables, **more}
        result = subprocess.run(command, cwd=cwd or self.bin, env=variables, capture_output=True, text=True)
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
        return result.stdout

    def run_active(self, *command: str | Path, cwd: Path, **more: str) -> str:
        """Run a command as in a shell that has activated the environment, with the variables of the test at hand."""
        variables = {k: v for k, v in os.environ.items() if k not in _FOREIGN}
        variables |= {"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}", **more}
        result = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True)
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
        return result.stdout

    def python(self, *arguments: str) -> str:
        """Run the environment's Python."""
        return self.run(self.bin / "python", *arguments)

    def install(self, *what: str) -> None:
        """Install distributions."""
        if self._uv:
            self.run("uv", "pip", "install", "--python", self.bin / "python", *what)
        else:
            self.python("-m", "pip", "install", "--disable-pip-version-check", *what)

    def uninstall(self, what: str) -> None:
        """Uninstall a distribution."""
        if self._uv:
            self.run("uv", "pip", "uninstall", "--python", self.bin / "python", what)
        else:
            self.python("-m", "pip", "uninstall", "--yes", what)


__all__ = ["REPOSITORY", "Environment", "build_wheel"]
