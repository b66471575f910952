"""The program of `make demo`: record the example team in two processes, explain it, replay it, show it on a page."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
import uuid
import webbrowser
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from otel_mas.api import Conversation
    from otel_mas.causal import CausalGraph

ROOT = Path(__file__).resolve().parent.parent
SERVICE = "research-team"
QUESTION = "Should Elmstead reopen its tram line?"
HUMAN_SECONDS = 2.0
"""Time before the simulated human answers."""
CHANGE = 'relevance#1={"relevant": "no", "reason": "Nobody asked the residents."}'
"""The answer of one task, as it was not."""

# Not resolved: in a virtual environment the interpreter is a link, and the commands are in the link's directory.
PYTHON = Path(sys.executable)
OTEL_MAS = PYTHON.with_name("otel-mas")

REMOVED_PREFIXES = ("OTEL_", "LANGSMITH_", "LANGCHAIN_", "LANGGRAPH_", "OPENAI_")
REMOVED_VARIABLES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"})


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep-in", type=Path, default=ROOT / ".demo", help="directory (default: .demo)")
    directory = parser.parse_args(arguments).keep_in.resolve()
    try:
        return run_demo(directory)
    except subprocess.CalledProcessError as error:
        print(
            f"The demo stopped: this command ended with status {error.returncode}:\n  {command_line(error.cmd)}",
            file=sys.stderr,
        )
        return 1


def run_demo(directory: Path) -> int:
    store, checkpoints, replays = remove_old_files(directory)
    thread = f"demo-{uuid.uuid4().hex[:8]}"
    team = team_command(thread, checkpoints)
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
    replayed: list[str | Path] = [OTEL_MAS, "replay", "--conversation", thread, "--from", store, "--store", replays]
    title("The same again in both processes: what they call answers from the recording, and nothing is paid")
    again = team_command(thread, directory / "replayed.sqlite")
    run([*replayed, "--", *again, QUESTION])
    run([*replayed, "--", *again, "--resume", "approve"])
    title("And with one answer changed: what is the same as before is answered, what follows from it runs again")
    changed = team_command(thread, directory / "changed.sqlite")
    run([*replayed, "--change", CHANGE, "--", *changed, QUESTION])
    title("Look further")
    for hint in hints(store, thread):
        print(f"  {hint}")
    if is_interactive(os.environ):
        offer_page(store, thread)
    return 0


def is_interactive(environ: Mapping[str, str]) -> bool:
    """Whether a person is at the terminal, who can answer a question."""
    return sys.stdin.isatty() and sys.stdout.isatty() and not environ.get("CI")


def offer_page(store: Path, thread: str) -> None:
    """Ask whether to show the conversation on the page; if so, serve it until Ctrl-C."""
    title("The same on a page")
    try:
        answer = input("Show it in a browser? [Y/n] ")
    except (EOFError, KeyboardInterrupt):
        print()
        return
    if answer.strip().lower() not in ("", "y", "yes"):
        return
    command: list[str | Path] = [OTEL_MAS, "serve", "--store", store, "--grpc", "off", "--http", "off"]
    print(f"$ {command_line(command)}\n", flush=True)
    process = subprocess.Popen(command, cwd=ROOT, env=isolated(os.environ), stdout=subprocess.PIPE, text=True)
    before = signal.signal(signal.SIGINT, lambda *_: None)  # the terminal sends it to the server, too, which ends
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1:]
        if address:
            open_page(f"http://{address[0]}/conversations/{quote(thread, safe='')}?service={SERVICE}")
        process.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def open_page(url: str) -> None:
    """Print the address, and open it where there is a browser to see."""
    from otel_mas.cli.run_page import has_display

    print(f"  {url}\n\nCtrl-C ends it.", flush=True)
    if has_display(os.environ):
        webbrowser.open(url)


def remove_old_files(directory: Path) -> tuple[Path, Path, Path]:
    """Paths of a store, of checkpoints, and of a store of replays in `directory`, without an earlier demo's files."""
    directory.mkdir(parents=True, exist_ok=True)
    kept = [directory / name for name in ("runs.db", "checkpoints.sqlite", "replays.db")]
    for path in (*kept, directory / "replayed.sqlite", directory / "changed.sqlite"):
        for suffix in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    store, checkpoints, replays = kept
    return store, checkpoints, replays


