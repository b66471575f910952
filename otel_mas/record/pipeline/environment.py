"""Python, operating system and versions of packages with which a recording is made. Read on the writer's thread."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from otel_mas.semconv import attributes as names

_PACKAGES = ("langgraph", "langchain", "langchain_core", "otel_mas")


def environment() -> Mapping[str, str | tuple[str, ...]]:
    """Attributes of the resource; of packages those that this process has imported by now."""
    return {
        names.PROCESS_RUNTIME_NAME: sys.implementation.name,
        names.PROCESS_RUNTIME_VERSION: platform.python_version(),
        names.OS_TYPE: sys.platform,
        names.MAS_PROCESS_PACKAGES: tuple(
            f"{_package(one)} {_version(one)}" for one in _PACKAGES if one in sys.modules
        ),
    }


def _package(module: str) -> str:
    return module.replace("_", "-")


def _version(module: str) -> str:
    try:
        return version(_package(module))
    except PackageNotFoundError:  # run from a source tree
        return "of unknown version"


__all__ = ["environment"]
