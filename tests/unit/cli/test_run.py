"""`otel-mas run`: the app's streams, signals and exit status are its own; recording reaches it by the environment."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otel_mas.cli.run import AUTOSTART, recorded_environment, run
from otel_mas.cli.summary import reason_for_nothing
from otel_mas.config import Settings

pytestmark = pytest.mark.slow

Started = Callable[..., "subprocess.Popen[str]"]
OTEL_MAS = Path(sys.executable).with_name("otel-mas")
READY = "import sys, signal, time; sys.stdout.write('ready\\n'); sys.stdout.flush()\n"


def shell(*command: str, **given: object) -> subprocess.CompletedProcess[str]:
    """`otel-mas run -- command`, in a process of its own."""
    return subprocess.run(otel_mas_run(*command), capture_output=True, text=True, timeout=300, **given)  # type: ignore


def otel_mas_run(*command: str) -> list[str]:
    code = "import sys; from otel_mas.cli.run import run; from otel_mas.config import Settings; "
    code += "sys.exit(run(sys.argv[1:], Settings.from_env(), summary=False))"
    return [sys.executable, "-c", code, *command]


@pytest.fixture
def start() -> Iterator[Started]:
    started: list[subprocess.Popen[str]] = []

    def begin(code: str, **given: object) -> subprocess.Popen[str]:
        command = otel_mas_run(sys.executable, "-c", READY + code)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **given)  # type: ignore
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 1, 3, 255])
def test_the_exit_status_is_the_apps(status: int) -> None:
    assert shell(sys.executable, "-c", f"raise SystemExit({status})").returncode == status


def test_streams_are_the_apps(tmp_path: Path) -> None:
    code = "import sys; print(sys.stdin.read().upper()); print('output', file=sys.stderr)"
    result = shell("--", sys.executable, "-c", code, input="typed")
    assert (result.stdout, result.stderr, result.returncode) == ("TYPED\n", "output\n", 0)


@pytest.mark.parametrize("name", ["KILL", "SEGV", "TERM", "INT", "ABRT", "PIPE"])
def test_a_run_ends_by_the_signal_that_ended_its_app(name: str) -> None:
    default = "" if name == "KILL" else f"signal.signal(signal.SIG{name}, signal.SIG_DFL); "
    code = f"import os, signal; {default}os.kill(os.getpid(), signal.SIG{name})"
    assert shell(sys.executable, "-c", code).returncode == -getattr(signal, f"SIG{name}")


def test_a_command_that_is_not_there_is_one_line_and_127() -> None:
    result = shell("no-such-command-here")
    assert (result.returncode, result.stdout) == (127, "")
    assert result.stderr == "otel-mas: no-such-command-here: command not found.\n"


def test_a_script_that_is_not_executable_is_one_line_with_the_way_to_run_it_and_126(tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.write_text("print(1)")
    result = shell(str(script))
    assert result.returncode == 126
    assert result.stderr == f"otel-mas: {script}: is not executable. Did you mean: otel-mas run -- python {script}\n"


def test_something_executable_that_is_no_program_is_one_line_and_126(tmp_path: Path) -> None:
    script = tmp_path / "app"
    script.write_text("no first line that names an interpreter")
    script.chmod(0o755)
    result = shell(str(script))
    assert result.returncode == 126
    assert result.stderr == f"otel-mas: {script}: Exec format error.\n"


def test_files_that_we_inherit_are_inherited_by_the_app() -> None:
    read, write = os.pipe()
    try:
        shell(sys.executable, "-c", f"import os; os.write({write}, b'through')", pass_fds=[write])
        assert os.read(read, 100) == b"through"
    finally:
        os.close(read)
        os.close(write)


# -- signals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"])
def test_signals_sent_to_us_reach_the_app_which_decides(name: str, start: Started) -> None:
    handle = f"signal.signal(signal.{name}, lambda *_: sys.exit(7))\nprint('set', flush=True)\ntime.sleep(30)"
    ours = signal.signal(getattr(signal, name), signal.SIG_DFL)  # else it is ignored where the tests run under nohup
    try:
        process = start(handle, start_new_session=True)
    finally:
        signal.signal(getattr(signal, name), ours)
    assert process.stdout is not None
    assert process.stdout.readline() == "set\n"
    process.send_signal(getattr(signal, name))
    assert process.wait(20) == 7


def test_a_signal_that_ends_the_app_ends_us(start: Started) -> None:
    process = start("time.sleep(30)", start_new_session=True)
    process.terminate()
    assert process.wait(20) == -signal.SIGTERM


def test_a_signal_that_we_were_started_to_ignore_is_ignored_by_the_app() -> None:
    """As under nohup, or in the background of a script."""
    code = "import signal; print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    result = subprocess.run(
        ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *otel_mas_run(sys.executable, "-c", code)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.stdout == "True\n"


def test_control_c_at_a_terminal_reaches_the_app_once_and_we_wait_for_it() -> None:
    code = """
import signal, sys, time
count = 0
def interrupted(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, interrupted)
print("ready", flush=True)
end = time.monotonic() + 1.5
while time.monotonic() < end:
    time.sleep(0.05)
