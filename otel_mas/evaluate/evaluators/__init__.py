"""Evaluators that come with otel-mas: of output, budgets, trajectory, findings and topology."""
