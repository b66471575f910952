"""The environment that the app runs in: asked in its own interpreter, in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion

from otel_mas.doctor import kinds, probe, program
from otel_mas.doctor.findings import Finding
from otel_mas.doctor.forms import EnvironmentForm

PATIENCE_S = 25.0
_AUTOSTART = os.path.join("otel_mas", "instrumentation", "autostart")
# Nothing that the interpreter loads by itself may record, export or call anywhere while it is asked.
_QUIET = {
    "OTEL_MAS_ENABLED": "false",
    "OTEL_SDK_DISABLED": "true",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
}
_SHOWN = ("otel-mas", "opentelemetry-", "openinference-", "langgraph", "langchain", "langsmith", "traceloop-sdk")
_CHECKED = ("otel-mas", "opentelemetry-", "openinference-", "langgraph", "langchain")
_FRAMEWORKS = ("langgraph", "langchain-core")
_MOST_CONFLICTS = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What an interpreter said of itself: versions and requirements by distribution, entry points by group."""

    python: str
    version: str
    prefix: str
    versions: Mapping[str, str]
    requires: Mapping[str, Sequence[str]]
    points: Mapping[str, Sequence[tuple[str, str]]]
    hooks: Mapping[str, Any] | None
    failed: str | None


@dataclass(slots=True)
class Environment:
    """What was found. `asked` is None where no interpreter answered."""

    asked: Asked | None = None
    form: EnvironmentForm | None = None
    findings: list[Finding] = field(default_factory=list)


def environment(command: Sequence[str], environ: Mapping[str, str], patience_s: float = PATIENCE_S) -> Environment:
    """Ask the interpreter that `command` starts; without a command, the one that otel-mas itself runs in."""
    found = Environment()
    python = _python(command, environ, found.findings) if command else sys.executable
    if python is None:
        return found
    answer = ask(python, environ, patience_s)
    if isinstance(answer, str):
        found.findings.append(kinds.PYTHON_FAILS.found(python=python, what=answer))
        return found
    found.asked, found.form = answer, _form(answer)
    found.findings += _judged(answer)
    if not command:
        found.findings += _elsewhere(answer, environ)
    return found


def ask(python: str, environ: Mapping[str, str], patience_s: float = PATIENCE_S) -> Asked | str:
    """What an interpreter says of itself, or why it says nothing."""
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
            timeout=patience_s,
        )
    except subprocess.TimeoutExpired:
        return f"did not answer within {patience_s:g} s"
    except OSError as error:
        return f"does not start ({error.strerror})"
    _, mark, answer = done.stdout.rpartition(probe.MARK)
    if not mark:
        said = done.stderr.strip().splitlines()
        return f"ends with status {done.returncode}" + (f" ({said[-1]})" if said else "")
    found = json.loads(answer)
    points = {group: [(name, package) for name, package in named] for group, named in found["points"].items()}
    return Asked(
        found["python"] or python,
        found["version"],
        found["prefix"],
        found["versions"],
        found["requires"],
        points,
        found["hooks"],
        found["failed"],
    )


def _python(command: Sequence[str], environ: Mapping[str, str], findings: list[Finding]) -> str | None:
    path = shutil.which(command[0], path=environ.get("PATH"))
    if path is None:
        findings.append(kinds.COMMAND_NOT_FOUND.found(command=command[0]))
        return None
    started = program.interpreter([path, *command[1:]])
    if started is None:
        findings.append(kinds.COMMAND_NOT_PYTHON.found(command=command[0]))
        return None
    python, options = started
    flag = program.isolation(options)
    if flag is not None:
        findings.append(kinds.PYTHON_ISOLATED.found(flag=flag, effect=program.ISOLATED[flag]))
    return python


def _form(asked: Asked) -> EnvironmentForm:
    hooks = asked.hooks
    return {
        "python": asked.python,
        "version": asked.version,
        "prefix": asked.prefix,
        "packages": {name: asked.versions[name] for name in sorted(asked.versions) if name.startswith(_SHOWN)},
        "hooks": None
        if hooks is None or not hooks["checked"]
        else {"checked": hooks["checked"], "misfits": list(hooks["misfits"])},
    }


