"""Answers about runs with injected faults: how often the true cause is found, and each finding is right."""
