"""The style sheet of what notebooks and reports show. Every rule is inside `.otel-mas`, every class begins with om-."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from otel_mas.report.markup import Markup, element, trusted

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SPACE = re.compile(r"\s*([{};,])\s+|\s+(?=\{)")
_LIGHT = """
--om-model:#4a6fdc;--om-tool:#16876a;--om-retrieval:#b0569f;--om-wait:#96650a;--om-bad:#c62f2b;--om-good:#1d7a3c;
--om-bar:rgba(90,100,120,.24);--om-box:rgba(90,100,120,.08);--om-rule:rgba(90,100,120,.28);--om-edge:#7c8494;
--om-text:#161b26;--om-page:#fff;
--om-dim:#5d6675;--om-path:#111827;--om-hatch:rgba(150,101,10,.38);
"""
_DARK = """
--om-model:#8aa5ff;--om-tool:#3fc59d;--om-retrieval:#e193d1;--om-wait:#e5b04c;--om-bad:#ff7b72;--om-good:#63cf86;
--om-bar:rgba(170,180,200,.28);--om-box:rgba(170,180,200,.10);--om-rule:rgba(170,180,200,.28);--om-edge:#8b93a4;
--om-text:#e6e9ef;--om-page:#14171d;
--om-dim:#a3acba;--om-path:#f4f6fa;--om-hatch:rgba(229,176,76,.36);
"""
# How notebooks and pages say that they are dark or light, whatever the system is: JupyterLab, VS Code, Colab and Sphinx
# themes, Bootstrap, marimo.
_SAYS_DARK = (
    '[data-jp-theme-light="false"]',
    ".vscode-dark",
    ".vscode-high-contrast:not(.vscode-high-contrast-light)",
    'html[theme="dark"]',
    '[data-theme="dark"]',
    '[data-bs-theme="dark"]',
    "html.dark",
    "body.dark",
    "body.dark-theme",
)
_SAYS_LIGHT = (
    '[data-jp-theme-light="true"]',
    ".vscode-light",
    ".vscode-high-contrast-light",
    'html[theme="light"]',
    '[data-theme="light"]',
    '[data-bs-theme="light"]',
    "html.light",
    "body.light",
    "body.light-theme",
)


def style() -> Markup:
    """The `<style>` element."""
    return element("style", trusted(_sheet()))


@cache
def _sheet() -> str:
    rules = resources.files("otel_mas.report.html").joinpath("rules.css").read_text(encoding="utf-8")
    rules = _SPACE.sub(lambda found: found[1] or "", _COMMENT.sub("", rules)).strip()
    light, dark = _LIGHT.replace("\n", ""), _DARK.replace("\n", "")
    says_dark = ",".join(f"{one} .otel-mas" for one in _SAYS_DARK)
    says_light = ",".join(f"{one} .otel-mas" for one in _SAYS_LIGHT)
    return (
        f".otel-mas{{{light}}}@media(prefers-color-scheme:dark){{.otel-mas{{{dark}}}}}"
        f"{says_light}{{{light}}}{says_dark}{{{dark}}}{rules}"
    )
