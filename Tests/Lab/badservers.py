#!/usr/bin/env python3
"""badservers.py - servers that do not behave, one per port.

usage: badservers.py

Listens on a port of 127.0.0.1 for each row of the table below, prints one line of JSON that maps
their names to ports, and runs until standard input ends.
"""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import sys
import threading

_SEED = 20240
BANNER = b"SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5\r\n"

# SSH transport message numbers, RFC 4250 section 4.1.2.
_DISCONNECT = 1
_KEXINIT = 20
_USERAUTH_SUCCESS = 52

# Lists of a KEXINIT in RFC 4253 section 7.1's order.
_COMMON = (
    b"curve25519-sha256", b"ssh-ed25519", b"aes128-gcm@openssh.com", b"aes128-gcm@openssh.com",
    b"hmac-sha2-256", b"hmac-sha2-256", b"none", b"none", b"", b"",
)


def _packet(payload: bytes) -> bytes:
    """A packet before encryption: RFC 4253 section 6."""
    padding = 8 - (5 + len(payload)) % 8
    if padding < 4:
        padding += 8
    return struct.pack(">IB", 1 + len(payload) + padding, padding) + payload + bytes(padding)


def _string(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


def _kexinit(lists: tuple[bytes, ...]) -> bytes:
    return _packet(
        bytes([_KEXINIT]) + bytes(16) + b"".join(map(_string, lists)) + b"\0" + bytes(4)
    )


def _wait_for_peer(peer: socket.socket) -> None:
    """Reads until the client gives up."""
    while peer.recv(65536):
        pass


def silent(peer: socket.socket) -> None:
    _wait_for_peer(peer)


def closes(peer: socket.socket) -> None:
    del peer


def resets(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def truncated_banner(peer: socket.socket) -> None:
    peer.sendall(BANNER[:11])


def truncated_then_silent(peer: socket.socket) -> None:
    peer.sendall(BANNER[:11])
    _wait_for_peer(peer)


def http(peer: socket.socket) -> None:
    peer.recv(65536)
    peer.sendall(
        b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Type: text/html\r\n"
        b"Content-Length: 24\r\nConnection: close\r\n\r\n<h1>400 Bad Request</h1>"
    )


def smtp(peer: socket.socket) -> None:
    peer.sendall(b"220 mail.example.com ESMTP Postfix\r\n")
    peer.recv(65536)
    peer.sendall(b"500 5.5.2 Error: command not recognized\r\n")
    _wait_for_peer(peer)


def tls_alert(peer: socket.socket) -> None:
    peer.recv(65536)
    peer.sendall(bytes.fromhex("15030100020246"))


def old_protocol(peer: socket.socket) -> None:
    peer.sendall(b"SSH-1.5-1.2.27\n")
    _wait_for_peer(peer)


def huge_banner(peer: socket.socket) -> None:
    peer.sendall(b"SSH-2.0-" + b"A" * 1_000_000 + b"\r\n")
    _wait_for_peer(peer)


def huge_line_before_banner(peer: socket.socket) -> None:
    peer.sendall(b"B" * 1_000_000 + b"\r\n" + BANNER)
    _wait_for_peer(peer)


def endless_lines_before_banner(peer: socket.socket) -> None:
    for _ in range(100_000):
        peer.sendall(b"please wait\r\n")
    _wait_for_peer(peer)


def escapes_in_banner(peer: socket.socket) -> None:
    peer.sendall(b"\x1b]0;owned\x07\x1b[31mroot\r\nSSH-2.0-\x1b[2Jevil\xff\xfe\r\n")
    peer.sendall(b"\xff" * 64)


def garbage_after_banner(peer: socket.socket) -> None:
    peer.sendall(BANNER + random.Random(_SEED).randbytes(4096))
    _wait_for_peer(peer)


def zeros_after_banner(peer: socket.socket) -> None:
    peer.sendall(BANNER + bytes(65536))
    _wait_for_peer(peer)


def huge_packet(peer: socket.socket) -> None:
    peer.sendall(BANNER + b"\x7f\xff\xff\xff" + bytes(4096))
    _wait_for_peer(peer)


def text_after_banner(peer: socket.socket) -> None:
    peer.sendall(BANNER + b"Not allowed at this time\r\n")


def closes_after_banner(peer: socket.socket) -> None:
    peer.sendall(BANNER)


def silent_after_banner(peer: socket.socket) -> None:
    peer.sendall(BANNER)
    _wait_for_peer(peer)


def empty_lists(peer: socket.socket) -> None:
    peer.sendall(BANNER + _kexinit((b"",) * 10))
    _wait_for_peer(peer)


def nothing_in_common(peer: socket.socket) -> None:
    peer.sendall(BANNER + _kexinit((b"kex@example.com", *_COMMON[1:])))
    _wait_for_peer(peer)


def truncated_lists(peer: socket.socket) -> None:
    peer.sendall(BANNER + _packet(bytes([_KEXINIT]) + bytes(16) + b"\xff\xff\xff\xff"))
    _wait_for_peer(peer)


def wrong_order(peer: socket.socket) -> None:
    peer.sendall(BANNER + _packet(bytes([_USERAUTH_SUCCESS])))
    _wait_for_peer(peer)


def disconnects(peer: socket.socket) -> None:
    peer.sendall(
        BANNER + _packet(
            bytes([_DISCONNECT]) + struct.pack(">I", 2)
            + _string(b"Too many authentication\x1b[31m failures") + _string(b"")
        )
    )


def stops_in_key_exchange(peer: socket.socket) -> None:
    peer.sendall(BANNER + _kexinit(_COMMON))
    peer.recv(65536)


def silent_in_key_exchange(peer: socket.socket) -> None:
    peer.sendall(BANNER + _kexinit(_COMMON))
    _wait_for_peer(peer)


def false_key_exchange(peer: socket.socket) -> None:
    # KEX_ECDH_REPLY with an empty key, a point that is none and a signature of nothing.
    reply = _packet(bytes([31]) + _string(b"") + _string(bytes(32)) + _string(b""))
    peer.sendall(BANNER + _kexinit(_COMMON) + reply)
    _wait_for_peer(peer)


SERVERS = (
    silent, closes, resets, truncated_banner, truncated_then_silent, http, smtp, tls_alert,
    old_protocol, huge_banner, huge_line_before_banner, endless_lines_before_banner,
    escapes_in_banner, garbage_after_banner, zeros_after_banner, huge_packet, text_after_banner,
    closes_after_banner, silent_after_banner, empty_lists, nothing_in_common, truncated_lists,
    wrong_order, disconnects, stops_in_key_exchange, silent_in_key_exchange, false_key_exchange,
)


def _serve(door: socket.socket, behave) -> None:
    while True:
        peer, _ = door.accept()
        threading.Thread(target=_answer, args=(peer, behave), daemon=True).start()


def _answer(peer: socket.socket, behave) -> None:
    peer.settimeout(60)
    try:
        with peer:
            behave(peer)
            if behave is not resets:
                # To close a socket with bytes unread would reset the connection.
                peer.shutdown(socket.SHUT_WR)
                _wait_for_peer(peer)
    except OSError:
        # The client has gone: that is what it should do.
        pass


def main() -> int:
    ports = {}
    for behave in SERVERS:
        door = socket.create_server(("127.0.0.1", 0), backlog=16)
        threading.Thread(target=_serve, args=(door, behave), daemon=True).start()
        ports[behave.__name__.replace("_", "-")] = door.getsockname()[1]
    print(json.dumps(ports), flush=True)
    while os.read(0, 4096):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
