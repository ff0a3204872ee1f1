"""The frames of a Systems Manager data channel, as recorded between the real agent and plugin."""

from __future__ import annotations

import hashlib
import struct
import time
import uuid
from dataclasses import dataclass, field

# Message types.
INPUT = "input_stream_data"
OUTPUT = "output_stream_data"
ACKNOWLEDGE = "acknowledge"
CLOSED = "channel_closed"
START = "start_publication"
PAUSE = "pause_publication"

# Payload types.
DATA = 1
SIZE = 3
HANDSHAKE_REQUEST = 5
HANDSHAKE_RESPONSE = 6
HANDSHAKE_COMPLETE = 7
CHALLENGE_REQUEST = 8
CHALLENGE_RESPONSE = 9
FLAG = 10

# What a flag says.
DISCONNECT_TO_PORT = 1
TERMINATE_SESSION = 2
CONNECT_TO_PORT_ERROR = 3

SYN = 1
FIN = 2

_HEADER = struct.Struct(">I32sIQqQ16s32s")
_TAIL = struct.Struct(">II")
_LENGTH = struct.Struct(">I")


class Malformed(Exception):
    """Not a frame the service would take."""


@dataclass
class Frame:
    """One message."""

    type: str
    payload: bytes = b""
    payload_type: int = 0
    sequence: int = 0
    flags: int = 0
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    created: int = field(default_factory=lambda: int(time.time() * 1000))

    def encode(self) -> bytes:
        """As it goes over the wire; channel_closed is the one without a payload type."""
        half = self.id.bytes
        short = self.type == CLOSED
        head = _HEADER.pack(
            112 if short else 116, self.type.encode().ljust(32), 1, self.created, self.sequence,
            self.flags, half[8:] + half[:8], hashlib.sha256(self.payload).digest(),
        )
        if short:
            return head + _LENGTH.pack(len(self.payload)) + self.payload
        return head + _TAIL.pack(self.payload_type, len(self.payload)) + self.payload


def decode(raw: bytes) -> Frame:
    """Reads a frame, and is strict about it."""
    if len(raw) < 120:
        raise Malformed(f"only {len(raw)} bytes")
    length, kind, schema, created, sequence, flags, identity, digest = _HEADER.unpack_from(raw)
    if length not in (112, 116):
        raise Malformed(f"header length {length}")
    try:
        name = kind.rstrip(b" \0").decode("ascii")
    except UnicodeDecodeError as error:
        raise Malformed("message type is not ASCII") from error
    if schema != 1:
        raise Malformed(f"schema version {schema}")
    payload_type = _LENGTH.unpack_from(raw, 112)[0] if length == 116 else 0
    (size,) = _LENGTH.unpack_from(raw, length)
    payload = raw[length + 4:]
    if len(payload) != size:
        raise Malformed(f"payload length {size}, but {len(payload)} bytes are there")
    if size and hashlib.sha256(payload).digest() != digest:
        raise Malformed("digest does not fit the payload")
    return Frame(
        name, payload, payload_type, sequence, flags,
        uuid.UUID(bytes=identity[8:] + identity[:8]), created,
    )
