"""Names are imported from the generated module, never typed again: they all move one day."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from otel_mas.semconv import attributes

PACKAGES = Path(__file__).resolve().parents[3]
SOURCES = [
    path
    for folder in ("otel_mas", "exporters/otel_mas_exporters")
    for path in sorted((PACKAGES / folder).rglob("*.py"))
    if path.parent != PACKAGES / "otel_mas" / "semconv"
]
NAMES = {value for name, value in vars(attributes).items() if name.isupper()}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGES)))
def test_no_module_types_an_attribute_name(path: Path) -> None:
    typed = [
        f"line {node.lineno}: {node.value}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in NAMES
    ]

    assert typed == []
