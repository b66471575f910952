"""What is set, from where, and what of it cannot be read."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from otel_mas.config import SETTINGS, Setting, Settings
from otel_mas.config.server import HIDDEN
from otel_mas.doctor import kinds
from otel_mas.doctor.findings import Finding
from otel_mas.doctor.forms import SettingForm
from otel_mas.doctor.masking import masked, shown
from otel_mas.errors import ConfigError

_PREFIX = "OTEL_MAS_"
_STORE = "OTEL_MAS_STORE"
# What LangSmith reads that decides where content goes; its other variables hold keys.
_LANGSMITH = frozenset(
    {"LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2"}
    | {"LANGSMITH_OTEL_ENABLED", "LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT"}
)


@dataclass(frozen=True, slots=True)
class Configured:
    """The settings as far as they can be read, and the rows that show where each is from."""

    settings: Settings
    forms: list[SettingForm]
    findings: list[Finding]
    store_origin: str


def configured(environ: Mapping[str, str], store: str | None = None) -> Configured:
    """Read the environment; `store` is what the command line says over it."""
    problems = {setting.env: problem for setting in SETTINGS if (problem := _problem(environ, setting))}
    readable = {name: value for name, value in environ.items() if name not in problems}
    settings = Settings.from_env(readable, store=store)
    store_origin = "command line" if store is not None else _origin(environ, _STORE)
    findings = [kinds.SETTING_INVALID.found(problem=masked(problem)) for problem in problems.values()]
    findings += _unknown(environ)
    findings += _switches(environ, problems)
    findings += _config_file(environ)
    if not problems:
        findings.append(kinds.SETTINGS_VALID.found())
    forms = [_form(environ, setting, settings, problems, store_origin) for setting in SETTINGS]
    return Configured(settings, [*forms, *_others(environ)], findings, store_origin)


def _problem(environ: Mapping[str, str], setting: Setting) -> str | None:
    """What is wrong with one setting alone, in the words of the settings themselves."""
    try:
        Settings.from_env({setting.env: environ.get(setting.env, "")})
    except ConfigError as error:
        return error.problems[0]
    return None


def _form(
    environ: Mapping[str, str], setting: Setting, settings: Settings, problems: Mapping[str, str], store_origin: str
) -> SettingForm:
    origin = store_origin if setting.env == _STORE else _origin(environ, setting.env)
    if setting.env == _STORE:
        value = settings.store
    elif origin == "default":
        value = _default(setting)
    elif setting.secret and not setting.env.endswith("HEADERS"):
        value = HIDDEN
    else:
        value = shown(setting.env, environ[setting.env].strip())
    return {"name": setting.env, "value": value, "origin": origin, "valid": setting.env not in problems}


def _default(setting: Setting) -> str:
    default: Any = setting.shown or setting.default
    return str(default).lower() if isinstance(default, bool) else str(default)


def _origin(environ: Mapping[str, str], name: str) -> str:
    return "environment" if environ.get(name, "").strip() else "default"


def _others(environ: Mapping[str, str]) -> Iterator[SettingForm]:
    """Variables of OpenTelemetry itself, and LangSmith's switches."""
    known = {setting.env for setting in SETTINGS}
    for name in sorted(environ):
        value = environ[name].strip()
        if value and name not in known and (name.startswith("OTEL_") or name in _LANGSMITH):
            yield {"name": name, "value": shown(name, value), "origin": "environment", "valid": True}


def _unknown(environ: Mapping[str, str]) -> Iterator[Finding]:
    known = [setting.env.removeprefix(_PREFIX) for setting in SETTINGS if setting.env.startswith(_PREFIX)]
    for name in sorted(environ):
        rest = name.removeprefix(_PREFIX)
        if name.startswith(_PREFIX) and rest not in known and environ[name].strip():
            alike = difflib.get_close_matches(rest, known, 1)
            meant = f"perhaps {_PREFIX}{alike[0]} is meant" if alike else "unset it"
            yield kinds.SETTING_UNKNOWN.found(name=name, meant=meant)


def _switches(environ: Mapping[str, str], problems: Mapping[str, str]) -> Iterator[Finding]:
    for setting in SETTINGS:
        given = environ.get(setting.env, "").strip()
        if setting.field == "enabled" and given and setting.env not in problems and setting.parse(given) is False:
            yield kinds.SWITCHED_OFF.found(name=setting.env, value=given)


def _config_file(environ: Mapping[str, str]) -> Iterator[Finding]:
    path = environ.get("OTEL_CONFIG_FILE", "").strip()
    if path and os.path.isfile(path):
        yield kinds.CONFIG_FILE.found(path=path)
    elif path:
        yield kinds.CONFIG_FILE_UNUSABLE.found(path=path)
