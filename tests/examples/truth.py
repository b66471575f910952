"""The control edges of the example team, written by hand from reading `examples/research_team`.

Over both invocations: the question, then `--resume approve`. An edge is (kind, cause, effect) between tasks; a task
is `name#k`, the how-manieth of its name where it runs, after the task that encloses it: `writer#1/edit#1`. What
starts in a subgraph is triggered by the task that encloses it; what starts in the team itself by no task.
"""

from __future__ import annotations

# team.py: START → supervisor, which is asked three times, and whose conditional edge leads to the one it chose. What
# the researcher found is graded; it bears on the question, so the conditional edge of the grade leads on.
SUPERVISION = {
    ("trigger", "supervisor#1", "researcher#1"),
    ("trigger", "researcher#1", "relevance#1"),
    ("trigger", "relevance#1", "supervisor#2"),
    ("trigger", "supervisor#2", "writer#1"),
    ("trigger", "writer#1", "supervisor#3"),
    ("trigger", "supervisor#3", "approval#1"),
}

# researcher.py: first the check of its middleware, which finds nothing to object to; then create_agent's loop. The
# model calls both tools in one turn, each is sent to a task of its own, and the model's second turn waits for both.
RESEARCHER = {
    ("trigger", "researcher#1", "researcher#1/privacy.before_agent#1"),
    ("trigger", "researcher#1/privacy.before_agent#1", "researcher#1/model#1"),
    ("send", "researcher#1/model#1", "researcher#1/tools#1"),
    ("send", "researcher#1/model#1", "researcher#1/tools#2"),
    ("trigger", "researcher#1/tools#1", "researcher#1/model#2"),
    ("trigger", "researcher#1/tools#2", "researcher#1/model#2"),
}

# writer.py: the outline has four headings, a Send for each, and edit joins them.
WRITER = {
    ("trigger", "writer#1", "writer#1/outline#1"),
    ("send", "writer#1/outline#1", "writer#1/write_section#1"),
    ("send", "writer#1/outline#1", "writer#1/write_section#2"),
    ("send", "writer#1/outline#1", "writer#1/write_section#3"),
    ("send", "writer#1/outline#1", "writer#1/write_section#4"),
    ("trigger", "writer#1/write_section#1", "writer#1/edit#1"),
    ("trigger", "writer#1/write_section#2", "writer#1/edit#1"),
    ("trigger", "writer#1/write_section#3", "writer#1/edit#1"),
    ("trigger", "writer#1/write_section#4", "writer#1/edit#1"),
}

# team.py: approval stops in its interrupt; the second invocation resumes the same task, which then goes to publish by
# Command(goto=...).
APPROVAL = {
    ("resume", "approval#1", "approval#1"),
    ("trigger", "approval#1", "publish#1"),
}

CONTROL_EDGES: frozenset[tuple[str, str, str]] = frozenset(SUPERVISION | RESEARCHER | WRITER | APPROVAL)

# Provenance of messages, as (writer, reader): `task:chat` is the model in a task, `task:tool` a tool in it. The
# researcher's model reads what its two tools found. Its answer, its calls too, and what they found is read by the
# supervisor, and given to the writer; the report, which `edit` writes, is read by the supervisor. All other prompts are
# made of the state's texts: nobody wrote those messages.
FOUND = {
    "researcher#1/model#1:chat",
    "researcher#1/tools#1:search_archive",
    "researcher#1/tools#2:look_up_figures",
    "researcher#1/model#2:chat",
}
MESSAGES: frozenset[tuple[str, str]] = frozenset(
    {(writer, reader) for writer in FOUND for reader in ("supervisor#2:chat", "writer#1")}
    | {(writer, "researcher#1/model#2:chat") for writer in FOUND if "tools" in writer}
    | {("writer#1/edit#1", "supervisor#3:chat")}
)
