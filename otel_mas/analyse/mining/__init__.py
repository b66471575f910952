"""Patterns of many runs: the topology that they took, the variants of a workflow, rare paths and hot spots. Pure."""
