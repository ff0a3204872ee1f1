#!/usr/bin/env python3
"""echoclients.py - clients of echo.py whose every byte is checked, for tests of forwards.

usage: echoclients.py [--endless] COUNT SIZE PORT...

Makes COUNT connections to each port of this machine at once, each carrying SIZE bytes: up, both
ways, or down, in turn. Prints how many were right; status 0 when all were. What goes up has no end
of its own, as some tunnels have no half of a connection; --endless leaves out what comes down until
the server ends it.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys

from echo import numbers

ENDLESS = sys.argv[1:2] == ["--endless"]


async def down(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int, _: int) -> bool:
    writer.write(b"give %d\n" % size)
    return await reader.read(-1) == numbers(size)


async def up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int, seed: int) -> bool:
    sent = random.Random(seed).randbytes(size)
    writer.write(b"take %d\n" % size + sent)
    return await reader.readline() == hashlib.sha256(sent).hexdigest().encode() + b"\n"


async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int, seed: int) -> bool:
    sent = b"echo " + random.Random(seed).randbytes(size)
    writer.write(sent)
    return await reader.readexactly(len(sent)) == sent


async def client(port: int, number: int, size: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        kinds = (up, both) if ENDLESS else (up, both, down)
        kind = kinds[number % len(kinds)]
        right = await asyncio.wait_for(kind(reader, writer, size, port * 1000 + number), 120)
        writer.close()
    except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
        print(f"{port} {number}: {error!r}", file=sys.stderr)
        return False
    return right


async def main() -> None:
    count, size, *ports = (int(word) for word in sys.argv[1 + ENDLESS:])
    right = await asyncio.gather(
        *(client(port, number, size) for port in ports for number in range(count)),
    )
    print(sum(right))
    sys.exit(not all(right))


if __name__ == "__main__":
    asyncio.run(main())
