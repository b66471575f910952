"""Evaluators: dataclasses with one method. They are found by entry point, ours and those of other packages alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from otel_mas.errors import ConfigError
from otel_mas.errors.similar import did_you_mean

if TYPE_CHECKING:
    from otel_mas.evaluate.context import RunContext

GROUP = "otel_mas_evaluator"
Value = bool | float | str
"""Value of an evaluation: a bool is an assertion, a number a score, a str a label."""


@dataclass(frozen=True, slots=True)
class EvaluationReason:
    """Value of an evaluation with the reason for it.

    Args:
        value: a bool is an assertion, a number a score, a str a label.
        reason: why, in a sentence without a period; for a failure the expected beside the actual.
        passed: whether the case passes by it; None: as an assertion says, and scores and labels fail nothing.
    """

    value: Value
    reason: str = ""
    passed: bool | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.value, bool | int | float | str):
            raise TypeError(f"value is {self.value!r}: it must be a bool, a number or a str")


@runtime_checkable
class Evaluator(Protocol):
    """Judges one run."""

    def evaluate(self, context: RunContext) -> Value | EvaluationReason:
        """The judgement of a run.

        Raises:
            InsufficientEvidence: The trace does not have what would tell.
        """
        ...


def installed_evaluators() -> dict[str, EntryPoint]:
    """Installed evaluators by the name that suites use, ours and those of other packages; nothing is imported yet."""
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def name_of(evaluator: Evaluator) -> str:
    """The name of an evaluator in reports and suites: that of its entry point, else its class's."""
    kind = type(evaluator)
    known = _NAMES.get((kind.__module__, kind.__qualname__))
    if known is None and not _NAMES:
        for name, point in installed_evaluators().items():
            _NAMES[point.module, point.attr] = name
        known = _NAMES.get((kind.__module__, kind.__qualname__))
    return known or kind.__name__


_NAMES: dict[tuple[str, str], str] = {}


def load_evaluator(name: str) -> type[Any]:
    """The class of an evaluator by the name that suites use.

    Raises:
        ConfigError: There is none of this name, it cannot be imported, or it is no dataclass.
    """
    installed = installed_evaluators()
    point = installed.get(name)
    if point is None:
        known = did_you_mean(name, installed) or f"; there are {', '.join(installed)}"
        raise ConfigError(f"there is no evaluator {name!r}{known}")
    try:
        found = point.load()
    except Exception as error:
        raise ConfigError(
            f"evaluator {name!r} cannot be imported from {point.value}: {type(error).__name__}: {error}"
        ) from error
    if not (isinstance(found, type) and is_dataclass(found)):
        raise ConfigError(f"evaluator {name!r} of {point.value} is no dataclass")
    return found


def made_from(given: object) -> Evaluator:
    """An evaluator as code or a suite gives it: itself, its name, or its name with its arguments.

    `{contains: Paris}` gives the first argument, `{contains: {text: Paris, ignore_case: true}}` several by name.

    Raises:
        ConfigError: There is no such evaluator.
        pydantic.ValidationError: Its arguments are not what it takes.
    """
    if isinstance(given, str):
        return _validated(load_evaluator(given), {})
    if isinstance(given, Mapping):
        if len(given) != 1 or not isinstance(name := next(iter(given)), str):
            raise ConfigError(f"a check is the name of one evaluator with its arguments, not {dict(given)!r}")
        return _validated(load_evaluator(name), given[name])
    if isinstance(given, Evaluator) and not isinstance(given, type):
        return given
    raise ConfigError(f"{given!r} is no evaluator: it must have a method evaluate(context)")


def _validated(kind: type[Any], arguments: Any) -> Evaluator:
    from dataclasses import fields

    from pydantic import TypeAdapter, ValidationError

    names = [one.name for one in fields(kind) if one.init]
    unknown = [one for one in arguments if one not in names] if isinstance(arguments, Mapping) else []
    by_name = isinstance(arguments, Mapping) and not unknown
    if unknown and len(unknown) < len(arguments):
        raise _unknown_argument(kind, unknown[0], names)
    if arguments is not None and not by_name and names:
        arguments = {names[0]: arguments}
    try:
        made: Evaluator = TypeAdapter(kind).validate_python(arguments or {})
    except (ConfigError, ValidationError):
        if unknown:  # a mapping that is not the first argument itself, as a JSON schema is
            raise _unknown_argument(kind, unknown[0], names) from None
        raise
    return made


def _unknown_argument(kind: type[Any], name: object, names: Sequence[str]) -> ConfigError:
    known = did_you_mean(str(name), names) or f"; there are {', '.join(names)}"
    return ConfigError(f"there is no argument {name!r} of {kind.__name__}{known}")


__all__ = [
    "GROUP",
    "EvaluationReason",
    "Evaluator",
    "Value",
    "installed_evaluators",
    "load_evaluator",
    "made_from",
    "name_of",
]
