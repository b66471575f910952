"""The table of settings as Markdown, for docs/settings.md, and as a file of variables, `.env.example`."""

from __future__ import annotations

import re
import textwrap

from otel_mas.config.setting import Setting
from otel_mas.config.settings import SETTINGS


def markdown() -> str:
    """A row for each variable."""
    lines = ["| variable | value | default | what it does |", "|---|---|---|---|"]
    lines += [f"| `{one.env}` | {one.type} | {_shown_default(one)} | {one.meaning} |" for one in SETTINGS]
    return "\n".join(lines) + "\n"


def env_example() -> str:
    """Each variable, commented out, with its default and what it does; a default that is no value is shown above it."""
    return "\n".join(map(_commented, SETTINGS))


def _commented(setting: Setting) -> str:
    default = _shown_default(setting)
    is_value = default.startswith("`") and not default.startswith("`$") and default != "`nothing`"
    shown = "" if is_value or default == "not set" else f" Default: {default.replace('`', '')}."
    text = _LINK.sub(r"docs/\1", setting.meaning) + f" ({setting.type})" + shown
    lines = textwrap.wrap(text, 110, break_long_words=False, break_on_hyphens=False)
    value = default.strip("`") if is_value else ""
    return "".join(f"# {line}\n" for line in lines) + f"#{setting.env}={value}\n"


_LINK = re.compile(r"\[[^]]*\]\(([^)]*)\)")


def _shown_default(setting: Setting) -> str:
    if setting.shown:
        return setting.shown if " " in setting.shown else f"`{setting.shown}`"  # a sentence, or a value
    return f"`{str(setting.default).lower() if isinstance(setting.default, bool) else setting.default}`"
