"""Parents that spans name and that are not there: what tells that a backend kept only a part of a trace."""

from __future__ import annotations

from collections.abc import Set


def missing_parents(span_ids: Set[str], parent_ids: Set[str], rooted: bool) -> str | None:
    """Why a trace is incomplete, in words; None where each parent is there.

    Args:
        rooted: whether a span without a parent is there.
    """
    absent = len(parent_ids - span_ids)
    if not absent:
        return None
    number = "1 parent" if absent == 1 else f"{absent} parents"
    root = "" if rooted else " (the root among them)" if absent > 1 else " (the root)"
    return f"incomplete: {number} missing{root}: spans were dropped on the way, or have not arrived yet"
