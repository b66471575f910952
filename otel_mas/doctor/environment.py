"""The environment that the app runs in: its own Python is asked, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion

from otel_mas.doctor import probe
from otel_mas.doctor.findings import Finding, finding
from otel_mas.doctor.forms import EnvironmentForm

TIMEOUT_S = 25.0
EntryPoints: TypeAlias = Mapping[str, Sequence[tuple[str, str]]]
"""By group: name and package of each."""

_AUTOSTART = os.path.join("otel_mas", "instrumentation", "autostart")
# Nothing that the interpreter loads by itself may record, export or call anywhere while it is asked.
_QUIET = {
    "OTEL_MAS_ENABLED": "false",
    "OTEL_SDK_DISABLED": "true",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
}
_PYTHON = re.compile(r"python[0-9.]*(\.exe)?|pypy[0-9.]*")
_ISOLATION = {"I": "isolates it from the environment", "E": "ignores the environment", "S": "starts without site"}
_CHECKED = ("otel-mas", "opentelemetry-", "openinference-", "langgraph", "langchain")
_SHOWN = (*_CHECKED, "langsmith", "traceloop-sdk")
_FRAMEWORKS = ("langgraph", "langchain-core")
_MAX_CONFLICTS = 5


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter's own report: versions and requirements by distribution, entry points by group."""

    python: str
    version: str
    prefix: str
    versions: Mapping[str, str]
    requires: Mapping[str, Sequence[str]]
    points: EntryPoints
    hooks: Mapping[str, Any] | None
    failed: str | None

    @property
    def form(self) -> EnvironmentForm:
        hooks = self.hooks if self.hooks is not None and self.hooks["checked"] else None
        return {
            "python": self.python,
            "version": self.version,
            "prefix": self.prefix,
            "packages": {name: self.versions[name] for name in sorted(self.versions) if name.startswith(_SHOWN)},
            "hooks": None if hooks is None else {"checked": hooks["checked"], "misfits": list(hooks["misfits"])},
        }


def check_environment(
    command: Sequence[str], environ: Mapping[str, str], timeout_s: float = TIMEOUT_S
) -> tuple[Interpreter | None, list[Finding]]:
    """Ask the interpreter that `command` starts; without a command, the one that otel-mas itself runs in."""
    python, findings = _python(command, environ) if command else (sys.executable, [])
    if python is None:
        return None, findings
    answer = ask_interpreter(python, environ, timeout_s)
    if isinstance(answer, str):
        return None, [*findings, finding("python-fails", python=python, error=answer)]
    other_python = [] if command else _other_python(answer.prefix, environ)
    return answer, [*findings, *_installation(answer), *other_python]


