#!/usr/bin/env python3
"""faultproxy.py - a TCP link with delay and faults, between a client and a real server.

usage: faultproxy.py [--listen ADDRESS:PORT] [PLAN]... HOST PORT
       faultproxy.py --control

A PLAN is any of:
  --delay MS        each way, in user space; the throughput is not limited by it
  --cut DIRECTION:BYTES:HOW
                    after exactly so many bytes were delivered up (to the server) or down
                    (to the client); BYTES may be LOW-HIGH, then --seed decides
                    fin        both sides are closed
                    rst        both sides are reset
                    blackhole  nothing passes any more, nobody is told
                    half-open  the server's side is closed, the client is not told
  --flip DIRECTION:BYTE
                    one bit of one byte arrives wrong
  --drip BYTES:MS   so many bytes at a time, and then a pause, each way
  --seed N

With --control, standard input gives orders, one JSON object a line, and the proxy ends with it:
  {"listen": NAME, "to": [HOST, PORT], "plan": {"delay": 50, "cut": ["down", 21, "rst"], …}}
  {"plan": NAME, …}         a new plan for connections that come from now on
  {"move": NAME, "to": [HOST, PORT]}   another server for connections that come from now on
  {"break": NAME, "how": HOW}   what --cut does, to all its connections, now
Standard output gets one JSON object a line: "listening" with the port, "closed" with what passed
("left" for connections that were open when the proxy ended).

"round_trips" in there is the longest chain of answers: bytes to the client that the server sent
after it had got bytes that the client sent after it had got such bytes, and so on. What is sent
without waiting adds nothing, nor does a farewell that nobody answers.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import selectors
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable

_PIECE = 256 * 1024  # bytes read at once
# How much may be on the way in one direction: a second of a fast link. Less would make the delay
# a limit of the throughput.
_ON_THE_WAY = 256 * 1024 * 1024
_NO_DELAY_ON_THE_WAY = 1024 * 1024


class Plan:
    """What happens to a connection."""

    def __init__(self, fields: dict[str, object], chance: random.Random) -> None:
        self.delay = float(fields.get("delay") or 0) / 1000  # seconds each way
        self.cut = _read_cut(fields.get("cut"), chance)
        self.flip = fields.get("flip")  # [direction, byte]
        self.drip = fields.get("drip")  # [bytes, milliseconds]


def _read_cut(cut: object, chance: random.Random) -> tuple[str, int, str] | None:
    if not cut:
        return None
    direction, after, how = cut  # type: ignore[misc]
    if isinstance(after, list):
        after = chance.randint(after[0], after[1])
    if direction not in ("up", "down") or how not in Connection.BREAKS:
        raise ValueError(f"no such cut: {cut}")
    return direction, int(after), how


class Direction:
    """Bytes on the way from one socket to the other."""

    def __init__(self, name: str, source: socket.socket, sink: socket.socket, plan: Plan) -> None:
        self.name = name
        self.source = source
        self.sink = sink
        self.plan = plan
        # When it is due, what, and after how many round trips.
        self.queue: collections.deque[tuple[float, memoryview, int]] = collections.deque()
        self.queued = 0
        self.delivered = 0
        self.received = 0
        self.rounds = 0  # round trips until what was delivered last
        self.ended = False  # the source has said FIN
        self.closed = False  # and the sink was told
        self.not_before = 0.0  # the drip's next drop
        self.blocked = False
        self.limit = _ON_THE_WAY if plan.delay else _NO_DELAY_ON_THE_WAY
        self.cut = plan.cut if plan.cut and plan.cut[0] == name else None

    @property
    def wants_bytes(self) -> bool:
        return not self.ended and self.queued < self.limit

    def due(self) -> float | None:
        """When there is something to do for the sink; None: nothing, or it takes nothing now."""
        if self.blocked or self.closed or not self.queue:
            return None
        return max(self.queue[0][0], self.not_before)

    def take(self, now: float, rounds: int) -> None:
        """Reads what has arrived, `rounds` round trips after the beginning.

        Raises OSError when the source was reset.
        """
        try:
            data = self.source.recv(_PIECE)
        except BlockingIOError:
            return
        if not data:
            self.ended = True
            self.queue.append((now + self.plan.delay, memoryview(b""), rounds))
            return
        if self.plan.flip and self.plan.flip[0] == self.name:
            data = _flip(data, int(self.plan.flip[1]) - self.received)
        self.received += len(data)
        self.queued += len(data)
        self.queue.append((now + self.plan.delay, memoryview(data), rounds))

    def deliver(self, now: float) -> None:
        """Writes what is due. Raises Cut at the planned byte."""
        while self.queue and not self.closed:
            due, data, rounds = self.queue[0]
            if due > now or self.not_before > now:
                break
            if not data:
                self.closed = True
                self.sink.shutdown(socket.SHUT_WR)
                break
            piece = data
            if self.cut:
                piece = piece[:self.cut[1] - self.delivered]
            if self.plan.drip:
                piece = piece[:self.plan.drip[0]]
            try:
                count = self.sink.send(piece) if piece else 0
            except BlockingIOError:
                self.blocked = True
                break
            if count:
                self.rounds = max(self.rounds, rounds)
                self.delivered += count
                self.queued -= count
                self.queue.popleft()
                if count < len(data):
                    self.queue.appendleft((due, data[count:], rounds))
                if self.plan.drip:
                    self.not_before = now + self.plan.drip[1] / 1000
            if self.cut and self.delivered >= self.cut[1]:
                raise Cut(self.cut[2])


class Cut(Exception):
    """The planned byte has passed."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


