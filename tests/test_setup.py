"""`.ci/setup` shows one line of progress, or why it failed; `make help` and the pre-commit hooks name what there is."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
MAKEFILE = (REPOSITORY / "Makefile").read_text()
UV = """#!/bin/sh
[ "$1" = --version ] && exit 0
echo "uv was called with $*"
mkdir -p .venv/lib/python3/site-packages/one.dist-info .venv/lib/python3/site-packages/two.dist-info
exit {status}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that holds nothing but `.ci/setup`, and `bin` with `python3` and what a shell needs."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(REPOSITORY / ".ci" / "setup", tmp_path / ".ci" / "setup")
    (tmp_path / "bin").mkdir()
    for name in ("cat", "date", "dirname", "ls", "mktemp", "rm", "tr", "wc", "mkdir"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / "bin" / name).symlink_to(found)
    _executable(tmp_path / "bin" / "python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    return tmp_path


def _executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _setup(checkout: Path, *extra: str, python: str = "") -> subprocess.CompletedProcess[str]:
    variables = {"PATH": str(checkout / "bin"), "PYTHON": python}
    command = [shutil.which("sh") or "sh", checkout / ".ci" / "setup", *extra]
    return subprocess.run(command, env=variables, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def test_setup_shows_one_line_of_progress_instead_of_the_installers_output(checkout: Path) -> None:
    _executable(checkout / "bin" / "uv", UV.format(status=0))

    result = _setup(checkout, "examples")

    assert (result.returncode, result.stdout) == (0, "")
    line = r"installing \[examples\] into \.venv with uv \.\.\. done in \d+ s \(2 packages\)\n"
    assert re.fullmatch(line, result.stderr)


def test_a_failed_installation_shows_the_whole_output_and_keeps_the_exit_status(checkout: Path) -> None:
    _executable(checkout / "bin" / "uv", UV.format(status=7))

    result = _setup(checkout, "dev")

    assert result.returncode == 7
    assert re.search(
        r"failed after \d+ s\nuv was called with pip install .*-e \.\[dev\] -c constraints\.txt", result.stderr
    )


def test_an_environment_that_runs_is_kept(checkout: Path) -> None:
    _executable(checkout / "bin" / "uv", UV.format(status=0))
    _setup(checkout, "examples")
    (checkout / ".venv" / "mine").touch()

    _setup(checkout, "dev")

    assert (checkout / ".venv" / "mine").exists()


def test_without_uv_the_pip_of_the_environment_installs(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    pip = f'[ "$1 $2" = "-m pip" ] && echo "$*" && exit 5\nexec {sys.executable} "$@"\n'
    _executable(checkout / ".venv" / "bin" / "python", f'#!/bin/sh\n[ "$3" = --version ] && exit 0\n{pip}')

    result = _setup(checkout, "examples")

    assert result.returncode == 5
    assert "with pip ... failed" in result.stderr
    assert re.search(r"^-m pip install .*-e \.\[examples\] -c constraints\.txt$", result.stderr, re.MULTILINE)


def test_a_missing_python_is_reported_with_how_to_get_one(checkout: Path) -> None:
    (checkout / "bin" / "python3").unlink()

    result = _setup(checkout, "dev")

    assert result.returncode == 1
    assert result.stderr.startswith("No Python 3.11 or newer on PATH. Install one")


@pytest.mark.parametrize(
    ("python", "found"),
    [
        ("#!/bin/sh\nexit 127\n", "it does not run"),
        ("#!/bin/sh\n[ $1 = --version ] && echo Python 3.9.1\n", "Python 3.9.1"),
    ],
)
def test_an_unsuitable_python_is_named(python: str, found: str, checkout: Path) -> None:
    _executable(checkout / "old", python)

    result = _setup(checkout, "dev", python=str(checkout / "old"))

    assert result.returncode == 1
    assert f"PYTHON={checkout / 'old'} is not a Python 3.11 or newer ({found})" in result.stderr


def test_a_python_without_venv_is_named_with_the_package_to_install(checkout: Path) -> None:
    lacking = f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n'
    _executable(checkout / "bin" / "python3", lacking)

    result = _setup(checkout, "dev")

    assert result.returncode == 1
    version = "{}.{}".format(*sys.version_info)
    assert f"sudo apt install python{version}-venv" in result.stderr


def test_make_help_lists_every_target() -> None:
    result = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert phony is not None

    assert [line.split()[1] for line in result.stdout.splitlines()] == phony[1].split()


def test_a_make_around_the_tests_does_not_change_what_they_see(surroundings: dict[str, str]) -> None:
    """`make -C . test` would otherwise have each make that a test starts print the folders that it enters."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{__file__}::{_LISTS_TARGETS}"]
    variables = surroundings | {"MAKEFLAGS": "w", "MFLAGS": "-w", "MAKELEVEL": "1"}

    result = subprocess.run(command, cwd=REPOSITORY, env=variables, capture_output=True, text=True)

    assert result.returncode == 0, result.stdout


_LISTS_TARGETS = test_make_help_lists_every_target.__name__


def test_the_demo_needs_no_development_tools_and_development_needs_all_of_the_demo() -> None:
    """`make demo` after `make test` has nothing to install, since `make setup` sets the stamp of both."""
    plan = ["make", "--dry-run", "--always-make"]
    demo = subprocess.run([*plan, "demo"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    setup = subprocess.run([*plan, "setup"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout

    assert ".ci/setup examples" in demo
    assert ".ci/setup dev" not in demo
    assert re.search(r"^touch \S+-dev \S+-examples", setup, re.MULTILINE)


def test_each_pre_commit_hook_runs_a_tool_of_the_projects_own_environment() -> None:
    config = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]

    assert {repository["repo"] for repository in config["repos"]} == {"local"}
    assert {hook["language"] for hook in hooks} == {"system"}
    for hook in hooks:
        program, *arguments = hook["entry"].split()
        assert program == ".venv/bin/python"
        if arguments[0] == "-m":
            subprocess.run([sys.executable, "-m", arguments[1], "--version"], check=True, capture_output=True)
        else:
            assert (REPOSITORY / arguments[0]).exists()
