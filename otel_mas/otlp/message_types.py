"""Classes of protobuf messages that are described here by some of their fields; the others stay as unknown fields.

Loads protobuf: import it where messages are read or written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]

_FIELD = descriptor_pb2.FieldDescriptorProto
_TYPES: Final = {
    "bool": _FIELD.TYPE_BOOL,
    "bytes": _FIELD.TYPE_BYTES,
    "double": _FIELD.TYPE_DOUBLE,
    "fixed64": _FIELD.TYPE_FIXED64,
    "int32": _FIELD.TYPE_INT32,
    "int64": _FIELD.TYPE_INT64,
    "string": _FIELD.TYPE_STRING,
    "uint32": _FIELD.TYPE_UINT32,
    "uint64": _FIELD.TYPE_UINT64,
}


def message_types(package: str, messages: Mapping[str, Mapping[str, tuple[int, str]]]) -> dict[str, Any]:
    """Make the classes of messages.

    Args:
        package: a name for all of them.
        messages: message → field → number and type; the type is in brackets where the field is repeated.
    """
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto2")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            repeated, type_ = kind.startswith("["), kind.strip("[]")
            label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
            if type_ in _TYPES:
                message.field.add(name=field, number=number, label=label, type=_TYPES[type_])
            else:
                reference = f".{package}.{type_}"
                message.field.add(name=field, number=number, label=label, type=_FIELD.TYPE_MESSAGE, type_name=reference)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in messages}


__all__ = ["message_types"]
