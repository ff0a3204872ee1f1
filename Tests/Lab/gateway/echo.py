#!/usr/bin/env python3
"""echo.py - a server in the machine of the launched instances, for tests of tunnels.

usage: echo.py PROCESS

PROCESS is the lab's "fleet". Prints its port and ends with its standard input. What a client sends
first decides:

  give BYTES   so many bytes come: the lines of numbers from 1 on, cut there
  take BYTES   so many bytes are read, and answered by their SHA-256
  anything     is sent back, and so is what follows
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import socket
import sys
import threading

_NEW_NETWORK = 0x40000000


def numbers(size: int) -> bytes:
    """The lines of numbers from 1 on, cut to a size."""
    made = bytearray()
    start = 1
    while len(made) < size:
        made += "".join(f"{number}\n" for number in range(start, start + 10000)).encode()
        start += 10000
    return bytes(made[:size])


def serve(connection: socket.socket) -> None:
    """One client."""
    with connection:
        try:
            first = connection.recv(65536)
            word, _, rest = first.partition(b" ")
            line, _, begun = rest.partition(b"\n")
            if word == b"give":
                connection.sendall(numbers(int(line)))
            elif word == b"take":
                left = int(line) - len(begun)
                digest = hashlib.sha256(begun)
                while left:
                    piece = connection.recv(min(left, 1 << 20))
                    if not piece:
                        return
                    digest.update(piece)
                    left -= len(piece)
                connection.sendall(digest.hexdigest().encode() + b"\n")
            else:
                while first:
                    connection.sendall(first)
                    first = connection.recv(65536)
        except OSError:
            pass


def main() -> None:
    with open(f"/proc/{sys.argv[1]}/ns/net", "rb") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    listener = socket.create_server(("", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
