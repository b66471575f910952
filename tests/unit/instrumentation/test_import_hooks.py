"""A function is called when a module has been imported; the module and its import are what they are without it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path

import pytest

from otel_mas.instrumentation import import_hooks
from otel_mas.record.guard import set_strict

Call = Callable[[str], None]
NAMES = ("hooked_one", "hooked_package", "hooked_package.inner", "hooked_broken", "hooked_circle")


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "hooked_one.py").write_text("value = 1\ndef function():\n    return 'source'\n")
    (tmp_path / "hooked_broken.py").write_text("raise RuntimeError('mine')\n")
    (tmp_path / "hooked_circle.py").write_text("import hooked_one\nvalue = hooked_one.value + 1\n")
    (tmp_path / "hooked_package").mkdir()
    (tmp_path / "hooked_package" / "__init__.py").write_text("")
    (tmp_path / "hooked_package" / "inner.py").write_text("from hooked_package import __name__ as name\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = list(sys.meta_path)
    yield tmp_path
    for name in NAMES:
        sys.modules.pop(name, None)
    assert sys.meta_path == before, "a hook was left behind"


@pytest.fixture
def calls() -> Iterator[tuple[list[tuple[str, bool]], Call]]:
    """What was called, with whether the module was there and executed; and the callback that notes it."""
    seen: list[tuple[str, bool]] = []

    def callback(module: str) -> None:
        seen.append((module, bool(vars(sys.modules[module]))))

    yield seen, callback
    import_hooks.forget(callback)


Calls = tuple[list[tuple[str, bool]], Call]


def test_it_is_called_once_when_the_module_is_imported_and_imports_nothing_itself(calls: Calls) -> None:
    seen, callback = calls
    import_hooks.when_imported("hooked_package.inner", callback)
    assert "hooked_package" not in sys.modules
    importlib.import_module("hooked_package")
    assert seen == []
    importlib.import_module("hooked_package.inner")
    importlib.import_module("hooked_package.inner")
    assert seen == [("hooked_package.inner", True)]


def test_it_is_called_at_once_where_the_module_is_there(calls: Calls) -> None:
    seen, callback = calls
    importlib.import_module("hooked_one")
    import_hooks.when_imported("hooked_one", callback)
    assert seen == [("hooked_one", True)]


def test_a_module_that_is_being_imported_is_waited_for(calls: Calls) -> None:
    """Whoever asks from within its import must not see half of it."""
    seen, callback = calls
    complete: list[bool] = []

    def outer(module: str) -> None:
        import_hooks.when_imported("hooked_circle", late)
        complete.append(hasattr(sys.modules["hooked_circle"], "value"))

    def late(module: str) -> None:
        complete.append(hasattr(sys.modules["hooked_circle"], "value"))

    import_hooks.when_imported("hooked_circle", callback)
    import_hooks.when_imported("hooked_one", outer)
    importlib.import_module("hooked_circle")
    assert seen == [("hooked_circle", True)]
    assert complete == [False, True]
    import_hooks.forget(outer)
    import_hooks.forget(late)


def test_a_module_that_another_thread_is_importing_is_waited_for(calls: Calls, modules: Path) -> None:
    seen, callback = calls
    (modules / "hooked_one.py").write_text("import time\ntime.sleep(0.5)\nvalue = 1\n")
    thread = threading.Thread(target=importlib.import_module, args=["hooked_one"])
    thread.start()
    while not import_hooks.being_imported("hooked_one"):
        time.sleep(0.01)
    complete: list[bool] = []
    import_hooks.when_imported("hooked_one", lambda module: complete.append(hasattr(sys.modules[module], "value")))
    import_hooks.when_imported("hooked_one", callback)
    assert complete == [True]
    assert seen == [("hooked_one", True)]
    thread.join()
    for one in list(import_hooks._watched["hooked_one"]):
        import_hooks.forget(one)


def test_a_callback_may_add_another_for_the_same_module_and_forget_itself(calls: Calls) -> None:
    seen, callback = calls

    def first(module: str) -> None:
        import_hooks.forget(first)
        import_hooks.when_imported(module, callback)

    import_hooks.when_imported("hooked_one", first)
    importlib.import_module("hooked_one")
    assert seen == [("hooked_one", True)]


def test_the_module_looks_as_if_nobody_had_listened(calls: Calls) -> None:
    _, callback = calls
    import_hooks.when_imported("hooked_one", callback)
    module = importlib.import_module("hooked_one")
    assert type(module.__loader__) is SourceFileLoader
    assert module.__spec__ is not None
    assert module.__spec__.loader is module.__loader__
    assert "source" in inspect.getsource(module.function)
    assert importlib.reload(module) is module


def test_a_spec_can_be_asked_for_without_an_import(calls: Calls) -> None:
    seen, callback = calls
    import_hooks.when_imported("hooked_one", callback)
    spec = importlib.util.find_spec("hooked_one")
    assert spec is not None
    assert spec.loader is not None
    assert spec.loader.get_source("hooked_one").startswith("value = 1")  # type: ignore[attr-defined]
    assert seen == []
    assert importlib.util.find_spec("hooked_nowhere") is None


def test_an_import_that_fails_fails_as_ever_and_nothing_is_called(calls: Calls) -> None:
    seen, callback = calls
    import_hooks.when_imported("hooked_broken", callback)
    with pytest.raises(RuntimeError, match="mine"):
        importlib.import_module("hooked_broken")
    assert seen == []


def test_an_error_of_a_callback_is_logged_once_and_the_import_succeeds(caplog: pytest.LogCaptureFixture) -> None:
    def failing(_module: str) -> None:
        raise RuntimeError("does not fit")

    set_strict(False)
    import_hooks.when_imported("hooked_one", failing)
    try:
        module = importlib.import_module("hooked_one")
        importlib.reload(module)
    finally:
        import_hooks.forget(failing)
    assert module.value == 1
    assert [record.message.count("after the import of hooked_one") for record in caplog.records] == [1]


def test_other_tools_hooks_on_the_same_module_work_too(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    """They ask the whole of `sys.meta_path` in turn, as wrapt's do: without end, if nobody breaks it off."""
    seen, callback = calls
    asked: list[str] = []

    class Other:
        busy = False

        def find_spec(self, name: str, path: object = None, target: object = None) -> object:
            if self.busy or name != "hooked_one":
                return None
            self.busy = True
            try:
                asked.append(name)
                return importlib.util.find_spec(name)
            finally:
                self.busy = False

    monkeypatch.setattr(sys, "meta_path", [Other(), *sys.meta_path])
    import_hooks.when_imported("hooked_one", callback)
    sys.meta_path.append(PathFinder)
    importlib.import_module("hooked_one")
    assert asked == ["hooked_one"]
    assert seen == [("hooked_one", True)]
    import_hooks.forget(callback)
    monkeypatch.undo()


def test_an_import_that_is_under_way_finds_its_module_while_a_callback_is_forgotten(
    calls: tuple[list[tuple[str, bool]], Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The callback is forgotten in the middle of the search, as another thread may do."""
    before = list(sys.meta_path)
    callback = calls[1]
    import_hooks.when_imported("hooked_package", callback)

    class Forgets:
        def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
            import_hooks.forget(callback)

    forgets = Forgets()
    sys.meta_path.insert(sys.meta_path.index(PathFinder), forgets)
    try:
        assert importlib.import_module("hooked_one").value == 1
    finally:
        sys.meta_path.remove(forgets)
    assert sys.meta_path == before
