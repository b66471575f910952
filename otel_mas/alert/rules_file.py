"""Rules files in YAML. All problems of one are named at once, by line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from otel_mas.alert.receivers import Receiver
from otel_mas.alert.rules import Rule, Seconds
from otel_mas.config.yaml_document import load_yaml, problem_at, read_document
from otel_mas.errors import ConfigError, arguments
from otel_mas.errors.similar import did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_NEEDS, _EXTRA = "`rules` or `receivers`", "alerts"


class Rules(BaseModel):
    """A rules file.

    Args:
        defaults: whether the built-in rules hold as well.
        disabled: names of built-in rules that do not.
        rules: more rules; one with the name of a built-in rule replaces those of its fields that it gives.
        receivers: where alerts are sent.
        group_by: labels, or `alertname`; alerts that agree in these are one notification.
        repeat_after: time after which a receiver is notified again of alerts that still fire.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    defaults: bool = True
    disabled: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    receivers: tuple[Receiver, ...] = ()
    group_by: tuple[str, ...] = ("alertname",)
    repeat_after: Seconds = 4 * 3600.0

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for kind, found in (("rules", self.rules), ("receivers", self.receivers)):
            names = [one.name for one in found]
            again = sorted({name for name in names if names.count(name) > 1})
            if again:
                raise ValueError(f"several {kind} are called {', '.join(again)}: give each a name of its own")
        unknown = [name for name in self.disabled if name not in _built_in()]
        if unknown:
            raise ValueError(
                f"disabled: no built-in rule is called {unknown[0]}{did_you_mean(unknown[0], _built_in())}"
            )
        return self

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """The rules of a YAML or JSON file, with the built-in ones unless it does without.

        Raises:
            ConfigError: The file cannot be read, or is wrong: each problem with its line.
            MissingExtra: PyYAML is not installed.
        """
        file = arguments.path("path", path)
        return cls._parsed(read_document(file, "has no alert rules"), file)

    @classmethod
    def built_in(cls) -> Self:
        """The built-in rules alone, which are sent to nobody. Raises `MissingExtra` without PyYAML."""
        return cls.model_validate({"rules": list(_built_in().values())})

    def at_once(self) -> Self:
        """The same rules, each firing as soon as it holds, and nobody is notified."""
        return self.model_copy(
            update={"rules": tuple(rule.model_copy(update={"hold": 0.0}) for rule in self.rules), "receivers": ()}
        )

    @classmethod
    def _parsed(cls, text: str, file: Path) -> Self:
        tree, document = load_yaml(text, file, needs=_NEEDS, extra=_EXTRA)
        if not isinstance(document, dict):
            raise ConfigError(f"{file} has no alert rules: it must be a mapping with {_NEEDS}")
        try:
            return cls.model_validate(_completed(document))
        except ValidationError as error:
            problems = sorted({problem_at(one["loc"], _message(one), tree) for one in error.errors()})
            raise ConfigError(*(f"{file}:{line}: {text}" for line, text in problems)) from None


def _completed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the built-in rules behind its own, so that problems keep their places."""
    given = document.get("rules", [])
    if not isinstance(given, list):
        return dict(document)
    built_in = _built_in()
    own = [
        {**built_in[one["name"]], **one} if isinstance(one, dict) and one.get("name") in built_in else one
        for one in given
    ]
    left_out = {one.get("name") for one in given if isinstance(one, dict)}
    disabled = document.get("disabled")
    left_out |= set(map(str, disabled)) if isinstance(disabled, list) else set()
    rest = [rule for name, rule in built_in.items() if name not in left_out]
    return {**document, "rules": own + (rest if document.get("defaults", True) is True else [])}


@cache
def _built_in() -> Mapping[str, Mapping[str, Any]]:
    text = (files("otel_mas.alert") / "defaults.yaml").read_text(encoding="utf-8")
    _, document = load_yaml(text, "the built-in alert rules", needs=_NEEDS, extra=_EXTRA)
    return {rule["name"]: {"runbook": f"deploy/runbooks/{rule['name']}.md", **rule} for rule in document["rules"]}


def _message(error: ErrorDetails) -> str:
    """The message of pydantic, or a clearer one for people who write YAML."""
    if error["type"] == "extra_forbidden":
        models: Mapping[object, type[BaseModel]] = {"rules": Rule, "receivers": Receiver}
        fields = models.get(error["loc"][0], Rules).model_fields
        names = [one.alias or name for name, one in fields.items()]
        return f"there is no such field{did_you_mean(str(error['loc'][-1]), names)}"
    clearer = {"tuple_type": "it must be a list", "dict_type": "it must be a mapping"}
    return clearer.get(error["type"], error["msg"])


__all__ = ["Rules"]
