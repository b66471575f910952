"""Runs a command with recording on: its streams, signals and exit status are its own; then a summary on stderr."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_mas.cli.output import note
from otel_mas.config import Settings

if TYPE_CHECKING:
    from otel_mas.cli.run_page import RunPage

AUTOSTART = Path(__file__).resolve().parent.parent / "instrumentation" / "autostart"

# As a shell has it.
_NOT_EXECUTABLE = 126
_NOT_FOUND = 127
_SIGNALLED = 128  # only where the signal does not end this process, too

# What others may send to us and mean for the app.
_FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGBREAK")
_FROM_KEYBOARD = ("SIGINT", "SIGQUIT", "SIGBREAK")


def run(
    command: Sequence[str],
    settings: Settings,
    *,
    summary: bool = True,
    started: Callable[[], None] = lambda: None,
    ended: Callable[[str], int] | None = None,
    page: RunPage | None = None,
) -> int:
    """Run a command and record it.

    Args:
        command: what to run, as in a shell; a leading `--` is skipped.
        settings: of this run; the command and its child processes get them by their environment.
        summary: print at the end, on stderr, what was recorded.
        started: called once the command runs.
        ended: called with the run's id at the end, after the summary; returns the exit status in place of 0.
        page: shows the run; stays after its end until a signal comes, unless one has asked us to end already.

    Returns:
        The command's exit status; 127 where there is no such command, 126 where it cannot be executed. Does not return
        where a signal ended the command: this process ends by the same signal.
    """
    command = list(command[1:] if command[:1] == ["--"] else command)
    program = shutil.which(command[0])
    if program is None:
        return _cannot_run(command[0])
    if not settings.enabled:
        faults = ", and no faults are injected" if settings.faults else ""
        note(f"not recorded{faults}: OTEL_SDK_DISABLED or OTEL_MAS_ENABLED switches it off.")
        return _same_end(_execute(command, program, dict(os.environ), started, []))
    run_id = secrets.token_hex(8)
    environment = recorded_environment(os.environ, settings, run_id)
    if page is not None:
        page.show(run_id, os.environ)
    forwarded: list[int] = []
    status = _execute(command, program, environment, started, forwarded)
    if summary:
        killed = -status if status < 0 else None
        _summarise(settings, run_id, [program, *command[1:]], environment, killed, page)
    if ended is not None:
        otherwise = ended(run_id)
        status = status or otherwise
    if page is not None:
        if not forwarded:
            page.stay()
        page.close()
    return _same_end(status)


def _same_end(status: int) -> int:
    """End this process by the signal that ended the command, so that a caller sees how it died; else its status."""
    if status >= 0:
        return status
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the command has dumped core, if anybody wants one
    with suppress(OSError, ValueError):  # SIGKILL has no handler to reset
        signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
    return _SIGNALLED - status


def recorded_environment(environ: Any, settings: Settings, run_id: str) -> dict[str, str]:
    """The environment under which every Python process records itself.

    Args:
        environ: the variables to start from; what is on its PYTHONPATH stays.
        settings: become variables, as far as they are options of the command line.
        run_id: joins what all processes of the run record.
    """
    path = [part for part in environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    return {
        **environ,
        "PYTHONPATH": os.pathsep.join([str(AUTOSTART), *(part for part in path if part != str(AUTOSTART))]),
        "OTEL_MAS_STORE": os.path.abspath(settings.store),
        "OTEL_MAS_CONTENT": settings.content or "redacted",
        "OTEL_MAS_SIMULATED_COST": str(settings.simulated_cost).lower(),
        "OTEL_MAS_RUN_ID": run_id,
        "OTEL_MAS_FAULTS": settings.faults or "",
        "OTEL_MAS_FAULT_SEED": str(settings.fault_seed),
        **replay_environment(environ, settings),
    }


def replay_environment(environ: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """The variables of a replay, placeholders for keys among them; none where nothing is replayed."""
    if settings.replay is None:
        return {}
    from otel_mas.replay.autostart import policy_of
    from otel_mas.replay.keys import place_keys

    keys = dict(environ)
    before = place_keys(keys, nothing_live=policy_of(settings).nothing_live)
    return {
        **{name: keys[name] for name in before},
        "OTEL_MAS_REPLAY": settings.replay,
        "OTEL_MAS_REPLAY_FROM": settings.replay_from or "",
        "OTEL_MAS_REPLAY_LIVE": ",".join(settings.replay_live),
        "OTEL_MAS_REPLAY_ON_MISS": settings.replay_on_miss,
        "OTEL_MAS_REPLAY_CHANGES": json.dumps(settings.replay_changes),
        "OTEL_MAS_REPLAY_FROM_TASK": settings.replay_from_task or "",
        "OTEL_MAS_REPLAY_TO_TASK": settings.replay_to_task or "",
        "OTEL_MAS_REPLAY_REFERENCE": settings.replay_reference or "",
        "OTEL_MAS_REPLAY_STUB": settings.replay_stub or "",
        "OTEL_MAS_REPLAY_TIMING": str(settings.replay_timing).lower(),
        "OTEL_MAS_REPLAY_FREEZE": str(settings.replay_freeze).lower(),
    }


def _cannot_run(command: str) -> int:
    if os.path.isfile(command):
        hint = f" Did you mean: otel-mas run -- python {command}" if command.endswith(".py") else ""
        note(f"{command}: is not executable.{hint}")
        return _NOT_EXECUTABLE
    hint = f" Its path is {sys.executable} here." if os.path.basename(command).startswith("python") else ""
    note(f"{command}: command not found.{hint}")
    return _NOT_FOUND


def _execute(
    command: list[str],
    program: str,
    environment: dict[str, str],
    started: Callable[[], None],
    forwarded: list[int],
) -> int:
    """Run it to its end, with our streams and whatever else we inherited; -n where signal n ended it.

    The signals that are sent to it go to `forwarded`, too.
    """
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def forward(number: int, _frame: object) -> None:
        forwarded.append(number)
        if process is None:
            early.append(number)
        else:
            process.send_signal(number)  # to nobody, once it has ended

    with _handling(forward):
        try:
            process = subprocess.Popen(command, executable=program, env=environment, close_fds=False)
        except OSError as error:
            note(f"{command[0]}: {error.strerror}.")
            return _NOT_EXECUTABLE
        for number in early:
            process.send_signal(number)
        started()
        return process.wait()


@contextmanager
def _handling(forward: Callable[[int, object], None]) -> Iterator[None]:
    """Forward signals to the app, which decides what they do; ignored signals stay ignored."""
    handlers: dict[int, Any] = {}
    for name in _FORWARDED:
        number = getattr(signal, name, None)
        if number is None or signal.getsignal(number) in (signal.SIG_IGN, None):
            continue
        keyboard = name in _FROM_KEYBOARD and _is_foreground()
        handlers[number] = signal.signal(number, _nothing if keyboard else forward)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _nothing(_number: int, _frame: object) -> None:
    """The terminal has sent the signal to the app as well."""


def _is_foreground() -> bool:
    """Whether keys pressed at a terminal reach us and the app alike."""
    if not hasattr(os, "tcgetpgrp"):
        return True
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _summarise(
    settings: Settings,
    run_id: str,
    command: list[str],
    environment: dict[str, str],
    killed: int | None,
    page: RunPage | None,
) -> None:
    """Print the summary; an error in it is one line at most, since the exit status is the app's."""
    try:
        _print_summary(settings, run_id, command, environment, killed, page)
        sys.stderr.flush()
    except (OSError, ValueError):
        # Nobody reads stderr any more. The rest of its buffer would fail again when Python ends, with status 1.
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends


def _print_summary(
    settings: Settings,
    run_id: str,
    command: list[str],
    environment: dict[str, str],
    killed: int | None,
    page: RunPage | None,
) -> None:
    from otel_mas.cli.summary import print_run_summary, reason_for_nothing

    try:
        faults = [one for one in (settings.faults or "").split(";") if one and one != "off"]
        server = None if page is None else page.address
        if not print_run_summary(settings.store, run_id, killed, faults, server):
            note(f"nothing was recorded: {reason_for_nothing(command, environment)}")
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    except Exception as error:
        note(f"no summary: {' '.join(str(error).split()) or type(error).__name__}")


__all__ = ["recorded_environment", "run"]
