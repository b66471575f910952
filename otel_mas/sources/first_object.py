"""Names in the first JSON object of a file, which tell what the file is; its beginning is enough."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

_TOKEN: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?|[{}\[\]"]', re.DOTALL)
_BOM: Final = b"\xef\xbb\xbf"


def names_of_first_object(head: bytes, inside: Collection[bytes] = ()) -> set[bytes]:
    """The names in the first object of JSON text, as far as it is there; none where it does not begin with one.

    Args:
        head: the beginning of the file.
        inside: names whose own objects are looked into as well.
    """
    text = head.removeprefix(_BOM).lstrip()
    found: set[bytes] = set()
    if text[:1] != b"{":
        return found
    depth, outer = 0, b""
    for token in _TOKEN.finditer(text):
        name, colon = token.groups()
        if name is not None:
            if colon and (depth == 1 or (depth == 2 and outer in inside)):
                found.add(name)
            if colon and depth == 1:
                outer = name
        elif token[0] in b"{[":
            depth += 1
        elif token[0] == b'"':
            break  # a text that is cut
        else:
            depth -= 1
            if not depth:
                break
    return found
