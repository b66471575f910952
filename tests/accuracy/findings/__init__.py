"""Findings of runs of real LangGraph apps: each kind, and near misses that must not be found."""