def _judged(asked: Asked) -> Iterator[Finding]:
    if _numbers(asked.version) < (3, 11):
        yield kinds.PYTHON_TOO_OLD.found(python=asked.python, version=asked.version)
    elif asked.failed is not None:
        yield kinds.PYTHON_FAILS.found(python=asked.python, what=f"cannot load otel-mas ({asked.failed})")
    elif asked.hooks is None:
        yield kinds.OTEL_MAS_MISSING.found(python=asked.python)
    else:
        yield from _fit(asked, asked.hooks)
    from otel_mas import __version__

    there = asked.versions.get("otel-mas")
    if there is not None and there != __version__:
        yield kinds.OTEL_MAS_DIFFERS.found(python=asked.python, there=there, here=__version__)
    yield from list(_conflicts(asked))[:_MOST_CONFLICTS]


def _fit(asked: Asked, hooks: Mapping[str, Any]) -> Iterator[Finding]:
    for misfit in hooks["misfits"]:
        yield kinds.HOOKS_MISFIT.found(misfit=misfit)
    for module, package, error in hooks["broken"]:
        yield kinds.FRAMEWORK_FAILS.found(module=module, package=package, python=asked.python, error=error)
    if not hooks["checked"]:
        yield kinds.FRAMEWORK_MISSING.found(python=asked.python)
    elif not hooks["misfits"] and not hooks["broken"]:
        installed = [f"{name} {asked.versions[name]}" for name in _FRAMEWORKS if name in asked.versions]
        yield kinds.HOOKS_FIT.found(versions=" and ".join(installed) or "what is installed")


def _conflicts(asked: Asked) -> Iterator[Finding]:
    """Requirements that are not met, among the packages that recording rests on."""
    for package in sorted(asked.requires):
        if not package.startswith(_CHECKED):
            continue
        for text in asked.requires[package]:
            missing = _unmet(text, asked)
            if missing is not None:
                requirement = text.partition(";")[0].strip()
                yield kinds.PACKAGES_CONFLICT.found(
                    package=package, version=asked.versions[package], requirement=requirement, installed=missing
                )


def _unmet(text: str, asked: Asked) -> str | None:
    """Why a requirement is not met there; None where it is, or does not apply."""
    try:
        requirement = Requirement(text)
        if requirement.marker is not None and not _applies(requirement.marker, asked):
            return None
        name = requirement.name.lower().replace("_", "-").replace(".", "-")
        version = asked.versions.get(name)
        if version is None:
            return f"{name} is not installed"
        return None if requirement.specifier.contains(version, prereleases=True) else f"{name} {version} is installed"
    except (InvalidRequirement, InvalidVersion):
        return None


def _applies(marker: Marker, asked: Asked) -> bool:
    python = ".".join(asked.version.split(".")[:2])
    return marker.evaluate({"extra": "", "python_version": python, "python_full_version": asked.version})


def _elsewhere(asked: Asked, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Whether `python`, as typed in this shell, is of another environment than the one that was asked."""
    python = shutil.which("python", path=environ.get("PATH"))
    active = environ.get("VIRTUAL_ENV") or environ.get("CONDA_PREFIX") or ""
    if python is not None and not _within(python, asked.prefix):
        yield kinds.OTHER_PYTHON.found(other=python, prefix=asked.prefix)
    elif python is None and os.path.isdir(active) and not os.path.samefile(active, asked.prefix):
        yield kinds.OTHER_PYTHON.found(other=f"that of {active}", prefix=asked.prefix)


def _within(python: str, prefix: str) -> bool:
    """Whether it stands in the environment's own folder, or is the very same program by a link."""
    folders = {os.path.join(prefix, name) for name in ("bin", "Scripts", "")}
    place = os.path.dirname(os.path.abspath(python))
    return any(os.path.isdir(folder) and os.path.samefile(folder, place) for folder in folders) or (
        sys.prefix == sys.base_prefix and os.path.realpath(python) == os.path.realpath(sys.executable)
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
