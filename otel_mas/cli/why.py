"""The commands that say why something is as it is: why-not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_mas.cli.explain import Answer, explains, under_heading

if TYPE_CHECKING:
    from otel_mas.api import Conversation, Trace


@explains("why-not", "agent")
def why_not(found: Trace | Conversation, agent: str) -> Answer:
    """Show why AGENT did not act, or where it did.

    AGENT is the name of an agent or of a node. The answer is one sentence, with the spans that show it, and says
    whether it was recorded or is inferred from what the graph declares and what is absent.
    """
    from otel_mas.report import terminal
    from otel_mas.report.json.why_not import why_not as document

    answer, causal = found.why_not(agent), found.graph().causal
    return Answer(
        lambda: document(answer, causal, found.problems),
        under_heading(found, lambda width: terminal.why_not(answer, causal, width)),
    )
