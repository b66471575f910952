"""Columns of a report as a data frame: a row for each result, and one for each case that was held against no run."""

from __future__ import annotations

from otel_mas.model.frame import Column

_OUTCOME = "passed, failed or insufficient_evidence"
RESULTS = (
    Column("case", "string", "name of the case"),
    Column("case_outcome", "string", f"{_OUTCOME}, of the case over all its runs"),
    Column("trace_id", "string", "32 hex digits; of a run over several traces the first; missing without a run"),
    Column("span_id", "string", "span that stands for the run"),
    Column("run_outcome", "string", f"{_OUTCOME}, of all evaluators on this run"),
    Column("evaluator", "string", "name of the evaluator; a second one of a kind in a case ends with #2"),
    Column("outcome", "string", _OUTCOME),
    Column("score", "number", "score; of an assertion 1 or 0; missing of labels and without evidence"),
    Column("label", "string", "label, where the evaluator gives one"),
    Column("reason", "string", "why; without evidence what the trace would have to have"),
    Column("error_type", "string", "class of the exception that the evaluator raised; missing of others"),
    Column("warnings", "string", "doubts about the expectation, such as a tool that the run does not know"),
    Column("tokens", "integer", "tokens of all model calls of the run"),
    Column("cost_usd", "number", "USD of the run; missing where no model call has a price"),
    Column("wall_s", "number", "seconds of wall time of the run"),
    Column("critical_path_s", "number", "seconds of work on the critical path of the run"),
    Column("judge_tokens", "integer", "tokens of the judge that gave this result; missing of other evaluators"),
    Column("judge_usd", "number", "USD of that judge, as far as prices are known"),
)

__all__ = ["RESULTS"]
