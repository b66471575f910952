"""Exports and databases of other programs, read as they are: one module for each form, which makes spans of it."""
