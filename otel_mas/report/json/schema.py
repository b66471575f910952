"""JSON schema of documents, made from their forms: docs/findings.schema.json."""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_type_hints

from pydantic import ConfigDict, Field, RootModel, create_model

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


__all__ = ["findings_schema"]
