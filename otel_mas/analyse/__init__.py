"""Answers computed from a causal graph or its spans: cost, questions, duplicate calls. One file each; no I/O."""
