"""Precision and recall of worked-out causes, and how often those of each probability are right."""
