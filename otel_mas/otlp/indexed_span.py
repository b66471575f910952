"""OTLP spans parsed with their attributes as a map, which on the wire is the same as a list of pairs.

Names are then looked at without an object of Python for each pair and value. Of a name that comes twice the last
value holds, as everywhere. Loads protobuf.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2


def _span_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto()
    trace_pb2.DESCRIPTOR.CopyToProto(file)
    span = next(message for message in file.message_type if message.name == "Span")
    attributes = next(field for field in span.field if field.name == "attributes")
    entry = span.nested_type.add(name="AttributesEntry")
    common_pb2.KeyValue.DESCRIPTOR.CopyToProto(pair := descriptor_pb2.DescriptorProto())
    entry.field.extend(field for field in pair.field if field.name in ("key", "value"))
    entry.options.map_entry = True
    attributes.type_name = f".{file.package}.Span.AttributesEntry"
    pool = descriptor_pool.DescriptorPool()
    for known in (common_pb2, resource_pb2):
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.Span"))


IndexedSpan: Final[Any] = _span_class()

__all__ = ["IndexedSpan"]
