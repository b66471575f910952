"""JSON schema of documents, made from their forms: docs/findings.schema.json, and the API's OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model

from otel_mas.model import Severity
from otel_mas.report.json.findings import FindingForm

_NARROWER: dict[str, Any] = {"severity": Severity, "confidence": Annotated[float, Field(ge=0, le=1)]}
_AT_LEAST_ONE = "spans"


def findings_schema() -> dict[str, Any]:
    """The schema of what `otel-mas findings --json` prints: a list of findings, the worst first."""
    fields: dict[str, Any] = {}
    for name, hint in get_type_hints(FindingForm, include_extras=True).items():
        kind, meaning = get_args(hint)
        least = 1 if name == _AT_LEAST_ONE else None
        fields[name] = (_NARROWER.get(name, kind), Field(description=meaning, min_length=least))
    form = create_model("Finding", __config__=ConfigDict(extra="forbid", use_enum_values=True), **fields)
    form.__doc__ = "One thing that is wrong with a run."
    schema = RootModel[list[form]].model_json_schema()  # type: ignore[valid-type]
    return {**schema, "title": "Findings", "description": "What `otel-mas findings --json` prints, the worst first."}


@cache
def model_of(form: Any) -> type[BaseModel]:
    """The model of a form (a TypedDict), with the meaning of each field as its description, and no other fields."""
    fields: dict[str, Any] = {}
    for name, hint in get_type_hints(form, include_extras=True).items():
        default = ... if get_origin(hint) is not NotRequired else None
        hint = get_args(hint)[0] if default is None else hint
        kind, meaning = get_args(hint)[:2] if get_origin(hint) is Annotated else (hint, None)
        fields[name] = (modelled(kind), Field(default, description=meaning))
    return create_model(form.__name__, __config__=ConfigDict(extra="forbid"), **fields)


def modelled(kind: Any) -> Any:
    """A type with the models of forms in place of the forms."""
    if is_typeddict(kind):
        return model_of(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return reduce(or_, map(modelled, inner))
    rebuilt: Callable[..., Any] | None = getattr(origin, "__class_getitem__", None)
    return kind if rebuilt is None or not inner else rebuilt(tuple(map(modelled, inner)))


__all__ = ["findings_schema", "model_of", "modelled"]
