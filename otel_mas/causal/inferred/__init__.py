"""Causes of spans that others recorded: worked out from what their spans say, each with how sure that is."""

from otel_mas.causal.inferred.search import infer_causes

__all__ = ["infer_causes"]
