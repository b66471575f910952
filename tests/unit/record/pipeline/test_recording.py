"""The key of message digests where several processes create one store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from otel_mas.config import Settings
from otel_mas.record.content.canonical import canonical_form
from otel_mas.record.content.digest import Digester
from otel_mas.record.pipeline.recording import Recording
from tests.unit.record.conftest import MemoryStore

MESSAGE = {"role": "user", "parts": [{"type": "text", "content": "hello"}]}


class Adapter:
    def fingerprint(self, message: Any, /) -> object | None:
        return message["role"]

    def read(self, message: Any, /) -> tuple[str, list[dict[str, Any]]]:
        return message["role"], message["parts"]


def test_a_process_that_was_not_the_one_to_create_the_store_goes_on_with_the_stores_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = MemoryStore()
    recording = Recording(Settings.from_env(store=tmp_path / "runs.db"), lambda *_: theirs)
    try:
        (before,) = recording.digests.digests((1, 2), [MESSAGE], Adapter())  # there is no store yet
        assert recording.flush(30)
        (after,) = recording.digests.digests((1, 2), [MESSAGE], Adapter())
        assert recording.flush(30)
    finally:
        recording.shutdown(30)
    canonical = canonical_form(*Adapter().read(MESSAGE))
    assert after == Digester(lambda: theirs.digest_key).digest(canonical) != before
    kept = {message.digest.hex() for batch in theirs.batches for message in batch.messages}
    assert kept == {before, after}
    assert not caplog.records
