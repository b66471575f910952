"""The cost of calls of models that other instrumentation recorded."""

from __future__ import annotations

import pytest

from otel_mas.pricing import PriceTable
from otel_mas.semconv import attributes as names
from otel_mas.store import foreign_cost


class _SlowTable(PriceTable):
    """A table on a busy machine: it is loaded after five seconds, which nobody waits for here."""

    def prepare(self) -> None:
        self.loading = True

    def wait(self, timeout_s: float) -> bool:
        if timeout_s >= 5:
            self._load()
        return self._loaded.is_set()


def test_the_first_call_has_its_price_however_long_the_table_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_cost, "PRICES", _SlowTable())
    call = {names.GEN_AI_REQUEST_MODEL: "gpt-4o-mini", names.GEN_AI_USAGE_INPUT_TOKENS: 100}
    found = foreign_cost.with_cost({names.MAS_RECORD_KIND: "LLM_CALL"}, call.get)
    assert found[names.MAS_COST_USD] > 0