def _flip(data: bytes, at: int) -> bytes:
    if not 0 <= at < len(data):
        return data
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


class Connection:
    """A client, the server it was led to, and both directions between them."""

    BREAKS = ("fin", "rst", "blackhole", "half-open")

    def __init__(
        self, name: str, client: socket.socket, server: socket.socket, plan: Plan,
        forget: Callable[[socket.socket], None],
    ) -> None:
        self.name = name
        self.client = client
        self.server = server
        self.forget = forget  # called before a socket is closed while the connection goes on
        self.up = Direction("up", client, server, plan)
        self.down = Direction("down", server, client, plan)
        self.broken: str | None = None
        self.began = time.monotonic()
        # Where the cut is at byte 0, nothing passes at all.
        if plan.cut and plan.cut[1] == 0:
            self.break_off(plan.cut[2])

    def step(self, readable: set[socket.socket], writable: set[socket.socket], now: float) -> bool:
        """One turn of the loop; False when the connection is over."""
        if self.broken in ("fin", "rst"):
            return False
        for direction in (self.up, self.down):
            if direction.sink in writable:
                direction.blocked = False
        try:
            for direction in (self.down, self.up):
                if direction.source in readable:
                    begun = direction is self.up
                    direction.take(now, self.down.rounds + 1 if begun else self.up.rounds)
                if self.broken:
                    direction.queue.clear()
                    direction.queued = 0
                    continue
                direction.deliver(now)
        except Cut as cut:
            self.break_off(cut.how)
        except OSError:
            # One side was reset: so is the other.
            self.break_off("rst")
        if self.broken:
            return self.broken not in ("fin", "rst") and not self.up.ended
        return not (self.up.closed and self.down.closed)

    def break_off(self, how: str) -> None:
        """Does what `--cut` says, now."""
        if how == "rst":
            for end in (self.client, self.server):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how == "half-open":
            self.forget(self.server)
            self.server.close()
        self.broken = how

    def report(self) -> dict[str, object]:
        """What there is to say when it is over."""
        return {
            "event": "closed", "name": self.name, "up": self.up.delivered,
            "down": self.down.delivered, "round_trips": self.down.rounds, "broken": self.broken,
            "seconds": round(time.monotonic() - self.began, 4),
        }


