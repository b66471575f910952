"""Object storage as a source: files of OTLP or of trace records in buckets, by fsspec.

All that matches is downloaded once, when the source is opened, into a folder that goes when it is closed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Self

from otel_mas.errors import MissingExtra, SourceError, UnknownSource
from otel_mas.errors.printable import one_line
from otel_mas.model import (
    Content,
    Message,
    MessageRef,
    PartialList,
    Query,
    RunSummary,
    Trace,
    TraceSummary,
)
from otel_mas.model.search import Match
from otel_mas.sources.base import Capabilities
from otel_mas.sources.files import FileSource
from otel_mas.sources.otlp.source import OtlpFileSource
from otel_mas.sources.records.source import RecordFileSource

_FORMS: tuple[type[FileSource], ...] = (OtlpFileSource, RecordFileSource)
_MAGIC = frozenset("*?[")
_SUFFIXES = tuple(sorted({suffix for form in _FORMS for suffix in form.suffixes}))


class ObjectStorageSource:
    """Base of the sources for each protocol; credentials and endpoints are those of the protocol's own library."""

    protocol: ClassVar[str]
    package: ClassVar[str]
    reads: ClassVar[str]

    def __init__(self, location: str, files: FileSource, folder: TemporaryDirectory[str]) -> None:
        self.location = location
        self._files = files
        self._folder = folder

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """No file of this machine is one."""
        return False

    @classmethod
    def open(cls, target: str) -> Self:
        """Download an object, all below a prefix, or all that match a pattern like `bucket/logs/*.jsonl.gz`.

        Raises:
            MissingExtra: fsspec, or its package for this protocol, is not installed.
            SourceError: There is no such object, it cannot be read, or it is something else.
        """
        location = f"{cls.protocol}://{target}"
        folder = TemporaryDirectory(prefix="otel-mas-")
        try:
            cls._download(location, target, Path(folder.name))
            form = next((form for form in _FORMS if form.recognises(Path(folder.name))), None)
            if form is None:
                raise UnknownSource(f"{location} has neither OTLP nor trace records that could be read")
            return cls(location, form.open(folder.name), folder)
        except BaseException:
            folder.cleanup()
            raise

    @classmethod
    def _download(cls, location: str, target: str, folder: Path) -> None:
        try:
            fsspec = import_module("fsspec")
            storage: Any = cls._storage(fsspec, fsspec.config.conf.get(cls.protocol, {}))
        except ImportError as error:
            raise MissingExtra(
                f"{cls.protocol}:// needs fsspec and {cls.package}: pip install 'otel-mas[object-storage]' "
                f"{'' if cls.package == 's3fs' else cls.package} ({error})"
            ) from None
        nothing = f"no object at {location}: give one, a prefix, or a pattern like *.jsonl.gz"
        try:
            found = _objects(storage, target)
            if not found:
                raise SourceError(nothing)
            local = [str(folder / f"{number:06}-{one.rpartition('/')[2]}") for number, one in enumerate(found)]
            storage.get(found, local)
        except SourceError:
            raise
        except Exception as error:  # whatever the protocol's library raises
            if isinstance(error, FileNotFoundError) and error.strerror is None:  # gcsfs gives the path of its API only
                raise SourceError(nothing) from error
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise SourceError(f"cannot read {location}: {one_line(str(reason))}") from error

    @classmethod
    def _storage(cls, fsspec: Any, configured: Mapping[str, Any]) -> Any:
        """The file system; `configured` is what the user's configuration of fsspec says of it."""
        return fsspec.filesystem(cls.protocol)

    @property
    def capabilities(self) -> Capabilities:
        return self._files.capabilities

    def traces(self, query: Query) -> Sequence[TraceSummary]:
        return self._files.traces(query)

    def trace(self, trace_id: str) -> Trace:
        return self._files.trace(trace_id)

    def conversation(self, thread: str, service: str | None = None) -> Sequence[Trace]:
        return self._files.conversation(thread, service)

    def message_refs(self, trace_id: str) -> Sequence[MessageRef]:
        return self._files.message_refs(trace_id)

    def messages(self, digests: Sequence[str], trace_id: str | None = None) -> Mapping[str, Message]:
        return self._files.messages(digests, trace_id)

    def contents(self, trace_id: str, span_id: str | None = None) -> Sequence[Content]:
        return self._files.contents(trace_id, span_id)

    def search(self, text: str, query: Query, limit: int) -> PartialList[Match]:
        return self._files.search(text, query, limit)

    def run(self, run_id: str) -> RunSummary:
        return self._files.run(run_id)

    def close(self) -> None:
        self._files.close()
        self._folder.cleanup()


def _objects(storage: Any, target: str) -> list[str]:
    """The objects that a target names; below a prefix those whose names end like files that can be read."""
    if _MAGIC & set(target):
        return sorted(one for one in storage.glob(target) if not one.endswith("/"))
    try:
        # Not `isfile`, which takes a server that cannot be reached for one without the object, and asks it again.
        if not target.endswith("/") and storage.info(target)["type"] == "file":
            return [target]
    except (FileNotFoundError, PermissionError):  # who may list a bucket need not be allowed to read what is in it
        pass
    return sorted(one for one in storage.find(target) if os.path.splitext(one)[1] in _SUFFIXES)


class S3(ObjectStorageSource):
    """Buckets of S3, or of any server that speaks its protocol: `AWS_ENDPOINT_URL`."""

    protocol: ClassVar[str] = "s3"
    package: ClassVar[str] = "s3fs"
    reads: ClassVar[str] = "objects of S3: files of OTLP or of trace records; one, a prefix or a pattern"

    @classmethod
    def _storage(cls, fsspec: Any, configured: Mapping[str, Any]) -> Any:
        """With limits for a server that cannot be reached, where the user has set none: 5 s each time, twice.

        By default botocore waits for 60 s each time and tries five times, and s3fs tries that five times.
        """
        limits: dict[str, Any] = {"connect_timeout": 5, "read_timeout": 20}
        if "AWS_MAX_ATTEMPTS" not in os.environ:
            limits |= {"retries": {"total_max_attempts": 2}}
        storage = fsspec.filesystem(cls.protocol, config_kwargs=limits | configured.get("config_kwargs", {}))
        storage.retries = 2
        return storage


class GoogleCloudStorage(ObjectStorageSource):
    """Buckets of Google Cloud Storage."""

    protocol: ClassVar[str] = "gs"
    package: ClassVar[str] = "gcsfs"
    reads: ClassVar[str] = "objects of Google Cloud Storage, likewise"


class AzureBlobStorage(ObjectStorageSource):
    """Containers of Azure Blob Storage."""

    protocol: ClassVar[str] = "abfs"
    package: ClassVar[str] = "adlfs"
    reads: ClassVar[str] = "objects of Azure Blob Storage, likewise"


__all__ = ["S3", "AzureBlobStorage", "GoogleCloudStorage", "ObjectStorageSource"]
