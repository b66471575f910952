"""The doctor on libraries by which processes call each other."""

from __future__ import annotations

from otel_mas.doctor.layers import check_layers

POINTS = {"opentelemetry_instrumentor": [("httpx", "opentelemetry-instrumentation-httpx")]}


def test_covered_libraries_and_those_whose_instrumentation_is_missing_are_named() -> None:
    versions = {"httpx": "0.28", "flask": "3.1", "websockets": "17", "mcp": "2.3.0", "langgraph": "1.2"}
    covered, missing = check_layers(versions, POINTS, ())
    assert (covered.code, missing.code) == ("layers-covered", "layers-missing")
    assert "httpx, websockets, mcp" in covered.message
    assert "flask" in missing.message
    assert "httpx" not in missing.message
    assert "pip install opentelemetry-instrumentation-flask," in missing.fix


def test_an_instrumentation_that_is_switched_off_is_missing() -> None:
    (missing,) = check_layers({"httpx": "0.28"}, POINTS, ("httpx",))
    assert missing.code == "layers-missing"


def test_starlette_inside_of_fastapi_needs_none_of_its_own() -> None:
    points = {"opentelemetry_instrumentor": [("fastapi", "opentelemetry-instrumentation-fastapi")]}
    (covered,) = check_layers({"fastapi": "1", "starlette": "1"}, points, ())
    assert covered.code == "layers-covered"


def test_an_mcp_that_does_not_carry_the_context_is_not_said_to() -> None:
    assert list(check_layers({"mcp": "1.9"}, {}, ())) == []


def test_where_no_such_library_is_nothing_is_said() -> None:
    assert list(check_layers({"langgraph": "1.2"}, {}, ())) == []