def team_command(thread: str, checkpoints: Path) -> list[str | Path]:
    """The command that runs the team on a thread."""
    return [PYTHON, "-m", "examples.research_team", "--thread", thread, "--db", checkpoints]


def run(command: Sequence[str | Path]) -> None:
    """Run a command with its output on the terminal. Raises `CalledProcessError` if it fails."""
    print(f"$ {command_line(command)}\n", flush=True)
    environment = isolated(os.environ)
    subprocess.run(command, check=True, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)


def isolated(environ: Mapping[str, str]) -> dict[str, str]:
    """Environment without variables that redirect requests or spans, and with the demo's own settings."""
    remaining = {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(REMOVED_PREFIXES) and name.upper() not in REMOVED_VARIABLES
    }
    return {**remaining, "OTEL_SERVICE_NAME": SERVICE, "OTEL_MAS_SIMULATED_COST": "true"}


def findings(store: Path, thread: str) -> list[str]:
    """Sentences about the recorded joins, pauses and traces."""
    import otel_mas

    with otel_mas.open(store) as source:
        conversation = source.conversation(thread, SERVICE)
        graph = conversation.graph().causal
        return [*joins(graph), *pauses(graph), *causes_across_traces(conversation)]


def joins(graph: CausalGraph) -> Iterator[str]:
    """The last branch of each join, and how much later than the second last it ended."""
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
    """Time that each paused task waited for a human."""
    labels = graph.labels()
    for edge in graph.control_edges():
        if edge.kind == "resume":
            waited = graph.span(edge.effect).start_ns - (graph.span(edge.cause).end_ns or 0)
            yield f"{labels[edge.effect]} waited {seconds(waited)} for a human, between two processes."


def causes_across_traces(conversation: Conversation) -> Iterator[str]:
    """Number of traces, and of the causes that connect them."""
    graph = conversation.graph()
    trace_of = {span.span_id: span.trace_id for span in graph.spans}
    across = [edge for edge in graph.causal.control_edges() if trace_of[edge.cause] != trace_of[edge.effect]]
    yield (
        f"{len(conversation.traces)} traces are one graph: {len(across)} of its {len(graph.causal.control_edges())}"
        " causes between tasks lead from one to the other."
    )


def hints(store: Path, thread: str) -> list[str]:
    """Commands to paste into the terminal that started the demo."""
    store_option: list[str | Path] = ["--store", store]
    whole = ["--conversation", thread, "--service", SERVICE, *store_option]
    record = [OTEL_MAS, "run", *store_option, "--simulated-cost", "--", PYTHON, "-m", "examples.research_team"]
    thread_options: list[str | Path] = ["--thread", "mine", "--db", store.with_name("checkpoints.sqlite")]
    commands: list[list[str | Path]] = [
        [OTEL_MAS, "traces", *store_option],
        [OTEL_MAS, "show", "latest", *store_option],
        [OTEL_MAS, "cost", *whole],
        [OTEL_MAS, "graph", *whole, "--json"],
        [OTEL_MAS, "serve", *store_option],
        [*record, "What would a tram cost Elmstead?", *thread_options],
    ]
    change_directory = [] if Path.cwd() == ROOT else [command_line(["cd", str(ROOT)])]
    return [*change_directory, *(command_line(command) for command in commands)]


def command_line(command: Sequence[str | Path]) -> str:
    """Quoted command to paste in the root of the repository."""
    return " ".join(shlex.quote(relative(part) if isinstance(part, Path) else part) for part in command)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def seconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e9:.1f} s"


def title(text: str) -> None:
    print(f"\n── {text} ──", flush=True)


if __name__ == "__main__":
    sys.exit(main())
