"""Many connections in one session: smux, version 1, as agents and clients speak it for -L."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

import frames
from machines import Unreachable

if TYPE_CHECKING:
    from agent import Agent

_HEADER = struct.Struct("<BBHI")
_SYN, _FIN, _PSH, _NOP = range(4)
_LARGEST = 32768


class Mux:
    """The agent's end."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.unread = b""
        self.streams: dict[int, asyncio.Queue] = {}
        self.tasks: set[asyncio.Task] = set()
        self.whole = asyncio.Lock()  # frames of streams must not be mixed

    def close(self) -> None:
        for task in self.tasks:
            task.cancel()

    async def take(self, raw: bytes) -> None:
        """Bytes from the client."""
        self.unread += raw
        while len(self.unread) >= _HEADER.size:
            version, command, size, stream = _HEADER.unpack_from(self.unread)
            if version != 1 or size > _LARGEST or command > _NOP:
                self.agent.session.account.violate(f"smux: {self.unread[:8].hex()} is no header")
                await self.agent.session.end("")
                return
            if len(self.unread) < _HEADER.size + size:
                return
            body = self.unread[_HEADER.size:_HEADER.size + size]
            self.unread = self.unread[_HEADER.size + size:]
            if command == _SYN:
                if stream % 2 == 0 or stream in self.streams:
                    self.agent.session.account.violate(f"smux: a client opens stream {stream}")
                self.streams[stream] = asyncio.Queue(64)
                self._run(self._serve(stream))
            elif command == _PSH and stream in self.streams:
                await self.streams[stream].put(body)
            elif command == _FIN and stream in self.streams:
                await self.streams[stream].put(b"")

    def _run(self, work) -> None:  # noqa: ANN001
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _serve(self, stream: int) -> None:
        try:
            reader, writer = await self.agent.dial()
        except Unreachable:
            await self.agent.send(struct.pack(">I", frames.CONNECT_TO_PORT_ERROR), frames.FLAG)
            self.streams.pop(stream, None)
            await self._send(_FIN, stream)
            return

        async def down() -> None:
            while piece := await reader.read(_LARGEST):
                await self._send(_PSH, stream, piece)

        async def up() -> None:
            while piece := await self.streams[stream].get():
                writer.write(piece)
                await writer.drain()
            # A close ends both directions: answers that come later are lost.
            writer.close()

        rising = asyncio.ensure_future(up())
        try:
            await down()
        except (ConnectionError, OSError):
            pass
        finally:
            rising.cancel()
        self.streams.pop(stream, None)
        writer.close()
        await self._send(_FIN, stream)

    async def _send(self, command: int, stream: int, body: bytes = b"") -> None:
        raw = _HEADER.pack(1, command, len(body), stream) + body
        plan = self.agent.session.plan
        async with self.whole:
            for start in range(0, len(raw), plan.payload):
                await self.agent.wait_for_room()
                await self.agent.send(raw[start:start + plan.payload])
                if plan.pause:
                    await asyncio.sleep(plan.pause)
