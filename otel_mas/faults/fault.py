"""Specifications of faults: which kind, where, when and how much; from Python or from text."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from otel_mas.errors import ConfigError
from otel_mas.semconv.enums import FaultKind


class Target(StrEnum):
    """The sort of thing that a fault hits."""

    MESSAGE = "message"
    TOOL = "tool"
    MODEL = "model"
    AGENT = "agent"
    WAIT = "wait"


_TARGETS: Final = {
    Target.MESSAGE: (
        FaultKind.MESSAGE_LOST,
        FaultKind.MESSAGE_DELAYED,
        FaultKind.MESSAGE_DUPLICATED,
        FaultKind.MESSAGE_CORRUPTED,
        FaultKind.MESSAGE_CONTRADICTED,
        FaultKind.FIELD_FORGOTTEN,
    ),
    Target.TOOL: (FaultKind.TOOL_ERROR, FaultKind.TOOL_HANG, FaultKind.TOOL_EMPTY, FaultKind.TOOL_NONSENSE),
    Target.MODEL: (FaultKind.MODEL_SLOW, FaultKind.MODEL_TRUNCATED, FaultKind.MODEL_RATE_LIMITED),
    Target.AGENT: (FaultKind.AGENT_GIVES_UP,),
    Target.WAIT: (FaultKind.RESOURCE_STARVED, FaultKind.LOCK_HELD),
}
_TARGET_OF: Final = {kind: target for target, kinds in _TARGETS.items() for kind in kinds}
_SCOPES: Final = {
    Target.MESSAGE: ("agent", "edge", "field"),
    Target.TOOL: ("agent", "tool"),
    Target.MODEL: ("agent", "model"),
    Target.AGENT: ("agent",),
    Target.WAIT: ("agent", "tool", "model"),
}
_NEEDED: Final[dict[FaultKind, tuple[str, ...]]] = {
    FaultKind.FIELD_FORGOTTEN: ("field",),
    FaultKind.AGENT_GIVES_UP: ("agent",),
    FaultKind.RESOURCE_STARVED: ("agent", "tool", "model"),
    FaultKind.LOCK_HELD: ("agent", "tool", "model"),
}
"""The scopes of which a kind needs one."""
_DELAYED: Final = {
    FaultKind.MESSAGE_DELAYED: 1.0,
    FaultKind.TOOL_HANG: 30.0,
    FaultKind.MODEL_SLOW: 5.0,
    FaultKind.RESOURCE_STARVED: 30.0,
    FaultKind.LOCK_HELD: 1.0,
}
"""Seconds that the kinds with a `delay` take where none is given."""
_PARAMETERS: Final = {"limit": FaultKind.RESOURCE_STARVED, "keep": FaultKind.MODEL_TRUNCATED}
_EVERYWHERE: Final = ("occurrence", "probability", "after", "before")
_SECONDS: Final = re.compile(r"(\d+(?:\.\d+)?(?:e-?\d+)?)(ms|s|m|h)?")
_UNITS: Final = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class Fault(BaseModel):
    """One fault to inject. Without a restriction it hits every agent and every tool, each time.

    Args:
        kind: a `FaultKind`, or its value.
        agent: the node or agent that it hits; of a message, the one that reads it.
        tool: the tool's name.
        model: the model's name, as the provider knows it.
        edge: `sender->reader`, for messages; `*` for any. `__start__` is the graph's input.
        field: the field (channel) of the state; for messages, only what is in that one.
        occurrence: the first, second, ... time that an agent comes to the place, from 1; several of them as a list.
        probability: from 0 to 1, decided by the seed at each place.
        after: seconds from the start of injection from which on it may happen.
        before: seconds from the start of injection until which it may happen.
        delay: seconds that it takes, for the kinds that wait.
        limit: slots of a starved resource.
        keep: the part of a truncated answer that stays, from 0 to 1.

    Raises:
        ConfigError: naming everything that is wrong.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    agent: str | None = Field(None, min_length=1)
    tool: str | None = Field(None, min_length=1)
    model: str | None = Field(None, min_length=1)
    edge: str | None = None
    field: str | None = Field(None, min_length=1)
    occurrence: tuple[int, ...] = ()
    probability: float = Field(1.0, ge=0, le=1)
    after: float = Field(0.0, ge=0)
    before: float | None = Field(None, gt=0)
    delay: float | None = Field(None, gt=0)
    limit: int | None = Field(None, ge=1)
    keep: float | None = Field(None, ge=0, lt=1)

    def __init__(self, kind: FaultKind | str, /, **scope: Any) -> None:
        if kind not in list(FaultKind):
            raise ConfigError(f"there is no kind of fault {kind!r}; there are {', '.join(FaultKind)}")
        unknown = sorted(scope.keys() - (type(self).model_fields.keys() - {"kind"}))
        if unknown:
            allowed = ", ".join(name for name in type(self).model_fields if name != "kind")
            raise ConfigError(f"fault {kind}: there is no {', '.join(map(repr, unknown))}; there are {allowed}")
        try:
            super().__init__(kind=kind, **{name: value for name, value in scope.items() if value is not None})
        except ValidationError as error:
            raise ConfigError(*(_problem(str(kind), one) for one in error.errors())) from None

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read `kind`, or `kind:name=value,...`, as in `tool_error:tool=search,occurrence=1|3,probability=0.5`.

        Raises:
            ConfigError: naming what is wrong.
        """
        kind, _, rest = text.strip().partition(":")
        scope: dict[str, Any] = {}
        for part in filter(None, map(str.strip, rest.split(","))):
            name, equals, value = part.partition("=")
            if not equals or not value:
                raise ConfigError(f"fault {text!r}: {part!r} is not name=value")
            if name in scope:
                raise ConfigError(f"fault {text!r}: {name} is given twice")
            scope[name] = value
        return cls(kind, **scope)

    @field_validator("occurrence", mode="before")
    @classmethod
    def _occurrences(cls, given: Any) -> Any:
        if isinstance(given, str):
            given = given.split("|")
        found = given if isinstance(given, list | tuple) else [given]
        if not found or not all(isinstance(one, int) or str(one).isdecimal() for one in found):
            raise ValueError("must be a number from 1, or several")
        if min(map(int, found)) < 1:
            raise ValueError("must be a number from 1, or several")
        return tuple(sorted({int(one) for one in found}))

    @field_validator("after", "before", "delay", mode="before")
    @classmethod
    def _seconds(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        found = _SECONDS.fullmatch(given)
        if found is None:
            raise ValueError("must be a time, like 200ms, 1.5s or 2m")
        return float(found[1]) * _UNITS[found[2] or "s"]

    @field_validator("edge")
    @classmethod
    def _edge(cls, given: str | None) -> str | None:
        if given is None:
            return None
        ends = [end.strip() for end in given.split("->")]
        if len(ends) != 2 or not all(ends):
            raise ValueError("must be sender->reader, either of them * for any")
        return "->".join(ends)

    @model_validator(mode="after")
    def _fits(self) -> Fault:
        given = self.model_fields_set - {"kind"}
        allowed = {*_SCOPES[self.target], *_EVERYWHERE}
        allowed |= {"delay"} if self.kind in _DELAYED else set()
        allowed |= {name for name, kind in _PARAMETERS.items() if kind == self.kind}
        wrong = sorted(name for name in given - allowed)
        if wrong:
            raise ValueError(f"takes no {', '.join(wrong)}; it takes {', '.join(sorted(allowed))}")
        needed = _NEEDED.get(self.kind, ())
        if needed and not any(getattr(self, name) for name in needed):
            raise ValueError(f"needs {' or '.join(needed)}")
        if self.agent is not None and self.edge is not None:
            raise ValueError("takes an agent or an edge, not both")
        if self.tool is not None and self.model is not None:
            raise ValueError("takes a tool or a model, not both")
        if self.before is not None and self.before <= self.after:
            raise ValueError("would end (before) no later than it begins (after)")
        return self

    @property
    def target(self) -> Target:
        """The sort of thing that it hits; of a wait, what waits."""
        return _TARGET_OF[self.kind]

    @property
    def seconds(self) -> float:
        """Its delay, or that of its kind."""
        return _DELAYED[self.kind] if self.delay is None else self.delay

    @property
    def scope(self) -> str:
        """All but the kind, as in the text that `parse` reads."""
        shown = {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}
        del shown["kind"]
        return ",".join(f"{name}={_text(value)}" for name, value in shown.items())

    def __repr__(self) -> str:
        return f"Fault.parse({str(self)!r})"

    def __str__(self) -> str:
        return f"{self.kind}:{self.scope}" if self.scope else str(self.kind)

    def reads(self, sender: Collection[str], reader: Collection[str]) -> bool:
        """Whether it hits messages from a sender to a reader; each may have several names."""
        if self.edge is not None:
            ends = zip(self.edge.split("->"), (sender, reader), strict=True)
            return all(wanted == "*" or wanted in names for wanted, names in ends)
        return START not in sender and (self.agent is None or self.agent in reader)


START: Final[Literal["__start__"]] = "__start__"


def parse_faults(text: str) -> tuple[Fault, ...]:
    """Read faults with semicolons between.

    Raises:
        ConfigError: naming what is wrong.
    """
    return tuple(Fault.parse(part) for part in text.split(";") if part.strip())


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "|".join(map(str, value))
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _problem(kind: str, error: Any) -> str:
    where = ".".join(map(str, error["loc"]))
    message = error["msg"].removeprefix("Value error, ")
    return f"fault {kind}: {where} is {error['input']!r}: {message}" if where else f"fault {kind} {message}"


__all__ = ["START", "Fault", "Target", "parse_faults"]
