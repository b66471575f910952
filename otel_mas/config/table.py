"""The table of settings as Markdown, for docs/settings.md."""

from __future__ import annotations

from otel_mas.config.setting import Setting
from otel_mas.config.settings import SETTINGS


def markdown() -> str:
    """A row for each variable."""
    lines = ["| variable | value | default | what it does |", "|---|---|---|---|"]
    lines += [f"| `{one.env}` | {one.type} | {_shown_default(one)} | {one.meaning} |" for one in SETTINGS]
    return "\n".join(lines) + "\n"


def _shown_default(setting: Setting) -> str:
    if setting.shown:
        return setting.shown if " " in setting.shown else f"`{setting.shown}`"  # a sentence, or a value
    return f"`{str(setting.default).lower() if isinstance(setting.default, bool) else setting.default}`"
