"""Teams of agents: langgraph-supervisor and langgraph-swarm, which hand over by commands to the graph around them."""

from __future__ import annotations

import warnings
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph_supervisor import create_supervisor

from tests.accuracy.cases.agents import ASKED, weather
from tests.accuracy.cases.case import Run, case
from tests.accuracy.features import create_agent, react_agent
from tests.accuracy.scripted import calls, says


def supervised(supervisor: Any, *agents: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return create_supervisor(list(agents), model=supervisor, **options).compile()


@case(
    """
    START --trigger--> supervisor
    supervisor --trigger--> supervisor/agent
    supervisor/agent decides by should_continue: tools from __end__, tools
    supervisor/agent --send--> supervisor/tools
    supervisor/tools: handoff
    supervisor: handoff
    supervisor decides by Command: research from __end__, research
    supervisor --handoff--> research
    research/START: ok
    research/START --trigger--> research/agent
    research/agent decides by should_continue: tools from __end__, tools
    research/agent --send--> research/tools
    research/tools --trigger--> research/agent#2
    research/agent#2 decides by should_continue: __end__ from __end__, tools
    research --trigger--> supervisor#2
    supervisor#2 --trigger--> supervisor#2/agent
    supervisor#2/agent decides by should_continue: __end__ from __end__, tools
    """,
    ASKED,
)
def supervisor_and_an_agent() -> Any:
    """The agent is invoked by a node of its name: its run is inside of the task."""
    research = react_agent(says(calls("weather", city="Oslo"), "It rains."), [weather], name="research")
    return supervised(says(calls("transfer_to_research"), "It rains, I hear."), research)


@case(
    """
    START decides by route_to_active_agent: alice from alice, bob
    START --trigger--> alice
    alice --trigger--> alice/model
    alice/model decides by model_to_tools: tools from __end__, tools
    alice/model --send--> alice/tools
    alice/tools: handoff
    alice: handoff
    alice decides by Command: bob from bob
    alice --handoff--> bob
    bob --trigger--> bob/model
    bob/model decides by model_to_tools: __end__ from __end__, tools
    START@2 decides by route_to_active_agent: bob from alice, bob
    START@2 --trigger--> bob#2
    bob#2 --trigger--> bob#2/model
    bob#2/model decides by model_to_tools: __end__ from __end__, tools
    """,
    ASKED,
    Run({"messages": [("user", "And tomorrow?")]}),
    since=(1, 0),  # of LangChain's create_agent
    package="langgraph_swarm",
)
def swarm() -> Any:
    """The agent that was active last is active first in the next invocation."""
    return swarm_of(create_agent)


@case(
    """
    START decides by route_to_active_agent: alice from alice, bob
    START --trigger--> alice
    alice --trigger--> alice/agent
    alice/agent decides by should_continue: tools from __end__, tools
    alice/agent --send--> alice/tools
    alice/tools: handoff
    alice: handoff
    alice decides by Command: bob from bob
    alice --handoff--> bob
    bob --trigger--> bob/agent
    bob/agent decides by should_continue: __end__ from __end__, tools
    START@2 decides by route_to_active_agent: bob from alice, bob
    START@2 --trigger--> bob#2
    bob#2 --trigger--> bob#2/agent
    bob#2/agent decides by should_continue: __end__ from __end__, tools
    """,
    ASKED,
    Run({"messages": [("user", "And tomorrow?")]}),
    package="langgraph_swarm",
)
def swarm_of_react_agents() -> Any:
    return swarm_of(react_agent)


def swarm_of(agent: Any) -> Any:
    from langgraph_swarm import create_handoff_tool, create_swarm

    alice = agent(says(calls("transfer_to_bob")), [create_handoff_tool(agent_name="bob")], name="alice")
    bob = agent(says("It rains.", "It will rain."), [weather, create_handoff_tool(agent_name="alice")], name="bob")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return create_swarm([alice, bob], default_active_agent="alice").compile(checkpointer=InMemorySaver())