print("interrupted", count, flush=True)
sys.exit(9)
"""
    pid, terminal = pty.fork()
    if pid == 0:
        command = otel_mas_run(sys.executable, "-c", code)
        os.execv(command[0], command)
    seen = b""
    while b"ready" not in seen:
        seen += os.read(terminal, 1000)
    os.write(terminal, b"\x03")
    while b"interrupted" not in seen or not seen.endswith(b"\n"):
        seen += os.read(terminal, 1000)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert b"interrupted 1" in seen
    assert os.waitstatus_to_exitcode(status) == 9


# -- the environment ---------------------------------------------------------------------------------------------------


def test_settings_reach_every_child_by_its_environment(tmp_path: Path) -> None:
    settings = Settings.from_env({}, store="runs.db", content="full", simulated_cost=True)
    environment = recorded_environment({"PYTHONPATH": "/a::/b", "KEPT": "1"}, settings, "run")
    child = Settings.from_env(environment)
    assert child.store == str(Path("runs.db").absolute())
    assert (child.content, child.simulated_cost, child.run_id) == ("full", True, "run")
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(AUTOSTART), "/a", "/b"]
    assert environment["KEPT"] == "1"


def test_content_is_redacted_by_default() -> None:
    assert recorded_environment({}, Settings.from_env({}), "run")["OTEL_MAS_CONTENT"] == "redacted"


def test_a_run_within_a_run_is_its_own_and_adds_nothing_twice() -> None:
    outer = recorded_environment({}, Settings.from_env({}), "outer")
    inner = recorded_environment(outer, Settings.from_env(outer), "inner")
    assert inner["PYTHONPATH"] == str(AUTOSTART)
    assert inner["OTEL_MAS_RUN_ID"] == "inner"


def test_a_relative_store_is_that_of_the_folder_where_the_command_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "import os; os.chdir('/'); from otel_mas.config import Settings; print(Settings.from_env().store)"
    assert run([sys.executable, "-c", code], Settings.from_env(store="here.db"), summary=False) == 0
    assert capfd.readouterr().out == f"{tmp_path / 'here.db'}\n"


@pytest.mark.parametrize("switch", [{"OTEL_MAS_ENABLED": "false"}, {"OTEL_SDK_DISABLED": "true"}])
def test_switched_off_the_command_runs_as_if_typed_alone(
    switch: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in switch.items():
        monkeypatch.setenv(name, value)
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    before = dict(os.environ)
    assert run([sys.executable, "-c", code], Settings.from_env()) == 0
    output = capfd.readouterr()
    assert {
        k: v for k, v in json.loads(output.out).items() if k not in ("LC_CTYPE", "__CF_USER_TEXT_ENCODING")
    } == before
    assert output.err == "otel-mas: not recorded: OTEL_SDK_DISABLED or OTEL_MAS_ENABLED switches it off.\n"


# -- nothing recorded --------------------------------------------------------------------------------------------------


def reason(*command: str) -> str:
    return reason_for_nothing(command, os.environ)


def test_reason_for_nothing_was_recorded(tmp_path: Path) -> None:
    script = tmp_path / "tool"
    script.write_text(f"#!{sys.executable} -E\n")
    script.chmod(0o755)
    assert "python -I isolates" in reason(sys.executable, "-I", "app.py")
    assert "python -E ignores" in reason(sys.executable, "-uE", "app.py")
    assert "python -S starts without site" in reason(sys.executable, "-S", "-m", "x")
    assert "python -E ignores" in reason(str(script))
    assert "without running a graph" in reason(sys.executable, "app.py", "-I")
    assert "without running a graph" in reason(sys.executable, "-W", "Ignore", "-c", "-E")
    assert "is not a Python program" in reason("/bin/ls", "-l")


def test_a_python_without_otel_mas_is_named(tmp_path: Path) -> None:
    script = tmp_path / "python3"
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o755)
    assert reason(str(script)).startswith(f"{script} ends with status 1")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True, capture_output=True)
    bare = tmp_path / "bare" / "bin" / "python"
    assert reason(str(bare)) == f"otel-mas is not installed for {bare}: install it there, next to the app"


def test_a_store_that_is_none_does_not_change_the_exit_status(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "notes.txt"
    store.write_text("not a database, " * 500)
    assert run([sys.executable, "-c", "raise SystemExit(4)"], Settings.from_env(store=store)) == 4
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("otel-mas: no summary: ")
    assert str(store) in line
    assert store.read_text().startswith("not a database")


def test_nothing_recorded_comes_with_a_reason(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "runs.db"
    assert run([sys.executable, "-c", "print('ran')"], Settings.from_env(store=store)) == 0
    output = capfd.readouterr()
    assert output.out == "ran\n"
    assert output.err.startswith("otel-mas: nothing was recorded: the app ended without running a graph")
    assert not store.exists()


@pytest.mark.parametrize("status", [0, 3])
def test_a_reader_of_stderr_that_goes_away_leaves_the_status_the_apps(status: int, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    app = [sys.executable, "-c", f"import os; os._exit({status})"]
    try:
        command = [OTEL_MAS, "run", "--store", tmp_path / "runs.db", "--", *app]
        assert subprocess.run(command, stderr=write, stdout=subprocess.DEVNULL).returncode == status
    finally:
        os.close(write)