class Proxy:
    """All listeners and connections, in one loop."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.selector = selectors.DefaultSelector()
        self.listeners: dict[str, dict[str, object]] = {}
        self.connections: list[Connection] = []
        self.masks: dict[socket.socket, int] = {}
        self.orders: bytes | None = None
        self.running = True

    def listen(
        self, name: str, to: tuple[str, int], plan: dict[str, object],
        at: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        """Begins to accept connections for `to`."""
        Plan(plan, random.Random(0))  # says what is wrong with it now
        door = socket.create_server(at, backlog=128)
        door.setblocking(False)
        self.listeners[name] = {"socket": door, "to": to, "plan": plan}
        self.selector.register(door, selectors.EVENT_READ, name)
        _say({"event": "listening", "name": name, "port": door.getsockname()[1]})

    def take_orders(self) -> None:
        """Reads orders from standard input from now on."""
        self.orders = b""
        self.selector.register(0, selectors.EVENT_READ, None)

    def run(self) -> None:
        """Runs until standard input ends (with orders), or for ever."""
        while self.running:
            self._watch()
            ready = self.selector.select(self._pause())
            now = time.monotonic()
            readable: set[socket.socket] = set()
            writable: set[socket.socket] = set()
            for key, mask in ready:
                if key.fileobj == 0:
                    self._obey()
                elif key.data is not None:
                    self._accept(key.data)
                else:
                    if mask & selectors.EVENT_READ:
                        readable.add(key.fileobj)
                    if mask & selectors.EVENT_WRITE:
                        writable.add(key.fileobj)
            for connection in list(self.connections):
                if not connection.step(readable, writable, now):
                    self._end(connection)

    def _watch(self) -> None:
        """Tells the selector what each socket is wanted for."""
        for connection in self.connections:
            up, down = connection.up, connection.down
            self._set_mask(connection.client, up.wants_bytes, down.blocked)
            if connection.server.fileno() >= 0:
                self._set_mask(connection.server, down.wants_bytes, up.blocked)

    def _set_mask(self, end: socket.socket, read: bool, write: bool) -> None:
        mask = (selectors.EVENT_READ if read else 0) | (selectors.EVENT_WRITE if write else 0)
        old = self.masks.get(end, 0)
        if mask == old:
            return
        if old == 0:
            self.selector.register(end, mask)
        elif mask == 0:
            self.selector.unregister(end)
        else:
            self.selector.modify(end, mask)
        self.masks[end] = mask

    def _pause(self) -> float | None:
        """Seconds until the next byte is due."""
        dues = [
            due for connection in self.connections
            for direction in (connection.up, connection.down)
            if (due := direction.due()) is not None
        ]
        if any(connection.broken in ("fin", "rst") for connection in self.connections):
            return 0
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def _accept(self, name: str) -> None:
        listener = self.listeners[name]
        try:
            client, _ = listener["socket"].accept()
        except BlockingIOError:
            return
        try:
            server = socket.create_connection(listener["to"], timeout=10)
        except OSError as error:
            client.close()
            _say({"event": "failed", "name": name, "error": str(error)})
            return
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plan = Plan(listener["plan"], self.chance)
        self.connections.append(Connection(name, client, server, plan, self._forget))

    def _end(self, connection: Connection) -> None:
        self.connections.remove(connection)
        for end in (connection.client, connection.server):
            self._forget(end)
            end.close()
        _say(connection.report())

    def _forget(self, end: socket.socket) -> None:
        if self.masks.pop(end, 0):
            self.selector.unregister(end)

    def _obey(self) -> None:
        data = os.read(0, 65536)
        if not data:
            self.running = False
            return
        *lines, self.orders = (self.orders + data).split(b"\n")
        for line in lines:
            try:
                self._order(json.loads(line))
            except (ValueError, KeyError, OSError) as error:
                _say({"event": "error", "order": line.decode(errors="replace"),
                      "error": str(error)})

    def _order(self, order: dict[str, object]) -> None:
        if "listen" in order:
            self.listen(order["listen"], tuple(order["to"]), order.get("plan") or {})
        elif "plan" in order:
            name = order.pop("plan")
            Plan(order, random.Random(0))
            self.listeners[name]["plan"] = order
            _say({"event": "planned", "name": name})
        elif "move" in order:
            self.listeners[order["move"]]["to"] = tuple(order["to"])
            _say({"event": "moved", "name": order["move"]})
        elif "break" in order:
            broken = [c for c in self.connections if c.name == order["break"]]
            for connection in broken:
                connection.break_off(order["how"])
            _say({"event": "broken", "name": order["break"], "connections": len(broken)})
        else:
            raise ValueError("no such order")


def _say(what: dict[str, object]) -> None:
    print(json.dumps(what), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--control", action="store_true")
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--delay", type=float)
    parser.add_argument("--cut", type=_split_cut)
    parser.add_argument("--flip", type=lambda text: [text.split(":")[0], int(text.split(":")[1])])
    parser.add_argument("--drip", type=lambda text: [int(part) for part in text.split(":")])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("host", nargs="?")
    parser.add_argument("port", nargs="?", type=int)
    options = parser.parse_args()
    proxy = Proxy(options.seed)
    if options.control:
        proxy.take_orders()
    elif options.port is None:
        parser.error("where does it lead?")
    else:
        address, _, port = options.listen.rpartition(":")
        plan = {name: getattr(options, name) for name in ("delay", "cut", "flip", "drip")}
        proxy.listen("link", (options.host, options.port), plan, (address, int(port)))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        proxy.run()
    except KeyboardInterrupt:
        pass
    for connection in proxy.connections:
        _say({**connection.report(), "event": "left"})
    return 0


def _split_cut(text: str) -> list[object]:
    direction, after, how = text.split(":")
    low, _, high = after.partition("-")
    return [direction, [int(low), int(high)] if high else int(low), how]


if __name__ == "__main__":
    sys.exit(main())