def ask_interpreter(python: str, environ: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> Interpreter | str:
    """An interpreter's report, or why there is none."""
    source = Path(probe.__file__).read_text(encoding="utf-8")
    path = environ.get("PYTHONPATH", "").split(os.pathsep)
    quiet = {**environ, **_QUIET, "PYTHONPATH": os.pathsep.join(one for one in path if not one.endswith(_AUTOSTART))}
    try:
        done = subprocess.run(
            [python, "-c", source],
            env=quiet,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired:
        return f"did not answer within {timeout_s:g} s"
    except OSError as error:
        return f"does not start ({error.strerror})"
    _, mark, answer = done.stdout.rpartition(probe.MARK)
    if not mark:
        lines = done.stderr.strip().splitlines()
        return f"ends with status {done.returncode}" + (f" ({lines[-1]})" if lines else "")
    report = json.loads(answer)
    points = {group: [(name, package) for name, package in named] for group, named in report["points"].items()}
    return Interpreter(**{**report, "python": report["python"] or python, "points": points})


def _python(command: Sequence[str], environ: Mapping[str, str]) -> tuple[str | None, list[Finding]]:
    """The Python that a command runs: the program itself, or what the script's first line names."""
    program = shutil.which(command[0], path=environ.get("PATH"))
    if program is None:
        return None, [finding("command-not-found", command=command[0])]
    words = [program, *command[1:]]
    if not _PYTHON.fullmatch(os.path.basename(program)):
        words = _first_line(program)
    if not words or not _PYTHON.fullmatch(os.path.basename(words[0])):
        return None, [finding("command-not-python", command=command[0])]
    flag = _isolation(words[1:])
    return words[0], [finding("python-isolated", flag=flag, effect=_ISOLATION[flag])] if flag else []


def _first_line(program: str) -> list[str]:
    """The interpreter, with its options, that a script's first line names; none where it names none that is there."""
    try:
        with Path(program).open("rb") as file:
            line = file.readline(1024).decode(errors="replace")
    except OSError:
        return []
    words = line[2:].split() if line.startswith("#!") else []
    if words and os.path.basename(words[0]) == "env":
        words = [word for word in words[1:] if word != "-S"]
    interpreter = shutil.which(words[0]) if words else None
    return [interpreter, *words[1:]] if interpreter else []


def _isolation(options: Sequence[str]) -> str | None:
    """The option, among those before the script, under which Python ignores PYTHONPATH or site."""
    for option in options:
        if not option.startswith("-") or option.startswith("--") or option[1:2] in ("c", "m", ""):
            return None
        if option[1] not in "WX":
            flag = next((flag for flag in _ISOLATION if flag in option[1:]), None)
            if flag is not None:
                return flag
    return None


def _installation(there: Interpreter) -> Iterator[Finding]:
    python = there.python
    if tuple(int(part) for part in there.version.split(".")[:2] if part.isdigit()) < (3, 11):
        yield finding("python-too-old", python=python, version=there.version)
    elif there.failed is not None:
        yield finding("python-fails", python=python, error=f"cannot load otel-mas ({there.failed})")
    elif there.hooks is None:
        yield finding("otel-mas-missing", python=python)
    else:
        yield from _hooks(there, there.hooks)
    from otel_mas import __version__

    version = there.versions.get("otel-mas", __version__)
    if version != __version__:
        yield finding("otel-mas-differs", python=python, there=version, here=__version__)
    yield from list(_conflicts(there))[:_MAX_CONFLICTS]


def _hooks(there: Interpreter, hooks: Mapping[str, Any]) -> Iterator[Finding]:
    for misfit in hooks["misfits"]:
        yield finding("hooks-misfit", misfit=misfit)
    for module, package, error in hooks["broken"]:
        yield finding("framework-fails", module=module, package=package, python=there.python, error=error)
    if not hooks["checked"]:
        yield finding("framework-missing", python=there.python)
    elif not hooks["misfits"] and not hooks["broken"]:
        versions = [f"{name} {there.versions[name]}" for name in _FRAMEWORKS if name in there.versions]
        yield finding("hooks-fit", versions=" and ".join(versions) or "what is installed")


def _conflicts(there: Interpreter) -> Iterator[Finding]:
    """Requirements that are not met, among the packages that recording rests on."""
    for package in sorted(name for name in there.requires if name.startswith(_CHECKED)):
        for text in there.requires[package]:
            installed = _unmet(text, there)
            if installed is not None:
                yield finding(
                    "packages-conflict",
                    package=package,
                    version=there.versions[package],
                    requirement=text.partition(";")[0].strip(),
                    installed=installed,
                )


def _unmet(text: str, there: Interpreter) -> str | None:
    """The version in place of a requirement; None where it is met, or does not apply."""
    python = ".".join(there.version.split(".")[:2])
    markers = {"extra": "", "python_version": python, "python_full_version": there.version}
    try:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate(markers):
            return None
        name = requirement.name.lower().replace("_", "-").replace(".", "-")
        version = there.versions.get(name)
        if version is None:
            return f"{name} is not installed"
        return None if requirement.specifier.contains(version, prereleases=True) else f"{name} {version} is installed"
    except (InvalidRequirement, InvalidVersion):
        return None


def _other_python(prefix: str, environ: Mapping[str, str]) -> list[Finding]:
    """Whether `python`, as typed in this shell, is of another environment than the one that was asked."""
    python = shutil.which("python", path=environ.get("PATH"))
    active = environ.get("VIRTUAL_ENV") or environ.get("CONDA_PREFIX") or ""
    if python is not None and not _is_within(python, prefix):
        return [finding("other-python", other=python, prefix=prefix)]
    if python is None and os.path.isdir(active) and not os.path.samefile(active, prefix):
        return [finding("other-python", other=f"that of {active}", prefix=prefix)]
    return []


def _is_within(python: str, prefix: str) -> bool:
    """Whether it stands in the environment's own folder, or is the very same program by a link."""
    folders = {os.path.join(prefix, name) for name in ("bin", "Scripts", "")}
    place = os.path.dirname(os.path.abspath(python))
    return any(os.path.isdir(folder) and os.path.samefile(folder, place) for folder in folders) or (
        sys.prefix == sys.base_prefix and os.path.realpath(python) == os.path.realpath(sys.executable)
    )
