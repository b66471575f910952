"""The process's recording as an app sees it, from nothing to the exit and past forks; each test in its own process."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from otel_mas.model import Query
from otel_mas.store import StoreReader

pytestmark = pytest.mark.slow

PRELUDE = """
import os, sys, threading, time
from otel_mas.config import Settings
from otel_mas.record import Cause, lifecycle, recorder
rec = recorder()
def start(**settings):
    lifecycle.start(Settings(**{"store": "runs.db", "content": "redacted", "strict": True, **settings}))
def span(name, **attributes):
    rec.start_span(name, attributes).end()
"""


def run(folder: Path, code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", PRELUDE + textwrap.dedent(code)],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(Path(__file__).parents[3]), **environ},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def succeeded(result: subprocess.CompletedProcess[str]) -> str:
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def stored(folder: Path) -> list[tuple[str, int]]:
    """The names of the spans in the store, each with its instance."""
    with sqlite3.connect(folder / "runs.db") as connection:
        return connection.execute("SELECT name, instance FROM spans ORDER BY id").fetchall()


def test_before_the_first_span_there_is_no_thread_no_file_and_no_sdk(tmp_path: Path) -> None:
    out = run(
        tmp_path,
        """
        start()
        assert rec.active
        loaded = [name for name in ("opentelemetry.sdk.trace", "sqlite3") if name in sys.modules]
        print(threading.active_count(), os.listdir("."), loaded)
        lifecycle.flush(30)
        print(threading.active_count(), os.listdir("."))
        span("first")
        assert lifecycle.flush(30)
        print(threading.active_count(), "runs.db" in os.listdir("."))
        """,
    )
    assert succeeded(out).splitlines() == ["1 [] []", "1 []", "2 True"]


def test_the_last_spans_are_stored_at_exit(tmp_path: Path) -> None:
    succeeded(run(tmp_path, "start(flush_interval_ms=60_000)\nfor n in range(100): span(str(n))"))
    assert [name for name, _ in stored(tmp_path)] == [str(n) for n in range(100)]


FIRST_USES = {
    "atexit": "atexit.register(late)",
    "thread": """
        def work():
            threading.main_thread().join()
            late()
            assert lifecycle.flush(10)
        threading.Thread(target=work).start()
        """,
    "executor": """
        import concurrent.futures.thread
        def work():
            while not concurrent.futures.thread._shutdown: time.sleep(0.01)
            late()
        concurrent.futures.ThreadPoolExecutor().submit(work)
        """,
}


@pytest.mark.parametrize("first_use", FIRST_USES)
@pytest.mark.parametrize("provider", ["own", "the app's"])
def test_spans_first_recorded_while_the_interpreter_ends_are_stored(
    tmp_path: Path, first_use: str, provider: str
) -> None:
    """Executors take no work by then, and from Python 3.12 on no thread starts any more."""
    code = """
    import atexit
    from opentelemetry import trace
    start()
    def late(): span("a"), span("b")
    """
    if provider != "own":
        code += """
    from opentelemetry.sdk.trace import TracerProvider
    trace.set_tracer_provider(TracerProvider())
    """
    succeeded(run(tmp_path, textwrap.dedent(code) + textwrap.dedent(FIRST_USES[first_use])))
    assert [name for name, _ in stored(tmp_path)] == ["a", "b"]


def test_an_error_while_the_interpreter_ends_is_one_line(tmp_path: Path) -> None:
    code = """
    import atexit
    from otel_mas.record.guard import guarded
    @guarded("late")
    def late(): threading.Thread(target=1 / 0)
    atexit.register(late)
    """
    [line] = run(tmp_path, code).stderr.splitlines()
    assert line.endswith("Logged once. The interpreter is ending: division by zero")


def test_a_span_of_a_finalizer_at_the_very_end_is_given_up_on_in_silence(tmp_path: Path) -> None:
    code = """
    start()
    class Last:
        def __del__(self): self.span("too late")
    last = Last()
    Last.span = staticmethod(span)
    """
    succeeded(run(tmp_path, code))


def test_a_span_open_at_the_exit_is_an_open_span(tmp_path: Path) -> None:
    succeeded(run(tmp_path, "start()\nkept = rec.start_span('open', {})"))
    with sqlite3.connect(tmp_path / "runs.db") as connection:
        assert connection.execute("SELECT name FROM open_spans").fetchall() == [("open",)]


def test_switched_off_nothing_happens(tmp_path: Path) -> None:
    out = run(tmp_path, "start(enabled=False)\nspan('s')\nprint(rec.active, threading.active_count(), os.listdir('.'))")
    assert succeeded(out) == "False 1 []\n"


def test_after_a_shutdown_nothing_is_recorded_until_it_is_started_again(tmp_path: Path) -> None:
    succeeded(
        run(
            tmp_path,
            """
            start()
            span("one")
            assert lifecycle.shutdown(30)
            span("lost")
            start()
            span("two")
            """,
        )
    )
    assert [name for name, _ in stored(tmp_path)] == ["one", "two"]


def test_the_same_settings_again_go_on_and_others_begin_anew(tmp_path: Path) -> None:
    succeeded(
        run(
            tmp_path,
            """
            start(); span("one")
            start(); span("two")
            start(store="other.db"); span("three")
            """,
        )
    )
    assert [name for name, _ in stored(tmp_path)] == ["one", "two"]
    assert (tmp_path / "other.db").exists()


FORKED = """
        start()
        span("parent before")
        inherited = rec.start_span("inherited", {})
        lifecycle.flush(30)
        rec.start_span("queued", {}).end()
        pid = os.fork()
        if pid == 0:
            inherited.end()
            span("child")
            sys.exit(0)
        os.waitpid(pid, 0)
        inherited.end()
        span("parent after")
        """


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_records_its_own_spans_and_only_those(tmp_path: Path) -> None:
    succeeded(run(tmp_path, FORKED))
    spans = stored(tmp_path)
    assert sorted(name for name, _ in spans) == ["child", "inherited", "parent after", "parent before", "queued"]
    instances = dict(spans)
    assert len({instances[name] for name in instances if name != "child"}) == 1
    assert instances["child"] != instances["inherited"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_children_of_multiprocessing_lose_nothing(tmp_path: Path) -> None:
    succeeded(
        run(
            tmp_path,
            """
            import multiprocessing
            def work(n):
                for i in range(20):
                    span(f"child {n} {i}")
            start(flush_interval_ms=60_000)
            span("parent")
            context = multiprocessing.get_context("fork")
            children = [context.Process(target=work, args=(n,)) for n in range(3)]
            for child in children: child.start()
            for child in children: child.join()
            assert [child.exitcode for child in children] == [0, 0, 0]
            """,
        )
    )
    assert len(stored(tmp_path)) == 61


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_while_others_record_leaves_both_processes_working(tmp_path: Path) -> None:
    succeeded(
        run(
            tmp_path,
            """
            start(flush_interval_ms=1)
            span("first")  # a fork in the middle of an import is Python's own trap
            assert lifecycle.flush(20)
            done = threading.Event()
            def record():
                while not done.is_set():
                    span("parent")
                    time.sleep(0.0005)
            threads = [threading.Thread(target=record, daemon=True) for _ in range(2)]
            for thread in threads: thread.start()
            for n in range(5):
                time.sleep(0.02)
                pid = os.fork()
                if pid == 0:
                    span("child")
                    ok = lifecycle.flush(20)
                    os._exit(0 if ok else 3)
                assert os.waitpid(pid, 0)[1] == 0
            done.set()
            for thread in threads: thread.join()
            """,
        )
    )
    assert sum(name == "child" for name, _ in stored(tmp_path)) == 5


def test_a_file_that_is_no_store_leaves_the_app_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_text("my diary")
    out = run(tmp_path, "start(strict=False)\nspan('s')\nprint('done')\nsys.exit(7)")
    assert (out.returncode, out.stdout) == (7, "done\n")
    refused, total = out.stderr.splitlines()
    assert "my diary" not in refused
    assert total == "otel-mas: in this process 1 span was dropped: store unusable"
    assert "is not an otel-mas store" in out.stderr
    assert (tmp_path / "runs.db").read_text() == "my diary"


def test_a_locked_store_delays_the_exit_by_its_limit_at_most(tmp_path: Path) -> None:
    succeeded(run(tmp_path, "start()\nspan('s')"))
    holder = sqlite3.connect(tmp_path / "runs.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        out = run(tmp_path, "start(exit_timeout_s=0.5)\nspan('s')\nprint('done')")
    finally:
        holder.close()
    assert (out.returncode, out.stdout) == (0, "done\n")
    assert "could not be written" in out.stderr


def test_digests_have_the_key_of_the_store_also_where_it_is_locked_for_writing(tmp_path: Path) -> None:
    code = """
        class Text:
            def fingerprint(self, m): return None
            def read(self, m): return "user", [{"type": "text", "content": m}]
        start(strict=False)
        one = rec.start_span("s", {})
        began = time.monotonic()
        print(rec.messages(one, "input", ["hi"], Text())[0], time.monotonic() - began < 10)
        one.end()
        """
    first, second = (succeeded(run(tmp_path, code)) for _ in range(2))
    assert first == second
    holder = sqlite3.connect(tmp_path / "runs.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        locked = run(tmp_path, code.replace("strict=False", "strict=False, exit_timeout_s=0.5"))
    finally:
        holder.close()
    assert locked.returncode == 0
    assert locked.stdout.endswith("True\n")
    assert locked.stdout == first
    assert "message digests" not in locked.stderr


def test_content_mode_none_leaves_no_content_on_the_disk(tmp_path: Path) -> None:
    succeeded(
        run(
            tmp_path,
            """
            class Text:
                def fingerprint(self, m): return None
                def read(self, m): return "user", [{"type": "text", "content": m}]
            start(content=None)
            one = rec.start_span("s", {"gen_ai.input.messages": "WORDS", "input.value": "WORDS"})
            rec.messages(one, "input", ["WORDS"], Text())
            rec.content(one, "gen_ai.tool.call.arguments", "WORDS")
            rec.record_exception(one, ValueError("WORDS"))
            one.record_exception(ValueError("WORDS"))
            one.end()
            """,
        )
    )
    assert b"WORDS" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    with sqlite3.connect(tmp_path / "runs.db") as connection:
        assert connection.execute("SELECT role, body FROM messages").fetchall() == [("user", None)]


def test_secrets_planted_everywhere_are_not_on_the_disk_and_not_lost_silently(tmp_path: Path) -> None:
    succeeded(
        run(
            tmp_path,
            """
            SECRET = "sk-proj-" + "0123456789abcdefghijABCD"
            class Text:
                def fingerprint(self, m): return None
                def read(self, m): return "user", [{"type": "text", "content": m}]
            start()
            one = rec.start_span(f"s {SECRET}", {"a": SECRET, "password": SECRET, "gen_ai.agent.name": SECRET})
            rec.messages(one, "input", [f"my key is {SECRET}"], Text())
            rec.content(one, "gen_ai.tool.call.arguments", {"x": [SECRET, SECRET.encode()], SECRET: 1})
            error = ValueError(SECRET)
            one.record_exception(error)
            one.set_status(__import__("opentelemetry.trace").trace.StatusCode.ERROR, SECRET)
            rec.record_exception(one, error)
            one.end()
            """,
            OTEL_RESOURCE_ATTRIBUTES="deploy.note=sk-proj-0123456789abcdefghijABCD",
        )
    )
    everything = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"0123456789abcdefghijABCD" not in everything
    assert b"my key is [redacted]" in everything


def test_sqlite_instrumentation_of_the_app_does_not_feed_the_writer(tmp_path: Path) -> None:
    succeeded(
        run(
            tmp_path,
            """
            import sqlite3
            from opentelemetry import trace
            connect = sqlite3.connect
            def traced(*args, **kwargs):
                trace.get_tracer("sqlite").start_span("connect").end()
                return connect(*args, **kwargs)
            sqlite3.connect = traced
            start()
            span("s")
            sqlite3.connect(":memory:")
            lifecycle.flush(30)
            """,
        )
    )
    assert [name for name, _ in stored(tmp_path)] == ["s", "connect"]


FINALIZERS = """
        import gc, weakref
        from opentelemetry import trace
        from otel_mas.record.pipeline import batches
        from otel_mas.store import writer
        {provider}
        start()
        span("first")
        assert lifecycle.flush(20)

        class Collected:
            def __init__(self):
                self.itself = self
                self.span = rec.start_span("began elsewhere", {{}})
                self.of_app = trace.get_tracer("app").start_span("of the app, began elsewhere")
            def __del__(self):
                assert threading.current_thread().name == "otel-mas writer"
                self.span.end()
                self.of_app.end()
                span("ours")
                trace.get_tracer("app").start_span("of the app").end()

        def generator():
            try:
                yield
            finally:
                trace.get_tracer("app").start_span("of a generator").end()

        gc.disable()
        collected = Collected()
        collected.generator = generator()
        next(collected.generator)
        weakref.finalize(collected, lambda: trace.get_tracer("app").start_span("of a callback").end())
        del collected
        original = {place}
        def collecting(*args):
            gc.collect()
            return original(*args)
        {place} = collecting
        span("last")
        assert lifecycle.flush(20)
        """
SDK = "from opentelemetry.sdk.trace import TracerProvider; trace.set_tracer_provider(TracerProvider())"


@pytest.mark.parametrize("provider", ["", SDK], ids=["our provider", "the app's provider"])
@pytest.mark.parametrize("place", ["batches.BatchBuilder.batch", "writer.StoreWriter.write"])
def test_spans_of_finalizers_that_run_on_the_writers_thread_are_written(
    tmp_path: Path, place: str, provider: str
) -> None:
    succeeded(run(tmp_path, FINALIZERS.format(place=place, provider=provider)))
    names = [name for name, _ in stored(tmp_path)]
    of_app = ["of a callback", "of a generator", "of the app", "of the app, began elsewhere"]
    assert sorted(names) == sorted(["first", "last", "ours", "began elsewhere", *of_app])


IMPORTING = """
        import importlib.machinery
        import signal
        importing = threading.Event()
        class Slow(importlib.machinery.PathFinder):
            @classmethod
            def find_spec(cls, name, path=None, target=None):
                if name == "{module}":
                    importing.set()
                    time.sleep(0.3)
                return None
        sys.meta_path.insert(0, Slow)
        start()
        def first():
            lifecycle._recording._digest_key()
            span("first")
        thread = threading.Thread(target=first)
        thread.start()
        assert importing.wait(20)
        pid = os.fork()
        if pid == 0:
            signal.alarm(20)
            lifecycle._recording._digest_key()
            span("child")
            os._exit(0 if lifecycle.flush(15) else 3)
        assert os.waitpid(pid, 0)[1] == 0
        thread.join()
        """


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(
    "module",
    [
        "otel_mas.record.sdk.lazy_tracer",
        "opentelemetry.sdk.trace",
        "otel_mas.store.keys",
        "otel_mas.record.pipeline.batches",
        "otel_mas.store.writer",
    ],
)
def test_a_fork_waits_for_an_import_of_ours_in_another_thread(tmp_path: Path, module: str) -> None:
    succeeded(run(tmp_path, IMPORTING.format(module=module)))
    assert sorted(name for name, _ in stored(tmp_path)) == ["child", "first"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("written", [True, False], ids=["written before", "waiting at the fork"])
def test_the_content_of_a_forked_child_is_recorded_also_where_the_parent_has_the_same(
    tmp_path: Path, written: bool
) -> None:
    succeeded(
        run(
            tmp_path,
            f"""
            class Text:
                def fingerprint(self, m): return None
                def read(self, m): return "user", [{{"type": "text", "content": m}}]
            def call(name):
                one = rec.start_span(name, {{}})
                rec.messages(one, "input", ["asked of both"], Text())
                rec.messages(one, "output", ["answer of " + name], Text())
                rec.content(one, "gen_ai.tool.call.arguments", "arguments of " + name)
                one.end()
            start({"" if written else "flush_interval_ms=60_000"})
            call("parent")
            if {written}:
                assert lifecycle.flush(20)
            pid = os.fork()
            if pid == 0:
                call("child")
                os._exit(0 if lifecycle.flush(20) else 3)
            assert os.waitpid(pid, 0)[1] == 0
            if not {written}:
                os._exit(0)  # what waited is lost with it: the child depends on nothing of its parent
            """,
        )
    )
    with StoreReader(tmp_path / "runs.db") as reader:
        (trace,) = [one.trace_id for one in reader.traces(Query()) if one.name == "child"]
        assert [one.value for one in reader.contents(trace)] == ["arguments of child"]
        digests = [reference.digest for reference in reader.message_refs(trace)]
        texts = [message.body["parts"][0]["content"] for message in reader.messages(digests).values()]
    assert sorted(texts) == ["answer of child", "asked of both"]
