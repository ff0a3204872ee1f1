"""The gateway's side of machine.py: asks it to do things inside an instance."""

from __future__ import annotations

import asyncio
import json
import socket

from world import Server


class Unreachable(Exception):
    """What the instance could not do, in a word or two."""


class Machine:
    """One namespace with machine.py in it."""

    def __init__(self, path: str, directory: str) -> None:
        self.path = path
        self.directory = directory

    async def ask(self, order: dict) -> tuple[dict, int | None]:
        """The answer, and the descriptor that came with it."""
        answer, descriptor = await asyncio.to_thread(self._ask, order)
        if "error" in answer:
            raise Unreachable(answer["error"])
        return answer, descriptor

    def _ask(self, order: dict) -> tuple[dict, int | None]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(self.path)
            connection.sendall(json.dumps(order).encode() + b"\n")
            text = b""
            descriptor = None
            while not text.endswith(b"\n"):
                more, descriptors, _, _ = socket.recv_fds(connection, 65536, 1)
                if not more:
                    return {"error": "machine.py has ended"}, None
                text += more
                if descriptors:
                    descriptor = descriptors[0]
        return json.loads(text), descriptor

    async def connect(
        self, address: str, port: int,
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection that begins inside; raises Unreachable."""
        _, descriptor = await self.ask({"do": "connect", "address": address, "port": port})
        made = socket.socket(fileno=descriptor)
        made.setblocking(False)
        return await asyncio.open_connection(sock=made, limit=1 << 20)

    async def push(self, server: Server, user: str, key: str, until: float) -> None:
        """A public key that may log in until then."""
        await self.ask({
            "do": "push", "directory": self.place(server), "user": user, "key": key,
            "until": int(until),
        })

    def place(self, server: Server) -> str:
        """The directory of an instance."""
        return f"{self.directory}/{server.id}"
