"""Failures that come with images are told where chance does not explain them."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.analyse.findings.modality_failures import modality_failures
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made

TEXT, IMAGE = ("text",), ("text", "image")


def calls(*given: tuple[Sequence[str], bool], model: str = "small", prefix: str = "call") -> list[Span]:
    """Calls with these modalities of the input, failed or not."""
    spans = []
    for i, (kinds, failed) in enumerate(given):
        span = made.call(f"{prefix}{i}", i + 1, i + 2, "writer1", failed=failed)
        columns = {**span.columns, names.MAS_INPUT_MODALITIES: kinds, names.GEN_AI_REQUEST_MODEL: model}
        spans.append(made.span(f"{prefix}{i}", i + 1, i + 2, "writer1", failed=failed, **columns))
    return spans


def findings(*spans: Span, read: dict[str, list[str]] | None = None, failed: bool = False) -> list[Finding]:
    return list(modality_failures(facts(made.agent("writer1", 0, 100, failed=failed), *spans, read=read)))


def test_calls_with_images_fail_and_others_do_not() -> None:
    (found,) = findings(*calls(*[(IMAGE, True)] * 5, *[(TEXT, False)] * 7))

    assert found.severity is Severity.WARNING
    assert found.summary == ("5 of 5 calls of small failed whose input had image, and 0 of 7 whose input had not")
    assert (found.subject, found.spans[0]) == ("small: image", "call0")
    assert found.confidence <= 0.95


def test_it_is_an_error_where_one_ended_the_run() -> None:
    (found,) = findings(*calls(*[(TEXT, False)] * 7, *[(IMAGE, True)] * 5), failed=True)
    assert found.severity is Severity.ERROR


def test_a_few_failures_may_be_chance() -> None:
    assert findings(*calls(*[(IMAGE, True)] * 2, *[(TEXT, False)] * 3)) == []


def test_failures_of_all_kinds_of_input_do_not_come_from_images() -> None:
    assert findings(*calls(*[(IMAGE, True), (TEXT, True)] * 6, *[(IMAGE, False), (TEXT, False)] * 3)) == []


def test_failures_without_images_do_not_come_from_them() -> None:
    assert findings(*calls(*[(IMAGE, False)] * 5, *[(TEXT, True)] * 7)) == []


def test_attempts_with_the_same_input_count_once() -> None:
    spans = calls(*[(IMAGE, True)] * 5, *[(TEXT, False)] * 7)
    read = {span.span_id: ["picture" if i < 5 else f"text{i}"] for i, span in enumerate(spans)}
    assert findings(*spans, read=read) == []


def test_another_model_is_another_matter() -> None:
    images = calls(*[(IMAGE, True)] * 5, model="vision", prefix="image")
    assert findings(*images, *calls(*[(TEXT, False)] * 7)) == []
