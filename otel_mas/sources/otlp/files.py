"""OTLP files, part by part: JSON lines, one JSON document, protobuf with lengths or plain; compressed or not.

Complete parts are read; a problem tells where a file was cut in the middle, or holds something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from otel_mas.otlp.wire import DELIMITED, fields, read_varint
from otel_mas.sources.first_object import names_of_first_object
from otel_mas.sources.otlp import zstd
from otel_mas.sources.otlp.stream import ByteStream
from otel_mas.store.files import SQLITE_MAGIC, header

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

Form = Literal["json lines", "json", "plain protobuf", "protobuf after 4 bytes", "protobuf after a varint"]

_MAGIC_BYTES = 8
_BOM = b"\xef\xbb\xbf"
_RESOURCE_SPANS = 1 << 3 | DELIMITED
_RESOURCE_SPANS_TAG = b"\x0a"
_MAX_FRAME = 2**28
_HEAD_BYTES = 2**16
_MAX_PROBLEMS = 100
_OTHER_SIGNALS = ("resourceLogs", "resourceMetrics", "resourceProfiles")
_JSON_NAMES = {name.encode() for name in ("resourceSpans", "batches", *_OTHER_SIGNALS)}
_AROUND = (b"result", b"trace")
"""Names under which Jaeger and Tempo answer with a message."""


@dataclass(slots=True)
class OtlpFile:
    """One file. After iteration, `problems` has a line for each part that could not be read.

    Raises:
        OSError: it cannot be opened or read.
        ValueError: it is no OTLP file of any form.
    """

    path: Path
    problems: list[str] = field(default_factory=list)
    other_signals: int = 0
    """Lines of logs and metrics, which a Collector may write into the same file."""
    _skipped: int = 0
    _json: bool = False

    def parts(self) -> Iterator[bytes]:
        """The encoded messages, in order; `read` decodes one."""
        if SQLITE_MAGIC.startswith(header(self.path)):
            raise self._foreign()
        try:
            with self.path.open("rb") as file:
                head = file.read(_MAGIC_BYTES)
                file.seek(0)
                yield from self._compressed(file) if zstd.is_framed(head) else self._whole(file)
        except zstd.NotInstalled as error:
            raise ValueError(f"{self.path}: {error}") from None

    def read(self, part: bytes) -> list[ResourceSpans]:
        """The messages of one part; none, and a problem, where it cannot be read."""
        try:
            bad: list[str] = []
            found = list(_in_json(part, bad) if self._json else _in_protobuf(part))
            self.problems += [f"{self.path}: {problem}" for problem in bad[: _MAX_PROBLEMS - len(self.problems)]]
            return found
        except _OtherSignal:
            self.other_signals += 1
        except ValueError as error:
            self._skipped += 1
            if self._skipped == 1:
                self.problems.append(f"{self.path}: skips what is no OTLP traces message: {error}")
        return []

    def messages(self) -> Iterator[ResourceSpans]:
        """All complete messages."""
        for part in self.parts():
            yield from self.read(part)

    def _whole(self, file: IO[bytes]) -> Iterator[bytes]:
        stream = ByteStream(file)
        form = _form(stream.peek(_HEAD_BYTES))
        if form is None:
            raise self._foreign()
        self._json = form in ("json lines", "json")
        yield from self._parts(form, stream)
        if stream.cut:
            self.problems.insert(
                0,
                f"{self.path}: the {stream.packing} file is cut or damaged: "
                f"what lies behind byte {stream.position} cannot be read",
            )

    def _compressed(self, file: IO[bytes]) -> Iterator[bytes]:
        """Messages of which each is compressed."""
        try:
            for message in zstd.messages(file):
                form = _form(message[:_HEAD_BYTES])
                self._json = form in ("json lines", "json")
                yield message
        except zstd.Cut as cut:
            self._cut(cut.where)

    def _parts(self, form: Form, stream: ByteStream) -> Iterator[bytes]:
        if form == "json lines":
            yield from self._lines(stream)
        elif form == "json":
            document = stream.read(stream.max_bytes + 1)
            if len(document) > stream.max_bytes:
                raise ValueError(
                    f"{self.path} is one document of over {stream.max_bytes >> 20} MiB: export fewer traces"
                )
            yield document.removeprefix(_BOM)
        else:
            yield from self._frames(form, stream)

    def _lines(self, stream: ByteStream) -> Iterator[bytes]:
        number = 0
        for number, line in enumerate(stream.lines(), 1):
            if line is None:
                self.problems.append(
                    f"{self.path}: leaves out line {number}, which is over {stream.max_bytes >> 20} MiB"
                )
                continue
            if not line.endswith(b"\n") and not _is_whole(line):
                self._cut(f"in line {number}")
                return
            if line.strip():
                yield line.removeprefix(_BOM)

    def _frames(self, form: Form, stream: ByteStream) -> Iterator[bytes]:
        number = 0
        while True:
            head = stream.peek(16)
            if not head:
                return
            number += 1
            size = _frame(form, head)
            if size is None:
                self._cut(f"in message {number}")
                return
            skipped, length = size
            if length > stream.max_bytes:
                self._cut(f"in message {number}, which is over {stream.max_bytes >> 20} MiB")
                return
            stream.read(skipped)
            frame = stream.read(length)
            if len(frame) < length:
                self._cut(f"in message {number}")
                return
            yield frame

    def _foreign(self) -> ValueError:
        return ValueError(f"{self.path} is no OTLP file: neither OTLP/JSON nor an OTLP message")

    def _cut(self, where: str) -> None:
        self.problems.append(f"{self.path}: the file is cut in the middle: stopped {where}; what is before it was read")


def is_otlp(path: Path) -> bool:
    """Whether the file begins like an OTLP file of any form."""
    try:
        if SQLITE_MAGIC.startswith(header(path)):  # empty, or a store
            return False
        with path.open("rb") as file:
            head = file.read(_MAGIC_BYTES)
            file.seek(0)
            if zstd.is_framed(head):
                head = next(zstd.messages(file), b"")[:_HEAD_BYTES]
            else:
                head = ByteStream(file).peek(_HEAD_BYTES)
            return _form(head) is not None
    except zstd.NotInstalled:
        return True  # the error of `parts`
    except (OSError, zstd.Cut):
        return False


class _OtherSignal(Exception):
    """Telemetry, and no traces."""


def _in_json(part: bytes, problems: list[str]) -> Iterator[ResourceSpans]:
    import orjson

    from otel_mas.otlp.json import resource_spans
    from otel_mas.sources.jaeger.sanitizers import unsanitized

    document = orjson.loads(part)  # its error is a ValueError
    if isinstance(document, dict) and any(name in document for name in _OTHER_SIGNALS):
        raise _OtherSignal
    if isinstance(document, dict) and isinstance(document.get("result"), dict):  # as Jaeger answers
        return unsanitized(resource_spans(document["result"], problems))
    if isinstance(document, dict) and isinstance(document.get("trace"), dict):  # as Tempo answers
        document = document["trace"]
    return resource_spans(document, problems)


def _in_protobuf(part: bytes) -> Iterator[ResourceSpans]:
    from otel_mas.sources.traces import traces_data

    return iter(traces_data(part).resource_spans)


def _form(head: bytes) -> Form | None:
    text = head.removeprefix(_BOM).lstrip()
    # A protobuf message may begin with the bytes of a new line and a brace, too.
    if not _JSON_NAMES.isdisjoint(names_of_first_object(text, _AROUND)):
        line, newline, _ = text.partition(b"\n")
        # A line may be longer than the head; a document of several lines begins with one that is no JSON by itself.
        return "json" if newline and not _is_whole(line) else "json lines"
    if len(head) < 2:
        return None
    # A length that begins like a plain message would be one of 160 MB, or of ten bytes.
    plain = head[:1] == _RESOURCE_SPANS_TAG
    forms: tuple[Form, ...] = ("plain protobuf",) if plain else ("protobuf after 4 bytes", "protobuf after a varint")
    for form in forms:
        found = _frame(form, head)
        if found is None:
            continue
        skipped, length = found
        begin = head[skipped : skipped + length]
        if _begins_like_traces(begin, whole=len(begin) == length):
            return form
    return None


def _frame(form: Form, head: bytes) -> tuple[int, int] | None:
    """How many bytes to skip, and how long the message behind them is; None where that cannot be read.

    A plain message is taken apart into its fields: each is a message of one ResourceSpans by itself.
    """
    try:
        if form == "protobuf after 4 bytes":
            length = int.from_bytes(head[:4], "big")
            return (4, length) if len(head) >= 4 and 0 < length < _MAX_FRAME else None
        if form == "protobuf after a varint":
            length, at = read_varint(head, 0)
            return (at, length) if length else None
        length, at = read_varint(head, 1)
        return (0, at + length) if head[:1] == _RESOURCE_SPANS_TAG else None
    except ValueError:
        return None


def _begins_like_traces(message: bytes, *, whole: bool) -> bool:
    """Whether a message, or its beginning, is a list of ResourceSpans, which begin with a resource, scopes or a URL."""
    if message[:1] != _RESOURCE_SPANS_TAG:
        return False
    try:
        length, at = read_varint(message, 1)
        inner = message[at : at + length]
        if whole and at + length > len(message):
            return False
        if whole:
            return all(tag == _RESOURCE_SPANS for tag, *_ in fields(message)) and all(
                tag & 7 == DELIMITED for tag, *_ in fields(inner)
            )
    except ValueError:
        return False
    return inner[:1] in (b"\x0a", b"\x12", b"\x1a")


def _is_whole(line: bytes) -> bool:
    import orjson

    try:
        orjson.loads(line.removeprefix(_BOM) or b"0")
    except ValueError:
        return False
    return True
