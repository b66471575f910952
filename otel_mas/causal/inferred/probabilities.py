"""Probabilities of inferred causes, from 0 to 1: how often an edge that is said on these grounds is one.

Chosen from what was right in runs that both others and we recorded, and rounded: see docs/dialects-causes.md.
"""

from typing import Final

PACKET: Final = 0.97
"""Its place among the `Send` packets that were returned."""
NAMED: Final = 0.95
"""The result of the task, or of a function of its conditional edges, names the node."""
DECLARED: Final = 0.9
"""The graph declares an edge, and the task names no other node."""
DECLARED_BUT_ROUTED: Final = 0.05
"""The graph declares an edge, and the task names another node."""
ALONE: Final = 0.95
"""The only task of the step before, in a trace that lacks spans."""
ODD: Final = 0.6
"""The only task of the step before, which names other nodes, or has no edge to this one: another may not be here."""
ONLY_ONE: Final = 0.9
"""The only one of several tasks of the step before that nothing leads to other nodes, or each of several before a
single node. Of n tasks before m nodes each pair has the greater of 1/n and 1/m of this."""
BESIDE: Final = 0.3
"""The same, where another task is known as a cause."""
ELSEWHERE: Final = 0.15
"""One of several tasks of the step before, which names another node, or which a join waits for."""
LATER_RUN: Final = 0.7
"""A run that goes on in a thread of which no earlier run is here, and the first tasks in it."""
LATER_INPUT: Final = 0.9
"""The same, of a run that was given an input."""
SAME_ARGUMENTS: Final = 0.95
"""A tool call without an id has the name and the arguments of one that a model had asked for."""
SAME_TOOL: Final = 0.7
"""It has the name only."""
SAME_TEXT: Final = 0.9
"""One other actor had written the text that was read; of n that had, each has 1/n of this."""
SHORT_TEXT: Final = 0.6
"""The same, of a text so short that it may have been said twice by chance."""
ORDER: Final = 0.3
"""The call beside it that ended last before it began."""
LIKELY: Final = 0.5
"""From it on a cause is an edge of the graph; below it is a possible cause, which nothing is concluded from."""
LEAST: Final = 0.1
"""Below it a cause is not said at all."""
