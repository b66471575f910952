"""What `make demo` runs: the example team recorded in two processes, then explained as one conversation."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_mas.api import Conversation
    from otel_mas.causal import CausalGraph

ROOT = Path(__file__).resolve().parent.parent
SERVICE = "research-team"
QUESTION = "Should Elmstead reopen its tram line?"
HUMAN_SECONDS = 2.0
"""How long the human of the demo thinks before answering."""

# Beside the interpreter, not beside what it is a link to: that is where a virtual environment keeps its commands.
PYTHON = Path(sys.executable)
OTEL_MAS = PYTHON.with_name("otel-mas")

DISTURBING = ("OTEL_", "LANGSMITH_", "LANGCHAIN_", "LANGGRAPH_", "OPENAI_")
PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"})


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep-in", type=Path, default=ROOT / ".demo", help="directory (default: .demo)")
    directory = parser.parse_args(arguments).keep_in.resolve()
    try:
        return demonstrate(directory)
    except subprocess.CalledProcessError as error:
        print(f"The demo stopped: this ended with status {error.returncode}:\n  {shown(error.cmd)}", file=sys.stderr)
        return 1


def demonstrate(directory: Path) -> int:
    store, checkpoints = fresh(directory)
    thread = f"demo-{uuid.uuid4().hex[:8]}"
    team: list[str | Path] = [PYTHON, "-m", "examples.research_team", "--thread", thread, "--db", checkpoints]
    recorded: list[str | Path] = [OTEL_MAS, "run", "--store", store, "--quiet", "--", *team]
    conversation: list[str | Path] = ["--conversation", thread, "--service", SERVICE, "--store", store]

    title("A team of agents works on a question, recorded, and stops to ask a human (about 12 s)")
    run([*recorded, QUESTION])
    title("The human thinks it over; another process goes on with the answer (about 8 s)")
    time.sleep(HUMAN_SECONDS)
    run([*recorded, "--resume", "approve"])
    title("What caused what, over both processes")
    run([OTEL_MAS, "graph", *conversation])
    title("What the time went into")
    run([OTEL_MAS, "critical-path", *conversation])
    title("What a tree of spans does not show")
    for line in findings(store, thread):
        print(f"  {line}")
    title("Look further")
    for hint in hints(store, thread):
        print(f"  {hint}")
    return 0


def fresh(directory: Path) -> tuple[Path, Path]:
    """Paths for a store and for checkpoints, with nothing left there of the demo before."""
    directory.mkdir(parents=True, exist_ok=True)
    store, checkpoints = directory / "runs.db", directory / "checkpoints.sqlite"
    for path in (store, checkpoints):
        for suffix in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    return store, checkpoints


def run(command: Sequence[str | Path]) -> None:
    """Run a command where its output is seen at once. Raises `CalledProcessError` where it fails."""
    print(f"$ {shown(command)}\n", flush=True)
    environment = undisturbed(os.environ)
    subprocess.run(command, check=True, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)


def undisturbed(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what could send the demo's requests or spans elsewhere, and with what marks its own."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(DISTURBING) and name.upper() not in PROXIES
    }
    return {**kept, "OTEL_SERVICE_NAME": SERVICE, "OTEL_MAS_SIMULATED_COST": "true"}


def findings(store: Path, thread: str) -> list[str]:
    """Sentences about the joins and the human, worked out from what was recorded."""
    import otel_mas

    with otel_mas.open(store) as source:
        conversation = source.conversation(thread, SERVICE)
        graph = conversation.graph().causal
        return [*joins(graph), *pauses(graph), *processes(conversation)]


def joins(graph: CausalGraph) -> Iterator[str]:
    """Which branch each join waited for, and how much longer than for the one before it."""
    labels = graph.labels()
    causes = defaultdict(set)
    for edge in graph.control_edges():
        if edge.kind == "trigger":
            causes[edge.effect].add(edge.cause)
    for effect, branches in causes.items():
        if len(branches) > 1:
            ended = sorted((graph.span(branch).end_ns or 0, labels[branch]) for branch in branches)
            (before, second), (last, slowest) = ended[-2:]
            yield (
                f"{labels[effect]} joins {len(branches)} branches. It waited for {slowest},"
                f" which ended {seconds(last - before)} after {second}."
            )


def pauses(graph: CausalGraph) -> Iterator[str]:
    """How long each paused task waited for a human."""
    labels = graph.labels()
    for edge in graph.control_edges():
        if edge.kind == "resume":
            waited = graph.span(edge.effect).start_ns - (graph.span(edge.cause).end_ns or 0)
            yield f"{labels[edge.effect]} waited {seconds(waited)} for a human, between two processes."


def processes(conversation: Conversation) -> Iterator[str]:
    """How many traces were put together, and by how many causes."""
    graph = conversation.graph()
    home = {span.span_id: span.trace_id for span in graph.spans}
    across = [edge for edge in graph.causal.control_edges() if home[edge.cause] != home[edge.effect]]
    yield (
        f"{len(conversation.traces)} traces are one graph: {len(across)} of its {len(graph.causal.control_edges())}"
        " causes between tasks lead from one to the other."
    )


def hints(store: Path, thread: str) -> list[str]:
    """Commands that work when pasted into the terminal that the demo was started from."""
    there: list[str | Path] = ["--store", store]
    whole = ["--conversation", thread, "--service", SERVICE, *there]
    again = [OTEL_MAS, "run", *there, "--simulated-cost", "--", PYTHON, "-m", "examples.research_team"]
    state: list[str | Path] = ["--thread", "mine", "--db", store.with_name("checkpoints.sqlite")]
    commands: list[list[str | Path]] = [
        [OTEL_MAS, "traces", *there],
        [OTEL_MAS, "show", "latest", *there],
        [OTEL_MAS, "cost", *whole],
        [OTEL_MAS, "graph", *whole, "--json"],
        [*again, "What would a tram cost Elmstead?", *state],
    ]
    there_first = [] if Path.cwd() == ROOT else [shown(["cd", str(ROOT)])]
    return [*there_first, *(shown(command) for command in commands)]


def shown(command: Sequence[str | Path]) -> str:
    """A command as it can be pasted in the root of the repository."""
    return " ".join(shlex.quote(near(part) if isinstance(part, Path) else part) for part in command)


def near(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def seconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e9:.1f} s"


def title(text: str) -> None:
    print(f"\n── {text} ──", flush=True)


if __name__ == "__main__":
    sys.exit(main())
