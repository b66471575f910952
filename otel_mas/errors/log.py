"""The one logger of otel-mas: foreign text in its messages is made printable."""

from __future__ import annotations

import logging

from otel_mas.errors.printable import printable

logger = logging.getLogger("otel_mas")


def _make_printable(record: logging.LogRecord) -> bool:
    record.msg, record.args = "\n".join(map(printable, record.getMessage().split("\n"))), None
    if record.exc_info and not record.exc_text:
        traceback = logging.Formatter().formatException(record.exc_info)
        record.exc_text = "\n".join(map(printable, traceback.split("\n")))
    return True


logger.addFilter(_make_printable)
