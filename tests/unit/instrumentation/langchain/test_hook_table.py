"""Hooks that no longer fit, and the moments at which they are put in place."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from langchain_core.tools import BaseTool

from otel_mas.instrumentation.langchain.hook_table import HOOK_TABLE


def test_a_method_that_takes_something_else_is_left_alone_and_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def run(self: Any, everything: Any) -> None: ...

    HOOK_TABLE.unpatch()  # another test's recording may still be on
    monkeypatch.setattr(BaseTool, "run", run)
    monkeypatch.setattr(HOOK_TABLE, "_warned", set())
    HOOK_TABLE.patch()
    HOOK_TABLE.patch()
    assert BaseTool.run is run
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "BaseTool.run takes ('self', 'everything')" in caplog.text
    HOOK_TABLE.unpatch()


IN_ORDER = """
import importlib.util, sys
from otel_mas.instrumentation import install, langchain
assert not any(name.startswith("langchain") for name in sys.modules), "importing it imports LangChain"
for module in {order}(langchain.MODULES):
    if module in langchain.OPTIONAL and importlib.util.find_spec(module.rpartition(".")[0]) is None:
        continue
    importlib.import_module(module)
    install.hook_table("langchain").patch(module)
from langchain_core.callbacks.manager import CallbackManager
from langchain_core.tools import BaseTool
assert not hasattr(CallbackManager.on_chat_model_start.__wrapped__, "__wrapped__"), "patched twice"
assert not CallbackManager.configure().handlers, "a handler in every manager costs the app more than our hooks"
assert BaseTool.run.__module__ == "langchain_core.tools.base" and BaseTool.run.__wrapped__
"""


@pytest.mark.slow
@pytest.mark.parametrize("order", ["list", "reversed"])
def test_modules_may_be_imported_in_any_order(order: str) -> None:
    subprocess.run([sys.executable, "-c", IN_ORDER.format(order=order)], check=True, timeout=300)
