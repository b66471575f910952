"""Exports with something in them that is not as the program writes it: the rest is read, or the file is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_mas.errors import SourceError
from otel_mas.model import Query
from otel_mas.sources.exports.datadog import DatadogFile
from otel_mas.sources.exports.jaeger_ui import JaegerUiFile
from otel_mas.sources.exports.langfuse import LangfuseFile
from otel_mas.sources.exports.langsmith import LangSmithFile
from otel_mas.sources.exports.source import ExportSource
from otel_mas.sources.exports.zipkin import ZipkinFile
from tests.unit.sources.exports.test_files import CHILD, CLIENT_AND_SERVER, ROOT, jaeger, zipkin

DATA = Path(__file__).with_name("data")
WHOLE: dict[type[ExportSource], Any] = {
    DatadogFile: json.loads((DATA / "datadog.json").read_text()),
    LangfuseFile: json.loads((DATA / "langfuse.json").read_text()),
    LangSmithFile: [json.loads(line) for line in (DATA / "langsmith.jsonl").read_text().splitlines()],
    JaegerUiFile: jaeger(
        {"spanID": ROOT}, {"spanID": CHILD, "references": [{"traceID": "x"}], "logs": [{"fields": []}]}
    ),
    ZipkinFile: zipkin(*CLIENT_AND_SERVER, {"id": CHILD, "parentId": ROOT, "annotations": [{"value": "x"}]}),
}
OTHERS = st.sampled_from(
    [None, True, -1, 2**70, 1e300, "", "x", "\ud800", [], {}, [{}], {"": None}, [["a"]], {"a": [1]}]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to each value inside of it."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*path, key)
        yield from places(inner, (*path, key))


@pytest.mark.parametrize("form", WHOLE, ids=lambda form: form.__name__)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20)
@given(data=st.data())
def test_a_value_that_is_another_costs_one_span_or_the_file(
    form: type[ExportSource], data: st.DataObject, tmp_path: Path
) -> None:
    document = deepcopy(WHOLE[form])
    place = data.draw(st.sampled_from(list(places(document))))
    at = document
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = data.draw(OTHERS)
    (tmp_path / "one.json").write_text(json.dumps(document))

    with suppress(SourceError):
        source = form.open(str(tmp_path / "one.json"))
        for summary in source.traces(Query()):
            for span in source.trace(summary.trace_id).spans:
                assert span.body.attributes is not None
