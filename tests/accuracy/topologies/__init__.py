"""Small LangGraph apps of one topology each, with scripted models and true causes: what answers are measured on.

    app = build("pipeline", seed=3)
    fault = next(app.faults())
    with inject(fault, seed=3):
        wrong = app.run() != app.expected      # or it raises
    app.true_cause(fault)                      # the agent or node that the fault hit

The same seed gives the same figures, texts and calls. Models and tools answer from what they are asked, so a value that
is wrong on its way is wrong in the answer. `clean=True` adds what must not be taken for a fault: tools that fail once
and are tried again, and `desk`. An app is built for one run: tools that fail once, fail once.
"""

from __future__ import annotations

from importlib import import_module

from tests.accuracy.features import HAS_CREATE_AGENT
from tests.accuracy.topologies.app import App

TOPOLOGIES = (
    *(("team",) if HAS_CREATE_AGENT else ()),
    "pipeline",
    "supervisor",
    "hierarchy",
    "debate",
    "map_reduce",
    "swarm",
    "blackboard",
    "functional",
)
"""The team needs LangChain 1."""


def build(topology: str, seed: int = 0, *, clean: bool = False) -> App:
    """An app of a topology, to be run once."""
    made: App = import_module(f"{__name__}.{topology}").build(seed, clean=clean)
    return made


__all__ = ["TOPOLOGIES", "App", "build"]
