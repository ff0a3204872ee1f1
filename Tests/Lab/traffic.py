#!/usr/bin/env python3
"""traffic.py - connections whose every byte is checked, for tests of forwards.

usage: traffic.py serve (HOST PORT | PATH)
       traffic.py fetch [--count N] [--size N] [--socks VERSION HOST:PORT] (HOST PORT | PATH)
       traffic.py stall [--size N] --until FILE (HOST PORT | PATH)

serve   answers on a port (0 for any) or a Unix socket; prints the port or path once it listens
fetch   makes N connections at once (1), each carrying --size bytes (1 MB), every other one towards
        the server; prints how many were right, status 0 when all were

stall   asks for bytes but reads them only when the file is there; prints `right` or `wrong`

--socks asks what listens there to connect on, in SOCKS 4, 4a or 5

A connection begins with a line: `D SEED SIZE` asks for bytes, `U SEED SIZE` announces some. Their
end is the end of the direction; the other one then says `right` or `wrong` and ends.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import resource
import socket
import sys


def pattern(seed: int, size: int) -> bytes:
    return hashlib.shake_128(str(seed).encode()).digest(size)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        kind, seed, size = (await reader.readline()).split()
        expected = pattern(int(seed), int(size))
        if kind == b"D":
            writer.write(expected)
            writer.write_eof()
            await reader.read()
        else:
            received = await reader.read()
            writer.write(b"right" if received == expected else b"wrong")
        await writer.drain()
    except (ConnectionError, ValueError):
        pass
    finally:
        writer.close()


async def open_to(place: list[str]):
    if len(place) == 1:
        return await asyncio.open_unix_connection(place[0])
    return await asyncio.open_connection(place[0], int(place[1]))


async def ask(reader, writer, version: str, target: str) -> None:
    host, port = target.rsplit(":", 1)
    number = int(port).to_bytes(2, "big")
    if version == "5":
        writer.write(b"\x05\x02\x02\x00")
        if await reader.readexactly(2) != b"\x05\x00":
            raise ConnectionError("SOCKS method")
        try:
            address = b"\x01" + socket.inet_aton(host)
        except OSError:
            address = b"\x03" + bytes([len(host)]) + host.encode()
        writer.write(b"\x05\x01\x00" + address + number)
        if (await reader.readexactly(10))[1] != 0:
            raise ConnectionError("SOCKS reply")
        return
    address = socket.inet_aton(host if version == "4" else "0.0.0.1")
    name = b"" if version == "4" else host.encode() + b"\0"
    writer.write(b"\x04\x01" + number + address + b"me\0" + name)
    if (await reader.readexactly(8))[1] != 90:
        raise ConnectionError("SOCKS reply")


async def exchange(options, seed: int) -> bool:
    try:
        reader, writer = await open_to(options.place)
        if options.socks:
            await ask(reader, writer, *options.socks)
        expected = pattern(seed, options.size)
        if seed % 2:
            writer.write(f"U {seed} {options.size}\n".encode() + expected)
            writer.write_eof()
            right = await reader.read() == b"right"
        else:
            writer.write(f"D {seed} {options.size}\n".encode())
            right = await reader.read() == expected
        writer.close()
        return right
    except (OSError, asyncio.IncompleteReadError):
        return False


async def stall(options) -> int:
    reader, writer = await open_to(options.place)
    writer.write(f"D 0 {options.size}\n".encode())
    await writer.drain()
    # Beyond a little the stream's own reader stops too.
    while not os.path.exists(options.until):
        await asyncio.sleep(0.05)
    right = await reader.read() == pattern(0, options.size)
    writer.close()
    print("right" if right else "wrong", flush=True)
    return 0 if right else 1


async def serve(options) -> None:
    if len(options.place) == 1:
        server = await asyncio.start_unix_server(answer, options.place[0], limit=1 << 22)
        print(options.place[0], flush=True)
    else:
        host, port = options.place
        server = await asyncio.start_server(answer, host, int(port), limit=1 << 22, backlog=2048)
        print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def fetch(options) -> int:
    results = await asyncio.gather(*(exchange(options, seed) for seed in range(options.count)))
    print(f"{sum(results)} of {options.count}", flush=True)
    return 0 if all(results) else 1


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("verb", choices=["serve", "fetch", "stall"])
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--socks", nargs=2)
    parser.add_argument("--until")
    parser.add_argument("place", nargs="+")
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    verbs = {"serve": serve, "fetch": fetch, "stall": stall}
    return asyncio.run(verbs[options.verb](options)) or 0


if __name__ == "__main__":
    sys.exit(main())
