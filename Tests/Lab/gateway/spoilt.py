"""What no service should send over a data channel: for tests of how clients take it."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

import frames
from frames import Frame

_FAR = 1 << 40
_LENGTH_AT = 116
_SCHEMA_AT = 36
_DIGEST_AT = 80


def messages(kind: str) -> Iterator[bytes | str]:
    """Messages of one kind, binary ones and texts; none has a number that a good one will have."""
    good = Frame(frames.OUTPUT, b"spoilt", frames.DATA, _FAR).encode()
    if kind == "short":
        yield good[:20]
    elif kind == "header":
        yield _with(good, 0, struct.pack(">I", 1 << 31))
    elif kind == "length":
        yield _with(good, _LENGTH_AT, struct.pack(">I", 1 << 31))
    elif kind == "schema":
        yield _with(good, _SCHEMA_AT, struct.pack(">I", 7))
    elif kind == "digest":
        yield _with(good, _DIGEST_AT, bytes(32))
    elif kind == "long":
        yield bytes(4 << 20)
    elif kind == "ahead":
        # More than anybody should keep: 96 MB that nothing will ever come before.
        for number in range(3000):
            yield Frame(frames.OUTPUT, bytes(32 << 10), frames.DATA, _FAR + number).encode()
    elif kind == "numbers":
        for number in (-1, -(1 << 63), (1 << 63) - 1):
            yield Frame(frames.OUTPUT, b"spoilt", frames.DATA, number).encode()
    elif kind == "acknowledgements":
        yield from _acknowledgements()
    elif kind == "texts":
        yield from ("x" * 100_000 for _ in range(20))
    else:
        raise ValueError(f"nothing is spoilt in the way of {kind}")


def _with(raw: bytes, at: int, part: bytes) -> bytes:
    return raw[:at] + part + raw[at + len(part):]


def _acknowledgements() -> Iterator[bytes]:
    """Of what was never sent, and in no form that could be read."""
    texts = [
        json.dumps({
            "AcknowledgedMessageType": frames.INPUT, "AcknowledgedMessageId": "x",
            "AcknowledgedMessageSequenceNumber": number, "IsSequentialMessage": True,
        }) for number in (-1, 1 << 62, 1 << 80, 0.5, None)
    ]
    texts += ["", "{", "[" * 100_000, "\0\xff", json.dumps({"AcknowledgedMessageType": 7})]
    for text in texts:
        yield Frame(frames.ACKNOWLEDGE, text.encode("latin-1"), 0, 0, 3).encode()
