"""Names and docstrings use the words of OpenTelemetry, LangGraph and Python; docs/glossary.md has the few others."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PRODUCT = [*REPOSITORY.glob("otel_mas/**/*.py"), *REPOSITORY.glob("exporters/**/*.py")]

REFUSED = {
    "Draft": "the span itself",
    "Exchange": "MessageProvenance",
    "Fate": "ErrorOutcome",
    "INSIDE": "RECORDED_SPAN_KEY",
    "Late": "an enricher on the writer's thread",
    "LeftTo": "foreign_spans",
    "LightSpan": "LazySpan",
    "Listed": "ObjectSpanTable",
    "Others": "foreign_spans",
    "Outline": "TaskLabels",
    "Participant": "Actor",
    "Readings": "MessageReaders",
    "Stretch": "PathRow",
    "Tally": "SummaryBuilder",
    "Told": "Entry",
    "Trusted": "LazySpan",
    "because": "add_causes",
    "beside": "interop",
    "claimed": "shares_task_span",
    "elsewhere": "exported_by_app",
    "guesses": "inferred_causes",
    "happened": "mark_error_origin",
    "heard": "record_read, or readers",
    "lightened": "materialized",
    "one_of": "interned",
    "plant": "build_forest",
    "refusal": "status_error",
    "retold": "duplicate_calls",
    "said": "attributes, messages, output, or what it is",
    "say": "set_attributes",
    "side_by_side": "lift_to_siblings",
    "stranger": "not_this_server",
    "stretch": "path_row",
    "taken_down": "bounded_copy",
    "told": "messages, or what it is",
    "told_apart": "translated_errors",
    "touched": "materialized",
    "unended": "abandoned_spans",
}
"""Names that were ours alone, and what to call the thing."""

_BEGINNING = re.compile(r"\AOf\b|(?:\A|(?<=[.:;] ))(What|Whatever|Who|Whoever|Whose|Where)\b")


def test_no_name_is_one_of_the_old_words() -> None:
    found = [
        f"{file.relative_to(REPOSITORY)}:{line}: {name} → {REFUSED[name]}"
        for file in PRODUCT
        for name, line in _names(file)
        if name in REFUSED
    ]

    assert found == []


def test_no_sentence_of_a_docstring_begins_with_a_clause_for_its_subject() -> None:
    found = [
        f"{file.relative_to(REPOSITORY)}: {sentence.group()}… in {text[:60]!r}"
        for file in PRODUCT
        for text in _docstrings(file)
        if (sentence := _BEGINNING.search(" ".join(text.split())))
    ]

    assert found == []


def _names(file: Path) -> Iterator[tuple[str, int]]:
    yield from ((part, 0) for part in file.relative_to(REPOSITORY).with_suffix("").parts)
    with tokenize.open(file) as text:
        for token in tokenize.generate_tokens(text.readline):
            if token.type == tokenize.NAME:
                yield token.string.lstrip("_"), token.start[0]


def _docstrings(file: Path) -> Iterator[str]:
    """Docstrings of the module, its classes and functions, and of constants: each string that is a statement."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value
