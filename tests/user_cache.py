"""The folder in the user's cache for environments and binaries that tests and the benchmark build once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def user_cache(environ: Mapping[str, str] = os.environ) -> Path:
    """The project's folder in the user's cache; XDG says that a relative path there is to be ignored."""
    root = environ.get("XDG_CACHE_HOME") or ""
    base = Path(root) if os.path.isabs(root) else Path(environ.get("HOME") or Path.home()) / ".cache"
    return base / "otel-mas"
